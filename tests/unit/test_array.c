/* test_array.c - dtypes and arrays against tables that numpy wrote; see make_arrays.py. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "table.h"
#include "types/numpy.h"

/* ------------------------------------------------------------------- helpers */

static pickle_doc *read_field(const table *t, int i)
{
    size_t size;
    unsigned char *data = table_hex(t, i, &size);
    pickle_error err;
    pickle_doc *doc = pickle_read(data, size, NULL, &err);

    ck_assert_msg(doc != NULL, "%s, row %d: %s", t->name, t->row, err.message);
    free(data);
    return doc;
}

/* An array without a document: `n` numbers in memory. */
static pickle_array plain_array(const char *dtype, const void *data, size_t size)
{
    pickle_array a = { .data = data, .nbytes = size, .ndim = 1 };

    ck_assert(pickle__parse_dtype(dtype, strlen(dtype), &a.dtype));
    a.shape[0] = (int64_t)(size / a.dtype.itemsize);
    a.strides[0] = (int64_t)a.dtype.itemsize;
    return a;
}

static void check_text(const table *t, pickle_buf *got, int i)
{
    size_t len;
    unsigned char *want = table_hex(t, i, &len);

    ck_assert_msg(got->len == len && memcmp(got->data, want, len) == 0,
                  "%s, row %d: want %.*s, got %.*s", t->name, t->row, (int)len, want, (int)got->len,
                  got->data);
    free(want);
    pickle_buf_free(got);
}

/* --------------------------------------------------------------- conversions */

static size_t part_size(const char *code)
{
    size_t size = (size_t)atoi(code + 1);

    return code[0] == 'c' ? size / 2 : size;
}

static void reverse_parts(unsigned char *data, size_t len, size_t size)
{
    for (; len > 0; len -= size, data += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char c = data[i];

            data[i] = data[size - 1 - i];
            data[size - 1 - i] = c;
        }
}

static void check_cast(const table *t, const pickle_array *a, const char *to,
                       const unsigned char *want, size_t len)
{
    unsigned char *got = malloc(len ? len : 1);
    pickle_error err;

    ck_assert_msg(pickle_array_copy(a, to, got, len, &err), "%s: %s", to, err.message);
    for (size_t i = 0; i < len; i++)
        ck_assert_msg(got[i] == want[i], "row %d, %s to %s: byte %zu is %02x, not %02x", t->row,
                      t->field[0], to, i, got[i], want[i]);
    free(got);
}

/* Every other element of twice as many, backwards. */
static void check_strided(const table *t, const pickle_array *a, const char *to,
                          const unsigned char *want, size_t len)
{
    size_t n = (size_t)a->shape[0], size = (size_t)a->dtype.itemsize;
    unsigned char *spread = malloc(2 * n * size + 1);
    pickle_array view = *a;

    for (size_t i = 0; i < n; i++)
        memcpy(spread + 2 * (n - 1 - i) * size + 1, (const char *)a->data + i * size, size);
    view.data = spread + 1 + (n ? 2 * (n - 1) * size : 0);
    view.strides[0] = -2 * (int64_t)size;
    check_cast(t, &view, to, want, len);
    free(spread);
}

static void check_casts(const table *t, unsigned char *from, size_t from_len, unsigned char *want,
                        size_t want_len)
{
    char codes[2][2][8]; /* from and to, little and big */

    for (int i = 0; i < 2; i++) {
        snprintf(codes[i][0], sizeof codes[i][0], "<%s", t->field[i]);
        snprintf(codes[i][1], sizeof codes[i][1], ">%s", t->field[i]);
    }
    for (int order = 0; order < 4; order++) {
        const char *to = codes[1][order & 1];
        pickle_array a = plain_array(codes[0][order >> 1], from, from_len);

        check_cast(t, &a, to, want, want_len);
        check_strided(t, &a, to, want, want_len);
        reverse_parts(want, want_len, part_size(t->field[1]));
        if (order & 1)
            reverse_parts(from, from_len, part_size(t->field[0]));
    }
}

