/*
 * test_make.c - values of numpy, scipy, pandas and the standard library: what arrays
 * made in C look like to who reads them, and what fails with which code. What
 * Python makes of them is seen in interop/test_build.py.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docs.h"
#include "table.h"
#include "testmem.h"

#include <pickle/pickle.h>

#define SHAPE(...) \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), ((const int64_t[]){ __VA_ARGS__ })

static const double numbers[] = { 1, 2, 3, 4, 5, 6 };

/* ------------------------------------------------------------------- dtypes */

static void check_dtype_text(const pickle_val *v, const char *want)
{
    pickle_buf b = { 0 };
    pickle_dtype d;

    ck_assert_msg(pickle_get_dtype(v, &d), "%s", want);
    ck_assert(pickle_dtype_str(&d, pickle_sink_buf(&b)));
    ck_assert_msg(b.len == strlen(want) && memcmp(b.data, want, b.len) == 0, "want %s, got %.*s",
                  want, (int)b.len, (const char *)b.data);
    pickle_buf_free(&b);
}

/* Each dtype that numpy pickled, made anew from its text. */
START_TEST(test_dtypes)
{
    table t;

    table_open(&t, "dtypes.tsv");
    while (table_next(&t)) {
        size_t len;
        unsigned char *bytes = table_hex(&t, 0, &len);
        pickle_doc *read = pickle_read(bytes, len, NULL, NULL), *doc = docs_new();
        const pickle_val *made = pickle_new_dtype(doc, t.field[1]);
        pickle_dtype want, got;

        check_dtype_text(made, t.field[1]);
        ck_assert(pickle_get_dtype(pickle_root(read), &want) && pickle_get_dtype(made, &got));
        ck_assert(got.kind == want.kind && got.order == want.order);
        ck_assert(got.itemsize == want.itemsize && got.nfields == want.nfields);
        ck_assert(got.hasobject == want.hasobject);
        pickle_doc_free(read);
        docs_done(doc);
        free(bytes);
    }
}
END_TEST

/* Left what is given, right numpy's dtype.str of numpy.dtype(it), or its descr. */
START_TEST(test_dtype_forms)
{
    static const char *const forms[][2] = {
        { "=f8", "<f8" },
        { "i4", "<i4" },
        { "?", "|b1" },
        { "S", "|S0" },
        { "  <f8", NULL },
        { "'<f8'", "<f8" },
        { "('<f8', (2, 3))", "|V48" },
        { "('<f8', ())", "<f8" },
        { "('<f8', 2)", "|V16" },
        { "[]", "[]" },
        { "[('\\x61\\u20ac', \"<i4\")]", "[('a\xe2\x82\xac', '<i4')]" },
        { "[ ( 'a' , '<i4' , ( 2L , ) , ) , ]", "[('a', '<i4', (2,))]" },
        { "{'names': ('a',), 'formats': ('<i4',)}", "[('a', '<i4')]" },
        { "{'names': ['a', 'b'], 'formats': ['|i1', '<i4'], 'aligned': True}",
          "[('a', '|i1'), ('', '|V3'), ('b', '<i4')]" },
        { "{'names': ['a'], 'formats': ['|i1'], 'titles': [None], 'itemsize': 2}",
          "[('a', '|i1'), ('', '|V1')]" },
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        pickle_doc *doc = docs_new();
        const pickle_val *made = pickle_new_dtype(doc, forms[i][0]);

        if (forms[i][1])
            check_dtype_text(made, forms[i][1]);
        docs_done(doc);
    }
}
END_TEST

