/* linear.c - linear models: X @ coef_.T + intercept_, and what is made of it. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

typedef struct linear {
    size_t outputs; /* rows of coef */
    const double *coef, *intercept;
    bool multinomial;
} linear;

/* coef_ and intercept_, and the methods' inputs. */
static void open_coefficients(pickle__opener *o, linear *l)
{
    pickle__matrix coef = pickle__need_numbers(o, "coef_");
    pickle__matrix intercept = pickle__need_numbers(o, "intercept_");
    size_t n = intercept.rows * intercept.cols;
    double *all;

    l->outputs = coef.rows;
    l->coef = coef.data;
    o->model->features = coef.cols;
    if (!pickle__ok(o))
        return;
    if (n != coef.rows && n != 1)
        pickle__bad(o, "intercept_", "has another size than coef_");
    /* fit_intercept=False leaves one 0.0. */
    all = pickle__keep(o, coef.rows, sizeof *all);
    for (size_t k = 0; all && k < coef.rows; k++)
        all[k] = intercept.data[n == 1 ? 0 : k];
    l->intercept = all;
}

static bool products(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const linear *l = m->state;
    double *out = pickle__new_f64(r, y, x->rows, l->outputs);

    if (out)
        pickle__products(x->data, x->stride, x->rows, x->cols, l->coef, l->outputs, l->intercept,
                         out);
    return out != NULL;
}

static void open_regressor(pickle__opener *o)
{
    linear *l = pickle__state(o, sizeof *l);

    open_coefficients(o, l);
    o->model->outputs = l->outputs;
    pickle__method_is(o, PICKLE_PREDICT, products);
}

static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch scores;
    double *out;

    if (!products(m, r, x, &scores))
        return false;
    if (scores.cols > 1)
        return pickle__argmax(r, &scores, y);
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&scores, i) > 0;
    return out != NULL;
}

static void open_logistic(pickle__opener *o)
{
    linear *l = pickle__state(o, sizeof *l);

    open_coefficients(o, l);
    pickle__read_classes(o, "classes_");
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, products);
    pickle__method_is(o, PICKLE_PREDICT, classify);
}

const pickle__estimator pickle__linear_estimators[] = {
    { "linear_model", "LinearRegression", open_regressor },
    { "linear_model", "LogisticRegression", open_logistic },
    { NULL, NULL, NULL },
};
