/* deskgate.conf, as somebody may have written it: read whole, or refused with words. */
#include "conf.h"
#include "fuzz_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char folder[256];

static void tidy(void)
{
    char path[320];
    snprintf(path, sizeof(path), "%s/" CONF_FILE, folder);
    unlink(path);
    rmdir(folder);
}

static void put(const uint8_t *data, size_t size)
{
    char path[320];
    snprintf(path, sizeof(path), "%s/" CONF_FILE, folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

/* That of the first address for TLS. 0 is the system's choice, and known when it listens. */
static uint16_t first_port(const struct conf *conf)
{
    size_t i = 0;
    while (i < conf->listen_count && !conf->listen[i].tls)
        i++;
    fuzz_demand(i < conf->listen_count);
    return conf->listen[i].port;
}

static void check(const struct conf *conf)
{
    fuzz_demand(conf->listen_count > 0 && conf->pair_count > 0);
    fuzz_demand(conf->public_port_given ? conf->public_port > 0
                                        : conf->public_port == first_port(conf));
    fuzz_demand(conf->connections > 0);
    fuzz_demand(memchr(conf->name, '\0', sizeof(conf->name)) && conf->name[0]);
    fuzz_demand(memchr(conf->state, '\0', sizeof(conf->state)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    static struct conf conf;
    char why[1200] = "";
    if (!ready) {
        fuzz_folder(folder, sizeof(folder));
        atexit(tidy);
        ready = true;
    }
    put(data, size);
    if (conf_load(&conf, folder, why, sizeof(why)) == 0)
        check(&conf);
    else
        fuzz_demand(why[0] != '\0');
    return 0;
}
