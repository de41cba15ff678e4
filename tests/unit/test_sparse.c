/*
 * test_sparse.c - sparse matrices whose parts contradict each other, and what fails with which
 * code. What scipy writes is seen in interop/test_sparse.py.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "docs.h"

#include <pickle/pickle.h>

/* ------------------------------------------------------------------ helpers */

/* An array of int32 along one axis, of the numbers in a text: "0 1 2". */
static pickle_val *numbers(pickle_doc *doc, const char *dtype, const char *text)
{
    const pickle_val *kept;
    int32_t found[64];
    int64_t n = 0;
    char *end;

    for (long x = strtol(text, &end, 10); end != text; x = strtol(text, &end, 10)) {
        found[n++] = (int32_t)x;
        text = end;
    }
    ck_assert(n <= 64 && strlen(dtype) == 3);
    /* The array borrows its data: the document keeps them. */
    kept = pickle_new_bytes(doc, found, (size_t)n * sizeof *found);
    return pickle_new_array(doc, dtype, 1, &n, pickle_bytes(kept, NULL));
}

static pickle_val *list_of(pickle_doc *doc, size_t n, const pickle_val *const *items)
{
    pickle_val *list = pickle_new_list(doc);

    for (size_t i = 0; i < n; i++)
        pickle_append(doc, list, items[i]);
    return list;
}

static pickle_val *shape_of(pickle_doc *doc, int64_t rows, int64_t columns)
{
    return pickle_new_tuple(doc, ITEMS(pickle_new_int(doc, rows), pickle_new_int(doc, columns)));
}

static pickle_val *state_of(pickle_doc *doc, int64_t rows, int64_t columns)
{
    pickle_val *state = pickle_new_dict(doc);

    pickle_set_key(doc, state, "_shape", shape_of(doc, rows, columns));
    return state;
}

static void set_numbers(pickle_doc *doc, pickle_val *state, const char *name, const char *text)
{
    pickle_set_key(doc, state, name, numbers(doc, "<i4", text));
}

static void check_bad(const pickle_val *v, const char *why)
{
    pickle_sparse m;
    pickle_error err;

    ck_assert_msg(!pickle_read_sparse(v, &m, &err), "read, though: %s", why);
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
    ck_assert_str_eq(err.message, why);
    ck_assert(!pickle_get_sparse(v, &m));
}

static void read_matrix(const pickle_val *v, pickle_sparse *m)
{
    pickle_error err;

    ck_assert_msg(pickle_read_sparse(v, m, &err), "%s", err.message);
}

static void check_dense(const pickle_sparse *m, const double *want, size_t n)
{
    double got[64];
    pickle_error err;

    ck_assert_msg(pickle_sparse_dense(m, "=f8", got, n * sizeof *got, &err), "%s", err.message);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(got[i] == want[i], "element %zu is %g, not %g", i, got[i], want[i]);
}

/* --------------------------------------------------------------- contradictions */

