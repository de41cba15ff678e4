/* svm.c - support vector machines, as libsvm computes them. */
#include "sklearn/lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum kernel_kind { LINEAR, POLY, RBF, SIGMOID, PRECOMPUTED } kernel_kind;

typedef struct kernel {
    kernel_kind kind;
    double gamma, coef0;
    int degree;
    size_t count;           /* support vectors */
    pickle__lanes dense;    /* they, or */
    pickle__sparse sparse;  /* they, if fitted on a sparse matrix, or */
    const int64_t *support; /* their columns in a kernel that the caller computes */
} kernel;

typedef struct svm {
    kernel kernel;
    bool is_sparse, is_classifier;
    size_t n_classes, n_pairs; /* 2 and 1 where there are none */
    const int64_t *n_support;  /* of each class */
    const double *dual_coef;   /* n_classes - 1 rows */
    const double *intercept;   /* of each pair */
    const double *probA, *probB;
    const double *offset;
    bool ovr;
} svm;

/* ------------------------------------------------------------------ kernels */

/* A row's elements that are there, in the order of their columns. */
typedef struct sparse_row {
    size_t count;
    const int64_t *columns;
    const double *values;
} sparse_row;

typedef struct element {
    int64_t column;
    double value;
} element;

static double power_of(double base, int times)
{
    double power = base, result = 1;

    for (int t = times; t > 0; t /= 2) {
        if (t % 2 == 1)
            result *= power;
        power *= power;
    }
    return result;
}

static double sparse_dot(const sparse_row *x, const sparse_row *y)
{
    size_t i = 0, j = 0;
    double sum = 0;

    while (i < x->count && j < y->count) {
        if (x->columns[i] == y->columns[j])
            sum += x->values[i++] * y->values[j++];
        else if (x->columns[i] > y->columns[j])
            j++;
        else
            i++;
    }
    return sum;
}

static double sparse_square(const sparse_row *x, const sparse_row *y)
{
    size_t i = 0, j = 0;
    double sum = 0;

    while (i < x->count || j < y->count) {
        double d;

        if (j == y->count || (i < x->count && x->columns[i] < y->columns[j]))
            d = x->values[i++];
        else if (i == x->count || x->columns[i] > y->columns[j])
            d = y->values[j++];
        else
            d = x->values[i++] - y->values[j++];
        sum += d * d;
    }
    return sum;
}

/* What the kernel makes of dot products, or of squared distances. */
static void finish_kernel(const kernel *k, double *out)
{
    for (size_t i = 0; k->kind == POLY && i < k->count; i++)
        out[i] = power_of(k->gamma * out[i] + k->coef0, k->degree);
    for (size_t i = 0; k->kind == RBF && i < k->count; i++)
        out[i] = exp(-k->gamma * out[i]);
    for (size_t i = 0; k->kind == SIGMOID && i < k->count; i++)
        out[i] = tanh(k->gamma * out[i] + k->coef0);
}

static void dense_kernel(const kernel *k, const double *x, double *out)
{
    if (k->kind == PRECOMPUTED) {
        for (size_t i = 0; i < k->count; i++)
            out[i] = x[k->support[i]];
        return;
    }
    if (k->kind == RBF)
        pickle__lanes_squares(&k->dense, x, out);
    else
        pickle__lanes_dots(&k->dense, x, out);
    finish_kernel(k, out);
}

static void sparse_kernel(const kernel *k, const sparse_row *x, double *out)
{
    for (size_t i = 0; i < k->count; i++) {
        int64_t first = k->sparse.indptr[i];
        sparse_row y = { (size_t)(k->sparse.indptr[i + 1] - first), k->sparse.indices + first,
                         k->sparse.data + first };

        out[i] = k->kind == RBF ? sparse_square(x, &y) : sparse_dot(x, &y);
    }
    finish_kernel(k, out);
}

static int by_column(const void *a, const void *b)
{
    int64_t x = ((const element *)a)->column, y = ((const element *)b)->column;

    return (x > y) - (x < y);
}

