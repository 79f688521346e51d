/* deskgate: the table of contents. */
#include "admin.h"
#include "alert_post.h"
#include "backup.h"
#include "checkup.h"
#include "connect.h"
#include "init.h"
#include "rdp_file.h"
#include "restore.h"
#include "serve.h"
#include "syslog_forward.h"
#include "upgrade_verb.h"
#include "verbs.h"

static const struct verb verbs[] = {
    {"init", "make a state folder: configuration, database, keys, certificate", init_verb},
    {"serve", "run the gateway", serve_verb},
    {"upgrade", "let the program that is installed now take over, dropping nobody", upgrade_verb},
    {"backup", "write database, keys, configuration and certificates to a file", backup_verb},
    {"restore", "make a state folder of such a file", restore_verb},
    {"check", "say what is wrong with the gateway and how to mend it", checkup_verb},
    {"user", "people: add, list, passwords, second factors, disable, remove", user_verb},
    {"group", "groups of people", group_verb},
    {"desktop", "the desktops behind the gateway", desktop_verb},
    {"desktop-group", "groups of desktops", desktop_group_verb},
    {"grant", "who may reach which desktop", grant_verb},
    {"address", "from where people may come", address_verb},
    {"explain", "why somebody may or may not reach a desktop", explain_verb},
    {"lockout", "who has to wait before signing in", lockout_verb},
    {"session", "who is signed in; end a session", session_verb},
    {"tunnel", "who is connected; end a tunnel", tunnel_verb},
    {"audit", "what has happened", audit_verb},
    {"alert", "what was worth your attention; try the rules out", alert_verb},
    {"settings", "the configuration, with where each value comes from", settings_verb},
    {"connect", "the client: reach a desktop through a gateway", connect_verb},
    {"rdp-file", "the client: fetch an .rdp file from a gateway", rdp_file_verb},
    {"gate", NULL, serve_gate_child},
    {"keeper", NULL, serve_keeper_child},
    {"serve-heir", NULL, serve_heir_child},
    {"alert-post", NULL, alert_post_verb},
    {"syslog-forward", NULL, syslog_forward_verb},
};

int main(int argc, char **argv)
{
    return verbs_run(
        &(struct verbs){
            .about = "An RDP gateway: password and one-time code at port 443, then a desktop.",
            .state = true,
            .table = verbs,
            .count = sizeof(verbs) / sizeof(verbs[0]),
        },
        argc, argv);
}
