/*
 * test_numpy.c - the arrays of joblib 1.2, whose description is in tables/joblib12.tsv:
 * dtype, shape, order, and that the data are those bytes of the file, in place. And
 * what facts.tsv does not tell: which arrays may be written to, and what is known of
 * those whose buffers are elsewhere.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "sha256.h"
#include "table.h"

enum { FILE_NAME, PATH, DTYPE, SHAPE, ORDER, OFFSET, NBYTES, DIGEST };

/* "|V12{a,b}" */
static void print_dtype(char *text, size_t size, const pickle_dtype *d)
{
    uint64_t units = d->kind == 'U' ? d->itemsize / 4 : d->itemsize;
    size_t n = (size_t)snprintf(text, size, "%c%c%" PRIu64, d->order, d->kind, units);

    for (uint64_t i = 0; i < d->nfields; i++) {
        pickle_field field;

        ck_assert(pickle_dtype_field(d, i, &field));
        n += (size_t)snprintf(text + n, size - n, "%c%s", i ? ',' : '{', field.name);
    }
    if (d->nfields)
        snprintf(text + n, size - n, "}");
}

static void print_shape(char *text, size_t size, const pickle_array *a)
{
    size_t n = (size_t)snprintf(text, size, "(");

    for (int i = 0; i < a->ndim; i++)
        n += (size_t)snprintf(text + n, size - n, i ? ",%" PRId64 : "%" PRId64, a->shape[i]);
    snprintf(text + n, size - n, a->ndim == 1 ? ",)" : ")");
}

static void check_data(const table *t, const pickle_doc *doc, const pickle_array *a,
                       const unsigned char *file)
{
    char digest[65];

    ck_assert_uint_eq(a->nbytes, strtoull(t->field[NBYTES], NULL, 10));
    sha256_hex(digest, a->data, (size_t)a->nbytes);
    digest[16] = '\0';
    ck_assert_str_eq(digest, t->field[DIGEST]);
    if (strcmp(pickle_container(doc), "joblib") == 0 && a->nbytes > 0)
        ck_assert_int_eq((const unsigned char *)a->data - file, atol(t->field[OFFSET]));
}

static void check_array(const table *t, const pickle_doc *doc, const unsigned char *file)
{
    const char *path = strcmp(t->field[PATH], ".") == 0 ? "" : t->field[PATH];
    pickle_error err = { 0 };
    pickle_array a;
    char text[256];

    ck_assert_msg(pickle_read_array(pickle_find(pickle_root(doc), path), &a, &err), "%s %s: %s",
                  t->field[FILE_NAME], path, err.message);
    print_dtype(text, sizeof text, &a.dtype);
    ck_assert_str_eq(text, t->field[DTYPE]);
    print_shape(text, sizeof text, &a);
    ck_assert_str_eq(text, t->field[SHAPE]);
    ck_assert_int_eq(a.fortran ? 'F' : 'C', t->field[ORDER][0]);
    if (a.dtype.hasobject)
        ck_assert_uint_eq(pickle_len(a.objects), pickle_array_count(&a));
    else
        check_data(t, doc, &a, file);
}

START_TEST(joblib12)
{
    table t;
    char path[4096];

    table_open(&t, "joblib12.tsv");
    while (table_next(&t)) {
        size_t size;
        unsigned char *file;
        pickle_error err;
        pickle_doc *doc;

        snprintf(path, sizeof path, "%s/vectors/joblib-1.2/%s", files_folder(), t.field[FILE_NAME]);
        file = files_read(path, &size);
        ck_assert_msg(file != NULL, "cannot read %s", path);
        doc = pickle_read(file, size, pickle_read_opts(.borrow = true), &err);
        ck_assert_msg(doc != NULL, "%s: byte %" PRIu64 ": %s", path, err.offset, err.message);
        if (strcmp(t.field[PATH], "-") != 0)
            check_array(&t, doc, file);
        pickle_doc_free(doc);
        free(file);
    }
}
END_TEST

START_TEST(readonly)
{
    static const char *const names[] = { "py313/numpy/layouts.p5.pkl", "py313/numpy/layouts.p2.pkl",
                                         "py313/numpy/buffers.p5.pkl" };
    pickle_array a;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        pickle_doc *doc = docs_fixture(names[i]);

        ck_assert(pickle_get_array(pickle_find(pickle_root(doc), "['c']"), &a));
        ck_assert(!a.readonly);
        ck_assert(pickle_get_array(pickle_find(pickle_root(doc), "['frozen']"), &a));
        ck_assert_msg(a.readonly == (i != 1), "%s", names[i]); /* before protocol 5: a new array */
        pickle_doc_free(doc);
    }
}
END_TEST

START_TEST(buffers_elsewhere)
{
    pickle_doc *doc = docs_fixture("py313/numpy/buffers.p5.pkl");
    pickle_error err;
    pickle_array a, item;
    double numbers[24];
    int64_t index[] = { 1, 2 };

    ck_assert(pickle_get_array(pickle_find(pickle_root(doc), "['f']"), &a));
    ck_assert_ptr_null(a.data);
    ck_assert_uint_eq(a.nbytes, sizeof numbers);
    ck_assert(a.fortran);
    ck_assert(!pickle_array_copy(&a, "f8", numbers, sizeof numbers, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_MISSING);
    ck_assert(!pickle_array_item_repr(&a, (pickle_sink){ NULL, NULL }));
    ck_assert(pickle_array_at(&a, index, 2, &item, NULL));
    ck_assert_ptr_null(item.data);
    pickle_doc_free(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("numpy");
    TCase *tc = tcase_create("numpy");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, joblib12);
    tcase_add_test(tc, readonly);
    tcase_add_test(tc, buffers_elsewhere);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
