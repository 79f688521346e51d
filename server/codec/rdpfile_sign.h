/* The signed form of an .rdp file, as Windows' rdpsign makes it: a line that names the settings
 * which are signed (signscope), and one with the signature. Microsoft has not published it; it is
 * known from what rdpsign writes and mstsc takes. Pure functions over the file's text (UTF-8,
 * CRLF).
 *
 * What is signed is UTF-16LE: those settings' lines in a fixed order, the signscope line, a NUL.
 * The signature is a detached PKCS #7 in DER, behind 12 bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Adds the alternate address, without which one could be put in, and the signscope line. The new
 * size; 0 when there is nothing to sign or it does not fit into `room`. */
size_t rdpfile_sign_scope(char *text, size_t size, size_t room);

/* What is to be signed, of a text that has its scope: its size; `to` holds
 * RDPFILE_SIGNED_MOST(size), or 0 is returned. */
#define RDPFILE_SIGNED_MOST(size) (2 * (size) + 2)
size_t rdpfile_sign_message(const char *text, size_t size, uint8_t *to);

/* Adds the signature line. The new size, or 0 when it does not fit. */
size_t rdpfile_sign_add(char *text, size_t size, size_t room, const uint8_t *der, size_t der_size);
