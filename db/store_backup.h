/* A backup's inside: a copy of the database that has small files beside its tables, in two tables
 * of its own. It is made while others write, and is one moment's. */
#pragma once

#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_backup;

#define STORE_BACKUP_NAME_SIZE 1024
#define STORE_BACKUP_FILE_MOST (512U << 20) /* bytes of one file */

/* Copies the whole database to a new file, without what was deleted in it. */
enum store_result store_backup_copy(struct store *store, const char *path);
/* Opens a copy: to put files in, or (`made` false) to take them out, after its tables were looked
 * through. `why` gets words on anything but STORE_OK. */
enum store_result store_backup_open(struct store_backup **out, const char *path, bool made,
                                    char *why, size_t size);
void store_backup_close(struct store_backup *backup); /* NULL is fine */
const char *store_backup_error(const struct store_backup *backup);

enum store_result store_backup_put(struct store_backup *backup, const char *name, const void *data,
                                   size_t size);
/* All that was put is on disk. */
enum store_result store_backup_commit(struct store_backup *backup);

/* When and by which version it was made. */
struct store_backup_about {
    int64_t made_at;
    char version[32];
};
enum store_result store_backup_about_set(struct store_backup *backup,
                                         const struct store_backup_about *about);
enum store_result store_backup_about(struct store_backup *backup, struct store_backup_about *out);
/* A non-zero answer of `each` stops, with STORE_REFUSED. */
enum store_result store_backup_files(struct store_backup *backup,
                                     int (*each)(void *owner, const char *name, const void *data,
                                                 size_t size),
                                     void *owner);
/* Leaves the database alone, as it was; what stood in the files is overwritten. */
enum store_result store_backup_strip(struct store_backup *backup);

/* After a restore: sessions of then are over, and with them their tickets; tunnels are, too.
 * Invitations are void: one that was used since would be good once more. Within a transaction. */
enum store_result store_backup_settle(struct store *store, int64_t now);
