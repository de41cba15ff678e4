/*
 * bench_predict.c - predicting with a model from a file, for bench_predict.py.
 *
 * usage: bench_predict MODEL TABLE METHOD ROUNDS OUT
 *
 * One line: the best times in seconds over `rounds` rounds of opening the model, of one row (the
 * mean of many rows, each asked for by itself), and of all rows of the table, by one thread. The
 * answer for all rows goes to the file OUT, as doubles.
 *
 *        bench_predict MODEL TABLE METHOD
 *
 * Opens the model, predicts all rows, and ends: for who measures the whole process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pickle/sklearn.h>

#define MOST_SINGLE ((size_t)200)

typedef struct task {
    const char *path;
    pickle_method method;
    pickle_batch all;
    size_t width;
    double *out;
} task;

typedef struct times {
    double open, one, all;
} times;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Row `i`, as a batch. */
static pickle_batch row_of(const pickle_batch *all, size_t i)
{
    static const size_t sizes[] = { [PICKLE_BATCH_F64] = sizeof(double),
                                    [PICKLE_BATCH_F32] = sizeof(float),
                                    [PICKLE_BATCH_CELLS] = sizeof(pickle_cell) };
    pickle_batch one = *all;

    one.rows = 1;
    if (all->kind == PICKLE_BATCH_CSR)
        one.indptr = all->indptr + i;
    else
        one.data = (const char *)all->data +
                   i * (all->stride ? all->stride : all->cols * sizes[all->kind]);
    return one;
}

static bool time_round(const task *t, times *best, pickle_error *err)
{
    size_t single = t->all.rows < MOST_SINGLE ? t->all.rows : MOST_SINGLE;
    double start = now(), opened, ready, end;
    pickle_model *m = pickle_model_open_file(t->path, NULL, err);
    bool ok = m != NULL;

    opened = now();
    for (size_t i = 0; ok && i < single; i++) {
        pickle_batch one = row_of(&t->all, i);

        ok = pickle_model_run(m, t->method, &one, NULL, t->out, t->width, err);
    }
    ready = now();
    ok = ok && pickle_model_run(m, t->method, &t->all, NULL, t->out, t->all.rows * t->width, err);
    end = now();
    pickle_model_free(m);
    best->open = opened - start < best->open ? opened - start : best->open;
    ready = (ready - opened) / (double)single;
    best->one = ready < best->one ? ready : best->one;
    best->all = end - opened - ready * (double)single < best->all
                    ? end - opened - ready * (double)single
                    : best->all;
    return ok;
}

/* The first round warms up, and is measured as well. */
static bool measure(const task *t, int rounds, const char *path, pickle_error *err)
{
    times best = { 1e9, 1e9, 1e9 };
    size_t count = t->all.rows * t->width;
    FILE *out;
    bool ok = true;

    for (int r = 0; ok && r < rounds; r++)
        ok = time_round(t, &best, err);
    if (!ok)
        return false;
    printf("%.9f %.9f %.9f\n", best.open, best.one, best.all);
    out = fopen(path, "wb");
    ok = out && fwrite(t->out, sizeof *t->out, count, out) == count;
    return out && fclose(out) == 0 && ok;
}

/* Also how wide the answer is, and memory for it. */
static bool set_up(task *t, const pickle_model *m, pickle_error *err)
{
    if (!m || !pickle_model_width(m, t->method, t->all.cols, &t->width, err))
        return false;
    t->out = malloc(t->all.rows * t->width * sizeof *t->out + 1);
    return t->out != NULL;
}

int main(int argc, char **argv)
{
    pickle_error err = { .message = "usage: bench_predict MODEL TABLE METHOD [ROUNDS OUT]" };
    pickle_doc *doc = argc == 4 || argc == 6 ? pickle_read_file(argv[2], NULL, &err) : NULL;
    pickle_table *table = doc ? pickle_table_read(pickle_root(doc), &err) : NULL;
    pickle_model *m = table ? pickle_model_open_file(argv[1], NULL, &err) : NULL;
    task t = { .path = m ? argv[1] : "" };
    bool ok = m && pickle_method_of(argv[3], &t.method);

    if (ok) {
        t.all = *pickle_table_batch(table);
        ok = set_up(&t, m, &err) &&
             pickle_model_run(m, t.method, &t.all, NULL, t.out, t.all.rows * t.width, &err);
    }
    if (ok && argc == 6)
        ok = measure(&t, atoi(argv[4]), argv[5], &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    pickle_model_free(m);
    pickle_table_free(table);
    pickle_doc_free(doc);
    free(t.out);
    return ok ? 0 : 1;
}
