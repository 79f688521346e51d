#include "client_session.h"

#include "client_wait.h"
#include "text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A hash queued behind others takes its time: the gateway's own deadline is 10 s. */
#define SIGN_IN_MS 30000
#define ASK_MS 15000
#define ATTEMPTS 3

/* The gateway takes as much (ipc.h): longer is refused there. */
struct client_secrets {
    char user[129], password[1025], code[17];
    char token[CLIENT_JSON_TOKEN_SIZE];
    char body[8192]; /* the request with all of them, escaped */
};

int client_session_init(struct client_session *session, const struct client_gateway *gateway,
                        const struct client_ask *ask, const char *user,
                        struct client_failure *failure)
{
    *session = (struct client_session){.gateway = gateway, .ask = *ask};
    pthread_mutex_init(&session->lock, NULL);
    session->secrets = sodium_malloc(sizeof(*session->secrets));
    if (!session->secrets)
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "no memory that can be locked is left");
    memset(session->secrets, 0, sizeof(*session->secrets));
    session->user_given = user != NULL;
    if (user && !text_copy(session->secrets->user, sizeof(session->secrets->user), user))
        return client_fail(failure, CLIENT_FAULT_INPUT, "the user name is too long");
    return 0;
}

void client_session_deinit(struct client_session *session)
{
    if (!session->gateway)
        return;
    sodium_free(session->secrets); /* wipes */
    pthread_mutex_destroy(&session->lock);
    *session = (struct client_session){0};
}

/* ---- asking ---- */

/* Who typed none, with an input method left on, may be in the midst of work: asked again. */
static int ask_code(struct client_session *session, const char *why, struct client_failure *failure)
{
    static const char none[] = "a code has digits or letters, and there were none";
    struct client_secrets *secrets = session->secrets;
    char prompt[96], typed[128];
    snprintf(prompt, sizeof(prompt), "%sCode from your authenticator: ", why);
    for (unsigned attempt = 1;; attempt++) {
        if (client_ask(&session->ask, prompt, false, typed, sizeof(typed), failure))
            return -1;
        bool good = client_ask_code(secrets->code, sizeof(secrets->code), typed);
        explicit_bzero(typed, sizeof(typed));
        if (good)
            return 0;
        if (session->ask.fd >= 0 || attempt == ATTEMPTS)
            return client_fail(failure, CLIENT_FAULT_INPUT, "%s", none);
        client_status_say(session->ask.status, "%s", none);
    }
}

static int ask_all(struct client_session *session, struct client_failure *failure)
{
    struct client_secrets *secrets = session->secrets;
    char prompt[256];
    if (!session->user_given && client_ask(&session->ask, "User name: ", false, secrets->user,
                                           sizeof(secrets->user), failure))
        return -1;
    snprintf(prompt, sizeof(prompt), "Password of %.100s: ", secrets->user);
    client_failure_plain(prompt);
    if (client_ask(&session->ask, prompt, true, secrets->password, sizeof(secrets->password),
                   failure))
        return -1;
    return ask_code(session, "", failure);
}

/* ---- signing in ---- */

static int take_answer(struct client_session *session, const struct client_answer *answer,
                       struct client_failure *failure)
{
    if (answer->head.status != 200) {
        client_json_refusal(answer, failure);
        if (failure->fault == CLIENT_FAULT_SESSION)
            failure->fault = CLIENT_FAULT_DENIED; /* a 401 here is about the sign-in itself */
        return -1;
    }
    if (!client_json_token(answer, session->secrets->token, &session->expires))
        return client_fail(failure, CLIENT_FAULT_ANSWER, "the gateway's sign-in is not understood");
    session->generation++;
    session->factors++;
    return 0;
}

