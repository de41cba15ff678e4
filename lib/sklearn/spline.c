/* spline.c - splines of features: SplineTransformer. */
#include "sklearn/scale.h"

#include <math.h>
#include <string.h>

#define MOST_DEGREE 31

typedef enum extrapolation { ERROR, CONSTANT, LINEAR, CONTINUE, PERIODIC } extrapolation;

/* A scipy.interpolate.BSpline of many values: knots t, degree k, coefficients c. */
typedef struct bspline {
    const double *t, *c;
    size_t n; /* of the basis: len(t) - k - 1 */
    bool extrapolates;
    /* Beyond the first and last point, by the values and slopes there. */
    double first, last;
    const double *at_first, *at_last, *slope_first, *slope_last;
    size_t reach; /* values that are not 0 there */
} bspline;

typedef struct transformer {
    size_t features, k, values; /* values: of each feature, before the last is dropped */
    const bspline *splines;
    extrapolation how;
    bool bias;
    bool sparse; /* scikit-learn's result would be, with float64 for all; here it is dense */
    bool numpy2; /* numbers and rows of float32 give float64 */
} transformer;

/* ------------------------------------------------------------------- values */

/* The knot at or before x, of those that have a whole basis around them. */
static size_t find_interval(const bspline *b, size_t k, double x)
{
    size_t low = k, high = b->n - 1;

    while (low < high) {
        size_t middle = high - (high - low) / 2;

        if (b->t[middle] <= x)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The k + 1 functions of the basis that are not 0 there, or their derivatives: de Boor's recursion.
 */
static void basis(const bspline *b, size_t k, size_t at, double x, bool slope, double *h)
{
    double before[MOST_DEGREE + 1];

    h[0] = 1;
    for (size_t j = 1; j <= k; j++) {
        bool derive = slope && j == k;

        memcpy(before, h, j * sizeof *h);
        h[0] = 0;
        for (size_t i = 1; i <= j; i++) {
            double right = b->t[at + i], left = b->t[at + i - j], w;

            h[i] = 0;
            if (right == left)
                continue;
            w = before[i - 1] / (right - left);
            if (derive) {
                w = (double)j * before[i - 1] / (right - left);
                h[i - 1] -= w;
                h[i] = w;
            } else {
                h[i - 1] += w * (right - x);
                h[i] = w * (x - left);
            }
        }
    }
    if (slope && k == 0)
        h[0] = 0;
}

/* The spline, or its slope, at x. */
static void evaluate(const transformer *s, const bspline *b, double x, bool slope, double *out)
{
    double h[MOST_DEGREE + 1];
    size_t at = find_interval(b, s->k, x);

    basis(b, s->k, at, x, slope, h);
    memset(out, 0, s->values * sizeof *out);
    for (size_t a = 0; a <= s->k; a++) {
        const double *c = b->c + (at - s->k + a) * s->values;

        for (size_t j = 0; j < s->values; j++)
            out[j] += c[j] * h[a];
    }
}

/* As Python's %. */
static double modulo(double x, double period)
{
    double rest = fmod(x, period);

    return rest != 0 && (rest < 0) != (period < 0) ? rest + period : rest;
}

static double rounded(double x, bool f32)
{
    return f32 ? (double)(float)x : x;
}

/* Of what is beyond the first point, or (where `last`) the last one: along its tangent, or none. */
static void extrapolate(const transformer *s, const bspline *b, double x, bool f32, bool last,
                        double *out)
{
    double beyond = rounded(x - rounded(last ? b->last : b->first, f32), f32);
    const double *at = last ? b->at_last : b->at_first;
    const double *slope = last ? b->slope_last : b->slope_first;

    memset(out, 0, s->values * sizeof *out);
    for (size_t i = 0; i < b->reach; i++) {
        size_t j = last ? s->values - 1 - i : i;

        out[j] =
            slope ? rounded(at[j], f32) + rounded(beyond * rounded(slope[j], f32), f32) : at[j];
    }
}

/* To between the first knot of a whole basis and the last. */
static double fold(double x, double start, double end, bool f32)
{
    double period = rounded(end - start, f32);

    start = rounded(start, f32);
    return period > 0 ? rounded(start + rounded(modulo(rounded(x - start, f32), period), f32), f32)
                      : 0;
}

/* Of one number; false where there is none. `f32`: numpy computed with that. */
static bool expand(const transformer *s, const bspline *b, double x, bool f32, double *out)
{
    double start = b->t[s->k], end = b->t[b->n];

    if (isnan(x)) {
        memset(out, 0, s->values * sizeof *out);
    } else if (s->how == CONSTANT || s->how == LINEAR) {
        if (x < rounded(b->first, f32) || x > rounded(b->last, f32))
            extrapolate(s, b, x, f32, x > b->last, out);
        else
            evaluate(s, b, x, false, out);
    } else {
        if (s->how == PERIODIC)
            x = fold(x, start, end, f32);
        if (!b->extrapolates && !(x >= start && x <= end))
            return false;
        evaluate(s, b, x, false, out);
    }
    return true;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const transformer *s = m->state;
    size_t kept = s->values - !s->bias;
    bool f32 = x->kind == PICKLE_BATCH_F32;
    double *values = pickle__take(r, s->values, sizeof *values), *out;
    pickle_batch wide;

    if (!values || !pickle__as_f64(r, x, &wide))
        return false;
    out = pickle__new_f64(r, y, x->rows, s->features * kept);
    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < s->features; j++, out += kept) {
            if (!expand(s, &s->splines[j], pickle__row(&wide, i)[j], f32 && !s->numpy2, values))
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is beyond the limits of the knots",
                                        r->first_row + i, j);
            memcpy(out, values, kept * sizeof *out);
        }
    }
    return out && (!f32 || s->sparse || pickle__as_f32(r, y, y));
}

