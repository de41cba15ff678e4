/*
 * test_sklearn.c - models as C programs use them: opening, describing, batches of every kind,
 * results of every kind, and what is refused. That the numbers are scikit-learn's is the zoo's to
 * show; here they are of fixtures/py313, whose facts Python wrote.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>
#include <pickle/sklearn.h>

#include "docs.h"
#include "testmem.h"

/* The first, the 51st and the 101st row of iris.csv: one of each species. */
static const double rows[3][4] = { { 5.1, 3.5, 1.4, 0.2 },
                                   { 7.0, 3.2, 4.7, 1.4 },
                                   { 6.3, 3.3, 6.0, 2.5 } };

static pickle_doc *doc;
static pickle_model *pipeline;

static void open_pipeline(void)
{
    doc = docs_fixture("py313/sklearn/iris_pipeline.pkl");
    pipeline = pickle_model_open(pickle_root(doc), NULL, NULL);
    ck_assert_ptr_nonnull(pipeline);
}

static void close_pipeline(void)
{
    pickle_model_free(pipeline);
    pickle_doc_free(doc);
}

static pickle_batch three(void)
{
    return (pickle_batch){ .kind = PICKLE_BATCH_F64, .rows = 3, .cols = 4, .data = rows };
}

static void refused(bool done, const pickle_error *err, pickle_status code, const char *message)
{
    ck_assert(!done);
    ck_assert_msg(err->code == code, "%s: %s", pickle_status_name(err->code), err->message);
    ck_assert_str_eq(err->message, message);
}

/* -------------------------------------------------------------- describing */

START_TEST(test_describe)
{
    const char *name;
    const pickle_model *part = pickle_model_part(pipeline, 1, &name);

    ck_assert(pickle_model_supported(pipeline, NULL));
    ck_assert_str_eq(pickle_model_class(pipeline), "sklearn.pipeline.Pipeline");
    ck_assert_str_eq(pickle_model_version(pipeline), "1.9.1");
    ck_assert_uint_eq(pickle_model_features(pipeline), 4);
    ck_assert_ptr_null(pickle_model_feature_name(pipeline, 0));
    ck_assert(!pickle_model_takes_text(pipeline));
    ck_assert(pickle_model_has(pipeline, PICKLE_PREDICT));
    ck_assert(!pickle_model_has(pipeline, PICKLE_TRANSFORM));
    ck_assert_uint_eq(pickle_model_parts(pipeline), 2);
    ck_assert_str_eq(name, "logistic");
    ck_assert_str_eq(pickle_model_class(part), "sklearn.linear_model.LogisticRegression");
    ck_assert_ptr_null(pickle_model_part(pipeline, 2, &name));
}
END_TEST

START_TEST(test_classes)
{
    ck_assert_uint_eq(pickle_model_outputs(pipeline), 1);
    ck_assert_uint_eq(pickle_model_classes(pipeline, 0), 3);
    ck_assert_uint_eq(pickle_model_classes(pipeline, 1), 0);
    ck_assert_int_eq(pickle_model_label(pipeline, 0, 2)->kind, PICKLE_CELL_INT);
    ck_assert_int_eq(pickle_model_label(pipeline, 0, 2)->as.i, 2);
    ck_assert_ptr_null(pickle_model_label(pipeline, 0, 3));
}
END_TEST

START_TEST(test_nothing)
{
    pickle_unsupported why = { "untouched", NULL, NULL };
    const char *name;

    ck_assert(!pickle_model_supported(NULL, &why));
    ck_assert_str_eq(pickle_model_class(NULL), "");
    ck_assert_ptr_null(pickle_model_version(NULL));
    ck_assert_uint_eq(pickle_model_features(NULL), 0);
    ck_assert(!pickle_model_has(NULL, PICKLE_PREDICT));
    ck_assert_uint_eq(pickle_model_parts(NULL), 0);
    ck_assert_ptr_null(pickle_model_part(NULL, 0, &name));
    ck_assert_ptr_null(pickle_model_label(NULL, 0, 0));
    pickle_model_free(NULL);
    pickle_table_free(NULL);
    pickle_csr_free(NULL);
}
END_TEST

START_TEST(test_methods)
{
    pickle_method method;

    for (int i = 0; i < PICKLE_N_METHODS; i++) {
        ck_assert(pickle_method_of(pickle_method_name((pickle_method)i), &method));
        ck_assert_int_eq((int)method, i);
    }
    ck_assert(!pickle_method_of("fit", &method));
    ck_assert(!pickle_method_of(NULL, &method));
    ck_assert_str_eq(pickle_method_name((pickle_method)99), "unknown method");
}
END_TEST

