/* The values of deskgate.conf: one function per kind of value. Private to conf.c. */
#pragma once

#include "conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file that is being read. */
struct conf_reading {
    struct conf *conf;
    size_t certificates, keys; /* of conf->pairs, filled independently */
    uint32_t alert_rules;      /* in place of the default */
    bool continued;            /* the value goes on with what the line above gave */
    char why[512];             /* what is wrong with the value, for "line 12: KEY: …" */
};

struct conf_key {
    const char *section, *name;
    /* One value, or one item of a list, without spaces around it. False with `why`. */
    bool (*take)(struct conf_reading *reading, const struct conf_key *key, const char *value);
    bool list;            /* comma-separated */
    size_t offset;        /* of the member in struct conf, where the kind of value has one */
    uint32_t least, most; /* conf_take_number */
};

bool conf_take_number(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_listen(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_http_listen(struct conf_reading *reading, const struct conf_key *key,
                           const char *value);
bool conf_take_metrics_listen(struct conf_reading *reading, const struct conf_key *key,
                              const char *value);
bool conf_take_name(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_port(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_user(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_path(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_flag(struct conf_reading *reading, const struct conf_key *key, const char *value);
/* UTF-8 without control characters, less than TEXT_WORDS_SIZE bytes; a continued line after a
 * blank. */
bool conf_take_text(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_profile(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_zone(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_cage(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_certificate(struct conf_reading *reading, const struct conf_key *key,
                           const char *value);
bool conf_take_tls_key(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_allow(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_wake_broadcast(struct conf_reading *reading, const struct conf_key *key,
                              const char *value);
bool conf_take_rule(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_syslog(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_webhook(struct conf_reading *reading, const struct conf_key *key, const char *value);
/* An address or network, but not all of them. */
bool conf_take_proxy(struct conf_reading *reading, const struct conf_key *key, const char *value);
bool conf_take_proxy_header(struct conf_reading *reading, const struct conf_key *key,
                            const char *value);
bool conf_take_deny(struct conf_reading *reading, const struct conf_key *key, const char *value);
