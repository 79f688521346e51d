/* The commented deskgate.conf that a new state folder begins with. */
#pragma once

#include <stdio.h>

/* What init was told; NULL leaves the key commented out, at its default. */
struct conf_template {
    const char *listen, *http_listen, *name, *user;
};

/* 0 or -EIO. */
int conf_template_write(FILE *out, const struct conf_template *given);
