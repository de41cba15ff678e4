/*
 * test_pandas.c - what frames, indexes and columns of pandas may not be: contradictory, endless,
 * huge, in each other; and what little pandas itself has lost.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "frames.h"
#include "views.h"

/* ------------------------------------------------------------------- pickles */

#define I(n) "I" #n "\n"

/* A dtype; an array of `len` bytes, which is one character, its shape given as opcodes. */
#define DTYPE(code) "cnumpy\ndtype\n(V" code "\nI00\nI01\ntR"
#define ARRAY(code, len, bytes, shape) \
    "cnumpy.core.numeric\n_frombuffer\n(C" len bytes DTYPE(code) "(" shape "tVC\ntR"
/* int64: 1, 2; 1, 2, 3 */
#define ONE_TWO  ARRAY("i8", "\x10", "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", I(2))
#define TO_THREE ARRAY("i8", "\x18", "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", I(3))
/* Bytes, as int8. */
#define ONE(a)         ARRAY("i1", "\1", a, I(1))
#define PAIR(a, b)     ARRAY("i1", "\2", a b, I(2))
#define THREE(a, b, c) ARRAY("i1", "\3", a b c, I(3))

/* Called with a class and a dict, as every index is. */
#define INDEX(class, parts) \
    "cpandas.core.indexes.base\n_new_Index\n(cpandas\n" class "\n(" parts "dtR"
