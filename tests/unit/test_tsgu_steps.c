/* The conversation of an RD Gateway client: every state and every message, the keeper's answers,
 * and the good way through. */
#include "tsgu_steps.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MOST 1024

static struct tsgu_steps steps;
static struct tsgu_turn turn;
static uint8_t wire[PACKET_MOST];
static size_t wire_size;

/* ---- a client's packets ---- */

static void begin_packet(unsigned type)
{
    memset(wire, 0, TSGU_HEADER);
    wire[0] = (uint8_t)type;
    wire_size = TSGU_HEADER;
}

static void put(unsigned value, unsigned bytes)
{
    for (; bytes; bytes--, value >>= 8)
        wire[wire_size++] = (uint8_t)value;
}

static void put_text(const char *text)
{
    put((unsigned)(2 * strlen(text) + 2), 2);
    for (const char *c = text;; c++) {
        put((unsigned char)*c, 2);
        if (!*c)
            break;
    }
}

static void give(void)
{
    struct tsgu_packet packet;
    wire[4] = (uint8_t)wire_size;
    wire[5] = (uint8_t)(wire_size >> 8);
    ck_assert_int_eq(tsgu_packet_read(wire, wire_size, &packet), (int)wire_size);
    tsgu_steps_packet(&steps, &packet, &turn);
}

static void handshake(unsigned extended_auth)
{
    begin_packet(TSGU_HANDSHAKE_REQUEST);
    put(1, 1);
    put(0, 1);
    put(0, 2);
    put(extended_auth, 2);
    give();
}

static void create(unsigned capabilities, const char *cookie)
{
    begin_packet(TSGU_TUNNEL_CREATE);
    put(capabilities, 4);
    put(cookie ? 1 : 0, 2);
    put(0, 2);
    if (cookie)
        put_text(cookie);
    give();
}

static void create_again(void)
{
    begin_packet(TSGU_TUNNEL_CREATE);
    put(0x3f, 4);
    put(3, 2);
    put(0, 2);
    put(7, 4);
    put(0, 4);
    put_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    give();
}

static void authorise(void)
{
    begin_packet(TSGU_TUNNEL_AUTH);
    put(0, 2);
    put_text("LAPTOP");
    give();
}

static void channel(const char *name, const char *other)
{
    begin_packet(TSGU_CHANNEL_CREATE);
    put(1, 1);
    put(other ? 1 : 0, 1);
    put(3389, 2);
    put(3, 2);
    put_text(name);
    if (other)
        put_text(other);
    give();
}

static void bare(unsigned type)
{
    begin_packet(type);
    give();
}

static void seen(unsigned status, uint8_t forbidden, uint32_t idle_seconds)
{
    tsgu_steps_seen(&steps, &(struct tsgu_seen){status, forbidden, idle_seconds, false}, &turn);
}

#define TICKET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* A conversation that stands in `step`. */
static void stand_in(enum tsgu_step step)
{
    steps = (struct tsgu_steps){0};
    if (step > TSGU_STEP_HANDSHAKE)
        handshake(TSGU_AUTH_PAA);
    if (step > TSGU_STEP_CREATE)
        create(0x3f, TICKET);
    if (step > TSGU_STEP_LOOKING)
        seen(IPC_OK, 0, 3600);
    if (step > TSGU_STEP_AUTHORISE)
        authorise();
    if (step == TSGU_STEP_RENEWED) {
        steps.again = true;
        steps.step = TSGU_STEP_AUTHORISE;
        authorise();
    } else if (step > TSGU_STEP_CHANNEL) {
        channel("office", NULL);
    }
    if (step == TSGU_STEP_OPEN)
        tsgu_steps_opened(&steps, IPC_OK, &turn);
    if (step == TSGU_STEP_REFUSED)
        tsgu_steps_opened(&steps, IPC_NO_DESKTOP, &turn);
    ck_assert_int_eq(steps.step, step);
}

/* ---- every state, every message ---- */

