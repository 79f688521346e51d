/* The self-signed certificate of init, what is found out about it, and files that are put in their
 * place once. */
#include "certificate.h"
#include "place.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/deskgate-certificate-XXXXXX";
static struct conf conf;
static struct conf_pair pair;

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    conf_defaults(&conf, folder);
    snprintf(pair.certificate, sizeof(pair.certificate), "%s/cert.pem", folder);
    snprintf(pair.key, sizeof(pair.key), "%s/key.pem", folder);
}

static void teardown(void)
{
    unlink(pair.certificate);
    unlink(pair.key);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left behind */
}

static void make(const char *name)
{
    gnutls_datum_t certificate, key;
    ck_assert(conf_name(conf.name, sizeof(conf.name), name));
    ck_assert_int_eq(certificate_make(&conf, &certificate, &key), 0);
    unlink(pair.certificate);
    unlink(pair.key);
    ck_assert_int_eq(place_file(pair.certificate, certificate.data, certificate.size), 1);
    ck_assert_int_eq(place_file(pair.key, key.data, key.size), 1);
    gnutls_free(certificate.data);
    gnutls_free(key.data);
}

static const struct {
    const char *made_for, *asked;
    bool fits;
} names[] = {
    {"gate.example", "gate.example", true},
    {"gate.example", "GATE.example", true},
    {"gate.example", "other.example", false},
    {"gate.example", "192.0.2.9", true}, /* a listen address */
    {"gate.example", "192.0.2.8", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"2001:db8::7", "[2001:db8::7]", true},
    {"2001:db8::7", "[2001:db8::8]", false},
};

START_TEST(names_what_it_should)
{
    struct certificate found;
    char why[512] = "";
    ck_assert(conf_parse_listen(&conf.listen[0], "192.0.2.9:443"));
    make(names[_i].made_for);
    ck_assert_msg(certificate_look(&pair, names[_i].asked, &found, why, sizeof(why)) == 0, "%s",
                  why);
    ck_assert_int_eq(found.for_name, names[_i].fits);
    ck_assert(found.fits_key && found.self_signed);
    ck_assert_uint_eq(strlen(found.fingerprint), 32 * 3 - 1);
}
END_TEST

START_TEST(lives_as_long_as_clients_bear)
{
    struct certificate found;
    char why[512];
    make("gate.example");
    ck_assert_int_eq(certificate_look(&pair, "gate.example", &found, why, sizeof(why)), 0);
    ck_assert(found.from <= time(NULL) && found.until > time(NULL) + 395 * 86400);
    ck_assert_int_eq(found.until - found.from, CERTIFICATE_DAYS * 86400);
}
END_TEST

START_TEST(tells_what_is_wrong)
{
    struct certificate found;
    struct conf_pair other = pair;
    char why[5000];
    make("gate.example");
    snprintf(other.key, sizeof(other.key), "%s/none.pem", folder);
    ck_assert_int_eq(certificate_look(&other, "a", &found, why, sizeof(why)), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why, "none.pem"));
    other = (struct conf_pair){0};
    snprintf(other.certificate, sizeof(other.certificate), "%s", pair.key);
    snprintf(other.key, sizeof(other.key), "%s", pair.certificate);
    ck_assert_int_eq(certificate_look(&other, "a", &found, why, sizeof(why)), -EINVAL);
    ck_assert_int_eq(unlink(pair.key), 0);
    gnutls_datum_t certificate, key; /* another pair's key */
    ck_assert_int_eq(certificate_make(&conf, &certificate, &key), 0);
    ck_assert_int_eq(place_file(pair.key, key.data, key.size), 1);
    gnutls_free(certificate.data);
    gnutls_free(key.data);
    ck_assert_int_eq(certificate_look(&pair, "gate.example", &found, why, sizeof(why)), 0);
    ck_assert(!found.fits_key);
}
END_TEST

START_TEST(never_over_another)
{
    struct stat st;
    char got[8] = "";
    ck_assert_int_eq(place_file(pair.key, "first", 5), 1);
    ck_assert_int_eq(place_file(pair.key, "second", 6), 0);
    ck_assert_int_eq(stat(pair.key, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    FILE *in = fopen(pair.key, "r");
    ck_assert_uint_eq(fread(got, 1, sizeof(got), in), 5);
    fclose(in);
    ck_assert_str_eq(got, "first");
    ck_assert_int_eq(symlink("/nonexistent/x", pair.certificate), 0);
    ck_assert_int_eq(place_file(pair.certificate, "x", 1), 0); /* a dangling link is something */
    ck_assert_int_eq(place_folder(folder), 0);
    ck_assert_int_eq(place_folder(pair.key), -ENOTDIR);
    ck_assert_int_eq(place_folder("/nonexistent/a/b"), -ENOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("certificate");
    TCase *tcase = tcase_create("certificate");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, names_what_it_should, 0, (int)(sizeof(names) / sizeof(names[0])));
    tcase_add_test(tcase, lives_as_long_as_clients_bear);
    tcase_add_test(tcase, tells_what_is_wrong);
    tcase_add_test(tcase, never_over_another);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
