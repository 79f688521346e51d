#include "admin_desktop_view.h"

#include "act.h"
#include "listing.h"
#include "rdp_field.h"
#include "store_policy.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct listing_column admin_desktop_view_columns[] = {
    {"name", "NAME", LISTING_TEXT},
    {"host", "HOST", LISTING_TEXT},
    {"port", ">PORT", LISTING_NUMBER},
    {"mac", "MAC", LISTING_TEXT},
    {"description", "DESCRIPTION", LISTING_TEXT},
    {"trust", NULL, LISTING_TEXT},
    {"fingerprint", NULL, LISTING_TEXT},
    {"same_credentials", NULL, LISTING_YES},
    {"forbidden", NULL, LISTING_LINES},
    {"rdp_settings", NULL, LISTING_LINES},
    {"groups", NULL, LISTING_LINES},
    {"tunnels", NULL, LISTING_NUMBER},
    {"idle_seconds", NULL, LISTING_NUMBER},
    {"absolute_seconds", NULL, LISTING_NUMBER},
    {"step_up_seconds", NULL, LISTING_NUMBER},
    {NULL, NULL, LISTING_TEXT},
};

struct admin_desktop_view_values {
    struct listing_value all[15];
    char fingerprint[2 * 32 + 1];
    char forbidden[RDP_FIELD_FORBID_SIZE];
    char groups[STORE_GROUP_NAMES_SIZE];
};

/* An exit code; faults are told. */
static int admin_desktop_view_values(struct act *act, struct admin_desktop_view_values *to,
                                     const struct store_desktop *desktop)
{
    struct store_desktop_policy policy = {0};
    *to = (struct admin_desktop_view_values){0};
    enum store_result result = store_policy_desktop(act->store, desktop->id, &policy);
    if (result == STORE_OK)
        result = store_group_names(act->store, STORE_OF_DESKTOPS, desktop->id, to->groups);
    if (result == STORE_FAILED)
        return act_store_failed(act);
    const struct listing_value values[] = {{.text = desktop->name},
                                           {.text = desktop->host},
                                           {.number = desktop->port},
                                           {.text = desktop->mac},
                                           {.text = desktop->description},
                                           {.text = desktop->trust},
                                           {.text = to->fingerprint},
                                           {.number = desktop->same_credentials},
                                           {.text = to->forbidden},
                                           {.text = desktop->rdp_settings},
                                           {.text = to->groups},
                                           {.number = policy.tunnels},
                                           {.number = policy.limits.idle_seconds},
                                           {.number = policy.limits.absolute_seconds},
                                           {.number = policy.step_up_seconds}};
    memcpy(to->all, values, sizeof(values));
    if (desktop->fingerprint_at)
        text_hex(to->fingerprint, desktop->fingerprint, sizeof(desktop->fingerprint));
    rdp_field_forbid_lines(desktop->forbidden, to->forbidden);
    return EX_OK;
}

int admin_desktop_view_done(struct act *act, const struct store_desktop *desktop, const char *done,
                            const struct sub_args *args)
{
    struct admin_desktop_view_values values;

    int code = admin_desktop_view_values(act, &values, desktop);
    if (code != EX_OK)
        return code;
    if (sub_value(args, "json"))
        return listing_json(act->out, listing_object(admin_desktop_view_columns, values.all));
    bool ipv6 = strchr(desktop->host, ':') != NULL;
    fprintf(act->out, "Desktop %s %s: %s%s%s port %u.\n", desktop->name, done, ipv6 ? "[" : "",
            desktop->host, ipv6 ? "]" : "", desktop->port);
    return EX_OK;
}

int admin_desktop_view_show(struct act *act, const struct sub_args *args)
{
    struct admin_desktop_view_values values;
    struct store_desktop desktop;
    int code = act_desktop(act, args->words[0], &desktop);

    if (code == EX_OK)
        code = admin_desktop_view_values(act, &values, &desktop);
    if (code != EX_OK)
        return code;
    if (sub_value(args, "json"))
        return listing_json(act->out, listing_object(admin_desktop_view_columns, values.all));
    return listing_show(act, admin_desktop_view_columns, values.all);
}

struct admin_desktop_view {
    struct listing listing;
    int code;
};

static int admin_desktop_view_row(void *owner, const struct store_desktop *desktop)
{
    struct admin_desktop_view *view = owner;
    struct admin_desktop_view_values values;

    view->code = admin_desktop_view_values(view->listing.act, &values, desktop);
    if (view->code == EX_OK)
        listing_row(&view->listing, values.all);
    return view->code;
}

int admin_desktop_view_list(struct act *act, const struct sub_args *args)
{
    struct admin_desktop_view view = {.code = EX_OK};

    listing_init(&view.listing, act, admin_desktop_view_columns, sub_value(args, "json") != NULL,
                 "There is no desktop yet; 'deskgate desktop add NAME --host HOST' adds one.");
    if (store_desktop_list(act->store, admin_desktop_view_row, &view) == STORE_FAILED)
        return listing_drop(&view.listing, act_store_failed(act));
    return view.code == EX_OK ? listing_finish(&view.listing)
                              : listing_drop(&view.listing, view.code);
}