START_TEST(test_casts)
{
    table t;

    table_open(&t, "casts.tsv");
    while (table_next(&t)) {
        size_t from_len, want_len;
        unsigned char *from = table_hex(&t, 2, &from_len), *want = table_hex(&t, 3, &want_len);

        check_casts(&t, from, from_len, want, want_len);
        free(from);
        free(want);
    }
}
END_TEST

START_TEST(test_saturation)
{
    static const double from[] = {
        300, -300, 1e30, -1e30, (double)INFINITY, -(double)INFINITY, (double)NAN
    };
    static const int8_t i1[] = { 127, -128, 127, -128, 127, -128, 0 };
    static const uint16_t u2[] = { 300, 0, 65535, 0, 65535, 0, 0 };
    static const int64_t i8[] = { 300, -300, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 0 };
    static const uint64_t u8[] = { 300, 0, UINT64_MAX, 0, UINT64_MAX, 0, 0 };
    pickle_array a = plain_array("f8", from, sizeof from), wide;
    unsigned char got[64], longs[16 * 7];

    ck_assert(pickle_array_copy(&a, "f16", longs, sizeof longs, NULL));
    wide = plain_array("f16", longs, sizeof longs);
    for (int i = 0; i < 2; i++) {
        const pickle_array *source = i ? &wide : &a;

        ck_assert(pickle_array_copy(source, "i1", got, sizeof i1, NULL));
        ck_assert_mem_eq(got, i1, sizeof i1);
        ck_assert(pickle_array_copy(source, "u2", got, sizeof u2, NULL));
        ck_assert_mem_eq(got, u2, sizeof u2);
        ck_assert(pickle_array_copy(source, "i8", got, sizeof i8, NULL));
        ck_assert_mem_eq(got, i8, sizeof i8);
        ck_assert(pickle_array_copy(source, "u8", got, sizeof u8, NULL));
        ck_assert_mem_eq(got, u8, sizeof u8);
    }
}
END_TEST

/* 32-bit Linux stores long doubles in 12 bytes; no numpy that makes the tables does. */
START_TEST(test_short_long_double)
{
    static const double from[] = { 0, -0.1, 1e300, 5e-324, 12345, 1.5 };
    static const uint64_t wide[] = { UINT64_MAX, INT64_MAX };
    unsigned char longs[12 * 6], again[12 * 2];
    double back[6];
    uint64_t wide_back[2];
    pickle_array a = plain_array("f8", from, sizeof from);

    ck_assert(pickle_array_copy(&a, ">f12", longs, sizeof longs, NULL));
    a = plain_array(">f12", longs, sizeof longs);
    ck_assert(pickle_array_copy(&a, "f8", back, sizeof back, NULL));
    ck_assert_mem_eq(from, back, sizeof from);
    a = plain_array("u8", wide, sizeof wide);
    ck_assert(pickle_array_copy(&a, "f12", again, sizeof again, NULL));
    a = plain_array("f12", again, sizeof again);
    ck_assert(pickle_array_copy(&a, "u8", wide_back, sizeof wide_back, NULL));
    ck_assert_mem_eq(wide, wide_back, sizeof wide);
}
END_TEST

/* More than a block of elements, and what does not divide into blocks. */
START_TEST(test_many)
{
    enum { N = 3001 };
    float *from = calloc(N, sizeof *from);
    double *to = malloc(N * sizeof *to);
    pickle_array a = plain_array("f4", from, N * sizeof *from);

    for (int i = 0; i < N; i++)
        from[i] = (float)i / 8;
    ck_assert(pickle_array_copy(&a, "f8", to, N * sizeof *to, NULL));
    for (int i = 0; i < N; i++)
        ck_assert(to[i] == (double)i / 8);
    free(from);
    free(to);
}
END_TEST

static pickle_status copy_code(const pickle_array *a, const char *dtype, size_t size)
{
    unsigned char got[64];
    pickle_error err = { 0 };

    ck_assert_uint_le(size, sizeof got);
    return pickle_array_copy(a, dtype, got, size, &err) ? PICKLE_OK : err.code;
}

