/* test_wrapper.c - what follows joblib's wrappers in the stream: right, odd, wrong, missing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "files.h"
#include "testmem.h"

/* ------------------------------------------------------------------- helpers */

/* A stream being written: texts, then bytes as they are. */
typedef struct stream {
    unsigned char data[4096];
    size_t len;
} stream;

static void add(stream *s, const void *data, size_t len)
{
    ck_assert_uint_le(s->len + len, sizeof s->data);
    memcpy(s->data + s->len, data, len);
    s->len += len;
}

static void add_text(stream *s, const char *text)
{
    add(s, text, strlen(text));
}

#define F8      "cnumpy\ndtype\n(Vf8\nI00\nI01\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb"
#define OBJECTS "cnumpy\ndtype\n(VO8\nI00\nI01\ntR(I3\nV|\nNNNI-1\nI-1\nI63\ntb"
#define ALIGNED "Vnumpy_array_alignment_bytes\nI16\ns"
#define MODULE  "cjoblib.numpy_pickle\nNumpyArrayWrapper\n"

/* Up to its BUILD, whose offset is returned. */
static size_t add_wrapper(stream *s, const char *class, const char *shape, const char *dtype,
                          const char *more)
{
    add_text(s, "(");
    add_text(s, class);
    add_text(s, "o(dVdtype\n");
    add_text(s, dtype);
    add_text(s, "sVorder\nVC\nsVshape\n");
    add_text(s, shape);
    add_text(s, "s");
    add_text(s, more);
    add_text(s, "b");
    return s->len - 1;
}

/* numpy.array([None], object), as the pickle of joblib. */
static const char nested[] =
    "\x80\x02"
    "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(I1\nt" OBJECTS
    "I00\n(Nltb.";

typedef struct warnings {
    int n;
    pickle_error last;
} warnings;

static void count_warning(void *ctx, const pickle_error *warning)
{
    warnings *w = ctx;

    w->n++;
    w->last = *warning;
}

static pickle_doc *read_stream(const stream *s, warnings *w, pickle_error *err)
{
    memset(w, 0, sizeof *w);
    return pickle_read(s->data, s->len,
                       pickle_read_opts(.on_warning = count_warning, .ctx = w, .borrow = true),
                       err);
}

static void check_array(const stream *s, const unsigned char *data, size_t n, int want_warnings)
{
    warnings w;
    pickle_error err;
    pickle_doc *doc = read_stream(s, &w, &err);
    pickle_array a;

    ck_assert_msg(doc != NULL, "byte %d: %s", (int)err.offset, err.message);
    ck_assert_msg(w.n == want_warnings, "%d warnings: %s", w.n, w.last.message);
    ck_assert_str_eq(pickle_container(doc), "joblib");
    ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "%s", err.message);
    ck_assert_ptr_eq(a.data, data);
    ck_assert_uint_eq(pickle_array_count(&a), n);
    ck_assert_uint_eq(pickle_trailing(doc), 0);
    pickle_doc_free(doc);
}

static void check_error(const stream *s, pickle_status code, size_t offset, const char *message)
{
    warnings w;
    pickle_error err = { 0 };

    ck_assert_ptr_null(read_stream(s, &w, &err));
    ck_assert_msg(err.code == code && err.offset == offset, "%s at byte %d: %s",
                  pickle_status_name(err.code), (int)err.offset, err.message);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
}

/* ------------------------------------------------------------------- payloads */

static void check_payload(const char *class, const char *more, const char *padding,
                          size_t padding_len, int want_warnings)
{
    static const double numbers[] = { 1, 2, 3 };
    stream s = { .len = 0 };
    size_t at;

    add_wrapper(&s, class, "(I3\nt", F8, more);
    add(&s, padding, padding_len);
    at = s.len;
    add(&s, numbers, sizeof numbers);
    add_text(&s, ".");
    check_array(&s, s.data + at, 3, want_warnings);
}

