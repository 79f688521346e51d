/* How long a day is. */
#pragma once

#define DAY_SECONDS 86400
#define DAY_MS 86400000LL
#define DAY_MINUTES 1440
