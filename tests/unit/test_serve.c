/* The supervisor's parts that need no second process: sockets, certificates, systemd's datagram. */
#include "serve_listen.h"
#include "serve_notify.h"
#include "serve_pems.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/deskgate-serve-XXXXXX";
static struct conf conf;
static struct serve_listeners listeners;

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    conf_defaults(&conf, folder);
    conf.listen_count = 0;
}

static void teardown(void)
{
    static const char *const names[] = {"a.pem", "a.key", "b.pem", "b.key", "notify"};
    serve_listen_close(&listeners);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* ---- sockets ---- */

static void add_listen(const char *text, bool tls)
{
    struct conf_listen *listen_on = &conf.listen[conf.listen_count++];
    ck_assert(conf_parse_listen(listen_on, text));
    listen_on->tls = tls;
}

START_TEST(binds_and_says_where)
{
    char text[SERVE_ADDRESSES_SIZE], want[128];
    add_listen("127.0.0.1:0", false);
    add_listen("127.0.0.1:0", true);
    ck_assert_int_eq(serve_listen(&conf, &listeners), EX_OK);
    ck_assert_uint_eq(listeners.count, 2);
    ck_assert(!listeners.items[0].tls && listeners.items[1].tls);
    ck_assert(conf.listen[0].port != 0 && conf.listen[1].port != 0);
    ck_assert_uint_eq(conf.public_port, conf.listen[1].port);
    ck_assert(fcntl(listeners.items[0].fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(listeners.items[0].fd, F_GETFD) & FD_CLOEXEC);
    serve_listen_text(&conf, text);
    snprintf(want, sizeof(want), "127.0.0.1:%u 127.0.0.1:%u", (unsigned)conf.listen[1].port,
             (unsigned)conf.listen[0].port);
    ck_assert_str_eq(text, want);
}
END_TEST

START_TEST(given_public_port_stays)
{
    conf.public_port = 443;
    conf.public_port_given = true;
    add_listen("127.0.0.1:0", true);
    ck_assert_int_eq(serve_listen(&conf, &listeners), EX_OK);
    ck_assert_uint_eq(conf.public_port, 443);
}
END_TEST

START_TEST(address_in_use)
{
    struct serve_listeners second;
    add_listen("127.0.0.1:0", true);
    ck_assert_int_eq(serve_listen(&conf, &listeners), EX_OK);
    ck_assert_int_eq(serve_listen(&conf, &second), EX_UNAVAILABLE); /* the port is known now */
    serve_listen_close(&second);
    serve_listen_close(&second);
}
END_TEST

/* Puts what systemd would: sockets from 3 on, and the environment. */
static void activate(int first, int second, const char *names)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    int a = fcntl(first, F_DUPFD, 20), b = fcntl(second, F_DUPFD, 20);
    dup2(a, 3);
    dup2(b, 4);
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static int a_socket(bool listening)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
    if (listening)
        ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

/* In a process of its own, because Check needs descriptor 3 itself. Returns its exit code. */
static int activated(int first, int second, const char *names, int (*then)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        activate(first, second, names);
        int code = serve_listen(&conf, &listeners);
        _exit(code == EX_OK && then ? then() : code);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The number of what is wrong. */
static int is_taken_over(void)
{
    if (listeners.count != 2 || listeners.items[0].fd != 3 || listeners.items[1].fd != 4)
        return 1;
    if (listeners.items[0].tls || !listeners.items[1].tls)
        return 2;
    if (conf.public_port == 0 || conf.public_port != conf.listen[1].port)
        return 3;
    if (!(fcntl(4, F_GETFD) & FD_CLOEXEC) || !(fcntl(4, F_GETFL) & O_NONBLOCK))
        return 4;
    return getenv("LISTEN_FDS") ? 5 : 0;
}

START_TEST(systemd_sockets)
{
    add_listen("192.0.2.1:1", true); /* would fail, were it used */
    ck_assert_int_eq(activated(a_socket(true), a_socket(true), "http:https", is_taken_over), 0);
}
END_TEST

static int has_metrics_too(void)
{
    if (listeners.count != 3 || !listeners.items[0].tls || !listeners.items[2].metrics)
        return 1;
    return conf.listen_count == 3 && conf.listen[2].metrics && conf.listen[2].port ? 0 : 2;
}

START_TEST(systemd_leaves_prometheus_to_the_configuration)
{
    add_listen("192.0.2.1:1", true); /* would fail, were it used */
    add_listen("127.0.0.1:0", false);
    conf.listen[1].metrics = true;
    ck_assert_int_eq(activated(a_socket(true), a_socket(true), "https:http", has_metrics_too), 0);
}
END_TEST

static int has_metrics_from_systemd(void)
{
    return listeners.count == 2 && listeners.items[1].metrics && !listeners.items[1].tls ? 0 : 1;
}

START_TEST(systemd_may_give_prometheus_its_socket)
{
    add_listen("192.0.2.1:1", false); /* would fail, were it used */
    conf.listen[0].metrics = true;
    ck_assert_int_eq(
        activated(a_socket(true), a_socket(true), "https:metrics", has_metrics_from_systemd), 0);
}
END_TEST

START_TEST(systemd_gives_what_does_not_listen)
{
    ck_assert_int_eq(activated(a_socket(true), a_socket(false), "https:https", NULL), EX_CONFIG);
}
END_TEST

START_TEST(systemd_gives_only_plain)
{
    ck_assert_int_eq(activated(a_socket(true), a_socket(true), "http:http", NULL), EX_CONFIG);
}
END_TEST

START_TEST(another_process_was_meant)
{
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "2", 1);
    add_listen("127.0.0.1:0", true);
    ck_assert_int_eq(serve_listen(&conf, &listeners), EX_OK);
    ck_assert_uint_eq(listeners.count, 1);
    ck_assert_ptr_null(getenv("LISTEN_PID"));
}
END_TEST

/* ---- certificates ---- */

static void write_text(const char *name, const gnutls_datum_t *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(text->data, 1, text->size, out), text->size);
    ck_assert_int_eq(fclose(out), 0);
}

static void make_pair(const char *certificate, const char *key)
{
    gnutls_x509_privkey_t private;
    gnutls_x509_crt_t crt;
    gnutls_datum_t text;
    unsigned char serial[] = {1};

    ck_assert_int_ge(gnutls_x509_privkey_init(&private), 0);
    ck_assert_int_ge(gnutls_x509_privkey_generate(private, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                  0),
                     0);
    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 10);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 1000);
    gnutls_x509_crt_set_key(crt, private);
    ck_assert_int_ge(gnutls_x509_crt_sign2(crt, crt, private, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_ge(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text), 0);
    write_text(certificate, &text);
    gnutls_free(text.data);
    ck_assert_int_ge(gnutls_x509_privkey_export2(private, GNUTLS_X509_FMT_PEM, &text), 0);
    write_text(key, &text);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(private);
}

