/*
 * test_threads.c - one document, many threads: indexes of dicts and sets are built by
 * whoever looks first, and everybody finds the same. Made for -fsanitize=thread, too.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "files.h"

#define THREADS 8
#define KEYS    2000 /* of each dict */
#define DICTS   16
#define ROUNDS  5 /* documents: each one is looked at for the first time once */

typedef struct looker {
    pthread_t thread;
    pthread_barrier_t *start;
    const pickle_val *root;
    int number, problems;
} looker;

/* A list of dicts {0: 0, 1: 1, ..., 'k': {0, 1, ...}}, each key written twice. */
static pickle_doc *read_dicts(void)
{
    size_t room = (size_t)DICTS * KEYS * 20 + 64, len = 0;
    char *data = malloc(room);
    pickle_error err;
    pickle_doc *doc;

    ck_assert_ptr_nonnull(data);
    data[len++] = '(';
    for (int d = 0; d < DICTS; d++) {
        memcpy(data + len, "}(", 2);
        len += 2;
        for (int i = 0; i < 2 * KEYS; i++) {
            const char n[] = { 'M', (char)(i % KEYS), (char)(i % KEYS >> 8) };

            memcpy(data + len, n, 3);
            memcpy(data + len + 3, n, 3);
            len += 6;
        }
        memcpy(data + len, "Vk\n\x8f(", 5);
        len += 5;
        for (int i = 0; i < KEYS; i++) {
            const char n[] = { 'M', (char)i, (char)(i >> 8) };

            memcpy(data + len, n, 3);
            len += 3;
        }
        memcpy(data + len, "\x90u", 2);
        len += 2;
    }
    memcpy(data + len, "t.", 2);
    doc = pickle_read(data, len + 2, NULL, &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    free(data);
    return doc;
}

static int look_at(const pickle_val *dict, int first)
{
    const pickle_val *set = pickle_get(dict, "k"), *key, *value;
    int problems = pickle_len(dict) != KEYS + 1, n = 0;

    for (int i = 0; i < KEYS; i++) {
        int k = (i + first) % KEYS;

        problems += pickle_i64_or(pickle_get_int(dict, k), -1) != k;
        problems += !pickle_has(set, pickle_get_int(dict, k));
    }
    problems += pickle_get_int(dict, KEYS) != NULL || pickle_len(set) != KEYS;
    pickle_foreach (dict, key, value)
        problems += n < KEYS && pickle_i64_or(key, -1) != n, n++;
    return problems + (n != KEYS + 1);
}

static void *look(void *arg)
{
    looker *l = arg;

    pthread_barrier_wait(l->start);
    for (size_t d = 0; d < DICTS; d++)
        l->problems += look_at(pickle_at(l->root, d), l->number * 100);
    return NULL;
}

START_TEST(test_lookups)
{
    for (int round = 0; round < ROUNDS; round++) {
        pickle_doc *doc = read_dicts();
        pthread_barrier_t start;
        looker lookers[THREADS];

        ck_assert_int_eq(pthread_barrier_init(&start, NULL, THREADS), 0);
        for (int i = 0; i < THREADS; i++) {
            lookers[i] = (looker){ .start = &start, .root = pickle_root(doc), .number = i };
            ck_assert_int_eq(pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            ck_assert_int_eq(pthread_join(lookers[i].thread, NULL), 0);
            ck_assert_int_eq(lookers[i].problems, 0);
        }
        ck_assert_uint_gt(pickle_memory(doc), 0);
        pthread_barrier_destroy(&start);
        pickle_doc_free(doc);
    }
}
END_TEST

static bool visit(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    size_t *visits = ctx;

    (void)v, (void)depth, (void)seen;
    ++*visits;
    return true;
}

static void *walk(void *arg)
{
    looker *l = arg;
    size_t visits = 0;
    pickle_buf b = { 0 };

    pthread_barrier_wait(l->start);
    l->problems += !pickle_walk(l->root, visit, &visits, NULL);
    l->problems += !pickle_repr(l->root, pickle_sink_buf(&b), 0, NULL);
    l->problems += !pickle_find(l->root, "estimators_[0].tree_");
    l->number = (int)(visits + b.len);
    pickle_buf_free(&b);
    return NULL;
}

/* A model: walk, repr, paths and attributes. */
START_TEST(test_walks)
{
    char path[4096];
    pickle_error err;
    pthread_barrier_t start;
    looker lookers[THREADS];
    pickle_doc *doc;

    snprintf(path, sizeof path, "%s/py313/sklearn/iris_forest.joblib", files_folder());
    doc = pickle_read_file(path, NULL, &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_int_eq(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        lookers[i] = (looker){ .start = &start, .root = pickle_root(doc) };
        ck_assert_int_eq(pthread_create(&lookers[i].thread, NULL, walk, &lookers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(lookers[i].thread, NULL), 0);
        ck_assert_int_eq(lookers[i].problems, 0);
        ck_assert_int_eq(lookers[i].number, lookers[0].number);
    }
    pthread_barrier_destroy(&start);
    pickle_doc_free(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads");
    TCase *tc = tcase_create("threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_lookups);
    tcase_add_test(tc, test_walks);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
