#include "ntlm.h"

#include "bytes.h"

#include <ctype.h>
#include <string.h>

static const uint8_t signature[8] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

/* Section 2.2.2.5. */
#define UNICODE 0x00000001U
#define REQUEST_TARGET 0x00000004U
#define SIGN 0x00000010U
#define SEAL 0x00000020U
#define NTLM 0x00000200U
#define ALWAYS_SIGN 0x00008000U
#define TARGET_TYPE_SERVER 0x00020000U
#define EXTENDED_SESSIONSECURITY 0x00080000U
#define TARGET_INFO 0x00800000U
#define VERSION 0x02000000U
#define KEY_128 0x20000000U
#define KEY_EXCHANGE 0x40000000U
#define KEY_56 0x80000000U

/* We protect no message with the session's key, but some clients ask for one and go away when they
 * are not granted it. */
#define GRANTED                                                                                    \
    (SIGN | SEAL | ALWAYS_SIGN | EXTENDED_SESSIONSECURITY | VERSION | KEY_128 | KEY_EXCHANGE |     \
     KEY_56)

/* Section 2.2.2.1. */
enum { AV_EOL, AV_NB_COMPUTER, AV_NB_DOMAIN, AV_DNS_COMPUTER, AV_TIMESTAMP = 7, AV_BINDINGS = 10 };

#define NEGOTIATE_LEAST 16
#define CHALLENGE_HEAD 56
#define AUTHENTICATE_LEAST 64 /* fields and flags; version and MIC may follow */
#define BLOB_HEAD 28
#define NETBIOS_MOST 15

enum ntlm_type ntlm_type(const uint8_t *data, size_t size)
{
    if (size < sizeof(signature) + 4 || size > NTLM_MESSAGE_MOST ||
        memcmp(data, signature, sizeof(signature)) != 0)
        return NTLM_NONE;
    uint32_t type = bytes_get_le32(data + sizeof(signature));
    return type <= NTLM_AUTHENTICATE ? (enum ntlm_type)type : NTLM_NONE;
}

/* The rest of it, the client's domain and machine, is of no interest. */
bool ntlm_negotiate_read(const uint8_t *data, size_t size, uint32_t *flags)
{
    if (size < NEGOTIATE_LEAST || ntlm_type(data, size) != NTLM_NEGOTIATE)
        return false;
    *flags = bytes_get_le32(data + 12);
    return (*flags & UNICODE) != 0;
}

/* ---- the challenge ---- */

static uint8_t *put_text(uint8_t *to, const char *text, size_t length, bool upper)
{
    for (size_t i = 0; i < length; i++)
        to = bytes_put_le16(to,
                            (uint32_t)(upper ? toupper((unsigned char)text[i]) : text[i]) & 0x7f);
    return to;
}

static uint8_t *put_pair(uint8_t *to, uint32_t id, const char *text, size_t length, bool upper)
{
    return put_text(bytes_put_le16(bytes_put_le16(to, id), (uint32_t)length * 2), text, length,
                    upper);
}

static uint8_t *put_info(uint8_t *to, const char *name, size_t label, uint64_t filetime)
{
    size_t length = strlen(name);
    to = put_pair(to, AV_NB_DOMAIN, name, label, true);
    to = put_pair(to, AV_NB_COMPUTER, name, label, true);
    to = put_pair(to, AV_DNS_COMPUTER, name, length > NTLM_NAME_MOST ? label : length, false);
    to = bytes_put_le16(bytes_put_le16(to, AV_TIMESTAMP), 8);
    to = bytes_put_le32(bytes_put_le32(to, (uint32_t)filetime), (uint32_t)(filetime >> 32));
    return bytes_put_le16(bytes_put_le16(to, AV_EOL), 0);
}

