/* emit.c - the emitter: encodings, frames, memo keys; the public functions. */
#include "op/emit.h"

#include <errno.h>
#include <stdio.h>

#include "base/number.h"
#include "base/text.h"
#include "op/operand.h"

/* What an operand that is copied may take, with its opcode and a header. */
#define VALUE_ROOM (PICKLE__LONG_OPERAND + PICKLE__OP_ROOM)
/* A frame from its header to the end of its last value; more is made when that is long. */
#define FRAME_ROOM (PICKLE__FRAME_HEADER + PICKLE__FRAME_TARGET + VALUE_ROOM)
/* When there is a sink, what is collected for it. */
#define BUFFER_SIZE ((size_t)384 << 10)

/* ------------------------------------------------------------------ failing */

/* Nothing is written any more; what still comes in goes to the same place again and again. */
static void rewind_buffer(pickle_emitter *e)
{
    e->at = e->buf->data + e->start;
    e->frame = NULL;
    e->soft = e->at;
}

bool pickle__emit_fail(pickle_emitter *e, pickle_status code, const char *format, ...)
{
    va_list args;

    if (e->error.code != PICKLE_OK)
        return false;
    va_start(args, format);
    pickle__vfail(&e->error, code, pickle__emit_offset(e), format, args);
    va_end(args);
    rewind_buffer(e);
    return false;
}

static bool has_failed(const pickle_emitter *e)
{
    return e->error.code != PICKLE_OK;
}

static bool refuse(pickle_emitter *e, pickle_opcode op)
{
    return pickle__emit_fail(e, PICKLE_ERR_UNSUPPORTED, "protocol %d has no %s", e->protocol,
                             pickle__op_table[op].name);
}

/* Does the protocol have it? */
static bool allowed(pickle_emitter *e, pickle_opcode op)
{
    return pickle__op_table[op].proto <= e->protocol || refuse(e, op);
}

/* ------------------------------------------------------------------ buffer */

uint64_t pickle__emit_offset(const pickle_emitter *e)
{
    return e->flushed + (uint64_t)(e->at - e->buf->data) - e->start;
}

static bool to_sink(pickle_emitter *e, const void *data, size_t len)
{
    errno = 0;
    if (len == 0 || e->out.write(e->out.ctx, data, len))
        return true;
    if (!has_failed(e)) {
        pickle__io_error(&e->error, pickle__emit_offset(e), "cannot write");
        rewind_buffer(e);
    }
    return false;
}

/* What stands before the frame goes to the sink, and the frame to the start of the buffer. */
static bool flush(pickle_emitter *e)
{
    unsigned char *upto = e->frame ? e->frame : e->at;
    size_t done, left = (size_t)(e->at - upto);

    if (has_failed(e)) {
        rewind_buffer(e);
        return false;
    }
    done = (size_t)(upto - e->own.data);
    if (!to_sink(e, e->own.data, done))
        return false;
    e->flushed += done;
    memmove(e->own.data, upto, left);
    e->at = e->own.data + left;
    if (e->frame)
        e->frame = e->own.data;
    return true;
}

/* Where the next value has to stop and look. */
static void set_soft(pickle_emitter *e)
{
    const size_t frame = PICKLE__FRAME_HEADER + PICKLE__FRAME_TARGET;
    size_t room = (size_t)(e->end - e->at), left = room > VALUE_ROOM ? room - VALUE_ROOM : 0;
    size_t used = e->frame ? (size_t)(e->at - e->frame) : 0;

    if (e->frame && left > (used < frame ? frame - used : 0))
        left = used < frame ? frame - used : 0;
    e->soft = e->at + left;
}

/* At least `n` bytes from `at` on, by moving things out of the way, then by more memory. */
static bool make_room(pickle_emitter *e, size_t n)
{
    size_t frame = e->frame ? (size_t)(e->at - e->frame) : 0;

    if ((size_t)(e->end - e->at) >= n && !has_failed(e))
        return true;
    if (e->buf == &e->own || has_failed(e)) {
        if (!flush(e))
            return false;
        if ((size_t)(e->end - e->at) >= n)
            return true;
    }
    e->buf->len = (size_t)(e->at - e->buf->data);
    if (!pickle__buf_reserve(e->buf, n))
        return pickle__emit_fail(e, PICKLE_ERR_NOMEM, "out of memory");
    e->at = e->buf->data + e->buf->len;
    e->end = e->buf->data + e->buf->cap;
    e->frame = e->frame ? e->at - frame : NULL;
    return true;
}

