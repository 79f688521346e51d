/* Every configuration key with its value and where it comes from, for people to look at. */
#pragma once

#include "conf.h"

#define CONF_SETTING_SIZE 4096

struct conf_setting {
    const char *section, *key;
    char value[CONF_SETTING_SIZE]; /* as it stands in the file, continued lines joined; secrets are
                                      "(set)" */
    unsigned line;                 /* of the file; 0: the default */
};

/* In the order of the template. A non-zero answer of `each` stops. 0; or as conf_load(), with words
 * in `why`. */
int conf_settings(const char *state, int (*each)(void *owner, const struct conf_setting *setting),
                  void *owner, char *why, size_t size);
