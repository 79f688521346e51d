#include "browser.h"

#include "act.h"
#include "admin.h"
#include "keeper.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define WORDS_MOST 64
#define ROWS_SHOWN "200" /* where a list is told how many it should show: unless it is told … */
#define ROWS_MOST 1000   /* … and at most */

/* Nothing else can be asked for in the browser. Not here: what reads passwords or writes files,
 * what shows secrets other than an invitation's link, and what does not end by itself. */
static const struct browser_row {
    const struct sub_verb *verb;
    const char *sub;
    const char *reads;   /* options, " " between them, of an act that changes nothing; NULL: it does
                            not read */
    const char *changes; /* … of one that does; NULL: it does not change */
    const char *bounded; /* the option for a number of rows; NULL: there is none */
} rows[] = {
    {&admin_user, "list", "", NULL, NULL},
    {&admin_user, "invite", NULL, "hours", NULL},
    {&admin_user, "enable", NULL, "", NULL},
    {&admin_user, "disable", NULL, "", NULL},
    {&admin_user, "must-change", NULL, "", NULL},
    {&admin_user, "remove", NULL, "", NULL},
    {&admin_user, "role", NULL, "", NULL},
    {&admin_user, "limit", "", "from until tunnels idle absolute", NULL},
    {&admin_group, "list", "", NULL, NULL},
    {&admin_group, "members", "", NULL, NULL},
    {&admin_group, "add", NULL, "", NULL},
    {&admin_group, "remove", NULL, "", NULL},
    {&admin_group, "join", NULL, "", NULL},
    {&admin_group, "leave", NULL, "", NULL},
    {&admin_desktop_group, "list", "", NULL, NULL},
    {&admin_desktop_group, "members", "", NULL, NULL},
    {&admin_desktop_group, "add", NULL, "", NULL},
    {&admin_desktop_group, "remove", NULL, "", NULL},
    {&admin_desktop_group, "join", NULL, "", NULL},
    {&admin_desktop_group, "leave", NULL, "", NULL},
    {&admin_desktop, "list", "", NULL, NULL},
    {&admin_desktop, "show", "", NULL, NULL},
    {&admin_desktop, "add", NULL, "host port description mac same-credentials forbid rdp-setting",
     NULL},
    {&admin_desktop, "set", NULL, "host port description mac same-credentials forbid rdp-setting",
     NULL},
    {&admin_desktop, "remove", NULL, "", NULL},
    {&admin_desktop, "limit", "", "tunnels idle absolute step-up", NULL},
    {&admin_desktop, "trust", "", "first-use renew pin ca", NULL},
    {&admin_grant, "list", "user group desktop desktop-group", NULL, NULL},
    {&admin_grant, "add", NULL, "user group desktop-group", NULL},
    {&admin_grant, "remove", NULL, "user group desktop-group", NULL},
    {&admin_grant, "limit", "group desktop-group", "group desktop-group from until hours", NULL},
    {&admin_address, "list", "", NULL, NULL},
    {&admin_address, "allow", NULL, "user group", NULL},
    {&admin_address, "deny", NULL, "user group", NULL},
    {&admin_address, "remove", NULL, "user group", NULL},
    {&admin_explain, "", "from at", NULL, NULL},
    {&admin_lockout, "list", "all", NULL, NULL},
    {&admin_lockout, "clear", NULL, "address all", NULL},
    {&admin_session, "list", "all user", NULL, NULL},
    {&admin_session, "end", NULL, "user", NULL},
    {&admin_tunnel, "list", "all user", NULL, NULL},
    {&admin_tunnel, "end", NULL, "user", NULL},
    {&admin_tunnel, "tell", NULL, "all", NULL},
    {&admin_audit, "list", "since until user event last", NULL, "last"},
    {&admin_audit, "verify", "expect", NULL, NULL},
    {&admin_alert, "list", "last", NULL, "last"},
    {&admin_alert, "rules", "", NULL, NULL},
    {&admin_settings, "", "", NULL, NULL},
};

struct browser_call {
    const struct browser_row *row;
    const struct sub *sub;
    const char *allowed; /* options */
    char *words[WORDS_MOST];
    struct sub_args args;
};

/* The next of the strings, or NULL. */
static char *browser_next(struct keeper_order *order, size_t *at)
{
    char *item = order->arguments + *at;

    if (*at >= order->size)
        return NULL;
    *at += strlen(item) + 1; /* the last one ends within: asked_admin() has looked */
    return item;
}

static bool browser_has(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t item = strcspn(at, " ");
        if (item == length && memcmp(at, name, length) == 0)
            return true;
        at += item;
    }
    return false;
}

