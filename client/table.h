#pragma once

#include "base/text.h"
#include "client/output.h"

/* Rows of cells in columns as wide as their longest cell, two spaces apart, without trailing space. */
#define TABLE_MAX_COLUMNS 12

struct table;

struct table *table_new(const char *const *headings) __attribute__((returns_nonnull));
void table_free(struct table *table);

/* Copies the cell; rows fill from left to right, and the next begins when one is full. */
void table_add(struct table *table, const char *cell);
void table_add_coloured(struct table *table, enum colour colour, const char *cell);

/* The headings alone when there are no rows. */
void table_format(const struct table *table, bool is_coloured, struct text *out);
