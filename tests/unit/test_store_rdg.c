/* What RDP clients' ways in need of the store: redirections and settings of desktops, where tickets
 * were made, what gateway passwords are checked with, notices. */
#include "sql.h"
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t one[32] = {1}, two[32] = {2}, three[32] = {3};

static struct store_desktop desktop(const char *name)
{
    struct store_desktop found;
    ck_assert_int_eq(store_desktop_by_name(store, name, &found), STORE_OK);
    return found;
}

static int last_desktop(void *owner, const struct store_desktop *row)
{
    *(struct store_desktop *)owner = *row;
    return 0;
}

static int last_granted(void *owner, const struct store_granted *row)
{
    *(struct store_granted *)owner = *row;
    return 0;
}

START_TEST(a_desktop_keeps_what_it_forbids_and_its_settings)
{
    int64_t anna = store_rig_add_user("anna"), id = store_rig_add_desktop("desk");
    struct store_desktop found = desktop("desk");
    struct store_granted granted = {0};
    ck_assert_uint_eq(found.forbidden, 0);
    ck_assert_str_eq(found.rdp_settings, "");
    found.forbidden = 0x1f;
    memset(found.rdp_settings, 'x', STORE_SETTINGS_SIZE - 1); /* as long as may be */
    found.rdp_settings[STORE_SETTINGS_SIZE - 1] = '\0';
    ck_assert_int_eq(store_desktop_set(store, &found), STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = anna, .what = id}),
                     STORE_OK);
    struct store_desktop read[2];
    ck_assert_int_eq(store_desktop_list(store, last_desktop, &read[0]), STORE_OK);
    ck_assert_int_eq(store_granted(store, anna, "DESK", &read[1]), STORE_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(read[i].forbidden, 0x1f);
        ck_assert_str_eq(read[i].rdp_settings, found.rdp_settings);
    }
    store_rig_add_tunnel(store_rig_add_session(anna, 1, 9000), anna, id);
    ck_assert_int_eq(store_granted_list(store, anna, "", 9, last_granted, &granted), STORE_OK);
    ck_assert_uint_eq(granted.desktop.forbidden, 0x1f);
    ck_assert_int_eq(granted.last_used, 1001);
    ck_assert(granted.in_use);
    found.forbidden = 0x20; /* no such bit */
    ck_assert_int_eq(store_desktop_set(store, &found), STORE_FAILED);
    ck_assert_uint_eq(desktop("desk").forbidden, 0x1f);
}
END_TEST

START_TEST(a_new_desktop_has_them_at_once)
{
    struct store_desktop desk = {
        .name = "new", .host = "h", .port = 1, .forbidden = 8, .rdp_settings = "a:i:1\n"};
    int64_t id;
    ck_assert_int_eq(store_desktop_add(store, &desk, &id), STORE_OK);
    ck_assert_uint_eq(desktop("new").forbidden, 8);
    ck_assert_str_eq(desktop("new").rdp_settings, "a:i:1\n");
}
END_TEST

START_TEST(a_ticket_keeps_its_address_and_password)
{
    int64_t anna = store_rig_add_user("anna"), desk = store_rig_add_desktop("desk"), id[3];
    int64_t session = store_rig_add_session(anna, 1, 9000);
    struct store_ticket ticket = {.session = session, .desktop = desk, .way = "rdg"}, found;
    ck_assert(addr_parse(&ticket.address, "2001:db8::7"));
    memcpy(ticket.hash, one, 32);
    ck_assert_int_eq(store_ticket_add(store, &ticket, &id[0]), STORE_OK);
    memcpy(ticket.hash, two, 32);
    ck_assert(addr_parse(&ticket.address, "198.51.100.1"));
    memset(ticket.password, 7, sizeof(ticket.password));
    ticket.password_size = sizeof(ticket.password);
    ck_assert_int_eq(store_ticket_add(store, &ticket, &id[1]), STORE_OK);
    memcpy(ticket.hash, three, 32);
    ticket.password_size = 88;
    ck_assert_int_eq(store_ticket_add(store, &ticket, &id[2]), STORE_OK);
    static const size_t sizes[] = {0, sizeof(ticket.password), 88};
    struct store_desktop row = desktop("desk");
    row.forbidden = 3;
    ck_assert_int_eq(store_desktop_set(store, &row), STORE_OK);
    for (int i = 0; i < 3; i++) {
        char address[ADDR_TEXT_SIZE];
        ck_assert_int_eq(store_ticket_by_id(store, id[i], &found), STORE_OK);
        addr_text(&found.address, address);
        ck_assert_str_eq(address, i == 0 ? "2001:db8::7" : "198.51.100.1");
        ck_assert_uint_eq(found.password_size, sizes[i]);
        ck_assert_mem_eq(found.password, ticket.password, sizes[i]);
        ck_assert_uint_eq(found.forbidden, 3);
    }
    ck_assert_int_eq(store_ticket_by_hash(store, one, &found), STORE_OK);
    ck_assert_uint_eq(found.password_size, 0);
}
END_TEST