#define RANGE(start, stop, step) \
    INDEX("RangeIndex", "Vstart\nI" #start "\nVstop\nI" #stop "\nVstep\nI" #step "\n")
#define LABELS(values)          INDEX("Index", "Vdata\n" values)
#define MULTI(levels, codes)    INDEX("MultiIndex", "Vlevels\n(" levels "lVcodes\n(" codes "l")
#define ENDS(left, right, rest) INDEX("IntervalIndex", "Vleft\n" left "Vright\n" right rest)

/* An object with attributes. */
#define OBJECT(class, attrs)    "c" class "\n)\x81(" attrs "db"
#define EXTENSION(class, attrs) OBJECT("pandas.arrays\n" class, attrs)
#define CATEGORICAL(codes, categories)                                      \
    OBJECT("pandas\nCategorical",                                           \
           "V_codes\n" codes "V_dtype\n" OBJECT("pandas\nCategoricalDtype", \
                                                "Vcategories\n" categories "Vordered\nI00\n"))

#define SLICE(start, stop, step) "c__builtin__\nslice\n(I" #start "\nI" #stop "\nI" #step "\ntR"
#define BLOCK(values, place)     "cpandas._libs.internals\n_unpickle_block\n(" values place "I2\ntR"
#define MANAGER(blocks, axes) \
    "cpandas.core.internals.managers\nBlockManager\n((" blocks "t" axes "tR"
#define FRAME(blocks, labels, index) \
    OBJECT("pandas\nDataFrame", "V_mgr\n" MANAGER(blocks, "(" labels index "l"))
#define SERIES(block, index) \
    OBJECT("pandas\nSeries", "V_mgr\n" MANAGER(block, "(" index "l") "V_name\nN")

/* Two columns of two rows: 1 3, 2 4. */
#define SQUARE                                                                              \
    ARRAY("i8", "\x20", "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0", \
          I(2) I(2))
#define TWO RANGE(0, 2, 1)

#define SPARSE(values, index)                                                    \
    EXTENSION("SparseArray", "V_sparse_values\n" values "V_sparse_index\n" index \
                             "V_dtype\n" OBJECT("pandas\nSparseDtype", "V_fill_value\nI0\n"))
#define INT_INDEX(length, places) "cpandas._libs.sparse\nIntIndex\n(I" #length "\n" places "tR"
#define BLOCK_INDEX(length, starts, lengths) \
    "cpandas._libs.sparse\nBlockIndex\n(I" #length "\n" starts lengths "tR"

#define ALIAS(type) "cpyarrow.lib\ntype_for_alias\n(V" type "\ntR"
/* Arrow: text of 32-bit offsets, or a type of numbers. */
#define PIECE(type, length, offset, buffers)                                                   \
    "cpyarrow.lib\n_restore_array\n((" ALIAS(type) "I" #length "\nI0\nI" #offset "\n(" buffers \
                                                   "l(lNttR"
#define BUFFER(len, bytes) "cpyarrow.lib\npy_buffer\n(C" len bytes "tR"
#define ARROW(pieces)                                                    \
    EXTENSION("ArrowExtensionArray",                                     \
              "V_pa_array\ncpyarrow.lib\nchunked_array\n((" pieces "ltR" \
              "V_dtype\n" OBJECT("pandas\nArrowDtype", "Vpyarrow_dtype\n" ALIAS("string")))
#define TEXT(offsets) ARROW(PIECE("string", 2, 0, "N" BUFFER("\xc", offsets) BUFFER("\3", "abc")))

typedef struct sample {
    const char *what, *data;
    size_t len;
} sample;

#define SAMPLE(what, pickle)                     \
    {                                            \
        what, pickle ".", sizeof(pickle ".") - 1 \
    }
#define SAMPLES(list) (int)(sizeof(list) / sizeof *(list))

static pickle_doc *read_sample(const sample *s)
{
    pickle_error err = { 0 };
    pickle_doc *doc = pickle_read(s->data, s->len, NULL, &err);

    ck_assert_msg(doc != NULL, "%s: %s", s->what, err.message);
    return doc;
}

/* A value of pandas, all of whose columns and cells can be had. */
static bool is_whole(const pickle_val *v)
{
    pickle_dataframe df;
    pickle_series series;
    pickle_index index;
    pickle_column column;
    pickle_buf text = { 0 };
    bool whole = (pickle_get_dataframe(v, &df) || pickle_get_series(v, &series) ||
                  pickle_get_index(v, &index) || pickle_get_column(v, &column)) &&
                 frames_describe(v, pickle_sink_buf(&text));

    pickle_buf_free(&text);
    return whole;
}

/* ------------------------------------------------------- contradictory, endless */

/* What the others differ from in one thing. */
static const sample fine[] = {
    SAMPLE("frame", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), TWO, TWO)),
    SAMPLE("places in an array", FRAME(BLOCK(SQUARE, PAIR("\0", "\1")), TWO, TWO)),
    SAMPLE("places that fall", FRAME(BLOCK(SQUARE, PAIR("\1", "\0")), TWO, TWO)),
    SAMPLE("slice that falls", FRAME(BLOCK(SQUARE, SLICE(1, -1, -1)), TWO, TWO)),
    SAMPLE("two blocks",
           FRAME(BLOCK(SQUARE, SLICE(2, 4, 1)) BLOCK(SQUARE, SLICE(0, 2, 1)), RANGE(0, 4, 1), TWO)),
    SAMPLE("series", SERIES(BLOCK(ONE_TWO, SLICE(0, 2, 1)), TWO)),
    SAMPLE("range down", RANGE(5, 0, -2)),
    SAMPLE("index", LABELS(ONE_TWO)),
    SAMPLE("levels", MULTI(TWO, PAIR("\1", "\377"))),
    SAMPLE("interval", ENDS(TWO, LABELS(ONE_TWO), "Vclosed\nVleft\n")),
    SAMPLE("codes", CATEGORICAL(PAIR("\0", "\377"), TWO)),
    SAMPLE("mask",
           EXTENSION("IntegerArray", "V_data\n" ONE_TWO "V_mask\n" ARRAY("?", "\2", "\0\1", I(2)))),
    SAMPLE("positions", SPARSE(ONE_TWO, INT_INDEX(3, PAIR("\0", "\2")))),
    SAMPLE("runs", SPARSE(TO_THREE, BLOCK_INDEX(4, PAIR("\0", "\2"), PAIR("\1", "\2")))),
    SAMPLE("text", TEXT("\0\0\0\0\1\0\0\0\3\0\0\0")),
    SAMPLE("numbers", ARROW(PIECE("int8", 2, 1, "N" BUFFER("\3", "abc")))),
};

