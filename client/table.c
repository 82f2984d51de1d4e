#include "client/table.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>

struct cell {
    char *text;
    size_t width; /* in characters */
    enum colour colour;
};

struct table {
    size_t columns, count, capacity;
    struct cell *cells;
};

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

struct table *table_new(const char *const *headings)
{
    struct table *table = xcalloc(1, sizeof *table);
    while (headings[table->columns])
        table->columns++;
    assert(table->columns > 0 && table->columns <= TABLE_MAX_COLUMNS);
    for (size_t i = 0; i < table->columns; i++)
        table_add_coloured(table, COLOUR_BOLD, headings[i]);
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *cell)
{
    table_add_coloured(table, COLOUR_NONE, cell);
}

void table_add_coloured(struct table *table, enum colour colour, const char *cell)
{
    struct text text = TEXT_INIT;
    output_add_printable(&text, *cell ? cell : "-");
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? 2 * table->capacity : 64;
        table->cells = xreallocarray(table->cells, table->capacity, sizeof *table->cells);
    }
    size_t width = characters(text_string(&text));
    table->cells[table->count++] = (struct cell){ text_take(&text), width, colour };
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = 0;
    for (size_t i = column; i < table->count; i += table->columns)
        if (table->cells[i].width > width)
            width = table->cells[i].width;
    return width;
}

void table_format(const struct table *table, bool is_coloured, struct text *out)
{
    size_t widths[TABLE_MAX_COLUMNS];
    assert(table->count % table->columns == 0);
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    for (size_t i = 0; i < table->count; i++) {
        const struct cell *cell = &table->cells[i];
        size_t column = i % table->columns;
        bool is_last = column + 1 == table->columns;
        output_add_coloured(out, is_coloured, cell->colour, cell->text);
        if (is_last)
            text_add_char(out, '\n');
        else
            text_printf(out, "%*s", (int)(widths[column] - cell->width + 2), "");
    }
}
