/* regex_run.c - instructions find their matches: all threads of them a character at a time. */
#include "sklearn/regex_code.h"

#include <string.h>

#define NOWHERE SIZE_MAX

/* A way through the pattern, and where it began. */
typedef struct thread {
    size_t pc, start, group, group_end;
} thread;

typedef struct list {
    size_t count;
    thread *at;
} list;

struct pickle__regex_threads {
    list now, then;
    thread *stack;
    size_t *seen; /* the step at which an instruction was reached last */
    size_t step;
};

/* Where a step is in the text. */
typedef struct position {
    const unsigned char *text, *at, *end;
    uint32_t before, next; /* characters around; NONE: there is none */
} position;

#define NONE UINT32_MAX

bool pickle__spans_grow(pickle__run *r, pickle__spans *s, size_t more)
{
    size_t cap = s->cap < 64 ? 64 : 2 * s->cap;
    pickle__span *grown;

    if (more <= s->cap - s->count)
        return true;
    if (more > SIZE_MAX / 2 - cap)
        return pickle__run_no_memory(r);
    cap = cap - s->count < more ? s->count + more : cap;
    grown = pickle__take(r, cap, sizeof *grown);
    if (!grown)
        return false;
    if (s->count > 0)
        memcpy(grown, s->at, s->count * sizeof *grown);
    s->at = grown;
    s->cap = cap;
    return true;
}

bool pickle__regex_work(pickle__run *r, const pickle__regex *re, pickle__regex_threads **work)
{
    pickle__regex_threads *w;

    *work = NULL;
    if (re->run)
        return true;
    w = pickle__take(r, 1, sizeof *w);
    if (!w)
        return false;
    memset(w, 0, sizeof *w);
    w->now.at = pickle__take(r, re->count, sizeof *w->now.at);
    w->then.at = pickle__take(r, re->count, sizeof *w->then.at);
    w->stack = pickle__take(r, 2 * re->count + 1, sizeof *w->stack);
    w->seen = pickle__take(r, re->count, sizeof *w->seen);
    if (!w->now.at || !w->then.at || !w->stack || !w->seen)
        return false;
    memset(w->seen, 0, re->count * sizeof *w->seen);
    *work = w;
    return true;
}

/* --------------------------------------------------------------------- runs */

static bool find_runs(pickle__run *r, const pickle__regex *re, const char *text, size_t n,
                      pickle__spans *out)
{
    const unsigned char *start = (const unsigned char *)text, *at = start, *end = start + n;

    for (;;) {
        const unsigned char *from;
        size_t length = 0;

        while (at < end && (*at < 0x80 ? !re->first[*at]
                                       : !pickle__charset_has(re->run, pickle__char_peek(at))))
            at += pickle__char_size(*at);
        if (at >= end)
            return true;
        from = at;
        while (at < end && (*at < 0x80 ? re->first[*at]
                                       : pickle__charset_has(re->run, pickle__char_peek(at)))) {
            at += pickle__char_size(*at);
            length++;
        }
        if (length < re->least)
            continue;
        if (out->count == out->cap && !pickle__spans_grow(r, out, 1))
            return false;
        out->at[out->count++] = (pickle__span){ (size_t)(from - start), (size_t)(at - start) };
    }
}

/* ------------------------------------------------------------------ threads */

static bool is_word(uint32_t c)
{
    return c != NONE && (pickle__char_kind(c) & PICKLE__CHAR_WORD);
}

static bool holds(const pickle__instruction *in, const position *p)
{
    switch ((pickle__regex_place)in->to) {
    case PICKLE__AT_BOUNDARY:
        return is_word(p->before) != is_word(p->next);
    case PICKLE__AT_NO_BOUNDARY:
        return is_word(p->before) == is_word(p->next);
    case PICKLE__AT_START:
        return p->before == NONE;
    case PICKLE__AT_LINE_START:
        return p->before == NONE || p->before == '\n';
    case PICKLE__AT_END:
        return p->next == NONE;
    case PICKLE__AT_LINE_END:
        return p->next == NONE || p->next == '\n';
    case PICKLE__AT_LAST_END:
        return p->next == NONE || (p->next == '\n' && p->at + 1 == p->end);
    }
    return false;
}

