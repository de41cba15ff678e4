/*
 * build.c - makes a document with every constructor of <pickle/build.h>, for test_build.py.
 *
 * usage: build PATH PROTOCOL CONTAINER NUMPY GROUP [NAME]
 *
 * The root is a dict of the group's values by name, or the value of that NAME. The
 * container is "pickle" or "joblib", which its layout may follow, and a file's ending
 * that says how it is compressed: "joblib10.z". NUMPY is pickle_write_opts.numpy. The groups are
 * those at the end of this file. test_build.py has the same names with the Python expressions that
 * make the same values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#define ITEMS(...)                                                          \
    (sizeof((const pickle_val *[]){ __VA_ARGS__ }) / sizeof(pickle_val *)), \
        ((const pickle_val *[]){ __VA_ARGS__ })
#define SHAPE(...) \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), ((const int64_t[]){ __VA_ARGS__ })

#define PATTERN 100000

/* Where values go, and what they are made of: the bytes 0, 1, 2, ... 250, 0, ... */
typedef struct builder {
    pickle_doc *doc;
    pickle_val *values;
    unsigned char pattern[PATTERN];
} builder;

static void add(builder *b, const char *name, const pickle_val *value)
{
    pickle_error err;

    pickle_set_key(b->doc, b->values, name, value);
    if (pickle_doc_status(b->doc, &err) == PICKLE_OK)
        return;
    fprintf(stderr, "%s: %s\n", name, err.message);
    exit(1);
}

/* "what code" */
static void add_code(builder *b, const char *what, const char *code, const pickle_val *value)
{
    char name[64];

    snprintf(name, sizeof name, "%s %s", what, code);
    add(b, name, value);
}

/* ------------------------------------------------------------------- plain */

static void add_numbers(builder *b)
{
    pickle_doc *doc = b->doc;

    add(b, "none", pickle_new_none(doc));
    add(b, "true", pickle_new_bool(doc, true));
    add(b, "int", pickle_new_int(doc, -7));
    add(b, "long int", pickle_new_int(doc, INT64_MIN));
    add(b, "uint", pickle_new_uint(doc, UINT64_MAX));
    add(b, "bigint", pickle_new_bigint(doc, "\0\0\0\0\0\0\0\0\0\0\0\x80", 12));
    add(b, "int text", pickle_new_int_text(doc, "-123_456_789_012_345_678_901_234_567_890"));
    add(b, "float", pickle_new_float(doc, 0.1));
    add(b, "complex", pickle_new_complex(doc, -1.5, 2.25));
    add(b, "decimal", pickle_new_decimal(doc, "-12.50"));
    add(b, "decimal exponent", pickle_new_decimal(doc, "1E+1000"));
    add(b, "decimal nan", pickle_new_decimal(doc, "NaN"));
    add(b, "fraction", pickle_new_fraction(doc, 10, -4));
    add(b, "whole fraction", pickle_new_fraction(doc, 0, 5));
}

static void add_text(builder *b)
{
    pickle_doc *doc = b->doc;

    add(b, "str", pickle_new_str(doc, "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80\n"));
    add(b, "str with NUL", pickle_new_strn(doc, "a\0b", 3));
    add(b, "surrogate", pickle_new_str(doc, "\xed\xa0\x80"));
    add(b, "bytes", pickle_new_bytes(doc, "\0\xff\n", 3));
    add(b, "bytearray", pickle_new_bytearray(doc, "\0\xff\n", 3));
    add(b, "borrowed bytes", pickle_borrow_bytes(doc, b->pattern, 300));
    add(b, "borrowed bytearray", pickle_borrow_bytearray(doc, b->pattern, 300));
}

