/* The files of web/, served from memory (the gate can open none): the variant that the client
 * takes, and nothing at all when it has that already. */
#pragma once

#include "answer.h"
#include "request.h"
#include "web.h"

/* The file with this path, as sent; NULL: none. "/" is the portal. */
const struct web_asset *asset_find(const char *path);

/* Answers GET and HEAD: 200, or 304 when If-None-Match names what would be sent. Nothing is copied.
 */
enum MHD_Result asset_answer(struct request *request, const struct web_asset *asset,
                             enum answer_kind kind);

/* What a client's Accept-Encoding says (RFC 9110 section 12.5.3): weights in thousandths, or -1
 * where a coding is not named. */
struct asset_accept {
    int brotli, gzip, identity;
    int any; /* "*" */
    bool given;
};
#define ASSET_ACCEPT_NONE ((struct asset_accept){-1, -1, -1, -1, false})

/* Adds one line of the header; may be called for several. What is malformed counts as refused. */
void asset_accept_line(struct asset_accept *accept, const char *line);

/* The best that there is; with equal weights Brotli, gzip, identity. Where the client refuses
 * everything, identity: an answer that it may still understand is better than none. `*coding` is
 * the Content-Encoding, or NULL. */
const struct web_body *asset_choose(const struct web_asset *asset,
                                    const struct asset_accept *accept, const char **coding);

/* Does If-None-Match (RFC 9110 section 13.1.2) name this ETag? By weak comparison. */
bool asset_known(const char *if_none_match, const char *etag);
