/* A request's method and path, as a stranger sends them. The first byte chooses the kind of
 * listener and the method. What a route gets as a name has no slash and no control character,
 * however it was written. */
#include "asset.h"
#include "fuzz_kit.h"
#include "route.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "RDG_OUT_DATA", "", "GET, HEAD"};
    static struct request request;
    const char *allow;
    if (size == 0)
        return 0;
    char *path = fuzz_text(data + 1, size - 1);
    memset(&request, 0, sizeof(request));
    const struct route *route =
        route_find(&request, (enum route_table)(data[0] % 3),
                   methods[data[0] / 3 % (sizeof(methods) / sizeof(*methods))], path, &allow);
    if (route)
        check_found(&request, route);
    check_headers(path);
    free(path);
    return 0;
}
