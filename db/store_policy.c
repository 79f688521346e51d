#include "store_policy.h"

#include "store_sql.h"

#include <string.h>

static void read_limits(sqlite3_stmt *s, int column, struct store_limits *limits)
{
    limits->idle_seconds = (uint32_t)sqlite3_column_int64(s, column);
    limits->absolute_seconds = (uint32_t)sqlite3_column_int64(s, column + 1);
}

static void read_person(sqlite3_stmt *s, void *row)
{
    struct store_person_policy *person = row;
    store_column_text(s, 0, person->name, sizeof(person->name));
    person->disabled = sqlite3_column_int(s, 1) != 0;
    person->valid_from = sqlite3_column_int64(s, 2);
    person->valid_until = sqlite3_column_int64(s, 3);
    person->tunnels = (uint32_t)sqlite3_column_int64(s, 4);
    read_limits(s, 5, &person->limits);
}

enum store_result store_policy_person(struct store *store, int64_t user,
                                      struct store_person_policy *out)
{
    return store_one(store, store_bind(store, SQL_POLICY_PERSON, "i", user), out, read_person);
}

enum store_result store_policy_person_set(struct store *store, int64_t user,
                                          const struct store_person_policy *person)
{
    return store_run_some(store,
                          store_bind(store, SQL_POLICY_PERSON_SET, "iiiiii", user,
                                     person->valid_from, person->valid_until,
                                     (int64_t)person->tunnels, (int64_t)person->limits.idle_seconds,
                                     (int64_t)person->limits.absolute_seconds),
                          STORE_NONE);
}

static void read_desktop(sqlite3_stmt *s, void *row)
{
    struct store_desktop_policy *desktop = row;
    store_column_text(s, 0, desktop->name, sizeof(desktop->name));
    desktop->tunnels = (uint32_t)sqlite3_column_int64(s, 1);
    read_limits(s, 2, &desktop->limits);
    desktop->step_up_seconds = (uint32_t)sqlite3_column_int64(s, 4);
}

enum store_result store_policy_desktop(struct store *store, int64_t desktop,
                                       struct store_desktop_policy *out)
{
    return store_one(store, store_bind(store, SQL_POLICY_DESKTOP, "i", desktop), out, read_desktop);
}

enum store_result store_policy_desktop_set(struct store *store, int64_t desktop,
                                           const struct store_desktop_policy *policy)
{
    return store_run_some(store,
                          store_bind(store, SQL_POLICY_DESKTOP_SET, "iiiii", desktop,
                                     (int64_t)policy->tunnels, (int64_t)policy->limits.idle_seconds,
                                     (int64_t)policy->limits.absolute_seconds,
                                     (int64_t)policy->step_up_seconds),
                          STORE_NONE);
}

/* ---- addresses ---- */

static void read_net(sqlite3_stmt *s, void *row)
{
    struct store_net *net = row;
    net->user = sqlite3_column_int(s, 0) != 0;
    store_column_text(s, 1, net->who, sizeof(net->who));
    net->allow = sqlite3_column_int(s, 2) != 0;
    if (!store_column_addr(s, 3, &net->net.base))
        memset(&net->net.base, 0, sizeof(net->net.base));
    net->net.bits = (uint8_t)sqlite3_column_int(s, 4);
}

struct net_each {
    int (*each)(void *owner, const struct store_net *net);
    void *owner;
};

static int each_net(void *owner, const void *row)
{
    struct net_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_policy_nets(struct store *store, int64_t user,
                                    int (*each)(void *owner, const struct store_net *), void *owner)
{
    struct net_each call = {each, owner};
    struct store_net net;
    return store_each(store, store_bind(store, SQL_POLICY_NETS, "i", user), &net, read_net,
                      each_net, &call);
}

enum store_result store_policy_net_list(struct store *store,
                                        int (*each)(void *owner, const struct store_net *),
                                        void *owner)
{
    struct net_each call = {each, owner};
    struct store_net net;
    return store_each(store, store_bind(store, SQL_POLICY_NET_LIST, ""), &net, read_net, each_net,
                      &call);
}

enum store_result store_policy_net_add(struct store *store, int64_t user, int64_t group, bool allow,
                                       const struct addr_net *net)
{
    return store_run(store, store_bind(store, SQL_POLICY_NET_ADD, "iiiai", user, group,
                                       (int64_t)allow, &net->base, (int64_t)net->bits));
}

enum store_result store_policy_net_remove(struct store *store, int64_t user, int64_t group,
                                          const struct addr_net *net)
{
    return store_run_some(store,
                          store_bind(store, SQL_POLICY_NET_REMOVE, "iiai", user, group, &net->base,
                                     (int64_t)net->bits),
                          STORE_NONE);
}
