/* A store in a folder of its own, and rows to put into it. Everything fails the test itself. */
#pragma once

#include "store.h"

#define STORE_RIG_PATH 64

extern struct store *store;
extern char store_rig_path[STORE_RIG_PATH];

void store_rig_setup(void); /* fixtures */
void store_rig_teardown(void);

struct store *store_rig_open_again(void);
int64_t store_rig_add_user(const char *name);
int64_t store_rig_add_desktop(const char *name); /* at 10.0.0.1 port 3389 */
/* Since 1000; its hash is `mark` 32 times. */
int64_t store_rig_add_session(int64_t user, uint8_t mark, int64_t expires);
int64_t store_rig_add_tunnel(int64_t session, int64_t user, int64_t desktop); /* since 1001 */

/* For lists: each adds one to the int that `owner` points to. */
int store_rig_count(void *owner);
int store_rig_count_user(void *owner, const struct store_user *user);
int store_rig_count_tunnel(void *owner, const struct store_tunnel *tunnel);
