/*
 * regex.h - what Python's re finds, in time linear in the text.
 *
 * A subset of patterns: no references back, no look-around but at one character, nothing that
 * matches the empty text. They run as the states of an automaton, in the order of preference that
 * re tries them in, so that matches are the same.
 */
#ifndef PICKLE__SKLEARN_REGEX_H
#define PICKLE__SKLEARN_REGEX_H

#include "sklearn/estimator.h"

typedef struct pickle__regex pickle__regex;

/* NULL, and *reason, for a pattern that isn't supported; without memory pickle__ok is false. */
const pickle__regex *pickle__regex_compile(pickle__opener *o, const char *pattern, size_t n,
                                           const char **reason);

/* Where a token is, from and to. */
typedef struct pickle__span {
    size_t start, end;
} pickle__span;

/* Tokens that were found: memory of the run that grows. */
typedef struct pickle__spans {
    size_t count, cap;
    pickle__span *at;
} pickle__spans;

/* Room for `more`, and keep what there is. */
bool pickle__spans_grow(pickle__run *r, pickle__spans *s, size_t more);

/* What findall gives for text that is valid: `work` is of pickle__regex_work, NULL for patterns
 * that need none. */
typedef struct pickle__regex_threads pickle__regex_threads;
bool pickle__regex_work(pickle__run *r, const pickle__regex *re, pickle__regex_threads **work);
bool pickle__regex_find_all(pickle__run *r, const pickle__regex *re, pickle__regex_threads *work,
                            const char *text, size_t n, pickle__spans *out);

#endif
