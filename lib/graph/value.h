/*
 * value.h - how values lie in memory.
 *
 * A `pickle_val *` is either a node in a document's arena, a static node (None,
 * True, False, the empty tuple), or, told by its low bits, an int or a float in
 * the pointer itself. Every node begins with a tag: kind, flags and a length.
 */
#ifndef PICKLE__VALUE_H
#define PICKLE__VALUE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/base.h"

#include <pickle/doc.h>

/* --------------------------------------------------------------------- tags */

struct pickle_val {
    uint64_t tag; /* kind in bits 0-7, flags in 8-15, length in 16-63 */
};

#define PICKLE__FLAG(n) ((uint64_t)1 << (8 + (n)))
/* Every node: */
#define PICKLE__STATIC   PICKLE__FLAG(0) /* in read-only memory, shared by all documents      */
#define PICKLE__MEMOIZED PICKLE__FLAG(1) /* a PUT or MEMOIZE stored it                        */
#define PICKLE__SHARED   PICKLE__FLAG(6) /* stands in more than one place: a GET, a DUP        */
#define PICKLE__LOOSE    PICKLE__FLAG(7) /* made in C, and stands nowhere yet                  */
/* By kind: */
#define PICKLE__PY2        PICKLE__FLAG(2) /* STR, BYTES: written as a Python 2 str           */
#define PICKLE__SURROGATES PICKLE__FLAG(3) /* STR: text holds lone surrogates                 */
#define PICKLE__RAW        PICKLE__FLAG(4) /* STR: pickle__raw_str                            */
#define PICKLE__LONG       PICKLE__FLAG(2) /* INT: written with one of the LONG opcodes       */
#define PICKLE__GROWN      PICKLE__FLAG(2) /* LIST, DICT, SET, FROZENSET: see pickle__list    */
#define PICKLE__HASHABLE   PICKLE__FLAG(2) /* TUPLE: known to be                              */
#define PICKLE__READONLY   PICKLE__FLAG(2) /* BUFFER                                          */
#define PICKLE__ABSENT     PICKLE__FLAG(3) /* BUFFER: nobody supplied it                      */
#define PICKLE__BIG_ENDIAN PICKLE__FLAG(2) /* PERSID: so are the numbers in its payload   */
#define PICKLE__FOLDED     PICKLE__FLAG(2) /* OBJECT: `extra` is the bytes it stands for      */
#define PICKLE__HOOKED     PICKLE__FLAG(2) /* GLOBAL: BUILD on its instances runs a hook      */
#define PICKLE__FOLDS      PICKLE__FLAG(5) /* GLOBAL: its calls may stand for bytes           */
#define PICKLE__BY_STACK   PICKLE__FLAG(3) /* GLOBAL: from STACK_GLOBAL                       */
#define PICKLE__BY_EXT     PICKLE__FLAG(4) /* GLOBAL: from an extension code, in the length   */

#define PICKLE__LEN_SHIFT 16
#define PICKLE__LEN_MAX   (UINT64_MAX >> PICKLE__LEN_SHIFT)

#define PICKLE__TAG(kind, len) ((uint64_t)(kind) | (uint64_t)(len) << PICKLE__LEN_SHIFT)

/*
 * Who writes a document asks its memo about SHARED values alone; so whatever
 * makes a value stand in another place has to say so. Values that were read
 * stand where they were read; those made in C are LOOSE until something takes them.
 */

PICKLE__INLINE size_t pickle__len(const pickle_val *v)
{
    return (size_t)(v->tag >> PICKLE__LEN_SHIFT);
}

PICKLE__INLINE void pickle__set_len(pickle_val *v, size_t len)
{
    v->tag = (v->tag & (((uint64_t)1 << PICKLE__LEN_SHIFT) - 1)) | (uint64_t)len
                                                                       << PICKLE__LEN_SHIFT;
}

/* --------------------------------------------------------------- immediates */

/*
 * ..001  an int, shifted left by 3
 * ..101  likewise, written with a LONG opcode (a Python 2 long)
 * ...10  a double whose exponent lies between 2^-255 and 2^256, rotated so that
 *        the bits all these have in common make room; 64-bit machines only
 */
