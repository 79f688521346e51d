/* Cells of CSV (RFC 4180), kept from being formulas to spreadsheets. */
#pragma once

#include <stdio.h>

/* One cell, in quotation marks; control characters made harmless (plain.h), and an apostrophe in
 * front of what a spreadsheet would take for a formula. Write faults stay in ferror(out). */
void csv_cell_write(FILE *out, const char *text);

/* The text without the apostrophe that csv_cell_write() put in front, if it did. */
const char *csv_cell_read(const char *text);
