/* The command line's verbs that look after people, desktops, grants, sessions, tunnels and the
 * audit log. They write straight to the store; the running keeper notices by itself (store_changed)
 * and closes what may no longer live. Each takes its arguments from behind the verb's name (argv[0]
 * is the verb itself) and returns an exit code (sysexits.h). */
#pragma once

struct cli;
struct sub_verb;

/* Their tables, for the browser (browser.c). */
extern const struct sub_verb admin_user;
extern const struct sub_verb admin_desktop;
extern const struct sub_verb admin_group;
extern const struct sub_verb admin_desktop_group;
extern const struct sub_verb admin_grant;
extern const struct sub_verb admin_lockout;
extern const struct sub_verb admin_session;
extern const struct sub_verb admin_tunnel;
extern const struct sub_verb admin_settings;
extern const struct sub_verb admin_address;
extern const struct sub_verb admin_alert;
extern const struct sub_verb admin_explain;
extern const struct sub_verb admin_audit;

int user_verb(struct cli *cli, int argc, char **argv);
int desktop_verb(struct cli *cli, int argc, char **argv);
int group_verb(struct cli *cli, int argc, char **argv);
int desktop_group_verb(struct cli *cli, int argc, char **argv);
int grant_verb(struct cli *cli, int argc, char **argv);
int lockout_verb(struct cli *cli, int argc, char **argv);
int session_verb(struct cli *cli, int argc, char **argv);
int tunnel_verb(struct cli *cli, int argc, char **argv);
int address_verb(struct cli *cli, int argc, char **argv);
int alert_verb(struct cli *cli, int argc, char **argv);
int explain_verb(struct cli *cli, int argc, char **argv);
int settings_verb(struct cli *cli, int argc, char **argv);
int audit_verb(struct cli *cli, int argc, char **argv);
