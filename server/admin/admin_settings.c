/* deskgate settings: the configuration, read-only. */
#include "act.h"
#include "admin.h"
#include "conf_settings.h"
#include "listing.h"
#include "sub.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

static int settings_row(void *owner, const struct conf_setting *setting)
{
    char source[48] = "default";

    if (setting->line)
        snprintf(source, sizeof(source), CONF_FILE " line %u", setting->line);
    listing_row(owner, (struct listing_value[]){{.text = setting->section},
                                                {.text = setting->key},
                                                {.text = setting->value},
                                                {.text = source},
                                                {.number = setting->line}});
    return 0;
}

/* Whether the file says something else than when the gateway began. Addresses to listen on are not
 * compared: the gateway has those that it got. */
static bool settings_changed(const struct conf *running)
{
    struct conf now;
    char why[256];

    if (conf_load(&now, running->state, why, sizeof(why)) != 0)
        return true;
    memcpy(now.listen, running->listen, sizeof(now.listen));
    now.listen_count = running->listen_count;
    now.public_port = running->public_port;
    memset(now.alert_webhook, 0, sizeof(now.alert_webhook)); /* blank in the keeper */
    return memcmp(&now, running, sizeof(now)) != 0;
}

static int settings_show(struct act *act, const struct sub_args *args)
{
    static const struct listing_column columns[] = {
        {"section", "SECTION", LISTING_TEXT}, {"key", "KEY", LISTING_TEXT},
        {"value", "VALUE", LISTING_TEXT},     {"source", "SOURCE", LISTING_TEXT},
        {"line", NULL, LISTING_NUMBER},       {NULL, NULL, LISTING_TEXT},
    };
    struct listing listing;
    char why[2048] = "";

    listing_init(&listing, act, columns, sub_value(args, "json") != NULL, "");
    if (conf_settings(act->conf.state, settings_row, &listing, why, sizeof(why)) != 0)
        return listing_drop(&listing, act_error(act, EX_CONFIG, "%s", why));
    if (act->in_browser && settings_changed(&act->conf))
        act_error(act, EX_OK,
                  CONF_FILE
                  " was changed after the gateway began or read it last; reload it for what is "
                  "here");
    return listing_finish(&listing);
}

static const struct sub_option settings_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub settings_subs[] = {
    {"", "[--json]", "Shows every key of " CONF_FILE " with its value and where it comes from.",
     "  deskgate settings", settings_options, 0, 0, settings_show},
    {0},
};

const struct sub_verb admin_settings = {"settings", "The configuration.", settings_subs};

int settings_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run_alone(&admin_settings, cli, argc, argv);
}
