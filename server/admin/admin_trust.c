#include "admin_trust.h"

#include "act.h"
#include "field.h"
#include "listing.h"
#include "sub.h"

#include <string.h>
#include <sysexits.h>

#define HEX_SIZE (2 * 32 + 1)

const struct sub_option admin_trust_options[] = {
    {"first-use", NULL, "trust the first certificate seen from now on, and only that one"},
    {"renew", NULL, "the same: forget the one that was remembered"},
    {"pin", "SHA256", "trust only the certificate with this fingerprint (hexadecimal)"},
    {"ca", NULL, "trust what an authority of [desktops] authorities has signed for its host"},
    {"json", NULL, "print the desktop's trust as a JSON object"},
    {0},
};

struct change {
    const struct sub_args *args;
    const char *trust; /* NULL: only look */
    bool pinned;
    uint8_t fingerprint[32];
    struct store_desktop desktop;
};

/* What was asked for: at most one of the ways. */
static int wanted(const struct sub_args *args, struct change *change)
{
    const char *pin = sub_value(args, "pin");
    bool first = sub_value(args, "first-use") || sub_value(args, "renew");
    bool ca = sub_value(args, "ca") != NULL;

    if ((pin != NULL) + first + ca > 1)
        return act_error(EX_USAGE, "give one of --first-use, --renew, --pin and --ca");
    if (pin != NULL) {
        const char *why = field_fingerprint(pin, change->fingerprint);
        if (why != NULL)
            return act_error(EX_DATAERR, "--pin '%s': it %s", pin, why);
    }
    change->pinned = pin != NULL;
    change->trust = pin != NULL ? "pin" : ca ? "ca" : first ? "first-use" : NULL;
    return EX_OK;
}

static int apply(struct act *act, void *owner)
{
    struct change *change = owner;
    struct store_desktop *desktop = &change->desktop;
    int code = act_desktop(act, change->args->words[0], desktop);

    if (code != EX_OK || change->trust == NULL)
        return code;
    if (store_desktop_trust(act->store, desktop->id, change->trust,
                            change->pinned ? change->fingerprint : NULL, act->now) != STORE_OK)
        return act_store_failed(act);
    code = act_desktop(act, change->args->words[0], desktop);
    return code != EX_OK
               ? code
               : act_audit(act, "desktop-trust", NULL, desktop->name, "%s", change->trust);
}

static int show(const struct store_desktop *desktop, bool json)
{
    static const struct listing_column columns[] = {
        {"name", "NAME", LISTING_TEXT},
        {"trust", "TRUST", LISTING_TEXT},
        {"fingerprint", "FINGERPRINT", LISTING_TEXT},
        {"fingerprint_at", "SINCE", LISTING_TIME},
        {NULL, NULL, LISTING_TEXT},
    };
    char hex[HEX_SIZE] = "";

    if (desktop->fingerprint_at)
        text_hex(hex, desktop->fingerprint, sizeof(desktop->fingerprint));
    const struct listing_value values[] = {{.text = desktop->name},
                                           {.text = desktop->trust},
                                           {.text = hex},
                                           {.number = desktop->fingerprint_at}};
    if (json)
        return listing_json(listing_object(columns, values));
    if (strcmp(desktop->trust, "ca") == 0)
        printf("Desktop %s: its certificate must be signed by a configured authority.\n",
               desktop->name);
    else if (!desktop->fingerprint_at)
        printf("Desktop %s: the next certificate seen is remembered.\n", desktop->name);
    else
        printf("Desktop %s: only the certificate with the fingerprint\n  %s\nis trusted%s.\n",
               desktop->name, hex,
               strcmp(desktop->trust, "pin") == 0 ? "; an administrator pinned it"
                                                  : ", as it was seen first");
    return EX_OK;
}

int admin_trust_run(struct act *act, const struct sub_args *args)
{
    struct change change = {.args = args};
    int code = wanted(args, &change);

    if (code == EX_OK && change.trust != NULL && strcmp(change.trust, "ca") == 0 &&
        act->conf.authorities[0] == '\0')
        act_error(EX_OK, "warning: the configuration names no authorities ([desktops] authorities "
                         "in " CONF_FILE "): until it does, nobody can open this desktop in the "
                         "browser");
    if (code == EX_OK)
        code = act_change(act, apply, &change);
    return code == EX_OK ? show(&change.desktop, sub_value(args, "json") != NULL) : code;
}
