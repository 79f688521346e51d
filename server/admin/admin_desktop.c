/* deskgate desktop: the machines that people reach through the gateway. */
#include "act.h"
#include "admin.h"
#include "admin_desktop_view.h"
#include "admin_limit.h"
#include "admin_trust.h"
#include "field.h"
#include "rdp_field.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define ADMIN_DESKTOP_PORT 3389 /* MS-RDPBCGR section 2.1 */

static int admin_desktop_bad(struct act *act, const char *option, const char *typed,
                             const char *why)
{
    return act_error(act, EX_DATAERR, "--%s '%s': it %s", option, typed, why);
}

/* Things that are allowed but probably not meant. */
static void admin_desktop_warn(struct act *act, const struct store_desktop *desktop)
{
    const char *note = field_port_note(desktop->port);
    const struct conf *conf = &act->conf;
    struct addr address;

    if (note != NULL)
        act_error(act, EX_OK, "warning: port %u is %s; RDP listens on %u unless somebody moved it",
                  desktop->port, note, ADMIN_DESKTOP_PORT);
    if (addr_parse(&address, desktop->host) &&
        (!addr_in_any(&address, conf->dial_allow, conf->dial_allow_count) ||
         addr_in_any(&address, conf->dial_deny, conf->dial_deny_count)))
        act_error(act, EX_OK,
                  "warning: the configuration forbids connecting to %s; see allow and deny in the "
                  "section [dial] of " CONF_FILE,
                  desktop->host);
}

static int admin_desktop_settings(struct act *act, const struct sub_args *args,
                                  struct store_desktop *desktop)
{
    char why[256] = "";

    for (size_t i = 0; i < args->many_count; i++) {
        if (!rdp_field_setting(args->many[i], desktop->rdp_settings, why, sizeof(why)))
            return act_error(act, EX_DATAERR, "--rdp-setting '%s': %s", args->many[i], why);
    }
    return EX_OK;
}

/* Overwrites the fields that were given. */
static int admin_desktop_fields(struct act *act, const struct sub_args *args,
                                struct store_desktop *desktop)
{
    const char *host = sub_value(args, "host"), *port = sub_value(args, "port");
    const char *mac = sub_value(args, "mac"), *description = sub_value(args, "description");
    const char *same = sub_value(args, "same-credentials"), *forbid = sub_value(args, "forbid");
    const char *why = NULL;

    if (same && (why = field_yes(same, &desktop->same_credentials)) != NULL)
        return admin_desktop_bad(act, "same-credentials", same, why);
    if (forbid && (why = rdp_field_forbid(forbid, &desktop->forbidden)) != NULL)
        return admin_desktop_bad(act, "forbid", forbid, why);
    if (host && (why = field_host(host, desktop->host, sizeof(desktop->host))) != NULL)
        return admin_desktop_bad(act, "host", host, why);
    if (port && (why = field_port(port, &desktop->port)) != NULL)
        return admin_desktop_bad(act, "port", port, why);
    if (mac && (why = field_mac(mac, desktop->mac)) != NULL)
        return admin_desktop_bad(act, "mac", mac, why);
    if (description && (why = field_description(description, desktop->description,
                                                sizeof(desktop->description))) != NULL)
        return admin_desktop_bad(act, "description", description, why);
    return admin_desktop_settings(act, args, desktop);
}

static int admin_desktop_taken(struct act *act, const char *name)
{
    return act_error(act, EX_DATAERR,
                     "there is already a desktop '%s'; change it with 'deskgate desktop "
                     "set', or take another name",
                     name);
}

/* Lines as one word of the audit log. */
static const char *admin_desktop_word(char *lines)
{
    for (char *at = lines; *at != '\0'; at++) {
        if (*at == '\n')
            *at = at[1] == '\0' ? '\0' : ',';
    }
    return *lines == '\0' ? "none" : lines;
}

/* What holds now. */
static int admin_desktop_audit(struct act *act, const char *event,
                               const struct store_desktop *desktop)
{
    char forbidden[RDP_FIELD_FORBID_SIZE], settings[STORE_SETTINGS_SIZE];

    rdp_field_forbid_lines(desktop->forbidden, forbidden);
    text_copy(settings, sizeof(settings), desktop->rdp_settings);
    return act_audit(act, event, NULL, desktop->name, "%s port %u forbid=%s rdp-settings=%s",
                     desktop->host, desktop->port, admin_desktop_word(forbidden),
                     admin_desktop_word(settings));
}

