/*
 * pickle/opcode.h - the 68 opcodes, a pull parser over them, and a disassembler.
 *
 * The facts about opcodes (codes, operands, stack effects) are those of
 * CPython's Lib/pickletools.py. Nothing here builds values: see <pickle/doc.h>.
 */
#ifndef PICKLE_OPCODE_H
#define PICKLE_OPCODE_H

#include <pickle/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* PICKLE_OP_MARK = 0x28, ... one enumerator per line of opcodes.inc. */
typedef enum pickle_opcode {
#define PICKLE_OP(name, code, proto, operand, before, after) PICKLE_OP_##name = (code),
#include <pickle/opcodes.inc>
#undef PICKLE_OP
} pickle_opcode;

/* How the operand is encoded after the opcode byte; multi-byte numbers are little-endian. */
typedef enum pickle_operand {
    PICKLE_ARG_NONE,
    PICKLE_ARG_U1, /* number                                           */
    PICKLE_ARG_U2,
    PICKLE_ARG_I4, /* signed                                           */
    PICKLE_ARG_U4,
    PICKLE_ARG_U8,
    PICKLE_ARG_F8,          /* IEEE double, big-endian                          */
    PICKLE_ARG_LONG1,       /* u1 length, then two's complement, little-endian  */
    PICKLE_ARG_LONG4,       /* i4 length, likewise                              */
    PICKLE_ARG_STRING1,     /* u1 length, then bytes of a Python 2 str          */
    PICKLE_ARG_STRING4,     /* i4 length                                        */
    PICKLE_ARG_BYTES1,      /* u1 length, then bytes                            */
    PICKLE_ARG_BYTES4,      /* u4 length                                        */
    PICKLE_ARG_BYTES8,      /* u8 length                                        */
    PICKLE_ARG_UNICODE1,    /* u1 length, then UTF-8 with surrogates            */
    PICKLE_ARG_UNICODE4,    /* u4 length                                        */
    PICKLE_ARG_UNICODE8,    /* u8 length                                        */
    PICKLE_ARG_BYTEARRAY8,  /* u8 length                                        */
    PICKLE_ARG_INTLINE,     /* decimal text up to LF                            */
    PICKLE_ARG_LONGLINE,    /* decimal text, perhaps with a final L             */
    PICKLE_ARG_FLOATLINE,   /* text of a float                                  */
    PICKLE_ARG_STRINGLINE,  /* quoted text with the escapes of a bytes literal  */
    PICKLE_ARG_UNICODELINE, /* raw-unicode-escape text                          */
    PICKLE_ARG_LINE,        /* one line of text                                 */
    PICKLE_ARG_TWOLINES     /* two lines of text: module, name                  */
} pickle_operand;

typedef struct pickle_op_info {
    const char *name; /* "SHORT_BINUNICODE"                     */
    uint8_t code;
    uint8_t proto;              /* the protocol that introduced it        */
    uint8_t operand;            /* pickle_operand                         */
    const char *before, *after; /* stack effect, in pickletools' notation */
} pickle_op_info;

/* NULL if `code` is not an opcode of protocols 0-5. */
PICKLE_API const pickle_op_info *pickle_op_info_of(uint8_t code);

/*
 * One opcode with its operand, or a piece of it. `data` borrows from the
 * chunk that was fed. Text operands are raw: without their LF, with quotes and
 * escapes; the two lines of TWOLINES keep the LF between them.
 *
 * When the whole operand lies in the chunk, which is always so with one chunk
 * that holds everything, `first` and `last` are both true. Otherwise an operand
 * of bytes or text is delivered in pieces, one event each: the same `op`,
 * `offset` and `total`, and the next part in `data`. Only the last piece may be
 * empty. Numbers come whole. Members that an opcode has no use for are zero.
 */
typedef struct pickle_event {
    const pickle_op_info *op;
    uint64_t offset;           /* of the opcode byte in the stream                     */
    uint64_t size;             /* bytes of it so far, from the opcode to prefix and LF */
    int64_t num;               /* U1..U4, I4: the number; U8 likewise, as its 64 bits  */
    double real;               /* F8                                                   */
    uint64_t total;            /* length-prefixed operands: bytes announced            */
    const unsigned char *data; /* operand bytes, without prefix and without LF         */
    size_t len;
    bool first, last;
} pickle_event;

/*
 * Pull parser. Caller-owned, of fixed size; it never allocates and never reads
 * past the end of what it was fed. Treat the members as private.
 */
typedef struct pickle_parser {
    const unsigned char *at, *end; /* what is left of the chunk                     */
    uint64_t base;                 /* stream offset of `end`                        */
    const pickle_op_info *op;      /* of an operand that is not yet complete        */
    uint64_t op_offset;
    uint64_t delivered;     /* bytes of that opcode and operand, so far      */
    uint64_t total;         /* its announced length, if it has one           */
    uint64_t remaining;     /* announced bytes, or lines, still to come      */
    unsigned char carry[9]; /* an opcode and number that straddle two chunks */
    uint8_t carried;
    uint8_t state;
    bool final; /* no chunk follows                              */
    pickle_error error;
} pickle_parser;

/* Parse `size` bytes at `data`, which is everything. */
PICKLE_API void pickle_parser_init(pickle_parser *p, const void *data, size_t size);

/* Start an incremental parse: next() then asks for the first chunk with PICKLE_MORE. */
PICKLE_API void pickle_parser_start(pickle_parser *p);

