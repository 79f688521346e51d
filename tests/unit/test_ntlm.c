/* NTLM's messages: the specification's examples, a real client's, and what is wrong with others. */
#include "hex_bytes.h"
#include "ntlm.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* [MS-NLMP] section 4.2.4.3: user "User" of "Domain", password "Password". */
#define EXAMPLE_HEAD                                                                               \
    "4e544c4d53535000 03000000 1800 1800 6c000000 5400 5400 84000000 0c00 0c00 48000000"           \
    "0800 0800 54000000 1000 1000 5c000000 1000 1000 d8000000"
#define EXAMPLE_FLAGS "358288e2"
#define EXAMPLE_NAMES                                                                              \
    "0501280a0000000f 44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200"
#define EXAMPLE_LM "86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa"
#define EXAMPLE_PROOF "68cd0ab851e51c96aabc927bebef6a1c"
#define EXAMPLE_BLOB                                                                               \
    "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000 02000c0044006f006d00610069006e00"    \
    "01000c005300650072007600650072000000000000000000"
#define EXAMPLE_KEY "c5dad2544fc9799094ce1ce90bc9d03e"
#define EXAMPLE                                                                                    \
    EXAMPLE_HEAD EXAMPLE_FLAGS EXAMPLE_NAMES EXAMPLE_LM EXAMPLE_PROOF EXAMPLE_BLOB EXAMPLE_KEY

static bool reads(const char *hex, struct ntlm_authenticate *out)
{
    static struct hex_bytes bytes; /* `out` points into it */
    bytes = hex_bytes(hex);
    return ntlm_authenticate_read(bytes.data, bytes.size, out);
}

START_TEST(the_specifications_response)
{
    struct ntlm_authenticate read;
    struct hex_bytes proof = hex_bytes(EXAMPLE_PROOF), blob = hex_bytes(EXAMPLE_BLOB);
    char text[16];
    ck_assert(reads(EXAMPLE, &read));
    ck_assert(ntlm_text_ascii(read.user, text, sizeof(text)));
    ck_assert_str_eq(text, "User");
    ck_assert(ntlm_text_ascii(read.domain, text, sizeof(text)));
    ck_assert_str_eq(text, "Domain");
    ck_assert_mem_eq(read.proof, proof.data, NTLM_PROOF_SIZE);
    ck_assert_uint_eq(read.blob_size, blob.size);
    ck_assert_mem_eq(read.blob, blob.data, blob.size);
    ck_assert_ptr_null(read.bindings);
}
END_TEST

/* The head and a body whose fields follow each other from byte 64 on: no version, no MIC. */
#define SHORT(lengths, flags, body) "4e544c4d53535000 03000000" lengths flags body
#define NO_LM "0000 0000 40000000"
#define NO_NAMES "0000 0000 40000000"
#define NO_KEY "0000 0000 40000000"
#define BLOB_HEAD "0101 0000 00000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000"
#define PROOF "68cd0ab851e51c96aabc927bebef6a1c"
#define BINDINGS "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

