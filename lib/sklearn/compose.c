/* compose.c - transformers side by side: of the whole table, or each of its own columns. */
#include "sklearn/columns.h"
#include "sklearn/estimator.h"

/* One transformer, and what it gets. */
typedef struct branch {
    const pickle_model *model; /* NULL: passes everything through */
    bool chooses;              /* columns; else it gets all */
    size_t count;
    const size_t *columns;
    bool weighs;
    double weight;
    bool whole; /* so is the weight */
} branch;

typedef struct composition {
    size_t count;
    branch *branches;
    bool chooses; /* ColumnTransformer, which remembers whether its output is sparse */
    bool sparse;
} composition;

/* ------------------------------------------------------------------ running */

static bool all_numbers(const pickle_batch *x)
{
    for (size_t i = 0; i < x->rows; i++) {
        const pickle_cell *row = pickle__row_cells(x, i);

        for (size_t j = 0; j < x->cols; j++) {
            if (row[j].kind == PICKLE_CELL_NONE || row[j].kind == PICKLE_CELL_TEXT)
                return false;
        }
    }
    return true;
}

static bool weigh(const branch *b, pickle__run *r, pickle_batch *x)
{
    bool integers = x->integers && b->whole;
    pickle_batch from = *x;

    if (from.kind == PICKLE_BATCH_CELLS && !pickle__as_f64(r, &from, &from))
        return false;
    if (from.kind == PICKLE_BATCH_CSR) {
        size_t n = from.rows ? (size_t)from.indptr[from.rows] : 0;
        double *data = pickle__take(r, n, sizeof *data);

        for (size_t k = from.rows ? (size_t)from.indptr[0] : 0; data && k < n; k++)
            data[k] = ((const double *)from.data)[k] * b->weight;
        *x = from;
        x->data = data;
    } else if (from.kind == PICKLE_BATCH_F32) {
        float *to = pickle__new_f32(r, x, from.rows, from.cols), by = (float)b->weight;

        for (size_t i = 0; to && i < from.rows; i++) {
            for (size_t j = 0; j < from.cols; j++)
                *to++ = pickle__row_f32(&from, i)[j] * by;
        }
    } else {
        double *to = pickle__new_f64(r, x, from.rows, from.cols);

        for (size_t i = 0; to && i < from.rows; i++) {
            for (size_t j = 0; j < from.cols; j++)
                *to++ = pickle__row(&from, i)[j] * b->weight;
        }
    }
    x->integers = integers;
    return x->data != NULL;
}

static bool run_branch(const branch *b, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch own = *x;

    if (b->chooses && !pickle__columns(r, x, b->columns, b->count, &own))
        return false;
    *y = own;
    if (b->model && !pickle__run_method(b->model, PICKLE_TRANSFORM, r, &own, y))
        return false;
    if (y->kind == PICKLE_BATCH_CELLS && all_numbers(y) && !pickle__as_f64(r, y, y))
        return false;
    return !b->weighs || weigh(b, r, y);
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const composition *c = m->state;
    pickle_batch *parts = pickle__take(r, c->count, sizeof *parts);
    bool sparse = c->sparse;

    if (!parts)
        return false;
    if (c->count == 0)
        return pickle__new_f64(r, y, x->rows, 0) != NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (!run_branch(&c->branches[i], r, x, &parts[i]))
            return false;
        sparse |= !c->chooses && parts[i].kind == PICKLE_BATCH_CSR;
    }
    return pickle__hstack(r, parts, c->count, sparse, y);
}

/* ------------------------------------------------------------------ opening */

static bool is_text(const pickle_val *v, const char *text)
{
    return pickle_str_is(v, text);
}

/* transformer_weights; an unnamed one has no weight. Numbers of numpy's would have a say in the
 * type of the result. */
static void find_weight(pickle__opener *o, branch *b, const char *name)
{
    const pickle_val *weights = pickle__attr(o, "transformer_weights");
    const pickle_val *v = weights && name ? pickle_get(weights, name) : NULL;
    pickle_kind kind = pickle_kind_of(v);
    pickle_cell cell;

    if (!v || kind == PICKLE_NONE)
        return;
    b->weighs = (kind == PICKLE_INT || kind == PICKLE_FLOAT) && pickle__cell_of(o, v, &cell) &&
                pickle__cell_number(&cell, &b->weight);
    b->whole = kind == PICKLE_INT;
    if (!b->weighs)
        pickle__unsupported(o, "transformer_weights", "has a weight that is no plain number");
}

/* A transformer of (name, transformer, ...); false for one that is dropped. */
static bool open_branch(pickle__opener *o, composition *c, size_t index, const pickle_val *entry,
                        branch *b)
{
    const char *name = pickle_str(pickle_at(entry, 0));
    const pickle_val *v = pickle_at(entry, 1);

    if (is_text(v, "drop") || pickle_kind_of(v) == PICKLE_NONE)
        return false;
    if (!is_text(v, "passthrough"))
        b->model = pickle__open_part(o, name, index, v);
    if (b->model && !b->model->refused && !b->model->methods[PICKLE_TRANSFORM])
        pickle__unsupported(o, name ? "transformers" : NULL, "has one that can't transform");
    find_weight(o, b, name);
    c->count++;
    return true;
}

static composition *open_composition(pickle__opener *o, const char *attribute,
                                     const pickle_val **list, size_t *n)
{
    composition *c = pickle__state(o, sizeof *c);

    *list = pickle__items(o, attribute, pickle__need(o, attribute), n);
    c->branches = pickle__keep(o, *n, sizeof *c->branches);
    if (!c->branches)
        *n = 0;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS;
    o->model->numbers = PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
    return c;
}

static void open_union(pickle__opener *o)
{
    const pickle_val *list;
    size_t n = 0;
    composition *c = open_composition(o, "transformer_list", &list, &n);

    for (size_t i = 0; pickle__ok(o) && i < n; i++) {
        const pickle_model *m;
        branch *b = &c->branches[c->count];

        if (!open_branch(o, c, i, pickle_at(list, i), b) || !pickle__ok(o))
            continue;
        m = b->model;
        if (m && !o->model->features)
            o->model->features = m->features;
        if (m && !o->model->feature_names && m->features == o->model->features)
            o->model->feature_names = m->feature_names;
        if (m && pickle_model_takes_text(m))
            o->model->takes = PICKLE__CELLS;
    }
}

static void open_column_transformer(pickle__opener *o)
{
    const pickle_val *list;
    size_t n = 0;
    composition *c = open_composition(o, "transformers_", &list, &n);
    pickle__chooser chooser;

    c->chooses = true;
    c->sparse = pickle__flag(o, "sparse_output_", false);
    if (!pickle__open_chooser(o, &chooser))
        return;
    for (size_t i = 0; pickle__ok(o) && i < n; i++) {
        const pickle_val *entry = pickle_at(list, i);
        branch *b = &c->branches[c->count];

        *b = (branch){ .chooses = true };
        if (is_text(pickle_at(entry, 1), "drop"))
            continue;
        b->columns = pickle__choose(&chooser, pickle_str(pickle_at(entry, 0)), pickle_at(entry, 2),
                                    &b->count);
        /* What gets no columns was not fitted. */
        if (pickle__ok(o) && b->count > 0)
            open_branch(o, c, i, entry, b);
    }
    pickle__close_chooser(&chooser);
}

const pickle__estimator pickle__compose_estimators[] = {
    { "compose", "ColumnTransformer", open_column_transformer },
    { "pipeline", "FeatureUnion", open_union },
    { NULL, NULL, NULL },
};
