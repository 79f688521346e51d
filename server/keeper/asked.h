/* What a gate may ask, and who answers: one table. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

#include <stdbool.h>
#include <stdint.h>

struct gate_link;

/* Handles one record from a gate. 0, or -EPROTO when it breaks a rule. */
int asked(struct gate_link *link, const union ipc_record *record);

/* Records of this type only tell: no answer is due. */
bool asked_nothing(uint16_t type);

/* The handlers that have files of their own. Some take time and answer the record's request later.
 */
int asked_sign_in(struct gate_link *link, const union ipc_record *record);      /* signin.c */
int asked_open(struct gate_link *link, const union ipc_record *record);         /* opening.c */
int asked_enrol_begin(struct gate_link *link, const union ipc_record *record);  /* enrolment.c */
int asked_enrol_finish(struct gate_link *link, const union ipc_record *record); /* enrolment.c */
int asked_password(struct gate_link *link, const union ipc_record *record);     /* new_password.c */
int asked_factor(struct gate_link *link, const union ipc_record *record);       /* step_up.c */
int asked_admin(struct gate_link *link, const union ipc_record *record);        /* administer.c */
int asked_ticket(struct gate_link *link, const union ipc_record *record);       /* ticket.c */
int asked_ticket_look(struct gate_link *link, const union ipc_record *record);  /* ticket.c */
int asked_pass(struct gate_link *link, const union ipc_record *record);        /* gate_password.c */
int asked_visit(struct gate_link *link, const union ipc_record *record);       /* ticket.c */
int asked_certificate(struct gate_link *link, const union ipc_record *record); /* trust.c */
int asked_probe(struct gate_link *link, const union ipc_record *record);       /* dial_probe.c */
int asked_sessions(struct gate_link *link, const union ipc_record *record);    /* mine.c */
int asked_end_sessions(struct gate_link *link, const union ipc_record *record); /* mine.c */
int asked_expiry(struct gate_link *link, const union ipc_record *record);       /* alert.c */
int asked_metrics(struct gate_link *link, const union ipc_record *record);      /* keeper_meter.c */

/* ---- for them ---- */

/* When a password finds no room to be judged: by then some of those before it have been, each in a
 * fraction of a second. */
#define ASKED_BUSY_SECONDS 3

/* Its texts end, and are what a gate makes them: hexadecimal digits, and printable ASCII. */
bool asked_origin_ok(const struct ipc_origin *origin);
/* It is a name (text.h): the gate asks about no other. */
bool asked_desktop_ok(const char desktop[TEXT_NAME_SIZE]);
/* The database failed: logged. IPC_FAILED. */
enum ipc_status asked_failed(struct keeper *keeper);
/* What a store's result means: IPC_OK; IPC_PASSWORD_DUE (REFUSED); `none`; or IPC_FAILED (logged).
 */
enum ipc_status asked_status_or(struct keeper *keeper, enum store_result result,
                                enum ipc_status none);
/* The same of a session: NO_SESSION where there is none. */
enum ipc_status asked_status(struct keeper *keeper, enum store_result result);
/* The desktop of this name, which the session's person may use; `found` is what session_find() or
 * session_look() said of the session. IPC_OK, NO_SESSION, PASSWORD_DUE, NO_DESKTOP (unknown or not
 * granted), FAILED (logged). */
enum ipc_status asked_granted(struct keeper *keeper, enum store_result found, const char *name,
                              const struct store_session *session, struct store_desktop *desktop);
