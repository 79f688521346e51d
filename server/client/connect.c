#include "connect.h"

#include "client_options.h"
#include "client_run.h"

#include <sysexits.h>

int connect_verb(struct cli *cli, int argc, char **argv)
{
    struct client_options options;
    (void)cli; /* the client has no state folder */
    int code = client_options_parse(&options, CLIENT_CONNECT, argc, argv);
    if (code)
        return code < 0 ? EX_OK : code;
    return client_run(&options);
}