static const struct {
    const char *name;
    unsigned type;
    /* by state: '.' goes on, 't' asks about the ticket, 'o' asks to open, 'r' refuses, 'l' leaves,
     * '!' breaks. handshake, create, looking, authorise, channel, opening, open, renewed, refused
     */
    const char *todo;
} messages[] = {
    {"handshake", TSGU_HANDSHAKE_REQUEST, ".!!!!!!!!"},
    {"handshake response", TSGU_HANDSHAKE_RESPONSE, "!!!!!!!!!"},
    {"extended auth", TSGU_EXTENDED_AUTH, "!!!!!!!!!"},
    {"tunnel create", TSGU_TUNNEL_CREATE, "!t!!!!!!!"},
    {"tunnel response", TSGU_TUNNEL_RESPONSE, "!!!!!!!!!"},
    {"tunnel auth", TSGU_TUNNEL_AUTH, "!!!.!!!!!"},
    {"tunnel auth response", TSGU_TUNNEL_AUTH_RESPONSE, "!!!!!!!!!"},
    {"channel create", TSGU_CHANNEL_CREATE, "!!!!o!!!!"},
    {"channel response", TSGU_CHANNEL_RESPONSE, "!!!!!!!!!"},
    {"data", TSGU_DATA, "!!!!!!!!!"},
    {"service message", TSGU_SERVICE_MESSAGE, "!!!!!!!!!"},
    {"reauth", TSGU_REAUTH, "!!!!!!!!!"},
    {"keepalive", TSGU_KEEPALIVE, "........."},
    {"close", TSGU_CLOSE_CHANNEL, "lllllllll"},
    {"close response", TSGU_CLOSE_CHANNEL_RESPONSE, "!!!!!!!!!"},
    {"type 0", 0, "!!!!!!!!!"},
    {"type 0xe", 0xe, "!!!!!!!!!"},
    {"type 0x12", 0x12, "!!!!!!!!!"},
    {"type 0xff", 0xff, "!!!!!!!!!"},
};
#define MESSAGES (sizeof(messages) / sizeof(*messages))

/* With the body that is right for it. */
static void send_message(unsigned type)
{
    switch (type) {
    case TSGU_HANDSHAKE_REQUEST:
        handshake(TSGU_AUTH_PAA);
        break;
    case TSGU_TUNNEL_CREATE:
        create(0x3f, TICKET);
        break;
    case TSGU_TUNNEL_AUTH:
        authorise();
        break;
    case TSGU_CHANNEL_CREATE:
        channel("office", NULL);
        break;
    default:
        bare(type);
    }
}

START_TEST(each_state_and_each_message)
{
    static const char letters[] = {
        [TSGU_GO_ON] = '.', [TSGU_ASK_TICKET] = 't', [TSGU_ASK_OPEN] = 'o', [TSGU_BEGIN] = 'b',
        [TSGU_RENEW] = 'w', [TSGU_REFUSE] = 'r',     [TSGU_LEAVE] = 'l',    [TSGU_BREAK] = '!'};
    for (int step = 0; step < TSGU_STEPS; step++) {
        stand_in((enum tsgu_step)step);
        send_message(messages[_i].type);
        ck_assert_msg(letters[turn.todo] == messages[_i].todo[step], "%s in state %d: %c",
                      messages[_i].name, step, letters[turn.todo]);
        if (turn.todo == TSGU_BREAK)
            ck_assert_int_eq(steps.step, TSGU_STEP_REFUSED);
        ck_assert_uint_le(turn.size, TSGU_ANSWER_MOST);
    }
}
END_TEST

/* Cut short by one byte, each of them breaks the state that it belongs to. */
START_TEST(bodies_that_are_cut_short)
{
    static const unsigned types[] = {TSGU_HANDSHAKE_REQUEST, TSGU_TUNNEL_CREATE, TSGU_TUNNEL_AUTH,
                                     TSGU_CHANNEL_CREATE};
    static const enum tsgu_step in[] = {TSGU_STEP_HANDSHAKE, TSGU_STEP_CREATE, TSGU_STEP_AUTHORISE,
                                        TSGU_STEP_CHANNEL};
    stand_in(in[_i]);
    struct tsgu_steps before = steps;
    send_message(types[_i]);
    size_t whole = wire_size;
    for (size_t size = TSGU_HEADER; size < whole; size++) {
        steps = before;
        wire_size = size;
        give();
        ck_assert_msg(turn.todo == TSGU_BREAK, "%zu of %zu bytes: %d", size, whole, turn.todo);
    }
}
END_TEST

