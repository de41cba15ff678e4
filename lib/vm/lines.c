/* lines.c - the text operands of protocol 0, and Python 2's str. */
#include "base/number.h"
#include "vm/vm.h"

/* C code reads a line up to its first NUL. */
static size_t until_nul(const unsigned char *text, size_t len)
{
    const unsigned char *nul = len ? memchr(text, 0, len) : NULL;

    return nul ? (size_t)(nul - text) : len;
}

static pickle_val *bad_number(pickle__vm *vm, const char *what, const unsigned char *text,
                              size_t len)
{
    char quoted[80];

    pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "'%s' is no %s",
                    pickle__escape(quoted, sizeof quoted, text, len), what);
    return NULL;
}

/* Python's int(text, base). */
static pickle_val *parse_int(pickle__vm *vm, const unsigned char *text, size_t len, int base)
{
    pickle__int n;
    pickle_val *v;
    pickle_status status =
        pickle__int_parse(text, len, base, vm->set->int_digits, vm->doc->alloc, &n);

    if (status == PICKLE_ERR_LIMIT)
        pickle__vm_fail(vm, status, "the integer has more than limits.int_digits = %llu digits",
                        (unsigned long long)vm->set->int_digits);
    else if (status == PICKLE_ERR_NOMEM)
        pickle__no_memory(vm->err, vm->op_offset);
    else if (status != PICKLE_OK)
        bad_number(vm, "integer", text, len);
    if (status != PICKLE_OK)
        return NULL;
    v = n.fits ? pickle__new_int(vm->doc, n.small) : pickle__new_big(vm->doc, n.bytes, n.len);
    if (!n.fits)
        pickle__free(vm->doc->alloc, n.bytes, n.size);
    if (!v)
        pickle__vm_no_memory(vm);
    return v;
}

/*
 * As CPython up to 3.13: what C's strtol reads whole is the number, and a bool if
 * it is 0 or 1 in two characters, be they "01" or "+1"; what it does not read
 * is int(text, 0).
 */
pickle_val *pickle__vm_int_line(pickle__vm *vm, const unsigned char *text, size_t len)
{
    size_t used, end = until_nul(text, len);
    int64_t n;
    bool overflow;

    if (len == 0)
        return bad_number(vm, "integer", text, 0);
    used = pickle__strtol(text, end, 0, &n, &overflow);
    if (overflow || used != end)
        return parse_int(vm, text, end, 0);
    if (len == 2 && n == 0)
        return PICKLE__AS_STATIC(pickle__false);
    if (len == 2 && n == 1)
        return PICKLE__AS_STATIC(pickle__true);
    if (n != (int32_t)n)
        vm->doc->traits.py2_str = true; /* Python 3 has LONG for these */
    else
        vm->doc->traits.text = vm->doc->traits.int_lines = true;
    return pickle__new_int(vm->doc, n);
}

pickle_val *pickle__vm_long_line(pickle__vm *vm, const unsigned char *text, size_t len)
{
    if (len == 0)
        return bad_number(vm, "integer", text, 0);
    if (text[len - 1] == 'L')
        len--;
    return parse_int(vm, text, until_nul(text, len), 0);
}

pickle_val *pickle__vm_float_line(pickle__vm *vm, const unsigned char *text, size_t len)
{
    pickle_val *v;
    double x;
    bool overflow;

    if (!pickle__float_parse(text, len, &x, &overflow)) {
        if (!overflow)
            return bad_number(vm, "float", text, len);
        pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the float is too large");
        return NULL;
    }
    v = pickle__small_float(x);
    if (!v)
        v = pickle__new_float(vm->doc, x);
    if (!v)
        pickle__vm_no_memory(vm);
    return v;
}

bool pickle__vm_memo_line(pickle__vm *vm, const unsigned char *text, size_t len, uint64_t *key)
{
    pickle_val *v;
    int64_t n;

    if (len == 0)
        return bad_number(vm, "memo key", text, 0) != NULL;
    v = parse_int(vm, text, until_nul(text, len), 10);
    if (!v)
        return false;
    /* To Python 2's pickle.py, keys are texts. */
    if (!pickle_get_i64(v, &n) || (n < 0 && vm->set->strict))
        return bad_number(vm, "memo key", text, len) != NULL;
    *key = (uint64_t)n;
    return true;
}