/* ----------------------------------------------------------------- running */

START_TEST(test_results)
{
    pickle_batch in = three();
    pickle_error err;
    double labels[3];
    size_t index[3], width;
    pickle_cell cells[3];

    ck_assert(pickle_model_width(pipeline, PICKLE_PREDICT, 4, &width, &err));
    ck_assert_uint_eq(width, 1);
    ck_assert(pickle_model_width(pipeline, PICKLE_DECISION_FUNCTION, 4, &width, &err));
    ck_assert_uint_eq(width, 3);
    ck_assert(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, labels, 3, &err));
    ck_assert(pickle_model_run_index(pipeline, &in, NULL, index, 3, &err));
    ck_assert(pickle_model_run_cells(pipeline, PICKLE_PREDICT, &in, NULL, cells, 3, &err));
    for (size_t i = 0; i < 3; i++) {
        ck_assert(labels[i] == (double)i);
        ck_assert_uint_eq(index[i], i);
        ck_assert_int_eq(cells[i].kind, PICKLE_CELL_INT);
        ck_assert_int_eq(cells[i].as.i, (int64_t)i);
    }
}
END_TEST

/* Rows apart from each other, floats, cells, by names, by threads: the same labels. */
START_TEST(test_batches)
{
    double apart[3][6] = { { 0 } }, labels[3];
    float floats[3][4];
    pickle_cell cells[3][4];
    pickle_batch in = three();
    pickle_error err;

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++) {
            apart[i][j] = rows[i][j];
            floats[i][j] = (float)rows[i][j];
            cells[i][j] = (pickle_cell){ PICKLE_CELL_FLOAT, 0, { .f = rows[i][j] } };
        }
    }
    for (int kind = 0; kind < 3; kind++) {
        in.kind = kind == 0 ? PICKLE_BATCH_F64 : kind == 1 ? PICKLE_BATCH_F32 : PICKLE_BATCH_CELLS;
        in.data = kind == 0 ? (void *)apart : kind == 1 ? (void *)floats : (void *)cells;
        in.stride = kind == 0 ? sizeof apart[0] : 0;
        ck_assert(pickle_model_run(pipeline, PICKLE_PREDICT, &in, pickle_run_opts(.threads = 7),
                                   labels, 3, &err));
        ck_assert(labels[0] == 0 && labels[1] == 1 && labels[2] == 2);
    }
}
END_TEST

START_TEST(test_no_rows)
{
    pickle_batch in = { .kind = PICKLE_BATCH_F64, .cols = 4 };
    pickle_error err;
    pickle_csr csr;

    ck_assert(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, NULL, 0, &err));
    ck_assert(pickle_model_run_csr(pickle_model_part(pipeline, 0, NULL), PICKLE_TRANSFORM, &in,
                                   NULL, &csr, &err));
    ck_assert_uint_eq(csr.rows, 0);
    ck_assert_uint_eq(csr.cols, 4);
    pickle_csr_free(&csr);
}
END_TEST

START_TEST(test_sparse_result)
{
    const pickle_model *scale = pickle_model_part(pipeline, 0, NULL);
    pickle_batch in = three();
    double dense[12];
    pickle_error err;
    pickle_csr csr;

    ck_assert(pickle_model_run(scale, PICKLE_TRANSFORM, &in, NULL, dense, 12, &err));
    ck_assert(pickle_model_run_csr(scale, PICKLE_TRANSFORM, &in, pickle_run_opts(.threads = 2),
                                   &csr, &err));
    ck_assert_int_eq(csr.indptr[3], 12);
    for (int64_t k = 0; k < 12; k++) {
        ck_assert_int_eq(csr.indices[k], k % 4);
        ck_assert(csr.data[k] == dense[k]);
    }
    pickle_csr_free(&csr);
}
END_TEST

