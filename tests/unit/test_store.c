/* The file: who may read it, what is wrong with it, what outlives a kill -9. */
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

static int count_audit(void *owner, const struct store_audit *audit)
{
    (void)audit;
    return store_rig_count(owner);
}

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
    ck_assert_int_eq(store_tunnel_list(store, true, store_rig_count_tunnel, &count), STORE_OK);
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
    store_user_list(store, store_rig_count_user, &people);
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
    tcase_add_test(tests, nothing_acknowledged_is_lost);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