/* numpy has one object for each of its own types, and a new one for others. */
START_TEST(test_dtype_sharing)
{
    pickle_doc *doc = docs_new();

    ck_assert_ptr_eq(pickle_new_dtype(doc, "=f8"), pickle_new_dtype(doc, "f8"));
    ck_assert_ptr_eq(pickle_new_dtype(doc, "O"), pickle_new_dtype(doc, "|O"));
    ck_assert_ptr_ne(pickle_new_dtype(doc, "S3"), pickle_new_dtype(doc, "S3"));
    ck_assert_ptr_ne(pickle_new_dtype(doc, "M8[s]"), pickle_new_dtype(doc, "M8[s]"));
    ck_assert_ptr_eq(pickle_new_global(doc, "numpy", "dtype"),
                     pickle_callable(pickle_new_dtype(doc, "i4")));
    docs_done(doc);
}
END_TEST

/* ------------------------------------------------------------------- arrays */

START_TEST(test_array)
{
    pickle_doc *doc = docs_new();
    pickle_array a;

    ck_assert(pickle_get_array(pickle_new_array(doc, "=f8", SHAPE(2, 3), numbers), &a));
    ck_assert_ptr_eq(a.data, numbers);
    ck_assert(a.ndim == 2 && a.shape[0] == 2 && a.shape[1] == 3 && !a.fortran && !a.scalar);
    ck_assert(pickle_is_global(a.cls, "numpy", "ndarray"));
    ck_assert(pickle_get_array(pickle_new_farray(doc, "=f8", SHAPE(2, 3), numbers), &a));
    ck_assert(a.data == numbers && a.fortran && a.strides[0] == 8 && a.strides[1] == 16);
    ck_assert(pickle_get_array(pickle_new_farray(doc, "=f8", SHAPE(1, 3), numbers), &a));
    ck_assert(!a.fortran);
    ck_assert(pickle_get_array(pickle_new_array(doc, "=f8", 0, NULL, numbers), &a));
    ck_assert(a.ndim == 0 && pickle_array_count(&a) == 1);
    ck_assert(pickle_get_array(pickle_new_array(doc, "=f8", SHAPE(0, 3), NULL), &a));
    ck_assert_uint_eq(pickle_array_count(&a), 0);
    docs_done(doc);
}
END_TEST

START_TEST(test_scalar)
{
    pickle_doc *doc = docs_new();
    pickle_array a;

    ck_assert(pickle_get_array(pickle_new_scalar(doc, "=f8", numbers), &a));
    ck_assert(a.scalar && a.ndim == 0 && a.data != numbers);
    ck_assert_double_eq(*(const double *)a.data, 1);
    /* numpy's scalars are native. */
    ck_assert(pickle_get_array(pickle_new_scalar(doc, ">i2", "\1\2"), &a));
    ck_assert_int_eq(a.dtype.order, '<');
    ck_assert_mem_eq(a.data, "\2\1", 2);
    docs_done(doc);
}
END_TEST

START_TEST(test_views)
{
    static const double columns[] = { 1, 3, 4, 6 };
    pickle_doc *from = docs_new(), *doc = docs_new();
    pickle_array view, a;

    pickle_get_array(pickle_new_farray(from, "=f8", SHAPE(2, 3), numbers), &view);
    ck_assert(pickle_get_array(pickle_new_array_view(doc, &view), &a));
    ck_assert(a.data == numbers && a.fortran);
    pickle_get_array(pickle_new_array(from, "=f8", SHAPE(2, 3), numbers), &view);
    view.shape[1] = 2;
    view.strides[1] *= 2;
    ck_assert(pickle_get_array(pickle_new_array_view(doc, &view), &a));
    ck_assert(a.nbytes == sizeof columns && !a.fortran);
    ck_assert_mem_eq(a.data, columns, sizeof columns);
    pickle_get_array(
        pickle_new_array(from, "[('a', '<f8'), ('b', '<i8', (2,))]", SHAPE(2), numbers), &view);
    ck_assert(pickle_get_array(pickle_new_array_view(doc, &view), &a));
    ck_assert(a.data == numbers && a.dtype.nfields == 2 && a.dtype.descr != view.dtype.descr);
    pickle_doc_free(from);
    docs_done(doc);
}
END_TEST

