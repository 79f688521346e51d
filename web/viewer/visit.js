// What the gateway knows of a connection's end, which neither the package nor a close code tells.
import { api } from '/api.js';

const ANSWER_MS = 3_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function stateOf(number) {
  const asked = api('GET', `/api/visits/${number}`).catch(() => null);
  const visit = await Promise.race([asked, pause(ANSWER_MS).then(() => null)]);
  return visit?.state;
}

/** Whether the gateway is waking the desktop up; asked while a connection is being made. */
export const isWaking = async (number) => await stateOf(number) === 'waking';

/** Whether it has ended for the gateway, which has not come through to us. */
export const isOver = async (number) => await stateOf(number) === 'ended';

/**
 * What the gateway says of a visit: {state, reason, message}, or null when it does not answer. It
 * may learn of an end a moment after us.
 */
export async function askVisit(number) {
  let visit = null;
  for (let attempt = 0; number !== null && attempt < 4; attempt++) {
    if (attempt > 0) await pause(attempt * 250);
    const asked = api('GET', `/api/visits/${number}`).catch((error) => {
      return error.status === 401 ? { state: 'ended', reason: 'no_session', message: '' } : null;
    });
    visit = await Promise.race([asked, pause(ANSWER_MS).then(() => null)]);
    if (!visit || visit.state === 'ended' || visit.state === 'refused') break;
  }
  return visit;
}
