#include "route.h"

#include "api.h"
#include "asset.h"
#include "page.h"
#include "text.h"

#include <string.h>

static const struct route routes[] = {
    {"GET", "/", ROUTE_FILE, page_asset, NULL}, /* and each file of web/, under its path there */
    {"GET", "/desktop/*", ROUTE_OPEN, page_desktop, NULL},
    {"GET", "/admin", ROUTE_OPEN, page_admin, NULL},
    {"GET", "/healthz", ROUTE_OPEN, api_health, NULL},

    {"POST", "/api/setup", ROUTE_OUR_PAGES | ROUTE_JSON, api_setup, api_enrol_offer},
    {"POST", "/api/setup/finish", ROUTE_OUR_PAGES | ROUTE_JSON, api_setup_finish, api_enrolled},
    {"POST", "/api/login", ROUTE_OUR_PAGES | ROUTE_JSON, api_login, api_login_told},
    {"POST", "/api/logout", ROUTE_SESSION | ROUTE_SAME_ORIGIN, api_logout, api_signed_out},
    {"GET", "/api/session", ROUTE_SESSION, api_session, api_session_told},
    {"GET", "/api/sessions", ROUTE_SESSION, api_sessions, api_sessions_told},
    {"POST", "/api/sessions/end", ROUTE_ACT, api_sessions_end, api_signed_out},
    {"POST", "/api/password", ROUTE_ACT, api_password, api_enrolled},
    {"POST", "/api/totp", ROUTE_ACT, api_totp, api_enrol_offer},
    {"POST", "/api/totp/confirm", ROUTE_ACT, api_totp_confirm, api_enrolled},
    {"POST", "/api/factor", ROUTE_ACT, api_factor, api_factor_shown},

    {"GET", "/api/desktops", ROUTE_SESSION, api_desktops, api_desktops_told},
    {"GET", "/api/desktops/*/state", ROUTE_SESSION, api_state, api_state_told},
    {"GET", "/api/desktops/*/rdp", ROUTE_SESSION, api_rdp, api_rdp_told},
    {"POST", "/api/desktops/*/ticket", ROUTE_ACT, api_ticket, api_ticket_told},
    {"POST", "/api/desktops/*/password", ROUTE_ACT, api_gate_password, api_gate_password_told},
    {"GET", "/api/visits/*", ROUTE_SESSION, api_visit, api_visit_told},
    {"GET", "/tunnel/*", ROUTE_SESSION | ROUTE_SAME_ORIGIN, api_tunnel, api_tunnel_told},
    {"GET", "/rdcleanpath", ROUTE_SESSION | ROUTE_SAME_ORIGIN, api_cleanpath, api_cleanpath_told},
    {"RDG_OUT_DATA, RDG_IN_DATA", "/remoteDesktopGateway/", ROUTE_STREAM, api_rdg, api_rdg},

    /* What each does is in admin/browser.c. */
    {"GET", "/api/admin/user/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/user/invite", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/user/enable", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/user/disable", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/user/must-change", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/user/remove", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/user/role", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/user/limit", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/user/limit", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/group/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/group/members", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/group/add", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/group/remove", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/group/join", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/group/leave", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/desktop-group/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/desktop-group/members", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop-group/add", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop-group/remove", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop-group/join", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop-group/leave", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/desktop/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/desktop/show", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop/add", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop/set", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop/remove", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/desktop/limit", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop/limit", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/desktop/trust", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/desktop/trust", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/grant/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/grant/add", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/grant/remove", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/grant/limit", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/grant/limit", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/address/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/address/allow", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/address/deny", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/address/remove", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/explain", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/lockout/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/lockout/clear", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/session/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/session/end", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/tunnel/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"POST", "/api/admin/tunnel/end", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"POST", "/api/admin/tunnel/tell", ROUTE_ADMIN_ACT, api_admin, api_admin_told},
    {"GET", "/api/admin/audit/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/audit/verify", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/alert/list", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/alert/rules", ROUTE_ADMIN, api_admin, api_admin_told},
    {"GET", "/api/admin/settings", ROUTE_ADMIN, api_admin, api_admin_told},
#ifdef DESKGATE_PROBE /* a test build only: asks this process to break out of its cage */
    {"GET", "/probe", ROUTE_OPEN, page_probe, NULL},
#endif
};

static const struct route plain_routes[] = {
    {"GET", "/.well-known/acme-challenge/*", ROUTE_OPEN, api_challenge, api_challenge_told},
    {"GET", NULL, ROUTE_OPEN, page_redirect, NULL}, /* everything else */
};

static const struct route metrics_routes[] = {
    {"GET", "/metrics", ROUTE_OPEN, api_metrics, api_metrics_told},
};

#define TABLE(routes)                                                                              \
    {                                                                                              \
        routes, sizeof(routes) / sizeof(*(routes))                                                 \
    }
static const struct {
    const struct route *routes;
    size_t count;
} tables[] = {
    [ROUTE_TABLE_PLAIN] = TABLE(plain_routes),
    [ROUTE_TABLE_TLS] = TABLE(routes),
    [ROUTE_TABLE_METRICS] = TABLE(metrics_routes),
};

/* Percent-decodes one segment of a path (RFC 3986 section 2.1); false when it does not fit, is
 * empty or malformed, or holds a slash or a control character. What names may hold, each route
 * checks. */
static bool decode_segment(char *to, size_t size, const char *from, size_t length)
{
    size_t made = 0;
    for (size_t i = 0; i < length; i++) {
        int value = (unsigned char)from[i];
        if (from[i] == '%') {
            int high = length - i > 2 ? text_hex_digit(from[i + 1]) : -1;
            int low = high < 0 ? -1 : text_hex_digit(from[i + 2]);
            if (low < 0)
                return false;
            value = high << 4 | low;
            i += 2;
        }
        if (value < 0x20 || value == 0x7f || value == '/' || made + 1 >= size)
            return false;
        to[made++] = (char)value;
    }
    to[made] = '\0';
    return made > 0;
}

static bool path_matches(struct request *request, const struct route *route, const char *path)
{
    if (route->needs & ROUTE_FILE) {
        request->asset = asset_find(path);
        return request->asset != NULL;
    }
    const char *star = route->path ? strchr(route->path, '*') : NULL;
    if (!star)
        return !route->path || strcmp(path, route->path) == 0;
    size_t before = (size_t)(star - route->path);
    if (strncmp(path, route->path, before) != 0)
        return false;
    size_t length = strcspn(path + before, "/");
    return strcmp(path + before + length, star + 1) == 0 &&
           decode_segment(request->name, sizeof(request->name), path + before, length);
}

/* `wanted` may be several, as in an Allow header. */
static bool method_matches(const char *wanted, const char *method)
{
    size_t length = strlen(method);
    if (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0)
        return true;
    while (strncmp(wanted, method, length) != 0 || (wanted[length] && wanted[length] != ',')) {
        wanted = strstr(wanted, ", ");
        if (!wanted)
            return false;
        wanted += 2;
    }
    return length > 0;
}

const struct route *route_find(struct request *request, enum route_table which, const char *method,
                               const char *path, const char **allow)
{
    const struct route *table = tables[which].routes;
    size_t count = tables[which].count;
    *allow = NULL;
    for (size_t i = 0; i < count; i++) {
        bool everything = !table[i].path;
        if ((everything && *allow) || !path_matches(request, &table[i], path))
            continue;
        if (method_matches(table[i].method, method))
            return &table[i];
        *allow = strcmp(table[i].method, "GET") == 0 ? "GET, HEAD" : table[i].method;
    }
    return NULL;
}
