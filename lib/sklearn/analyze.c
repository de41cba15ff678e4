/* analyze.c - documents become counts of their words, or of runs of their characters. */
#include "sklearn/analyze.h"

#include <math.h>
#include <string.h>

typedef struct buffer {
    size_t cap;
    char *text;
} buffer;

/* A row's tokens as they were found: the column times two, and 1 for those that count down. */
typedef struct hits {
    size_t count, cap;
    uint32_t *at, *spare;
} hits;

/* What one block of documents needs; it grows to the largest. */
typedef struct work {
    const pickle__analyzer *a;
    pickle__run *run;
    pickle__regex_threads *threads;
    buffer decoded, lowered, stripped, joined;
    pickle__spans units;
    hits hits;
    bool surrogates; /* in this document: they have no UTF-8 to be hashed */
    size_t n, cap;   /* of the elements so far */
    int64_t *indices;
    double *data;
} work;

static bool room(pickle__run *r, buffer *b, size_t need)
{
    if (need <= b->cap)
        return true;
    b->cap = need > 2 * b->cap ? need : 2 * b->cap;
    b->text = pickle__take(r, b->cap, 1);
    return b->text != NULL;
}

/* --------------------------------------------------------------------- text */

/* bytes.decode('utf-8', 'replace' or 'ignore'). */
static bool decode(work *w, const char **text, size_t *n)
{
    const char *from = *text, *end = from + *n;
    size_t instead = strlen(w->a->instead);
    char *to;

    if (*n > SIZE_MAX / 4 || !room(w->run, &w->decoded, 3 * *n + 1))
        return false;
    for (to = w->decoded.text; from < end;) {
        size_t bad = 0, good = pickle__text_valid(from, (size_t)(end - from), &bad);

        memcpy(to, from, good);
        to += good;
        from += good + bad;
        if (bad) {
            memcpy(to, w->a->instead, instead);
            to += instead;
        }
    }
    *text = w->decoded.text;
    *n = (size_t)(to - w->decoded.text);
    return true;
}

static bool has_surrogates(const char *text, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if ((unsigned char)text[i] == 0xed && (unsigned char)text[i + 1] >= 0xa0)
            return true;
    }
    return false;
}

/* The document as text that is taken apart. */
static bool prepare(work *w, size_t row, const char **text, size_t *n)
{
    const pickle__analyzer *a = w->a;
    bool ascii = pickle__text_ascii(*text, *n);
    size_t bad = 0;

    if (*n > SIZE_MAX / 64)
        return pickle__run_no_memory(w->run);
    if (!ascii && pickle__text_valid(*text, *n, &bad) != *n) {
        if (!a->instead)
            return pickle__run_fail(w->run, PICKLE_ERR_VALUE, "row %zu is no UTF-8",
                                    w->run->first_row + row);
        if (!decode(w, text, n))
            return false;
    }
    if (a->lower) {
        if (!room(w->run, &w->lowered, pickle__lower_room(*n)))
            return false;
        *n = pickle__lower(*text, *n, w->lowered.text);
        *text = w->lowered.text;
    }
    if (a->accents != PICKLE__ACCENTS_KEPT && !ascii) {
        size_t size = pickle__strip_accents(a->accents, *text, *n, NULL);

        if (!room(w->run, &w->stripped, size + 1))
            return false;
        *n = pickle__strip_accents(a->accents, *text, *n, w->stripped.text);
        *text = w->stripped.text;
    }
    w->surrogates = !ascii && !a->vocabulary && has_surrogates(*text, *n);
    return true;
}

/* --------------------------------------------------------------------- hits */

static bool grow_hits(work *w)
{
    hits *h = &w->hits;
    size_t cap = h->cap ? 2 * h->cap : 256;
    uint32_t *grown = pickle__take(w->run, cap, sizeof *grown);

    h->spare = grown ? pickle__take(w->run, cap, sizeof *grown) : NULL;
    if (!h->spare)
        return false;
    if (h->count > 0)
        memcpy(grown, h->at, h->count * sizeof *grown);
    h->at = grown;
    h->cap = cap;
    return true;
}

