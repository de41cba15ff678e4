/*
 * zoo.c - models with the answers that scikit-learn gave: are ours the same?
 *
 * usage: zoo [--table] FILE...
 *
 * The files are fixtures/zoo/make_zoo.py's; patterns with * are understood. TAP on standard output,
 * one test for each model; with
 * --table a line for each model and method: file, name, version, method, bound, models' worst
 * distance in units in the last place, and relative to the largest number of the answer.
 */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/sklearn.h>

typedef struct distance {
    uint64_t ulps; /* UINT64_MAX: not even of the same kind */
    double relative;
} distance;

/* How far each bound of make_zoo.py lets numbers be. */
static const struct {
    const char *name;
    uint64_t ulps;
    double relative;
} bounds[] = {
    { "exact", 0, 0 },
    { "libm", 4, 0 },
    { "blas", 0, 1e-12 },
    { "float32", 0, 1e-6 },
};

static bool as_table;
static bool together; /* in this model, a row's answer depends on the others */
static unsigned count, failed;

/* ---------------------------------------------------------------- distances */

static uint64_t ordered(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t ulps_between(double a, double b)
{
    uint64_t x = ordered(a), y = ordered(b);

    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    if (isnan(a) || isnan(b))
        return UINT64_MAX;
    return x > y ? x - y : y - x;
}

static distance worse(distance a, distance b)
{
    return (distance){ a.ulps > b.ulps ? a.ulps : b.ulps,
                       a.relative > b.relative ? a.relative : b.relative };
}

static distance between(const double *got, const double *want, size_t n)
{
    distance d = { 0, 0 };
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = isfinite(want[i]) && fabs(want[i]) > most ? fabs(want[i]) : most;
    for (size_t i = 0; i < n; i++) {
        double off = fabs(got[i] - want[i]);

        if (ulps_between(got[i], want[i]) == 0)
            continue;
        d = worse(d, (distance){ ulps_between(got[i], want[i]),
                                 isfinite(off) && most > 0 ? off / most : INFINITY });
    }
    return d;
}

/* ------------------------------------------------------------------ answers */

static bool cells_equal(const pickle_cell *a, const pickle_cell *b)
{
    double x = a->kind == PICKLE_CELL_FLOAT ? a->as.f : (double)a->as.i;
    double y = b->kind == PICKLE_CELL_FLOAT ? b->as.f : (double)b->as.i;

    if (a->kind == PICKLE_CELL_TEXT || b->kind == PICKLE_CELL_TEXT)
        return a->kind == b->kind && a->len == b->len &&
               memcmp(a->as.text, b->as.text, a->len) == 0;
    if (a->kind == PICKLE_CELL_NONE || b->kind == PICKLE_CELL_NONE)
        return a->kind == b->kind;
    return x == y || (isnan(x) && isnan(y));
}

/* A batch as doubles in C order; NULL for one that has text. */
static double *dense(const pickle_batch *b)
{
    double *out = calloc(b->rows * b->cols + 1, sizeof *out);
    size_t size = b->kind == PICKLE_BATCH_F32     ? sizeof(float)
                  : b->kind == PICKLE_BATCH_CELLS ? sizeof(pickle_cell)
                                                  : sizeof(double);

    for (size_t i = 0; out && i < b->rows; i++) {
        const char *row = (const char *)b->data + i * (b->stride ? b->stride : b->cols * size);
        double *to = out + i * b->cols;

        if (b->kind == PICKLE_BATCH_CSR) {
            for (int64_t k = b->indptr[i]; k < b->indptr[i + 1]; k++)
                to[b->indices[k]] += ((const double *)b->data)[k];
            continue;
        }
        for (size_t j = 0; j < b->cols; j++) {
            const void *at = row + j * size;
            const pickle_cell *cell = at;

            if (b->kind == PICKLE_BATCH_CELLS && cell->kind != PICKLE_CELL_FLOAT &&
                cell->kind != PICKLE_CELL_INT && cell->kind != PICKLE_CELL_BOOL) {
                free(out);
                return NULL;
            }
            to[j] = b->kind == PICKLE_BATCH_F64       ? *(const double *)at
                    : b->kind == PICKLE_BATCH_F32     ? (double)*(const float *)at
                    : cell->kind == PICKLE_CELL_FLOAT ? cell->as.f
                                                      : (double)cell->as.i;
        }
    }
    return out;
}

static bool check_cells(const pickle_model *m, pickle_method method, const pickle_batch *x,
                        const pickle_batch *want, pickle_error *err)
{
    size_t n = want->rows * want->cols;
    pickle_cell *got = calloc(n + 1, sizeof *got);
    const pickle_cell *cells = want->data;
    bool ok = got && pickle_model_run_cells(m, method, x, NULL, got, n, err);

    for (size_t i = 0; ok && i < n; i++) {
        ok = cells_equal(&got[i], &cells[i]);
        if (!ok)
            snprintf(err->message, sizeof err->message, "cell %zu differs", i);
    }
    free(got);
    return ok;
}

/* The same rows by three threads, the first by itself (unless they belong together), and as a
 * sparse matrix: the same bits. */
static bool check_ways(const pickle_model *m, pickle_method method, const pickle_batch *x,
                       const double *got, size_t width, pickle_error *err)
{
    size_t n = x->rows * width;
    double *again = calloc(n + 1, sizeof *again), *sparse = NULL;
    pickle_batch first = *x;
    pickle_csr csr;
    bool ok;

    ok = again && pickle_model_run(m, method, x, pickle_run_opts(.threads = 3), again, n, err) &&
         between(again, got, n).ulps == 0;
    first.rows = x->rows > 0 && !together;
    ok = ok && pickle_model_run(m, method, &first, NULL, again, first.rows * width, err) &&
         between(again, got, first.rows * width).ulps == 0;
    if (ok && method == PICKLE_TRANSFORM &&
        (ok = pickle_model_run_csr(m, method, x, pickle_run_opts(.threads = 2), &csr, err))) {
        pickle_batch b = { .kind = PICKLE_BATCH_CSR,
                           .rows = csr.rows,
                           .cols = csr.cols,
                           .data = csr.data,
                           .indptr = csr.indptr,
                           .indices = csr.indices };

        sparse = dense(&b);
        ok = csr.cols == width && between(sparse, got, n).ulps == 0;
        pickle_csr_free(&csr);
    }
    if (!ok && !err->code)
        snprintf(err->message, sizeof err->message, "by threads, row by row or sparse it differs");
    free(again);
    free(sparse);
    return ok;
}

static bool check_numbers(const pickle_model *m, pickle_method method, const pickle_batch *x,
                          const pickle_batch *want, const double *expected, distance *d,
                          pickle_error *err)
{
    size_t n = want->rows * want->cols;
    double *got = calloc(n + 1, sizeof *got);
    bool ok = got && pickle_model_run(m, method, x, NULL, got, n, err);

    if (ok) {
        *d = worse(*d, between(got, expected, n));
        ok = check_ways(m, method, x, got, want->cols, err);
    }
    free(got);
    return ok;
}

static bool check_error(const pickle_model *m, pickle_method method, const pickle_batch *x,
                        pickle_error *err)
{
    size_t width = 0;
    double *out;
    bool ok;

    if (!pickle_model_width(m, method, x->cols, &width, err))
        return true;
    out = calloc(x->rows * width + 1, sizeof *out);
    ok = !pickle_model_run(m, method, x, NULL, out, x->rows * width, err);
    free(out);
    if (!ok)
        snprintf(err->message, sizeof err->message, "scikit-learn raises an error, we don't");
    return ok;
}

static bool check_answer(const pickle_model *m, pickle_method method, const pickle_batch *x,
                         const pickle_val *answer, distance *d, pickle_error *err)
{
    pickle_table *table;
    const pickle_batch *want;
    double *numbers;
    bool ok;

    if (pickle_kind_of(answer) == PICKLE_NONE)
        return check_error(m, method, x, err);
    if (!pickle_model_has(m, method)) {
        snprintf(err->message, sizeof err->message, "there is no such method");
        return false;
    }
    table = pickle_table_read(answer, err);
    if (!table)
        return false;
    want = pickle_table_batch(table);
    numbers = dense(want);
    ok = numbers ? check_numbers(m, method, x, want, numbers, d, err)
                 : check_cells(m, method, x, want, err);
    free(numbers);
    pickle_table_free(table);
    return ok;
}

/* ------------------------------------------------------------------- models */

/* Names of columns, from a list of text; freed with free(). */
static const char **names_of(const pickle_val *list)
{
    size_t n = pickle_len(list);
    const char **names = n ? calloc(n, sizeof *names) : NULL;

    for (size_t i = 0; names && i < n; i++)
        names[i] = pickle_str(pickle_at(list, i));
    return names;
}

static bool within(const char *bound, distance d)
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (bound && strcmp(bounds[i].name, bound) == 0)
            return d.ulps <= bounds[i].ulps || d.relative <= bounds[i].relative;
    }
    return false;
}

