#include "connect.h"

#include "client_options.h"
#include "client_program.h"
#include "client_run.h"

#include <stdlib.h>
#include <sysexits.h>

int connect_verb(struct cli *cli, int argc, char **argv)
{
    struct client_options options;
    char *made;
    (void)cli; /* the client has no state folder */
    int code = client_options_parse(&options, CLIENT_CONNECT, argc, argv);
    if (code)
        return code < 0 ? EX_OK : code;
    code = client_program_find(&options, &made);
    if (!code)
        code = client_run(&options);
    free(made);
    return code;
}
