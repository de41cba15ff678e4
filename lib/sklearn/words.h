/* words.h - texts and the column of each: a vocabulary, or words to leave out. */
#ifndef PICKLE__SKLEARN_WORDS_H
#define PICKLE__SKLEARN_WORDS_H

#include "sklearn/estimator.h"

typedef struct pickle__word {
    const char *text; /* of the document, or constant */
    uint32_t len, column;
} pickle__word;

typedef struct pickle__slot {
    uint32_t tag, word; /* the word's place + 1; 0: empty */
} pickle__slot;

typedef struct pickle__words {
    size_t count; /* of the words, of which there are columns */
    size_t longest;
    pickle__word *words;
    pickle__slot *slots;
    size_t mask, n;
    size_t probes; /* while it was filled */
} pickle__words;

/* Room for `count` words, empty; NULL without memory. */
pickle__words *pickle__words_new(pickle__opener *o, size_t count);
/* False for a word that is there already, or when too many share a hash, which is bad luck only
 * where it was made on purpose. */
bool pickle__words_add(pickle__words *w, const char *text, size_t len, size_t column);
/* Did words gather in a way that chance does not? */
bool pickle__words_crowded(const pickle__words *w);

/* A vocabulary: text and numbers below their count, each once. NULL where pickle__ok is false. */
const pickle__words *pickle__words_of_dict(pickle__opener *o, const char *name,
                                           const pickle_val *v);
/* A vocabulary in order. */
const pickle__words *pickle__words_of_list(pickle__opener *o, const char *name,
                                           const pickle_val *v);
/* stop_words; NULL where there are none. */
const pickle__words *pickle__words_to_stop(pickle__opener *o, const char *name);

/* A hash that can be continued with more text. */
#define PICKLE__HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t pickle__hash_on(uint64_t h, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x9fb21c651e98df25);
    return h;
}

/* The column of a word, by its hash; -1: none. */
int64_t pickle__words_find(const pickle__words *w, uint64_t hash, const char *text, size_t len);

#endif
