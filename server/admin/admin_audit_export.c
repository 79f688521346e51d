#include "admin_audit_export.h"

#include "act.h"
#include "audit_record.h"
#include "csv_cell.h"
#include "listing.h"
#include "store_audit.h"
#include "when.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

struct export
{
    FILE *out;
    bool csv;
    int code;
};

/* ---- CSV (RFC 4180) ---- */

static void csv_row(FILE *out, const struct store_audit *row)
{
    char at[AUDIT_RECORD_TIME], address[ADDR_TEXT_SIZE] = "", link[2 * sizeof(row->link) + 1];

    if (row->has_address)
        addr_text(&row->address, address);
    text_hex(link, row->link, sizeof(row->link));
    const char *const cells[] = {row->event, row->outcome, row->who,    row->by, row->desktop,
                                 address,    row->conn,    row->detail, link};
    fprintf(out, "%" PRId64 ",%s", row->id, audit_record_time(row->at_ms, at));
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        fputc(',', out);
        csv_cell_write(out, cells[i]);
    }
    fputs("\r\n", out);
}

/* ---- the verb ---- */

static int export_row(void *owner, const struct store_audit *row)
{
    struct export *export = owner;

    if (export->csv)
        csv_row(export->out, row);
    else
        export->code = listing_json(export->out, audit_record(row));
    return export->code != EX_OK || ferror(export->out);
}

/* 0: none was given. */
static int read_when(struct act *act, const struct sub_args *args, const char *option,
                     enum when_day day, int64_t *milliseconds)
{
    const char *typed = sub_value(args, option);
    int64_t at = 0;

    *milliseconds = 0;
    if (typed && (!when_past(typed, day, act->now, &at) || (day == WHEN_DAY_ENDS && at <= 0)))
        return act_error(act, EX_DATAERR,
                         "--%s '%s': write 15m, 2h or 7d for so long ago, or a time "
                         "such as 2025-11-23T06:42",
                         option, typed);
    *milliseconds = at * 1000;
    return EX_OK;
}

int admin_audit_select(struct act *act, const struct sub_args *args,
                       struct store_audit_filter *filter)
{
    *filter = (struct store_audit_filter){.event = sub_value(args, "event"),
                                          .who = sub_value(args, "user")};
    int code = read_when(act, args, "since", WHEN_DAY_BEGINS, &filter->since_ms);
    return code == EX_OK ? read_when(act, args, "until", WHEN_DAY_ENDS, &filter->before_ms) : code;
}

static int first_row(void *owner, const struct store_audit *row)
{
    *(int64_t *)owner = row->at_ms;
    return 1;
}

int admin_audit_archived(struct act *act, const struct store_audit_filter *filter)
{
    struct store_audit_walk begin;
    int64_t first_ms = 0;
    char at[WHEN_SIZE];

    if (store_audit_begin(act->store, &begin) != STORE_OK)
        return act_store_failed(act);
    const struct store_audit_filter all = {.after_id = begin.last};
    if (begin.last == 0)
        return EX_OK;
    if (store_audit_list(act->store, &all, first_row, &first_ms) == STORE_FAILED)
        return act_store_failed(act);
    if (filter->since_ms && first_ms && filter->since_ms >= first_ms)
        return EX_OK;
    return act_error(act, EX_OK,
                     "rows up to %" PRId64 ", from before %s, were archived and are not looked at; "
                     "'deskgate audit list --event audit-archive' says into which files",
                     begin.last, when_local(first_ms / 1000, at));
}

int admin_audit_export(struct act *act, const struct sub_args *args)
{
    const char *format = sub_value(args, "format");
    struct store_audit_filter filter;
    struct export export = {.out = act->out, .csv = format && strcmp(format, "csv") == 0};

    if (format == NULL || (!export.csv && strcmp(format, "json") != 0))
        return act_error(act, format ? EX_DATAERR : EX_USAGE,
                         "--format wants json (an object a line) or csv");
    int code = admin_audit_select(act, args, &filter);
    if (code != EX_OK)
        return code;
    if (export.csv)
        fputs("id,at,event,outcome,user,by,desktop,address,conn,detail,link\r\n", export.out);
    if (store_audit_list(act->store, &filter, export_row, &export) == STORE_FAILED)
        return act_store_failed(act);
    return export.code == EX_OK ? admin_audit_archived(act, &filter) : export.code;
}

const struct sub_option admin_audit_export_options[] = {
    {"format", "json|csv", "an object a line, or comma-separated with a line of heads"},
    {"since", "TIME", "15m, 2h, 7d ago, or 2025-11-23T06:42"},
    {"until", "TIME", "only what was before; a day without a time is in it"},
    {"user", "PERSON", "only about this person, as known or as typed"},
    {"event", "EVENT", "only this event, such as sign-in or tunnel-open"},
    {0},
};