/* Row `i` in the order of columns: sorted into memory of the run if it isn't. */
static bool sorted_row(pickle__run *r, const pickle_batch *x, size_t i, sparse_row *out)
{
    size_t n = (size_t)(x->indptr[i + 1] - x->indptr[i]), k = 1;
    const int64_t *columns = x->indices + x->indptr[i];
    const double *values = (const double *)x->data + x->indptr[i];
    int64_t *new_columns;
    double *new_values;
    element *elements;

    *out = (sparse_row){ n, columns, values };
    while (k < n && columns[k - 1] <= columns[k])
        k++;
    if (k >= n)
        return true;
    elements = pickle__take(r, n, sizeof *elements);
    new_columns = elements ? pickle__take(r, n, sizeof *new_columns) : NULL;
    new_values = new_columns ? pickle__take(r, n, sizeof *new_values) : NULL;
    if (!new_values)
        return false;
    for (k = 0; k < n; k++)
        elements[k] = (element){ columns[k], values[k] };
    qsort(elements, n, sizeof *elements, by_column);
    for (k = 0; k < n; k++) {
        new_columns[k] = elements[k].column;
        new_values[k] = elements[k].value;
    }
    *out = (sparse_row){ n, new_columns, new_values };
    return true;
}

/* ---------------------------------------------------------------- decisions */

static double sum_of(const double *coef, const double *values, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += coef[i] * values[i];
    return sum;
}

/* The values of all pairs of classes: those of class i come with row j - 1 of the coefficients,
 * those of class j with row i. One sum goes through both. */
static void pair_values(const svm *s, const double *values, double *out)
{
    size_t l = s->kernel.count, start_i = 0, p = 0;

    for (size_t i = 0; i < s->n_classes; i++) {
        size_t n_i = (size_t)s->n_support[i], start_j = start_i + n_i;

        for (size_t j = i + 1; j < s->n_classes; j++, p++) {
            size_t n_j = (size_t)s->n_support[j];
            const double *coef = s->dual_coef + (j - 1) * l + start_i;
            double sum = sum_of(coef, values + start_i, n_i);

            coef = s->dual_coef + i * l + start_j;
            for (size_t k = 0; k < n_j; k++)
                sum += coef[k] * values[start_j + k];
            out[p] = sum + s->intercept[p];
            start_j += n_j;
        }
        start_i += n_i;
    }
}

static bool decide(const svm *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    size_t l = s->kernel.count;
    double *out = pickle__new_f64(r, y, x->rows, s->n_pairs);
    double *values = out ? pickle__take(r, l + PICKLE__LANES, sizeof *values) : NULL;
    pickle_batch rows = *x;

    if (!values || (s->is_sparse && !pickle__as_csr(r, x, &rows)))
        return false;
    for (size_t i = 0; i < x->rows; i++, out += s->n_pairs) {
        sparse_row row;

        if (!s->is_sparse)
            dense_kernel(&s->kernel, pickle__row(x, i), values);
        else if (sorted_row(r, &rows, i, &row))
            sparse_kernel(&s->kernel, &row, values);
        else
            return false;
        if (s->is_classifier)
            pair_values(s, values, out);
        else
            *out = sum_of(s->dual_coef, values, l) + *s->intercept;
    }
    return true;
}

/* ----------------------------------------------------------- classification */

/* A point for the winner of each pair; the first of those with most points. */
static size_t elect(const svm *s, const double *pairs, size_t *votes)
{
    size_t best = 0, p = 0;

    memset(votes, 0, s->n_classes * sizeof *votes);
    for (size_t i = 0; i < s->n_classes; i++) {
        for (size_t j = i + 1; j < s->n_classes; j++)
            votes[pairs[p++] > 0 ? i : j]++;
    }
    for (size_t i = 1; i < s->n_classes; i++)
        best = votes[i] > votes[best] ? i : best;
    return best;
}

static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const svm *s = m->state;
    size_t *votes = pickle__take(r, s->n_classes, sizeof *votes);
    pickle_batch pairs;
    double *out;

    if (!votes || !decide(s, r, x, &pairs))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = (double)elect(s, pickle__row(&pairs, i), votes);
    return out != NULL;
}

/* Votes, and below 1/2 of a vote the sum of confidences: points[c] and confidences[c] of a row. */
static void count_votes(const svm *s, const double *pairs, double *votes, double *confidence)
{
    size_t p = 0;

    for (size_t i = 0; i < s->n_classes; i++)
        votes[i] = confidence[i] = 0;
    for (size_t i = 0; i < s->n_classes; i++) {
        for (size_t j = i + 1; j < s->n_classes; j++, p++) {
            confidence[i] -= -pairs[p];
            confidence[j] += -pairs[p];
            votes[pairs[p] < 0 ? j : i]++;
        }
    }
}

/* Before 0.21 confidences were scaled by the largest of the whole batch. */
static void scale_by_batch(const double *confidence, size_t n, double *votes)
{
    double most = n ? confidence[0] : 0, least = most, scale;

    for (size_t i = 1; i < n; i++) {
        most = confidence[i] > most ? confidence[i] : most;
        least = confidence[i] < least ? confidence[i] : least;
    }
    if (most == least)
        return;
    scale = (0.5 - 2.220446049250313e-16) / fmax(fabs(most), fabs(least));
    for (size_t i = 0; i < n; i++)
        votes[i] += confidence[i] * scale;
}

