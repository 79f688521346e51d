/* Where the gateway is, by which port and proxy, and which certificate it has. */
#include "client_listen.h"
#include "client_proxy.h"
#include "client_trust.h"
#include "client_url.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

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

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

int main(void)
{
    Suite *suite = suite_create("client_address");
    TCase *tests = tcase_create("client_address");
    tcase_add_loop_test(tests, url_good, 0, COUNT(urls));
    tcase_add_loop_test(tests, url_bad, 0, COUNT(bad_urls));
    tcase_add_test(tests, url_too_long);
    tcase_add_test(tests, listen_addresses);
    tcase_add_test(tests, ports_stay);
    tcase_add_test(tests, fingerprints);
    tcase_add_loop_test(tests, proxies_are_spared, 0, COUNT(spared));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
