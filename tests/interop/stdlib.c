/*
 * stdlib.c - prints what the views of the standard library find, for test_stdlib.py.
 *
 * usage: stdlib FILE...
 *
 * A line for each file, that is, for its root: its type, the public name of its
 * class, what its view has, and what pickle_python_repr says, between tabs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pickle/pickle.h>

static bool write_stdout(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len;
}

static pickle_sink to_stdout(void)
{
    return (pickle_sink){ write_stdout, stdout };
}

static void print(const char *text)
{
    fputs(text ? text : "-", stdout);
}

static void print_value(const pickle_val *v)
{
    if (v)
        pickle_python_repr(v, to_stdout(), 0, NULL);
    else
        print("-");
}

static bool write_hex(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        printf("%02x", ((const unsigned char *)data)[i]);
    return true;
}

/* --------------------------------------------------------------------- the parts */

/* Each by iteration; those that have a key or a place must be found again by it. */
static void print_items(const pickle_val *v)
{
    pickle_items items, it;
    const pickle_val *key, *value, *again;
    size_t n = 0;

    if (!pickle_get_items(v, &items)) {
        print("no items");
        return;
    }
    it = items;
    printf("%s %zu ", pickle_kind_name(items.kind), items.count);
    print_value(items.factory);
    printf(" %" PRId64, items.maxlen);
    for (; pickle_next_item(&it, &key, &value); n++) {
        print(" ");
        if (key)
            print_value(key);
        print(key ? ":" : "");
        print_value(value);
        again = key ? pickle_item_get_val(&items, key) : pickle_item(&items, n);
        if (again != value)
            print(" NOT FOUND AGAIN");
        if ((items.kind == PICKLE_SET || items.kind == PICKLE_FROZENSET) &&
            pickle_item_get_val(&items, value) != value)
            print(" NOT IN THE SET");
    }
    if (n != items.count)
        print(" WRONG COUNT");
}

static void print_bytes(const pickle_val *v)
{
    if (!pickle_put_bytes(v, (pickle_sink){ write_hex, NULL }))
        print("no bytes");
}

/* Exactly; without a sign of NaN, which has none in Python. */
static void print_double(double x)
{
    if (x != x)
        print("nan");
    else
        printf("%a", x);
}

static void print_complex(const pickle_val *v)
{
    double real, imag;

    if (!pickle_get_complex(v, &real, &imag)) {
        print("no complex");
        return;
    }
    print_double(real);
    print(" ");
    print_double(imag);
}

static void print_slice(const pickle_val *v)
{
    pickle_slice s = { NULL, NULL, NULL };

    pickle_get_slice(v, &s);
    print_value(s.start);
    print(" ");
    print_value(s.stop);
    print(" ");
    print_value(s.step);
}

static void print_tzinfo(const pickle_val *v)
{
    pickle_tzinfo tz;

    if (!v) {
        print("naive");
    } else if (!pickle_get_tzinfo(v, &tz)) {
        print("no tzinfo");
    } else {
        print(tz.name);
        print(" ");
        print(tz.abbreviation);
        if (tz.has_offset)
            printf(" %" PRId64, tz.offset);
    }
}

static void print_datetime(const pickle_val *v)
{
    pickle_datetime d;

    if (!pickle_get_datetime(v, &d)) {
        print("no datetime");
        return;
    }
    printf("%d %d %d %d %d %d %d %d ", d.year, d.month, d.day, d.hour, d.minute, d.second,
           d.microsecond, d.fold);
    print_tzinfo(d.tz);
}

static void print_timedelta(const pickle_val *v)
{
    pickle_timedelta d;

    if (pickle_get_timedelta(v, &d))
        printf("%" PRId64 " %d %d", d.days, d.seconds, d.microseconds);
    else
        print("no timedelta");
}

static void print_decimal(const pickle_val *v)
{
    print(pickle_decimal(v));
}

static void print_fraction(const pickle_val *v)
{
    int64_t numerator, denominator;

    if (pickle_get_fraction(v, &numerator, &denominator))
        printf("%" PRId64 " %" PRId64, numerator, denominator);
    else
        print("no fraction of 64 bits");
}

static void print_uuid(const pickle_val *v)
{
    unsigned char bytes[16];

    if (pickle_get_uuid(v, bytes))
        write_hex(NULL, bytes, sizeof bytes);
    else
        print("no UUID");
}

static void print_path(const pickle_val *v)
{
    if (!pickle_put_path(v, to_stdout()))
        print("no path");
}

static void print_array(const pickle_val *v)
{
    pickle_stdarray a;

    if (pickle_get_stdarray(v, &a))
        printf("%c %" PRIu64, a.typecode, pickle_array_count(&a.array));
    else
        print("no array");
}

