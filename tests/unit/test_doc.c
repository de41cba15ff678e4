/*
 * test_doc.c - the accessors of <pickle/doc.h>: values, containers, objects, paths.
 * The pickles are written by hand; what they mean is what Python says they mean.
 */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docs.h"

#include <pickle/pickle.h>

/* ------------------------------------------------------------------- helpers */

#define ZEROS4 "\0\0\0\0"
#define ZEROS8 ZEROS4 ZEROS4

static void check_kind(const pickle_val *v, pickle_kind kind)
{
    ck_assert_str_eq(pickle_kind_name(pickle_kind_of(v)), pickle_kind_name(kind));
}

static void check_text(const pickle_val *v, const char *want, size_t want_len)
{
    ck_assert_ptr_nonnull(pickle_str(v));
    ck_assert_uint_eq(pickle_len(v), want_len);
    ck_assert_mem_eq(pickle_str(v), want, want_len + 1); /* and the NUL */
}

static void check_global(const pickle_val *v, const char *module, const char *name)
{
    check_kind(v, PICKLE_GLOBAL);
    ck_assert_str_eq(pickle_module(v), module);
    ck_assert_str_eq(pickle_name(v), name);
    ck_assert(pickle_is_global(v, module, name));
    ck_assert(!pickle_is_global(v, module, "x"));
    ck_assert(!pickle_is_global(v, "x", name));
}

/* ---------------------------------------------------------------------- NULL */

static bool never(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    (void)ctx, (void)v, (void)depth, (void)seen;
    ck_abort_msg("there is nothing to visit");
    return false;
}

/* What gives no value of anything: NULL, and a value of no use. */
static void check_nothing(const pickle_val *v)
{
    const char *rest = NULL;
    pickle_array a;
    pickle_change c;
    bool b = true;
    uint64_t u = 3;
    int64_t i = 3;

    ck_assert(!pickle_get_bool(v, &b) && b);
    ck_assert(!pickle_get_i64(v, &i) && i == 3);
    ck_assert(!pickle_get_u64(v, &u) && u == 3);
    ck_assert_int_eq(pickle_i64_or(v, -7), -7);
    ck_assert_uint_eq(pickle_int_bytes(v, NULL, 0), 0);
    ck_assert(!pickle_str_is(v, "") && !pickle_is_utf8(v));
    ck_assert_uint_eq(pickle_len(v), 0);
    ck_assert_ptr_null(pickle_str(v));
    ck_assert_ptr_null(pickle_bytes(v, NULL));
    ck_assert_ptr_null(pickle_at(v, 0));
    ck_assert_ptr_null(pickle_get(v, ""));
    ck_assert_ptr_null(pickle_get_int(v, 0));
    ck_assert_ptr_null(pickle_get_val(v, v));
    ck_assert(!pickle_has(v, v));
    ck_assert_ptr_null(pickle_attr(v, "x"));
    ck_assert_ptr_null(pickle_find(v, "x[0]['y']"));
    ck_assert_ptr_eq(pickle_find(v, ""), v);
    ck_assert_ptr_eq(pickle_find_prefix(v, "x", &rest), v);
    ck_assert_str_eq(rest, "x");
    ck_assert_ptr_null(pickle_module(v));
    ck_assert_ptr_null(pickle_name(v));
    ck_assert_ptr_null(pickle_raw_module(v));
    ck_assert_ptr_null(pickle_raw_name(v));
    ck_assert(!pickle_is_global(v, "x", "y") && !pickle_is_a(v, "x", "y"));
    ck_assert_int_eq((int)pickle_call_of(v), 0);
    ck_assert_ptr_null(pickle_callable(v));
    ck_assert_ptr_null(pickle_args(v));
    ck_assert_ptr_null(pickle_kwargs(v));
    ck_assert_ptr_null(pickle_state(v));
    ck_assert_ptr_null(pickle_class(v));
    ck_assert(!pickle_first_change(v, &c));
    ck_assert_ptr_null(pickle_id(v));
    ck_assert(!pickle_is_readonly(v));
    ck_assert(!pickle_get_array(v, &a));
}

START_TEST(test_nothing)
{
    const pickle_val *key, *value;
    pickle_doc *doc = READ("N.");
    double x = 3;

    check_nothing(NULL);
    check_kind(NULL, PICKLE_MISSING);
    ck_assert(!pickle_get_f64(NULL, &x) && x == 3);
    ck_assert(pickle_f64_or(NULL, 0.5) == 0.5);
    ck_assert(!pickle_is_utf8(NULL));
    pickle_foreach (NULL, key, value)
        ck_abort_msg("there is nothing to go through");
    ck_assert(pickle_walk(NULL, never, NULL, NULL));
    check_nothing(pickle_root(doc));
    check_kind(pickle_root(doc), PICKLE_NONE);
    ck_assert(!pickle_has(pickle_root(doc), NULL));
    ck_assert_ptr_null(pickle_find(pickle_root(doc), NULL));
    pickle_doc_free(doc);
    pickle_doc_free(NULL);
    ck_assert_ptr_null(pickle_root(NULL));
    ck_assert_int_eq(pickle_protocol(NULL), 0);
    ck_assert_uint_eq(pickle_consumed(NULL) + pickle_trailing(NULL) + pickle_memory(NULL), 0);
    ck_assert_ptr_nonnull(pickle_kind_name((pickle_kind)99));
}
END_TEST

