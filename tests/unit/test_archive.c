/* test_archive.c - zip and tar archives that Python wrote, whole, cut and damaged. */
#include <check.h>
#include <stdlib.h>

#include "codec/archive.h"
#include "sha256.h"
#include "table.h"
#include "testmem.h"

/* ------------------------------------------------------------------- table */

/* One archive of tables/archives.tsv, in a block that ends where it ends; see make_archive.py. */
typedef struct sample {
    char name[64];
    bool zip;
    char status[32];
    uint64_t offset; /* UINT64_MAX: any */
    unsigned char *data;
    size_t size;
} sample;

static bool open_archive(pickle__archive *a, const sample *s, pickle_error *err)
{
    return (s->zip ? pickle__zip_open : pickle__tar_open)(a, s->data, s->size, true, err);
}

static void read_sample(const table *t, sample *s)
{
    snprintf(s->name, sizeof s->name, "%s", t->field[1]);
    s->zip = strcmp(t->field[2], "zip") == 0;
    snprintf(s->status, sizeof s->status, "%s", t->field[3]);
    s->offset = t->field[4][0] == '-' ? UINT64_MAX : strtoull(t->field[4], NULL, 10);
    s->data = table_hex(t, 5, &s->size);
}

/* Finds one by its name. The caller frees the data. */
static sample sample_named(const char *name)
{
    sample s = { .data = NULL };
    table t;

    table_open(&t, "archives.tsv");
    while (table_next(&t))
        if (strcmp(t.field[0], "archive") == 0 && strcmp(t.field[1], name) == 0)
            read_sample(&t, &s);
    ck_assert_msg(s.data != NULL, "no sample %s", name);
    return s;
}

/* ---------------------------------------------------------------- contents */

/* All of a source, up to 1 MiB of it; its status. */
static pickle_status drain(pickle__source *s, pickle_buf *out)
{
    while (out->len < 1 << 20 && pickle__source_need(s, 1)) {
        size_t left = pickle__source_left(s);

        ck_assert(pickle__buf_add(out, s->at, left));
        s->at += left;
    }
    return s->status;
}

/* Reads the content, checks it, and tells how that went. */
static pickle_status content(const pickle__archive *a, const pickle__member *m, pickle_buf *out,
                             const pickle_alloc *alloc, pickle_error *err)
{
    pickle__source s;
    pickle_status status;

    err->code = PICKLE_OK;
    if (!pickle__member_source(a, m, alloc, &s, err)) {
        ck_assert_int_ne(err->code, PICKLE_OK);
        ck_assert(!pickle__source_need(&s, 1));
        return err->code;
    }
    status = drain(&s, out);
    if (status != PICKLE_OK)
        *err = s.error;
    ck_assert_uint_le(out->len, m->size);
    pickle__source_close(&s);
    if (status == PICKLE_OK && !pickle__member_check(a, m, err))
        status = err->code;
    ck_assert_int_eq(status, err->code);
    return status;
}

static bool is_missing(const pickle_error *err)
{
    return err->code == PICKLE_ERR_UNSUPPORTED && strstr(err->message, "not built in");
}

/* ------------------------------------------------------------------- tests */

static void check_name(const table *t, const sample *s, const pickle__member *m)
{
    size_t len, got = m->name_len;
    unsigned char *name = table_bytes(t, 1, &len);

    /* As tarfile does. */
    while (!s->zip && got > 0 && m->kind == PICKLE__FOLDER && m->name[got - 1] == '/')
        got--;
    ck_assert_msg(got == len && memcmp(m->name, name, len) == 0, "%s: %.*s, not %s", s->name,
                  (int)got, m->name, t->field[1]);
    free(name);
}