START_TEST(test_copy_refuses)
{
    static const unsigned char data[16];
    pickle_array f8 = plain_array("f8", data, 16), day = plain_array("M8[D]", data, 16);
    pickle_array text = plain_array("<U2", data, 16), bytes = plain_array("S4", data, 16);

    ck_assert_int_eq(copy_code(&f8, "f8", 16), PICKLE_OK);
    ck_assert_int_eq(copy_code(&f8, "f8", 15), PICKLE_ERR_RANGE);
    ck_assert_int_eq(copy_code(&f8, "f4", 16), PICKLE_ERR_RANGE);
    ck_assert_int_eq(copy_code(&f8, "f3", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&f8, "", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&f8, "f8 ", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&f8, "S8", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&f8, "O", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&day, "i8", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&day, "M8[s]", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&day, "m8[D]", 16), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&day, ">M8[D]", 16), PICKLE_OK);
    ck_assert_int_eq(copy_code(&text, ">U2", 16), PICKLE_OK);
    ck_assert_int_eq(copy_code(&text, "U", 16), PICKLE_OK);
    ck_assert_int_eq(copy_code(&text, "U4", 32), PICKLE_ERR_TYPE);
    ck_assert_int_eq(copy_code(&bytes, "S", 16), PICKLE_OK);
    ck_assert_int_eq(copy_code(&bytes, "V4", 16), PICKLE_ERR_TYPE);
    f8.data = NULL;
    ck_assert_int_eq(copy_code(&f8, "f8", 16), PICKLE_ERR_MISSING);
    f8.dtype.hasobject = true;
    ck_assert_int_eq(copy_code(&f8, "f8", 16), PICKLE_ERR_TYPE);
}
END_TEST

/* --------------------------------------------------------------------- items */

START_TEST(test_items)
{
    table t;

    table_open(&t, "items.tsv");
    while (table_next(&t)) {
        pickle_doc *doc = read_field(&t, 0);
        pickle_buf text = { 0 };
        pickle_error err;
        pickle_array a;

        ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "row %d: %s", t.row,
                      err.message);
        ck_assert(pickle_dtype_str(&a.dtype, pickle_sink_buf(&text)));
        check_text(&t, &text, 1);
        ck_assert_msg(pickle_array_item_repr(&a, pickle_sink_buf(&text)), "row %d", t.row);
        check_text(&t, &text, 2);
        pickle_doc_free(doc);
    }
}
END_TEST

/* ------------------------------------------------------------------- layouts */

static void check_shape(const table *t, const pickle_array *a)
{
    char text[256], *at = text;

    at += sprintf(at, "(");
    for (int i = 0; i < a->ndim; i++)
        at += sprintf(at, i ? ",%lld" : "%lld", (long long)a->shape[i]);
    sprintf(at, a->ndim == 1 ? ",)" : ")");
    ck_assert_str_eq(text, t->field[1]);
    ck_assert_msg(a->fortran == (t->field[2][0] == 'F'), "row %d", t->row);
    ck_assert(!a->fortran || pickle_array_is_f(a));
}

/* Each element by its index, in C order. */
static void check_elements(const table *t, const pickle_array *a, const unsigned char *want)
{
    int64_t index[PICKLE_MAXDIMS] = { 0 };
    uint64_t count = pickle_array_count(a);
    pickle_array item;

    for (uint64_t n = 0; n < count; n++) {
        ck_assert(pickle_array_at(a, index, a->ndim, &item, NULL));
        ck_assert_msg(memcmp(item.data, want, a->dtype.itemsize) == 0, "row %d, element %d", t->row,
                      (int)n);
        want += a->dtype.itemsize;
        for (int i = a->ndim - 1; i >= 0 && ++index[i] == a->shape[i]; i--)
            index[i] = 0;
    }
}

static void check_copy(const table *t, const pickle_array *a, const unsigned char *want, size_t len)
{
    unsigned char *got = malloc(len ? len : 1);
    char code[32];
    pickle_buf text = { 0 };
    pickle_error err;

    ck_assert(pickle_dtype_str(&a->dtype, pickle_sink_buf(&text)));
    snprintf(code, sizeof code, "%.*s", (int)text.len, text.data);
    ck_assert_msg(pickle_array_copy(a, code, got, len, &err), "row %d, as %s: %s", t->row, code,
                  err.message);
    ck_assert_msg(memcmp(got, want, len) == 0, "row %d, as %s", t->row, code);
    pickle_buf_free(&text);
    free(got);
}