/* Facts: MurmurHash3_x86_32, with seed 0. */
static uint32_t murmur3(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    uint32_t h = 0, k = 0;

    for (size_t i = 0; i < n; i++) {
        k |= (uint32_t)p[i] << (8 * (i & 3));
        if ((i & 3) != 3 && i + 1 < n)
            continue;
        k *= 0xcc9e2d51u;
        k = k << 15 | k >> 17;
        h ^= k * 0x1b873593u;
        if ((i & 3) == 3)
            h = (h << 13 | h >> 19) * 5 + 0xe6546b64u;
        k = 0;
    }
    h ^= (uint32_t)n;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static bool add_hashed(work *w, const char *text, size_t n)
{
    uint32_t h = murmur3(text, n), down = h >> 31;
    uint64_t size = down ? UINT64_C(0x100000000) - h : h; /* abs() */

    if (w->surrogates && has_surrogates(text, n))
        return pickle__run_fail(w->run, PICKLE_ERR_VALUE, "lone surrogates can't be hashed");
    w->hits.at[w->hits.count++] =
        (uint32_t)(size % w->a->columns) << 1 | (down && w->a->signs ? 1u : 0u);
    return true;
}

/* A token of the document, whose hash is known if there is a vocabulary. */
static inline bool add(work *w, uint64_t hash, const char *text, size_t n)
{
    int64_t column;

    if (w->hits.count == w->hits.cap && !grow_hits(w))
        return false;
    if (!w->a->vocabulary)
        return add_hashed(w, text, n);
    column = pickle__words_find(w->a->vocabulary, hash, text, n);
    if (column >= 0)
        w->hits.at[w->hits.count++] = (uint32_t)column << 1;
    return true;
}

/* All runs of units, with what is between them; each is continued from the one before. */
static bool add_grams(work *w, const char *text, const pickle__span *units, size_t count)
{
    const pickle__analyzer *a = w->a;
    size_t longest = a->vocabulary ? a->vocabulary->longest : SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        size_t start = units[i].start, at = start;
        uint64_t hash = PICKLE__HASH_START;

        for (size_t k = 1; k <= a->most && k <= count - i; k++) {
            size_t end = units[i + k - 1].end;

            if (end - start > longest)
                break;
            if (a->vocabulary)
                hash = pickle__hash_on(hash, text + at, end - at);
            at = end;
            if (k >= a->least && !add(w, hash, text + start, end - start))
                return false;
        }
    }
    return true;
}

/* -------------------------------------------------------------------- words */

static void leave_out(work *w, const char *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->units.count; i++) {
        pickle__span s = w->units.at[i];
        const char *word = text + s.start;
        size_t n = s.end - s.start;

        if (n > w->a->stop->longest ||
            pickle__words_find(w->a->stop, pickle__hash_on(PICKLE__HASH_START, word, n), word, n) <
                0)
            w->units.at[kept++] = s;
    }
    w->units.count = kept;
}

/* One space between words, so that each run of them is a piece of text. */
static bool join(work *w, const char **text, size_t n)
{
    char *to;

    if (!room(w->run, &w->joined, n + w->units.count + 1))
        return false;
    to = w->joined.text;
    for (size_t i = 0; i < w->units.count; i++) {
        pickle__span *s = &w->units.at[i];
        size_t len = s->end - s->start, start = (size_t)(to - w->joined.text);

        memcpy(to, *text + s->start, len);
        to += len;
        *to++ = ' ';
        *s = (pickle__span){ start, start + len };
    }
    *text = w->joined.text;
    return true;
}

static bool add_words(work *w, const char *text, size_t n)
{
    w->units.count = 0;
    if (!pickle__regex_find_all(w->run, w->a->token, w->threads, text, n, &w->units))
        return false;
    if (w->a->stop)
        leave_out(w, text);
    return (w->a->most == 1 || join(w, &text, n)) &&
           add_grams(w, text, w->units.at, w->units.count);
}

/* --------------------------------------------------------------- characters */

static bool split_characters(work *w, const char *text, size_t n)
{
    w->units.count = 0;
    if (!pickle__spans_grow(w->run, &w->units, n))
        return false;
    for (size_t i = 0; i < n;) {
        size_t size = pickle__char_size((unsigned char)text[i]);

        w->units.at[w->units.count++] = (pickle__span){ i, i + size };
        i += size;
    }
    return true;
}

static bool is_space(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;

    return pickle__char_kind(pickle__char_peek(p)) & PICKLE__CHAR_SPACE;
}

/* Two white spaces and more become one space. */
static bool add_characters(work *w, const char *text, size_t n)
{
    size_t size = 0;
    char *to;

    if (!room(w->run, &w->joined, n + 1))
        return false;
    to = w->joined.text;
    for (size_t i = 0, next; i < n; i = next) {
        size_t spaces = 0;

        for (next = i; next < n && is_space(text + next); spaces++)
            next += pickle__char_size((unsigned char)text[next]);
        if (spaces > 1) {
            to[size++] = ' ';
            continue;
        }
        next = i + pickle__char_size((unsigned char)text[i]);
        memcpy(to + size, text + i, next - i);
        size += next - i;
    }
    return split_characters(w, to, size) && add_grams(w, to, w->units.at, w->units.count);
}

