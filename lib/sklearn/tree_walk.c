/* tree_walk.c - rows as keys, and the walks from the root to their leaves. */
#include <math.h>

#include "sklearn/key.h"
#include "sklearn/tree.h"

#define AT_ONCE   ((size_t)16)      /* walks */
#define TREES     ((size_t)64)      /* for so few rows that trees must make up for them */
#define KEYS      ((size_t)1 << 16) /* of rows at a time: half of a second-level cache, or less */
#define MOST_ROWS ((size_t)2048)

/* ------------------------------------------------------------------- checks */

/* The first double that rounds to no finite float32. */
#define F32_OVERFLOW 0x1.ffffffp127

static bool refuse(const pickle_model *m, pickle__run *r, double number, size_t row, size_t column)
{
    return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu, column %zu is %s, which %s refuses",
                            r->first_row + row, column,
                            isnan(number)   ? "NaN"
                            : isinf(number) ? "infinite"
                                            : "too large for float32",
                            m->class_name);
}

/* The worst of some numbers. */
static pickle__numbers worst_f64(const double *x, size_t n)
{
    bool large = false, nan = false;

    for (size_t j = 0; j < n; j++) {
        large |= fabs(x[j]) >= F32_OVERFLOW;
        nan |= x[j] != x[j];
    }
    return large ? PICKLE__ANY_NUMBER : nan ? PICKLE__OR_NAN : PICKLE__FINITE;
}

static pickle__numbers worst_f32(const float *x, size_t n)
{
    bool large = false, nan = false;

    for (size_t j = 0; j < n; j++) {
        large |= fabsf(x[j]) == INFINITY;
        nan |= x[j] != x[j];
    }
    return large ? PICKLE__ANY_NUMBER : nan ? PICKLE__OR_NAN : PICKLE__FINITE;
}

/* The elements of a row: a pointer to them, and how many. */
static const void *elements(const pickle_batch *x, size_t i, size_t *n)
{
    *n = x->cols;
    if (x->kind == PICKLE_BATCH_CSR) {
        *n = (size_t)(x->indptr[i + 1] - x->indptr[i]);
        return (const double *)x->data + x->indptr[i];
    }
    return (const char *)x->data + i * x->stride;
}

static pickle__numbers worst_of_row(const pickle_batch *x, size_t i)
{
    size_t n;
    const void *row = elements(x, i, &n);

    return x->kind == PICKLE_BATCH_F32 ? worst_f32(row, n) : worst_f64(row, n);
}

/* Say which element of a row it is. */
static bool refuse_row(const pickle_model *m, pickle__run *r, pickle__numbers allowed,
                       const pickle_batch *x, size_t i)
{
    size_t n;
    const void *row = elements(x, i, &n);

    for (size_t j = 0; j < n; j++) {
        double number = x->kind == PICKLE_BATCH_F32 ? (double)((const float *)row)[j]
                                                    : ((const double *)row)[j];

        if (worst_f64(&number, 1) > allowed)
            return refuse(
                m, r, number, i,
                x->kind == PICKLE_BATCH_CSR ? (size_t)x->indices[x->indptr[i] + (int64_t)j] : j);
    }
    return refuse(m, r, NAN, i, 0);
}

static bool check(const pickle_model *m, pickle__run *r, pickle__numbers allowed,
                  const pickle_batch *x, bool *nan)
{
    *nan = false;
    for (size_t i = 0; i < x->rows; i++) {
        pickle__numbers worst = worst_of_row(x, i);

        if (worst > allowed)
            return refuse_row(m, r, allowed, x, i);
        *nan |= worst > PICKLE__FINITE;
    }
    return true;
}

/* --------------------------------------------------------------------- rows */

/* Rows at a time: as many as the cache holds, but enough for walks to go on together; of very wide
 * (sparse) ones, one. */
