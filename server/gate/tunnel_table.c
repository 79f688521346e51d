#include "tunnel_table.h"

#include "conn.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 4096

struct entry {
    struct entry *next;
    int64_t tunnel;
    struct conn *conn;
    uint64_t context; /* what its client must name when it shows its ticket again; 0: nothing */
    bool ordered;     /* the keeper wants it ended */
    enum ipc_end end;
};

struct tunnel_table {
    pthread_mutex_t lock;
    uint32_t count;
    struct entry *buckets[BUCKETS];
};

int tunnel_table_new(struct tunnel_table **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

static struct entry **find(struct tunnel_table *table, int64_t tunnel)
{
    struct entry **at = &table->buckets[(uint64_t)tunnel % BUCKETS];
    while (*at && (*at)->tunnel != tunnel)
        at = &(*at)->next;
    return at;
}

int tunnel_table_add(struct tunnel_table *table, int64_t tunnel, struct conn *conn)
{
    struct entry *entry = malloc(sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    *entry = (struct entry){.tunnel = tunnel, .conn = conn_ref(conn)};
    pthread_mutex_lock(&table->lock);
    struct entry **at = find(table, tunnel);
    entry->next = *at;
    *at = entry;
    table->count++;
    pthread_mutex_unlock(&table->lock);
    return 0;
}

void tunnel_table_remove(struct tunnel_table *table, int64_t tunnel)
{
    pthread_mutex_lock(&table->lock);
    struct entry **at = find(table, tunnel), *gone = *at;
    if (gone) {
        *at = gone->next;
        table->count--;
    }
    pthread_mutex_unlock(&table->lock);
    if (gone)
        conn_unref(gone->conn);
    free(gone);
}

struct conn *tunnel_table_order(struct tunnel_table *table, int64_t tunnel, enum ipc_end end)
{
    pthread_mutex_lock(&table->lock);
    struct entry *entry = *find(table, tunnel);
    struct conn *conn = NULL;
    if (entry) {
        entry->ordered = true;
        entry->end = end;
        conn = conn_ref(entry->conn);
    }
    pthread_mutex_unlock(&table->lock);
    return conn;
}

struct conn *tunnel_table_find(struct tunnel_table *table, int64_t tunnel)
{
    pthread_mutex_lock(&table->lock);
    struct entry *entry = *find(table, tunnel);
    struct conn *conn = entry ? conn_ref(entry->conn) : NULL;
    pthread_mutex_unlock(&table->lock);
    return conn;
}

void tunnel_table_set_context(struct tunnel_table *table, int64_t tunnel, uint64_t context)
{
    pthread_mutex_lock(&table->lock);
    struct entry *entry = *find(table, tunnel);
    if (entry)
        entry->context = context;
    pthread_mutex_unlock(&table->lock);
}

bool tunnel_table_renews(struct tunnel_table *table, int64_t tunnel, uint64_t context)
{
    pthread_mutex_lock(&table->lock);
    struct entry *entry = *find(table, tunnel);
    bool renews = entry && context && entry->context == context;
    pthread_mutex_unlock(&table->lock);
    return renews;
}

bool tunnel_table_ordered(struct tunnel_table *table, int64_t tunnel, enum ipc_end *end)
{
    pthread_mutex_lock(&table->lock);
    struct entry *entry = *find(table, tunnel);
    bool ordered = entry && entry->ordered;
    if (ordered)
        *end = entry->end;
    pthread_mutex_unlock(&table->lock);
    return ordered;
}

uint32_t tunnel_table_count(struct tunnel_table *table)
{
    pthread_mutex_lock(&table->lock);
    uint32_t count = table->count;
    pthread_mutex_unlock(&table->lock);
    return count;
}
