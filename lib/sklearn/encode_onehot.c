/* encode_onehot.c - OneHotEncoder since 0.20: a column of the output for each category. */
#include "sklearn/categories.h"
#include "sklearn/numeric.h"

#include <math.h>
#include <string.h>

#define NO_COLUMN (-1)
#define REFUSED   (-2)

/* What a row of zeros stands for, on the way back. */
typedef enum zeros { ARE_NONE, ARE_A_CATEGORY, ARE_THE_FIRST, ARE_REFUSED } zeros;

/* One column of the input. */
typedef struct feature {
    size_t first, count; /* columns of the output; none where the only category is dropped */
    int32_t unknown;     /* the column of a value that is not known, NO_COLUMN or REFUSED */
    zeros zeros;
    const pickle_cell *zero; /* ARE_A_CATEGORY */
} feature;

typedef struct one_hot {
    pickle__coder coder;
    feature *features;
    int32_t *columns;         /* of each category; NO_COLUMN: dropped */
    const pickle_cell **back; /* the category of each column of the output */
    size_t width;
    bool sparse;
    pickle__output output;
} one_hot;

/* ------------------------------------------------------------------ running */

/* Codes become columns of the output; `*count` is how many there are. */
static bool find_columns(const pickle_model *m, pickle__run *r, size_t rows, int32_t *codes,
                         size_t *count)
{
    const one_hot *s = m->state;

    *count = 0;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < s->coder.columns; j++, codes++) {
            *codes = *codes == PICKLE__UNKNOWN ? s->features[j].unknown
                                               : s->columns[s->coder.starts[j] + (size_t)*codes];
            *count += *codes >= 0;
            if (*codes == REFUSED)
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is none of the categories that %s "
                                        "was fitted on",
                                        r->first_row + i, j, m->class_name);
        }
    }
    return true;
}

static bool put_sparse(const one_hot *s, pickle__run *r, size_t rows, const int32_t *columns,
                       size_t count, pickle_batch *y)
{
    pickle__csr to = pickle__new_csr(r, y, rows, s->width, count);
    size_t n = 0;

    if (!to.data)
        return false;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < s->coder.columns; j++, columns++) {
            if (*columns < 0)
                continue;
            to.indices[n] = *columns;
            to.data[n++] = 1;
        }
        to.indptr[i + 1] = (int64_t)n;
    }
    return true;
}

#define PUT(name, type, new_table)                                                          \
    static bool name(const one_hot *s, pickle__run *r, size_t rows, const int32_t *columns, \
                     pickle_batch *y)                                                       \
    {                                                                                       \
        type *out = new_table(r, y, rows, s->width);                                        \
                                                                                            \
        if (!out)                                                                           \
            return false;                                                                   \
        memset(out, 0, rows * s->width * sizeof *out);                                      \
        for (size_t i = 0; i < rows; i++, out += s->width) {                                \
            for (size_t j = 0; j < s->coder.columns; j++, columns++) {                      \
                if (*columns >= 0)                                                          \
                    out[*columns] = 1;                                                      \
            }                                                                               \
        }                                                                                   \
        return true;                                                                        \
    }

PUT(put_f64, double, pickle__new_f64)
PUT(put_f32, float, pickle__new_f32)

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const one_hot *s = m->state;
    int32_t *codes = pickle__codes(m, &s->coder, r, x);
    size_t count;
    bool ok;

    if (!codes || !find_columns(m, r, x->rows, codes, &count))
        return false;
    if (s->sparse)
        return put_sparse(s, r, x->rows, codes, count, y);
    ok = (s->output == PICKLE__AS_F32 ? put_f32 : put_f64)(s, r, x->rows, codes, y);
    y->integers = s->output == PICKLE__AS_INTEGERS;
    return ok;
}

