/* What administrators type about addresses, hours, moments and desktops, on the command line or in
 * the browser. The first byte says what it is taken for. What is taken must be within its bounds,
 * and what we write of it must be read again the same. */
#include "addr.h"
#include "field.h"
#include "fuzz_kit.h"
#include "hours.h"
#include "rdp_field.h"
#include "wake.h"
#include "when.h"

static void as_address(const char *text)
{
    struct addr addr, again;
    struct sockaddr_storage socket;
    char written[ADDR_TEXT_SIZE];
    if (!addr_parse(&addr, text))
        return;
    addr_text(&addr, written);
    fuzz_demand(addr_parse(&again, written) && addr_equal(&addr, &again));
    addr_to_sockaddr(&addr, 3389, &socket);
    fuzz_demand(addr_from_sockaddr(&again, (struct sockaddr *)&socket));
    fuzz_demand(addr_equal(&addr, &again));
}

static void as_network(const char *text)
{
    struct addr_net net, again;
    char written[ADDR_NET_TEXT_SIZE];
    if (!addr_net_parse(&net, text))
        return;
    fuzz_demand(net.bits <= 128 && addr_in(&net.base, &net));
    addr_net_text(&net, written);
    fuzz_demand(addr_net_parse(&again, written));
    fuzz_demand(again.bits == net.bits && addr_equal(&net.base, &again.base));
}

static void as_hours(const char *text)
{
    struct decision_hours hours[HOURS_MOST];
    const char *why = NULL;
    size_t count;
    if (!hours_parse(text, hours, &count, &why)) {
        fuzz_demand(why != NULL);
        return;
    }
    fuzz_demand(count <= HOURS_MOST);
    for (size_t i = 0; i < count; i++)
        fuzz_demand(hours[i].days && hours[i].days < 0x80 && hours[i].from < 1440 &&
                    hours[i].until <= 1440);
}

static void as_moment(const char *text)
{
    char written[WHEN_SIZE];
    int64_t seconds, again, end, now = 1800000000;
    if (when_span(text, &seconds))
        fuzz_demand(seconds >= 0);
    if (!when_past(text, WHEN_DAY_BEGINS, now, &seconds) || seconds <= 0)
        return;
    fuzz_demand(when_past(text, WHEN_DAY_ENDS, now, &end) && end >= seconds &&
                end - seconds <= 48 * 3600);
    when_utc(seconds, written);
    fuzz_demand(when_past(written, WHEN_DAY_ENDS, now, &again) && again == seconds);
}

static void as_host(const char *text)
{
    char host[256], again[256];
    uint16_t port;
    if (!field_port(text, &port))
        fuzz_demand(port > 0);
    if (field_host(text, host, sizeof(host)))
        return;
    fuzz_demand(host[0] && host[0] != '-' && !strpbrk(host, " \t\r\n/%[]"));
    fuzz_demand(!field_host(host, again, sizeof(again)) && strcmp(host, again) == 0);
}

static void as_desktop(const char *text)
{
    char mac[FIELD_MAC_SIZE], description[201];
    uint8_t fingerprint[32], bytes[WAKE_MAC_SIZE];
    bool yes;
    if (!field_mac(text, mac))
        fuzz_demand(!mac[0] || wake_mac(bytes, mac));
    if (!field_description(text, description, sizeof(description)))
        fuzz_demand(strcmp(description, text) == 0);
    field_fingerprint(text, fingerprint);
    field_yes(text, &yes);
    wake_mac(bytes, text);
}

static void as_redirection(const char *text)
{
    char settings[STORE_SETTINGS_SIZE] = "use multimon:i:1\n", lines[RDP_FIELD_FORBID_SIZE];
    char why[256] = "";
    uint8_t forbidden = 0;
    if (!rdp_field_forbid(text, &forbidden))
        rdp_field_forbid_lines(forbidden, lines);
    bool taken = rdp_field_setting(text, settings, why, sizeof(why));
    fuzz_demand(memchr(settings, '\0', sizeof(settings)) != NULL);
    fuzz_demand(taken || why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(const char *text) = {
        as_address, as_network, as_hours, as_moment, as_host, as_desktop, as_redirection};
    if (size == 0)
        return 0;
    char *text = fuzz_text(data + 1, size - 1);
    kinds[data[0] % (sizeof(kinds) / sizeof(*kinds))](text);
    free(text);
    return 0;
}