START_TEST(test_refused_input)
{
    double out[12], odd[4] = { 1, 2, NAN, 4 };
    int64_t indptr[] = { 0, 1 }, indices[] = { 4 };
    pickle_batch in = three();
    pickle_error err;
    const pickle_cell text[4] = { { PICKLE_CELL_TEXT, 1, { .text = "a" } } };

    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 4, &err), &err,
            PICKLE_ERR_RANGE, "4 numbers are not the same for 3 rows");
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 6, &err), &err,
            PICKLE_ERR_RANGE, "predict gives 1 numbers for a row: there is room for 2");
    refused(pickle_model_run(pipeline, PICKLE_TRANSFORM, &in, NULL, out, 3, &err), &err,
            PICKLE_ERR_MISSING, "sklearn.pipeline.Pipeline has no transform");
    refused(pickle_model_run(NULL, PICKLE_PREDICT, &in, NULL, out, 3, &err), &err, PICKLE_ERR_ARG,
            "no model, or no such method");
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, NULL, NULL, out, 3, &err), &err,
            PICKLE_ERR_ARG, "no batch");
    in.cols = 3;
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 3, &err), &err,
            PICKLE_ERR_VALUE, "X has 3 columns, but sklearn.pipeline.Pipeline expects 4");
    in = (pickle_batch){ .kind = PICKLE_BATCH_F64, .rows = 1, .cols = 4, .data = odd };
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 1, &err), &err,
            PICKLE_ERR_VALUE,
            "row 0, column 2 is NaN, which sklearn.linear_model.LogisticRegression refuses");
    odd[2] = -INFINITY;
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 1, &err), &err,
            PICKLE_ERR_VALUE,
            "row 0, column 2 is infinite, which sklearn.preprocessing.StandardScaler refuses");
    in.kind = PICKLE_BATCH_CELLS;
    in.data = text;
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 1, &err), &err,
            PICKLE_ERR_TYPE, "column 0 is no column of numbers: row 0 has text");
    in = (pickle_batch){ .kind = PICKLE_BATCH_CSR,
                         .rows = 1,
                         .cols = 4,
                         .data = odd,
                         .indptr = indptr,
                         .indices = indices };
    refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, NULL, out, 1, &err), &err,
            PICKLE_ERR_ARG, "row 0 has a column outside of the matrix");
}
END_TEST

/* The row that is wrong is counted in the whole batch, whichever thread has it. */
START_TEST(test_which_row)
{
    const size_t n = 10000;
    double *data = calloc(n * 4, sizeof *data), *out = calloc(n, sizeof *out);
    pickle_batch in = { .kind = PICKLE_BATCH_F64, .rows = n, .cols = 4, .data = data };
    pickle_error err;

    data[9876 * 4 + 1] = NAN;
    for (unsigned threads = 0; threads < 4; threads++)
        refused(pickle_model_run(pipeline, PICKLE_PREDICT, &in, pickle_run_opts(.threads = threads),
                                 out, n, &err),
                &err, PICKLE_ERR_VALUE,
                "row 9876, column 1 is NaN, which sklearn.linear_model.LogisticRegression refuses");
    free(data);
    free(out);
}
END_TEST

/* ------------------------------------------------------------------- names */

/* The pipeline, as if it had been fitted on a DataFrame. */
static pickle_model *open_named(pickle_doc *into)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    const pickle_val *items[4], *root = pickle_root(into);
    const int64_t shape[] = { 4 };

    for (size_t i = 0; i < 4; i++)
        items[i] = pickle_new_str(into, names[i]);
    pickle_set_attr(into, pickle_find(root, "steps[0][1]"), "feature_names_in_",
                    pickle_new_object_array(into, 1, shape, items));
    return pickle_model_open(root, NULL, NULL);
}

START_TEST(test_names)
{
    static const char *const names[] = { "d", "x", "b", "a", "c" };
    static const size_t from[] = { 3, 0, 1, 0, 2 };
    static const char *const wrong[] = { "d", "x", "b", "a", "e" };
    pickle_model *m = open_named(doc);
    double mixed[3][5], labels[3];
    pickle_batch in = {
        .kind = PICKLE_BATCH_F64, .rows = 3, .cols = 5, .data = mixed, .names = names
    };
    pickle_error err;

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 5; j++)
            mixed[i][j] = rows[i][from[j]];
    }
    ck_assert_str_eq(pickle_model_feature_name(m, 3), "d");
    ck_assert_ptr_null(pickle_model_feature_name(m, 4));
    ck_assert(pickle_model_run(m, PICKLE_PREDICT, &in, NULL, labels, 3, &err));
    ck_assert(labels[0] == 0 && labels[1] == 1 && labels[2] == 2);
    in.names = wrong;
    refused(pickle_model_run(m, PICKLE_PREDICT, &in, NULL, labels, 3, &err), &err,
            PICKLE_ERR_MISSING, "there is no column 'c'");
    in.names = NULL;
    refused(pickle_model_run(m, PICKLE_PREDICT, &in, NULL, labels, 3, &err), &err, PICKLE_ERR_VALUE,
            "X has 5 columns, but sklearn.pipeline.Pipeline expects 4");
    pickle_model_free(m);
}
END_TEST

/* ------------------------------------------------------- what is not opened */

