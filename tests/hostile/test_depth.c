/*
 * test_depth.c - nesting without end, marks without end, keys that are towers: nothing recurses,
 * nothing is exponential. CPython crashes on some of these.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#define LEVELS 1000000

/* `head`, then `count` times `unit`, then `tail`; all without NULs but where a length is given. */
static unsigned char *repeat(const char *head, const char *unit, size_t unit_len, size_t count,
                             const char *tail, size_t tail_len, size_t *size)
{
    size_t head_len = strlen(head);
    unsigned char *data = malloc(head_len + unit_len * count + tail_len);

    memcpy(data, head, head_len);
    for (size_t i = 0; i < count; i++)
        memcpy(data + head_len + i * unit_len, unit, unit_len);
    memcpy(data + head_len + unit_len * count, tail, tail_len);
    *size = head_len + unit_len * count + tail_len;
    return data;
}

static bool count_values(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    size_t *deepest = ctx;

    (void)v;
    (void)seen;
    *deepest = depth > *deepest ? depth : *deepest;
    return true;
}

static pickle_doc *read_repeated(const char *head, const char *unit, size_t unit_len, size_t count,
                                 const char *tail, size_t tail_len)
{
    size_t size;
    unsigned char *data = repeat(head, unit, unit_len, count, tail, tail_len, &size);
    pickle_error err;
    pickle_doc *doc = pickle_read(data, size, NULL, &err);

    ck_assert_msg(doc != NULL, "%s", err.message);
    free(data);
    return doc;
}

START_TEST(tuples_in_tuples)
{
    pickle_doc *doc = read_repeated("N", "\x85", 1, LEVELS, ".", 1);
    const pickle_val *v = pickle_root(doc);
    size_t deepest = 0;
    pickle_buf text = { 0 };

    ck_assert(pickle_walk(v, count_values, &deepest, NULL));
    ck_assert_uint_eq(deepest, LEVELS);
    ck_assert(pickle_repr(v, pickle_sink_buf(&text), 0, NULL));
    ck_assert_uint_eq(text.len, LEVELS + 4 + 2 * LEVELS); /* "(" "None" ",)" */
    pickle_buf_free(&text);
    for (size_t i = 0; i < LEVELS; i++)
        v = pickle_at(v, 0);
    ck_assert_int_eq(pickle_kind_of(v), PICKLE_NONE);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(lists_and_marks)
{
    size_t size;
    unsigned char *data;
    pickle_doc *doc;

    /* Lists: a million EMPTY_LISTs, then a million APPENDs. */
    data = malloc(2 * LEVELS + 2);
    memset(data, ']', LEVELS + 1);
    memset(data + LEVELS + 1, 'a', LEVELS);
    data[2 * LEVELS + 1] = '.';
    doc = pickle_read(data, 2 * LEVELS + 2, NULL, NULL);
    ck_assert_int_eq(pickle_kind_of(pickle_root(doc)), PICKLE_LIST);
    pickle_doc_free(doc);
    free(data);
    /* MARKs that nothing takes away, below a value. */
    data = repeat("", "(", 1, LEVELS, "N.", 2, &size);
    doc = pickle_read(data, size, NULL, NULL);
    ck_assert_int_eq(pickle_kind_of(pickle_root(doc)), PICKLE_NONE);
    pickle_doc_free(doc);
    free(data);
    /* A million values, of which the last is the pickle's. */
    data = repeat("", "N", 1, LEVELS, ".", 1, &size);
    doc = pickle_read(data, size, NULL, NULL);
    ck_assert_int_eq(pickle_kind_of(pickle_root(doc)), PICKLE_NONE);
    pickle_doc_free(doc);
    free(data);
}
END_TEST

/* `open`, LEVELS times, `middle`, `close` as often, STOP. */
static pickle_doc *read_nested(const char *open, const char *middle, char close)
{
    size_t size, len = strlen(open) * LEVELS + strlen(middle);
    unsigned char *data = repeat("", open, strlen(open), LEVELS, middle, strlen(middle), &size);
    pickle_doc *doc;

    data = realloc(data, len + LEVELS + 1);
    memset(data + len, close, LEVELS);
    data[len + LEVELS] = '.';
    doc = pickle_read(data, len + LEVELS + 1, NULL, NULL);
    free(data);
    ck_assert_ptr_nonnull(doc);
    return doc;
}

START_TEST(marks_to_tuples_and_dicts_in_dicts)
{
    pickle_doc *doc = read_nested("(", "", 't');
    const pickle_val *v = pickle_root(doc);

    for (size_t i = 1; i < LEVELS; i++)
        v = pickle_at(v, 0);
    ck_assert_int_eq(pickle_kind_of(v), PICKLE_TUPLE);
    ck_assert_uint_eq(pickle_len(v), 0);
    pickle_doc_free(doc);
    doc = read_nested("}K\x01", "N", 's');
    v = pickle_root(doc);
    for (size_t i = 0; i < LEVELS; i++)
        v = pickle_get_int(v, 1);
    ck_assert_int_eq(pickle_kind_of(v), PICKLE_NONE);
    pickle_doc_free(doc);
}
END_TEST

/* A key 200,000 tuples deep: hashing it ends every CPython. */
START_TEST(deep_key)
{
    pickle_doc *doc = read_repeated("}N", "\x85", 1, 200000, "q\x01K\x07s.", 6);
    const pickle_val *key, *value;
    int64_t n = 0;

    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 1);
    pickle_foreach (pickle_root(doc), key, value) {
        ck_assert(pickle_get_i64(value, &n));
        ck_assert(pickle_get_val(pickle_root(doc), key) == value);
    }
    ck_assert_int_eq(n, 7);
    pickle_doc_free(doc);
}
END_TEST

