/* The commented deskgate.conf that a new state folder begins with. */
#pragma once

#include <stdio.h>

/* What init was told; NULL leaves the key commented out, at its default. */
struct conf_template {
    const char *listen, *http_listen, *name, *user, *acme_folder;
};

/* Each key with its default, as the template writes it. */
void conf_template_defaults(void (*each)(void *owner, const char *section, const char *key,
                                         const char *value),
                            void *owner);

/* 0 or -EIO. */
int conf_template_write(FILE *out, const struct conf_template *given);