/*
 * Give the next chunk, of any size, when the one before is used up: after
 * next() returned PICKLE_MORE, or after a skip that went to its end. The
 * previous chunk may go. `final` says that no chunk follows; a final chunk may
 * be empty. (What an earlier chunk still holds would be skipped.)
 */
PICKLE_API void pickle_parser_feed(pickle_parser *p, const void *data, size_t size, bool final);

/*
 * The next opcode, or the next piece of an operand.
 *
 *   PICKLE_OK    `ev` is filled.
 *   PICKLE_END   STOP was delivered before. The call after it goes on with what
 *                follows, as the next pickle, and when nothing follows it is
 *                PICKLE_END again: twice in a row is the end of the input.
 *   PICKLE_MORE  the chunk is used up: feed one. Not after a final chunk.
 *
 * Anything else is an error, which stays; see pickle_parser_error:
 *
 *   PICKLE_ERR_TRUNCATED  the input ends inside an opcode (the offset is that
 *                         opcode's, whatever pieces were delivered), or before
 *                         a STOP (the offset is that of the end, the opcode 0).
 *                         No bytes at all are no pickle and thus truncated.
 *   PICKLE_ERR_OPCODE     the byte is no opcode.
 *   PICKLE_ERR_OPERAND    an announced length is negative or above INT64_MAX.
 *
 * No other judgement is made: not on PROTO's number, text, stack or memo.
 */
PICKLE_API pickle_status pickle_parser_next(pickle_parser *p, pickle_event *ev);

/*
 * What is left of the chunk, between two opcodes: payloads behind joblib
 * wrappers lie there. NULL and 0 inside of an operand, and at the end.
 */
PICKLE_API const void *pickle_parser_rest(const pickle_parser *p, size_t *len);

/* Step over up to `count` bytes of that rest; returns how many there were. */
PICKLE_API size_t pickle_parser_skip(pickle_parser *p, size_t count);

/* The error next() returned, or NULL. */
PICKLE_API const pickle_error *pickle_parser_error(const pickle_parser *p);

/*
 * The operand of an event that holds all of it (`first` and `last`), decoded and
 * appended to `out`: of STRING the bytes that its quotes and escapes stand for; of
 * UNICODE the raw-unicode-escape text as UTF-8, with surrogates as three bytes;
 * of all other lines and lengths the bytes as they are. False, with `err` filled:
 * PICKLE_ERR_OPERAND (malformed), PICKLE_ERR_TYPE (an operand without bytes),
 * PICKLE_ERR_ARG (a piece), PICKLE_ERR_NOMEM.
 */
PICKLE_API bool pickle_decode_text(const pickle_event *ev, pickle_buf *out, pickle_error *err);

/*
 * Likewise an integer of any size, from text or from bytes, as minimal two's
 * complement, little-endian (zero: no bytes). Text is read as CPython up to 3.13
 * reads it, at most 2,000,000 digits: PICKLE_ERR_LIMIT.
 */
PICKLE_API bool pickle_decode_int(const pickle_event *ev, pickle_buf *out, pickle_error *err);

/*
 * Length of the pickle at the start of `data`, STOP included, without building
 * it. Returns PICKLE_OK and sets `*len`, or what pickle_parser_next would.
 */
PICKLE_API pickle_status pickle_skip(const void *data, size_t size, size_t *len, pickle_error *err);

/*
 * The memo keys that were seen and the values they stand for, as far as a
 * disassembler cares. Pickles that one pickler wrote without clearing its memo
 * are disassembled with one such memo; it borrows nothing from them.
 */
typedef struct pickle_dis_memo pickle_dis_memo;

/* NULL if there is no memory; `alloc` may be NULL. */
PICKLE_API pickle_dis_memo *pickle_dis_memo_new(const pickle_alloc *alloc);
PICKLE_API void pickle_dis_memo_free(pickle_dis_memo *memo);

/* pickle_dis options, those of pickletools.dis. */
typedef struct pickle_dis_opts {
    size_t struct_size;    /* set by pickle_dis_opts() */
    bool annotate;         /* describe each opcode; the words are our own */
    bool joblib;           /* step over array data behind joblib's NumpyArrayWrapper */
    bool all;              /* go on with the pickles that follow, not the first alone */
    int indent;            /* blanks per MARK level; 0: pickletools' 4, negative: none */
    pickle_dis_memo *memo; /* to start from and to add to; NULL: each pickle its own */
    const pickle_alloc *alloc;
} pickle_dis_opts;

#ifndef __cplusplus
#define pickle_dis_opts(...) \
    (&(const pickle_dis_opts){ .struct_size = sizeof(pickle_dis_opts), __VA_ARGS__ })
#endif

/*
 * Disassemble, byte for byte as pickletools.dis of CPython 3.8 to 3.13.0 prints
 * (later ones show Python 2 strings in another way). What came before an error
 * has been written when it returns false. pickletools is
 * stricter than the unpickler in some places (the stack must be empty after
 * STOP, a memo key is written once, GLOBAL is ASCII, integers have at most
 * 4,300 digits), and more lenient in others (any PROTO, blanks and underscores
 * in numbers): so is this. PICKLE_ERR_IO: the sink refused.
 *
 * With `joblib`, a line in parentheses stands for the data of each array, and
 * arrays of objects, which are complete pickles, are indented one level more.
 */
PICKLE_API bool pickle_dis(const void *data, size_t size, pickle_sink out,
                           const pickle_dis_opts *opts, pickle_error *err);

#ifdef __cplusplus
}
#endif
#endif