static void open_frame(pickle_emitter *e)
{
    if (e->framing && !e->frame) {
        e->frame = e->at;
        e->at += PICKLE__FRAME_HEADER;
    }
}

void pickle__emit_end_frame(pickle_emitter *e)
{
    size_t len;

    if (!e->frame)
        return;
    len = (size_t)(e->at - e->frame) - PICKLE__FRAME_HEADER;
    if (len >= PICKLE__FRAME_MIN || (e->old_frames && len > 0)) {
        *e->frame = PICKLE_OP_FRAME;
        pickle__put_u64(e->frame + 1, len);
    } else {
        memmove(e->frame, e->frame + PICKLE__FRAME_HEADER, len);
        e->at -= PICKLE__FRAME_HEADER;
    }
    e->frame = NULL;
    e->soft = e->at;
}

void pickle__emit_slow(pickle_emitter *e)
{
    if (!e->open)
        pickle__emit_start(e, e->protocol);
    if (e->frame && (size_t)(e->at - e->frame) >= PICKLE__FRAME_HEADER + PICKLE__FRAME_TARGET)
        pickle__emit_end_frame(e);
    if (make_room(e, FRAME_ROOM))
        open_frame(e);
    set_soft(e);
}

bool pickle__emit_grow(pickle_emitter *e, size_t n)
{
    bool ok;

    if (!e->open)
        pickle__emit_start(e, e->protocol);
    ok = make_room(e, n + PICKLE__FRAME_HEADER);
    if (ok)
        open_frame(e);
    set_soft(e);
    return ok;
}

/* All of it in the frame. */
static void put_inside(pickle_emitter *e, const void *data, size_t len)
{
    if (!pickle__emit_grow(e, len + PICKLE__OP_ROOM) || len == 0)
        return;
    memcpy(e->at, data, len);
    e->at += len;
}

/* Between frames; from the caller's memory to the sink. */
static void put_outside(pickle_emitter *e, const void *data, size_t len)
{
    if (e->buf != &e->own || len < PICKLE__LONG_OPERAND) {
        if (len > 0 && make_room(e, len)) {
            memcpy(e->at, data, len);
            e->at += len;
        }
    } else if (flush(e) && to_sink(e, data, len)) {
        e->flushed += len;
    }
    e->soft = e->at;
}

void pickle__emit_copy(pickle_emitter *e, const void *data, size_t len)
{
    pickle__emit_boundary(e);
    put_inside(e, data, len);
}

/* ------------------------------------------------------------------- pickles */

bool pickle__emitter_init(pickle_emitter *e, pickle_sink out, const pickle_alloc *alloc)
{
    memset(e, 0, sizeof *e);
    e->out = out;
    e->alloc = alloc;
    e->own.alloc = alloc;
    e->buf = pickle__sink_is_buf(out) ? out.ctx : &e->own;
    e->start = e->buf->len;
    if (!pickle__buf_reserve(e->buf, e->buf == &e->own ? BUFFER_SIZE : FRAME_ROOM + 2))
        return false;
    e->at = e->soft = e->buf->data + e->start;
    e->end = e->buf->data + e->buf->cap;
    return true;
}

bool pickle__emitter_close(pickle_emitter *e)
{
    pickle__emit_end_frame(e);
    if (e->buf == &e->own) {
        flush(e);
        pickle_buf_free(&e->own);
    } else {
        e->buf->len = has_failed(e) ? e->start : (size_t)(e->at - e->buf->data);
    }
    return !has_failed(e);
}

void pickle__emit_begin(pickle_emitter *e, int protocol)
{
    pickle__emit_end_frame(e);
    e->open = true;
    e->protocol = protocol;
    e->framing = protocol >= 4;
    e->memo = 0;
    e->soft = e->at;
}

void pickle__emit_start(pickle_emitter *e, int protocol)
{
    const unsigned char proto[] = { PICKLE_OP_PROTO, (unsigned char)protocol };

    pickle__emit_begin(e, protocol);
    if (protocol >= 2)
        put_outside(e, proto, sizeof proto);
}

void pickle__emit_stop(pickle_emitter *e)
{
    pickle__emit_byte(e, PICKLE_OP_STOP);
    pickle__emit_end_frame(e);
    e->open = false;
    e->soft = e->at;
}

/* ------------------------------------------------------------- long operands */