/* The category that a row's columns of one feature stand for; NULL after an error. */
static const pickle_cell *category_back(const one_hot *s, const feature *f, pickle__run *r,
                                        const double *row)
{
    static const pickle_cell none = { PICKLE_CELL_NONE, 0, { 0 } };

    if (f->count > 0 && (f->zeros == ARE_THE_FIRST || pickle__sum(row + f->first, f->count) != 0))
        return s->back[f->first + pickle__largest(row + f->first, f->count)];
    if (f->zeros == ARE_NONE)
        return &none;
    if (f->zeros == ARE_A_CATEGORY)
        return f->zero;
    pickle__run_fail(r, PICKLE_ERR_VALUE, "a row of zeros stands for no category");
    return NULL;
}

static bool inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const one_hot *s = m->state;
    pickle_batch dense;
    pickle_cell *out;

    if (!pickle__check_input(m, r, x, s->width) || !pickle__as_f64(r, x, &dense))
        return false;
    out = pickle__new_cells(r, y, x->rows, s->coder.columns);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&dense, i);

        for (size_t j = 0; j < s->width; j++) {
            if (!isfinite(row[j]))
                return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu, column %zu is not finite",
                                        r->first_row + i, j);
        }
        for (size_t j = 0; j < s->coder.columns; j++) {
            const pickle_cell *cell = category_back(s, &s->features[j], r, row);

            if (!cell)
                return false;
            *out++ = *cell;
        }
    }
    return out != NULL;
}

/* ------------------------------------------------------------------ opening */

typedef enum unknowns { ERROR, IGNORE, INFREQUENT, WARN } unknowns;

/* How a feature's categories are grouped, and which group is dropped. */
typedef struct grouping {
    const int64_t *groups; /* of each category; NULL: each is its own */
    size_t count;
    int64_t dropped;  /* -1: none */
    bool any_dropped; /* of any feature */
} grouping;

static void read_grouping(pickle__opener *o, const one_hot *s, const pickle__labels *drop, size_t i,
                          grouping *g)
{
    size_t n = s->coder.of[i].count;
    double dropped = -1;

    g->groups = pickle__groups_of(o, i, s->coder.columns, n);
    g->count = g->groups ? 0 : n;
    for (size_t k = 0; g->groups && k < n; k++) {
        if ((size_t)g->groups[k] >= g->count)
            g->count = (size_t)g->groups[k] + 1;
    }
    g->any_dropped = drop->cells != NULL;
    if (g->any_dropped && drop->cells[i].kind != PICKLE_CELL_NONE &&
        (!pickle__cell_number(&drop->cells[i], &dropped) || !(dropped >= 0) ||
         !(dropped < (double)g->count)))
        pickle__bad(o, "drop_idx_", "has what is no category");
    g->dropped = pickle__ok(o) ? (int64_t)dropped : -1;
}

/* The column of each category, and the category of each column. */
static void place_columns(pickle__opener *o, one_hot *s, size_t i, const grouping *g)
{
    const pickle__categories *c = &s->coder.of[i];
    feature *f = &s->features[i];

    f->first = s->width;
    f->count = g->count - (g->dropped >= 0);
    s->width += f->count;
    for (size_t k = 0; k < c->count; k++) {
        int64_t group = g->groups ? g->groups[k] : (int64_t)k, column = group;

        if (g->dropped >= 0)
            column = group == g->dropped ? NO_COLUMN : group - (group > g->dropped);
        s->columns[s->coder.starts[i] + k] =
            column < 0 ? NO_COLUMN : (int32_t)f->first + (int32_t)column;
        if (column >= 0)
            s->back[f->first + (size_t)column] =
                g->groups && (size_t)group + 1 == g->count ? &pickle__infrequent : &c->cells[k];
    }
    for (size_t k = 0; k < f->count; k++) {
        if (!s->back[f->first + k])
            pickle__bad(o, "_default_to_infrequent_mappings", "leaves out a group");
    }
}

