/* The audit log, to which rows are only added, and its chain: what each kind of tampering is
 * called, that the head's seal cannot be had by adding to a forgery, and that rows from before the
 * chain are covered. */
#include "audit_chain.h"
#include "sql.h"
#include "store_audit.h"
#include "store_rig.h"
#include "store_sql.h"
#include "suite.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t key[32] = {7, 7, 7}, other_key[32] = {8};

static void add(const char *detail)
{
    struct store_audit row = {.at_ms = 1000, .has_address = true, .event = "sign-in"};
    text_copy(row.who, sizeof(row.who), "alice");
    text_copy(row.detail, sizeof(row.detail), detail);
    ck_assert_int_eq(store_audit_add(store, &row), STORE_OK);
}

static void add_ten(void)
{
    char detail[16];
    for (int i = 1; i <= 10; i++) {
        snprintf(detail, sizeof(detail), "row %d", i);
        add(detail);
    }
}

/* As somebody does who has the file and sqlite3. */
static void tamper(const char *sql)
{
    static const char off[] =
        "DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_removed;"
        "DROP TRIGGER IF EXISTS audit_is_linked;"
        "DROP TRIGGER IF EXISTS audit_checkpoints_are_true;"
        "DROP TRIGGER IF EXISTS audit_checkpoints_are_not_removed;";
    sqlite3 *db;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(store_rig_path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, off, NULL, NULL, NULL), SQLITE_OK);
    int code = sqlite3_exec(db, sql, NULL, NULL, &why);
    ck_assert_msg(code == SQLITE_OK, "%s: %s", sql, why);
    sqlite3_close(db);
}

static struct store_audit_walk walk_by(int64_t most)
{
    struct store_audit_walk walk = {0};
    for (int i = 0; i < 100 && !walk.ended; i++)
        ck_assert_int_eq(store_audit_verify(store, &walk, most), STORE_OK);
    ck_assert(walk.ended);
    return walk;
}

static void expect(enum store_audit_fault fault, int64_t last, int64_t bad)
{
    for (int64_t most = 0; most < 12; most++) { /* however it is cut into pieces */
        struct store_audit_walk walk = walk_by(most);
        ck_assert_int_eq(walk.fault, fault);
        ck_assert_int_eq(walk.last, last);
        ck_assert_int_eq(walk.bad, bad);
    }
}

static void setup(void)
{
    store_rig_setup();
    store_audit_key(store, key);
}

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

START_TEST(an_untouched_log_is_whole)
{
    struct store *again = store_rig_open_again();
    expect(STORE_AUDIT_WHOLE, 0, 0);
    add_ten();
    expect(STORE_AUDIT_WHOLE, 10, 0);
    store_audit_key(again, key);
    struct store_audit row = {.at_ms = 1, .event = "by-another"};
    ck_assert_int_eq(store_begin(again), STORE_OK);
    ck_assert_int_eq(store_audit_add(again, &row), STORE_OK);
    ck_assert_int_eq(store_audit_add(again, &row), STORE_OK);
    store_rollback(again);
    ck_assert_int_eq(store_audit_add(again, &row), STORE_OK);
    store_close(again);
    add("and one more");
    expect(STORE_AUDIT_WHOLE, 12, 0);
}
END_TEST

#define REFORGE                                                                                    \
    "UPDATE audit SET chain = x'"                                                                  \
    "0000000000000000000000000000000000000000000000000000000000000000' WHERE id = "
#define ZERO_LINK "x'0000000000000000000000000000000000000000000000000000000000000000'"