void pickle__emit_sized(pickle_emitter *e, const void *head, size_t head_len, const void *data,
                        size_t len)
{
    pickle__emit_boundary(e);
    if (len < PICKLE__LONG_OPERAND || (e->old_frames && e->framing)) {
        put_inside(e, head, head_len);
        put_inside(e, data, len);
        return;
    }
    pickle__emit_end_frame(e);
    put_outside(e, head, head_len);
    put_outside(e, data, len);
}

void pickle_emit_raw(pickle_emitter *e, const void *data, size_t len)
{
    if (!e->open)
        pickle__emit_start(e, e->protocol);
    pickle__emit_end_frame(e);
    if (len > 0)
        put_outside(e, data, len);
}

/* An opcode that begins with its code and a number of `width` bytes, the length of the rest. */
static void emit_counted(pickle_emitter *e, pickle_opcode op, unsigned width, const void *data,
                         size_t len)
{
    unsigned char head[9] = { (unsigned char)op };

    for (unsigned i = 0; i < width; i++)
        head[1 + i] = (unsigned char)((uint64_t)len >> (8 * i));
    if (allowed(e, op))
        pickle__emit_sized(e, head, 1 + width, data, len);
}

static bool too_long(pickle_emitter *e, size_t len)
{
    return pickle__emit_fail(e, PICKLE_ERR_UNSUPPORTED,
                             "protocol %d has no opcode for %zu bytes in one piece", e->protocol,
                             len);
}

/* ------------------------------------------------------------------- numbers */

void pickle__emit_decimal(pickle_emitter *e, pickle_opcode op, const void *bytes, size_t len)
{
    pickle_buf text = { .alloc = e->alloc };

    pickle__emit_boundary(e);
    if (!pickle__int_repr(bytes, len, pickle_sink_buf(&text), e->alloc) ||
        !pickle__buf_add(&text, "L\n", 2)) {
        pickle__emit_fail(e, PICKLE_ERR_NOMEM, "out of memory");
    } else {
        if (op == PICKLE_OP_INT)
            text.data[--text.len - 1] = '\n';
        pickle__emit_byte(e, (unsigned char)op);
        put_inside(e, text.data, text.len);
    }
    pickle_buf_free(&text);
}

void pickle__emit_long(pickle_emitter *e, const void *bytes, size_t len)
{
    unsigned char head[5] = { len < 256 ? PICKLE_OP_LONG1 : PICKLE_OP_LONG4 };

    if (e->protocol < 2) {
        pickle__emit_decimal(e, PICKLE_OP_LONG, bytes, len);
        return;
    }
    if (len > INT32_MAX) {
        too_long(e, len);
        return;
    }
    pickle__put_u32(head + 1, (uint32_t)len);
    pickle__emit_boundary(e);
    put_inside(e, head, len < 256 ? 2 : 5);
    put_inside(e, bytes, len);
}

void pickle_emit_int(pickle_emitter *e, int64_t n)
{
    unsigned char bytes[8];

    if (n < INT32_MIN || n > INT32_MAX) {
        pickle__emit_long(e, bytes, pickle__i64_bytes(bytes, n));
    } else if (e->protocol == 0) {
        pickle__emit_decimal(e, PICKLE_OP_INT, bytes, pickle__i64_bytes(bytes, n));
    } else {
        pickle__emit_boundary(e);
        e->at = pickle__put_i32(e->at, (int32_t)n);
    }
}

void pickle_emit_bigint(pickle_emitter *e, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t n;

    if (len > sizeof n) {
        pickle__emit_long(e, bytes, len);
        return;
    }
    n = len && p[len - 1] & 0x80 ? UINT64_MAX : 0;
    while (len > 0)
        n = n << 8 | p[--len];
    pickle_emit_int(e, (int64_t)n);
}

/* "%.17g", in no locale but C's. */
static size_t print_17_digits(char text[PICKLE__FLOAT_CHARS], double x)
{
    size_t len = 0;

    snprintf(text, PICKLE__FLOAT_CHARS, "%.17g", x);
    for (const char *c = text; *c; c++)
        if (strchr("+-.0123456789aefin", *c))
            text[len++] = *c;
        else if (len == 0 || text[len - 1] != '.')
            text[len++] = '.';
    return len;
}

void pickle_emit_float(pickle_emitter *e, double x)
{
    char text[PICKLE__FLOAT_CHARS];

    pickle__emit_boundary(e);
    if (e->protocol == 0) {
        size_t len = e->long_floats ? print_17_digits(text, x) : pickle__float_repr(text, x);

        text[len] = '\n';
        *e->at++ = PICKLE_OP_FLOAT;
        memcpy(e->at, text, len + 1);
        e->at += len + 1;
        return;
    }
    *e->at++ = PICKLE_OP_BINFLOAT;
    e->at = pickle__put_f64_be(e->at, x);
}

