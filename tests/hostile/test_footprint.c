/*
 * test_footprint.c - how much memory reading takes: for files that are compressed, or come
 * from a pipe, what the arrays have and little more; for those that are mapped, a few pages.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pickle/pickle.h>

#include "files.h"
#include "testmem.h"

#define PAYLOAD ((size_t)64 << 20)
#define DOUBLES (PAYLOAD / sizeof(double))
#define PAGE    ((size_t)4096 / sizeof(double)) /* doubles */

/* The bound on all there is, beside the mapping. The constant holds what the codecs need (bz2 4 MB,
 * xz at joblib's level 5 MB), the windows, and a huge page for the graph. */
#define MOST_READ (PAYLOAD + PAYLOAD / 100 * 15 + ((size_t)8 << 20))
/* Around a page that is touched, Linux maps the fifteen that are next to it. */
#define AROUND    ((size_t)64 << 10)
#define MOST_OPEN ((size_t)1 << 20)

/* One array; some of 3.9 and of 1.1 MB, of which huge pages would waste much; and many. */
static const size_t counts[] = { 1, 17, 61, 1000 };
#define COUNTS (sizeof counts / sizeof *counts)

static char path[64], small[64];

static void make_name(char *name, size_t size)
{
    int fd;

    snprintf(name, size, "/tmp/test-footprint-XXXXXX");
    fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void setup(void)
{
    make_name(path, sizeof path);
    make_name(small, sizeof small);
}

static void teardown(void)
{
    unlink(path);
    unlink(small);
}

/* ------------------------------------------------------------------- files */

/* Noise in front of each page, then zeros: compressed quickly, but to more than a window. */
static double *new_numbers(void)
{
    double *numbers = calloc(DOUBLES, sizeof *numbers);
    uint32_t noise = 1;

    ck_assert_ptr_nonnull(numbers);
    for (size_t i = 0; i < DOUBLES; i++) {
        noise = noise * 1664525u + 1013904223u;
        if (i % PAGE < 8)
            numbers[i] = noise;
    }
    return numbers;
}

/* A list of `count` arrays of `n` numbers. */
static void write_list(const char *to, const double *numbers, size_t count, int64_t n,
                       pickle_codec codec)
{
    pickle_doc *doc = pickle_doc_new(NULL);
    pickle_val *list = pickle_new_list(doc);
    pickle_error err;

    for (size_t i = 0; i < count; i++)
        pickle_append(doc, list, pickle_new_array(doc, "<f8", 1, &n, numbers + i * (size_t)n));
    pickle_set_root(doc, list);
    ck_assert_msg(pickle_write_file(
                      doc, to,
                      pickle_write_opts(.format = PICKLE_FORMAT_JOBLIB, .compression.codec = codec),
                      &err),
                  "%s", err.message);
    pickle_doc_free(doc);
}

/* `count` arrays that are PAYLOAD bytes together, nearly; and a file of one number. */
static void write_arrays(size_t count, pickle_codec codec)
{
    double *numbers = new_numbers();

    write_list(path, numbers, count, (int64_t)(DOUBLES / count), codec);
    write_list(small, numbers, 1, 1, codec);
    free(numbers);
}

/* Whether they are all there. */
static bool has_arrays(const pickle_doc *doc, size_t count)
{
    const pickle_val *list = pickle_root(doc);
    pickle_array a;

    if (pickle_len(list) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!pickle_get_array(pickle_at(list, i), &a) || !a.data ||
            pickle_array_count(&a) != DOUBLES / count)
            return false;
    return true;
}

/* ---------------------------------------------------------------- measuring */

typedef bool reading(const char *from, size_t count);

/* In bytes; Linux alone tells. */
static size_t status(const char *field)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    size_t kib = 0;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtoul(line + strlen(field), NULL, 10);
    if (file)
        fclose(file);
    return kib << 10;
}

/* Bytes by which the memory of a process grows at most that reads; mapped files count, too. What
 * the code itself takes is there from a small file before. */
