/*
 * test_memory.c - the first, second, ... n-th allocation fails: each time an error that
 * says so, and nothing leaks; and limits stop what claims or takes too much.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "testmem.h"

#include <pickle/pickle.h>

/* Read with the n-th allocation failing, until none does; returns how many there are. */
static size_t fail_until_read(const unsigned char *data, size_t size, const char *path)
{
    for (size_t n = 1;; n++) {
        memory m;
        pickle_error err = { 0 };
        pickle_doc *doc;

        memory_init(&m, n);
        doc = pickle_read(data, size, pickle_read_opts(.alloc = &m.alloc), &err);
        if (!doc)
            ck_assert_msg(err.code == PICKLE_ERR_NOMEM, "%s, allocation %zu: %s", path, n,
                          err.message);
        pickle_doc_free(doc);
        ck_assert_msg(m.in_use == 0, "%s, allocation %zu: %zu bytes leaked", path, n, m.in_use);
        if (doc)
            return n;
    }
}

static bool fail_each(void *ctx, const char *path, unsigned char *data, size_t size)
{
    pickle_doc *doc = pickle_read(data, size, NULL, NULL);
    size_t *files = ctx;

    if (doc && size < 100000) {
        fail_until_read(data, size, path);
        ++*files;
    }
    pickle_doc_free(doc);
    return true;
}

START_TEST(each_allocation_fails)
{
    static const char *const folders[] = { "vectors/emit", "vectors/joblib-1.2", "py27/plain",
                                           "py313/plain",  "py313/joblib",       "py313/sklearn" };
    size_t files = 0;
    char path[4096];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", files_folder(), folders[i]);
        files_each(path, fail_each, &files);
    }
    ck_assert_uint_gt(files, 100);
}
END_TEST

/* A reused document, too, takes memory only through its allocator, and none once it has enough. */
START_TEST(reread_allocates_nothing)
{
    static const char message[] = "\x80\x04}\x94(\x8c\x02id\x94K\x07\x8c\x04tags\x94]\x94"
                                  "(\x8c\x01"
                                  "a\x94G?\xf8\0\0\0\0\0\0eu.";
    memory m;
    pickle_doc *doc;
    size_t calls;
    const pickle_read_opts *opts = pickle_read_opts(.alloc = &m.alloc);

    memory_init(&m, 0);
    doc = pickle_read(message, sizeof message - 1, opts, NULL);
    ck_assert_ptr_nonnull(doc);
    ck_assert(pickle_reread(doc, message, sizeof message - 1, opts, NULL));
    calls = m.calls;
    for (int i = 0; i < 1000; i++)
        ck_assert(pickle_reread(doc, message, sizeof message - 1, opts, NULL));
    ck_assert_uint_eq(m.calls, calls);
    ck_assert_int_eq(pickle_i64_or(pickle_get(pickle_root(doc), "id"), 0), 7);
    pickle_doc_free(doc);
    ck_assert_uint_eq(m.in_use, 0);
}
END_TEST

/* Where a limit on memory is hit is for the allocator to say; it is in the input. */
#define WITHIN UINT64_MAX

static void expect(const char *data, size_t size, const pickle_read_opts *opts, pickle_status code,
                   uint64_t offset, size_t most)
{
    memory m;
    pickle_read_opts with = opts ? *opts : (pickle_read_opts){ .struct_size = sizeof with };
    pickle_error err = { 0 };

    memory_init(&m, 0);
    with.alloc = &m.alloc;
    ck_assert_ptr_null(pickle_read(data, size, &with, &err));
    ck_assert_msg(err.code == code, "%s: %s", pickle_status_name(err.code), err.message);
    if (offset == WITHIN)
        ck_assert_uint_lt(err.offset, size);
    else
        ck_assert_uint_eq(err.offset, offset);
    ck_assert_msg(m.peak < most, "%zu bytes were taken", m.peak);
}

#define EXPECT(text, opts, code, offset) \
    expect(text, sizeof text - 1, opts, code, offset, (size_t)256 << 10)

/* Lengths that the input does not have take no memory. */
START_TEST(claims)
{
    EXPECT("B\xff\xff\xff\xffx", NULL, PICKLE_ERR_TRUNCATED, 0);
    EXPECT("X\xff\xff\xff\xffx", NULL, PICKLE_ERR_TRUNCATED, 0);
    EXPECT("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx", NULL, PICKLE_ERR_TRUNCATED, 2);
    EXPECT("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffx", NULL, PICKLE_ERR_OPERAND, 2);
    EXPECT("\x80\x04\x8d\0\0\0\0\0\0\0\x40x", NULL, PICKLE_ERR_TRUNCATED, 2);
    EXPECT("\x80\x05\x96\xff\xff\xff\xff\xff\xff\0\0x", NULL, PICKLE_ERR_TRUNCATED, 2);
    EXPECT("\x80\x04\x95\0\0\0\0\0\0\0\x40N.", NULL, PICKLE_ERR_TRUNCATED, 2);
    EXPECT("\x8b\xff\xff\xff\x7f.", NULL, PICKLE_ERR_TRUNCATED, 0);
    EXPECT("\x8b\xff\xff\xff\xff.", NULL, PICKLE_ERR_OPERAND, 0);
    EXPECT("Nr\xff\xff\xff\xffr\xff\xff\xff\x7fj\0\0\0\1.", NULL, PICKLE_ERR_MEMO, 11);
}
END_TEST

START_TEST(limits)
{
    size_t n = 1 << 20;
    char *data = malloc(n);

    memset(data, '}', n);
    data[n - 1] = '.';
    expect(data, n, pickle_read_opts(.limits.memory_bytes = 1 << 20), PICKLE_ERR_LIMIT, WITHIN,
           1 << 21);
    memset(data, '1', n);
    data[0] = 'L';
    data[n - 2] = '\n';
    data[n - 1] = '.';
    expect(data, n, pickle_read_opts(.limits.int_digits = 1000), PICKLE_ERR_LIMIT, 0, 1 << 20);
    expect(data, n, pickle_read_opts(.strict = true), PICKLE_ERR_LIMIT, 0, 1 << 20);
    free(data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("memory");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, each_allocation_fails);
    tcase_add_test(t, reread_allocates_nothing);
    tcase_add_test(t, claims);
    tcase_add_test(t, limits);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
