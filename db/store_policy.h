/* What an administrator says beyond grants: dates, hours, addresses, numbers (0 and "" say
 * nothing). Results as in store.h. */
#pragma once

#include "store.h"

struct store_person_policy {
    char name[TEXT_NAME_SIZE]; /* out only */
    bool disabled;             /* out only */
    int64_t valid_from, valid_until;
    uint32_t tunnels; /* live ones at once, at most */
};
enum store_result store_policy_person(struct store *, int64_t user,
                                      struct store_person_policy *out);
enum store_result store_policy_person_set(struct store *, int64_t user,
                                          const struct store_person_policy *);

struct store_desktop_policy {
    char name[TEXT_NAME_SIZE]; /* out only */
    uint32_t tunnels;
};
enum store_result store_policy_desktop(struct store *, int64_t desktop,
                                       struct store_desktop_policy *out);
enum store_result store_policy_desktop_set(struct store *, int64_t desktop,
                                           const struct store_desktop_policy *);

#define STORE_HOURS_SIZE 257
struct store_terms {
    char group[TEXT_NAME_SIZE]; /* out only: whose grant it is; "" the person's own */
    int64_t valid_from, valid_until;
    char hours[STORE_HOURS_SIZE]; /* keeper/hours.h */
};
/* Of each grant that the person has for the desktop, directly or by a group. */
enum store_result store_policy_grants(struct store *, int64_t user, int64_t desktop,
                                      int (*each)(void *owner, const struct store_terms *),
                                      void *owner);
/* Of one grant; NONE when there is no such. */
enum store_result store_policy_grant(struct store *, bool group, int64_t who, int64_t desktop,
                                     struct store_terms *out);
enum store_result store_policy_grant_set(struct store *, bool group, int64_t who, int64_t desktop,
                                         const struct store_terms *);

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
