/*
 * test_dis.c - what pickletools has no say in: our errors, joblib's arrays cut short, sinks and
 * allocations that fail, memory. What is printed is in ../conformance/test_dis.c.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "op/annotate.h"
#include "testmem.h"

#include <pickle/opcode.h>

#define BYTES(literal) (const unsigned char *)(literal), sizeof(literal) - 1

static bool discard(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(size_t *)ctx += len;
    return true;
}

static bool dis(const void *data, size_t size, const pickle_dis_opts *opts, pickle_error *err)
{
    size_t printed = 0;

    return pickle_dis(data, size, (pickle_sink){ discard, &printed }, opts, err);
}

/* ------------------------------------------------------------------ errors */

/* A NumpyArrayWrapper up to its state, and the state of one of (2, 3) elements of eight bytes. */
#define WRAPPER "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81"
#define DTYPE                   \
    "U\x05"                     \
    "dtypecnumpy\ndtype\nU\x02" \
    "f8K\0K\x01\x87R"
#define SHAPE "U\x05shapeK\x02K\x03\x86"
#define ARRAY WRAPPER "}(" SHAPE DTYPE "ub"
#define ALIGN "U\x1bnumpy_array_alignment_bytesK\x10"
#define HUGE_SHAPE \
    "U\x05shape(\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ft"

static const struct failure {
    const unsigned char *data;
    size_t size;
    pickle_status code;
    uint64_t offset;
    uint8_t opcode;
} failures[] = {
    { BYTES(""), PICKLE_ERR_TRUNCATED, 0, 0 },
    { BYTES("N"), PICKLE_ERR_TRUNCATED, 1, 0 },
    { BYTES("NK"), PICKLE_ERR_TRUNCATED, 1, 'K' },
    { BYTES("N\xff"), PICKLE_ERR_OPCODE, 1, 0xff },
    { BYTES("NT\xff\xff\xff\xff"), PICKLE_ERR_OPERAND, 1, 'T' },
    { BYTES("NIx\n."), PICKLE_ERR_OPERAND, 1, 'I' },
    { BYTES("NLx\n."), PICKLE_ERR_OPERAND, 1, 'L' },
    { BYTES("NF1e\n."), PICKLE_ERR_OPERAND, 1, 'F' },
    { BYTES("NF1_\n."), PICKLE_ERR_OPERAND, 1, 'F' },
    { BYTES("NS\n."), PICKLE_ERR_OPERAND, 1, 'S' },
    { BYTES("NS'\"\n."), PICKLE_ERR_OPERAND, 1, 'S' },
    { BYTES("NS'\\x'\n."), PICKLE_ERR_OPERAND, 1, 'S' },
    { BYTES("NS'\\xff'\n."), PICKLE_ERR_OPERAND, 1, 'S' },
    { BYTES("Nca\n\xc3\xa9\n."), PICKLE_ERR_OPERAND, 1, 'c' },
    { BYTES("NP\\\n."), PICKLE_ERR_OPERAND, 1, 'P' },
    { BYTES("NV\\u12\n."), PICKLE_ERR_OPERAND, 1, 'V' },
    { BYTES("N\x8c\x01\x80."), PICKLE_ERR_OPERAND, 1, 0x8c },
    { BYTES("Nt."), PICKLE_ERR_STACK, 1, 't' },
    { BYTES("(K\x01\x86t."), PICKLE_ERR_STACK, 4, 't' },
    { BYTES("Na."), PICKLE_ERR_STACK, 1, 'a' },
    { BYTES("."), PICKLE_ERR_STACK, 0, '.' },
    { BYTES("NN."), PICKLE_ERR_STACK, 2, '.' },
    { BYTES("q\0"), PICKLE_ERR_STACK, 0, 'q' },
    { BYTES("(q\0"), PICKLE_ERR_STACK, 1, 'q' },
    { BYTES("Nq\0q\0"), PICKLE_ERR_MEMO, 3, 'q' },
    { BYTES("Nh\0"), PICKLE_ERR_MEMO, 1, 'h' },
    { BYTES("N(" ARRAY "."), PICKLE_ERR_TRUNCATED, sizeof(ARRAY), 'b' },
    { BYTES(WRAPPER "}(" SHAPE DTYPE ALIGN "ub"), PICKLE_ERR_TRUNCATED,
      sizeof(WRAPPER SHAPE DTYPE ALIGN) + 2, 'b' },
    { BYTES(WRAPPER "}(" SHAPE DTYPE ALIGN "ub\x02."), PICKLE_ERR_TRUNCATED,
      sizeof(WRAPPER SHAPE DTYPE ALIGN) + 2, 'b' },
    { BYTES(WRAPPER "}(" HUGE_SHAPE DTYPE "ub........"), PICKLE_ERR_TRUNCATED,
      sizeof(WRAPPER HUGE_SHAPE DTYPE) + 2, 'b' },
    { BYTES(WRAPPER "}(" DTYPE "ub."), PICKLE_ERR_VALUE, sizeof(WRAPPER DTYPE) + 2, 'b' },
    { BYTES(WRAPPER "}(" SHAPE "ub."), PICKLE_ERR_VALUE, sizeof(WRAPPER SHAPE) + 2, 'b' },
    { BYTES(WRAPPER "Nb."), PICKLE_ERR_VALUE, sizeof(WRAPPER), 'b' },
};

