/* .rdp files: what RDP clients read of a connection, a line "name:s:text" or "name:i:number" each.
 * Names and meanings: Microsoft's "Supported RDP properties". Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes into the caller's buffer; what does not fit makes the whole fail at the end. */
struct rdpfile {
    char *to;
    size_t room, size;
    bool full;
};

void rdpfile_begin(struct rdpfile *file, char *to, size_t room);
/* Control characters and Unicode's separators are left out of values: a line break would begin a
 * setting of its own. */
void rdpfile_text(struct rdpfile *file, const char *name, const char *value);
void rdpfile_number(struct rdpfile *file, const char *name, uint32_t value);
/* The file's size in bytes (UTF-8, CRLF, no NUL), or 0 when it did not fit. */
size_t rdpfile_end(const struct rdpfile *file);

/* How to reach one desktop through the gateway. */
struct rdpfile_way {
    const char *desktop;  /* its name at the gateway: clients show it, and ask for it */
    const char *gateway;  /* host name, an IPv6 address in brackets */
    uint16_t port;        /* of the gateway */
    const char *ticket;   /* gateway access token */
    const char *username; /* for the desktop, or NULL */
    unsigned forbidden;   /* TSGU_FORBID_*: what is not to be redirected */
    const char *settings; /* the desktop's own lines, each ended by a line feed and good by
                             rdpfile_setting_ok(); or NULL */
};
#define RDPFILE_MOST 4096 /* bytes: room for any of these */
/* The file's size, like rdpfile_end(). */
size_t rdpfile_write(const struct rdpfile_way *way, char to[RDPFILE_MOST]);

/* One line of a desktop's own: a setting that does no harm, as "name:i:number" or "name:s:text".
 * What the gateway writes itself, what --forbid decides, and what touches credentials or trust is
 * none. False with words for an administrator in `why`. */
bool rdpfile_setting_ok(const char *line, char *why, size_t size);

/* The bytes of a file: UTF-8 as it is while it is ASCII, which every client reads; else UTF-16LE
 * with its mark, which Windows writes. `to` holds RDPFILE_ENCODED_MOST(size). Returns their number.
 */
#define RDPFILE_ENCODED_MOST(size) (2 * (size) + 2)
size_t rdpfile_encode(const char *text, size_t size, uint8_t *to);