static void add_containers(builder *b)
{
    pickle_doc *doc = b->doc;
    const pickle_val *one = pickle_new_int(doc, 1), *text = pickle_new_str(doc, "two");
    pickle_val *list = pickle_new_list(doc), *dict = pickle_new_dict(doc);
    pickle_val *set = pickle_new_set(doc);

    pickle_append(doc, list, one);
    pickle_append(doc, list, text);
    pickle_set_key(doc, dict, "list", list);
    pickle_set_item(doc, dict, one, pickle_new_none(doc));
    pickle_add(doc, set, one);
    pickle_add(doc, set, one);
    add(b, "tuple", pickle_new_tuple(doc, ITEMS(one, text, list)));
    add(b, "empty tuple", pickle_new_tuple(doc, 0, NULL));
    add(b, "list", list);
    add(b, "dict", dict);
    add(b, "set", set);
    add(b, "frozenset", pickle_new_frozenset(doc, ITEMS(one)));
    add(b, "shared", pickle_new_tuple(doc, ITEMS(list, list)));
    list = pickle_new_list(doc);
    pickle_append(doc, list, list);
    add(b, "cycle", list);
}

static void add_objects(builder *b)
{
    pickle_doc *doc = b->doc;
    pickle_val *state = pickle_new_dict(doc), *keywords = pickle_new_dict(doc);
    const pickle_val *pow = pickle_new_global(doc, "builtins", "pow");
    const pickle_val *empty = pickle_new_str(doc, "");

    pickle_set_key(doc, state, "a", pickle_new_int(doc, 1));
    pickle_set_key(doc, keywords, "numerator", pickle_new_int(doc, 1));
    pickle_set_key(doc, keywords, "denominator", pickle_new_int(doc, 2));
    add(b, "class", pickle_new_global(doc, "builtins", "int"));
    add(b, "call",
        pickle_new_call(
            doc, PICKLE_CALL_REDUCE, pow,
            pickle_new_tuple(doc, ITEMS(pickle_new_int(doc, 2), pickle_new_int(doc, 10))), NULL));
    add(b, "keywords",
        pickle_new_call(doc, PICKLE_CALL_NEWOBJ_EX, pickle_new_global(doc, "fractions", "Fraction"),
                        NULL, keywords));
    add(b, "instance", pickle_new_instance(doc, "argparse", "Namespace", state));
    add(b, "range", pickle_new_range(doc, 10, -10, -3));
    add(b, "slice", pickle_new_slice(doc, pickle_new_int(doc, 1), NULL, pickle_new_int(doc, 2)));
    add(b, "uuid",
        pickle_new_uuid(doc, "\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\r\x0e"));
    add(b, "pure posix path", pickle_new_path(doc, "PurePosixPath", "/a/b/c.txt"));
    add(b, "posix path", pickle_new_path(doc, "PosixPath", "a/b"));
    add(b, "pure windows path", pickle_new_path(doc, "PureWindowsPath", "c:\\a\\b"));
    add(b, "enum", pickle_new_enum(doc, "http", "HTTPStatus", pickle_new_int(doc, 404)));
    add(b, "namedtuple",
        pickle_new_namedtuple(doc, "urllib.parse", "ParseResult",
                              ITEMS(pickle_new_str(doc, "https"), pickle_new_str(doc, "a.org"),
                                    pickle_new_str(doc, "/x"), empty, empty, empty)));
}

static void add_dates(builder *b)
{
    pickle_doc *doc = b->doc;
    const pickle_val *zone = pickle_new_timezone(doc, 19800);

    add(b, "date", pickle_new_date(doc, 2024, 2, 29));
    add(b, "last date", pickle_new_date(doc, 9999, 12, 31));
    add(b, "time", pickle_new_time(doc, 23, 59, 58, 123456, 0, NULL));
    add(b, "time with fold", pickle_new_time(doc, 1, 30, 0, 0, 1, NULL));
    add(b, "time in a zone", pickle_new_time(doc, 1, 30, 0, 0, 0, zone));
    add(b, "datetime", pickle_new_datetime(doc, 1999, 12, 31, 23, 59, 59, 999999, 0, NULL));
    add(b, "datetime with fold", pickle_new_datetime(doc, 2024, 10, 27, 2, 30, 0, 0, 1, NULL));
    add(b, "datetime in a zone", pickle_new_datetime(doc, 2024, 1, 1, 0, 0, 0, 0, 0, zone));
    add(b, "timedelta", pickle_new_timedelta(doc, 1, 90000, 1500000));
    add(b, "negative timedelta", pickle_new_timedelta(doc, 0, 0, -1));
    add(b, "timezone", zone);
    add(b, "negative timezone", pickle_new_timezone(doc, -3660));
    add(b, "utc", pickle_new_timezone(doc, 0));
}

