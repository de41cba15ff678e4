/* views.c - every accessor and view, on every value of a document. */
#include "views.h"

#include <stdlib.h>
#include <string.h>

#define MOST_VALUES 20000 /* of a document: damage can make one stand in many places */
#define MOST_ITEMS  40    /* of a view                                               */
#define MOST_TEXT   4096
#define MOST_BYTES  (1 << 20)

typedef struct look {
    size_t sum, values, written;
} look;

/* Takes what a line has: lists in lists can have a text without end. */
static bool swallow(void *ctx, const void *data, size_t len)
{
    look *l = ctx;

    if (len)
        l->sum += ((const unsigned char *)data)[0] + ((const unsigned char *)data)[len - 1] + len;
    l->written += len;
    return l->written < MOST_TEXT;
}

static pickle_sink sink(look *l)
{
    l->written = 0;
    return (pickle_sink){ swallow, l };
}

/* ------------------------------------------------------------------ arrays */

/* All of it, converted and as it is, and some elements. */
static void look_at_array(look *l, const pickle_array *a)
{
    uint64_t count = pickle_array_count(a);
    int64_t index[PICKLE_MAXDIMS];
    const pickle_val *object;
    pickle_array item;
    pickle_field field;
    unsigned char *copy;

    pickle_dtype_str(&a->dtype, sink(l));
    pickle_array_item_repr(a, sink(l));
    for (int end = 0; end < 2; end++) {
        for (int i = 0; i < a->ndim; i++)
            index[i] = -end;
        if (pickle_array_at(a, index, a->ndim, &item, &object) && !object)
            pickle_array_item_repr(&item, sink(l));
    }
    for (uint64_t i = 0; i < a->dtype.nfields && i < MOST_ITEMS; i++)
        if (pickle_dtype_field(&a->dtype, i, &field) && pickle_array_field(a, field.name, &item))
            pickle_array_item_repr(&item, sink(l));
    if (count > MOST_BYTES / 8 || a->nbytes > MOST_BYTES)
        return;
    copy = malloc((size_t)(a->nbytes + count * 8) + 1);
    if (pickle_array_copy(a, "V", copy, (size_t)a->nbytes, NULL) && a->nbytes)
        l->sum += copy[a->nbytes - 1];
    if (pickle_array_copy(a, "f8", copy, (size_t)count * 8, NULL) && count)
        l->sum += copy[count * 8 - 1];
    free(copy);
}

static void look_at_sparse(look *l, const pickle_sparse *m)
{
    pickle_sparse_iter it = { .of = m };

    for (int i = 0; i < MOST_ITEMS && pickle_sparse_next(&it); i++)
        l->sum += (size_t)it.index[0] + (it.object == NULL && it.value.data != NULL);
}

static void look_at_tensor(look *l, const pickle_tensor *t)
{
    pickle_storage s;

    look_at_array(l, &t->array);
    if (pickle_get_storage(t->storage, &s) && s.data && s.nbytes)
        l->sum += ((const unsigned char *)s.data)[s.nbytes - 1];
}

static void look_at_numpy(look *l, const pickle_val *v)
{
    pickle_array a;
    pickle_masked_array masked;
    pickle_rng rng;
    pickle_seed_sequence seed;
    pickle_sparse sparse;
    pickle_tensor tensor;
    pickle_dtype dtype;

    if (pickle_get_dtype(v, &dtype))
        pickle_dtype_str(&dtype, sink(l));
    if (pickle_get_array(v, &a))
        look_at_array(l, &a);
    if (pickle_get_masked_array(v, &masked)) {
        look_at_array(l, &masked.data);
        look_at_array(l, &masked.mask);
    }
    if (pickle_get_rng(v, &rng) && rng.key.data)
        look_at_array(l, &rng.key);
    if (pickle_get_seed_sequence(v, &seed))
        l->sum += (size_t)seed.pool_size;
    if (pickle_get_sparse(v, &sparse))
        look_at_sparse(l, &sparse);
    if (pickle_get_tensor(v, &tensor))
        look_at_tensor(l, &tensor);
}

/* ------------------------------------------------------- the standard library */

static void look_at_items(look *l, const pickle_val *v)
{
    pickle_items items;
    const pickle_val *key, *value;

    if (!pickle_get_items(v, &items))
        return;
    l->sum += items.count + (pickle_item_get(&items, "a") != NULL) +
              (pickle_item(&items, items.count / 2) != NULL);
    for (int i = 0; i < MOST_ITEMS && pickle_next_item(&items, &key, &value); i++)
        l->sum += pickle_len(value);
}

