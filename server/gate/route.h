/* The routes: which method and path, what it needs, who answers. The table in route.c is the whole
 * of what a stranger can ask. */
#pragma once

#include "request.h"

enum route_needs {
    ROUTE_OPEN = 0,        /* nothing */
    ROUTE_SESSION = 1,     /* cookie or bearer; its validity is the keeper's to say */
    ROUTE_SAME_ORIGIN = 2, /* with the cookie, Origin must be there and ours */
    ROUTE_OUR_PAGES = 4,   /* no session yet: Origin, when it is there, must be ours */
    ROUTE_JSON = 8,        /* a JSON body */
    ROUTE_FILE = 16,       /* open, too; request->asset is filled in */
    ROUTE_STREAM = 32,     /* a chunked body is the route's own: it begins when the head is there */
    ROUTE_ADMINISTRATOR =
        64, /* an administrator's, with a fresh second factor: as the keeper says */
    ROUTE_ADMIN = ROUTE_SESSION | ROUTE_ADMINISTRATOR, /* looks */
    /* does something in a session's name, as the body says */
    ROUTE_ACT = ROUTE_SESSION | ROUTE_SAME_ORIGIN | ROUTE_JSON,
    ROUTE_ADMIN_ACT = ROUTE_ACT | ROUTE_ADMINISTRATOR
};

/* Each kind of listener serves one table. */
enum route_table { ROUTE_TABLE_PLAIN, ROUTE_TABLE_TLS, ROUTE_TABLE_METRICS };

struct route {
    const char *method; /* or several, ", " between them; "GET" also serves HEAD */
    const char *path;   /* a '*' in it stands for one segment, a name or number */
    unsigned needs;
    enum MHD_Result (*begin)(struct request *request); /* answers, or asks the keeper */
    enum MHD_Result (*told)(struct request *request);  /* answers with request->answer */
};

/* The route, with request->name filled in where the path has a '*'; NULL: no such path. When the
 * path exists for other methods only, NULL and `*allow` names them. */
const struct route *route_find(struct request *request, enum route_table which, const char *method,
                               const char *path, const char **allow);
