/*
 * operand.h - the shape of each kind of operand, once, for everything that decodes them.
 *
 * With a constant kind these functions fold to a load or two: the VM calls them
 * from the case of each opcode, the parser with the kind from the table.
 */
#ifndef PICKLE__OPERAND_H
#define PICKLE__OPERAND_H

#include "base/base.h"

#include <pickle/opcode.h>

/* By code; the codes that are no opcodes have no name. */
extern const pickle_op_info pickle__op_table[256];

/* How an operand goes on after its fixed part. */
typedef enum pickle__shape {
    PICKLE__FIXED, /* the fixed part is all                      */
    PICKLE__SIZED, /* the fixed part is the length of what follows */
    PICKLE__LINES  /* text up to a LF, or two of them            */
} pickle__shape;

PICKLE__INLINE pickle__shape pickle__operand_shape(pickle_operand kind)
{
    if (kind <= PICKLE_ARG_F8)
        return PICKLE__FIXED;
    return kind <= PICKLE_ARG_BYTEARRAY8 ? PICKLE__SIZED : PICKLE__LINES;
}

/* Bytes of the fixed part: a number, or a length. */
PICKLE__INLINE unsigned pickle__operand_fixed(pickle_operand kind)
{
    switch (kind) {
    case PICKLE_ARG_U1:
    case PICKLE_ARG_LONG1:
    case PICKLE_ARG_STRING1:
    case PICKLE_ARG_BYTES1:
    case PICKLE_ARG_UNICODE1:
        return 1;
    case PICKLE_ARG_U2:
        return 2;
    case PICKLE_ARG_I4:
    case PICKLE_ARG_U4:
    case PICKLE_ARG_LONG4:
    case PICKLE_ARG_STRING4:
    case PICKLE_ARG_BYTES4:
    case PICKLE_ARG_UNICODE4:
        return 4;
    case PICKLE_ARG_U8:
    case PICKLE_ARG_F8:
    case PICKLE_ARG_BYTES8:
    case PICKLE_ARG_UNICODE8:
    case PICKLE_ARG_BYTEARRAY8:
        return 8;
    default:
        return 0;
    }
}

/*
 * The number in the fixed part at `p`. Lengths that are signed and negative, or
 * above INT64_MAX, come out negative. F8 is not a number: see pickle__f64_be.
 */
PICKLE__INLINE int64_t pickle__operand_number(pickle_operand kind, const unsigned char *p)
{
    switch (kind) {
    case PICKLE_ARG_I4:
    case PICKLE_ARG_LONG4:
    case PICKLE_ARG_STRING4:
        return (int32_t)pickle__u32(p);
    default:
        break;
    }
    switch (pickle__operand_fixed(kind)) {
    case 1:
        return p[0];
    case 2:
        return pickle__u16(p);
    case 4:
        return pickle__u32(p);
    case 8:
        return (int64_t)pickle__u64(p);
    default:
        return 0;
    }
}

#endif
