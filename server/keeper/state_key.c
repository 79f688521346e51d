#include "state_key.h"

#include "audit_seal.h"
#include "log.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

struct seeds {
    const struct secret_key *key;
    bool people;
    unsigned sealed, opened;
};

/* One that the key opens is enough: others may be of a key that was lost. */
static int look_at_seed(void *owner, const struct store_user *user)
{
    struct seeds *seeds = owner;
    uint8_t seed[STORE_SEED_SIZE];
    seeds->people = true;
    if (!seeds->key || !user->seed_size)
        return !seeds->key;
    seeds->sealed++;
    seeds->opened += secret_open(seeds->key, user->name, user->seed, user->seed_size, seed);
    explicit_bzero(seed, sizeof(seed));
    return seeds->opened > 0;
}

bool state_key_fits(struct store *store, const struct secret_key *key)
{
    struct seeds seeds = {.key = key};
    store_user_list(store, look_at_seed, &seeds);
    return seeds.opened || !seeds.sealed;
}

static bool key_fits(struct keeper *keeper, const char *path)
{
    if (state_key_fits(keeper->store, &keeper->key))
        return true;
    LOG_ERROR("secret",
              "this is not the key that people's second factors were sealed with: restore the file "
              "from your backup, or give them new ones with 'deskgate user totp NAME --key-lost'",
              LOG_TEXT("file", path));
    return false;
}

int state_key_open(struct keeper *keeper)
{
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256] = "";
    struct seeds seeds = {0};
    if (store_user_list(keeper->store, look_at_seed, &seeds) != STORE_OK) {
        LOG_ERROR("store", store_error(keeper->store));
        return EX_CONFIG;
    }
    conf_path(keeper->conf, CONF_SECRET_KEY, path);
    int error = secret_key_load(&keeper->key, path, !seeds.people, why, sizeof(why));
    if (!error && !key_fits(keeper, path))
        return EX_CONFIG;
    if (!error && audit_seal_open(keeper->store, keeper->conf, &keeper->key) == STORE_OK)
        return EX_OK;
    LOG_ERROR("secret", error ? why : store_error(keeper->store));
    if (error == -ENOENT && seeds.people)
        LOG_ERROR("secret", "without that key nobody's code can be checked: restore the file from "
                            "your backup, or make a new one with 'deskgate init' and give each "
                            "person a new second factor with 'deskgate user totp NAME --key-lost'");
    return EX_CONFIG;
}