static int sign_in(struct client_session *session, struct client_failure *failure)
{
    struct client_secrets *secrets = session->secrets;
    struct client_answer *answer = client_answer_new();
    struct client_request request = {.method = "POST", .path = "/api/login", .body = secrets->body};
    if (!answer || !client_json_login(secrets->body, sizeof(secrets->body), secrets->user,
                                      secrets->password, secrets->code)) {
        client_answer_free(answer);
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "the sign-in could not be prepared");
    }
    *failure = (struct client_failure){0}; /* of an earlier try */
    int error = client_http_ask(session->gateway, &request, answer, session->ask.cancel, SIGN_IN_MS,
                                failure);
    if (!error)
        error = take_answer(session, answer, failure);
    client_answer_free(answer);
    explicit_bzero(secrets->body, sizeof(secrets->body));
    if (!error || failure->sent)
        explicit_bzero(secrets->code, sizeof(secrets->code));
    return error;
}

/* Signs in; while the fault is a passing one, or a mistyped code, tries again. A code that may have
 * reached the gateway is never sent twice: it works once. */
static int sign_in_patiently(struct client_session *session, bool renewal,
                             struct client_failure *failure)
{
    for (unsigned attempt = 1;; attempt++) {
        if (!sign_in(session, failure))
            return 0;
        bool denied = failure->fault == CLIENT_FAULT_DENIED;
        bool lost = client_failure_transient(failure->fault) && failure->sent;
        if (attempt == ATTEMPTS || session->ask.fd >= 0 || !(denied || lost))
            return -1;
        client_status_say(session->ask.status, "%s", failure->words);
        int error = denied && !renewal
                        ? ask_all(session, failure)
                        : ask_code(session, lost ? "Wait for a new code. " : "", failure);
        if (error)
            return -1;
    }
}

/* Before a person is asked for anything: is the gateway there, and is it the right one? */
static int look(struct client_session *session, struct client_failure *failure)
{
    struct client_wait wait = client_wait_for(session->ask.cancel, ASK_MS);
    struct client_wire wire;
    if (client_wire_open(&wire, session->gateway, &wait, failure))
        return -1;
    client_wire_close(&wire);
    return 0;
}

int client_session_begin(struct client_session *session, struct client_failure *failure)
{
    int error = session->ask.fd < 0 ? look(session, failure) : 0;
    pthread_mutex_lock(&session->lock);
    if (!error && !session->secrets->code[0])
        error = ask_all(session, failure);
    if (!error)
        error = sign_in_patiently(session, false, failure);
    pthread_mutex_unlock(&session->lock);
    return error;
}

int client_session_renew(struct client_session *session, unsigned generation,
                         struct client_failure *failure)
{
    int error = 0;
    pthread_mutex_lock(&session->lock);
    if (generation == session->generation) {
        client_status_say(session->ask.status, "the session is over; sign in again");
        error = ask_code(session, "", failure);
        if (!error)
            error = sign_in_patiently(session, true, failure);
    }
    pthread_mutex_unlock(&session->lock);
    return error;
}

unsigned client_session_token(struct client_session *session, char to[CLIENT_JSON_TOKEN_SIZE])
{
    pthread_mutex_lock(&session->lock);
    memcpy(to, session->secrets->token, CLIENT_JSON_TOKEN_SIZE);
    unsigned generation = session->generation;
    pthread_mutex_unlock(&session->lock);
    return generation;
}

/* ---- the second factor again ---- */

unsigned client_session_factors(struct client_session *session)
{
    pthread_mutex_lock(&session->lock);
    unsigned factors = session->factors;
    pthread_mutex_unlock(&session->lock);
    return factors;
}

static int show_factor(struct client_session *session, struct client_failure *failure)
{
    struct client_secrets *secrets = session->secrets;
    struct client_answer *answer = client_answer_new();
    struct client_request request = {
        .method = "POST", .path = "/api/factor", .token = secrets->token, .body = secrets->body};
    if (!answer || !client_json_code(secrets->body, sizeof(secrets->body), secrets->code)) {
        client_answer_free(answer);
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "the code could not be prepared");
    }
    *failure = (struct client_failure){0};
    int error =
        client_http_ask(session->gateway, &request, answer, session->ask.cancel, ASK_MS, failure);
    if (!error && answer->head.status != 200)
        error = client_json_refusal(answer, failure);
    client_answer_free(answer);
    explicit_bzero(secrets->body, sizeof(secrets->body));
    explicit_bzero(secrets->code, sizeof(secrets->code));
    session->factors += error == 0;
    return error;
}

