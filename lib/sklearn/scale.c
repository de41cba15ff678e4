/* scale.c - scalers: columns moved and stretched, rows brought to one length. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"
#include "sklearn/scale.h"

#include <float.h>
#include <string.h>

/* ------------------------------------------------------------------ columns */

typedef enum operation { SUBTRACT, ADD, MULTIPLY, DIVIDE } operation;

/* The same for all rows: a number for each column. */
typedef struct step {
    operation what;
    const double *by; /* NULL: the step is left out */
} step;

typedef struct way {
    step steps[2];
    bool clip;
    double least, most;
} way;

/* Each way comes twice: for tables of doubles, and of floats. */
typedef struct scaler {
    size_t columns; /* 0: not known, as nothing is done */
    way there[2], back[2];
    bool centers;                             /* which sparse matrices can't stand */
    bool unchecked_back;                      /* inverse_transform takes NaN and infinities */
    const double *sparse_there, *sparse_back; /* factors; NULL: none */
} scaler;

/* Each step in the type of X: numpy works in place. */
#define MOVE(name, type, row_of, new_table)                                                \
    static void name##_step(const step *s, const type *x, type *y, size_t n)               \
    {                                                                                      \
        const double *by = s->by;                                                          \
                                                                                           \
        if (!by) {                                                                         \
            memmove(y, x, n * sizeof *y);                                                  \
            return;                                                                        \
        }                                                                                  \
        switch (s->what) {                                                                 \
        case SUBTRACT:                                                                     \
            for (size_t j = 0; j < n; j++)                                                 \
                y[j] = (type)((double)x[j] - by[j]);                                       \
            break;                                                                         \
        case ADD:                                                                          \
            for (size_t j = 0; j < n; j++)                                                 \
                y[j] = (type)((double)x[j] + by[j]);                                       \
            break;                                                                         \
        case MULTIPLY:                                                                     \
            for (size_t j = 0; j < n; j++)                                                 \
                y[j] = (type)((double)x[j] * by[j]);                                       \
            break;                                                                         \
        case DIVIDE:                                                                       \
            for (size_t j = 0; j < n; j++)                                                 \
                y[j] = (type)((double)x[j] / by[j]);                                       \
            break;                                                                         \
        }                                                                                  \
    }                                                                                      \
                                                                                           \
    static bool name(const way *w, pickle__run *r, const pickle_batch *x, pickle_batch *y) \
    {                                                                                      \
        const type least = (type)w->least, most = (type)w->most;                           \
        type *out = new_table(r, y, x->rows, x->cols);                                     \
                                                                                           \
        for (size_t i = 0; out && i < x->rows && x->cols > 0; i++, out += x->cols) {       \
            name##_step(&w->steps[0], row_of(x, i), out, x->cols);                         \
            name##_step(&w->steps[1], out, out, x->cols);                                  \
            for (size_t j = 0; w->clip && j < x->cols; j++)                                \
                out[j] = out[j] < least ? least : out[j] > most ? most : out[j];           \
        }                                                                                  \
        return y->data != NULL;                                                            \
    }

MOVE(move_f64, double, pickle__row, pickle__new_f64)
MOVE(move_f32, float, pickle__row_f32, pickle__new_f32)

/* The same elements, with other values: the caller's to fill. */
static double *same_elements(pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    double *data = pickle__take(r, (size_t)x->indptr[x->rows], sizeof *data);

    *y = *x;
    y->data = data;
    y->integers = false;
    return data;
}

static bool move_sparse(const way *w, const double *by, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    const double *data = x->data;
    double *out;

    if (!by && !w->clip) {
        *y = *x;
        return true;
    }
    out = x->rows > 0 ? same_elements(r, x, y) : pickle__new_csr(r, y, 0, x->cols, 0).data;
    if (!out)
        return false;
    for (int64_t k = x->rows ? x->indptr[0] : 0; x->rows && k < x->indptr[x->rows]; k++) {
        double v = by ? data[k] * by[x->indices[k]] : data[k];

        out[k] = !w->clip ? v : v < w->least ? w->least : v > w->most ? w->most : v;
    }
    return true;
}

