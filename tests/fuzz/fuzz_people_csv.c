/* A list of people as CSV, out of somebody else's program: every line has as many cells as the
 * first, none has a NUL, all are UTF-8; or faults are told. And what we write as a cell is one. */
#include "act.h"
#include "csv_cell.h"
#include "fuzz_kit.h"
#include "people_csv.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

static void check(const struct people_file *file)
{
    fuzz_demand(file->has[PEOPLE_NAME] && file->count <= PEOPLE_MOST);
    for (size_t i = 0; i < file->count; i++) {
        for (size_t c = 0; c < PEOPLE_COLUMNS; c++) {
            const char *cell = file->lines[i].cells[c];
            fuzz_demand(file->has[c] == (cell != NULL));
            fuzz_demand(!cell || text_is_utf8((const uint8_t *)cell, strlen(cell)));
        }
    }
}

static int read_back(const char *csv, size_t size, struct people_file *file, struct act *act)
{
    char path[64];
    int fd = memfd_create("people", MFD_CLOEXEC);
    fuzz_demand(fd >= 0 && write(fd, csv, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int code = people_csv_read(file, act, path);
    close(fd);
    return code;
}

/* As the export writes it; quotation marks, line breaks and formulas in it stay its own. */
static void check_written(const char *name, struct act *act)
{
    struct people_file file;
    char *csv = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&csv, &size);
    fuzz_demand(out != NULL);
    fputs("name\r\n", out);
    csv_cell_write(out, name);
    fputs("\r\n", out);
    fclose(out);
    fuzz_demand(read_back(csv, size, &file, act) == EX_OK && file.count == 1);
    people_csv_free(&file);
    free(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct act act;
    struct people_file file;
    if (!act.err)
        act = (struct act){.out = fopen("/dev/null", "w"), .err = fopen("/dev/null", "w")};
    fuzz_demand(act.out && act.err);
    if (read_back((const char *)data, size, &file, &act) == EX_OK)
        check(&file);
    people_csv_free(&file);
    char *text = fuzz_text(data, size < 2048 ? size : 2048);
    if (text[0] && text_is_utf8((const uint8_t *)text, strlen(text)))
        check_written(text, &act);
    free(text);
    return 0;
}
