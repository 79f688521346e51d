/* Signs .rdp files with the administrator's certificate, so that Windows shows who they are from
 * (codec/rdpfile_sign.h has the form, codec/rdpfile_signer.h what certificate will do).
 * Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rdp_sign;

int rdp_sign_new(struct rdp_sign **out); /* 0 or -ENOMEM; without a certificate yet */

/* The certificate (PEM, its chain behind it) and its key behind two descriptors, which stay the
 * caller's, in place of those before. 0, or a negative errno with words; then the old ones stay. */
int rdp_sign_load(struct rdp_sign *sign, int certificate, int key, char *why, size_t size);

/* Bytes that scope and signature add at most: RDPFILE_SIGNER_MOST in base64, which rdp_sign.c
 * demands to fit. */
#define RDP_SIGN_ROOM 32768

/* Adds scope and signature to the file's text (`room` bytes). `*text_size` is what it has and what
 * it becomes; nothing changes without a certificate. False: it failed, and was logged. */
bool rdp_sign_text(struct rdp_sign *sign, char *text, size_t *text_size, size_t room);