static const sample bad[] = {
    SAMPLE("frame without axes", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), , )),
    SAMPLE("three axes", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), TWO TWO, TWO)),
    SAMPLE("axes that are no indexes", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), ONE_TWO, ONE_TWO)),
    SAMPLE("axis that is a frame", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)),
                                         FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), TWO, TWO), TWO)),
    SAMPLE("axes in themselves",
           OBJECT("pandas\nDataFrame", "V_mgr\n" MANAGER("", "(lp0\ng0\nag0\na"))),
    SAMPLE("manager that is the frame", OBJECT("pandas\nDataFrame", "") "p0\n(V_mgr\ng0\ndb"),
    SAMPLE("manager that is a number", OBJECT("pandas\nDataFrame", "V_mgr\nI1\n")),
    SAMPLE("index in itself", "(dp0\n0cpandas.core.indexes.base\n_new_Index\n(cpandas\nIndex\ng0\n"
                              "tRp1\n0g0\nVdata\ng1\nsg1\n"),
    SAMPLE("more rows in a block", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), TWO, RANGE(0, 3, 1))),
    SAMPLE("fewer rows in a block", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), TWO, RANGE(0, 1, 1))),
    SAMPLE("no block for a column", FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)), RANGE(0, 3, 1), TWO)),
    SAMPLE("place beyond the lines", FRAME(BLOCK(SQUARE, SLICE(0, 3, 1)), RANGE(0, 3, 1), TWO)),
    SAMPLE("place before the first", FRAME(BLOCK(SQUARE, SLICE(-1, 2, 1)), TWO, TWO)),
    SAMPLE("places in steps of none", FRAME(BLOCK(SQUARE, SLICE(0, 2, 0)), TWO, TWO)),
    SAMPLE("one place for two lines", FRAME(BLOCK(SQUARE, PAIR("\1", "\1")), TWO, TWO)),
    SAMPLE("places below zero", FRAME(BLOCK(SQUARE, PAIR("\377", "\376")), TWO, TWO)),
    SAMPLE("places that are floats",
           FRAME(BLOCK(SQUARE, ARRAY("f2", "\4", "\0\0\0\0", I(2))), TWO, TWO)),
    SAMPLE("places that are text", FRAME(BLOCK(SQUARE, "Vab\n"), TWO, TWO)),
    SAMPLE("block of three dimensions",
           FRAME(BLOCK(ARRAY("i1", "\4", "abcd", I(2) I(2) I(1)), SLICE(0, 2, 1)), TWO, TWO)),
    SAMPLE("block that is no block", FRAME("I1\n", TWO, TWO)),
    SAMPLE("block of an index of levels",
           FRAME(BLOCK(MULTI(TWO, PAIR("\0", "\1")), SLICE(0, 2, 1)), TWO, TWO)),
    SAMPLE("series without a block", SERIES("", TWO)),
    SAMPLE("series of another length", SERIES(BLOCK(ONE_TWO, SLICE(0, 2, 1)), RANGE(0, 3, 1))),
    SAMPLE("range without a step", RANGE(0, 5, 0)),
    SAMPLE("range of floats", INDEX("RangeIndex", "Vstart\nF0.5\nVstop\nI2\nVstep\nI1\n")),
    SAMPLE("range by the lowest number", RANGE(0, -1, -9223372036854775808)),
    SAMPLE("range beyond 64 bits", RANGE(-9223372036854775808, 9223372036854775807, 1)),
    SAMPLE("labels of two dimensions", LABELS(SQUARE)),
    SAMPLE("labels in a list", LABELS("(I1\nI2\nl")),
    SAMPLE("no labels", INDEX("Index", "")),
    SAMPLE("levels of unlike length", MULTI(TWO TWO, PAIR("\0", "\1") ONE("\0"))),
    SAMPLE("levels without codes", MULTI(TWO TWO, PAIR("\0", "\1"))),
    SAMPLE("no levels", MULTI(, )),
    SAMPLE("code beyond a level", MULTI(TWO, PAIR("\0", "\2"))),
    SAMPLE("codes that are floats", MULTI(TWO, ARRAY("f2", "\4", "\0\0\0\0", I(2)))),
    SAMPLE("level that has levels", MULTI(MULTI(TWO, PAIR("\0", "\1")), PAIR("\0", "\1"))),
    SAMPLE("ends of unlike length", ENDS(TWO, RANGE(0, 3, 1), "Vclosed\nVleft\n")),
    SAMPLE("no right end", ENDS(TWO, "N", "Vclosed\nVleft\n")),
    SAMPLE("closed as nobody knows", ENDS(TWO, TWO, "Vclosed\nVmiddle\n")),
    SAMPLE("ends that are intervals",
           ENDS(ENDS(TWO, TWO, "Vclosed\nVleft\n"), TWO, "Vclosed\nVleft\n")),
    SAMPLE("ends that are codes",
           ENDS(LABELS(CATEGORICAL(PAIR("\0", "\0"), TWO)), TWO, "Vclosed\nVleft\n")),
    SAMPLE("ends in themselves",
           "(dp0\n0cpandas.core.indexes.base\n_new_Index\n(cpandas\nIntervalIndex\ng0\ntRp1\n0g0\n"
           "(Vleft\ng1\nVright\ng1\nVclosed\nVleft\nug1\n"),
    SAMPLE("code beyond the categories", CATEGORICAL(PAIR("\0", "\2"), TWO)),
    SAMPLE("codes without categories", CATEGORICAL(PAIR("\0", "\1"), "N")),
    SAMPLE("categories that have categories",
           CATEGORICAL(ONE("\0"), LABELS(CATEGORICAL(PAIR("\0", "\1"), TWO)))),
    SAMPLE("categories in themselves",
           OBJECT("pandas\nCategorical", "") "p0\n(V_codes\n" ONE("\0") "V_dtype\n" OBJECT(
               "pandas\nCategoricalDtype", "Vcategories\n" LABELS("g0\n")) "db"),
    SAMPLE("mask that is longer", EXTENSION("IntegerArray", "V_data\n" ONE_TWO "V_mask\n" ARRAY(
                                                                "?", "\3", "\0\1\0", I(3)))),
    SAMPLE("mask that is shorter",
           EXTENSION("IntegerArray", "V_data\n" ONE_TWO "V_mask\n" ARRAY("?", "\1", "\0", I(1)))),
    SAMPLE("mask of numbers", EXTENSION("IntegerArray", "V_data\n" ONE_TWO "V_mask\n" ONE_TWO)),
    SAMPLE("no mask", EXTENSION("IntegerArray", "V_data\n" ONE_TWO)),
    SAMPLE("more positions than values", SPARSE(ONE_TWO, INT_INDEX(3, THREE("\0", "\1", "\2")))),
    SAMPLE("positions without a length", SPARSE(ONE_TWO, "cpandas._libs.sparse\nIntIndex\n(tR")),
    SAMPLE("runs below zero", SPARSE(TO_THREE, INT_INDEX(-1, THREE("\0", "\1", "\2")))),
    SAMPLE("runs without all lengths",
           SPARSE(TO_THREE, BLOCK_INDEX(4, PAIR("\0", "\2"), ONE("\1")))),
    SAMPLE("runs beyond the values", SPARSE(ONE_TWO, BLOCK_INDEX(4, ONE("\0"), ONE("\4")))),
    SAMPLE("moments that are numbers", EXTENSION("DatetimeArray", "V_ndarray\n" ONE_TWO)),
    SAMPLE("periods without a frequency", EXTENSION("PeriodArray", "V_ndarray\n" ONE_TWO)),
    SAMPLE("text of numbers", EXTENSION("StringArray", "V_ndarray\n" ONE_TWO)),
    SAMPLE("array in itself", EXTENSION("NumpyExtensionArray", "") "p0\n(V_ndarray\ng0\ndb"),
    SAMPLE("offsets that go back", TEXT("\0\0\0\0\3\0\0\0\2\0\0\0")),
    SAMPLE("offsets beyond the text", TEXT("\0\0\0\0\1\0\0\0\4\0\0\0")),
    SAMPLE("offsets below zero", TEXT("\377\377\377\377\0\0\0\0\1\0\0\0")),
    SAMPLE("too few offsets",
           ARROW(PIECE("string", 2, 1,
                       "N" BUFFER("\xc", "\0\0\0\0\0\0\0\0\0\0\0\0") BUFFER("\1", "a")))),
    SAMPLE("no offsets", ARROW(PIECE("string", 2, 0, "NNN"))),
    SAMPLE("offset beyond the numbers", ARROW(PIECE("int8", 2, 2, "N" BUFFER("\3", "abc")))),
    SAMPLE("offset below zero", ARROW(PIECE("int8", 2, -1, "N" BUFFER("\3", "abc")))),
    SAMPLE("more numbers than bytes", ARROW(PIECE("int16", 2, 0, "N" BUFFER("\3", "abc")))),
    SAMPLE("more numbers than there are",
           ARROW(PIECE("int64", 9223372036854775807, 0, "N" BUFFER("\3", "abc")))),
    SAMPLE("fewer bits than numbers",
           ARROW(PIECE("int8", 9, 0, BUFFER("\1", "\377") BUFFER("\x9", "123456789")))),
    SAMPLE("type that nobody knows", ARROW(PIECE("int7", 2, 0, "N" BUFFER("\3", "abc")))),
    SAMPLE("buffers that are text", ARROW(PIECE("int8", 2, 0, "NVab\n"))),
    SAMPLE("pieces that are numbers", ARROW("I1\nI2\n")),
    SAMPLE("pieces in themselves",
           EXTENSION("ArrowExtensionArray", "V_pa_array\ncpyarrow.lib\nchunked_array\n"
                                            "((lp0\ng0\natR")),
};

