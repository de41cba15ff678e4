/* test_base.c - errors, memory, sinks, readers and the window over them. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "testmem.h"

#define MIB ((size_t)1 << 20)

/* ------------------------------------------------------------------ errors */

START_TEST(test_status_names)
{
    ck_assert_str_eq(pickle_status_name(PICKLE_OK), "PICKLE_OK");
    ck_assert_str_eq(pickle_status_name(PICKLE_ERR_STACK), "PICKLE_ERR_STACK");
    ck_assert_str_eq(pickle_status_name(PICKLE_ERR_RANGE), "PICKLE_ERR_RANGE");
    ck_assert_str_eq(pickle_status_name((pickle_status)99), "PICKLE_ERR_UNKNOWN");
}
END_TEST

START_TEST(test_fail)
{
    pickle_error err;

    memset(&err, 0xff, sizeof err);
    ck_assert(!pickle__fail(&err, PICKLE_ERR_VALUE, 42, "%d of %s", 7, "nine"));
    ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
    ck_assert_int_eq(err.sys, 0);
    ck_assert_uint_eq(err.offset, 42);
    ck_assert_uint_eq(err.opcode, 0);
    ck_assert_str_eq(err.message, "7 of nine");

    ck_assert(!pickle__fail(&err, PICKLE_ERR_VALUE, 0, "%0500d", 1));
    ck_assert_uint_eq(strlen(err.message), sizeof err.message - 1);

    ck_assert(!pickle__no_memory(&err, 3));
    ck_assert_int_eq(err.code, PICKLE_ERR_NOMEM);
    ck_assert_uint_eq(err.offset, 3);
    ck_assert(!pickle__fail(NULL, PICKLE_ERR_VALUE, 0, "nobody listens"));
}
END_TEST

static const char *escaped(char *dst, size_t size, const char *text)
{
    return pickle__escape(dst, size, text, strlen(text));
}

START_TEST(test_escape)
{
    char text[64];

    ck_assert_str_eq(escaped(text, sizeof text, "plain 'text'"), "plain 'text'");
    ck_assert_str_eq(escaped(text, sizeof text, "a\n\x1b[31m\\\x7f\xc3\xa9"),
                     "a\\x0a\\x1b[31m\\\\\\x7f\\xc3\\xa9");
    ck_assert_str_eq(pickle__escape(text, sizeof text, "a\0b", 3), "a\\x00b");
    ck_assert_str_eq(pickle__escape(text, sizeof text, NULL, 0), "");
    ck_assert_ptr_eq(escaped(text, 0, "nowhere"), text);
    ck_assert_str_eq(escaped(text, 9, "12345678"), "12345678");
    ck_assert_str_eq(escaped(text, 8, "12345678"), "1234...");
    ck_assert_str_eq(escaped(text, 8, "12\n\n"), "12...");
    ck_assert_str_eq(escaped(text, 8, "\n\n"), "\\x0a...");
}
END_TEST

/* Whatever the room: it ends in time, and dots show that something is missing. */
START_TEST(test_escape_fits)
{
    static const char source[] = "ab\n\\cd\xff";
    static const char whole[] = "ab\\x0a\\\\cd\\xff";

    for (size_t size = 1; size < 20; size++) {
        char *text = malloc(size);
        size_t len = strlen(escaped(text, size, source));

        ck_assert_uint_lt(len, size);
        if (size >= sizeof whole)
            ck_assert_str_eq(text, whole);
        else if (size > 3)
            ck_assert_str_eq(text + len - 3, "...");
        free(text);
    }
}
END_TEST

/* ------------------------------------------------------------------ memory */

static void fill(unsigned char *block, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        block[i] = (unsigned char)(i * 7 + i / 251);
}

static void check_filled(const unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (block[i] != (unsigned char)(i * 7 + i / 251))
            ck_abort_msg("byte %zu of %zu is wrong", i, size);
}