/* ------------------------------------------------------------------ opening */

static bool is_sorted(const double *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(t[i]) || (i > 0 && t[i] < t[i - 1]))
            return false;
    }
    return true;
}

static void open_spline(pickle__opener *o, transformer *s, bspline *b, const pickle_val *v)
{
    const pickle_val *within = pickle_at(pickle_state(v), 0); /* since scipy 1.18 */
    pickle__matrix t, c;
    size_t knots;
    int64_t k = -1;

    v = within ? within : v;
    t = pickle__numbers_of(o, "bsplines_", pickle_attr(v, "t"));
    c = pickle__numbers_of(o, "bsplines_", pickle_attr(v, "c"));
    knots = t.rows * t.cols;
    s->numpy2 = pickle__with_numpy2(o, pickle_attr(v, "t"));
    if (!pickle__ok(o))
        return;
    if (!pickle_get_i64(pickle_attr(v, "k"), &k) || (uint64_t)k != s->k)
        pickle__bad(o, "bsplines_", "have another degree than degree");
    else if (knots < 2 * (s->k + 1) || c.ndim != 2 || c.rows < knots - s->k - 1 ||
             !is_sorted(t.data, knots))
        pickle__bad(o, "bsplines_", "have knots that make no basis");
    else if (s->values != 0 && c.cols != s->values)
        pickle__bad(o, "bsplines_", "have different numbers of coefficients");
    s->values = c.cols;
    *b = (bspline){ .t = t.data, .c = c.data, .n = knots - s->k - 1 };
    b->extrapolates = s->how == CONTINUE || s->how == PERIODIC;
}

static const double *new_values(pickle__opener *o, const transformer *s, const bspline *b, double x,
                                bool slope)
{
    double *values = pickle__keep(o, s->values, sizeof *values);

    if (values)
        evaluate(s, b, x, slope, values);
    return values;
}

/* `degree` is what scikit-learn's loop over features has it for, who makes it more on the way. */
static void open_ends(pickle__opener *o, const transformer *s, bspline *b, size_t *degree)
{
    size_t knots = b->n + s->k + 1;

    if (!pickle__ok(o))
        return;
    if (knots < 2 * (*degree + 1) || *degree + 1 > s->values) {
        pickle__unsupported(o, "bsplines_", "are too few to go on beyond");
        return;
    }
    b->first = b->t[*degree];
    b->last = b->t[knots - *degree - 1];
    b->at_first = new_values(o, s, b, b->first, false);
    b->at_last = new_values(o, s, b, b->last, false);
    if (s->how == LINEAR) {
        b->slope_first = new_values(o, s, b, b->first, true);
        b->slope_last = new_values(o, s, b, b->last, true);
        *degree += *degree <= 1;
    }
    b->reach = *degree;
}

static void open_transformer(pickle__opener *o)
{
    transformer *s = pickle__state(o, sizeof *s);
    int64_t k = pickle__integer(o, "degree", 3);
    const pickle_val *list =
        pickle__items(o, "bsplines_", pickle__need(o, "bsplines_"), &s->features);
    bspline *splines = pickle__keep(o, s->features, sizeof *splines);
    size_t degree;

    s->how = (extrapolation)pickle__choice(o, "extrapolation", CONSTANT, "error", "constant",
                                           "linear", "continue", "periodic", NULL);
    s->sparse = pickle__flag(o, "sparse_output", false);
    s->bias = pickle__flag(o, "include_bias", true);
    if (k < 0 || k > MOST_DEGREE || (k == 0 && s->how == CONSTANT))
        pickle__unsupported(o, "degree", "is none that is done here");
    if (s->features == 0)
        pickle__unsupported(o, "bsplines_", "are none");
    if (!splines || !pickle__ok(o))
        return;
    degree = s->k = (size_t)k;
    s->splines = splines;
    for (size_t j = 0; j < s->features && pickle__ok(o); j++) {
        open_spline(o, s, &splines[j], pickle_at(list, j));
        if (s->how == CONSTANT || s->how == LINEAR)
            open_ends(o, s, &splines[j], &degree);
    }
    if (pickle__ok(o) && s->values <= !s->bias)
        pickle__bad(o, "bsplines_", "have no coefficients");
    o->model->features = s->features;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    if (pickle__choice(o, "handle_missing", 0, "error", "zeros", NULL) == 1)
        o->model->numbers = PICKLE__OR_NAN;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

const pickle__estimator pickle__spline_estimators[] = {
    { "preprocessing", "SplineTransformer", open_transformer },
    { NULL, NULL, NULL },
};
