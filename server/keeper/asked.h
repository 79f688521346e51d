/* What a gate may ask, and who answers: one table. */
#pragma once

#include "ipc.h"

#include <stdbool.h>
#include <stdint.h>

struct gate_link;

/* Handles one record from a gate. 0, or -EPROTO when it breaks a rule. */
int asked(struct gate_link *link, const union ipc_record *record);

/* Records of this type only tell: no answer is due. */
bool asked_nothing(uint16_t type);

/* The whole sign-in (signin.c) and the opening of a desktop (opening.c) take time; both answer the
 * record's request later. */
int asked_sign_in(struct gate_link *link, const union ipc_record *record);
int asked_open(struct gate_link *link, const union ipc_record *record);