static bool ovr_values(const pickle_model *m, pickle__run *r, const pickle_batch *pairs,
                       pickle_batch *y)
{
    const svm *s = m->state;
    size_t k = s->n_classes, n = pairs->rows * k;
    double *votes = pickle__new_f64(r, y, pairs->rows, k);
    double *confidence = votes ? pickle__take(r, n, sizeof *confidence) : NULL;

    if (!confidence)
        return false;
    for (size_t i = 0; i < pairs->rows; i++)
        count_votes(s, pickle__row(pairs, i), votes + i * k, confidence + i * k);
    if (m->version < PICKLE__SKLEARN(0, 21, 0)) {
        scale_by_batch(confidence, n, votes);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        votes[i] += confidence[i] / (3 * (fabs(confidence[i]) + 1));
    return true;
}

static bool decision_function(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const svm *s = m->state;
    pickle_batch pairs;
    double *out;

    if (!decide(s, r, x, &pairs))
        return false;
    if (s->ovr && s->n_classes > 2)
        return ovr_values(m, r, &pairs, y);
    *y = pairs;
    out = (double *)(uintptr_t)pairs.data;
    for (size_t i = 0; s->n_classes == 2 && i < x->rows; i++)
        out[i] = -out[i];
    return true;
}

static bool break_ties(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    pickle_batch scores;

    return decision_function(m, r, x, &scores) && pickle__argmax(r, &scores, y);
}

/* ------------------------------------------------------------ probabilities */

/* Platt's: without a large number under exp. */
static double pair_probability(double decision, double a, double b)
{
    double t = decision * a + b, p;

    p = t >= 0 ? exp(-t) / (1 + exp(-t)) : 1 / (1 + exp(t));
    p = p < 1e-7 ? 1e-7 : p;
    return p > 1 - 1e-7 ? 1 - 1e-7 : p;
}

/* Q of the second method of Wu, Lin and Weng, from the probability of i against j at r[i, j]. */
static void couple(size_t k, const double *r, double *q)
{
    for (size_t t = 0; t < k; t++) {
        q[t * k + t] = 0;
        for (size_t j = 0; j < k; j++) {
            if (j == t)
                continue;
            q[t * k + t] += r[j * k + t] * r[j * k + t];
            q[t * k + j] = j < t ? q[j * k + t] : -r[j * k + t] * r[t * k + j];
        }
    }
}

/* One sweep towards Q p = (p' Q p) e; false when p is there. */
static bool improve(size_t k, const double *q, double *qp, double *p)
{
    double pqp = 0, worst = 0;

    for (size_t t = 0; t < k; t++) {
        qp[t] = 0;
        for (size_t j = 0; j < k; j++)
            qp[t] += q[t * k + j] * p[j];
        pqp += p[t] * qp[t];
    }
    for (size_t t = 0; t < k; t++)
        worst = fabs(qp[t] - pqp) > worst ? fabs(qp[t] - pqp) : worst;
    if (worst < 0.005 / (double)k)
        return false;
    for (size_t t = 0; t < k; t++) {
        double diff = (-qp[t] + pqp) / q[t * k + t];

        p[t] += diff;
        pqp = (pqp + diff * (diff * q[t * k + t] + 2 * qp[t])) / (1 + diff) / (1 + diff);
        for (size_t j = 0; j < k; j++) {
            qp[j] = (qp[j] + diff * q[t * k + j]) / (1 + diff);
            p[j] /= 1 + diff;
        }
    }
    return true;
}

/* Memory for one row's coupling: r, q and qp. */
static void class_probabilities(const svm *s, const double *pairs, double *memory, double *p)
{
    size_t k = s->n_classes, most = k > 100 ? k : 100, n = 0;
    double *r = memory, *q = r + k * k, *qp = q + k * k;

    for (size_t i = 0; i < k; i++) {
        p[i] = 1 / (double)k;
        for (size_t j = i + 1; j < k; j++, n++) {
            r[i * k + j] = pair_probability(pairs[n], s->probA[n], s->probB[n]);
            r[j * k + i] = 1 - r[i * k + j];
        }
    }
    couple(k, r, q);
    for (size_t i = 0; i < most && improve(k, q, qp, p); i++)
        ;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const svm *s = m->state;
    size_t k = s->n_classes;
    double *memory = pickle__take(r, 2 * k + 1, k * sizeof *memory);
    pickle_batch pairs;
    double *out;

    if (!memory || !decide(s, r, x, &pairs))
        return false;
    out = pickle__new_f64(r, y, x->rows, k);
    for (size_t i = 0; out && i < x->rows; i++)
        class_probabilities(s, pickle__row(&pairs, i), memory, out + i * k);
    return out != NULL;
}

/* ------------------------------------------------------- other predictions */

static bool regress(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return decide(m->state, r, x, y);
}

static bool is_inlier(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch values;
    double *out;

    if (!decide(m->state, r, x, &values))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&values, i) > 0 ? 1 : -1;
    y->integers = true;
    return out != NULL;
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const svm *s = m->state;
    double *out;

    if (!decide(s, r, x, y))
        return false;
    out = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < x->rows; i++)
        out[i] += *s->offset;
    return true;
}

