/*
 * pandas_frame.c - DataFrame and Series: managers of blocks.
 *
 * A block holds columns of one dtype: those at the places that a slice or an array lists, one a
 * line. Until 1.2, and for Series ever since, the manager's state has the blocks under '0.14.1';
 * from 1.3 on that of a DataFrame is a call with them.
 */
#include "types/pandas.h"

/* ---------------------------------------------------------------------- manager */

static const pickle_val *manager_of(const pickle_val *v)
{
    const pickle_val *manager = pickle__attribute(v, "_mgr");

    return manager ? manager : pickle__attribute(v, "_data");
}

static bool find_blocks(const pickle_val *manager, const pickle_val **blocks,
                        const pickle_val **axes)
{
    const pickle_val *args = pickle_args(manager), *state = pickle_state(manager);

    if (pickle_kind_of(manager) != PICKLE_OBJECT)
        return false;
    if (pickle_kind_of(state) == PICKLE_TUPLE) {
        state = pickle_get(pickle_at(state, 3), "0.14.1");
        *blocks = pickle_get(state, "blocks");
        *axes = pickle_get(state, "axes");
    } else {
        *blocks = pickle_at(args, 0);
        *axes = pickle_at(args, 1);
    }
    return *blocks && *axes;
}

static void open_block(const pickle_val *block, const pickle_val **values, const pickle_val **place)
{
    if (pickle_kind_of(block) == PICKLE_DICT) {
        *values = pickle_get(block, "values");
        *place = pickle_get(block, "mgr_locs");
    } else {
        *values = pickle_at(pickle_args(block), 0);
        *place = pickle_at(pickle_args(block), 1);
    }
}

/* -------------------------------------------------------------------- placement */

static bool in_slice(const pickle_slice *slice, uint64_t column, uint64_t *line)
{
    int64_t start = 0, stop, step = 1, at;

    if (pickle__unless_none(slice->step) && !pickle_get_i64(slice->step, &step))
        return false;
    if (step == 0 || step == INT64_MIN)
        return false;
    pickle_get_i64(slice->start, &start);
    if (start < 0 || column > INT64_MAX)
        return false;
    stop = pickle_i64_or(slice->stop, step > 0 ? INT64_MAX : -1);
    at = (int64_t)column;
    if (step > 0 ? at < start || at >= stop : at > start || at <= stop)
        return false;
    *line = (uint64_t)((at - start) / step);
    return (at - start) % step == 0;
}

/* pandas keeps the places in order wherever it made the block: look there first. */
static bool in_array(const pickle_array *places, uint64_t column, uint64_t *line)
{
    int64_t at;

    if (column > INT64_MAX)
        return false;
    if (pickle__integer_find(places, (int64_t)column, line))
        return true;
    for (*line = 0; pickle__integer_at(places, *line, &at); ++*line)
        if (at == (int64_t)column)
            return true;
    return false;
}

static bool in_block(const pickle_val *place, uint64_t column, uint64_t *line)
{
    pickle_slice slice;
    pickle_array places;

    if (pickle_get_slice(place, &slice))
        return in_slice(&slice, column, line);
    return pickle_get_array(place, &places) && places.ndim == 1 && places.dtype.kind == 'i' &&
           in_array(&places, column, line);
}

/*
 * Frames that were never consolidated have one block a column, mostly in the order of the columns:
 * so the search starts at the block of the column's number.
 */
static bool find_column(const pickle_val *blocks, uint64_t column, const pickle_val **values,
                        uint64_t *line)
{
    size_t n = pickle_len(blocks), start = column < n ? (size_t)column : 0;
    const pickle_val *place;

    for (size_t i = 0; i < n; i++) {
        open_block(pickle_at(blocks, (start + i) % n), values, &place);
        if (in_block(place, column, line))
            return true;
    }
    return false;
}

/* --------------------------------------------------------------- frames and series */