/* One word between spaces; a short one counts once, as a whole. */
static bool add_padded(work *w, const char *word, size_t n)
{
    char *to = w->joined.text;

    to[0] = ' ';
    memcpy(to + 1, word, n);
    to[n + 1] = ' ';
    if (!split_characters(w, to, n + 2))
        return false;
    if (w->units.count < w->a->least)
        return add(w, pickle__hash_on(PICKLE__HASH_START, to, n + 2), to, n + 2);
    return add_grams(w, to, w->units.at, w->units.count);
}

static bool add_words_of_characters(work *w, const char *text, size_t n)
{
    if (!room(w->run, &w->joined, n + 2))
        return false;
    for (size_t i = 0; i < n;) {
        size_t start;

        while (i < n && is_space(text + i))
            i += pickle__char_size((unsigned char)text[i]);
        for (start = i; i < n && !is_space(text + i);)
            i += pickle__char_size((unsigned char)text[i]);
        if (i > start && !add_padded(w, text + start, i - start))
            return false;
    }
    return true;
}

/* ----------------------------------------------------------------- counting */

#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

static void sort_few(uint32_t *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t v = x[i];
        size_t k = i;

        for (; k > 0 && x[k - 1] > v; k--)
            x[k] = x[k - 1];
        x[k] = v;
    }
}

/* By digits from the least; `bits` are as many as count. */
static void sort_hits(hits *h, unsigned bits)
{
    uint32_t places[DIGITS];

    if (h->count < 64) {
        sort_few(h->at, h->count);
        return;
    }
    for (unsigned shift = 0; shift < bits; shift += DIGIT_BITS) {
        uint32_t *sorted = h->spare, place = 0;

        memset(places, 0, sizeof places);
        for (size_t i = 0; i < h->count; i++)
            places[h->at[i] >> shift & (DIGITS - 1)]++;
        for (size_t d = 0; d < DIGITS; d++) {
            uint32_t n = places[d];

            places[d] = place;
            place += n;
        }
        for (size_t i = 0; i < h->count; i++)
            sorted[places[h->at[i] >> shift & (DIGITS - 1)]++] = h->at[i];
        h->spare = h->at;
        h->at = sorted;
    }
}

static bool grow_elements(work *w, size_t more)
{
    size_t cap = 2 * w->cap > w->n + more ? 2 * w->cap : w->n + more;
    int64_t *indices;
    double *data;

    if (more <= w->cap - w->n)
        return true;
    indices = pickle__take(w->run, cap, sizeof *indices);
    data = indices ? pickle__take(w->run, cap, sizeof *data) : NULL;
    if (!data)
        return false;
    if (w->n > 0) {
        memcpy(indices, w->indices, w->n * sizeof *indices);
        memcpy(data, w->data, w->n * sizeof *data);
    }
    w->indices = indices;
    w->data = data;
    w->cap = cap;
    return true;
}

/* The row's hits as elements: what cancels out stays, as 0. */
static bool count_hits(work *w)
{
    hits *h = &w->hits;
    unsigned bits = 1;

    if (h->count > UINT32_MAX)
        return pickle__run_fail(w->run, PICKLE_ERR_VALUE, "a document has too many tokens");
    while (bits < 32 && w->a->columns > (size_t)1 << (bits - 1))
        bits++;
    sort_hits(h, bits);
    if (!grow_elements(w, h->count))
        return false;
    for (size_t i = 0, k; i < h->count; i = k) {
        uint32_t column = h->at[i] >> 1;
        int64_t sum = 0;

        for (k = i; k < h->count && h->at[k] >> 1 == column; k++)
            sum += h->at[k] & 1 ? -1 : 1;
        w->indices[w->n] = column;
        w->data[w->n++] = w->a->binary ? 1 : (double)sum;
    }
    h->count = 0;
    return true;
}

static bool check_text(work *w, const pickle_cell *cell, size_t row)
{
    return cell->kind == PICKLE_CELL_TEXT ||
           pickle__run_fail(w->run, PICKLE_ERR_VALUE, "row %zu has what is no text",
                            w->run->first_row + row);
}

