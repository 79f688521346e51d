/* Administration in the browser: the command line's sub-verbs by their names. Who may is the
 * keeper's to say; here a question is packed and its answer unpacked. */
#include "admin_pack.h"
#include "answer.h"
#include "api.h"
#include "api_kit.h"
#include "fd.h"
#include "route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct query {
    struct ipc_admin *record;
    bool bad;
};

static enum MHD_Result on_pair(void *owner, enum MHD_ValueKind kind, const char *key,
                               const char *value)
{
    struct query *query = owner;
    (void)kind;
    query->bad = query->bad || !admin_pack_pair(query->record, key, value);
    return query->bad ? MHD_NO : MHD_YES;
}

static bool pack(struct request *request, struct ipc_admin *record)
{
    struct query query = {record, false};
    if (!admin_pack_path(record, request->route->path))
        return false;
    if (record->changes)
        return admin_pack_body(record, request->body, request->body_size);
    MHD_get_connection_values(request->mhd, MHD_GET_ARGUMENT_KIND, on_pair, &query);
    return !query.bad;
}

enum MHD_Result api_admin(struct request *request)
{
    struct ipc_admin record;
    IPC_INIT(&record, ADMIN, 0);
    request_session(request, &record.origin, record.token);
    record.changes = strcmp(request->route->method, "POST") == 0;
    if (pack(request, &record))
        return request_ask(request, &record.head, IPC_ADMIN_DONE);
    return answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                        record.changes ? "Send a JSON object of 'words', an array of texts, and "
                                         "'options', an object; at most 4 KB."
                                       : "Give words as word=… and options as NAME=VALUE; at most "
                                         "4 KB.");
}

/* ---- the answer ---- */

struct told {
    char *printed, *said; /* each with a NUL behind it, and no line feed */
    size_t printed_size, said_size;
};

static void told_free(struct told *told)
{
    if (told->printed)
        explicit_bzero(told->printed, told->printed_size); /* an invitation, perhaps */
    free(told->printed);
    free(told->said);
}

static char *read_part(int fd, size_t size, off_t at)
{
    char *text = malloc(size + 1);
    size_t done = 0;
    while (text && done < size) {
        ssize_t got = pread(fd, text + done, size - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(text);
            return NULL;
        }
        done += (size_t)got;
    }
    if (text)
        text[size] = '\0';
    return text;
}

static void trim(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
}

static bool read_told(struct request *request, struct told *told)
{
    const struct ipc_admin_done *answer = &request->answer->admin_done;
    if (request->fd < 0 || answer->printed_size > IPC_PRINTED_MOST ||
        answer->said_size > IPC_SAID_MOST)
        return false;
    told->printed_size = answer->printed_size;
    told->said_size = answer->said_size;
    told->printed = read_part(request->fd, told->printed_size, 0);
    told->said = read_part(request->fd, told->said_size, (off_t)told->printed_size);
    fd_close(&request->fd);
    if (!told->printed || !told->said)
        return false;
    trim(told->printed);
    trim(told->said);
    return true;
}

static enum MHD_Result refused(struct request *request, int code, const char *words)
{
    static const char nothing[] = "The gateway does not say why.";
    unsigned status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    if (code == EX_USAGE || code == EX_DATAERR)
        status = MHD_HTTP_BAD_REQUEST;
    else if (code == EX_NOINPUT)
        status = MHD_HTTP_NOT_FOUND;
    else if (code == EX_NOPERM)
        status = MHD_HTTP_FORBIDDEN;
    return answer_error(request, status,
                        status == MHD_HTTP_INTERNAL_SERVER_ERROR ? "failed" : "refused",
                        *words ? words : nothing);
}

/* The keeper's JSON goes into the answer as it is: a long list is not read here once more, in the
 * thread that all requests share. */
static enum MHD_Result told_well(struct request *request, const struct told *told)
{
    bool raw = request->answer->admin_done.json;
    json_t *said = json_string(told->said), *printed = raw ? NULL : json_string(told->printed);
    char *warning = json_dumps(said, JSON_ENCODE_ANY);
    char *words = raw ? NULL : json_dumps(printed, JSON_ENCODE_ANY);
    const char *value = raw ? told->printed : words;
    char *text = NULL;
    int size = -1;
    if (warning && value)
        size = asprintf(&text, "{\"%s\":%s%s%s}", raw ? "result" : "said", value,
                        *told->said ? ",\"warning\":" : "", *told->said ? warning : "");
    json_decref(said);
    json_decref(printed);
    answer_release(warning);
    answer_release(words);
    return size < 0 ? answer_status(request, IPC_FAILED, 0)
                    : answer_json_text(request, MHD_HTTP_OK, text);
}

enum MHD_Result api_admin_told(struct request *request)
{
    const struct ipc_admin_done *answer = &request->answer->admin_done;
    enum MHD_Result result;
    struct told told = {0};
    if (!api_kit_told(request, IPC_ADMIN_DONE, &result))
        return result;
    if (answer->status == IPC_NOT_FROM_HERE || answer->status == IPC_NOT_NOW)
        return answer_error(request, MHD_HTTP_FORBIDDEN, ipc_status_name(answer->status),
                            "Your account, or the address you come from, is not let in now. The "
                            "command line at the gateway always is.");
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, 1);
    if (!read_told(request, &told))
        result = answer_status(request, IPC_FAILED, 0);
    else if (answer->code != EX_OK && !answer->json)
        result = refused(request, answer->code, told.said);
    else
        result = told_well(request, &told);
    told_free(&told);
    return result;
}
