/* operand_text.c - operands as pickletools decodes and shows them. */
#include <math.h>

#include "base/number.h"
#include "base/text.h"
#include "op/operand_text.h"

typedef struct decoder {
    pickle__arg *arg;
    const pickle_event *ev;
    pickle_buf *scratch;
    pickle_error *err;
} decoder;

PICKLE__COLD static bool fail(const decoder *d, pickle_status code, const char *reason)
{
    pickle__fail(d->err, code, d->ev->offset, "%s: %s", d->ev->op->name, reason);
    if (d->err)
        d->err->opcode = d->ev->op->code;
    return false;
}

PICKLE__COLD static bool no_memory(const decoder *d)
{
    pickle__no_memory(d->err, d->ev->offset);
    if (d->err)
        d->err->opcode = d->ev->op->code;
    return false;
}

/* -------------------------------------------------------------------- text */

/* An empty scratch buffer with room for `size` bytes; it has memory also when that is none. */
static bool room(const decoder *d, size_t size)
{
    d->scratch->len = 0;
    return pickle__buf_reserve(d->scratch, size ? size : 1) || no_memory(d);
}

static bool set_str(const decoder *d, size_t len)
{
    d->arg->kind = PICKLE__ARG_STR;
    d->arg->data = d->scratch->data;
    d->arg->len = len;
    return true;
}

static bool decode_utf8(const decoder *d)
{
    pickle__text_error error;
    unsigned flags;

    if (!room(d, d->ev->len))
        return false;
    if (!pickle__utf8_copy((char *)d->scratch->data, d->ev->data, d->ev->len, &flags, &error))
        return fail(d, PICKLE_ERR_OPERAND, error.reason);
    return set_str(d, d->ev->len);
}

static bool decode_latin1(const decoder *d)
{
    pickle__text_error error;
    unsigned flags;
    size_t len;

    len = pickle__decode(NULL, d->ev->data, d->ev->len, PICKLE__LATIN1, PICKLE__STRICT, &flags,
                         &error);
    if (!room(d, len))
        return false;
    pickle__decode((char *)d->scratch->data, d->ev->data, d->ev->len, PICKLE__LATIN1,
                   PICKLE__STRICT, &flags, &error);
    return set_str(d, len);
}

static bool decode_raw_unicode(const decoder *d)
{
    pickle__text_error error;
    unsigned flags;
    size_t len;

    len = pickle__decode_raw_unicode_escape(NULL, d->ev->data, d->ev->len, &flags, &error);
    if (len == SIZE_MAX)
        return fail(d, PICKLE_ERR_OPERAND, error.reason);
    if (!room(d, len))
        return false;
    pickle__decode_raw_unicode_escape((char *)d->scratch->data, d->ev->data, d->ev->len, &flags,
                                      &error);
    return set_str(d, len);
}

/* Add a line to the scratch buffer, its escapes undone; pickletools wants ASCII then. */
static bool add_escaped(const decoder *d, const unsigned char *src, size_t len)
{
    unsigned char *dst = d->scratch->data + d->scratch->len;
    pickle__text_error error;

    len = pickle__decode_escapes(dst, src, len, &error);
    if (len == SIZE_MAX)
        return fail(d, PICKLE_ERR_OPERAND, error.reason);
    for (size_t i = 0; i < len; i++)
        if (dst[i] >= 0x80)
            return fail(d, PICKLE_ERR_OPERAND, "not ASCII");
    d->scratch->len += len;
    return set_str(d, d->scratch->len);
}

static bool decode_line(const decoder *d)
{
    return room(d, d->ev->len) && add_escaped(d, d->ev->data, d->ev->len);
}

/* Both lines, with a blank between them. */
static bool decode_two_lines(const decoder *d)
{
    const unsigned char *src = d->ev->data, *lf = memchr(src, '\n', d->ev->len);
    size_t first = (size_t)(lf - src);

    if (!room(d, d->ev->len) || !add_escaped(d, src, first))
        return false;
    d->scratch->data[d->scratch->len++] = ' ';
    return add_escaped(d, lf + 1, d->ev->len - first - 1);
}

static bool decode_quoted(const decoder *d)
{
    const unsigned char *src = d->ev->data;
    size_t len = d->ev->len;

    if (len == 0 || (src[0] != '"' && src[0] != '\''))
        return fail(d, PICKLE_ERR_OPERAND, "no quotes around the text");
    if (src[len - 1] != src[0])
        return fail(d, PICKLE_ERR_OPERAND, "the closing quote is missing");
    /* A line that is one quote and nothing else counts as an empty text. */
    return room(d, len) && add_escaped(d, src + 1, len > 1 ? len - 2 : 0);
}