static void print_partial(const pickle_val *v)
{
    pickle_partial f = { NULL, NULL, NULL, NULL };

    pickle_get_partial(v, &f);
    print_value(f.func);
    print(" ");
    print_value(f.args);
    print(" ");
    print_value(f.kwargs);
    print(" ");
    print_value(f.attrs);
}

static void print_attrs(const pickle_val *v)
{
    pickle_attrs it = { .of = v };
    const pickle_val *value;
    const char *name;

    while (pickle_next_attr(&it, &name, &value)) {
        printf(" %s=", name);
        print_value(value);
    }
}

static void print_exception(const pickle_val *v)
{
    pickle_exception e = { NULL, NULL };

    pickle_get_exception(v, &e);
    print_value(e.args);
    print_attrs(v);
}

static void print_pattern(const pickle_val *v)
{
    pickle_pattern r = { NULL, -1 };

    pickle_get_pattern(v, &r);
    print_value(r.pattern);
    printf(" %" PRId64, r.flags);
}

/* An enum's member, a namedtuple, or an object with attributes. */
static void print_other(const pickle_val *v)
{
    pickle_items items;
    pickle_enum e;

    if (pickle_get_enum(v, &e)) {
        printf("enum %s ", e.cls ? pickle_name(e.cls) : "|");
        print(e.name);
        print(" ");
        print_value(e.value);
        if (e.flags) {
            print_other(pickle_at(e.flags, 0));
            print(" ");
            print_other(pickle_at(e.flags, 1));
        }
    } else if (pickle_get_items(v, &items)) {
        print_items(v);
    } else if (pickle_kind_of(v) == PICKLE_OBJECT) {
        print("object");
        print_attrs(v);
    } else {
        print_value(v);
    }
}

static void print_view(const pickle_val *v, pickle_type type)
{
    static void (*const printers[])(const pickle_val *v) = {
        [PICKLE_TYPE_MAPPING] = print_items,     [PICKLE_TYPE_CHAINMAP] = print_items,
        [PICKLE_TYPE_SEQUENCE] = print_items,    [PICKLE_TYPE_SET] = print_items,
        [PICKLE_TYPE_BYTES] = print_bytes,       [PICKLE_TYPE_COMPLEX] = print_complex,
        [PICKLE_TYPE_RANGE] = print_slice,       [PICKLE_TYPE_SLICE] = print_slice,
        [PICKLE_TYPE_DATE] = print_datetime,     [PICKLE_TYPE_TIME] = print_datetime,
        [PICKLE_TYPE_DATETIME] = print_datetime, [PICKLE_TYPE_TIMEDELTA] = print_timedelta,
        [PICKLE_TYPE_TZINFO] = print_tzinfo,     [PICKLE_TYPE_DECIMAL] = print_decimal,
        [PICKLE_TYPE_FRACTION] = print_fraction, [PICKLE_TYPE_UUID] = print_uuid,
        [PICKLE_TYPE_PATH] = print_path,         [PICKLE_TYPE_STDARRAY] = print_array,
        [PICKLE_TYPE_PARTIAL] = print_partial,   [PICKLE_TYPE_EXCEPTION] = print_exception,
        [PICKLE_TYPE_NAMESPACE] = print_attrs,   [PICKLE_TYPE_PATTERN] = print_pattern,
    };

    if ((size_t)type < sizeof printers / sizeof *printers && printers[type])
        printers[type](v);
    else
        print_other(v);
}

/* A set or bytearray has the same line whether an opcode or a call makes it. */
static pickle_type type_of(const pickle_val *v)
{
    switch (pickle_kind_of(v)) {
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return PICKLE_TYPE_SET;
    case PICKLE_BYTEARRAY:
    case PICKLE_BYTES:
        return PICKLE_TYPE_BYTES;
    default:
        return pickle_type_of(v);
    }
}

static void describe(const pickle_val *v)
{
    pickle_type type = type_of(v);
    pickle_class_info info = { 0 };

    pickle_get_class(v, &info);
    print(pickle_type_name(type));
    print("\t");
    print(type == PICKLE_TYPE_SET || type == PICKLE_TYPE_BYTES ? NULL : info.public_name);
    print("\t");
    print_view(v, type);
    print("\t");
    pickle_python_repr(v, to_stdout(), 0, NULL);
    print("\n");
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        pickle_error err;
        pickle_doc *doc = pickle_read_file(argv[i], NULL, &err);

        if (!doc) {
            printf("%s: byte %" PRIu64 ": %s\n", argv[i], err.offset, err.message);
            failed = 1;
            continue;
        }
        describe(pickle_root(doc));
        pickle_doc_free(doc);
    }
    return failed;
}
