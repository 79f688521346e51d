/* The networks behind the words of [dial]: "private", "loopback", "link-local", "metadata", "any".
 */
#pragma once

#include "addr.h"

#include <stdbool.h>
#include <stddef.h>

/* The next network of the word, NULL behind the last and for what is no word; `*at` begins with 0.
 */
const char *conf_word_net(const char *word, size_t *at);
/* Whether the whole network, or the address, lies in one that the word stands for. */
bool conf_word_covers(const char *word, const struct addr_net *net);
bool conf_word_holds(const char *word, const struct addr *address);