static bool move(const pickle_model *m, pickle__run *r, const way *ways, const double *sparse,
                 const pickle_batch *x, pickle_batch *y)
{
    const scaler *s = m->state;

    if (x->kind == PICKLE_BATCH_F32)
        return move_f32(&ways[1], r, x, y);
    if (x->kind == PICKLE_BATCH_F64)
        return move_f64(&ways[0], r, x, y);
    if (s->centers)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "%s can't center a sparse matrix",
                                m->class_name);
    return move_sparse(&ways[0], sparse, r, x, y);
}

static bool scaler_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    const scaler *s = m->state;

    return move(m, r, s->there, s->sparse_there, x, y);
}

static bool scaler_inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const scaler *s = m->state;

    if (!(s->unchecked_back && (x->cols == s->columns || !s->columns)) &&
        !pickle__check_input(m, r, x, s->columns ? s->columns : x->cols))
        return false;
    return move(m, r, s->back, s->sparse_back, x, y);
}

/* ------------------------------------------------------------ their opening */

/* A number for each column, as many as the other attributes have. */
static pickle__matrix column_numbers(pickle__opener *o, scaler *s, const char *name)
{
    pickle__matrix numbers = pickle__need_numbers(o, name);
    size_t n = numbers.rows * numbers.cols;

    if (!pickle__ok(o))
        return (pickle__matrix){ 0 };
    if (n == 0 || (s->columns && s->columns != n))
        pickle__bad(o, name, n ? "has another size than the rest" : "is empty");
    s->columns = n;
    return numbers;
}

/* 1 / scale_, in its type. */
static const double *reciprocals(pickle__opener *o, pickle__matrix scale)
{
    size_t n = scale.rows * scale.cols;
    double *out = scale.data ? pickle__keep(o, n, sizeof *out) : NULL;

    for (size_t j = 0; out && j < n; j++)
        out[j] = scale.f32 ? (double)(1 / (float)scale.data[j]) : 1 / scale.data[j];
    return out;
}

static const double *as_floats(pickle__opener *o, const double *numbers, size_t n)
{
    double *out = numbers ? pickle__keep(o, n, sizeof *out) : NULL;

    for (size_t j = 0; out && j < n; j++)
        out[j] = (double)(float)numbers[j];
    return out;
}

static void scaler_methods(pickle__opener *o, const scaler *s, unsigned takes)
{
    o->model->features = s->columns;
    o->model->takes = o->model->inverse = takes;
    o->model->numbers = o->version < PICKLE__SKLEARN(0, 20, 0) ? PICKLE__FINITE : PICKLE__OR_NAN;
    pickle__method_is(o, PICKLE_TRANSFORM, scaler_transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, scaler_inverse);
}

/* (x - center) / scale. */
static void center_and_scale(pickle__opener *o, scaler *s, const char *center, const char *scale)
{
    pickle__matrix c = { 0 }, d = { 0 };

    if (center)
        c = column_numbers(o, s, center);
    if (scale)
        d = column_numbers(o, s, scale);
    s->centers = center != NULL;
    for (int i = 0; i < 2; i++) {
        s->there[i] = (way){ .steps = { { SUBTRACT, c.data }, { DIVIDE, d.data } } };
        s->back[i] = (way){ .steps = { { MULTIPLY, d.data }, { ADD, c.data } } };
    }
    s->sparse_there = reciprocals(o, d);
    s->sparse_back = d.data;
    scaler_methods(o, s, PICKLE__F64 | PICKLE__F32 | PICKLE__CSR);
}

static void open_standard_scaler(pickle__opener *o)
{
    scaler *s = pickle__state(o, sizeof *s);

    center_and_scale(o, s, pickle__flag(o, "with_mean", true) ? "mean_" : NULL,
                     pickle__flag(o, "with_std", true) ? "scale_" : NULL);
    s->unchecked_back = o->version < PICKLE__SKLEARN(1, 0, 0);
    if (o->version < PICKLE__SKLEARN(1, 8, 0) || !pickle__ok(o))
        return;
    /* What is learned is brought to the type of X first. */
    for (int i = 0; i < 2; i++) {
        s->there[1].steps[i].by = as_floats(o, s->there[0].steps[i].by, s->columns);
        s->back[1].steps[1 - i].by = s->there[1].steps[i].by;
    }
}

static void open_robust_scaler(pickle__opener *o)
{
    scaler *s = pickle__state(o, sizeof *s);

    center_and_scale(o, s, pickle__flag(o, "with_centering", true) ? "center_" : NULL,
                     pickle__flag(o, "with_scaling", true) ? "scale_" : NULL);
}