START_TEST(test_payload)
{
    check_payload(MODULE, "", "", 0, 0);
    check_payload(MODULE, "Vnumpy_array_alignment_bytes\nNs", "", 0, 0);
    check_payload(MODULE, ALIGNED, "\x01\xff", 2, 0);
    check_payload(MODULE, ALIGNED,
                  "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 17, 0);
    check_payload("csklearn.externals.joblib.numpy_pickle\nNumpyArrayWrapper\n", ALIGNED,
                  "\x01\xff", 2, 0);
}
END_TEST

/* Another spelling of the same class: joblib asks what it is, not what it was called. */
START_TEST(test_other_names)
{
    check_payload("cjoblib\nnumpy_pickle.NumpyArrayWrapper\n", "", "", 0, 0);
}
END_TEST

START_TEST(test_odd_padding)
{
    check_payload(MODULE, ALIGNED, "\x02\xff", 3, 1);
    check_payload(MODULE, ALIGNED, "", 1, 1); /* a length of 0 */
    check_payload(MODULE, ALIGNED,
                  "\x11\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 18,
                  1);
}
END_TEST

/* Without dimensions there is one element, without elements still the padding. */
START_TEST(test_shapes)
{
    static const double number = 5;
    stream s = { .len = 0 }, t = { .len = 0 };
    warnings w;
    pickle_doc *doc;
    pickle_array a;
    size_t at;

    add_wrapper(&s, MODULE, ")", F8, ALIGNED);
    add(&s, "\x01\xff", 2);
    at = s.len;
    add(&s, &number, sizeof number);
    add_text(&s, ".");
    check_array(&s, s.data + at, 1, 0);

    add_wrapper(&t, MODULE, "(I3\nI0\nt", F8, ALIGNED);
    add(&t, "\x01\xff.", 3);
    doc = read_stream(&t, &w, NULL);
    ck_assert(pickle_get_array(pickle_root(doc), &a));
    ck_assert_uint_eq(a.nbytes, 0);
    ck_assert_ptr_nonnull(a.data);
    pickle_doc_free(doc);
}
END_TEST

/* --------------------------------------------------------------------- errors */

START_TEST(test_truncated)
{
    stream s = { .len = 0 }, t = { .len = 0 };
    size_t build = add_wrapper(&s, MODULE, "(I3\nt", F8, ALIGNED);

    check_error(&s, PICKLE_ERR_TRUNCATED, build, "");
    add(&s, "\x04\xff\xff", 3);
    check_error(&s, PICKLE_ERR_TRUNCATED, build, "");
    add(&s, "\xff\xff 23 bytes, one too few", 25);
    check_error(&s, PICKLE_ERR_TRUNCATED, build, "");
    build = add_wrapper(&t, MODULE, "(I1152921504606846975\nt", F8, "");
    add_text(&t, "enough");
    check_error(&t, PICKLE_ERR_TRUNCATED, build, "");
}
END_TEST

static void check_refused(const char *shape, const char *dtype, const char *message)
{
    stream s = { .len = 0 };
    size_t build = add_wrapper(&s, MODULE, shape, dtype, "");

    add_text(&s, "........");
    check_error(&s, PICKLE_ERR_VALUE, build, message);
}

START_TEST(test_refused)
{
    stream s = { .len = 0 };

    check_refused("(I1152921504606846976\nt", F8, "exceeds 2^63");
    check_refused("(I4294967296\nI4294967296\nI4294967296\nt", F8, "exceeds 2^63");
    check_refused("(I-1\nt", F8, "dimension");
    check_refused("(Vx\nt", F8, "dimension");
    check_refused("I3\n", F8, "no tuple");
    check_refused("(I1\nt", "Vf8\n", "no dtype");
    check_refused("(I1\nt", "cnumpy\ndtype\n(Vx8\ntR", "no dtype");
    add_text(&s, "(" MODULE "oNb.");
    check_error(&s, PICKLE_ERR_VALUE, s.len - 2, "no dtype");
}
END_TEST

/* The second state comes after the array was read. */
START_TEST(test_twice)
{
    stream s = { .len = 0 };

    add_wrapper(&s, MODULE, "(I1\nt", F8, "");
    add_text(&s, "8 bytes.(db.");
    check_error(&s, PICKLE_ERR_VALUE, s.len - 2, "already");
}
END_TEST

/* --------------------------------------------------------------------- nested */

static void add_nested(stream *s, const char *pickle, size_t len)
{
    add_wrapper(s, MODULE, "(I1\nt", OBJECTS, ALIGNED);
    add(s, pickle, len);
}

START_TEST(test_nested)
{
    stream s = { .len = 0 };
    warnings w;
    pickle_error err;
    pickle_doc *doc;
    pickle_array a;
    int64_t index = 0;
    const pickle_val *object;

    add_text(&s, "(");
    add_nested(&s, nested, sizeof nested - 1);
    add_nested(&s, nested, sizeof nested - 1);
    add_text(&s, "t.");
    doc = read_stream(&s, &w, &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_int_eq(w.n, 0);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_msg(pickle_read_array(pickle_at(pickle_root(doc), i), &a, &err), "%s",
                      err.message);
        ck_assert(pickle_array_at(&a, &index, 1, NULL, &object));
        ck_assert_int_eq(pickle_kind_of(object), PICKLE_NONE);
    }
    ck_assert_int_eq(pickle_protocol(doc), 0);
    pickle_doc_free(doc);
}
END_TEST

/* What one pickle memoizes, the ones inside of it and beside it do not know. */
START_TEST(test_nested_memo)
{
    stream s = { .len = 0 };
    pickle_error err;
    pickle_doc *doc;

    add_text(&s, "Vouter\np0\n0");
    add_nested(&s, "g0\n.", 4);
    add_text(&s, ".");
    check_error(&s, PICKLE_ERR_MEMO, s.len - 5, "");

    s.len = 0;
    add_text(&s, "(");
    add_nested(&s, "Vinner\np0\n.", 11);
    add_nested(&s, "g0\n.", 4);
    add_text(&s, "t.");
    check_error(&s, PICKLE_ERR_MEMO, s.len - 6, "");
    doc = pickle_read(s.data, s.len, pickle_read_opts(.keep_memo = true), &err);
    ck_assert_ptr_null(doc);
    ck_assert_int_eq(err.code, PICKLE_ERR_MEMO);
}
END_TEST

/* pickle.load() reads it: no array is taken from behind a wrapper in there. */
START_TEST(test_nested_wrapper)
{
    stream s = { .len = 0 }, inner = { .len = 0 };
    warnings w;
    pickle_error err;
    pickle_doc *doc;
    pickle_array a;

    add_wrapper(&inner, MODULE, "(I1\nt", F8, "");
    add_text(&inner, ".");
    add_nested(&s, (const char *)inner.data, inner.len);
    add_text(&s, ".");
    doc = read_stream(&s, &w, &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert(!pickle_read_array(pickle_root(doc), &a, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_nested_truncated)
{
    for (size_t cut = 1; cut < sizeof nested - 1; cut++) {
        stream s = { .len = 0 };
        warnings w;
        pickle_error err;

        add_nested(&s, nested, sizeof nested - 1 - cut);
        ck_assert_ptr_null(read_stream(&s, &w, &err));
        ck_assert_msg(err.code == PICKLE_ERR_TRUNCATED, "%d bytes less: %s", (int)cut, err.message);
    }
}
END_TEST

/* -------------------------------------------------------------------- options */

START_TEST(test_plain)
{
    stream s = { .len = 0 };
    pickle_doc *doc;
    pickle_array a;
    pickle_error err;

    add_wrapper(&s, MODULE, "(I1\nt", F8, "");
    add_text(&s, ".8 bytes");
    doc = pickle_read(s.data, s.len, pickle_read_opts(.plain = true), &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_uint_eq(pickle_trailing(doc), 7);
    ck_assert(!pickle_read_array(pickle_root(doc), &a, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
    pickle_doc_free(doc);
}
END_TEST

/* Each allocation fails in turn; nothing leaks, and the error says what happened. */
START_TEST(test_no_memory)
{
    char path[4096];
    unsigned char *data;
    size_t size;

    snprintf(path, sizeof path, "%s/py313/joblib/few.joblib", files_folder());
    data = files_read(path, &size);
    ck_assert_msg(data != NULL, "cannot read %s", path);
    for (size_t n = 1;; n++) {
        memory m;
        pickle_error err = { 0 };
        pickle_doc *doc;

        memory_init(&m, n);
        doc = pickle_read(data, size, pickle_read_opts(.alloc = &m.alloc), &err);
        ck_assert_msg(doc || err.code == PICKLE_ERR_NOMEM, "allocation %d: %s", (int)n,
                      err.message);
        pickle_doc_free(doc);
        ck_assert_msg(m.in_use == 0, "allocation %d: %d bytes leak", (int)n, (int)m.in_use);
        if (doc)
            break;
    }
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wrapper");
    TCase *tc = tcase_create("wrapper");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_payload);
    tcase_add_test(tc, test_other_names);
    tcase_add_test(tc, test_odd_padding);
    tcase_add_test(tc, test_shapes);
    tcase_add_test(tc, test_truncated);
    tcase_add_test(tc, test_refused);
    tcase_add_test(tc, test_twice);
    tcase_add_test(tc, test_nested);
    tcase_add_test(tc, test_nested_memo);
    tcase_add_test(tc, test_nested_wrapper);
    tcase_add_test(tc, test_nested_truncated);
    tcase_add_test(tc, test_plain);
    tcase_add_test(tc, test_no_memory);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
