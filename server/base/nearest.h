/* "Did you mean …?": the name that is nearest to what was typed. */
#pragma once

#include "text.h"

struct nearest {
    const char *typed;
    unsigned distance;
    char name[TEXT_NAME_SIZE]; /* "" while nothing is near enough */
};

/* Near is: slips in up to half of what was typed, at least one and at most three. */
void nearest_init(struct nearest *nearest, const char *typed);
void nearest_offer(struct nearest *nearest, const char *name);