static int admin_desktop_insert(struct act *act, void *owner)
{
    struct store_desktop *desktop = owner;
    enum store_result result = store_desktop_add(act->store, desktop, &desktop->id);

    if (result == STORE_EXISTS)
        return admin_desktop_taken(act, desktop->name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_desktop_audit(act, "desktop-add", desktop);
}

static int admin_desktop_add(struct act *act, const struct sub_args *args)
{
    struct store_desktop desktop = {.port = ADMIN_DESKTOP_PORT, .trust = "first-use"};
    int code = act_new_name(act, "desktop", args->words[0]);

    if (code != EX_OK)
        return code;
    if (sub_value(args, "host") == NULL)
        return act_error(act, EX_USAGE, "where is it? Give --host with a name or an address");
    text_copy(desktop.name, sizeof(desktop.name), args->words[0]);
    code = admin_desktop_fields(act, args, &desktop);
    if (code == EX_OK)
        code = act_change(act, admin_desktop_insert, &desktop);
    if (code != EX_OK)
        return code;
    admin_desktop_warn(act, &desktop);
    return admin_desktop_view_done(act, &desktop, "added", args);
}

struct admin_desktop_change {
    const struct sub_args *args;
    struct store_desktop desktop;
};

static int admin_desktop_update(struct act *act, void *owner)
{
    struct admin_desktop_change *change = owner;
    struct store_desktop *desktop = &change->desktop;
    int code = act_desktop(act, change->args->words[0], desktop);

    if (code != EX_OK)
        return code;
    code = admin_desktop_fields(act, change->args, desktop);
    if (code != EX_OK)
        return code;
    enum store_result result = store_desktop_set(act->store, desktop);
    if (result == STORE_EXISTS)
        return admin_desktop_taken(act, desktop->name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_desktop_audit(act, "desktop-set", desktop);
}

static int admin_desktop_set(struct act *act, const struct sub_args *args)
{
    struct admin_desktop_change change = {.args = args};
    bool any = false;

    for (size_t i = 0; args->options[i].name != NULL; i++)
        any = any || (args->options[i].value != NULL && args->values[i] != NULL);
    if (!any)
        return act_error(act, EX_USAGE,
                         "nothing to change; give --host, --port, --description, --mac, "
                         "--same-credentials, --forbid or --rdp-setting");
    int code = act_change(act, admin_desktop_update, &change);
    if (code != EX_OK)
        return code;
    admin_desktop_warn(act, &change.desktop);
    return admin_desktop_view_done(act, &change.desktop, "changed", args);
}

static int admin_desktop_delete(struct act *act, void *owner)
{
    struct admin_desktop_change *change = owner;
    struct store_desktop *desktop = &change->desktop;
    int code = act_desktop(act, change->args->words[0], desktop);

    if (code != EX_OK)
        return code;
    if (store_desktop_remove(act->store, desktop->id) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "desktop-remove", NULL, desktop->name, "%s port %u", desktop->host,
                     desktop->port);
}

static int admin_desktop_remove(struct act *act, const struct sub_args *args)
{
    struct admin_desktop_change change = {.args = args};
    int code = act_change(act, admin_desktop_delete, &change);

    if (code == EX_OK)
        fprintf(act->out, "Desktop %s removed with its grants; its live tunnels end now.\n",
                change.desktop.name);
    return code;
}

static const struct sub_option admin_desktop_field_options[] = {
    {"host", "HOST", "host name, IPv4 or IPv6 address (brackets allowed)"},
    {"port", "PORT", "1 to 65535; a new desktop has 3389 unless told otherwise"},
    {"description", "TEXT", "words for the people who use it, up to 200 bytes"},
    {"mac", "MAC", "its network card, such as aa:bb:cc:dd:ee:ff; none: it is not woken"},
    {"same-credentials", "YES",
     "yes: people sign in there with their name here (the browser asks for the "
     "password alone); no"},
    {"forbid", "WORDS",
     "what clients may not redirect (of these, the browser knows the clipboard alone): "
     "drives,printers,ports,clipboard,pnp; all; none"},
    {"rdp-setting", "LINE…",
     "a line for its .rdp files, such as 'use multimon:i:1', in place of one of the same name; "
     "none "
     "clears them all"},
    {"json", NULL, "print the desktop as a JSON object"},
    {0},
};

static const struct sub_option admin_desktop_list_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub_option admin_desktop_show_options[] = {
    {"json", NULL, "print the desktop as a JSON object"},
    {0},
};

static const struct sub admin_desktop_subs[] = {
    {"add",
     "NAME --host HOST [--port PORT] [--description TEXT] [--mac MAC] [--same-credentials YES] "
     "[--forbid WORDS] [--rdp-setting LINE]… [--json]",
     "Adds a desktop that grants can then name.",
     "  deskgate desktop add accounts-7 --host 192.168.10.7 --description 'Accounts, room 7'",
     admin_desktop_field_options, 1, 1, admin_desktop_add},
    {"list", "[--json]", "Shows all desktops.", "  deskgate desktop list",
     admin_desktop_list_options, 0, 0, admin_desktop_view_list},
    {"show", "NAME [--json]", "Shows everything about one.", "  deskgate desktop show accounts-7",
     admin_desktop_show_options, 1, 1, admin_desktop_view_show},
    {"set",
     "NAME [--host HOST] [--port PORT] [--description TEXT] [--mac MAC] [--same-credentials YES] "
     "[--forbid WORDS] [--rdp-setting LINE]… [--json]",
     "Changes what is given; a new host or port ends its live tunnels and forgets the certificate "
     "that was seen first.",
     "  deskgate desktop set accounts-7 --host '[fd00:10::7]' --port 3390",
     admin_desktop_field_options, 1, 1, admin_desktop_set},
    {"limit", "NAME [--tunnels NUMBER] [--idle TIME] [--absolute TIME] [--step-up TIME] [--json]",
     "Shows or sets how many connections it may have at once, how long they may last, and how "
     "fresh "
     "a second factor it wants.",
     "  deskgate desktop limit accounts-7 --tunnels 1 --step-up 5m", admin_limit_desktop_options, 1,
     1, admin_limit_desktop},
    {"trust", "NAME [--first-use | --renew | --pin SHA256 | --ca] [--json]",
     "Shows or sets how the desktop's certificate is judged, when people open it in the browser.",
     "  deskgate desktop trust accounts-7 --renew", admin_trust_options, 1, 1, admin_trust_run},
    {"remove", "NAME", "Removes a desktop with its grants and ends its live tunnels.",
     "  deskgate desktop remove accounts-7", NULL, 1, 1, admin_desktop_remove},
    {0},
};

const struct sub_verb admin_desktop = {"desktop", "The desktops that people may reach.",
                                       admin_desktop_subs};

int desktop_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_desktop, cli, argc, argv);
}
