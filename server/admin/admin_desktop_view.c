#include "admin_desktop_view.h"

#include "act.h"
#include "listing.h"
#include "rdp_field.h"
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
    {NULL, NULL, LISTING_TEXT},
};

struct admin_desktop_view_values {
    struct listing_value all[10];
    char fingerprint[2 * 32 + 1];
    char forbidden[RDP_FIELD_FORBID_SIZE];
};

static void admin_desktop_view_values(struct admin_desktop_view_values *to,
                                      const struct store_desktop *desktop)
{
    *to = (struct admin_desktop_view_values){.all = {{.text = desktop->name},
                                                     {.text = desktop->host},
                                                     {.number = desktop->port},
                                                     {.text = desktop->mac},
                                                     {.text = desktop->description},
                                                     {.text = desktop->trust},
                                                     {.text = to->fingerprint},
                                                     {.number = desktop->same_credentials},
                                                     {.text = to->forbidden},
                                                     {.text = desktop->rdp_settings}}};
    if (desktop->fingerprint_at)
        text_hex(to->fingerprint, desktop->fingerprint, sizeof(desktop->fingerprint));
    rdp_field_forbid_lines(desktop->forbidden, to->forbidden);
}

int admin_desktop_view_done(struct act *act, const struct store_desktop *desktop, const char *done,
                            const struct sub_args *args)
{
    struct admin_desktop_view_values values;

    admin_desktop_view_values(&values, desktop);
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

    if (code != EX_OK)
        return code;
    admin_desktop_view_values(&values, &desktop);
    if (sub_value(args, "json"))
        return listing_json(act->out, listing_object(admin_desktop_view_columns, values.all));
    return listing_show(act, admin_desktop_view_columns, values.all);
}

static int admin_desktop_view_row(void *owner, const struct store_desktop *desktop)
{
    struct admin_desktop_view_values values;

    admin_desktop_view_values(&values, desktop);
    listing_row(owner, values.all);
    return 0;
}

int admin_desktop_view_list(struct act *act, const struct sub_args *args)
{
    struct listing listing;

    listing_init(&listing, act, admin_desktop_view_columns, sub_value(args, "json") != NULL,
                 "There is no desktop yet; 'deskgate desktop add NAME --host HOST' adds one.");
    if (store_desktop_list(act->store, admin_desktop_view_row, &listing) == STORE_FAILED)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}
