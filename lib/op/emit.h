/*
 * emit.h - the emitter from the inside: opcodes into a buffer, the buffer into a sink.
 *
 * One comparison stands before each value: `at` below `soft` means that no
 * frame has to begin or end here, and that there is room for any operand that
 * is copied into the buffer. Everything else is behind pickle__emit_slow().
 */
#ifndef PICKLE__EMIT_H
#define PICKLE__EMIT_H

#include "base/base.h"

#include <pickle/emit.h>

#define PICKLE__FRAME_HEADER 9
#define PICKLE__FRAME_TARGET \
    ((size_t)64 << 10)      /* a frame this long ends at the next value        */
#define PICKLE__FRAME_MIN 4 /* a shorter one is written without a header       */
#define PICKLE__LONG_OPERAND \
    ((size_t)64 << 10)               /* from here on outside of frames, and not copied  */
#define PICKLE__OP_ROOM ((size_t)64) /* for opcodes with short operands                 */

struct pickle_emitter {
    unsigned char *at;    /* where the next byte goes                             */
    unsigned char *soft;  /* a value that begins here or later: pickle__emit_slow */
    unsigned char *end;   /* of the buffer                                        */
    unsigned char *frame; /* the header of the open frame; NULL: there is none    */
    uint64_t memo;        /* entries so far                                       */
    int protocol;
    bool open;          /* PROTO was written, STOP not yet                           */
    bool framing;       /* the protocol has frames                                   */
    bool old_frames;    /* as CPython 3.4 to 3.6: all in frames, all frames with headers */
    uint64_t memo_gap;  /* a key that is left out; 0: none */
    bool memo_from_one; /* as Python 2's cPickle */
    bool long_floats;   /* likewise: FLOAT with 17 digits */
    pickle_buf *buf;    /* the caller's, when the sink is one; else `own`               */
    size_t start;       /* of what was written, in `buf`                                */
    uint64_t flushed;
    pickle_sink out;
    pickle_buf own;
    const pickle_alloc *alloc;
    pickle_error error; /* the first; code PICKLE_OK: none */
};

/* An emitter in the caller's memory; false: there is none for its buffer. */
bool pickle__emitter_init(pickle_emitter *e, pickle_sink out, const pickle_alloc *alloc);
/* Writes what is left; false when the emitter has failed: see e->error. */
bool pickle__emitter_close(pickle_emitter *e);

/* Begin a pickle with an empty memo; PROTO is the caller's. */
void pickle__emit_begin(pickle_emitter *e, int protocol);
/* Likewise, PROTO first. */
void pickle__emit_start(pickle_emitter *e, int protocol);
/* STOP and the last frame. */
void pickle__emit_stop(pickle_emitter *e);
/* End the frame if it is long enough; a frame is then open, and there is room for a value. */
PICKLE__COLD void pickle__emit_slow(pickle_emitter *e);
/* Room for `n` more bytes in the frame; false: the emitter has failed. */
PICKLE__COLD bool pickle__emit_grow(pickle_emitter *e, size_t n);
/* End the frame, whatever its length. */
void pickle__emit_end_frame(pickle_emitter *e);
PICKLE__COLD bool pickle__emit_fail(pickle_emitter *e, pickle_status code, const char *format, ...)
    PICKLE__PRINTF(3, 4);
uint64_t pickle__emit_offset(const pickle_emitter *e);

/* Opcodes as they are, into the frame; one that is too long for that is raw. */
void pickle__emit_copy(pickle_emitter *e, const void *data, size_t len);
/* The operands that are long, or text. */
void pickle__emit_sized(pickle_emitter *e, const void *head, size_t head_len, const void *data,
                        size_t len);
void pickle__emit_lines(pickle_emitter *e, pickle_opcode op, const char *text, size_t len,
                        const char *text2, size_t len2);
void pickle__emit_long(pickle_emitter *e, const void *bytes, size_t len);
/* Decimal text after INT or LONG. */
void pickle__emit_decimal(pickle_emitter *e, pickle_opcode op, const void *bytes, size_t len);
void pickle__emit_text_str(pickle_emitter *e, const char *text, size_t len, bool py2);
/* Latin-1 bytes as the str of the same characters. */
void pickle__emit_latin1(pickle_emitter *e, const void *data, size_t len);
void pickle__emit_memo(pickle_emitter *e, pickle_opcode op, uint64_t key);

/* --------------------------------------------------------------- in the loop */

/* Before a value. */
PICKLE__INLINE void pickle__emit_boundary(pickle_emitter *e)
{
    if (pickle__unlikely(e->at >= e->soft))
        pickle__emit_slow(e);
}

/* Before opcodes that begin no value: there may be any number of them between two values. */
PICKLE__INLINE void pickle__emit_room(pickle_emitter *e)
{
    if (pickle__unlikely(e->at == e->soft || (size_t)(e->end - e->at) < PICKLE__OP_ROOM))
        pickle__emit_grow(e, PICKLE__OP_ROOM);
}

PICKLE__INLINE void pickle__emit_byte(pickle_emitter *e, unsigned char byte)
{
    pickle__emit_room(e);
    *e->at++ = byte;
}

PICKLE__INLINE unsigned char *pickle__put_u32(unsigned char *at, uint32_t n)
{
    at[0] = (unsigned char)n;
    at[1] = (unsigned char)(n >> 8);
    at[2] = (unsigned char)(n >> 16);
    at[3] = (unsigned char)(n >> 24);
    return at + 4;
}

PICKLE__INLINE unsigned char *pickle__put_u64(unsigned char *at, uint64_t n)
{
    return pickle__put_u32(pickle__put_u32(at, (uint32_t)n), (uint32_t)(n >> 32));
}

PICKLE__INLINE unsigned char *pickle__put_f64_be(unsigned char *at, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(bits >> (56 - 8 * i));
    return at + 8;
}

/* BININT1, BININT2, BININT: protocols from 1 on. */
PICKLE__INLINE unsigned char *pickle__put_i32(unsigned char *at, int32_t n)
{
    if (n >= 0 && n < 256) {
        *at++ = PICKLE_OP_BININT1;
        *at++ = (unsigned char)n;
        return at;
    }
    if (n >= 0 && n < 65536) {
        *at++ = PICKLE_OP_BININT2;
        *at++ = (unsigned char)n;
        *at++ = (unsigned char)(n >> 8);
        return at;
    }
    *at++ = PICKLE_OP_BININT;
    return pickle__put_u32(at, (uint32_t)n);
}

/* MEMOIZE, BINPUT or LONG_BINPUT: protocols from 1 on. */
PICKLE__INLINE unsigned char *pickle__put_put(unsigned char *at, int protocol, uint64_t key)
{
    if (pickle__likely(protocol >= 4)) {
        *at++ = PICKLE_OP_MEMOIZE;
        return at;
    }
    if (key < 256) {
        *at++ = PICKLE_OP_BINPUT;
        *at++ = (unsigned char)key;
        return at;
    }
    *at++ = PICKLE_OP_LONG_BINPUT;
    return pickle__put_u32(at, (uint32_t)key);
}

/* BINGET or LONG_BINGET: protocols from 1 on. */
PICKLE__INLINE unsigned char *pickle__put_get(unsigned char *at, uint64_t key)
{
    if (key < 256) {
        *at++ = PICKLE_OP_BINGET;
        *at++ = (unsigned char)key;
        return at;
    }
    *at++ = PICKLE_OP_LONG_BINGET;
    return pickle__put_u32(at, (uint32_t)key);
}

#endif
