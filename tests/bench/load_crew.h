/* Connections that are opened together and then live together: idle ones, ones with an echo. */
#pragma once

#include "load_flow.h"

struct crew {
    struct flow_loop loop;
    struct flow_plan plan; /* whose opened and ended are the crew's */
    struct flow **members; /* NULL: not there, or not any more */
    uint32_t count, parallel;
    uint32_t begun, open, lost; /* lost: at the opening or later */
    char why[96];               /* of the first that was lost */
};

/* From the words PLACE COUNT PARALLEL SOURCES, as every verb with a crew takes them: so many
 * connections, so many of them under way at once, from so many addresses (0: one). */
void crew_init(struct crew *crew, char **words);
/* Opens all; returns when each is open or lost. */
void crew_open(struct crew *crew);
/* Lets time go by until `end` (of time_ns()), or until none is left. */
void crew_until(struct crew *crew, uint64_t end);
void crew_close(struct crew *crew);
