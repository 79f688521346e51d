/* The session at the gateway: signed in once, renewed with a fresh code when it is over, signed out
 * at the end. Token and password stay in guarded, locked memory. Thread-safe but for init/deinit.
 */
#pragma once

#include "client_ask.h"
#include "client_failure.h"
#include "client_json.h"
#include "client_wire.h"

#include <pthread.h>
#include <stdint.h>

struct client_secrets;

struct client_session {
    const struct client_gateway *gateway;
    struct client_ask ask;
    pthread_mutex_t lock; /* held while a person is asked: the others wait for the same answer */
    struct client_secrets *secrets;
    bool user_given;     /* not to be asked for again */
    unsigned generation; /* of the token; 0: none yet */
    unsigned factors;    /* shown since, in this or an earlier session */
    int64_t expires;     /* Unix seconds; 0: not known */
};

/* `user` may be NULL: asked for. 0 or -1. */
int client_session_init(struct client_session *session, const struct client_gateway *gateway,
                        const struct client_ask *ask, const char *user,
                        struct client_failure *failure);
void client_session_deinit(struct client_session *session);

/* The first sign-in: asks for all, a few times on a terminal. Blocks. 0 or -1; after a passing
 * fault that left `failure->sent` false it may be called again, and asks nothing twice. */
int client_session_begin(struct client_session *session, struct client_failure *failure);

/* A copy of the token; returns its generation, 0 when there is none. The caller wipes it. */
unsigned client_session_token(struct client_session *session, char to[CLIENT_JSON_TOKEN_SIZE]);

/* The gateway no longer takes the token of this generation: signs in anew with a fresh code, unless
 * another thread has just done so. Blocks. 0 or -1. */
int client_session_renew(struct client_session *session, unsigned generation,
                         struct client_failure *failure);

/* How often a second factor has been shown: a desktop that wants a fresh one may refuse what was
 * begun before another thread showed it. */
unsigned client_session_factors(struct client_session *session);

/* A desktop wants a second factor that was shown lately: asks for a code and shows it, unless
 * another thread has done so since `factors` was told. Blocks. 0 or -1. */
int client_session_show_factor(struct client_session *session, unsigned factors,
                               struct client_failure *failure);

/* Whether the person may use this desktop; -1 with words when not (DESKTOP), when they must choose
 * a new password first (DENIED), or when it cannot be asked. */
int client_session_check(struct client_session *session, const char *desktop,
                         struct client_failure *failure);

/* The desktop's .rdp file, as the gateway makes it: answer->body, which the caller frees with the
 * answer. The ticket in it lives no longer than the session. 0 or -1. */
int client_session_rdp_file(struct client_session *session, const char *desktop,
                            struct client_answer *answer, struct client_failure *failure);
/* Tells the gateway that it is over; tries for `ms`. Nothing to do without a session. */
void client_session_end(struct client_session *session, uint32_t ms);
