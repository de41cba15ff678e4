/*
 * test_shelf.c - shelves and plain dbm files that Python wrote, whole and damaged, and some that
 * no Python would write. fixtures/shelves is made by make_shelves.py, the tables there by reading
 * the files back.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "testmem.h"

/* ------------------------------------------------------------------- helpers */

/* A folder of its own for each test. */
static char folder[64];

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/test-shelf-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *put_file(const char *name, const void *data, size_t len)
{
    FILE *f = fopen(in_folder(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return in_folder(name);
}

static const char *fixture(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/shelves/%s", files_folder(), name);
    return path;
}

static unsigned char *fixture_bytes(const char *name, size_t *size)
{
    unsigned char *data = files_read(fixture(name), size);

    ck_assert_msg(data != NULL, "%s", name);
    return data;
}

/* The whole dict, or the error. */
static const char *text_of(pickle_doc *doc, const pickle_error *err)
{
    static char text[1024];
    pickle_buf buf = { 0 };

    if (!doc) {
        snprintf(text, sizeof text, "%s: %s", pickle_status_name(err->code), err->message);
        return text;
    }
    ck_assert(pickle_repr(pickle_root(doc), pickle_sink_buf(&buf), 900, NULL));
    snprintf(text, sizeof text, "%s %.*s", pickle_container(doc), (int)buf.len,
             (const char *)buf.data);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
    return text;
}

static const char *text_in(const void *data, size_t size)
{
    pickle_error err;
    pickle_doc *doc = pickle_read(data, size, NULL, &err);

    return text_of(doc, &err);
}

static const char *text_at(const char *path)
{
    pickle_error err;
    pickle_doc *doc = pickle_read_file(path, NULL, &err);

    return text_of(doc, &err);
}

/* ------------------------------------------------------------------ fixtures */

static const char *const tables[] = { "gnu-amd64", "gnu-i386", "dumb-py27", "dumb-py313",
                                      "sqlite3-py313" };

static void check_text(const pickle_val *v, const char *want, const char *file)
{
    pickle_buf buf = { 0 };

    ck_assert(pickle_repr(v, pickle_sink_buf(&buf), 0, NULL));
    ck_assert_msg(buf.len == strlen(want) && memcmp(buf.data, want, buf.len) == 0,
                  "%s: %.*s..., not %.200s...", file, buf.len < 200 ? (int)buf.len : 200,
                  (const char *)buf.data, want);
    pickle_buf_free(&buf);
}

typedef struct reading {
    char file[64];
    pickle_doc *doc;
    pickle_iter it;
} reading;

static void end(reading *r)
{
    const pickle_val *key, *value;

    if (r->doc)
        ck_assert_msg(!pickle_next(&r->it, &key, &value), "%s has more", r->file);
    pickle_doc_free(r->doc);
}

static void begin(reading *r, const char *file)
{
    pickle_error err;

    snprintf(r->file, sizeof r->file, "%s", file);
    r->doc = pickle_read_file(fixture(file), NULL, &err);
    ck_assert_msg(r->doc != NULL, "%s: %s", file, err.message);
    r->it = (pickle_iter){ pickle_root(r->doc), 0, 0 };
}

/* file, kind, key, value. */
static void check_row(reading *r, char *line)
{
    const pickle_val *key, *value;
    char *field[4];

    for (int i = 0; i < 4; i++, line = NULL) {
        field[i] = strtok(line, "\t\n");
        ck_assert_ptr_nonnull(field[i]);
    }
    if (strcmp(r->file, field[0]) != 0) {
        end(r);
        begin(r, field[0]);
    }
    ck_assert_str_eq(pickle_container(r->doc), field[1]);
    ck_assert_msg(pickle_next(&r->it, &key, &value), "%s has no %s", r->file, field[2]);
    check_text(key, field[2], r->file);
    check_text(value, field[3], r->file);
}

START_TEST(fixtures)
{
    reading r = { .doc = NULL };
    char name[64], *line = NULL;
    size_t room = 0, rows = 0;
    FILE *table;

    snprintf(name, sizeof name, "%s.tsv", tables[_i]);
    table = fopen(fixture(name), "r");
    ck_assert_ptr_nonnull(table);
    while (getline(&line, &room, table) > 0) {
        check_row(&r, line);
        rows++;
    }
    end(&r);
    fclose(table);
    free(line);
    ck_assert_uint_gt(rows, 20);
}
END_TEST

START_TEST(what_is_refused)
{
    ck_assert_str_eq(text_at(fixture("ndbm-amd64-plain.db")),
                     "PICKLE_ERR_UNSUPPORTED: this is a Berkeley DB hash file, such as dbm.ndbm's, "
                     "no pickle or joblib file");
    ck_assert_str_eq(text_in("'a', (0, 5)\n", 12),
                     "PICKLE_ERR_MISSING: this is the index of a dbm.dumb, and its .dat file is "
                     "not beside it");
    ck_assert_str_eq(text_in("\"text\"", 6), "PICKLE_ERR_OPCODE: byte 0x22 is no opcode");
    ck_assert_str_eq(text_in("SQLite format 3", 16),
                     "PICKLE_ERR_TRUNCATED: SQLite: the header is cut");
    ck_assert_str_eq(text_in("\xcf\x9a\x57\x13", 4),
                     "PICKLE_ERR_CODEC: gdbm: the header is of no known layout");
}
END_TEST

/* What is in a log beside the database is not in the database. */
START_TEST(sqlite_in_use)
{
    size_t size;
    unsigned char *data = fixture_bytes("sqlite3-py313-plain", &size);
    const char *want = "dbm {'a': b'bytes', ";

    put_file("x-wal", "", 0);
    ck_assert_int_eq(strncmp(text_at(put_file("x", data, size)), want, strlen(want)), 0);
    put_file("x-wal", "log", 3);
    ck_assert_str_eq(text_at(in_folder("x")),
                     "PICKLE_ERR_UNSUPPORTED: this SQLite database is in use, or was not closed: "
                     "the -wal file beside it may have changes");
    free(data);
}
END_TEST

/* ---------------------------------------------------------------------- dumb */

static const char *dumb(const char *index, const char *values)
{
    put_file("x.dir", index, strlen(index));
    put_file("x.dat", values, strlen(values));
    return text_at(in_folder("x"));
}

START_TEST(shelf_or_bytes)
{
    ck_assert_str_eq(dumb("", ""), "shelve {}");
    ck_assert_str_eq(dumb("'a', (0, 2)\n", "N."), "shelve {'a': None}");
    ck_assert_str_eq(dumb("'a', (0, 2)\n'b', (2, 3)", "N.N.."), "dbm {'a': b'N.', 'b': b'N..'}");
    ck_assert_str_eq(dumb("'a', (0, 4)\n'b', (4, 1)\n", "\x80\2N.N"),
                     "PICKLE_ERR_TRUNCATED: the value of \"b\": the input ends before STOP");
    ck_assert_str_eq(dumb("'a', (0, 1)\n'b', (1, 4)\n", "N\x80\2N."),
                     "dbm {'a': b'N', 'b': b'\\x80\\x02N.'}");
    ck_assert_str_eq(dumb("'a', (0, 3)\n", "\x80\2N"),
                     "PICKLE_ERR_TRUNCATED: the value of \"a\": the input ends before STOP");
}
END_TEST

START_TEST(lines_of_an_index)
{
    static const char wrong[] = "PICKLE_ERR_CODEC: the index of a dbm.dumb: not \"'key', "
                                "(position, size)\"";

    ck_assert_str_eq(dumb("'a', (0, 1)\r\n\"b'\", (0, 0)\r\n", "x"),
                     "dbm {'a': b'x', \"b'\": b''}");
    ck_assert_str_eq(dumb("'\\'\\n\\x41\\xff', (0, 1)\n", "x"), "dbm {b\"'\\nA\\xff\": b'x'}");
    ck_assert_str_eq(dumb("'\xc3\xa9', (0, 1)\n", "x"), "dbm {'\xc3\xa9': b'x'}");
    ck_assert_str_eq(dumb("'a', (0, 2)\n", "x"),
                     "PICKLE_ERR_TRUNCATED: a value lies beyond the end of the .dat file");
    ck_assert_str_eq(dumb("'a', (0, 1)\nb', (0, 1)\n", "x"), wrong);
    ck_assert_str_eq(dumb("'a', (0, 1)\n'b, (0, 1)\n", "x"), wrong);
    ck_assert_str_eq(dumb("'a', (0, 1)\n'b\\x4', (0, 1)\n", "x"), wrong);
    ck_assert_str_eq(dumb("'a', (0, 1) \n", "x"), wrong);
    ck_assert_str_eq(dumb("'a', (, 1)\n", "x"), wrong);
    ck_assert_str_eq(dumb("'a', (99999999999999999999, 1)\n", "x"), wrong);
}
END_TEST

/* ---------------------------------------------------------------------- gdbm */

/* The sizes of gdbm's structures on a machine; and a file with one bucket of ten elements. */
typedef struct machine {
    unsigned magic;
    bool big;
    unsigned offset, head, element;
} machine;

static void put(const machine *m, unsigned char *to, uint64_t x, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        to[m->big ? size - 1 - i : i] = (unsigned char)(x >> 8 * i);
}

#define BUCKET 512
#define VALUES 1024

static size_t make_gdbm(const machine *m, unsigned char *out)
{
    unsigned size = m->head + 10 * m->element, numbers = 8 + m->offset;
    unsigned char *element = out + BUCKET + m->head + 3 * m->element;

    memset(out, 0, VALUES);
    put(m, out, m->magic, 4);
    put(m, out + 8, 256, m->offset);
    put(m, out + numbers, 2 * m->offset, 4);
    put(m, out + numbers + 8, size, 4);
    put(m, out + numbers + 12, 10, 4);
    put(m, out + 256, BUCKET, m->offset);
    put(m, out + 256 + m->offset, BUCKET, m->offset);
    memset(out + BUCKET + m->head, 0xff, 10 * m->element);
    put(m, element, 1, 4);
    put(m, element + 8, VALUES, m->offset);
    put(m, element + 8 + m->offset, 3, 4);
    put(m, element + 12 + m->offset, 4, 4);
    memcpy(out + VALUES, "key\x80\2N.", 7);
    return VALUES + 7;
}

/* The first and the second are in the fixtures, too, as Python wrote them. */
static const machine machines[] = {
    { 0x13579acf, false, 8, 112, 24 }, { 0x13579acf, false, 8, 84, 24 },
    { 0x13579acd, false, 4, 60, 20 },  { 0x13579ace, false, 4, 60, 20 },
    { 0x13579ace, true, 8, 112, 24 },  { 0x13579acf, true, 8, 112, 24 },
    { 0x13579acd, true, 4, 60, 20 },   { 0x13579ad1, false, 8, 112, 24 },
    { 0x13579ad0, true, 4, 60, 20 },
};

START_TEST(gdbm_of_machines)
{
    unsigned char file[2 * VALUES];
    size_t size = make_gdbm(&machines[_i], file);

    ck_assert_str_eq(text_in(file, size), "shelve {'key': None}");
    ck_assert_str_eq(text_in(file, size - 1),
                     "PICKLE_ERR_TRUNCATED: gdbm: an entry lies beyond the end of the file");
    ck_assert_str_eq(text_in(file, BUCKET),
                     "PICKLE_ERR_TRUNCATED: gdbm: a bucket lies beyond the end of the file");
    ck_assert_str_eq(text_in(file, 256),
                     "PICKLE_ERR_TRUNCATED: gdbm: the directory lies beyond the end of the file");
}
END_TEST

static const char shared[] =
    "PICKLE_ERR_CODEC: the file's entries share bytes, or its pages form a loop";

/* A directory that leads to two buckets in turn, again and again. */
START_TEST(gdbm_in_circles)
{
    size_t size, dir_size = 4096;
    unsigned char *data = fixture_bytes("gnu-amd64", &size);
    unsigned char *dir = data + 4096;

    for (size_t i = 0; i + 16 <= dir_size; i += 8)
        memcpy(dir + i, i % 16 ? dir + dir_size - 8 : dir, 8);
    ck_assert_str_eq(text_in(data, size), shared);
    free(data);
}
END_TEST

/* Each entry has the same value, of most of the file. */
START_TEST(one_value_for_all)
{
    static const machine *const m = &machines[0];
    static unsigned char file[1 << 20];
    unsigned char *element = file + BUCKET + m->head;

    make_gdbm(m, file);
    for (int i = 0; i < 10; i++) {
        put(m, element + i * m->element, 1, 4);
        put(m, element + i * m->element + 8, VALUES, 8);
        put(m, element + i * m->element + 16, 3, 4);
        put(m, element + i * m->element + 20, sizeof file - VALUES - 3, 4);
    }
    ck_assert_str_eq(text_in(file, sizeof file), shared);
}
END_TEST

/* -------------------------------------------------------------------- sqlite */

/* The page on which a table begins: that of Dict, which here is an interior one. */
static unsigned char *sqlite_root(unsigned char *data, size_t size)
{
    ck_assert_uint_gt(size, 2 * 4096);
    ck_assert_uint_eq(data[4096], 5);
    return data + 4096;
}

/* The last child of a page is the page itself. */
START_TEST(sqlite_in_circles)
{
    size_t size;
    unsigned char *data = fixture_bytes("sqlite3-py313", &size);

    memcpy(sqlite_root(data, size) + 8, "\0\0\0\2", 4);
    ck_assert_str_eq(text_in(data, size), shared);
    memcpy(sqlite_root(data, size) + 8, "\0\0\xff\xff", 4);
    ck_assert_str_eq(text_in(data, size),
                     "PICKLE_ERR_TRUNCATED: SQLite: page 65535 is not in the file");
    memcpy(sqlite_root(data, size) + 8, "\0\0\0\0", 4);
    ck_assert_str_eq(text_in(data, size),
                     "PICKLE_ERR_TRUNCATED: SQLite: page 0 is not in the file");
    free(data);
}
END_TEST

/* The table of another program. */
START_TEST(sqlite_without_dict)
{
    size_t size;
    unsigned char *data = fixture_bytes("sqlite3-py313", &size);

    for (size_t i = 0; i + 4 < 4096; i++)
        if (memcmp(data + i, "Dict", 4) == 0)
            data[i] = 'd';
    ck_assert_str_eq(text_in(data, size),
                     "PICKLE_ERR_UNSUPPORTED: this is a SQLite database without the table Dict of "
                     "a shelf");
    free(data);
}
END_TEST

/* -------------------------------------------------------------------- limits */

static bool cancel(void *ctx, uint64_t done, uint64_t total)
{
    size_t *calls = ctx;

    ck_assert_uint_le(done, total);
    return ++*calls < 2;
}

/* Ten values of a megabyte each, none of which is a pickle. */
START_TEST(limits_and_hooks)
{
    static const size_t large = 1 << 20;
    const machine *m = &machines[0];
    unsigned char *data = calloc(11, large), *element = data + BUCKET + m->head;
    size_t calls = 0;
    pickle_error err;

    make_gdbm(m, data);
    data[VALUES + 3] = 0;
    for (unsigned i = 0; i < 10; i++, element += m->element) {
        put(m, element, 1, 4);
        put(m, element + 8, VALUES + i * large, 8);
        put(m, element + 16, 3, 4);
        put(m, element + 20, large - 3, 4);
    }
    ck_assert_ptr_null(pickle_read(data, 11 * large,
                                   pickle_read_opts(.on_progress = cancel, .ctx = &calls), &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_CANCELED);
    ck_assert_ptr_null(
        pickle_read(data, 11 * large, pickle_read_opts(.limits.memory_bytes = 200000), &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_LIMIT);
    free(data);
}
END_TEST

/* A shelf ends the input, and a document is ready for another one. */
START_TEST(read_again)
{
    unsigned char file[2 * VALUES];
    size_t size = make_gdbm(&machines[0], file);
    pickle_doc *doc = docs_read(file, size, pickle_read_opts(.keep_memo = true));
    pickle_error err;

    check_repr(pickle_root(doc), "{'key': None}");
    ck_assert_int_eq(pickle_protocol(doc), 2);
    ck_assert_uint_eq(pickle_consumed(doc), size);
    ck_assert_uint_eq(pickle_trailing(doc), 0);
    ck_assert_int_eq(pickle_read_next(doc, &err), PICKLE_END);
    ck_assert(pickle_reread(doc, file, size, NULL, &err));
    check_repr(pickle_find(pickle_root(doc), "['key']"), "None");
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- damage */

/* Of the dumb ones, the index; its values are found by the name. */
static const char *const files[] = { "gnu-amd64-plain", "gnu-i386-plain", "sqlite3-py313-plain",
                                     "dumb-py313.dir",  "dumb-py27.dir",  "gnu-amd64",
                                     "gnu-i386",        "sqlite3-py313" };
#define SMALL 20000

static void try(const char *name, const unsigned char *data, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    pickle_error err = { 0 };
    pickle_buf text = { 0 };
    pickle_doc *doc;

    memcpy(copy, data, size);
    doc = pickle_read(copy, size, pickle_read_opts(.borrow = true, .path = fixture(name)), &err);
    ck_assert(doc || (err.code >= 10 && err.message[0]));
    if (doc)
        ck_assert(pickle_repr(pickle_root(doc), pickle_sink_buf(&text), 20000, NULL));
    pickle_buf_free(&text);
    pickle_doc_free(doc);
    free(copy);
}

START_TEST(damaged)
{
    static const unsigned char masks[] = { 0x01, 0x80, 0xff };
    size_t size;
    unsigned char *data = fixture_bytes(files[_i], &size);
    size_t step = size < SMALL ? 1 : 61;

    for (size_t i = 0; i < size; i += step) {
        for (size_t m = 0; m < sizeof masks; m++) {
            data[i] ^= masks[m];
            try(files[_i], data, size);
            data[i] ^= masks[m];
        }
        if (i % 5 == 0)
            try(files[_i], data, i);
    }
    free(data);
}
END_TEST

START_TEST(damaged_values)
{
    size_t dir_size, size;
    unsigned char *dir = fixture_bytes("dumb-py27.dir", &dir_size);
    unsigned char *data = fixture_bytes("dumb-py27.dat", &size);

    put_file("x.dir", dir, dir_size);
    for (size_t i = 0; i < size; i += 13) {
        data[i] ^= 0xff;
        put_file("x.dat", data, i % 2 ? size : i);
        text_at(in_folder("x"));
        data[i] ^= 0xff;
    }
    free(dir);
    free(data);
}
END_TEST

START_TEST(each_allocation_fails)
{
    size_t size;
    unsigned char *data = fixture_bytes(files[_i], &size);
    pickle_doc *doc = NULL;

    for (size_t n = 1; !doc; n++) {
        pickle_error err = { 0 };
        memory m;

        memory_init(&m, n);
        doc = pickle_read(data, size,
                          pickle_read_opts(.alloc = &m.alloc, .path = fixture(files[_i])), &err);
        ck_assert_msg(doc || err.code == PICKLE_ERR_NOMEM, "%s: %s", files[_i], err.message);
        pickle_doc_free(doc);
        ck_assert_uint_eq(m.in_use, 0);
    }
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shelf");
    TCase *tc = tcase_create("shelf");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, fixtures, 0, sizeof tables / sizeof *tables);
    tcase_add_test(tc, what_is_refused);
    tcase_add_test(tc, sqlite_in_use);
    tcase_add_test(tc, shelf_or_bytes);
    tcase_add_test(tc, lines_of_an_index);
    tcase_add_loop_test(tc, gdbm_of_machines, 0, sizeof machines / sizeof *machines);
    tcase_add_test(tc, gdbm_in_circles);
    tcase_add_test(tc, one_value_for_all);
    tcase_add_test(tc, sqlite_in_circles);
    tcase_add_test(tc, sqlite_without_dict);
    tcase_add_test(tc, limits_and_hooks);
    tcase_add_test(tc, read_again);
    tcase_add_loop_test(tc, damaged, 0, sizeof files / sizeof *files);
    tcase_add_test(tc, damaged_values);
    tcase_add_loop_test(tc, each_allocation_fails, 0, sizeof files / sizeof *files);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
