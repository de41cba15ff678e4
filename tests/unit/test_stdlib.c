/* test_stdlib.c - views of the standard library: paths into them, and objects that are wrong. */
#include <check.h>

#include <pickle/pickle.h>

#include "docs.h"

static void check_shown(const pickle_val *v, const char *want)
{
    pickle_buf b = { 0 };

    ck_assert(pickle_python_repr(v, pickle_sink_buf(&b), 0, NULL));
    ck_assert(pickle_sink_buf(&b).write(&b, "", 1));
    ck_assert_str_eq((const char *)b.data, want);
    pickle_buf_free(&b);
}

/* ------------------------------------------------------------------- containers */

#define DEQUE       "ccollections\ndeque\n"
#define ORDERED     "ccollections\nOrderedDict\n"
#define DEFAULTDICT "ccollections\ndefaultdict\n"
#define CHAINMAP    "ccollections\nChainMap\n"

/* Python 2: a list of pairs; then more, as an object that was changed later would have them. */
START_TEST(pairs_and_items)
{
    pickle_doc *doc = READ("\x80\x02" ORDERED "](](U\1aK\1e](K\2K\2e](G?\xf0\0\0\0\0\0\0K\3ee\x85R"
                           "(U\1bK\4U\1aK\5u.");
    pickle_items items;
    const pickle_val *root = pickle_root(doc), *key, *value;

    ck_assert(pickle_get_items(root, &items));
    ck_assert_int_eq(items.kind, PICKLE_DICT);
    ck_assert_uint_eq(items.count, 5);
    ck_assert(pickle_next_item(&items, &key, &value));
    ck_assert(pickle_str_is(key, "a"));
    check_int(value, 1);
    check_int(pickle_item_get(&items, "a"), 5); /* the last time counts */
    check_int(pickle_item_get(&items, "b"), 4);
    check_int(pickle_item_get_int(&items, 1), 3); /* 1 == 1.0 */
    check_int(
        pickle_item_get_val(&items, pickle_at(pickle_at(pickle_at(pickle_args(root), 0), 1), 0)),
        2);
    ck_assert_ptr_null(pickle_item_get(&items, "c"));
    ck_assert_ptr_null(pickle_item_get_int(&items, 7));
    ck_assert_ptr_null(pickle_item(&items, 0));
    check_int(pickle_find(root, "['a']"), 5);
    check_int(pickle_find(root, "[2]"), 2);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(paths)
{
    /* Of a deque with a bound, a UserDict, a ChainMap, a namedtuple, a set of protocol 2. */
    pickle_doc *doc = READ("\x80\x02(" DEQUE "](K\1K\2K\3eK\2\x86R"
                           "ccollections\nUserDict\n)\x81}U\4data}U\1kK\4ssb" CHAINMAP
                           ")\x81}U\4maps](}U\1xK\5s" ORDERED "](U\1xK\6e\x85R}U\1yK\7sesb"
                           "cm\nPoint\nK\x08K\x09\x86\x81"
                           "cbuiltins\nset\n]K\x0a\x61\x85Rt.");
    const pickle_val *root = pickle_root(doc);

    check_int(pickle_find(root, "[0][0]"), 2);
    check_int(pickle_find(root, "[0][1]"), 3);
    ck_assert_ptr_null(pickle_find(root, "[0][2]"));
    check_int(pickle_find(root, "[1]['k']"), 4);
    check_int(pickle_find(root, "[1].data.k"), 4);
    check_int(pickle_find(root, "[2]['x']"), 5);
    check_int(pickle_find(root, "[3][1]"), 9);
    check_int(pickle_find(root, "[3][-2]"), 8);
    ck_assert_ptr_null(pickle_find(root, "[3][-3]"));
    ck_assert_ptr_null(pickle_find(root, "[3][2]"));
    check_int(pickle_find(root, "[4][0]"), 10);
    pickle_doc_free(doc);
}
END_TEST

/* What is left of a deque when more was given than it holds, before and after it was made. */
START_TEST(deque_that_lost_items)
{
    pickle_doc *doc = READ("\x80\x02" DEQUE "](K\1K\2eK\3\x86R(K\3K\4K\5K\6e.");
    pickle_items items;

    ck_assert(pickle_get_items(pickle_root(doc), &items));
    ck_assert_uint_eq(items.count, 3);
    check_int(pickle_item(&items, 0), 4);
    check_int(pickle_item(&items, 2), 6);
    ck_assert_ptr_null(pickle_item(&items, 3));
    ck_assert_ptr_null(pickle_item(&items, SIZE_MAX));
    check_shown(pickle_root(doc), "deque([4, 5, 6], maxlen=3)");
    pickle_doc_free(doc);
}
END_TEST

/* d['self'] = d, and so on: as Python shows them. */
START_TEST(cycles)
{
    static const struct {
        const char *pickle;
        size_t len;
        const char *want;
    } rows[] = {
#define ROW(pickle, want) { pickle, sizeof(pickle) - 1, want }
        ROW("\x80\x02" ORDERED ")Rq\0K\1h\0s.", "OrderedDict({1: ...})"),
        ROW("\x80\x02" DEQUE ")Rq\0h\0a.", "deque([[...]])"),
        ROW("\x80\x02" DEFAULTDICT ")Rq\0K\1h\0s.", "defaultdict(None, {1: defaultdict(...)})"),
        ROW("\x80\x02]q\0" DEQUE ")Rh\0aa.", "[deque([[...]])]"),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pickle_doc *doc = docs_read(rows[i].pickle, rows[i].len, NULL);

        check_shown(pickle_root(doc), rows[i].want);
        pickle_doc_free(doc);
    }
}
END_TEST

/* A ChainMap of itself, and towers of them that double: a lookup ends, and soon. */
START_TEST(chains)
{
    pickle_doc *doc = docs_new();
    pickle_val *chain = NULL, *below = pickle_new_dict(doc);

    for (int i = 0; i < 100; i++) {
        pickle_val *maps = pickle_new_list(doc), *state = pickle_new_dict(doc);

        pickle_append(doc, maps, below);
        pickle_append(doc, maps, below);
        pickle_set_key(doc, state, "maps", maps);
        chain = pickle_new_instance(doc, "collections", "ChainMap", state);
        below = chain;
    }
    pickle_append(doc, pickle_attr(chain, "maps"), chain);
    ck_assert_ptr_null(pickle_find(chain, "['x']"));
    pickle_set_root(doc, chain);
    docs_done(doc);
}
END_TEST

/* ----------------------------------------------------------- what is contradictory */

/* Each accessor on each: none finds anything, and none reads what is not there. */
static void check_nothing(const pickle_val *v)
{
    union {
        pickle_items items;
        pickle_datetime datetime;
        pickle_timedelta timedelta;
        pickle_tzinfo tzinfo;
        pickle_slice slice;
        pickle_stdarray array;
        pickle_partial partial;
        pickle_exception exception;
        pickle_pattern pattern;
        double real;
        int64_t number;
        unsigned char uuid[16];
    } a, b;
    pickle_buf buf = { 0 };

    ck_assert(!pickle_get_items(v, &a.items));
    ck_assert(!pickle_put_bytes(v, pickle_sink_buf(&buf)));
    ck_assert(!pickle_get_datetime(v, &a.datetime));
    ck_assert(!pickle_get_timedelta(v, &a.timedelta));
    ck_assert(!pickle_get_tzinfo(v, &a.tzinfo));
    ck_assert(!pickle_get_complex(v, &a.real, &b.real));
    ck_assert_ptr_null(pickle_decimal(v));
    ck_assert(!pickle_get_fraction(v, &a.number, &b.number));
    ck_assert(!pickle_get_uuid(v, a.uuid));
    ck_assert(!pickle_get_slice(v, &a.slice));
    ck_assert(!pickle_get_stdarray(v, &a.array));
    ck_assert(!pickle_put_path(v, pickle_sink_buf(&buf)));
    ck_assert(!pickle_get_partial(v, &a.partial));
    ck_assert(!pickle_get_exception(v, &a.exception));
    ck_assert(!pickle_get_pattern(v, &a.pattern));
    pickle_buf_free(&buf);
    ck_assert(pickle_python_repr(v, pickle_sink_buf(&buf), 0, NULL));
    pickle_buf_free(&buf);
}

#define CALL(global, args) "\x80\x03" global args "R."

static const struct {
    const char *pickle;
    size_t len;
} wrong[] = {
#define WRONG(global, args)                               \
    {                                                     \
        CALL(global, args), sizeof CALL(global, args) - 1 \
    }
    WRONG(ORDERED, "](K\1e\x85"),    /* no pairs                  */
    WRONG(ORDERED, "](](K\1ee\x85"), /* a pair of one             */
    WRONG(ORDERED, "K\1\x85"),       /* no container              */
    WRONG("ccollections\nCounter\n", "](K\1e\x85"),
    WRONG(DEQUE, "]J\xff\xff\xff\xff\x86"), /* maxlen -1              */
    WRONG(DEQUE, "]X\1\0\0\0x\x86"),
    WRONG(CHAINMAP, ")"),
    WRONG("cbuiltins\nbytearray\n", "X\3\0\0\0\xe2\x82\xacX\7\0\0\0latin-1\x86"), /* beyond it */
    WRONG("cbuiltins\nbytearray\n", "X\1\0\0\0aX\4\0\0\0utf8\x86"),
    WRONG("cdatetime\ndate\n", ")"),
    WRONG("cdatetime\ndate\n", "C\4\x07\xe4\x0d\1\x85"),     /* month 13       */
    WRONG("cdatetime\ndate\n", "C\4\x07\xe5\2\x1d\x85"),     /* 2021-02-29     */
    WRONG("cdatetime\ndate\n", "C\4\0\0\1\1\x85"),           /* year 0         */
    WRONG("cdatetime\ndate\n", "C\3\x07\xe4\1\x85"),         /* too short      */
    WRONG("cdatetime\ntime\n", "C\6\x18\0\0\0\0\0\x85"),     /* hour 24        */
    WRONG("cdatetime\ntime\n", "C\6\1\0\0\xff\xff\xff\x85"), /* microseconds   */
    WRONG("cdatetime\ndatetime\n", "C\4\x07\xe4\1\1\x85"),
    WRONG("cdatetime\ntimedelta\n", "J\xff\xff\xff\x7fK\0K\0\x87"), /* too many days  */
    WRONG("cdatetime\ntimedelta\n", "X\1\0\0\0xK\0K\0\x87"),
    WRONG("cdatetime\ntimezone\n", "K\1\x85"), /* no timedelta... */
    WRONG("cbuiltins\ncomplex\n", "K\1\x85"),
    WRONG("cdecimal\nDecimal\n", "X\1\0\0\0x\x85"),
    WRONG("cdecimal\nDecimal\n", "K\1\x85"),
    WRONG("cfractions\nFraction\n", "K\1K\0\x86"),
    WRONG("cfractions\nFraction\n", "X\3\0\0\0\x31/0\x85"),
    WRONG("cfractions\nFraction\n", "X\2\0\0\0-/\x85"),
    WRONG("cuuid\nUUID\n", ")"),
    WRONG("cbuiltins\nrange\n", "K\1K\2K\0\x87"), /* step 0         */
    WRONG("cbuiltins\nrange\n", "K\1K\2N\x87"),
    WRONG("carray\narray\n", "X\1\0\0\0x]\x86"), /* typecode       */
    WRONG("carray\n_array_reconstructor\n", "(carray\narray\nX\1\0\0\0dK\x10"
                                            "C\1xt"),
    WRONG("carray\n_array_reconstructor\n", "(carray\narray\nX\1\0\0\0dK\x16"
                                            "C\0t"),
    WRONG("cpathlib\nPosixPath\n", "K\1\x85"),
    WRONG("cfunctools\npartial\n", ")"),
    WRONG("cre\n_compile\n", "K\1K\2\x86"),
};

START_TEST(wrong_parts)
{
    pickle_doc *doc = docs_read(wrong[_i].pickle, wrong[_i].len, NULL);

    check_nothing(pickle_root(doc));
    pickle_doc_free(doc);
}
END_TEST

START_TEST(nothing)
{
    pickle_items items = { 0 };
    pickle_enum e;

    check_nothing(NULL);
    ck_assert(!pickle_get_enum(NULL, &e));
    ck_assert_ptr_null(pickle_item(&items, 0));
    ck_assert_ptr_null(pickle_item_get(&items, "a"));
    ck_assert_ptr_null(pickle_item_get(&items, NULL));
}
END_TEST

/* ----------------------------------------------------------------------- machine formats */

/* Python writes only its own machine's; these are the numbers 1 and -2, or text, in all of them. */
START_TEST(machine_formats)
{
    static const struct {
        char code;
        unsigned char format, len;
        const char *bytes, *want;
    } rows[] = {
        { 'B', 0, 2, "\1\xfe", "array('B', [1, 254])" },
        { 'b', 1, 2, "\1\xfe", "array('b', [1, -2])" },
        { 'H', 2, 4, "\1\0\xfe\xff", "array('H', [1, 65534])" },
        { 'H', 3, 4, "\0\1\xff\xfe", "array('H', [1, 65534])" },
        { 'h', 4, 4, "\1\0\xfe\xff", "array('h', [1, -2])" },
        { 'h', 5, 4, "\0\1\xff\xfe", "array('h', [1, -2])" },
        { 'I', 6, 4, "\1\0\0\0", "array('I', [1])" },
        { 'I', 7, 4, "\0\0\0\1", "array('I', [1])" },
        { 'i', 8, 4, "\xfe\xff\xff\xff", "array('i', [-2])" },
        { 'i', 9, 4, "\xff\xff\xff\xfe", "array('i', [-2])" },
        { 'Q', 10, 8, "\1\0\0\0\0\0\0\0", "array('Q', [1])" },
        { 'Q', 11, 8, "\0\0\0\0\0\0\0\1", "array('Q', [1])" },
        { 'q', 12, 8, "\xfe\xff\xff\xff\xff\xff\xff\xff", "array('q', [-2])" },
        { 'q', 13, 8, "\xff\xff\xff\xff\xff\xff\xff\xfe", "array('q', [-2])" },
        { 'f', 14, 4, "\xcd\xcc\xcc\x3d", "array('f', [0.10000000149011612])" },
        { 'f', 15, 4, "\x3d\xcc\xcc\xcd", "array('f', [0.10000000149011612])" },
        { 'd', 16, 8, "\0\0\0\0\0\0\xf8\x3f", "array('d', [1.5])" },
        { 'd', 17, 8, "\x3f\xf8\0\0\0\0\0\0", "array('d', [1.5])" },
        { 'w', 20, 8, "a\0\0\0\xac\x20\0\0", "array('w', 'a\u20ac')" },
        { 'w', 21, 8, "\0\0\0a\0\0\x20\xac", "array('w', 'a\u20ac')" },
    };
    pickle_doc *doc = docs_new();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const pickle_val *args =
            pickle_new_tuple(doc, ITEMS(pickle_new_global(doc, "array", "array"),
                                        pickle_new_str(doc, (char[]){ rows[i].code, '\0' }),
                                        pickle_new_int(doc, rows[i].format),
                                        pickle_new_bytes(doc, rows[i].bytes, rows[i].len)));

        check_shown(pickle_new_call(doc, PICKLE_CALL_REDUCE,
                                    pickle_new_global(doc, "array", "_array_reconstructor"), args,
                                    NULL),
                    rows[i].want);
    }
    pickle_set_root(doc, pickle_new_none(doc));
    docs_done(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stdlib");
    TCase *tests = tcase_create("stdlib");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, pairs_and_items);
    tcase_add_test(tests, paths);
    tcase_add_test(tests, deque_that_lost_items);
    tcase_add_test(tests, cycles);
    tcase_add_test(tests, chains);
    tcase_add_loop_test(tests, wrong_parts, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, nothing);
    tcase_add_test(tests, machine_formats);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
