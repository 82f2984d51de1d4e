#include "config/layout.h"

#include "config/limits.h"
#include "config/value.h"
#include "config/vm.h"

#include <assert.h>

/* One pass over the tokens and what lies between them makes physical lines; a second one joins the lines
 * and puts the comments behind them. */

#define UNIT             2 /* columns of a block */
#define TAB_COLUMNS      8
#define COMMENT_DISTANCE 2
#define MOST_EMPTY       2 /* lines, one after the other */

/* A line of the result.  Text and comment are ranges of bytes; of none the length is 0. */
struct line {
    size_t start, len; /* in the text of all lines */
    struct slice comment;
    uint32_t old_comment_column; /* 0: the comment stands alone */
    uint32_t columns, indent;
    int empty_before;
};

/* An open bracket. */
struct level {
    char bracket;
    int lambdas;               /* whose colon is still to come */
    bool has_colon;            /* since the last comma: an annotation */
    int32_t shift;             /* of the line that it stands on: new column less old one */
    uint32_t old_hang, column; /* where its first item stands, and stood; 0: on another line */
    uint32_t old_own, own;     /* where it stands itself */
};

struct layout {
    struct arena *arena;
    const struct source *source;
    struct tokens tokens;
    struct buffer text;
    struct line *lines;
    size_t line_count, line_capacity;
    struct line now;
    bool is_begun, goes_on; /* the line has something; it belongs to the statement before */
    int empty_lines;
    uint32_t at, old_column;                         /* how far the source was read */
    uint32_t blocks[LIMIT_NESTING + 1], block_count; /* their old indentation */
    struct level levels[LIMIT_NESTING + 1];          /* the first one is outside of all brackets */
    uint32_t level_count;
    int32_t shift; /* of the line under way */
    enum token_kind last;
    bool is_tight, is_operand; /* no blank behind the last token; it ends an operand */
};

static struct level *innermost(struct layout *layout)
{
    return &layout->levels[layout->level_count - 1];
}

