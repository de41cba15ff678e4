/*
 * arrays.c - numpy's arrays in the three forms that pickles have: _reconstruct
 * and a state, _frombuffer of protocol 5, and joblib's wrapper with the data behind it.
 * Facts: numpy's methods.c (array_reduce_ex), joblib's numpy_pickle.py.
 */
#include "pickler/save.h"
#include "types/numpy.h"

/* OLD_WRAPPER: of joblib before 0.10, whose files beside are not written any more. */
typedef enum form { WRAPPER, OLD_WRAPPER, RECONSTRUCT, FROMBUFFER } form;

/* ----------------------------------------------------------------- scratch */

static pickle_val *checked(pickle__pickler *p, pickle_val *made)
{
    if (!made)
        pickle__save_no_memory(p);
    return made;
}

static pickle_val *new_tuple_of_ints(pickle__pickler *p, int n, const int64_t *numbers)
{
    pickle_val *items[PICKLE_MAXDIMS];

    for (int i = 0; i < n; i++)
        items[i] = checked(p, pickle__new_int(pickle__scratch(p), numbers[i]));
    return pickle__scratch_tuple(p, (size_t)n, items);
}

static pickle_val *new_letter(pickle__pickler *p, char letter)
{
    return pickle__save_interned(p, &letter, 1);
}

static pickle_val *new_bool(bool b)
{
    return b ? PICKLE__AS_STATIC(pickle__true) : PICKLE__AS_STATIC(pickle__false);
}

/* numpy.core.multiarray._reconstruct, or whatever numpy.core is called. */
static pickle_val *named_in_core(pickle__pickler *p, const char *module, const char *name)
{
    char full[40];

    strcpy(full, p->numpy);
    strcat(full, module);
    return pickle__save_named(p, full, name);
}

static pickle_val *dtype_of(const pickle_array *a)
{
    return (pickle_val *)(uintptr_t)a->dtype.descr;
}

/* A node of the document or of the pickler: nothing writes to it through here. */
static pickle_val *class_of(pickle__pickler *p, const pickle_array *a)
{
    return a->cls ? (pickle_val *)(uintptr_t)a->cls : pickle__save_named(p, "numpy", "ndarray");
}

/* ---------------------------------------------------------------- the data */

/* The elements in C order, for views that are in no order. */
static const void *copy_data(pickle__pickler *p, const pickle_array *a)
{
    pickle_doc *doc = pickle__scratch(p);
    unsigned char *copy = doc ? pickle__arena_take(&doc->arena, (size_t)a->nbytes) : NULL, *at;
    int64_t index[PICKLE_MAXDIMS] = { 0 };
    pickle_array element;
    const pickle_val *object;

    at = copy;
    if (!copy)
        return checked(p, NULL);
    for (uint64_t left = pickle_array_count(a); left > 0; left--) {
        pickle_array_at(a, index, a->ndim, &element, &object);
        memcpy(at, element.data, (size_t)a->dtype.itemsize);
        at += a->dtype.itemsize;
        for (int i = a->ndim - 1; i >= 0 && ++index[i] == a->shape[i]; i--)
            index[i] = 0;
    }
    return copy;
}

static pickle_val *new_data(pickle__pickler *p, pickle_kind kind, const pickle_array *a)
{
    bool contiguous = pickle_array_is_c(a) || pickle_array_is_f(a);
    const void *data = a->nbytes == 0 ? "" : contiguous ? a->data : copy_data(p, a);
    pickle_val *v;

    if (!data || !pickle__scratch(p))
        return NULL;
    v = checked(p, pickle__new_bytes(p->scratch, kind, data, (size_t)a->nbytes));
    if (v && kind == PICKLE_BUFFER && a->readonly)
        v->tag |= PICKLE__READONLY;
    return v;
}

/* ------------------------------------------------------------- _reconstruct */

/* b'b', of which Python has one. */
static pickle_val *new_typecode(pickle__pickler *p)
{
    pickle_doc *doc = pickle__scratch(p);
    pickle_val *v = doc ? checked(p, pickle__new_bytes(doc, PICKLE_BYTES, "b", 1)) : NULL;

    if (v)
        v->tag |= PICKLE__LOOSE;
    return v;
}

