/* bayes.c - naive Bayes: joint log-likelihoods of classes, and what is made of them. */
#include "sklearn/affine.h"
#include "sklearn/numeric.h"

#include <string.h>

typedef struct gaussian {
    size_t features;
    const double *theta, *var;  /* a row for each class */
    double *log_prior, *norm;   /* of each class; -0.5 * sum(log(2 pi var)) */
    float *theta_f32, *var_f32; /* fitted on float32, since 1.8 */
} gaussian;

/* Of one feature: a row for each category, with the log of its probability in each class. */
typedef struct category_table {
    size_t count;
    const double *log_proba;
} category_table;

typedef struct bayes {
    pickle__method *joint; /* log-likelihoods of all classes */
    /* The sum of probabilities over classes is added up like numpy does, which depends on what the
     * array looks like: by columns, where the classes were computed one after the other. */
    bool by_columns;
    pickle__affine terms; /* of discrete features */
    bool binarize;
    double threshold;
    gaussian gauss;
    category_table *tables; /* of each feature */
    const double *log_prior;
} bayes;

/* A result of an operation that may be on float32. */
static double rounded(double x, bool f32)
{
    return f32 ? (double)(float)x : x;
}

/* ------------------------------------------------------------------ classes */

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const bayes *b = m->state;
    pickle_batch joint;

    return b->joint(m, r, x, &joint) && pickle__argmax(r, &joint, y);
}

static double sum_of(const bayes *b, const double *x, size_t n, bool f32)
{
    double sum = 0;

    if (!b->by_columns)
        return pickle__sum(x, n);
    for (size_t k = 0; k < n; k++)
        sum = rounded(sum + x[k], f32);
    return sum;
}

/* scipy.special.logsumexp of a row; `spare` has room for as many numbers. Since scipy 1.15 the
 * largest are apart from the sum; what is installed next to a scikit-learn since 1.6.1 is that. */
static double log_sum(const pickle_model *m, const double *x, size_t n, bool f32, double *spare)
{
    const bayes *b = m->state;
    bool apart = m->version >= PICKLE__SKLEARN(1, 6, 1);
    double most = x[pickle__largest(x, n)], count = 0, sum;

    if (!isfinite(most))
        return most;
    for (size_t k = 0; k < n; k++) {
        bool largest = apart && x[k] == most;

        count += largest;
        spare[k] = largest ? 0 : rounded(exp(rounded(x[k] - most, f32)), f32);
    }
    sum = sum_of(b, spare, n, f32);
    if (!apart)
        return rounded(rounded(log(sum), f32) + most, f32);
    sum = rounded(log1p(rounded(sum / count, f32)), f32);
    return rounded(rounded(sum + rounded(log(count), f32), f32) + most, f32);
}

static bool log_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const bayes *b = m->state;
    bool as_exp = r->method == PICKLE_PREDICT_PROBA;
    pickle_batch joint;
    double *out, *spare;
    bool f32;

    if (!b->joint(m, r, x, &joint))
        return false;
    f32 = joint.kind == PICKLE_BATCH_F32;
    if (!pickle__as_f64(r, &joint, &joint))
        return false;
    out = pickle__new_f64(r, y, joint.rows, joint.cols);
    spare = out ? pickle__take(r, joint.cols, sizeof *spare) : NULL;
    for (size_t i = 0; spare && i < joint.rows; i++) {
        const double *row = pickle__row(&joint, i);
        double all = log_sum(m, row, joint.cols, f32, spare);

        for (size_t k = 0; k < joint.cols; k++) {
            double log_p = rounded(row[k] - all, f32);

            *out++ = as_exp ? exp(log_p) : log_p;
        }
    }
    return spare && (!f32 || pickle__as_f32(r, y, y));
}

