/* encode_ordinal.c - OrdinalEncoder and TargetEncoder: a number for each category. */
#include "sklearn/categories.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------- numbers */

/* Each category of a column has a number in each of its `per` columns of the output. */
typedef struct numbers {
    pickle__coder coder;
    size_t per;
    const double **of; /* for each column of the output, by category */
    double *unknown;   /* for each column of the output */
    bool refuses;      /* what is not known */
    pickle__output output;
} numbers;

static bool refuse_unknown(const pickle_model *m, pickle__run *r, size_t row, size_t column)
{
    return pickle__run_fail(r, PICKLE_ERR_VALUE,
                            "row %zu, column %zu is none of the categories that %s was fitted on",
                            r->first_row + row, column, m->class_name);
}

static bool numbers_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const numbers *s = m->state;
    const int32_t *codes = pickle__codes(m, &s->coder, r, x);
    size_t width = s->coder.columns * s->per;
    double *out = codes ? pickle__new_f64(r, y, x->rows, width) : NULL;

    for (size_t i = 0; out && i < x->rows; i++, codes += s->coder.columns) {
        for (size_t j = 0; j < s->coder.columns; j++) {
            if (codes[j] == PICKLE__UNKNOWN && s->refuses)
                return refuse_unknown(m, r, i, j);
            for (size_t k = j * s->per; k < (j + 1) * s->per; k++)
                *out++ = codes[j] == PICKLE__UNKNOWN ? s->unknown[k] : s->of[k][codes[j]];
        }
    }
    y->integers = s->output == PICKLE__AS_INTEGERS;
    return out && (s->output != PICKLE__AS_F32 || pickle__as_f32(r, y, y));
}

static bool open_numbers(pickle__opener *o, numbers *s, size_t per, int nan_since)
{
    if (!pickle__open_coder(o, &s->coder, nan_since))
        return false;
    s->per = per;
    s->of = pickle__keep(o, s->coder.columns, per * sizeof *s->of);
    s->unknown = pickle__keep(o, s->coder.columns, per * sizeof *s->unknown);
    return pickle__ok(o);
}

/* ------------------------------------------------------------ TargetEncoder */

void pickle__open_target_encoder(pickle__opener *o)
{
    numbers *s = pickle__state(o, sizeof *s);
    int type = pickle__choice(o, "target_type_", 0, "continuous", "binary", "multiclass", NULL);
    pickle__matrix mean = pickle__need_numbers(o, "target_mean_");
    size_t n = 0, per = type == 2 ? mean.rows * mean.cols : 1;
    const pickle_val *list = pickle__items(o, "encodings_", pickle__need(o, "encodings_"), &n);

    if (!pickle__ok(o) || !open_numbers(o, s, per, 0))
        return;
    if (per == 0 || n / per != s->coder.columns || n % per != 0 || mean.rows * mean.cols != per) {
        pickle__bad(o, "encodings_", "is not for each column");
        return;
    }
    for (size_t k = 0; k < n; k++) {
        pickle__matrix m = pickle__numbers_of(o, "encodings_", pickle_at(list, k));

        s->of[k] = m.data;
        s->unknown[k] = mean.data[k % per];
        if (m.rows * m.cols != s->coder.of[k / per].count)
            pickle__bad(o, "encodings_", "is not for each category");
    }
    pickle__method_is(o, PICKLE_TRANSFORM, numbers_transform);
}

/* ----------------------------------------------------------- OrdinalEncoder */

/* One column on the way back. */
typedef struct back {
    const pickle_cell **categories; /* of what was not put together, by number */
    size_t count;
    double infrequent; /* the number that stands for what was; NaN: none */
    bool has_missing;
    double missing; /* the place of NaN among the categories */
} back;

typedef struct ordinal {
    numbers numbers; /* first: the state of numbers_transform */
    back *back;
    double missing; /* encoded_missing_value */
    bool knows_nan; /* NaN as encoded or unknown value is told on the way back */
} ordinal;

static bool same(double a, double b, bool nan)
{
    return a == b || (nan && isnan(a) && isnan(b));
}