START_TEST(errors)
{
    const struct failure *f = &failures[_i];
    pickle_error err = { 0 };

    ck_assert(!dis(f->data, f->size, pickle_dis_opts(.joblib = true), &err));
    ck_assert_str_eq(pickle_status_name(err.code), pickle_status_name(f->code));
    ck_assert_uint_eq(err.offset, f->offset);
    ck_assert_uint_eq(err.opcode, f->opcode);
    ck_assert_uint_gt(strlen(err.message), 0);
}
END_TEST

START_TEST(too_many_digits)
{
    static unsigned char line[4304], number[4096] = "\x8b\xf0\x0f";
    pickle_error err;

    memset(line, '9', sizeof line);
    line[0] = 'I';
    memcpy(line + 4302, "\n.", 2);
    ck_assert(!dis(line, sizeof line, NULL, &err));
    ck_assert(err.code == PICKLE_ERR_LIMIT && err.offset == 0 && err.opcode == 'I');
    memset(number + 5, 1, 0xff0);
    ck_assert(!dis(number, sizeof number, NULL, &err));
    ck_assert(err.code == PICKLE_ERR_LIMIT && err.offset == 0 && err.opcode == 0x8b);
}
END_TEST

/* Whatever is cut off is missed. */
static bool check_prefixes(void *ctx, const char *path, unsigned char *data, size_t size)
{
    const pickle_dis_opts *opts = pickle_dis_opts(.joblib = true);
    int *files = ctx;
    pickle_error err;

    if (size > 1000 || !dis(data, size, opts, &err))
        return true;
    ++*files;
    while (size-- > 0) {
        unsigned char *copy = malloc(size);

        if (size > 0)
            memcpy(copy, data, size);
        ck_assert_msg(!dis(copy, size, opts, &err) && err.code == PICKLE_ERR_TRUNCATED,
                      "%s: %zu bytes of it", path, size);
        free(copy);
    }
    return true;
}

START_TEST(every_prefix)
{
    char path[4096];
    int files = 0;

    snprintf(path, sizeof path, "%s/vectors/joblib-1.2", files_folder());
    files_each(path, check_prefixes, &files);
    ck_assert_int_gt(files, 50);
}
END_TEST

/* ------------------------------------------------------------ sinks, memory */

/* Takes `left` bytes; a call after the one that failed is a fault. */
typedef struct narrow {
    size_t left;
    bool failed;
} narrow;

static bool take(void *ctx, const void *data, size_t len)
{
    narrow *n = ctx;

    (void)data;
    ck_assert(!n->failed);
    n->failed = len > n->left;
    n->left -= n->failed ? 0 : len;
    return !n->failed;
}

START_TEST(sink_fails)
{
    static unsigned char data[20000];

    memset(data, 'N', sizeof data);
    for (size_t left = 0; left < 100000; left += 9000) {
        narrow n = { left, false };
        pickle_error err;

        ck_assert(!pickle_dis(data, sizeof data, (pickle_sink){ take, &n }, NULL, &err));
        ck_assert_int_eq(err.code, PICKLE_ERR_IO);
        ck_assert(n.failed);
    }
}
END_TEST

