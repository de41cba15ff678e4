/*
 * test_pandas.c - frames, series, indexes, scalars and arrays, by versions of pandas from 0.20 to
 * 3.1, against what pandas says of them: fixtures/pandas, made by make_pandas.py.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "files.h"
#include "frames.h"

#define MOST_VALUES 512

/* The facts of a value, a line each; or, without a name, the file whose values these are, too. */
typedef struct value {
    const char *file, *name, *facts;
    size_t len;
} value;

typedef struct facts {
    const char *version;
    value values[MOST_VALUES];
    size_t n;
} facts;

/* ------------------------------------------------------------------- comparisons */

/* The line of a text that `at` is in, and its length. */
static int line_around(const char *text, size_t len, size_t at, const char **line)
{
    size_t from = at, to = at;

    while (from > 0 && text[from - 1] != '\n')
        from--;
    while (to < len && text[to] != '\n')
        to++;
    *line = text + from;
    return (int)(to - from);
}

static void check_value(const facts *f, const char *file, const value *want, const pickle_val *v)
{
    pickle_buf got = { 0 };
    bool fine = frames_describe(v, pickle_sink_buf(&got));
    const char *mine = (const char *)got.data, *my_line, *line;
    size_t same = 0;
    int my_len, len;

    while (same < got.len && same < want->len && mine[same] == want->facts[same])
        same++;
    my_len = line_around(mine, got.len, same, &my_line);
    len = line_around(want->facts, want->len, same, &line);
    ck_assert_msg(same == want->len && same == got.len && fine,
                  "%s/%s %s: \"%.*s\", not \"%.*s\"%s", f->version, file, want->name, my_len,
                  my_line, len, line, fine ? "" : "; and its parts are not in order");
    pickle_buf_free(&got);
}

/* What is in `file` are the values that are stated for `stated`: no more, no fewer. */
static void check_file(const facts *f, const char *file, const char *stated)
{
    char path[4096];
    pickle_error err = { 0 };
    pickle_doc *doc;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/pandas/%s/%s", files_folder(), f->version, file);
    doc = pickle_read_file(path, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: byte %" PRIu64 ": %s", path, err.offset, err.message);
    for (const value *want = f->values; want < f->values + f->n; want++)
        if (*want->name && strcmp(want->file, stated) == 0) {
            check_value(f, file, want, pickle_get(pickle_root(doc), want->name));
            n++;
        }
    ck_assert_msg(pickle_len(pickle_root(doc)) == n, "%s: %zu values are stated", path, n);
    pickle_doc_free(doc);
}

/* ------------------------------------------------------------------------ tables */

static char *next_field(char **at, char end)
{
    char *field = *at, *stop = strchr(field, end);

    ck_assert(stop != NULL);
    *stop = '\0';
    *at = stop + 1;
    return field;
}

/* Rows that continue a value begin with two empty fields: without these, its lines become one text
 * in place. */
static void read_value(facts *f, char **at)
{
    value *v = &f->values[f->n++];
    char *to;
    size_t len;

    ck_assert_uint_le(f->n, MOST_VALUES);
    v->file = next_field(at, '\t');
    v->name = next_field(at, '\t');
    if (!*v->name) {
        ck_assert_str_eq(next_field(at, '\t'), "like");
        v->facts = next_field(at, '\n');
        return;
    }
    v->facts = to = *at;
    do {
        *at += strspn(*at, "\t");
        len = strcspn(*at, "\n") + 1;
        memmove(to, *at, len);
        to += len;
        *at += len;
    } while (**at == '\t');
    v->len = (size_t)(to - v->facts);
}

static void check_all(const facts *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const value *v = &f->values[i];

        if (!*v->name)
            check_file(f, v->file, v->facts);
        else if (i == 0 || strcmp(v->file, v[-1].file) != 0)
            check_file(f, v->file, v->file);
    }
}

static const char *const versions[] = { "0.20", "0.23", "0.25", "1.0", "1.1", "1.2",
                                        "1.3",  "1.5",  "2.0",  "2.2", "3.1", "3.1-arrow" };

START_TEST(files_of_pandas)
{
    facts f = { .version = versions[_i] };
    char path[4096], *text, *at;
    size_t size;

    snprintf(path, sizeof path, "%s/pandas/%s/facts.tsv", files_folder(), f.version);
    text = (char *)files_read(path, &size);
    ck_assert_msg(text != NULL, "cannot read %s", path);
    text = realloc(text, size + 1);
    text[size] = '\0';
    at = text;
    next_field(&at, '\n'); /* the header */
    while (*at)
        read_value(&f, &at);
    ck_assert_uint_gt(f.n, 100);
    check_all(&f);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pandas");
    TCase *tc = tcase_create("pandas");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, files_of_pandas, 0, sizeof versions / sizeof *versions);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
