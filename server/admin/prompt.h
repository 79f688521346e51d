/* A new password from a person or a script; never from the command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Fills `to` with a password: asked for twice with echo off when standard input is a terminal and
 * `from_stdin` is false; else the first line of standard input, byte by byte, so that nothing of it
 * stays in a buffer. Text must be UTF-8 without control characters.
 * EX_OK, or another exit code (sysexits.h) with words in `*why`; `to` is then wiped. The caller
 * wipes it after use. A signal that ends the program restores the terminal first. */
int prompt_password(const char *name, bool from_stdin, char *to, size_t size, const char **why);

/* The same for one that exists already, so it is asked for once; standard input is read when it is
 * no terminal. `label` is the question, before the name. */
int prompt_known(const char *label, const char *name, char *to, size_t size, const char **why);