#define PICKLE__INT_BIT   ((uintptr_t)1)
#define PICKLE__LONG_BIT  ((uintptr_t)4)
#define PICKLE__FLOAT_BIT ((uintptr_t)2)
#define PICKLE__WIDE      (UINTPTR_MAX > UINT32_MAX)

#define PICKLE__SMALL_MAX ((intptr_t)(INTPTR_MAX >> 3))
#define PICKLE__SMALL_MIN (-PICKLE__SMALL_MAX - 1)

PICKLE__INLINE bool pickle__is_node(const pickle_val *v)
{
    return ((uintptr_t)v & 3) == 0;
}

PICKLE__INLINE bool pickle__is_small(const pickle_val *v)
{
    return (uintptr_t)v & PICKLE__INT_BIT;
}

PICKLE__INLINE bool pickle__fits_small(int64_t n)
{
    return n >= PICKLE__SMALL_MIN && n <= PICKLE__SMALL_MAX;
}

PICKLE__INLINE pickle_val *pickle__small(int64_t n)
{
    return (pickle_val *)((uintptr_t)(intptr_t)n << 3 | PICKLE__INT_BIT);
}

PICKLE__INLINE int64_t pickle__small_value(const pickle_val *v)
{
    return (intptr_t)(uintptr_t)v >> 3;
}

PICKLE__INLINE bool pickle__is_small_float(const pickle_val *v)
{
    return PICKLE__WIDE && ((uintptr_t)v & 3) == PICKLE__FLOAT_BIT;
}

/*
 * In the exponents that fit, bits 62-60 of a double are 011 or 100. Adding one
 * to the top nibble's place makes that 100 or 101: two constant bits, which go
 * when the sign is rotated to the bottom and the tag takes their place.
 */
#define PICKLE__FLOAT_BIAS ((uint64_t)1 << 60)

PICKLE__INLINE pickle_val *pickle__small_float(double x)
{
    uint64_t bits, turned;

    memcpy(&bits, &x, sizeof bits);
    turned = bits << 1 | bits >> 63;          /* exponent at the top, sign at the bottom */
    turned += PICKLE__FLOAT_BIAS << 1;        /* 011 -> 100, 100 -> 101                  */
    if (!PICKLE__WIDE || (turned >> 62) != 2) /* top bits are not 10: exponent too far   */
        return NULL;
    return (pickle_val *)(uintptr_t)(turned << 2 | PICKLE__FLOAT_BIT);
}

