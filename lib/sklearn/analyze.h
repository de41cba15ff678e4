/*
 * analyze.h - documents become counts of their words, or of runs of their characters.
 *
 * What CountVectorizer and HashingVectorizer share: decoding, lower case, accents, tokens, stop
 * words, n-grams; and the sparse table of what was counted.
 */
#ifndef PICKLE__SKLEARN_ANALYZE_H
#define PICKLE__SKLEARN_ANALYZE_H

#include "sklearn/regex.h"
#include "sklearn/unicode.h"
#include "sklearn/words.h"

typedef enum pickle__grams { PICKLE__WORDS, PICKLE__CHARS, PICKLE__CHARS_WB } pickle__grams;

typedef struct pickle__analyzer {
    pickle__grams grams;
    bool lower;
    pickle__accents accents;
    const char *instead; /* of bytes that are no UTF-8; NULL: they are an error */
    size_t least, most;  /* ngram_range */
    const pickle__regex *token;
    const pickle__words *stop; /* NULL: none */
    bool binary;
    bool integers; /* dtype */
    /* Columns are a vocabulary's, or (where it is NULL) `columns` hashes. */
    const pickle__words *vocabulary;
    size_t columns;
    bool signs; /* half of the hashes count down */
} pickle__analyzer;

/* The parameters that vectorizers share, without the columns. */
void pickle__open_analyzer(pickle__opener *o, pickle__analyzer *a);

/* Numbers that a vectorizer gives: float64, float32 or integers that hold all counts. */
typedef enum pickle__count_type {
    PICKLE__COUNT_F64,
    PICKLE__COUNT_F32,
    PICKLE__COUNT_INT
} pickle__count_type;
pickle__count_type pickle__open_dtype(pickle__opener *o, pickle__count_type fallback);

typedef enum pickle__norm { PICKLE__NORM_NONE, PICKLE__NORM_L1, PICKLE__NORM_L2 } pickle__norm;
pickle__norm pickle__open_norm(pickle__opener *o);
/* The elements of a row as sklearn.preprocessing.normalize has them, which adds up in double. */
void pickle__norm_row(pickle__norm norm, bool f32, double *x, size_t n);

/* One column of documents, or with `features` rows of the tokens themselves, as a CSR matrix whose
 * columns rise in each row. */
bool pickle__count(pickle__run *r, const pickle__analyzer *a, bool features, const pickle_batch *x,
                   pickle_batch *y);

#endif