/* One method for all inputs. */
static bool check_method(const pickle_model *m, const pickle_val *entry, pickle_method method,
                         distance *d, unsigned *asked)
{
    const pickle_val *key, *input;
    bool ok = true;

    pickle_foreach (pickle_get(entry, "inputs"), key, input) {
        const pickle_val *answer =
            pickle_get(pickle_get(input, "answers"), pickle_method_name(method));
        pickle_error err = { 0 };
        pickle_table *table;
        pickle_batch x;
        const char **names;

        if (!answer)
            continue;
        ++*asked;
        table = pickle_table_read(pickle_get(input, "X"), &err);
        names = names_of(pickle_get(input, "names"));
        if (table) {
            x = *pickle_table_batch(table);
            x.names = names;
        }
        if (!table || !check_answer(m, method, &x, answer, d, &err)) {
            printf("# %s of %s: %s\n", pickle_method_name(method),
                   pickle_str(pickle_get(input, "name")), err.message);
            ok = false;
        }
        free(names);
        pickle_table_free(table);
    }
    return ok;
}

static bool check_model(const char *file, const pickle_val *entry, const pickle_model *m)
{
    const char *bound = pickle_str(pickle_get(entry, "bound"));
    bool ok = true;

    together = false;
    pickle_get_bool(pickle_get(entry, "together"), &together);
    for (int i = 0; i < PICKLE_N_METHODS; i++) {
        pickle_method method = (pickle_method)i;
        distance d = { 0, 0 };
        unsigned asked = 0;

        if (!check_method(m, entry, method, &d, &asked))
            ok = false;
        if (asked > 0 && as_table)
            printf("%s\t%s\t%s\t%s\t%s\t%llu\t%.1e\n", file, pickle_str(pickle_get(entry, "name")),
                   pickle_str(pickle_get(entry, "version")), pickle_method_name(method), bound,
                   (unsigned long long)d.ulps, d.relative);
        if (!within(bound, d)) {
            printf("# %s: %llu ulp, %.1e of the largest number, but %s\n",
                   pickle_method_name(method), (unsigned long long)d.ulps, d.relative, bound);
            ok = false;
        }
    }
    return ok;
}