static void add_collections(builder *b)
{
    pickle_doc *doc = b->doc;
    pickle_val *ordered = pickle_new_ordered_dict(doc), *counts = pickle_new_dict(doc);
    pickle_val *lists = pickle_new_default_dict(doc, pickle_new_global(doc, "builtins", "list"));
    pickle_val *queue = pickle_new_deque(doc, -1), *bounded = pickle_new_deque(doc, 2);
    pickle_val *counter;

    pickle_set_key(doc, ordered, "z", pickle_new_int(doc, 1));
    pickle_set_key(doc, ordered, "a", pickle_new_int(doc, 2));
    pickle_set_key(doc, lists, "k", pickle_new_list(doc));
    pickle_set_key(doc, counts, "a", pickle_new_int(doc, 3));
    for (int i = 0; i < 2; i++) {
        pickle_append(doc, queue, pickle_new_int(doc, i));
        pickle_append(doc, bounded, pickle_new_int(doc, i));
    }
    counter = pickle_new_counter(doc, NULL);
    pickle_set_key(doc, counter, "b", pickle_new_int(doc, 1));
    add(b, "ordered dict", ordered);
    add(b, "default dict", lists);
    add(b, "default dict of nothing", pickle_new_default_dict(doc, NULL));
    add(b, "counter", pickle_new_counter(doc, counts));
    add(b, "filled counter", counter);
    add(b, "deque", queue);
    add(b, "bounded deque", bounded);
}

static void add_plain(builder *b)
{
    add_numbers(b);
    add_text(b);
    add_containers(b);
    add_objects(b);
    add_dates(b);
    add_collections(b);
}

/* Python makes something else of it in each protocol. */
static void add_buffers(builder *b)
{
    add(b, "buffer", pickle_new_buffer(b->doc, b->pattern, 300, false));
    add(b, "read-only buffer", pickle_new_buffer(b->doc, b->pattern, 300, true));
}

/* ------------------------------------------------------------------- numpy */

static const char *const codes[] = {
    "?",    "i1",   "u1",  "<i2", ">i2", "<i4", ">i4",     "<i8",    ">i8",      "<u2",  ">u2",
    "<u4",  "<u8",  ">u8", "<f2", ">f2", "<f4", ">f4",     "<f8",    ">f8",      "<f16", "<c8",
    "<c16", ">c16", "S3",  "<U2", ">U2", "V3",  "<M8[ns]", ">M8[D]", "<M8[25s]", "<M8",  "<m8[us]",
};

static void add_codes(builder *b)
{
    pickle_doc *doc = b->doc;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        add_code(b, "dtype", codes[i], pickle_new_dtype(doc, codes[i]));
        add_code(b, "array", codes[i], pickle_new_array(doc, codes[i], SHAPE(3), b->pattern));
        /* The pattern is no text. */
        if (!strchr(codes[i], 'U'))
            add_code(b, "scalar", codes[i], pickle_new_scalar(doc, codes[i], b->pattern));
    }
    add(b, "text scalar", pickle_new_scalar(doc, "<U2", "a\0\0\0\xac \0\0"));
    add(b, "dtype object", pickle_new_dtype(doc, "O"));
}

