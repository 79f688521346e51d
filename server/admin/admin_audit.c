/* deskgate audit: what happened, oldest first. Rows are printed as they come, so that a log of any
 * length needs no memory: columns of fixed width for people, one array for scripts, and with
 * --follow one object a line. */
#include "act.h"
#include "admin.h"
#include "admin_audit_accept.h"
#include "admin_audit_archive.h"
#include "admin_audit_export.h"
#include "admin_audit_verify.h"
#include "listing.h"
#include "plain.h"
#include "sub.h"
#include "when.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ADMIN_AUDIT_POLL_MS 250
#define ADMIN_AUDIT_FOLLOW_LAST 10 /* what tail(1) shows */
#define ADMIN_AUDIT_LAST_MAX 1000000

static const struct listing_column admin_audit_columns[] = {
    {"id", NULL, LISTING_NUMBER},    {"at", NULL, LISTING_TIME_MS},   {"event", NULL, LISTING_TEXT},
    {"outcome", NULL, LISTING_TEXT}, {"user", NULL, LISTING_TEXT},    {"by", NULL, LISTING_TEXT},
    {"desktop", NULL, LISTING_TEXT}, {"address", NULL, LISTING_TEXT}, {"conn", NULL, LISTING_TEXT},
    {"detail", NULL, LISTING_TEXT},  {NULL, NULL, LISTING_TEXT},
};

struct admin_audit_print {
    FILE *out;
    bool json, follow;
    int64_t last_id; /* printed so far */
    size_t count;
    int code;
};

/* Strangers choose some of these texts: in quotes unless they are plain words, so that none can
 * pass for a field of its own. */
static void admin_audit_field(FILE *out, const char *name, const char *text)
{
    char *plain = text[0] == '\0' ? NULL : plain_new(text);

    if (plain == NULL)
        return;
    fprintf(out, " %s=", name);
    if (strpbrk(plain, " =\"\\") == NULL) {
        fputs(plain, out);
    } else {
        fputc('"', out);
        for (const char *at = plain; *at != '\0'; at++)
            fprintf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
        fputc('"', out);
    }
    free(plain);
}

static void admin_audit_line(FILE *out, const struct store_audit *row, const char *address)
{
    char at[WHEN_SIZE];

    fprintf(out, "%s  ", when_local_ms(row->at_ms, at));
    plain_print(out, row->event);
    fprintf(out, "%*s ", (int)(16 - plain_width(row->event)), "");
    plain_print(out, row->outcome);
    admin_audit_field(out, "user", row->who);
    admin_audit_field(out, "by", row->by);
    admin_audit_field(out, "desktop", row->desktop);
    admin_audit_field(out, "from", address);
    admin_audit_field(out, "conn", row->conn);
    admin_audit_field(out, "detail", row->detail);
    fputc('\n', out);
}

static int admin_audit_row(void *owner, const struct store_audit *row)
{
    struct admin_audit_print *print = owner;
    char address[ADDR_TEXT_SIZE] = "";

    if (row->has_address)
        addr_text(&row->address, address);
    if (!print->json) {
        admin_audit_line(print->out, row, address);
    } else {
        if (!print->follow)
            fputs(print->count == 0 ? "" : ",", print->out);
        print->code = listing_json(
            print->out,
            listing_object(admin_audit_columns, (struct listing_value[]){{.number = row->id},
                                                                         {.number = row->at_ms},
                                                                         {.text = row->event},
                                                                         {.text = row->outcome},
                                                                         {.text = row->who},
                                                                         {.text = row->by},
                                                                         {.text = row->desktop},
                                                                         {.text = address},
                                                                         {.text = row->conn},
                                                                         {.text = row->detail}}));
    }
    print->count++;
    print->last_id = row->id;
    return print->code != EX_OK || ferror(print->out);
}

/* Sleeps until the next look; false when the reader of our output has gone. */
static bool admin_audit_wait(struct act *act)
{
    struct pollfd reader = {.fd = fileno(act->out)};

    return poll(&reader, 1, ADMIN_AUDIT_POLL_MS) == 0;
}

static int admin_audit_print(struct act *act, const struct store_audit_filter *filter,
                             struct admin_audit_print *print)
{
    if (store_audit_list(act->store, filter, admin_audit_row, print) == STORE_FAILED)
        return act_store_failed(act);
    if (print->code == EX_OK && fflush(act->out) != 0)
        print->code = EX_IOERR;
    return print->code;
}

