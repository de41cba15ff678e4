/* stdlib_values.c - views of numbers, UUIDs, arrays, enums, calls and patterns. */
#include "base/number.h"
#include "types/make.h"
#include "types/stdlib.h"

/* --------------------------------------------------------------------- numbers */

bool pickle_get_complex(const pickle_val *v, double *real, double *imag)
{
    double x, y;

    if (!pickle__known_as(v, "builtins.complex") || pickle_len(pickle_args(v)) != 2 ||
        !pickle_get_f64(pickle__argument(v, 0), &x) || !pickle_get_f64(pickle__argument(v, 1), &y))
        return false;
    *real = x;
    *imag = y;
    return true;
}

const char *pickle_decimal(const pickle_val *v)
{
    const pickle_val *arg = pickle__argument(v, 0);
    const char *text = pickle_str(arg);

    return text && pickle__known_as(v, "decimal.Decimal") && strlen(text) == pickle_len(arg) &&
                   pickle__is_decimal(text)
               ? text
               : NULL;
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

bool pickle__fraction_text(const pickle_val *v, const char **numerator, size_t *len,
                           const char **denominator)
{
    const char *text = pickle_str(pickle__argument(v, 0)), *digits, *end;

    if (!text || !pickle__known_as(v, "fractions.Fraction") || pickle__argument(v, 1))
        return false;
    digits = text + (*text == '-');
    end = skip_digits(digits);
    *numerator = text;
    *len = (size_t)(end - text);
    *denominator = *end == '/' ? end + 1 : "1";
    return end > digits && **denominator && !*skip_digits(*denominator) && (*end == '/' || !*end) &&
           (*denominator)[strspn(*denominator, "0")];
}

static bool parse_i64(const char *text, size_t len, int64_t *out)
{
    bool overflow;

    return pickle__strtol((const unsigned char *)text, len, 10, out, &overflow) == len && !overflow;
}

uint64_t pickle__magnitude(int64_t n)
{
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

uint64_t pickle__gcd(uint64_t a, uint64_t b)
{
    while (b > 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* In lowest terms, the sign above; false if the result does not fit. */
static bool reduce(int64_t *numerator, int64_t *denominator)
{
    uint64_t above = pickle__magnitude(*numerator), below = pickle__magnitude(*denominator);
    uint64_t common = pickle__gcd(above, below);
    bool negative = (*numerator < 0) != (*denominator < 0);

    if (below == 0 || below / common > INT64_MAX || above / common > (uint64_t)INT64_MAX + negative)
        return false;
    *numerator = (int64_t)(negative ? 0 - above / common : above / common);
    *denominator = (int64_t)(below / common);
    return true;
}

bool pickle_get_fraction(const pickle_val *v, int64_t *numerator, int64_t *denominator)
{
    int64_t n, d;
    const char *above, *below;
    size_t len;

    if (pickle__fraction_text(v, &above, &len, &below)) {
        if (!parse_i64(above, len, &n) || !parse_i64(below, strlen(below), &d))
            return false;
    } else if (!pickle__known_as(v, "fractions.Fraction") ||
               !pickle_get_i64(pickle__argument(v, 0), &n) ||
               !pickle_get_i64(pickle__argument(v, 1), &d)) {
        return false;
    }
    if (!reduce(&n, &d))
        return false;
    *numerator = n;
    *denominator = d;
    return true;
}

bool pickle_get_uuid(const pickle_val *v, unsigned char out[16])
{
    const pickle_val *number = pickle__attribute(v, "int");
    unsigned char bytes[17] = { 0 };
    size_t len = pickle_int_bytes(number, bytes, sizeof bytes);

    /* Two's complement: a sign of its own for 2^127 and more. */
    if (!pickle__known_as(v, "uuid.UUID") || pickle_kind_of(number) != PICKLE_INT || len > 17 ||
        (len > 0 && bytes[len - 1] & 0x80) || bytes[16] != 0)
        return false;
    for (int i = 0; i < 16; i++)
        out[i] = bytes[15 - i];
    return true;
}

/* --------------------------------------------------------------- range and slice */

static bool is_int(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_INT || pickle_kind_of(v) == PICKLE_BOOL;
}

bool pickle_get_slice(const pickle_val *v, pickle_slice *out)
{
    const pickle_val *args = pickle_args(v);
    pickle_slice s = { pickle_at(args, 0), pickle_at(args, 1), pickle_at(args, 2) };
    bool range = pickle__known_as(v, "builtins.range");

    if (pickle_kind_of(args) != PICKLE_TUPLE || pickle_len(args) != 3 ||
        (!range && !pickle__known_as(v, "builtins.slice")))
        return false;
    if (range &&
        (!is_int(s.start) || !is_int(s.stop) || !is_int(s.step) || pickle_i64_or(s.step, 1) == 0))
        return false;
    *out = s;
    return true;
}

/* ------------------------------------------------------------------- array.array */

/* The machine formats of array._array_reconstructor, by their numbers. */
static const char formats[][4] = {
    "u1",  "i1",  "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4", "<u8",
    ">u8", "<i8", ">i8", "<f4", ">f4", "<f8", ">f8", "<u2", ">u2", "<U1", ">U1",
};

static char typecode_of(const pickle_val *v)
{
    size_t len;
    const char *text = pickle__text_of(v, &len);

    return text && len == 1 && memchr("bBuwchHiIlLqQfd", *text, 15) ? *text : '\0';
}

/* _array_reconstructor(class, typecode, format, bytes) */
static bool read_machine(const pickle_val *v, pickle_stdarray *out)
{
    pickle_array *a = &out->array;
    int64_t format;
    size_t len;

    a->data = pickle_bytes(pickle__argument(v, 3), &len);
    if (!pickle_get_i64(pickle__argument(v, 2), &format) || format < 0 ||
        (size_t)format >= sizeof formats / sizeof *formats || !a->data ||
        !pickle__parse_dtype(formats[format], strlen(formats[format]), &a->dtype))
        return false;
    a->nbytes = len;
    a->shape[0] = (int64_t)(len / a->dtype.itemsize);
    a->strides[0] = (int64_t)a->dtype.itemsize;
    return len % a->dtype.itemsize == 0;
}

/* array(typecode, [...]) */
static bool read_list(const pickle_val *v, pickle_stdarray *out)
{
    pickle_array *a = &out->array;

    a->objects = pickle__argument(v, 1);
    if (pickle_kind_of(a->objects) != PICKLE_LIST || !pickle__parse_dtype("O", 1, &a->dtype))
        return false;
    a->shape[0] = (int64_t)pickle_len(a->objects);
    a->nbytes = (uint64_t)a->shape[0] * a->dtype.itemsize;
    a->strides[0] = 1;
    return true;
}

bool pickle_get_stdarray(const pickle_val *v, pickle_stdarray *out)
{
    pickle_stdarray found = { .array.ndim = 1 };
    bool machine = pickle_is_global(pickle_callable(v), "array", "_array_reconstructor");

    if (!pickle__known_as(v, "array.array"))
        return false;
    found.typecode = typecode_of(pickle__argument(v, machine));
    found.array.cls = pickle_class(v);
    if (machine)
        found.array.cls = pickle__argument(v, 0);
    if (!found.typecode || !(machine ? read_machine(v, &found) : read_list(v, &found)))
        return false;
    *out = found;
    return true;
}

/* ------------------------------------------------------------------------ enums */

static bool is_unknown_class(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_GLOBAL && !pickle__known_global(v) &&
           strcmp(pickle_module(v), "builtins") != 0;
}

bool pickle_get_enum(const pickle_val *v, pickle_enum *out)
{
    const pickle_val *callable = pickle_callable(v), *args = pickle_args(v);
    pickle_enum e = { .cls = callable };
    pickle_change c;

    if (pickle_call_of(v) != PICKLE_CALL_REDUCE || pickle_kind_of(args) != PICKLE_TUPLE ||
        pickle_first_change(v, &c))
        return false;
    if (pickle_is_global(callable, "_operator", "or_") && pickle_len(args) == 2) {
        *out = (pickle_enum){ .flags = args };
        return true;
    }
    if (pickle_is_global(callable, "builtins", "getattr") && pickle_len(args) == 2) {
        e.cls = pickle_at(args, 0);
        e.name = pickle_str(pickle_at(args, 1));
    } else if (pickle_len(args) == 1) {
        e.value = pickle_at(args, 0);
    }
    if (!is_unknown_class(e.cls) || (!e.name && !e.value))
        return false;
    *out = e;
    return true;
}

/* -------------------------------------------------------- calls, errors, patterns */

/* partial(func), and then its state: (func, args, kwargs, attributes or None). */
bool pickle_get_partial(const pickle_val *v, pickle_partial *out)
{
    const pickle_val *state = pickle_state(v);
    pickle_partial p = { .func = pickle_at(state, 0),
                         .args = pickle_at(state, 1),
                         .kwargs = pickle_at(state, 2),
                         .attrs = pickle_at(state, 3) };

    if (pickle_kind_of(p.attrs) == PICKLE_NONE)
        p.attrs = NULL;
    if (!pickle__known_as(v, "functools.partial") || pickle_kind_of(state) != PICKLE_TUPLE ||
        pickle_len(state) != 4 || pickle_kind_of(p.args) != PICKLE_TUPLE ||
        pickle_kind_of(p.kwargs) != PICKLE_DICT ||
        (p.attrs && pickle_kind_of(p.attrs) != PICKLE_DICT))
        return false;
    *out = p;
    return true;
}

bool pickle_get_exception(const pickle_val *v, pickle_exception *out)
{
    pickle_exception e = { pickle_class(v), pickle_args(v) };

    if (pickle_type_of(v) != PICKLE_TYPE_EXCEPTION || pickle_kind_of(e.args) != PICKLE_TUPLE)
        return false;
    *out = e;
    return true;
}

/* re._compile(pattern, flags) */
bool pickle_get_pattern(const pickle_val *v, pickle_pattern *out)
{
    pickle_pattern p = { pickle__argument(v, 0), 0 };

    if (!pickle__known_as(v, "re.Pattern") ||
        (!pickle_str(p.pattern) && !pickle_bytes(p.pattern, NULL)) ||
        !pickle_get_i64(pickle__argument(v, 1), &p.flags))
        return false;
    *out = p;
    return true;
}