static void clip_between(scaler *s, double least, double most)
{
    for (int i = 0; i < 2; i++) {
        s->there[i].clip = true;
        s->there[i].least = least;
        s->there[i].most = most;
    }
}

static void open_max_abs_scaler(pickle__opener *o)
{
    scaler *s = pickle__state(o, sizeof *s);

    center_and_scale(o, s, NULL, "scale_");
    if (pickle__flag(o, "clip", false))
        clip_between(s, -1, 1);
}

static void open_min_max_scaler(pickle__opener *o)
{
    scaler *s = pickle__state(o, sizeof *s);
    pickle__matrix scale = column_numbers(o, s, "scale_"), min = column_numbers(o, s, "min_");

    for (int i = 0; i < 2; i++) {
        s->there[i] = (way){ .steps = { { MULTIPLY, scale.data }, { ADD, min.data } } };
        s->back[i] = (way){ .steps = { { SUBTRACT, min.data }, { DIVIDE, scale.data } } };
    }
    if (pickle__flag(o, "clip", false)) {
        const double *range = pickle__need_row(o, "feature_range", 2);

        if (range)
            clip_between(s, range[0], range[1]);
    }
    scaler_methods(o, s, PICKLE__F64 | PICKLE__F32);
}

/* --------------------------------------------------------------- Normalizer */

typedef enum norm { L1, L2, MAX } norm;

typedef struct normalizer {
    norm norm;
    bool old_sums;  /* of numpy before 1.21 */
    bool with_sign; /* the largest, not the largest without its sign */
    bool only_zero; /* is a length that is not divided by; later, all that are tiny */
} normalizer;

/* np.einsum('ij,ij->i', x, x) of numpy before 1.21: eight at a time in the lanes of a vector, and
 * what is left over from the last to the first. Later the lanes take what is left over. */
