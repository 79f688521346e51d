/* Rules as pure functions over plain structs. */
#pragma once

#include "conf.h"

#include <stdbool.h>

/* May the keeper connect to this address? Deny lists win; multicast, broadcast and unspecified
 * addresses never; loopback, link-local, clouds' metadata and the machine's own addresses (`own`:
 * see own_address.h) only when allowed by name; all else when a network that is allowed holds it.
 */
bool policy_may_dial(const struct conf *conf, const struct addr *address, bool own);
