/* The two connections of a legacy pair (rdg_pair.h) after their requests: one that takes, where the
 * conversation and then the tunnel live, and one that gives. libmicrohttpd lets go of them by a 101
 * that their client does not see; what it expects instead is said here. HTTP thread. */
#pragma once

#include "request.h"

struct conn;

/* RDG_OUT_DATA: takes the request's connection over, or answers it. `identity`: what the client has
 * proved, or NULL. */
enum MHD_Result rdg_channel_out(struct request *request, const uint8_t *identity);
/* RDG_IN_DATA with a body, not a byte of which has been read: likewise. */
enum MHD_Result rdg_channel_in(struct request *request, const uint8_t *identity);
/* The worker's look, once a second: a pair counts as one tunnel once it is one, and a conversation
 * whose client has gone ends. */
void rdg_channel_watch(struct conn *conn);
/* The request ends, and its connection has not been taken over. */
void rdg_channel_forget(struct request *request);
