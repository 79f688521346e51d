/* Addresses as a person types them for the tunnel client, or copies them from a page of somebody
 * else's: what goes into the Host field has nothing in it that begins another one. */
#include "client_url.h"
#include "fuzz_kit.h"

static void check_url(const char *text)
{
    struct client_url url, again;
    const char *why = NULL;
    if (!client_url_parse(&url, text, &why)) {
        fuzz_demand(why != NULL);
        return;
    }
    fuzz_demand(url.port > 0 && url.host[0] && !strpbrk(url.host, "/@?#[] \r\n\t"));
    fuzz_demand(!strpbrk(url.authority, "/@?# \r\n\t"));
    fuzz_demand(client_url_parse(&again, url.authority, &why));
    fuzz_demand(strcmp(again.host, url.host) == 0 && again.port == url.port &&
                again.numeric == url.numeric);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client_listen listen;
    char *text = fuzz_text(data, size);
    check_url(text);
    if (client_listen_parse(&listen, text))
        client_listen_is_loopback(&listen);
    free(text);
    return 0;
}