/* Disassemble with the n-th allocation failing, until none does. */
static void check_allocations(const unsigned char *data, size_t size)
{
    bool ok = false;

    for (size_t n = 1; !ok; n++) {
        memory m;
        pickle_error err;
        pickle_dis_memo *memo;

        memory_init(&m, n);
        memo = pickle_dis_memo_new(&m.alloc);
        if (memo) {
            ok = dis(data, size,
                     pickle_dis_opts(.joblib = true, .all = true, .memo = memo, .alloc = &m.alloc),
                     &err);
            ck_assert(ok || err.code == PICKLE_ERR_NOMEM);
        }
        pickle_dis_memo_free(memo);
        ck_assert_uint_eq(m.in_use, 0);
    }
}

static bool check_file_allocations(void *ctx, const char *path, unsigned char *data, size_t size)
{
    (void)ctx;
    (void)path;
    if (size < 1000 && dis(data, size, pickle_dis_opts(.joblib = true, .all = true), NULL))
        check_allocations(data, size);
    return true;
}

START_TEST(allocations_fail)
{
    char path[4096];

    check_allocations(BYTES("(I99999999999999999999\nNp99999999999999999999\nVx\n"
                            "\x95\xff\xff\xff\xff\xff\xff\xff\xff\x94t.N."));
    snprintf(path, sizeof path, "%s/vectors/joblib-1.2", files_folder());
    files_each(path, check_file_allocations, NULL);
}
END_TEST

static size_t peak_of(const unsigned char *data, size_t size, bool expected)
{
    memory m;

    memory_init(&m, 0);
    ck_assert(dis(data, size, pickle_dis_opts(.indent = -1, .alloc = &m.alloc), NULL) == expected);
    ck_assert_uint_eq(m.in_use, 0);
    return m.peak;
}

START_TEST(memory_follows_the_input)
{
    static unsigned char marks[1 << 20];

    ck_assert_uint_lt(peak_of(BYTES("Nr\xff\xff\xff\xffr\xff\xff\xff\x7fp-1\n."), true), 10000);
    ck_assert_uint_lt(peak_of(BYTES("NB\xff\xff\xff\x7f"), false), 10000);
    memset(marks, '(', sizeof marks);
    ck_assert_uint_lt(peak_of(marks, sizeof marks, false), 100 * sizeof marks);
}
END_TEST

/* ----------------------------------------------------------------- options */

START_TEST(memo_of_several_calls)
{
    pickle_dis_memo *memo = pickle_dis_memo_new(NULL);
    const pickle_dis_opts *opts = pickle_dis_opts(.memo = memo);

    ck_assert(dis(BYTES("Nq\5."), opts, NULL));
    ck_assert(dis(BYTES("h\5."), opts, NULL));
    ck_assert(!dis(BYTES("Nq\5."), opts, NULL));
    ck_assert(!dis(BYTES("h\5."), NULL, NULL));
    pickle_dis_memo_free(memo);
    pickle_dis_memo_free(NULL);
}
END_TEST

START_TEST(options_of_an_older_caller)
{
    pickle_dis_opts opts = { .struct_size = offsetof(pickle_dis_opts, joblib), .joblib = true };

    ck_assert(dis(BYTES(ARRAY "."), &opts, NULL));
    opts.struct_size = sizeof opts;
    ck_assert(!dis(BYTES(ARRAY "."), &opts, NULL));
}
END_TEST

START_TEST(annotations)
{
    for (int code = 0; code < 256; code++) {
        const char *words = pickle__annotation((uint8_t)code);

        ck_assert((words != NULL) == (pickle_op_info_of((uint8_t)code) != NULL));
        if (words)
            ck_assert(strlen(words) > 2 && strlen(words) < 60 && !strchr(words, '\n'));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dis");
    TCase *tc = tcase_create("dis");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, errors, 0, sizeof failures / sizeof *failures);
    tcase_add_test(tc, too_many_digits);
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, sink_fails);
    tcase_add_test(tc, allocations_fail);
    tcase_add_test(tc, memory_follows_the_input);
    tcase_add_test(tc, memo_of_several_calls);
    tcase_add_test(tc, options_of_an_older_caller);
    tcase_add_test(tc, annotations);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