START_TEST(test_bad_compressed)
{
    static const struct {
        const char *class, *indptr, *indices, *data, *why;
    } cases[] = {
        { "csr_matrix", "0 1 2", "0 3", "1 2", "an index of the matrix lies outside its shape" },
        { "csr_matrix", "0 1 2", "0 -1", "1 2", "an index of the matrix lies outside its shape" },
        { "csr_matrix", "0 2 1", "0 1", "1 2", "the matrix's indptr goes down" },
        { "csr_matrix", "1 1 2", "0 1", "1 2", "the matrix's indptr does not start at 0" },
        { "csr_matrix", "0 1", "0", "1", "the matrix's indptr is not as long as its shape says" },
        { "csr_matrix", "", "", "", "the matrix's indptr is not as long as its shape says" },
        { "csr_matrix", "0 1 3", "0 1", "1 2 3", "the matrix's indptr points behind its data" },
        { "csr_matrix", "0 1 3", "0 1 2", "1 2", "the matrix's indptr points behind its data" },
        { "csr_matrix", "0 1 2147483647", "0", "1", "the matrix's indptr points behind its data" },
        { "csc_matrix", "0 1 2", "0 1", "1 2",
          "the matrix's indptr is not as long as its shape says" },
        { "csc_matrix", "0 1 1 2", "0 2", "1 2", "an index of the matrix lies outside its shape" },
        { "bsr_matrix", "0 1 2", "0 1", "1 2",
          "an array of the matrix has another number of dimensions than it should" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pickle_doc *doc = docs_new();
        pickle_val *state = state_of(doc, 2, 3);

        set_numbers(doc, state, "indptr", cases[i].indptr);
        set_numbers(doc, state, "indices", cases[i].indices);
        set_numbers(doc, state, "data", cases[i].data);
        check_bad(pickle_new_instance(doc, "scipy.sparse", cases[i].class, state), cases[i].why);
        docs_done(doc);
    }
}
END_TEST

/* Of 2 x 2 matrices with one block of these sizes. */
START_TEST(test_bad_blocks)
{
    static const struct {
        int64_t shape[3];
        const char *indptr, *indices, *why;
    } cases[] = {
        { { 1, 2, 2 }, "0 1", "0", NULL },
        { { 1, 2, 2 }, "0 1", "1", "an index of the matrix lies outside its shape" },
        { { 1, 3, 2 }, "0 1", "0", "the matrix's shape is no multiple of its blocks'" },
        { { 1, 0, 2 }, "0 1", "0", "the matrix's shape is no multiple of its blocks'" },
        { { 1, 1, 1 }, "0 1", "0", "the matrix's indptr is not as long as its shape says" },
        { { 0, 2, 2 }, "0 1", "0", "the matrix's indptr points behind its data" },
    };
    static const int32_t zeros[16];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pickle_doc *doc = docs_new();
        pickle_val *state = state_of(doc, 2, 2), *v;
        pickle_sparse m;

        set_numbers(doc, state, "indptr", cases[i].indptr);
        set_numbers(doc, state, "indices", cases[i].indices);
        pickle_set_key(doc, state, "data", pickle_new_array(doc, "<i4", 3, cases[i].shape, zeros));
        v = pickle_new_instance(doc, "scipy.sparse._bsr", "bsr_array", state);
        if (cases[i].why)
            check_bad(v, cases[i].why);
        else
            read_matrix(v, &m);
        docs_done(doc);
    }
}
END_TEST

