/* kernels.c - kernels of rows with those that were fitted. */
#include "sklearn/kernels.h"

#include <string.h>

#include "sklearn/numeric.h"

/* Kernels that are held at once: rows of a batch may be short, and the fitted ones many. */
#define CHUNK ((size_t)1 << 16)

/* -------------------------------------------------------------------- a row */

static double own_square(const double *x, size_t n)
{
    double square = pickle__squares(x, n);

    return square == 0 ? 1 : square;
}

static void to_unit_length(const double *x, size_t n, double *out)
{
    double length = sqrt(own_square(x, n));

    for (size_t j = 0; j < n; j++)
        out[j] = x[j] / length;
}

/* As euclidean_distances has it: of squares and dot products. */
static void rbf(const pickle__kernels *k, const double *x, double *out)
{
    double square = pickle__squares(x, k->features);

    for (size_t i = 0; i < k->count; i++) {
        double d = -2 * out[i] + square + k->squares[i];

        out[i] = exp(-k->gamma * (d > 0 ? d : 0));
    }
}

static void additive_chi2(const pickle__lanes *l, const double *x, double *out)
{
    const double *at = l->data;

    for (size_t g = 0; g < l->groups; g++, out += PICKLE__LANES) {
        double sums[PICKLE__LANES] = { 0 };

        for (size_t j = 0; j < l->cols; j++, at += PICKLE__LANES) {
            for (size_t i = 0; i < PICKLE__LANES; i++) {
                double d = x[j] - at[i], both = x[j] + at[i];

                sums[i] += both != 0 ? d * d / both : 0;
            }
        }
        for (size_t i = 0; i < PICKLE__LANES; i++)
            out[i] = -sums[i];
    }
}

/* `out` has room for all lanes, `spare` for a row. */
static void evaluate(const pickle__kernels *k, const double *x, double *spare, double *out)
{
    switch (k->kind) {
    case PICKLE__LAPLACIAN_KERNEL:
        pickle__lanes_absolute(&k->rows, x, out);
        break;
    case PICKLE__CHI2_KERNEL:
    case PICKLE__ADDITIVE_CHI2_KERNEL:
        additive_chi2(&k->rows, x, out);
        break;
    case PICKLE__COSINE_KERNEL:
        to_unit_length(x, k->features, spare);
        pickle__lanes_dots(&k->rows, spare, out);
        break;
    default:
        pickle__lanes_dots(&k->rows, x, out);
    }
    if (k->kind == PICKLE__RBF_KERNEL)
        rbf(k, x, out);
    for (size_t i = 0; k->kind == PICKLE__POLYNOMIAL_KERNEL && i < k->count; i++)
        out[i] = pow(out[i] * k->gamma + k->coef0, k->degree);
    for (size_t i = 0; k->kind == PICKLE__SIGMOID_KERNEL && i < k->count; i++)
        out[i] = tanh(out[i] * k->gamma + k->coef0);
    for (size_t i = 0; k->kind == PICKLE__LAPLACIAN_KERNEL && i < k->count; i++)
        out[i] = exp(-k->gamma * out[i]);
    for (size_t i = 0; k->kind == PICKLE__CHI2_KERNEL && i < k->count; i++)
        out[i] = exp(k->gamma * out[i]);
}

/* ------------------------------------------------------------------ batches */

static bool is_chi2(const pickle__kernels *k)
{
    return k->kind == PICKLE__CHI2_KERNEL || k->kind == PICKLE__ADDITIVE_CHI2_KERNEL;
}

bool pickle__kernels_take_sparse(const pickle__kernels *k)
{
    return !is_chi2(k) && k->kind != PICKLE__PRECOMPUTED_KERNEL;
}

static bool has_negative(const double *x, size_t n)
{
    bool negative = false;

    for (size_t j = 0; j < n; j++)
        negative = negative || x[j] < 0;
    return negative;
}

/* Row `i` of a sparse matrix in `to`. */
static const double *spread(const pickle_batch *x, size_t i, double *to)
{
    const double *data = x->data;

    memset(to, 0, x->cols * sizeof *to);
    for (int64_t e = x->indptr[i]; e < x->indptr[i + 1]; e++)
        to[x->indices[e]] += data[e];
    return to;
}