static bool is_one_of(enum token_kind kind, const enum token_kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

#define ONE_OF(kind, ...)                                                                          \
    is_one_of(kind, (const enum token_kind[]){ __VA_ARGS__ },                                      \
              sizeof((const enum token_kind[]){ __VA_ARGS__ }) / sizeof(enum token_kind))

/* -- reading the source --------------------------------------------------------------------------- */

static void advance(struct layout *layout, uint32_t to)
{
    for (; layout->at < to; layout->at++) {
        unsigned char c = (unsigned char)layout->source->text.ptr[layout->at];
        if (c == '\n' || c == '\r')
            layout->old_column = 0;
        else if (c == '\t')
            layout->old_column = (layout->old_column / TAB_COLUMNS + 1) * TAB_COLUMNS;
        else if ((c & 0xc0) != 0x80 && c != '\f')
            layout->old_column++;
    }
}

/* -- lines ---------------------------------------------------------------------------------------- */

static void end_line(struct layout *layout)
{
    if (!layout->is_begun) {
        layout->empty_lines++;
        return;
    }
    if (layout->line_count == layout->line_capacity) {
        size_t capacity = layout->line_capacity ? 2 * layout->line_capacity : 64;
        layout->lines =
            arena_grow(layout->arena, layout->lines, layout->line_capacity * sizeof *layout->lines,
                       capacity * sizeof *layout->lines);
        layout->line_capacity = capacity;
    }
    layout->now.len = layout->text.len - layout->now.start;
    layout->lines[layout->line_count++] = layout->now;
    layout->is_begun = false;
    layout->empty_lines = 0;
}

/* Lines inside of brackets, and behind a backslash, move with what they hang on. */
static uint32_t hanging_indent(struct layout *layout, bool is_closing)
{
    const struct level *level = innermost(layout);
    uint32_t old = layout->old_column;
    int64_t moved = (int64_t)old + level->shift;
    if (level->old_hang && old == level->old_hang && !is_closing)
        return level->column;
    if (layout->level_count > 1 && old == level->old_own && old > 0)
        return level->own;
    return moved > 0 ? (uint32_t)moved : 0;
}

static void begin_line(struct layout *layout, uint32_t indent)
{
    int most = layout->level_count > 1 ? 1 : MOST_EMPTY;
    layout->now = (struct line){ .start = layout->text.len, .indent = indent, .columns = indent };
    layout->now.empty_before = layout->empty_lines < most ? layout->empty_lines : most;
    if (layout->line_count == 0)
        layout->now.empty_before = 0;
    layout->shift = (int32_t)indent - (int32_t)layout->old_column;
    layout->is_begun = true;
    if (!layout->goes_on)
        layout->levels[0].shift = layout->shift;
}

/* -- comments ------------------------------------------------------------------------------------- */

/* The blocks that the next statement is in, and where it stands. */
static uint32_t next_block(const struct layout *layout, size_t index, uint32_t *ret_column)
{
    uint32_t count = layout->block_count;
    *ret_column = UINT32_MAX;
    for (; index < layout->tokens.count; index++) {
        enum token_kind kind = layout->tokens.items[index].kind;
        if (kind == T_INDENT)
            count++;
        else if (kind == T_DEDENT)
            count--;
        else if (kind != T_NEWLINE)
            break;
    }
    return count;
}

static uint32_t column_at(const struct layout *layout, uint32_t at)
{
    uint32_t column = 0, start = at;
    while (start > layout->at && layout->source->text.ptr[start - 1] != '\n')
        start--;
    for (; start < at; start++)
        column = layout->source->text.ptr[start] == '\t' ? (column / TAB_COLUMNS + 1) * TAB_COLUMNS
                                                         : column + 1;
    return column;
}

/* A comment of its own belongs to the deepest block, of those around it, that is not right of it. */
static uint32_t comment_indent(struct layout *layout, size_t index)
{
    uint32_t column, next = next_block(layout, index, &column);
    if (next > layout->block_count) {
        uint32_t deeper = column_at(layout, layout->tokens.items[index].start);
        return UNIT * (layout->block_count - 1 + (layout->old_column >= deeper));
    }
    uint32_t block = layout->block_count;
    while (block > next && layout->blocks[block - 1] > layout->old_column)
        block--;
    return UNIT * (block - 1);
}

static void add_comment(struct layout *layout, uint32_t end, size_t index)
{
    const char *text = layout->source->text.ptr;
    bool is_alone = !layout->is_begun;
    if (is_alone)
        begin_line(layout,
                   layout->goes_on ? hanging_indent(layout, false) : comment_indent(layout, index));
    else
        layout->now.old_comment_column = layout->old_column;
    layout->now.comment = (struct slice){ text + layout->at, end - layout->at };
    while (layout->now.comment.len && strchr(" \t\f", text[end - 1])) {
        layout->now.comment.len--;
        end--;
    }
}

static void add_backslash(struct layout *layout)
{
    if (!layout->is_begun)
        return; /* nothing stands before it: it has no effect */
    buffer_text(&layout->text, layout->text.len > layout->now.start ? " \\" : "\\");
    layout->now.columns += 2;
    end_line(layout);
}

/* What lies before the token: comments, line ends, backslashes. */
static void read_gap(struct layout *layout, uint32_t end, size_t index)
{
    const char *text = layout->source->text.ptr;
    while (layout->at < end) {
        char c = text[layout->at];
        uint32_t next = layout->at + 1;
        if (c == '#') {
            while (next < end && text[next] != '\n' && text[next] != '\r')
                next++;
            add_comment(layout, next, index);
        } else if (c == '\n' || c == '\r') {
            next += c == '\r' && next < end && text[next] == '\n';
            end_line(layout);
        } else if (c == '\\') {
            while (next < end && strchr("\r\n", text[next]) && text[next - 1] != '\n')
                next++;
            add_backslash(layout);
        }
        advance(layout, next);
    }
}

/* -- blanks --------------------------------------------------------------------------------------- */

static bool is_opening(enum token_kind kind)
{
    return ONE_OF(kind, T_OPEN_PAREN, T_OPEN_BRACKET, T_OPEN_BRACE);
}

static bool is_closing(enum token_kind kind)
{
    return ONE_OF(kind, T_CLOSE_PAREN, T_CLOSE_BRACKET, T_CLOSE_BRACE);
}

static bool ends_operand(enum token_kind kind)
{
    return is_closing(kind) ||
           ONE_OF(kind, T_NAME, T_NUMBER, T_STRING, T_NONE, T_TRUE, T_FALSE, T_DOTS);
}

static bool is_unary(const struct layout *layout, enum token_kind kind)
{
    return kind == T_INVERT ||
           (!layout->is_operand && ONE_OF(kind, T_PLUS, T_MINUS, T_TIMES, T_POWER, T_AT, T_DIVIDE));
}

/* The "=" of a keyword or a default has no blanks, unless an annotation stands before it. */
static bool is_keyword_assign(struct layout *layout)
{
    const struct level *level = innermost(layout);
    return level->lambdas > 0 || (level->bracket == '(' && !level->has_colon);
}

static bool is_slice_colon(struct layout *layout)
{
    return innermost(layout)->bracket == '[' && innermost(layout)->lambdas == 0;
}

static bool needs_blank(struct layout *layout, enum token_kind kind)
{
    enum token_kind last = layout->last;
    if (layout->is_tight || is_opening(last))
        return false;
    if (is_closing(kind) || ONE_OF(kind, T_COMMA, T_SEMICOLON))
        return false;
    if (kind == T_COLON)
        return last == T_COMMA; /* of an open slice */
    if (kind == T_DOT)
        return last == T_NUMBER || !layout->is_operand;
    if (last == T_DOT)
        return false;
    if (kind == T_ASSIGN)
        return !is_keyword_assign(layout);
    if (ONE_OF(kind, T_OPEN_PAREN, T_OPEN_BRACKET))
        return !(layout->is_operand && last != T_NUMBER);
    return true;
}

/* -- tokens --------------------------------------------------------------------------------------- */

static void open_bracket(struct layout *layout, char bracket)
{
    assert(layout->level_count <= LIMIT_NESTING); /* the lexer has counted them */
    layout->levels[layout->level_count++] = (struct level){ .bracket = bracket,
                                                            .shift = layout->shift,
                                                            .old_own = layout->old_column,
                                                            .own = layout->now.columns - 1 };
}

/* What a token means for the blanks that follow. */
static void note_token(struct layout *layout, enum token_kind kind, bool was_unary)
{
    struct level *level = innermost(layout);
    layout->is_tight = was_unary || (kind == T_ASSIGN && is_keyword_assign(layout)) ||
                       (kind == T_COLON && is_slice_colon(layout));
    if (kind == T_LAMBDA)
        level->lambdas++;
    else if (kind == T_COLON && level->lambdas > 0)
        level->lambdas--;
    else if (kind == T_COLON)
        level->has_colon = true;
    else if (kind == T_COMMA)
        level->has_colon = false;
    layout->last = kind;
    layout->is_operand = ends_operand(kind);
}

/* Line ends inside of a text are Python's. */
static void add_token_text(struct layout *layout, const struct token *token)
{
    const char *text = layout->source->text.ptr;
    for (uint32_t i = token->start; i < token->end; i++) {
        bool is_end = text[i] == '\r' || text[i] == '\n';
        if (text[i] == '\r' && i + 1 < token->end && text[i + 1] == '\n')
            continue;
        buffer_char(&layout->text, is_end ? '\n' : text[i]);
        if (is_end) /* and what follows stands where it stood */
            layout->shift = (int32_t)(layout->now.columns = 0);
        else
            layout->now.columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
}

static void add_token(struct layout *layout, const struct token *token)
{
    bool was_unary = is_unary(layout, token->kind);
    if (!layout->is_begun) {
        begin_line(layout, layout->goes_on ? hanging_indent(layout, is_closing(token->kind))
                                           : UNIT * (layout->block_count - 1));
    } else if (needs_blank(layout, token->kind)) {
        buffer_char(&layout->text, ' ');
        layout->now.columns++;
    }
    if (is_opening(layout->last) && innermost(layout)->old_hang == 0 &&
        layout->text.len > layout->now.start) {
        innermost(layout)->old_hang = layout->old_column;
        innermost(layout)->column = layout->now.columns;
    }
    add_token_text(layout, token);
    layout->goes_on = true;
    if (is_closing(token->kind) && layout->level_count > 1)
        layout->level_count--;
    note_token(layout, token->kind, was_unary);
    if (is_opening(token->kind))
        open_bracket(layout, layout->source->text.ptr[token->start]);
}

static void end_statement(struct layout *layout)
{
    layout->goes_on = false;
    layout->is_operand = false;
    layout->is_tight = false;
    layout->last = T_NEWLINE;
    layout->levels[0] = (struct level){ 0 };
}

static void take(struct layout *layout, size_t index)
{
    const struct token *token = &layout->tokens.items[index];
    read_gap(layout, token->start, index);
    switch (token->kind) {
    case T_NEWLINE:
        end_statement(layout);
        break;
    case T_INDENT:
        layout->blocks[layout->block_count++] = layout->old_column;
        break;
    case T_DEDENT:
        layout->block_count--;
        break;
    case T_END:
        if (layout->is_begun)
            end_line(layout);
        break;
    default:
        add_token(layout, token);
        advance(layout, token->end);
    }
}

/* -- the result ----------------------------------------------------------------------------------- */

/* How far right the comments go that stood below each other from this line on. */
static uint32_t comment_column(const struct layout *layout, size_t from, size_t *ret_end)
{
    const struct line *first = &layout->lines[from];
    uint32_t column = 0;
    size_t i = from;
    for (; i < layout->line_count; i++) {
        const struct line *line = &layout->lines[i];
        if (line->old_comment_column != first->old_comment_column || line->len == 0 ||
            (i > from && line->empty_before > 0))
            break;
        if (line->columns > column)
            column = line->columns;
    }
    *ret_end = i;
    return column + COMMENT_DISTANCE;
}

static void add_line(const struct layout *layout, const struct line *line, uint32_t column,
                     struct buffer *out)
{
    buffer_repeat(out, "\n", (size_t)line->empty_before);
    buffer_repeat(out, " ", line->indent);
    buffer_add(out, layout->text.bytes ? layout->text.bytes + line->start : "", line->len);
    if (line->comment.len && line->len)
        buffer_repeat(out, " ", column - line->columns);
    buffer_add(out, line->comment.ptr, line->comment.len);
    buffer_char(out, '\n');
}

static void join_lines(const struct layout *layout, struct buffer *out)
{
    for (size_t i = 0, end; i < layout->line_count; i = end) {
        bool has_comment = layout->lines[i].len > 0 && layout->lines[i].comment.len > 0;
        uint32_t column = 0;
        end = i + 1;
        if (has_comment)
            column = comment_column(layout, i, &end);
        for (size_t j = i; j < end; j++)
            add_line(layout, &layout->lines[j], column, out);
    }
}

static bool same_text(struct slice a, struct slice b)
{
    size_t i = 0, j = 0;
    for (; i < a.len && j < b.len; i++, j++) {
        if (a.ptr[i] == '\r' && i + 1 < a.len && a.ptr[i + 1] == '\n')
            i++;
        char c = a.ptr[i] == '\r' ? '\n' : a.ptr[i];
        if (c != b.ptr[j])
            return false;
    }
    return i == a.len && j == b.len;
}

static struct slice text_of(const struct source *source, const struct token *token)
{
    return (struct slice){ source->text.ptr + token->start, token->end - token->start };
}

/* The proof that nothing but blanks has changed. */
static bool has_same_tokens(const struct layout *layout, struct slice text)
{
    const struct source made = { .path = "", .name = "", .text = text };
    struct diagnostics errors = { .arena = layout->arena };
    struct tokens after = lexer_run(layout->arena, &made, &errors), before = layout->tokens;
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (before.items[i].kind == T_NEWLINE && before.items[i + 1].kind == T_NEWLINE)
            i++;
        while (after.items[j].kind == T_NEWLINE && after.items[j + 1].kind == T_NEWLINE)
            j++;
        const struct token *a = &before.items[i], *b = &after.items[j];
        if (a->kind != b->kind)
            return false;
        if (a->kind == T_END)
            return errors.count == 0;
        bool has_text = a->kind != T_NEWLINE && a->kind != T_INDENT && a->kind != T_DEDENT;
        if (has_text && !same_text(text_of(layout->source, a), text_of(&made, b)))
            return false;
    }
}

bool layout_format(struct arena *arena, const struct source *source, struct slice *ret_text,
                   struct error *err)
{
    struct diagnostics errors = { .arena = arena };
    struct layout *layout = arena_alloc(arena, sizeof *layout);
    struct buffer out = { .arena = arena };
    *layout = (struct layout){ .arena = arena,
                               .source = source,
                               .text = { .arena = arena },
                               .block_count = 1,
                               .level_count = 1,
                               .last = T_NEWLINE };
    if (slice_starts_with(source->text, SLICE("\xef\xbb\xbf")))
        layout->at = 3;
    layout->tokens = lexer_run(arena, source, &errors);
    for (size_t i = 0; i < layout->tokens.count; i++)
        take(layout, i);
    join_lines(layout, &out);
    if (layout->text.is_over || out.is_over)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the text is longer than %d bytes",
                         LIMIT_STRING_BYTES);
    struct slice text = { out.bytes ? out.bytes : "", out.len };
    if (!has_same_tokens(layout, text))
        return error_set(err, ERROR_INTERNAL, "the text cannot be laid out without changing it");
    *ret_text = text;
    return true;
}
