/* test_dis.c - pickle_dis prints what pickletools.dis prints, and fails where that fails. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "op/annotate.h"
#include "sha256.h"
#include "table.h"

enum { FILE_NAME, BYTES, OPTIONS, DIGEST, OUTCOME };

static unsigned char *input_of(const table *t, size_t *size)
{
    char path[4096];
    unsigned char *data;

    if (strcmp(t->field[FILE_NAME], "-") == 0)
        return table_bytes(t, BYTES, size);
    snprintf(path, sizeof path, "%s/vectors/%s", files_folder(), t->field[FILE_NAME]);
    data = files_read(path, size);
    ck_assert_msg(data != NULL, "%s cannot be read", path);
    return data;
}

static pickle_dis_opts options_of(const table *t)
{
    const char *text = t->field[OPTIONS], *indent = strstr(text, "l=");
    int blanks = indent ? atoi(indent + 2) : 4;

    return (pickle_dis_opts){ .struct_size = sizeof(pickle_dis_opts),
                              .annotate = strchr(text, 'a') != NULL,
                              .joblib = strchr(text, 'j') != NULL,
                              .all = strchr(text, 'A') != NULL,
                              .indent = blanks ? blanks : -1,
                              .memo = strchr(text, 'm') ? pickle_dis_memo_new(NULL) : NULL };
}

/* The opcode that a line is about, by what stands behind its offset; or none. */
static int opcode_of(const char *line)
{
    size_t offset = strspn(line, " 0123456789");
    unsigned code;

    if (line[offset] != ':')
        return -1;
    if (sscanf(line + offset, ": \\x%2x ", &code) == 1)
        return (int)code;
    return line[offset + 2];
}

/* Put "@" for each annotation: Python wrote the table without having our words. */
static void blank_annotations(pickle_buf *text)
{
    char *from = (char *)text->data, *end = from + text->len, *to = from;

    for (char *lf; (lf = memchr(from, '\n', (size_t)(end - from))); from = lf + 1) {
        int opcode = opcode_of(from);
        const char *words = opcode < 0 ? NULL : pickle__annotation((uint8_t)opcode);
        size_t len = (size_t)(lf - from), tail = words ? strlen(words) : 0;

        if (words) {
            ck_assert_msg(len > tail && memcmp(lf - tail, words, tail) == 0,
                          "not the annotation of %s: %.*s",
                          pickle_op_info_of((uint8_t)opcode)->name, (int)len, from);
            len -= tail;
        }
        memmove(to, from, len);
        to += len;
        if (words)
            *to++ = '@';
        *to++ = '\n';
    }
    memmove(to, from, (size_t)(end - from));
    text->len = (size_t)(to - (char *)text->data) + (size_t)(end - from);
}

static void check_row(const table *t)
{
    pickle_dis_opts opts = options_of(t);
    pickle_error err = { 0 };
    pickle_buf text = { 0 };
    size_t size;
    unsigned char *data = input_of(t, &size);
    bool ok = pickle_dis(data, size, pickle_sink_buf(&text), &opts, &err);
    char digest[65];

    if (opts.annotate && text.len > 0)
        blank_annotations(&text);
    sha256_hex(digest, text.data, text.len);
    ck_assert_msg(ok == (strcmp(t->field[OUTCOME], "ok") == 0), "row %d, %s: %s", t->row,
                  t->field[FILE_NAME], ok ? "no error" : err.message);
    ck_assert_msg(strcmp(digest, t->field[DIGEST]) == 0, "row %d, %s, options %s: printed\n%.*s",
                  t->row, t->field[FILE_NAME], t->field[OPTIONS],
                  (int)(text.len < 2000 ? text.len : 2000), text.data);
    pickle_dis_memo_free(opts.memo);
    pickle_buf_free(&text);
    free(data);
}

START_TEST(as_pickletools)
{
    table t;

    table_open(&t, "dis.tsv");
    while (table_next(&t))
        check_row(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dis");
    TCase *tc = tcase_create("pickletools");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, as_pickletools);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
