/*
 * pickle/emit.h - write a pickle opcode by opcode.
 *
 * An emitter knows the encodings, frames and memo of one protocol, and refuses
 * what the protocol does not have. It is sticky: after the first failure nothing
 * more is written, and pickle_emitter_finish tells. What the opcodes do on the
 * unpickler's stack is the caller's business; to write whole graphs see
 * <pickle/write.h>. Facts: CPython's _pickle.c.
 *
 *     pickle_emitter *e = pickle_emitter_new(pickle_sink_buf(&buf), 4, NULL);
 *
 *     if (!e)
 *         return false;
 *     pickle_emit_op(e, PICKLE_OP_EMPTY_LIST);
 *     pickle_emit_put(e);
 *     pickle_emit_int(e, 7);
 *     pickle_emit_op(e, PICKLE_OP_APPEND);
 *     pickle_emit_op(e, PICKLE_OP_STOP);
 *     ok = pickle_emitter_finish(e, &err);
 *
 * Thread safety: an emitter is used by one thread at a time.
 */
#ifndef PICKLE_EMIT_H
#define PICKLE_EMIT_H

#include <pickle/opcode.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pickle_emitter pickle_emitter;

/* For protocol 0 to 5; NULL: there is no memory, or no such protocol. `alloc` may be NULL. */
PICKLE_API pickle_emitter *pickle_emitter_new(pickle_sink out, int protocol,
                                              const pickle_alloc *alloc);
/* Writes what is left to the sink and frees the emitter. False, with `err` filled: something
 * failed, or the last pickle has no STOP. NULL is fine, and false. */
PICKLE_API bool pickle_emitter_finish(pickle_emitter *e, pickle_error *err);
/* Bytes written so far, those in an open frame included. */
PICKLE_API uint64_t pickle_emitter_offset(const pickle_emitter *e);

/*
 * An opcode without an operand, such as MARK, TUPLE2, APPENDS, REDUCE, MEMOIZE.
 * PROTO and FRAME are written by themselves. After STOP the next opcode begins
 * another pickle, with a memo of its own.
 */
PICKLE_API void pickle_emit_op(pickle_emitter *e, pickle_opcode op);

/*
 * Values, by the shortest opcode the protocol has. Long ones stand outside of
 * frames, as in CPython 3.7 and later, and go to the sink without a copy.
 */
PICKLE_API void pickle_emit_none(pickle_emitter *e);
PICKLE_API void pickle_emit_bool(pickle_emitter *e, bool b);
PICKLE_API void pickle_emit_int(pickle_emitter *e, int64_t n);
/* Minimal two's complement, little-endian. */
PICKLE_API void pickle_emit_bigint(pickle_emitter *e, const void *bytes, size_t len);
PICKLE_API void pickle_emit_float(pickle_emitter *e, double x);
/* UTF-8, which is not checked and has to be well-formed; lone surrogates are three bytes each. */
PICKLE_API void pickle_emit_str(pickle_emitter *e, const char *text, size_t len);
/* Protocol 3 and later. */
PICKLE_API void pickle_emit_bytes(pickle_emitter *e, const void *data, size_t len);
/* Protocol 5. */
PICKLE_API void pickle_emit_bytearray(pickle_emitter *e, const void *data, size_t len);
/* A Python 2 str: protocols 0 to 2. */
PICKLE_API void pickle_emit_py2_str(pickle_emitter *e, const void *data, size_t len);
/* The next of the out-of-band buffers, protocol 5. */
PICKLE_API void pickle_emit_buffer(pickle_emitter *e, bool readonly);

/* GLOBAL, all protocols, ASCII below 3; later than 3 one usually writes two str and
 * STACK_GLOBAL. */
PICKLE_API void pickle_emit_global(pickle_emitter *e, const char *module, const char *name);
/* Always ASCII. */
PICKLE_API void pickle_emit_inst(pickle_emitter *e, const char *module, const char *name);
/* PERSID with its text, ASCII; BINPERSID is an opcode without operand. */
PICKLE_API void pickle_emit_persid(pickle_emitter *e, const char *id);
/* An extension code, protocol 2 and later. */
PICKLE_API void pickle_emit_ext(pickle_emitter *e, int32_t code);

/* Store the top of the stack in the memo, under the next key, which is returned. */
PICKLE_API uint64_t pickle_emit_put(pickle_emitter *e);
PICKLE_API void pickle_emit_get(pickle_emitter *e, uint64_t key);

/*
 * CPython looks before each value whether the frame is long enough to end. The
 * functions above that write a value do so; before a MARK that begins a tuple or frozenset
 * it takes this.
 */
PICKLE_API void pickle_emit_boundary(pickle_emitter *e);
/* Bytes that are no opcodes, between two frames: joblib's arrays. */
PICKLE_API void pickle_emit_raw(pickle_emitter *e, const void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