/* ---- what is said ---- */

static uint32_t said32(size_t at)
{
    ck_assert_uint_le(at + 4, turn.size);
    return (uint32_t)turn.packet[at] | (uint32_t)turn.packet[at + 1] << 8 |
           (uint32_t)turn.packet[at + 2] << 16 | (uint32_t)turn.packet[at + 3] << 24;
}

START_TEST(the_good_way)
{
    steps = (struct tsgu_steps){0};
    handshake(TSGU_AUTH_PAA);
    ck_assert_uint_eq(turn.packet[0], TSGU_HANDSHAKE_RESPONSE);
    ck_assert_uint_eq(said32(8), TSGU_OK);
    create(0x3f, TICKET);
    for (unsigned i = 0; i < IPC_TOKEN_SIZE; i++)
        ck_assert_uint_eq(steps.ticket[i], i);
    seen(IPC_OK, IPC_FORBID_DRIVES | IPC_FORBID_CLIPBOARD, 3601);
    ck_assert_uint_eq(turn.packet[0], TSGU_TUNNEL_RESPONSE);
    ck_assert_uint_eq(said32(10), TSGU_OK);
    authorise();
    ck_assert_uint_eq(turn.packet[0], TSGU_TUNNEL_AUTH_RESPONSE);
    ck_assert_uint_eq(said32(8), TSGU_OK);
    ck_assert_uint_eq(said32(16), 0x9); /* drives and clipboard */
    ck_assert_uint_eq(said32(20), 61);  /* minutes, rounded up */
    ck_assert_str_eq(steps.machine, "LAPTOP");
    channel("10.1.2.3:3389", "office");
    ck_assert_int_eq(turn.todo, TSGU_ASK_OPEN);
    ck_assert_str_eq(steps.desktop, "office");
    tsgu_steps_opened(&steps, IPC_OK, &turn);
    ck_assert_int_eq(turn.todo, TSGU_BEGIN);
    ck_assert_uint_eq(turn.packet[0], TSGU_CHANNEL_RESPONSE);
    ck_assert_uint_eq(said32(8), TSGU_OK);
}
END_TEST

START_TEST(redirections)
{
    static const struct {
        uint8_t forbidden;
        uint32_t flags;
    } cases[] = {{0, 0x80000000U},
                 {IPC_FORBID_ALL, 0x40000000U},
                 {IPC_FORBID_PRINTERS, 2},
                 {IPC_FORBID_PORTS | IPC_FORBID_PNP, 0x14}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        stand_in(TSGU_STEP_LOOKING);
        seen(IPC_OK, cases[i].forbidden, 0);
        authorise();
        ck_assert_uint_eq(said32(16), cases[i].flags);
        ck_assert_uint_eq(said32(20), 0);
    }
}
END_TEST