/* ------------------------------------------------------------------ opening */

static void open_vectors(pickle__opener *o, svm *s, size_t *features)
{
    const pickle_val *v = pickle__need(o, "support_vectors_");
    pickle__matrix table;
    size_t cols;

    if (s->is_sparse) {
        if (v && !pickle__sparse_of(o, "support_vectors_", v, &s->kernel.sparse))
            pickle__bad(o, "support_vectors_", "is no sparse matrix");
        s->kernel.count = s->kernel.sparse.rows;
        cols = s->kernel.sparse.cols;
    } else {
        table = pickle__numbers_of(o, "support_vectors_", v);
        s->kernel.count = table.rows;
        cols = table.cols;
        if (pickle__ok(o))
            pickle__lanes_of(o, table.data, table.rows, table.cols, &s->kernel.dense);
    }
    if (pickle__ok(o) && s->kernel.count > 0 && cols != features[1])
        pickle__bad(o, "support_vectors_", "has not as many columns as shape_fit_");
}

/* Columns of a kernel matrix. */
static void open_support(pickle__opener *o, svm *s, size_t columns)
{
    s->kernel.support = pickle__need_integers(o, "support_", &s->kernel.count);
    for (size_t i = 0; i < s->kernel.count; i++) {
        if (s->kernel.support[i] < 0 || (uint64_t)s->kernel.support[i] >= columns) {
            pickle__bad(o, "support_", "has a place outside of the kernel");
            return;
        }
    }
}

static void open_kernel(pickle__opener *o, svm *s)
{
    kernel *k = &s->kernel;
    size_t n = 0, shape[2] = { 0, 0 };
    const int64_t *shape_fit = pickle__need_integers(o, "shape_fit_", &n);
    int64_t degree = pickle__integer(o, "degree", 3);

    k->kind = (kernel_kind)pickle__choice(o, "kernel", RBF, "linear", "poly", "rbf", "sigmoid",
                                          "precomputed", NULL);
    k->gamma = pickle__number(o, "_gamma", 0);
    k->coef0 = pickle__number(o, "coef0", 0);
    k->degree = (int)degree;
    if (degree < 0 || degree > INT32_MAX)
        pickle__unsupported(o, "degree", "is out of range");
    if (k->kind != PRECOMPUTED && k->kind != LINEAR)
        pickle__need(o, "_gamma");
    for (size_t i = 0; i < n && i < 2; i++)
        shape[i] = shape_fit[i] >= 0 && shape_fit[i] <= INT32_MAX ? (size_t)shape_fit[i] : 0;
    if (pickle__ok(o) && (n != 2 || shape[1] == 0))
        pickle__bad(o, "shape_fit_", "is no shape of a table");
    s->is_sparse = pickle__flag(o, "_sparse", false);
    o->model->features = k->kind == PRECOMPUTED ? shape[0] : shape[1];
    if (k->kind != PRECOMPUTED)
        open_vectors(o, s, shape);
    else if (s->is_sparse)
        pickle__bad(o, "_sparse", "is not for a kernel that is computed before");
    else
        open_support(o, s, shape[0]);
    if (s->is_sparse)
        o->model->takes |= PICKLE__CSR;
}

static void open_coefficients(pickle__opener *o, svm *s)
{
    size_t rows = s->n_classes - 1, l = s->kernel.count;
    const pickle_val *v = pickle__need(o, "_dual_coef_");
    pickle__sparse sparse;

    s->intercept = pickle__need_row(o, "_intercept_", s->n_pairs);
    if (!pickle__ok(o))
        return;
    if (!s->is_sparse) {
        s->dual_coef = pickle__need_table(o, "_dual_coef_", rows, l);
        return;
    }
    /* Every element is stored, zeros too. */
    if (!pickle__sparse_of(o, "_dual_coef_", v, &sparse)) {
        pickle__bad(o, "_dual_coef_", "is no sparse matrix");
        return;
    }
    if (l > 0 && (sparse.rows != rows || sparse.cols != l)) {
        pickle__bad(o, "_dual_coef_", "has another shape than the rest");
        return;
    }
    for (size_t i = 0; l > 0 && i < rows; i++) {
        if (sparse.indptr[i + 1] - sparse.indptr[i] != (int64_t)l)
            pickle__bad(o, "_dual_coef_", "has not all its elements");
    }
    s->dual_coef = sparse.data;
}