/* Two towers of 64 levels, each level the one below twice: 2^64 paths, equal as keys. */
START_TEST(shared_keys)
{
    char data[512] = "}";
    size_t n = 1;
    pickle_doc *doc;

    for (int tower = 0; tower < 2; tower++) {
        data[n++] = 'N';
        for (int i = 0; i < 64; i++) {
            data[n++] = '2';
            data[n++] = '\x86';
        }
        memcpy(data + n, "K\x01s", 3);
        n += 3;
    }
    data[n++] = '.';
    doc = pickle_read(data, n, NULL, NULL);
    ck_assert_ptr_nonnull(doc);
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 1);
    pickle_doc_free(doc);
}
END_TEST

/* A tuple holding a list is no key, however deep the list lies, and however shared the tuples. */
START_TEST(deep_unhashable_key)
{
    size_t size;
    unsigned char *data = repeat("}]", "2\x86", 2, 60, "K\x01s.", 4, &size);
    pickle_error err;

    ck_assert_ptr_null(pickle_read(data, size, NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
    ck_assert_uint_eq(err.offset, size - 2);
    free(data);
}
END_TEST

/* Frozensets in frozensets, with company so that each needs to be compared. */
START_TEST(frozensets)
{
    const size_t levels = 100000;
    size_t n = 0;
    unsigned char *data = malloc(levels * 5 + 16);
    pickle_doc *doc;

    data[n++] = '}';
    for (size_t i = 0; i < levels; i++)
        data[n++] = '(';
    for (size_t i = 0; i < levels; i++) {
        memcpy(data + n, "K\x01\x91", 3);
        n += 3;
    }
    memcpy(data + n, "K\x02s.", 4);
    n += 4;
    doc = pickle_read(data, n, NULL, NULL);
    ck_assert_ptr_nonnull(doc);
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 1);
    pickle_doc_free(doc);
    free(data);
}
END_TEST

/* As many keys as there are, all with the same text's digest prefix: no key is slower than others.
 */
START_TEST(many_ints_as_keys)
{
    const size_t keys = 200000;
    unsigned char *data = malloc(keys * 6 + 8);
    size_t n = 0;
    pickle_doc *doc;

    data[n++] = '}';
    data[n++] = '(';
    for (size_t i = 0; i < keys; i++) {
        uint32_t key = (uint32_t)(i << 12); /* alike in their low bits */

        data[n++] = 'J';
        for (int b = 0; b < 4; b++)
            data[n++] = (unsigned char)(key >> 8 * b);
        data[n++] = 'N';
    }
    data[n++] = 'u';
    data[n++] = '.';
    doc = pickle_read(data, n, NULL, NULL);
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), keys);
    ck_assert_ptr_nonnull(pickle_get_int(pickle_root(doc), 5 << 12));
    ck_assert_ptr_null(pickle_get_int(pickle_root(doc), 5));
    pickle_doc_free(doc);
    free(data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("depth");
    TCase *t = tcase_create("depth");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, tuples_in_tuples);
    tcase_add_test(t, lists_and_marks);
    tcase_add_test(t, marks_to_tuples_and_dicts_in_dicts);
    tcase_add_test(t, deep_key);
    tcase_add_test(t, shared_keys);
    tcase_add_test(t, deep_unhashable_key);
    tcase_add_test(t, frozensets);
    tcase_add_test(t, many_ints_as_keys);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
