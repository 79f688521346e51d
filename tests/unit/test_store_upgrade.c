/* How the store takes a database of an older schema: with a whole copy beside it, or not at all. */
#include "store_rig.h"
#include "store_sql.h"
#include "suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A database of the first schema, with one person in it, and where its copy belongs. */
static char old_path[sizeof(store_rig_path) + 256], old_copy[sizeof(old_path) + 16];

static void make_old(const char *name, const char *person)
{
    char sql[256];
    sqlite3 *db;
    snprintf(old_path, sizeof(old_path), "%.*s/%s",
             (int)(strrchr(store_rig_path, '/') - store_rig_path), store_rig_path, name);
    snprintf(old_copy, sizeof(old_copy), "%s.before-v2", old_path);
    unlink(old_path);
    snprintf(sql, sizeof(sql),
             "INSERT INTO users (name, password, seed, created_at) VALUES ('%s', 'x', x'00', 1);"
             "PRAGMA user_version = 1",
             person);
    ck_assert_int_eq(sqlite3_open(old_path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql_steps[0], NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void upgrade_old(const char *person)
{
    struct store *upgraded;
    struct store_user user;
    char why[512] = "";
    ck_assert_msg(store_open(&upgraded, old_path, STORE_MUST_EXIST, why, sizeof(why)) == STORE_OK,
                  "%s", why);
    ck_assert_int_eq(store_user_by_name(upgraded, person, &user), STORE_OK);
    store_close(upgraded);
}

static void copy_has(const char *sql, const char *expected)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open_v2(old_copy, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(statement, 0), expected);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void copy_is_whole(const char *person)
{
    struct stat st;
    ck_assert_int_eq(stat(old_copy, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    copy_has("PRAGMA integrity_check", "ok");
    copy_has("PRAGMA user_version", "1");
    copy_has("SELECT name FROM users", person);
}

static void write_file(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
    close(fd);
}

START_TEST(an_older_schema_is_upgraded_with_a_backup)
{
    make_old("old.db", "kept");
    upgrade_old("kept");
    copy_is_whole("kept");
}
END_TEST

START_TEST(the_backup_before_an_upgrade_is_whole_whatever_lies_there)
{
    static const char torn[] = "SQLite format 3\0of which the rest was not written any more";
    char journal[sizeof(old_copy) + 16];
    make_old("old.db", "kept");
    write_file(old_copy, "", 0);
    upgrade_old("kept");
    copy_is_whole("kept");
    make_old("old.db", "again"); /* gone back to what was before, and upgraded later */
    upgrade_old("again");
    copy_is_whole("again");
    make_old("old.db", "kept");
    write_file(old_copy, torn, sizeof(torn));
    snprintf(journal, sizeof(journal), "%s-journal", old_copy);
    write_file(journal, torn, sizeof(torn));
    upgrade_old("kept");
    ck_assert_int_ne(access(journal, F_OK), 0);
    copy_is_whole("kept");
}
END_TEST

START_TEST(copies_that_were_not_finished_are_removed)
{
    char left[sizeof(old_copy) + 16], journal[sizeof(left) + 16], held[sizeof(left)];
    char similar[sizeof(left)];
    make_old("old.db", "kept");
    snprintf(left, sizeof(left), "%s.aB3xYz", old_copy);
    snprintf(journal, sizeof(journal), "%s-journal", left);
    snprintf(held, sizeof(held), "%s.b00000", old_copy);
    snprintf(similar, sizeof(similar), "%s.mine", old_copy);
    write_file(left, "x", 1);
    write_file(journal, "x", 1);
    write_file(held, "x", 1);
    write_file(similar, "x", 1);
    int fd = open(held, O_RDWR | O_CLOEXEC); /* another process is at it */
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    upgrade_old("kept");
    ck_assert_int_ne(access(left, F_OK), 0);
    ck_assert_int_ne(access(journal, F_OK), 0);
    ck_assert_int_eq(access(held, F_OK), 0);
    ck_assert_int_eq(access(similar, F_OK), 0);
    close(fd);
    copy_is_whole("kept");
}
END_TEST

START_TEST(no_upgrade_without_a_backup_and_why)
{
    struct store *upgraded;
    char name[246], why[1024] = ""; /* room for "-journal" within NAME_MAX, and not for a copy's */
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    make_old(name, "kept");
    ck_assert_int_eq(store_open(&upgraded, old_path, STORE_MUST_EXIST, why, sizeof(why)),
                     STORE_FAILED);
    ck_assert_msg(strstr(why, "the backup before the upgrade failed: File name too long"), "%s",
                  why);
    memcpy(old_copy, old_path, sizeof(old_path));
    copy_has("PRAGMA user_version", "1"); /* untouched */
}
END_TEST

START_TEST(many_may_upgrade_at_once)
{
    pid_t pids[6];
    make_old("old.db", "kept");
    for (int i = 0; i < 6; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            upgrade_old("kept");
            _exit(0);
        }
    }
    for (int i = 0; i < 6; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
    copy_is_whole("kept");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_upgrade");
    TCase *tests = tcase_create("store_upgrade");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, an_older_schema_is_upgraded_with_a_backup);
    tcase_add_test(tests, the_backup_before_an_upgrade_is_whole_whatever_lies_there);
    tcase_add_test(tests, copies_that_were_not_finished_are_removed);
    tcase_add_test(tests, no_upgrade_without_a_backup_and_why);
    tcase_add_test(tests, many_may_upgrade_at_once);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
