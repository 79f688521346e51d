#include "http_target.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* RFC 3986 section 3.1 */
#define SCHEME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."

const char *http_target_path(const char *target, const char *scheme, const char *host)
{
    size_t size = strspn(target, SCHEME_CHARACTERS);
    if (size == 0 || strncmp(target + size, "://", 3) != 0)
        return target;
    const char *name = target + size + 3;
    const char *path = name + strcspn(name, "/?#");
    size_t named = (size_t)(path - name);
    if (strlen(scheme) != size || strncasecmp(target, scheme, size) != 0 || named == 0 || !host ||
        strlen(host) != named || strncasecmp(name, host, named) != 0)
        return NULL;
    return *path ? path : "/";
}