void pickle_emit_none(pickle_emitter *e)
{
    pickle__emit_boundary(e);
    *e->at++ = PICKLE_OP_NONE;
}

void pickle_emit_bool(pickle_emitter *e, bool b)
{
    pickle__emit_boundary(e);
    if (e->protocol >= 2) {
        *e->at++ = b ? PICKLE_OP_NEWTRUE : PICKLE_OP_NEWFALSE;
    } else {
        memcpy(e->at, b ? "I01\n" : "I00\n", 4);
        e->at += 4;
    }
}

/* ------------------------------------------------------------ text and bytes */

void pickle_emit_str(pickle_emitter *e, const char *text, size_t len)
{
    if (e->protocol == 0)
        pickle__emit_text_str(e, text, len, false);
    else if (e->protocol >= 4 && len < 256)
        emit_counted(e, PICKLE_OP_SHORT_BINUNICODE, 1, text, len);
    else if (len <= UINT32_MAX)
        emit_counted(e, PICKLE_OP_BINUNICODE, 4, text, len);
    else if (e->protocol >= 4)
        emit_counted(e, PICKLE_OP_BINUNICODE8, 8, text, len);
    else
        too_long(e, len);
}

void pickle_emit_bytes(pickle_emitter *e, const void *data, size_t len)
{
    if (len < 256)
        emit_counted(e, PICKLE_OP_SHORT_BINBYTES, 1, data, len);
    else if (len <= UINT32_MAX)
        emit_counted(e, PICKLE_OP_BINBYTES, 4, data, len);
    else
        emit_counted(e, PICKLE_OP_BINBYTES8, 8, data, len);
}

void pickle_emit_bytearray(pickle_emitter *e, const void *data, size_t len)
{
    emit_counted(e, PICKLE_OP_BYTEARRAY8, 8, data, len);
}

void pickle_emit_buffer(pickle_emitter *e, bool readonly)
{
    if (!allowed(e, PICKLE_OP_NEXT_BUFFER))
        return;
    pickle__emit_boundary(e);
    *e->at++ = PICKLE_OP_NEXT_BUFFER;
    if (readonly)
        *e->at++ = PICKLE_OP_READONLY_BUFFER;
}

/* ------------------------------------------------------- text of protocol 0 */

static bool put_escaped(void *ctx, const void *data, size_t len)
{
    put_inside(ctx, data, len);
    return true;
}

/* repr() of Python 2: that of bytes, without the b. */
typedef struct unprefixed {
    pickle_emitter *e;
    bool begun;
} unprefixed;

static bool put_unprefixed(void *ctx, const void *data, size_t len)
{
    unprefixed *u = ctx;
    size_t skip = u->begun ? 0 : 1;

    u->begun = true;
    return put_escaped(u->e, (const char *)data + skip, len - skip);
}

void pickle_emit_py2_str(pickle_emitter *e, const void *data, size_t len)
{
    if (e->protocol > 2) {
        pickle__emit_fail(e, PICKLE_ERR_UNSUPPORTED, "protocol %d has no str of Python 2",
                          e->protocol);
    } else if (e->protocol == 0) {
        pickle__emit_boundary(e);
        *e->at++ = PICKLE_OP_STRING;
        pickle__repr_bytes(data, len, (pickle_sink){ put_unprefixed, &(unprefixed){ e, false } });
        pickle__emit_byte(e, '\n');
    } else if (len < 256) {
        emit_counted(e, PICKLE_OP_SHORT_BINSTRING, 1, data, len);
    } else if (len <= INT32_MAX) {
        emit_counted(e, PICKLE_OP_BINSTRING, 4, data, len);
    } else {
        too_long(e, len);
    }
}

/* \uXXXX or \UXXXXXXXX; returns the end. */
static unsigned char *put_escape(unsigned char *at, uint32_t c)
{
    static const char digits[] = "0123456789abcdef";
    int width = c < 0x10000 ? 4 : 8;

    *at++ = '\\';
    *at++ = width == 4 ? 'u' : 'U';
    for (int i = width - 1; i >= 0; i--)
        *at++ = (unsigned char)digits[c >> (4 * i) & 15];
    return at;
}

