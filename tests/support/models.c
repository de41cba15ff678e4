/* models.c - everything that can be asked of a model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

#define ROWS 5
/* Wider results are right, too, and take the test's time. */
#define MOST_COLUMNS 2000
#define MOST_RESULTS 200000

static const double numbers[] = { 0, 1, -1, 0.5, 5.1, -3.75, 1e6, -1e-9, 2, 3, 100, 1e38 };
static const char *const texts[] = {
    "a",      "",   "the cat sat on the mat", "caf\xc3\xa9 \xe2\x82\xac", "\xff\xed\xa0\x80 broken",
    "setosa", "1.5"
};

static void run(const pickle_model *m, pickle_method method, const pickle_batch *in)
{
    pickle_error err;
    size_t width = 0, count;
    pickle_csr csr;
    pickle_cell *cells;
    double *out;

    if (!pickle_model_width(m, method, in->cols, &width, &err) || width > MOST_RESULTS / ROWS)
        return;
    count = in->rows * width;
    out = malloc((count + 1) * sizeof *out);
    cells = malloc((count + 1) * sizeof *cells);
    pickle_model_run(m, method, in, pickle_run_opts(.threads = 2), out, count, &err);
    pickle_model_run(m, method, in, NULL, out, count + 1, &err);
    if (method == PICKLE_PREDICT)
        pickle_model_run_index(m, in, NULL, (size_t *)(void *)out, count, &err);
    pickle_model_run_cells(m, method, in, NULL, cells, count, &err);
    if (pickle_model_run_csr(m, method, in, NULL, &csr, &err))
        pickle_csr_free(&csr);
    free(out);
    free(cells);
}

static void run_methods(const pickle_model *m, const pickle_batch *in)
{
    for (int i = 0; i < PICKLE_N_METHODS; i++)
        run(m, (pickle_method)i, in);
}

static void run_numbers(const pickle_model *m, size_t cols)
{
    double *data = malloc((ROWS * cols + 1) * sizeof *data);
    float *floats = malloc((ROWS * cols + 1) * sizeof *floats);
    pickle_batch in = { .kind = PICKLE_BATCH_F64, .rows = ROWS, .cols = cols, .data = data };

    for (size_t i = 0; i < ROWS * cols; i++) {
        data[i] = numbers[i % (sizeof numbers / sizeof *numbers)];
        floats[i] = (float)data[i];
    }
    run_methods(m, &in);
    data[0] = NAN;
    if (cols > 0)
        data[ROWS * cols - 1] = -INFINITY;
    run_methods(m, &in);
    in.kind = PICKLE_BATCH_F32;
    in.data = floats;
    run_methods(m, &in);
    free(data);
    free(floats);
}

static void run_sparse(const pickle_model *m, size_t cols)
{
    int64_t indptr[ROWS + 1] = { 0 }, indices[ROWS * 2] = { 0 };
    double data[ROWS * 2] = { 0 };
    pickle_batch in = { .kind = PICKLE_BATCH_CSR,
                        .rows = ROWS,
                        .cols = cols,
                        .data = data,
                        .indptr = indptr,
                        .indices = indices };

    if (cols == 0)
        return;
    for (int i = 0; i < ROWS; i++) {
        indptr[i + 1] = indptr[i] + i % 3;
        for (int64_t k = indptr[i]; k < indptr[i + 1]; k++) {
            indices[k] = (int64_t)(cols - 1) * (k % 2);
            data[k] = (double)k + 0.5;
        }
    }
    run_methods(m, &in);
}

static void run_cells(const pickle_model *m, size_t cols)
{
    pickle_cell *data = malloc((ROWS * cols + 1) * sizeof *data);
    pickle_batch in = { .kind = PICKLE_BATCH_CELLS, .rows = ROWS, .cols = cols, .data = data };

    for (size_t i = 0; i < ROWS * cols; i++) {
        const char *text = texts[i % (sizeof texts / sizeof *texts)];

        data[i] = i % 11 == 10 ? (pickle_cell){ PICKLE_CELL_NONE, 0, { .i = 0 } }
                  : i % 3 == 1 ? (pickle_cell){ PICKLE_CELL_INT, 0, { .i = (int64_t)i } }
                               : (pickle_cell){ PICKLE_CELL_TEXT, strlen(text), { .text = text } };
    }
    run_methods(m, &in);
    free(data);
}

static void describe(const pickle_model *m, int depth)
{
    const char *name;
    size_t length = strlen(pickle_model_class(m));

    length += pickle_model_version(m) ? strlen(pickle_model_version(m)) : 0;
    for (size_t i = 0; i < pickle_model_features(m) && pickle_model_feature_name(m, i); i++)
        length += strlen(pickle_model_feature_name(m, i));
    for (size_t k = 0; k < pickle_model_outputs(m); k++) {
        for (size_t i = 0; i < pickle_model_classes(m, k); i++)
            length += pickle_model_label(m, k, i)->len;
    }
    for (size_t i = 0; depth < 4 && i < pickle_model_parts(m) && i < 20; i++)
        describe(pickle_model_part(m, i, &name), depth + 1);
    /* Something that depends on what was read, so that reading is not left out. */
    if (length == SIZE_MAX)
        abort();
}

bool models_look(const pickle_val *v, const pickle_alloc *alloc)
{
    pickle_error err;
    pickle_unsupported why;
    pickle_model *m = pickle_model_open(v, pickle_model_opts(.alloc = alloc), &err);
    bool supported = pickle_model_supported(m, &why);
    size_t cols = pickle_model_features(m);

    if (m)
        describe(m, 0);
    if (supported && cols <= MOST_COLUMNS) {
        run_numbers(m, cols ? cols : 4);
        run_sparse(m, cols ? cols : 4);
        run_cells(m, cols ? cols : 1);
    }
    pickle_model_free(m);
    return supported;
}