static void check_entry(const char *file, const pickle_val *entry)
{
    pickle_error err = { 0 };
    pickle_unsupported why;
    pickle_model *m = pickle_model_open(pickle_get(entry, "model"), NULL, &err);
    bool ok = m != NULL;

    if (!m) {
        printf("# not opened: %s\n", err.message);
    } else if (!pickle_model_supported(m, &why)) {
        printf("# not supported: %s %s %s\n", why.class_name, why.attribute ? why.attribute : "",
               why.reason);
        ok = false;
    } else {
        ok = check_model(file, entry, m);
    }
    pickle_model_free(m);
    failed += !ok;
    count++;
    if (!as_table)
        printf("%sok %u - %s: %s, scikit-learn %s\n", ok ? "" : "not ", count, file,
               pickle_str(pickle_get(entry, "name")), pickle_str(pickle_get(entry, "version")));
}

/* "1.2.1/linear.pkl.xz" of a path. */
static const char *last_two(const char *path)
{
    const char *at = path + strlen(path);

    for (int slashes = 0; at > path; at--) {
        if (at[-1] == '/' && ++slashes == 2)
            break;
    }
    return at;
}

static void check_file(const char *path)
{
    pickle_error err;
    pickle_doc *doc = pickle_read_file(path, NULL, &err);
    const pickle_val *key, *entry;

    if (!doc) {
        printf("not ok %u - %s: %s\n", ++count, path, err.message);
        failed++;
        return;
    }
    pickle_foreach (pickle_root(doc), key, entry)
        check_entry(last_two(path), entry);
    pickle_doc_free(doc);
}

static void check_files(const char *pattern)
{
    glob_t found;

    if (glob(pattern, GLOB_NOCHECK, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i]);
    globfree(&found);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--table") == 0)
            as_table = true;
        else
            check_files(argv[i]);
    }
    if (!as_table)
        printf("1..%u\n", count);
    return failed ? 1 : 0;
}