int client_session_show_factor(struct client_session *session, unsigned factors,
                               struct client_failure *failure)
{
    int error = 0;
    pthread_mutex_lock(&session->lock);
    if (factors == session->factors)
        client_status_say(session->ask.status, "this desktop wants a new code");
    for (unsigned attempt = 1; factors == session->factors; attempt++) {
        error = ask_code(session, "", failure);
        if (!error)
            error = show_factor(session, failure);
        bool again = error && failure->fault == CLIENT_FAULT_DENIED;
        if (!again || attempt == ATTEMPTS || session->ask.fd >= 0)
            break;
        client_status_say(session->ask.status, "%s", failure->words);
    }
    pthread_mutex_unlock(&session->lock);
    return error;
}

/* ---- using it ---- */

static int ask_gateway(struct client_session *session, const char *method, const char *path,
                       struct client_answer *answer, int cancel, uint32_t ms,
                       struct client_failure *failure)
{
    char token[CLIENT_JSON_TOKEN_SIZE];
    client_session_token(session, token);
    struct client_request request = {.method = method, .path = path, .token = token};
    int error = client_http_ask(session->gateway, &request, answer, cancel, ms, failure);
    explicit_bzero(token, sizeof(token));
    return error;
}

/* The list is refused: that a new password is due holds for the tunnel, too. All else the tunnel
 * itself will tell. */
static int judge_refusal(const struct client_answer *answer, struct client_failure *failure)
{
    client_json_refusal(answer, failure);
    if (failure->fault == CLIENT_FAULT_DENIED)
        return -1;
    *failure = (struct client_failure){0};
    return 0;
}

int client_session_check(struct client_session *session, const char *desktop,
                         struct client_failure *failure)
{
    char others[512];
    struct client_answer *answer = client_answer_new();
    int error = answer ? ask_gateway(session, "GET", "/api/desktops", answer, session->ask.cancel,
                                     ASK_MS, failure)
                       : client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    if (!error && answer->head.status != 200)
        error = judge_refusal(answer, failure);
    else if (!error && !client_json_has_desktop(answer, desktop, others, sizeof(others)))
        error = client_fail(failure, CLIENT_FAULT_DESKTOP,
                            "there is no desktop \"%s\" for you%s%s; if the name is right, ask "
                            "your administrator for access",
                            desktop, others[0] ? "; you may use: " : "", others);
    client_answer_free(answer);
    return error;
}

static int ask_rdp_file(struct client_session *session, const char *desktop,
                        struct client_answer *answer, struct client_failure *failure)
{
    char path[TEXT_NAME_SIZE + 32];
    snprintf(path, sizeof(path), "/api/desktops/%s/rdp", desktop); /* a name needs no escapes */
    if (ask_gateway(session, "GET", path, answer, session->ask.cancel, ASK_MS, failure))
        return -1;
    if (answer->head.status != 200)
        return client_json_refusal(answer, failure);
    if (!answer->body_size)
        return client_fail(failure, CLIENT_FAULT_ANSWER, "the gateway's file is empty");
    return 0;
}

int client_session_rdp_file(struct client_session *session, const char *desktop,
                            struct client_answer *answer, struct client_failure *failure)
{
    unsigned factors = client_session_factors(session);
    int error = ask_rdp_file(session, desktop, answer, failure);
    if (!error || failure->fault != CLIENT_FAULT_FACTOR)
        return error;
    if (client_session_show_factor(session, factors, failure))
        return -1;
    *failure = (struct client_failure){0};
    return ask_rdp_file(session, desktop, answer, failure);
}

void client_session_end(struct client_session *session, uint32_t ms)
{
    struct client_failure failure = {0};
    struct client_answer *answer;
    int never = eventfd(0, EFD_CLOEXEC);
    if (never >= 0 && session->generation && (answer = client_answer_new())) {
        ask_gateway(session, "POST", "/api/logout", answer, never, ms, &failure);
        client_answer_free(answer);
        sodium_memzero(session->secrets->token, sizeof(session->secrets->token));
    }
    if (never >= 0)
        close(never);
}
