// What a form changes is sent, and nothing else: a page may be older than what somebody else has done
// meanwhile, and would take that back.
import { t } from '/i18n.js';

/** values(): {name: value}, of the fields as they stand. Gives a function: those that differ from now. */
export function watchChanges(values) {
  const first = values();
  return () => Object.fromEntries(Object.entries(values()).filter(([name, value]) => value !== first[name]));
}

/** save(changes) when there are any; either way says what became of it. */
export async function saveChanges(changes, tools, save) {
  if (!Object.keys(changes).length) {
    await tools.done(t('admin.unchanged'));
    return;
  }
  const { warning } = await save(changes) ?? {};
  await tools.done([t('admin.saved'), warning].filter(Boolean).join(' '));
}
