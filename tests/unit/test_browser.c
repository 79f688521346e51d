/* What a gate may have run in the keeper, and what not, with a real store: records as no page would
 * send them. */
#include "browser.h"
#include "keeper.h"
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static struct conf conf;
static struct ipc_origin origin;
static char *printed, *said;
static bool json;

static void setup(void)
{
    store_rig_setup();
    store_rig_add_user("alice");
    store_rig_add_desktop("office");
    ck_assert_int_eq(store_user_set_administrator(store, store_rig_add_user("root"), true),
                     STORE_OK); /* who does it all */
    memset(&conf, 0, sizeof(conf));
    memset(&origin, 0, sizeof(origin));
    memcpy(origin.conn, "0123456789abcdef", 17);
    ck_assert(addr_parse(&origin.address, "192.0.2.1"));
}

static void teardown(void)
{
    free(printed);
    free(said);
    printed = said = NULL;
    store_rig_teardown();
}

/* `arguments` has "|" for each NUL. */
static int act_of(const char *arguments, size_t size, bool changes)
{
    char bytes[IPC_ARGUMENTS_SIZE];
    size_t printed_size, said_size;
    for (size_t i = 0; i < size; i++)
        bytes[i] = arguments[i] == '|' ? '\0' : arguments[i];
    free(printed);
    free(said);
    struct keeper_order order = {
        .conf = &conf,
        .store = store,
        .origin = &origin,
        .by = "web:root",
        .changes = changes,
        .arguments = bytes,
        .size = size,
        .printed = open_memstream(&printed, &printed_size),
        .said = open_memstream(&said, &said_size),
    };
    int code = browser_act(&order);
    fclose(order.printed);
    fclose(order.said);
    json = order.json;
    return code;
}

static int looks(const char *arguments)
{
    return act_of(arguments, strlen(arguments), false);
}

static int changes(const char *arguments)
{
    return act_of(arguments, strlen(arguments), true);
}

START_TEST(looking)
{
    ck_assert_int_eq(looks("user|list|"), EX_OK);
    ck_assert(json);
    ck_assert_ptr_nonnull(strstr(printed, "\"alice\""));
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(looks("desktop|show|woffice|"), EX_OK);
    ck_assert_int_eq(looks("session|list|oall|ouser=alice|"), EX_OK);
    ck_assert_int_eq(looks("session|list|oall=true|oall|"), EX_USAGE);
    ck_assert_int_eq(looks("session|list|oall=yes|"), EX_USAGE);
    ck_assert_int_eq(looks("grant|list|"), EX_OK);
    ck_assert_str_eq(printed, "[]\n");
}
END_TEST

START_TEST(changing)
{
    ck_assert_int_eq(changes("grant|add|walice|woffice|"), EX_OK);
    ck_assert_int_eq(changes("grant|add|walice|woffice|"), EX_DATAERR);
    ck_assert_str_eq(said, "alice may already reach office\n");
    ck_assert_int_eq(changes("grant|remove|woffice|ouser=alice|"), EX_OK);
    ck_assert(!json);
    ck_assert_int_eq(changes("grant|remove|walice|wofice|"), EX_NOINPUT);
    ck_assert_ptr_nonnull(strstr(said, "did you mean 'office'?"));
}
END_TEST

static int last_row(void *owner, const struct store_audit *row)
{
    *(struct store_audit *)owner = *row;
    return 0;
}

START_TEST(who_did_it_is_written_down)
{
    struct store_audit row = {0};
    ck_assert_int_eq(changes("user|disable|walice|"), EX_OK);
    ck_assert_int_eq(
        store_audit_list(store, &(struct store_audit_filter){.last = 1}, last_row, &row), STORE_OK);
    ck_assert_str_eq(row.event, "user-disable");
    ck_assert_str_eq(row.by, "web:root");
    ck_assert_str_eq(row.conn, "0123456789abcdef");
    ck_assert(row.has_address);
}
END_TEST

static const char *const not_here[] = {
    "user|passwd|walice|",
    "user|totp|walice|",
    "user|add|wbob|",
    "init||",
    "serve||",
    "check||",
    "connect|office|",
    "alert|test|wnew_network|",
    "audit|export|",
    "|list|",
    "user||",
    "user|",
    "user list|",
    "user|list ||",
    "users|list|",
    "USER|list|",
    "|",
    "||",
    "||||||",
};

