/* Rows of the audit log in the forms in which they leave: syslog, JSON and back. */
#include "audit_record.h"
#include "audit_syslog.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct store_audit row_of(const char *event, const char *outcome)
{
    struct store_audit row = {.id = 7, .at_ms = 1763876530123};
    text_copy(row.event, sizeof(row.event), event);
    text_copy(row.outcome, sizeof(row.outcome), outcome);
    text_copy(row.who, sizeof(row.who), "anna");
    memset(row.link, 0xab, sizeof(row.link));
    return row;
}

static const char *message(const struct store_audit *row, const char *host)
{
    static char text[AUDIT_SYSLOG_SIZE + 1];
    size_t size = audit_syslog(row, host, text);
    ck_assert_uint_gt(size, 0);
    text[size] = '\0';
    return text;
}

START_TEST(a_message_of_rfc_5424)
{
    struct store_audit row = row_of("sign-in", "denied");
    ck_assert_str_eq(message(&row, "gw.example"),
                     "<84>1 2025-11-23T05:42:10.123Z gw.example deskgate - sign-in "
                     "[origin software=\"deskgate\" swVersion=\"" DESKGATE_VERSION "\"]"
                     "[meta sequenceId=\"7\"] "
                     "{\"id\":7,\"at\":\"2025-11-23T05:42:10.123Z\",\"at_ms\":1763876530123,"
                     "\"event\":\"sign-in\",\"outcome\":\"denied\",\"user\":\"anna\",\"by\":\"\","
                     "\"desktop\":\"\",\"conn\":\"\",\"detail\":\"\",\"address\":null,\"link\":\""
                     "abababababababababababababababababababababababababababababababab\"}");
}
END_TEST

static const struct {
    const char *event, *outcome, *by, *begin;
} severities[] = {
    {"alert", "raised", "", "<81>1 "},
    {"audit-verify", "broken", "", "<82>1 "},
    {"sign-in", "denied", "", "<84>1 "},
    {"sign-in", "throttled", "", "<84>1 "},
    {"user-add", "ok", "cli:root", "<85>1 "},
    {"sign-in", "ok", "", "<86>1 "},
    {"desktop-certificate", "changed", "", "<84>1 "},
};

START_TEST(severities_tell_what_matters)
{
    struct store_audit row = row_of(severities[_i].event, severities[_i].outcome);
    text_copy(row.by, sizeof(row.by), severities[_i].by);
    ck_assert_int_eq(strncmp(message(&row, "gw"), severities[_i].begin, 6), 0);
}
END_TEST

START_TEST(nothing_in_a_row_leaves_its_place)
{
    struct store_audit row = row_of("a b\n", "ok");
    text_copy(row.who, sizeof(row.who), "x\n<1>1 \"]\xc3\xa4\x1b");
    memset(row.detail, 1, sizeof(row.detail) - 1); /* the longest in JSON */
    memset(row.by, 2, sizeof(row.by) - 1);
    memset(row.desktop, 3, sizeof(row.desktop) - 1);
    row.id = (int64_t)INT32_MAX + 1;
    const char *text = message(&row, "a host\x01\xff");
    for (const char *c = text; *c; c++)
        ck_assert(*c >= ' ' && *c < 0x7f);
    ck_assert_ptr_nonnull(strstr(text, " a_host__ deskgate - a_b_ ["));
    ck_assert_ptr_nonnull(strstr(text, "sequenceId=\"1\""));
    ck_assert_ptr_nonnull(strstr(message(&row, ""), "Z - deskgate"));
}
END_TEST

START_TEST(a_record_comes_back_as_it_was)
{
    static const char *const texts[] = {"",
                                        "anna",
                                        "\xc3\xa4\xe2\x82\xac",
                                        "\xff\xfe broken \xc3",
                                        "\x1b[2J\n\t\"\\",
                                        "{\"hex\": \"00\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct store_audit row = row_of(texts[i], "ok"), back;
        text_copy(row.detail, sizeof(row.detail), texts[i]);
        row.has_address = i % 2;
        if (row.has_address)
            ck_assert(addr_parse(&row.address, i % 3 ? "192.0.2.1" : "2001:db8::1"));
        json_t *json = audit_record(&row);
        char *text = json_dumps(json, JSON_ENSURE_ASCII);
        json_decref(json);
        json = json_loads(text, 0, NULL);
        ck_assert(audit_record_read(json, &back));
        ck_assert_mem_eq(&back, &row, sizeof(row));
        json_decref(json);
        free(text);
    }
}
END_TEST

START_TEST(what_is_no_record_is_refused)
{
    static const char *const keys[] = {"id", "at_ms", "event", "user", "detail", "address", "link"};
    struct store_audit row = row_of("e", "ok"), back;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        json_t *json = audit_record(&row);
        json_object_set_new(json, keys[i], json_pack("[i]", 1));
        ck_assert_msg(!audit_record_read(json, &back), "%s", keys[i]);
        json_object_del(json, keys[i]);
        ck_assert_msg(!audit_record_read(json, &back), "%s", keys[i]);
        json_decref(json);
    }
    json_t *json = audit_record(&row);
    char longer[600];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    json_object_set_new(json, "detail", json_string(longer));
    ck_assert(!audit_record_read(json, &back));
    json_decref(json);
    ck_assert(!audit_record_read(NULL, &back));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_syslog");
    TCase *tests = tcase_create("audit_syslog");
    tcase_add_test(tests, a_message_of_rfc_5424);
    tcase_add_loop_test(tests, severities_tell_what_matters, 0,
                        sizeof(severities) / sizeof(*severities));
    tcase_add_test(tests, nothing_in_a_row_leaves_its_place);
    tcase_add_test(tests, a_record_comes_back_as_it_was);
    tcase_add_test(tests, what_is_no_record_is_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