size_t ntlm_challenge_write(uint8_t *to, uint32_t flags,
                            const uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE], const char *name,
                            uint64_t filetime)
{
    size_t label = strcspn(name, ".");
    label = label > NETBIOS_MOST ? NETBIOS_MOST : label;
    uint8_t *target = to + CHALLENGE_HEAD, *info = put_text(target, name, label, true);
    uint8_t *end = put_info(info, name, label, filetime);
    memset(to, 0, CHALLENGE_HEAD);
    memcpy(to, signature, sizeof(signature));
    bytes_put_le32(to + 8, NTLM_CHALLENGE);
    bytes_put_le32(
        bytes_put_le16(bytes_put_le16(to + 12, (uint32_t)label * 2), (uint32_t)label * 2),
        CHALLENGE_HEAD);
    bytes_put_le32(to + 20, UNICODE | REQUEST_TARGET | NTLM | TARGET_TYPE_SERVER | TARGET_INFO |
                                (flags & GRANTED));
    memcpy(to + 24, challenge, NTLM_SERVER_CHALLENGE_SIZE);
    uint32_t size = (uint32_t)(end - info);
    bytes_put_le32(bytes_put_le16(bytes_put_le16(to + 40, size), size), (uint32_t)(info - to));
    to[55] =
        15; /* section 2.2.2.10: NTLMSSP_REVISION_W2K3; of which product is nobody's business */
    return (size_t)(end - to);
}

/* ---- the response ---- */

struct field {
    const uint8_t *data;
    size_t size;
};

/* The field whose length and offset are at `at`; false when it is not within the message. */
static bool get_field(const uint8_t *data, size_t size, size_t at, struct field *out)
{
    size_t length = bytes_get_le16(data + at), offset = bytes_get_le32(data + at + 4);
    if (length == 0) {
        *out = (struct field){data, 0};
        return true;
    }
    if (offset < AUTHENTICATE_LEAST || offset > size || length > size - offset)
        return false;
    *out = (struct field){data + offset, length};
    return true;
}

static bool get_text(const uint8_t *data, size_t size, size_t at, struct ntlm_text *out)
{
    struct field field;
    if (!get_field(data, size, at, &field) || field.size % 2)
        return false;
    *out = (struct ntlm_text){field.data, field.size};
    return true;
}

/* Zeros say as much as nothing. A list that does not end is read as far as it goes. */
static const uint8_t *find_bindings(const uint8_t *blob, size_t size)
{
    static const uint8_t unknown[NTLM_BINDINGS_SIZE];
    size_t at = BLOB_HEAD;
    while (size - at >= 4) {
        uint16_t id = bytes_get_le16(blob + at), length = bytes_get_le16(blob + at + 2);
        at += 4;
        if (id == AV_EOL || length > size - at)
            return NULL;
        if (id == AV_BINDINGS && length == NTLM_BINDINGS_SIZE)
            return memcmp(blob + at, unknown, sizeof(unknown)) == 0 ? NULL : blob + at;
        at += length;
    }
    return NULL;
}

bool ntlm_authenticate_read(const uint8_t *data, size_t size, struct ntlm_authenticate *out)
{
    struct field response;
    *out = (struct ntlm_authenticate){0};
    if (size < AUTHENTICATE_LEAST || ntlm_type(data, size) != NTLM_AUTHENTICATE ||
        !(bytes_get_le32(data + 60) & UNICODE) || !get_field(data, size, 20, &response) ||
        !get_text(data, size, 28, &out->domain) || !get_text(data, size, 36, &out->user))
        return false;
    if (out->user.size == 0 || response.size < NTLM_PROOF_SIZE + BLOB_HEAD)
        return false;
    out->proof = response.data;
    out->blob = response.data + NTLM_PROOF_SIZE;
    out->blob_size = response.size - NTLM_PROOF_SIZE;
    if (out->blob[0] != 1 || out->blob[1] != 1) /* RespType, HiRespType */
        return false;
    out->bindings = find_bindings(out->blob, out->blob_size);
    return true;
}

bool ntlm_text_ascii(struct ntlm_text text, char *to, size_t size)
{
    if (text.size / 2 >= size)
        return false;
    for (size_t i = 0; i < text.size; i += 2) {
        uint16_t unit = bytes_get_le16(text.data + i);
        if (unit < ' ' || unit > '~')
            return false;
        *to++ = (char)unit;
    }
    *to = '\0';
    return true;
}