START_TEST(test_objects)
{
    pickle_doc *doc = docs_new();
    const pickle_val *one = pickle_new_int(doc, 1), *text = pickle_new_str(doc, "text");
    const pickle_val *items[] = { one, text, text, one }, *array;
    pickle_array a, copy;

    array = pickle_new_object_array(doc, SHAPE(2, 2), items);
    ck_assert(pickle_get_array(array, &a) && a.dtype.hasobject);
    ck_assert(pickle_len(a.objects) == 4 && pickle_at(a.objects, 2) == text);
    a.strides[0] = 1;
    a.strides[1] = 2;
    a.shape[1] = 1;
    ck_assert(pickle_get_array(pickle_new_array_view(doc, &a), &copy));
    ck_assert_uint_eq(pickle_len(copy.objects), 2);
    ck_assert(pickle_str_is(pickle_at(copy.objects, 1), "text"));
    docs_done(doc);
}
END_TEST

/* ----------------------------------------------------------------- failures */

static void check_failed(pickle_doc *doc, const pickle_val *made, pickle_status code,
                         const char *what)
{
    pickle_error err;

    ck_assert_msg(!made, "%s", what);
    ck_assert_msg(pickle_doc_status(doc, &err) == code, "%s: %s", what, err.message);
    pickle_doc_free(doc);
}

#define FAILS(code, call)                     \
    do {                                      \
        pickle_doc *doc = docs_new();         \
        const pickle_val *made = call;        \
                                              \
        check_failed(doc, made, code, #call); \
    } while (0)

START_TEST(test_bad_dtypes)
{
    static const char *const texts[] = {
        "",
        "z9",
        "f8x",
        "<f8 ",
        "[('a', '<i4')",
        "['a'",
        "[('a', '<i4')] x",
        "[('a',)]",
        "[('a', '<i4', 'x')]",
        "[(1, '<i4')]",
        "[('a', '<i4') ('b', '<i4')]",
        "'\\q'",
        "'\\x0g'",
        "'\\U00110000'",
        "'<f8",
        "[('a', '<i4'), ('a', '<f8')]",
        "[(('t', 'a'), '<i4'), ('t', '<i4')]",
        "('<f8', (-1,))",
        "('<f8', (99999999999,))",
        "('<f8', (65536, 65536))",
        "{'names': ['a']}",
        "{'names': ['a'], 'formats': []}",
        "{'names': ['a'], 'formats': ['<f8'], 'itemsize': 4}",
        "{'names': ['a'], 'formats': ['<f8'], 'offsets': [1], 'aligned': True}",
        "{'names': ['a'], 'formats': ['<f8'], 'itemsize': 12, 'aligned': True}",
        "{'names': ['a'], 'formats': ['<f8'], 'offsets': [2147483647]}",
        "{'names': ['a'], 'formats': ['<f8'], 'other': 1}",
        "{'names', 'formats'}",
        "{1: 2}",
        "[1]",
        "(1, 2)",
        "]",
        "[)",
    };
    char deep[201];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pickle_doc *doc = docs_new();

        check_failed(doc, pickle_new_dtype(doc, texts[i]), PICKLE_ERR_ARG, texts[i]);
    }
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    FAILS(PICKLE_ERR_ARG, pickle_new_dtype(doc, deep));
    FAILS(PICKLE_ERR_ARG, pickle_new_dtype(doc, NULL));
    FAILS(PICKLE_ERR_RANGE, pickle_new_dtype(doc, "S2147483648"));
    FAILS(PICKLE_ERR_UNSUPPORTED, pickle_new_dtype(doc, "T"));
}
END_TEST