START_TEST(test_default_alloc)
{
    static const size_t sizes[] = { 0,           1,       100,         MIB - 1,     MIB,
                                    MIB + 1,     3 * MIB, 2 * MIB - 1, 2 * MIB,     2 * MIB + 1,
                                    5 * MIB + 9, 8 * MIB, 3 * MIB / 2, 5 * MIB / 2, 4 * MIB };
    enum { COUNT = sizeof sizes / sizeof *sizes };

    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < COUNT; k++) {
            unsigned char *block = pickle__alloc(NULL, sizes[i]);

            ck_assert_ptr_nonnull(block);
            fill(block, 0, sizes[i]);
            block = pickle__realloc(NULL, block, sizes[i], sizes[k]);
            ck_assert_ptr_nonnull(block);
            check_filled(block, sizes[i] < sizes[k] ? sizes[i] : sizes[k]);
            fill(block, 0, sizes[k]);
            pickle__free(NULL, block, sizes[k]);
        }
    }
}
END_TEST

START_TEST(test_default_alloc_too_large)
{
    void *block = pickle__alloc(NULL, 4 * MIB);

    ck_assert_ptr_null(pickle__alloc(NULL, SIZE_MAX));
    ck_assert_ptr_null(pickle__alloc(NULL, SIZE_MAX / 2));
    ck_assert_ptr_null(pickle__realloc(NULL, block, 4 * MIB, SIZE_MAX));
    ck_assert_ptr_null(pickle__realloc(NULL, block, 4 * MIB, SIZE_MAX - 4 * MIB));
    memset(block, 1, 4 * MIB);
    pickle__free(NULL, block, 4 * MIB);
    pickle__free(NULL, NULL, 0);
}
END_TEST

#if defined(__linux__)
START_TEST(test_huge_alignment)
{
    size_t size = 2 * MIB;
    unsigned char *block = pickle__alloc(NULL, size);

    for (; size < 64 * MIB; size *= 2) {
        ck_assert_uint_eq((uintptr_t)block % (2 * MIB), 0);
        block = pickle__realloc(NULL, block, size, 2 * size);
        block[2 * size - 1] = 1;
    }
    pickle__free(NULL, block, size);
}
END_TEST
#endif

START_TEST(test_checked_sizes)
{
    size_t n = 5;

    ck_assert(pickle__add(SIZE_MAX - 1, 1, &n) && n == SIZE_MAX);
    ck_assert(!pickle__add(SIZE_MAX, 1, &n) && n == SIZE_MAX);
    ck_assert(pickle__mul(0, SIZE_MAX, &n) && n == 0);
    ck_assert(pickle__mul(SIZE_MAX / 3, 3, &n) && n == SIZE_MAX / 3 * 3);
    ck_assert(!pickle__mul(SIZE_MAX / 2, 3, &n) && n == SIZE_MAX / 3 * 3);
}
END_TEST

START_TEST(test_buf)
{
    memory m;
    pickle_buf buf = { .alloc = &m.alloc };
    unsigned char expected[5000];

    memory_init(&m, 0);
    fill(expected, 0, sizeof expected);
    for (size_t i = 0; i < sizeof expected; i++)
        ck_assert(pickle__buf_add(&buf, expected + i, 1));
    ck_assert_uint_eq(buf.len, sizeof expected);
    ck_assert_mem_eq(buf.data, expected, buf.len);
    ck_assert_uint_lt(m.calls, 12);
    ck_assert_uint_eq(m.in_use, buf.cap);

    ck_assert(!pickle__buf_reserve(&buf, SIZE_MAX - 4000));
    ck_assert(pickle__buf_add(&buf, NULL, 0));
    ck_assert_uint_eq(buf.len, sizeof expected);
    pickle_buf_free(&buf);
    pickle_buf_free(&buf);
    pickle_buf_free(NULL);
    ck_assert_uint_eq(m.in_use, 0);
}
END_TEST

START_TEST(test_buf_no_memory)
{
    memory m;
    pickle_buf buf = { .alloc = &m.alloc };

    memory_init(&m, 2);
    ck_assert(pickle__buf_add(&buf, "abc", 3));
    ck_assert(!pickle__buf_reserve(&buf, 100000));
    ck_assert(buf.len == 3 && memcmp(buf.data, "abc", 3) == 0);
    pickle_buf_free(&buf);
    ck_assert_uint_eq(m.in_use, 0);
}
END_TEST

/* ------------------------------------------------------------------- sinks */

START_TEST(test_sink_buf)
{
    pickle_buf buf = { 0 };
    pickle_sink out = pickle_sink_buf(&buf);

    ck_assert(pickle__put(out, "two "));
    ck_assert(pickle__put(out, "parts"));
    ck_assert_uint_eq(buf.len, 9);
    ck_assert_mem_eq(buf.data, "two parts", 9);
    pickle_buf_free(&buf);
}
END_TEST

