/*
 * outcome.c - what the strict reader makes of many inputs, for test_cpython.py.
 *
 * usage: outcome
 *
 * Standard input: inputs, each behind its length in four bytes, little-endian.
 * A line for each: "ERR <status> <offset>", or "OK" and the graph in prefix
 * order, a value as the test writes it down for CPython's: what it is and how
 * many values follow; "*n" is the n-th (from 0) of those that can be shared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

/* Shorter text is one object in CPython whatever the stream says. */
#define SHARED_TEXT 3

/* Still to be written: a value, or a word and a number. */
typedef struct item {
    const pickle_val *v;
    const char *word;
    size_t n;
} item;

typedef struct slot {
    const pickle_val *v;
    size_t number;
} slot;

typedef struct printer {
    item *todo;
    size_t n, room;
    slot *seen;
    size_t n_seen, slots; /* slots: a power of two */
} printer;

static void *need(void *memory)
{
    if (!memory) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* ------------------------------------------------------------ what was seen */

static slot *find_slot(const printer *p, const pickle_val *v)
{
    size_t i = (size_t)((uintptr_t)v * UINT64_C(0x9e3779b97f4a7c15) >> 20);

    while (p->seen[i & (p->slots - 1)].v && p->seen[i & (p->slots - 1)].v != v)
        i++;
    return &p->seen[i & (p->slots - 1)];
}

static void grow_seen(printer *p)
{
    slot *old = p->seen;
    size_t n = p->slots;

    p->slots = n ? n * 2 : 64;
    p->seen = need(calloc(p->slots, sizeof *p->seen));
    for (size_t i = 0; i < n; i++)
        if (old[i].v)
            *find_slot(p, old[i].v) = old[i];
    free(old);
}

/* Is `v` there a second time? Then that is all there is to say of it. */
static bool seen_before(printer *p, const pickle_val *v)
{
    slot *s;

    if (p->n_seen * 2 >= p->slots)
        grow_seen(p);
    s = find_slot(p, v);
    if (s->v) {
        printf(" *%zu", s->number);
        return true;
    }
    *s = (slot){ v, p->n_seen++ };
    return false;
}

static bool can_be_shared(const pickle_val *v)
{
    switch (pickle_kind_of(v)) {
    case PICKLE_NONE:
    case PICKLE_BOOL:
    case PICKLE_INT:
    case PICKLE_FLOAT:
        return false;
    case PICKLE_STR:
    case PICKLE_BYTES:
        return pickle_len(v) >= SHARED_TEXT;
    case PICKLE_TUPLE:
        return pickle_len(v) > 0;
    default:
        return true;
    }
}

/* ---------------------------------------------------------------- to be done */

static void push(printer *p, item i)
{
    if (p->n == p->room) {
        p->room = p->room ? p->room * 2 : 64;
        p->todo = need(realloc(p->todo, p->room * sizeof *p->todo));
    }
    p->todo[p->n++] = i;
}

static void push_value(printer *p, const pickle_val *v)
{
    push(p, (item){ v, NULL, 0 });
}

static void push_word(printer *p, const char *word, size_t n)
{
    push(p, (item){ NULL, word, n });
}

/* `word` and the number of items, and the items, a dict's with their keys. */
static void push_items(printer *p, const char *word, const pickle_val *of)
{
    const pickle_val *key, *value;
    size_t at = p->n, n = 0;

    push_word(p, word, 0);
    pickle_foreach (of, key, value) {
        if (key)
            push_value(p, key);
        push_value(p, value);
        n++;
    }
    p->todo[at].n = n;
}

/* What was pushed from `from` on is to come off in the same order. */
static void turn(printer *p, size_t from)
{
    for (size_t i = from, j = p->n; i + 1 < j; i++) {
        item swap = p->todo[i];

        p->todo[i] = p->todo[--j];
        p->todo[j] = swap;
    }
}

static void push_changes(printer *p, const pickle_val *v)
{
    static const char *const words[] = {
        [PICKLE_CHANGE_APPENDS] = "append",
        [PICKLE_CHANGE_SETITEMS] = "put",
        [PICKLE_CHANGE_ADDITEMS] = "add",
    };
    pickle_change c;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c)) {
        if (c.kind == PICKLE_CHANGE_BUILD) {
            push_word(p, "build", 1);
            push_value(p, c.value);
        } else if (c.kind != PICKLE_CHANGE_CALL) { /* Python's side does not see what is popped */
            push_items(p, words[c.kind], c.value);
        }
    }
    push_word(p, "end", 0);
}