START_TEST(test_kinds)
{
    static const pickle_kind kinds[] = {
        PICKLE_NONE,  PICKLE_BOOL,      PICKLE_INT,    PICKLE_FLOAT,  PICKLE_STR,
        PICKLE_BYTES, PICKLE_BYTEARRAY, PICKLE_TUPLE,  PICKLE_LIST,   PICKLE_DICT,
        PICKLE_SET,   PICKLE_FROZENSET, PICKLE_GLOBAL, PICKLE_OBJECT, PICKLE_PERSID,
        PICKLE_EXT,   PICKLE_BUFFER,
    };
    static const char *const names[] = {
        "None",  "bool", "int",  "float", "str",       "bytes",  "bytearray",
        "tuple", "list", "dict", "set",   "frozenset", "global", "object",
    };
    pickle_doc *doc = READ("(N\x88K\x01G" ZEROS8 "\x8c\0C\0\x96" ZEROS8 ")]}\x8f(\x91"
                           "cos\nsystem\ncos\nsystem\n)RPx\n\x82\x05\x97t.");
    const pickle_val *root = pickle_root(doc), *key, *value;
    size_t n = 0;

    pickle_foreach (root, key, value) {
        ck_assert_ptr_null(key);
        check_kind(value, kinds[n]);
        if (n < 14)
            ck_assert_str_eq(pickle_kind_name(kinds[n]), names[n]);
        n++;
    }
    ck_assert_uint_eq(n, sizeof kinds / sizeof *kinds);
    ck_assert_uint_eq(pickle_len(root), n);
    ck_assert_ptr_null(pickle_at(root, n));
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- numbers */

typedef struct number {
    const char *data;
    size_t len;
    bool fits_i64, fits_u64;
    uint64_t bits; /* of both */
    double real;   /* what float() gives; infinite: OverflowError */
    size_t bytes;  /* bit_length of n or ~n, // 8 + 1; 0: not asked */
} number;

#define NUMBER(text, i64, u64, bits, real, bytes)           \
    {                                                       \
        text, sizeof(text) - 1, i64, u64, bits, real, bytes \
    }

START_TEST(test_ints)
{
    static const number rows[] = {
        NUMBER("K\0.", true, true, 0, 0, 0),
        NUMBER("\x8a\0.", true, true, 0, 0, 0),
        NUMBER("\x88.", true, true, 1, 1, 0),
        NUMBER("K\x7f.", true, true, 127, 127, 1),
        NUMBER("K\x80.", true, true, 128, 128, 2),
        NUMBER("M\xff\xff.", true, true, 65535, 65535, 3),
        NUMBER("J\xff\xff\xff\xff.", true, false, UINT64_MAX, -1, 1),
        NUMBER("\x8a\x02\x80\xff.", true, false, (uint64_t)-128, -128, 1),
        NUMBER("J\0\0\0\x80.", true, false, (uint64_t)INT32_MIN, -0x1p31, 4),
        NUMBER("I4294967296\n.", true, true, UINT64_C(1) << 32, 0x1p32, 5),
        NUMBER("L1152921504606846976L\n.", true, true, UINT64_C(1) << 60, 0x1p60, 8),
        NUMBER("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", true, true, INT64_MAX, 0x1p63, 8),
        NUMBER("\x8a\x08" ZEROS4 "\0\0\0\x80.", true, false, (uint64_t)INT64_MIN, -0x1p63, 8),
        NUMBER("\x8a\x09" ZEROS4 "\0\0\0\x80\0.", false, true, UINT64_C(1) << 63, 0x1p63, 9),
        NUMBER("L18446744073709551615L\n.", false, true, UINT64_MAX, 0x1p64, 9),
        NUMBER("L18446744073709551616L\n.", false, false, 0, 0x1p64, 9),
        NUMBER("L-9223372036854775809L\n.", false, false, 0, -0x1p63, 9),
        NUMBER("L9007199254740993L\n.", true, true, UINT64_C(9007199254740993), 0x1p53, 7),
        NUMBER("L9007199254740995L\n.", true, true, UINT64_C(9007199254740995), 0x1p53 + 4, 7),
        NUMBER("L1180591620717411303424L\n.", false, false, 0, 0x1p70, 9),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pickle_doc *doc = docs_read(rows[i].data, rows[i].len, NULL);
        const pickle_val *v = pickle_root(doc);
        unsigned char bytes[16];
        int64_t n = 42;
        uint64_t u = 42;
        double x = 42;

        ck_assert_msg(pickle_get_i64(v, &n) == rows[i].fits_i64, "row %d", (int)i);
        ck_assert_msg(n == (rows[i].fits_i64 ? (int64_t)rows[i].bits : 42), "row %d", (int)i);
        ck_assert_msg(pickle_get_u64(v, &u) == rows[i].fits_u64, "row %d", (int)i);
        ck_assert_msg(u == (rows[i].fits_u64 ? rows[i].bits : 42), "row %d", (int)i);
        ck_assert_msg(pickle_get_f64(v, &x) && x == rows[i].real, "row %d: %g", (int)i, x);
        if (rows[i].bytes)
            ck_assert_msg(pickle_int_bytes(v, bytes, sizeof bytes) == rows[i].bytes, "row %d",
                          (int)i);
        pickle_doc_free(doc);
    }
}
END_TEST

START_TEST(test_big_ints)
{
    pickle_doc *doc = READ("(\x8a\x09" ZEROS8 "\xff\x8a\x02\xff\xff\x88\x89K\x05t.");
    const pickle_val *root = pickle_root(doc), *v = pickle_at(root, 0);
    unsigned char bytes[12];
    bool b = false;

    memset(bytes, 'x', sizeof bytes);
    ck_assert_uint_eq(pickle_int_bytes(v, bytes, 4), 9); /* -2**64 */
    ck_assert_mem_eq(bytes, "\0\0\0\0xxxxxxxx", 12);
    ck_assert_uint_eq(pickle_int_bytes(v, bytes, sizeof bytes), 9);
    ck_assert_mem_eq(bytes, ZEROS8 "\xffxxx", 12);
    ck_assert_uint_eq(pickle_int_bytes(v, NULL, 0), 9);
    ck_assert_uint_eq(pickle_int_bytes(pickle_at(root, 1), bytes, 12), 1); /* -1 */
    ck_assert_mem_eq(bytes, "\xff", 1);
    check_repr(v, "-18446744073709551616");
    ck_assert(pickle_get_bool(pickle_at(root, 2), &b) && b);
    ck_assert(pickle_get_bool(pickle_at(root, 3), &b) && !b);
    ck_assert(!pickle_get_bool(pickle_at(root, 4), &b));
    ck_assert_int_eq(pickle_i64_or(pickle_at(root, 2), 9), 1);
    ck_assert_int_eq(pickle_i64_or(v, 9), 9);
    pickle_doc_free(doc);
}
END_TEST

/* float() of an int beyond the range of doubles is an error in Python. */
START_TEST(test_huge_int)
{
    char data[1 + 4 + 129 + 1] = "\x8b\x81";
    pickle_doc *doc;
    double x = 42;

    data[5 + 128] = 1; /* 2**1024 */
    data[5 + 129] = '.';
    doc = docs_read(data, sizeof data, NULL);
    ck_assert_uint_eq(pickle_int_bytes(pickle_root(doc), NULL, 0), 129);
    ck_assert(!pickle_get_f64(pickle_root(doc), &x) && x == 42);
    ck_assert(pickle_f64_or(pickle_root(doc), 7) == 7);
    pickle_doc_free(doc);
    data[5 + 128] = 0;
    data[5 + 127] = 0x7f; /* below 2**1024 */
    doc = docs_read(data, sizeof data, NULL);
    ck_assert(pickle_get_f64(pickle_root(doc), &x) && x == 0x7fp1016);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_floats)
{
    pickle_doc *doc = READ("(G\x3f\xf8\0\0\0\0\0\0G\x80\0\0\0\0\0\0\0G\x7f\xf8\0\0\0\0\0\0"
                           "G\x7f\xf0\0\0\0\0\0\0G\0\0\0\0\0\0\0\x01"
                           "F0.1\nF-0\nFnan\nF-inf\nt.");
    static const double want[] = {
        1.5, -0.0, NAN, INFINITY, DBL_TRUE_MIN, 0.1, -0.0, NAN, -INFINITY
    };
    const pickle_val *root = pickle_root(doc);
    int64_t n = 5;

    for (size_t i = 0; i < 9; i++) {
        double x = 42;

        check_kind(pickle_at(root, i), PICKLE_FLOAT);
        ck_assert(pickle_get_f64(pickle_at(root, i), &x));
        ck_assert(isnan(want[i]) ? isnan(x) : x == want[i] && !signbit(x) == !signbit(want[i]));
        ck_assert(!pickle_get_i64(pickle_at(root, i), &n) && n == 5);
    }
    check_repr(root, "(1.5, -0.0, nan, inf, 5e-324, 0.1, -0.0, nan, -inf)");
    pickle_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------- text and bytes */

START_TEST(test_str)
{
    pickle_doc *doc = READ("(\x8c\x03"
                           "a\0bX\x03\0\0\0\xed\xa0\x80V\\ud83d\\ude00\nVa\\u0000b\n"
                           "\x8c\0\x8c\x02\xc3\xa9t.");
    const pickle_val *root = pickle_root(doc), *lone = pickle_at(root, 1);

    check_text(pickle_at(root, 0), "a\0b", 3);
    ck_assert(pickle_is_utf8(pickle_at(root, 0)));
    ck_assert(!pickle_str_is(pickle_at(root, 0), "a"));
    check_text(lone, "\xed\xa0\x80", 3);
    ck_assert(!pickle_is_utf8(lone));
    check_text(pickle_at(root, 2), "\xed\xa0\xbd\xed\xb8\x80", 6); /* two, not U+1F600 */
    ck_assert(!pickle_is_utf8(pickle_at(root, 2)));
    check_text(pickle_at(root, 3), "a\0b", 3);
    check_text(pickle_at(root, 4), "", 0);
    ck_assert(pickle_str_is(pickle_at(root, 4), ""));
    ck_assert(pickle_str_is(pickle_at(root, 5), "\xc3\xa9"));
    ck_assert_ptr_null(pickle_bytes(pickle_at(root, 0), NULL));
    check_repr(root, "('a\\x00b', '\\ud800', '\\ud83d\\ude00', 'a\\x00b', '', '\xc3\xa9')");
    pickle_doc_free(doc);
}
END_TEST

/* Python 2's 'caf\xe9' and 'caf\xc3\xa9'. */
static void check_py2(const pickle_read_opts *opts, const char *first, const char *second)
{
    pickle_doc *doc = READ_WITH("(U\x04"
                                "caf\xe9T\x05\0\0\0caf\xc3\xa9S'caf\\xe9'\nU\x03"
                                "abct.",
                                opts);
    const pickle_val *root = pickle_root(doc);

    check_bytes(pickle_at(root, 0), "caf\xe9", 4);
    check_bytes(pickle_at(root, 1), "caf\xc3\xa9", 5);
    check_bytes(pickle_at(root, 2), "caf\xe9", 4);
    check_bytes(pickle_at(root, 3), "abc", 3);
    if (first) {
        check_text(pickle_at(root, 0), first, strlen(first));
        check_text(pickle_at(root, 1), second, strlen(second));
        check_text(pickle_at(root, 2), first, strlen(first));
        check_text(pickle_at(root, 3), "abc", 3);
    } else {
        check_kind(pickle_at(root, 0), PICKLE_BYTES);
        check_kind(pickle_at(root, 3), PICKLE_BYTES);
        ck_assert_ptr_null(pickle_str(pickle_at(root, 3)));
    }
    pickle_doc_free(doc);
}

/* The texts are b'caf\xe9'.decode(encoding, errors). */
START_TEST(test_py2_str)
{
    const char *latin1 = "caf\xc3\xa9", *latin1_2 = "caf\xc3\x83\xc2\xa9";

    check_py2(NULL, latin1, latin1_2);
    check_py2(pickle_read_opts(.encoding = "latin1"), latin1, latin1_2);
    check_py2(pickle_read_opts(.strict = true, .encoding = "latin1"), latin1, latin1_2);
    check_py2(pickle_read_opts(.encoding = "bytes"), NULL, NULL);
    check_py2(pickle_read_opts(.encoding = "utf-8", .errors = "replace"), "caf\xef\xbf\xbd",
              "caf\xc3\xa9");
    check_py2(pickle_read_opts(.encoding = "utf-8", .errors = "surrogateescape"), "caf\xed\xb3\xa9",
              "caf\xc3\xa9");
    check_py2(pickle_read_opts(.encoding = "ascii", .errors = "replace"), "caf\xef\xbf\xbd",
              "caf\xef\xbf\xbd\xef\xbf\xbd");
    check_py2(pickle_read_opts(.strict = true, .errors = "surrogateescape"), "caf\xed\xb3\xa9",
              "caf\xed\xb3\x83\xed\xb2\xa9");
}
END_TEST

START_TEST(test_bytes)
{
    pickle_doc *doc = READ("\x80\x02(c_codecs\nencode\n(X\x04\0\0\0a\0\xc3\xa9X\x06\0\0\0latin1tR"
                           "c__builtin__\nbytes\n)RC\x02\xff\0\x96\x01\0\0\0" ZEROS4 "x"
                           "c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0utf-8tRt.");
    const pickle_val *root = pickle_root(doc);

    check_bytes(pickle_at(root, 0), "a\0\xe9", 3);
    check_bytes(pickle_at(root, 1), "", 0);
    check_bytes(pickle_at(root, 2), "\xff", 2);
    check_bytes(pickle_at(root, 3), "x", 1);
    ck_assert_ptr_null(pickle_bytes(pickle_at(root, 4), NULL));
    check_kind(pickle_at(root, 0), PICKLE_OBJECT);
    ck_assert(pickle_is_global(pickle_callable(pickle_at(root, 0)), "_codecs", "encode"));
    ck_assert_uint_eq(pickle_len(pickle_at(root, 2)), 2);
    ck_assert_uint_eq(pickle_len(pickle_at(root, 3)), 1);
    pickle_doc_free(doc);
}
END_TEST

/* ----------------------------------------------------------------- dicts, sets */

/* {1: 'one', 2**70: 'big', 0.5: 'half', 'a': 'str', b'a': 'bytes', None: 'none',
 *  (1, 'x'): 'tuple', frozenset({1, 2}): 'set', nan: 'nan', -1: 'minus', 2**53 + 1: 'odd'} */
#define TEXT(n, s) "\x8c" n s
#define KEYS                                                                                                                                         \
    "}(K\x01" TEXT("\x03", "one") "L1180591620717411303424L\n" TEXT(                                                                                 \
        "\x03", "big") "G\x3f\xe0\0\0\0\0\0\0" TEXT("\x04", "half") TEXT("\x01", "a")                                                                \
        TEXT(                                                                                                                                        \
            "\x03",                                                                                                                                  \
            "str") "C\x01"                                                                                                                           \
                   "a" TEXT("\x05", "bytes") "N" TEXT("\x04", "none") "K\x01" TEXT("\x01", "x") "\x86" TEXT("\x05", "tuple") "(K\x01K\x02\x91" TEXT( \
                       "\x03",                                                                                                                       \
                       "set") "Fnan\nq\x09" TEXT("\x03",                                                                                             \
                                                 "nan") "J\xff\xff\xff\xff" TEXT("\x05",                                                             \
                                                                                 "minus") "L90071"                                                   \
                                                                                          "992547"                                                   \
                                                                                          "40993L"                                                   \
                                                                                          "\n" TEXT(                                                 \
                                                                                              "\x03",                                                \
                                                                                              "od"                                                   \
                                                                                              "d") "u"

typedef struct lookup {
    const char *data;
    size_t len;
    const char *want; /* NULL: no such key */
} lookup;

#define LOOKUP(text, want)           \
    {                                \
        text, sizeof(text) - 1, want \
    }

START_TEST(test_equality)
{
    static const lookup rows[] = {
        LOOKUP("K\x01", "one"),
        LOOKUP("\x88", "one"),
        LOOKUP("F1.0\n", "one"),
        LOOKUP("\x8a\x03\x01\0\0", "one"),
        LOOKUP("F1180591620717411303424.0\n", "big"),
        LOOKUP("\x8a\x09" ZEROS8 "\x40", "big"),
        LOOKUP("\x8a\x09\x01\0\0\0" ZEROS4 "\x40", NULL),
        LOOKUP("F0.5\n", "half"),
        LOOKUP("K\0", NULL),
        LOOKUP("\x89", NULL),
        LOOKUP("Va\n", "str"),
        LOOKUP("U\x01"
               "a",
               "str"), /* latin1 text */
        LOOKUP("B\x01\0\0\0a", "bytes"),
        LOOKUP("N", "none"),
        LOOKUP("F1.0\nVx\n\x86", "tuple"),
        LOOKUP("\x88Vx\n\x86", "tuple"),
        LOOKUP("K\x01"
               "C\x01x\x86",
               NULL),
        LOOKUP("K\x01\x85", NULL),
        LOOKUP("(K\x02\x88\x91", "set"),
        LOOKUP("(F2.0\nK\x01\x91", "set"),
        LOOKUP("(K\x02\x91", NULL),
        LOOKUP("h\x09", "nan"),
        LOOKUP("Fnan\n", NULL),
        LOOKUP("F-1\n", "minus"),
        LOOKUP("\x8a\x01\xfe", NULL), /* hash(-2) == hash(-1) */
        LOOKUP("L9007199254740993L\n", "odd"),
        LOOKUP("F9007199254740993\n", NULL), /* that float is 2**53 */
        LOOKUP("cbuiltins\nint\n", NULL),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char data[512] = KEYS;
        size_t len = sizeof KEYS - 1;
        const pickle_val *dict, *key;
        pickle_doc *doc;

        memcpy(data + len, rows[i].data, rows[i].len);
        memcpy(data + len + rows[i].len, "\x86.", 2);
        doc = docs_read(data, len + rows[i].len + 2, NULL);
        dict = pickle_at(pickle_root(doc), 0);
        key = pickle_at(pickle_root(doc), 1);
        ck_assert_uint_eq(pickle_len(dict), 11);
        ck_assert_msg(pickle_has(dict, key) == (rows[i].want != NULL), "row %d", (int)i);
        if (rows[i].want)
            ck_assert_msg(pickle_str_is(pickle_get_val(dict, key), rows[i].want), "row %d", (int)i);
        else
            ck_assert_msg(!pickle_get_val(dict, key), "row %d", (int)i);
        pickle_doc_free(doc);
    }
}
END_TEST

START_TEST(test_lookup)
{
    pickle_doc *doc = READ(KEYS ".");
    const pickle_val *dict = pickle_root(doc);

    ck_assert(pickle_str_is(pickle_get(dict, "a"), "str"));
    ck_assert_ptr_null(pickle_get(dict, "b"));
    ck_assert(pickle_str_is(pickle_get_int(dict, 1), "one"));
    ck_assert(pickle_str_is(pickle_get_int(dict, -1), "minus"));
    ck_assert(pickle_str_is(pickle_get_int(dict, INT64_C(9007199254740993)), "odd"));
    ck_assert_ptr_null(pickle_get_int(dict, INT64_C(9007199254740992)));
    ck_assert_ptr_null(pickle_at(dict, 0));
    pickle_doc_free(doc);
    doc = READ("}(F1.0\nVf\nFinf\nVi\n\x89Vn\nu.");
    ck_assert(pickle_str_is(pickle_get_int(pickle_root(doc), 1), "f"));
    ck_assert(pickle_str_is(pickle_get_int(pickle_root(doc), 0), "n"));
    pickle_doc_free(doc);
}
END_TEST

/* {1: 'a', True: 'b', 'k': 1, 1.0: 'c', 'k': 2} is {1: 'c', 'k': 2} */
START_TEST(test_duplicates)
{
    pickle_doc *doc = READ("}(K\x01Va\n\x88Vb\nVk\nK\x01"
                           "F1.0\nVc\nVk\nK\x02u.");
    const pickle_val *dict = pickle_root(doc);

    ck_assert_uint_eq(pickle_len(dict), 2);
    check_repr(dict, "{1: 'c', 'k': 2}");
    ck_assert(pickle_str_is(pickle_get_int(dict, 1), "c"));
    pickle_doc_free(doc);
    doc = READ("(\x88K\x01K\x02"
               "F2.0\nVa\n\x91.");
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 3);
    check_repr(pickle_root(doc), "frozenset({True, 2, 'a'})");
    pickle_doc_free(doc);
    doc = READ("}Va\nK\x01sVb\nK\x02sVa\nK\x03s.");
    check_repr(pickle_root(doc), "{'a': 3, 'b': 2}");
    pickle_doc_free(doc);
}
END_TEST

/* {i % 100: i for i in range(n)}: 99 at 100 keys, each with its last value. */
static void check_many(size_t n)
{
    size_t len = 2, keys = n < 100 ? n : 100, seen = 0;
    char *data = malloc(8 * n + 8);
    const pickle_val *dict, *key, *value;
    pickle_doc *doc;

    ck_assert_ptr_nonnull(data);
    memcpy(data, "}(", 2);
    for (size_t i = 0; i < n; i++, len += 5) {
        const char pair[] = { 'K', (char)(i % 100), 'M', (char)i, (char)(i >> 8) };

        memcpy(data + len, pair, 5);
    }
    memcpy(data + len, "u.", 2);
    doc = docs_read(data, len + 2, NULL);
    dict = pickle_root(doc);
    ck_assert_uint_eq(pickle_len(dict), keys);
    for (size_t i = 0; i < keys; i++)
        check_int(pickle_get_int(dict, (int64_t)i), (int64_t)((n - 1 - i) / 100 * 100 + i));
    pickle_foreach (dict, key, value)
        check_int(key, (int64_t)seen++);
    ck_assert_uint_eq(seen, keys);
    pickle_doc_free(doc);
    free(data);
}

START_TEST(test_many_keys)
{
    static const size_t counts[] = { 1, 7, 8, 9, 16, 17, 99, 100, 101, 1000, 10001 };

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_many(counts[i]);
}
END_TEST

START_TEST(test_sets)
{
    pickle_doc *doc = READ("\x8f(K\x03K\x01Va\n\x90(K\x02K\x01\x90.");
    const pickle_val *set = pickle_root(doc), *key, *value;
    static const char *const want[] = { "3", "1", "'a'", "2" };
    size_t n = 0;

    ck_assert_uint_eq(pickle_len(set), 4);
    pickle_foreach (set, key, value) {
        ck_assert_ptr_null(key);
        ck_assert_ptr_eq(value, pickle_at(set, n));
        check_repr(value, want[n++]);
        ck_assert(pickle_has(set, value));
    }
    ck_assert_uint_eq(n, 4);
    ck_assert_ptr_null(pickle_at(set, 4));
    ck_assert_ptr_null(pickle_get(set, "a"));
    ck_assert(!pickle_has(set, set));
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------- sharing, cycles */

typedef struct counts {
    size_t visits, again, deepest, stop_at;
} counts;

static bool count(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    counts *c = ctx;

    ck_assert_ptr_nonnull(v);
    c->visits++;
    c->again += seen;
    c->deepest = depth > c->deepest ? depth : c->deepest;
    return c->visits != c->stop_at;
}

/* a = []; [a, a, [], ()] */
START_TEST(test_sharing)
{
    pickle_doc *doc = READ("(]q\x01h\x01])t.");
    const pickle_val *root = pickle_root(doc);
    counts c = { .visits = 0 };

    ck_assert_ptr_eq(pickle_at(root, 0), pickle_at(root, 1));
    ck_assert_ptr_ne(pickle_at(root, 0), pickle_at(root, 2));
    ck_assert(pickle_walk(root, count, &c, NULL));
    ck_assert_uint_eq(c.visits, 5);
    ck_assert_uint_eq(c.again, 1);
    ck_assert_uint_eq(c.deepest, 1);
    c = (counts){ .stop_at = 2 };
    ck_assert(!pickle_walk(root, count, &c, NULL));
    ck_assert_uint_eq(c.visits, 2);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_cycles)
{
    pickle_doc *doc = READ("]q\0(h\0K\x05h\0\x85}q\x01Vd\nh\x01se.");
    const pickle_val *root = pickle_root(doc), *dict = pickle_at(root, 3);
    counts c = { .visits = 0 };

    ck_assert_ptr_eq(pickle_at(root, 0), root);
    ck_assert_ptr_eq(pickle_find(root, "[0][2][0][3].d.d"), dict);
    check_repr(root, "[[...], 5, ([...],), {'d': {...}}]");
    ck_assert(pickle_walk(root, count, &c, NULL));
    ck_assert_uint_eq(c.again, 3);
    pickle_doc_free(doc);
    doc = READ("]q\0h\0\x85q\x01"
               "ah\x01.");
    check_repr(pickle_root(doc), "([(...)],)");
    pickle_doc_free(doc);
}
END_TEST

/* --------------------------------------------------------------------- objects */

#define CLASS "cmod\nC\n"

/* Several BUILDs; states that are a dict, slots, and both. */
START_TEST(test_attributes)
{
    pickle_doc *doc = READ("(" CLASS ")\x81}Va\nK\x01sb"
                           "(}Vb\nK\x02s}Vs\nK\x03stb"
                           "N}Vt\nK\x04s\x86"
                           "b}Va\nK\x05sb"
                           "" CLASS ")\x81K\x07"
                           "bt.");
    const pickle_val *v = pickle_at(pickle_root(doc), 0), *odd = pickle_at(pickle_root(doc), 1);

    check_int(pickle_attr(v, "a"), 5);
    check_int(pickle_attr(v, "b"), 2);
    check_int(pickle_attr(v, "s"), 3);
    check_int(pickle_attr(v, "t"), 4);
    ck_assert_ptr_null(pickle_attr(v, "c"));
    check_repr(pickle_state(v), "{'a': 5}");
    check_int(pickle_state(odd), 7);
    ck_assert_ptr_null(pickle_attr(odd, "a"));
    pickle_doc_free(doc);
}
END_TEST

/* Every kind of call. */
START_TEST(test_calls)
{
    static const pickle_call calls[] = { PICKLE_CALL_REDUCE, PICKLE_CALL_NEWOBJ,
                                         PICKLE_CALL_NEWOBJ_EX, PICKLE_CALL_INST, PICKLE_CALL_OBJ };
    pickle_doc *doc = READ("(" CLASS "K\x01\x85R" CLASS "K\x01\x85\x81" CLASS
                           "K\x01\x85}Vk\nK\x02s\x92(K\x01imod\nC\n(" CLASS "K\x01ot.");

    for (size_t i = 0; i < 5; i++) {
        const pickle_val *v = pickle_at(pickle_root(doc), i);

        check_kind(v, PICKLE_OBJECT);
        ck_assert_int_eq(pickle_call_of(v), calls[i]);
        check_global(pickle_callable(v), "mod", "C");
        check_global(pickle_class(v), "mod", "C");
        ck_assert(pickle_is_a(v, "mod", "C"));
        check_repr(pickle_args(v), "(1,)");
        ck_assert_ptr_null(pickle_state(v));
        if (calls[i] == PICKLE_CALL_NEWOBJ_EX)
            check_repr(pickle_kwargs(v), "{'k': 2}");
        else
            ck_assert_ptr_null(pickle_kwargs(v));
    }
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_changes)
{
    static const pickle_change_kind kinds[] = { PICKLE_CHANGE_APPENDS, PICKLE_CHANGE_BUILD,
                                                PICKLE_CHANGE_SETITEMS, PICKLE_CHANGE_ADDITEMS,
                                                PICKLE_CHANGE_APPENDS };
    static const char *const values[] = { "[1, 2]", "{}", "{'k': 4}", "{5}", "[6]" };
    pickle_doc *doc = READ(CLASS ")RK\x01"
                                 "a(K\x02"
                                 "e}b(Vk\nK\x03uVk\nK\x04s(K\x05\x90K\x06"
                                 "a.");
    const pickle_val *v = pickle_root(doc), *key, *value;
    pickle_change c;
    size_t n = 0;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c), n++) {
        ck_assert_uint_lt(n, 5);
        ck_assert_int_eq(c.kind, kinds[n]);
        check_repr(c.value, values[n]);
    }
    ck_assert_uint_eq(n, 5);
    ck_assert_uint_eq(pickle_len(v), 3);
    check_int(pickle_at(v, 0), 1);
    check_int(pickle_at(v, 2), 6);
    check_int(pickle_get(v, "k"), 4);
    n = 0;
    pickle_foreach (v, key, value)
        n++;
    ck_assert_uint_eq(n, 5);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_class)
{
    pickle_doc *doc;
    const pickle_val *root, *v;

    doc = READ("\x80\x02(ccopy_reg\n_reconstructor\n(" CLASS "c__builtin__\nobject\nNtR"
               "c__builtin__\nunicode\nc__builtin__\nset\nccPickle\nloads\n"
               "c__builtin__\nwhatever\nt.");
    root = pickle_root(doc);
    v = pickle_at(root, 0);
    check_global(pickle_class(v), "mod", "C");
    check_global(pickle_callable(v), "copyreg", "_reconstructor");
    ck_assert_str_eq(pickle_raw_module(pickle_callable(v)), "copy_reg");
    check_global(pickle_at(root, 1), "builtins", "str");
    ck_assert_str_eq(pickle_raw_name(pickle_at(root, 1)), "unicode");
    ck_assert_str_eq(pickle_raw_module(pickle_at(root, 1)), "__builtin__");
    check_global(pickle_at(root, 2), "builtins", "set");
    check_global(pickle_at(root, 3), "pickle", "loads");
    check_global(pickle_at(root, 4), "builtins", "whatever");
    pickle_doc_free(doc);
    doc = READ("\x80\x03"
               "c__builtin__\nunicode\n.");
    check_global(pickle_root(doc), "__builtin__", "unicode");
    pickle_doc_free(doc);
    doc = READ_WITH("c__builtin__\nunicode\n.", pickle_read_opts(.no_fix_imports = true));
    check_global(pickle_root(doc), "__builtin__", "unicode");
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_references)
{
    static const pickle_extension ext[] = { { 5, "mod", "C" }, { 70000, "mod", "D" } };
    const pickle_read_opts *opts = pickle_read_opts(.extensions = ext, .n_extensions = 2);
    pickle_doc *doc =
        READ_WITH("(\x82\x05\x84\x70\x11\x01\0\x83\x06\0Pabc\nK\x01Vx\n\x86Qt.", opts);
    const pickle_val *root = pickle_root(doc);

    check_global(pickle_at(root, 0), "mod", "C");
    check_global(pickle_at(root, 1), "mod", "D");
    check_kind(pickle_at(root, 2), PICKLE_EXT);
    check_int(pickle_id(pickle_at(root, 2)), 6);
    check_kind(pickle_at(root, 3), PICKLE_PERSID);
    ck_assert(pickle_str_is(pickle_id(pickle_at(root, 3)), "abc"));
    check_repr(pickle_id(pickle_at(root, 4)), "(1, 'x')");
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_buffers)
{
    static const pickle_buffer buffers[] = { { "abc", 3, false }, { NULL, 0, true } };
    const pickle_read_opts *opts = pickle_read_opts(.buffers = buffers, .n_buffers = 2);
    pickle_doc *doc = READ_WITH("\x80\x05(\x97\x97\x98t.", opts);
    const pickle_val *v = pickle_at(pickle_root(doc), 0);

    check_kind(v, PICKLE_BUFFER);
    check_bytes(v, "abc", 3);
    ck_assert_ptr_eq(pickle_bytes(v, NULL), buffers[0].data);
    ck_assert(!pickle_is_readonly(v));
    v = pickle_at(pickle_root(doc), 1);
    check_bytes(v, "", 0);
    ck_assert(pickle_is_readonly(v));
    pickle_doc_free(doc);
    doc = READ_WITH("\x80\x05\x97\x98.", opts);
    check_bytes(pickle_root(doc), "abc", 3);
    ck_assert(pickle_is_readonly(pickle_root(doc)));
    pickle_doc_free(doc);
    doc = READ("\x80\x05\x97.");
    check_kind(pickle_root(doc), PICKLE_BUFFER);
    ck_assert_ptr_null(pickle_bytes(pickle_root(doc), NULL));
    pickle_doc_free(doc);
}
END_TEST

