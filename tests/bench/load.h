/* The verbs of deskgate-load, one file each. A verb gets the arguments behind its name, prints one
 * JSON object when it is done, and returns an exit code. */
#pragma once

int load_bulk(int count, char **words);    /* load_bulk.c */
int load_cipher(int count, char **words);  /* load_cipher.c */
int load_desktop(int count, char **words); /* load_desktop.c */
int load_echo(int count, char **words);    /* load_echo.c */

/* Says what failed, with errno, and ends the program. */
_Noreturn void load_die(const char *what);
