/* One well-formed record of every kind that a gate may send, and where in each a hostile gate can
 * lie: for tests that go over the whole table of ipc.h, so that a new record without a sample is
 * noticed. */
#pragma once

#include "ipc.h"

/* What a record is about. */
struct ipc_sample_of {
    const uint8_t *token, *ticket; /* IPC_TOKEN_SIZE bytes each; NULL: zeros */
    const char *username, *password, *code, *desktop;
    int64_t number; /* of a tunnel, a visit, a session: whatever the record has one of */
    uint8_t way;
};

enum ipc_sample_lie {
    IPC_SAMPLE_TEXT,  /* a text: without an end it breaks the table */
    IPC_SAMPLE_PLAIN, /* a text: bytes that are no ASCII break it */
    IPC_SAMPLE_ENUM,  /* one byte: 0xff breaks it */
    IPC_SAMPLE_SIZE,  /* two bytes: 0xffff breaks it */
    IPC_SAMPLE_TIME,  /* eight bytes: less than 0 breaks it */
    IPC_SAMPLE_TUNNEL /* eight bytes: one of another gate's breaks it */
};

struct ipc_sample_field {
    uint16_t type;
    enum ipc_sample_lie lie;
    size_t offset, size;
    const char *name; /* "sign_in.username" */
};

extern const struct ipc_sample_field ipc_sample_fields[];
extern const size_t ipc_sample_field_count;

/* Does a gate send this type? */
bool ipc_sample_is_gates(uint16_t type);
size_t ipc_sample_size(uint16_t type); /* of any known type, else 0 */
/* The type of its answer; IPC_NONE: none is due. */
uint16_t ipc_sample_answer(uint16_t type);
/* False: there is no sample of this type. */
bool ipc_sample_make(union ipc_record *to, uint16_t type, const struct ipc_sample_of *of);