#define LENGTHS(name, type, lanes, sum_of, root, epsilon)                                  \
    static type name##_old_squares(const type *x, size_t n)                                \
    {                                                                                      \
        type lane[lanes] = { 0 }, sum = 0;                                                 \
        size_t i = 0;                                                                      \
                                                                                           \
        for (; i + 8 <= n; i += 8) {                                                       \
            for (size_t k = 0; k < 8; k++)                                                 \
                lane[k % lanes] += x[i + k] * x[i + k];                                    \
        }                                                                                  \
        for (size_t width = lanes / 2; width > 0; width /= 2) {                            \
            for (size_t k = 0; k < width; k++)                                             \
                lane[k] = lane[2 * k] + lane[2 * k + 1];                                   \
        }                                                                                  \
        sum = lane[0];                                                                     \
        for (size_t k = n; k > i; k--)                                                     \
            sum += x[k - 1] * x[k - 1];                                                    \
        return sum;                                                                        \
    }                                                                                      \
                                                                                           \
    static type name##_squares(const type *x, size_t n)                                    \
    {                                                                                      \
        type lane[lanes] = { 0 };                                                          \
        size_t i = 0;                                                                      \
                                                                                           \
        for (; i + 4 * lanes <= n; i += 4 * lanes) {                                       \
            for (size_t at = i + 4 * lanes; at > i; at -= lanes) {                         \
                for (size_t k = 0; k < lanes; k++)                                         \
                    lane[k] += x[at - lanes + k] * x[at - lanes + k];                      \
            }                                                                              \
        }                                                                                  \
        for (; i < n; i++)                                                                 \
            lane[i % lanes] += x[i] * x[i];                                                \
        for (size_t width = lanes / 2; width > 0; width /= 2) {                            \
            for (size_t k = 0; k < width; k++)                                             \
                lane[k] = lane[2 * k] + lane[2 * k + 1];                                   \
        }                                                                                  \
        return lane[0];                                                                    \
    }                                                                                      \
                                                                                           \
    /* `spare` has room for a row. */                                                      \
    static type name##_length(const normalizer *s, const type *x, size_t n, type *spare)   \
    {                                                                                      \
        type length = s->with_sign && n > 0 ? x[0] : 0;                                    \
                                                                                           \
        switch (s->norm) {                                                                 \
        case L1:                                                                           \
            for (size_t j = 0; j < n; j++)                                                 \
                spare[j] = x[j] < 0 ? -x[j] : x[j];                                        \
            length = sum_of(spare, n);                                                     \
            break;                                                                         \
        case L2:                                                                           \
            length = root(s->old_sums ? name##_old_squares(x, n) : name##_squares(x, n));  \
            break;                                                                         \
        case MAX:                                                                          \
            for (size_t j = 0; j < n; j++) {                                               \
                type v = x[j] < 0 && !s->with_sign ? -x[j] : x[j];                         \
                                                                                           \
                length = v > length ? v : length;                                          \
            }                                                                              \
            break;                                                                         \
        }                                                                                  \
        return length == 0 || (!s->only_zero && length < 10 * (type)epsilon) ? 1 : length; \
    }                                                                                      \
                                                                                           \
    static void name##_row(const normalizer *s, const type *x, size_t n, type *y)          \
    {                                                                                      \
        type length = name##_length(s, x, n, y);                                           \
                                                                                           \
        for (size_t j = 0; j < n; j++)                                                     \
            y[j] = x[j] / length;                                                          \
    }

LENGTHS(f64, double, 2, pickle__sum, sqrt, DBL_EPSILON)
LENGTHS(f32, float, 4, pickle__sum_f32, sqrtf, FLT_EPSILON)

/* Of the elements of a row, one after the other; the largest is at least 0 where one of `cols` is
 * not there. */
static double sparse_length(const normalizer *s, const double *x, size_t n, size_t cols)
{
    double length = s->norm == MAX && s->with_sign && n > 0 && n == cols ? x[0] : 0;

    for (size_t k = 0; k < n; k++) {
        double v = s->norm == MAX && s->with_sign ? x[k] : fabs(x[k]);

        if (s->norm == MAX)
            length = v > length ? v : length;
        else
            length += s->norm == L1 ? v : v * v;
    }
    return s->norm == L2 ? sqrt(length) : length;
}

static bool normalize_sparse(const normalizer *s, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    const double *data = x->data;
    double *out = same_elements(r, x, y);

    for (size_t i = 0; out && i < x->rows; i++) {
        size_t first = (size_t)x->indptr[i], n = (size_t)x->indptr[i + 1] - first;
        double length = sparse_length(s, data + first, n, x->cols);

        for (size_t k = first; k < first + n; k++)
            out[k] = length == 0 ? data[k] : data[k] / length;
    }
    return out != NULL;
}

static bool normalize(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const normalizer *s = m->state;

    if (x->kind == PICKLE_BATCH_CSR && x->rows > 0)
        return normalize_sparse(s, r, x, y);
    if (x->kind == PICKLE_BATCH_F32) {
        float *out = pickle__new_f32(r, y, x->rows, x->cols);

        for (size_t i = 0; out && i < x->rows; i++)
            f32_row(s, pickle__row_f32(x, i), x->cols, out + i * x->cols);
    } else {
        double *out = pickle__new_f64(r, y, x->rows, x->cols);

        for (size_t i = 0; out && i < x->rows; i++)
            f64_row(s, pickle__row(x, i), x->cols, out + i * x->cols);
    }
    return y->data != NULL;
}

static void open_normalizer(pickle__opener *o)
{
    normalizer *s = pickle__state(o, sizeof *s);

    s->norm = (norm)pickle__choice(o, "norm", L2, "l1", "l2", "max", NULL);
    s->old_sums = s->only_zero = o->version < PICKLE__SKLEARN(1, 0, 0);
    s->with_sign = o->version < PICKLE__SKLEARN(0, 23, 0);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, normalize);
}

/* ---------------------------------------------------------------- Binarizer */

static bool binarize_sparse(double threshold, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const double *data = x->data;
    int64_t first = x->rows ? x->indptr[0] : 0, last = x->rows ? x->indptr[x->rows] : 0, n = 0;
    pickle__csr to;

    if (threshold < 0)
        return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                "the threshold is below 0, which would fill a sparse matrix");
    to = pickle__new_csr(r, y, x->rows, x->cols, (size_t)(last - first));
    if (!to.data)
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            if (data[k] > threshold) {
                to.indices[n] = x->indices[k];
                to.data[n++] = 1;
            }
        }
        to.indptr[i + 1] = n;
    }
    return true;
}

