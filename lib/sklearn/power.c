/* power.c - transforms of a column's distribution: power, quantiles. */
#include "sklearn/estimator.h"
#include "sklearn/scale.h"
#include "sklearn/special.h"

#include <float.h>
#include <math.h>

/* --------------------------------------------------------- PowerTransformer */

/* Which steps of a function are of doubles: all, all but of X itself, or none. */
typedef enum precision { DOUBLE, FLOAT_X, FLOAT_ALL } precision;

/* What is raised to, or divided by; with 1 over it, for the way back. */
typedef struct exponent {
    double power, root;
    bool none; /* it is 0, or next to it: logarithms take over */
} exponent;

/* Of x >= 0, and of x < 0. */
typedef struct column {
    exponent above, below;
} column;

typedef double function(double x, const column *c, precision p);

typedef struct power {
    size_t columns;
    column *column;
    bool positive; /* box-cox is of positive numbers only */
    function *there, *back;
    precision f32;
    pickle_model *scaler; /* NULL: not standardized */
} power;

/* A double in the type that is computed in. */
static double as(precision p, double x)
{
    return p == FLOAT_ALL ? (double)(float)x : x;
}

static double raise(precision p, double x, double to)
{
    return p == FLOAT_ALL ? (double)powf((float)x, (float)to) : pow(x, to);
}

/* x + 1: X's own type, whatever the rest is of. */
static double plus_one(precision p, double x)
{
    return p == DOUBLE ? x + 1 : (double)(float)(x + 1);
}

static double log1p_of(precision p, double x)
{
    return p == DOUBLE ? log1p(x) : (double)log1pf((float)x);
}

static double expm1_of(precision p, double x)
{
    return p == FLOAT_ALL ? (double)expm1f((float)x) : expm1(x);
}

static double exp_of(precision p, double x)
{
    return p == DOUBLE ? exp(x) : (double)expf((float)x);
}

/* Yeo and Johnson's are functions of |x|, whose sign comes back in the end. */
static double yeo_johnson(double x, const column *c, precision p)
{
    const exponent *e = x >= 0 ? &c->above : &c->below;
    double v = fabs(x);

    if (e->none)
        v = log1p_of(p, v);
    else
        v = as(p, as(p, raise(p, plus_one(p, v), e->power) - 1) / as(p, e->power));
    return x >= 0 ? v : -v;
}

/* scipy.stats.yeojohnson, which is used since scikit-learn 1.9. */
static double stable_yeo_johnson(double x, const column *c, precision p)
{
    const exponent *e = x >= 0 ? &c->above : &c->below;
    double v = log1p_of(p, fabs(x));

    if (!e->none)
        v = as(p, expm1_of(p, as(p, as(p, e->power) * v)) / as(p, e->power));
    return x >= 0 ? v : -v;
}

static double yeo_johnson_back(double x, const column *c, precision p)
{
    const exponent *e = x >= 0 ? &c->above : &c->below;
    double v = fabs(x);

    if (e->none)
        v = as(p, exp_of(p, v) - 1);
    else
        v = as(p, raise(p, as(p, as(p, v * as(p, e->power)) + 1), as(p, e->root)) - 1);
    return x >= 0 ? v : -v;
}

static double box_cox(double x, const column *c, precision p)
{
    double lambda = as(p, c->above.power);

    return fabs(lambda) < 1e-19 ? log(x) : expm1(lambda * log(x)) / lambda;
}

/* With the expm1 that scipy had before 1.12. */
static double old_box_cox(double x, const column *c, precision p)
{
    double lambda = as(p, c->above.power);

    return fabs(lambda) < 1e-19 ? log(x) : pickle__expm1(lambda * log(x)) / lambda;
}

/* scipy.special.inv_boxcox, which is used since scikit-learn 1.6. */
static double box_cox_back(double x, const column *c, precision p)
{
    double lambda = as(p, c->above.power);

    return lambda == 0 ? exp(x) : exp(log1p(lambda * x) / lambda);
}

static double old_box_cox_back(double x, const column *c, precision p)
{
    const exponent *e = &c->above;

    if (e->power == 0)
        return exp_of(p, x);
    return raise(p, as(p, as(p, x * as(p, e->power)) + 1), as(p, e->root));
}