static pickle_val *as_reconstruct(pickle__pickler *p, const pickle_array *a)
{
    static const int64_t zero[] = { 0 };
    pickle_val *args[] = { class_of(p, a), new_tuple_of_ints(p, 1, zero), new_typecode(p) };
    pickle_val *made =
        pickle__scratch_call(p, PICKLE_CALL_REDUCE, named_in_core(p, ".multiarray", "_reconstruct"),
                             pickle__scratch_tuple(p, 3, args));
    pickle_val *data =
        a->objects ? (pickle_val *)(uintptr_t)a->objects : new_data(p, PICKLE_BYTES, a);
    pickle_val *state[] = { pickle__small(1), new_tuple_of_ints(p, a->ndim, a->shape), dtype_of(a),
                            new_bool(a->fortran), data };
    pickle_val *tuple = made ? pickle__scratch_tuple(p, 5, state) : NULL;

    if (!tuple)
        return NULL;
    return pickle__add_build(p->scratch, made, tuple) ? made : checked(p, NULL);
}

/* -------------------------------------------------------------- _frombuffer */

/*
 * Python's buffers know no datetimes, and numpy gives none of records whose
 * fields overlap or are not in order: such arrays stay what they were before
 * protocol 5. The depth of records is bounded, as a dtype may contain itself.
 */
#define FIELDS_MAX 10000 /* that are looked at: records may share their types */

static bool has_buffer(const pickle_dtype *dtype, int depth, int *budget)
{
    uint64_t end = 0;

    if (--*budget < 0)
        return false;
    if (dtype->base) {
        pickle_dtype base;

        return depth < PICKLE__DTYPE_DEPTH && pickle_get_dtype(dtype->base, &base) &&
               has_buffer(&base, depth + 1, budget);
    }
    for (uint64_t i = 0; i < dtype->nfields; i++) {
        pickle_field field;
        pickle_dtype type;

        if (depth == PICKLE__DTYPE_DEPTH || !pickle_dtype_field(dtype, i, &field) ||
            !pickle_get_dtype(field.dtype, &type) || field.offset < end ||
            !has_buffer(&type, depth + 1, budget))
            return false;
        end = field.offset + type.itemsize;
    }
    return dtype->kind != 'M' && dtype->kind != 'm' && dtype->kind != 'T';
}

static pickle_val *as_frombuffer(pickle__pickler *p, const pickle_array *a)
{
    pickle_val *args[] = { new_data(p, PICKLE_BUFFER, a), dtype_of(a),
                           new_tuple_of_ints(p, a->ndim, a->shape),
                           new_letter(p, a->fortran ? 'F' : 'C') };

    return pickle__scratch_call(p, PICKLE_CALL_REDUCE, named_in_core(p, ".numeric", "_frombuffer"),
                                pickle__scratch_tuple(p, 4, args));
}

/* ------------------------------------------------------------------- joblib */

/* An attribute of the wrapper: two items of its state. */
static bool add_attribute(pickle__pickler *p, pickle_val *state, const char *name,
                          pickle_val *value)
{
    pickle_val *pair[] = { pickle__save_interned(p, name, strlen(name)), value };

    return pair[0] && value && (pickle__extend(p->scratch, state, pair, 2) || checked(p, NULL));
}

static pickle_val *new_state(pickle__pickler *p, const pickle_array *a)
{
    pickle_val *state = checked(p, pickle__new_table(p->scratch, PICKLE_DICT));
    bool ok = state && add_attribute(p, state, "subclass", class_of(p, a)) &&
              add_attribute(p, state, "shape", new_tuple_of_ints(p, a->ndim, a->shape)) &&
              add_attribute(p, state, "order", new_letter(p, a->fortran ? 'F' : 'C')) &&
              add_attribute(p, state, "dtype", dtype_of(a)) &&
              add_attribute(p, state, "allow_mmap", new_bool(!a->dtype.hasobject)) &&
              (p->layout < 12 ||
               add_attribute(p, state, "numpy_array_alignment_bytes", pickle__small(16)));

    return ok ? state : NULL;
}