START_TEST(test_bad_arrays)
{
    static const int64_t ones[65] = { 1 };
    pickle_array absent = { .nbytes = 8, .dtype = { .kind = 'f', .order = '<', .itemsize = 8 } };

    FAILS(PICKLE_ERR_RANGE, pickle_new_array(doc, "<f8", SHAPE(-1), numbers));
    FAILS(PICKLE_ERR_RANGE, pickle_new_array(doc, "<f8", -1, NULL, numbers));
    FAILS(PICKLE_ERR_RANGE, pickle_new_array(doc, "<f8", 65, ones, numbers));
    FAILS(PICKLE_ERR_RANGE, pickle_new_array(doc, "<f8", SHAPE(INT64_MAX), numbers));
    FAILS(PICKLE_ERR_RANGE, pickle_new_array(doc, "<f8", SHAPE(1LL << 40, 1LL << 40), numbers));
    FAILS(PICKLE_ERR_ARG, pickle_new_array(doc, "<f8", SHAPE(2), NULL));
    FAILS(PICKLE_ERR_TYPE, pickle_new_array(doc, "O", SHAPE(1), numbers));
    FAILS(PICKLE_ERR_TYPE, pickle_new_array(doc, "[('a', '|O')]", SHAPE(1), numbers));
    FAILS(PICKLE_ERR_TYPE, pickle_new_array(doc, "('<f8', (2,))", SHAPE(1), numbers));
    FAILS(PICKLE_ERR_ARG, pickle_new_array(doc, "nope", SHAPE(1), numbers));
    FAILS(PICKLE_ERR_ARG, pickle_new_scalar(doc, "<f8", NULL));
    FAILS(PICKLE_ERR_ARG, pickle_new_scalar(doc, ">f8", NULL));
    FAILS(PICKLE_ERR_TYPE, pickle_new_scalar(doc, "O", numbers));
    FAILS(PICKLE_ERR_RANGE, pickle_new_object_array(doc, SHAPE(-1), NULL));
    FAILS(PICKLE_ERR_ARG, pickle_new_object_array(doc, SHAPE(1), (const pickle_val *[]){ NULL }));
    FAILS(PICKLE_ERR_ARG, pickle_new_array_view(doc, NULL));
    FAILS(PICKLE_ERR_MISSING, pickle_new_array_view(doc, &absent));
}
END_TEST

START_TEST(test_bad_dates)
{
    FAILS(PICKLE_ERR_RANGE, pickle_new_date(doc, 0, 1, 1));
    FAILS(PICKLE_ERR_RANGE, pickle_new_date(doc, 2024, 13, 1));
    FAILS(PICKLE_ERR_RANGE, pickle_new_date(doc, 2023, 2, 29));
    FAILS(PICKLE_ERR_RANGE, pickle_new_date(doc, 1900, 2, 29));
    FAILS(PICKLE_ERR_RANGE, pickle_new_time(doc, 24, 0, 0, 0, 0, NULL));
    FAILS(PICKLE_ERR_RANGE, pickle_new_time(doc, 0, 60, 0, 0, 0, NULL));
    FAILS(PICKLE_ERR_RANGE, pickle_new_time(doc, 0, 0, 60, 0, 0, NULL));
    FAILS(PICKLE_ERR_RANGE, pickle_new_time(doc, 0, 0, 0, 1000000, 0, NULL));
    FAILS(PICKLE_ERR_RANGE, pickle_new_datetime(doc, 2024, 1, 1, 0, 0, 0, 0, 2, NULL));
    FAILS(PICKLE_ERR_RANGE, pickle_new_timedelta(doc, 1000000000, 0, 0));
    FAILS(PICKLE_ERR_RANGE, pickle_new_timedelta(doc, -999999999, -1, 0));
    FAILS(PICKLE_ERR_RANGE, pickle_new_timedelta(doc, INT64_MIN, INT64_MIN, INT64_MIN));
    FAILS(PICKLE_ERR_RANGE, pickle_new_timedelta(doc, INT64_MAX, INT64_MAX, INT64_MAX));
    FAILS(PICKLE_ERR_RANGE, pickle_new_timezone(doc, 86400));
}
END_TEST