START_TEST(test_layouts)
{
    table t;

    table_open(&t, "layouts.tsv");
    while (table_next(&t)) {
        pickle_doc *doc = read_field(&t, 0);
        size_t len;
        unsigned char *want = table_hex(&t, 3, &len);
        pickle_error err;
        pickle_array a;

        ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "row %d: %s", t.row,
                      err.message);
        ck_assert_uint_eq(a.nbytes, len);
        check_shape(&t, &a);
        check_elements(&t, &a, want);
        check_copy(&t, &a, want, len);
        free(want);
        pickle_doc_free(doc);
    }
}
END_TEST

START_TEST(test_index)
{
    static const int32_t data[] = { 0, 1, 2, 3, 4, 5 };
    pickle_array a = plain_array("i4", data, sizeof data), item;
    int64_t index[2] = { 1, -1 };

    a.ndim = 2;
    a.shape[0] = 2;
    a.shape[1] = 3;
    a.strides[0] = 12;
    a.strides[1] = 4;
    ck_assert(pickle_array_at(&a, index, 2, &item, NULL));
    ck_assert_int_eq(item.ndim, 0);
    ck_assert_uint_eq(pickle_array_count(&item), 1);
    ck_assert_int_eq(*pickle_array_i32(&item), 5);
    ck_assert(!pickle_array_at(&a, index, 1, &item, NULL));
    index[1] = 3;
    ck_assert(!pickle_array_at(&a, index, 2, &item, NULL));
    index[1] = -4;
    ck_assert(!pickle_array_at(&a, index, 2, &item, NULL));
    index[1] = INT64_MIN;
    ck_assert(!pickle_array_at(&a, index, 2, &item, NULL));
}
END_TEST

/* What lies in memory as it is asked for is given as it is. */
START_TEST(test_in_place)
{
    static const double data[] = { 1, 2, 3, 4 };
    pickle_array a = plain_array("f8", data, sizeof data);

    ck_assert_ptr_eq(pickle_array_f64(&a), data);
    ck_assert_ptr_null(pickle_array_f32(&a));
    ck_assert_ptr_null(pickle_array_i64(&a));
    a.strides[0] = 16;
    a.shape[0] = 2;
    ck_assert_ptr_null(pickle_array_f64(&a));
    a.shape[0] = 1;
    ck_assert_ptr_eq(pickle_array_f64(&a), data);
    a.data = (const char *)data + 4;
    ck_assert_ptr_null(pickle_array_f64(&a));
    a = plain_array(*(const char *)&(const uint16_t){ 1 } ? ">f8" : "<f8", data, sizeof data);
    ck_assert_ptr_null(pickle_array_f64(&a));
}
END_TEST

/* -------------------------------------------------------------------- fields */

/* numpy.zeros((2, 2), [('a', '<i4'), ('m', '<i2', (2, 3))]), its bytes counting up; protocol 2. */
static const char record_pickle[] =
    "\x80\x02"
    "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\x01"
    "btR(K\x01(K\x01K\x02tcnumpy\ndtype\n(U\x03V16K\0K\x01tR(K\x03U\x01|N(U\x01"
    "aU\x01mt}(U\x01"
    "acnumpy\ndtype\n(U\x02i4K\0K\x01tR(K\x03U\x01<"
    "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tbK\0\x86U\x01m"
    "cnumpy\ndtype\n(U\x03V12K\0K\x01tR(K\x03U\x01|cnumpy\ndtype\n(U\x02i2K\0K\x01tR(K\x03U\x01<"
    "NNNJ"
    "\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tbK\x02K\x03\x86\x86NNK\x0cK\x01K\0tbK\x04\x86uK\x10K\x01K"
    "\x10tb\x89U "
    "\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a"
    "\x1b\x1c\x1d\x1e\x1ftb.";