PICKLE__INLINE double pickle__small_float_value(const pickle_val *v)
{
    uint64_t turned = (uint64_t)2 << 62 | (uint64_t)(uintptr_t)v >> 2, bits;
    double x;

    turned -= PICKLE__FLOAT_BIAS << 1;
    bits = turned >> 1 | turned << 63;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* `v` now stands in one more place. */
PICKLE__INLINE void pickle__adopt(pickle_val *v)
{
    if (!pickle__is_node(v) || v->tag & PICKLE__STATIC)
        return;
    if (v->tag & PICKLE__LOOSE)
        v->tag &= ~PICKLE__LOOSE;
    else
        v->tag |= PICKLE__SHARED;
}

PICKLE__INLINE pickle_kind pickle__kind(const pickle_val *v)
{
    if (pickle__is_small(v))
        return PICKLE_INT;
    if (pickle__is_small_float(v))
        return PICKLE_FLOAT;
    return (pickle_kind)(v->tag & 0xff);
}

PICKLE__INLINE bool pickle__is(const pickle_val *v, pickle_kind kind)
{
    return pickle__is_node(v) && (v->tag & 0xff) == (uint64_t)kind;
}

/* -------------------------------------------------------------------- nodes */

/* A float that does not fit a pointer. */
typedef struct pickle__float {
    pickle_val v;
    double x;
} pickle__float;

extern const pickle_val pickle__none, pickle__true, pickle__false, pickle__empty_tuple;
extern const pickle__float pickle__zero; /* 0.0: common, and outside the exponents above */

/* An int that does not fit a pointer: two's complement, little-endian, minimal; `len` bytes. */
typedef struct pickle__big {
    pickle_val v;
    unsigned char bytes[];
} pickle__big;

/* Text, `len` bytes, and a NUL. */
typedef struct pickle__str {
    pickle_val v;
    char text[];
} pickle__str;

/* A Python 2 str that is not ASCII (PICKLE__RAW): its bytes, and what they were decoded to. */
typedef struct pickle__raw_str {
    pickle_val v;
    const unsigned char *bytes;
    size_t size;
    char text[];
} pickle__raw_str;

/* BYTES, BYTEARRAY and BUFFER, `len` bytes, perhaps the input's own or the caller's. */
typedef struct pickle__bytes {
    pickle_val v;
    const unsigned char *data;
    size_t room; /* BYTEARRAY that was appended to: bytes allocated; else 0 */
} pickle__bytes;

typedef struct pickle__tuple {
    pickle_val v;
    pickle_val *items[];
} pickle__tuple;

/*
 * LIST, and the start of DICT, SET and FROZENSET; `len` items, a dict's keys and
 * values in turn. Room for items is not stored: the first batch gets just what
 * it needs, as most containers are filled at once; once more come, the room is
 * the next power of two (PICKLE__GROWN).
 */
typedef struct pickle__list {
    pickle_val v;
    pickle_val **items;
} pickle__list;

/* How a dict or set is looked into; made on first use. See table.c. */
typedef struct pickle__index pickle__index;

typedef struct pickle__table {
    pickle__list list;
    _Atomic(pickle__index *) index; /* never NULL: at first the document's `unindexed` */
} pickle__table;

/* What happened to a GLOBAL, OBJECT, PERSID or EXT after it was made. */
typedef struct pickle__change pickle__change;

struct pickle__change {
    pickle__change *next; /* of the last: the first */
    pickle_val *value;
    uint64_t kind; /* pickle_change_kind */
};

/* The start of every value that Python would have made by calling something. */
typedef struct pickle__symbol {
    pickle_val v;
    pickle__change *last; /* whose `next` is the first, so that both are at hand; NULL: none */
} pickle__symbol;

typedef struct pickle__global {
    pickle__symbol s;
    pickle__str *module, *name;         /* as Python 3 has them */
    pickle__str *raw_module, *raw_name; /* as in the stream     */
} pickle__global;

/* `len` is the pickle_call. */
typedef struct pickle__object {
    pickle__symbol s;
    pickle_val *callable, *args;
    pickle_val *extra[]; /* NEWOBJ_EX: kwargs; PICKLE__FOLDED: bytes; else not there */
} pickle__object;

/* Of a symbol, in stream order; `c` NULL: the first. */
PICKLE__INLINE pickle__change *pickle__next_change(const pickle_val *symbol,
                                                   const pickle__change *c)
{
    pickle__change *last = ((const pickle__symbol *)symbol)->last;

    return !last || c == last ? NULL : c ? c->next : last->next;
}

/* PERSID and EXT. */
typedef struct pickle__ref {
    pickle__symbol s;
    pickle_val *id;
} pickle__ref;

#define PICKLE__AS(type, v) ((type *)(v))
/* A static node stands among the others, though nothing writes to it. */
#define PICKLE__AS_STATIC(node)   ((pickle_val *)(uintptr_t) & (node))
#define PICKLE__AS_CONST(type, v) ((const type *)(v))

PICKLE__INLINE bool pickle__is_symbol(const pickle_val *v)
{
    pickle_kind k = pickle__kind(v);

    return k >= PICKLE_GLOBAL && k <= PICKLE_EXT;
}

PICKLE__INLINE const char *pickle__text(const pickle_val *str)
{
    return str->tag & PICKLE__RAW ? PICKLE__AS_CONST(pickle__raw_str, str)->text
                                  : PICKLE__AS_CONST(pickle__str, str)->text;
}

/* Does a str or the text of a module or name equal this constant? */
PICKLE__INLINE bool pickle__text_is(const pickle_val *str, const char *text, size_t len)
{
    return pickle__len(str) == len && memcmp(pickle__text(str), text, len) == 0;
}

#endif
