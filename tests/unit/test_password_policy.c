/* Which passwords may be chosen, in both profiles, and how long they may be kept. */
#include "password.h"
#include "password_policy.h"
#include "suite.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct conf conf;

static void setup(void)
{
    conf_defaults(&conf, "/nonexistent");
    text_copy(conf.name, sizeof(conf.name), "gate.acme-corporation.example");
}

static const struct {
    const char *password;
    enum password_fault modern, classic;
} table[] = {
    {"", PASSWORD_SHORT, PASSWORD_SHORT},
    {"short", PASSWORD_SHORT, PASSWORD_SHORT},
    {"elevenchars", PASSWORD_SHORT, PASSWORD_SHORT},
    {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", PASSWORD_SHORT,
     PASSWORD_SHORT}, /* 6, in 12 */
    {"aaaaaaaaaaaaaaaa", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"111111111111", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"password1234", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"Password1234", PASSWORD_GUESSABLE, PASSWORD_FITS},
    {"passwordpassword", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"p4ssw0rdp4ssw0rd", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"qwertyuiop12", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"1qaz2wsx3edc", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"iloveyouforever", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"letmeinplease", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"changeme12345", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"Summer2026!!", PASSWORD_GUESSABLE, PASSWORD_FITS},
    {"abcdefghijklmnop", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"deskgate-gateway", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"acme-corporation", PASSWORD_GUESSABLE, PASSWORD_CLASSES},
    {"annabelle.smith", PASSWORD_NAME, PASSWORD_CLASSES},
    {"Annabelle.Smith1", PASSWORD_NAME, PASSWORD_NAME},
    {"annabelle.smith and a very long walk home", PASSWORD_FITS, PASSWORD_CLASSES},
    {"correct horse battery staple", PASSWORD_FITS, PASSWORD_CLASSES},
    {"correct horse battery", PASSWORD_FITS, PASSWORD_CLASSES},
    {"Correct horse battery", PASSWORD_FITS, PASSWORD_FITS},
    {"xK9#mQ2$vL5z", PASSWORD_FITS, PASSWORD_FITS},
    {"k3mzw8rqvp2n", PASSWORD_FITS, PASSWORD_CLASSES},
    /* a sentence in Japanese: 13 characters */
    {"\xe9\x9b\xa8\xe3\x81\xae\xe6\x97\xa5\xe3\x81\xaf\xe7\x8c\xab\xe3\x81\xa8\xe4"
     "\xb8\x80\xe7\xb7\x92\xe3\x81\xab\xe5\xaf\x9d\xe3\x82\x8b\xe3\x81\xa0\xe3\x81\x91",
     PASSWORD_FITS, PASSWORD_CLASSES},
    {"with\ta tabulator", PASSWORD_UNUSABLE, PASSWORD_UNUSABLE},
    {"with a delete\x7f", PASSWORD_UNUSABLE, PASSWORD_UNUSABLE},
    {"not utf-8 \xff at all", PASSWORD_UNUSABLE, PASSWORD_UNUSABLE},
};

START_TEST(what_is_wrong_is_told)
{
    enum password_fault due = table[_i].modern;
    ck_assert_msg(password_policy_judge(&conf, "annabelle.smith", table[_i].password) == due, "%s",
                  table[_i].password);
    conf.password_profile = CONF_PASSWORD_CLASSIC;
    due = table[_i].classic;
    ck_assert_msg(password_policy_judge(&conf, "annabelle.smith", table[_i].password) == due,
                  "classic: %s", table[_i].password);
}
END_TEST

START_TEST(lengths)
{
    char password[PASSWORD_MOST + 2];
    conf.password_least = 20;
    ck_assert_int_eq(password_policy_judge(&conf, "bob", "xK9#mQ2$vL5zxK9#mQ2"), PASSWORD_SHORT);
    ck_assert_int_eq(password_policy_judge(&conf, "bob", "xK9#mQ2$vL5zaK9#mR2!"), PASSWORD_FITS);
    for (size_t i = 0; i < sizeof(password) - 1;
         i++) /* hard to guess, and long: it must not hang */
        password[i] = (char)('!' + randombytes_uniform(94));
    password[PASSWORD_MOST] = '\0';
    ck_assert_int_eq(password_policy_judge(&conf, "bob", password), PASSWORD_FITS);
    password[PASSWORD_MOST] = 'x';
    password[PASSWORD_MOST + 1] = '\0';
    ck_assert_int_eq(password_policy_judge(&conf, "bob", password), PASSWORD_LONG);
}
END_TEST

START_TEST(every_fault_has_a_name_and_words)
{
    char words[PASSWORD_POLICY_WORDS];
    for (int fault = 0; fault < PASSWORD_FAULTS; fault++) {
        ck_assert_uint_lt(strlen(password_policy_name((enum password_fault)fault)), 16);
        password_policy_words(&conf, (enum password_fault)fault, words);
        ck_assert_ptr_null(strchr(words, '%'));
        ck_assert(words[strlen(words) - 1] != ' ');
    }
    ck_assert_ptr_nonnull(strstr(password_policy_words(&conf, PASSWORD_SHORT, words), "12"));
}
END_TEST

START_TEST(those_of_before)
{
    char hashes[3][STORE_PASSWORD_SIZE];
    ck_assert_int_ge(sodium_init(), 0);
    ck_assert_int_eq(password_hash("one that was first", hashes[0]), 0);
    ck_assert_int_eq(password_hash("one that came then", hashes[1]), 0);
    ck_assert_int_eq(password_dummy(hashes[2]), 0);
    ck_assert(
        password_policy_used("one that was first", (const char(*)[STORE_PASSWORD_SIZE])hashes, 3));
    ck_assert(
        password_policy_used("one that came then", (const char(*)[STORE_PASSWORD_SIZE])hashes, 3));
    ck_assert(
        !password_policy_used("one that came then", (const char(*)[STORE_PASSWORD_SIZE])hashes, 1));
    ck_assert(!password_policy_used("none of them", (const char(*)[STORE_PASSWORD_SIZE])hashes, 3));
}
END_TEST

START_TEST(ages)
{
    const int64_t day = 86400;
    ck_assert_int_eq(password_policy_left(&conf, 0, 10000 * day), -1);
    conf.password_profile = CONF_PASSWORD_CLASSIC;
    ck_assert_int_eq(password_policy_left(&conf, 100 * day, 100 * day), 90 * day);
    ck_assert_int_eq(password_policy_left(&conf, 100 * day, 190 * day - 1), 1);
    ck_assert_int_eq(password_policy_left(&conf, 100 * day, 190 * day), 0);
    ck_assert_int_eq(password_policy_left(&conf, 100 * day, 999 * day), 0);
    conf.password_max_days = 0;
    ck_assert_int_eq(password_policy_left(&conf, 100 * day, 999 * day), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("password_policy");
    TCase *tests = tcase_create("password_policy");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, what_is_wrong_is_told, 0, sizeof(table) / sizeof(*table));
    tcase_add_test(tests, lengths);
    tcase_add_test(tests, every_fault_has_a_name_and_words);
    tcase_add_test(tests, those_of_before);
    tcase_add_test(tests, ages);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
