/* csv.c - a table of comma-separated values, as pandas.read_csv understands it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

typedef struct csv_field {
    char *text; /* NUL-terminated, in csv.text */
    size_t len;
    bool quoted;
} csv_field;

static bool fail(pickle_error *err, pickle_status code, const char *message, size_t line)
{
    memset(err, 0, sizeof *err);
    err->code = code;
    if (line > 0)
        snprintf(err->message, sizeof err->message, "line %zu: %s", line, message);
    else
        snprintf(err->message, sizeof err->message, "%s", message);
    return false;
}

static bool no_memory(pickle_error *err)
{
    return fail(err, PICKLE_ERR_NOMEM, "no memory for the table", 0);
}

/* Room for `count` things, never none. */
static void *room(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

/* ------------------------------------------------------------------- fields */

static bool add_field(csv *c, char *text, size_t len, bool quoted, pickle_error *err)
{
    if (c->n_fields == c->fields_cap) {
        size_t cap = c->fields_cap ? c->fields_cap * 2 : 1024;
        csv_field *grown = realloc(c->fields, cap * sizeof *grown);

        if (!grown)
            return no_memory(err);
        c->fields = grown;
        c->fields_cap = cap;
    }
    c->fields[c->n_fields++] = (csv_field){ text, len, quoted };
    return true;
}

/* A copy to cut up, without the mark that some editors put before UTF-8. */
static bool copy_text(csv *c, const char **text, size_t *size, pickle_error *err)
{
    if (*size >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
        *text += 3;
        *size -= 3;
    }
    c->text = malloc(*size + 1);
    if (!c->text)
        return no_memory(err);
    if (*size > 0)
        memcpy(c->text, *text, *size);
    c->text[*size] = '\0';
    return true;
}

/* What separates fields: the first of these that the first line has. */
static char separator_of(const char *text, size_t size)
{
    static const char separators[] = ",;\t";
    const char *end = memchr(text, '\n', size);
    size_t len = end ? (size_t)(end - text) : size;

    for (size_t i = 0; separators[i]; i++) {
        if (memchr(text, separators[i], len))
            return separators[i];
    }
    return ',';
}

typedef struct cursor {
    char *at, *end;
    size_t line;
    char separator;
} cursor;

/* From the opening quote to behind the closing one; doubled quotes become one, in place. */
static bool take_quoted(cursor *k, char **text, size_t *len, pickle_error *err)
{
    size_t started = k->line;
    char *to = k->at;

    *text = to;
    for (k->at++; k->at < k->end; k->at++) {
        if (*k->at == '"') {
            if (k->at + 1 >= k->end || k->at[1] != '"') {
                k->at++;
                *len = (size_t)(to - *text);
                return true;
            }
            k->at++;
        }
        k->line += *k->at == '\n';
        *to++ = *k->at;
    }
    return fail(err, PICKLE_ERR_VALUE, "a quote is not closed", started);
}

static bool ends_field(const cursor *k)
{
    return k->at == k->end || *k->at == k->separator || *k->at == '\n' || *k->at == '\r';
}

static bool take_field(csv *c, cursor *k, pickle_error *err)
{
    char *text = k->at;
    size_t len = 0;
    bool quoted = k->at < k->end && *k->at == '"';

    if (quoted && !take_quoted(k, &text, &len, err))
        return false;
    if (quoted && !ends_field(k))
        return fail(err, PICKLE_ERR_VALUE, "something follows a closing quote", k->line);
    for (; !ends_field(k); k->at++)
        len++;
    return add_field(c, text, len, quoted, err);
}

/* One line, and its end; `*count` is how many fields it has: none, if it is blank. */
static bool take_line(csv *c, cursor *k, size_t *count, pickle_error *err)
{
    size_t before = c->n_fields;
    char ended = *k->at == '\n' || *k->at == '\r' ? *k->at : k->separator;

    while (ended == k->separator) {
        csv_field *last;

        if (!take_field(c, k, err))
            return false;
        ended = k->at < k->end ? *k->at : '\n';
        last = &c->fields[c->n_fields - 1];
        last->text[last->len] = '\0';
        if (ended == k->separator)
            k->at++;
    }
    if (k->at < k->end && ended == '\r')
        k->at++;
    if (k->at < k->end && (ended == '\n' || *k->at == '\n'))
        k->at++;
    k->line++;
    *count = c->n_fields - before;
    return true;
}

/* All fields; the table has as many columns as the first line that is not blank. */
static bool take_fields(csv *c, size_t size, pickle_error *err)
{
    cursor k = { c->text, c->text + size, 1, separator_of(c->text, size) };
    size_t count;

    while (k.at < k.end) {
        size_t line = k.line;

        if (!take_line(c, &k, &count, err))
            return false;
        if (count > 0 && c->batch.cols == 0)
            c->batch.cols = count;
        if (count > 0 && count != c->batch.cols) {
            char message[96];

            snprintf(message, sizeof message, "it has %zu fields, and the first has %zu", count,
                     c->batch.cols);
            return fail(err, PICKLE_ERR_VALUE, message, line);
        }
    }
    c->batch.rows = c->batch.cols ? c->n_fields / c->batch.cols : 0;
    return true;
}

/* ------------------------------------------------------------------ columns */

typedef enum column_type { NOTHING, BOOLS, INTEGERS, FLOATS, TEXT } column_type;

static bool is_one_of(const csv_field *f, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(f->text, words[i]) == 0)
            return true;
    }
    return false;
}

