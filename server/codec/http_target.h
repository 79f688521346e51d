/* The target of a request, RFC 9112 section 3.2. A pure function. */
#pragma once

/* The path in it: of one in absolute form that names `scheme` (in lower case) and, like the Host
 * field, `host`, what stands behind that name, or "/"; of any other form, the target as it is.
 * NULL: an absolute one with another scheme or name, or without `host`, which may be NULL: two
 * answers to whom it is meant for, of which a proxy in front may have taken the other. */
const char *http_target_path(const char *target, const char *scheme, const char *host);