static bool count_document(work *w, const pickle_cell *cell, size_t row)
{
    const char *text = cell->as.text;
    size_t n = cell->len;

    if (!check_text(w, cell, row) || !prepare(w, row, &text, &n))
        return false;
    switch (w->a->grams) {
    case PICKLE__WORDS:
        return add_words(w, text, n) && count_hits(w);
    case PICKLE__CHARS:
        return add_characters(w, text, n) && count_hits(w);
    case PICKLE__CHARS_WB:
        return add_words_of_characters(w, text, n) && count_hits(w);
    }
    return false;
}

static bool count_features(work *w, const pickle_cell *cells, size_t n, size_t row)
{
    w->surrogates = true; /* there may be */
    for (size_t i = 0; i < n; i++) {
        size_t bad = 0;

        if (!check_text(w, &cells[i], row))
            return false;
        if (pickle__text_valid(cells[i].as.text, cells[i].len, &bad) != cells[i].len)
            return pickle__run_fail(w->run, PICKLE_ERR_VALUE, "row %zu is no UTF-8",
                                    w->run->first_row + row);
        if (!add(w, 0, cells[i].as.text, cells[i].len))
            return false;
    }
    return count_hits(w);
}

bool pickle__count(pickle__run *r, const pickle__analyzer *a, bool features, const pickle_batch *x,
                   pickle_batch *y)
{
    work w = { .a = a, .run = r };
    int64_t *indptr = pickle__take(r, x->rows + 1, sizeof *indptr);

    if (!features && x->rows > 0 && x->cols != 1)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "documents are one column, not %zu", x->cols);
    if (!indptr || !grow_elements(&w, 1) ||
        (a->token && !pickle__regex_work(r, a->token, &w.threads)))
        return false;
    indptr[0] = 0;
    for (size_t i = 0; i < x->rows; i++) {
        const pickle_cell *row = pickle__row_cells(x, i);

        if (!(features ? count_features(&w, row, x->cols, i) : count_document(&w, row, i)))
            return false;
        indptr[i + 1] = (int64_t)w.n;
    }
    *y = (pickle_batch){ .kind = PICKLE_BATCH_CSR,
                         .integers = a->integers,
                         .rows = x->rows,
                         .cols = a->columns,
                         .data = w.data,
                         .indptr = indptr,
                         .indices = w.indices };
    return true;
}

/* --------------------------------------------------------------------- norm */

static double length_of(pickle__norm norm, bool f32, const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (norm == PICKLE__NORM_L1)
            sum += fabs(x[i]);
        else
            sum += f32 ? (double)(float)(x[i] * x[i]) : x[i] * x[i];
    }
    return norm == PICKLE__NORM_L1 ? sum : sqrt(sum);
}

void pickle__norm_row(pickle__norm norm, bool f32, double *x, size_t n)
{
    double length = norm == PICKLE__NORM_NONE ? 0 : length_of(norm, f32, x, n);

    if (length == 0)
        return;
    for (size_t i = 0; i < n; i++)
        x[i] = f32 ? (double)(float)(x[i] / length) : x[i] / length;
}

pickle__norm pickle__open_norm(pickle__opener *o)
{
    if (!pickle__attr(o, "norm"))
        return PICKLE__NORM_NONE;
    return pickle__choice(o, "norm", 1, "l1", "l2", NULL) ? PICKLE__NORM_L2 : PICKLE__NORM_L1;
}

/* ------------------------------------------------------------------ opening */

/* str.split or the like, which is pickled as getattr(str, 'split'). */
static bool is_method_of_str(const pickle_val *v, const char *name)
{
    const pickle_val *args = pickle_args(v);

    return (pickle_is_global(pickle_callable(v), "builtins", "getattr") && pickle_len(args) == 2 &&
            pickle_is_global(pickle_at(args, 0), "builtins", "str") &&
            pickle_str_is(pickle_at(args, 1), name)) ||
           (pickle_kind_of(v) == PICKLE_GLOBAL && pickle_is_global(v, "builtins", "str.split") &&
            strcmp(name, "split") == 0) ||
           (pickle_kind_of(v) == PICKLE_GLOBAL && pickle_is_global(v, "builtins", "str.lower") &&
            strcmp(name, "lower") == 0);
}

