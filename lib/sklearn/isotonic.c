/* isotonic.c - regression that only rises, or only falls: lines between learned points. */
#include "sklearn/estimator.h"

#include <math.h>

typedef struct isotonic {
    size_t count;
    const double *x, *y; /* the points, x in order */
    double least, most;
    enum { OUT_IS_NAN, OUT_IS_CLIPPED, OUT_IS_ERROR } out_of_bounds;
    bool f32;
} isotonic;

/* The last point that is not right of x, which is within their range. */
static size_t point_left_of(const isotonic *s, double x)
{
    size_t low = 0, high = s->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (s->x[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* As numpy.interp. */
static double line_at(const isotonic *s, double x)
{
    size_t i = point_left_of(s, x);
    double slope;

    if (i + 1 == s->count || s->x[i] == x)
        return s->y[i];
    slope = (s->y[i + 1] - s->y[i]) / (s->x[i + 1] - s->x[i]);
    return slope * (x - s->x[i]) + s->y[i];
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const isotonic *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, 1), first = s->x[0], last = s->x[s->count - 1];

    for (size_t i = 0; out && i < x->rows; i++) {
        double v = *pickle__row(x, i);

        if (s->f32)
            v = (double)(float)v;
        if (s->out_of_bounds == OUT_IS_CLIPPED)
            v = v < s->least ? s->least : v > s->most ? s->most : v;
        if (s->count == 1)
            out[i] = s->y[0];
        else if (v >= first && v <= last)
            out[i] = line_at(s, v);
        else if (s->out_of_bounds == OUT_IS_ERROR && !isnan(v))
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu is out of bounds",
                                    r->first_row + i);
        else
            out[i] = NAN;
    }
    return out && (!s->f32 || pickle__as_f32(r, y, y));
}

static void open_isotonic(pickle__opener *o)
{
    isotonic *s = pickle__state(o, sizeof *s);
    bool recent = pickle__attr(o, "X_thresholds_") != NULL; /* since 0.24 */
    const char *x_name = recent ? "X_thresholds_" : "_necessary_X_";
    const char *y_name = recent ? "y_thresholds_" : "_necessary_y_";
    pickle__matrix x = pickle__need_numbers(o, x_name);

    s->count = x.cols;
    s->x = x.data;
    s->f32 = x.f32;
    s->y = pickle__need_row(o, y_name, x.cols);
    s->least = pickle__number(o, "X_min_", -INFINITY);
    s->most = pickle__number(o, "X_max_", INFINITY);
    s->out_of_bounds = pickle__choice(o, "out_of_bounds", OUT_IS_NAN, "nan", "clip", "raise", NULL);
    if (!pickle__ok(o))
        return;
    if (x.rows != 1 || x.cols == 0)
        pickle__bad(o, x_name, "has no points");
    for (size_t i = 0; i + 1 < x.cols; i++) {
        if (!(s->x[i] <= s->x[i + 1]))
            pickle__bad(o, x_name, "is not in order");
    }
    o->model->features = 1;
    if (o->version < PICKLE__SKLEARN(0, 21, 0))
        o->model->numbers = PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_TRANSFORM, predict);
}

const pickle__estimator pickle__isotonic_estimators[] = {
    { "isotonic", "IsotonicRegression", open_isotonic },
    { NULL, NULL, NULL },
};