static void check_content(const table *t, const sample *s, const pickle__archive *a,
                          const pickle__member *m)
{
    const char *failure = table_failure(t, 5);
    pickle_buf buf = { 0 };
    pickle_error err = { 0 };
    pickle_status status = content(a, m, &buf, NULL, &err);
    char hex[65];

    sha256_hex(hex, buf.data, buf.len);
    pickle_buf_free(&buf);
    if (is_missing(&err))
        return;
    if (failure) {
        ck_assert_msg(strcmp(pickle_status_name(status), failure) == 0, "%s: %s", s->name,
                      pickle_status_name(status));
    } else {
        ck_assert_msg(status == PICKLE_OK, "%s: %s", s->name, err.message);
        ck_assert_msg(strcmp(hex, t->field[5]) == 0, "%s: other content", s->name);
    }
}

static void check_member(const table *t, const sample *s, pickle__archive *a)
{
    static const char *const kinds[] = { "file", "folder", "other" };
    pickle__member m;
    pickle_error err = { 0 };
    pickle_status status = pickle__archive_next(a, &m, &err);

    ck_assert_msg(status == PICKLE_OK, "%s: %s instead of %s: %s", s->name,
                  pickle_status_name(status), t->field[1], err.message);
    check_name(t, s, &m);
    ck_assert_str_eq(kinds[m.kind], t->field[2]);
    ck_assert_uint_le(m.offset, s->size);
    ck_assert_uint_le(m.packed, s->size - m.offset);
    if (m.kind == PICKLE__REGULAR) {
        ck_assert_uint_eq(m.size, strtoull(t->field[3], NULL, 10));
        check_content(t, s, a, &m);
    }
    ck_assert_int_eq(m.has_crc, t->field[4][0] != '-');
    if (m.has_crc)
        ck_assert_uint_eq(m.crc, strtoull(t->field[4], NULL, 10));
}

/* How going on ends, and that it ends so again. */
static void check_end(const sample *s, pickle__archive *a)
{
    for (int times = 0; times < 2; times++) {
        pickle__member m;
        pickle_error err = { 0 };
        pickle_status status = pickle__archive_next(a, &m, &err);

        ck_assert_msg(strcmp(pickle_status_name(status), s->status) == 0, "%s: %s: %s", s->name,
                      pickle_status_name(status), err.message);
        ck_assert_int_eq(status == PICKLE_END ? PICKLE_OK : status, err.code);
        if (s->offset != UINT64_MAX)
            ck_assert_msg(err.offset == s->offset, "%s: at %llu: %s", s->name,
                          (unsigned long long)err.offset, err.message);
    }
}

/* True when there are members to come. */
static bool check_open(const sample *s, pickle__archive *a)
{
    pickle_error err = { 0 };
    bool odd = strstr(s->name, "prefix") || s->offset == 0 || strstr(s->name, "tar_empty");
    bool is = s->zip ? pickle__is_zip(s->data, s->size) : pickle__is_tar(s->data, s->size);

    ck_assert_msg(is || odd || strstr(s->name, "zip_other"), "%s: not recognised", s->name);
    ck_assert(!(s->zip ? pickle__is_tar : pickle__is_zip)(s->data, s->size));
    if (open_archive(a, s, &err))
        return true;
    ck_assert_msg(strcmp(pickle_status_name(err.code), s->status) == 0 && err.offset == s->offset,
                  "%s: %s at %llu: %s", s->name, pickle_status_name(err.code),
                  (unsigned long long)err.offset, err.message);
    return false;
}

START_TEST(test_table)
{
    sample s = { .data = NULL };
    pickle__archive a;
    bool open = false;
    table t;

    table_open(&t, "archives.tsv");
    while (table_next(&t)) {
        if (strcmp(t.field[0], "member") == 0) {
            ck_assert(open);
            check_member(&t, &s, &a);
            continue;
        }
        if (open)
            check_end(&s, &a);
        free(s.data);
        read_sample(&t, &s);
        open = check_open(&s, &a);
    }
    if (open)
        check_end(&s, &a);
    free(s.data);
}
END_TEST