static const struct {
    const char *sql;
    enum store_audit_fault fault;
    int64_t last, bad;
} cases[] = {
    /* columns */
    {"UPDATE audit SET at_ms = 999 WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET event = 'sign-out' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET outcome = 'ok' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET who = 'bob' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET by = 'x' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET desktop = 'x' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET conn = 'x' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET address = NULL WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET address = x'00000000000000000000ffff01020304' WHERE id = 5",
     STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET detail = 'row 5 ' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET detail = who, who = detail WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET who = 'alicerow', detail = ' 5' WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET chain = NULL WHERE id = 5", STORE_AUDIT_CHANGED, 4, 5},
    {REFORGE "5", STORE_AUDIT_CHANGED, 4, 5},
    {"UPDATE audit SET detail = 'x' WHERE id = 1", STORE_AUDIT_CHANGED, 0, 1},
    {"UPDATE audit SET detail = 'x' WHERE id = 10", STORE_AUDIT_CHANGED, 9, 10},
    {"UPDATE audit SET detail = 'x'", STORE_AUDIT_CHANGED, 0, 1},
    /* rows removed */
    {"DELETE FROM audit WHERE id = 1", STORE_AUDIT_REMOVED, 0, 2},
    {"DELETE FROM audit WHERE id = 5", STORE_AUDIT_REMOVED, 4, 6},
    {"DELETE FROM audit WHERE id IN (5, 6, 7)", STORE_AUDIT_REMOVED, 4, 8},
    {"DELETE FROM audit WHERE id = 5; UPDATE audit SET id = id - 1 WHERE id > 5",
     STORE_AUDIT_CHANGED, 4, 5},
    /* … at the end, and all of them */
    {"DELETE FROM audit WHERE id = 10", STORE_AUDIT_CUT, 9, 10},
    {"DELETE FROM audit WHERE id > 6", STORE_AUDIT_CUT, 6, 10},
    {"DELETE FROM audit", STORE_AUDIT_CUT, 0, 10},
    {"DELETE FROM audit; DELETE FROM sqlite_sequence", STORE_AUDIT_CUT, 0, 10},
    /* moved */
    {"UPDATE audit SET id = 99 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4;"
     "UPDATE audit SET id = 4 WHERE id = 99",
     STORE_AUDIT_CHANGED, 2, 3},
    {"UPDATE audit SET detail = 'row 4' WHERE id = 3; "
     "UPDATE audit SET detail = 'row 3' WHERE id = 4",
     STORE_AUDIT_CHANGED, 2, 3},
    {"UPDATE audit SET id = 11 WHERE id = 4", STORE_AUDIT_REMOVED, 3, 5},
    /* put in */
    {"UPDATE audit SET id = id + 1000 WHERE id > 4; UPDATE audit SET id = id - 999 WHERE id > 4;"
     "INSERT INTO audit SELECT 5, at_ms, event, outcome, who, by, desktop, conn, address, detail, "
     "chain FROM audit WHERE id = 4",
     STORE_AUDIT_CHANGED, 4, 5},
    {"INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, detail, chain) "
     "VALUES (1, 'e', 'o', 'w', '', '', '', '', " ZERO_LINK ")",
     STORE_AUDIT_CHANGED, 10, 11},
    {"INSERT INTO audit (id, at_ms, event, outcome, who, by, desktop, conn, detail, chain) "
     "VALUES (0, 1, 'e', 'o', 'w', '', '', '', '', " ZERO_LINK ")",
     STORE_AUDIT_RETURNED, 0, 0},
    /* the head */
    {"DELETE FROM audit_head", STORE_AUDIT_UNSEALED, 10, 10},
    {"UPDATE audit_head SET seal = NULL", STORE_AUDIT_UNSEALED, 10, 10},
    {"UPDATE audit_head SET id = 9", STORE_AUDIT_UNSEALED, 10, 10},
    {"UPDATE audit_head SET link = " ZERO_LINK, STORE_AUDIT_UNSEALED, 10, 10},
    {"DELETE FROM audit WHERE id > 8; UPDATE audit_head SET id = 8, link = (SELECT chain FROM "
     "audit WHERE id = 8)",
     STORE_AUDIT_UNSEALED, 8, 8},
    {"INSERT INTO audit_checkpoints VALUES (5, 'archived', 1, (SELECT chain FROM audit WHERE id = "
     "5), " ZERO_LINK "); DELETE FROM audit WHERE id < 6",
     STORE_AUDIT_CHECKPOINT, 0, 5},
};

START_TEST(tampering_is_named)
{
    add_ten();
    tamper(cases[_i].sql);
    expect(cases[_i].fault, cases[_i].last, cases[_i].bad);
    /* life goes on, and what was done stays visible */
    add("honest");
    add("honest");
    struct store_audit_walk walk = walk_by(0);
    ck_assert_int_ne(walk.fault, STORE_AUDIT_WHOLE);
}
END_TEST

START_TEST(a_cut_tail_leaves_a_gap)
{
    add_ten();
    tamper("DELETE FROM audit WHERE id > 6");
    add("honest");
    expect(STORE_AUDIT_REMOVED, 6, 11);
}
END_TEST

START_TEST(a_row_at_the_end_does_not_stop_the_log)
{
    add_ten();
    tamper("INSERT INTO audit SELECT 11, at_ms, event, outcome, who, by, desktop, conn, address, "
           "'forged', chain FROM audit WHERE id = 4");
    add("honest");
    expect(STORE_AUDIT_CHANGED, 10, 11);
}
END_TEST

/* Makes all links behind a changed row anew, as one can who has no key, and tells the head. */
static void remake(const char *sql)
{
    uint8_t link[32] = {0};
    struct audit_chain_row row;
    sqlite3_stmt *rows, *set;
    sqlite3 *db;
    tamper(sql);
    ck_assert_int_eq(sqlite3_open(store_rig_path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db,
                                        "SELECT id, at_ms, address, event, outcome, who, by, "
                                        "desktop, conn, detail FROM audit ORDER BY id",
                                        -1, &rows, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_prepare_v2(db, "UPDATE audit SET chain = ?1 WHERE id = ?2", -1, &set, NULL),
        SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        row.id = sqlite3_column_int64(rows, 0);
        row.at_ms = sqlite3_column_int64(rows, 1);
        row.address = sqlite3_column_blob(rows, 2);
        for (int i = 0; i < AUDIT_CHAIN_TEXTS; i++) {
            row.texts[i].at = (const char *)sqlite3_column_text(rows, 3 + i);
            row.texts[i].size = (size_t)sqlite3_column_bytes(rows, 3 + i);
        }
        audit_chain_add(link, &row);
        sqlite3_bind_blob(set, 1, link, 32, SQLITE_STATIC);
        sqlite3_bind_int64(set, 2, row.id);
        ck_assert_int_eq(sqlite3_step(set), SQLITE_DONE);
        sqlite3_reset(set);
    }
    sqlite3_finalize(rows);
    sqlite3_finalize(set);
    sqlite3_close(db);
}

START_TEST(links_made_anew_lack_the_seal)
{
    struct store_audit_walk walk;
    add_ten();
    remake("UPDATE audit SET who = 'mallory' WHERE id = 4");
    expect(STORE_AUDIT_REMADE, 10, 10);
    tamper("UPDATE audit_head SET link = (SELECT chain FROM audit WHERE id = 10)");
    expect(STORE_AUDIT_UNSEALED, 10, 10);
    for (int i = 0; i < 3; i++)
        add("honest");
    expect(STORE_AUDIT_UNSEALED, 13, 13);
    ck_assert_int_eq(store_audit_seal_bare(store), STORE_OK); /* accepted */
    walk = walk_by(0);
    ck_assert_int_eq(walk.fault, STORE_AUDIT_WHOLE);
}
END_TEST

START_TEST(a_noted_row_must_be_there)
{
    struct store_audit_walk walk;
    struct store_audit_head head;
    add_ten();
    ck_assert_int_eq(store_audit_head(store, &head), STORE_OK);
    ck_assert(head.sealed && !head.bare && head.id == 10);
    add("eleven");
    walk = (struct store_audit_walk){.expect_id = 10};
    memcpy(walk.expect_link, head.link, 32);
    ck_assert_int_eq(store_audit_verify(store, &walk, 0), STORE_OK);
    ck_assert_int_eq(walk.fault, STORE_AUDIT_WHOLE);
    for (int64_t id = 1; id < 20; id++) { /* the link of another row, or a row that never was */
        walk = (struct store_audit_walk){.expect_id = id};
        memcpy(walk.expect_link, head.link, 32);
        ck_assert_int_eq(store_audit_verify(store, &walk, 0), STORE_OK);
        ck_assert_int_eq(walk.fault, id == 10 ? STORE_AUDIT_WHOLE : STORE_AUDIT_UNEXPECTED);
    }
}
END_TEST

START_TEST(another_key_seals_nothing)
{
    add_ten();
    store_audit_key(store, other_key);
    expect(STORE_AUDIT_UNSEALED, 10, 10);
    add("with another key");
    store_audit_key(store, key);
    expect(STORE_AUDIT_UNSEALED, 11, 11);
}
END_TEST

START_TEST(a_row_without_a_link_is_refused)
{
    add_ten();
    static const char *const refused[] = {
        "INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, detail) "
        "VALUES (1, 'e', 'o', 'w', '', '', '', '')",
        "UPDATE audit SET chain = " ZERO_LINK,
        "UPDATE audit SET chain = NULL",
        "UPDATE audit SET id = 11 WHERE id = 10",
        "DELETE FROM audit WHERE id = 1",
        "INSERT INTO audit_checkpoints VALUES (5, 'archived', 1, " ZERO_LINK ", " ZERO_LINK ")",
        "INSERT INTO audit_checkpoints VALUES (11, 'archived', 1, " ZERO_LINK ", " ZERO_LINK ")",
        "INSERT INTO audit_checkpoints VALUES (5, 'other', 1, (SELECT chain FROM audit WHERE "
        "id = 5), " ZERO_LINK ")",
    };
    struct sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(store_rig_path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        ck_assert_msg(sqlite3_exec(db, refused[i], NULL, NULL, NULL) != SQLITE_OK, "%s",
                      refused[i]);
    sqlite3_close(db);
    expect(STORE_AUDIT_WHOLE, 10, 0);
}
END_TEST

#define STEPS_BEFORE 7 /* of the schema, without the chain */

/* The database of a version without the chain, with ten rows. */
static void go_back(void)
{
    char path[300], sql[256];
    char *why = NULL;
    sqlite3 *db;
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", store_rig_path, ends[i]);
        unlink(path);
    }
    ck_assert_int_eq(sqlite3_open(store_rig_path, &db), SQLITE_OK);
    for (size_t i = 0; i < STEPS_BEFORE; i++)
        ck_assert_msg(sqlite3_exec(db, sql_steps[i], NULL, NULL, &why) == SQLITE_OK, "%s", why);
    for (int i = 1; i <= 10; i++) {
        snprintf(
            sql, sizeof(sql),
            "INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, address, detail)"
            " VALUES (%d, 'sign-in', 'ok', 'alice', '', '', 'c', NULL, 'd%d')",
            i, i);
        ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    }
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", STEPS_BEFORE);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(rows_of_before_are_chained)
{
    struct store_audit_head head;
    store_close(store);
    go_back();
    store = store_rig_open_again();
    store_audit_key(store, key);
    ck_assert_int_eq(store_audit_head(store, &head), STORE_OK);
    ck_assert(head.bare && head.id == 10);
    expect(STORE_AUDIT_UNSEALED, 10, 10);
    ck_assert_int_eq(store_audit_seal_bare(store), STORE_OK);
    expect(STORE_AUDIT_WHOLE, 10, 0);
    add("eleven");
    expect(STORE_AUDIT_WHOLE, 11, 0);
    tamper("UPDATE audit SET who = 'x' WHERE id = 2");
    expect(STORE_AUDIT_CHANGED, 1, 2);
}
END_TEST

START_TEST(links_differ_by_every_byte)
{
    static const char text[] = "ab";
    struct audit_chain_row row = {.id = 1, .at_ms = 2};
    uint8_t link[32] = {0}, more[32] = {0};
    for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++)
        row.texts[i].at = text;
    row.texts[0].size = 2;
    audit_chain_add(link, &row);
    row.texts[0].size = 1;
    row.texts[1].at = text + 1;
    row.texts[1].size = 1; /* the same bytes, otherwise parted */
    audit_chain_add(more, &row);
    ck_assert_mem_ne(link, more, 32);
    /* known answer: SHA-256 of 32 zeroes, 1, 2, size 0, and seven sizes 0 */
    static const char known[] = "05620b1ecaf4b89018d31f55bc6072c4bde88d28654626d75af237356d8173bf";
    char hex[65];
    for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++)
        row.texts[i].size = 0;
    memset(link, 0, sizeof(link));
    audit_chain_add(link, &row);
    text_hex(hex, link, sizeof(link));
    ck_assert_str_eq(hex, known);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_audit");
    TCase *tests = tcase_create("store_audit");
    tcase_add_checked_fixture(tests, setup, store_rig_teardown);
    tcase_add_test(tests, the_audit_log_only_grows);
    tcase_add_test(tests, an_untouched_log_is_whole);
    tcase_add_loop_test(tests, tampering_is_named, 0, sizeof(cases) / sizeof(*cases));
    tcase_add_test(tests, a_cut_tail_leaves_a_gap);
    tcase_add_test(tests, a_row_at_the_end_does_not_stop_the_log);
    tcase_add_test(tests, links_made_anew_lack_the_seal);
    tcase_add_test(tests, a_noted_row_must_be_there);
    tcase_add_test(tests, another_key_seals_nothing);
    tcase_add_test(tests, a_row_without_a_link_is_refused);
    tcase_add_test(tests, rows_of_before_are_chained);
    tcase_add_test(tests, links_differ_by_every_byte);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
