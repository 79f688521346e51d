/* The keeper's pure parts and those that need only a file: policy, throttle's rule, secrets, TOTP,
 * passwords. */
#include "password.h"
#include "policy.h"
#include "secret.h"
#include "suite.h"
#include "throttle.h"
#include "totp.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- policy ---- */

START_TEST(who_may_be_dialled)
{
    static const struct {
        const char *address;
        bool private_only, with_loopback, any;
    } table[] = {
        {"10.1.2.3", true, true, true},
        {"192.168.1.1", true, true, true},
        {"172.16.0.1", true, true, true},
        {"172.32.0.1", false, false, true},
        {"fd00::1", true, true, true},
        {"8.8.8.8", false, false, true},
        {"2001:db8::1", false, false, true},
        {"127.0.0.1", false, true, false},
        {"127.9.9.9", false, true, false},
        {"::1", false, true, false},
        {"::ffff:127.0.0.1", false, true, false},
        {"169.254.169.254", false, false, false},
        {"::ffff:169.254.169.254", false, false, false},
        {"fe80::1", false, false, false},
        {"fd00:ec2::254", false, false, false},
        {"fd20:ce::254", false, false, false},
        {"100.100.100.200", false, false, false},
        {"168.63.129.16", false, false, false},
        {"0.0.0.0", false, false, false},
        {"0.1.2.3", false, false, false},
        {"::", false, false, false},
        {"224.0.0.1", false, false, false},
        {"255.255.255.255", false, false, false},
        {"ff02::1", false, false, false},
        {"10.66.0.1", false, false, false}, /* on the deny list */
    };
    struct conf base = {0}, loopback, any;
    const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};
    for (size_t i = 0; i < 4; i++)
        ck_assert(addr_net_parse(&base.dial_allow[base.dial_allow_count++], nets[i]));
    ck_assert(addr_net_parse(&base.dial_deny[base.dial_deny_count++], "10.66.0.0/16"));
    loopback = any = base;
    loopback.dial_loopback = true;
    ck_assert(addr_net_parse(&loopback.dial_allow[loopback.dial_allow_count++], "127.0.0.0/8"));
    ck_assert(addr_net_parse(&loopback.dial_allow[loopback.dial_allow_count++], "::1"));
    ck_assert(addr_net_parse(&any.dial_allow[0], "::/0"));
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct addr addr;
        ck_assert(addr_parse(&addr, table[i].address));
        ck_assert_msg(policy_may_dial(&base, &addr, false) == table[i].private_only, "%s",
                      table[i].address);
        ck_assert_msg(policy_may_dial(&loopback, &addr, false) == table[i].with_loopback, "%s",
                      table[i].address);
        ck_assert_msg(policy_may_dial(&any, &addr, false) == table[i].any, "%s", table[i].address);
        /* What is this machine's own is refused, but for loopback, which has its own word. */
        ck_assert(!policy_may_dial(&any, &addr, true));
        any.dial_own = true;
        ck_assert(policy_may_dial(&any, &addr, true) == table[i].any);
        any.dial_own = false;
    }
}
END_TEST

/* ---- throttle ---- */