/* What pandas takes for missing, in quotes or not. */
static bool is_missing(const csv_field *f)
{
    static const char *const words[] = { "",         "#N/A", "#N/A N/A", "#NA",    "-1.#IND",
                                         "-1.#QNAN", "-NaN", "-nan",     "1.#IND", "1.#QNAN",
                                         "<NA>",     "N/A",  "NA",       "NULL",   "NaN",
                                         "None",     "n/a",  "nan",      "null" };

    return f->len <= 8 && is_one_of(f, words, sizeof words / sizeof *words);
}

static bool is_bool(const csv_field *f, bool *out)
{
    static const char *const words[] = { "True", "TRUE", "true", "False", "FALSE", "false" };

    if (f->len > 5 || !is_one_of(f, words, 6))
        return false;
    *out = is_one_of(f, words, 3);
    return true;
}

/* A decimal number, spaces around it allowed; strtod alone would take 0x10 and nan(...) too. */
static bool is_number(const csv_field *f, double *out, bool *integer)
{
    char *end;

    if (f->len == 0 || strpbrk(f->text, "xX(nN") != NULL) {
        static const char *const infinite[] = { "inf", "-inf", "Infinity", "-Infinity" };

        if (!is_one_of(f, infinite, 4))
            return false;
        *out = f->text[0] == '-' ? -INFINITY : INFINITY;
        *integer = false;
        return true;
    }
    *out = strtod(f->text, &end);
    if (end == f->text)
        return false;
    *integer = strpbrk(f->text, ".eE") == NULL && fabs(*out) <= 9e15;
    while (*end == ' ')
        end++;
    return *end == '\0' && end == f->text + f->len;
}

static column_type type_of(const csv_field *f)
{
    bool truth, integer;
    double number;

    if (is_missing(f))
        return NOTHING;
    if (is_bool(f, &truth))
        return BOOLS;
    if (is_number(f, &number, &integer))
        return integer ? INTEGERS : FLOATS;
    return TEXT;
}

/* The type of all of a column's fields; missing ones make integers and bools what pandas makes of
 * them: floats and text. */
static column_type column_type_of(const csv_field *first, size_t rows, size_t cols)
{
    column_type type = NOTHING;
    bool missing = false;

    for (size_t i = 0; i < rows && type != TEXT; i++) {
        column_type one = type_of(&first[i * cols]);

        if (one == NOTHING)
            missing = true;
        else if (type == NOTHING)
            type = one;
        else if (one == BOOLS || type == BOOLS)
            type = one == type ? BOOLS : TEXT;
        else if (one > type)
            type = one;
    }
    if (type == NOTHING || (type == INTEGERS && missing))
        return FLOATS;
    return type == BOOLS && missing ? TEXT : type;
}

static pickle_cell cell_of(const csv_field *f, column_type type)
{
    pickle_cell cell = { PICKLE_CELL_FLOAT, 0, { .f = NAN } };
    double number = NAN;
    bool truth = false, integer;

    if (is_missing(f))
        return cell;
    if (type == TEXT)
        return (pickle_cell){ PICKLE_CELL_TEXT, f->len, { .text = f->text } };
    if (type == BOOLS) {
        is_bool(f, &truth);
        return (pickle_cell){ PICKLE_CELL_BOOL, 0, { .i = truth } };
    }
    is_number(f, &number, &integer);
    if (type == INTEGERS)
        return (pickle_cell){ PICKLE_CELL_INT, 0, { .i = (int64_t)number } };
    cell.as.f = number;
    return cell;
}

