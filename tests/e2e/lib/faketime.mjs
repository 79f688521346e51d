// libfaketime, which changes the clock for programs that are started with it.
import { existsSync } from 'node:fs';
import { sanitized } from './gateway.mjs';
import { run } from './proc.mjs';

export const FAKETIME = run('sh', ['-c', 'ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null | head -1']).stdout.trim();

// Why a test that wants it is skipped, or false.
export const noFaketime = sanitized ? 'a sanitizer and libfaketime both want to be first' : existsSync(FAKETIME) ? false : 'libfaketime is not installed';
