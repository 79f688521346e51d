/* Which addresses are this machine's. */
#pragma once

#include "addr.h"

#include <stdbool.h>

/* Whether packets to this address would not leave the machine. Asks the kernel's routing without
 * sending anything; false when there is no route. */
bool own_address(const struct addr *address);
