/* trace.c - just enough evaluation to know where joblib puts array data. */
#include "op/trace.h"

typedef pickle__known known;

enum word {
    WORD_SHAPE,
    WORD_DTYPE,
    WORD_ALIGNMENT,
    WORD_JOBLIB,
    WORD_SKLEARN_JOBLIB,
    WORD_WRAPPER,
    WORD_NUMPY,
    WORD_NUMPY_INTERNAL,
    WORD_STRING_DTYPE,
    WORD_COPYREG,
    WORD_COPY_REG,
    WORD_RECONSTRUCTOR,
    WORDS
};

static const char *const words[WORDS] = {
    [WORD_SHAPE] = "shape",
    [WORD_DTYPE] = "dtype",
    [WORD_ALIGNMENT] = "numpy_array_alignment_bytes",
    [WORD_JOBLIB] = "joblib.numpy_pickle",
    [WORD_SKLEARN_JOBLIB] = "sklearn.externals.joblib.numpy_pickle",
    [WORD_WRAPPER] = "NumpyArrayWrapper",
    [WORD_NUMPY] = "numpy",
    [WORD_NUMPY_INTERNAL] = "numpy._core._internal",
    [WORD_STRING_DTYPE] = "_convert_to_stringdtype_kwargs",
    [WORD_COPYREG] = "copyreg",
    [WORD_COPY_REG] = "copy_reg",
    [WORD_RECONSTRUCTOR] = "_reconstructor",
};

enum { CLASS_WRAPPER, CLASS_DTYPE, CLASS_STRING_DTYPE, CLASS_RECONSTRUCTOR };

static const struct {
    uint8_t module, name, class;
} classes[] = {
    { WORD_JOBLIB, WORD_WRAPPER, CLASS_WRAPPER },
    { WORD_SKLEARN_JOBLIB, WORD_WRAPPER, CLASS_WRAPPER },
    { WORD_NUMPY, WORD_DTYPE, CLASS_DTYPE },
    { WORD_NUMPY_INTERNAL, WORD_STRING_DTYPE, CLASS_STRING_DTYPE },
    { WORD_COPYREG, WORD_RECONSTRUCTOR, CLASS_RECONSTRUCTOR },
    { WORD_COPY_REG, WORD_RECONSTRUCTOR, CLASS_RECONSTRUCTOR },
};

static known nothing(void)
{
    return (known){ .kind = PICKLE__KNOWN_NOTHING };
}

static bool is(const known *k, pickle__known_kind kind, int64_t num)
{
    return k->kind == kind && k->num == num;
}

/* ------------------------------------------------------------------- atoms */

static int word_of(const unsigned char *text, size_t len)
{
    for (int i = 0; i < WORDS; i++)
        if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
            return i;
    return -1;
}

/* 'f8', 'U5', ...: a kind and a count, of bytes or, for U, of characters. */
static known code_of(const unsigned char *text, size_t len)
{
    uint32_t size = 0;

    if (len < 2 || len > 9)
        return nothing();
    for (size_t i = 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return nothing();
        size = size * 10 + (text[i] - '0');
    }
    return (known){ .kind = PICKLE__KNOWN_CODE,
                    .flags = PICKLE__KNOWN_SIZE | (text[0] == 'O' ? PICKLE__KNOWN_OBJECTS : 0),
                    .size = text[0] == 'U' ? 4 * size : size };
}

static known string_of(const pickle__arg *arg)
{
    int word = word_of(arg->data, arg->len);

    if (word >= 0)
        return (known){ .kind = PICKLE__KNOWN_WORD, .num = word };
    return code_of(arg->data, arg->len);
}

static known int_of(const pickle__arg *arg)
{
    if (arg->kind != PICKLE__ARG_INT)
        return nothing();
    return (known){ .kind = PICKLE__KNOWN_INT, .num = arg->num };
}

static known class_of(int64_t module, int64_t name)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].module == module && classes[i].name == name)
            return (known){ .kind = PICKLE__KNOWN_CLASS, .num = classes[i].class };
    return nothing();
}

/* The operand of GLOBAL: module, blank, name. */
static known global_of(const pickle__arg *arg)
{
    const unsigned char *blank = memchr(arg->data, ' ', arg->len);
    size_t len = (size_t)(blank - arg->data);

    return class_of(word_of(arg->data, len), word_of(blank + 1, arg->len - len - 1));
}

/* -------------------------------------------------------------- containers */

static bool all_ints(const known *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (items[i].kind != PICKLE__KNOWN_INT)
            return false;
    return true;
}

static known shape_of(const known *items, size_t n)
{
    known shape = { .kind = PICKLE__KNOWN_SHAPE, .num = 1 };

    for (size_t i = 0; i < n; i++) {
        if (items[i].num < 0)
            return nothing();
        if (items[i].num > 0 && shape.num > INT64_MAX / items[i].num)
            shape.num = INT64_MAX;
        else
            shape.num *= items[i].num;
    }
    return shape;
}

/* (version, byte order, subarray, names, fields, item size or -1, alignment, flags, ...) */
static known layout_of(const known *items)
{
    known layout = { .kind = PICKLE__KNOWN_LAYOUT };

    if (items[5].num >= 0 && items[5].num <= UINT32_MAX) {
        layout.size = (uint32_t)items[5].num;
        layout.flags |= PICKLE__KNOWN_SIZE;
    }
    if (items[7].num & 1)
        layout.flags |= PICKLE__KNOWN_OBJECTS;
    return layout;
}

