/* The configuration as the supervisor read it, in a sealed memory file for its children: all work
 * by the same one, and a file that is being edited cannot hinder a restart. Only between processes
 * of the same program: it is the struct as it lies in memory. */
#pragma once

#include "conf.h"

/* Without [alerts] webhook, which may hold a secret. A descriptor or a negative errno. */
int conf_memory_new(const struct conf *conf);

/* A copy of what is in such a file, in memory that nobody can write to and that stays for good; or
 * NULL: it is none, or no memory. The descriptor stays the caller's. */
const struct conf *conf_memory_read(int fd);
