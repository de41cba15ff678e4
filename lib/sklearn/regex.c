/* regex.c - patterns become instructions. */
#include "sklearn/regex_code.h"

#include <string.h>

#define MOST_PATTERN ((size_t)4096)
#define MOST_DEPTH   32
#define MOST_REPEAT  PICKLE__REGEX_MOST
#define MOST_RANGES  ((size_t)1024) /* of one set */
#define NO_LIMIT     (-1)

typedef struct compiler {
    pickle__opener *o;
    const unsigned char *at, *end;
    const char *reason; /* the first thing that is wrong */
    bool folds, dot_all, lines;
    int groups, depth;
    uint32_t ranges[2 * MOST_RANGES]; /* of the set that is being read */
    size_t count;
    pickle__instruction code[PICKLE__REGEX_MOST];
} compiler;

/* What was parsed: is it something that can be repeated, and does it always take a character? */
typedef struct piece {
    bool repeatable, takes;
} piece;

static bool refuse(compiler *c, const char *reason)
{
    if (!c->reason)
        c->reason = reason;
    return false;
}

static bool more(const compiler *c)
{
    return !c->reason && c->at < c->end;
}

static bool accept(compiler *c, const char *text)
{
    size_t n = strlen(text);

    if (!more(c) || (size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

static pickle__instruction *emit(compiler *c, pickle__regex_op op)
{
    static const pickle__instruction none;

    if (c->count == PICKLE__REGEX_MOST) {
        refuse(c, "is too large a pattern");
        c->count--;
    }
    c->code[c->count] = none;
    c->code[c->count].op = op;
    return &c->code[c->count++];
}

/* --------------------------------------------------------------------- sets */

static void add_ascii(pickle__charset *s, uint32_t c)
{
    s->ascii[c >> 6] |= (uint64_t)1 << (c & 63);
}

static void add_kind(pickle__charset *s, unsigned kind, bool without)
{
    for (uint32_t c = 0; c < 128; c++) {
        if (((pickle__char_kind(c) & kind) != 0) != without)
            add_ascii(s, c);
    }
    if (without)
        s->other_kinds |= kind;
    else
        s->kinds |= kind;
}

/* With (?i) the lower case is there instead, and the two letters that differ from an ASCII one
 * only in case. */
static bool add_range(compiler *c, pickle__charset *s, uint32_t first, uint32_t last)
{
    if (c->folds && last >= 128)
        return refuse(c, "ignores the case of other letters than ASCII's");
    for (uint32_t i = first; i <= last && i < 128; i++)
        add_ascii(s, c->folds ? pickle__char_lower(i) : i);
    if (last < 128)
        return true;
    if (s->n_ranges == MOST_RANGES)
        return refuse(c, "has too large a set");
    c->ranges[2 * s->n_ranges] = first < 128 ? 128 : first;
    c->ranges[2 * s->n_ranges++ + 1] = last;
    return true;
}

/* The set is whole: what was collected is negated where it says so. */
static const pickle__charset *finish_set(compiler *c, pickle__charset s)
{
    pickle__charset *kept = c->reason ? NULL : pickle__keep(c->o, 1, sizeof *kept);
    size_t size = 2 * s.n_ranges * sizeof *c->ranges;
    uint32_t *ranges = kept && size ? pickle__keep(c->o, 1, size) : NULL;

    if (ranges)
        s.ranges = memcpy(ranges, c->ranges, size);
    s.folds = c->folds;
    /* Upper case letters of the text are looked up as their lower case. */
    for (uint32_t i = 'A'; s.folds && i <= 'Z'; i++) {
        s.ascii[1] &= ~((uint64_t)1 << (i & 63));
        if (s.ascii[1] >> ((i + 32) & 63) & 1)
            add_ascii(&s, i);
    }
    if (s.negated) {
        s.ascii[0] = ~s.ascii[0];
        s.ascii[1] = ~s.ascii[1];
    }
    if (kept && (ranges || !size))
        *kept = s;
    else
        refuse(c, "needs more memory than there is");
    return kept;
}

bool pickle__charset_has(const pickle__charset *s, uint32_t c)
{
    bool found;
    unsigned kinds;

    if (s->folds && c >= 128) {
        c = pickle__char_lower(c);
        if (c == 0x131 && (s->ascii[1] >> ('i' & 63) & 1) != s->negated)
            return !s->negated;
        if (c == 0x17f && (s->ascii[1] >> ('s' & 63) & 1) != s->negated)
            return !s->negated;
    }
    if (c < 128)
        return s->ascii[c >> 6] >> (c & 63) & 1;
    kinds = pickle__char_kind(c);
    found = (kinds & s->kinds) || (~kinds & s->other_kinds);
    for (size_t i = 0; !found && i < s->n_ranges; i++)
        found = c >= s->ranges[2 * i] && c <= s->ranges[2 * i + 1];
    return found != s->negated;
}

static unsigned kind_of_escape(unsigned char c, bool *without)
{
    *without = c == 'W' || c == 'D' || c == 'S';
    switch (c) {
    case 'w':
    case 'W':
        return PICKLE__CHAR_WORD;
    case 'd':
    case 'D':
        return PICKLE__CHAR_DECIMAL;
    case 's':
    case 'S':
        return PICKLE__CHAR_SPACE;
    default:
        return 0;
    }
}

static uint32_t hex_digits(compiler *c, int n)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;

    for (int i = 0; i < n; i++) {
        unsigned char ch = more(c) ? *c->at++ : '?';
        const char *digit = ch ? strchr(digits, ch >= 'A' && ch <= 'F' ? ch + 32 : ch) : NULL;

        if (!digit || value > 0x10ffff)
            refuse(c, "has an escape that is not known here");
        else
            value = value * 16 + (uint32_t)(digit - digits);
    }
    if (value > 0x10ffff)
        refuse(c, "has an escape that is not known here");
    return value;
}

/* The character that an escape means, behind its backslash. */
static uint32_t escaped(compiler *c)
{
    static const char names[] = "ntrfva", values[] = "\n\t\r\f\v\a";
    unsigned char ch = more(c) ? *c->at : 0;
    const char *name = ch ? strchr(names, ch) : NULL;

    if (ch >= 0x80)
        return pickle__char_next(&c->at);
    c->at += more(c);
    if (name)
        return (uint32_t)values[name - names];
    if (ch == 'x' || ch == 'u' || ch == 'U')
        return hex_digits(c, ch == 'x' ? 2 : ch == 'u' ? 4 : 8);
    if (ch == 0 || (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z'))
        refuse(c, "has an escape that is not known here");
    return ch;
}

static void literal(compiler *c, uint32_t ch)
{
    pickle__charset s = { 0 };

    if (add_range(c, &s, ch, ch))
        emit(c, PICKLE__RE_SET)->set = finish_set(c, s);
}

static void kind_set(compiler *c, unsigned kind, bool without)
{
    pickle__charset s = { 0 };

    add_kind(&s, kind, without);
    emit(c, PICKLE__RE_SET)->set = finish_set(c, s);
}

/* One of a set's members: a character, or a kind (and true). */
static bool member(compiler *c, pickle__charset *s, uint32_t *ch)
{
    unsigned kind;
    bool without;

    if (!accept(c, "\\")) {
        *ch = pickle__char_next(&c->at);
        return false;
    }
    kind = more(c) ? kind_of_escape(*c->at, &without) : 0;
    if (kind) {
        c->at++;
        add_kind(s, kind, without);
        return true;
    }
    *ch = accept(c, "b") ? '\b' : escaped(c);
    return false;
}

static const pickle__charset *set(compiler *c)
{
    pickle__charset s = { 0 };
    bool first = true;

    s.negated = accept(c, "^");
    for (; more(c) && (first || *c->at != ']'); first = false) {
        uint32_t from = 0, to = 0;
        bool kind = member(c, &s, &from);

        if (!more(c) || *c->at != '-' || c->at + 1 >= c->end || c->at[1] == ']') {
            if (!kind)
                add_range(c, &s, from, from);
            continue;
        }
        c->at++;
        if (kind || member(c, &s, &to) || to < from)
            refuse(c, "has a bad range of characters");
        else
            add_range(c, &s, from, to);
    }
    if (!accept(c, "]"))
        refuse(c, "has a set without end");
    return finish_set(c, s);
}

static void any(compiler *c)
{
    pickle__charset s = { .negated = true };

    if (!c->dot_all)
        add_ascii(&s, '\n');
    emit(c, PICKLE__RE_SET)->set = finish_set(c, s);
}

/* ---------------------------------------------------------------- repeating */

static int number(compiler *c)
{
    int n = NO_LIMIT;

    while (more(c) && *c->at >= '0' && *c->at <= '9') {
        n = (n < 0 ? 0 : n) * 10 + (*c->at++ - '0');
        if (n > MOST_REPEAT)
            refuse(c, "repeats too often");
    }
    return n;
}

/* {m}, {m,}, {,n}, {m,n}; false, and nothing taken, for what is but text. */
static bool braces(compiler *c, int *least, int *most)
{
    const unsigned char *start = c->at;

    if (!accept(c, "{") || (more(c) && *c->at == '}')) {
        c->at = start;
        return false;
    }
    *least = *most = number(c);
    if (accept(c, ","))
        *most = number(c);
    if (!accept(c, "}")) {
        c->at = start;
        return false;
    }
    *least = *least < 0 ? 0 : *least;
    return true;
}

static bool quantifier(compiler *c, int *least, int *most)
{
    *least = 0;
    *most = NO_LIMIT;
    if (accept(c, "*"))
        return true;
    if (accept(c, "+")) {
        *least = 1;
        return true;
    }
    if (accept(c, "?")) {
        *most = 1;
        return true;
    }
    return braces(c, least, most);
}

/* Put a split before the instructions from `start` on. */
static pickle__instruction *split_before(compiler *c, size_t start)
{
    emit(c, PICKLE__RE_SPLIT);
    memmove(&c->code[start + 1], &c->code[start], (c->count - 1 - start) * sizeof *c->code);
    memset(&c->code[start], 0, sizeof *c->code);
    c->code[start].op = PICKLE__RE_SPLIT;
    return &c->code[start];
}

static void split_to(pickle__instruction *i, bool lazy, int into, int past)
{
    i->to = lazy ? past : into;
    i->other = lazy ? into : past;
}

/* The piece at `from`, once more at the end. */
static void copy_piece(compiler *c, size_t from, size_t n)
{
    for (size_t i = 0; i < n && !c->reason; i++) {
        pickle__instruction in = c->code[from + i];

        *emit(c, in.op) = in;
    }
}

/* What follows `start` is repeated: so many copies, then a loop, or copies to leave out, each of
 * which can go past all that follow it, too. */
static void repeat(compiler *c, size_t start, int least, int most, bool lazy)
{
    size_t n = c->count - start, from = start;

    if (most == 0) {
        c->count = start;
        return;
    }
    if (least == 0) {
        split_to(split_before(c, start), lazy, 1,
                 most == NO_LIMIT ? (int)n + 2 : most * ((int)n + 1));
        from++;
    }
    for (int i = 1; i < least; i++)
        copy_piece(c, from, n);
    if (most == NO_LIMIT && least > 0) {
        split_to(emit(c, PICKLE__RE_SPLIT), lazy, -(int)n, 1);
    } else if (most == NO_LIMIT) {
        pickle__instruction *back = emit(c, PICKLE__RE_SPLIT);

        back->to = back->other = -(int)n - 1;
    }
    for (int i = least > 1 ? least : 1; i < most && !c->reason; i++) {
        split_to(emit(c, PICKLE__RE_SPLIT), lazy, 1, (most - i) * ((int)n + 1));
        copy_piece(c, from, n);
    }
}

/* ------------------------------------------------------------------ parsing */

static piece alternatives(compiler *c);

/* (?=[a-z]+) and the like: one character says it all. */
static piece look(compiler *c, pickle__regex_op op, bool negated)
{
    size_t start = c->count;
    const pickle__charset *seen = NULL;
    int least = 1, most = 1;

    c->depth++;
    alternatives(c);
    c->depth--;
    if (c->reason || c->count == start)
        refuse(c, "looks around, which is not supported");
    if (!c->reason && c->code[start].op == PICKLE__RE_SET)
        seen = c->code[start].set;
    /* A set as often as it is there, ahead of here; or once. */
    for (size_t i = start; i < c->count && !c->reason; i++) {
        const pickle__instruction *in = &c->code[i];
        bool loop = in->op == PICKLE__RE_SPLIT && i > start && i + 1 == c->count && in->to == -1;

        if (!loop && (in->op != PICKLE__RE_SET || i > start))
            seen = NULL;
        most += loop;
    }
    if (!seen || (op == PICKLE__RE_BEFORE && most > least))
        refuse(c, "looks around for more than one character");
    c->count = start;
    if (!c->reason) {
        pickle__instruction *in = emit(c, op);

        in->set = seen;
        in->negated = negated;
    }
    return (piece){ false, false };
}

static void skip_name(compiler *c)
{
    while (more(c) && *c->at != '>')
        c->at++;
    if (!accept(c, ">"))
        refuse(c, "has a group of a kind that is not supported");
}

/* Behind the parenthesis. */
static piece group(compiler *c)
{
    bool captures = true;
    piece p;

    if (accept(c, "?P<"))
        skip_name(c);
    else if (accept(c, "?:"))
        captures = false;
    else if (accept(c, "?="))
        return look(c, PICKLE__RE_NEXT, false);
    else if (accept(c, "?!"))
        return look(c, PICKLE__RE_NEXT, true);
    else if (accept(c, "?<="))
        return look(c, PICKLE__RE_BEFORE, false);
    else if (accept(c, "?<!"))
        return look(c, PICKLE__RE_BEFORE, true);
    else if (more(c) && *c->at == '?')
        refuse(c, "has a group of a kind that is not supported");
    if (captures && ++c->groups > 1)
        refuse(c, "has more than one group");
    if (captures)
        emit(c, PICKLE__RE_SAVE)->to = 0;
    if (++c->depth > MOST_DEPTH)
        refuse(c, "is nested too deeply");
    p = alternatives(c);
    c->depth--;
    if (captures)
        emit(c, PICKLE__RE_SAVE)->to = 1;
    p.repeatable = true;
    return p;
}

static piece place(compiler *c, pickle__regex_place where)
{
    emit(c, PICKLE__RE_AT)->to = (int)where;
    return (piece){ false, false };
}

static piece escape(compiler *c)
{
    unsigned kind;
    bool without;

    if (accept(c, "b"))
        return place(c, PICKLE__AT_BOUNDARY);
    if (accept(c, "B"))
        return place(c, PICKLE__AT_NO_BOUNDARY);
    if (accept(c, "A"))
        return place(c, PICKLE__AT_START);
    if (accept(c, "Z"))
        return place(c, PICKLE__AT_END);
    kind = more(c) ? kind_of_escape(*c->at, &without) : 0;
    if (kind) {
        c->at++;
        kind_set(c, kind, without);
    } else {
        literal(c, escaped(c));
    }
    return (piece){ true, true };
}

static piece atom(compiler *c)
{
    if (accept(c, "(")) {
        piece p = group(c);

        if (!accept(c, ")"))
            refuse(c, "has a group without end");
        return p;
    }
    if (accept(c, "\\"))
        return escape(c);
    if (accept(c, "^"))
        return place(c, c->lines ? PICKLE__AT_LINE_START : PICKLE__AT_START);
    if (accept(c, "$"))
        return place(c, c->lines ? PICKLE__AT_LINE_END : PICKLE__AT_LAST_END);
    if (accept(c, "["))
        emit(c, PICKLE__RE_SET)->set = set(c);
    else if (accept(c, "."))
        any(c);
    else if (accept(c, "*") || accept(c, "+") || accept(c, "?"))
        refuse(c, "repeats nothing");
    else if (more(c))
        literal(c, pickle__char_next(&c->at));
    return (piece){ true, true };
}

/* Pieces one after the other. */
static piece sequence(compiler *c)
{
    piece all = { true, false };

    while (more(c) && *c->at != '|' && *c->at != ')') {
        size_t start = c->count;
        piece p = atom(c);
        int least, most;

        if (quantifier(c, &least, &most)) {
            bool lazy = accept(c, "?");

            if (most != NO_LIMIT && most < least)
                refuse(c, "repeats less often than it must");
            if (!p.repeatable || !p.takes || accept(c, "+") || accept(c, "*"))
                refuse(c, "repeats what is not supported");
            if (!c->reason)
                repeat(c, start, least, most, lazy);
            p.takes = p.takes && least > 0;
        }
        all.takes = all.takes || p.takes;
    }
    return all;
}

/* a|b|c: split a, jump to the end, split b, ... */
static piece alternatives(compiler *c)
{
    size_t start = c->count;
    piece p = sequence(c);

    if (accept(c, "|")) {
        size_t jump;
        piece rest;

        split_before(c, start);
        jump = c->count;
        emit(c, PICKLE__RE_SPLIT);
        split_to(&c->code[start], false, 1, (int)(c->count - start));
        rest = alternatives(c);
        c->code[jump].to = c->code[jump].other = (int)(c->count - jump);
        p.takes = p.takes && rest.takes;
    }
    return p;
}

/* ---------------------------------------------------------------- the whole */

/* (?u) and other flags, which stand at the beginning. */
static void flags(compiler *c)
{
    const unsigned char *start = c->at;

    if (!accept(c, "(?"))
        return;
    for (; more(c) && *c->at != ')'; c->at++) {
        switch (*c->at) {
        case 'u':
            break;
        case 'i':
            c->folds = true;
            break;
        case 's':
            c->dot_all = true;
            break;
        case 'm':
            c->lines = true;
            break;
        default:
            if (c->at > start + 2)
                refuse(c, "has a flag that is not supported");
            c->at = start; /* no flags, but a group */
            return;
        }
    }
    if (!accept(c, ")"))
        refuse(c, "has a group without end");
}

static void add_first(const pickle__charset *s, pickle__regex *re)
{
    for (int i = 0; i < 256; i++)
        re->first[i] = re->first[i] || i >= 128 || pickle__charset_has(s, (uint32_t)i);
}

/* What matches may begin with: reached without taking a character. */
static void find_first(pickle__regex *re, size_t at, bool *seen)
{
    while (at < re->count && !seen[at]) {
        const pickle__instruction *in = &re->code[at];

        seen[at] = true;
        if (in->op == PICKLE__RE_SET) {
            add_first(in->set, re);
            return;
        }
        if (in->op == PICKLE__RE_SPLIT) {
            find_first(re, (size_t)((int)at + in->to), seen);
            at = (size_t)((int)at + in->other);
        } else {
            at++;
        }
    }
}

static bool is_boundary(const pickle__instruction *in)
{
    return in->op == PICKLE__RE_AT && in->to == PICKLE__AT_BOUNDARY;
}

static bool same_set(const pickle__charset *a, const pickle__charset *b)
{
    return memcmp(a->ascii, b->ascii, sizeof a->ascii) == 0 && a->kinds == b->kinds &&
           a->other_kinds == b->other_kinds && a->negated == b->negated && a->folds == b->folds &&
           a->n_ranges == 0 && b->n_ranges == 0;
}

static bool only_words(const pickle__charset *s)
{
    pickle__charset words = { 0 };

    add_kind(&words, PICKLE__CHAR_WORD, false);
    return same_set(s, &words);
}

/* \b\w\w+\b, [a-z]{3,}, \S+: runs of a set. */
static void find_run(pickle__regex *re)
{
    bool bounded = is_boundary(&re->code[0]);
    size_t first = bounded, last = re->count - 1, n = 0;
    const pickle__charset *s = re->code[first].set;

    if (bounded && last > first && is_boundary(&re->code[last - 1]))
        last--;
    else if (bounded)
        return;
    for (; first + n < last && re->code[first + n].op == PICKLE__RE_SET; n++) {
        if (re->code[first + n].set != s && !same_set(re->code[first + n].set, s))
            return;
    }
    if (n == 0 || first + n + 1 != last || (bounded && !only_words(s)))
        return;
    /* Greedy, back to the last. */
    if (re->code[first + n].op == PICKLE__RE_SPLIT && re->code[first + n].to == -1) {
        re->run = s;
        re->least = n;
    }
}

static const pickle__regex *finish(compiler *c)
{
    pickle__regex *re = pickle__keep(c->o, 1, sizeof *re);
    pickle__instruction *code = pickle__keep(c->o, c->count, sizeof *code);
    bool seen[PICKLE__REGEX_MOST] = { false };

    if (!re || !code)
        return NULL;
    memcpy(code, c->code, c->count * sizeof *code);
    re->code = code;
    re->count = c->count;
    re->has_group = c->groups > 0;
    find_first(re, 0, seen);
    if (!re->has_group)
        find_run(re);
    return re;
}

const pickle__regex *pickle__regex_compile(pickle__opener *o, const char *pattern, size_t n,
                                           const char **reason)
{
    compiler on_stack, *c = &on_stack;
    size_t bad;
    piece all;

    memset(c, 0, sizeof *c);
    c->o = o;
    c->at = (const unsigned char *)pattern;
    c->end = c->at + n;
    if (n > MOST_PATTERN || pickle__text_valid(pattern, n, &bad) != n)
        refuse(c, "is too long a pattern, or no text");
    flags(c);
    all = alternatives(c);
    if (more(c))
        refuse(c, "has a parenthesis too many");
    if (!all.takes)
        refuse(c, "matches the empty text");
    emit(c, PICKLE__RE_MATCH);
    *reason = c->reason;
    return c->reason ? NULL : finish(c);
}