/* What would end the line, or read as an escape; Python 2 and 3.6 escape fewer. */
static bool must_escape(uint32_t c, bool old)
{
    return c >= 256 || c == '\\' || c == '\n' || (!old && (c == 0 || c == '\r' || c == 0x1a));
}

static void put_char(pickle_emitter *e, uint32_t c, bool old)
{
    pickle__emit_room(e);
    if (must_escape(c, old))
        e->at = put_escape(e->at, c);
    else
        *e->at++ = (unsigned char)c;
}

void pickle__emit_text_str(pickle_emitter *e, const char *text, size_t len, bool old)
{
    const char *p = text, *end = text + len;

    pickle__emit_boundary(e);
    *e->at++ = PICKLE_OP_UNICODE;
    while (p < end)
        put_char(e, pickle__utf8_next(&p), old);
    pickle__emit_byte(e, '\n');
}

/* -------------------------------------------------- bytes as latin1 characters */

static size_t utf8_size(const unsigned char *data, size_t len)
{
    size_t n = len;

    for (size_t i = 0; i < len; i++)
        n += data[i] >> 7;
    return n;
}

/* A piece at a time, so that no copy of the whole is needed. */
#define PIECE ((size_t)16 << 10)

static void put_utf8(pickle_emitter *e, const unsigned char *data, size_t len)
{
    unsigned char piece[2 * PIECE];

    while (len > 0) {
        size_t n = len < PIECE ? len : PIECE, filled = 0;

        for (size_t i = 0; i < n; i++) {
            if (data[i] >= 0x80)
                piece[filled++] = (unsigned char)(0xc0 | data[i] >> 6);
            piece[filled++] = data[i] < 0x80 ? data[i] : (unsigned char)(0x80 | (data[i] & 0x3f));
        }
        put_inside(e, piece, filled);
        data += n;
        len -= n;
    }
}

/* Protocol 0: each byte stands for itself, or is escaped. */
static void put_raw(pickle_emitter *e, const unsigned char *data, size_t len)
{
    pickle__emit_boundary(e);
    *e->at++ = PICKLE_OP_UNICODE;
    for (size_t i = 0; i < len; i++)
        put_char(e, data[i], false);
    pickle__emit_byte(e, '\n');
}

void pickle__emit_latin1(pickle_emitter *e, const void *data, size_t len)
{
    unsigned char head[5] = { PICKLE_OP_BINUNICODE };
    size_t size = utf8_size(data, len);

    if (e->protocol == 0) {
        put_raw(e, data, len);
        return;
    }
    if (size > UINT32_MAX) {
        too_long(e, size);
        return;
    }
    pickle__put_u32(head + 1, (uint32_t)size);
    pickle__emit_boundary(e);
    put_inside(e, head, sizeof head);
    put_utf8(e, data, len);
}

/* ------------------------------------------------------------ names, memo */

/* Python 3 reads ASCII after INST and PERSID, and UTF-8 after GLOBAL; but it writes that from
 * protocol 3 on. */
static bool check_line(pickle_emitter *e, pickle_opcode op, const char *text, size_t len)
{
    if (memchr(text, '\n', len))
        return pickle__emit_fail(e, PICKLE_ERR_UNSUPPORTED,
                                 "%s cannot hold a name with a line feed",
                                 pickle__op_table[op].name);
    if ((op != PICKLE_OP_GLOBAL || e->protocol < 3) && !pickle__is_ascii(text, len))
        return pickle__emit_fail(e, PICKLE_ERR_UNSUPPORTED, "%s of protocol %d holds ASCII text",
                                 pickle__op_table[op].name, e->protocol);
    return true;
}

void pickle__emit_lines(pickle_emitter *e, pickle_opcode op, const char *text, size_t len,
                        const char *text2, size_t len2)
{
    if (!check_line(e, op, text, len) || (text2 && !check_line(e, op, text2, len2)))
        return;
    pickle__emit_byte(e, (unsigned char)op);
    put_inside(e, text, len);
    pickle__emit_byte(e, '\n');
    if (text2) {
        put_inside(e, text2, len2);
        pickle__emit_byte(e, '\n');
    }
}

void pickle_emit_global(pickle_emitter *e, const char *module, const char *name)
{
    pickle__emit_boundary(e);
    pickle__emit_lines(e, PICKLE_OP_GLOBAL, module, strlen(module), name, strlen(name));
}

void pickle_emit_inst(pickle_emitter *e, const char *module, const char *name)
{
    pickle__emit_lines(e, PICKLE_OP_INST, module, strlen(module), name, strlen(name));
}