static int admin_audit_follow(struct act *act, struct store_audit_filter *filter,
                              struct admin_audit_print *print)
{
    filter->last = 0;
    while (admin_audit_wait(act)) {
        if (!store_changed(act->store))
            continue;
        filter->after_id = print->last_id;
        int code = admin_audit_print(act, filter, print);
        if (code != EX_OK)
            return code;
    }
    return EX_OK;
}

static int admin_audit_filter(struct act *act, const struct sub_args *args,
                              struct store_audit_filter *filter)
{
    const char *since = sub_value(args, "since"), *last = sub_value(args, "last");
    uint64_t count = 0;
    int code = admin_audit_select(act, args, filter);

    if (code != EX_OK)
        return code;
    if (last && (!text_number(last, ADMIN_AUDIT_LAST_MAX, &count) || count == 0))
        return act_error(act, EX_DATAERR, "--last '%s': give a number from 1 to %d", last,
                         ADMIN_AUDIT_LAST_MAX);
    filter->last = (unsigned)count;
    if (sub_value(args, "follow") && since == NULL && last == NULL)
        filter->last = ADMIN_AUDIT_FOLLOW_LAST;
    return EX_OK;
}

static int admin_audit_list(struct act *act, const struct sub_args *args)
{
    struct admin_audit_print print = {.out = act->out,
                                      .json = sub_value(args, "json") != NULL,
                                      .follow = sub_value(args, "follow") != NULL};
    bool array = print.json && !print.follow;
    struct store_audit_filter filter;
    int code = admin_audit_filter(act, args, &filter);

    if (code != EX_OK)
        return code;
    (void)store_changed(act->store); /* counts from here, before the first look */
    fputs(array ? "[" : "", act->out);
    code = admin_audit_print(act, &filter, &print);
    fputs(array ? "]\n" : "", act->out);
    bool enough = filter.last && print.count >= filter.last;
    if (code == EX_OK && !enough && !act->in_browser)
        code = admin_audit_archived(act, &filter);
    if (code == EX_OK && print.follow)
        code = admin_audit_follow(act, &filter, &print);
    if (code == EX_OK && print.count == 0 && !print.json)
        act_error(act, EX_OK, "no such entry");
    return code;
}

static const struct sub_option admin_audit_options[] = {
    {"follow", NULL, "go on with what happens; with --json one object a line"},
    {"since", "TIME", "15m, 2h, 7d ago, or 2025-11-23T06:42"},
    {"until", "TIME", "only what was before; a day without a time is in it"},
    {"user", "PERSON", "only about this person, as known or as typed"},
    {"event", "EVENT", "only this event, such as sign-in or tunnel-open"},
    {"last", "COUNT", "only the newest so many"},
    {"json", NULL, "print a JSON array; times are in UTC"},
    {0},
};

static const struct sub admin_audit_subs[] = {
    {"list",
     "[--follow] [--since TIME] [--until TIME] [--user PERSON] [--event EVENT] [--last COUNT] "
     "[--json]",
     "Shows what happened, oldest first.",
     "  deskgate audit list --since 2h --event sign-in\n"
     "  deskgate audit list --follow",
     admin_audit_options, 0, 0, admin_audit_list},
    {"verify", "[--expect NUMBER:LINK] [--archive FILE] [--json]",
     "Walks the chain of all rows and says which one was changed, removed or moved. Note the last "
     "row's number and link elsewhere: with --expect, a log that somebody with the key has made "
     "anew is seen, too.",
     "  deskgate audit verify\n"
     "  deskgate audit verify --archive 2025.jsonl",
     admin_audit_verify_options, 0, 0, admin_audit_verify},
    {"export", "--format json|csv [--since TIME] [--until TIME] [--user PERSON] [--event EVENT]",
     "Prints rows for other programs, oldest first.",
     "  deskgate audit export --format csv --since 30d >audit.csv", admin_audit_export_options, 0,
     0, admin_audit_export},
    {"archive", "--before TIME FILE",
     "Moves old rows into a new file, sealed, and out of the database.",
     "  deskgate audit archive --before 365d /srv/archive/audit-2025.jsonl",
     admin_audit_archive_options, 1, 1, admin_audit_archive},
    {"expire", "",
     "Archives what is older than [audit] keep_days into the state folder. The running gateway "
     "does "
     "so once a day.",
     "  deskgate audit expire", NULL, 0, 0, admin_audit_expire},
    {"accept", "--because WORDS",
     "Writes down that you know what is wrong with the log. It goes on; verifying begins here.",
     "  deskgate audit accept --because 'restored from the backup of Sunday'",
     admin_audit_accept_options, 0, 0, admin_audit_accept},
    {0},
};

const struct sub_verb admin_audit = {"audit", "What happened.", admin_audit_subs};

int audit_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_audit, cli, argc, argv);
}