/* Of a feature whose zeros stand for what was dropped: the first category of the group. */
static const pickle_cell *dropped_category(const one_hot *s, size_t i, const grouping *g)
{
    const pickle__categories *c = &s->coder.of[i];
    size_t k = 0;

    if (g->groups && (size_t)g->dropped + 1 == g->count)
        return &pickle__infrequent;
    while (g->groups && k + 1 < c->count && g->groups[k] != g->dropped)
        k++;
    return &c->cells[g->groups ? k : (size_t)g->dropped];
}

static void place_zeros(const pickle__opener *o, one_hot *s, size_t i, const grouping *g,
                        unknowns unknown)
{
    feature *f = &s->features[i];
    bool grouped = g->groups && unknown >= INFREQUENT;

    f->unknown = unknown == ERROR ? REFUSED : NO_COLUMN;
    /* 1.6 and 1.7 forget on the way there that "warn" puts values together. */
    if (grouped && g->dropped + 1 != (int64_t)g->count &&
        (unknown == INFREQUENT || o->version >= PICKLE__SKLEARN(1, 8, 0)))
        f->unknown = (int32_t)(f->first + f->count) - 1;
    if (unknown != ERROR && !grouped) {
        /* Here scikit-learn counts categories as they were before they were grouped. */
        f->zeros = g->dropped < 0 ? ARE_NONE : ARE_A_CATEGORY;
        f->zero = g->dropped < 0 ? NULL : &s->coder.of[i].cells[g->dropped];
    } else if (g->dropped >= 0) {
        f->zeros = ARE_A_CATEGORY;
        f->zero = dropped_category(s, i, g);
    } else {
        f->zeros =
            !g->any_dropped && o->version < PICKLE__SKLEARN(0, 24, 0) ? ARE_THE_FIRST : ARE_REFUSED;
    }
    if (f->count == 0 && g->dropped >= 0) {
        f->zeros = ARE_A_CATEGORY;
        f->zero = &s->coder.of[i].cells[g->dropped];
    }
}

/* drop_idx_, which since 1.3 counts categories before they are grouped. */
static pickle__labels read_drop(pickle__opener *o, size_t columns)
{
    const pickle_val *v = pickle__either(o, "_drop_idx_after_grouping", "drop_idx_");
    pickle__labels drop = pickle__labels_of(o, "drop_idx_", v);

    if (!v && pickle__attr(o, "drop"))
        pickle__unsupported(o, "drop_idx_", "is missing");
    if (v && pickle__ok(o) && drop.count != columns)
        pickle__bad(o, "drop_idx_", "is not for each column");
    return drop;
}

void pickle__open_one_hot(pickle__opener *o)
{
    one_hot *s = pickle__state(o, sizeof *s);
    bool coder = pickle__open_coder(o, &s->coder, PICKLE__SKLEARN(0, 24, 0));
    pickle__labels drop = read_drop(o, s->coder.columns);
    int unknown = pickle__choice(o, "handle_unknown", ERROR, "error", "ignore",
                                 "infrequent_if_exist", "warn", NULL);

    s->sparse = pickle__attr(o, "sparse_output") ? pickle__flag(o, "sparse_output", true)
                                                 : pickle__flag(o, "sparse", true);
    s->output = pickle__output_of(o, "dtype", 0, 1);
    if (!coder || !pickle__ok(o))
        return;
    s->features = pickle__keep(o, s->coder.columns, sizeof *s->features);
    s->columns = pickle__keep(o, s->coder.starts[s->coder.columns], sizeof *s->columns);
    s->back = pickle__keep(o, s->coder.starts[s->coder.columns], sizeof *s->back);
    for (size_t i = 0; pickle__ok(o) && i < s->coder.columns; i++) {
        grouping g = { NULL, 0, -1, false };

        read_grouping(o, s, &drop, i, &g);
        if (!pickle__ok(o))
            return;
        place_columns(o, s, i, &g);
        place_zeros(o, s, i, &g, (unknowns)unknown);
    }
    o->model->inverse = PICKLE__F64 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverse);
}