/* The classes, of which there must be `count`, and the methods. */
static void open_methods(pickle__opener *o, bayes *b, pickle__method *joint, size_t count)
{
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    /* Before 1.0 a class alone was learned together with one that is not there. */
    if (o->model->outputs == 1 && o->model->classes->count == 1 && count == 2)
        pickle__unsupported(o, "classes_", "is one class alone");
    else if (o->model->outputs != 1 || o->model->classes->count != count)
        pickle__bad(o, "classes_", "are more or fewer than what was learned of them");
    b->joint = joint;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, log_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, log_proba);
}

/* --------------------------------------------------------------- GaussianNB */

static double deviation(const double *x, const double *theta, const double *var, size_t n,
                        double *spare)
{
    for (size_t j = 0; j < n; j++) {
        double d = x[j] - theta[j];

        spare[j] = d * d / var[j];
    }
    return pickle__sum(spare, n);
}

static float deviation_f32(const float *x, const float *theta, const float *var, size_t n,
                           float *spare)
{
    for (size_t j = 0; j < n; j++) {
        float d = x[j] - theta[j];

        spare[j] = d * d / var[j];
    }
    return pickle__sum_f32(spare, n);
}

/* Rows of float32 for what was fitted on float32: all in that type. */
static bool gaussian_joint_f32(const gaussian *g, size_t classes, pickle__run *r,
                               const pickle_batch *x, pickle_batch *y)
{
    size_t n = g->features;
    float *out = pickle__new_f32(r, y, x->rows, classes);
    float *spare = out ? pickle__take(r, n, sizeof *spare) : NULL;

    for (size_t i = 0; spare && i < x->rows; i++) {
        for (size_t k = 0; k < classes; k++) {
            float d = deviation_f32(pickle__row_f32(x, i), g->theta_f32 + k * n, g->var_f32 + k * n,
                                    n, spare);

            *out++ = (float)g->log_prior[k] + ((float)g->norm[k] - 0.5f * d);
        }
    }
    return spare != NULL;
}

static bool gaussian_joint(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const gaussian *g = &((const bayes *)m->state)->gauss;
    size_t classes = m->classes->count, n = g->features;
    pickle_batch from;
    double *out, *spare;

    if (x->kind == PICKLE_BATCH_F32 && g->theta_f32)
        return gaussian_joint_f32(g, classes, r, x, y);
    if (!pickle__as_f64(r, x, &from))
        return false;
    out = pickle__new_f64(r, y, x->rows, classes);
    spare = out ? pickle__take(r, n, sizeof *spare) : NULL;
    for (size_t i = 0; spare && i < x->rows; i++) {
        for (size_t k = 0; k < classes; k++) {
            double d = deviation(pickle__row(&from, i), g->theta + k * n, g->var + k * n, n, spare);

            *out++ = g->log_prior[k] + (g->norm[k] - 0.5 * d);
        }
    }
    return spare != NULL;
}

/* Terms of classes that are the same for all rows. */
static void open_terms_of_classes(pickle__opener *o, gaussian *g, const double *prior,
                                  size_t classes, bool f32)
{
    size_t n = g->features;
    double *logs = pickle__keep(o, n, sizeof *logs);
    float *narrow = pickle__keep(o, n, sizeof *narrow);

    g->norm = pickle__keep(o, classes, sizeof *g->norm);
    g->log_prior = pickle__keep(o, classes, sizeof *g->log_prior);
    if (!logs || !narrow || !g->norm || !g->log_prior)
        return;
    for (size_t k = 0; k < classes; k++) {
        for (size_t j = 0; j < n; j++) {
            logs[j] = log(rounded(rounded(2 * 3.141592653589793, f32) * g->var[k * n + j], f32));
            narrow[j] = (float)logs[j];
        }
        g->norm[k] = -0.5 * (f32 ? (double)pickle__sum_f32(narrow, n) : pickle__sum(logs, n));
        g->log_prior[k] = rounded(log(prior[k]), f32);
    }
}

static float *narrowed(pickle__opener *o, const double *x, size_t n)
{
    float *out = pickle__keep(o, n, sizeof *out);

    for (size_t i = 0; out && i < n; i++)
        out[i] = (float)x[i];
    return out;
}

