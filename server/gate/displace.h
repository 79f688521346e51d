/* Where strangers hold all the room that there is for them, the one who has waited longest goes, or
 * has been there longest without a sign-in, so that whoever comes to sign in is let in also while
 * somebody holds connections open. */
#pragma once

#include "admit.h"

struct worker;

/* Ends one of this worker's connections: what `full` wants one less of. False: there is none that
 * has waited long enough. */
bool displace(struct worker *worker, enum admit_answer full);
