/* decode.c - the operands of events as bytes, text and integers. */
#include "base/number.h"
#include "base/text.h"
#include "op/operand.h"

#define INT_DIGITS 2000000

static bool fail(const pickle_event *ev, pickle_error *err, pickle_status code, const char *why)
{
    pickle__fail(err, code, ev->offset, "%s: %s", ev->op->name, why);
    if (err)
        err->opcode = ev->op->code;
    return false;
}

static bool is_whole(const pickle_event *ev, pickle_error *err)
{
    return (ev->first && ev->last) ||
           fail(ev, err, PICKLE_ERR_ARG, "the event is a piece of an operand");
}

/* Room for `len` bytes was made: they are there now, or were malformed. */
static bool decoded(const pickle_event *ev, pickle_buf *out, size_t len,
                    const pickle__text_error *e, pickle_error *err)
{
    if (len == SIZE_MAX)
        return fail(ev, err, PICKLE_ERR_OPERAND, e->reason);
    out->len += len;
    return true;
}

static bool decode_string(const pickle_event *ev, pickle_buf *out, pickle_error *err)
{
    pickle__text_error e;
    size_t len = ev->len;

    if (len < 2 || ev->data[0] != ev->data[len - 1] || (ev->data[0] != '\'' && ev->data[0] != '"'))
        return fail(ev, err, PICKLE_ERR_OPERAND, "the text is not in quotes");
    if (!pickle__buf_reserve(out, len))
        return pickle__no_memory(err, ev->offset);
    len = pickle__decode_escapes(out->data + out->len, ev->data + 1, len - 2, &e);
    return decoded(ev, out, len, &e, err);
}

static bool decode_unicode(const pickle_event *ev, pickle_buf *out, pickle_error *err)
{
    pickle__text_error e;
    unsigned flags;
    size_t len = pickle__decode_raw_unicode_escape(NULL, ev->data, ev->len, &flags, &e);

    if (len != SIZE_MAX) {
        if (!pickle__buf_reserve(out, len))
            return pickle__no_memory(err, ev->offset);
        pickle__decode_raw_unicode_escape((char *)out->data + out->len, ev->data, ev->len, &flags,
                                          &e);
    }
    return decoded(ev, out, len, &e, err);
}

bool pickle_decode_text(const pickle_event *ev, pickle_buf *out, pickle_error *err)
{
    pickle_operand kind = (pickle_operand)ev->op->operand;

    if (!is_whole(ev, err))
        return false;
    if (pickle__operand_shape(kind) == PICKLE__FIXED)
        return fail(ev, err, PICKLE_ERR_TYPE, "the operand has no bytes");
    if (kind == PICKLE_ARG_STRINGLINE)
        return decode_string(ev, out, err);
    if (kind == PICKLE_ARG_UNICODELINE)
        return decode_unicode(ev, out, err);
    return pickle__buf_add(out, ev->data, ev->len) || pickle__no_memory(err, ev->offset);
}

static bool add_small(const pickle_event *ev, int64_t n, pickle_buf *out, pickle_error *err)
{
    unsigned char bytes[8];

    return pickle__buf_add(out, bytes, pickle__i64_bytes(bytes, n)) ||
           pickle__no_memory(err, ev->offset);
}

static bool add_parsed(const pickle_event *ev, size_t len, int base, pickle_buf *out,
                       pickle_error *err)
{
    pickle__int n;
    pickle_status status = pickle__int_parse(ev->data, len, base, INT_DIGITS, out->alloc, &n);
    bool ok;

    if (status == PICKLE_ERR_NOMEM)
        return pickle__no_memory(err, ev->offset);
    if (status != PICKLE_OK)
        return fail(ev, err, status, "the text is no integer that can be read");
    if (n.fits)
        return add_small(ev, n.small, out, err);
    ok = pickle__buf_add(out, n.bytes, n.len);
    pickle__free(out->alloc, n.bytes, n.size);
    return ok || pickle__no_memory(err, ev->offset);
}

/* INT goes through C's strtol first, which knows octal; LONG may end in L; memo keys are decimal.
 */
static bool decode_line(const pickle_event *ev, pickle_buf *out, pickle_error *err)
{
    const unsigned char *nul = ev->len ? memchr(ev->data, 0, ev->len) : NULL;
    size_t len = nul ? (size_t)(nul - ev->data) : ev->len;
    int64_t n;
    bool overflow;

    if (ev->op->code == PICKLE_OP_GET || ev->op->code == PICKLE_OP_PUT)
        return add_parsed(ev, len, 10, out, err);
    if (ev->op->code == PICKLE_OP_LONG)
        return add_parsed(ev, len && ev->data[len - 1] == 'L' ? len - 1 : len, 0, out, err);
    if (len && pickle__strtol(ev->data, len, 0, &n, &overflow) == len && !overflow)
        return add_small(ev, n, out, err);
    return add_parsed(ev, len, 0, out, err);
}

bool pickle_decode_int(const pickle_event *ev, pickle_buf *out, pickle_error *err)
{
    if (!is_whole(ev, err))
        return false;
    switch (ev->op->operand) {
    case PICKLE_ARG_U1:
    case PICKLE_ARG_U2:
    case PICKLE_ARG_I4:
    case PICKLE_ARG_U4:
        return add_small(ev, ev->num, out, err);
    case PICKLE_ARG_LONG1:
    case PICKLE_ARG_LONG4:
        return pickle__buf_add(out, ev->data, pickle__int_trim(ev->data, ev->len)) ||
               pickle__no_memory(err, ev->offset);
    case PICKLE_ARG_INTLINE:
    case PICKLE_ARG_LONGLINE:
        return decode_line(ev, out, err);
    default:
        return fail(ev, err, PICKLE_ERR_TYPE, "the operand is no integer");
    }
}
