/* What an administrator types about a desktop, judged and brought into the store's form. Each
 * function returns NULL when the text is good, else words that follow "--host 'text': ". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_MAC_SIZE 18

/* SHA-256 in hexadecimal, with colons or spaces anywhere. */
const char *field_fingerprint(const char *typed, uint8_t to[32]);
/* "yes" or "no". */
const char *field_yes(const char *typed, bool *to);

/* A host name (RFC 1123 section 2.1, underscores as Windows has them), an IPv4 or an IPv6 address,
 * the latter with or without brackets. Forms that only inet_aton() reads ("0x7f.1", "127.1") are
 * refused. */
const char *field_host(const char *text, char *to, size_t size);
const char *field_port(const char *text, uint16_t *port);
/* Six bytes in hexadecimal, parted by ':' or '-', or not at all; a single address only. "" clears.
 */
const char *field_mac(const char *text, char to[FIELD_MAC_SIZE]);
/* UTF-8 without control characters. */
const char *field_description(const char *text, char *to, size_t size);

/* The service that a port is better known for, or NULL: words such as "the port of SSH". */
const char *field_port_note(uint16_t port);
