/* Where strangers hold all the room that there is for them, the one who has waited longest goes, or
 * has been there longest without a sign-in, so that whoever comes to sign in is let in also while
 * somebody holds connections open.
 *
 * Where one address has all the room that there is for it, the same, but only among those of that
 * address, and nobody goes on whom anything is under way: a newcomer there costs other addresses
 * nothing, and people behind one address, whose browsers keep connections for later, have room for
 * as many as work at the same time. Strangers go before those who have signed in, to whom a share
 * is left. */
#pragma once

#include "addr.h"
#include "admit.h"

struct worker;

/* Ends one of this worker's connections: what `full` wants one less of. False: there is none that
 * has waited long enough. */
bool displace(struct worker *worker, enum admit_answer full);
/* Likewise, of those of this address; it is for the caller to say that it was in vain everywhere.
 */
bool displace_near(struct worker *worker, enum admit_answer full, const struct addr *address);
