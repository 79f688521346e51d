/* What a person is told about a visit that ended or never came about. */
#pragma once

/* The sentence for a stable code: ipc_end_name()'s of a tunnel that ended, ipc_status_name()'s of
 * one that was refused. Something true for any other code; "" for "". */
const char *reason_words(const char *code);
