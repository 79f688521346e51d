#include "client_http.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_MAX 8192

struct client_answer *client_answer_new(void)
{
    struct client_answer *answer = sodium_malloc(sizeof(*answer));
    if (answer)
        memset(answer, 0, sizeof(*answer));
    return answer;
}

void client_answer_free(struct client_answer *answer)
{
    sodium_free(answer);
}

/* The request as one text in guarded memory; NULL when it does not fit. */
static char *compose(const struct client_gateway *gateway, const struct client_request *request)
{
    char *text = sodium_malloc(REQUEST_MAX);
    char about_body[96] = "";
    if (!text)
        return NULL;
    if (request->body)
        snprintf(about_body, sizeof(about_body),
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 strlen(request->body));
    int size = snprintf(text, REQUEST_MAX,
                        "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: deskgate/%s\r\n%s%s%s%s%s\r\n%s",
                        request->method, request->path, gateway->url.authority, DESKGATE_VERSION,
                        request->token ? "Authorization: Bearer " : "",
                        request->token ? request->token : "", request->token ? "\r\n" : "",
                        request->fields ? request->fields : "", about_body,
                        request->body ? request->body : "");
    if (size > 0 && size < REQUEST_MAX)
        return text;
    sodium_free(text);
    return NULL;
}

static int fail_answer(struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_ANSWER,
                       "what answers there does not speak like a deskgate; is the address right?");
}

/* One more piece of the answer. 1 got some, 0 the connection's end, -1. */
static int receive_more(struct client_wire *wire, struct client_answer *answer,
                        const struct client_wait *wait, struct client_failure *failure)
{
    size_t room = sizeof(answer->bytes) - 1 - answer->size;
    if (!room)
        return fail_answer(failure);
    ssize_t got = client_wire_receive(wire, answer->bytes + answer->size, room, wait, failure);
    if (got > 0)
        answer->size += (size_t)got;
    return got > 0 ? 1 : (int)got;
}

static int fail_short(struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_NETWORK,
                       "the gateway closed the connection before it had answered");
}

/* The final head (interim ones, 1xx but 101, are passed over). Where it ends, or -1. */
static ssize_t receive_head(struct client_wire *wire, struct client_answer *answer,
                            const struct client_wait *wait, struct client_failure *failure)
{
    size_t at = 0;
    for (;;) {
        ssize_t used = httpresp_parse(answer->bytes + at, answer->size - at, &answer->head);
        if (used == HTTPRESP_BAD)
            return fail_answer(failure);
        if (used > 0) {
            at += (size_t)used;
            if (answer->head.status >= 200 || answer->head.status == 101)
                return (ssize_t)at;
            continue;
        }
        int got = receive_more(wire, answer, wait, failure);
        if (got <= 0)
            return got ? -1 : fail_short(failure);
    }
}

/* 1 the body is whole, 0 more is due, -1 it never will be. */
static int body_state(struct client_answer *answer, size_t at, bool ended)
{
    size_t have = answer->size - at;
    size_t content = have;
    ssize_t used;
    switch (answer->head.body) {
    case HTTPRESP_BODY_NONE:
        answer->body_size = 0;
        return 1;
    case HTTPRESP_BODY_LENGTH:
        if (answer->head.length > CLIENT_HTTP_BODY_MAX)
            return -1;
        answer->body_size = (size_t)answer->head.length;
        return have >= answer->body_size;
    case HTTPRESP_BODY_CHUNKED:
        used = httpresp_chunks(answer->bytes + at, have, &content);
        answer->body_size = content;
        return used > 0 ? 1 : (int)used;
    case HTTPRESP_BODY_END:
        answer->body_size = have;
        return ended;
    }
    return -1;
}

static int receive_body(struct client_wire *wire, struct client_answer *answer, size_t at,
                        const struct client_wait *wait, struct client_failure *failure)
{
    for (bool ended = false;;) {
        int state = body_state(answer, at, ended);
        if (state < 0)
            return fail_answer(failure);
        if (state > 0)
            break;
        if (ended)
            return fail_short(failure);
        int got = receive_more(wire, answer, wait, failure);
        if (got < 0)
            return -1;
        ended = got == 0;
    }
    answer->body = (char *)answer->bytes + at;
    answer->body[answer->body_size] = '\0';
    return 0;
}

static int receive(struct client_wire *wire, struct client_answer *answer,
                   const struct client_wait *wait, struct client_failure *failure)
{
    answer->size = 0;
    ssize_t at = receive_head(wire, answer, wait, failure);
    if (at < 0)
        return -1;
    answer->early = answer->bytes + at;
    answer->early_size = answer->head.status == 101 ? answer->size - (size_t)at : 0;
    return answer->head.status == 101 ? 0 : receive_body(wire, answer, (size_t)at, wait, failure);
}

int client_http_exchange(struct client_wire *wire, const struct client_gateway *gateway,
                         const struct client_request *request, struct client_answer *answer,
                         const struct client_wait *wait, struct client_failure *failure)
{
    char *text = compose(gateway, request);
    if (!text)
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "the request could not be made");
    failure->sent = true;
    int error = client_wire_send(wire, text, strlen(text), wait, failure);
    sodium_free(text);
    return error ? error : receive(wire, answer, wait, failure);
}

int client_http_ask(const struct client_gateway *gateway, const struct client_request *request,
                    struct client_answer *answer, int cancel, uint32_t ms,
                    struct client_failure *failure)
{
    struct client_wait wait = client_wait_for(cancel, ms);
    struct client_wire wire;
    failure->sent = false;
    if (client_wire_open(&wire, gateway, &wait, failure))
        return -1;
    int error = client_http_exchange(&wire, gateway, request, answer, &wait, failure);
    client_wire_close(&wire);
    return error;
}
