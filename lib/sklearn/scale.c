/* scale.c - scalers: a number for each column is taken from it, and it is divided by another. */
#include "sklearn/estimator.h"

/* ----------------------------------------------------------- StandardScaler */

typedef struct scaler {
    const double *mean, *scale; /* NULL: neither subtracted nor divided by */
} scaler;

/* Each step in the type of X: numpy works in place. */
#define SCALE(name, type, row_of, new_table)                                                  \
    static bool name(const scaler *s, pickle__run *r, const pickle_batch *x, pickle_batch *y) \
    {                                                                                         \
        type *out = new_table(r, y, x->rows, x->cols);                                        \
                                                                                              \
        for (size_t i = 0; out && i < x->rows; i++) {                                         \
            const type *row = row_of(x, i);                                                   \
                                                                                              \
            for (size_t j = 0; j < x->cols; j++) {                                            \
                type v = s->mean ? (type)((double)row[j] - s->mean[j]) : row[j];              \
                                                                                              \
                *out++ = s->scale ? (type)((double)v / s->scale[j]) : v;                      \
            }                                                                                 \
        }                                                                                     \
        return y->data != NULL;                                                               \
    }

SCALE(scale_f64, double, pickle__row, pickle__new_f64)
SCALE(scale_f32, float, pickle__row_f32, pickle__new_f32)

static bool scaler_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    const scaler *s = m->state;

    return x->kind == PICKLE_BATCH_F32 ? scale_f32(s, r, x, y) : scale_f64(s, r, x, y);
}

static void open_standard_scaler(pickle__opener *o)
{
    scaler *s = pickle__state(o, sizeof *s);
    pickle__matrix mean = pickle__numbers_of(o, "mean_", pickle__attr(o, "mean_"));
    pickle__matrix scale = pickle__numbers_of(o, "scale_", pickle__attr(o, "scale_"));

    if (pickle__flag(o, "with_mean", true))
        s->mean = mean.data;
    if (pickle__flag(o, "with_std", true))
        s->scale = scale.data;
    o->model->features = s->mean ? mean.cols : scale.cols;
    if (s->mean && s->scale && mean.cols != scale.cols)
        pickle__bad(o, "scale_", "has another size than mean_");
    o->model->takes |= PICKLE__F32;
    o->model->numbers = PICKLE__OR_NAN;
    pickle__method_is(o, PICKLE_TRANSFORM, scaler_transform);
}

const pickle__estimator pickle__scale_estimators[] = {
    { "preprocessing", "StandardScaler", open_standard_scaler },
    { NULL, NULL, NULL },
};
