/* tree_walk.c - rows as keys, and the walks from the root to their leaves. */
#include <math.h>

#include "sklearn/key.h"
#include "sklearn/tree.h"

#define AT_ONCE   ((size_t)8)       /* walks */
#define FEW_ROWS  ((size_t)24)      /* one after the other, each through many trees at once */
#define TREES     ((size_t)64)      /* for few rows */
#define KEYS      ((size_t)1 << 17) /* of rows at a time: about as much as a second-level cache */
#define MOST_ROWS ((size_t)4096)

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
static size_t rows_at_a_time(const pickle_batch *x)
{
    size_t most = KEYS / (x->cols ? x->cols : 1);

    if (x->cols > KEYS)
        most = 1;
    else if (most < AT_ONCE)
        most = AT_ONCE;
    else if (most > MOST_ROWS)
        most = MOST_ROWS;
    return most < x->rows ? most : x->rows;
}

/* Memory: the keys, a number for each row and tree, and two for each row. */
static bool take(pickle__run *r, pickle__tree_rows *rows)
{
    size_t n = rows->most * rows->trees;

    rows->keys = pickle__take(r, rows->most, rows->x->cols * sizeof *rows->keys);
    rows->leaves = rows->keys ? pickle__take(r, n + 2 * rows->most, sizeof *rows->leaves) : NULL;
    if (!rows->leaves)
        return false;
    rows->walking = rows->leaves + n;
    rows->at = rows->walking + rows->most;
    return true;
}

bool pickle__tree_start(const pickle_model *m, pickle__run *r, pickle__numbers allowed,
                        const pickle_batch *x, pickle__tree_rows *rows)
{
    bool sparse = x->kind == PICKLE_BATCH_CSR;
    uint32_t zero = pickle__key(0);

    *rows = (pickle__tree_rows){ .x = x, .most = rows_at_a_time(x) };
    rows->trees = rows->most < FEW_ROWS ? TREES : 1;
    if (sparse && allowed == PICKLE__OR_NAN)
        allowed = PICKLE__FINITE;
    if (!check(m, r, allowed, x, &rows->nan) || !take(r, rows))
        return false;
    for (size_t k = 0; sparse && k < rows->most * x->cols; k++)
        rows->keys[k] = zero;
    /* Where NaN is let into a sparse matrix, by isolation forests, it is compared as numbers are:
     * to the right, whatever the node says. */
    rows->nan = rows->nan && !sparse;
    return true;
}

#define FILL(name, type, row_of)                                        \
    static void name(pickle__tree_rows *rows)                           \
    {                                                                   \
        uint32_t *to = rows->keys;                                      \
                                                                        \
        for (size_t i = 0; i < rows->count; i++, to += rows->x->cols) { \
            const type *row = row_of(rows->x, rows->first + i);         \
                                                                        \
            for (size_t j = 0; j < rows->x->cols; j++)                  \
                to[j] = pickle__key((float)row[j]);                     \
        }                                                               \
    }

FILL(fill_f64, double, pickle__row)
FILL(fill_f32, float, pickle__row_f32)