START_TEST(test_no_estimator)
{
    pickle_doc *list = READ("\x80\x04]."), *object = READ("\x80\x04\x8c\x01m\x8c\x01"
                                                          "C\x93)\x81.");
    pickle_unsupported why;
    pickle_error err;
    pickle_model *m;
    double out;
    pickle_batch in = { .kind = PICKLE_BATCH_F64, .rows = 1, .cols = 1, .data = &out };

    refused(pickle_model_open(pickle_root(list), NULL, &err), &err, PICKLE_ERR_TYPE,
            "list is no estimator");
    refused(pickle_model_open(NULL, NULL, &err), &err, PICKLE_ERR_TYPE,
            "what is not there is no estimator");
    m = pickle_model_open(pickle_root(object), NULL, &err);
    ck_assert_ptr_nonnull(m);
    ck_assert(!pickle_model_supported(m, &why));
    ck_assert_str_eq(why.class_name, "m.C");
    ck_assert_ptr_null(why.attribute);
    refused(pickle_model_run(m, PICKLE_PREDICT, &in, NULL, &out, 1, &err), &err,
            PICKLE_ERR_UNSUPPORTED, "m.C is not among the classes that can be run here");
    pickle_model_free(m);
    pickle_doc_free(list);
    pickle_doc_free(object);
}
END_TEST

static pickle_model *reopen(const pickle_model_opts *opts)
{
    pickle_error err;
    pickle_model *m = pickle_model_open(pickle_root(doc), opts, &err);

    ck_assert_msg(m != NULL, "%s", err.message);
    return m;
}

static void unsupported(pickle_model *m, const char *class_name, const char *attribute)
{
    pickle_unsupported why = { "", "", "" };

    ck_assert(!pickle_model_supported(m, &why));
    ck_assert_str_eq(why.class_name, class_name);
    ck_assert_str_eq(why.attribute, attribute);
    pickle_model_free(m);
}

START_TEST(test_versions)
{
    const pickle_val *root = pickle_root(doc), *logistic = pickle_find(root, "steps[1][1]");
    pickle_model *m;

    pickle_set_attr(doc, logistic, "_sklearn_version", pickle_new_str(doc, "2.1.0"));
    unsupported(reopen(NULL), "sklearn.linear_model.LogisticRegression", "_sklearn_version");
    m = reopen(pickle_model_opts(.newer = true));
    ck_assert(pickle_model_supported(m, NULL));
    pickle_model_free(m);
    pickle_set_attr(doc, logistic, "_sklearn_version", pickle_new_str(doc, "0.17.1"));
    unsupported(reopen(NULL), "sklearn.linear_model.LogisticRegression", "_sklearn_version");
}
END_TEST

START_TEST(test_missing_attribute)
{
    const pickle_val *logistic = pickle_find(pickle_root(doc), "steps[1][1]");

    ck_assert(pickle_remove_attr(doc, logistic, "coef_"));
    unsupported(reopen(NULL), "sklearn.linear_model.LogisticRegression", "coef_");
}
END_TEST

