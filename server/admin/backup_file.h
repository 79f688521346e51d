/* The outside of a backup: a header, the bytes, and what proves that they are whole. In clear, a
 * BLAKE2b of everything before; with a passphrase, XChaCha20-Poly1305 in pieces (libsodium's
 * secretstream) under a key that Argon2id makes of it, so that neither a bit nor the end can be
 * changed.
 *
 *     16    "deskgate-backup\n"
 *     1     version, 1
 *     1     sealed, 0 or 1
 *     2     zero
 *     4     Argon2id's passes, most significant byte first
 *     4     … and its KiB
 *     16    … and its salt
 *     24    header of the stream
 *     …     pieces of 64 KiB
 *     32    digest, only in clear */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Copies all of `from` (at its place) to `to`. `passphrase` NULL: in clear. 0 or a negative errno.
 * libsodium has been initialised (secret_init). */
int backup_file_write(int from, int to, const char *passphrase);

/* Whether a file begins as a backup does, and wants a passphrase. 0; -EINVAL: it is none. */
int backup_file_look(int from, bool *sealed);

/* Copies what is in it. What has been written to `to` is good only when the answer is 0; else a
 * negative errno with words in `why`. `passphrase` NULL: it wants none. */
int backup_file_read(int from, int to, const char *passphrase, char *why, size_t size);
