/* Rules as pure functions over plain structs. */
#pragma once

#include "conf.h"

#include <stdbool.h>

/* May the keeper connect to this address? Deny lists win; multicast, broadcast and unspecified
 * addresses never; loopback and link-local (where cloud metadata lives) only when allowed by name.
 */
bool policy_may_dial(const struct conf *conf, const struct addr *address);