START_TEST(how_long_to_wait)
{
    static const struct {
        int64_t failures, last_at, now, wait;
    } table[] = {
        {0, 0, 1000, 0},     {4, 1000, 1000, 0},  {5, 1000, 1000, 2},  {5, 1000, 1001, 1},
        {5, 1000, 1002, 0},  {6, 1000, 1000, 4},  {9, 1000, 1000, 32}, {50, 1000, 1000, 900},
        {50, 1000, 1899, 1}, {50, 1000, 1900, 0}, {5, 2000, 1000, 2}, /* clock set back */
        {50, 1000, 1901, 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct store_throttle row = {.failures = table[i].failures, .last_at = table[i].last_at};
        ck_assert_int_eq(throttle_wait(&row, table[i].now, 5, 900, 900), table[i].wait);
    }
}
END_TEST

static const char *key_of(const struct throttle_keys *keys, enum throttle_bucket bucket)
{
    return keys->of[bucket].key;
}

START_TEST(keys_tell_people_and_places_apart)
{
    struct addr here, there, neighbour;
    struct throttle_keys a, b;
    struct secret_key secret = {{1}}, other = {{2}};
    addr_parse(&here, "2001:db8::1");
    addr_parse(&neighbour, "2001:db8::2");
    addr_parse(&there, "2001:db8:1::1");
    throttle_keys(&a, &secret, "Alice", 7, &here);
    throttle_keys(&b, &secret, "aLICE", 7, &neighbour);
    for (int bucket = THROTTLE_PERSON; bucket < THROTTLE_BROWSER; bucket++)
        ck_assert_str_eq(a.of[bucket].key, b.of[bucket].key);
    throttle_keys(&b, &secret, "alice", 7, &there);
    for (int bucket = THROTTLE_PERSON; bucket < THROTTLE_BROWSER; bucket++)
        ck_assert_str_ne(a.of[bucket].key, b.of[bucket].key);
    throttle_keys(&b, &secret, "bob", 8, &here);
    ck_assert_str_ne(key_of(&a, THROTTLE_PERSON), key_of(&b, THROTTLE_PERSON));
    ck_assert_str_ne(key_of(&a, THROTTLE_PERSON_WIDE), key_of(&b, THROTTLE_PERSON_WIDE));
    ck_assert_str_eq(key_of(&a, THROTTLE_PLACE), key_of(&b, THROTTLE_PLACE));
    ck_assert_ptr_null(strstr(key_of(&a, THROTTLE_PERSON), "lice")); /* not what was typed, … */
    throttle_keys(&b, &other, "alice", 7, &here);
    /* … nor can it be tried out without the secret */
    ck_assert_str_ne(key_of(&a, THROTTLE_PERSON), key_of(&b, THROTTLE_PERSON));
    ck_assert_str_eq(key_of(&a, THROTTLE_BROWSER), "");
    ck_assert_str_eq(key_of(&a, THROTTLE_SESSION), "");
    throttle_keys_session(&a, 5, 7);
    throttle_keys_session(&b, 6, 7);
    for (int bucket = THROTTLE_PERSON; bucket < THROTTLE_SESSION; bucket++)
        ck_assert_str_eq(a.of[bucket].key, "");
    ck_assert_str_ne(key_of(&a, THROTTLE_SESSION), key_of(&b, THROTTLE_SESSION));
}
END_TEST

START_TEST(places_have_neighbourhoods)
{
    static const struct {
        const char *one, *two;
        bool near, wide;
    } table[] = {
        {"192.0.2.1", "192.0.2.1", true, true},
        {"192.0.2.1", "192.0.2.2", false, true},
        {"192.0.2.1", "192.0.3.1", false, false},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::", true, true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false, true},
        {"2001:db8:1:2::1", "2001:db8:2:2::1", false, false},
        {"::ffff:192.0.2.1", "192.0.2.1", true, true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct addr one, two;
        struct throttle_keys a, b;
        ck_assert(addr_parse(&one, table[i].one) && addr_parse(&two, table[i].two));
        throttle_keys_place(&a, &one);
        throttle_keys_place(&b, &two);
        ck_assert_str_eq(key_of(&a, THROTTLE_PERSON), "");
        ck_assert((strcmp(key_of(&a, THROTTLE_PLACE), key_of(&b, THROTTLE_PLACE)) == 0) ==
                  table[i].near);
        ck_assert((strcmp(key_of(&a, THROTTLE_PLACE_WIDE), key_of(&b, THROTTLE_PLACE_WIDE)) == 0) ==
                  table[i].wide);
    }
}
END_TEST

/* ---- secrets ---- */

static char folder[] = "/tmp/deskgate-rules-XXXXXX";
static char path[64];

static void setup(void)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/secret.key", folder);
    ck_assert_int_eq(secret_init(), 0);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* and nothing else was left behind */
}

START_TEST(the_key_is_made_once_and_is_private)
{
    struct secret_key key, again;
    struct stat st;
    char why[256] = "";
    ck_assert_int_ne(secret_key_load(&key, path, false, why, sizeof(why)), 0);
    ck_assert_msg(secret_key_load(&key, path, true, why, sizeof(why)) == 0, "%s", why);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(secret_key_load(&again, path, true, why, sizeof(why)), 0);
    ck_assert_mem_eq(key.bytes, again.bytes, SECRET_KEY_SIZE);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_ne(secret_key_load(&again, path, true, why, sizeof(why)), 0);
    ck_assert_ptr_nonnull(strstr(why, "chmod"));
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(truncate(path, 31), 0);
    ck_assert_int_ne(secret_key_load(&again, path, true, why, sizeof(why)), 0);
}
END_TEST

START_TEST(sealed_bytes_belong_to_one_person)
{
    struct secret_key key;
    char why[256];
    uint8_t plain[TOTP_SEED_SIZE] = "a seed of 20 bytes!", back[TOTP_SEED_SIZE];
    uint8_t sealed[TOTP_SEED_SIZE + SECRET_OVERHEAD], other[sizeof(sealed)];
    ck_assert_int_eq(secret_key_load(&key, path, true, why, sizeof(why)), 0);
    size_t size = secret_seal(&key, "Alice", plain, sizeof(plain), sealed);
    ck_assert_uint_eq(size, sizeof(sealed));
    ck_assert(secret_open(&key, "alice", sealed, size, back));
    ck_assert_mem_eq(back, plain, sizeof(plain));
    ck_assert(!secret_open(&key, "bob", sealed, size, back));
    ck_assert(!secret_open(&key, "alice", sealed, size - 1, back));
    ck_assert(!secret_open(&key, "alice", sealed, 3, back));
    secret_seal(&key, "Alice", plain, sizeof(plain), other);
    ck_assert_mem_ne(sealed, other, sizeof(sealed)); /* a fresh nonce each time */
    sealed[30] ^= 1;
    ck_assert(!secret_open(&key, "alice", sealed, size, back));
}
END_TEST

/* ---- TOTP ---- */

START_TEST(rfc_6238_codes)
{
    /* RFC 6238 appendix B, SHA-1, the last six digits. */
    static const uint8_t seed[] = "12345678901234567890";
    static const struct {
        int64_t time;
        const char *code;
    } table[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                 {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        int64_t step = -1, now = table[i].time;
        ck_assert(totp_matches(seed, 20, table[i].code, now, &step));
        ck_assert_int_eq(step, now / 30);
        ck_assert(totp_matches(seed, 20, table[i].code, now + 30, &step));
        ck_assert_int_eq(step, now / 30);
        ck_assert(totp_matches(seed, 20, table[i].code, now - 30, &step));
        ck_assert(!totp_matches(seed, 20, table[i].code, now + 60, &step));
        if (now >= 60)
            ck_assert(!totp_matches(seed, 20, table[i].code, now - 60, &step));
    }
}
END_TEST

START_TEST(bad_codes)
{
    static const uint8_t seed[] = "12345678901234567890";
    static const char *const bad[] = {"", "28708", "2870822", "28708a", "      ", "-87082"};
    int64_t step;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!totp_matches(seed, 20, bad[i], 59, &step), "%s", bad[i]);
}
END_TEST

START_TEST(enrolment)
{
    static const uint8_t seed[TOTP_SEED_SIZE] = {"12345678901234567890"};
    char text[TOTP_BASE32_SIZE], uri[TOTP_URI_SIZE];
    totp_base32(seed, text);
    ck_assert_str_eq(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    ck_assert(totp_uri(seed, "desk gate", "a@b", uri));
    ck_assert_str_eq(uri, "otpauth://totp/desk%20gate:a%40b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                          "&issuer=desk%20gate&algorithm=SHA1&digits=6&period=30");
}
END_TEST

/* ---- passwords ---- */

START_TEST(passwords)
{
    char hash[STORE_PASSWORD_SIZE], dummy[STORE_PASSWORD_SIZE];
    ck_assert_int_eq(password_hash("correct horse battery", hash), 0);
    ck_assert_int_eq(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    ck_assert(password_matches(hash, "correct horse battery"));
    ck_assert(!password_matches(hash, "correct horse batterY"));
    ck_assert(!password_matches(hash, ""));
    ck_assert_int_eq(password_dummy(dummy), 0);
    ck_assert(!password_matches(dummy, "correct horse battery"));
    ck_assert_int_eq(strncmp(dummy, hash, 31), 0); /* the same cost */
}
END_TEST

/* A sanitizer maps terabytes, and has no use for such a limit. */
#ifndef __SANITIZE_ADDRESS__
START_TEST(without_memory_no_password_is_wrong)
{
    char hash[STORE_PASSWORD_SIZE];
    bool right;
    struct rlimit limit;
    ck_assert_int_eq(password_hash("correct horse battery", hash), 0);
    getrlimit(RLIMIT_AS, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 1 << 20; /* less than there is: nothing more can be mapped */
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    int judged = password_judge(hash, "correct horse battery", &right);
    limit.rlim_cur = before;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_int_eq(judged, -ENOMEM);
    ck_assert_int_eq(password_judge(hash, "correct horse battery", &right), 0);
    ck_assert(right);
    ck_assert_int_eq(password_judge(hash, "correct horse batterY", &right), 0);
    ck_assert(!right);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("keeper_rules");
    TCase *tests = tcase_create("keeper_rules");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, who_may_be_dialled);
    tcase_add_test(tests, how_long_to_wait);
    tcase_add_test(tests, keys_tell_people_and_places_apart);
    tcase_add_test(tests, places_have_neighbourhoods);
    tcase_add_test(tests, the_key_is_made_once_and_is_private);
    tcase_add_test(tests, sealed_bytes_belong_to_one_person);
    tcase_add_test(tests, rfc_6238_codes);
    tcase_add_test(tests, bad_codes);
    tcase_add_test(tests, enrolment);
    tcase_add_test(tests, passwords);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tests, without_memory_no_password_is_wrong);
#endif
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
