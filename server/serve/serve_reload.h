/* SIGHUP: configuration and certificate files are read again, judged as a whole, and handed to
 * keeper and gate, or refused as a whole. */
#pragma once

#include "conf.h"
#include "serve_pems.h"

#include <stddef.h>
#include <stdint.h>

#define SERVE_SETTINGS_MOST 128

/* What each key said when the file was read. */
struct serve_settings {
    struct {
        const char *section, *key;
        uint64_t value; /* FNV-1a */
    } all[SERVE_SETTINGS_MOST];
    size_t count;
};

/* Of the file as it is now; none when it cannot be read. */
void serve_settings_take(struct serve_settings *settings, const char *state);

struct serve_reload {
    struct conf *conf; /* replaced, but for what takes an upgrade or a restart */
    struct serve_pems *pems;
    struct serve_settings *settings;
    int *conf_fd;     /* conf_memory.h; replaced */
    int gate, keeper; /* control sockets; -1: it gets everything when it starts */
};

/* 0, or a negative errno: then the old ones are in use as before. Everything is logged. */
int serve_reload(const struct serve_reload *reload);