/* A function of all elements. */
static bool map(const power *s, function *f, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    if (x->kind == PICKLE_BATCH_F32) {
        float *out = pickle__new_f32(r, y, x->rows, x->cols);

        for (size_t i = 0; out && i < x->rows; i++) {
            const float *row = pickle__row_f32(x, i);

            for (size_t j = 0; j < x->cols; j++)
                *out++ = (float)f((double)row[j], &s->column[j], s->f32);
        }
    } else {
        double *out = pickle__new_f64(r, y, x->rows, x->cols);

        for (size_t i = 0; out && i < x->rows; i++) {
            for (size_t j = 0; j < x->cols; j++)
                *out++ = f(pickle__row(x, i)[j], &s->column[j], DOUBLE);
        }
    }
    return y->data != NULL;
}

static bool check_positive(pickle__run *r, const pickle_batch *x)
{
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            if (x->kind == PICKLE_BATCH_F32 ? pickle__row_f32(x, i)[j] <= 0
                                            : pickle__row(x, i)[j] <= 0)
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is not positive, as box-cox needs it",
                                        r->first_row + i, j);
        }
    }
    return true;
}

static bool power_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const power *s = m->state;
    pickle_batch powers;

    if (s->positive && !check_positive(r, x))
        return false;
    if (!s->scaler)
        return map(s, s->there, r, x, y);
    return map(s, s->there, r, x, &powers) &&
           pickle__run_method(s->scaler, PICKLE_TRANSFORM, r, &powers, y);
}

static bool power_inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const power *s = m->state;
    pickle_batch powers = *x;

    return pickle__check_input(m, r, x, s->columns) &&
           (!s->scaler || pickle__run_method(s->scaler, PICKLE_INVERSE_TRANSFORM, r, x, &powers)) &&
           map(s, s->back, r, &powers, y);
}

static exponent exponent_of(double to, bool none, bool as_float)
{
    exponent e = { as_float ? (double)(float)to : to, 0, none };

    e.root = as_float ? (double)(1 / (float)e.power) : 1 / e.power;
    return e;
}

/* lambda for positive numbers, 2 - lambda for others; of floats, in numpy 2, they are floats. */
static void find_exponents(pickle__opener *o, power *s)
{
    pickle__matrix lambdas = pickle__need_numbers(o, "lambdas_");
    bool numpy2 = pickle__with_numpy2(o, pickle__attr(o, "lambdas_")),
         as_float = lambdas.f32 && numpy2;

    s->columns = lambdas.rows * lambdas.cols;
    s->f32 = numpy2 && !lambdas.f32 ? FLOAT_X : FLOAT_ALL;
    if (!pickle__ok(o))
        return;
    if (s->columns == 0)
        pickle__bad(o, "lambdas_", "is empty");
    s->column = pickle__keep(o, s->columns, sizeof *s->column);
    for (size_t j = 0; s->column && j < s->columns; j++) {
        double lambda = lambdas.data[j];

        s->column[j].above = exponent_of(lambda, fabs(lambda) < DBL_EPSILON, as_float);
        s->column[j].below = exponent_of(2 - lambda, !(fabs(lambda - 2) > DBL_EPSILON), as_float);
    }
}

static void open_power(pickle__opener *o)
{
    power *s = pickle__state(o, sizeof *s);

    find_exponents(o, s);
    s->positive = pickle__choice(o, "method", 0, "yeo-johnson", "box-cox", NULL) == 1;
    if (s->positive) {
        s->there = o->version < PICKLE__SKLEARN(1, 5, 0) ? old_box_cox : box_cox;
        s->back = o->version < PICKLE__SKLEARN(1, 6, 0) ? old_box_cox_back : box_cox_back;
    } else {
        s->there = o->version < PICKLE__SKLEARN(1, 9, 0) ? yeo_johnson : stable_yeo_johnson;
        s->back = yeo_johnson_back;
    }
    if (pickle__flag(o, "standardize", true)) {
        s->scaler = pickle__open_part(o, "_scaler", 0, pickle__need(o, "_scaler"));
        if (pickle__ok(o) && s->scaler->features && s->scaler->features != s->columns)
            pickle__bad(o, "_scaler", "has another size than lambdas_");
    }
    o->model->features = s->columns;
    o->model->takes = o->model->inverse = PICKLE__F64 | PICKLE__F32;
    o->model->numbers = PICKLE__OR_NAN;
    pickle__method_is(o, PICKLE_TRANSFORM, power_transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, power_inverse);
}

