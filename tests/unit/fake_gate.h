/* The whole keeper in a process of its own, asked over its real record socket, with a real database
 * and a real listening "desktop" on loopback. The test plays the gate. */
#pragma once

#include "account.h"
#include "conf.h"
#include "ipc.h"

#include <stdbool.h>
#include <sys/types.h>

struct keeper_order;

struct fake_gate {
    char folder[64]; /* the state */
    struct conf conf;
    struct store *store;          /* as the command line has it open, beside the keeper */
    uint8_t seed[TOTP_SEED_SIZE]; /* alice's */
    struct store_user alice;      /* may reach desk, named, closed, strange and nameless */
    int (*administer)(struct keeper_order *order); /* from the next start on */
    pid_t keeper;
    int control, gate; /* the supervisor's end; the gate's record socket */
    int desktop;       /* listens; "desk" and "named" lead to it */
    uint16_t desktop_port;
    int unused; /* has the port of "closed" */
    uint32_t request;
};

extern const char fake_gate_password[]; /* alice's */

/* All fail the test themselves. */
void fake_gate_setup(struct fake_gate *fake); /* … and start */
void fake_gate_teardown(struct fake_gate *fake);
void fake_gate_start(struct fake_gate *fake);
int fake_gate_stop(struct fake_gate *fake); /* in order; what waitpid() says */
int fake_gate_new(struct fake_gate *fake);  /* another record socket */
void fake_gate_desktop(struct fake_gate *fake, const char *name, const char *host, uint16_t port,
                       bool grant);

/* The next record within `wait` ms; -EAGAIN when none comes. */
int fake_gate_next(struct fake_gate *fake, union ipc_record *record, int *fd, int wait);
/* Sends, waiting for room. */
void fake_gate_send(struct fake_gate *fake, const struct ipc_head *record);
/* Sends `ask` and takes its answer. */
void fake_gate_ask(struct fake_gate *fake, struct ipc_head *ask, uint16_t type,
                   union ipc_record *answer, int *fd);
void fake_gate_origin(struct ipc_origin *to, const char *address);

/* Alice's code, so many steps from now. */
void fake_gate_code(const struct fake_gate *fake, char code[7], int64_t steps);
struct ipc_signed_in fake_gate_sign_in(struct fake_gate *fake, const char *name, const char *secret,
                                       const char *code, const char *address);
struct ipc_signed_in fake_gate_sign_in_well(struct fake_gate *fake, int64_t steps);
void fake_gate_open_ask(struct ipc_open *ask, const uint8_t *token, const char *name);
enum ipc_status fake_gate_open(struct fake_gate *fake, const uint8_t *token, const char *name,
                               struct ipc_opened *opened, int *fd);
int64_t fake_gate_open_well(struct fake_gate *fake, const uint8_t *token); /* the tunnel */
enum ipc_status fake_gate_who(struct fake_gate *fake, const uint8_t *token);

/* A session without a sign-in, for whoever; its reference is `mark` IPC_TOKEN_SIZE times. */
void fake_gate_session(struct fake_gate *fake, int64_t user, uint8_t mark,
                       uint8_t token[IPC_TOKEN_SIZE]);
int64_t fake_gate_person(struct fake_gate *fake, const char *name); /* who cannot sign in */
/* How many rows the audit log has of this event with this outcome, whose detail contains `part`. */
unsigned fake_gate_audited(struct fake_gate *fake, const char *event, const char *outcome,
                           const char *part);

int64_t fake_gate_now_ms(void); /* monotonic */
