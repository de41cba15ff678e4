/* operand_text.h - operands as pickletools decodes and shows them. */
#ifndef PICKLE__OPERAND_TEXT_H
#define PICKLE__OPERAND_TEXT_H

#include "op/operand.h"

/* sys.set_int_max_str_digits of CPython 3.13: pickletools reads and shows no longer integers. */
#define PICKLE__INT_DIGITS_MAX 4300

typedef enum pickle__arg_kind {
    PICKLE__ARG_NOTHING,
    PICKLE__ARG_BOOL,
    PICKLE__ARG_INT,
    PICKLE__ARG_BIGINT, /* two's complement, little-endian, in `data` */
    PICKLE__ARG_FLOAT,
    PICKLE__ARG_STR, /* UTF-8 with surrogates                      */
    PICKLE__ARG_BYTES,
    PICKLE__ARG_BYTEARRAY
} pickle__arg_kind;

typedef struct pickle__arg {
    pickle__arg_kind kind;
    int64_t num; /* BOOL, INT */
    double real;
    const unsigned char *data; /* borrows from the event or from the scratch buffer */
    size_t len;
} pickle__arg;

/* The operand of `ev`, which holds all of it. False with `err` where pickletools refuses it. */
bool pickle__arg_decode(pickle__arg *arg, const pickle_event *ev, pickle_buf *scratch,
                        pickle_error *err);

/* The decimal digits of a BIGINT, into `digits`; false if there are too many of them. */
bool pickle__arg_digits(const pickle__arg *arg, const pickle_event *ev, pickle_buf *digits,
                        pickle_error *err);

/* repr() of anything but a BIGINT. */
bool pickle__arg_repr(const pickle__arg *arg, pickle_sink out);

#endif
