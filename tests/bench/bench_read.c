/*
 * bench_read.c - pickle_read of the files named on the command line, for bench_read.py.
 *
 * For each file one line: its name, the best time in seconds into fresh memory,
 * freeing included, and the best into a reused document, over `rounds` rounds,
 * and the bytes the document holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pickle/pickle.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    void *data;

    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    data = malloc(*size);
    if (data && fread(data, 1, *size, file) != *size) {
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

static double fresh(const void *data, size_t size, long repeat, size_t *memory)
{
    double start = now();
    pickle_doc *doc = NULL;

    while (repeat-- > 0) {
        pickle_doc_free(doc);
        doc = pickle_read(data, size, NULL, NULL);
    }
    *memory = pickle_memory(doc);
    pickle_doc_free(doc);
    return now() - start;
}

static double reused(pickle_doc *doc, const void *data, size_t size, long repeat)
{
    double start = now();

    while (repeat-- > 0)
        pickle_reread(doc, data, size, NULL, NULL);
    return now() - start;
}

static int measure(const char *path, int rounds)
{
    size_t size, memory = 0;
    void *data = slurp(path, &size);
    double best_fresh = 1e9, best_reused = 1e9;
    pickle_error err;
    pickle_doc *doc = data ? pickle_read(data, size, NULL, &err) : NULL;
    /* Small messages are read a million times; large ones take long enough once. */
    long repeat = size < 4096 ? 100000 : 1;

    if (!doc)
        return fprintf(stderr, "%s: %s\n", path, data ? err.message : "cannot be read"), 1;
    for (int i = 0; i < rounds; i++) {
        double t = fresh(data, size, repeat, &memory);

        best_fresh = t < best_fresh ? t : best_fresh;
        t = reused(doc, data, size, repeat);
        best_reused = t < best_reused ? t : best_reused;
    }
    printf("%s %.9f %.9f %zu\n", path, best_fresh / (double)repeat, best_reused / (double)repeat,
           memory);
    pickle_doc_free(doc);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0, failed = 0;

    if (rounds < 1)
        return fprintf(stderr, "usage: bench_read ROUNDS FILE...\n"), 2;
    for (int i = 2; i < argc; i++)
        failed |= measure(argv[i], rounds);
    return failed;
}
