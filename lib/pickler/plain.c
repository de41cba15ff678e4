/* plain.c - ints, text and bytes, in opcodes or in the calls that stand for them. */
#include "pickler/save.h"

/* -------------------------------------------------------------------- ints */

static bool is_long(const pickle_val *v)
{
    return pickle__is_small(v) ? (uintptr_t)v & PICKLE__LONG_BIT : v->tag & PICKLE__LONG;
}

/* Python 2 had two types: LONG and LONG1 stand for the longer one, whatever the number. */
void pickle__save_int(pickle__pickler *p, const pickle_val *v)
{
    unsigned char small[8];
    const void *bytes = small;
    size_t len;
    int64_t n;
    bool fits = pickle_get_i64(v, &n) && n >= INT32_MIN && n <= INT32_MAX;

    if (pickle__is_small(v)) {
        len = pickle_int_bytes(v, small, sizeof small);
    } else {
        bytes = PICKLE__AS_CONST(pickle__big, v)->bytes;
        len = pickle__len(v);
    }
    if ((p->keep && is_long(v)) || (p->protocol == 0 && p->old_ints))
        pickle__emit_long(p->e, bytes, len);
    else if (p->py2 && !fits && !is_long(v) && len <= sizeof small)
        pickle__emit_decimal(p->e, PICKLE_OP_INT, bytes, len);
    else
        pickle_emit_bigint(p->e, bytes, len);
}

/* -------------------------------------------------------------------- text */

/*
 * Of strings and of bytes with one character or none CPython has one each, for
 * almost all that makes them. Which of those in a document are one, it shows; so
 * only what is made here looks for its like, and is found by what comes after.
 */
#define NOTHING 256
#define MADE    (UINT64_C(1) << 63) /* in a key: of a value that was made here */

/* The number of a latin1 character that is all of the text; NOTHING; -1 for everything else. */
static int single_char(const pickle_val *v)
{
    const unsigned char *t = (const unsigned char *)pickle__text(v);
    size_t len = pickle__len(v);

    if (len == 0)
        return NOTHING;
    if (len == 1 && t[0] < 0x80)
        return t[0];
    return len == 2 && (t[0] == 0xc2 || t[0] == 0xc3) ? (t[0] & 3) << 6 | (t[1] & 0x3f) : -1;
}

static int single_byte(const unsigned char *data, size_t len)
{
    return len == 0 ? NOTHING : len == 1 ? data[0] : -1;
}

static bool have_singles(pickle__pickler *p)
{
    if (!p->singles && pickle__scratch(p)) {
        p->singles = pickle__arena_take(&p->scratch->arena, sizeof *p->singles);
        if (p->singles)
            memset(p->singles, 0, sizeof *p->singles);
        else
            pickle__save_no_memory(p);
    }
    return p->singles;
}

static uint64_t *single_key(pickle__pickler *p, bool text, int which)
{
    if (which < 0 || !have_singles(p))
        return NULL;
    return text ? &p->singles->chars[which] : &p->singles->bytes[which];
}

/* True: it was there. `key` NULL is for everything longer. */
static bool get_single(pickle__pickler *p, const uint64_t *key, bool made)
{
    if (!key || *key == 0 || (!made && !(*key & MADE)))
        return false;
    pickle_emit_get(p->e, (*key & ~MADE) - 1);
    return true;
}

/* It gets its memo entry next. */
static void note_single(pickle__pickler *p, uint64_t *key, bool made)
{
    if (key && *key == 0 && !p->optimize)
        *key = (p->e->memo + 1 + (p->e->memo_from_one ? 1 : 0)) | (made ? MADE : 0);
}

static void emit_str(pickle__pickler *p, const pickle_val *v)
{
    const char *text = pickle__text(v);
    size_t len = pickle__len(v);

    if (pickle__likely(p->protocol > 0 && len < PICKLE__LONG_OPERAND)) {
        unsigned char *at = p->e->at;

        if (p->protocol >= 4 && len < 256) {
            *at++ = PICKLE_OP_SHORT_BINUNICODE;
            *at++ = (unsigned char)len;
        } else {
            *at++ = PICKLE_OP_BINUNICODE;
            at = pickle__put_u32(at, (uint32_t)len);
        }
        memcpy(at, text, len);
        p->e->at = at + len;
    } else if (p->protocol == 0) {
        pickle__emit_text_str(p->e, text, len, p->old_text);
    } else {
        pickle_emit_str(p->e, text, len);
    }
}

static void emit_py2_str(pickle__pickler *p, const pickle_val *v)
{
    const pickle__raw_str *raw = PICKLE__AS_CONST(pickle__raw_str, v);

    if (v->tag & PICKLE__RAW)
        pickle_emit_py2_str(p->e, raw->bytes, raw->size);
    else
        pickle_emit_py2_str(p->e, pickle__text(v), pickle__len(v));
}

void pickle__save_str(pickle__pickler *p, pickle_val *v)
{
    bool made = v->tag & PICKLE__LOOSE;
    uint64_t *key = p->keep ? NULL : single_key(p, true, single_char(v));

    if (get_single(p, key, made))
        return;
    if (p->py2 && v->tag & PICKLE__PY2)
        emit_py2_str(p, v);
    else
        emit_str(p, v);
    note_single(p, key, made);
    pickle__save_put(p, v);
}

