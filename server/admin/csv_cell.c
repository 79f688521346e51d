#include "csv_cell.h"

#include "plain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A cell that begins like this is a formula to spreadsheets, and people at the sign-in choose some
 * of these texts; the wide forms count in some languages. An apostrophe makes it text. */
static bool is_formula(const char *text)
{
    static const char *const begins[] = {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"};
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        if (strncmp(text, begins[i], strlen(begins[i])) == 0)
            return true;
    }
    return false;
}

void csv_cell_write(FILE *out, const char *text)
{
    char *plain = plain_new(text);

    fputc('"', out);
    if (plain != NULL && is_formula(plain))
        fputc('\'', out);
    for (const char *c = plain != NULL ? plain : ""; *c != '\0'; c++)
        fputs(*c == '"' ? "\"\"" : (char[]){*c, '\0'}, out);
    fputc('"', out);
    free(plain);
}

const char *csv_cell_read(const char *text)
{
    return text[0] == '\'' && is_formula(text + 1) ? text + 1 : text;
}
