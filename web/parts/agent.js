// Which program a session belongs to, from its User-Agent: enough to recognise one's own.
import { t } from '/i18n.js';

const BROWSERS = [[/Edg\//, 'Edge'], [/OPR\//, 'Opera'], [/Firefox\//, 'Firefox'],
  [/Chrome\/|Chromium\//, 'Chrome'], [/Safari\//, 'Safari']];
const SYSTEMS = [[/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'], [/CrOS/, 'ChromeOS'], [/Linux/, 'Linux']];

const find = (table, text) => table.find(([pattern]) => pattern.test(text))?.[1] ?? null;

/** {browser, system}, each a name or null; client: our own tunnel client. */
export function readAgent(text) {
  return { client: /^deskgate/.test(text), browser: find(BROWSERS, text), system: find(SYSTEMS, text) };
}

/** The same in words; `other` is what a program that is not known is called. */
export function agentName(text, other = t('agent.other')) {
  const { client, browser, system } = readAgent(text);
  if (client) return t('agent.client');
  if (!browser) return other;
  return system ? t('agent.on', { browser, system }) : browser;
}
