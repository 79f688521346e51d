/* A request's method and path, as a stranger sends them. The first byte chooses the kind of
 * listener and the method. What a route gets as a name has no slash and no control character,
 * however it was written. */
#include "asset.h"
#include "fuzz_kit.h"
#include "http_target.h"
#include "route.h"

#include <strings.h>

static void check_found(const struct request *request, const struct route *route)
{
    fuzz_demand(strlen(request->name) < sizeof(request->name));
    if (route->path && strchr(route->path, '*') && !(route->needs & ROUTE_FILE))
        fuzz_demand(request->name[0] != '\0');
    for (const char *c = request->name; *c; c++)
        fuzz_demand((unsigned char)*c >= ' ' && *c != 0x7f && *c != '/');
    fuzz_demand(!(route->needs & ROUTE_FILE) || request->asset);
}

/* Its headers, that the files of web/ are chosen by. */
static void check_headers(const char *text)
{
    struct asset_accept accept = ASSET_ACCEPT_NONE;
    const struct web_asset *page = asset_find("/");
    const char *coding;
    fuzz_demand(page != NULL);
    asset_accept_line(&accept, text);
    fuzz_demand(accept.brotli <= 1000 && accept.gzip <= 1000 && accept.identity <= 1000);
    fuzz_demand(asset_choose(page, &accept, &coding)->data != NULL);
    asset_known(text, "\"0123456789abcdef\"");
}

/* The path of the target: within it, or "/"; an absolute one is taken for this host alone. */
static const char *check_target(const char *target)
{
    const char *path = http_target_path(target, "https", "localhost");
    if (!path)
        return NULL;
    if (path != target) {
        fuzz_demand(strncasecmp(target, "https://localhost", 17) == 0);
        fuzz_demand(strchr("/?#", *path) && *path);
        fuzz_demand(strcmp(path, "/") == 0 || path == target + 17);
    }
    fuzz_demand(!http_target_path(target, "https", NULL) || path == target);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "RDG_OUT_DATA", "", "GET, HEAD"};
    static struct request request;
    const char *allow;
    if (size == 0)
        return 0;
    char *target = fuzz_text(data + 1, size - 1);
    const char *path = check_target(target);
    memset(&request, 0, sizeof(request));
    const struct route *route =
        path ? route_find(&request, (enum route_table)(data[0] % 3),
                          methods[data[0] / 3 % (sizeof(methods) / sizeof(*methods))], path, &allow)
             : NULL;
    if (route)
        check_found(&request, route);
    check_headers(target);
    free(target);
    return 0;
}
