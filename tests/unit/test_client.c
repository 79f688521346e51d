/* The tunnel client's pure parts: addresses, fingerprints, JSON, words, pauses, commands. */
#include "client_ask.h"
#include "client_exec.h"
#include "client_failure.h"
#include "client_json.h"
#include "client_listen.h"
#include "client_options.h"
#include "client_program.h"
#include "client_proxy.h"
#include "client_save.h"
#include "client_status.h"
#include "client_trust.h"
#include "client_url.h"

#include "suite.h"
#include "wiped_json.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

static const struct {
    const char *text, *host, *authority;
    uint16_t port;
    bool numeric;
} urls[] = {
    {"https://gateway.example.com", "gateway.example.com", "gateway.example.com", 443, false},
    {"HTTPS://Gateway.Example.com:443/", "gateway.example.com", "gateway.example.com", 443, false},
    {"gateway", "gateway", "gateway", 443, false},
    {"localhost:8443", "localhost", "localhost:8443", 8443, false},
    {"https://192.0.2.7:65535", "192.0.2.7", "192.0.2.7:65535", 65535, true},
    {"https://[2001:DB8::1]", "2001:db8::1", "[2001:db8::1]", 443, true},
    {"https://[::1]:8443/", "::1", "[::1]:8443", 8443, true},
};

START_TEST(url_good)
{
    struct client_url url;
    const char *why = "";
    ck_assert_msg(client_url_parse(&url, urls[_i].text, &why), "%s: %s", urls[_i].text, why);
    ck_assert_str_eq(url.host, urls[_i].host);
    ck_assert_str_eq(url.authority, urls[_i].authority);
    ck_assert_uint_eq(url.port, urls[_i].port);
    ck_assert(url.numeric == urls[_i].numeric);
}
END_TEST

static const char *const bad_urls[] = {
    "",
    "http://gateway",
    "ftp://gateway",
    "https://",
    "https://:443",
    "https://gateway:",
    "https://gateway:0",
    "https://gateway:65536",
    "https://gateway:99999999999999999999",
    "https://gateway:+1",
    "https://anna@gateway",
    "https://anna:secret@gateway",
    "https://gateway/portal",
    "https://gateway?x",
    "https://gateway#x",
    "https://2001:db8::1",
    "https://[192.0.2.7]",
    "https://[::1",
    "https://[::1]x",
    "https://[]",
    "https://-gateway",
    "https://gate..way",
    "https://.gateway",
    "https://gate way",
    "https://gate%77ay",
    "https://gateway\r\nX: y",
    "https://g\xc3\xa4teway",
};

START_TEST(url_bad)
{
    struct client_url url;
    const char *why = NULL;
    ck_assert_msg(!client_url_parse(&url, bad_urls[_i], &why), "%s", bad_urls[_i]);
    ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(url_too_long)
{
    char text[400] = "https://";
    struct client_url url;
    const char *why = NULL;
    memset(text + 8, 'a', 300);
    ck_assert(!client_url_parse(&url, text, &why));
    memset(text + 8 + 63, 0, 300);
    ck_assert(client_url_parse(&url, text, &why));
    text[8 + 63] = 'a'; /* a label of 64 */
    ck_assert(!client_url_parse(&url, text, &why));
}
END_TEST

START_TEST(listen_addresses)
{
    static const char *const bad[] = {"",          ":1",    "[::1]", "::1:1",       "host:1",
                                      "127.0.0.1", "65536", "-1",    "[::1]:65536", "[127.0.0.1]:1",
                                      "1.2.3.4:x"};
    struct client_listen listen;
    ck_assert(client_listen_parse(&listen, "127.0.0.1:0"));
    ck_assert(client_listen_is_loopback(&listen));
    ck_assert(client_listen_parse(&listen, "3390"));
    ck_assert_uint_eq(listen.port, 3390);
    ck_assert(client_listen_is_loopback(&listen));
    ck_assert(client_listen_parse(&listen, "[::1]:3390"));
    ck_assert(client_listen_is_loopback(&listen));
    ck_assert(client_listen_parse(&listen, "localhost:1"));
    ck_assert(client_listen_is_loopback(&listen));
    ck_assert(client_listen_parse(&listen, "0.0.0.0:3390"));
    ck_assert(!client_listen_is_loopback(&listen));
    ck_assert(client_listen_parse(&listen, "[::]:3390"));
    ck_assert(!client_listen_is_loopback(&listen));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!client_listen_parse(&listen, bad[i]), "%s", bad[i]);
}
END_TEST

