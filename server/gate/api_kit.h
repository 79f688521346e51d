/* What the API's handlers have in common: reading a body, and the answers that several give. */
#pragma once

#include "json_body.h"
#include "request.h"

/* True when the keeper's answer is there and of this type; otherwise the request is answered. */
bool api_kit_told(struct request *request, enum ipc_type type, enum MHD_Result *result);

/* True when the body is exactly these texts; otherwise the request is answered. */
bool api_kit_body(struct request *request, const struct json_field *fields, size_t count,
                  enum MHD_Result *result);

/* Asks the keeper with what the body filled into the record, and wipes the record. */
enum MHD_Result api_kit_ask(struct request *request, const struct json_field *fields, size_t count,
                            struct ipc_head *record, enum ipc_type expected);

/* RFC 3339 in UTC, for people and scripts alike. */
void api_kit_stamp(char to[32], int64_t seconds);

/* 200 with a new session and its cookie; `browser`, when it is neither NULL nor zeros, becomes
 * another one. `codes` is a JSON array of new recovery codes, consumed, or NULL. */
enum MHD_Result api_kit_welcome(struct request *request, const uint8_t token[IPC_TOKEN_SIZE],
                                const uint8_t *browser, int64_t expires, const char *username,
                                json_t *codes);
