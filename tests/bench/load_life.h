/* The verbs of deskgate-load that are about many connections at once, and what they share. Each
 * file opens with what its verb does. As in load.h, they get the words behind the verb.
 *
 * PLACE is that of load_place.h, of which they know bare, raw and ws; where more is said on
 * standard input, it comes behind the secrets. */
#pragma once

#include "load_flow.h"
#include "load_time.h"

int load_hold(int count, char **words);
int load_crowd(int count, char **words);
int load_churn(int count, char **words);
int load_sign_in(int count, char **words);
int load_probe(int count, char **words);
int load_mix(int count, char **words);
int load_mix_desktop(int count, char **words);
int load_age(int count, char **words);
int load_age_desktop(int count, char **words);
int load_far(int count, char **words);
int load_far_link(int count, char **words);
int load_far_desktop(int count, char **words);

/* Reads PLACE and its secrets. Ends the program with a word about what is wrong. */
void life_place(struct flow_plan *plan, const char *word);
/* A line of standard input within `ms`, while the loop goes on: false when there is none yet; "" at
 * the end. */
bool life_line(struct flow_loop *loop, unsigned ms, char *line, size_t size);
/* A desktop: prints the port that it listens on and serves until it is killed. */
_Noreturn void life_desktop(const struct flow_plan *plan);
/* Prints the member "NAME": {…} of a JSON object: what samples_print() tells. */
void life_times(struct samples *samples, const char *name);