START_TEST(test_contradiction)
{
    static const double three_means[] = { 1, 2, 3 };
    const int64_t shape[] = { 3 };
    const pickle_val *scale = pickle_find(pickle_root(doc), "steps[0][1]");
    pickle_error err;

    pickle_set_attr(doc, scale, "mean_", pickle_new_array(doc, "<f8", 1, shape, three_means));
    ck_assert_ptr_null(pickle_model_open(pickle_root(doc), NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
}
END_TEST

START_TEST(test_contains_itself)
{
    const pickle_val *root = pickle_root(doc), *steps = pickle_attr(root, "steps");
    const pickle_val *step[2] = { pickle_new_str(doc, "again"), root };
    pickle_error err;

    pickle_insert(doc, steps, 0, pickle_new_tuple(doc, 2, step));
    refused(pickle_model_open(root, NULL, &err), &err, PICKLE_ERR_VALUE,
            "sklearn.pipeline.Pipeline: again holds an estimator that contains itself");
}
END_TEST

/* Pipelines of two steps that are the same pipeline of two steps ...: few nodes, endless work. */
START_TEST(test_doubling)
{
    const pickle_val *inner = pickle_find(pickle_root(doc), "steps[0][1]");
    pickle_error err;

    for (int i = 0; i < 40; i++) {
        pickle_val *steps = pickle_new_list(doc), *state = pickle_new_dict(doc), *outer;
        const pickle_val *step[2] = { pickle_new_str(doc, "s"), inner };

        pickle_append(doc, steps, pickle_new_tuple(doc, 2, step));
        pickle_append(doc, steps, pickle_new_tuple(doc, 2, step));
        pickle_set_key(doc, state, "steps", steps);
        pickle_set_key(doc, state, "_sklearn_version", pickle_new_str(doc, "1.9.1"));
        outer = pickle_new_instance(doc, "sklearn.pipeline", "Pipeline", state);
        inner = outer;
    }
    ck_assert_ptr_null(pickle_model_open(inner, NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
}
END_TEST

/* ------------------------------------------------------------------ tables */

START_TEST(test_tables)
{
    static const double matrix[] = { 1, 2, 3, 4, 5, 6 };
    static const float floats[] = { 1, 2 };
    const int64_t shape[] = { 3, 2 };
    pickle_doc *d = docs_new();
    pickle_val *texts = pickle_new_list(d), *dict = pickle_new_dict(d);
    pickle_error err;
    pickle_table *t;
    const pickle_batch *b;

    t = pickle_table_read(pickle_new_array(d, "<f8", 2, shape, matrix), &err);
    b = pickle_table_batch(t);
    ck_assert_int_eq(b->kind, PICKLE_BATCH_F64);
    ck_assert(b->rows == 3 && b->cols == 2 && ((const double *)b->data)[5] == 6);
    pickle_table_free(t);

    pickle_set_key(d, dict, "any", pickle_new_array(d, "<f4", 1, shape + 1, floats));
    t = pickle_table_read(dict, &err);
    b = pickle_table_batch(t);
    ck_assert_int_eq(b->kind, PICKLE_BATCH_F32);
    ck_assert(b->rows == 2 && b->cols == 1);
    pickle_table_free(t);

    pickle_append(d, texts, pickle_new_str(d, "one"));
    pickle_append(d, texts, pickle_new_none(d));
    t = pickle_table_read(texts, &err);
    b = pickle_table_batch(t);
    ck_assert_int_eq(b->kind, PICKLE_BATCH_CELLS);
    ck_assert_str_eq(((const pickle_cell *)b->data)[0].as.text, "one");
    ck_assert_int_eq(((const pickle_cell *)b->data)[1].kind, PICKLE_CELL_NONE);
    pickle_table_free(t);

    refused(pickle_table_read(pickle_new_int(d, 1), &err), &err, PICKLE_ERR_TYPE,
            "is no table: no array, matrix, DataFrame or list");
    pickle_append(d, texts, dict);
    refused(pickle_table_read(texts, &err), &err, PICKLE_ERR_TYPE,
            "the table holds what is neither number nor text");
    docs_done(d);
}
END_TEST

/* ------------------------------------------------------------------ memory */

static pickle_status open_and_run(const pickle_alloc *alloc)
{
    pickle_error err = { .code = PICKLE_OK };
    pickle_model *m = pickle_model_open(pickle_root(doc), pickle_model_opts(.alloc = alloc), &err);
    pickle_batch in = three();
    double labels[3];
    pickle_csr csr;

    if (m &&
        pickle_model_run(m, PICKLE_PREDICT, &in, pickle_run_opts(.threads = 1), labels, 3, &err) &&
        pickle_model_run_csr(pickle_model_part(m, 0, NULL), PICKLE_TRANSFORM, &in, NULL, &csr,
                             &err))
        pickle_csr_free(&csr);
    pickle_model_free(m);
    return err.code;
}

START_TEST(test_memory)
{
    memory m;
    pickle_status status;
    size_t n = 0;

    do {
        memory_init(&m, ++n);
        status = open_and_run(&m.alloc);
        ck_assert_uint_eq(m.in_use, 0);
        ck_assert(status == PICKLE_OK || status == PICKLE_ERR_NOMEM);
        ck_assert_int_eq(status == PICKLE_OK, m.calls < n);
    } while (status != PICKLE_OK);
    ck_assert_uint_gt(n, 8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sklearn");
    TCase *tc = tcase_create("models");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, open_pipeline, close_pipeline);
    tcase_add_test(tc, test_describe);
    tcase_add_test(tc, test_classes);
    tcase_add_test(tc, test_nothing);
    tcase_add_test(tc, test_methods);
    tcase_add_test(tc, test_results);
    tcase_add_test(tc, test_batches);
    tcase_add_test(tc, test_no_rows);
    tcase_add_test(tc, test_sparse_result);
    tcase_add_test(tc, test_refused_input);
    tcase_add_test(tc, test_which_row);
    tcase_add_test(tc, test_names);
    tcase_add_test(tc, test_no_estimator);
    tcase_add_test(tc, test_versions);
    tcase_add_test(tc, test_missing_attribute);
    tcase_add_test(tc, test_contradiction);
    tcase_add_test(tc, test_contains_itself);
    tcase_add_test(tc, test_doubling);
    tcase_add_test(tc, test_tables);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