static const char *const records[] = {
    "[('a', '<i4'), ('b', '<f8')]",
    "[('a', '<i4'), ('b', '>f8', (2,)), ('c', '|S3', (2, 2))]",
    "[('a', [('x', '<f4'), ('y', [('z', '<U1')])]), ('b', '|u1')]",
    "[(('title', 'name'), '<i2'), ('h\xc3\xa9', '<M8[s]')]",
    "{'names': ['b', 'a'], 'formats': ['|i1', '<i4'], 'offsets': [8, 2], 'itemsize': 16}",
    "{'names': ['a', 'b'], 'formats': ['|i1', ('<f8', (2,))], 'aligned': True}",
    "[]",
};

static void add_records(builder *b)
{
    char name[8];

    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        snprintf(name, sizeof name, "%zu", i);
        add_code(b, "record", name, pickle_new_dtype(b->doc, records[i]));
        if (strcmp(records[i], "[]") != 0) /* joblib cannot read arrays without bytes */
            add_code(b, "records", name,
                     pickle_new_array(b->doc, records[i], SHAPE(2, 2), b->pattern));
    }
    add(b, "record of objects", pickle_new_dtype(b->doc, "[('a', '<i4'), ('o', '|O')]"));
    add(b, "gaps", pickle_new_dtype(b->doc, "[('a', '|i1'), ('', '|V3'), ('b', '<i4')]"));
    add(b, "record scalar", pickle_new_scalar(b->doc, records[0], b->pattern));
}

static void add_shapes(builder *b)
{
    pickle_doc *doc = b->doc;
    const pickle_val *array = pickle_new_array(doc, "<i4", SHAPE(2, 3), b->pattern);

    add(b, "matrix", array);
    add(b, "same matrix", array);
    add(b, "matrix in Fortran's order", pickle_new_farray(doc, "<i4", SHAPE(2, 3), b->pattern));
    add(b, "cube in Fortran's order", pickle_new_farray(doc, ">f4", SHAPE(2, 3, 4), b->pattern));
    add(b, "row in Fortran's order", pickle_new_farray(doc, "<i4", SHAPE(1, 3), b->pattern));
    add(b, "number", pickle_new_array(doc, "<f8", 0, NULL, b->pattern));
    add(b, "nothing", pickle_new_array(doc, "<f8", SHAPE(0, 3), NULL));
    add(b, "empty in Fortran's order", pickle_new_farray(doc, "<f8", SHAPE(2, 0, 3), NULL));
    add(b, "much", pickle_new_array(doc, "u1", SHAPE(PATTERN), b->pattern));
}

static void add_views(builder *b)
{
    pickle_doc *doc = b->doc;
    pickle_array whole, part;

    pickle_get_array(pickle_new_array(doc, "<i4", SHAPE(4, 6), b->pattern), &whole);
    add(b, "view", pickle_new_array_view(doc, &whole));
    part = whole;
    part.shape[0] = 2;
    part.shape[1] = 2;
    part.strides[0] *= 2;
    part.strides[1] *= 3;
    add(b, "strided view", pickle_new_array_view(doc, &part));
    part = whole;
    part.shape[0] = whole.shape[1];
    part.shape[1] = whole.shape[0];
    part.strides[0] = whole.strides[1];
    part.strides[1] = whole.strides[0];
    add(b, "transposed view", pickle_new_array_view(doc, &part));
    part = whole;
    part.data = (const unsigned char *)whole.data + 3 * whole.strides[0];
    part.strides[0] = -whole.strides[0];
    add(b, "reversed view", pickle_new_array_view(doc, &part));
    pickle_get_array(pickle_new_array(doc, records[1], SHAPE(2), b->pattern), &whole);
    add(b, "view of records", pickle_new_array_view(doc, &whole));
    pickle_array_field(&whole, "b", &part);
    add(b, "view of a field", pickle_new_array_view(doc, &part));
    pickle_get_array(pickle_new_scalar(doc, ">f8", b->pattern), &part);
    add(b, "view of a scalar", pickle_new_array_view(doc, &part));
}

