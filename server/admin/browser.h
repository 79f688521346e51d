/* What administrators do in the browser: sub-verbs of the command line, run within the keeper. */
#pragma once

struct keeper_order;

/* Carries one out (struct keeper_setup). An exit code (sysexits.h); what was wrong is said without
 * the program's name in front. Only sub-verbs and options of the table in browser.c are: whoever
 * asks may be a gate that somebody else has taken over. */
int browser_act(struct keeper_order *order);