/* ----------------------------------------------------------------- numbers */

static bool set_int(const decoder *d, int64_t num)
{
    d->arg->kind = PICKLE__ARG_INT;
    d->arg->num = num;
    return true;
}

static bool set_long(const decoder *d, const unsigned char *bytes, size_t len)
{
    uint64_t num = 0;

    len = pickle__int_trim(bytes, len);
    if (len > 8) {
        d->arg->kind = PICKLE__ARG_BIGINT;
        d->arg->data = bytes;
        d->arg->len = len;
        return true;
    }
    if (len > 0 && bytes[len - 1] >= 0x80)
        num = UINT64_MAX;
    while (len > 0)
        num = num << 8 | bytes[--len];
    return set_int(d, (int64_t)num);
}

static bool decode_u8(const decoder *d)
{
    uint64_t num = (uint64_t)d->ev->num;

    if (num <= INT64_MAX)
        return set_int(d, (int64_t)num);
    if (!room(d, 9))
        return false;
    for (int i = 0; i < 9; i++)
        d->scratch->data[i] = i < 8 ? (unsigned char)(num >> (8 * i)) : 0;
    return set_long(d, d->scratch->data, 9);
}

static bool parse_int(const decoder *d, const unsigned char *text, size_t len)
{
    const pickle_alloc *alloc = d->scratch->alloc;
    pickle__int n;
    pickle_status status;

    status = pickle__int_parse(text, len, 10, PICKLE__INT_DIGITS_MAX, alloc, &n);
    if (status == PICKLE_ERR_NOMEM)
        return no_memory(d);
    if (status == PICKLE_ERR_LIMIT)
        return fail(d, status, "an integer of too many digits");
    if (status != PICKLE_OK)
        return fail(d, status, "not a decimal integer");
    if (n.fits)
        return set_int(d, n.small);
    pickle_buf_free(d->scratch);
    *d->scratch = (pickle_buf){ .data = n.bytes, .len = n.len, .cap = n.size, .alloc = alloc };
    return set_long(d, n.bytes, n.len);
}

/* Protocols 0 and 1 have no other way to write a bool. */
static bool decode_int_line(const decoder *d)
{
    const unsigned char *text = d->ev->data;

    if (d->ev->len != 2 || text[0] != '0' || (text[1] != '0' && text[1] != '1'))
        return parse_int(d, text, d->ev->len);
    d->arg->kind = PICKLE__ARG_BOOL;
    d->arg->num = text[1] - '0';
    return true;
}