static void set_pair(size_t i, const char *certificate, const char *key)
{
    snprintf(conf.pairs[i].certificate, CONF_PATH_SIZE, "%s/%s", folder, certificate);
    snprintf(conf.pairs[i].key, CONF_PATH_SIZE, "%s/%s", folder, key);
    conf.pair_count = i + 1;
}

static void assert_sent(const struct serve_pems *pems, size_t count)
{
    int ends[2], fds[CONTROL_FDS_MAX];
    size_t got;
    char byte;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    for (int round = 0; round < 2; round++) { /* a gate that is started again reads them, too */
        ck_assert_int_eq(serve_pems_send(pems, ends[0]), 0);
        ck_assert_int_eq(control_receive(ends[1], fds, &got), CONTROL_CERTIFICATES);
        ck_assert_uint_eq(got, count);
        while (got) {
            ck_assert_int_eq(read(fds[--got], &byte, 1), 1);
            ck_assert_int_eq(byte, '-');
            ck_assert_int_lt(write(fds[got], "x", 1), 0); /* sealed */
            close(fds[got]);
        }
    }
    close(ends[0]);
    close(ends[1]);
}

START_TEST(good_pairs)
{
    struct serve_pems pems = SERVE_PEMS_NONE;
    char why[512];
    make_pair("a.pem", "a.key");
    make_pair("b.pem", "b.key");
    set_pair(0, "a.pem", "a.key");
    set_pair(1, "b.pem", "b.key");
    ck_assert_msg(serve_pems_load(&pems, &conf, why, sizeof(why)) == 0, "%s", why);
    assert_sent(&pems, 4);
    serve_pems_close(&pems);
    serve_pems_close(&pems);
}
END_TEST

START_TEST(bad_pairs_leave_the_old_ones)
{
    struct serve_pems pems = SERVE_PEMS_NONE;
    char why[512];
    make_pair("a.pem", "a.key");
    make_pair("b.pem", "b.key");
    set_pair(0, "a.pem", "a.key");
    ck_assert_int_eq(serve_pems_load(&pems, &conf, why, sizeof(why)), 0);
    set_pair(0, "a.pem", "b.key");
    ck_assert_int_eq(serve_pems_load(&pems, &conf, why, sizeof(why)), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "is not the key of"));
    set_pair(0, "a.pem", "missing.key");
    ck_assert_int_eq(serve_pems_load(&pems, &conf, why, sizeof(why)), -ENOENT);
    set_pair(0, "a.key", "a.key");
    ck_assert_int_eq(serve_pems_load(&pems, &conf, why, sizeof(why)), -EINVAL);
    set_pair(0, "", "a.key"); /* a folder */
    ck_assert_int_lt(serve_pems_load(&pems, &conf, why, sizeof(why)), 0);
    assert_sent(&pems, 2);
    serve_pems_close(&pems);
}
END_TEST

/* ---- systemd's datagram ---- */

static void assert_notified(struct sockaddr_un *at, socklen_t size, const char *name)
{
    char got[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)at, size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    serve_notify("READY=1");
    ck_assert_int_eq(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
    ck_assert_str_eq(got, "READY=1");
    close(fd);
}

START_TEST(notifies)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", folder);
    assert_notified(&at, sizeof(at), at.sun_path);

    char name[sizeof(at.sun_path) + 1];
    memset(at.sun_path, 0, sizeof(at.sun_path));
    snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "deskgate-test-%ld", (long)getpid());
    snprintf(name, sizeof(name), "@%s", at.sun_path + 1);
    assert_notified(&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)), name);

    unsetenv("NOTIFY_SOCKET");
    serve_notify("READY=1"); /* nobody to tell */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serve");
    TCase *tcase = tcase_create("serve");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, binds_and_says_where);
    tcase_add_test(tcase, given_public_port_stays);
    tcase_add_test(tcase, address_in_use);
    tcase_add_test(tcase, systemd_sockets);
    tcase_add_test(tcase, systemd_leaves_prometheus_to_the_configuration);
    tcase_add_test(tcase, systemd_may_give_prometheus_its_socket);
    tcase_add_test(tcase, systemd_gives_what_does_not_listen);
    tcase_add_test(tcase, systemd_gives_only_plain);
    tcase_add_test(tcase, another_process_was_meant);
    tcase_add_test(tcase, good_pairs);
    tcase_add_test(tcase, bad_pairs_leave_the_old_ones);
    tcase_add_test(tcase, notifies);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
