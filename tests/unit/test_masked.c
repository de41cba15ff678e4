/*
 * test_masked.c - numpy's masked arrays: those of the fixtures, and those whose parts contradict
 * each other. What numpy writes besides is seen in interop/test_numpy_types.py.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "docs.h"

#include <pickle/pickle.h>

/* make_numpy.py: np.ma.array(np.arange(3), mask=[False, True, False]). */
START_TEST(test_fixtures)
{
    static const char *const folders[] = { "py27-old", "py27",  "py36-old", "py36",  "py37", "py38",
                                           "py39",     "py310", "py311",    "py312", "py313" };
    static const bool want[] = { false, true, false };
    char path[64];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        pickle_masked_array a;
        pickle_doc *doc;

        snprintf(path, sizeof path, "%s/numpy/objects.p2.pkl", folders[i]);
        doc = docs_fixture(path);
        ck_assert_msg(pickle_get_masked_array(pickle_get(pickle_root(doc), "masked"), &a), "%s",
                      path);
        ck_assert(a.data.ndim == 1 && a.data.shape[0] == 3 && a.fill_value == NULL);
        for (int k = 0; k < 3; k++)
            ck_assert_int_eq(pickle_array_i64(&a.data)[k], k);
        ck_assert(a.mask.dtype.kind == 'b' && memcmp(a.mask.data, want, 3) == 0);
        ck_assert_str_eq(pickle_name(a.cls), "MaskedArray");
        ck_assert_str_eq(pickle_name(a.data.cls), "ndarray");
        pickle_doc_free(doc);
    }
}
END_TEST

static pickle_val *new_masked(pickle_doc *doc, const char *dtype, const char *data, size_t data_len,
                              const char *mask, size_t mask_len)
{
    const pickle_val *zero = pickle_new_int(doc, 0), *one = pickle_new_int(doc, 1);
    const pickle_val *class = pickle_new_global(doc, "numpy.ma.core", "MaskedArray");
    const pickle_val *base = pickle_new_global(doc, "numpy", "ndarray");
    const pickle_val *maker = pickle_new_global(doc, "numpy.ma.core", "_mareconstruct");
    const pickle_val *shape = pickle_new_tuple(doc, ITEMS(zero)), *b = pickle_new_str(doc, "b");
    pickle_val *v = pickle_new_call(doc, PICKLE_CALL_REDUCE, maker,
                                    pickle_new_tuple(doc, ITEMS(class, base, shape, b)), NULL);

    shape = pickle_new_tuple(doc, ITEMS(pickle_new_int(doc, 2)));
    pickle_set_state(
        doc, v,
        pickle_new_tuple(doc,
                         ITEMS(one, shape, pickle_new_dtype(doc, dtype),
                               pickle_new_bool(doc, false), pickle_new_bytes(doc, data, data_len),
                               pickle_new_bytes(doc, mask, mask_len), pickle_new_none(doc))));
    return v;
}

/* A record's mask has a bool for each simple field, and each element of a subarray. */
START_TEST(test_records)
{
    static const char record[] = "[('a', '<i2'), ('b', [('x', 'u1'), ('y', 'u1', (2,))])]";
    static const char data[] = "\1\0abc\2\0def", mask[] = "\0\1\0\1\1\0\0\0";
    pickle_masked_array a, b, y;
    pickle_doc *doc = docs_new();
    pickle_array item;

    ck_assert(pickle_get_masked_array(new_masked(doc, record, data, 10, mask, 8), &a));
    ck_assert(a.mask.dtype.kind == 'V' && a.mask.dtype.itemsize == 4);
    ck_assert(pickle_masked_field(&a, "b", &b) && pickle_masked_field(&b, "y", &y));
    ck_assert(b.mask.dtype.itemsize == 3 && !pickle_masked_field(&a, "c", &b));
    ck_assert(y.mask.ndim == 2 && y.mask.shape[1] == 2 && y.mask.dtype.kind == 'b');
    ck_assert(pickle_array_at(&y.mask, ((const int64_t[]){ 0, 1 }), 2, &item, NULL));
    ck_assert(*(const char *)item.data == 1);
    ck_assert(pickle_array_at(&y.mask, ((const int64_t[]){ 1, 1 }), 2, &item, NULL));
    ck_assert(*(const char *)item.data == 0);
    docs_done(doc);
}
END_TEST

START_TEST(test_bad)
{
    pickle_doc *doc = docs_new();
    pickle_val *v = new_masked(doc, "<i4", "12345678", 8, "\0\1\0", 3);
    pickle_masked_array a;
    pickle_error err;

    ck_assert(!pickle_read_masked_array(v, &a, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
    ck_assert_str_eq(err.message, "the array has 3 bytes of data where its shape calls for 2");
    pickle_set_state(doc, v, pickle_new_tuple(doc, 0, NULL));
    ck_assert(!pickle_read_masked_array(v, &a, &err));
    ck_assert_str_eq(err.message, "the masked array's state is no tuple of 7 items");
    ck_assert(!pickle_read_masked_array(NULL, &a, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    docs_done(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("masked");
    TCase *tc = tcase_create("masked");
    SRunner *runner = srunner_create(suite);
    int bad;

    tcase_add_test(tc, test_fixtures);
    tcase_add_test(tc, test_records);
    tcase_add_test(tc, test_bad);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad != 0;
}
