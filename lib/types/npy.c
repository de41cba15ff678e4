/*
 * npy.c - numpy's .npy format, versions 1 to 3: a magic, the length of the
 * header, the header (a dict in Python's notation), the data. Facts: numpy's
 * lib/format.py.
 */
#include "types/npy.h"

#include <stdio.h>

#include "types/make.h"

/* Python's own limit is 10,000 bytes; a record with thousands of fields has more. */
#define HEADER_MAX ((size_t)16 << 20)

typedef struct header {
    char *text; /* with a NUL, in the arena */
    const char *descr;
    char *descr_end;
    bool has_order, fortran;
    int ndim; /* -1: not seen */
    int64_t shape[PICKLE_MAXDIMS];
} header;

bool pickle__is_npy(const unsigned char *head, size_t len)
{
    return len >= PICKLE__NPY_MAGIC && memcmp(head, "\x93NUMPY", PICKLE__NPY_MAGIC) == 0;
}

static bool bad(pickle__vm *vm, const char *what)
{
    return pickle__vm_fail(vm, PICKLE_ERR_VALUE, ".npy: %s", what);
}

/* -------------------------------------------------------------- the header */

/* Headers before version 3 are latin1. */
static bool set_text(pickle__vm *vm, header *h, const unsigned char *data, size_t len, bool latin1)
{
    size_t room = latin1 ? 2 * len : len;
    char *end = h->text = pickle__arena_take(&vm->doc->arena, room + 1);

    if (!h->text)
        return pickle__vm_no_memory(vm);
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\0')
            return bad(vm, "the header holds a NUL");
        if (latin1 && data[i] >= 0x80) {
            *end++ = (char)(0xc0 | data[i] >> 6);
            *end++ = (char)(0x80 | (data[i] & 0x3f));
        } else {
            *end++ = (char)data[i];
        }
    }
    *end = '\0';
    return true;
}

static bool take_header(pickle__vm *vm, header *h)
{
    const unsigned char *at;
    size_t len, lead;
    unsigned version;

    if (!pickle__vm_refill(vm, 12))
        return false;
    at = vm->src->at;
    version = at[6];
    if (!pickle__is_npy(at, 12) || version < 1 || version > 3 || at[7] != 0)
        return bad(vm, "no version from 1.0 to 3.0");
    lead = version == 1 ? 10 : 12;
    len = version == 1 ? pickle__u16(at + 8) : pickle__u32(at + 8);
    if (len > HEADER_MAX)
        return bad(vm, "the header is longer than any");
    if (!pickle__vm_refill(vm, lead + len))
        return false;
    vm->src->at += lead + len;
    return set_text(vm, h, vm->src->at - len, len, version < 3);
}

/* Behind a value in Python's notation: brackets and texts are stepped over. NULL: it has no end. */
static char *value_end(char *p)
{
    size_t depth = 0;

    for (; *p; p++) {
        if (*p == '\'' || *p == '"') {
            char quote = *p++;

            while (*p && *p != quote)
                p += *p == '\\' && p[1] ? 2 : 1;
            if (!*p)
                return NULL;
        } else if (strchr("([{", *p)) {
            depth++;
        } else if (depth > 0 && strchr(")]}", *p)) {
            depth--;
        } else if (depth == 0 && strchr(",})]", *p)) {
            return p;
        }
    }
    return NULL;
}

static char *skip_blanks(char *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\t')
        p++;
    return p;
}

/* "(3, 4)", "(3L,)", "()" */
static bool parse_shape(header *h, const char *p)
{
    h->ndim = 0;
    if (*p++ != '(')
        return false;
    while (*p != ')') {
        uint64_t n = 0;

        if (h->ndim == PICKLE_MAXDIMS || *p < '0' || *p > '9')
            return false;
        for (; *p >= '0' && *p <= '9'; p++) {
            if (n > (INT64_MAX - 9) / 10)
                return false;
            n = n * 10 + (uint64_t)(*p - '0');
        }
        h->shape[h->ndim++] = (int64_t)n;
        p += *p == 'L';
        while (*p == ' ' || *p == ',')
            p++;
    }
    return true;
}

static bool parse_order(header *h, const char *p)
{
    h->fortran = strncmp(p, "True", 4) == 0;
    h->has_order = h->fortran || strncmp(p, "False", 5) == 0;
    return h->has_order;
}

/* One of the three entries that there must be. */
static bool parse_entry(header *h, const char *key, size_t key_len, char *value, char *end)
{
    if (key_len == 5 && memcmp(key, "descr", 5) == 0) {
        h->descr = value;
        h->descr_end = end;
        return true;
    }
    if (key_len == 13 && memcmp(key, "fortran_order", 13) == 0)
        return parse_order(h, value);
    return key_len == 5 && memcmp(key, "shape", 5) == 0 && parse_shape(h, value);
}

static bool parse_header(header *h)
{
    char *p = skip_blanks(h->text), *key, *end;

    if (*p++ != '{')
        return false;
    for (p = skip_blanks(p); *p != '}'; p = skip_blanks(p)) {
        if (*p != '\'' && *p != '"')
            return false;
        key = p + 1;
        end = strchr(key, *p);
        if (!end || *(p = skip_blanks(end + 1)) != ':')
            return false;
        p = skip_blanks(p + 1);
        if (!value_end(p) || !parse_entry(h, key, (size_t)(end - key), p, value_end(p)))
            return false;
        p = value_end(p);
        p += *p == ',';
    }
    return *skip_blanks(p + 1) == '\0' && h->descr && h->has_order && h->ndim >= 0;
}

/* ---------------------------------------------------------------- the data */

/* A constructor's failure, as the machine's. */
static pickle_val *checked(pickle__vm *vm, pickle_val *made)
{
    const pickle_error *failed = &vm->doc->failed;

    if (!made && failed->code == PICKLE_ERR_NOMEM)
        pickle__vm_no_memory(vm);
    else if (!made)
        pickle__vm_fail(vm, failed->code, ".npy: %s", failed->message);
    return made;
}

static pickle_val *read_data(pickle__vm *vm, const header *h, const pickle_dtype *dtype)
{
    uint64_t count, nbytes;
    const unsigned char *data;

    if (!pickle__array_size(h->shape, h->ndim, dtype->itemsize, &count, &nbytes)) {
        bad(vm, "the array's size exceeds 2^63");
        return NULL;
    }
    data = pickle__vm_take_payload(vm, nbytes);
    if (!data)
        return NULL;
    return checked(vm, (h->fortran ? pickle_new_farray
                                   : pickle_new_array)(vm->doc, h->descr, h->ndim, h->shape, data));
}

pickle_val *pickle__read_npy(pickle__vm *vm)
{
    header h = { .ndim = -1 };
    pickle_val *dtype;
    pickle_dtype d;

    if (!take_header(vm, &h))
        return NULL;
    if (!parse_header(&h)) {
        bad(vm, "the header is no dict of descr, fortran_order and shape");
        return NULL;
    }
    *h.descr_end = '\0';
    dtype = checked(vm, pickle_new_dtype(vm->doc, h.descr));
    if (!dtype)
        return NULL;
    if (!pickle_get_dtype(dtype, &d)) {
        bad(vm, "the header's descr is no dtype");
        return NULL;
    }
    return d.hasobject ? pickle__vm_run_nested(vm) : read_data(vm, &h, &d);
}