START_TEST(bindings_are_found)
{
    static const struct {
        const char *message;
        bool bound;
    } table[] = {
        {SHORT(NO_LM "4800 4800 40000000" NO_NAMES "0200 0200 88000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "0600 0400 02000000 0a00 1000" BINDINGS "0000"
                               "7500"),
         true},
        {SHORT(NO_LM "4400 4400 40000000" NO_NAMES "0200 0200 84000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "0a00 1000 00000000000000000000000000000000 0000 0000"
                               "7500"),
         false},
        {SHORT(NO_LM "4400 4400 40000000" NO_NAMES "0200 0200 84000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "0000 0000 0a00 0c00" BINDINGS "7500"),
         false},
        {SHORT(NO_LM "4200 4200 40000000" NO_NAMES "0200 0200 82000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "0a00 1100" BINDINGS "0000"
                               "7500"),
         false},
        {SHORT(NO_LM "2c00 2c00 40000000" NO_NAMES "0200 0200 6c000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "7500"),
         false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct ntlm_authenticate read;
        struct hex_bytes bindings = hex_bytes(BINDINGS);
        ck_assert_msg(reads(table[i].message, &read), "message %zu", i);
        ck_assert_msg((read.bindings != NULL) == table[i].bound, "message %zu", i);
        if (read.bindings)
            ck_assert_mem_eq(read.bindings, bindings.data, bindings.size);
    }
}
END_TEST

START_TEST(what_is_no_response)
{
    static const struct {
        const char *name, *message;
    } table[] = {
        {"nothing", ""},
        {"another signature", "4e544c4d53535001 03000000"},
        {"a challenge", "4e544c4d53535000 02000000" NO_LM NO_LM NO_LM NO_LM NO_LM NO_LM "01000000"},
        {"OEM", EXAMPLE_HEAD "348288e2" EXAMPLE_NAMES EXAMPLE_LM EXAMPLE_PROOF EXAMPLE_BLOB},
        {"its blob is cut", EXAMPLE_HEAD EXAMPLE_FLAGS EXAMPLE_NAMES EXAMPLE_LM EXAMPLE_PROOF},
        {"nobody", SHORT(NO_LM "2c00 2c00 40000000" NO_NAMES NO_NAMES NO_NAMES NO_KEY, "01000000",
                         PROOF BLOB_HEAD)},
        {"half a character",
         SHORT(NO_LM "2c00 2c00 40000000" NO_NAMES "0100 0100 6c000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "7500")},
        {"an older response",
         SHORT(NO_LM "1800 1800 40000000" NO_NAMES "0200 0200 58000000" NO_NAMES NO_KEY, "01000000",
               PROOF "aaaaaaaaaaaaaaaa"
                     "7500")},
        {"another kind of blob",
         SHORT(NO_LM "2c00 2c00 40000000" NO_NAMES "0200 0200 6c000000" NO_NAMES NO_KEY, "01000000",
               PROOF "0102"
                     "0000 00000000 0000000000000000"
                     "aaaaaaaaaaaaaaaa 00000000"
                     "7500")},
        {"a field in the head",
         SHORT(NO_LM "2c00 2c00 3f000000" NO_NAMES "0200 0200 6c000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "7500")},
        {"a field beyond all",
         SHORT(NO_LM "2c00 2c00 ffffffff" NO_NAMES "0200 0200 6c000000" NO_NAMES NO_KEY, "01000000",
               PROOF BLOB_HEAD "7500")},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct ntlm_authenticate read;
        ck_assert_msg(!reads(table[i].message, &read), "%s", table[i].name);
    }
    struct hex_bytes whole = hex_bytes(EXAMPLE);
    struct ntlm_authenticate read;
    for (size_t cut = 0; cut < 0x84 + 0x54; cut++)
        ck_assert_msg(!ntlm_authenticate_read(whole.data, cut, &read), "cut at %zu", cut);
}
END_TEST

/* As Windows begins. */
#define WINDOWS                                                                                    \
    "4e544c4d53535000 01000000 b78208e2 0000000000000000 0000000000000000 0a00f4650000000f"

START_TEST(the_first_word)
{
    struct hex_bytes windows = hex_bytes(WINDOWS);
    uint32_t flags;
    ck_assert_int_eq(ntlm_type(windows.data, windows.size), NTLM_NEGOTIATE);
    ck_assert(ntlm_negotiate_read(windows.data, windows.size, &flags));
    ck_assert_uint_eq(flags, 0xe20882b7);
    for (size_t cut = 0; cut < 16; cut++)
        ck_assert(!ntlm_negotiate_read(windows.data, cut, &flags));
    windows.data[12] &= 0xfe;
    ck_assert_msg(!ntlm_negotiate_read(windows.data, windows.size, &flags), "no Unicode");
    ck_assert_int_eq(ntlm_type(windows.data, NTLM_MESSAGE_MOST + 1), NTLM_NONE);
    struct hex_bytes spnego = hex_bytes("6082011c06062b0601050502a0820110");
    ck_assert_int_eq(ntlm_type(spnego.data, spnego.size), NTLM_NONE);
}
END_TEST

static struct hex_bytes challenge_of(uint32_t flags, const char *name)
{
    static const uint8_t challenge[] = {1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    struct hex_bytes made = {0};
    made.size = ntlm_challenge_write(made.data, flags, challenge, name, 0x01dbd011fb1bc67e);
    ck_assert_uint_le(made.size, NTLM_CHALLENGE_MOST);
    return made;
}

START_TEST(our_challenge)
{
    struct hex_bytes made = challenge_of(0xe20882b7, "gw.x.org");
    struct hex_bytes want = hex_bytes(
        "4e544c4d53535000 02000000 0400 0400 38000000 35828ae2 0123456789abcdef 0000000000000000"
        "3400 3400 3c000000 000000000000000f 47005700 0200 0400 47005700 0100 0400 47005700"
        "0300 1000 670077002e0078002e006f0072006700 0700 0800 7ec61bfb11d0db01 0000 0000");
    ck_assert_uint_eq(made.size, want.size);
    ck_assert_mem_eq(made.data, want.data, want.size);
}
END_TEST

START_TEST(no_more_than_was_asked_for)
{
    struct hex_bytes made = challenge_of(0x1, "gw");
    struct hex_bytes flags = hex_bytes("05028200");
    ck_assert_mem_eq(made.data + 20, flags.data, flags.size);
}
END_TEST

START_TEST(long_names_are_cut)
{
    char name[256];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_uint_eq(challenge_of(0, name).size, 56 + 30 + 3 * 34 + 12 + 4);
    name[NTLM_NAME_MOST] = '\0';
    ck_assert_uint_eq(challenge_of(0, name).size, 56 + 30 + 2 * 34 + 4 + 128 + 12 + 4);
    name[1] = '.';
    ck_assert_uint_eq(challenge_of(0, name).size, 56 + 2 + 2 * 6 + 4 + 128 + 12 + 4);
}
END_TEST

START_TEST(only_ascii_becomes_ascii)
{
    struct hex_bytes anna = hex_bytes("61006e006e006100"), other = hex_bytes("6100fc00"),
                     control = hex_bytes("0a00"), zero = hex_bytes("61000000");
    char text[8];
    ck_assert(ntlm_text_ascii((struct ntlm_text){anna.data, anna.size}, text, 5));
    ck_assert_str_eq(text, "anna");
    ck_assert(!ntlm_text_ascii((struct ntlm_text){anna.data, anna.size}, text, 4));
    ck_assert(!ntlm_text_ascii((struct ntlm_text){other.data, other.size}, text, sizeof(text)));
    ck_assert(!ntlm_text_ascii((struct ntlm_text){control.data, control.size}, text, 8));
    ck_assert(!ntlm_text_ascii((struct ntlm_text){zero.data, zero.size}, text, sizeof(text)));
    ck_assert(ntlm_text_ascii((struct ntlm_text){anna.data, 0}, text, 1));
    ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ntlm");
    TCase *tc = tcase_create("messages");
    tcase_add_test(tc, the_specifications_response);
    tcase_add_test(tc, bindings_are_found);
    tcase_add_test(tc, what_is_no_response);
    tcase_add_test(tc, the_first_word);
    tcase_add_test(tc, our_challenge);
    tcase_add_test(tc, no_more_than_was_asked_for);
    tcase_add_test(tc, long_names_are_cut);
    tcase_add_test(tc, only_ascii_becomes_ascii);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