static size_t rows_at_a_time(const pickle__tree_rows *rows)
{
    size_t most = KEYS / (rows->width ? rows->width : 1);

    if (rows->width > KEYS)
        most = 1;
    else if (most < AT_ONCE)
        most = AT_ONCE;
    else if (most > MOST_ROWS)
        most = MOST_ROWS;
    return most < rows->x->rows ? most : rows->x->rows;
}

bool pickle__tree_start(const pickle_model *m, pickle__run *r, pickle__numbers allowed,
                        const pickle_batch *x, pickle__tree_rows *rows)
{
    bool sparse = x->kind == PICKLE_BATCH_CSR, nan;
    uint32_t zero = pickle__key(0);

    *rows = (pickle__tree_rows){ .x = x };
    /* NaN has no direction of its own in a sparse matrix: scikit-learn lets none in, or (in an
     * isolation forest) compares it as any number. */
    if (!check(m, r, sparse && allowed == PICKLE__OR_NAN ? PICKLE__FINITE : allowed, x, &nan))
        return false;
    rows->shift = sparse || !nan;
    rows->width = rows->shift ? x->cols : x->cols * 2;
    rows->most = rows_at_a_time(rows);
    rows->trees = rows->most < AT_ONCE ? TREES : 1;
    rows->keys = pickle__take(r, rows->most * rows->width, sizeof *rows->keys);
    rows->leaves =
        rows->keys ? pickle__take(r, rows->most * rows->trees, sizeof *rows->leaves) : NULL;
    for (size_t k = 0; sparse && rows->leaves && k < rows->most * rows->width; k++)
        rows->keys[k] = zero;
    return rows->leaves != NULL;
}

/* Each number once, or twice: for nodes where NaN goes right, and for those where it goes left. */
#define FILL(name, type, row_of)                                      \
    static void name(pickle__tree_rows *rows)                         \
    {                                                                 \
        size_t cols = rows->x->cols;                                  \
        uint32_t *to = rows->keys;                                    \
                                                                      \
        for (size_t i = 0; i < rows->count; i++, to += rows->width) { \
            const type *row = row_of(rows->x, rows->first + i);       \
                                                                      \
            for (size_t j = 0; rows->shift && j < cols; j++)          \
                to[j] = pickle__key((float)row[j]);                   \
            for (size_t j = 0; !rows->shift && j < cols; j++) {       \
                to[2 * j] = pickle__key((float)row[j]);               \
                to[2 * j + 1] = row[j] != row[j] ? 0 : to[2 * j];     \
            }                                                         \
        }                                                             \
    }

FILL(fill_f64, double, pickle__row)
FILL(fill_f32, float, pickle__row_f32)

/* Put the elements of the rows into the table, or 0 where they are, when done. */
static void fill_sparse(pickle__tree_rows *rows, bool done)
{
    const pickle_batch *x = rows->x;
    const double *data = x->data;
    uint32_t *to = rows->keys, zero = pickle__key(0);

    for (size_t i = rows->first; i < rows->first + rows->count; i++, to += rows->width) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
            to[x->indices[k]] = done ? zero : pickle__key((float)data[k]);
    }
}

bool pickle__tree_next(pickle__tree_rows *rows)
{
    const pickle_batch *x = rows->x;
    size_t first = rows->first + rows->count, left = x->rows - first;

    if (left == 0)
        return false;
    if (x->kind == PICKLE_BATCH_CSR)
        fill_sparse(rows, true);
    rows->first = first;
    rows->count = left < rows->most ? left : rows->most;
    switch (x->kind) {
    case PICKLE_BATCH_CSR:
        fill_sparse(rows, false);
        break;
    case PICKLE_BATCH_F32:
        fill_f32(rows);
        break;
    default:
        fill_f64(rows);
        break;
    }
    return true;
}

/* ------------------------------------------------------------------ walking */

static inline uint32_t step(const pickle__tree_node *nodes, const uint32_t *keys, unsigned shift,
                            uint32_t at)
{
    const pickle__tree_node *node = &nodes[at];

    return node->child + (keys[node->slot >> shift] > node->threshold);
}