/* ------------------------------------------------------ QuantileTransformer */

/* How far from 0 and 1 what becomes normal is kept: it would be infinite there. */
#define BOUND 1e-7

typedef struct quantile_transformer {
    size_t count, columns;
    /* `count` references, and so many quantiles for each column; and both with the opposite sign
     * and from the last to the first. */
    const double *references, *quantiles, *back_references, *back_quantiles;
    bool normal;        /* else uniform */
    bool near_bounds;   /* what is near the first or last quantile counts as such */
    bool clips;         /* the result is kept away from its bounds */
    bool early_doubles; /* of floats, from the interpolation on */
    bool numpy2;
    bool ignore_zeros;
    double least, most; /* of the result, where it clips */
} quantile_transformer;

/* np.interp. Like there, x at the last place and beyond has the last value. */
static double interpolate(double x, const double *xs, const double *ys, size_t n)
{
    size_t low = 0, high = n;
    double slope;

    if (isnan(x) || isnan(xs[0]))
        return NAN;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (x >= xs[middle])
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || low == n || xs[low - 1] == x)
        return ys[low ? low - 1 : 0];
    slope = (ys[low] - ys[low - 1]) / (xs[low] - xs[low - 1]);
    return slope * (x - xs[low - 1]) + ys[low - 1];
}

/* Is x at or beyond the bounds of its side? -1, 0 or 1; `f32`: x is a float. */
static int side(const quantile_transformer *s, double x, double first, double last, bool f32)
{
    double bound = f32 ? (double)(float)BOUND : BOUND, below = x - bound, above = x + bound;

    if (f32 && !s->numpy2) {
        first = (double)(float)first;
        last = (double)(float)last;
    }
    if (!s->near_bounds)
        return x == first ? -1 : x == last;
    if (f32) {
        below = (double)(float)below;
        above = (double)(float)above;
    }
    return below < first ? -1 : above > last;
}

static double to_distribution(const quantile_transformer *s, double x, size_t j, bool f32)
{
    const double *quantiles = s->quantiles + j * s->count;
    int at = side(s, x, quantiles[0], quantiles[s->count - 1], f32);
    double v =
        0.5 * (interpolate(x, quantiles, s->references, s->count) -
               interpolate(-x, s->back_quantiles + j * s->count, s->back_references, s->count));

    if (f32 && !s->early_doubles)
        v = (double)(float)v;
    if (at != 0)
        v = at > 0;
    if (s->normal) {
        v = v <= 0 ? -INFINITY : v >= 1 ? INFINITY : pickle__ndtri(v);
        if (f32 && !s->early_doubles)
            v = (double)(float)v;
    }
    if (s->clips)
        v = v < s->least ? s->least : v > s->most ? s->most : v;
    return v;
}

static double from_distribution(const quantile_transformer *s, double x, size_t j, bool f32)
{
    const double *quantiles = s->quantiles + j * s->count;
    int at;

    if (s->normal) {
        x = pickle__ndtr(x);
        f32 = false;
    } else if (s->near_bounds) {
        x = x < 0 ? 0 : x > 1 ? 1 : x;
        f32 = false;
    }
    at = side(s, x, 0, 1, f32);
    return at < 0   ? quantiles[0]
           : at > 0 ? quantiles[s->count - 1]
                    : interpolate(x, s->references, quantiles, s->count);
}

typedef double quantile_function(const quantile_transformer *s, double x, size_t j, bool f32);

