/* ACME's HTTP-01 answers (RFC 8555 section 8.3) from a folder that certbot writes to. */
#pragma once

#include "conf.h"
#include "ipc.h"

/* Fills status, size and body. The token is a stranger's. */
void challenge_answer(const struct conf *conf, const char *token,
                      struct ipc_challenge_body *answer);
