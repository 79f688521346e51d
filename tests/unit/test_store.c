#include "store_backup.h"
#include "store_rig.h"
#include "store_sql.h"
#include "suite.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int count_up(void *owner)
{
    ++*(int *)owner;
    return 0;
}
static int count_users(void *owner, const struct store_user *user)
{
    (void)user;
    return count_up(owner);
}
static int count_sessions(void *owner, const struct store_session *session)
{
    (void)session;
    return count_up(owner);
}
static int count_tunnels(void *owner, const struct store_tunnel *tunnel)
{
    (void)tunnel;
    return count_up(owner);
}
static int count_grants(void *owner, const struct store_grant *grant)
{
    (void)grant;
    return count_up(owner);
}

/* ---- life ---- */

START_TEST(the_file_is_private)
{
    struct stat st;
    char wal[sizeof(store_rig_path) + 4];
    store_rig_add_user("a");
    ck_assert_int_eq(stat(store_rig_path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    snprintf(wal, sizeof(wal), "%s-wal", store_rig_path);
    ck_assert_int_eq(stat(wal, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(missing_newer_and_corrupt_are_told_apart)
{
    struct store *other = NULL;
    char why[256], elsewhere[sizeof(store_rig_path) + 8];
    snprintf(elsewhere, sizeof(elsewhere), "%s.x", store_rig_path);
    ck_assert_int_eq(store_open(&other, elsewhere, STORE_MUST_EXIST, why, sizeof(why)),
                     STORE_MISSING);
    ck_assert_int_eq(sqlite3_exec(store->db,
                                  "PRAGMA user_version = 999; PRAGMA application_id = 999", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(store_open(&other, store_rig_path, STORE_MUST_EXIST, why, sizeof(why)),
                     STORE_NEWER);
    ck_assert_ptr_nonnull(strstr(why, "999"));
    /* What is newer says that it only adds: programs that know this version may open it. */
    ck_assert_int_eq(sqlite3_exec(store->db, "PRAGMA application_id = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(store_open(&other, store_rig_path, STORE_MUST_EXIST, why, sizeof(why)),
                     STORE_OK);
    store_close(other);
    /* A step that changes things is not taken while another program has it open. */
    ck_assert_int_eq(sqlite3_exec(store->db, "PRAGMA user_version = 9", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(store_open(&other, store_rig_path, STORE_IN_COMPANY, why, sizeof(why)),
                     STORE_NEWER);
    ck_assert_ptr_nonnull(strstr(why, "restart"));
    int fd = open(elsewhere, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(store_open(&other, elsewhere, STORE_MUST_EXIST, why, sizeof(why)),
                     STORE_FAILED);
    ck_assert_ptr_nonnull(strstr(why, "is empty"));
    char rubbish[4096];
    memset(rubbish, 'x', sizeof(rubbish));
    ck_assert_int_eq(write(fd, rubbish, sizeof(rubbish)), sizeof(rubbish));
    close(fd);
    ck_assert_int_eq(store_open(&other, elsewhere, STORE_MUST_EXIST, why, sizeof(why)),
                     STORE_FAILED);
    ck_assert_ptr_nonnull(strstr(why, "not a database"));
    ck_assert_ptr_nonnull(strstr(why, "deskgate restore"));
}
END_TEST

START_TEST(a_file_that_was_taken_away_is_noticed)
{
    char away[sizeof(store_rig_path) + 8];
    snprintf(away, sizeof(away), "%s.away", store_rig_path);
    ck_assert(!store_moved(store));
    ck_assert_int_eq(rename(store_rig_path, away), 0);
    ck_assert(store_moved(store));
    ck_assert_int_eq(rename(away, store_rig_path), 0);
    ck_assert(!store_moved(store));
}
END_TEST

START_TEST(many_may_open_at_once)
{
    char fresh[sizeof(store_rig_path) + 8];
    snprintf(fresh, sizeof(fresh), "%s.many", store_rig_path);
    pid_t pids[6];
    for (int i = 0; i < 6; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct store *mine;
            char why[256];
            enum store_result result = store_open(&mine, fresh, STORE_CREATE, why, sizeof(why));
            if (result != STORE_OK)
                fprintf(stderr, "%s\n", why);
            _exit(result == STORE_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < 6; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

START_TEST(changes_of_others_are_noticed)
{
    struct store *other = store_rig_open_again();
    ck_assert(!store_changed(other));
    store_rig_add_user("a");
    ck_assert(store_changed(other));
    ck_assert(!store_changed(other));
    ck_assert(!store_changed(store)); /* its own */
    store_close(other);
}
END_TEST

START_TEST(what_was_restored_is_over)
{
    struct store_session session;
    int64_t alice = store_rig_add_user("alice"), desk = store_rig_add_desktop("desk");
    int64_t id = store_rig_add_session(alice, 1, 9000), until;
    static const uint8_t hash[32] = {1};
    store_rig_add_tunnel(id, alice, desk);
    ck_assert_int_eq(store_invitation_set(store, alice, hash, 1000, 9000), STORE_OK);
    ck_assert_int_eq(store_backup_settle(store, 2000), STORE_OK);
    ck_assert_int_eq(store_session_by_id(store, id, &session), STORE_OK);
    ck_assert_int_eq(session.ended_at, 2000);
    int count = 0;
    ck_assert_int_eq(store_tunnel_list(store, true, count_tunnels, &count), STORE_OK);
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(store_invitation_until(store, alice, 2000, &until), STORE_NONE);
}
END_TEST

START_TEST(check_is_clean)
{
    char why[256] = "";
    store_rig_add_user("a");
    ck_assert_msg(store_check(store, why, sizeof(why)) == STORE_OK, "%s", why);
}
END_TEST

START_TEST(rollback_forgets)
{
    struct store_user user;
    ck_assert_int_eq(store_begin(store), STORE_OK);
    store_rig_add_user("a");
    store_rollback(store);
    ck_assert_int_eq(store_user_by_name(store, "a", &user), STORE_NONE);
    store_rollback(store); /* outside a transaction: fine */
}
END_TEST

/* ---- people ---- */

START_TEST(users)
{
    struct store_user user, again = {.created_at = 1};
    int64_t id = store_rig_add_user("Alice"), other;
    ck_assert_int_eq(store_user_by_name(store, "aLiCe", &user), STORE_OK);
    ck_assert_str_eq(user.name, "Alice");
    ck_assert_int_eq(user.id, id);
    ck_assert_uint_eq(user.seed_size, 6);
    ck_assert_mem_eq(user.seed, "sealed", 6);
    text_copy(again.name, sizeof(again.name), "ALICE");
    ck_assert_int_eq(store_user_add(store, &again, &other), STORE_EXISTS);
    ck_assert_int_eq(store_user_set_password(store, id, "new", 1500), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 5, 2000), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 5, 2001), STORE_REFUSED);
    ck_assert_int_eq(store_user_set_seed(store, id, (const uint8_t *)"two", 3), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 1, 2000), STORE_OK);
    ck_assert_int_eq(store_user_set_disabled(store, id, true), STORE_OK);
    ck_assert_int_eq(store_user_by_id(store, id, &user), STORE_OK);
    ck_assert_str_eq(user.password, "new");
    ck_assert_int_eq(user.password_at, 1500);
    ck_assert_uint_eq(user.seed_size, 3);
    ck_assert_int_eq(user.signed_in_at, 2000);
    ck_assert(user.disabled);
    ck_assert_int_eq(store_user_set_password(store, 99, "x", 1500), STORE_NONE);
    ck_assert_int_eq(store_user_remove(store, id), STORE_OK);
    ck_assert_int_eq(store_user_remove(store, id), STORE_NONE);
    int count = 0;
    ck_assert_int_eq(store_user_list(store, count_users, &count), STORE_OK);
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(a_step_is_used_once)
{
    struct store *other = store_rig_open_again();
    int64_t id = store_rig_add_user("a");
    ck_assert_int_eq(store_user_use_step(store, id, 100, 1), STORE_OK);
    ck_assert_int_eq(store_user_use_step(other, id, 100, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_use_step(other, id, 99, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_use_step(other, id, 101, 1), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 101, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_set_disabled(store, id, true), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 102, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_use_step(store, 77, 1, 1), STORE_REFUSED);
    store_close(other);
}
END_TEST

/* ---- grants ---- */

static int collect(void *owner, const struct store_granted *granted)
{
    strcat(owner, granted->desktop.name);
    strcat(owner, " ");
    return 0;
}

START_TEST(grants)
{
    int64_t alice = store_rig_add_user("alice"), bob = store_rig_add_user("bob"), group;
    int64_t one = store_rig_add_desktop("one"), two = store_rig_add_desktop("Two");
    struct store_desktop found;
    char names[100] = "";
    int count = 0;
    ck_assert_int_eq(store_group_add(store, STORE_OF_PEOPLE, "sales", &group), STORE_OK);
    ck_assert_int_eq(store_group_add(store, STORE_OF_PEOPLE, "SALES", &group), STORE_EXISTS);
    ck_assert_int_eq(store_granted(store, alice, "one", &found), STORE_NONE);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = alice, .what = one}),
                     STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = alice, .what = one}),
                     STORE_EXISTS);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = 99, .what = one}),
                     STORE_NONE);
    ck_assert_int_eq(
        store_grant_add(store, &(struct store_grant_key){.group = true, .who = group, .what = two}),
        STORE_OK);
    ck_assert_int_eq(store_granted(store, alice, "ONE", &found), STORE_OK);
    ck_assert_str_eq(found.host, "10.0.0.1");
    ck_assert_int_eq(store_granted(store, alice, "two", &found), STORE_NONE);
    ck_assert_int_eq(store_group_join(store, STORE_OF_PEOPLE, group, alice), STORE_OK);
    ck_assert_int_eq(store_group_join(store, STORE_OF_PEOPLE, group, alice), STORE_EXISTS);
    ck_assert_int_eq(store_granted(store, alice, "two", &found), STORE_OK);
    ck_assert_int_eq(store_granted(store, bob, "two", &found), STORE_NONE);
    ck_assert_int_eq(store_granted_list(store, alice, "", 10, collect, names), STORE_OK);
    ck_assert_str_eq(names, "one Two ");
    names[0] = '\0';
    ck_assert_int_eq(store_granted_list(store, alice, "ONE", 10, collect, names), STORE_OK);
    ck_assert_str_eq(names, "Two ");
    ck_assert_int_eq(store_grant_list(store, count_grants, &count), STORE_OK);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(store_user_set_disabled(store, alice, true), STORE_OK);
    ck_assert_int_eq(store_granted(store, alice, "one", &found), STORE_NONE);
    ck_assert_int_eq(store_user_set_disabled(store, alice, false), STORE_OK);
    ck_assert_int_eq(store_group_leave(store, STORE_OF_PEOPLE, group, alice), STORE_OK);
    ck_assert_int_eq(store_granted(store, alice, "two", &found), STORE_NONE);
    ck_assert_int_eq(
        store_grant_remove(store, &(struct store_grant_key){.who = alice, .what = one}), STORE_OK);
    ck_assert_int_eq(
        store_grant_remove(store, &(struct store_grant_key){.who = alice, .what = one}),
        STORE_NONE);
    ck_assert_int_eq(store_granted(store, alice, "one", &found), STORE_NONE);
}
END_TEST

/* ---- sessions and tunnels ---- */

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
    return count_up(owner);
}

START_TEST(tunnels)
{
    int64_t user = store_rig_add_user("a"), desktop = store_rig_add_desktop("d");
    int64_t session = store_rig_add_session(user, 1, 9000),
            tunnel = store_rig_add_tunnel(session, user, desktop);
    int count = 0;
    ck_assert_int_eq(store_tunnel_counts(store, tunnel, 5, 6), STORE_OK);
    ck_assert_int_eq(store_tunnel_list(store, true, count_tunnels, &count), STORE_OK);
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

/* ---- audit, throttling ---- */

static int last_event(void *owner, const struct store_audit *audit)
{
    strcat(owner, audit->event);
    strcat(owner, " ");
    return 0;
}

START_TEST(the_audit_log_only_grows)
{
    struct store_audit row = {.at_ms = 1000, .has_address = true};
    char events[100] = "";
    for (int i = 0; i < 4; i++) {
        snprintf(row.event, sizeof(row.event), "e%d", i);
        row.at_ms += 10;
        text_copy(row.who, sizeof(row.who), i % 2 ? "Alice" : "bob");
        ck_assert_int_eq(store_audit_add(store, &row), STORE_OK);
    }
    ck_assert_int_ne(sqlite3_exec(store->db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_ne(sqlite3_exec(store->db, "UPDATE audit SET who = 'x'", NULL, NULL, NULL),
                     SQLITE_OK);
    struct store_audit_filter filter = {.last = 2};
    store_audit_list(store, &filter, last_event, events);
    ck_assert_str_eq(events, "e2 e3 ");
    events[0] = '\0';
    filter = (struct store_audit_filter){.who = "alice"};
    store_audit_list(store, &filter, last_event, events);
    ck_assert_str_eq(events, "e1 e3 ");
    events[0] = '\0';
    filter = (struct store_audit_filter){.event = "e2", .since_ms = 1030, .after_id = 1};
    store_audit_list(store, &filter, last_event, events);
    ck_assert_str_eq(events, "e2 ");
}
END_TEST

START_TEST(throttling)
{
    const struct store_throttle_of of = {.key = "k", .bucket = "address"};
    struct store_throttle row = {.failures = 3, .since = 10, .last_at = 20};
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_NONE);
    ck_assert_int_eq(store_throttle_set(store, &of, &row), STORE_OK);
    row.failures = 4;
    ck_assert_int_eq(store_throttle_set(store, &of, &row), STORE_OK);
    row = (struct store_throttle){0};
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(row.failures, 4);
    ck_assert_int_eq(store_throttle_sweep(store, 20), STORE_OK);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(store_throttle_sweep(store, 21), STORE_OK);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_NONE);
    ck_assert_int_eq(store_throttle_clear(store, "k"), STORE_OK);
}
END_TEST

static unsigned listed;

static int count_item(void *owner, const struct store_throttle_item *item)
{
    const char *name = owner;
    listed += strcmp(item->user_name, name) == 0;
    return 0;
}

static unsigned listed_of(const char *name)
{
    char copy[TEXT_NAME_SIZE];
    text_copy(copy, sizeof(copy), name);
    listed = 0;
    ck_assert_int_eq(store_throttle_list(store, count_item, copy), STORE_OK);
    return listed;
}

START_TEST(buckets_are_listed_and_cleared)
{
    int64_t alice = store_rig_add_user("alice");
    const struct store_throttle row = {.failures = 3, .since = 10, .last_at = 20};
    struct store_throttle_of of[] = {{.key = "1", .bucket = "person", .user = alice},
                                     {.key = "2", .bucket = "person"},
                                     {.key = "3", .bucket = "address", .has_net = true},
                                     {.key = "4", .bucket = "address-wide", .has_net = true}};
    ck_assert(addr_net_parse(&of[2].net, "192.0.2.7"));
    ck_assert(addr_net_parse(&of[3].net, "192.0.2.0/24"));
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(store_throttle_set(store, &of[i], &row), STORE_OK);
    ck_assert_uint_eq(listed_of("alice"), 1);
    ck_assert_uint_eq(listed_of(""), 3);
    of[1].user = alice; /* somebody has the name by now */
    ck_assert_int_eq(store_throttle_set(store, &of[1], &row), STORE_OK);
    ck_assert_uint_eq(listed_of("alice"), 2);
    ck_assert_int_eq(store_throttle_clear_user(store, alice), STORE_OK);
    ck_assert_int_eq(store_throttle_clear_user(store, alice), STORE_NONE);
    ck_assert_int_eq(store_throttle_clear_place(store, &of[3].net), STORE_OK);
    ck_assert_int_eq(store_throttle_clear_place(store, &of[3].net), STORE_NONE);
    ck_assert_uint_eq(listed_of(""), 1);
    ck_assert_int_eq(store_throttle_clear_all(store), STORE_OK);
    ck_assert_int_eq(store_throttle_clear_all(store), STORE_NONE);
}
END_TEST

/* At most eight of a person; the one that was not used for longest goes. All go with whatever may
 * have come to be known by somebody else. */
START_TEST(browsers_are_known_until_something_changes)
{
    int64_t alice = store_rig_add_user("alice"), bob = store_rig_add_user("bob");
    uint8_t hashes[10][32];
    for (uint8_t i = 0; i < 10; i++) {
        memset(hashes[i], i + 1, 32);
        ck_assert_int_eq(store_browser_add(store, hashes[i], alice, 100 + i), STORE_OK);
        if (i == 7)
            ck_assert_int_eq(store_browser_use(store, hashes[0], 200), STORE_OK);
    }
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], bob), STORE_NONE);
    ck_assert_int_eq(store_browser_known(store, hashes[1], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_known(store, hashes[2], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_known(store, hashes[3], alice), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_use(store, hashes[3], 300), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[3], alice), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[3], alice), STORE_NONE);
    ck_assert_int_eq(store_user_use_step(store, alice, 5, 300), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_OK);
    ck_assert_int_eq(store_user_set_password(store, alice, "another", 300), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_add(store, hashes[0], alice, 400), STORE_OK);
    ck_assert_int_eq(store_user_set_seed(store, alice, (const uint8_t *)"new", 3), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_add(store, hashes[0], alice, 500), STORE_OK);
    ck_assert_int_eq(store_user_set_disabled(store, alice, true), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_add(store, hashes[0], bob, 500), STORE_OK);
    ck_assert_int_eq(store_browser_sweep(store, 501), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], bob), STORE_NONE);
}
END_TEST

/* ---- kill -9 ---- */

/* Writes people and steps, and acknowledges each only when the store said OK. */
static void write_until_killed(int acknowledge)
{
    struct store *mine;
    char why[256];
    if (store_open(&mine, store_rig_path, STORE_MUST_EXIST, why, sizeof(why)) != STORE_OK)
        _exit(1);
    for (int32_t i = 0;; i++) {
        struct store_user user = {.seed = "s", .seed_size = 1, .created_at = i};
        struct store_audit audit = {.at_ms = i, .event = "user-add"};
        int64_t id;
        snprintf(user.name, sizeof(user.name), "u%d-%d", (int)getpid(), (int)i);
        text_copy(audit.who, sizeof(audit.who), user.name);
        if (store_begin(mine) != STORE_OK || store_user_add(mine, &user, &id) != STORE_OK ||
            store_user_use_step(mine, id, i + 1, i + 1) != STORE_OK ||
            store_audit_add(mine, &audit) != STORE_OK || store_commit(mine) != STORE_OK)
            _exit(1);
        if (write(acknowledge, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
}

static int count_audit(void *owner, const struct store_audit *audit)
{
    (void)audit;
    return count_up(owner);
}

START_TEST(nothing_acknowledged_is_lost)
{
    for (int round = 0; round < 30; round++) {
        int pipes[2], status;
        ck_assert_int_eq(pipe(pipes), 0);
        pid_t pid = fork();
        if (pid == 0)
            write_until_killed(pipes[1]);
        close(pipes[1]);
        int32_t last = -1, got;
        int wanted = 1 + rand() % 20;
        while (last + 1 < wanted && read(pipes[0], &got, sizeof(got)) == sizeof(got))
            last = got;
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        while (read(pipes[0], &got, sizeof(got)) == sizeof(got))
            last = got;
        close(pipes[0]);
        ck_assert_int_ge(last, 0);
        for (int32_t i = 0; i <= last; i++) {
            char name[64];
            struct store_user user;
            snprintf(name, sizeof(name), "u%d-%d", (int)pid, (int)i);
            ck_assert_int_eq(store_user_by_name(store, name, &user), STORE_OK);
            ck_assert_int_eq(user.signed_in_at, i + 1);
        }
    }
    /* Nothing half: every person has exactly one audit row. */
    int people = 0, rows = 0;
    char why[256] = "";
    struct store_audit_filter filter = {0};
    store_user_list(store, count_users, &people);
    store_audit_list(store, &filter, count_audit, &rows);
    ck_assert_int_eq(people, rows);
    ck_assert_msg(store_check(store, why, sizeof(why)) == STORE_OK, "%s", why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_file_is_private);
    tcase_add_test(tests, missing_newer_and_corrupt_are_told_apart);
    tcase_add_test(tests, a_file_that_was_taken_away_is_noticed);
    tcase_add_test(tests, many_may_open_at_once);
    tcase_add_test(tests, changes_of_others_are_noticed);
    tcase_add_test(tests, what_was_restored_is_over);
    tcase_add_test(tests, check_is_clean);
    tcase_add_test(tests, rollback_forgets);
    tcase_add_test(tests, users);
    tcase_add_test(tests, a_step_is_used_once);
    tcase_add_test(tests, grants);
    tcase_add_test(tests, sessions);
    tcase_add_test(tests, the_sweep);
    tcase_add_test(tests, verdicts);
    tcase_add_test(tests, tunnels);
    tcase_add_test(tests, the_audit_log_only_grows);
    tcase_add_test(tests, throttling);
    tcase_add_test(tests, buckets_are_listed_and_cleared);
    tcase_add_test(tests, browsers_are_known_until_something_changes);
    tcase_add_test(tests, nothing_acknowledged_is_lost);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
