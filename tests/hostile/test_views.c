/*
 * test_views.c - damaged fixtures of every kind, looked at in every way: what a
 * view gives lies within the document, whatever the parts say about each other.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "views.h"

/* Larger fixtures say the same, and take longer. */
#define MOST 20000

/* Damaged copies of each. */
#define COPIES 24

/* Numbers that are the same in each run: xorshift, seeded by the fixture's bytes. */
static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* In memory of its own, so that reading past its end is seen. */
static void look_at(const unsigned char *data, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    pickle_doc *doc;

    memcpy(copy, data, size);
    doc = pickle_read(copy, size, pickle_read_opts(.borrow = true), NULL);
    if (doc)
        views_look(doc);
    pickle_doc_free(doc);
    free(copy);
}

/* A byte or a few become another, or another one's. */
static void damage(unsigned char *data, size_t size, uint32_t *state)
{
    for (uint32_t n = 1 + draw(state) % 4; n > 0; n--) {
        uint32_t how = draw(state);
        size_t at = draw(state) % size;

        data[at] = how % 4 == 0   ? (unsigned char)(how >> 8)
                   : how % 4 == 1 ? data[draw(state) % size]
                   : how % 4 == 2 ? (unsigned char)(data[at] ^ 1 << (how >> 8) % 8)
                                  : (unsigned char)(data[at] + 1);
    }
}

static bool visit(void *ctx, const char *path, unsigned char *data, size_t size)
{
    size_t *n = ctx;
    unsigned char *copy;
    uint32_t state = 2463534242u;

    if (size == 0 || size > MOST || strstr(path, "/vectors/") || strstr(path, ".tsv"))
        return true;
    for (size_t i = 0; i < size; i++)
        state = state * 31 + data[i];
    state |= 1;
    look_at(data, size);
    copy = malloc(size);
    for (int i = 0; i < COPIES; i++) {
        memcpy(copy, data, size);
        damage(copy, size, &state);
        look_at(copy, size);
    }
    free(copy);
    ++*n;
    return true;
}

START_TEST(test_damaged)
{
    size_t n = 0;

    files_each(files_folder(), visit, &n);
    ck_assert_uint_gt(n, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("views");
    TCase *tc = tcase_create("views");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, test_damaged);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
