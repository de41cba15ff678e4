/* affine.c - weights of a file, and their products with rows. */
#include "sklearn/affine.h"

#include <pickle/sparse.h>

#include "sklearn/numeric.h"

/* Numbers of a sparse matrix, zeros included. */
#define MOST_DENSE ((size_t)1 << 24)

/* coef_ after sparsify(). */
static pickle__matrix dense_of(pickle__opener *o, const char *name, const pickle_sparse *s)
{
    pickle__matrix m = { s->ndim, 0, 0, NULL, s->dtype.kind == 'f' && s->dtype.itemsize <= 4 };
    double *all;

    m.rows = s->ndim == 2 ? (size_t)s->shape[0] : 1;
    m.cols = (size_t)s->shape[s->ndim == 2];
    if (s->ndim > 2 || (m.cols != 0 && m.rows > MOST_DENSE / m.cols)) {
        pickle__unsupported(o, name, "is too large a sparse matrix");
        return m;
    }
    all = pickle__keep(o, m.rows * m.cols, sizeof *all);
    if (all && !pickle_sparse_dense(s, "=f8", all, m.rows * m.cols * sizeof *all, NULL))
        pickle__bad(o, name, "is no matrix of numbers");
    m.data = all;
    return m;
}

static const double *transposed(pickle__opener *o, const pickle__matrix *m)
{
    double *out = pickle__keep(o, m->rows * m->cols, sizeof *out);

    for (size_t i = 0; out && i < m->rows; i++) {
        for (size_t j = 0; j < m->cols; j++)
            out[j * m->rows + i] = m->data[i * m->cols + j];
    }
    return out;
}

static const float *narrowed(pickle__opener *o, const double *numbers, size_t count)
{
    float *out = pickle__keep(o, count, sizeof *out);

    for (size_t i = 0; out && i < count; i++)
        out[i] = (float)numbers[i];
    return out;
}

/* A number for each output. */
static void open_bias(pickle__opener *o, pickle__affine *a, const char *name, const pickle_val *v)
{
    pickle__matrix bias = pickle__numbers_of(o, name, v);
    size_t n = bias.rows * bias.cols;
    double *all;

    if (!pickle__ok(o))
        return;
    if (n != a->outputs && n != 1) {
        pickle__bad(o, name, "has another size than the weights");
        return;
    }
    all = pickle__keep(o, a->outputs, sizeof *all);
    for (size_t k = 0; all && k < a->outputs; k++)
        all[k] = bias.data[n == 1 ? 0 : k];
    a->bias = all;
    /* float32 + float64 is float64, but for a Python number. */
    if (all && a->weights_f32 && (bias.f32 || bias.ndim == 0))
        a->bias_f32 = narrowed(o, all, a->outputs);
}

void pickle__open_affine(pickle__opener *o, pickle__affine *a, pickle__layout layout,
                         const char *weights_name, const pickle_val *weights, const char *bias_name,
                         const pickle_val *bias)
{
    pickle_sparse sparse;
    bool is_sparse = weights && pickle_get_sparse(weights, &sparse);
    pickle__matrix m = is_sparse ? dense_of(o, weights_name, &sparse)
                                 : pickle__numbers_of(o, weights_name, weights);

    if (!pickle__ok(o) || !m.data)
        return;
    if (m.rows == 0 || m.cols == 0 || (layout == PICKLE__ROW_IS_INPUT && m.ndim != 2)) {
        pickle__bad(o, weights_name, "has no weights");
        return;
    }
    a->outputs = layout == PICKLE__ROW_IS_OUTPUT ? m.rows : m.cols;
    a->inputs = layout == PICKLE__ROW_IS_OUTPUT ? m.cols : m.rows;
    a->weights = layout == PICKLE__ROW_IS_OUTPUT ? m.data : transposed(o, &m);
    if (a->weights && m.f32)
        a->weights_f32 = narrowed(o, a->weights, m.rows * m.cols);
    if (bias)
        open_bias(o, a, bias_name, bias);
}

/* Sums of float32; with a bias of float64 the result is float64. */
static bool run_f32(const pickle__affine *a, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    float *out = pickle__new_f32(r, y, x->rows, a->outputs);
    double *wide;

    if (!out)
        return false;
    pickle__products_f32(x->data, x->stride, x->rows, x->cols, a->weights_f32, a->outputs,
                         a->bias_f32, out);
    if (!a->bias || a->bias_f32)
        return true;
    wide = pickle__new_f64(r, y, x->rows, a->outputs);
    for (size_t i = 0; wide && i < x->rows * a->outputs; i++)
        wide[i] = (double)out[i] + a->bias[i % a->outputs];
    return wide != NULL;
}

bool pickle__affine_run(const pickle__affine *a, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    pickle_batch from;
    double *out;

    if (x->kind == PICKLE_BATCH_F32 && a->weights_f32)
        return run_f32(a, r, x, y);
    if (x->kind == PICKLE_BATCH_CSR)
        from = *x;
    else if (!pickle__as_f64(r, x, &from))
        return false;
    out = pickle__new_f64(r, y, x->rows, a->outputs);
    if (!out)
        return false;
    if (from.kind == PICKLE_BATCH_CSR)
        pickle__products_csr(from.data, from.indptr, from.indices, from.rows, from.cols, a->weights,
                             a->outputs, a->bias, out);
    else
        pickle__products(from.data, from.stride, from.rows, from.cols, a->weights, a->outputs,
                         a->bias, out);
    return true;
}

void pickle__has_features(pickle__opener *o, size_t features)
{
    o->model->features = features;
    if (pickle__ok(o) &&
        pickle__integer(o, "n_features_in_", (int64_t)features) != (int64_t)features)
        pickle__bad(o, "n_features_in_", "is another number than what was learned");
}