/* Goes through, reads all, and returns how that ended. The members count, and those that could be
 * read. */
static pickle_status exhaust(const sample *s, int *members, int *whole, const pickle_alloc *alloc)
{
    pickle__archive a;
    pickle__member m;
    pickle_error err = { 0 };
    pickle_status status;

    *members = *whole = 0;
    if (!open_archive(&a, s, &err)) {
        ck_assert_int_ge(err.code, PICKLE_ERR_ARG);
        return err.code;
    }
    while ((status = pickle__archive_next(&a, &m, &err)) == PICKLE_OK) {
        pickle_buf buf = { 0 };

        /* So that sanitizers see the name read. */
        ck_assert(pickle__buf_add(&buf, m.name, m.name_len));
        buf.len = 0;
        ck_assert(m.offset <= s->size && m.packed <= s->size - m.offset);
        ++*members;
        status = content(&a, &m, &buf, alloc, &err);
        *whole += status == PICKLE_OK;
        pickle_buf_free(&buf);
        if (status == PICKLE_ERR_NOMEM)
            return status;
    }
    return status;
}

static const char *const small[] = {
    "zip_deflated", "zip_stored", "zip_streamed_zip64", "zip_zip64_prefix", "zip_lzma_unmarked",
    "zip_torch",    "tar_gnu",    "tar_pax_size",       "tar_ustar_names",  "tar_pax_names",
};
#define SMALL ((int)(sizeof small / sizeof *small))

START_TEST(test_cut)
{
    sample s = sample_named(small[_i]), cut = s;
    int all, all_whole, members, whole;

    ck_assert_int_eq(exhaust(&s, &all, &all_whole, NULL), PICKLE_END);
    for (cut.size = 0; cut.size < s.size; cut.size++) {
        pickle_status status;

        cut.data = malloc(cut.size ? cut.size : 1);
        memcpy(cut.data, s.data, cut.size);
        status = exhaust(&cut, &members, &whole, NULL);
        ck_assert_int_le(members, all);
        /* The directory of a zip comes last; a tar may end between members. */
        if (s.zip)
            ck_assert_msg(status == (pickle__is_zip(cut.data, cut.size) ? PICKLE_ERR_TRUNCATED
                                                                        : PICKLE_ERR_CODEC),
                          "%s cut at %zu: %s", s.name, cut.size, pickle_status_name(status));
        else if (status != PICKLE_END)
            ck_assert_msg(status == PICKLE_ERR_TRUNCATED, "%s cut at %zu: %s", s.name, cut.size,
                          pickle_status_name(status));
        ck_assert_int_le(whole, members);
        free(cut.data);
    }
    free(s.data);
}
END_TEST

START_TEST(test_damage)
{
    static const unsigned char masks[] = { 0x01, 0x80, 0xff, 0x20 };
    sample s = sample_named(small[_i]);

    for (size_t n = 0; n < s.size; n++) {
        for (size_t i = 0; i < sizeof masks; i++) {
            int members, whole;

            s.data[n] ^= masks[i];
            exhaust(&s, &members, &whole, NULL);
            s.data[n] ^= masks[i];
        }
    }
    free(s.data);
}
END_TEST

/* Every allocation fails once. */
START_TEST(test_no_memory)
{
    sample s = sample_named(small[_i]);
    int members, whole, all, all_whole;
    pickle_status status;
    size_t n = 0;

    exhaust(&s, &all, &all_whole, NULL);
    do {
        memory mem;

        memory_init(&mem, ++n);
        status = exhaust(&s, &members, &whole, &mem.alloc);
        ck_assert_uint_eq(mem.in_use, 0);
    } while (status == PICKLE_ERR_NOMEM);
    ck_assert_int_eq(whole, all_whole);
    free(s.data);
}
END_TEST

static void put_u16(unsigned char *p, unsigned n)
{
    p[0] = (unsigned char)n;
    p[1] = (unsigned char)(n >> 8);
}