/* ----------------------------------------------------------------------- paths */

typedef struct way {
    const char *path, *want, *rest; /* want: the repr of what is found, or of what was reached */
} way;

START_TEST(test_paths)
{
    static const way ways[] = {
        { "[0].coef_", "7", "" },
        { "[0].d.coef_", "8", "" },
        { "[0].d['coef_']", "8", "" },
        { "[0][0]", "'zero'", "" },
        { "[0][1]", "'one'", "" },
        { "[0][-1]", "'one'", "" },
        { "[0][5]", "'five'", "" },
        { "[0].key", "'item'", "" },
        { "[0]['key']", "'item'", "" },
        { "[-1]['a b'][\"it's\"]", "1", "" },
        { "[-1]['a b']['it\\'s']", "1", "" },
        { "[-1].a b.it's", "1", "" },
        { "[1]['\\n']", "2", "" },
        { "[1]['\\x0a']", "2", "" },
        { "[1]['\\xe9']", "3", "" },
        { "[1]['\\u00e9']", "3", "" },
        { "[1]['\xc3\xa9']", "3", "" },
        { "[1].\xc3\xa9", "3", "" },
        { "[1][-1]", "'minus'", "" },
        { "[1]['x\\x00y']", "4", "" },
        { "[0].d.coef_.x", "8", ".x" },
        { "[0].d.coef_[0]", "8", "[0]" },
        { "[0].d[0]", "{'coef_': 8}", "[0]" },
        { "[1]['a b'", "", "['a b'" },
        { "[1]['a b'].x.y", "{\"it's\": 1}", ".x.y" },
        { "[0].d.", "{'coef_': 8}", "." },
        { "[0].d..coef_", "{'coef_': 8}", "..coef_" },
        { "[0].d[]", "{'coef_': 8}", "[]" },
        { "[0].d[99999999999999999999]", "{'coef_': 8}", "[99999999999999999999]" },
        { "[0].d['\\q']", "{'coef_': 8}", "['\\q']" },
        { "[0].d coef_", "", ".d coef_" },
        { "[0]d", "", "d" },
        { "[2]", "", "[2]" },
        { "[-3]", "", "[-3]" },
        { "x", "", "x" },
    };
    pickle_doc *doc = READ("(" CLASS ")R}(Vcoef_\nK\x07Vd\n}Vcoef_\nK\x08sub(Vzero\nVone\ne"
                           "(K\x05Vfive\nVkey\nVitem\nu"
                           "}(Va b\n}Vit's\nK\x01sV\\u000a\nK\x02V\\u00e9\nK\x03J\xff\xff\xff\xff"
                           "Vminus\nVx\\u0000y\nK\x04ut.");
    const pickle_val *root = pickle_root(doc);
    const char *rest;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const pickle_val *v = pickle_find(root, ways[i].path);

        ck_assert_msg((v != NULL) == !*ways[i].rest, "%s", ways[i].path);
        if (v)
            check_repr(v, ways[i].want);
        v = pickle_find_prefix(root, ways[i].path, &rest);
        ck_assert_msg(strcmp(rest, ways[i].rest) == 0, "%s: %s", ways[i].path, rest);
        if (*ways[i].want)
            check_repr(v, ways[i].want);
    }
    ck_assert_ptr_eq(pickle_find(root, ""), root);
    ck_assert_ptr_eq(pickle_find_prefix(root, "", &rest), root);
    ck_assert_str_eq(rest, "");
    pickle_doc_free(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("doc");
    TCase *tc = tcase_create("doc");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_nothing);
    tcase_add_test(tc, test_kinds);
    tcase_add_test(tc, test_ints);
    tcase_add_test(tc, test_big_ints);
    tcase_add_test(tc, test_huge_int);
    tcase_add_test(tc, test_floats);
    tcase_add_test(tc, test_str);
    tcase_add_test(tc, test_py2_str);
    tcase_add_test(tc, test_bytes);
    tcase_add_test(tc, test_equality);
    tcase_add_test(tc, test_lookup);
    tcase_add_test(tc, test_duplicates);
    tcase_add_test(tc, test_many_keys);
    tcase_add_test(tc, test_sets);
    tcase_add_test(tc, test_sharing);
    tcase_add_test(tc, test_cycles);
    tcase_add_test(tc, test_attributes);
    tcase_add_test(tc, test_calls);
    tcase_add_test(tc, test_changes);
    tcase_add_test(tc, test_class);
    tcase_add_test(tc, test_references);
    tcase_add_test(tc, test_buffers);
    tcase_add_test(tc, test_paths);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