/* `old` is the attribute of scikit-learn before 0.22. */
static void open_support_counts(pickle__opener *o, svm *s)
{
    size_t n = 0, sum = 0;
    const pickle_val *v = pickle__either(o, "_n_support", "n_support_");

    if (!v)
        pickle__need(o, "_n_support");
    s->n_support = pickle__integers_of(o, "_n_support", v, &n);
    if (!pickle__ok(o))
        return;
    for (size_t i = 0; i < n; i++) {
        if (s->n_support[i] < 0 || (uint64_t)s->n_support[i] > s->kernel.count) {
            pickle__bad(o, "_n_support", "has a number out of range");
            return;
        }
        sum += (size_t)s->n_support[i];
    }
    if (n != s->n_classes || sum != s->kernel.count)
        pickle__bad(o, "_n_support", "does not add up to the support vectors");
}

static const double *open_pairs(pickle__opener *o, const svm *s, const char *name, const char *old)
{
    pickle__matrix m = pickle__numbers_of(o, name, pickle__either(o, name, old));

    if (m.rows * m.cols == 0)
        return NULL;
    if (m.rows * m.cols != s->n_pairs)
        pickle__bad(o, name, "has not a number for each pair of classes");
    return m.data;
}

/* probability: True, or since 1.9 'deprecated' for False. */
static void open_probability(pickle__opener *o, svm *s)
{
    const pickle_val *v = pickle__attr(o, "probability");

    if (!v || pickle_str_is(v, "deprecated") || !pickle__flag(o, "probability", false))
        return;
    s->probA = open_pairs(o, s, "_probA", "probA_");
    s->probB = open_pairs(o, s, "_probB", "probB_");
    if (!s->probA || !s->probB)
        return;
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

static void open_classifier(pickle__opener *o)
{
    svm *s = pickle__state(o, sizeof *s);
    int ovr = o->version < PICKLE__SKLEARN(0, 19, 0) ? 0 : 1;

    s->is_classifier = true;
    open_kernel(o, s);
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    s->n_classes = o->model->classes->count;
    s->n_pairs = s->n_classes * (s->n_classes - 1) / 2;
    if (o->model->outputs != 1 || s->n_classes < 2) {
        pickle__bad(o, "classes_", "are fewer than two");
        return;
    }
    open_support_counts(o, s);
    open_coefficients(o, s);
    open_probability(o, s);
    s->ovr = pickle__choice(o, "decision_function_shape", ovr, "ovo", "ovr", NULL) == 1;
    o->model->together = s->ovr && s->n_classes > 2 && o->version < PICKLE__SKLEARN(0, 21, 0);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, decision_function);
    /* With break_ties and ovo scikit-learn refuses to predict. */
    if (!pickle__flag(o, "break_ties", false))
        pickle__method_is(o, PICKLE_PREDICT, classify);
    else if (s->ovr)
        pickle__method_is(o, PICKLE_PREDICT, s->n_classes > 2 ? break_ties : classify);
}

static void open_one_value(pickle__opener *o, svm *s)
{
    s->n_classes = 2;
    s->n_pairs = 1;
    open_kernel(o, s);
    if (pickle__ok(o))
        open_coefficients(o, s);
}

static void open_regressor(pickle__opener *o)
{
    open_one_value(o, pickle__state(o, sizeof(svm)));
    pickle__method_is(o, PICKLE_PREDICT, regress);
    if (o->version < PICKLE__SKLEARN(0, 19, 0))
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, regress);
}

static void open_one_class(pickle__opener *o)
{
    svm *s = pickle__state(o, sizeof *s);

    open_one_value(o, s);
    pickle__method_is(o, PICKLE_PREDICT, is_inlier);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, regress);
    if (o->version < PICKLE__SKLEARN(0, 20, 0))
        return;
    s->offset = pickle__need_row(o, "offset_", 1);
    pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
}

const pickle__estimator pickle__svm_estimators[] = {
    { "svm", "SVC", open_classifier },        { "svm", "NuSVC", open_classifier },
    { "svm", "SVR", open_regressor },         { "svm", "NuSVR", open_regressor },
    { "svm", "OneClassSVM", open_one_class }, { NULL, NULL, NULL },
};
