/*
 * bench_write.c - writing files read before, for bench_write.py.
 *
 * usage: bench_write ROUNDS graph IN                   into memory that is used again
 *        bench_write ROUNDS file IN OUT [CODEC LEVEL THREADS]   to a file
 *
 * One line: the best time in seconds over ROUNDS rounds, and the bytes written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pickle/pickle.h>
#include <pickle/write.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Negative: it failed. */
static double to_memory(const pickle_doc *doc, pickle_buf *buf, long repeat, pickle_error *err)
{
    double start = now();

    while (repeat-- > 0) {
        buf->len = 0;
        if (!pickle_write_buf(doc, buf, NULL, err))
            return -1;
    }
    return now() - start;
}

static double best_to_memory(const pickle_doc *doc, int rounds, size_t *size, pickle_error *err)
{
    pickle_buf buf = { 0 };
    double best = 1e9;
    long repeat;

    if (to_memory(doc, &buf, 1, err) < 0)
        return -1;
    /* Small messages are written a hundred thousand times; large ones take long enough once. */
    repeat = buf.len < 4096 ? 100000 : 1;
    for (int i = 0; i < rounds; i++) {
        double t = to_memory(doc, &buf, repeat, err) / (double)repeat;

        best = t < best ? t : best;
    }
    *size = buf.len;
    pickle_buf_free(&buf);
    return best;
}

static size_t file_size(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;

    if (file) {
        fseek(file, 0, SEEK_END);
        size = ftell(file);
        fclose(file);
    }
    return (size_t)size;
}

static double best_to_file(const pickle_doc *doc, int rounds, const char *path,
                           pickle_compression how, pickle_error *err)
{
    double best = 1e9;

    for (int i = 0; i < rounds; i++) {
        double start = now(), t;

        if (!pickle_write_file(doc, path, pickle_write_opts(.compression = how), err))
            return -1;
        t = now() - start;
        best = t < best ? t : best;
    }
    return best;
}

static bool compression_from(int argc, char **argv, pickle_compression *out)
{
    *out = (pickle_compression){ .codec = PICKLE_CODEC_NONE };
    if (argc < 8)
        return argc == 5;
    out->level = atoi(argv[6]);
    out->threads = (unsigned)atoi(argv[7]);
    return pickle_codec_from_name(argv[5], &out->codec);
}

int main(int argc, char **argv)
{
    int rounds = argc > 3 ? atoi(argv[1]) : 0;
    bool graph = rounds > 0 && strcmp(argv[2], "graph") == 0 && argc == 4;
    pickle_compression how;
    pickle_error err;
    pickle_doc *doc;
    size_t size = 0;
    double best;

    if (rounds < 1 || (!graph && !compression_from(argc, argv, &how)))
        return fprintf(stderr, "usage: bench_write ROUNDS graph IN\n"
                               "       bench_write ROUNDS file IN OUT [CODEC LEVEL THREADS]\n"),
               2;
    doc = pickle_read_file(argv[3], NULL, &err);
    best = !doc    ? -1
           : graph ? best_to_memory(doc, rounds, &size, &err)
                   : best_to_file(doc, rounds, argv[4], how, &err);
    if (best < 0)
        return fprintf(stderr, "%s: %s\n", argv[3], err.message), 1;
    printf("%.9f %zu\n", best, graph ? size : file_size(argv[4]));
    pickle_doc_free(doc);
    return 0;
}
