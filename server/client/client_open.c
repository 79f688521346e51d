#include "client_open.h"

#include "text.h"
#include "ws.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To the gateway, and its answer to anything but a desktop that sleeps. */
#define ATTEMPT_MS 30000
#define WAKE_MS 90000 /* the gateway gives a desktop a minute to wake up, unless told otherwise */
#define KEY_SIZE 25   /* RFC 6455 section 4.1: 16 random bytes in base64 */
#define RENEWALS 2

static bool is_upgraded(const struct client_answer *answer, const char *key)
{
    char accept[WS_ACCEPT_SIZE];
    const struct httpresp *head = &answer->head;
    ws_accept_key(accept, key);
    return head->upgrades && !head->extends && head->accept &&
           head->accept_size == strlen(accept) &&
           memcmp(head->accept, accept, head->accept_size) == 0;
}

static int take(const struct client_answer *answer, struct client_opened *opened,
                struct client_failure *failure)
{
    if (!answer->early_size)
        return 0;
    opened->early = malloc(answer->early_size);
    if (!opened->early)
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    memcpy(opened->early, answer->early, answer->early_size);
    opened->early_size = answer->early_size;
    return 0;
}

static int upgrade(const struct client_opening *opening, const char *token,
                   struct client_answer *answer, const struct client_wait *wait,
                   struct client_opened *opened, struct client_failure *failure)
{
    uint8_t random[16];
    char key[KEY_SIZE], path[80], fields[160];
    randombytes_buf(random, sizeof(random));
    text_base64(key, random, sizeof(random));
    snprintf(path, sizeof(path), "/tunnel/%s", opening->desktop);
    snprintf(fields, sizeof(fields),
             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
             key);
    struct client_request request = {
        .method = "GET", .path = path, .token = token, .fields = fields};
    if (client_http_exchange(&opened->wire, opening->gateway, &request, answer, wait, failure))
        return -1;
    if (answer->head.status != 101)
        return client_json_refusal(answer, failure);
    if (!is_upgraded(answer, key))
        return client_fail(failure, CLIENT_FAULT_ANSWER,
                           "the gateway, or something between, does not take WebSockets");
    return take(answer, opened, failure);
}

static int attempt_once(const struct client_opening *opening, const char *token,
                        struct client_opened *opened, struct client_failure *failure)
{
    struct client_wait wait = client_wait_for(opening->cancel, ATTEMPT_MS);
    struct client_wait patience = client_wait_for(opening->cancel, WAKE_MS);
    memset(opened, 0, sizeof(*opened));
    if (client_wire_open(&opened->wire, opening->gateway, &wait, failure))
        return -1;
    struct client_answer *answer = client_answer_new();
    int error = answer ? upgrade(opening, token, answer, &patience, opened, failure)
                       : client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    client_answer_free(answer);
    if (error)
        client_opened_free(opened);
    return error;
}

/* Mends what keeps the gateway from saying yes: a session that is over, a factor that is stale. */
static int mend(const struct client_opening *opening, unsigned generation, unsigned factors,
                struct client_failure *failure)
{
    if (failure->fault == CLIENT_FAULT_SESSION)
        return client_session_renew(opening->session, generation, failure);
    if (failure->fault == CLIENT_FAULT_FACTOR)
        return client_session_show_factor(opening->session, factors, failure);
    return -1;
}

/* One try; what can be mended by a code is mended on the way. */
static int attempt(const struct client_opening *opening, struct client_opened *opened,
                   struct client_failure *failure)
{
    char token[CLIENT_JSON_TOKEN_SIZE];
    for (unsigned renewals = 0;; renewals++) {
        unsigned factors = client_session_factors(opening->session);
        unsigned generation = client_session_token(opening->session, token);
        *failure = (struct client_failure){0};
        int error = attempt_once(opening, token, opened, failure);
        explicit_bzero(token, sizeof(token));
        if (!error)
            return 0;
        if (renewals == RENEWALS || mend(opening, generation, factors, failure))
            return -1;
    }
}

int client_open_pause(const struct client_opening *opening, unsigned attempt, uint64_t since_ms,
                      struct client_failure *failure)
{
    uint32_t pause = client_failure_backoff(attempt, randombytes_random(), failure->retry_seconds);
    if (!client_failure_transient(failure->fault) ||
        client_wait_now() + pause > since_ms + opening->retry_ms)
        return -1;
    client_status_say(opening->status, "%s; next try in %u s", failure->words,
                      (pause + 999) / 1000);
    struct client_wait wait = client_wait_for(opening->cancel, pause);
    if (client_wait_fd(&wait, -1, 0) == -ECANCELED)
        return client_fail(failure, CLIENT_FAULT_CANCELLED, "interrupted");
    return 0;
}

int client_open(const struct client_opening *opening, struct client_opened *opened,
                struct client_failure *failure)
{
    uint64_t since = client_wait_now();
    for (unsigned count = 1;; count++) {
        if (!attempt(opening, opened, failure))
            return 0;
        if (client_open_pause(opening, count, since, failure))
            return -1;
    }
}

void client_opened_free(struct client_opened *opened)
{
    client_wire_close(&opened->wire);
    free(opened->early);
    opened->early = NULL;
}