static void add_object_arrays(builder *b)
{
    pickle_doc *doc = b->doc;
    const pickle_val *text = pickle_new_str(doc, "text"), *number = pickle_new_float(doc, 2.5);
    const pickle_val *inner = pickle_new_array(doc, "<f8", SHAPE(2), b->pattern), *array;
    const pickle_val *items[] = { text,  number, pickle_new_none(doc),
                                  inner, text,   pickle_new_list(doc) };
    pickle_array view;
    int64_t swap;

    array = pickle_new_object_array(doc, SHAPE(2, 3), items);
    add(b, "objects", array);
    add(b, "object", pickle_new_object_array(doc, 0, NULL, items));
    add(b, "no objects", pickle_new_object_array(doc, SHAPE(0), NULL));
    add(b, "objects in objects", pickle_new_object_array(doc, SHAPE(1), &array));
    pickle_get_array(array, &view);
    add(b, "view of objects", pickle_new_array_view(doc, &view));
    swap = view.shape[0], view.shape[0] = view.shape[1], view.shape[1] = swap;
    swap = view.strides[0], view.strides[0] = view.strides[1], view.strides[1] = swap;
    add(b, "transposed view of objects", pickle_new_array_view(doc, &view));
}

static void add_numpy(builder *b)
{
    add_codes(b);
    add_records(b);
    add_shapes(b);
    add_views(b);
    add_object_arrays(b);
}

/* ----------------------------------------------------------- scipy, pandas */

/* The 2 by 3 matrix [[1, 0, 2], [0, 3, 0]]. */
static void add_sparse(builder *b, const char *kind)
{
    static const double data[] = { 1, 2, 3 }, by_column[] = { 1, 3, 2 };
    static const double blocks[] = { 1, 0, 0, 3, 2, 0 };
    static const int32_t row_starts[] = { 0, 2, 3 }, columns[] = { 0, 2, 1 };
    static const int32_t column_starts[] = { 0, 1, 2, 3 }, rows[] = { 0, 1, 0 };
    static const int32_t block_starts[] = { 0, 3 }, block_columns[] = { 0, 1, 2 };
    static const int32_t each_row[] = { 0, 0, 1 };
    pickle_doc *doc = b->doc;
    char csr[16], csc[16], bsr[16], coo[16];

    snprintf(csr, sizeof csr, "csr_%s", kind);
    snprintf(csc, sizeof csc, "csc_%s", kind);
    snprintf(bsr, sizeof bsr, "bsr_%s", kind);
    snprintf(coo, sizeof coo, "coo_%s", kind);
    add(b, csr,
        pickle_new_sparse(doc, csr, 2, 3, pickle_new_array(doc, "<f8", SHAPE(3), data),
                          pickle_new_array(doc, "<i4", SHAPE(3), columns),
                          pickle_new_array(doc, "<i4", SHAPE(3), row_starts)));
    add(b, csc,
        pickle_new_sparse(doc, csc, 2, 3, pickle_new_array(doc, "<f8", SHAPE(3), by_column),
                          pickle_new_array(doc, "<i4", SHAPE(3), rows),
                          pickle_new_array(doc, "<i4", SHAPE(4), column_starts)));
    add(b, bsr,
        pickle_new_sparse(doc, bsr, 2, 3, pickle_new_array(doc, "<f8", SHAPE(3, 2, 1), blocks),
                          pickle_new_array(doc, "<i4", SHAPE(3), block_columns),
                          pickle_new_array(doc, "<i4", SHAPE(2), block_starts)));
    add(b, coo,
        pickle_new_coo(doc, coo, 2, 3, pickle_new_array(doc, "<f8", SHAPE(3), data),
                       pickle_new_array(doc, "<i4", SHAPE(3), each_row),
                       pickle_new_array(doc, "<i4", SHAPE(3), columns)));
}

