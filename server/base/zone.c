#include "zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FOLDER "/usr/share/zoneinfo/" /* tzset(3) */

/* No dots, so no way out of the folder. */
static bool well_formed(const char *name)
{
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("/_+-", *c))
            return false;
    }
    return isalpha((unsigned char)*name) && strlen(name) < 64;
}

bool zone_known(const char *name)
{
    char path[sizeof(FOLDER) + 64];
    struct stat found;
    if (!well_formed(name))
        return false;
    snprintf(path, sizeof(path), FOLDER "%s", name);
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

void zone_use(const char *name)
{
    if (*name)
        setenv("TZ", name, 1);
    tzset();
}
