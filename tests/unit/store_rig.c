#include "store_rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/deskgate-store-XXXXXX";
char store_rig_path[STORE_RIG_PATH];
struct store *store;

void store_rig_setup(void)
{
    char why[256] = "";
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(store_rig_path, sizeof(store_rig_path), "%s/deskgate.db", folder);
    ck_assert_msg(store_open(&store, store_rig_path, STORE_CREATE, why, sizeof(why)) == STORE_OK,
                  "%s", why);
}

void store_rig_teardown(void)
{
    char command[128];
    store_close(store);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

struct store *store_rig_open_again(void)
{
    struct store *again;
    char why[256] = "";
    ck_assert_msg(store_open(&again, store_rig_path, STORE_MUST_EXIST, why, sizeof(why)) ==
                      STORE_OK,
                  "%s", why);
    return again;
}

int64_t store_rig_add_user(const char *name)
{
    struct store_user user = {.seed = "sealed", .seed_size = 6, .created_at = 1000};
    int64_t id = 0;
    text_copy(user.name, sizeof(user.name), name);
    text_copy(user.password, sizeof(user.password), "$argon2id$");
    ck_assert_int_eq(store_user_add(store, &user, &id), STORE_OK);
    return id;
}

int64_t store_rig_add_desktop(const char *name)
{
    struct store_desktop desktop = {.host = "10.0.0.1", .port = 3389, .description = "a desk"};
    int64_t id = 0;
    text_copy(desktop.name, sizeof(desktop.name), name);
    ck_assert_int_eq(store_desktop_add(store, &desktop, &id), STORE_OK);
    return id;
}

int64_t store_rig_add_session(int64_t user, uint8_t mark, int64_t expires)
{
    struct store_session session = {.user = user, .created_at = 1000, .expires_at = expires};
    int64_t id = 0;
    memset(session.hash, mark, sizeof(session.hash));
    ck_assert_int_eq(store_session_add(store, &session, &id), STORE_OK);
    return id;
}

int64_t store_rig_add_tunnel(int64_t session, int64_t user, int64_t desktop)
{
    struct store_tunnel tunnel = {.session = session,
                                  .user = user,
                                  .desktop = desktop,
                                  .way = "tunnel",
                                  .conn = "0123456789abcdef",
                                  .opened_at = 1001};
    int64_t id = 0;
    ck_assert_int_eq(store_tunnel_add(store, &tunnel, &id), STORE_OK);
    return id;
}

int store_rig_count(void *owner)
{
    ++*(int *)owner;
    return 0;
}

int store_rig_count_user(void *owner, const struct store_user *user)
{
    (void)user;
    return store_rig_count(owner);
}

int store_rig_count_tunnel(void *owner, const struct store_tunnel *tunnel)
{
    (void)tunnel;
    return store_rig_count(owner);
}