static pickle_val *as_wrapper(pickle__pickler *p, const pickle_array *a)
{
    pickle_val *made = pickle__scratch_call(
        p, PICKLE_CALL_NEWOBJ, pickle__save_named(p, "joblib.numpy_pickle", "NumpyArrayWrapper"),
        PICKLE__AS_STATIC(pickle__empty_tuple));
    pickle_val *state = made ? new_state(p, a) : NULL;
    bool nested = a->dtype.hasobject;
    pickle_val *data = !state ? NULL : nested ? as_reconstruct(p, a) : new_data(p, PICKLE_BYTES, a);

    if (!data)
        return NULL;
    if (!pickle__add_build(p->scratch, made, state) ||
        !pickle__add_change(p->scratch, made, nested ? PICKLE_CHANGE_NESTED : PICKLE_CHANGE_PAYLOAD,
                            data))
        return checked(p, NULL);
    return made;
}

/* The classes that joblib looks for, exactly. */
static bool is_wrapped_class(const pickle_val *cls)
{
    static const char *const names[][2] = {
        { "numpy", "ndarray" },
        { "numpy", "matrix" },
        { "numpy.matrixlib.defmatrix", "matrix" },
        { "numpy", "memmap" },
        { "numpy.core.memmap", "memmap" },
        { "numpy._core.memmap", "memmap" },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (pickle_is_global(cls, names[i][0], names[i][1]))
            return true;
    return !cls;
}

/* ------------------------------------------------------------------ choosing */

static form form_of(const pickle_val *object)
{
    pickle__wrapper wrapper = pickle__wrapper_of(pickle_class(object));

    if (wrapper != PICKLE__NO_WRAPPER)
        return wrapper == PICKLE__NUMPY_WRAPPER ? WRAPPER : OLD_WRAPPER;
    return strcmp(pickle_name(pickle_callable(object)), "_frombuffer") == 0 ? FROMBUFFER
                                                                            : RECONSTRUCT;
}

static form wanted_form(const pickle__pickler *p, const pickle_array *a)
{
    int budget = FIELDS_MAX;
    bool plain = !a->cls || pickle_is_global(a->cls, "numpy", "ndarray");

    if (p->joblib && is_wrapped_class(a->cls))
        return WRAPPER;
    return p->protocol >= 5 && plain && !a->dtype.hasobject && a->dtype.itemsize > 0 &&
                   (pickle_array_is_c(a) || pickle_array_is_f(a)) &&
                   has_buffer(&a->dtype, 0, &budget)
               ? FROMBUFFER
               : RECONSTRUCT;
}

/* Python 2 wrote the data as str, which Python 3 has to be told to read as latin1. */
static bool has_py2_data(const pickle__pickler *p, const pickle_val *object)
{
    return !p->py2 && pickle_kind_of(pickle_at(pickle_state(object),
                                               pickle_len(pickle_state(object)) - 1)) == PICKLE_STR;
}

/* What happened beyond the state, and joblib's data, is not in the view. */
static int count_changes(const pickle_val *object)
{
    const pickle__change *c = NULL;
    int n = 0;

    while (n < 3 && (c = pickle__next_change(object, c)))
        n++;
    return n;
}

pickle_val *pickle__reshape_array(pickle__pickler *p, pickle_val *object)
{
    pickle_array a;
    form is, wanted;

    if (!pickle__numpy_array(object, &a, NULL) || a.scalar || (!a.objects && !a.data))
        return object;
    is = form_of(object);
    if (count_changes(object) != (is == WRAPPER || is == OLD_WRAPPER ? 2
                                  : is == RECONSTRUCT                ? 1
                                                                     : 0))
        return object;
    wanted = wanted_form(p, &a);
    if (is == wanted && !(is == WRAPPER && p->rewrap) &&
        !(is == RECONSTRUCT && has_py2_data(p, object)))
        return object;
    return wanted == WRAPPER      ? as_wrapper(p, &a)
           : wanted == FROMBUFFER ? as_frombuffer(p, &a)
                                  : as_reconstruct(p, &a);
}
