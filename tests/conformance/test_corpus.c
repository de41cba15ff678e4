/*
 * test_corpus.c - real files of others: $PICKLE_CORPUS names a folder, and its INDEX.tsv
 * says what lies there (path size source container kind proto top notes). All must
 * open, be walked and printed, and what is of a known class have its view; those that are marked
 * as broken get an error, or are counted as readable after all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

enum { PATH, SIZE, SOURCE, CONTAINER, KIND, PROTO, COLUMNS = 8 };

/* Files by kind, and what became of them. */
static struct tally {
    char kind[48];
    size_t files, read, refused;
} tallies[64];

static int tests, failures;

static void report(bool ok, const char *path, const char *what)
{
    tests++;
    failures += !ok;
    if (ok)
        printf("ok %d - %s\n", tests, path);
    else
        printf("not ok %d - %s\n# %s\n", tests, path, what);
}

/* "torch-zip(3 entries)" and "torch-zip(5 entries)" are one kind. */
static void count(const char *kind, bool read)
{
    size_t len = strcspn(kind, "("), i = 0;

    while (tallies[i].kind[0] && (strncmp(tallies[i].kind, kind, len) != 0 || tallies[i].kind[len]))
        i++;
    snprintf(tallies[i].kind, sizeof tallies[i].kind, "%.*s", (int)len, kind);
    tallies[i].files++;
    tallies[i].read += read;
    tallies[i].refused += !read;
}

/* An array whose file is not there is none of the reader's. */
static bool has_array(const pickle_val *v)
{
    pickle_error err;
    pickle_array a;

    return pickle_read_array(v, &a, &err) || err.code == PICKLE_ERR_MISSING;
}

static bool has_frame(const pickle_val *v)
{
    pickle_dataframe df;
    pickle_column column;
    uint64_t i = 0;

    if (!pickle_get_dataframe(v, &df))
        return false;
    while (i < df.columns && pickle_dataframe_column(&df, i, &column))
        i++;
    return i == df.columns;
}

/* Does the accessor of the value's type have it? */
static bool has_view(const pickle_val *v)
{
    pickle_masked_array masked;
    pickle_sparse sparse;
    pickle_series series;
    pickle_index index;
    pickle_tensor tensor;
    pickle_items items;
    pickle_datetime date;

    switch (pickle_type_of(v)) {
    case PICKLE_TYPE_ARRAY:
    case PICKLE_TYPE_SCALAR:
        return has_array(v);
    case PICKLE_TYPE_MASKED_ARRAY:
        return pickle_get_masked_array(v, &masked);
    case PICKLE_TYPE_SPARSE:
        return pickle_get_sparse(v, &sparse);
    case PICKLE_TYPE_MAPPING:
    case PICKLE_TYPE_CHAINMAP:
    case PICKLE_TYPE_SEQUENCE:
    case PICKLE_TYPE_SET:
        return pickle_get_items(v, &items);
    case PICKLE_TYPE_DATE:
    case PICKLE_TYPE_TIME:
    case PICKLE_TYPE_DATETIME:
        return pickle_get_datetime(v, &date);
    case PICKLE_TYPE_DATAFRAME:
        return has_frame(v);
    case PICKLE_TYPE_SERIES:
        return pickle_get_series(v, &series);
    case PICKLE_TYPE_INDEX:
        return pickle_get_index(v, &index);
    case PICKLE_TYPE_TENSOR:
        return pickle_get_tensor(v, &tensor);
    default:
        return true;
    }
}

typedef struct walk {
    size_t visits;
    const char *without_view; /* the type of such a value */
} walk;

static bool visit(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    walk *w = ctx;

    (void)depth;
    w->visits++;
    if (!seen && !has_view(v))
        w->without_view = pickle_type_name(pickle_type_of(v));
    return pickle_kind_of(v) != PICKLE_MISSING;
}

static bool drop(void *ctx, const void *data, size_t len)
{
    size_t *total = ctx;

    (void)data;
    *total += len;
    return true;
}

#define REPR_LIMIT 100000

/* What is wrong with the document, or NULL. */
static const char *problem_of(const pickle_doc *doc, const char *protocol)
{
    walk w = { 0 };
    size_t printed = 0;

    if (*protocol >= '0' && *protocol <= '5' && !protocol[1] &&
        pickle_protocol(doc) != *protocol - '0' && pickle_protocol(doc) != 0)
        return "another protocol";
    if (!pickle_walk(pickle_root(doc), visit, &w, NULL) || w.visits == 0)
        return "it cannot be walked";
    if (w.without_view)
        return w.without_view;
    if (!pickle_repr(pickle_root(doc), (pickle_sink){ drop, &printed }, REPR_LIMIT, NULL) ||
        printed == 0 || printed > REPR_LIMIT + 3)
        return "it cannot be printed";
    return NULL;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static void replay(const char *folder, char *const *field)
{
    static char path[1 << 17];
    char text[400];
    const char *problem;
    pickle_error err;
    pickle_doc *doc;
    bool bare = strcmp(field[KIND], "pickle") == 0 || strcmp(field[KIND], "joblib") == 0;
    bool broken = strncmp(field[KIND], "ERR", 3) == 0;

    snprintf(path, sizeof path, "%s/%s", folder, field[PATH]);
    doc = pickle_read_file(path, NULL, &err);
    count(field[KIND], doc != NULL);
    if (doc) {
        problem = problem_of(doc, bare ? field[PROTO] : "");
        report(!problem, field[PATH], problem);
        pickle_doc_free(doc);
        return;
    }
    snprintf(text, sizeof text, "byte %" PRIu64 ": %s: %s", err.offset,
             pickle_status_name(err.code), err.message);
    report(broken && err.code >= PICKLE_ERR_TRUNCATED && is_printable(err.message), field[PATH],
           text);
}

/* Splits a line at its tabs; false for what is no row. */
static bool split(char *line, char **field)
{
    line[strcspn(line, "\r\n")] = '\0';
    for (int i = 0; i < COLUMNS; i++) {
        field[i] = line;
        line += strcspn(line, "\t");
        if (*line)
            *line++ = '\0';
    }
    return *field[PATH] && *field[KIND];
}

static bool replay_all(const char *folder)
{
    char path[4096], line[65536], *field[COLUMNS];
    FILE *index;

    snprintf(path, sizeof path, "%s/INDEX.tsv", folder);
    index = fopen(path, "r");
    if (!index || !fgets(line, sizeof line, index))
        return false;
    while (fgets(line, sizeof line, index))
        if (split(line, field))
            replay(folder, field);
    fclose(index);
    return true;
}

int main(void)
{
    const char *folder = getenv("PICKLE_CORPUS");

    if (!folder || !*folder) {
        printf("1..0 # SKIP PICKLE_CORPUS names no folder\n");
        return 0;
    }
    if (!replay_all(folder)) {
        printf("Bail out! %s/INDEX.tsv cannot be read\n", folder);
        return 1;
    }
    for (size_t i = 0; tallies[i].kind[0]; i++)
        printf("# %s: %zu files, %zu read, %zu refused\n", tallies[i].kind, tallies[i].files,
               tallies[i].read, tallies[i].refused);
    printf("1..%d\n", tests);
    return failures != 0;
}
