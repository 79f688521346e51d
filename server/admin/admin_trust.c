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
    {"renew", NULL, "forget the one that was seen first; the next one seen is remembered"},
    {"pin", "SHA256", "trust only the certificate with this fingerprint (hexadecimal)"},
    {"ca", NULL, "trust what an authority of [desktops] authorities has signed for its host"},
    {"json", NULL, "print the desktop's trust as a JSON object"},
    {0},
};

struct change {
    const struct sub_args *args;
    const char *trust; /* NULL: only look */
    bool pinned, renew;
    uint8_t fingerprint[32];
    struct store_desktop desktop;
};

/* What was asked for: at most one of the ways. */
static int wanted(struct act *act, const struct sub_args *args, struct change *change)
{
    const char *pin = sub_value(args, "pin");
    bool first = sub_value(args, "first-use") != NULL, renew = sub_value(args, "renew") != NULL;
    bool ca = sub_value(args, "ca") != NULL;

    if ((pin != NULL) + first + renew + ca > 1)
        return act_error(act, EX_USAGE, "give one of --first-use, --renew, --pin and --ca");
    if (pin != NULL) {
        const char *why = field_fingerprint(pin, change->fingerprint);
        if (why != NULL)
            return act_error(act, EX_DATAERR, "--pin '%s': it %s", pin, why);
    }
    change->pinned = pin != NULL;
    change->renew = renew;
    change->trust = pin != NULL ? "pin" : ca ? "ca" : first || renew ? "first-use" : NULL;
    return EX_OK;
}

/* To renew must not weaken: what is stricter than first use stays so. */
static int renewable(struct act *act, const struct store_desktop *desktop)
{
    if (strcmp(desktop->trust, "pin") == 0)
        return act_error(act, EX_DATAERR,
                         "the certificate of desktop '%s' is pinned; give the new one's "
                         "fingerprint with --pin, or --first-use to trust the next one seen",
                         desktop->name);
    if (strcmp(desktop->trust, "ca") == 0)
        return act_error(act, EX_DATAERR,
                         "desktop '%s' is trusted by authority, nothing is remembered; give "
                         "--first-use to trust the next certificate seen",
                         desktop->name);
    return EX_OK;
}

static int record(struct act *act, const struct change *change, const struct store_desktop *before)
{
    char old[HEX_SIZE] = "", new[HEX_SIZE] = "";

    if (before->fingerprint_at)
        text_hex(old, before->fingerprint, sizeof(before->fingerprint));
    if (change->pinned)
        text_hex(new, change->fingerprint, sizeof(change->fingerprint));
    return act_audit(act, "desktop-trust", NULL, before->name, "%s%s%s%s%s", change->trust,
                     new[0] ? " " : "", new, old[0] ? ", not any more " : "", old);
}

static int apply(struct act *act, void *owner)
{
    struct change *change = owner;
    struct store_desktop *desktop = &change->desktop;
    int code = act_desktop(act, change->args->words[0], desktop);

    if (code == EX_OK && change->renew)
        code = renewable(act, desktop);
    if (code != EX_OK || change->trust == NULL)
        return code;
    if (store_desktop_trust(act->store, desktop->id, change->trust,
                            change->pinned ? change->fingerprint : NULL, act->now) != STORE_OK)
        return act_store_failed(act);
    code = record(act, change, desktop);
    return code == EX_OK ? act_desktop(act, change->args->words[0], desktop) : code;
}

static int show(struct act *act, const struct store_desktop *desktop, bool json)
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
        return listing_json(act->out, listing_object(columns, values));
    if (strcmp(desktop->trust, "ca") == 0)
        fprintf(act->out, "Desktop %s: its certificate must be signed by a configured authority.\n",
                desktop->name);
    else if (!desktop->fingerprint_at)
        fprintf(act->out, "Desktop %s: the next certificate seen is remembered.\n", desktop->name);
    else
        fprintf(act->out,
                "Desktop %s: only the certificate with the fingerprint\n  %s\nis trusted%s.\n",
                desktop->name, hex,
                strcmp(desktop->trust, "pin") == 0 ? "; an administrator pinned it"
                                                   : ", as it was seen first");
    return EX_OK;
}

int admin_trust_run(struct act *act, const struct sub_args *args)
{
    struct change change = {.args = args};
    int code = wanted(act, args, &change);

    if (code == EX_OK && change.trust != NULL && strcmp(change.trust, "ca") == 0 &&
        act->conf.authorities[0] == '\0')
        act_error(act, EX_OK,
                  "warning: the configuration names no authorities ([desktops] authorities "
                  "in " CONF_FILE "): until it does, nobody can open this desktop in the "
                  "browser");
    if (code == EX_OK)
        code = act_change(act, apply, &change);
    return code == EX_OK ? show(act, &change.desktop, sub_value(args, "json") != NULL) : code;
}
