#include "admin_audit_archive.h"

#include "act.h"
#include "archive_seal.h"
#include "audit_chain.h"
#include "audit_record.h"
#include "listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct reading {
    struct act *act;
    const char *path;
    struct secret_key key;
    bool has_key;
    struct archive_seal seal, before; /* with the line that was just read, and without */
    int64_t line, first, last, end;   /* `end`: what the head says is the last row */
    uint8_t link[STORE_AUDIT_LINK];
    const struct audit_mark_row *expect;
    bool expected; /* that row is there, as it was noted */
    bool ended;    /* by a foot that holds */
    char why[256];
};

static bool bad(struct reading *reading, const char *words)
{
    snprintf(reading->why, sizeof(reading->why), "line %" PRId64 ": %s", reading->line, words);
    return false;
}

static bool read_link(const json_t *object, const char *name, uint8_t to[STORE_AUDIT_LINK])
{
    const char *text = json_string_value(json_object_get(object, name));
    size_t size = 0;
    return text &&
           sodium_hex2bin(to, STORE_AUDIT_LINK, text, strlen(text), NULL, &size, NULL) == 0 &&
           size == STORE_AUDIT_LINK;
}

static bool take_head(struct reading *reading, const json_t *object)
{
    const json_t *format = json_object_get(object, "deskgate_audit_archive");
    if (!json_is_integer(format) || !read_link(object, "after_link", reading->link))
        return bad(reading, "this is not an archive of the audit log");
    if (json_integer_value(format) != ARCHIVE_FORMAT)
        return bad(reading, "written by a newer deskgate");
    reading->last = json_integer_value(json_object_get(object, "after"));
    reading->end = json_integer_value(json_object_get(object, "last"));
    reading->first = reading->last + 1;
    return true;
}

static bool take_foot(struct reading *reading, const json_t *object)
{
    uint8_t link[STORE_AUDIT_LINK], seal[STORE_AUDIT_LINK], good[STORE_AUDIT_LINK];
    if (!read_link(object, "link", link) || !read_link(object, "seal", seal))
        return bad(reading, "neither a row nor the foot");
    if (reading->last != reading->end ||
        json_integer_value(json_object_get(object, "last")) != reading->last ||
        json_integer_value(json_object_get(object, "rows")) != reading->last - reading->first + 1 ||
        memcmp(link, reading->link, sizeof(link)) != 0)
        return bad(reading, "the foot does not fit the rows before it: some were removed");
    if (reading->has_key) {
        archive_seal_final(&reading->before, &reading->key, reading->last, good);
        if (sodium_memcmp(good, seal, sizeof(good)) != 0)
            return bad(reading, "the seal is not by this gateway's key over these rows");
    }
    reading->ended = true;
    return true;
}

static bool take_row(struct reading *reading, const json_t *object)
{
    struct store_audit row;
    struct audit_chain_row chained = {0};
    if (!audit_record_read(object, &row))
        return bad(reading, "not a row of the audit log");
    const char *const texts[AUDIT_CHAIN_TEXTS] = {row.event,   row.outcome, row.who,   row.by,
                                                  row.desktop, row.conn,    row.detail};
    chained.id = row.id;
    chained.at_ms = row.at_ms;
    chained.address = row.has_address ? row.address.bytes : NULL;
    for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++) {
        chained.texts[i].at = texts[i];
        chained.texts[i].size = strlen(texts[i]);
    }
    audit_chain_add(reading->link, &chained);
    if (row.id != reading->last + 1 || memcmp(row.link, reading->link, sizeof(row.link)) != 0) {
        snprintf(reading->why, sizeof(reading->why),
                 "line %" PRId64 ": row %" PRId64
                 " is not what was written there, or one before it was removed",
                 reading->line, row.id);
        return false;
    }
    reading->last = row.id;
    reading->expected |= row.id == reading->expect->id &&
                         memcmp(row.link, reading->expect->link, sizeof(row.link)) == 0;
    return true;
}

static bool take_line(struct reading *reading, const char *line, size_t size)
{
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    bool good;
    reading->before = reading->seal;
    archive_seal_add(&reading->seal, line, size);
    if (!json_is_object(object) || reading->ended)
        good = bad(reading, reading->ended ? "there is more behind the foot" : "not a JSON object");
    else if (reading->line == 1)
        good = take_head(reading, object);
    else if (json_object_get(object, "seal"))
        good = take_foot(reading, object);
    else
        good = take_row(reading, object);
    json_decref(object);
    return good;
}

static bool read_all(struct reading *reading, FILE *in)
{
    static char line[ARCHIVE_LINE_MOST];
    archive_seal_init(&reading->seal);
    while (fgets(line, sizeof(line), in)) {
        size_t size = strlen(line);
        reading->line++;
        if (size == 0 || line[size - 1] != '\n')
            return bad(reading, "cut off, or too long");
        if (!take_line(reading, line, size))
            return false;
    }
    if (ferror(in))
        return bad(reading, "cannot be read");
    return reading->ended || bad(reading, "the foot is missing: the file was cut off");
}

/* When all else holds. */
static bool has_expected(struct reading *reading)
{
    int64_t id = reading->expect->id;
    if (id == 0 || reading->expected)
        return true;
    if (id < reading->first || id > reading->last)
        snprintf(reading->why, sizeof(reading->why),
                 "row %" PRId64 " is not in this archive, which has rows %" PRId64 " to %" PRId64,
                 id, reading->first, reading->last);
    else
        snprintf(reading->why, sizeof(reading->why),
                 "row %" PRId64 " is not there with the link that was noted: %s", id,
                 reading->has_key
                     ? "the archive was made anew by somebody who has the key"
                     : "the archive was made anew, or the link was not noted as it was shown");
    return false;
}

static const struct listing_column columns[] = {
    {"good", NULL, LISTING_YES},   {"first", NULL, LISTING_NUMBER}, {"last", NULL, LISTING_NUMBER},
    {"words", NULL, LISTING_TEXT}, {"sealed", NULL, LISTING_YES},   {NULL, NULL, LISTING_TEXT},
};

static int tell(const struct reading *reading, bool good, bool json)
{
    struct act *act = reading->act;
    int code = good ? EX_OK : EX_DATAERR;
    if (json) {
        int said = listing_json(
            act->out,
            listing_object(columns, (const struct listing_value[]){{.number = good},
                                                                   {.number = reading->first},
                                                                   {.number = reading->last},
                                                                   {.text = reading->why},
                                                                   {.number = reading->has_key}}));
        return said != EX_OK ? said : code;
    }
    if (!good)
        return act_error(act, code, "%s: %s", reading->path, reading->why);
    fprintf(act->out, "Rows %" PRId64 " to %" PRId64 ", each as it was written%s.\n",
            reading->first, reading->last, reading->has_key ? ", and the archive is sealed" : "");
    return code;
}

int admin_audit_archive_verify(struct act *act, const char *path,
                               const struct audit_mark_row *expect, bool json)
{
    struct reading reading = {.act = act, .path = path, .expect = expect};
    char key[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return act_error(act, EX_NOINPUT, "%s: %s", path, strerror(errno));
    conf_path(&act->conf, CONF_SECRET_KEY, key);
    reading.has_key = secret_key_load(&reading.key, key, false, why, sizeof(why)) == 0;
    if (!reading.has_key)
        act_error(act, EX_OK, "warning: %s, so the seal is not checked", why);
    bool good = read_all(&reading, in) && has_expected(&reading);
    secret_key_wipe(&reading.key);
    fclose(in);
    return tell(&reading, good, json);
}
