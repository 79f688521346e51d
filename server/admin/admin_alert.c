/* deskgate alert: what was raised, which rules there are, and a try of the way that alerts take. */
#include "act.h"
#include "admin.h"
#include "alert_rule.h"
#include "listing.h"
#include "sub.h"
#include "text.h"

#include <stdio.h>
#include <sysexits.h>

#define ADMIN_ALERT_LAST 50
#define ADMIN_ALERT_LAST_MAX 100000

static const struct listing_column admin_alert_columns[] = {
    {"id", NULL, LISTING_NUMBER},    {"at", "WHEN", LISTING_TIME},
    {"rule", "RULE", LISTING_TEXT},  {"message", "MESSAGE", LISTING_TEXT},
    {"subject", NULL, LISTING_TEXT}, {"user", NULL, LISTING_TEXT},
    {"desktop", NULL, LISTING_TEXT}, {"address", NULL, LISTING_TEXT},
    {"test", "TEST", LISTING_YES},   {"sent", NULL, LISTING_YES},
    {NULL, NULL, LISTING_TEXT},
};

static int admin_alert_row(void *owner, const struct store_alert *alert)
{
    char address[ADDR_TEXT_SIZE] = "";

    if (alert->has_address)
        addr_text(&alert->address, address);
    listing_row(owner, (struct listing_value[]){{.number = alert->id},
                                                {.number = alert->at},
                                                {.text = alert->rule},
                                                {.text = alert->message},
                                                {.text = alert->subject},
                                                {.text = alert->who},
                                                {.text = alert->desktop},
                                                {.text = address},
                                                {.number = alert->test},
                                                {.number = alert->sent}});
    return 0;
}

static int admin_alert_list(struct act *act, const struct sub_args *args)
{
    const char *typed = sub_value(args, "last");
    uint64_t last = ADMIN_ALERT_LAST;
    struct listing listing;

    if (typed && (!text_number(typed, ADMIN_ALERT_LAST_MAX, &last) || last == 0))
        return act_error(act, EX_DATAERR, "--last wants a number from 1 to %d, not '%s'",
                         ADMIN_ALERT_LAST_MAX, typed);
    listing_init(&listing, act, admin_alert_columns, sub_value(args, "json") != NULL,
                 "No alert was raised yet.");
    if (store_alert_list(act->store, (unsigned)last, admin_alert_row, &listing) != STORE_OK)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}

static const struct listing_column admin_alert_rule_columns[] = {
    {"rule", "RULE", LISTING_TEXT},
    {"on", "ON", LISTING_YES},
    {"about", "ABOUT", LISTING_TEXT},
    {NULL, NULL, LISTING_TEXT},
};

static int admin_alert_rules(struct act *act, const struct sub_args *args)
{
    struct listing listing;

    listing_init(&listing, act, admin_alert_rule_columns, sub_value(args, "json") != NULL, "");
    for (unsigned rule = 0; rule < ALERT_RULES; rule++)
        listing_row(&listing,
                    (struct listing_value[]){{.text = alert_rule_name(rule)},
                                             {.number = act->conf.alert_rules >> rule & 1},
                                             {.text = alert_rule_words(rule)}});
    return listing_finish(&listing);
}

static int admin_alert_insert(struct act *act, void *owner)
{
    const struct store_alert *alert = owner;

    if (store_alert_add(act->store, alert) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "alert-test", NULL, NULL, "%s", alert->rule);
}

static int admin_alert_test(struct act *act, const struct sub_args *args)
{
    struct store_alert alert = {.at = act->now, .test = true};
    int rule = alert_rule_find(args->words[0]);

    if (rule < 0)
        return act_error(act, EX_DATAERR,
                         "there is no rule '%s'; 'deskgate alert rules' lists them",
                         args->words[0]);
    text_copy(alert.rule, sizeof(alert.rule), alert_rule_name((unsigned)rule));
    text_copy(alert.subject, sizeof(alert.subject), "test");
    snprintf(alert.message, sizeof(alert.message), "this is a test of the alert about: %s",
             alert_rule_words((unsigned)rule));
    int code = act_change(act, admin_alert_insert, &alert);
    if (code != EX_OK)
        return code;
    bool anywhere = act->conf.alert_command[0] || act->conf.alert_webhook[0];
    fprintf(act->out, "%s; what becomes of it is in the gateway's log.\n",
            anywhere ? "The running gateway delivers it within two seconds"
                     : "Neither [alerts] command nor webhook is configured: it is kept in the list "
                       "only");
    return EX_OK;
}

static const struct sub_option admin_alert_list_options[] = {
    {"last", "N", "only the newest so many (50)"},
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub_option admin_alert_rules_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub admin_alert_subs[] = {
    {"list", "[--last N] [--json]",
     "Shows the alerts of the last year, oldest first. 'sent' in JSON: handed to command and "
     "webhook; the gateway's log has those that failed.",
     "  deskgate alert list --last 10", admin_alert_list_options, 0, 0, admin_alert_list},
    {"rules", "[--json]", "Shows what alerts can be about, and which are on.",
     "  deskgate alert rules", admin_alert_rules_options, 0, 0, admin_alert_rules},
    {"test", "RULE",
     "Sends an alert of this kind the whole way, marked as a test, whether the rule is on or not.",
     "  deskgate alert test new_network", NULL, 1, 1, admin_alert_test},
    {0},
};

const struct sub_verb admin_alert = {"alert", "What was worth an administrator's attention.",
                                     admin_alert_subs};

int alert_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_alert, cli, argc, argv);
}
