/* Answers: JSON, errors with a stable code, a fixed set of security headers. */
#pragma once

#include "request.h"

#include <jansson.h>

/* All queue a response and return what the handler must return. */

/* Consumes `json`. `cookie` is a Set-Cookie value or NULL. */
enum MHD_Result answer_json(struct request *request, unsigned status, json_t *json,
                            const char *cookie);
/* The same with two cookies; "" is none. */
enum MHD_Result answer_json_cookies(struct request *request, unsigned status, json_t *json,
                                    const char *cookie, const char *other);
/* The same for JSON that is written already: malloc()ed, consumed and wiped. */
enum MHD_Result answer_json_text(struct request *request, unsigned status, char *text);
/* Frees what json_dumps() made; NULL is fine. */
void answer_release(char *text);
/* {"error": code, "message": message, "id": the connection's id}. */
enum MHD_Result answer_error(struct request *request, unsigned status, const char *code,
                             const char *message);
/* 405 with the methods that there are. */
enum MHD_Result answer_method(struct request *request, const char *allow);
/* When memory or descriptors ran out here: some of what takes them has ended by then. */
#define ANSWER_BUSY_SECONDS 5
/* What the keeper's status means to the client; for any but IPC_OK. */
enum MHD_Result answer_status(struct request *request, unsigned status, unsigned retry_seconds);
/* Its sentence alone. */
const char *answer_words(unsigned status);
/* 301 to `location`. */
enum MHD_Result answer_moved(struct request *request, const char *location);
/* Adds the headers that every answer of the API carries; it is not stored anywhere. */
void answer_headers(const struct request *request, struct MHD_Response *response);

enum answer_kind {
    ANSWER_DATA,  /* not a document: nothing may run or load */
    ANSWER_PAGE,  /* the portal */
    ANSWER_VIEWER /* the page that shows a desktop */
};
/* Those headers for an answer of this kind; Cache-Control is the caller's to add. */
void answer_headers_of(const struct request *request, struct MHD_Response *response,
                       enum answer_kind kind);
/* Queues and releases. */
enum MHD_Result answer_queue(struct request *request, unsigned status,
                             struct MHD_Response *response);
