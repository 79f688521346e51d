/* What an administrator types about a desktop's redirections and .rdp files, judged and brought
 * into the store's form. */
#pragma once

#include "store.h"

#include <stdbool.h>
#include <stdint.h>

/* Words parted by commas: "drives,printers", or "all", or "none"; the bits of enum ipc_forbid.
 * NULL, or words that follow "--forbid 'typed': it ". */
const char *rdp_field_forbid(const char *typed, uint8_t *to);

/* The same words, each ended by a line feed. */
#define RDP_FIELD_FORBID_SIZE 64
void rdp_field_forbid_lines(uint8_t forbidden, char to[RDP_FIELD_FORBID_SIZE]);

/* One setting, "name:type:value", into a desktop's settings, in place of one of the same name;
 * "none" clears them all. False, with `settings` as it was and words that follow
 * "--rdp-setting 'typed': ". */
bool rdp_field_setting(const char *typed, char settings[STORE_SETTINGS_SIZE], char *why,
                       size_t size);
