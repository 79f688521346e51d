// What an end means: facts in, a reason out. The words for a reason are in the language files, under
// viewer.trouble.REASON (what happened) and viewer.trouble.REASON.do (what to do).
import { Phase } from './wire.js';

// IronErrorKind of the package.
const WRONG_PASSWORD = 1;
const LOGON_FAILURE = 2;
const ACCESS_DENIED = 3;

// What Windows says of an account instead of letting it in ([MS-CSSP] 2.2.1, errorCode; [MS-ERREF] 2.3.1).
const STATUS = {
  'c000005e': 'no-controller', // NO_LOGON_SERVERS
  'c000006e': 'restricted', // ACCOUNT_RESTRICTION: without a password, or among Protected Users
  'c000006f': 'logon-hours', // INVALID_LOGON_HOURS
  'c0000070': 'logon-hours', // INVALID_WORKSTATION
  'c0000071': 'password-expired', // PASSWORD_EXPIRED
  'c0000072': 'disabled', // ACCOUNT_DISABLED
  'c000015b': 'denied', // LOGON_TYPE_NOT_GRANTED
  'c0000193': 'disabled', // ACCOUNT_EXPIRED
  'c0000224': 'password-expired', // PASSWORD_MUST_CHANGE
  'c0000234': 'locked', // ACCOUNT_LOCKED_OUT
  'c0000418': 'ntlm-blocked', // NTLM_BLOCKED
};

// What the desktop says of an end ([MS-RDPBCGR] 2.2.5.1.1), of what people meet.
const ERROR_INFO = {
  0x1: 'desktop-administrator', // RPC_INITIATED_DISCONNECT
  0x2: 'desktop-administrator', // RPC_INITIATED_LOGOFF
  0x3: 'desktop-limit', // IDLE_TIMEOUT
  0x4: 'desktop-limit', // LOGON_TIMEOUT
  0x5: 'elsewhere', // DISCONNECTED_BY_OTHERCONNECTION
  0x6: 'desktop-full', // OUT_OF_MEMORY
  0x7: 'desktop-denied', // SERVER_DENIED_CONNECTION
  0x9: 'denied', // SERVER_INSUFFICIENT_PRIVILEGES
  0xb: 'desktop-ended', // RPC_INITIATED_DISCONNECT_BYUSER
  0xc: 'logged-off', // LOGOFF_BY_USER
};
const LICENSE_FIRST = 0x100; // LICENSE_INTERNAL
const LICENSE_LAST = 0x10a; // LICENSE_NO_REMOTE_CONNECTIONS

// Reasons of /api/visits that say enough by themselves, and the reason that we show.
const TOLD = {
  'no_session': 'signed-out',
  'password_change_due': 'password-due',
  'signed-out': 'signed-out',
  'session-ended': 'signed-out',
  'no_desktop': 'not-allowed',
  'not_now': 'not-now',
  'not_from_here': 'not-from-here',
  'too_many': 'too-many',
  'factor_stale': 'stale-factor',
  'grant-removed': 'not-allowed',
  'user-disabled': 'not-allowed',
  'desktop_asleep': 'asleep',
  'desktop_refused': 'refused',
  'desktop_name': 'address',
  'desktop_address': 'address',
  'busy': 'busy',
  'idle': 'idle',
  'limit': 'limit',
  'tunnel-ended': 'administrator',
  'setup': 'timeout',
  'negotiation': 'negotiation',
  'desktop-tls': 'desktop-tls',
  'certificate-changed': 'certificate-changed',
  'certificate-untrusted': 'certificate-untrusted',
  'stopping': 'lost',
  'gate-lost': 'lost',
};

// The connection broke rather than was ended: worth another try without asking.
const BROKEN = new Set(['client-lost', 'desktop-lost', 'gate-lost', 'stopping']);

// Where asking for user name and password again may help.
const ASK_AGAIN = new Set(['password', 'logon', 'denied', 'account']);

// Refusals of the API that the person can do something about.
const REFUSED = {
  'password_change_due': 'password-due',
  'factor_stale': 'stale-factor',
  'wrong_code': 'wrong-code',
  'not_now': 'not-now',
  'not_from_here': 'not-from-here',
  'too_many': 'too-many',
};

function ofApi({ status, code }) {
  if (Object.hasOwn(REFUSED, code ?? '')) return REFUSED[code];
  if (status === 401) return 'signed-out';
  if (status === 403 || status === 404) return 'not-allowed';
  if (status === 429 || status === 503) return 'busy';
  return status >= 400 && status < 500 ? 'failed' : 'gateway';
}

function ofKind(kind) {
  if (kind === WRONG_PASSWORD) return 'password';
  if (kind === LOGON_FAILURE) return 'logon';
  if (kind === ACCESS_DENIED) return 'denied';
  return null;
}

// For what it gives no kind its words have to do.
function ofText(text) {
  const [, status] = /0x(c0000[0-9a-f]{3})/i.exec(text) ?? [];
  if (status && Object.hasOwn(STATUS, status.toLowerCase())) return STATUS[status.toLowerCase()];
  return /invalid username|mixed username/i.test(text) ? 'account' : null;
}

function ofTold(told) {
  const { errorInfo, licence } = told ?? {};
  if (licence || (errorInfo >= LICENSE_FIRST && errorInfo <= LICENSE_LAST)) return 'licence';
  return ERROR_INFO[errorInfo] ?? null;
}

function ofOpened({ said, failed, close }, visit) {
  if (said) return 'desktop-ended'; // whatever became of the connection then
  if (BROKEN.has(visit.reason)) return 'lost';
  if (visit.reason === 'client') return failed ? 'unread' : 'left'; // it was closed here, for one reason or the other
  if (visit.reason === 'protocol') return 'protocol';
  return visit.reason === 'desktop' || close?.clean ? 'desktop-ended' : 'lost';
}

/**
 * The reason for these facts (of connect.js), with what the gateway says of the visit:
 * {reason, retry, ask}. retry: try again without being asked. ask: for credentials, again.
 */
export function diagnose(facts, visit) {
  const reason = reasonFor(facts, visit ?? { state: '', reason: '' });
  const retry = facts.opened && (reason === 'lost' || reason === 'unread');
  return { reason, retry, ask: ASK_AGAIN.has(reason) };
}

function reasonFor(facts, visit) {
  if (facts.api) return ofApi(facts.api);
  const known = Object.hasOwn(TOLD, visit.reason) ? TOLD[visit.reason] : null;
  const told = ofTold(facts.told);
  if (known && !(known === 'lost' && (facts.said || told))) return known;
  if (told) return told;
  if (facts.opened) return ofOpened(facts, visit);
  const named = ofText(facts.text) ?? ofKind(facts.kind);
  if (named) return named;
  if (facts.timedOut) return 'timeout';
  // The way to the gateway broke; nobody has said no.
  if (visit.reason === 'client-lost' || (!visit.reason && facts.close?.clean === false)) return 'lost';
  // The desktop hung up on what was sent to sign in: some say no in no other way.
  if (facts.phase === Phase.signingIn) return 'password';
  return facts.said || ['desktop', 'desktop-lost'].includes(visit.reason) ? 'desktop-hung-up' : 'failed';
}
