/* words.c - texts and the column of each: a vocabulary, or words to leave out. */
#include "sklearn/words.h"

#include <string.h>

#define MOST_WORDS ((size_t)INT32_MAX)

static const char *const english[] = {
#include "sklearn/stop_words.inc"
};

pickle__words *pickle__words_new(pickle__opener *o, size_t count)
{
    pickle__words *w = pickle__keep(o, 1, sizeof *w);
    size_t slots = 16;

    while (slots < 2 * count)
        slots *= 2;
    if (!w)
        return NULL;
    w->words = pickle__keep(o, count, sizeof *w->words);
    w->slots = pickle__keep(o, slots, sizeof *w->slots);
    w->mask = slots - 1;
    w->count = count;
    return w->words && w->slots ? w : NULL;
}

/* Where it begins to look, and what tells most others apart at once. */
static inline uint64_t mixed(uint64_t hash)
{
    return (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool is_word(const pickle__word *word, const char *text, size_t len)
{
    return word->len == len && memcmp(word->text, text, len) == 0;
}

int64_t pickle__words_find(const pickle__words *w, uint64_t hash, const char *text, size_t len)
{
    uint64_t h = mixed(hash);
    uint32_t tag = (uint32_t)h;

    for (size_t i = (size_t)(h >> 32) & w->mask; w->slots[i].word; i = (i + 1) & w->mask) {
        const pickle__word *word = &w->words[w->slots[i].word - 1];

        if (w->slots[i].tag == tag && is_word(word, text, len))
            return word->column;
    }
    return -1;
}

bool pickle__words_add(pickle__words *w, const char *text, size_t len, size_t column)
{
    uint64_t h = mixed(pickle__hash_on(PICKLE__HASH_START, text, len));
    size_t i = (size_t)(h >> 32) & w->mask;

    if (pickle__words_crowded(w))
        return false;
    for (; w->slots[i].word; i = (i + 1) & w->mask, w->probes++) {
        const pickle__word *word = &w->words[w->slots[i].word - 1];

        if (w->slots[i].tag == (uint32_t)h && is_word(word, text, len))
            return false;
    }
    w->words[w->n] = (pickle__word){ text, (uint32_t)len, (uint32_t)column };
    w->slots[i] = (pickle__slot){ (uint32_t)h, (uint32_t)++w->n };
    w->longest = len > w->longest ? len : w->longest;
    return true;
}

bool pickle__words_crowded(const pickle__words *w)
{
    return w->probes > 32 * w->count + 4096;
}

/* ------------------------------------------------------------- vocabularies */

/* A whole number of Python's, or of numpy's. */
static bool whole_number(const pickle_val *v, int64_t *out)
{
    pickle_array a;

    if (pickle_kind_of(v) == PICKLE_INT)
        return pickle_get_i64(v, out);
    return pickle_get_array(v, &a) && a.ndim == 0 && strchr("iu", a.dtype.kind) &&
           pickle_array_copy(&a, "=i8", out, sizeof *out, NULL);
}

/* A word of the file; what is no text is never found. */
static bool add_word(pickle__opener *o, const char *name, pickle__words *w, const pickle_val *key,
                     size_t column)
{
    size_t len = pickle_len(key);

    if (pickle_kind_of(key) != PICKLE_STR)
        return true;
    if (len > UINT32_MAX) {
        pickle__unsupported(o, name, "has a word that is too long");
        return false;
    }
    if (pickle__words_add(w, pickle_str(key), len, column))
        return true;
    if (pickle__words_crowded(w))
        pickle__unsupported(o, name, "has words that were chosen to be slow to find");
    else
        pickle__bad(o, name, "has a word twice");
    return false;
}

static size_t entries(const pickle_val *v)
{
    const pickle_val *key, *value;
    size_t n = 0;

    pickle_foreach (v, key, value)
        n++;
    return n;
}

const pickle__words *pickle__words_of_dict(pickle__opener *o, const char *name, const pickle_val *v)
{
    size_t n = pickle_kind_of(v) == PICKLE_DICT ? entries(v) : 0;
    pickle__words *w = n > 0 && n < MOST_WORDS ? pickle__words_new(o, n) : NULL;
    uint8_t *used = w ? pickle__keep(o, n / 8 + 1, 1) : NULL;
    const pickle_val *key, *value;

    if (!used) {
        pickle__unsupported(o, name, "is no dict with words in it");
        return NULL;
    }
    pickle_foreach (v, key, value) {
        int64_t column;

        if (!whole_number(value, &column) || column < 0 || (uint64_t)column >= n ||
            (used[column / 8] >> (column % 8) & 1)) {
            pickle__bad(o, name, "has numbers that are not those of columns, each once");
            return NULL;
        }
        used[column / 8] |= (uint8_t)(1 << (column % 8));
        if (!add_word(o, name, w, key, (size_t)column))
            return NULL;
    }
    return w;
}

const pickle__words *pickle__words_of_list(pickle__opener *o, const char *name, const pickle_val *v)
{
    size_t n = 0;
    const pickle_val *list = pickle__items(o, name, v, &n);
    pickle__words *w = list && n > 0 && n < MOST_WORDS ? pickle__words_new(o, n) : NULL;

    if (!w) {
        pickle__unsupported(o, name, "is no list with words in it");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_word(o, name, w, pickle_at(list, i), i))
            return NULL;
    }
    return w;
}

/* --------------------------------------------------------------- stop words */

static const pickle__words *english_words(pickle__opener *o)
{
    size_t n = sizeof english / sizeof *english;
    pickle__words *w = pickle__words_new(o, n);

    for (size_t i = 0; w && i < n; i++)
        pickle__words_add(w, english[i], strlen(english[i]), i);
    return w;
}

/* Of a list, array or set; one may be there more than once. */
static void add_stop_words(pickle__opener *o, const char *name, const pickle_val *v,
                           pickle__words *w)
{
    const pickle_val *key, *value;

    pickle_foreach (v, key, value) {
        const pickle_val *word = key ? key : value;

        if (pickle_kind_of(word) != PICKLE_STR || pickle_len(word) > UINT32_MAX)
            continue;
        pickle__words_add(w, pickle_str(word), pickle_len(word), 0);
        if (pickle__words_crowded(w)) {
            pickle__unsupported(o, name, "has words that were chosen to be slow to find");
            return;
        }
    }
}

static void add_stop_labels(const pickle__labels *labels, pickle__words *w)
{
    for (size_t i = 0; i < labels->count; i++) {
        const pickle_cell *cell = &labels->cells[i];

        if (cell->kind == PICKLE_CELL_TEXT && cell->len < UINT32_MAX)
            pickle__words_add(w, cell->as.text, cell->len, 0);
    }
}

const pickle__words *pickle__words_to_stop(pickle__opener *o, const char *name)
{
    const pickle_val *v = pickle__attr(o, name);
    pickle_kind kind = pickle_kind_of(v);
    pickle__labels labels = { 0 };
    pickle__words *w;

    if (!v)
        return NULL;
    if (pickle_str_is(v, "english"))
        return english_words(o);
    if (kind == PICKLE_OBJECT)
        labels = pickle__labels_of(o, name, v);
    else if (kind != PICKLE_LIST && kind != PICKLE_TUPLE && kind != PICKLE_SET &&
             kind != PICKLE_FROZENSET)
        pickle__unsupported(o, name, "is no list of words that is known here");
    if (!pickle__ok(o))
        return NULL;
    w = pickle__words_new(o, kind == PICKLE_OBJECT ? labels.count : pickle_len(v));
    if (w && kind == PICKLE_OBJECT)
        add_stop_labels(&labels, w);
    else if (w)
        add_stop_words(o, name, v, w);
    return w;
}