/* A gateway that is upgraded has tickets that know nothing of addresses. */
START_TEST(a_ticket_of_before_is_from_nowhere)
{
    char old[STORE_RIG_PATH + 8], why[256] = "";
    const struct addr nowhere = {0};
    struct store_ticket found;
    struct store *upgraded;
    sqlite3 *db;
    snprintf(old, sizeof(old), "%s.old", store_rig_path);
    ck_assert_int_eq(sqlite3_open(old, &db), SQLITE_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sqlite3_exec(db, sql_steps[i], NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_exec(db,
                     "INSERT INTO users (name, password, seed, created_at) VALUES "
                     "('anna', 'x', x'00', 1);"
                     "INSERT INTO desktops (name, host, port) VALUES ('desk', 'h', 1);"
                     "INSERT INTO sessions (hash, user_id, created_at, used_at, expires_at, "
                     "address) VALUES (x'00', 1, 1, 1, 9, zeroblob(16));"
                     "INSERT INTO tickets (hash, session_id, desktop_id, way, created_at, "
                     "expires_at) VALUES (zeroblob(32), 1, 1, 'rdg', 1, 9);"
                     "PRAGMA user_version = 3",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    ck_assert_msg(store_open(&upgraded, old, STORE_MUST_EXIST, why, sizeof(why)) == STORE_OK, "%s",
                  why);
    ck_assert_int_eq(store_ticket_by_id(upgraded, 1, &found), STORE_OK);
    ck_assert(addr_equal(&found.address, &nowhere));
    ck_assert_uint_eq(found.password_size, 0);
    ck_assert_uint_eq(found.forbidden, 0);
    store_close(upgraded);
}
END_TEST

static int spell(void *owner, const struct store_notice *notice)
{
    char *to = owner;
    size_t used = strlen(to);
    snprintf(to + used, 256 - used, "%lld:%s ", (long long)notice->tunnel, notice->words);
    return 0;
}

START_TEST(notices_are_for_live_tunnels_and_for_now)
{
    int64_t anna = store_rig_add_user("anna"), desk = store_rig_add_desktop("desk");
    int64_t session = store_rig_add_session(anna, 1, 9000);
    int64_t first = store_rig_add_tunnel(session, anna, desk);
    int64_t second = store_rig_add_tunnel(session, anna, desk);
    char words[256] = "", expected[256];
    ck_assert_int_eq(store_notice_add(store, first, "a", 1000), STORE_OK);
    ck_assert_int_eq(store_notice_add(store, second, "b", 1001), STORE_OK);
    ck_assert_int_eq(store_notice_add(store, first, "c", 1002), STORE_OK);
    ck_assert_int_eq(store_notice_add(store, second + 1, "d", 1002), STORE_REFUSED);
    ck_assert_int_eq(store_notice_list(store, 0, 2, spell, words), STORE_OK);
    snprintf(expected, sizeof(expected), "%lld:a %lld:b ", (long long)first, (long long)second);
    ck_assert_str_eq(words, expected);
    words[0] = '\0';
    ck_assert_int_eq(store_notice_list(store, 2, 9, spell, words), STORE_OK);
    snprintf(expected, sizeof(expected), "%lld:c ", (long long)first);
    ck_assert_str_eq(words, expected);
    ck_assert_int_eq(store_tunnel_end(store, first, 1003, 0, 0, "client"), STORE_OK);
    ck_assert_int_eq(store_notice_add(store, first, "e", 1004), STORE_REFUSED);
    ck_assert_int_eq(store_notice_sweep(store, 1002), STORE_OK);
    words[0] = '\0';
    ck_assert_int_eq(store_notice_list(store, 0, 9, spell, words), STORE_OK);
    ck_assert_str_eq(words, expected);
    /* a number is never given again: whoever has told up to it misses nothing */
    ck_assert_int_eq(store_notice_sweep(store, 2000), STORE_OK);
    ck_assert_int_eq(store_notice_add(store, second, "f", 2000), STORE_OK);
    words[0] = '\0';
    ck_assert_int_eq(store_notice_list(store, 3, 9, spell, words), STORE_OK);
    snprintf(expected, sizeof(expected), "%lld:f ", (long long)second);
    ck_assert_str_eq(words, expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_rdg");
    TCase *tests = tcase_create("store_rdg");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, a_desktop_keeps_what_it_forbids_and_its_settings);
    tcase_add_test(tests, a_new_desktop_has_them_at_once);
    tcase_add_test(tests, a_ticket_keeps_its_address_and_password);
    tcase_add_test(tests, a_ticket_of_before_is_from_nowhere);
    tcase_add_test(tests, notices_are_for_live_tunnels_and_for_now);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