static void check_sample(const sample *s, bool whole)
{
    pickle_doc *doc = read_sample(s);

    ck_assert_msg(is_whole(pickle_root(doc)) == whole, "%s", s->what);
    views_look(doc);
    pickle_doc_free(doc);
}

START_TEST(test_fine)
{
    check_sample(&fine[_i], true);
}
END_TEST

START_TEST(test_bad)
{
    check_sample(&bad[_i], false);
}
END_TEST

/* Which of two blocks has a place, is not said anywhere; but it is always the same one. */
START_TEST(test_overlapping)
{
    static const sample twice =
        SAMPLE("overlapping",
               FRAME(BLOCK(SQUARE, SLICE(0, 2, 1)) BLOCK(SQUARE, SLICE(0, 2, 1)), TWO, TWO));
    pickle_doc *doc = read_sample(&twice);
    pickle_dataframe df;
    pickle_column a, b;
    int64_t n;

    ck_assert(pickle_get_dataframe(pickle_root(doc), &df));
    for (uint64_t i = 0; i < 2; i++) {
        ck_assert(pickle_dataframe_column(&df, i, &a) && pickle_dataframe_column(&df, i, &b));
        ck_assert_ptr_eq(a.values.data, b.values.data);
        ck_assert(pickle_column_i64(&a, 1, &n));
        ck_assert_int_eq(n, i ? 4 : 2);
    }
    ck_assert(!pickle_dataframe_column(&df, 2, &a));
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------------- huge */

/* More rows and columns than can be gone through take no time by themselves. */
START_TEST(test_huge_frame)
{
    static const sample huge = SAMPLE(
        "huge", FRAME("", RANGE(0, 9223372036854775807, 1), RANGE(0, 9223372036854775807, 1)));
    pickle_doc *doc = read_sample(&huge);
    pickle_dataframe df;
    pickle_column c;
    int64_t n;

    ck_assert(pickle_get_dataframe(pickle_root(doc), &df));
    ck_assert_uint_eq(df.rows, INT64_MAX);
    ck_assert_uint_eq(df.columns, INT64_MAX);
    ck_assert(!pickle_dataframe_find(&df, "a", &c));
    ck_assert(!pickle_dataframe_column(&df, df.columns - 1, &c));
    ck_assert(pickle_index_level(&df.index, 0, &c));
    ck_assert(pickle_column_i64(&c, df.rows - 1, &n) && n == INT64_MAX - 1);
    ck_assert(!pickle_column_i64(&c, df.rows, &n));
    views_look(doc);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_huge_sparse)
{
    static const sample huge =
        SAMPLE("huge", SPARSE(ONE_TWO, INT_INDEX(9223372036854775807, PAIR("\3", "\5"))));
    pickle_doc *doc = read_sample(&huge);
    pickle_column c;
    int64_t n;

    ck_assert(pickle_get_column(pickle_root(doc), &c));
    ck_assert_uint_eq(c.count, INT64_MAX);
    ck_assert(pickle_column_i64(&c, c.count - 1, &n) && n == 0);
    ck_assert(pickle_column_i64(&c, 5, &n) && n == 2);
    ck_assert(!pickle_column_i64(&c, c.count, &n));
    pickle_doc_free(doc);
}
END_TEST

/* The lowest and the highest number, forwards and backwards. */
START_TEST(test_range)
{
    static const sample ranges[] = {
        SAMPLE("up", RANGE(-9223372036854775808, 3, 9223372036854775807)),
        SAMPLE("down", RANGE(9223372036854775807, -9223372036854775807, -9223372036854775807)),
        SAMPLE("none", RANGE(5, 9, -1)),
    };
    static const int64_t last[] = { -1, 0 };
    static const uint64_t count[] = { 2, 2, 0 };

    for (int i = 0; i < SAMPLES(ranges); i++) {
        pickle_doc *doc = read_sample(&ranges[i]);
        pickle_column c;
        int64_t n;

        ck_assert(pickle_get_column(pickle_root(doc), &c));
        ck_assert_msg(c.count == count[i], "%s", ranges[i].what);
        ck_assert(!pickle_column_i64(&c, c.count, &n));
        if (c.count)
            ck_assert(pickle_column_i64(&c, c.count - 1, &n) && n == last[i]);
        pickle_doc_free(doc);
    }
}
END_TEST

/* ------------------------------------------------------------------ nothing at all */

START_TEST(test_null)
{
    pickle_dataframe df;
    pickle_series series;
    pickle_index index;
    pickle_column c;
    pickle_timestamp stamp;
    pickle_period period;
    pickle_interval interval;
    pickle_offset offset;
    pickle_buf text = { 0 };

    ck_assert(!pickle_get_dataframe(NULL, &df) && !pickle_get_series(NULL, &series));
    ck_assert(!pickle_get_index(NULL, &index) && !pickle_get_column(NULL, &c));
    ck_assert(!pickle_get_timestamp(NULL, &stamp) && !pickle_get_pandas_timedelta(NULL, &stamp));
    ck_assert(!pickle_get_period(NULL, &period) && !pickle_get_interval(NULL, &interval));
    ck_assert(!pickle_get_offset(NULL, &offset) && !pickle_is_missing(NULL));
    ck_assert(!pickle_pandas_text(NULL, pickle_sink_buf(&text)));
    pickle_buf_free(&text);
}
END_TEST

/* ------------------------------------------------------------------- what was lost */

/* interval_range(0, 2, closed='both', name='i') of pandas 1.1.0, which reads it as "right". */
START_TEST(test_closed_lost)
{
    static const char data[] =
        "\x80\4\x95\xae\1\0\0\0\0\0\0\x8c\x1cpandas.core.indexes.interval\x94\x8c\x12_new_Inter"
        "valIndex\x94\x93\x94h\0\x8c\rIntervalIndex\x94\x93\x94}\x94(\x8c\4left\x94\x8c\x18pandas"
        ".core.indexes.base\x94\x8c\n_new_Index\x94\x93\x94\x8c\x1bpandas.core.indexes.numeric\x94"
        "\x8c\nInt64Index\x94\x93\x94}\x94(\x8c\4data\x94\x8c\x15numpy.core.multiarray\x94\x8c\x0c"
        "_reconstruct\x94\x93\x94\x8c\5numpy\x94\x8c\7ndarray\x94\x93\x94K\0\x85\x94"
        "C\1b\x94\x87"
        "\x94R\x94(K\1K\2\x85\x94h\x12\x8c\5dtype\x94\x93\x94\x8c\2i8\x94K\0K\1\x87\x94R\x94(K\3"
        "\x8c\1<\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t\x94"
        "b\x89"
        "C\x10\0\0\0\0\0\0\0\0"
        "\1\0\0\0\0\0\0\0\x94t\x94"
        "b\x8c\4name\x94Nu\x86\x94R\x94\x8c\5right\x94h\th\x0c}\x94("
        "h\x0eh\x11h\x14K\0\x85\x94h\x16\x87\x94R\x94(K\1K\2\x85\x94h\x1e\x89"
        "C\x10\1\0\0\0\0\0"
        "\0\0\2\0\0\0\0\0\0\0\x94t\x94"
        "bh#Nu\x86\x94R\x94h#\x8c\1i\x94u\x86\x94R\x94.";
    pickle_doc *doc = READ(data);
    pickle_column c;
    pickle_buf text = { 0 };

    ck_assert(pickle_get_column(pickle_root(doc), &c));
    ck_assert_str_eq(c.closed, "right");
    ck_assert(c.label_len == 1 && *c.label == 'i');
    ck_assert(pickle_column_text(&c, 1, pickle_sink_buf(&text)));
    ck_assert(text.len == 6 && memcmp(text.data, "(1, 2]", 6) == 0);
    pickle_buf_free(&text);
    pickle_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------------- other places */

#define ROUNDS 40

/* An xorshift generator: the same numbers everywhere. */
static uint32_t next_number(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

typedef struct place {
    uint64_t offset, size;
    uint32_t memoized; /* values before it */
} place;

/* Where the stream has numbers, text and references; each could be a reference to another value. */
static size_t find_places(const pickle_buf *stream, place *places, size_t most)
{
    pickle_parser p;
    pickle_event ev;
    uint32_t memoized = 0;
    size_t n = 0;

    pickle_parser_init(&p, stream->data, stream->len);
    while (pickle_parser_next(&p, &ev) == PICKLE_OK) {
        memoized += ev.op->code == 'q' || ev.op->code == 'r';
        if (strchr("KMJXhjN]})", ev.op->code) && memoized > 0 && n < most)
            places[n++] = (place){ ev.offset, ev.size, memoized };
    }
    return n;
}

/* The stream with one to three references in it that lead elsewhere: to what does not belong there,
 * and around in circles. */
static void refer_elsewhere(const pickle_buf *stream, const place *places, size_t n,
                            uint32_t *state, pickle_buf *out)
{
    size_t rest = 0, at = next_number(state) % n;

    for (uint32_t left = 1 + next_number(state) % 3; left > 0 && at < n; left--) {
        const place *p = &places[at];
        uint32_t to = next_number(state) % p->memoized;
        unsigned char get[5] = { 'j', (unsigned char)to, (unsigned char)(to >> 8) };

        pickle_sink_buf(out).write(out, stream->data + rest, (size_t)p->offset - rest);
        pickle_sink_buf(out).write(out, get, sizeof get);
        rest = (size_t)(p->offset + p->size);
        at += 1 + next_number(state) % n;
    }
    pickle_sink_buf(out).write(out, stream->data + rest, stream->len - rest);
}

static const char *const files[] = {
    "0.20/frames.p2.pkl",    "0.20/series.p2.pkl",    "0.20/indexes.p2.pkl",
    "0.25/frames.p2.pkl.gz", "0.25/series.p2.pkl.gz", "0.25/scalars.p2.pkl.gz",
    "3.1/frames.p2.pkl.gz",  "3.1/series.p2.pkl.gz",  "3.1/indexes.p2.pkl.gz",
    "3.1/scalars.p2.pkl.gz", "1.2/series.p2.pkl.gz",  "1.2/arrays.p2.pkl.gz",
};

START_TEST(test_elsewhere)
{
    static place places[8192];
    char path[4096];
    pickle_buf stream = { 0 };
    uint32_t state = 20260102;
    size_t size, n, read = 0;
    unsigned char *data;

    snprintf(path, sizeof path, "%s/pandas/%s", files_folder(), files[_i]);
    data = files_read(path, &size);
    ck_assert_msg(data != NULL, "cannot read %s", path);
    if (strstr(files[_i], ".gz") && !files_codec("gzip")) {
        free(data);
        return;
    }
    ck_assert(pickle_inflate(data, size, NULL, &stream, NULL));
    n = find_places(&stream, places, sizeof places / sizeof *places);
    ck_assert_uint_gt(n, 20);
    for (int i = 0; i < ROUNDS; i++) {
        pickle_buf changed = { 0 };
        pickle_doc *doc;

        refer_elsewhere(&stream, places, n, &state, &changed);
        doc = pickle_read(changed.data, changed.len, NULL, NULL);
        read += doc != NULL;
        if (doc)
            views_look(doc);
        pickle_doc_free(doc);
        pickle_buf_free(&changed);
    }
    ck_assert_uint_gt(read, ROUNDS / 3);
    pickle_buf_free(&stream);
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pandas");
    TCase *tc = tcase_create("pandas");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, test_fine, 0, SAMPLES(fine));
    tcase_add_loop_test(tc, test_bad, 0, SAMPLES(bad));
    tcase_add_test(tc, test_overlapping);
    tcase_add_test(tc, test_huge_frame);
    tcase_add_test(tc, test_huge_sparse);
    tcase_add_test(tc, test_range);
    tcase_add_test(tc, test_null);
    tcase_add_test(tc, test_closed_lost);
    tcase_add_loop_test(tc, test_elsewhere, 0, SAMPLES(files));
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