static void open_gaussian(pickle__opener *o)
{
    bayes *b = pickle__state(o, sizeof *b);
    gaussian *g = &b->gauss;
    pickle__matrix theta = pickle__need_numbers(o, "theta_");
    const char *name = pickle__attr(o, "var_") ? "var_" : "sigma_"; /* sigma_ before 1.0 */
    const double *prior = pickle__need_row(o, "class_prior_", theta.rows);

    g->theta = theta.data;
    g->features = theta.cols;
    g->var = pickle__need_table(o, name, theta.rows, theta.cols);
    pickle__has_features(o, theta.cols);
    if (pickle__ok(o) && theta.cols == 0)
        pickle__bad(o, "theta_", "has no features");
    if (!pickle__ok(o))
        return;
    open_terms_of_classes(o, g, prior, theta.rows, theta.f32);
    if (theta.f32) {
        g->theta_f32 = narrowed(o, g->theta, theta.rows * theta.cols);
        g->var_f32 = narrowed(o, g->var, theta.rows * theta.cols);
        o->model->takes |= PICKLE__F32;
    }
    b->by_columns = true;
    open_methods(o, b, gaussian_joint, theta.rows);
}

/* -------------------------------------------------------- discrete features */

/* X > threshold as 0 and 1. */
static bool binarize_dense(const bayes *b, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch from;
    double *out;

    if (!pickle__as_f64(r, x, &from))
        return false;
    out = pickle__new_f64(r, y, from.rows, from.cols);
    for (size_t i = 0; out && i < from.rows; i++) {
        for (size_t j = 0; j < from.cols; j++)
            *out++ = pickle__row(&from, i)[j] > b->threshold;
    }
    return y->data != NULL;
}

static bool binarize_sparse(const bayes *b, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const double *data = x->data;
    pickle__csr to;
    size_t n = 0;

    if (b->threshold < 0)
        return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                "a sparse matrix can't be binarized at a negative threshold");
    to = pickle__new_csr(r, y, x->rows, x->cols, (size_t)(x->indptr[x->rows] - x->indptr[0]));
    for (size_t i = 0; to.data && i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            if (!(data[k] > b->threshold))
                continue;
            to.indices[n] = x->indices[k];
            to.data[n++] = 1;
        }
        to.indptr[i + 1] = (int64_t)n;
    }
    return to.data != NULL;
}

static bool terms_joint(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    const bayes *b = m->state;
    pickle_batch bits;

    if (!b->binarize)
        return pickle__affine_run(&b->terms, r, x, y) && pickle__as_f64(r, y, y);
    return (x->kind == PICKLE_BATCH_CSR ? binarize_sparse : binarize_dense)(b, r, x, &bits) &&
           pickle__affine_run(&b->terms, r, &bits, y);
}

static bayes *open_terms(pickle__opener *o, const char *prior)
{
    bayes *b = pickle__state(o, sizeof *b);

    pickle__open_affine(o, &b->terms, PICKLE__ROW_IS_OUTPUT, "feature_log_prob_",
                        pickle__need(o, "feature_log_prob_"), prior,
                        prior ? pickle__need(o, prior) : NULL);
    pickle__has_features(o, b->terms.inputs);
    o->model->takes |= PICKLE__F32 | PICKLE__CSR;
    open_methods(o, b, terms_joint, b->terms.outputs);
    return b;
}

static void open_multinomial(pickle__opener *o)
{
    open_terms(o, "class_log_prior_");
}

/* Complements need no prior, unless there is nothing to complement. */
static void open_complement(pickle__opener *o)
{
    pickle__labels classes = pickle__labels_of(o, "classes_", pickle__attr(o, "classes_"));

    open_terms(o, classes.count == 1 ? "class_log_prior_" : NULL);
}

