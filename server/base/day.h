/* How long a day is. */
#pragma once

#define DAY_SECONDS 86400
#define DAY_MINUTES 1440