static known tuple_of(const known *items, size_t n)
{
    known tuple;

    if (all_ints(items, n))
        return shape_of(items, n);
    if (n >= 8 && items[0].kind == PICKLE__KNOWN_INT && items[5].kind == PICKLE__KNOWN_INT &&
        items[7].kind == PICKLE__KNOWN_INT)
        return layout_of(items);
    if (is(&items[0], PICKLE__KNOWN_CLASS, CLASS_WRAPPER))
        return (known){ .kind = PICKLE__KNOWN_WRAPPED };
    if (items[0].kind != PICKLE__KNOWN_CODE)
        return nothing();
    tuple = items[0];
    tuple.kind = PICKLE__KNOWN_CODED;
    return tuple;
}

static known dict_with(known dict, const known *items, size_t n)
{
    if (dict.kind != PICKLE__KNOWN_DICT)
        return dict;
    for (size_t i = 0; i + 1 < n; i += 2) {
        const known *key = &items[i], *value = &items[i + 1];

        if (is(key, PICKLE__KNOWN_WORD, WORD_SHAPE) && value->kind == PICKLE__KNOWN_SHAPE) {
            dict.num = value->num;
            dict.flags |= PICKLE__KNOWN_COUNT;
        } else if (is(key, PICKLE__KNOWN_WORD, WORD_DTYPE) && value->kind == PICKLE__KNOWN_DTYPE) {
            dict.size = value->size;
            dict.flags |= value->flags;
        } else if (is(key, PICKLE__KNOWN_WORD, WORD_ALIGNMENT) &&
                   value->kind == PICKLE__KNOWN_INT) {
            dict.flags |= PICKLE__KNOWN_ALIGNED;
        }
    }
    return dict;
}

/* ----------------------------------------------------------------- objects */

static known call(const known *callable, const known *args)
{
    known result = nothing();

    if (callable->kind != PICKLE__KNOWN_CLASS)
        return result;
    switch (callable->num) {
    case CLASS_WRAPPER:
        result.kind = PICKLE__KNOWN_WRAPPER;
        break;
    case CLASS_RECONSTRUCTOR:
        if (args->kind == PICKLE__KNOWN_WRAPPED)
            result.kind = PICKLE__KNOWN_WRAPPER;
        break;
    case CLASS_DTYPE:
        result.kind = PICKLE__KNOWN_DTYPE;
        if (args->kind == PICKLE__KNOWN_CODED) {
            result.size = args->size;
            result.flags = args->flags;
        }
        break;
    case CLASS_STRING_DTYPE:
        result.kind = PICKLE__KNOWN_DTYPE;
        result.flags = PICKLE__KNOWN_OBJECTS;
        break;
    }
    return result;
}

static known build(known object, const known *state)
{
    if (object.kind == PICKLE__KNOWN_WRAPPER) {
        if (state->kind == PICKLE__KNOWN_DICT)
            object = *state;
        object.kind = PICKLE__KNOWN_ARRAY;
    } else if (object.kind == PICKLE__KNOWN_DTYPE && state->kind == PICKLE__KNOWN_LAYOUT) {
        if (state->flags & PICKLE__KNOWN_SIZE)
            object.size = state->size;
        object.flags = (object.flags & PICKLE__KNOWN_SIZE) | state->flags;
    }
    return object;
}

pickle__known pickle__trace(uint8_t opcode, const pickle__arg *arg, const pickle__known *in,
                            size_t n)
{
    const known dict = { .kind = PICKLE__KNOWN_DICT };

    switch (opcode) {
    case PICKLE_OP_INT:
    case PICKLE_OP_BININT:
    case PICKLE_OP_BININT1:
    case PICKLE_OP_BININT2:
    case PICKLE_OP_LONG:
    case PICKLE_OP_LONG1:
    case PICKLE_OP_LONG4:
        return int_of(arg);
    case PICKLE_OP_STRING:
    case PICKLE_OP_BINSTRING:
    case PICKLE_OP_SHORT_BINSTRING:
    case PICKLE_OP_UNICODE:
    case PICKLE_OP_BINUNICODE:
    case PICKLE_OP_SHORT_BINUNICODE:
    case PICKLE_OP_BINUNICODE8:
        return string_of(arg);
    case PICKLE_OP_GLOBAL:
        return global_of(arg);
    case PICKLE_OP_STACK_GLOBAL:
        if (in[0].kind != PICKLE__KNOWN_WORD || in[1].kind != PICKLE__KNOWN_WORD)
            return nothing();
        return class_of(in[0].num, in[1].num);
    case PICKLE_OP_EMPTY_TUPLE:
    case PICKLE_OP_TUPLE1:
    case PICKLE_OP_TUPLE2:
    case PICKLE_OP_TUPLE3:
        return tuple_of(in, n);
    case PICKLE_OP_TUPLE:
        return tuple_of(in + 1, n - 1);
    case PICKLE_OP_EMPTY_DICT:
        return dict;
    case PICKLE_OP_DICT:
        return dict_with(dict, in + 1, n - 1);
    case PICKLE_OP_SETITEM:
        return dict_with(in[0], in + 1, 2);
    case PICKLE_OP_SETITEMS:
        return dict_with(in[0], in + 2, n - 2);
    case PICKLE_OP_REDUCE:
    case PICKLE_OP_NEWOBJ:
    case PICKLE_OP_NEWOBJ_EX:
        return call(&in[0], &in[1]);
    case PICKLE_OP_BUILD:
        return build(in[0], &in[1]);
    case PICKLE_OP_MEMOIZE:
        return in[0];
    default:
        return nothing();
    }
}

bool pickle__trace_bytes(const pickle__known *array, uint64_t *bytes)
{
    const uint8_t need = PICKLE__KNOWN_SIZE | PICKLE__KNOWN_COUNT;

    if ((array->flags & need) != need)
        return false;
    *bytes = (uint64_t)array->num;
    if (array->size > 0 && *bytes > UINT64_MAX / array->size)
        *bytes = UINT64_MAX;
    else
        *bytes *= array->size;
    return true;
}
