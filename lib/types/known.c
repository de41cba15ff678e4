/* known.c - which class an object is of: <pickle/class.h>, and the table behind it. */
#include "types/known.h"

#include "types/numpy.h"
#include "types/torch.h"

static const pickle__known table[] = {
#define X(name, module, type, maker, public_name) \
    { name, module, PICKLE_TYPE_##type, PICKLE__##maker, public_name },
#include "types/known.inc"
#undef X
};

#define ROWS (sizeof table / sizeof *table)

const char *pickle_type_name(pickle_type type)
{
    static const char *const names[] = {
        [PICKLE_TYPE_OTHER] = "other",
        [PICKLE_TYPE_DTYPE] = "dtype",
        [PICKLE_TYPE_ARRAY] = "array",
        [PICKLE_TYPE_SCALAR] = "scalar",
        [PICKLE_TYPE_MASKED_ARRAY] = "masked array",
        [PICKLE_TYPE_RNG] = "random number generator",
        [PICKLE_TYPE_SPARSE] = "sparse matrix",
        [PICKLE_TYPE_MAPPING] = "mapping",
        [PICKLE_TYPE_CHAINMAP] = "ChainMap",
        [PICKLE_TYPE_SEQUENCE] = "sequence",
        [PICKLE_TYPE_SET] = "set",
        [PICKLE_TYPE_BYTES] = "bytes",
        [PICKLE_TYPE_COMPLEX] = "complex",
        [PICKLE_TYPE_RANGE] = "range",
        [PICKLE_TYPE_SLICE] = "slice",
        [PICKLE_TYPE_DATE] = "date",
        [PICKLE_TYPE_TIME] = "time",
        [PICKLE_TYPE_DATETIME] = "datetime",
        [PICKLE_TYPE_TIMEDELTA] = "timedelta",
        [PICKLE_TYPE_TZINFO] = "time zone",
        [PICKLE_TYPE_DECIMAL] = "Decimal",
        [PICKLE_TYPE_FRACTION] = "Fraction",
        [PICKLE_TYPE_UUID] = "UUID",
        [PICKLE_TYPE_PATH] = "path",
        [PICKLE_TYPE_STDARRAY] = "array.array",
        [PICKLE_TYPE_PARTIAL] = "partial",
        [PICKLE_TYPE_EXCEPTION] = "exception",
        [PICKLE_TYPE_NAMESPACE] = "namespace",
        [PICKLE_TYPE_PATTERN] = "pattern",
        [PICKLE_TYPE_DATAFRAME] = "dataframe",
        [PICKLE_TYPE_SERIES] = "series",
        [PICKLE_TYPE_INDEX] = "index",
        [PICKLE_TYPE_EXTENSION_ARRAY] = "extension array",
        [PICKLE_TYPE_EXTENSION_DTYPE] = "extension dtype",
        [PICKLE_TYPE_TIMESTAMP] = "timestamp",
        [PICKLE_TYPE_PANDAS_TIMEDELTA] = "pandas timedelta",
        [PICKLE_TYPE_PERIOD] = "period",
        [PICKLE_TYPE_INTERVAL] = "interval",
        [PICKLE_TYPE_NA] = "missing value",
        [PICKLE_TYPE_OFFSET] = "date offset",
        [PICKLE_TYPE_TENSOR] = "tensor",
        [PICKLE_TYPE_STORAGE] = "storage",
    };

    return (size_t)type < sizeof names / sizeof *names ? names[type] : "other";
}

/* ------------------------------------------------------------------ lookup */

/* The first row of this name; ROWS: there is none. */
static size_t first_row(const char *name)
{
    size_t low = 0, high = ROWS;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(table[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ROWS && strcmp(table[low].name, name) == 0 ? low : ROWS;
}

const pickle__known *pickle__known_global(const pickle_val *global)
{
    const char *module = pickle_module(global), *name = pickle_name(global);

    if (!module)
        return NULL;
    for (size_t i = first_row(name); i < ROWS && strcmp(table[i].name, name) == 0; i++)
        if (strcmp(table[i].module, "*") == 0 || strcmp(table[i].module, module) == 0)
            return &table[i];
    return NULL;
}

/* Cython's __pyx_unpickle_NAME(class, checksum, state), in whichever module. */
static bool is_cython_maker(const pickle_val *global)
{
    const char *name = pickle_name(global);

    return name && strncmp(name, "__pyx_unpickle_", 15) == 0;
}

static bool takes_class(const pickle__known *row, const pickle_val *callable)
{
    return row ? row->maker == PICKLE__OF_ARG : is_cython_maker(callable);
}

/* The class in getattr(class, name). */
static const pickle_val *owner_of(const pickle_val *method, const char *name)
{
    const pickle_val *args = pickle_args(method), *class = pickle_at(args, 0);

    return pickle_is_global(pickle_callable(method), "builtins", "getattr") &&
                   pickle_str_is(pickle_at(args, 1), name) && pickle_kind_of(class) == PICKLE_GLOBAL
               ? class
               : NULL;
}

/*
 * The class, where what is called is no global: getattr(class, '_unpickle'), as zoneinfo has it;
 * partial(class.__new__, class, ...), as protocols 2 and 3 have to write NEWOBJ_EX; or a persistent
 * id ('module', class, file, source), with which torch keeps the source of modules.
 */
static const pickle_val *class_of_method(const pickle_val *callable)
{
    const pickle_val *class = owner_of(callable, "_unpickle"), *state = pickle_state(callable);
    const pickle_val *id = pickle_id(callable);

    if (class)
        return pickle__known_global(class) ? class : NULL;
    if (pickle_str_is(pickle_at(id, 0), "module") &&
        pickle_kind_of(pickle_at(id, 1)) == PICKLE_GLOBAL)
        return pickle_at(id, 1);
    if (!pickle_is_global(pickle_callable(callable), "functools", "partial") ||
        pickle_kind_of(state) != PICKLE_TUPLE)
        return NULL;
    return owner_of(pickle_at(state, 0), "__new__");
}

/* Of the array behind joblib's wrapper: an attribute, or in those before 0.10 an argument. */
static const pickle_val *wrapped_class(const pickle_val *v)
{
    const pickle_val *class = pickle__attribute(v, "subclass");

    return class ? class : pickle_at(pickle__attribute(v, "init_args"), 0);
}

/* The class, through functions that take it as an argument; or what else is called. */
static const pickle_val *class_of(const pickle_val *v)
{
    const pickle_val *class = pickle_class(v), *arg;

    if (pickle__wrapper_of(class) != PICKLE__NO_WRAPPER)
        return wrapped_class(v);
    if (!class)
        return class_of_method(pickle_callable(v));
    if (class != pickle_callable(v) || !takes_class(pickle__known_global(class), class))
        return class;
    arg = pickle_at(pickle_args(v), 0);
    return pickle_kind_of(arg) == PICKLE_GLOBAL ? arg : class;
}

const pickle__known *pickle__known_object(const pickle_val *v)
{
    const pickle_val *class = class_of(v);
    const pickle__known *row = pickle__known_global(class);

    if (row || class == pickle_callable(v))
        return row;
    return pickle__known_global(pickle_callable(v));
}

static const char *public_name_of(const pickle__known *row)
{
    return row ? row->public_name : NULL;
}

bool pickle__known_as(const pickle_val *v, const char *public_name)
{
    const char *name = public_name_of(pickle__known_object(v));

    return name && strcmp(name, public_name) == 0;
}

pickle_type pickle_type_of(const pickle_val *v)
{
    const pickle__known *row = NULL;

    if (pickle_kind_of(v) == PICKLE_OBJECT) {
        if (pickle__wrapper_of(pickle_class(v)) != PICKLE__NO_WRAPPER)
            return PICKLE_TYPE_ARRAY;
        row = pickle__known_object(v);
    } else if (pickle_kind_of(v) == PICKLE_GLOBAL) {
        row = pickle__known_global(v);
        if (row && row->maker != PICKLE__IS_VALUE)
            row = NULL;
    } else if (pickle_kind_of(v) == PICKLE_PERSID) {
        return pickle__torch_ref_type(v);
    }
    return row ? row->type : PICKLE_TYPE_OTHER;
}

bool pickle_get_class(const pickle_val *v, pickle_class_info *out)
{
    const pickle__known *row;
    const pickle_val *class;

    if (pickle_kind_of(v) != PICKLE_OBJECT)
        return false;
    row = pickle__known_object(v);
    class = class_of(v);
    if (row && row->maker != PICKLE__IS_CLASS && class == pickle_callable(v))
        class = NULL;
    if (!row && !class)
        return false;
    *out = (pickle_class_info){ pickle_type_of(v), public_name_of(row), class };
    return true;
}

/* -------------------------------------------------------------- attributes */

/* The dicts of a state: the state itself; or the two of a tuple. */
static const pickle_val *part_of_state(const pickle_val *state, int part)
{
    if (pickle_kind_of(state) == PICKLE_DICT)
        return part == 0 ? state : NULL;
    return pickle_kind_of(state) == PICKLE_TUPLE && pickle_len(state) == 2
               ? pickle_at(state, (size_t)part)
               : NULL;
}

/* The next dict of attributes, or false: there is none. */
static bool next_part(pickle_attrs *it)
{
    bool on = true;

    if (it->part == 0) {
        on = it->change.of ? pickle_next_change(&it->change)
                           : pickle_first_change(it->of, &it->change);
        while (on && it->change.kind != PICKLE_CHANGE_BUILD)
            on = pickle_next_change(&it->change);
    }
    if (!on)
        return false;
    it->in = (pickle_iter){ part_of_state(it->change.value, it->part), 0, NULL };
    if (pickle_kind_of(it->in.of) != PICKLE_DICT)
        it->in.of = NULL;
    it->part = !it->part;
    return true;
}

bool pickle_next_attr(pickle_attrs *it, const char **name, const pickle_val **value)
{
    const pickle_val *key;

    do {
        while (it->in.of && pickle_next(&it->in, &key, value)) {
            *name = pickle_str(key);
            if (*name)
                return true;
        }
    } while (next_part(it));
    return false;
}