static uint16_t port_of(const char *gateway, const char *desktop)
{
    struct client_url url;
    const char *why;
    ck_assert(client_url_parse(&url, gateway, &why));
    return client_listen_port(&url, desktop);
}

/* By these people's RDP clients remember certificates: they stay what they are. */
START_TEST(ports_stay)
{
    uint16_t port = port_of("https://gateway.example.com", "office-pc");
    ck_assert_uint_eq(port, 46068);
    ck_assert_uint_eq(port_of("HTTPS://Gateway.Example.com:443/", "Office-PC"), port);
    ck_assert_uint_ne(port_of("https://gateway.example.com:8443", "office-pc"), port);
    ck_assert_uint_ne(port_of("https://gateway.example.com", "office-pd"), port);
    for (unsigned i = 0; i < 10000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "pc-%u", i);
        ck_assert_uint_ge(port_of("gw", name), 20000);
        ck_assert_uint_lt(port_of("gw", name), 60000);
    }
}
END_TEST

START_TEST(fingerprints)
{
    uint8_t pin[CLIENT_TRUST_PIN_SIZE], again[CLIENT_TRUST_PIN_SIZE];
    char text[CLIENT_TRUST_PIN_TEXT], plain[65], tagged[128];
    for (size_t i = 0; i < sizeof(pin); i++)
        pin[i] = (uint8_t)(i * 37 + 5);
    client_trust_pin_text(text, pin);
    ck_assert_uint_eq(strlen(text), 95);
    ck_assert(client_trust_parse_pin(again, text));
    ck_assert_mem_eq(pin, again, sizeof(pin));
    for (size_t i = 0; i < sizeof(pin); i++)
        snprintf(plain + 2 * i, 3, "%02x", pin[i]);
    memset(again, 0, sizeof(again));
    ck_assert(client_trust_parse_pin(again, plain));
    ck_assert_mem_eq(pin, again, sizeof(pin));
    snprintf(tagged, sizeof(tagged), "SHA256:%s", text);
    ck_assert(client_trust_parse_pin(again, tagged));

    ck_assert(!client_trust_parse_pin(again, ""));
    ck_assert(!client_trust_parse_pin(again, "SHA256:"));
    snprintf(tagged, sizeof(tagged), "%s0", plain);
    ck_assert(!client_trust_parse_pin(again, tagged));
    plain[63] = '\0';
    ck_assert(!client_trust_parse_pin(again, plain));
    text[20] = '-';
    ck_assert(!client_trust_parse_pin(again, text));
}
END_TEST

START_TEST(words_are_harmless)
{
    struct client_failure failure;
    ck_assert_int_eq(client_fail(&failure, CLIENT_FAULT_NAME, "%s", "a\x1b[2J\xc2\x9b\tb\nc"), -1);
    ck_assert_str_eq(failure.words, "a?[2J???b\nc");
    ck_assert_int_eq(client_failure_exit(failure.fault), EX_NOHOST);
}
END_TEST

START_TEST(pauses_grow_and_end_growing)
{
    for (uint32_t random = 0; random < 20000; random += 7) {
        uint32_t first = client_failure_backoff(1, random, 0);
        ck_assert_uint_ge(first, 500);
        ck_assert_uint_le(first, 1000);
        uint32_t late = client_failure_backoff(1000, random, 0);
        ck_assert_uint_ge(late, 7500);
        ck_assert_uint_le(late, 15000);
        ck_assert_uint_ge(client_failure_backoff(1, random, 30), 30000);
        ck_assert_uint_le(client_failure_backoff(1, random, UINT32_MAX), 3601000);
    }
}
END_TEST

START_TEST(commands_are_filled)
{
    char *filled = client_exec_fill("rdp /v:{} {}x", "[::1]:9");
    ck_assert_str_eq(filled, "rdp /v:[::1]:9 [::1]:9x");
    free(filled);
    filled = client_exec_fill("", "x");
    ck_assert_str_eq(filled, "");
    free(filled);
}
END_TEST

