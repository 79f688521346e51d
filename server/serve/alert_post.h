/* The webhook: one alert by HTTPS POST, in a process of its own that holds nothing else. */
#pragma once

#include "conf.h"

#include <stddef.h>

struct cli;

#define ALERT_POST_TARGET_FD 3

/* The address (from the configuration, or from the file that it names) and who may sign its
 * certificate, in a sealed memory file for the verb: an address may hold a secret, so it stands in
 * no argument. A descriptor, or a negative errno with words in `why`. */
int alert_post_target(const struct conf *conf, char *why, size_t size);

/* The hidden verb: standard input is the alert, descriptor ALERT_POST_TARGET_FD the target. Tries a
 * few times. An exit code. */
int alert_post_verb(struct cli *cli, int argc, char **argv);
