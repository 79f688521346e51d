/* jansson, with every block wiped before it is freed: passwords and tokens pass through it. */
#pragma once

/* Once per process, before any thread uses jansson. */
void wiped_json_init(void);