/* Features that are not there count as well: X . log p + (1 - X) . log(1 - p), rearranged. */
static void open_bernoulli(pickle__opener *o)
{
    bayes *b = open_terms(o, "class_log_prior_");
    size_t n = b->terms.inputs, classes = b->terms.outputs;
    double *weights, *bias, *absent;

    b->binarize = pickle__attr(o, "binarize") != NULL;
    b->threshold = pickle__number(o, "binarize", 0);
    if (!pickle__ok(o))
        return;
    weights = pickle__keep(o, classes * n, sizeof *weights);
    bias = pickle__keep(o, classes, sizeof *bias);
    absent = pickle__keep(o, n, sizeof *absent);
    if (!weights || !bias || !absent)
        return;
    for (size_t k = 0; k < classes; k++) {
        const double *log_p = b->terms.weights + k * n;

        for (size_t j = 0; j < n; j++) {
            absent[j] = log(1 - exp(log_p[j]));
            weights[k * n + j] = log_p[j] - absent[j];
        }
        bias[k] = b->terms.bias[k] + pickle__sum(absent, n);
    }
    b->terms =
        (pickle__affine){ .inputs = n, .outputs = classes, .weights = weights, .bias = bias };
}

/* ------------------------------------------------------------ CategoricalNB */

static bool categorical_joint(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const bayes *b = m->state;
    size_t classes = m->classes->count;
    double *out = pickle__new_f64(r, y, x->rows, classes);

    for (size_t i = 0; out && i < x->rows; i++, out += classes) {
        memset(out, 0, classes * sizeof *out);
        for (size_t j = 0; j < x->cols; j++) {
            const category_table *t = &b->tables[j];
            double v = pickle__row(x, i)[j];

            if (!(v > -1 && v < (double)t->count))
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is a category that was not fitted",
                                        r->first_row + i, j);
            for (size_t k = 0; k < classes; k++)
                out[k] += t->log_proba[(size_t)v * classes + k];
        }
        for (size_t k = 0; k < classes; k++)
            out[k] += b->log_prior[k];
    }
    return y->data != NULL;
}

static void open_categories(pickle__opener *o, category_table *t, const pickle_val *v,
                            size_t classes)
{
    pickle__matrix m = pickle__numbers_of(o, "feature_log_prob_", v);
    double *turned;

    if (!pickle__ok(o))
        return;
    if (!m.data || m.ndim != 2 || m.rows != classes) {
        pickle__bad(o, "feature_log_prob_", "is of more or fewer classes than the rest");
        return;
    }
    turned = pickle__keep(o, m.rows * m.cols, sizeof *turned);
    for (size_t k = 0; turned && k < m.rows; k++) {
        for (size_t c = 0; c < m.cols; c++)
            turned[c * m.rows + k] = m.data[k * m.cols + c];
    }
    *t = (category_table){ m.cols, turned };
}

static void open_categorical(pickle__opener *o)
{
    bayes *b = pickle__state(o, sizeof *b);
    pickle__matrix prior = pickle__need_numbers(o, "class_log_prior_");
    size_t n = 0, classes = prior.cols;
    const pickle_val *list =
        pickle__items(o, "feature_log_prob_", pickle__need(o, "feature_log_prob_"), &n);

    b->log_prior = prior.data;
    if (pickle__ok(o) && (n == 0 || prior.rows != 1))
        pickle__bad(o, "feature_log_prob_", "has no features");
    b->tables = pickle__keep(o, n, sizeof *b->tables);
    for (size_t j = 0; b->tables && j < n; j++)
        open_categories(o, &b->tables[j], pickle_at(list, j), classes);
    pickle__has_features(o, n);
    open_methods(o, b, categorical_joint, classes);
}

const pickle__estimator pickle__bayes_estimators[] = {
    { "naive_bayes", "GaussianNB", open_gaussian },
    { "naive_bayes", "MultinomialNB", open_multinomial },
    { "naive_bayes", "ComplementNB", open_complement },
    { "naive_bayes", "BernoulliNB", open_bernoulli },
    { "naive_bayes", "CategoricalNB", open_categorical },
    { NULL, NULL, NULL },
};
