/*
 * trace.h - just enough evaluation to know where joblib puts array data.
 *
 * An array is pickled as a NumpyArrayWrapper, and behind the BUILD of the
 * wrapper lie the raw elements. Their size follows from the wrapper's shape and
 * dtype, so for each object on the stack and in the memo a little is kept: the
 * integers, the few names that matter, the size of a dtype.
 */
#ifndef PICKLE__TRACE_H
#define PICKLE__TRACE_H

#include "op/operand_text.h"

typedef enum pickle__known_kind {
    PICKLE__KNOWN_ABSENT,  /* no object at all                                       */
    PICKLE__KNOWN_MARK,    /* a mark on the stack                                    */
    PICKLE__KNOWN_NOTHING, /* an object, of which nothing matters                    */
    PICKLE__KNOWN_INT,     /* num                                                   */
    PICKLE__KNOWN_WORD,    /* a str that matters; num: which                         */
    PICKLE__KNOWN_CODE,    /* a str such as 'f8'; size, OBJECTS                      */
    PICKLE__KNOWN_CLASS,   /* a global that matters; num: which                      */
    PICKLE__KNOWN_SHAPE,   /* tuple of integers; num: their product                  */
    PICKLE__KNOWN_CODED,   /* tuple that begins with a code; size, OBJECTS           */
    PICKLE__KNOWN_WRAPPED, /* tuple that begins with the wrapper's class             */
    PICKLE__KNOWN_LAYOUT,  /* state of a dtype; size, OBJECTS                        */
    PICKLE__KNOWN_DTYPE,   /* size, OBJECTS; num: where in the memo, plus one        */
    PICKLE__KNOWN_DICT,    /* perhaps a wrapper's state; size, num: elements, flags  */
    PICKLE__KNOWN_WRAPPER, /* a NumpyArrayWrapper without its state                  */
    PICKLE__KNOWN_ARRAY    /* one with its state, as DICT: its data comes next       */
} pickle__known_kind;

#define PICKLE__KNOWN_OBJECTS 1u /* elements are Python objects: a pickle follows   */
#define PICKLE__KNOWN_SIZE    2u /* `size`, bytes of one element, is known          */
#define PICKLE__KNOWN_COUNT   4u /* `num`, elements of the array, is known          */
#define PICKLE__KNOWN_ALIGNED 8u /* padding comes before the data                   */

typedef struct pickle__known {
    uint8_t kind;
    uint8_t flags;
    uint32_t size;
    int64_t num;
} pickle__known;

/*
 * What is known about the object that an opcode pushes, from its operand and
 * from the `n` stack entries it consumes: lowest first, the mark among them.
 */
pickle__known pickle__trace(uint8_t opcode, const pickle__arg *arg, const pickle__known *in,
                            size_t n);

/* Bytes of an ARRAY's elements, UINT64_MAX if beyond that; false if they are not known. */
bool pickle__trace_bytes(const pickle__known *array, uint64_t *bytes);

#endif
