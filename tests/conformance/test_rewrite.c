/*
 * test_rewrite.c - files of others, read and written again: the same bytes.
 *
 * The fixtures, by the writers that PROVENANCE.tsv names; what CPython makes of
 * the values of vectors/emit, from each protocol to each other; and the files
 * in $PICKLE_CORPUS, whose writers nobody knows: there a difference is only
 * listed, but what was written has to be readable, and mean the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>
#include <pickle/write.h>

#include "files.h"

#define LISTED     40 /* differences in the corpus that are printed */
#define REPR_LIMIT 100000
#define PROTOCOLS  6

/* What came of the files, by reason. */
static struct reason {
    char why[96];
    size_t files;
} reasons[128];

static int tests, failures;
static size_t listed;

/* ------------------------------------------------------------------- helpers */

static void count(const char *subject, const char *why)
{
    char text[96];
    size_t i = 0;

    snprintf(text, sizeof text, "%s: %s", subject, why);
    while (reasons[i].why[0] && strcmp(reasons[i].why, text) != 0)
        i++;
    memcpy(reasons[i].why, text, sizeof text);
    reasons[i].files++;
}

static void report(const char *name, const char *problem)
{
    failures += problem != NULL;
    printf("%sok %d - %s\n", problem ? "not " : "", ++tests, name);
    if (problem)
        printf("# %s\n", problem);
}

static bool same(const pickle_buf *got, const void *want, size_t len)
{
    return got->len == len && memcmp(got->data, want, len) == 0;
}

/* "12 bytes, not 14; byte 3 differs" */
static void describe(char *text, size_t room, const pickle_buf *got, const unsigned char *want,
                     size_t len)
{
    size_t at = 0;

    while (at < got->len && at < len && got->data[at] == want[at])
        at++;
    snprintf(text, room, "%zu bytes, not %zu; byte %zu differs", got->len, len, at);
}

/* Why the writing failed, or how it differs; "" for the same bytes. */
static void rewrite(char *problem, size_t room, const pickle_doc *doc, const unsigned char *want,
                    size_t len, const pickle_write_opts *opts)
{
    pickle_buf out = { 0 };
    pickle_error err;

    *problem = '\0';
    if (!pickle_write_buf(doc, &out, opts, &err))
        snprintf(problem, room, "byte %" PRIu64 ": %s: %s", err.offset,
                 pickle_status_name(err.code), err.message);
    else if (!same(&out, want, len))
        describe(problem, room, &out, want, len);
    pickle_buf_free(&out);
}

/* The document, and the bytes it came from once inflated, which the caller frees. */
static pickle_doc *read_inflated(const void *data, size_t size, pickle_buf *inflated,
                                 pickle_error *err)
{
    if (!pickle_inflate(data, size, NULL, inflated, err))
        return NULL;
    return pickle_read(inflated->data, inflated->len, NULL, err);
}

static bool split(char *line, char **field, size_t columns)
{
    line[strcspn(line, "\r\n")] = '\0';
    for (size_t i = 0; i < columns; i++) {
        field[i] = line;
        line += strcspn(line, "\t");
        if (*line)
            *line++ = '\0';
    }
    return *field[0] != '\0';
}

/* Calls `row` for each line of a table but the first. */
static bool each_row(const char *path, size_t columns, void (*row)(void *ctx, char *const *field),
                     void *ctx)
{
    char line[65536], *field[16];
    FILE *file = fopen(path, "r");

    if (!file || !fgets(line, sizeof line, file))
        return false;
    while (fgets(line, sizeof line, file))
        if (split(line, field, columns))
            row(ctx, field);
    fclose(file);
    return true;
}

/* ------------------------------------------------------------------ fixtures */

enum { FILE_NAME, SCRIPT, PYTHON, NUMPY, JOBLIB, SKLEARN, PROTOCOL, CONTAINER, PROVENANCE };

/* 0.8.4 is 8, 0.10 is 10, 1.2 is 1002. */
static long version_of(const char *text)
{
    char *end;
    long major = strtol(text, &end, 10);

    return *end == '.' ? major * 1000 + strtol(end + 1, NULL, 10) : 0;
}

/* Who writes in another way than we do, unless told; NULL: the bytes must be the same. */
static const char *excuse_of(char *const *field)
{
    long python = version_of(field[PYTHON]);
    const char *container = field[CONTAINER];

    if (strncmp(container, "joblib", 6) == 0 &&
        (version_of(field[JOBLIB]) < 10 || strstr(container, "Z-file")))
        return "joblib before 0.10";
    if (strstr(container, "in scikit-learn"))
        return "joblib in scikit-learn";
    return python < 3000 ? "Python 2" : python < 3007 ? "Python before 3.7" : NULL;
}

