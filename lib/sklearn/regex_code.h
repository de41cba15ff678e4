/* regex_code.h - a pattern as instructions: what its compiler and its runner share. */
#ifndef PICKLE__SKLEARN_REGEX_CODE_H
#define PICKLE__SKLEARN_REGEX_CODE_H

#include "sklearn/regex.h"
#include "sklearn/unicode.h"

#define PICKLE__REGEX_MOST 1000 /* instructions */

/* A set of characters. */
typedef struct pickle__charset {
    uint64_t ascii[2];           /* all is said of these */
    unsigned kinds, other_kinds; /* of the rest: these PICKLE__CHAR_*; any but all of these */
    bool negated;                /* of the rest */
    bool folds;                  /* (?i): the lower case is looked up */
    size_t n_ranges;
    const uint32_t *ranges; /* first and last */
} pickle__charset;

typedef enum pickle__regex_op {
    PICKLE__RE_SET,   /* one character of a set */
    PICKLE__RE_SPLIT, /* try `to` first, then `other` */
    PICKLE__RE_SAVE,  /* the group begins (0) or ends (1) */
    PICKLE__RE_AT,    /* a place: `to` is a pickle__regex_place */
    PICKLE__RE_NEXT,  /* the next character is of a set, or not */
    PICKLE__RE_BEFORE,
    PICKLE__RE_MATCH
} pickle__regex_op;

typedef enum pickle__regex_place {
    PICKLE__AT_BOUNDARY,
    PICKLE__AT_NO_BOUNDARY,
    PICKLE__AT_START,
    PICKLE__AT_LINE_START,
    PICKLE__AT_END,
    PICKLE__AT_LINE_END,
    PICKLE__AT_LAST_END /* the end, or before a newline there */
} pickle__regex_place;

/* `to` and `other` of a split are relative to it, so that code can be copied. */
typedef struct pickle__instruction {
    pickle__regex_op op;
    bool negated;
    int to, other;
    const pickle__charset *set;
} pickle__instruction;

struct pickle__regex {
    size_t count;
    const pickle__instruction *code;
    bool has_group;
    /* Bytes that a match may begin with; those above 127 are all the same. */
    bool first[256];
    /* The whole is one set, `least` times or more: tokens are runs. */
    const pickle__charset *run;
    size_t least;
};

bool pickle__charset_has(const pickle__charset *s, uint32_t c);

#endif
