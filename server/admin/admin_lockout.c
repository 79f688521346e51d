/* deskgate lockout: who has to wait before the next try to sign in, and an end to it. */
#include "act.h"
#include "admin.h"
#include "listing.h"
#include "sub.h"
#include "throttle.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct listing_column columns[] = {
    {"of", "OF", LISTING_TEXT},
    {"who", "WHO", LISTING_TEXT},
    {"network", "NETWORK", LISTING_TEXT},
    {"failures", ">FAILURES", LISTING_NUMBER},
    {"since", "SINCE", LISTING_TIME},
    {"last", "LAST", LISTING_TIME},
    {"wait_seconds", ">WAITS", LISTING_NUMBER},
    {NULL, NULL, LISTING_TEXT},
};

struct lockouts {
    struct act *act;
    struct listing listing;
    bool all;
};

static int lockout_row(void *owner, const struct store_throttle_item *item)
{
    struct lockouts *lockouts = owner;
    struct act *act = lockouts->act;
    const struct store_throttle *counts = &item->counts;
    enum throttle_bucket bucket = throttle_bucket_find(item->bucket);
    char network[ADDR_NET_TEXT_SIZE] = "";
    bool person = bucket != THROTTLE_PLACE && bucket != THROTTLE_PLACE_WIDE;
    if (bucket == THROTTLE_BUCKETS || act->now - counts->last_at > act->conf.login_window_seconds)
        return 0; /* forgotten at the next sweep */
    int64_t wait = throttle_wait_of(&act->conf, bucket, counts, act->now);
    if (!wait && !lockouts->all)
        return 0;
    if (item->has_net)
        addr_net_text(&item->net, network);
    const struct listing_value values[] = {{.text = item->bucket},
                                           {.text = item->user_name[0] ? item->user_name
                                                    : person           ? "(unknown)"
                                                                       : ""},
                                           {.text = network},
                                           {.number = counts->failures},
                                           {.number = counts->since},
                                           {.number = counts->last_at},
                                           {.number = wait}};
    listing_row(&lockouts->listing, values);
    return 0;
}

static int lockout_list(struct act *act, const struct sub_args *args)
{
    struct lockouts lockouts = {.act = act, .all = sub_value(args, "all") != NULL};
    listing_init(&lockouts.listing, act, columns, sub_value(args, "json") != NULL,
                 lockouts.all ? "Nobody has failed to sign in lately."
                              : "Nobody has to wait; --all shows failures that do not count yet.");
    if (store_throttle_list(act->store, lockout_row, &lockouts) == STORE_FAILED)
        return listing_drop(&lockouts.listing, act_store_failed(act));
    return listing_finish(&lockouts.listing);
}

struct clearing {
    const struct sub_args *args;
    const char *person, *address;
    struct store_user user;
    bool found;
};

static int clear_place(struct act *act, struct clearing *clearing)
{
    struct throttle_keys keys;
    struct addr address;
    if (!addr_parse(&address, clearing->address))
        return act_error(act, EX_DATAERR, "--address '%s' is not an address", clearing->address);
    throttle_keys_place(&keys, &address);
    for (int bucket = THROTTLE_PLACE; bucket <= THROTTLE_PLACE_WIDE; bucket++) {
        enum store_result result = store_throttle_clear_place(act->store, &keys.of[bucket].net);
        if (result == STORE_FAILED)
            return act_store_failed(act);
        clearing->found |= result == STORE_OK;
    }
    return act_audit(act, "lockout-clear", "", NULL, "address %s", clearing->address);
}

static int clear_person(struct act *act, struct clearing *clearing)
{
    int code = act_user(act, clearing->person, &clearing->user);
    if (code != EX_OK)
        return code;
    enum store_result result = store_throttle_clear_user(act->store, clearing->user.id);
    if (result == STORE_FAILED)
        return act_store_failed(act);
    clearing->found = result == STORE_OK;
    return act_audit(act, "lockout-clear", clearing->user.name, NULL, "%s", "");
}

static int clear_all(struct act *act, struct clearing *clearing)
{
    enum store_result result = store_throttle_clear_all(act->store);
    if (result == STORE_FAILED)
        return act_store_failed(act);
    clearing->found = result == STORE_OK;
    return act_audit(act, "lockout-clear", "", NULL, "all");
}

static int clear(struct act *act, void *owner)
{
    struct clearing *clearing = owner;
    if (clearing->person)
        return clear_person(act, clearing);
    return clearing->address ? clear_place(act, clearing) : clear_all(act, clearing);
}

static int lockout_clear(struct act *act, const struct sub_args *args)
{
    struct clearing clearing = {.args = args,
                                .person = args->count ? args->words[0] : NULL,
                                .address = sub_value(args, "address")};
    bool all = sub_value(args, "all") != NULL;
    if ((clearing.person != NULL) + (clearing.address != NULL) + all != 1)
        return act_error(act, EX_USAGE, "whose? Give a PERSON, or --address ADDRESS, or --all");
    int code = act_change(act, clear, &clearing);
    explicit_bzero(&clearing.user, sizeof(clearing.user));
    if (code == EX_OK)
        fputs(clearing.found ? "Cleared; the next try is free.\n" : "There was nothing to clear.\n",
              act->out);
    return code;
}

static const struct sub_option list_options[] = {
    {"all", NULL, "also failures for which nobody has to wait yet"},
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub_option clear_options[] = {
    {"address", "ADDRESS", "what was counted for this address and its neighbourhood"},
    {"all", NULL, "everything"},
    {0},
};

static const struct sub subs[] = {
    {"list", "[--all] [--json]", "Shows who has to wait before the next try to sign in.",
     "  deskgate lockout list", list_options, 0, 0, lockout_list},
    {"clear", "(PERSON | --address ADDRESS | --all)",
     "Forgets failures to sign in, so that the next try is free.",
     "  deskgate lockout clear alice\n"
     "  deskgate lockout clear --address 203.0.113.7",
     clear_options, 0, 1, lockout_clear},
    {0},
};

const struct sub_verb admin_lockout = {"lockout", "Who has to wait before signing in.", subs};

int lockout_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_lockout, cli, argc, argv);
}
