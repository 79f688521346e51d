#include "enrol.h"

#include "listing.h"
#include "qr.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ENROL_ISSUER "deskgate" /* when the gateway has no name, or one that is too long */

static int enrol_json(const char *name, const char *secret, const char *uri)
{
    static const struct listing_column columns[] = {
        {"user", NULL, LISTING_TEXT},
        {"totp_secret", NULL, LISTING_TEXT},
        {"otpauth", NULL, LISTING_TEXT},
        {NULL, NULL, LISTING_TEXT},
    };

    return listing_json(listing_object(
        columns, (struct listing_value[]){{.text = name}, {.text = secret}, {.text = uri}}));
}

static int enrol_words(const char *name, const char *secret, const char *uri, const char *done)
{
    printf("User %s %s. Scan this with an authenticator app; it is shown only once.\n\n", name,
           done);
    if (qr_print(stdout, uri, isatty(STDOUT_FILENO) != 0) != 0)
        puts("(The QR code could not be drawn; use the address or the secret below.)");
    printf("\n%s\nSecret: ", uri);
    /* Groups of four are read and typed with fewer mistakes; apps ignore the blanks. */
    for (size_t i = 0; secret[i] != '\0'; i++)
        printf("%s%c", i % 4 == 0 ? " " : "", secret[i]);
    putchar('\n');
    return ferror(stdout) ? EX_IOERR : EX_OK;
}

int enrol_print(const struct conf *conf, const char *name, const uint8_t seed[TOTP_SEED_SIZE],
                bool json, const char *done)
{
    char secret[TOTP_BASE32_SIZE], uri[TOTP_URI_SIZE] = "";
    const char *issuer = conf->name[0] != '\0' ? conf->name : ENROL_ISSUER;

    totp_base32(seed, secret);
    if (!totp_uri(seed, issuer, name, uri) && !totp_uri(seed, ENROL_ISSUER, name, uri))
        uri[0] = '\0';
    int code = json ? enrol_json(name, secret, uri) : enrol_words(name, secret, uri, done);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(uri, sizeof(uri));
    return code;
}
