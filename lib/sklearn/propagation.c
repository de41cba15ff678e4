/* propagation.c - labels by those of the rows near by: LabelPropagation, LabelSpreading. */
#include "sklearn/kernels.h"

typedef struct propagation {
    pickle__kernels kernels;
    pickle__affine labels; /* label_distributions_ */
} propagation;

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const propagation *s = m->state;
    pickle_batch sums;
    size_t n;
    double *out;

    if (!pickle__kernels_run(&s->kernels, NULL, &s->labels, r, x, &sums) ||
        !pickle__as_f64(r, &sums, &sums))
        return false;
    n = sums.cols;
    out = pickle__new_f64(r, y, x->rows, n);
    for (size_t i = 0; out && i < x->rows; i++, out += n) {
        const double *row = pickle__row(&sums, i);
        double sum = 0;

        for (size_t k = 0; k < n; k++)
            sum += row[k];
        for (size_t k = 0; k < n; k++)
            out[k] = row[k] / sum;
    }
    return out != NULL;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch proba;

    return predict_proba(m, r, x, &proba) && pickle__argmax(r, &proba, y);
}

static void open_propagation(pickle__opener *o)
{
    propagation *s = pickle__state(o, sizeof *s);
    const pickle_val *labels = pickle__need(o, "label_distributions_");

    pickle__choice(o, "kernel", 0, "rbf", NULL);
    pickle__open_kernels(o, &s->kernels, "X_");
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    pickle__open_affine(o, &s->labels, PICKLE__ROW_IS_INPUT, "label_distributions_", labels, NULL,
                        NULL);
    if (!pickle__ok(o))
        return;
    if (s->labels.inputs != s->kernels.count || o->model->outputs != 1 ||
        s->labels.outputs != o->model->classes[0].count)
        pickle__bad(o, "label_distributions_", "is no label for each row");
    o->model->features = s->kernels.features;
    if (pickle__kernels_take_sparse(&s->kernels))
        o->model->takes |= PICKLE__CSR;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
}

const pickle__estimator pickle__propagation_estimators[] = {
    { "semi_supervised", "LabelPropagation", open_propagation },
    { "semi_supervised", "LabelSpreading", open_propagation },
    { NULL, NULL, NULL },
};
