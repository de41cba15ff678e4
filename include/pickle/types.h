/* pickle/types.h - handles, status codes, errors, allocators, limits, byte sinks. */
#ifndef PICKLE_TYPES_H
#define PICKLE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pickle/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque handles. A value never outlives its document. */
typedef struct pickle_doc pickle_doc; /* owns one graph of values */
typedef struct pickle_val pickle_val; /* one Python object        */

/*
 * Status codes. The numbers are ABI: new codes are appended, none is reused.
 * Everything from 10 up is a failure.
 */
typedef enum pickle_status {
    PICKLE_OK = 0,
    PICKLE_END = 1,              /* nothing more: STOP was delivered, no further pickle  */
    PICKLE_MORE = 2,             /* the parser wants its next chunk                      */
    PICKLE_ERR_ARG = 10,         /* the caller broke the contract                        */
    PICKLE_ERR_NOMEM = 11,       /* the allocator said no                                */
    PICKLE_ERR_IO = 12,          /* open, read or map failed; errno is in .sys           */
    PICKLE_ERR_CANCELED = 13,    /* a progress hook said stop                            */
    PICKLE_ERR_TRUNCATED = 20,   /* input ends before STOP, or inside an operand         */
    PICKLE_ERR_OPCODE = 21,      /* no such opcode                                       */
    PICKLE_ERR_OPERAND = 22,     /* operand malformed: a number, a text, a length        */
    PICKLE_ERR_STACK = 23,       /* underflow, or no MARK where one is needed            */
    PICKLE_ERR_MEMO = 24,        /* memo slot never written                              */
    PICKLE_ERR_VALUE = 25,       /* a value the opcode cannot work on                    */
    PICKLE_ERR_LIMIT = 30,       /* a bound of pickle_limits was hit                     */
    PICKLE_ERR_DENIED = 31,      /* a hook refused a global or a persistent id           */
    PICKLE_ERR_CODEC = 40,       /* compressed data or an array payload is corrupt       */
    PICKLE_ERR_UNSUPPORTED = 41, /* valid, but not built in                              */
    PICKLE_ERR_TYPE = 50,        /* a value of another kind than asked for               */
    PICKLE_ERR_MISSING = 51,     /* no such key, attribute, index or path                */
    PICKLE_ERR_RANGE = 52        /* a number does not fit the asked type                 */
} pickle_status;

/* "PICKLE_ERR_STACK" for PICKLE_ERR_STACK; never NULL. */
PICKLE_API const char *pickle_status_name(pickle_status code);

/*
 * Where and why something failed. Caller-owned, usually on the stack; never
 * needs freeing. `offset` counts bytes from the start of the decompressed
 * stream and points at the opcode that failed. `message` is one printable
 * line: bytes that come from the input are escaped in it.
 */
typedef struct pickle_error {
    pickle_status code;
    int sys; /* errno for PICKLE_ERR_IO, else 0 */
    uint64_t offset;
    uint8_t opcode; /* the opcode being executed, 0 if none */
    char message[231];
} pickle_error;

/*
 * Allocator, given per call and kept by what the call creates. Old sizes are
 * exact. NULL where one is asked for means malloc and friends, with large
 * blocks mapped so that they can use huge pages. The functions are called
 * from whichever thread uses the document.
 */
typedef struct pickle_alloc {
    void *(*alloc)(void *ctx, size_t size);
    void *(*realloc)(void *ctx, void *ptr, size_t old_size, size_t new_size);
    void (*free)(void *ctx, void *ptr, size_t size);
    void *ctx;
} pickle_alloc;

/*
 * Bounds for hostile input. Zero means the default named here, UINT64_MAX no
 * bound. No allocation is ever sized by a number in the input alone.
 */
typedef struct pickle_limits {
    /* Memory of the graph: nodes, text, copied bytes, memo, stack; array payloads that are mapped
     * or inflated do not count. Default: the larger of 1 GiB and 64 times the (inflated) input. */
    uint64_t memory_bytes;
    /* Output of decompression. Default: the larger of 4 GiB and 1000 times the input. */
    uint64_t inflated_bytes;
    /* Digits of one decimal integer in the text opcodes INT and LONG. Default: 2,000,000;
     * under `strict` 4,300, as sys.set_int_max_str_digits has it. */
    uint64_t int_digits;
} pickle_limits;

/*
 * Byte sink for everything that prints or writes. Returns false to stop; the
 * caller of the library finds out why in its own context.
 */
typedef struct pickle_sink {
    bool (*write)(void *ctx, const void *data, size_t len);
    void *ctx;
} pickle_sink;

/* Growable memory; zero-initialise it, and free it with pickle_buf_free. */
typedef struct pickle_buf {
    unsigned char *data;
    size_t len, cap;
    const pickle_alloc *alloc; /* NULL: malloc and friends */
} pickle_buf;

PICKLE_API void pickle_buf_free(pickle_buf *buf);

/* A sink that appends to `buf`; fails only when memory runs out. */
PICKLE_API pickle_sink pickle_sink_buf(pickle_buf *buf);
/* A sink that writes to the descriptor `*fd`, all of it or false with errno set. */
PICKLE_API pickle_sink pickle_sink_fd(int *fd);

#ifdef __cplusplus
}
#endif
#endif