static void check_compression(const char *name, const unsigned char *data, size_t size,
                              const pickle_doc *doc)
{
    pickle_compression how;
    char problem[600];
    pickle_error err;

    if (!pickle_find_compression(data, size, &how, NULL, &err)) {
        count("whole compressed files", err.code == PICKLE_ERR_UNSUPPORTED
                                            ? "no way is known to make these bytes"
                                            : "cannot be inflated");
        return;
    }
    if (how.codec == PICKLE_CODEC_NONE)
        return;
    rewrite(problem, sizeof problem, doc, data, size, pickle_write_opts(.compression = how));
    count("whole compressed files", *problem ? "found, but another file" : "identical");
    report(name, *problem ? problem : NULL);
}

static void check_file(const char *name, const unsigned char *data, size_t size, const char *excuse)
{
    pickle_buf inflated = { 0 };
    pickle_error err;
    pickle_doc *doc = read_inflated(data, size, &inflated, &err);
    char problem[600], whole[5000];

    if (doc)
        rewrite(problem, sizeof problem, doc, inflated.data, (size_t)pickle_consumed(doc), NULL);
    else
        snprintf(problem, sizeof problem, "byte %" PRIu64 ": %s", err.offset, err.message);
    if (*problem && excuse)
        count("fixtures that differ", excuse);
    else
        count("fixtures", *problem ? "WRONG" : "identical");
    report(name, *problem && !excuse ? problem : NULL);
    if (doc && !*problem && pickle_trailing(doc) == 0) {
        snprintf(whole, sizeof whole, "%s, whole", name);
        check_compression(whole, data, size, doc);
    }
    pickle_doc_free(doc);
    pickle_buf_free(&inflated);
}

static void check_fixture(void *ctx, char *const *field)
{
    char path[4096];
    unsigned char *data;
    size_t size;

    (void)ctx;
    if (strncmp(field[CONTAINER], "pickle", 6) != 0 && strncmp(field[CONTAINER], "joblib", 6) != 0)
        return;
    snprintf(path, sizeof path, "%s/%s", files_folder(), field[FILE_NAME]);
    data = files_read(path, &size);
    if (data)
        check_file(field[FILE_NAME], data, size, excuse_of(field));
    free(data);
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool check_vector(void *ctx, const char *path, unsigned char *data, size_t size)
{
    (void)ctx;
    if (ends_with(path, ".pkl") || ends_with(path, ".joblib"))
        check_file(path, data, size, NULL);
    return true;
}

/* -------------------------------------------------- from protocol to protocol */

/* Values of vectors/emit that cannot be had from another protocol's bytes: from `below` to it or
 * above, and with `both` also the other way. */
static const struct exception {
    const char *value;
    int below;
    bool both;
    const char *why;
} exceptions[] = {
    { "arr", 3, true, "array.array gives a list below 3, its bytes later" },
    { "arr", 4, false, "whether equal names are one str, only the modules know" },
};

static const char *exception_for(const char *value, int from, int to)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        const struct exception *e = &exceptions[i];

        if (strcmp(e->value, value) == 0 &&
            ((from < e->below && to >= e->below) || (e->both && to < e->below && from >= e->below)))
            return e->why;
    }
    return NULL;
}

typedef struct emitted {
    unsigned char *data[PROTOCOLS]; /* NULL: not stored */
    size_t size[PROTOCOLS];
} emitted;

static void convert(const char *value, const emitted *e, int from, int to)
{
    char name[200], problem[600];
    pickle_error err;
    pickle_doc *doc = pickle_read(e->data[from], e->size[from], NULL, &err);
    const char *why = exception_for(value, from, to);

    snprintf(name, sizeof name, "%s, protocol %d to %d", value, from, to);
    if (doc)
        rewrite(problem, sizeof problem, doc, e->data[to], e->size[to],
                pickle_write_opts(.protocol = to ? to : PICKLE_PROTOCOL_0));
    else
        snprintf(problem, sizeof problem, "%s", err.message);
    if (why)
        count(*problem ? "excepted" : "excepted, and yet identical", why);
    else
        count("conversions", *problem ? "WRONG" : "identical");
    report(name, *problem && !why ? problem : NULL);
    pickle_doc_free(doc);
}

