/* Whose turn on a processor comes first: between those whose work is felt at once and those whose
 * work is long. Of the calling thread and of those that it makes afterwards; needs no rights. */
#pragma once

/* Runs in short slices, so that it is soon on when it wakes up. The share stays. */
void turn_prompt(void);
/* Long work for which nobody should wait: a tenth of the weight, and in slices so long that whoever
 * wakes up goes before. */
void turn_patient(void);