static bool looks(const pickle__instruction *in, uint32_t c)
{
    return (c != NONE && pickle__charset_has(in->set, c)) != in->negated;
}

/* All that is reached from `t` without taking a character, the preferred first. */
static void add(const pickle__regex *re, pickle__regex_threads *w, list *to, thread t,
                const position *p)
{
    size_t depth = 0, here = (size_t)(p->at - p->text);

    for (w->stack[depth++] = t; depth > 0;) {
        const pickle__instruction *in;

        t = w->stack[--depth];
        in = &re->code[t.pc];
        if (w->seen[t.pc] == w->step)
            continue;
        w->seen[t.pc] = w->step;
        if (in->op == PICKLE__RE_SET || in->op == PICKLE__RE_MATCH) {
            to->at[to->count++] = t;
            continue;
        }
        if (in->op == PICKLE__RE_SPLIT) {
            w->stack[depth] = w->stack[depth + 1] = t;
            w->stack[depth++].pc = (size_t)((int)t.pc + in->other);
            w->stack[depth++].pc = (size_t)((int)t.pc + in->to);
            continue;
        }
        if ((in->op == PICKLE__RE_AT && !holds(in, p)) ||
            (in->op == PICKLE__RE_NEXT && !looks(in, p->next)) ||
            (in->op == PICKLE__RE_BEFORE && !looks(in, p->before)))
            continue;
        if (in->op == PICKLE__RE_SAVE)
            *(in->to ? &t.group_end : &t.group) = here;
        t.pc++;
        w->stack[depth++] = t;
    }
}

static void move(position *p)
{
    p->before = p->next;
    if (p->next != NONE)
        p->at += pickle__char_size(*p->at);
    p->next = p->at < p->end ? pickle__char_peek(p->at) : NONE;
}

/* The first match from here on; false: none. What is found last is preferred most. */
static bool find(const pickle__regex *re, pickle__regex_threads *w, position *p, thread *match,
                 size_t *match_end)
{
    bool found = false;

    for (w->now.count = 0, w->step++;; move(p)) {
        list next = w->then;
        position there;

        if (w->now.count == 0 && !found) {
            while (p->at < p->end && !re->first[*p->at])
                move(p);
            w->step++; /* what was reached without a thread to show for it was elsewhere */
        }
        if (!found) {
            size_t here = (size_t)(p->at - p->text);

            add(re, w, &w->now, (thread){ 0, here, NOWHERE, NOWHERE }, p);
        }
        w->step++;
        next.count = 0;
        there = *p;
        move(&there);
        for (size_t i = 0; i < w->now.count; i++) {
            const thread *t = &w->now.at[i];
            const pickle__instruction *in = &re->code[t->pc];

            if (in->op == PICKLE__RE_MATCH) {
                *match = *t;
                *match_end = (size_t)(p->at - p->text);
                found = true;
                break; /* those behind it are preferred less */
            }
            if (p->next != NONE && pickle__charset_has(in->set, p->next)) {
                thread on = *t;

                on.pc++;
                add(re, w, &next, on, &there);
            }
        }
        w->then = w->now;
        w->now = next;
        if (p->next == NONE || (found && next.count == 0))
            return found;
    }
}

bool pickle__regex_find_all(pickle__run *r, const pickle__regex *re, pickle__regex_threads *work,
                            const char *text, size_t n, pickle__spans *out)
{
    position p = { (const unsigned char *)text, (const unsigned char *)text,
                   (const unsigned char *)text + n, NONE, NONE };
    thread match = { 0 };
    size_t end = 0;

    if (re->run)
        return find_runs(r, re, text, n, out);
    p.next = n > 0 ? pickle__char_peek(p.at) : NONE;
    while (p.at < p.end) {
        position from = p;

        if (!find(re, work, &p, &match, &end))
            return true;
        if (!pickle__spans_grow(r, out, 1))
            return false;
        if (!re->has_group)
            out->at[out->count] = (pickle__span){ match.start, end };
        else if (match.group_end == NOWHERE)
            out->at[out->count] = (pickle__span){ end, end };
        else
            out->at[out->count] = (pickle__span){ match.group, match.group_end };
        out->count++;
        /* On from the end of the match, which takes a character at least. */
        for (p = from; p.at < p.text + end;)
            move(&p);
    }
    return true;
}