static const struct {
    const char *command, *program; /* NULL: not plain to see */
} programs[] = {
    {"xfreerdp /v:{}", "xfreerdp"},
    {" \t/opt/rdp-3.1/bin/rdp_x+", "/opt/rdp-3.1/bin/rdp_x+"},
    {"rdp&", "rdp"},
    {"rdp;x", "rdp"},
    {"rdp>x", "rdp"},
    {"exit", "exit"},
    {"", NULL},
    {" ", NULL},
    {"-x", NULL},
    {"X=1 rdp", NULL},
    {"f() { rdp; }; f", NULL},
    {"f () { rdp; }; f", NULL},
    {"(rdp)", NULL},
    {"{ rdp; }", NULL},
    {"\"rdp\"", NULL},
    {"rdp\"\"", NULL},
    {"~/rdp", NULL},
    {"$RDP", NULL},
    {"rdp$X", NULL},
    {"rd\\p", NULL},
};

START_TEST(programs_are_seen)
{
    char name[CLIENT_PROGRAM_SIZE];
    bool plain = client_program_of(name, programs[_i].command);
    ck_assert_msg(plain == (programs[_i].program != NULL), "%s", programs[_i].command);
    if (plain)
        ck_assert_str_eq(name, programs[_i].program);
}
END_TEST

/* How a sanitizer refuses what a limit on the address space refuses otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

START_TEST(no_command_with_words_missing_is_started)
{
    enum { PLACES = 4096, LENGTH = 1024 * 1024 };
    char *many = malloc(2 * PLACES + 1), *address = malloc(LENGTH + 1), program[] = "true";
    char *words[] = {program, many, program, NULL}; /* the one in the midst takes 4 GB */
    struct client_failure failure = {0};
    ck_assert(many && address);
    for (size_t i = 0; i < PLACES; i++)
        memcpy(many + 2 * i, "{}", 3);
    memset(address, 'a', LENGTH);
    address[LENGTH] = '\0';
#ifndef __SANITIZE_ADDRESS__
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){1024UL * LENGTH, RLIM_INFINITY}), 0);
#endif
    ck_assert_int_eq(client_exec_start(NULL, words, address, -1, &failure), -1);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_SYSTEM);
    ck_assert_ptr_nonnull(strstr(failure.words, "out of memory"));
    free(many);
    free(address);
}
END_TEST