/* INST and OBJ call the class, but for no arguments: then they make an instance, as NEWOBJ. */
static const char *call_word(const pickle_val *v)
{
    switch (pickle_call_of(v)) {
    case PICKLE_CALL_REDUCE:
        return "call";
    case PICKLE_CALL_INST:
    case PICKLE_CALL_OBJ:
        if (pickle_len(pickle_args(v)))
            return "call";
        return pickle_kind_of(pickle_callable(v)) == PICKLE_GLOBAL ? "new" : "call";
    default:
        return "new";
    }
}

/* In Python nothing is left of the tuple and the dict that the arguments were in. */
static void push_object(printer *p, const pickle_val *v)
{
    push_word(p, call_word(v), 0);
    push_value(p, pickle_callable(v));
    push_items(p, "args", pickle_args(v));
    push_items(p, "kwargs", pickle_kwargs(v));
    push_changes(p, v);
}

/* -------------------------------------------------------------------- values */

static void print_hex(const char *before, const void *data, size_t len)
{
    const unsigned char *p = data;

    fputs(before, stdout);
    for (size_t i = 0; i < len; i++)
        printf("%02x", p[i]);
}

static void print_int(const pickle_val *v)
{
    size_t len = pickle_int_bytes(v, NULL, 0);
    unsigned char *bytes = need(malloc(len + 1));

    pickle_int_bytes(v, bytes, len);
    print_hex(" i", bytes, len);
    free(bytes);
}

static void print_float(const pickle_val *v)
{
    uint64_t bits;
    double x = 0;

    pickle_get_f64(v, &x);
    memcpy(&bits, &x, sizeof bits);
    printf(" f%016" PRIx64, bits);
}

static void print_bytes(const char *before, const pickle_val *v)
{
    const void *data;
    size_t len = 0;

    data = pickle_bytes(v, &len);
    print_hex(before, data, len);
}

static void print_global(const pickle_val *v)
{
    /* The names may hold NULs, but only as STACK_GLOBAL's; the test stops there, too. */
    print_hex(" g", pickle_raw_module(v), strlen(pickle_raw_module(v)));
    print_hex(".", pickle_raw_name(v), strlen(pickle_raw_name(v)));
}

static void print_atom(const pickle_val *v)
{
    bool truth = false;

    switch (pickle_kind_of(v)) {
    case PICKLE_BOOL:
        pickle_get_bool(v, &truth);
        fputs(truth ? " true" : " false", stdout);
        break;
    case PICKLE_INT:
        print_int(v);
        break;
    case PICKLE_FLOAT:
        print_float(v);
        break;
    case PICKLE_STR:
        print_hex(" s", pickle_str(v), pickle_len(v));
        break;
    case PICKLE_BYTES:
        print_bytes(" b", v);
        break;
    case PICKLE_BYTEARRAY:
        print_bytes(" B", v);
        break;
    case PICKLE_BUFFER:
        print_bytes(" m", v);
        break;
    default:
        printf(" %s", pickle_kind_name(pickle_kind_of(v)));
    }
}

static void print_value(printer *p, const pickle_val *v)
{
    size_t from = p->n;

    if (can_be_shared(v) && seen_before(p, v))
        return;
    switch (pickle_kind_of(v)) {
    case PICKLE_TUPLE:
    case PICKLE_LIST:
    case PICKLE_DICT:
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        push_items(p, pickle_kind_name(pickle_kind_of(v)), v);
        break;
    case PICKLE_GLOBAL:
        print_global(v);
        push_changes(p, v);
        break;
    case PICKLE_OBJECT:
        push_object(p, v);
        break;
    default:
        print_atom(v);
    }
    turn(p, from);
}

static void print_graph(const pickle_val *root)
{
    printer p = { 0 };

    push_value(&p, root);
    while (p.n) {
        item i = p.todo[--p.n];

        if (i.word)
            printf(" %s/%zu", i.word, i.n);
        else
            print_value(&p, i.v);
    }
    free(p.todo);
    free(p.seen);
}

static void print_outcome(const unsigned char *data, size_t size)
{
    pickle_error err;
    pickle_doc *doc =
        pickle_read(data, size, pickle_read_opts(.strict = true, .plain = true), &err);

    if (doc) {
        fputs("OK", stdout);
        print_graph(pickle_root(doc));
    } else {
        printf("ERR %s %" PRIu64, pickle_status_name(err.code), err.offset);
    }
    putchar('\n');
    pickle_doc_free(doc);
}

int main(void)
{
    unsigned char head[4], *data;
    size_t size;

    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        data = need(malloc(size ? size : 1));
        if (fread(data, 1, size, stdin) != size)
            return 1;
        print_outcome(data, size);
        fflush(stdout);
        free(data);
    }
    return 0;
}