static bool map_quantiles(const quantile_transformer *s, quantile_function *f, pickle__run *r,
                          const pickle_batch *x, pickle_batch *y)
{
    if (x->kind == PICKLE_BATCH_CSR) {
        const double *data = x->data;
        size_t first = x->rows ? (size_t)x->indptr[0] : 0;
        size_t last = x->rows ? (size_t)x->indptr[x->rows] : 0;
        double *out = pickle__take(r, last, sizeof *out);

        *y = *x;
        y->data = out;
        for (size_t k = first; out && k < last; k++)
            out[k] = f(s, data[k], (size_t)x->indices[k], false);
    } else if (x->kind == PICKLE_BATCH_F32) {
        float *out = pickle__new_f32(r, y, x->rows, x->cols);

        for (size_t i = 0; out && i < x->rows; i++) {
            for (size_t j = 0; j < x->cols; j++)
                *out++ = (float)f(s, (double)pickle__row_f32(x, i)[j], j, true);
        }
    } else {
        double *out = pickle__new_f64(r, y, x->rows, x->cols);

        for (size_t i = 0; out && i < x->rows; i++) {
            for (size_t j = 0; j < x->cols; j++)
                *out++ = f(s, pickle__row(x, i)[j], j, false);
        }
    }
    return y->data != NULL;
}

static bool check_not_negative(const quantile_transformer *s, pickle__run *r, const pickle_batch *x)
{
    const double *data = x->data;

    for (size_t i = 0; x->kind == PICKLE_BATCH_CSR && !s->ignore_zeros && i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            if (data[k] < 0)
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu of a sparse matrix has a negative number",
                                        r->first_row + i);
        }
    }
    return true;
}

static bool quantile_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                               pickle_batch *y)
{
    return check_not_negative(m->state, r, x) && map_quantiles(m->state, to_distribution, r, x, y);
}

static bool quantile_inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    const quantile_transformer *s = m->state;

    return pickle__check_input(m, r, x, s->columns) && map_quantiles(s, from_distribution, r, x, y);
}

/* Rows of `n` numbers from those of `from`, which are `stride` apart: as they are, or backwards
 * with the opposite sign. */
static const double *turned(pickle__opener *o, const double *from, size_t rows, size_t n,
                            size_t stride, bool back)
{
    double *out = pickle__keep(o, rows, n * sizeof *out);

    for (size_t j = 0; out && j < rows; j++) {
        for (size_t i = 0; i < n; i++)
            out[j * n + i] = back ? -from[(n - 1 - i) * stride + j] : from[i * stride + j];
    }
    return out;
}

static void open_quantile_transformer(pickle__opener *o)
{
    quantile_transformer *s = pickle__state(o, sizeof *s);
    pickle__matrix q = pickle__need_numbers(o, "quantiles_");
    const double *references = pickle__need_row(o, "references_", q.rows);

    s->normal = pickle__choice(o, "output_distribution", 0, "uniform", "normal", NULL) == 1;
    s->near_bounds = s->clips = s->normal || o->version < PICKLE__SKLEARN(0, 21, 0);
    s->early_doubles = o->version < PICKLE__SKLEARN(0, 20, 0);
    s->numpy2 = pickle__with_numpy2(o, pickle__attr(o, "quantiles_"));
    s->ignore_zeros = pickle__flag(o, "ignore_implicit_zeros", false);
    s->least = BOUND - DBL_EPSILON;
    s->most = 1 - s->least;
    if (s->normal) {
        s->least = pickle__ndtri(s->least);
        s->most = pickle__ndtri(s->most);
    }
    if (!pickle__ok(o))
        return;
    if (q.ndim != 2 || q.rows == 0 || q.cols == 0) {
        pickle__bad(o, "quantiles_", "is no table of quantiles");
        return;
    }
    s->count = q.rows;
    s->columns = q.cols;
    s->references = references;
    s->back_references = turned(o, references, 1, q.rows, 1, true);
    s->quantiles = turned(o, q.data, q.cols, q.rows, q.cols, false);
    s->back_quantiles = turned(o, q.data, q.cols, q.rows, q.cols, true);
    o->model->features = q.cols;
    o->model->takes = o->model->inverse = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    o->model->numbers = s->early_doubles ? PICKLE__FINITE : PICKLE__OR_NAN;
    pickle__method_is(o, PICKLE_TRANSFORM, quantile_transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, quantile_inverse);
}

const pickle__estimator pickle__power_estimators[] = {
    { "preprocessing", "PowerTransformer", open_power },
    { "preprocessing", "QuantileTransformer", open_quantile_transformer },
    { NULL, NULL, NULL },
};