/* Children of other packages keep what pandas calls them. */
static bool is_type(const pickle_val *v, pickle_type type, const char *name)
{
    return pickle_kind_of(v) == PICKLE_OBJECT &&
           (pickle_type_of(v) == type || pickle_str_is(pickle__attribute(v, "_typ"), name));
}

static const pickle_val *dict_or_null(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_DICT ? v : NULL;
}

bool pickle_get_dataframe(const pickle_val *v, pickle_dataframe *out)
{
    const pickle_val *axes;

    memset(out, 0, sizeof *out);
    if (!is_type(v, PICKLE_TYPE_DATAFRAME, "dataframe") ||
        !find_blocks(manager_of(v), &out->blocks, &axes) || pickle_len(axes) != 2 ||
        !pickle_get_index(pickle_at(axes, 0), &out->labels) ||
        !pickle_get_index(pickle_at(axes, 1), &out->index))
        return false;
    out->columns = out->labels.count;
    out->rows = out->index.count;
    out->attrs = dict_or_null(pickle__attribute(v, "attrs"));
    out->cls = pickle_class(v);
    return true;
}

static void name_column(const pickle_dataframe *df, uint64_t index, pickle_column *c)
{
    pickle_column labels;

    pickle__pandas_name(c, NULL);
    if (df->labels.multi || !pickle_index_level(&df->labels, 0, &labels))
        return;
    pickle__pandas_name(c, pickle_column_object(&labels, index));
    if (!c->label)
        c->label = pickle_column_str(&labels, index, &c->label_len);
}

bool pickle_dataframe_column(const pickle_dataframe *df, uint64_t index, pickle_column *out)
{
    const pickle_val *values;
    uint64_t line;

    if (index >= df->columns || !find_column(df->blocks, index, &values, &line))
        return false;
    /* Arrays of pandas that have one dimension are a column each, wherever they stand. */
    if (!pickle__pandas_values(values, line, true, out) || out->count != df->rows)
        return false;
    name_column(df, index, out);
    return true;
}

/* Labels that no cells are stored for, such as those of a RangeIndex, can be more than could ever
 * be gone through. */
static bool may_be_text(const pickle_column *labels)
{
    return labels->kind == PICKLE_COLUMN_ARROW || labels->kind == PICKLE_COLUMN_CATEGORICAL ||
           (labels->values.objects && labels->kind != PICKLE_COLUMN_SPARSE);
}

bool pickle_dataframe_find(const pickle_dataframe *df, const char *label, pickle_column *out)
{
    pickle_column labels;
    size_t want = strlen(label), len;
    const char *text;

    if (df->labels.multi || !pickle_index_level(&df->labels, 0, &labels) || !may_be_text(&labels))
        return false;
    for (uint64_t i = 0; i < df->columns && i < labels.count; i++) {
        text = pickle_column_str(&labels, i, &len);
        if (text && len == want && memcmp(text, label, len) == 0)
            return pickle_dataframe_column(df, i, out);
    }
    return false;
}

bool pickle_get_series(const pickle_val *v, pickle_series *out)
{
    const pickle_val *blocks, *axes, *values, *place, *name;

    memset(out, 0, sizeof *out);
    if (!is_type(v, PICKLE_TYPE_SERIES, "series") || !find_blocks(manager_of(v), &blocks, &axes) ||
        pickle_len(axes) != 1 || !pickle_get_index(pickle_at(axes, 0), &out->index))
        return false;
    open_block(pickle_at(blocks, 0), &values, &place);
    if (!pickle__pandas_values(values, PICKLE__ONLY_LINE, true, &out->values) ||
        out->values.count != out->index.count)
        return false;
    name = pickle__attribute(v, "_name");
    pickle__pandas_name(&out->values, name ? name : pickle__attribute(v, "name"));
    out->attrs = dict_or_null(pickle__attribute(v, "attrs"));
    out->cls = pickle_class(v);
    return true;
}