static bool find_kernels(const pickle__kernels *k, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    double *out, *row, *spare, *dense;

    if (k->kind == PICKLE__PRECOMPUTED_KERNEL) {
        *y = *x;
        return true;
    }
    out = pickle__new_f64(r, y, x->rows, k->count);
    row = pickle__take(r, k->rows.groups * PICKLE__LANES, sizeof *row);
    spare = pickle__take(r, k->features, sizeof *spare);
    dense = pickle__take(r, k->features, sizeof *dense);
    if (!out || !row || !spare || !dense)
        return false;
    for (size_t i = 0; i < x->rows; i++, out += k->count) {
        const double *v = x->kind == PICKLE_BATCH_CSR ? spread(x, i, dense) : pickle__row(x, i);

        if (is_chi2(k) && has_negative(v, k->features))
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has a number below 0");
        evaluate(k, v, spare, row);
        memcpy(out, row, k->count * sizeof *out);
    }
    return true;
}

static bool run_chunk(const pickle__kernels *k, const pickle_model *center, const pickle__affine *a,
                      pickle__run *r, const pickle_batch *x, double *out)
{
    pickle_batch kernels, y;

    if (!find_kernels(k, r, x, &kernels) ||
        (center && !pickle__run_method(center, PICKLE_TRANSFORM, r, &kernels, &kernels)) ||
        !pickle__as_f64(r, &kernels, &kernels))
        return false;
    if (kernels.cols != a->inputs)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "_centerer leaves out a row's kernel");
    if (!pickle__affine_run(a, r, &kernels, &y))
        return false;
    memcpy(out, y.data, y.rows * y.cols * sizeof *out);
    return true;
}

bool pickle__kernels_run(const pickle__kernels *k, const pickle_model *center,
                         const pickle__affine *a, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    size_t most = CHUNK / k->count + 1, rows;
    double *out = pickle__new_f64(r, y, x->rows, a->outputs);
    pickle__pool_mark here = pickle__pool_here(&r->pool);

    for (size_t i = 0; out && i < x->rows; i += rows) {
        pickle_batch chunk;

        rows = x->rows - i < most ? x->rows - i : most;
        chunk = pickle__rows(x, i, rows);
        if (!run_chunk(k, center, a, r, &chunk, out + i * a->outputs))
            return false;
        pickle__pool_release(&r->pool, here);
    }
    return out != NULL;
}

/* ------------------------------------------------------------------ opening */

static pickle__kernels_kind read_kind(pickle__opener *o)
{
    int kind = pickle__choice(o, "kernel", 0, "linear", "polynomial", "rbf", "laplacian", "sigmoid",
                              "cosine", "chi2", "additive_chi2", "precomputed", "poly", NULL);

    return kind > PICKLE__PRECOMPUTED_KERNEL ? PICKLE__POLYNOMIAL_KERNEL
                                             : (pickle__kernels_kind)kind;
}

static void open_rows(pickle__opener *o, pickle__kernels *k, const char *name, const double *rows)
{
    double *unit = NULL, *squares = NULL;

    if (k->kind == PICKLE__COSINE_KERNEL)
        unit = pickle__keep(o, k->count * k->features, sizeof *unit);
    for (size_t i = 0; unit && i < k->count; i++)
        to_unit_length(rows + i * k->features, k->features, unit + i * k->features);
    if (k->kind == PICKLE__RBF_KERNEL)
        k->squares = squares = pickle__keep(o, k->count, sizeof *squares);
    for (size_t i = 0; squares && i < k->count; i++)
        squares[i] = pickle__squares(rows + i * k->features, k->features);
    if (is_chi2(k) && has_negative(rows, k->count * k->features))
        pickle__bad(o, name, "has a number below 0");
    pickle__lanes_of(o, unit ? unit : rows, k->count, k->features, &k->rows);
}

void pickle__open_kernels(pickle__opener *o, pickle__kernels *k, const char *rows)
{
    const char *gamma = pickle__attr(o, "gamma_") ? "gamma_" : "gamma";
    pickle__affine fitted = { 0 };

    k->kind = read_kind(o);
    pickle__open_affine(o, &fitted, PICKLE__ROW_IS_OUTPUT, rows, pickle__need(o, rows), NULL, NULL);
    if (!pickle__ok(o) || !fitted.weights)
        return;
    k->count = fitted.outputs;
    k->features = fitted.inputs;
    k->coef0 = pickle__number(o, "coef0", 1);
    k->degree = pickle__number(o, "degree", 3);
    k->gamma = pickle__number(o, gamma, is_chi2(k) ? 1 : 1 / (double)k->features);
    if (is_chi2(k) && o->version < PICKLE__SKLEARN(0, 19, 0)) /* did not pass it on */
        k->gamma = 1;
    if (k->kind != PICKLE__PRECOMPUTED_KERNEL)
        open_rows(o, k, rows, fitted.weights);
    else if (k->count != k->features)
        pickle__unsupported(o, rows, "is no kernel of all rows with each other");
}