void pickle_emit_persid(pickle_emitter *e, const char *id)
{
    pickle__emit_boundary(e);
    pickle__emit_lines(e, PICKLE_OP_PERSID, id, strlen(id), NULL, 0);
}

void pickle_emit_ext(pickle_emitter *e, int32_t code)
{
    unsigned char head[5] = { PICKLE_OP_EXT4 };
    size_t len = 5;

    if (code <= 0) {
        pickle__emit_fail(e, PICKLE_ERR_ARG, "extension codes begin at 1");
        return;
    }
    if (!allowed(e, PICKLE_OP_EXT1))
        return;
    pickle__put_u32(head + 1, (uint32_t)code);
    if (code < 65536) {
        head[0] = code < 256 ? PICKLE_OP_EXT1 : PICKLE_OP_EXT2;
        len = code < 256 ? 2 : 3;
    }
    pickle__emit_boundary(e);
    put_inside(e, head, len);
}

void pickle__emit_memo(pickle_emitter *e, pickle_opcode op, uint64_t key)
{
    char text[PICKLE__INT_CHARS];

    pickle__emit_room(e);
    if (e->protocol == 0)
        pickle__emit_lines(e, op, text, pickle__i64_repr(text, (int64_t)key), NULL, 0);
    else if (key > UINT32_MAX && (op == PICKLE_OP_GET || e->protocol < 4))
        pickle__emit_fail(e, PICKLE_ERR_UNSUPPORTED, "the memo has more than 2^32 entries");
    else if (op == PICKLE_OP_PUT)
        e->at = pickle__put_put(e->at, e->protocol, key);
    else
        e->at = pickle__put_get(e->at, key);
}

uint64_t pickle_emit_put(pickle_emitter *e)
{
    uint64_t key;

    if (e->memo == e->memo_gap)
        e->memo += e->memo_gap != 0;
    key = e->memo++ + (e->memo_from_one ? 1 : 0);
    pickle__emit_memo(e, PICKLE_OP_PUT, key);
    return key;
}

void pickle_emit_get(pickle_emitter *e, uint64_t key)
{
    pickle__emit_boundary(e);
    pickle__emit_memo(e, PICKLE_OP_GET, key);
}

void pickle_emit_boundary(pickle_emitter *e)
{
    pickle__emit_boundary(e);
}

/* ------------------------------------------------------------------ interface */

/* Does it push something without looking at the stack? Then it begins a value. MARK is seen to by
 * the caller. */
static bool begins_value(const pickle_op_info *op)
{
    return *op->before == '\0' && op->code != PICKLE_OP_MARK;
}

void pickle_emit_op(pickle_emitter *e, pickle_opcode op)
{
    const pickle_op_info *info = pickle_op_info_of((uint8_t)op);

    if (!info || info->operand != PICKLE_ARG_NONE) {
        pickle__emit_fail(e, PICKLE_ERR_ARG, "%s is not an opcode without operand",
                          info ? info->name : "this");
        return;
    }
    if (!allowed(e, op))
        return;
    if (op == PICKLE_OP_STOP) {
        pickle__emit_stop(e);
        return;
    }
    if (op == PICKLE_OP_MEMOIZE)
        e->memo++;
    if (begins_value(info))
        pickle__emit_boundary(e);
    pickle__emit_byte(e, (unsigned char)op);
}

pickle_emitter *pickle_emitter_new(pickle_sink out, int protocol, const pickle_alloc *alloc)
{
    pickle_emitter *e;

    if (protocol < 0 || protocol > 5)
        return NULL;
    e = pickle__alloc(alloc, sizeof *e);
    if (!e)
        return NULL;
    if (!pickle__emitter_init(e, out, alloc)) {
        pickle__free(alloc, e, sizeof *e);
        return NULL;
    }
    e->protocol = protocol;
    return e;
}

bool pickle_emitter_finish(pickle_emitter *e, pickle_error *err)
{
    bool ok;

    if (!e)
        return pickle__no_memory(err, 0);
    if (e->open)
        pickle__emit_fail(e, PICKLE_ERR_ARG, "the pickle has no STOP");
    ok = pickle__emitter_close(e);
    if (!ok && err)
        *err = e->error;
    pickle__free(e->alloc, e, sizeof *e);
    return ok;
}

uint64_t pickle_emitter_offset(const pickle_emitter *e)
{
    return pickle__emit_offset(e);
}
