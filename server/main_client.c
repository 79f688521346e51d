/* deskgate without its server: the tunnel client for machines that only reach desktops. */
#include "connect.h"
#include "rdp_file.h"
#include "verbs.h"

static const struct verb verbs[] = {
    {"connect", "reach a desktop through a gateway", connect_verb},
    {"rdp-file", "fetch an .rdp file from a gateway", rdp_file_verb},
};

int main(int argc, char **argv)
{
    return verbs_run(
        &(struct verbs){
            .about = "The client of the RDP gateway deskgate: the way to your desktop.",
            .table = verbs,
            .count = sizeof(verbs) / sizeof(verbs[0]),
        },
        argc, argv);
}