START_TEST(test_sink_fd)
{
    char name[] = "/tmp/test-base-XXXXXX", text[16];
    int fd = mkstemp(name);
    pickle_sink out = pickle_sink_fd(&fd);

    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert(pickle__put(out, "") && pickle__put(out, "two ") && pickle__put(out, "parts"));
    ck_assert_int_eq(pread(fd, text, sizeof text, 0), 9);
    ck_assert_mem_eq(text, "two parts", 9);
    close(fd);
    errno = 0;
    ck_assert(!pickle__put(out, "closed"));
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* ----------------------------------------------------------------- readers */

START_TEST(test_memory_reader)
{
    memory m;
    pickle__reader *r;
    char text[8];
    size_t got;

    memory_init(&m, 0);
    r = pickle__memory_reader("abcdefg", 7, &m.alloc);
    ck_assert_int_eq(pickle__read(r, text, 5, &got, NULL), PICKLE_OK);
    ck_assert(got == 5 && memcmp(text, "abcde", 5) == 0);
    ck_assert_int_eq(pickle__read(r, text, 5, &got, NULL), PICKLE_OK);
    ck_assert(got == 2 && memcmp(text, "fg", 2) == 0);
    ck_assert_int_eq(pickle__read(r, text, 5, &got, NULL), PICKLE_OK);
    ck_assert_uint_eq(got, 0);
    pickle__close(r);
    pickle__close(NULL);

    r = pickle__memory_reader(NULL, 0, &m.alloc);
    ck_assert_int_eq(pickle__read(r, text, 5, &got, NULL), PICKLE_OK);
    ck_assert_uint_eq(got, 0);
    pickle__close(r);
    ck_assert_uint_eq(m.in_use, 0);

    memory_init(&m, 1);
    ck_assert_ptr_null(pickle__memory_reader("", 0, &m.alloc));
    memory_init(&m, 1);
    ck_assert_ptr_null(pickle__fd_reader(0, &m.alloc));
}
END_TEST

START_TEST(test_fd_error)
{
    int fd = open("/", O_RDONLY);
    pickle__reader *r = pickle__fd_reader(fd, NULL);
    pickle_error err;
    size_t got;
    char byte;

    ck_assert_int_eq(pickle__read(r, &byte, 1, &got, &err), PICKLE_ERR_IO);
    ck_assert_int_eq(err.code, PICKLE_ERR_IO);
    ck_assert_int_eq(err.sys, EISDIR);
    ck_assert_int_eq(pickle__read(r, &byte, 1, &got, NULL), PICKLE_ERR_IO);
    pickle__close(r);
    close(fd);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

/* A child that dribbles into a pipe, while signals interrupt whoever reads. */
static int dribble(pid_t *child)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    *child = fork();
    if (*child == 0) {
        for (char c = 'a'; c <= 'e'; c++) {
            usleep(20000);
            if (write(ends[1], &c, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

START_TEST(test_fd_interrupted)
{
    const struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, never = { { 0, 0 }, { 0, 0 } };
    struct sigaction action = { .sa_handler = on_alarm };
    pickle__source s;
    pid_t child;
    int fd = dribble(&child);
    char text[5];

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    ck_assert(pickle__source_reader(&s, pickle__fd_reader(fd, NULL), UINT64_MAX, NULL));
    ck_assert(pickle__source_copy(&s, text, 5));
    ck_assert_mem_eq(text, "abcde", 5);
    ck_assert(!pickle__source_need(&s, 1));
    ck_assert_int_eq(s.status, PICKLE_OK);
    setitimer(ITIMER_REAL, &never, NULL);
    pickle__source_close(&s);
    close(fd);
    waitpid(child, NULL, 0);
}
END_TEST

/* ------------------------------------------------------------------ source */

/* A stream whose bytes follow from their offset, given in odd pieces. */
typedef struct stream {
    pickle__reader reader;
    uint64_t at, size; /* ends, or fails, after `size` bytes */
    size_t piece;      /* bytes a read gives at most          */
    bool fails, closed;
} stream;

static unsigned char byte_at(uint64_t offset)
{
    return (unsigned char)(offset * 31 + offset / 255);
}

static pickle_status stream_read(pickle__reader *r, void *dst, size_t size, size_t *got,
                                 pickle_error *err)
{
    stream *s = (stream *)r;
    unsigned char *bytes = dst;
    size_t n = 0;

    if (s->at == s->size && s->fails) {
        pickle__fail(err, PICKLE_ERR_CODEC, s->at, "broken");
        return PICKLE_ERR_CODEC;
    }
    while (n < size && n < s->piece && s->at < s->size)
        bytes[n++] = byte_at(s->at++);
    *got = n;
    return PICKLE_OK;
}

static void stream_close(pickle__reader *r)
{
    ((stream *)r)->closed = true;
}

static stream stream_of(uint64_t size, size_t piece)
{
    return (stream){ { stream_read, stream_close }, 0, size, piece, false, false };
}

static void check_bytes(const unsigned char *bytes, uint64_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != byte_at(offset + i))
            ck_abort_msg("wrong byte at %zu of %zu", i, n);
}

/* Take `n` bytes, through the window or copied out. */
static bool take(pickle__source *s, size_t n, bool copy)
{
    uint64_t offset = pickle__source_offset(s);
    unsigned char *bytes;
    bool ok;

    if (!copy) {
        if (!pickle__source_need(s, n))
            return false;
        ck_assert_uint_ge(pickle__source_left(s), n);
        check_bytes(s->at, offset, n);
        s->at += n;
        return true;
    }
    bytes = malloc(n ? n : 1);
    ok = pickle__source_copy(s, bytes, n);
    if (ok)
        check_bytes(bytes, offset, n);
    free(bytes);
    return ok;
}

START_TEST(test_source)
{
    static const size_t pieces[] = { 1000, 4096, 65537, SIZE_MAX };

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const uint64_t size = 3 * MIB + 12345;
        stream input = stream_of(size, pieces[i]);
        pickle__source s;
        uint64_t offset = 0;
        memory m;

        memory_init(&m, 0);
        ck_assert(pickle__source_reader(&s, &input.reader, UINT64_MAX, &m.alloc));
        for (size_t n = 1, k = 0;; n = (n * 5 + 3) % 300007, k++) {
            ck_assert_uint_eq(pickle__source_offset(&s), offset);
            if (offset + n > size)
                n = (size_t)(size - offset);
            ck_assert(take(&s, n, k % 2));
            offset += n;
            if (offset == size)
                break;
        }
        ck_assert(!pickle__source_need(&s, 1));
        ck_assert(!take(&s, 1, true));
        ck_assert_int_eq(s.status, PICKLE_OK);
        ck_assert_uint_eq(pickle__source_offset(&s), size);
        ck_assert_uint_lt(m.peak, MIB);
        pickle__source_close(&s);
        ck_assert(input.closed);
        ck_assert_uint_eq(m.in_use, 0);
    }
}
END_TEST

START_TEST(test_source_memory)
{
    static const unsigned char data[] = "abcdef";
    pickle__source s;
    char text[4];

    pickle__source_memory(&s, data, 6, true);
    ck_assert(s.stable && s.at == data && pickle__source_left(&s) == 6);
    ck_assert(pickle__source_need(&s, 6) && !pickle__source_need(&s, 7));
    ck_assert(pickle__source_copy(&s, text, 4));
    ck_assert_mem_eq(text, "abcd", 4);
    ck_assert_uint_eq(pickle__source_offset(&s), 4);
    ck_assert(!pickle__source_copy(&s, text, 3));
    ck_assert_uint_eq(pickle__source_offset(&s), 4);
    ck_assert_int_eq(s.status, PICKLE_OK);
    pickle__source_close(&s);

    pickle__source_memory(&s, NULL, 0, false);
    ck_assert(!s.stable && !pickle__source_need(&s, 1) && pickle__source_need(&s, 0));
    pickle__source_close(&s);
}
END_TEST

/* A length from a hostile file allocates no more than what the stream holds can justify. */
START_TEST(test_source_hostile_length)
{
    stream input = stream_of(500000, 7000);
    pickle__source s;
    memory m;

    memory_init(&m, 0);
    ck_assert(pickle__source_reader(&s, &input.reader, UINT64_MAX, &m.alloc));
    ck_assert(!pickle__source_need(&s, SIZE_MAX));
    ck_assert_int_eq(s.status, PICKLE_OK);
    ck_assert_uint_le(m.peak, 3 * MIB / 2);
    ck_assert_uint_eq(pickle__source_left(&s), 500000);
    check_bytes(s.at, 0, 500000);
    pickle__source_close(&s);
}
END_TEST

START_TEST(test_source_limit)
{
    for (uint64_t limit = 299998; limit <= 300002; limit++) {
        for (int copy = 0; copy <= 1; copy++) {
            stream input = stream_of(300000, 65536);
            pickle__source s;
            bool ok;

            ck_assert(pickle__source_reader(&s, &input.reader, limit, NULL));
            ok = take(&s, 300000, copy) && !pickle__source_need(&s, 1) && s.status == PICKLE_OK;
            ck_assert_int_eq(ok, limit >= 300000);
            if (!ok) {
                ck_assert_int_eq(s.status, PICKLE_ERR_LIMIT);
                ck_assert_int_eq(s.error.code, PICKLE_ERR_LIMIT);
                ck_assert_uint_eq(s.error.offset, limit);
                ck_assert_ptr_nonnull(strstr(s.error.message, "limits.inflated_bytes"));
                ck_assert(!pickle__source_refill(&s, 300000));
            }
            pickle__source_close(&s);
        }
    }
}
END_TEST

START_TEST(test_source_error)
{
    for (int copy = 0; copy <= 1; copy++) {
        stream input = stream_of(200000, 65536);
        pickle__source s;

        input.fails = true;
        ck_assert(pickle__source_reader(&s, &input.reader, UINT64_MAX, NULL));
        ck_assert(take(&s, 100000, copy));
        ck_assert(!take(&s, 150000, copy));
        ck_assert_int_eq(s.status, PICKLE_ERR_CODEC);
        ck_assert_uint_eq(s.error.offset, 200000);
        ck_assert_str_eq(s.error.message, "broken");
        pickle__source_close(&s);
    }
}
END_TEST

START_TEST(test_source_no_memory)
{
    for (size_t fail_at = 1; fail_at <= 4; fail_at++) {
        stream input = stream_of(MIB, 65536);
        pickle__source s;
        memory m;

        memory_init(&m, fail_at);
        if (!pickle__source_reader(&s, &input.reader, UINT64_MAX, &m.alloc)) {
            ck_assert_uint_eq(fail_at, 1);
            ck_assert(input.closed);
            continue;
        }
        ck_assert(!pickle__source_need(&s, MIB));
        ck_assert_int_eq(s.status, PICKLE_ERR_NOMEM);
        ck_assert_int_eq(s.error.code, PICKLE_ERR_NOMEM);
        /* What was in the window is still there. */
        check_bytes(s.at, 0, pickle__source_left(&s));
        pickle__source_close(&s);
        ck_assert_uint_eq(m.in_use, 0);
    }
}
END_TEST

static TCase *memory_tests(void)
{
    TCase *tc = tcase_create("memory");

    tcase_add_test(tc, test_status_names);
    tcase_add_test(tc, test_fail);
    tcase_add_test(tc, test_escape);
    tcase_add_test(tc, test_escape_fits);
    tcase_add_test(tc, test_default_alloc);
    tcase_add_test(tc, test_default_alloc_too_large);
#if defined(__linux__)
    tcase_add_test(tc, test_huge_alignment);
#endif
    tcase_add_test(tc, test_checked_sizes);
    tcase_add_test(tc, test_buf);
    tcase_add_test(tc, test_buf_no_memory);
    return tc;
}

static TCase *io_tests(void)
{
    TCase *tc = tcase_create("io");

    tcase_add_test(tc, test_sink_buf);
    tcase_add_test(tc, test_sink_fd);
    tcase_add_test(tc, test_memory_reader);
    tcase_add_test(tc, test_fd_error);
    tcase_add_test(tc, test_fd_interrupted);
    tcase_add_test(tc, test_source);
    tcase_add_test(tc, test_source_memory);
    tcase_add_test(tc, test_source_hostile_length);
    tcase_add_test(tc, test_source_limit);
    tcase_add_test(tc, test_source_error);
    tcase_add_test(tc, test_source_no_memory);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("base");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, memory_tests());
    suite_add_tcase(suite, io_tests());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