static uint32_t walk(const pickle__tree *t, const uint32_t *keys, unsigned shift)
{
    uint32_t at = 0, next;

    while ((next = step(t->nodes, keys, shift, at)) != at)
        at = next;
    return t->ids[at];
}

/* Steps between looks at whether all have arrived. */
#define STEPS 4

/* AT_ONCE rows through one tree. */
static void walk_rows(const pickle__tree *t, const uint32_t *keys, size_t width, unsigned shift,
                      uint32_t *leaves)
{
    const pickle__tree_node *nodes = t->nodes;
    const uint32_t *row[AT_ONCE];
    uint32_t at[AT_ONCE] = { 0 }, moved;

    for (size_t k = 0; k < AT_ONCE; k++)
        row[k] = keys + k * width;
    do {
        for (int s = 1; s < STEPS; s++) {
            for (size_t k = 0; k < AT_ONCE; k++)
                at[k] = step(nodes, row[k], shift, at[k]);
        }
        moved = 0;
        for (size_t k = 0; k < AT_ONCE; k++) {
            uint32_t next = step(nodes, row[k], shift, at[k]);

            moved |= next ^ at[k];
            at[k] = next;
        }
    } while (moved);
    for (size_t k = 0; k < AT_ONCE; k++)
        leaves[k] = t->ids[at[k]];
}

/* One row through AT_ONCE trees. */
static void walk_trees(const pickle__tree *const *trees, const uint32_t *keys, unsigned shift,
                       uint32_t *leaves, size_t stride)
{
    const pickle__tree_node *nodes[AT_ONCE];
    uint32_t at[AT_ONCE] = { 0 }, moved;

    for (size_t k = 0; k < AT_ONCE; k++)
        nodes[k] = trees[k]->nodes;
    do {
        for (int s = 1; s < STEPS; s++) {
            for (size_t k = 0; k < AT_ONCE; k++)
                at[k] = step(nodes[k], keys, shift, at[k]);
        }
        moved = 0;
        for (size_t k = 0; k < AT_ONCE; k++) {
            uint32_t next = step(nodes[k], keys, shift, at[k]);

            moved |= next ^ at[k];
            at[k] = next;
        }
    } while (moved);
    for (size_t k = 0; k < AT_ONCE; k++)
        leaves[k * stride] = trees[k]->ids[at[k]];
}

static void leaves_of_tree(const pickle__tree_rows *rows, const pickle__tree *t, uint32_t *leaves)
{
    const uint32_t *keys = rows->keys;
    size_t i = 0;

    for (; i + AT_ONCE <= rows->count; i += AT_ONCE)
        walk_rows(t, keys + i * rows->width, rows->width, rows->shift, leaves + i);
    for (; i < rows->count; i++)
        leaves[i] = walk(t, keys + i * rows->width, rows->shift);
}

static void leaves_of_row(const pickle__tree_rows *rows, const pickle__tree *const *trees,
                          size_t count, size_t i, uint32_t *leaves)
{
    const uint32_t *keys = rows->keys + i * rows->width;
    size_t t = 0;

    for (; t + AT_ONCE <= count; t += AT_ONCE)
        walk_trees(trees + t, keys, rows->shift, leaves + t * rows->count + i, rows->count);
    for (; t < count; t++)
        leaves[t * rows->count + i] = walk(trees[t], keys, rows->shift);
}

const uint32_t *pickle__tree_leaves(pickle__tree_rows *rows, const pickle__tree *const *trees,
                                    size_t count)
{
    if (rows->count >= AT_ONCE) {
        for (size_t t = 0; t < count; t++)
            leaves_of_tree(rows, trees[t], rows->leaves + t * rows->count);
    } else {
        for (size_t i = 0; i < rows->count; i++)
            leaves_of_row(rows, trees, count, i, rows->leaves);
    }
    return rows->leaves;
}