static size_t growth_of(reading *read, size_t count)
{
    size_t *grown =
        mmap(NULL, sizeof *grown, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t result;
    int how;
    pid_t child;

    ck_assert_ptr_ne(grown, MAP_FAILED);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        size_t before;
        bool ok;

        read(small, 1);
        before = status("VmRSS:");
        ok = read(path, count);
        *grown = status("VmHWM:") - before;
        _exit(ok ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert_msg(WIFEXITED(how) && WEXITSTATUS(how) == 0, "not read, of %zu arrays", count);
    result = *grown;
    munmap(grown, sizeof *grown);
    return result;
}

static bool from_file(const char *from, size_t count)
{
    pickle_doc *doc = pickle_read_file(from, NULL, NULL);

    return has_arrays(doc, count);
}

/* All of one array, and nothing of the others. */
static bool one_array(const char *from, size_t count)
{
    pickle_doc *doc = pickle_read_file(from, NULL, NULL);
    const double *data;
    double sum = 0;
    pickle_array a;

    if (!pickle_get_array(pickle_at(pickle_root(doc), count / 2), &a) ||
        (data = pickle_array_f64(&a)) == NULL)
        return false;
    for (size_t i = 0; i < pickle_array_count(&a); i++)
        sum += data[i];
    return sum > 0;
}

static bool from_pipe(const char *from, size_t count)
{
    char command[128];
    FILE *pipe;
    pickle_doc *doc;
    bool ok;

    snprintf(command, sizeof command, "cat %s", from);
    pipe = popen(command, "r");
    doc = pipe ? pickle_read_fd(fileno(pipe), NULL, NULL) : NULL;
    ok = has_arrays(doc, count);
    return pipe && pclose(pipe) == 0 && ok;
}

/* From memory that does not outlive the document, which therefore copies: that memory counts, too.
 */
static bool from_memory(const char *from, size_t count)
{
    size_t size;
    unsigned char *data = files_read(from, &size);
    pickle_doc *doc = data ? pickle_read(data, size, NULL, NULL) : NULL;

    free(data);
    return has_arrays(doc, count);
}

/* ------------------------------------------------------------------- tests */

static const pickle_codec codecs[] = { PICKLE_CODEC_ZLIB, PICKLE_CODEC_GZIP, PICKLE_CODEC_BZ2,
                                       PICKLE_CODEC_XZ,   PICKLE_CODEC_LZMA, PICKLE_CODEC_LZ4,
                                       PICKLE_CODEC_ZSTD };
#define CODECS ((int)(sizeof codecs / sizeof *codecs))

static void expect(reading *read, const char *what, size_t count, size_t most)
{
    size_t grown = growth_of(read, count);

    ck_assert_msg(grown <= most, "%zu arrays, %s: %zu KiB, not %zu", count, what, grown >> 10,
                  most >> 10);
}

START_TEST(compressed)
{
    pickle_codec codec = codecs[_i];

    for (size_t i = 0; pickle_codec_available(codec) && i < COUNTS; i++) {
        write_arrays(counts[i], codec);
        expect(from_file, pickle_codec_name(codec), counts[i], MOST_READ);
        expect(from_pipe, pickle_codec_name(codec), counts[i], MOST_READ);
    }
}
END_TEST

START_TEST(copied)
{
    for (size_t i = 0; i < COUNTS; i++) {
        write_arrays(counts[i], PICKLE_CODEC_NONE);
        expect(from_pipe, "from a pipe", counts[i], MOST_READ);
        expect(from_memory, "from memory", counts[i], MOST_READ + PAYLOAD);
    }
}
END_TEST

START_TEST(mapped)
{
    for (size_t i = 0; i < COUNTS - 1; i++) {
        write_arrays(counts[i], PICKLE_CODEC_NONE);
        expect(from_file, "mapped", counts[i], MOST_OPEN + counts[i] * AROUND);
        expect(one_array, "mapped", counts[i],
               MOST_OPEN + counts[i] * AROUND + PAYLOAD / counts[i]);
    }
}
END_TEST

/* What the library asks for, which any build can tell. This allocator moves what grows: for a
 * moment the old half is there, too. */
START_TEST(allocated)
{
    for (size_t i = 0; pickle_codec_available(PICKLE_CODEC_ZLIB) && i < COUNTS; i++) {
        memory m;
        pickle_doc *doc;

        write_arrays(counts[i], PICKLE_CODEC_ZLIB);
        memory_init(&m, 0);
        doc = pickle_read_file(path, pickle_read_opts(.alloc = &m.alloc), NULL);
        ck_assert(has_arrays(doc, counts[i]));
        ck_assert_msg(m.peak <= MOST_READ + PAYLOAD / counts[i] / 2, "%zu arrays: %zu bytes",
                      counts[i], m.peak);
        ck_assert_uint_ge(pickle_memory(doc), PAYLOAD / 100 * 99);
        pickle_doc_free(doc);
        ck_assert_uint_eq(m.in_use, 0);
    }
}
END_TEST

/* Sanitizers have memory of their own for each byte. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

int main(void)
{
    Suite *s = suite_create("footprint");
    TCase *tc = tcase_create("footprint");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, allocated);
    if (SANITIZED || status("VmHWM:") == 0) {
        puts("# the process's own memory is not measured: no /proc, or a sanitizer");
    } else {
        tcase_add_loop_test(tc, compressed, 0, CODECS);
        tcase_add_test(tc, copied);
        tcase_add_test(tc, mapped);
    }
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
