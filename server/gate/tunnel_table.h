/* Live tunnels by the keeper's number, so that its order to close one finds the connection.
 * Thread-safe. */
#pragma once

#include "ipc.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct tunnel_table;

int tunnel_table_new(struct tunnel_table **out); /* 0 or -ENOMEM */
/* The table holds a reference to the connection while it is listed. Listed from the moment that the
 * keeper opened it (before any later order about it is read) until it has ended. 0 or -ENOMEM. */
int tunnel_table_add(struct tunnel_table *table, int64_t tunnel, struct conn *conn);
void tunnel_table_remove(struct tunnel_table *table, int64_t tunnel);
/* Notes the keeper's order to end it, and returns the connection with a reference of the caller's
 * own (conn_unref), or NULL. */
struct conn *tunnel_table_order(struct tunnel_table *table, int64_t tunnel, enum ipc_end end);
/* The connection with a reference of the caller's own, or NULL. */
struct conn *tunnel_table_find(struct tunnel_table *table, int64_t tunnel);
/* The client must show its ticket again and name `context`; 0: no longer. */
void tunnel_table_set_context(struct tunnel_table *table, int64_t tunnel, uint64_t context);
/* True when that is what this tunnel waits for. */
bool tunnel_table_renews(struct tunnel_table *table, int64_t tunnel, uint64_t context);
/* An order was noted before the tunnel had come about; `*end` is its reason. */
bool tunnel_table_ordered(struct tunnel_table *table, int64_t tunnel, enum ipc_end *end);
uint32_t tunnel_table_count(struct tunnel_table *table);