static double number_of(const csv_field *f)
{
    double number = NAN;
    bool integer;

    is_number(f, &number, &integer);
    return number;
}

/* Columns' types are few and the table may be large: numbers are kept as such. */
static bool fill(csv *c, const csv_field *first, const column_type *types, pickle_error *err)
{
    size_t rows = c->batch.rows, cols = c->batch.cols;
    bool numbers = true;

    c->batch.integers = true;
    for (size_t j = 0; j < cols; j++) {
        numbers = numbers && (types[j] == INTEGERS || types[j] == FLOATS);
        c->batch.integers = c->batch.integers && types[j] == INTEGERS;
    }
    if (numbers)
        c->numbers = room(rows * cols, sizeof *c->numbers);
    else
        c->cells = room(rows * cols, sizeof *c->cells);
    if (!c->numbers && !c->cells)
        return no_memory(err);
    for (size_t i = 0; i < rows * cols; i++) {
        if (numbers)
            c->numbers[i] = number_of(&first[i]);
        else
            c->cells[i] = cell_of(&first[i], types[i % cols]);
    }
    c->batch.kind = numbers ? PICKLE_BATCH_F64 : PICKLE_BATCH_CELLS;
    c->batch.data = numbers ? (void *)c->numbers : (void *)c->cells;
    return true;
}

/* No field is a number; and where there is but one, what follows is not all text, too. */
static bool looks_like_header(const csv *c)
{
    size_t cols = c->batch.cols;

    for (size_t j = 0; j < cols; j++) {
        column_type type = type_of(&c->fields[j]);

        if (type == INTEGERS || type == FLOATS)
            return false;
    }
    return cols > 1 || column_type_of(c->fields + cols, c->batch.rows - 1, cols) != TEXT;
}

static bool take_header(csv *c, pickle_error *err)
{
    c->names = room(c->batch.cols, sizeof *c->names);
    if (!c->names)
        return no_memory(err);
    for (size_t j = 0; j < c->batch.cols; j++)
        c->names[j] = c->fields[j].text;
    c->batch.names = c->names;
    c->batch.rows--;
    return true;
}

bool csv_read(csv *c, const char *text, size_t size, csv_header header, pickle_error *err)
{
    const csv_field *first;
    column_type *types;
    bool ok;

    memset(c, 0, sizeof *c);
    if (!copy_text(c, &text, &size, err) || !take_fields(c, size, err))
        return false;
    if (c->batch.rows > 0 && header != CSV_HEADER_NO &&
        (header == CSV_HEADER_YES || looks_like_header(c)) && !take_header(c, err))
        return false;
    first = c->fields + (c->names ? c->batch.cols : 0);
    types = room(c->batch.cols, sizeof *types);
    if (!types)
        return no_memory(err);
    for (size_t j = 0; j < c->batch.cols; j++)
        types[j] = column_type_of(first + j, c->batch.rows, c->batch.cols);
    ok = fill(c, first, types, err);
    free(types);
    return ok;
}

bool csv_read_lines(csv *c, const char *text, size_t size, pickle_error *err)
{
    size_t n = 0;

    memset(c, 0, sizeof *c);
    if (!copy_text(c, &text, &size, err))
        return false;
    for (size_t i = 0; i < size; i++)
        n += c->text[i] == '\n';
    c->cells = room(n + 1, sizeof *c->cells);
    if (!c->cells)
        return no_memory(err);
    for (char *at = c->text, *end = at + size; at < end;) {
        char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((eol ? eol : end) - at);

        if (len > 0 && at[len - 1] == '\r')
            len--;
        c->cells[c->batch.rows++] = (pickle_cell){ PICKLE_CELL_TEXT, len, { .text = at } };
        if (!eol)
            break;
        at[len] = '\0';
        at = eol + 1;
    }
    c->batch.kind = PICKLE_BATCH_CELLS;
    c->batch.cols = 1;
    c->batch.data = c->cells;
    return true;
}

void csv_free(csv *c)
{
    free(c->text);
    free(c->fields);
    free(c->names);
    free(c->cells);
    free(c->numbers);
    memset(c, 0, sizeof *c);
}