static void add_scipy(builder *b)
{
    add_sparse(b, "matrix");
}

static void add_sparray(builder *b)
{
    add_sparse(b, "array");
}

static void add_pandas(builder *b)
{
    static const int64_t numbers[] = { 3, 1, 2 }, times[] = { 0, 1000000000, INT64_MIN };
    static const double floats[] = { 0.5, 1.5, 2.5 };
    static const char *const names[] = { "z", "a", "when", "text" };
    pickle_doc *doc = b->doc;
    const pickle_val *texts[] = { pickle_new_str(doc, "x"), pickle_new_str(doc, "y"),
                                  pickle_new_none(doc) };
    const pickle_val *ints = pickle_new_array(doc, "<i8", SHAPE(3), numbers);
    const pickle_val *columns[] = { ints, pickle_new_array(doc, "<f8", SHAPE(3), floats),
                                    pickle_new_array(doc, "<M8[ns]", SHAPE(3), times),
                                    pickle_new_object_array(doc, SHAPE(3), texts) };
    pickle_val *list = pickle_new_list(doc);
    const pickle_val *series;

    for (int i = 0; i < 3; i++)
        pickle_append(doc, list, pickle_new_int(doc, 10 * i));
    series = pickle_new_series(doc, "name", columns[1], list);
    add(b, "frame", pickle_new_dataframe(doc, 4, names, columns, NULL));
    add(b, "frame with index", pickle_new_dataframe(doc, 2, names, columns, list));
    add(b, "frame of lists and series",
        pickle_new_dataframe(doc, 2, names, (const pickle_val *[]){ list, series }, list));
    add(b, "empty frame", pickle_new_dataframe(doc, 0, NULL, NULL, NULL));
    add(b, "series", pickle_new_series(doc, NULL, ints, NULL));
    add(b, "named series", series);
}

/* -------------------------------------------------------------------- main */

static const struct {
    const char *name;
    void (*add)(builder *b);
} groups[] = { { "plain", add_plain }, { "buffers", add_buffers }, { "numpy", add_numpy },
               { "scipy", add_scipy }, { "sparray", add_sparray }, { "pandas", add_pandas } };

static bool fill(builder *b, const char *group)
{
    b->values = pickle_new_dict(b->doc);
    for (size_t i = 0; i < PATTERN; i++)
        b->pattern[i] = (unsigned char)(i % 251);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(group, groups[i].name) == 0) {
            groups[i].add(b);
            return true;
        }
    return false;
}

static bool store(const builder *b, char **argv)
{
    bool joblib = strncmp(argv[3], "joblib", 6) == 0;
    int protocol = atoi(argv[2]);
    pickle_error err;
    bool ok = pickle_write_file(
        b->doc, argv[1],
        pickle_write_opts(.protocol = protocol ? protocol : PICKLE_PROTOCOL_0,
                          .format = joblib ? PICKLE_FORMAT_JOBLIB : PICKLE_FORMAT_PICKLE,
                          .compression = { .codec = pickle_codec_from_path(argv[3]) },
                          .joblib = joblib ? atoi(argv[3] + 6) : 0, .numpy = atoi(argv[4])),
        &err);

    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    return ok;
}

int main(int argc, char **argv)
{
    builder b = { .doc = pickle_doc_new(NULL) };
    bool ok;

    if (argc < 6 || argc > 7 || !b.doc || !fill(&b, argv[5])) {
        fputs("usage: build PATH PROTOCOL CONTAINER NUMPY GROUP [NAME]\n", stderr);
        return 2;
    }
    pickle_set_root(b.doc, argc == 7 ? pickle_get(b.values, argv[6]) : b.values);
    ok = store(&b, argv);
    pickle_doc_free(b.doc);
    return !ok;
}
