/* Sessions and tunnels, and why one must end. */
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static int count_sessions(void *owner, const struct store_session *session)
{
    (void)session;
    return store_rig_count(owner);
}

START_TEST(sessions)
{
    int64_t user = store_rig_add_user("a"), id = store_rig_add_session(user, 1, 9000);
    struct store_session session;
    uint8_t hash[32];
    memset(hash, 1, sizeof(hash));
    ck_assert_int_eq(store_session_by_hash(store, hash, &session), STORE_OK);
    ck_assert_int_eq(session.id, id);
    ck_assert_str_eq(session.user_name, "a");
    ck_assert_int_eq(session.used_at, 1000);
    hash[31] = 0;
    ck_assert_int_eq(store_session_by_hash(store, hash, &session), STORE_NONE);
    ck_assert_int_eq(store_session_use(store, id, 1500), STORE_OK);
    ck_assert_int_eq(store_session_use(store, id, 1400), STORE_OK);
    ck_assert_int_eq(store_session_by_id(store, id, &session), STORE_OK);
    ck_assert_int_eq(session.used_at, 1500);
    ck_assert_int_eq(store_session_end(store, id, 1600, "signed-out"), STORE_OK);
    ck_assert_int_eq(store_session_end(store, id, 1601, "admin"), STORE_REFUSED);
    ck_assert_int_eq(store_session_by_id(store, id, &session), STORE_OK);
    ck_assert_str_eq(session.end, "signed-out");
}
END_TEST

START_TEST(the_sweep)
{
    int64_t user = store_rig_add_user("a"), desktop = store_rig_add_desktop("d");
    int64_t expired = store_rig_add_session(user, 1, 2000),
            idle = store_rig_add_session(user, 2, 9000);
    int64_t busy = store_rig_add_session(user, 3, 9000);
    bool over = false;
    store_rig_add_tunnel(busy, user, desktop);
    ck_assert_int_eq(store_session_sweep(store, 2000, 1500, 0, &over), STORE_OK);
    ck_assert(over);
    struct store_session session;
    ck_assert_int_eq(store_session_by_id(store, expired, &session), STORE_OK);
    ck_assert_str_eq(session.end, "expired");
    ck_assert_int_eq(store_session_by_id(store, idle, &session), STORE_OK);
    ck_assert_str_eq(session.end, "idle");
    ck_assert_int_eq(store_session_by_id(store, busy, &session), STORE_OK);
    ck_assert_int_eq(session.ended_at, 0);
    ck_assert_int_eq(store_session_sweep(store, 2001, 1500, 2001, &over), STORE_OK);
    ck_assert(!over);
    int count = 0;
    ck_assert_int_eq(store_session_list(store, false, count_sessions, &count), STORE_OK);
    ck_assert_int_eq(count, 1);
}
END_TEST

static enum store_tunnel_verdict verdict(int64_t tunnel)
{
    enum store_tunnel_verdict verdict = (enum store_tunnel_verdict) - 1;
    ck_assert_int_eq(store_tunnel_verdict(store, tunnel, &verdict), STORE_OK);
    return verdict;
}

START_TEST(verdicts)
{
    int64_t user = store_rig_add_user("a"), desktop = store_rig_add_desktop("d"), group;
    int64_t session = store_rig_add_session(user, 1, 9000),
            tunnel = store_rig_add_tunnel(session, user, desktop);
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_NO_GRANT);
    store_group_add(store, STORE_OF_PEOPLE, "g", &group);
    store_group_join(store, STORE_OF_PEOPLE, group, user);
    store_grant_add(store, &(struct store_grant_key){.group = true, .who = group, .what = desktop});
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_MAY);
    store_group_leave(store, STORE_OF_PEOPLE, group, user);
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_NO_GRANT);
    store_grant_add(store, &(struct store_grant_key){.who = user, .what = desktop});
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_MAY);
    struct store_desktop moved;
    store_desktop_by_name(store, "d", &moved);
    text_copy(moved.description, sizeof(moved.description), "renamed");
    store_desktop_set(store, &moved);
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_MAY);
    moved.port = 3390;
    store_desktop_set(store, &moved);
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_NO_GRANT);
    moved.port = 3389;
    store_desktop_set(store, &moved);
    store_user_set_disabled(store, user, true);
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_USER_DISABLED);
    store_user_set_disabled(store, user, false);
    ck_assert_int_eq(store_tunnel_request_end(store, tunnel), STORE_OK);
    ck_assert_int_eq(verdict(tunnel), STORE_TUNNEL_REQUESTED);
    int64_t second = store_rig_add_tunnel(session, user, desktop);
    store_session_end(store, session, 2000, "signed-out");
    ck_assert_int_eq(verdict(second), STORE_TUNNEL_SIGNED_OUT);
    int64_t other = store_rig_add_session(user, 2, 9000),
            third = store_rig_add_tunnel(other, user, desktop);
    store_session_end(store, other, 2000, "admin");
    ck_assert_int_eq(verdict(third), STORE_TUNNEL_SESSION_ENDED);
    store_desktop_remove(store, desktop);
    store_user_remove(store, user);
    ck_assert_int_eq(verdict(third), STORE_TUNNEL_USER_DISABLED);
}
END_TEST

static int see_names(void *owner, const struct store_tunnel *tunnel)
{
    ck_assert_str_eq(tunnel->user_name, "a");
    ck_assert_str_eq(tunnel->desktop_name, "d");
    ck_assert_uint_eq(tunnel->up, 10);
    ck_assert_str_eq(tunnel->end, "client");
    return store_rig_count(owner);
}

START_TEST(tunnels)
{
    int64_t user = store_rig_add_user("a"), desktop = store_rig_add_desktop("d");
    int64_t session = store_rig_add_session(user, 1, 9000),
            tunnel = store_rig_add_tunnel(session, user, desktop);
    int count = 0;
    ck_assert_int_eq(store_tunnel_counts(store, tunnel, 5, 6), STORE_OK);
    ck_assert_int_eq(store_tunnel_list(store, true, store_rig_count_tunnel, &count), STORE_OK);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(store_tunnel_end(store, tunnel, 1100, 10, 20, "client"), STORE_OK);
    ck_assert_int_eq(store_tunnel_end(store, tunnel, 1101, 10, 20, "client"), STORE_REFUSED);
    ck_assert_int_eq(store_tunnel_request_end(store, tunnel), STORE_REFUSED);
    ck_assert_int_eq(store_tunnel_request_end(store, 99), STORE_NONE);
    store_user_remove(store, user);
    store_desktop_remove(store, desktop);
    count = 0;
    ck_assert_int_eq(store_tunnel_list(store, false, see_names, &count), STORE_OK);
    ck_assert_int_eq(count, 1);
    struct store_tunnel lost = {.session = session, .user = user, .desktop = desktop};
    ck_assert_int_eq(store_tunnel_add(store, &lost, &tunnel), STORE_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_tunnels");
    TCase *tests = tcase_create("store_tunnels");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, sessions);
    tcase_add_test(tests, the_sweep);
    tcase_add_test(tests, verdicts);
    tcase_add_test(tests, tunnels);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