/* Those that Python's Decimal takes, and those it does not. */
START_TEST(test_decimals)
{
    static const char *const good[] = { "0",        "-1.50", ".5",      "5.",       "1e5", "1E-10",
                                        " 1_000\n", "NaN",   "-sNaN12", "Infinity", "+inf" };
    static const char *const bad[] = {
        "", " ", "1 2", "0x1", "1e", "e5", ".", "1.2.3", "--1", "infin", "1e1000000000000000000"
    };
    pickle_doc *ok = docs_new();

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(pickle_new_decimal(ok, good[i]) != NULL, "%s", good[i]);
    docs_done(ok);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(PICKLE_ERR_ARG, pickle_new_decimal(doc, bad[i]));
    FAILS(PICKLE_ERR_ARG, pickle_new_decimal(doc, NULL));
}
END_TEST

START_TEST(test_bad_objects)
{
    FAILS(PICKLE_ERR_RANGE, pickle_new_range(doc, 0, 1, 0));
    FAILS(PICKLE_ERR_RANGE, pickle_new_fraction(doc, 1, 0));
    FAILS(PICKLE_ERR_ARG, pickle_new_uuid(doc, NULL));
    FAILS(PICKLE_ERR_ARG, pickle_new_path(doc, "Pathological", "x"));
    FAILS(PICKLE_ERR_ARG, pickle_new_path(doc, NULL, "x"));
    FAILS(PICKLE_ERR_ARG, pickle_new_path(doc, "Path", NULL));
    FAILS(PICKLE_ERR_TYPE, pickle_new_default_dict(doc, pickle_new_int(doc, 1)));
    FAILS(PICKLE_ERR_TYPE, pickle_new_counter(doc, pickle_new_list(doc)));
    FAILS(PICKLE_ERR_ARG, pickle_new_enum(doc, "http", "HTTPStatus", NULL));
    FAILS(PICKLE_ERR_ARG, pickle_new_enum(doc, NULL, "HTTPStatus", pickle_new_int(doc, 1)));
    FAILS(PICKLE_ERR_ARG, pickle_new_namedtuple(doc, "m", "N", 1, (const pickle_val *[]){ NULL }));
}
END_TEST

static const pickle_val *vector(pickle_doc *doc, int64_t n)
{
    return pickle_new_array(doc, "=f8", 1, &n, numbers);
}

static const pickle_val *frame(pickle_doc *doc, const char *first, const char *second)
{
    const char *names[] = { first, second };
    const pickle_val *columns[] = { vector(doc, 2), vector(doc, 2) };

    return pickle_new_dataframe(doc, 2, names, columns, NULL);
}

START_TEST(test_bad_tables)
{
    FAILS(PICKLE_ERR_ARG, pickle_new_sparse(doc, "lil_matrix", 2, 3, vector(doc, 3), vector(doc, 3),
                                            vector(doc, 3)));
    FAILS(PICKLE_ERR_ARG,
          pickle_new_sparse(doc, NULL, 2, 3, vector(doc, 3), vector(doc, 3), vector(doc, 3)));
    FAILS(PICKLE_ERR_ARG, pickle_new_sparse(doc, "csr_matrix", 2, 3, vector(doc, 3), vector(doc, 2),
                                            vector(doc, 3)));
    FAILS(PICKLE_ERR_ARG, pickle_new_sparse(doc, "csc_matrix", 2, 3, vector(doc, 3), vector(doc, 3),
                                            vector(doc, 3)));
    FAILS(PICKLE_ERR_ARG, pickle_new_sparse(doc, "bsr_array", 2, 3, vector(doc, 3), vector(doc, 3),
                                            vector(doc, 3)));
    FAILS(PICKLE_ERR_RANGE,
          pickle_new_coo(doc, "coo_matrix", -1, 3, vector(doc, 3), vector(doc, 3), vector(doc, 3)));
    FAILS(PICKLE_ERR_ARG,
          pickle_new_coo(doc, "csr_matrix", 1, 3, vector(doc, 3), vector(doc, 3), vector(doc, 3)));
    FAILS(PICKLE_ERR_ARG, pickle_new_coo(doc, "coo_array", 1, 3, vector(doc, 3), vector(doc, 3),
                                         pickle_new_list(doc)));
    FAILS(PICKLE_ERR_ARG, frame(doc, "a", "a"));
    FAILS(PICKLE_ERR_ARG, frame(doc, "a", NULL));
    FAILS(PICKLE_ERR_ARG, pickle_new_series(doc, "name", NULL, NULL));
}
END_TEST

