/*
 * test_damage.c - fixtures cut short and changed: each gives a document or a clear
 * error, and under the sanitizers nothing else happens.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

#include <pickle/pickle.h>

/* Fixtures up to this are damaged at every byte; larger ones at a sample of places. */
#define SMALL  2048
#define SAMPLE 48

static bool swallow(void *ctx, const void *data, size_t len)
{
    size_t *sum = ctx;

    (void)data;
    *sum += len;
    return true;
}

static bool touch(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    size_t *sum = ctx, len;
    const unsigned char *bytes = pickle_bytes(v, &len);
    pickle_array a;

    (void)depth;
    (void)seen;
    if (bytes && len)
        *sum += bytes[0] + bytes[len - 1];
    *sum += pickle_len(v);
    if (pickle_get_array(v, &a) && a.data && a.nbytes)
        *sum += ((const unsigned char *)a.data)[a.nbytes - 1];
    return true;
}

/* Look at all of a document, the ways that users do. */
static void look(const pickle_doc *doc)
{
    size_t sum = 0;
    pickle_origin origin;

    pickle_repr(pickle_root(doc), (pickle_sink){ swallow, &sum }, 100000, NULL);
    pickle_walk(pickle_root(doc), touch, &sum, NULL);
    pickle_get_origin(doc, &origin);
    pickle_find(pickle_root(doc), "a[0].b['c']");
}

static bool is_clear(const pickle_error *err)
{
    for (const char *p = err->message; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            return false;
    return err->code >= 10 && err->message[0] != '\0';
}

/* An exact copy in memory of its own, so that reading past its end is seen. */
static bool try(const unsigned char *data, size_t size, bool must_fail)
{
    unsigned char *copy = malloc(size ? size : 1);
    pickle_error err = { 0 };
    pickle_doc *doc;
    bool ok;

    memcpy(copy, data, size);
    doc = pickle_read(copy, size, pickle_read_opts(.borrow = true), &err);
    ok = doc ? !must_fail : is_clear(&err);
    if (doc)
        look(doc);
    pickle_doc_free(doc);
    free(copy);
    return ok;
}

/* The bytes a pickle needs: all prefixes shorter than these must fail. */
static size_t needed(const unsigned char *data, size_t size)
{
    pickle_doc *doc = pickle_read(data, size, pickle_read_opts(.plain = true), NULL);
    size_t consumed = (size_t)pickle_consumed(doc);

    pickle_doc_free(doc);
    return consumed;
}

static size_t step(size_t size)
{
    return size <= SMALL ? 1 : size / SAMPLE;
}

static bool cut(void *ctx, const char *path, unsigned char *data, size_t size)
{
    size_t whole = needed(data, size);

    (void)ctx;
    for (size_t n = 0; n < size; n += step(size))
        ck_assert_msg(try(data, n, n < whole), "%s cut to %zu bytes", path, n);
    return true;
}

static bool change(void *ctx, const char *path, unsigned char *data, size_t size)
{
    static const unsigned char masks[] = { 0x01, 0x80, 0xff };

    (void)ctx;
    for (size_t i = 0; i < size; i += step(size))
        for (size_t m = 0; m < sizeof masks; m++) {
            data[i] ^= masks[m];
            ck_assert_msg(try(data, size, false), "%s with byte %zu ^ %02x", path, i, masks[m]);
            data[i] ^= masks[m];
        }
    return true;
}

static bool drop(void *ctx, const char *path, unsigned char *data, size_t size)
{
    (void)ctx;
    for (size_t i = 0; i + 1 < size; i += step(size)) {
        unsigned char gone = data[i];

        memmove(data + i, data + i + 1, size - i - 1);
        ck_assert_msg(try(data, size - 1, false), "%s without byte %zu", path, i);
        memmove(data + i + 1, data + i, size - i - 1);
        data[i] = gone;
    }
    return true;
}

static void on_fixtures(bool (*damage)(void *, const char *, unsigned char *, size_t))
{
    static const char *const folders[] = {
        "vectors/semantics", "vectors/emit", "vectors/joblib-1.2", "py27/plain",
        "py313/plain",       "py38/joblib",  "py313/joblib",       "py313/numpy",
    };
    char path[4096];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", files_folder(), folders[i]);
        files_each(path, damage, NULL);
    }
}

START_TEST(cut_short)
{
    on_fixtures(cut);
}
END_TEST

START_TEST(changed)
{
    on_fixtures(change);
}
END_TEST

START_TEST(with_a_byte_less)
{
    on_fixtures(drop);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("damage");
    TCase *t = tcase_create("damage");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, cut_short);
    tcase_add_test(t, changed);
    tcase_add_test(t, with_a_byte_less);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