START_TEST(not_in_the_browser)
{
    const char *arguments = not_here[_i];
    ck_assert_int_eq(looks(arguments), EX_USAGE);
    ck_assert_str_eq(said, "this cannot be done in the browser\n");
    ck_assert_int_eq(changes(arguments), EX_USAGE);
    ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(looking_changes_nothing)
{
    static const char *const all[] = {"user|remove|walice|", "user|role|walice|wadministrator|",
                                      "desktop|remove|woffice|", "grant|add|walice|woffice|"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ck_assert_int_eq(looks(all[i]), EX_USAGE);
        ck_assert_str_eq(said, "this cannot be done in the browser\n");
    }
    ck_assert_int_eq(looks("user|limit|walice|"), EX_OK);
    ck_assert_int_eq(looks("user|limit|walice|ountil=2020-01-01|"), EX_USAGE);
    ck_assert_int_eq(looks("desktop|trust|woffice|oca|"), EX_USAGE);
    ck_assert_int_eq(changes("user|list|"), EX_USAGE);
}
END_TEST

static const struct {
    const char *arguments;
    int code;
} hostile[] = {
    {"group|add|w--state=/tmp|", EX_DATAERR},
    {"group|add|w--json|", EX_DATAERR},
    {"group|add|w--help|", EX_DATAERR},
    {"group|add|w--|", EX_DATAERR},
    {"group|add|w-h|", EX_DATAERR},
    {"group|add|w|", EX_DATAERR},
    {"group|add|", EX_USAGE},
    {"group|add|wa|wb|", EX_USAGE},
    {"group|add|wa|ostate=/tmp|", EX_USAGE},
    {"group|add|wa|ojson|", EX_USAGE},
    {"group|add|wa|ohelp|", EX_USAGE},
    {"group|add|wa|o|", EX_USAGE},
    {"group|add|wa|o=|", EX_USAGE},
    {"group|add|wa|o--json|", EX_USAGE},
    {"group|add|wa||", EX_USAGE},
    {"group|add|wa|xb|", EX_USAGE},
    {"group|add|wa|W|", EX_USAGE},
    {"group|add|w\xff|", EX_DATAERR},
    {"group|add|w\xed\xa0\x80|", EX_DATAERR},
    {"group|add|wa\nb|", EX_DATAERR},
    {"grant|add|woffice|ouser user group=alice|", EX_USAGE},
    {"grant|add|woffice|ouser|", EX_USAGE},
    {"grant|add|woffice|ouser=alice|ouser=alice|", EX_USAGE},
    {"grant|add|woffice|ouser=--group|", EX_NOINPUT},
    {"desktop|add|wx|ohost=--port=1|", EX_DATAERR},
    {"desktop|add|wx|ohost=192.0.2.1|oport=1|oport=2|", EX_USAGE},
};

START_TEST(hostile_arguments)
{
    ck_assert_int_eq(changes(hostile[_i].arguments), hostile[_i].code);
    ck_assert_str_eq(printed, "");
    ck_assert_str_ne(said, "");
    ck_assert_ptr_null(strstr(said, "deskgate: "));
}
END_TEST

START_TEST(too_many)
{
    char text[IPC_ARGUMENTS_SIZE] = "session|end|";
    for (int i = 0; i < 65; i++)
        strcat(text, "w1|");
    ck_assert_int_eq(changes(text), EX_USAGE);
    ck_assert_str_eq(said, "give at most 64 words at once\n");
    strcpy(text, "desktop|set|woffice|");
    for (int i = 0; i < 40; i++)
        strcat(text, "ordp-setting=none|");
    ck_assert_int_eq(changes(text), EX_USAGE);
    ck_assert_ptr_nonnull(strstr(said, "is given too often"));
}
END_TEST

START_TEST(nobody_locks_himself_out)
{
    struct store_user user;
    ck_assert_int_eq(changes("user|role|wroot|wuser|"), EX_DATAERR);
    ck_assert_ptr_nonnull(strstr(said, "lock you out yourself"));
    ck_assert_int_eq(changes("user|remove|wroot|"), EX_DATAERR);
    ck_assert_int_eq(changes("address|deny|w192.0.2.0/24|"), EX_DATAERR);
    ck_assert_int_eq(changes("address|allow|w198.51.100.0/24|"), EX_DATAERR);
    ck_assert_int_eq(changes("address|allow|w192.0.2.1|"), EX_OK);
    ck_assert_int_eq(store_user_by_name(store, "root", &user), STORE_OK);
    ck_assert(user.administrator);
}
END_TEST

START_TEST(lists_are_bounded)
{
    for (int i = 0; i < 250; i++)
        ck_assert_int_eq(changes(i % 2 ? "user|enable|walice|" : "user|disable|walice|"), EX_OK);
    size_t rows = 0;
    ck_assert_int_eq(looks("audit|list|"), EX_OK);
    for (const char *at = printed; (at = strstr(at, "\"event\"")); at++)
        rows++;
    ck_assert_uint_eq(rows, 200);
    ck_assert_int_eq(looks("audit|list|olast=1000|"), EX_OK);
    ck_assert_int_eq(looks("audit|list|olast=1001|"), EX_DATAERR);
    ck_assert_int_eq(looks("audit|list|olast=-1|"), EX_DATAERR);
    ck_assert_int_eq(looks("audit|list|ofollow|"), EX_USAGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("browser");
    TCase *tcase = tcase_create("browser");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, looking);
    tcase_add_test(tcase, changing);
    tcase_add_test(tcase, who_did_it_is_written_down);
    tcase_add_loop_test(tcase, not_in_the_browser, 0, (int)(sizeof(not_here) / sizeof(*not_here)));
    tcase_add_test(tcase, looking_changes_nothing);
    tcase_add_loop_test(tcase, hostile_arguments, 0, (int)(sizeof(hostile) / sizeof(*hostile)));
    tcase_add_test(tcase, too_many);
    tcase_add_test(tcase, nobody_locks_himself_out);
    tcase_add_test(tcase, lists_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