static void look_at_stdlib(look *l, const pickle_val *v)
{
    pickle_attrs attrs = { .of = v };
    const char *name, *decimal = pickle_decimal(v);
    const pickle_val *value;
    pickle_class_info info;
    pickle_datetime date;
    pickle_timedelta delta;
    pickle_tzinfo zone;
    pickle_slice slice;
    pickle_stdarray array;
    pickle_enum member;
    pickle_partial partial;
    pickle_exception exception;
    pickle_pattern pattern;
    unsigned char uuid[16];
    double re, im;
    int64_t n, d;

    for (int i = 0; i < MOST_ITEMS && pickle_next_attr(&attrs, &name, &value); i++)
        l->sum += strlen(name);
    l->sum += pickle_get_class(v, &info) + (decimal ? strlen(decimal) : 0) +
              pickle_get_datetime(v, &date) + pickle_get_timedelta(v, &delta) +
              pickle_get_tzinfo(v, &zone) + pickle_get_slice(v, &slice) +
              pickle_get_enum(v, &member) + pickle_get_partial(v, &partial) +
              pickle_get_exception(v, &exception) + pickle_get_pattern(v, &pattern) +
              pickle_get_uuid(v, uuid) + pickle_get_complex(v, &re, &im) +
              pickle_get_fraction(v, &n, &d) + pickle_put_path(v, sink(l)) +
              pickle_put_bytes(v, sink(l));
    if (pickle_get_stdarray(v, &array))
        look_at_array(l, &array.array);
    look_at_items(l, v);
    pickle_python_repr(v, sink(l), 300, NULL);
}

/* ------------------------------------------------------------------- pandas */

static void look_at_column(look *l, const pickle_column *c)
{
    size_t len;
    const char *text;
    int64_t n;
    double x;

    pickle_column_dtype(c, sink(l));
    for (uint64_t i = 0; i < MOST_ITEMS; i++) {
        /* Some at the start, some at the end, some beyond it. */
        uint64_t row = i < MOST_ITEMS / 2 ? i : c->count + MOST_ITEMS / 4 - i;

        text = pickle_column_str(c, row, &len);
        if (text && len)
            l->sum += (size_t)text[0] + (size_t)text[len - 1];
        l->sum += pickle_column_is_missing(c, row) + pickle_column_i64(c, row, &n) +
                  pickle_column_f64(c, row, &x) + (pickle_column_object(c, row) != NULL) +
                  pickle_column_text(c, row, sink(l));
    }
}

static void look_at_index(look *l, const pickle_index *index)
{
    pickle_column level;

    for (size_t i = 0; i < index->levels && i < MOST_ITEMS; i++)
        if (pickle_index_level(index, i, &level))
            look_at_column(l, &level);
    pickle_index_text(index, 0, sink(l));
    pickle_index_text(index, index->count - 1, sink(l));
}

static void look_at_frame(look *l, const pickle_dataframe *df)
{
    pickle_column column;

    look_at_index(l, &df->index);
    look_at_index(l, &df->labels);
    for (uint64_t i = 0; i < df->columns && i < MOST_ITEMS; i++)
        if (pickle_dataframe_column(df, i, &column))
            look_at_column(l, &column);
    l->sum += pickle_dataframe_find(df, "a", &column);
}

static void look_at_pandas(look *l, const pickle_val *v)
{
    pickle_dataframe df;
    pickle_series series;
    pickle_index index;
    pickle_column column, other, right;
    pickle_timestamp stamp;
    pickle_period period;
    pickle_interval interval;
    pickle_offset offset;

    if (pickle_get_dataframe(v, &df))
        look_at_frame(l, &df);
    if (pickle_get_series(v, &series)) {
        look_at_column(l, &series.values);
        look_at_index(l, &series.index);
    }
    if (pickle_get_index(v, &index))
        look_at_index(l, &index);
    if (pickle_get_column(v, &column)) {
        look_at_column(l, &column);
        if (pickle_column_categories(&column, &other))
            look_at_column(l, &other);
        if (pickle_column_bounds(&column, &other, &right))
            look_at_column(l, &right);
    }
    l->sum += pickle_get_timestamp(v, &stamp) + pickle_get_pandas_timedelta(v, &stamp) +
              pickle_get_period(v, &period) + pickle_get_interval(v, &interval) +
              pickle_get_offset(v, &offset) + pickle_is_missing(v) + pickle_pandas_text(v, sink(l));
}

/* ---------------------------------------------------------------------- all */

static bool visit(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    look *l = ctx;
    size_t len;
    const unsigned char *bytes = pickle_bytes(v, &len);

    (void)depth;
    if (bytes && len)
        l->sum += bytes[0] + bytes[len - 1];
    if (!seen && pickle_kind_of(v) >= PICKLE_TUPLE) {
        look_at_numpy(l, v);
        look_at_stdlib(l, v);
        look_at_pandas(l, v);
    }
    return ++l->values < MOST_VALUES;
}

size_t views_look(const pickle_doc *doc)
{
    look l = { 0 };
    pickle_origin origin;

    pickle_get_origin(doc, &origin);
    pickle_repr(pickle_root(doc), sink(&l), 10000, NULL);
    pickle_find(pickle_root(doc), "a[0].b['c']");
    pickle_walk(pickle_root(doc), visit, &l, NULL);
    return l.sum;
}
