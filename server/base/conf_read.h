/* The text of deskgate.conf: lines, the table of keys, and words about what is wrong. Private to
 * conf.c. */
#pragma once

#include "conf_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONF_KEYS_MAX 128

struct conf_file {
    struct conf_reading reading;
    FILE *in;
    /* Hears of each key; may be NULL. */
    void (*given)(void *owner, const char *section, const char *key, const char *value,
                  unsigned line);
    void *owner;
    unsigned line; /* of the file, from 1 */
    bool indented; /* the line begins with white space: inih continues the value before */
    unsigned seen[CONF_KEYS_MAX]; /* the line that first gave the key; 0: none */
    unsigned fault_line;          /* of `fault`; 0: none yet */
    char fault[1024];
};

/* Reads `in` to its end. False with `fault` and `fault_line`. */
bool conf_read(struct conf_file *file);

/* The table's own texts for a key that there is. */
bool conf_read_key(const char *section, const char *name, const char **own_section,
                   const char **own_name);

/* Whether a key's values are separated by commas, also from one line to the next. */
bool conf_read_is_list(const char *section, const char *name);

bool conf_read_seen(const struct conf_file *file, const char *section, const char *name);
