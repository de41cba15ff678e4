/*
 * test_reading.c - ways to read: from memory, files and pipes, one pickle after the other,
 * into the same document again; and what the document tells of its origin.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"

/* ------------------------------------------------------------------- helpers */

/* --------------------------------------------------------------------- reading */

START_TEST(test_next)
{
    static const char data[] = "\x80\x02Va\nq\0.\x80\x04]Vb\na.h\0.";
    pickle_error err;
    pickle_doc *doc = READ(data);
    const pickle_val *first = pickle_root(doc), *second;

    ck_assert_int_eq(pickle_protocol(doc), 2);
    ck_assert_uint_eq(pickle_consumed(doc), 8);
    ck_assert_uint_eq(pickle_trailing(doc), sizeof data - 1 - 8);
    ck_assert_int_eq(pickle_read_next(doc, &err), PICKLE_OK);
    second = pickle_root(doc);
    ck_assert_int_eq(pickle_protocol(doc), 4);
    ck_assert_uint_eq(pickle_consumed(doc), 16);
    ck_assert_int_eq(pickle_read_next(doc, &err), PICKLE_ERR_MEMO);
    ck_assert_int_eq(err.code, PICKLE_ERR_MEMO);
    ck_assert_uint_eq(err.offset, 16);
    ck_assert_int_eq(err.opcode, 'h');
    ck_assert_ptr_null(pickle_root(doc));
    check_repr(first, "'a'");
    check_repr(second, "['b']");
    pickle_doc_free(doc);

    doc = READ_WITH(data, pickle_read_opts(.keep_memo = true));
    first = pickle_root(doc);
    ck_assert_int_eq(pickle_read_next(doc, NULL), PICKLE_OK);
    ck_assert_int_eq(pickle_read_next(doc, NULL), PICKLE_OK);
    ck_assert_ptr_eq(pickle_root(doc), first);
    ck_assert_uint_eq(pickle_trailing(doc), 0);
    ck_assert_int_eq(pickle_read_next(doc, NULL), PICKLE_END);
    ck_assert_int_eq(pickle_read_next(doc, NULL), PICKLE_END);
    ck_assert_ptr_null(pickle_root(doc));
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_fixture_streams)
{
    static const char *const want[] = { "['two', 2]", "{'three': (3,)}", "None" };
    pickle_doc *doc = docs_fixture("py313/plain/several.pkl");

    check_repr(pickle_root(doc), "1");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pickle_read_next(doc, NULL), PICKLE_OK);
        check_repr(pickle_root(doc), want[i]);
    }
    pickle_doc_free(doc);
    doc = docs_fixture("py313/plain/trailing.pkl");
    check_repr(pickle_root(doc), "{'a': 1}");
    ck_assert_uint_eq(pickle_consumed(doc), 21);
    ck_assert_uint_gt(pickle_trailing(doc), 0);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_reread)
{
    pickle_doc *doc = READ("]Va\na.");
    pickle_error err;

    ck_assert(!pickle_reread(doc, "NR.", 3, NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_STACK);
    ck_assert_uint_eq(err.offset, 1);
    ck_assert_ptr_null(pickle_root(doc));
    ck_assert(!pickle_reread(doc, "N.", 2, pickle_read_opts(.encoding = "x"), &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_ARG);
    ck_assert_ptr_null(pickle_root(doc));
    ck_assert(pickle_reread(doc, "\x80\x02K\x07.", 5, NULL, &err));
    check_int(pickle_root(doc), 7);
    ck_assert_int_eq(pickle_protocol(doc), 2);
    ck_assert(!pickle_reread(doc, "h\0.", 3, NULL, NULL));
    ck_assert(pickle_reread(doc, "}Va\nNs.", 7, NULL, &err));
    check_repr(pickle_root(doc), "{'a': None}");
    ck_assert_int_eq(pickle_protocol(doc), 0);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_ownership)
{
    static const char source[] = "(C\x03"
                                 "abcU\x03"
                                 "xyz\x8c\x03strcmod\nname\nU\x01\xe9"
                                 "K\x01t.";
    char data[sizeof source - 1];
    pickle_doc *doc;

    memcpy(data, source, sizeof data);
    doc = docs_read(data, sizeof data, NULL);
    memset(data, '!', sizeof data);
    check_bytes(pickle_at(pickle_root(doc), 0), "abc", 3);
    check_bytes(pickle_at(pickle_root(doc), 4), "\xe9", 1);
    check_repr(pickle_root(doc), "(b'abc', 'xyz', 'str', mod.name, '\xc3\xa9', 1)");
    pickle_doc_free(doc);
    memcpy(data, source, sizeof data);
    doc = docs_read(data, sizeof data, pickle_read_opts(.borrow = true));
    ck_assert_ptr_eq(pickle_bytes(pickle_at(pickle_root(doc), 0), NULL), data + 3);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_repr_limit)
{
    pickle_doc *doc = READ("(K\x01Vabc\n]t.");
    static const char want[] = "(1, 'abc', [])";

    for (size_t limit = 1; limit < 20; limit++) {
        pickle_buf b = { 0 };
        size_t kept;

        ck_assert(pickle_repr(pickle_root(doc), pickle_sink_buf(&b), limit, NULL));
        kept = limit < sizeof want - 1 ? b.len - 3 : b.len;
        ck_assert_uint_le(kept, limit);
        ck_assert_mem_eq(b.data, want, kept);
        if (limit < sizeof want - 1)
            ck_assert_mem_eq(b.data + kept, "...", 3);
        else
            ck_assert_uint_eq(kept, sizeof want - 1);
        pickle_buf_free(&b);
    }
    pickle_doc_free(doc);
}
END_TEST

/* ---------------------------------------------------------------------- files */

/* The bytes come through a pipe from a child, a few at a time. */
static pickle_doc *read_pipe(const unsigned char *data, size_t size, size_t step)
{
    pickle_error err;
    pickle_doc *doc;
    int fds[2], status;
    pid_t child;

    ck_assert_int_eq(pipe(fds), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(fds[0]);
        for (size_t at = 0; at < size; at += step)
            if (write(fds[1], data + at, size - at < step ? size - at : step) < 0)
                _exit(1);
        _exit(0);
    }
    close(fds[1]);
    doc = pickle_read_fd(fds[0], NULL, &err);
    ck_assert_msg(doc != NULL, "byte %d: %s", (int)err.offset, err.message);
    close(fds[0]);
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    return doc;
}

static char *repr_of(const pickle_doc *doc)
{
    pickle_buf b = { 0 };
    pickle_sink sink = pickle_sink_buf(&b);
    char *text;

    ck_assert(pickle_repr(pickle_root(doc), sink, 0, NULL) && sink.write(sink.ctx, "", 1));
    text = strdup((const char *)b.data);
    pickle_buf_free(&b);
    return text;
}

/* By path, from memory and through a pipe it is the same document. */
static void check_ways(const char *name, const char *container, size_t step)
{
    char path[4096], *one, *two, *three;
    unsigned char *data;
    pickle_doc *doc = docs_fixture(name);
    size_t size;

    ck_assert_str_eq(pickle_container(doc), container);
    one = repr_of(doc);
    pickle_doc_free(doc);
    snprintf(path, sizeof path, "%s/%s", files_folder(), name);
    data = files_read(path, &size);
    ck_assert_ptr_nonnull(data);
    doc = docs_read(data, size, NULL);
    two = repr_of(doc);
    pickle_doc_free(doc);
    doc = read_pipe(data, size, step);
    ck_assert_str_eq(pickle_container(doc), container);
    three = repr_of(doc);
    pickle_doc_free(doc);
    ck_assert_str_eq(one, two);
    ck_assert_str_eq(one, three);
    free(one), free(two), free(three), free(data);
}

START_TEST(test_ways)
{
    check_ways("py313/plain/boxes.p4.pkl", "pickle", 7);
    check_ways("py36/plain/batches.p2.pkl", "pickle", 999);
    check_ways("py313/plain/big.p4.pkl", "pickle", 4096); /* large enough to be mapped */
    check_ways("py313/joblib/few.joblib", "joblib", 11);
    if (files_codec("zlib")) {
        check_ways("py313/joblib/few.joblib.z", "joblib+zlib", 13);
        check_ways("py313/joblib/few.joblib.gz", "joblib+gzip", 1);
    }
}
END_TEST

/* --------------------------------------------------------------------- origin */

typedef struct made {
    const char *file;
    int python, protocol;
    pickle_pickler pickler;
    const char *numpy, *joblib, *sklearn;
} made;

/* As fixtures/PROVENANCE.tsv has it. */
START_TEST(test_origin)
{
    static const made rows[] = {
        { "py36/plain/batches.p4.pkl", 3, 4, PICKLE_PICKLER_C, NULL, NULL, NULL },
        { "py36/plain/batches.p4.py.pkl", 3, 4, PICKLE_PICKLER_PYTHON, NULL, NULL, NULL },
        { "py27/plain/batches.p2.pkl", 2, 2, PICKLE_PICKLER_C, NULL, NULL, NULL },
        { "py27/plain/batches.p2.py.pkl", 2, 2, PICKLE_PICKLER_PYTHON, NULL, NULL, NULL },
        { "py36/sklearn/iris_forest.joblib", 3, 3, PICKLE_PICKLER_PYTHON, "<2", "0.10-1.1",
          "0.24.2" },
        { "py310-b/sklearn/iris_forest.joblib", 3, 4, PICKLE_PICKLER_PYTHON, "<2", ">=1.2", "1.2" },
        { "py311/sklearn/iris_forest.joblib", 3, 4, PICKLE_PICKLER_PYTHON, "<2", ">=1.2", "1.3" },
        { "py312/sklearn/iris_forest.joblib", 3, 4, PICKLE_PICKLER_PYTHON, ">=2", ">=1.2", "1.5" },
        { "py312-b/sklearn/iris_forest.joblib", 3, 4, PICKLE_PICKLER_PYTHON, ">=2", ">=1.2",
          "1.7" },
        { "py313/sklearn/iris_forest.joblib", 3, 4, PICKLE_PICKLER_PYTHON, ">=2", ">=1.2",
          "1.9.1" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const made *want = &rows[i];
        pickle_doc *doc = docs_fixture(want->file);
        pickle_origin got;

        pickle_get_origin(doc, &got);
        ck_assert_msg(got.python == want->python && got.pickler == want->pickler,
                      "%s: python %d, pickler %d", want->file, got.python, (int)got.pickler);
        ck_assert_msg(got.protocol == want->protocol, "%s: protocol %d", want->file, got.protocol);
        ck_assert_int_eq(got.protocol, pickle_protocol(doc));
        ck_assert_pstr_eq(got.numpy, want->numpy);
        ck_assert_pstr_eq(got.joblib, want->joblib);
        ck_assert_msg(!got.sklearn == !want->sklearn, "%s", want->file);
        if (want->sklearn)
            ck_assert_msg(strncmp(got.sklearn, want->sklearn, strlen(want->sklearn)) == 0, "%s: %s",
                          want->file, got.sklearn);
        ck_assert_uint_ge(got.pickles, 1);
        pickle_doc_free(doc);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reading");
    TCase *tc = tcase_create("reading");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_next);
    tcase_add_test(tc, test_fixture_streams);
    tcase_add_test(tc, test_reread);
    tcase_add_test(tc, test_ownership);
    tcase_add_test(tc, test_repr_limit);
    tcase_add_test(tc, test_ways);
    tcase_add_test(tc, test_origin);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
