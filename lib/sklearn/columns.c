/* columns.c - columns by number, name, mask or slice, as places in the table. */
#include "sklearn/columns.h"

#include <string.h>

#include <pickle/pandas.h>

#define MOST_COLUMNS ((size_t)1 << 22) /* that all parts together get */

static const size_t nothing[1];

/* ------------------------------------------------------------------- values */

/* The labels of a pandas Index. */
static bool labels_of_index(pickle__opener *o, const pickle_val *v, pickle__labels *out)
{
    pickle_index index;
    pickle_column column;
    pickle_cell *cells;

    if (!pickle_get_index(v, &index) || !pickle_index_level(&index, 0, &column) ||
        index.levels != 1 || column.count > MOST_COLUMNS)
        return false;
    cells = pickle__keep(o, (size_t)column.count, sizeof *cells);
    for (uint64_t i = 0; cells && i < column.count; i++) {
        size_t len = 0;
        const char *text = pickle_column_str(&column, i, &len);

        if (text)
            cells[i] = (pickle_cell){ PICKLE_CELL_TEXT, len, { .text = text } };
        else if (pickle_column_i64(&column, i, &cells[i].as.i))
            cells[i].kind = PICKLE_CELL_INT;
        else
            return false;
    }
    *out = (pickle__labels){ (size_t)column.count, cells };
    return cells != NULL;
}

/* Of a list, an array, an Index, or a list in a class of scikit-learn's own, whose `data` it is. */
static pickle__labels labels_of(pickle__opener *o, const char *name, const pickle_val *v)
{
    const pickle_val *data = pickle_kind_of(v) == PICKLE_OBJECT ? pickle_attr(v, "data") : NULL;
    pickle__labels labels;

    if (labels_of_index(o, v, &labels))
        return labels;
    return pickle__labels_of(o, name, pickle_kind_of(data) == PICKLE_LIST ? data : v);
}

/* -------------------------------------------------------------------- slices */

/* One end of a slice; `fallback` for None. */
static int64_t end_of_slice(pickle__chooser *c, const pickle_val *v, int64_t fallback, bool is_stop)
{
    int64_t n = (int64_t)c->features;
    pickle_cell cell;

    if (pickle_kind_of(v) == PICKLE_NONE)
        return fallback;
    if (!pickle__cell_of(c->o, v, &cell)) {
        pickle__unsupported(c->o, "transformers_", "has a slice of what is not known here");
        return 0;
    }
    if (cell.kind == PICKLE_CELL_TEXT) {
        int32_t place = pickle__category_of(&c->places, &cell);

        c->by_name = true;
        if (place == PICKLE__UNKNOWN)
            pickle__bad(c->o, "transformers_", "has a name that no column has");
        return (int64_t)place + is_stop; /* slices of names include their end */
    }
    if (cell.kind != PICKLE_CELL_INT)
        pickle__unsupported(c->o, "transformers_", "has a slice of what is not known here");
    else if (cell.as.i < 0)
        return cell.as.i < -n ? 0 : cell.as.i + n;
    return cell.kind != PICKLE_CELL_INT ? 0 : cell.as.i > n ? n : cell.as.i;
}

static const size_t *choose_slice(pickle__chooser *c, const pickle_val *args, size_t *count)
{
    int64_t step = 1, start, stop;
    const pickle_val *by = pickle_at(args, 2);
    size_t *places;

    if (pickle_kind_of(by) != PICKLE_NONE && (!pickle_get_i64(by, &step) || step < 1)) {
        pickle__unsupported(c->o, "transformers_", "has a slice of steps that are not known here");
        return NULL;
    }
    start = end_of_slice(c, pickle_at(args, 0), 0, false);
    stop = end_of_slice(c, pickle_at(args, 1), (int64_t)c->features, true);
    if (!pickle__ok(c->o) || start >= stop)
        return nothing;
    *count = (size_t)((uint64_t)(stop - start - 1) / (uint64_t)step) + 1;
    places = pickle__keep(c->o, *count, sizeof *places);
    for (size_t i = 0; places && i < *count; i++)
        places[i] = (size_t)start + i * (size_t)step;
    return places;
}

/* --------------------------------------------------------------------- lists */

static const size_t *choose_mask(pickle__chooser *c, pickle__labels mask, size_t *count)
{
    size_t *places = pickle__keep(c->o, mask.count, sizeof *places);

    if (mask.count != c->features)
        pickle__bad(c->o, "transformers_", "has a mask that is not for all columns");
    for (size_t i = 0; places && i < mask.count; i++) {
        if (mask.cells[i].kind != PICKLE_CELL_BOOL)
            pickle__unsupported(c->o, "transformers_", "has columns that are not known here");
        else if (mask.cells[i].as.i)
            places[(*count)++] = i;
    }
    return places;
}