static void check_conversions(void *ctx, char *const *field)
{
    emitted e = { 0 };
    char path[4096];

    (void)ctx;
    if (strcmp(field[1], "0") != 0) /* each value stands there once for each protocol */
        return;
    for (int p = 0; p < PROTOCOLS; p++) {
        snprintf(path, sizeof path, "%s/vectors/emit/%s.p%d.c.pkl", files_folder(), field[0], p);
        e.data[p] = files_read(path, &e.size[p]);
    }
    for (int from = 0; from < PROTOCOLS; from++)
        for (int to = 0; to < PROTOCOLS; to++)
            if (from != to && e.data[from] && e.data[to])
                convert(field[0], &e, from, to);
    for (int p = 0; p < PROTOCOLS; p++)
        free(e.data[p]);
}

/* -------------------------------------------------------------------- corpus */

enum { PATH, SIZE, SOURCE, KIND = 4, CORPUS_COLUMNS = 8 };

/* Does what was written read as the same value? */
static bool means_the_same(const pickle_doc *doc, const pickle_buf *written, pickle_error *err)
{
    pickle_doc *again = pickle_read(written->data, written->len, NULL, err);
    pickle_buf a = { 0 }, b = { 0 };
    bool ok = again && pickle_repr(pickle_root(doc), pickle_sink_buf(&a), REPR_LIMIT, err) &&
              pickle_repr(pickle_root(again), pickle_sink_buf(&b), REPR_LIMIT, err);

    if (ok && !same(&a, b.data, b.len)) {
        snprintf(err->message, sizeof err->message, "it means something else");
        ok = false;
    }
    pickle_doc_free(again);
    pickle_buf_free(&a);
    pickle_buf_free(&b);
    return ok;
}

static void compare(const pickle_doc *doc, const pickle_buf *input, char *const *field)
{
    size_t want = (size_t)pickle_consumed(doc);
    pickle_buf out = { 0 };
    pickle_error err;
    char text[200];

    if (!pickle_write_buf(doc, &out, NULL, &err)) {
        count(field[SOURCE], "refused");
        printf("# refused: %s: %s: %s\n", field[PATH], pickle_status_name(err.code), err.message);
    } else if (same(&out, input->data, want)) {
        count(field[SOURCE], "identical");
    } else {
        count(field[SOURCE], "differs");
        describe(text, sizeof text, &out, input->data, want);
        if (listed++ < LISTED)
            printf("# differs: %s: %s\n", field[PATH], text);
        if (!means_the_same(doc, &out, &err))
            report(field[PATH], err.message);
    }
    pickle_buf_free(&out);
}

static void check_corpus_file(void *ctx, char *const *field)
{
    pickle_buf inflated = { 0 };
    unsigned char *data;
    char path[1 << 14];
    pickle_doc *doc = NULL;
    pickle_error err;
    size_t size;

    if (strcmp(field[KIND], "pickle") != 0 && strcmp(field[KIND], "joblib") != 0)
        return;
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, field[PATH]);
    data = files_read(path, &size);
    if (data)
        doc = read_inflated(data, size, &inflated, &err);
    if (doc)
        compare(doc, &inflated, field);
    else
        count(field[SOURCE], "cannot be read");
    pickle_doc_free(doc);
    pickle_buf_free(&inflated);
    free(data);
}

static void check_corpus(void)
{
    char *folder = getenv("PICKLE_CORPUS"), path[4096];
    int before = failures;

    if (!folder || !*folder) {
        printf("ok %d - corpus # SKIP PICKLE_CORPUS names no folder\n", ++tests);
        return;
    }
    snprintf(path, sizeof path, "%s/INDEX.tsv", folder);
    if (!each_row(path, CORPUS_COLUMNS, check_corpus_file, folder))
        report("corpus", "INDEX.tsv cannot be read");
    else if (failures == before)
        report("corpus", NULL);
}

int main(void)
{
    char path[4096];
    bool found;

    setvbuf(stdout, NULL, _IOLBF, 0); /* what was said before a crash tells where it was */
    snprintf(path, sizeof path, "%s/PROVENANCE.tsv", files_folder());
    found = each_row(path, PROVENANCE, check_fixture, NULL);
    snprintf(path, sizeof path, "%s/vectors/joblib-1.2", files_folder());
    files_each(path, check_vector, NULL);
    snprintf(path, sizeof path, "%s/vectors/emit", files_folder());
    files_each(path, check_vector, NULL);
    snprintf(path, sizeof path, "%s/vectors/emit/emit.tsv", files_folder());
    found &= each_row(path, 4, check_conversions, NULL);
    check_corpus();
    for (size_t i = 0; reasons[i].why[0]; i++)
        printf("# %zu: %s\n", reasons[i].files, reasons[i].why);
    printf("1..%d\n", tests);
    return !found || failures != 0;
}
