/* Desktops as people and scripts see them. */
#pragma once

struct act;
struct store_desktop;
struct sub_args;

/* The sub-verbs "list" and "show". Exit codes. */
int admin_desktop_view_list(struct act *act, const struct sub_args *args);
int admin_desktop_view_show(struct act *act, const struct sub_args *args);

/* What was `done` to one: a sentence, or with --json all of it. An exit code. */
int admin_desktop_view_done(struct act *act, const struct store_desktop *desktop, const char *done,
                            const struct sub_args *args);