static bool decode_long_line(const decoder *d)
{
    size_t len = d->ev->len;

    return parse_int(d, d->ev->data, len > 0 && d->ev->data[len - 1] == 'L' ? len - 1 : len);
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * The double in `text`. float() has infinity for what is too large, which must
 * still be a number from end to end: with zeros for its digits it is one, too.
 */
static bool parse_float(unsigned char *text, size_t len, double *out)
{
    bool overflow;

    if (pickle__float_parse(text, len, out, &overflow))
        return true;
    for (size_t i = 0; overflow && i < len; i++)
        if (is_digit(text[i]))
            text[i] = '0';
    if (!overflow || !pickle__float_parse(text, len, out, &overflow))
        return false;
    *out = text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    return true;
}

/* float() takes blanks around the number and underscores between digits. */
static bool decode_float_line(const decoder *d)
{
    const unsigned char *src = d->ev->data;
    size_t from = 0, to = d->ev->len, len = 0;

    if (!room(d, to))
        return false;
    while (from < to && is_blank(src[from]))
        from++;
    while (from < to && is_blank(src[to - 1]))
        to--;
    for (size_t i = from; i < to; i++) {
        bool between = i > from && is_digit(src[i - 1]) && i + 1 < to && is_digit(src[i + 1]);

        if (src[i] == '\0' || (src[i] == '_' && !between))
            return fail(d, PICKLE_ERR_OPERAND, "not a number");
        if (src[i] != '_')
            d->scratch->data[len++] = src[i];
    }
    d->arg->kind = PICKLE__ARG_FLOAT;
    return parse_float(d->scratch->data, len, &d->arg->real) ||
           fail(d, PICKLE_ERR_OPERAND, "not a number");
}

/* --------------------------------------------------------------- interface */

static bool set_bytes(const decoder *d, pickle__arg_kind kind)
{
    d->arg->kind = kind;
    d->arg->data = d->ev->data;
    d->arg->len = d->ev->len;
    return true;
}

bool pickle__arg_decode(pickle__arg *arg, const pickle_event *ev, pickle_buf *scratch,
                        pickle_error *err)
{
    const decoder d = { arg, ev, scratch, err };

    *arg = (pickle__arg){ .kind = PICKLE__ARG_NOTHING };
    switch ((pickle_operand)ev->op->operand) {
    case PICKLE_ARG_NONE:
        return true;
    case PICKLE_ARG_U1:
    case PICKLE_ARG_U2:
    case PICKLE_ARG_I4:
    case PICKLE_ARG_U4:
        return set_int(&d, ev->num);
    case PICKLE_ARG_U8:
        return decode_u8(&d);
    case PICKLE_ARG_F8:
        arg->kind = PICKLE__ARG_FLOAT;
        arg->real = ev->real;
        return true;
    case PICKLE_ARG_LONG1:
    case PICKLE_ARG_LONG4:
        return set_long(&d, ev->data, ev->len);
    case PICKLE_ARG_STRING1:
    case PICKLE_ARG_STRING4:
        return decode_latin1(&d);
    case PICKLE_ARG_BYTES1:
    case PICKLE_ARG_BYTES4:
    case PICKLE_ARG_BYTES8:
        return set_bytes(&d, PICKLE__ARG_BYTES);
    case PICKLE_ARG_BYTEARRAY8:
        return set_bytes(&d, PICKLE__ARG_BYTEARRAY);
    case PICKLE_ARG_UNICODE1:
    case PICKLE_ARG_UNICODE4:
    case PICKLE_ARG_UNICODE8:
        return decode_utf8(&d);
    case PICKLE_ARG_INTLINE:
        return decode_int_line(&d);
    case PICKLE_ARG_LONGLINE:
        return decode_long_line(&d);
    case PICKLE_ARG_FLOATLINE:
        return decode_float_line(&d);
    case PICKLE_ARG_STRINGLINE:
        return decode_quoted(&d);
    case PICKLE_ARG_UNICODELINE:
        return decode_raw_unicode(&d);
    case PICKLE_ARG_LINE:
        return decode_line(&d);
    case PICKLE_ARG_TWOLINES:
        return decode_two_lines(&d);
    }
    return true;
}

bool pickle__arg_digits(const pickle__arg *arg, const pickle_event *ev, pickle_buf *digits,
                        pickle_error *err)
{
    decoder d = { .ev = ev, .err = err };
    size_t sign;

    digits->len = 0;
    /* A byte is more than two digits: what is longer need not be converted to be refused. */
    if (arg->len > PICKLE__INT_DIGITS_MAX / 2)
        return fail(&d, PICKLE_ERR_LIMIT, "an integer of too many digits");
    if (!pickle__int_repr(arg->data, arg->len, pickle_sink_buf(digits), digits->alloc))
        return no_memory(&d);
    sign = digits->data[0] == '-';
    if (digits->len - sign > PICKLE__INT_DIGITS_MAX)
        return fail(&d, PICKLE_ERR_LIMIT, "an integer of too many digits");
    return true;
}

static bool put_float(double real, pickle_sink out)
{
    char text[PICKLE__FLOAT_CHARS];

    return out.write(out.ctx, text, pickle__float_repr(text, real));
}

static bool put_int(int64_t num, pickle_sink out)
{
    char text[PICKLE__INT_CHARS];

    return out.write(out.ctx, text, pickle__i64_repr(text, num));
}

bool pickle__arg_repr(const pickle__arg *arg, pickle_sink out)
{
    switch (arg->kind) {
    case PICKLE__ARG_BOOL:
        return pickle__put(out, arg->num ? "True" : "False");
    case PICKLE__ARG_INT:
        return put_int(arg->num, out);
    case PICKLE__ARG_FLOAT:
        return put_float(arg->real, out);
    case PICKLE__ARG_STR:
        return pickle__repr_str((const char *)arg->data, arg->len, out);
    case PICKLE__ARG_BYTES:
        return pickle__repr_bytes(arg->data, arg->len, out);
    case PICKLE__ARG_BYTEARRAY:
        return pickle__repr_bytearray(arg->data, arg->len, out);
    case PICKLE__ARG_NOTHING:
    case PICKLE__ARG_BIGINT:
        break;
    }
    return true;
}
