/*
 * test_corpus.c - real files of others: $PICKLE_CORPUS names a folder, and its INDEX.tsv
 * says what lies there (path size source container kind proto top notes). Pickles
 * and joblib files must open, be walked and printed; files of kinds that are not
 * read yet are counted and named; broken ones get an error, or are counted as
 * readable after all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

enum { PATH, SIZE, SOURCE, CONTAINER, KIND, PROTO, COLUMNS = 8 };

/* What the index takes for a pickle, and CPython refuses. */
static const struct refused {
    const char *path;
    pickle_status code;
    const char *why;
} refused[] = {
    { "cpython/pickletester/L1114_dumped.pkl", PICKLE_ERR_OPERAND, "PUT -1" },
    { "og-rek/fuzz/corpus/test-178e5cf751d64fa833d7673c427915de805a98b3.pickle", PICKLE_ERR_OPERAND,
      "PROTO 255" },
    { "og-rek/fuzz/corpus/test-4f5f606f2a9b0544dad9a93bdd277bc6c157fc8b.pickle", PICKLE_ERR_OPERAND,
      "PROTO 255" },
    { "og-rek/fuzz/corpus/test-f33d487a5908cf1218fe5565a597197d99d2e6ca.pickle", PICKLE_ERR_OPERAND,
      "PROTO 255" },
};

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

static bool visit(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    size_t *visits = ctx;

    (void)depth, (void)seen;
    ++*visits;
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
    size_t visits = 0, printed = 0;

    if (*protocol >= '0' && *protocol <= '5' && pickle_protocol(doc) != *protocol - '0' &&
        pickle_protocol(doc) != 0)
        return "another protocol";
    if (!pickle_walk(pickle_root(doc), visit, &visits, NULL) || visits == 0)
        return "it cannot be walked";
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

/* May the file fail in this way? */
static bool may_fail(char *const *field, bool ours, const pickle_error *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(refused[i].path, field[PATH]) == 0)
            return err->code == refused[i].code;
    return !ours && err->code >= PICKLE_ERR_TRUNCATED;
}

static void replay(const char *folder, char *const *field)
{
    static char path[1 << 17];
    char text[400];
    const char *problem;
    pickle_error err;
    pickle_doc *doc;
    bool ours = strcmp(field[KIND], "pickle") == 0 || strcmp(field[KIND], "joblib") == 0;

    snprintf(path, sizeof path, "%s/%s", folder, field[PATH]);
    doc = pickle_read_file(path, NULL, &err);
    count(field[KIND], doc != NULL);
    if (doc) {
        problem = problem_of(doc, ours ? field[PROTO] : "");
        report(!problem, field[PATH], problem);
        pickle_doc_free(doc);
        return;
    }
    snprintf(text, sizeof text, "byte %" PRIu64 ": %s: %s", err.offset,
             pickle_status_name(err.code), err.message);
    report(may_fail(field, ours, &err) && is_printable(err.message), field[PATH], text);
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
