/* deskgate address: from where people may come. */
#include "act.h"
#include "admin.h"
#include "listing.h"
#include "store_policy.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct change {
    const struct sub_args *args;
    bool allow, remove;
    int64_t user, group;
    char who[TEXT_NAME_SIZE + 8]; /* "the gateway", "group staff", "anna" */
    char text[ADDR_NET_TEXT_SIZE];
    struct addr_net net;
};

static const struct listing_column columns[] = {
    {"of", "OF", LISTING_TEXT},     {"who", "WHO", LISTING_TEXT},
    {"rule", "RULE", LISTING_TEXT}, {"network", "NETWORK", LISTING_TEXT},
    {NULL, NULL, LISTING_TEXT},
};

/* What lies beyond the bits is no part of the network, and two spellings of it are one. */
static void clear_rest(struct addr_net *net)
{
    for (unsigned bit = net->bits; bit < 128; bit++)
        net->base.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
}

static int read_change(struct act *act, struct change *change)
{
    const struct sub_args *args = change->args;
    const char *user = sub_value(args, "user"), *group = sub_value(args, "group");
    struct store_user person = {0};
    struct store_group found = {0};
    int code = EX_OK;
    if (user && group)
        return act_error(act, EX_USAGE, "give either --user or --group, not both");
    if (!addr_net_parse(&change->net, args->words[0]))
        return act_error(
            act, EX_DATAERR,
            "'%s' is neither a network, such as 10.0.0.0/8 or fd00::/8, nor an address",
            args->words[0]);
    clear_rest(&change->net);
    addr_net_text(&change->net, change->text);
    if (user)
        code = act_user(act, user, &person);
    else if (group)
        code = act_group(act, STORE_OF_PEOPLE, group, &found);
    change->user = person.id;
    change->group = found.id;
    snprintf(change->who, sizeof(change->who), "%s%s", group ? "group " : "",
             user    ? person.name
             : group ? found.name
                     : "the gateway");
    explicit_bzero(&person, sizeof(person));
    return code;
}

static int carry_out(struct act *act, void *owner)
{
    struct change *change = owner;
    int code = read_change(act, change);
    if (code != EX_OK)
        return code;
    enum store_result result =
        change->remove
            ? store_policy_net_remove(act->store, change->user, change->group, &change->net)
            : store_policy_net_add(act->store, change->user, change->group, change->allow,
                                   &change->net);
    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR,
                         "the list of %s has %s already; 'address remove' it first", change->who,
                         change->text);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT,
                         "the list of %s has no %s; 'deskgate address list' shows all", change->who,
                         change->text);
    if (result != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, change->remove ? "address-remove" : "address-add",
                     change->user ? change->who : "", NULL, "%s %s of %s",
                     change->remove  ? "remove"
                     : change->allow ? "allow"
                                     : "deny",
                     change->text, change->who);
}

static int run(struct act *act, const struct sub_args *args, bool allow, bool remove)
{
    struct change change = {.args = args, .allow = allow, .remove = remove};
    int code = act_change(act, carry_out, &change);
    if (code == EX_OK)
        fprintf(act->out, "%s %s the list of %s.\n", change.text,
                remove  ? "is no longer on"
                : allow ? "is allowed by"
                        : "is denied by",
                change.who);
    return code;
}

static int address_allow(struct act *act, const struct sub_args *args)
{
    return run(act, args, true, false);
}

static int address_deny(struct act *act, const struct sub_args *args)
{
    return run(act, args, false, false);
}

static int address_remove(struct act *act, const struct sub_args *args)
{
    return run(act, args, false, true);
}

static int list_row(void *owner, const struct store_net *net)
{
    char text[ADDR_NET_TEXT_SIZE];
    addr_net_text(&net->net, text);
    listing_row(owner, (const struct listing_value[]){{.text = net->user   ? "user"
                                                               : *net->who ? "group"
                                                                           : "gateway"},
                                                      {.text = net->who},
                                                      {.text = net->allow ? "allow" : "deny"},
                                                      {.text = text}});
    return 0;
}

static int address_list(struct act *act, const struct sub_args *args)
{
    struct listing listing;
    listing_init(&listing, act, columns, sub_value(args, "json") != NULL,
                 "There are no address rules: people may come from anywhere.");
    if (store_policy_net_list(act->store, list_row, &listing) == STORE_FAILED)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}

static const struct sub_option options[] = {
    {"user", "PERSON", "on a person's list instead of the gateway's"},
    {"group", "GROUP", "on a group's list"},
    {0},
};

static const struct sub_option list_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub subs[] = {
    {"allow", "NETWORK [--user PERSON | --group GROUP]",
     "Only who comes from a network on the list is let in, once it has one; a person and the "
     "person's groups have one list together.",
     "  deskgate address allow 192.0.2.0/24\n"
     "  deskgate address allow 2001:db8:7::/48 --group staff",
     options, 1, 1, address_allow},
    {"deny", "NETWORK [--user PERSON | --group GROUP]",
     "Nobody is let in from there, whatever else allows it. Live tunnels from there end.",
     "  deskgate address deny 198.51.100.0/24", options, 1, 1, address_deny},
    {"remove", "NETWORK [--user PERSON | --group GROUP]", "Takes a network off a list.",
     "  deskgate address remove 198.51.100.0/24", options, 1, 1, address_remove},
    {"list", "[--json]", "Shows all lists.", "  deskgate address list", list_options, 0, 0,
     address_list},
    {0},
};

const struct sub_verb admin_address = {"address", "From where people may come.", subs};

int address_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_address, cli, argc, argv);
}