static int browser_find(struct act *act, struct browser_call *call, bool changes, const char *verb,
                        const char *name)
{
    for (size_t i = 0; verb && name && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].verb->name, verb) == 0 && strcmp(rows[i].sub, name) == 0) {
            call->row = &rows[i];
            call->allowed = changes ? rows[i].changes : rows[i].reads;
        }
    }
    for (const struct sub *sub = call->row ? call->row->verb->subs : NULL; sub && sub->name;
         sub++) {
        if (strcmp(sub->name, name) == 0)
            call->sub = sub;
    }
    if (call->sub != NULL && call->allowed != NULL)
        return EX_OK;
    return act_error(act, EX_USAGE, "this cannot be done in the browser");
}

/* A flag may come with a value that says no more than the flag itself. */
static const char *browser_value(const struct sub *sub, const char *name, const char *value)
{
    const struct sub_option *option = sub->options;

    while (strcmp(option->name, name) != 0)
        option++;
    bool nothing = value && (*value == '\0' || strcmp(value, "true") == 0);
    return option->value == NULL && nothing ? NULL : value;
}

static bool browser_knows(const struct sub *sub, const char *name)
{
    for (const struct sub_option *option = sub->options; option && option->name; option++) {
        if (strcmp(option->name, name) == 0)
            return true;
    }
    return false;
}

static int browser_option(struct act *act, struct browser_call *call, char *item)
{
    char *equals = strchr(item, '=');

    if (equals != NULL)
        *equals = '\0';
    if (!browser_has(call->allowed, item) || !browser_knows(call->sub, item))
        return act_error(act, EX_USAGE, "there is no option '%.64s' for this in the browser", item);
    const char *value = browser_value(call->sub, item, equals == NULL ? NULL : equals + 1);
    return sub_give(act, call->row->verb, call->sub, &call->args, item, value);
}

static int browser_argument(struct act *act, struct browser_call *call, char *item)
{
    if (!text_is_utf8((const uint8_t *)item, strlen(item)))
        return act_error(act, EX_DATAERR, "a word is not UTF-8 text");
    if (item[0] == 'o')
        return browser_option(act, call, item + 1);
    if (item[0] != 'w')
        return act_error(act, EX_USAGE, "an argument is neither a word nor an option");
    if (call->args.count == WORDS_MOST)
        return act_error(act, EX_USAGE, "give at most %d words at once", WORDS_MOST);
    call->words[call->args.count++] = item + 1;
    return EX_OK;
}

/* So that one question cannot keep everybody else's waiting. */
static int browser_bound(struct act *act, struct browser_call *call)
{
    const char *name = call->row->bounded;
    const char *given = name == NULL ? NULL : sub_value(&call->args, name);
    uint64_t number = 0;

    if (name == NULL)
        return EX_OK;
    if (given == NULL)
        return sub_give(act, call->row->verb, call->sub, &call->args, name, ROWS_SHOWN);
    if (text_number(given, ROWS_MOST, &number))
        return EX_OK;
    return act_error(act, EX_DATAERR, "%s '%s': give a number from 1 to %d", name, given,
                     ROWS_MOST);
}

static int browser_read(struct act *act, struct browser_call *call, struct keeper_order *order)
{
    size_t at = 0;
    const char *verb = browser_next(order, &at), *sub = browser_next(order, &at);
    int code = browser_find(act, call, order->changes, verb, sub);

    if (code != EX_OK)
        return code;
    call->args = (struct sub_args){.words = call->words, .options = call->sub->options};
    for (char *item; code == EX_OK && (item = browser_next(order, &at)) != NULL;)
        code = browser_argument(act, call, item);
    if (code == EX_OK)
        code = browser_bound(act, call);
    if (code == EX_OK && browser_knows(call->sub, "json"))
        code = sub_give(act, call->row->verb, call->sub, &call->args, "json", NULL);
    return code == EX_OK ? sub_count(act, call->row->verb, call->sub, &call->args) : code;
}

int browser_act(struct keeper_order *order)
{
    struct act act = {.conf = *order->conf,
                      .store = order->store,
                      .now = (int64_t)time(NULL),
                      .address = &order->origin->address,
                      .conn = order->origin->conn,
                      .out = order->printed,
                      .err = order->said,
                      .in_browser = true};
    struct browser_call call = {0};

    text_copy(act.by, sizeof(act.by), order->by);
    int code = browser_read(&act, &call, order);
    if (code != EX_OK)
        return code;
    order->json = sub_value(&call.args, "json") != NULL;
    return call.sub->run(&act, &call.args);
}