/* Put the elements of the rows into the table, or 0 where they are, when done. */
static void fill_sparse(pickle__tree_rows *rows, bool done)
{
    const pickle_batch *x = rows->x;
    const double *data = x->data;
    uint32_t *to = rows->keys, zero = pickle__key(0);

    for (size_t i = rows->first; i < rows->first + rows->count; i++, to += x->cols) {
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
    if (x->kind == PICKLE_BATCH_CSR)
        fill_sparse(rows, false);
    else if (x->kind == PICKLE_BATCH_F32)
        fill_f32(rows);
    else
        fill_f64(rows);
    return true;
}

/* ------------------------------------------------------------------ walking */

/* Into two functions, for each of which `nan` is a constant: a test in every step costs a lot. */
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

INLINE uint32_t step(const pickle__tree *t, const uint32_t *keys, bool nan, uint32_t at)
{
    const pickle__tree_node *node = &t->nodes[at];
    uint32_t key = keys[node->feature];
    bool right = key > node->threshold;

    if (nan)
        right = right & !((key == UINT32_MAX) & (t->ids[at] >> 31));
    return node->child + right;
}

INLINE bool is_leaf(const pickle__tree *t, uint32_t at)
{
    return t->nodes[at].child == at;
}

INLINE uint32_t walk(const pickle__tree *t, const uint32_t *keys, bool nan, uint32_t at)
{
    while (!is_leaf(t, at))
        at = step(t, keys, nan, at);
    return at;
}

/* Some steps for the walks from `from` on; those that have not arrived are kept, after `kept`
 * others. */
INLINE size_t go_on(const pickle__tree_rows *rows, const pickle__tree *t, bool nan, size_t from,
                    size_t kept, uint32_t *leaves)
{
    const uint32_t *keys[AT_ONCE];
    uint32_t at[AT_ONCE];

    for (size_t k = 0; k < AT_ONCE; k++) {
        keys[k] = rows->keys + rows->walking[from + k] * rows->x->cols;
        at[k] = rows->at[from + k];
    }
    for (unsigned s = 0; s < t->steps; s++) {
        for (size_t k = 0; k < AT_ONCE; k++)
            at[k] = step(t, keys[k], nan, at[k]);
    }
    for (size_t k = 0; k < AT_ONCE; k++) {
        uint32_t row = rows->walking[from + k];

        leaves[row] = at[k];
        rows->walking[kept] = row;
        rows->at[kept] = at[k];
        kept += !is_leaf(t, at[k]);
    }
    return kept;
}

/* All rows through one tree. */
INLINE void walk_rows(const pickle__tree_rows *rows, const pickle__tree *t, bool nan,
                      uint32_t *leaves)
{
    size_t walking = rows->count, kept;

    for (size_t i = 0; i < walking; i++) {
        rows->walking[i] = (uint32_t)i;
        rows->at[i] = 0;
    }
    for (; walking > 0; walking = kept) {
        size_t i = 0;

        for (kept = 0; i + AT_ONCE <= walking; i += AT_ONCE)
            kept = go_on(rows, t, nan, i, kept, leaves);
        for (; i < walking; i++) {
            uint32_t row = rows->walking[i];

            leaves[row] = walk(t, rows->keys + row * rows->x->cols, nan, rows->at[i]);
        }
    }
    for (size_t i = 0; i < rows->count; i++)
        leaves[i] = t->ids[leaves[i]];
}

/* One row through AT_ONCE trees. */
INLINE void walk_trees(const pickle__tree *const *trees, const uint32_t *keys, bool nan,
                       uint32_t *at)
{
    bool walking;

    for (size_t k = 0; k < AT_ONCE; k++)
        at[k] = 0;
    do {
        for (unsigned s = 0; s < trees[0]->steps; s++) {
            for (size_t k = 0; k < AT_ONCE; k++)
                at[k] = step(trees[k], keys, nan, at[k]);
        }
        walking = false;
        for (size_t k = 0; k < AT_ONCE; k++)
            walking |= !is_leaf(trees[k], at[k]);
    } while (walking);
}

INLINE void walk_row(const pickle__tree_rows *rows, const pickle__tree *const *trees, size_t count,
                     size_t row, bool nan)
{
    const uint32_t *keys = rows->keys + row * rows->x->cols;
    uint32_t *leaves = rows->leaves + row, at[AT_ONCE];
    size_t t = 0;

    for (; t + AT_ONCE <= count; t += AT_ONCE) {
        walk_trees(trees + t, keys, nan, at);
        for (size_t k = 0; k < AT_ONCE; k++)
            leaves[(t + k) * rows->count] = trees[t + k]->ids[at[k]];
    }
    for (; t < count; t++)
        leaves[t * rows->count] = trees[t]->ids[walk(trees[t], keys, nan, 0)];
}

INLINE void find_leaves(const pickle__tree_rows *rows, const pickle__tree *const *trees,
                        size_t count, bool nan)
{
    if (rows->count < FEW_ROWS && count >= AT_ONCE) {
        for (size_t i = 0; i < rows->count; i++)
            walk_row(rows, trees, count, i, nan);
    } else {
        for (size_t t = 0; t < count; t++)
            walk_rows(rows, trees[t], nan, rows->leaves + t * rows->count);
    }
}

const uint32_t *pickle__tree_leaves(pickle__tree_rows *rows, const pickle__tree *const *trees,
                                    size_t count)
{
    if (rows->nan)
        find_leaves(rows, trees, count, true);
    else
        find_leaves(rows, trees, count, false);
    return rows->leaves;
}