static void check_fields(const pickle_read_opts *opts)
{
    pickle_error err;
    pickle_doc *doc = pickle_read(record_pickle, sizeof record_pickle - 1, opts, &err);
    pickle_array a, field;
    int64_t last[4] = { 0, 1, 1, 2 };

    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "%s", err.message);
    ck_assert_uint_eq(a.dtype.nfields, 2);
    ck_assert(!pickle_array_field(&a, "b", &field));
    ck_assert(!pickle_array_field(&a, "aa", &field));
    ck_assert(pickle_array_field(&a, "a", &field));
    ck_assert_int_eq(field.dtype.kind, 'i');
    ck_assert_int_eq(field.ndim, 2);
    ck_assert_int_eq(field.strides[1], 16);
    ck_assert_ptr_null(pickle_array_i32(&field));
    ck_assert(pickle_array_field(&a, "m", &field));
    ck_assert_int_eq(field.ndim, 4);
    ck_assert_int_eq(field.shape[2], 2);
    ck_assert_int_eq(field.shape[3], 3);
    ck_assert_uint_eq(field.nbytes, 24);
    ck_assert(pickle_array_at(&field, last, 4, &field, NULL));
    ck_assert_int_eq(*(const unsigned char *)field.data, 30);
    pickle_doc_free(doc);
}

/* Names that Python 2 wrote are found whether they are read as text or as bytes. */
START_TEST(test_fields)
{
    check_fields(NULL);
    check_fields(pickle_read_opts(.encoding = "bytes"));
    check_fields(pickle_read_opts(.borrow = true));
}
END_TEST

/* ------------------------------------------------------------------ bad input */

START_TEST(test_bad)
{
    table t;

    table_open(&t, "bad_arrays.tsv");
    while (table_next(&t)) {
        pickle_doc *doc = read_field(&t, 1);
        bool good = strcmp(t.field[2], "-") == 0;
        pickle_error err = { 0 };
        pickle_array a;

        ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err) == good, "%s: %s", t.field[0],
                      good ? err.message : "no error");
        if (!good) {
            ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
            ck_assert_msg(strstr(err.message, t.field[2]) != NULL, "%s: %s", t.field[0],
                          err.message);
        }
        pickle_doc_free(doc);
    }
}
END_TEST