/* ------------------------------------------------------------------- memory */

static void make_arrays(pickle_doc *doc, pickle_val *list)
{
    const pickle_val *items[] = { list, pickle_new_str(doc, "x") };
    pickle_array view;

    pickle_append(doc, list, pickle_new_dtype(doc, "[('a', '<i4'), (('t', 'b'), '>M8[s]', (2,))]"));
    pickle_append(doc, list, pickle_new_object_array(doc, SHAPE(2), items));
    pickle_append(doc, list, pickle_new_scalar(doc, ">f8", numbers));
    if (pickle_get_array(pickle_new_array(doc, ">f8", SHAPE(2, 3), numbers), &view)) {
        view.shape[1] = 2;
        view.strides[1] *= 2;
        pickle_append(doc, list, pickle_new_array_view(doc, &view));
    }
    pickle_append(
        doc, list,
        pickle_new_coo(doc, "coo_matrix", 2, 2, vector(doc, 2), vector(doc, 2), vector(doc, 2)));
    pickle_append(doc, list, frame(doc, "a", "b"));
}

static void make_objects(pickle_doc *doc, pickle_val *list)
{
    pickle_append(doc, list, pickle_new_slice(doc, pickle_new_float(doc, 1e300), NULL, NULL));
    pickle_append(doc, list, pickle_new_time(doc, 1, 2, 3, 4, 0, pickle_new_timezone(doc, 60)));
    pickle_append(doc, list, pickle_new_fraction(doc, INT64_MIN, INT64_MAX));
    pickle_append(doc, list, pickle_new_uuid(doc, "0123456789abcdef"));
    pickle_append(doc, list, pickle_new_deque(doc, 5));
    pickle_append(doc, list, pickle_new_counter(doc, NULL));
}

/* Whatever allocation fails, that is what is told, and nothing is lost. */
START_TEST(test_memory)
{
    size_t n = 0;
    bool ok;

    do {
        pickle_doc *doc;
        memory m;

        memory_init(&m, ++n);
        doc = pickle_doc_new(&m.alloc);
        ok = false;
        if (doc) {
            pickle_val *list = pickle_new_list(doc);
            pickle_status status;

            make_arrays(doc, list);
            make_objects(doc, list);
            status = pickle_doc_status(doc, NULL);
            ok = status == PICKLE_OK;
            ck_assert_msg(ok || status == PICKLE_ERR_NOMEM, "call %zu: %d", n, (int)status);
            pickle_doc_free(doc);
        }
        ck_assert_uint_eq(m.in_use, 0);
        if (m.calls < n)
            break;
    } while (n < 5000);
    ck_assert_msg(ok && n > 10 && n < 5000, "call %zu", n);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("make");
    TCase *tc = tcase_create("make");
    SRunner *runner = srunner_create(suite);
    int bad;

    tcase_add_test(tc, test_dtypes);
    tcase_add_test(tc, test_dtype_forms);
    tcase_add_test(tc, test_dtype_sharing);
    tcase_add_test(tc, test_array);
    tcase_add_test(tc, test_scalar);
    tcase_add_test(tc, test_views);
    tcase_add_test(tc, test_objects);
    tcase_add_test(tc, test_bad_dtypes);
    tcase_add_test(tc, test_bad_arrays);
    tcase_add_test(tc, test_bad_dates);
    tcase_add_test(tc, test_decimals);
    tcase_add_test(tc, test_bad_objects);
    tcase_add_test(tc, test_bad_tables);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad != 0;
}
