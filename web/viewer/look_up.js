// Whose page it is: name and setting of the desktop, for the form; the form works without them.
import { api } from '/api.js';

/** {same, username}: what is filled in where people have the same name on the desktop. Names know no case, as for the gateway. */
export async function lookUp(desktop) {
  const [session, list] = await Promise.all([api('GET', '/api/session'), api('GET', '/api/desktops')]);
  const mine = list.desktops.find(({ name }) => name.toLowerCase() === desktop.toLowerCase());
  const same = Boolean(mine?.same_credentials);
  return { same, username: same ? session.username : '' };
}
