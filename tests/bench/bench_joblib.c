/*
 * bench_joblib.c - pickle_read_file of the files named on the command line, for bench_joblib.py.
 *
 * For each file one line: its name, the best time in seconds of opening, freeing
 * included, over `rounds` rounds, that of opening and touching all array data, and
 * the most memory that the process had, in KiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pickle/pickle.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* One byte of each page is read. */
static bool touch(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    volatile unsigned *sum = ctx;
    size_t len;
    const unsigned char *data = pickle_bytes(v, &len);

    (void)depth;
    for (size_t i = 0; data && !seen && i < len; i += 4096)
        *sum += data[i];
    return true;
}

/* Seconds; negative when the file cannot be read. */
static double timed_open(const char *path, bool all, pickle_error *err)
{
    double start = now();
    pickle_doc *doc = pickle_read_file(path, NULL, err);
    unsigned sum = 0;

    if (!doc)
        return -1;
    if (all)
        pickle_walk(pickle_root(doc), touch, &sum, NULL);
    pickle_doc_free(doc);
    return now() - start;
}

/* The most memory this program had, in KiB; Linux alone tells (getrusage counts the parent's, too).
 */
static long peak(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib;
}

static int measure(const char *path, int rounds)
{
    double best[2] = { 1e9, 1e9 };
    pickle_error err;

    for (int r = 0; r < 2 * rounds; r++) {
        double t = timed_open(path, r % 2, &err);

        if (t < 0)
            return fprintf(stderr, "%s: %s\n", path, err.message), 1;
        best[r % 2] = t < best[r % 2] ? t : best[r % 2];
    }
    printf("%s %.9f %.9f %ld\n", path, best[0], best[1], peak());
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0, failed = 0;

    if (rounds < 1)
        return fprintf(stderr, "usage: bench_joblib ROUNDS FILE...\n"), 2;
    for (int i = 2; i < argc; i++)
        failed |= measure(argv[i], rounds);
    return failed;
}