static void open_range(pickle__opener *o, pickle__analyzer *a)
{
    const pickle_val *v = pickle__attr(o, "ngram_range");
    pickle_cell least, most;

    a->least = a->most = 1;
    if (!v)
        return;
    if (pickle_len(v) != 2 || !pickle__cell_of(o, pickle_at(v, 0), &least) ||
        !pickle__cell_of(o, pickle_at(v, 1), &most) || least.kind != PICKLE_CELL_INT ||
        most.kind != PICKLE_CELL_INT || least.as.i < 1 || most.as.i < least.as.i ||
        most.as.i > 1000) {
        pickle__unsupported(o, "ngram_range",
                            "is no pair of numbers from 1 to 1000, the first "
                            "of which is not larger");
        return;
    }
    a->least = (size_t)least.as.i;
    a->most = (size_t)most.as.i;
}

static void open_token(pickle__opener *o, pickle__analyzer *a)
{
    const pickle_val *tokenizer = pickle__attr(o, "tokenizer"), *v;
    const char *pattern, *reason = NULL;

    v = tokenizer ? NULL : pickle__need(o, "token_pattern");
    pattern = tokenizer ? "\\S+" : pickle_str(v);
    if (tokenizer && !is_method_of_str(tokenizer, "split")) {
        pickle__unsupported(o, "tokenizer", "is a function of the user's");
    } else if (!pattern) {
        pickle__unsupported(o, "token_pattern", "is no text");
    } else {
        a->token = pickle__regex_compile(o, pattern, v ? pickle_len(v) : strlen(pattern), &reason);
        if (reason)
            pickle__unsupported(o, "token_pattern", reason);
    }
}

static void open_text(pickle__opener *o, pickle__analyzer *a)
{
    static const char *const instead[] = { NULL, "\xef\xbf\xbd", "" };
    const pickle_val *preprocessor = pickle__attr(o, "preprocessor");

    if (pickle__choice(o, "input", 0, "content", "file", "filename", NULL) != 0)
        pickle__unsupported(o, "input", "is files, not text");
    a->instead = instead[pickle__choice(o, "decode_error", 0, "strict", "replace", "ignore", NULL)];
    if (preprocessor && !is_method_of_str(preprocessor, "lower"))
        pickle__unsupported(o, "preprocessor", "is a function of the user's");
    a->lower = preprocessor || pickle__flag(o, "lowercase", true);
    if (preprocessor || !pickle__attr(o, "strip_accents"))
        return;
    a->accents = PICKLE__ACCENTS_ASCII;
    if (pickle__choice(o, "strip_accents", 0, "ascii", "unicode", NULL) == 1)
        a->accents = o->version < PICKLE__SKLEARN(0, 22, 0) ? PICKLE__ACCENTS_UNICODE_OLD
                                                            : PICKLE__ACCENTS_UNICODE;
}

void pickle__open_analyzer(pickle__opener *o, pickle__analyzer *a)
{
    pickle__need(o, "ngram_range");
    a->grams = (pickle__grams)pickle__choice(o, "analyzer", PICKLE__WORDS, "word", "char",
                                             "char_wb", NULL);
    a->binary = pickle__flag(o, "binary", false);
    open_text(o, a);
    open_range(o, a);
    if (pickle__ok(o) && a->grams == PICKLE__WORDS) {
        open_token(o, a);
        a->stop = pickle__words_to_stop(o, "stop_words");
    }
    o->model->takes = PICKLE__CELLS;
}

pickle__count_type pickle__open_dtype(pickle__opener *o, pickle__count_type fallback)
{
    static const struct {
        const char *name;
        pickle__count_type type;
    } known[] = {
        { "float64", PICKLE__COUNT_F64 }, { "f8", PICKLE__COUNT_F64 },
        { "float", PICKLE__COUNT_F64 },   { "double", PICKLE__COUNT_F64 },
        { "float32", PICKLE__COUNT_F32 }, { "f4", PICKLE__COUNT_F32 },
        { "int64", PICKLE__COUNT_INT },   { "i8", PICKLE__COUNT_INT },
        { "int32", PICKLE__COUNT_INT },   { "i4", PICKLE__COUNT_INT },
        { "int", PICKLE__COUNT_INT },     { "uint64", PICKLE__COUNT_INT },
        { "long", PICKLE__COUNT_INT },
    };
    const pickle_val *v = pickle__attr(o, "dtype");
    const char *name = pickle_kind_of(v) == PICKLE_GLOBAL ? pickle_name(v) : pickle_str(v);

    if (!v)
        return fallback;
    if (pickle_is_a(v, "numpy", "dtype") || pickle_is_a(v, "numpy.dtypes", "dtype"))
        name = pickle_str(pickle_at(pickle_args(v), 0));
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0)
            return known[i].type;
    }
    pickle__unsupported(o, "dtype", "is of numbers that are not supported");
    return fallback;
}