/* ------------------------------------------------------------------- bytes */

/* What was made for this; NULL: that has failed. */
static void save_made(pickle__pickler *p, pickle_val *made)
{
    if (made)
        pickle__save_value(p, made);
}

/* An argument that Python made for this call. */
static void save_latin1(pickle__pickler *p, const unsigned char *data, size_t len)
{
    uint64_t *key = single_key(p, true, single_byte(data, len));

    if (get_single(p, key, true))
        return;
    pickle__emit_latin1(p->e, data, len);
    note_single(p, key, true);
    pickle__save_put_temporary(p);
}

/* Protocols 0 to 2 know no bytes: _codecs.encode(text, 'latin1'), or bytes(). Without a memo entry
 * for the result. */
static void emit_encoded(pickle__pickler *p, const unsigned char *data, size_t len)
{
    if (len == 0) {
        save_made(p, pickle__save_named(p, "builtins", "bytes"));
        pickle__emit_boundary(p->e);
        if (p->protocol == 0)
            pickle__save_mark(p, 0), pickle__save_tuple(p, 0);
        else
            pickle__emit_byte(p->e, PICKLE_OP_EMPTY_TUPLE);
    } else {
        save_made(p, pickle__save_named(p, "_codecs", "encode"));
        pickle__emit_boundary(p->e);
        pickle__save_mark(p, 2);
        save_latin1(p, data, len);
        save_made(p, pickle__save_interned(p, "latin1", 6));
        pickle__save_tuple(p, 2);
        pickle__save_put_temporary(p);
    }
    pickle__emit_byte(p->e, PICKLE_OP_REDUCE);
}

static void emit_bytes(pickle__pickler *p, const unsigned char *data, size_t len)
{
    if (p->protocol >= 3)
        pickle_emit_bytes(p->e, data, len);
    else
        emit_encoded(p, data, len);
}

void pickle__save_bytes(pickle__pickler *p, const pickle_val *v)
{
    const pickle__bytes *b = PICKLE__AS_CONST(pickle__bytes, v);
    bool made = v->tag & PICKLE__LOOSE;
    uint64_t *key = p->keep ? NULL : single_key(p, false, single_byte(b->data, pickle__len(v)));

    if (get_single(p, key, made))
        return;
    if (p->py2 && v->tag & PICKLE__PY2)
        pickle_emit_py2_str(p->e, b->data, pickle__len(v));
    else
        emit_bytes(p, b->data, pickle__len(v));
    note_single(p, key, made);
    pickle__save_put(p, v);
}

/* Below protocol 5: bytearray(bytes), or bytearray(). */
static void emit_bytearray(pickle__pickler *p, const unsigned char *data, size_t len)
{
    if (p->protocol >= 5) {
        pickle_emit_bytearray(p->e, data, len);
        return;
    }
    save_made(p, pickle__save_named(p, "builtins", "bytearray"));
    pickle__emit_boundary(p->e);
    if (len == 0 && p->protocol > 0) {
        pickle__emit_byte(p->e, PICKLE_OP_EMPTY_TUPLE);
    } else {
        pickle__save_mark(p, len > 0);
        if (len > 0) {
            pickle__emit_boundary(p->e);
            emit_bytes(p, data, len);
            pickle__save_put_temporary(p);
        }
        pickle__save_tuple(p, len > 0);
        if (len > 0)
            pickle__save_put_temporary(p);
    }
    pickle__emit_byte(p->e, PICKLE_OP_REDUCE);
}

void pickle__save_bytearray(pickle__pickler *p, const pickle_val *v)
{
    emit_bytearray(p, PICKLE__AS_CONST(pickle__bytes, v)->data, pickle__len(v));
    pickle__save_put(p, v);
}

/* ----------------------------------------------------------------- buffers */

/* Out of band when the caller takes it, or when nobody had it to begin with. */
static bool is_taken(pickle__pickler *p, const pickle_val *v)
{
    pickle_buffer b = { PICKLE__AS_CONST(pickle__bytes, v)->data, pickle__len(v),
                        (v->tag & PICKLE__READONLY) != 0 };

    if (p->protocol < 5)
        return false;
    return v->tag & PICKLE__ABSENT || (p->opts->on_buffer && p->opts->on_buffer(p->opts->ctx, &b));
}

void pickle__save_buffer(pickle__pickler *p, const pickle_val *v)
{
    const pickle__bytes *b = PICKLE__AS_CONST(pickle__bytes, v);

    if (is_taken(p, v)) {
        pickle_emit_buffer(p->e, v->tag & PICKLE__READONLY);
        if (v->tag & PICKLE__MEMOIZED && p->keep)
            pickle__save_put(p, v);
        return;
    }
    if (v->tag & PICKLE__ABSENT) {
        pickle__save_fail(p, PICKLE_ERR_MISSING, "the buffer is not in the document");
        return;
    }
    if (v->tag & PICKLE__READONLY)
        emit_bytes(p, b->data, pickle__len(v));
    else
        emit_bytearray(p, b->data, pickle__len(v));
    pickle__save_put(p, v);
}