static bool binarize(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const double threshold = *(const double *)m->state;
    const float narrow = (float)threshold; /* numpy brings it to the type of X */
    double *out;
    float *floats;

    if (x->kind == PICKLE_BATCH_CSR)
        return binarize_sparse(threshold, r, x, y);
    if (x->kind == PICKLE_BATCH_F32) {
        floats = pickle__new_f32(r, y, x->rows, x->cols);
        for (size_t i = 0; floats && i < x->rows; i++) {
            for (size_t j = 0; j < x->cols; j++)
                *floats++ = pickle__row_f32(x, i)[j] > narrow;
        }
        return floats != NULL;
    }
    out = pickle__new_f64(r, y, x->rows, x->cols);
    y->integers = x->integers;
    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++)
            *out++ = pickle__row(x, i)[j] > threshold;
    }
    return out != NULL;
}

static void open_binarizer(pickle__opener *o)
{
    double *threshold = pickle__state(o, sizeof *threshold);

    *threshold = pickle__number(o, "threshold", 0);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, binarize);
}

/* ----------------------------------------------------------- KernelCenterer */

typedef struct kernel_centerer {
    const double *rows;
    double all;
    bool all_in_f32; /* numpy 1 adds a scalar in the type of the array */
} kernel_centerer;

static bool center_kernel_f32(const kernel_centerer *s, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    float *out = pickle__new_f32(r, y, x->rows, x->cols);
    double all = s->all_in_f32 ? (double)(float)s->all : s->all;

    for (size_t i = 0; out && i < x->rows; i++) {
        const float *row = pickle__row_f32(x, i);
        float mean = pickle__sum_f32(row, x->cols) / (float)x->cols;

        for (size_t j = 0; j < x->cols; j++) {
            float v = (float)((double)row[j] - s->rows[j]) - mean;

            *out++ = (float)((double)v + all);
        }
    }
    return out != NULL;
}

static bool center_kernel(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const kernel_centerer *s = m->state;
    double *out;

    if (x->kind == PICKLE_BATCH_F32)
        return center_kernel_f32(s, r, x, y);
    out = pickle__new_f64(r, y, x->rows, x->cols);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(x, i);
        double mean = pickle__sum(row, x->cols) / (double)x->cols;

        for (size_t j = 0; j < x->cols; j++)
            *out++ = row[j] - s->rows[j] - mean + s->all;
    }
    return out != NULL;
}

static void open_kernel_centerer(pickle__opener *o)
{
    kernel_centerer *s = pickle__state(o, sizeof *s);
    pickle__matrix rows = pickle__need_numbers(o, "K_fit_rows_");

    pickle__need(o, "K_fit_all_");
    s->rows = rows.data;
    s->all = pickle__number(o, "K_fit_all_", 0);
    s->all_in_f32 = !pickle__with_numpy2(o, pickle__attr(o, "K_fit_rows_"));
    o->model->features = rows.rows * rows.cols;
    o->model->takes |= PICKLE__F32;
    if (pickle__ok(o) && o->model->features == 0)
        pickle__bad(o, "K_fit_rows_", "is empty");
    pickle__method_is(o, PICKLE_TRANSFORM, center_kernel);
}

/* -------------------------------------------------------------------- numpy */

bool pickle__with_numpy2(const pickle__opener *o, const pickle_val *array)
{
    static const char name[] = "numpy._core";
    const char *module = pickle_raw_module(pickle_callable(array));

    if (module && strncmp(module, "numpy.core", sizeof "numpy.core" - 1) == 0)
        return false;
    if (module && strncmp(module, name, sizeof name - 1) == 0)
        return true;
    return o->version >= PICKLE__SKLEARN(1, 5, 0);
}

const pickle__estimator pickle__scale_estimators[] = {
    { "preprocessing", "StandardScaler", open_standard_scaler },
    { "preprocessing", "MinMaxScaler", open_min_max_scaler },
    { "preprocessing", "MaxAbsScaler", open_max_abs_scaler },
    { "preprocessing", "RobustScaler", open_robust_scaler },
    { "preprocessing", "Normalizer", open_normalizer },
    { "preprocessing", "Binarizer", open_binarizer },
    { "preprocessing", "KernelCenterer", open_kernel_centerer },
    { NULL, NULL, NULL },
};