/* A person must agree, where the administrator says so and the client can ask. */
START_TEST(consent)
{
    static const struct {
        const char *text;
        unsigned capabilities;
        bool asked;
    } cases[] = {{"Be good.", 0x3f, true},
                 {"Be good.", TSGU_CAP_IDLE_TIMEOUT, false},
                 {"", 0x3f, false},
                 {NULL, 0x3f, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        steps = (struct tsgu_steps){.consent = cases[i].text};
        handshake(TSGU_AUTH_PAA);
        create(cases[i].capabilities, TICKET);
        seen(IPC_OK, 0, 0);
        ck_assert_int_eq(turn.todo, TSGU_GO_ON);
        ck_assert_uint_eq(turn.packet[14] & 0x10, cases[i].asked ? 0x10 : 0);
        ck_assert_uint_eq(said32(22) & TSGU_CAP_CONSENT, cases[i].asked ? TSGU_CAP_CONSENT : 0);
    }
}
END_TEST

/* A client that was told to shows its ticket again, for the tunnel that lives. */
START_TEST(the_ticket_again)
{
    stand_in(TSGU_STEP_CREATE);
    steps.renews = true;
    steps.consent = "Be good."; /* which it has agreed to already */
    create_again();
    ck_assert_uint_eq(steps.context, 7);
    tsgu_steps_seen(&steps, &(struct tsgu_seen){IPC_OK, 0, 0, true}, &turn);
    ck_assert_int_eq(turn.todo, TSGU_GO_ON);
    ck_assert_uint_eq(said32(22) & (TSGU_CAP_REAUTH | TSGU_CAP_CONSENT),
                      TSGU_CAP_REAUTH | TSGU_CAP_CONSENT);
    ck_assert_uint_eq(turn.packet[14] & 0x10, 0);
    authorise();
    ck_assert_int_eq(turn.todo, TSGU_RENEW);
    ck_assert_uint_eq(said32(8), TSGU_OK);
    ck_assert_int_eq(steps.step, TSGU_STEP_RENEWED);
}
END_TEST

/* ---- refusals: each with the code that makes the client say the right words ---- */

START_TEST(refusals_of_the_tunnel)
{
    steps = (struct tsgu_steps){0};
    handshake(0);
    ck_assert_int_eq(turn.todo, TSGU_REFUSE);
    ck_assert_uint_eq(said32(8), 0x800759F9); /* and what would be good: */
    ck_assert_uint_eq(turn.packet[16], TSGU_AUTH_PAA);

    static const struct {
        const char *cookie;
        uint32_t status;
    } cookies[] = {{NULL, 0x800759F7},
                   {"", 0x800759F8},
                   {"short", 0x800759F8},
                   {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A", 0x800759F8},
                   {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH!8", 0x800759F8}};
    for (size_t i = 0; i < sizeof(cookies) / sizeof(*cookies); i++) {
        stand_in(TSGU_STEP_CREATE);
        create(0x3f, cookies[i].cookie);
        ck_assert_int_eq(turn.todo, TSGU_REFUSE);
        ck_assert_uint_eq(said32(10), cookies[i].status);
    }

    stand_in(TSGU_STEP_CREATE);
    create_again();
    ck_assert_int_eq(turn.todo, TSGU_ASK_TICKET);
    seen(IPC_OK, 0, 0);
    ck_assert_int_eq(turn.todo, TSGU_REFUSE);
    ck_assert_uint_eq(said32(10), 0x800759FA);

    static const struct {
        unsigned status;
        uint32_t code;
    } answers[] = {{IPC_BAD_TICKET, 0x800759F8}, {IPC_FAILED, 0x800759D8}, {IPC_BUSY, 0x800759D8}};
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        stand_in(TSGU_STEP_LOOKING);
        seen(answers[i].status, 0, 0);
        ck_assert_int_eq(turn.todo, TSGU_REFUSE);
        ck_assert_uint_eq(said32(10), answers[i].code);
    }
}
END_TEST

START_TEST(refusals_of_the_channel)
{
    static const struct {
        unsigned status;
        uint32_t code;
    } answers[] = {
        {IPC_BAD_TICKET, 0x800759DB},
        {IPC_NO_SESSION, 0x800759DB},
        {IPC_PASSWORD_DUE, 0x800759DB},
        {IPC_NOT_NOW, 0x800759DA},
        {IPC_NOT_FROM_HERE, 0x800759DA},
        {IPC_TOO_MANY, 0x800759E6},
        {IPC_STALE_FACTOR, 0x800759DA},
        {IPC_NO_DESKTOP, 0x800759DA},
        {IPC_DESKTOP_ADDRESS, 0x800759DA},
        {IPC_DESKTOP_ASLEEP, 0x800759DD},
        {IPC_DESKTOP_REFUSED, 0x800759DD},
        {IPC_DESKTOP_NAME, 0x800759DD},
        {IPC_BUSY, 0x800759D8},
        {IPC_FAILED, 0x800759D8},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        stand_in(TSGU_STEP_OPENING);
        tsgu_steps_opened(&steps, answers[i].status, &turn);
        ck_assert_int_eq(turn.todo, TSGU_REFUSE);
        ck_assert_uint_eq(turn.packet[0], TSGU_CHANNEL_RESPONSE);
        ck_assert_uint_eq(said32(8), answers[i].code);
    }
    static const char *const names[] = {"10.0.0.1:3389", "../etc", "a b", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        stand_in(TSGU_STEP_CHANNEL);
        channel(names[i], NULL);
        ck_assert_int_eq(turn.todo, TSGU_REFUSE);
        ck_assert_uint_eq(said32(8), 0x800759DA);
    }
}
END_TEST

START_TEST(too_late)
{
    static const enum tsgu_todo todo[TSGU_STEPS] = {
        [TSGU_STEP_HANDSHAKE] = TSGU_BREAK, [TSGU_STEP_CREATE] = TSGU_BREAK,
        [TSGU_STEP_LOOKING] = TSGU_REFUSE,  [TSGU_STEP_AUTHORISE] = TSGU_BREAK,
        [TSGU_STEP_CHANNEL] = TSGU_BREAK,   [TSGU_STEP_OPENING] = TSGU_REFUSE,
        [TSGU_STEP_OPEN] = TSGU_BREAK,      [TSGU_STEP_RENEWED] = TSGU_LEAVE,
        [TSGU_STEP_REFUSED] = TSGU_LEAVE,
    };
    for (int step = 0; step < TSGU_STEPS; step++) {
        stand_in((enum tsgu_step)step);
        tsgu_steps_late(&steps, &turn);
        ck_assert_msg(turn.todo == todo[step], "state %d: %d", step, turn.todo);
    }
}
END_TEST

/* After a refusal for lateness the keeper may still say yes: nothing comes of it. */
START_TEST(an_answer_after_the_refusal)
{
    stand_in(TSGU_STEP_OPENING);
    tsgu_steps_late(&steps, &turn);
    ck_assert_int_eq(turn.todo, TSGU_REFUSE);
    tsgu_steps_opened(&steps, IPC_OK, &turn);
    ck_assert_int_eq(turn.todo, TSGU_GO_ON);
    ck_assert_uint_eq(turn.size, 0);
    ck_assert_int_eq(steps.step, TSGU_STEP_REFUSED);
    stand_in(TSGU_STEP_LOOKING);
    tsgu_steps_late(&steps, &turn);
    seen(IPC_OK, 0, 0);
    ck_assert_uint_eq(turn.size, 0);
    ck_assert_int_eq(steps.step, TSGU_STEP_REFUSED);
}
END_TEST

/* Who has proved a gateway password has no cookie, and one that it sends is not looked at. */
START_TEST(a_gateway_password_stands_for_the_ticket)
{
    for (int with = 0; with < 2; with++) {
        steps = (struct tsgu_steps){.passed = true, .ticket = {9, 9, 9}};
        handshake(with ? TSGU_AUTH_PAA : 0);
        ck_assert_int_eq(turn.todo, TSGU_GO_ON);
        ck_assert_uint_eq(said32(8), TSGU_OK);
        create(0x3f, with ? TICKET : NULL);
        ck_assert_int_eq(turn.todo, TSGU_ASK_TICKET);
        ck_assert_mem_eq(steps.ticket, "\x09\x09\x09\x00", 4);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tsgu_steps");
    TCase *tcase = tcase_create("tsgu_steps");
    tcase_add_loop_test(tcase, each_state_and_each_message, 0, (int)MESSAGES);
    tcase_add_loop_test(tcase, bodies_that_are_cut_short, 0, 4);
    tcase_add_test(tcase, the_good_way);
    tcase_add_test(tcase, redirections);
    tcase_add_test(tcase, consent);
    tcase_add_test(tcase, the_ticket_again);
    tcase_add_test(tcase, refusals_of_the_tunnel);
    tcase_add_test(tcase, refusals_of_the_channel);
    tcase_add_test(tcase, too_late);
    tcase_add_test(tcase, an_answer_after_the_refusal);
    tcase_add_test(tcase, a_gateway_password_stands_for_the_ticket);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