START_TEST(test_bad_coordinates)
{
    static const struct {
        const char *row, *col, *why;
    } cases[] = {
        { "0 2", "0 1", "an index of the matrix lies outside its shape" },
        { "0 1", "0 -3", "an index of the matrix lies outside its shape" },
        { "0", "0 1", "the matrix has another number of coordinates than of data" },
        { "0 1", "0 1 2", "the matrix has another number of coordinates than of data" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pickle_doc *doc = docs_new();
        pickle_val *state = state_of(doc, 2, 3);

        set_numbers(doc, state, "row", cases[i].row);
        set_numbers(doc, state, "col", cases[i].col);
        set_numbers(doc, state, "data", "5 6");
        check_bad(pickle_new_instance(doc, "scipy.sparse.coo", "coo_matrix", state), cases[i].why);
        pickle_set_key(doc, state, "coords",
                       pickle_new_tuple(doc, ITEMS(numbers(doc, "<i4", "0 1"))));
        check_bad(pickle_new_instance(doc, "scipy.sparse._coo", "coo_array", state),
                  "the matrix has another number of coordinates than of dimensions");
        docs_done(doc);
    }
}
END_TEST

/* Offsets beyond the shape are none of the matrix's elements, whatever their size. */
START_TEST(test_offsets)
{
    static const int64_t offsets[] = { INT64_MIN, INT64_MAX, -2, 2, 1, -1 }, n = 6;
    static const int64_t shape[] = { 6, 3 };
    static const int32_t data[18] = { [12] = 1, 2, 3, 4, 5, 6 };
    static const double want[] = { 0, 2, 0, 4, 0, 3 };
    pickle_doc *doc = docs_new();
    pickle_val *state = state_of(doc, 2, 3);
    pickle_sparse m;

    pickle_set_key(doc, state, "data", pickle_new_array(doc, "<i4", 2, shape, data));
    pickle_set_key(doc, state, "offsets", pickle_new_array(doc, "<i8", 1, &n, offsets));
    read_matrix(pickle_new_instance(doc, "scipy.sparse", "dia_matrix", state), &m);
    ck_assert_uint_eq(m.nnz, 4); /* an explicit zero at 0, 2 */
    check_dense(&m, want, 6);
    set_numbers(doc, state, "offsets", "0 1");
    check_bad(pickle_new_instance(doc, "scipy.sparse", "dia_matrix", state),
              "the matrix has another number of offsets than of diagonals");
    docs_done(doc);
}
END_TEST

static pickle_val *new_lists(pickle_doc *doc, const pickle_val *columns, const pickle_val *values,
                             int64_t rows)
{
    const pickle_val **items = calloc((size_t)rows * 2, sizeof *items);
    pickle_val *state = state_of(doc, rows, 3);

    for (int64_t i = 0; i < rows; i++) {
        items[i] = columns;
        items[rows + i] = values;
    }
    pickle_set_key(doc, state, "dtype", pickle_new_dtype(doc, "<f8"));
    pickle_set_key(doc, state, "rows", pickle_new_object_array(doc, 1, &rows, items));
    pickle_set_key(doc, state, "data", pickle_new_object_array(doc, 1, &rows, items + rows));
    free(items);
    return pickle_new_instance(doc, "scipy.sparse._lil", "lil_matrix", state);
}

START_TEST(test_lists)
{
    static const double want[] = { 0, 1.5, 2 };
    pickle_doc *doc = docs_new();
    const pickle_val *one = pickle_new_int(doc, 1), *two = pickle_new_int(doc, 2);
    const pickle_val *columns = list_of(doc, ITEMS(one, two));
    const pickle_val *values = list_of(doc, ITEMS(pickle_new_float(doc, 1.5), two));
    const pickle_val *text = list_of(doc, ITEMS(one, pickle_new_str(doc, "text")));
    pickle_error err;
    pickle_sparse m;
    double got[2];

    read_matrix(new_lists(doc, columns, values, 1), &m);
    check_dense(&m, want, 3);
    check_bad(new_lists(doc, columns, list_of(doc, ITEMS(one)), 1),
              "a row of the matrix is no pair of lists of one length");
    check_bad(new_lists(doc, one, one, 1), "a row of the matrix is no pair of lists of one length");
    check_bad(new_lists(doc, text, values, 1), "an index of the matrix lies outside its shape");
    check_bad(new_lists(doc, list_of(doc, ITEMS(one, pickle_new_int(doc, 3))), values, 1),
              "an index of the matrix lies outside its shape");
    /* Elements are looked at when they are asked for. */
    read_matrix(new_lists(doc, columns, text, 1), &m);
    ck_assert(!pickle_sparse_values(&m, "f8", got, sizeof got, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    docs_done(doc);
}
END_TEST

/* A few bytes of input cannot stand for rows without end. */
START_TEST(test_shared_lists)
{
    pickle_doc *doc = docs_new();
    const pickle_val **items = calloc(10000, sizeof *items);
    const pickle_val *list;

    for (int i = 0; i < 10000; i++)
        items[i] = pickle_new_int(doc, 0);
    list = list_of(doc, 10000, items);
    free(items);
    check_bad(new_lists(doc, list, list, 100000), "rows of the matrix share their lists");
    docs_done(doc);
}
END_TEST

START_TEST(test_dict)
{
    static const double want[] = { 0, 0, 0, 0, 0, 7 };
    pickle_doc *doc = docs_new();
    pickle_val *state = state_of(doc, 2, 3), *dict = pickle_new_dict(doc);
    pickle_val *v = pickle_new_instance(doc, "scipy.sparse._dok", "dok_array", state);
    pickle_sparse m;

    pickle_set_key(doc, state, "_dict", dict);
    check_bad(v, "the matrix has no dtype");
    pickle_set_key(doc, state, "dtype", pickle_new_dtype(doc, "<f8"));
    pickle_set_item(doc, dict, shape_of(doc, 1, 2), pickle_new_float(doc, 7));
    read_matrix(v, &m);
    check_dense(&m, want, 6);
    pickle_set_item(doc, dict, shape_of(doc, 2, 2), pickle_new_float(doc, 7));
    check_bad(v, "a key of the matrix is no place within its shape");
    docs_done(doc);
}
END_TEST

START_TEST(test_bad_parts)
{
    pickle_doc *doc = docs_new();
    pickle_val *state = state_of(doc, 1, 1);
    pickle_val *v = pickle_new_instance(doc, "scipy.sparse", "csr_matrix", state);

    check_bad(v, "a part of the matrix is no array");
    pickle_set_key(doc, state, "data", numbers(doc, "|S4", "1"));
    check_bad(v, "the matrix's dtype is not of numbers");
    set_numbers(doc, state, "data", "1");
    set_numbers(doc, state, "indptr", "0 1");
    pickle_set_key(doc, state, "indices", numbers(doc, "<f4", "0"));
    check_bad(v, "the matrix's indices are no integers");
    pickle_set_key(doc, state, "_shape", shape_of(doc, -1, 1));
    check_bad(v, "a dimension of the matrix is no number from 0 up");
    pickle_set_key(doc, state, "_shape", pickle_new_tuple(doc, 0, NULL));
    check_bad(v, "the matrix has a number of dimensions that its format has not");
    pickle_set_key(doc, state, "_shape", pickle_new_int(doc, 3));
    check_bad(v, "the matrix has no shape");
    docs_done(doc);
}
END_TEST

START_TEST(test_other_values)
{
    static const char text[] = "cscipy.sparse\ncsr_matrix\n.";
    pickle_sparse_iter none = { .of = NULL };
    pickle_doc *doc = READ(text);
    pickle_sparse m;
    pickle_error err;

    ck_assert(!pickle_read_sparse(NULL, &m, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    ck_assert(!pickle_read_sparse(pickle_root(doc), &m, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    ck_assert(!pickle_sparse_next(&none));
    ck_assert(!pickle_sparse_coords(NULL, 0, NULL));
    ck_assert_str_eq(pickle_sparse_format_name((pickle_sparse_format)99), "");
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- forms */

/* scipy.sparse.csr_matrix((data, indices, indptr), shape), as the library itself makes them. */
START_TEST(test_calls)
{
    static const double want[] = { 0, 0, 3, 4, 0, 0 };
    pickle_doc *doc = docs_new();
    const pickle_val *data = numbers(doc, "<i4", "1 2 4");
    const pickle_val *row = numbers(doc, "<i4", "0 0 1"), *col = numbers(doc, "<i4", "2 2 0");
    pickle_array coords;
    pickle_sparse m;

    read_matrix(pickle_new_coo(doc, "coo_array", 2, 3, data, row, col), &m);
    ck_assert(m.format == PICKLE_SPARSE_COO && m.is_array && m.nnz == 3);
    ck_assert(pickle_sparse_coords(&m, 1, &coords) && pickle_array_i32(&coords)[0] == 2);
    ck_assert(!pickle_sparse_coords(&m, 2, &coords));
    check_dense(&m, want, 6);
    read_matrix(pickle_new_sparse(doc, "csr_matrix", 2, 3, data, col, numbers(doc, "<i4", "0 2 3")),
                &m);
    ck_assert(m.format == PICKLE_SPARSE_CSR && !m.is_array);
    check_dense(&m, want, 6);
    docs_done(doc);
}
END_TEST

/* The indices 0, 1, 2, 200 as each type that they can have. */
START_TEST(test_index_types)
{
    static const struct {
        const char *dtype;
        unsigned char bytes[32];
    } cases[] = {
        { "|u1", { 0, 1, 2, 200 } },
        { "<u2", { 0, 0, 1, 0, 2, 0, 200, 0 } },
        { ">i2", { 0, 0, 0, 1, 0, 2, 0, 200 } },
        { "<u4", { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 200 } },
        { ">u4", { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 200 } },
        { "<i8", { [8] = 1, [16] = 2, [24] = 200 } },
        { ">u8", { [15] = 1, [23] = 2, [31] = 200 } },
    };
    static const int64_t n = 4;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pickle_doc *doc = docs_new();
        const pickle_val *places = pickle_new_array(doc, cases[i].dtype, 1, &n, cases[i].bytes);
        static const int64_t want[] = { 0, 1, 2, 200 };
        pickle_sparse_iter it = { .of = NULL };
        pickle_sparse m;

        read_matrix(pickle_new_coo(doc, "coo_matrix", 201, 201, numbers(doc, "<i4", "1 2 3 4"),
                                   places, places),
                    &m);
        it.of = &m;
        for (int k = 0; k < 4; k++)
            ck_assert(pickle_sparse_next(&it) && it.index[0] == want[k] && it.index[1] == want[k]);
        ck_assert(!pickle_sparse_next(&it));
        docs_done(doc);
    }
}
END_TEST

static void check_fails(bool done, const pickle_error *err, pickle_status code)
{
    ck_assert(!done);
    ck_assert_int_eq(err->code, code);
}

START_TEST(test_targets)
{
    pickle_doc *doc = docs_new();
    const pickle_val *some = numbers(doc, "<i4", "0 1");
    int64_t indptr[3], indices[2];
    pickle_error err;
    pickle_sparse m;
    double dst[4];

    read_matrix(pickle_new_coo(doc, "coo_matrix", 2, 2, some, some, some), &m);
    check_fails(pickle_sparse_dense(&m, "f8", dst, 31, &err), &err, PICKLE_ERR_RANGE);
    check_fails(pickle_sparse_values(&m, "f8", dst, 8, &err), &err, PICKLE_ERR_RANGE);
    check_fails(pickle_sparse_csr(&m, "f8", indptr, indices, dst, 8, &err), &err, PICKLE_ERR_RANGE);
    check_fails(pickle_sparse_dense(&m, "S8", dst, 32, &err), &err, PICKLE_ERR_TYPE);
    check_fails(pickle_sparse_dense(&m, "what", dst, 32, &err), &err, PICKLE_ERR_TYPE);
    ck_assert(pickle_sparse_csr(&m, "f8", indptr, indices, dst, 16, &err));
    ck_assert(indptr[0] == 0 && indptr[1] == 1 && indptr[2] == 2 && indices[1] == 1 && dst[1] == 1);
    read_matrix(pickle_new_coo(doc, "coo_matrix", INT64_MAX, INT64_MAX, some, some, some), &m);
    check_fails(pickle_sparse_dense(&m, "f8", dst, 32, &err), &err, PICKLE_ERR_RANGE);
    check_fails(pickle_sparse_csr(&m, "f8", indptr, indices, dst, 16, &err), &err,
                PICKLE_ERR_RANGE);
    docs_done(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sparse");
    TCase *tc = tcase_create("sparse");
    SRunner *runner = srunner_create(suite);
    int bad;

    tcase_add_test(tc, test_bad_compressed);
    tcase_add_test(tc, test_bad_blocks);
    tcase_add_test(tc, test_bad_coordinates);
    tcase_add_test(tc, test_offsets);
    tcase_add_test(tc, test_lists);
    tcase_add_test(tc, test_shared_lists);
    tcase_add_test(tc, test_dict);
    tcase_add_test(tc, test_bad_parts);
    tcase_add_test(tc, test_other_values);
    tcase_add_test(tc, test_calls);
    tcase_add_test(tc, test_index_types);
    tcase_add_test(tc, test_targets);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad != 0;
}