/* NULL after an error. */
static const pickle_cell *category_back(const ordinal *s, size_t j, pickle__run *r, double label)
{
    static const pickle_cell none = { PICKLE_CELL_NONE, 0, { 0 } };
    const back *b = &s->back[j];

    if (b->has_missing && same(label, s->missing, true))
        label = b->missing;
    if (label == b->infrequent)
        return &pickle__infrequent;
    if (!s->numbers.refuses && same(label, s->numbers.unknown[j], s->knows_nan))
        return &none;
    label = trunc(label);
    if (label < 0)
        label += (double)b->count; /* as indices of Python */
    if (label >= 0 && label < (double)b->count)
        return b->categories[(size_t)label];
    pickle__run_fail(r, PICKLE_ERR_VALUE, "column %zu has a number that is no category", j);
    return NULL;
}

static bool ordinal_inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const ordinal *s = m->state;
    pickle_cell *out;

    if (!pickle__check_input(m, r, x, s->numbers.coder.columns))
        return false;
    out = pickle__new_cells(r, y, x->rows, x->cols);
    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            const pickle_cell *cell = category_back(s, j, r, pickle__row(x, i)[j]);

            if (!cell)
                return false;
            *out++ = *cell;
        }
    }
    return out != NULL;
}

static size_t place_of_nan(const pickle__categories *c)
{
    return (size_t)pickle__category_of_number(c, NAN);
}

/* The categories that were not put together, and the numbers of all. */
static void number_column(pickle__opener *o, ordinal *s, size_t i)
{
    const pickle__categories *c = &s->numbers.coder.of[i];
    back *b = &s->back[i];
    size_t n = c->count;
    const int64_t *groups;
    double *of = pickle__keep(o, n, sizeof *of);
    int64_t last = -1;

    b->has_missing = c->has_nan && o->version >= PICKLE__SKLEARN(1, 0, 0);
    b->missing = b->has_missing ? (double)place_of_nan(c) : 0;
    b->infrequent = NAN;
    b->categories = pickle__keep(o, n, sizeof *b->categories);
    groups = pickle__groups_of(o, i, s->numbers.coder.columns, n - b->has_missing);
    for (size_t k = 0; groups && k < n - b->has_missing; k++)
        last = groups[k] > last ? groups[k] : last;
    for (size_t k = 0; of && b->categories && k < n; k++) {
        bool is_missing = b->has_missing && k == (size_t)b->missing;

        of[k] = is_missing ? s->missing : groups ? (double)groups[k] : (double)k;
        if (is_missing || !groups || groups[k] != last)
            b->categories[b->count++] = &c->cells[k];
    }
    /* scikit-learn counts the missing value among the frequent ones here, but not above. */
    if (groups)
        b->infrequent = (double)b->count;
    s->numbers.of[i] = of;
    if (groups && b->has_missing && (size_t)b->missing + 1 != n)
        pickle__bad(o, "categories_", "has a missing value in the middle");
}

void pickle__open_ordinal(pickle__opener *o)
{
    ordinal *s = pickle__state(o, sizeof *s);
    bool ready = open_numbers(o, &s->numbers, 1, PICKLE__SKLEARN(1, 0, 0));
    double unknown = pickle__number(o, "unknown_value", 0), least, most;

    s->numbers.refuses =
        pickle__choice(o, "handle_unknown", 0, "error", "use_encoded_value", NULL) == 0;
    s->missing = pickle__number(o, "encoded_missing_value", NAN);
    s->knows_nan = o->version >= PICKLE__SKLEARN(1, 1, 0);
    if (!ready || !pickle__ok(o))
        return;
    s->back = pickle__keep(o, s->numbers.coder.columns, sizeof *s->back);
    least = fmin(0, fmin(unknown, s->missing));
    most = fmax(0, fmax(unknown, s->missing));
    for (size_t i = 0; pickle__ok(o) && i < s->numbers.coder.columns; i++) {
        s->numbers.unknown[i] = unknown;
        most = fmax(most, (double)s->numbers.coder.of[i].count - 1);
        number_column(o, s, i);
    }
    s->numbers.output = pickle__output_of(o, "dtype", least, most);
    pickle__method_is(o, PICKLE_TRANSFORM, numbers_transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, ordinal_inverse);
}
