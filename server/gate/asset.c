#include "asset.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int by_path(const void *path, const void *asset)
{
    return strcmp(path, ((const struct web_asset *)asset)->path);
}

const struct web_asset *asset_find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    return bsearch(path, web_assets, web_asset_count, sizeof(*web_assets), by_path);
}

/* ---- which variant ---- */

#define SPACE " \t"

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), whole; 0 when it is anything else,
 * since a coding that is not sent cannot be misunderstood. */
static int weight(const char *text, size_t size)
{
    if (size == 0 || size > 5 || (text[0] != '0' && text[0] != '1') || (size > 1 && text[1] != '.'))
        return 0;
    int value = 1000 * (text[0] - '0');
    int unit = 100;
    for (size_t i = 2; i < size; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value += unit * (text[i] - '0');
    }
    return value > 1000 ? 0 : value;
}

static size_t trimmed(const char **text, size_t size)
{
    size_t lead = strspn(*text, SPACE);
    lead = lead < size ? lead : size;
    *text += lead;
    size -= lead;
    while (size > 0 && strchr(SPACE, (*text)[size - 1]))
        size--;
    return size;
}

static bool named(const char *text, size_t size, const char *name)
{
    return strlen(name) == size && strncasecmp(text, name, size) == 0;
}

/* coding [ OWS ";" OWS "q=" qvalue ] */
static void accept_one(struct asset_accept *accept, const char *text, size_t size)
{
    const char *semicolon = memchr(text, ';', size);
    size_t length = semicolon ? (size_t)(semicolon - text) : size;
    int value = 1000;
    if (semicolon) {
        const char *parameter = semicolon + 1;
        size_t left = trimmed(&parameter, size - length - 1);
        value =
            left > 2 && strncasecmp(parameter, "q=", 2) == 0 ? weight(parameter + 2, left - 2) : 0;
    }
    length = trimmed(&text, length);
    if (named(text, length, "br"))
        accept->brotli = value;
    else if (named(text, length, "gzip") || named(text, length, "x-gzip"))
        accept->gzip = value;
    else if (named(text, length, "identity"))
        accept->identity = value;
    else if (named(text, length, "*"))
        accept->any = value;
}

void asset_accept_line(struct asset_accept *accept, const char *line)
{
    accept->given = true;
    while (*line) {
        size_t size = strcspn(line, ",");
        const char *text = line;
        size_t length = trimmed(&text, size);
        accept_one(accept, text, length);
        line += size + (line[size] == ',');
    }
}

const struct web_body *asset_choose(const struct web_asset *asset,
                                    const struct asset_accept *accept, const char **coding)
{
    int rest = accept->any >= 0 ? accept->any : 0;
    int brotli = accept->brotli >= 0 ? accept->brotli : rest;
    int gzip = accept->gzip >= 0 ? accept->gzip : rest;
    int identity = accept->identity >= 0 ? accept->identity : rest;
    if (!asset->brotli.data)
        brotli = 0;
    if (!asset->gzip.data)
        gzip = 0;
    *coding = NULL;
    /* No header: every coding would be right; only identity is surely understood. */
    if (!accept->given || (brotli == 0 && gzip == 0))
        return &asset->identity;
    if (identity > brotli && identity > gzip)
        return &asset->identity;
    *coding = brotli >= gzip ? "br" : "gzip";
    return brotli >= gzip ? &asset->brotli : &asset->gzip;
}

static enum MHD_Result add_line(void *accept, enum MHD_ValueKind kind, const char *key,
                                const char *value)
{
    (void)kind;
    if (strcasecmp(key, MHD_HTTP_HEADER_ACCEPT_ENCODING) == 0)
        asset_accept_line(accept, value ? value : "");
    return MHD_YES;
}

/* ---- whether at all ---- */

bool asset_known(const char *if_none_match, const char *etag)
{
    const char *at = if_none_match + strspn(if_none_match, SPACE ",");
    if (*at == '*')
        return at[1 + strspn(at + 1, SPACE)] == '\0';
    while (*at) {
        if (at[0] == 'W' && at[1] == '/')
            at += 2;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (!end) /* not a list of ETags; what is not understood is sent anew */
            return false;
        size_t size = (size_t)(end + 1 - at);
        if (strlen(etag) == size && memcmp(at, etag, size) == 0)
            return true;
        at = end + 1;
        at += strspn(at, SPACE ",");
    }
    return false;
}

enum MHD_Result asset_answer(struct request *request, const struct web_asset *asset,
                             enum answer_kind kind)
{
    struct asset_accept accept = ASSET_ACCEPT_NONE;
    const char *coding;
    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, add_line, &accept);
    const struct web_body *body = asset_choose(asset, &accept, &coding);
    /* MHD_RESPMEM_PERSISTENT only reads what it is given. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body->size, (void *)(uintptr_t)body->data, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    answer_headers_of(request, response, kind);
    MHD_add_response_header(response, "Content-Type", asset->type);
    MHD_add_response_header(response, "ETag", body->etag);
    MHD_add_response_header(response, "Vary", "Accept-Encoding");
    /* Kept, but asked about each time: after an upgrade no page meets another release's script. */
    MHD_add_response_header(response, "Cache-Control", "no-cache");
    if (coding)
        MHD_add_response_header(response, "Content-Encoding", coding);
    const char *known = request_header(request, "If-None-Match");
    bool fresh = known && asset_known(known, body->etag);
    /* libmicrohttpd sends no body with 304, nor to HEAD. */
    return answer_queue(request, fresh ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
