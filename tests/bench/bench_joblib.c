/*
 * bench_joblib.c - reading a joblib file in one of several ways, for bench_joblib.py.
 *
 * One line: the best time in seconds over `rounds` rounds, freeing included; the
 * memory in KiB by which the process grew at most, mapped pages included; and
 * the page faults of the last round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <pickle/pickle.h>

/* The file, and all of it in memory where that is what is read from. */
typedef struct input {
    const char *path;
    void *data;
    size_t size;
} input;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* In KiB; Linux alone tells (getrusage counts the parent's memory, too). */
static long memory(const char *field)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, field, strlen(field)) == 0)
            kib = atol(line + strlen(field));
    if (status)
        fclose(status);
    return kib;
}

static bool load(input *in)
{
    FILE *file = fopen(in->path, "rb");
    struct stat st;

    if (!file || fstat(fileno(file), &st) != 0)
        return false;
    in->size = (size_t)st.st_size;
    in->data = malloc(in->size + 1);
    return in->data && fread(in->data, 1, in->size, file) == in->size && fclose(file) == 0;
}

/* ------------------------------------------------------------------- ways */

static pickle_doc *open_file(const input *in, pickle_error *err)
{
    return pickle_read_file(in->path, NULL, err);
}

/* One byte of each page is read. */
typedef struct touching {
    volatile unsigned sum;
    bool one;
} touching;

static bool touch(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    touching *t = ctx;
    size_t len;
    const unsigned char *data = pickle_bytes(v, &len);

    (void)depth;
    for (size_t i = 0; data && !seen && i < len; i += 4096)
        t->sum += data[i];
    return !(t->one && data);
}

static pickle_doc *touch_some(const input *in, bool one, pickle_error *err)
{
    pickle_doc *doc = pickle_read_file(in->path, NULL, err);
    touching t = { 0, one };

    if (doc)
        pickle_walk(pickle_root(doc), touch, &t, NULL);
    return doc;
}

static pickle_doc *touch_all(const input *in, pickle_error *err)
{
    return touch_some(in, false, err);
}

static pickle_doc *touch_one(const input *in, pickle_error *err)
{
    return touch_some(in, true, err);
}

static pickle_doc *copy(const input *in, pickle_error *err)
{
    return pickle_read(in->data, in->size, NULL, err);
}

static pickle_doc *from_pipe(const input *in, pickle_error *err)
{
    char command[4200];
    FILE *pipe;
    pickle_doc *doc;

    snprintf(command, sizeof command, "exec cat '%s'", in->path);
    pipe = popen(command, "r");
    if (!pipe)
        return NULL;
    doc = pickle_read_fd(fileno(pipe), NULL, err);
    pclose(pipe);
    return doc;
}

static const struct {
    const char *name;
    pickle_doc *(*read)(const input *in, pickle_error *err);
    bool loaded; /* the input is in memory before */
} ways[] = {
    { "open", open_file, false },  /* pickle_read_file: what is uncompressed is mapped */
    { "touch", touch_all, false }, /* and each page of all arrays                      */
    { "one", touch_one, false },   /* and each page of the first array                 */
    { "copy", copy, true },        /* pickle_read, with copies of the arrays           */
    { "pipe", from_pipe, false },  /* pickle_read_fd from cat, whose time is included  */
};

/* ---------------------------------------------------------------- measuring */

static int measure(const input *in, int rounds,
                   pickle_doc *(*read)(const input *in, pickle_error *err))
{
    long before = memory("VmRSS:");
    struct rusage start = { 0 }, end;
    double best = 1e9;

    for (int r = 0; r < rounds; r++) {
        pickle_error err = { .message = "cannot be run" };
        double from, took;
        pickle_doc *doc;

        getrusage(RUSAGE_SELF, &start);
        from = now();
        doc = read(in, &err);
        if (!doc)
            return fprintf(stderr, "%s: %s\n", in->path, err.message), 1;
        pickle_doc_free(doc);
        took = now() - from;
        best = took < best ? took : best;
    }
    getrusage(RUSAGE_SELF, &end);
    printf("%.9f %ld %ld\n", best, memory("VmHWM:") - before, end.ru_minflt - start.ru_minflt);
    return 0;
}

int main(int argc, char **argv)
{
    input in = { .path = argc > 3 ? argv[3] : "" };
    int rounds = argc > 3 ? atoi(argv[2]) : 0;

    for (size_t i = 0; rounds > 0 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0) {
            if (ways[i].loaded && !load(&in))
                return perror(in.path), 1;
            return measure(&in, rounds, ways[i].read);
        }
    return fprintf(stderr, "usage: bench_joblib open|touch|one|copy|pipe ROUNDS FILE\n"), 2;
}