/* -------------------------------------------------------------------- text */

static pickle_val *bad_text(pickle__vm *vm, const char *codec, const pickle__text_error *e)
{
    pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the text is no %s: %s at its byte %zu", codec,
                    e->reason, e->at);
    return NULL;
}

static const char *encoding_name(pickle__encoding encoding)
{
    static const char *const names[] = { "latin1", "ASCII", "UTF-8", "bytes" };

    return names[encoding];
}

static uint64_t text_flags(unsigned flags)
{
    return flags & PICKLE__TEXT_SURROGATES ? PICKLE__SURROGATES : 0;
}

/* What is decoded to other bytes keeps its own: array data come as Python 2 str, too. */
static pickle_val *raw_str(pickle__vm *vm, const unsigned char *data, size_t len, size_t text_len)
{
    pickle__raw_str *s = NULL;
    pickle__text_error e;
    unsigned flags;

    if (text_len < SIZE_MAX / 2)
        s = pickle__arena_take(&vm->doc->arena, sizeof *s + text_len + 1);
    if (!s) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    s->v.tag = PICKLE__TAG(PICKLE_STR, text_len) | PICKLE__PY2 | PICKLE__RAW;
    s->bytes = data;
    s->size = len;
    pickle__decode(s->text, data, len, vm->set->encoding, vm->set->on_error, &flags, &e);
    s->text[text_len] = '\0';
    s->v.tag |= text_flags(flags);
    return &s->v;
}

pickle_val *pickle__vm_py2_str(pickle__vm *vm, const unsigned char *data, size_t len)
{
    pickle__text_error e;
    pickle_val *v;
    size_t text_len;
    unsigned flags;

    vm->doc->traits.py2_str = true;
    if (vm->set->encoding == PICKLE__BYTES) {
        v = pickle__new_bytes(vm->doc, PICKLE_BYTES, data, len);
    } else {
        text_len =
            pickle__decode(NULL, data, len, vm->set->encoding, vm->set->on_error, &flags, &e);
        if (text_len == SIZE_MAX)
            return bad_text(vm, encoding_name(vm->set->encoding), &e);
        if (flags)
            return raw_str(vm, data, len, text_len);
        v = PICKLE__AS(pickle_val, pickle__new_text(vm->doc, (const char *)data, len));
    }
    if (v)
        v->tag |= PICKLE__PY2;
    else
        pickle__vm_no_memory(vm);
    return v;
}

pickle_val *pickle__vm_string_line(pickle__vm *vm, const unsigned char *text, size_t len)
{
    pickle__text_error e;
    unsigned char *data;

    if (len < 2 || text[0] != text[len - 1] || (text[0] != '\'' && text[0] != '"')) {
        pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the text is not in quotes");
        return NULL;
    }
    data = pickle__arena_take(&vm->doc->arena, len);
    if (!data) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    len = pickle__decode_escapes(data, text + 1, len - 2, &e);
    if (len == SIZE_MAX)
        return bad_text(vm, "bytes literal", &e);
    return pickle__vm_py2_str(vm, data, len);
}

pickle_val *pickle__vm_unicode_line(pickle__vm *vm, const unsigned char *text, size_t len)
{
    pickle__text_error e;
    pickle__str *s;
    unsigned flags;
    size_t text_len = pickle__decode_raw_unicode_escape(NULL, text, len, &flags, &e);

    if (text_len == SIZE_MAX)
        return bad_text(vm, "raw-unicode-escape", &e);
    s = pickle__new_str(vm->doc, text_len);
    if (!s) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    pickle__decode_raw_unicode_escape(s->text, text, len, &flags, &e);
    s->v.tag |= text_flags(flags);
    /* Python 3.7 and later escape these. */
    if (memchr(text, '\0', len) || memchr(text, '\r', len) || memchr(text, 0x1a, len))
        vm->doc->traits.old_text = true;
    return &s->v;
}
