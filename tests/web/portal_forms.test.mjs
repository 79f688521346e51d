// The portal's forms, on paper: what a person's answer leads to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paper, soon } from './paper.mjs';
import { pretend } from './portal_rig.mjs';

const { setUp } = await import('/i18n.js');
const { default: en } = await import('/lang/en.js');

/** A page in front of a gateway that is a function: answer(path, body) gives {status, …} or nothing for {}. */
async function portal(t, answer) {
  const { sheet } = paper(t);
  const asked = [];
  pretend(t, 'fetch', async (path, { body }) => {
    const sent = body && JSON.parse(body);
    asked.push({ path, sent });
    const { status = 200, ...said } = await answer(path, sent) ?? {};
    return new Response(JSON.stringify(said), { status });
  });
  await setUp('portal');
  const show = ({ nodes }) => sheet.body.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  const inputs = (kind) => sheet.querySelectorAll(`input[autocomplete=${kind}]`);
  const press = (name) => [...sheet.root.all()].find((one) => one.tag === 'button' && one.textContent === name).click();
  const alert = () => soon(() => sheet.querySelectorAll('.alert').find((one) => !one.hidden && one.textContent)).then((one) => one.textContent);
  const last = (path) => asked.filter((one) => one.path === path).at(-1)?.sent;
  return { sheet, asked, show, inputs, press, alert, last };
}

const offered = (secret) => ({ username: 'anna', secret, otpauth: `otpauth://totp/gateway:anna?secret=${secret}`, qr: ['10', '01'] });
const key = (sheet) => sheet.querySelector('.key').textContent.replaceAll(' ', '');

test('who took too long at the first sign-in is shown another picture, and what was typed stays', async (t) => {
  const { setupView } = await import('/portal/setup.js');
  const offers = ['AAAABBBB', 'CCCCDDDD'];
  const gone = [{ status: 409, error: 'offer_gone' }];
  const { sheet, show, inputs, press, alert, last } = await portal(t, (path) =>
    (path === '/api/setup' ? offered(offers.shift()) : gone.shift() ?? { recovery_codes: [] }));
  let done = null;
  show(await setupView({ invitation: 'word', done: (answer) => { done = answer; } }));
  for (const one of inputs('new-password')) one.value = 'four words that fit';
  inputs('one-time-code')[0].value = '111111';
  press(en['setup.submit']);
  assert.equal(await alert(), en['error.offer_gone']);
  assert.equal(key(sheet), 'CCCCDDDD');
  assert.deepEqual(inputs('one-time-code').map((one) => one.value), ['']);
  inputs('one-time-code')[0].value = '222222';
  press(en['setup.submit']);
  await soon(() => done);
  assert.deepEqual(last('/api/setup/finish'), { invitation: 'word', password: 'four words that fit', code: '222222' });
});

test('… and so is who took too long with a new device', async (t) => {
  const { accountView } = await import('/portal/account.js');
  const offers = ['AAAABBBB', 'CCCCDDDD'];
  const gone = [{ status: 409, error: 'offer_gone' }];
  const { sheet, show, inputs, press, alert, last } = await portal(t, (path) => ({
    '/api/sessions': () => ({ sessions: [] }),
    '/api/session': () => ({ username: 'anna', recovery_codes_left: 9 }),
    '/api/totp': () => offered(offers.shift()),
    '/api/totp/confirm': () => gone.shift() ?? { recovery_codes: [] },
  })[path]());
  let enrolled = null;
  show(await accountView({ enrolled: (answer) => { enrolled = answer; } }));
  inputs('current-password').at(-1).value = 'the present one';
  press(en['account.totpSubmit']);
  await soon(() => sheet.querySelector('.key'));
  inputs('one-time-code').at(-1).value = '111111';
  press(en['account.totpConfirm']);
  assert.equal(await alert(), en['error.offer_gone']);
  assert.equal(key(sheet), 'CCCCDDDD');
  assert.deepEqual(last('/api/totp'), { password: 'the present one' });
  inputs('one-time-code').at(-1).value = '222222';
  press(en['account.totpConfirm']);
  await soon(() => enrolled);
  assert.deepEqual(last('/api/totp/confirm'), { code: '222222' });
});