START_TEST(test_not_an_array)
{
    pickle_array a;
    pickle_dtype d;
    pickle_error err;
    pickle_doc *doc = pickle_read("K\x05.", 3, NULL, NULL);

    ck_assert(!pickle_read_array(pickle_root(doc), &a, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    ck_assert_str_eq(err.message, "int is no array");
    ck_assert(!pickle_read_array(NULL, &a, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    ck_assert(!pickle_get_dtype(pickle_root(doc), &d));
    ck_assert(!pickle_get_dtype(NULL, &d));
    pickle_doc_free(doc);
}
END_TEST

/* A dtype that is a field of itself, and one level after the other without end. */
START_TEST(test_endless_dtype)
{
    static const char text[] = "cnumpy\ndtype\n(VV0\nI00\nI01\ntRp0\n(I%d\nV|\nN(Va\ntp1\n(dVa\n("
                               "g0\nI0\ntsI0\nI1\nI16\ntb.";
    char data[256];
    pickle_dtype d;
    pickle_buf b = { 0 };

    for (int version = 2; version <= 3; version++) {
        int n = snprintf(data, sizeof data, text, version);
        pickle_doc *doc = pickle_read(data, (size_t)n, NULL, NULL);

        ck_assert_ptr_nonnull(doc);
        if (version == 3) {
            ck_assert(pickle_get_dtype(pickle_root(doc), &d));
            ck_assert(!pickle_dtype_str(&d, pickle_sink_buf(&b)));
            pickle_buf_free(&b);
        }
        pickle_doc_free(doc);
    }
}
END_TEST

/* Each level has the one below twice: 2^31 fields in all, of no bytes. */
START_TEST(test_doubling_dtype)
{
    pickle_buf b = { 0 }, out = { 0 };
    pickle_sink s = pickle_sink_buf(&b);
    char level[256];
    pickle_dtype d;
    pickle_doc *doc;

    pickle__put(s, "cnumpy\ndtype\n(VV0\nI00\nI01\ntRp0\n");
    for (int i = 0; i < 31; i++) {
        snprintf(
            level, sizeof level,
            "0cnumpy\ndtype\n(VV0\nI00\nI01\ntR(I3\nV|\nN(Va\nVb\nt(dVa\n(g%d\nI0\ntsVb\n(g%d\n"
            "I0\ntsI0\nI1\nI16\ntbp%d\n",
            i, i, i + 1);
        pickle__put(s, level);
    }
    pickle__put(s, ".");
    doc = pickle_read(b.data, b.len, NULL, NULL);
    ck_assert_ptr_nonnull(doc);
    ck_assert(pickle_get_dtype(pickle_root(doc), &d));
    ck_assert_uint_eq(d.nfields, 2);
    ck_assert(!pickle_dtype_str(&d, pickle_sink_buf(&out)));
    pickle_buf_free(&out);
    pickle_buf_free(&b);
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- dtypes */

START_TEST(test_codes)
{
    static const struct {
        const char *code, *shown; /* NULL: there is no such type */
    } codes[] = {
        { "<f8", "<f8" },
        { ">f2", ">f2" },
        { "|u1", "|u1" },
        { "?", "|b1" },
        { "|?", "|b1" },
        { "b1", "|b1" },
        { "S5", "|S5" },
        { "S", "|S0" },
        { ">U3", ">U3" },
        { "V", "|V0" },
        { "O", "|O" },
        { "O8", "|O" },
        { "<M8", "<M8" },
        { ">M8[ns]", ">M8[ns]" },
        { "<m8[25s]", "<m8[25s]" },
        { "<m8[1D]", "<m8[D]" },
        { "<f16", "<f16" },
        { "<c32", "<c32" },
        { "<f12", "<f12" },
        { "T16", "|T16" },
        { "b", NULL },
        { "i", NULL },
        { "i3", NULL },
        { "f8x", NULL },
        { "", NULL },
        { "<", NULL },
        { "<<f8", NULL },
        { "M8[", NULL },
        { "M8[]", NULL },
        { "M8[xs]", NULL },
        { "M8[0s]", NULL },
        { "M8ns", NULL },
        { "f8[s]", NULL },
        { "f0", NULL },
        { "O0", NULL },
        { "S99999999999999999999", NULL },
        { "x4", NULL },
        { "?x", NULL },
        { "\xff", NULL },
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        pickle_dtype d;
        pickle_buf b = { 0 };
        bool ok = pickle__parse_dtype(codes[i].code, strlen(codes[i].code), &d);

        ck_assert_msg(ok == (codes[i].shown != NULL), "%s", codes[i].code);
        if (ok) {
            ck_assert(pickle_dtype_str(&d, pickle_sink_buf(&b)));
            ck_assert_msg(b.len == strlen(codes[i].shown) &&
                              memcmp(b.data, codes[i].shown, b.len) == 0,
                          "%s: %.*s", codes[i].code, (int)b.len, b.data);
        }
        pickle_buf_free(&b);
    }
}
END_TEST

/* Pickled by numpys from 1.0 on. */
START_TEST(test_states)
{
    table t;

    table_open(&t, "dtypes.tsv");
    while (table_next(&t)) {
        pickle_doc *doc = read_field(&t, 0);
        pickle_buf b = { 0 };
        pickle_dtype d;

        ck_assert_msg(pickle_get_dtype(pickle_root(doc), &d), "row %d", t.row);
        ck_assert(pickle_dtype_str(&d, pickle_sink_buf(&b)));
        ck_assert_msg(b.len == strlen(t.field[1]) && memcmp(b.data, t.field[1], b.len) == 0,
                      "row %d: want %s, got %.*s", t.row, t.field[1], (int)b.len, b.data);
        ck_assert_msg(d.hasobject == (t.field[2][0] == '1'), "row %d", t.row);
        pickle_buf_free(&b);
        pickle_doc_free(doc);
    }
}
END_TEST

/* Of types that only their own library knows, the bytes are there. */
START_TEST(test_unknown_type)
{
    static const char text[] =
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(I2\nt"
        "cnumpy\ndtype\n(cml_dtypes\nbfloat16\nI00\nI01\ntR(I3\nV<\nNNNI2\nI2\nI0\ntb"
        "I00\nS'abcd'\ntb.";
    pickle_error err;
    pickle_doc *doc = pickle_read(text, sizeof text - 1, NULL, &err);
    pickle_array a;
    char got[4];

    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "%s", err.message);
    ck_assert(a.dtype.kind == 'V' && a.dtype.itemsize == 2);
    ck_assert(pickle_array_copy(&a, "V2", got, sizeof got, NULL));
    ck_assert_mem_eq(got, "abcd", 4);
    pickle_doc_free(doc);
}
END_TEST

/* dill.dumps(np.array([1.5, 2.5]), 0) of dill 0.3.9. */
START_TEST(test_dill)
{
    static const char text[] =
        "cdill._dill\n_create_array\np0\n(cnumpy.core.multiarray\n_reconstruct\np1\n("
        "cnumpy\nndarray\np2\n"
        "(I0\ntp3\nc_codecs\nencode\np4\n(Vb\np5\nVlatin1\np6\ntp7\nRp8\ntp9\n(I1\n(I2\ntp10\n"
        "cnumpy\ndtype\np11\n(Vf8\np12\nI00\nI01\ntp13\nRp14\n(I3\nV<\np15\nNNNI-1\nI-1\nI0\n"
        "tp16\nbI00\ng4\n(V\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\xf8?\\u0000\\u0000"
        "\\u0000\\u0000\\u0000\\u0000\x04@\np17\ng6\ntp18\nRp19\ntp20\nNtp21\nRp22\n.";
    pickle_error err;
    pickle_doc *doc = pickle_read(text, sizeof text - 1, NULL, &err);
    pickle_array a;

    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "%s", err.message);
    ck_assert(a.ndim == 1 && a.shape[0] == 2);
    ck_assert(pickle_array_f64(&a)[0] == 1.5 && pickle_array_f64(&a)[1] == 2.5);
    ck_assert_int_eq(pickle_type_of(pickle_root(doc)), PICKLE_TYPE_ARRAY);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_scalar_types)
{
    static const char *const text =
        "(cnumpy\nfloat64\ncnumpy\nbool_\ncnumpy\nndarray\ncmath\nfloat64\nt.";
    pickle_doc *doc = pickle_read(text, strlen(text), NULL, NULL);
    const pickle_val *root = pickle_root(doc);
    pickle_dtype d;

    ck_assert(pickle_get_dtype(pickle_at(root, 0), &d));
    ck_assert(d.kind == 'f' && d.itemsize == 8);
    ck_assert(pickle_get_dtype(pickle_at(root, 1), &d));
    ck_assert(d.kind == 'b' && d.itemsize == 1);
    ck_assert(!pickle_get_dtype(pickle_at(root, 2), &d));
    ck_assert(!pickle_get_dtype(pickle_at(root, 3), &d));
    pickle_doc_free(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array");
    TCase *tc = tcase_create("array");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_casts);
    tcase_add_test(tc, test_saturation);
    tcase_add_test(tc, test_many);
    tcase_add_test(tc, test_copy_refuses);
    tcase_add_test(tc, test_items);
    tcase_add_test(tc, test_layouts);
    tcase_add_test(tc, test_index);
    tcase_add_test(tc, test_in_place);
    tcase_add_test(tc, test_fields);
    tcase_add_test(tc, test_bad);
    tcase_add_test(tc, test_not_an_array);
    tcase_add_test(tc, test_endless_dtype);
    tcase_add_test(tc, test_doubling_dtype);
    tcase_add_test(tc, test_codes);
    tcase_add_test(tc, test_scalar_types);
    tcase_add_test(tc, test_states);
    tcase_add_test(tc, test_unknown_type);
    tcase_add_test(tc, test_dill);
    tcase_add_test(tc, test_short_long_double);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