static bool find_column(pickle__chooser *c, const pickle_cell *key, size_t *place)
{
    int64_t n = (int64_t)c->features, i = -1;

    if (key->kind == PICKLE_CELL_INT) {
        i = key->as.i < 0 ? key->as.i + n : key->as.i;
    } else if (key->kind == PICKLE_CELL_TEXT && c->names.cells) {
        i = pickle__category_of(&c->places, key);
        c->by_name = true;
    } else {
        pickle__unsupported(c->o, "transformers_", "has columns that are not known here");
        return false;
    }
    if (key->kind == PICKLE_CELL_INT && key->as.i < -n)
        i = -1;
    if (i < 0 || i >= n)
        pickle__bad(c->o, "transformers_", "has a column that is not there");
    *place = (size_t)i;
    return pickle__ok(c->o);
}

static const size_t *choose_each(pickle__chooser *c, pickle__labels keys, size_t *count)
{
    size_t *places;

    if (keys.count > 0 && keys.cells[0].kind == PICKLE_CELL_BOOL)
        return choose_mask(c, keys, count);
    places = pickle__keep(c->o, keys.count, sizeof *places);
    for (size_t i = 0; places && i < keys.count; i++) {
        if (!find_column(c, &keys.cells[i], &places[i]))
            return NULL;
    }
    *count = keys.count;
    return places;
}

static const size_t *choose(pickle__chooser *c, const pickle_val *key, size_t *count)
{
    const char *maker = pickle_name(pickle_callable(key));
    pickle_cell one;

    if (pickle_kind_of(key) == PICKLE_NONE) /* a remainder of none, up to 0.24 */
        return nothing;
    if (maker && strcmp(maker, "slice") == 0)
        return choose_slice(c, pickle_args(key), count);
    if (pickle__cell_of(c->o, key, &one))
        return choose_each(c, (pickle__labels){ 1, &one }, count);
    if (pickle_kind_of(key) != PICKLE_LIST && pickle_kind_of(key) != PICKLE_TUPLE &&
        pickle_kind_of(key) != PICKLE_OBJECT) {
        pickle__unsupported(c->o, "transformers_", "has columns that are not known here");
        return NULL;
    }
    return choose_each(c, labels_of(c->o, "transformers_", key), count);
}

const size_t *pickle__choose(pickle__chooser *c, const char *name, const pickle_val *key,
                             size_t *count)
{
    const pickle_val *known = c->known && name ? pickle_get(c->known, name) : NULL;
    const size_t *places;

    *count = 0;
    places = choose(c, known ? known : key, count);
    if (!pickle__ok(c->o) || !places) {
        *count = 0;
        return NULL;
    }
    c->total += *count;
    if (c->total > MOST_COLUMNS)
        pickle__bad(c->o, "transformers_", "has too many columns");
    for (size_t i = 0; c->spare && i < *count; i++)
        c->spare[places[i]] = false;
    return places;
}

/* ------------------------------------------------------------------- chooser */

bool pickle__open_chooser(pickle__opener *o, pickle__chooser *c)
{
    const pickle_val *names = pickle__attr(o, "feature_names_in_");
    int64_t n = pickle__integer(o, "n_features_in_", pickle__integer(o, "_n_features", -1));

    *c = (pickle__chooser){ .o = o, .known = pickle__attr(o, "_transformer_to_input_indices") };
    if (n < 0)
        pickle__unsupported(o, "_n_features", "is missing: not fitted?");
    else if ((uint64_t)n > MOST_COLUMNS)
        pickle__bad(o, "_n_features", "is too large");
    if (!pickle__ok(o))
        return false;
    c->features = (size_t)n;
    if (!names)
        names = pickle__either(o, "_feature_names_in", "_df_columns");
    if (!names)
        return true;
    c->names = labels_of(o, "feature_names_in_", names);
    if (pickle__ok(o) && c->names.count != c->features)
        pickle__bad(o, "feature_names_in_", "is not for all columns");
    if (!pickle__ok(o) || !pickle__categories_index(o, "feature_names_in_", c->names, &c->places))
        return false;
    c->spare = pickle__keep(o, c->features, sizeof *c->spare);
    for (size_t i = 0; c->spare && i < c->features; i++)
        c->spare[i] = true;
    return pickle__ok(o);
}

/* Before 1.0 names count only where columns are chosen by them. */
void pickle__close_chooser(pickle__chooser *c)
{
    pickle__opener *o = c->o;
    const char **names;

    o->model->features = c->features;
    if (!c->spare || !pickle__ok(o) || (o->version < PICKLE__SKLEARN(1, 0, 0) && !c->by_name))
        return;
    names = pickle__keep(o, c->features, sizeof *names);
    for (size_t i = 0; names && i < c->features; i++) {
        if (c->names.cells[i].kind != PICKLE_CELL_TEXT)
            return;
        names[i] = c->names.cells[i].as.text;
    }
    o->model->feature_names = names;
    o->model->spare = c->spare;
}