START_TEST(bytes_for_people)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},          {999, "999 B"},         {1000, "1.0 kB"},       {999999, "999.9 kB"},
        {1000000, "1.0 MB"}, {1234567890, "1.2 GB"}, {UINT64_MAX, "18.4 EB"}};
    char text[CLIENT_STATUS_BYTES_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        client_status_bytes(text, cases[i].bytes);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

/* ---- proxies ---- */

static const struct {
    const char *list, *gateway;
    bool spares;
} spared[] = {
    {"*", "gw.example.com", true},
    {"gw.example.com", "gw.example.com", true},
    {"GW.Example.COM.", "gw.example.com", true},
    {"gw.example.com", "gw.example.com.", true},
    {"example.com", "gw.example.com", true},
    {".example.com", "gw.example.com", true},
    {".gw.example.com", "gw.example.com", true},
    {"a.example, \texample.com ,b", "gw.example.com", true},
    {"a.example example.com", "gw.example.com", true},
    {"ample.com", "gw.example.com", false},
    {"*.example.com", "gw.example.com", false},
    {"a.gw.example.com", "gw.example.com", false},
    {"", "gw.example.com", false},
    {" , .,..", "gw.example.com", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"10.0.0.0/8,192.0.2.0/24", "192.0.2.7", true},
    {"192.0.2.0/29", "192.0.2.8", false},
    {"2.7", "192.0.2.7", false},
    {"2001:db8::/32", "[2001:db8::1]", true},
    {"::1", "[2001:db8::1]", false},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000/128", "[::1]", false},
};

START_TEST(proxies_are_spared)
{
    struct client_url url;
    const char *why;
    ck_assert(client_url_parse(&url, spared[_i].gateway, &why));
    ck_assert_msg(client_proxy_spares(spared[_i].list, &url) == spared[_i].spares, "%s: %s",
                  spared[_i].list, spared[_i].gateway);
}
END_TEST

/* ---- what is typed ---- */

static const struct {
    const char *typed, *meant;
} codes[] = {
    {"123456", "123456"},
    {"123 456", "123456"},
    {"1. abcd-EFGH-jkmn-pqrs", "abcdefghjkmnpqrs"},
    {"10)abcd efgh jkmn pqrs", "abcdefghjkmnpqrs"},
    {"1234.", "1234"},
    {"\xef\xbc\x91\xef\xbc\x90\xef\xbc\x99", "109"},          /* U+FF11 FF10 FF19 */
    {"\xef\xbd\x81\xef\xbc\xba\xef\xbc\x8d\x62", "azb"},      /* U+FF41 FF3A FF0D */
    {"\xef\xbd\x9f\xef\xbc\x80\xef\xbd\xa1\xef\xbf\xbf", ""}, /* beyond these */
    {"\xc2\xb9\xe2\x80\x90"
     "1",
     "1"},
    {"\xef\xbc", ""},
    {"--", ""},
    {"", ""},
    {"12345678901234567890", "1234567890123456"},
};

START_TEST(codes_are_as_meant)
{
    char to[17];
    ck_assert(client_ask_code(to, sizeof(to), codes[_i].typed) == (codes[_i].meant[0] != '\0'));
    ck_assert_str_eq(to, codes[_i].meant);
}
END_TEST

START_TEST(spaces_at_the_ends_are_nobodys)
{
    static const char lines[] = " \tanna\xc2\xa0\n\xe3\x80\x80"
                                "a b \xe3\x80\x80\r\n pass \n  \n";
    struct client_failure failure = {0};
    char to[32];
    int ends[2], never[2];
    ck_assert_int_eq(pipe(ends) | pipe(never), 0);
    ck_assert_int_eq(write(ends[1], lines, sizeof(lines) - 1), (ssize_t)sizeof(lines) - 1);
    struct client_ask ask = {.fd = ends[0], .cancel = never[0]};
    ck_assert_int_eq(client_ask(&ask, "", false, to, sizeof(to), &failure), 0);
    ck_assert_str_eq(to, "anna");
    ck_assert_int_eq(client_ask(&ask, "", false, to, sizeof(to), &failure), 0);
    ck_assert_str_eq(to, "a b");
    ck_assert_int_eq(client_ask(&ask, "", true, to, sizeof(to), &failure), 0);
    ck_assert_str_eq(to, " pass ");
    ck_assert_int_eq(client_ask(&ask, "", false, to, sizeof(to), &failure), -1);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_INPUT);
}
END_TEST

/* ---- JSON ---- */

static void answer_with(struct client_answer *answer, uint16_t status, const char *body)
{
    memset(answer, 0, sizeof(*answer));
    answer->head.status = status;
    answer->body = (char *)answer->bytes;
    answer->body_size = strlen(body);
    memcpy(answer->bytes, body, answer->body_size + 1);
}

START_TEST(login_is_escaped)
{
    char text[128];
    ck_assert(client_json_login(text, sizeof(text), "a\"b", "\\\n\x1f\xc3\xa4", "1"));
    ck_assert_str_eq(text, "{\"username\":\"a\\\"b\",\"password\":\"\\\\\\u000a\\u001f\xc3\xa4\","
                           "\"code\":\"1\"}");
    for (size_t size = 1; size <= strlen(text); size++) {
        char *exact = malloc(size);
        ck_assert(!client_json_login(exact, size, "a\"b", "\\\n\x1f\xc3\xa4", "1"));
        ck_assert_uint_lt(strlen(exact), size);
        free(exact);
    }
}
END_TEST

