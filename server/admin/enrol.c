#include "enrol.h"

#include "listing.h"
#include "qr.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ENROL_ISSUER "deskgate" /* when the gateway has no name, or one that is too long */

static int enrol_json(struct act *act, const char *name, const char *secret, const char *uri)
{
    static const struct listing_column columns[] = {
        {"user", NULL, LISTING_TEXT},
        {"totp_secret", NULL, LISTING_TEXT},
        {"otpauth", NULL, LISTING_TEXT},
        {NULL, NULL, LISTING_TEXT},
    };

    return listing_json(act->out, listing_object(columns, (struct listing_value[]){{.text = name},
                                                                                   {.text = secret},
                                                                                   {.text = uri}}));
}

static int enrol_words(struct act *act, const char *name, const char *secret, const char *uri,
                       const char *done)
{
    fprintf(act->out, "User %s %s. Scan this with an authenticator app; it is shown only once.\n\n",
            name, done);
    if (qr_print(act->out, uri, isatty(fileno(act->out)) == 1) != 0)
        fputs("(The QR code could not be drawn; use the address or the secret below.)\n", act->out);
    fprintf(act->out, "\n%s\nSecret: ", uri);
    /* Groups of four are read and typed with fewer mistakes; apps ignore the blanks. */
    for (size_t i = 0; secret[i] != '\0'; i++)
        fprintf(act->out, "%s%c", i % 4 == 0 ? " " : "", secret[i]);
    fputc('\n', act->out);
    return ferror(act->out) ? EX_IOERR : EX_OK;
}

int enrol_print(struct act *act, const char *name, const uint8_t seed[TOTP_SEED_SIZE], bool json,
                const char *done)
{
    char secret[TOTP_BASE32_SIZE], uri[TOTP_URI_SIZE] = "";
    const char *issuer = act->conf.name[0] != '\0' ? act->conf.name : ENROL_ISSUER;

    totp_base32(seed, secret);
    if (!totp_uri(seed, issuer, name, uri) && !totp_uri(seed, ENROL_ISSUER, name, uri))
        uri[0] = '\0';
    int code =
        json ? enrol_json(act, name, secret, uri) : enrol_words(act, name, secret, uri, done);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(uri, sizeof(uri));
    return code;
}
