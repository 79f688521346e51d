/* From an embedded member (a source, a timer, a task) to the struct that owns it. */
#pragma once

#include <stddef.h>

#define OWNER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