START_TEST(token_is_checked)
{
    static struct client_answer answer;
    char token[CLIENT_JSON_TOKEN_SIZE];
    int64_t expires;
    answer_with(&answer, 200,
                "{\"token\":\"AAAAAAAAAAAAAAAAAAAA-_9\",\"expires\":\"1970-01-02T00:00:01Z\"}");
    ck_assert(client_json_token(&answer, token, &expires));
    ck_assert_str_eq(token, "AAAAAAAAAAAAAAAAAAAA-_9");
    ck_assert_int_eq(expires, 86401);
    answer_with(&answer, 200, "{\"token\":\"AAAAAAAAAAAAAAAAAAAA\\r\\nX: y\"}");
    ck_assert(!client_json_token(&answer, token, &expires));
    answer_with(&answer, 200, "{\"token\":\"short\"}");
    ck_assert(!client_json_token(&answer, token, &expires));
    answer_with(&answer, 200, "[1]");
    ck_assert(!client_json_token(&answer, token, &expires));
    answer_with(&answer, 200, "");
    ck_assert(!client_json_token(&answer, token, &expires));
}
END_TEST

START_TEST(refusals_have_words)
{
    static struct client_answer answer;
    struct client_failure failure = {0};
    answer_with(&answer, 504,
                "{\"error\":\"desktop_asleep\",\"message\":\"It\\nsleeps.\",\"id\":\"00ff\"}");
    ck_assert_int_eq(client_json_refusal(&answer, &failure), -1);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_ASLEEP);
    ck_assert_str_eq(failure.words, "It sleeps. [id 00ff]");
    answer_with(&answer, 429, "<html>");
    answer.head.retry_after = 17;
    client_json_refusal(&answer, &failure);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_THROTTLED);
    ck_assert_uint_eq(failure.retry_seconds, 17);
    ck_assert_str_eq(failure.words, "too many attempts (try again in 17 s)");
    answer_with(&answer, 418, "{}");
    client_json_refusal(&answer, &failure);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_ANSWER);
}
END_TEST

START_TEST(desktops_are_listed)
{
    static struct client_answer answer;
    char others[16];
    answer_with(&answer, 200,
                "{\"desktops\":[{\"name\":\"one\"},{\"name\":\"two\"},"
                "{\"name\":\"a-long-name-that-does-not-fit\"}]}");
    ck_assert(client_json_has_desktop(&answer, "two", others, sizeof(others)));
    ck_assert(client_json_has_desktop(&answer, "TWO", others, sizeof(others)));
    ck_assert(!client_json_has_desktop(&answer, "three", others, sizeof(others)));
    ck_assert_str_eq(others, "one, two");
    answer_with(&answer, 200, "{\"desktops\":[]}");
    ck_assert(!client_json_has_desktop(&answer, "one", others, sizeof(others)));
    answer_with(&answer, 200, "{}");
    ck_assert(client_json_has_desktop(&answer, "one", others, sizeof(others)));
}
END_TEST

/* ---- where files are put ---- */

/* The file system as the kernel shows it: these stand before the C library's. */
static struct {
    int link_errno, renameat2_errno; /* 0: it does as it should */
    int links;
} disk;

int link(const char *from, const char *to)
{
    disk.links++;
    if (!disk.link_errno)
        return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
    errno = disk.link_errno;
    return -1;
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    if (!disk.renameat2_errno)
        return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    errno = disk.renameat2_errno;
    return -1;
}

static const struct {
    int link_errno, renameat2_errno, links;
} disks[] = {
    {0, 0, 0},
    {EPERM, 0, 0},  /* vfat, exFAT: no hard links */
    {0, EINVAL, 1}, /* NFS: no flags */
    {0, ENOSYS, 1}, /* a kernel, or a sandbox, that does not know it */
};

static void holds(const char *path, const char *text)
{
    char data[64] = "";
    struct stat st;
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, data, sizeof(data) - 1), (ssize_t)strlen(text));
    ck_assert_str_eq(data, text);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 1);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    close(fd);
}

START_TEST(files_are_put_on_any_disk)
{
    char folder[] = "/tmp/deskgate-save-XXXXXX", path[64];
    struct client_failure failure = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.rdp", folder);
    disk.link_errno = disks[_i].link_errno;
    disk.renameat2_errno = disks[_i].renameat2_errno;
    disk.links = 0;
    ck_assert_msg(!client_save(path, false, "one", 3, &failure), "%s", failure.words);
    ck_assert_int_eq(disk.links, disks[_i].links);
    holds(path, "one");
    ck_assert_int_eq(client_save(path, false, "two", 3, &failure), -1);
    ck_assert_ptr_nonnull(strstr(failure.words, "is there already"));
    holds(path, "one");
    ck_assert_int_eq(client_save(path, true, "three", 5, &failure), 0);
    holds(path, "three");
    unlink(path);
    ck_assert_msg(!rmdir(folder), "something half written stays");
}
END_TEST

