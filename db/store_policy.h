/* What an administrator says beyond grants: dates, hours, addresses, numbers (0 and "" say
 * nothing). Results as in store.h. */
#pragma once

#include "store.h"

struct store_limits { /* of a connection; seconds, 0: what the configuration says */
    uint32_t idle_seconds, absolute_seconds;
};

struct store_person_policy {
    char name[TEXT_NAME_SIZE]; /* out only */
    bool disabled;             /* out only */
    int64_t valid_from, valid_until;
    uint32_t tunnels; /* live ones at once, at most */
    struct store_limits limits;
};
enum store_result store_policy_person(struct store *, int64_t user,
                                      struct store_person_policy *out);
enum store_result store_policy_person_set(struct store *, int64_t user,
                                          const struct store_person_policy *);

struct store_desktop_policy {
    char name[TEXT_NAME_SIZE]; /* out only */
    uint32_t tunnels;
    struct store_limits limits;
    uint32_t step_up_seconds; /* its second factor is to be as fresh; 0: as old as the session */
};
enum store_result store_policy_desktop(struct store *, int64_t desktop,
                                       struct store_desktop_policy *out);
enum store_result store_policy_desktop_set(struct store *, int64_t desktop,
                                           const struct store_desktop_policy *);

struct store_net {
    bool user;                /* a person's */
    char who[TEXT_NAME_SIZE]; /* … or else a group's; "": the gateway's */
    bool allow;
    struct addr_net net;
};
/* Those that apply to a person: the gateway's, the person's, the groups'. `who` of a person's is ""
 * here. */
enum store_result store_policy_nets(struct store *, int64_t user,
                                    int (*each)(void *owner, const struct store_net *),
                                    void *owner);
enum store_result store_policy_net_list(struct store *,
                                        int (*each)(void *owner, const struct store_net *),
                                        void *owner);
/* `user` and `group` are numbers, 0: none. EXISTS: there is an entry for this net already. */
enum store_result store_policy_net_add(struct store *, int64_t user, int64_t group, bool allow,
                                       const struct addr_net *net);
enum store_result store_policy_net_remove(struct store *, int64_t user, int64_t group,
                                          const struct addr_net *net);