/* The longest comment there can be, and bytes that make it too long. */
START_TEST(test_long_comment)
{
    enum { LONGEST = 65535 };
    sample s = sample_named("zip_deflated");
    int members, whole;
    size_t end = s.size;

    s.data = realloc(s.data, end + LONGEST + 1);
    memset(s.data + end, '.', LONGEST + 1);
    put_u16(s.data + end - 2, LONGEST);
    s.size = end + LONGEST;
    ck_assert_int_eq(exhaust(&s, &members, &whole, NULL), PICKLE_END);
    ck_assert_int_eq(members, 3);
    s.size++;
    ck_assert_int_eq(exhaust(&s, &members, &whole, NULL), PICKLE_ERR_TRUNCATED);
    free(s.data);
}
END_TEST

/* Stored content is where it lies in the archive; inflated content comes from a buffer. */
START_TEST(test_window)
{
    static const char *const names[] = { "zip_torch", "tar_pax", "zip_deflated" };

    for (int i = 0; i < 3; i++) {
        sample s = sample_named(names[i]);
        pickle__archive a;
        pickle__member m;
        pickle__source source;

        ck_assert(open_archive(&a, &s, NULL));
        ck_assert_int_eq(pickle__archive_next(&a, &m, NULL), PICKLE_OK);
        if (!pickle__member_source(&a, &m, NULL, &source, NULL)) {
            ck_assert(!pickle_codec_available(PICKLE_CODEC_DEFLATE));
        } else if (i < 2) {
            ck_assert_ptr_eq(source.at, s.data + m.offset);
            ck_assert_uint_eq(pickle__source_left(&source), m.size);
            ck_assert(source.stable);
            ck_assert(i > 0 || m.offset % 64 == 0);
        } else {
            ck_assert(source.reader && !source.stable);
        }
        pickle__source_close(&source);
        free(s.data);
    }
}
END_TEST

START_TEST(test_recognition)
{
    unsigned char block[512] = { 0 };

    ck_assert(!pickle__is_tar(block, sizeof block));
    ck_assert(!pickle__is_tar(block, 511));
    ck_assert(!pickle__is_zip((const unsigned char *)"PK\3", 3));
    ck_assert(!pickle__is_zip((const unsigned char *)"PK\1\2", 4));
    ck_assert(!pickle__is_zip(NULL, 0));
    ck_assert(!pickle__is_tar(NULL, 0));
}
END_TEST

/* What has no content says so. */
START_TEST(test_no_content)
{
    sample s = sample_named("tar_gnu_links");
    pickle__archive a;
    pickle__member m;
    pickle__source source;
    pickle_error err;

    ck_assert(open_archive(&a, &s, NULL));
    ck_assert_int_eq(pickle__archive_next(&a, &m, NULL), PICKLE_OK);
    ck_assert_int_eq(m.kind, PICKLE__OTHER);
    ck_assert(!pickle__member_source(&a, &m, NULL, &source, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
    free(s.data);
}
END_TEST

/* The check value that all descriptions of CRC-32 give. */
START_TEST(test_crc32)
{
    ck_assert_uint_eq(pickle__crc32(0, "123456789", 9), 0xcbf43926u);
    ck_assert_uint_eq(pickle__crc32(pickle__crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
    ck_assert_uint_eq(pickle__crc32(0, "", 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("archive");
    TCase *tc = tcase_create("archive");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_table);
    tcase_add_loop_test(tc, test_cut, 0, SMALL);
    tcase_add_loop_test(tc, test_damage, 0, SMALL);
    tcase_add_loop_test(tc, test_no_memory, 0, SMALL);
    tcase_add_test(tc, test_long_comment);
    tcase_add_test(tc, test_window);
    tcase_add_test(tc, test_recognition);
    tcase_add_test(tc, test_no_content);
    tcase_add_test(tc, test_crc32);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