/* ---- the command line ---- */

static int parse(struct client_options *options, const char *line)
{
    static char buffer[512];
    static char *words[32];
    int count = 0;
    snprintf(buffer, sizeof(buffer), "%s", line);
    for (char *word = strtok(buffer, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    return client_options_parse(options, CLIENT_CONNECT, count, words);
}

START_TEST(options_good)
{
    struct client_options options;
    ck_assert_int_eq(parse(&options, "connect https://gw:8443 pc"), EX_OK);
    ck_assert_str_eq(options.desktop, "pc");
    ck_assert_uint_eq(options.gateway.port, 8443);
    ck_assert_int_eq(options.credentials_fd, -1);
    ck_assert_int_eq(parse(&options, "connect --user a gw pc --retry 0 -- rdp --user b"), EX_OK);
    ck_assert_str_eq(options.user, "a");
    ck_assert_uint_eq(options.retry_ms, 0);
    ck_assert_str_eq(options.words[0], "rdp");
    ck_assert_str_eq(options.words[2], "b");
    ck_assert_int_eq(parse(&options, "connect --allow-remote --listen 0.0.0.0:1 gw pc"), EX_OK);
    ck_assert_int_eq(parse(&options, "connect --stdio --credentials-fd 2 gw pc"), EX_OK);
}
END_TEST

static const char *const bad_lines[] = {
    "connect",
    "connect gw",
    "connect gw pc more",
    "connect gw ../pc",
    "connect http://gw pc",
    "connect --nonsense gw pc",
    "connect gw pc --user",
    "connect --listen 0.0.0.0:1 gw pc",
    "connect --listen x gw pc",
    "connect --fingerprint 12 gw pc",
    "connect --credentials-fd 999 gw pc",
    "connect --credentials-fd x gw pc",
    "connect --retry x gw pc",
    "connect --stdio --credentials-fd 0 gw pc",
    "connect --stdio gw pc -- rdp",
    "connect --exec a gw pc -- rdp",
    "connect gw pc --",
};

START_TEST(options_bad)
{
    struct client_options options;
    ck_assert_msg(parse(&options, bad_lines[_i]) == EX_USAGE, "%s", bad_lines[_i]);
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

int main(void)
{
    Suite *suite = suite_create("client");
    TCase *tests = tcase_create("client");
    wiped_json_init();
    tcase_add_loop_test(tests, url_good, 0, COUNT(urls));
    tcase_add_loop_test(tests, url_bad, 0, COUNT(bad_urls));
    tcase_add_test(tests, url_too_long);
    tcase_add_test(tests, listen_addresses);
    tcase_add_test(tests, ports_stay);
    tcase_add_test(tests, fingerprints);
    tcase_add_test(tests, words_are_harmless);
    tcase_add_test(tests, pauses_grow_and_end_growing);
    tcase_add_test(tests, commands_are_filled);
    tcase_add_loop_test(tests, programs_are_seen, 0, COUNT(programs));
    tcase_add_test(tests, no_command_with_words_missing_is_started);
    tcase_add_test(tests, bytes_for_people);
    tcase_add_loop_test(tests, proxies_are_spared, 0, COUNT(spared));
    tcase_add_loop_test(tests, codes_are_as_meant, 0, COUNT(codes));
    tcase_add_test(tests, spaces_at_the_ends_are_nobodys);
    tcase_add_test(tests, login_is_escaped);
    tcase_add_test(tests, token_is_checked);
    tcase_add_test(tests, refusals_have_words);
    tcase_add_test(tests, desktops_are_listed);
    tcase_add_loop_test(tests, files_are_put_on_any_disk, 0, COUNT(disks));
    tcase_add_test(tests, options_good);
    tcase_add_loop_test(tests, options_bad, 0, COUNT(bad_lines));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
