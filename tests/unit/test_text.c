/* test_text.c - UTF-8, escapes and repr(), against what CPython made of them. */
#include <check.h>
#include <stdlib.h>

#include "base/text.h"
#include "table.h"

#define UNSET "never set"

/* "!3 invalid start byte" in the table. */
static void check_failure(const table *t, int i, const pickle__text_error *err)
{
    char *reason;
    size_t at = strtoul(table_failure(t, i), &reason, 10);

    ck_assert_msg(err->at == at, "%s row %d: at %zu", t->name, t->row, err->at);
    ck_assert_msg(strcmp(err->reason, reason + 1) == 0, "%s row %d: %s", t->name, t->row,
                  err->reason);
}

/* ------------------------------------------------------------------- UTF-8 */

START_TEST(test_utf8_copy)
{
    table t;

    table_open(&t, "utf8.tsv");
    while (table_next(&t)) {
        const char *failure = table_failure(&t, 1);
        size_t len;
        unsigned char *src = table_bytes(&t, 0, &len);
        char *dst = malloc(len);
        pickle__text_error err = { 0, UNSET };
        unsigned flags;
        bool ok = pickle__utf8_copy(dst, src, len, &flags, &err);

        ck_assert_msg(ok == !failure, "row %d", t.row);
        if (ok) {
            ck_assert_msg(flags == (unsigned)atoi(t.field[1]), "row %d: %u", t.row, flags);
            ck_assert_mem_eq(dst, src, len);
        } else {
            check_failure(&t, 1, &err);
        }
        free(src);
        free(dst);
    }
}
END_TEST

/* One odd sequence anywhere in text of any short length: no boundary between words matters. */
static void check_planted(size_t len, size_t at, const char *odd, size_t odd_len, unsigned expected)
{
    unsigned char *src = malloc(len);
    char *dst = malloc(len);
    pickle__text_error err = { SIZE_MAX, UNSET };
    unsigned flags;

    for (size_t i = 0; i < len; i++)
        src[i] = (unsigned char)('a' + i % 26);
    memcpy(src + at, odd, odd_len);
    if (expected > 0) {
        ck_assert(pickle__utf8_copy(dst, src, len, &flags, &err));
        ck_assert_uint_eq(flags, expected);
        ck_assert_mem_eq(dst, src, len);
    } else {
        ck_assert(!pickle__utf8_copy(dst, src, len, &flags, &err));
        ck_assert_uint_eq(err.at, at);
    }
    free(src);
    free(dst);
}

START_TEST(test_utf8_everywhere)
{
    for (size_t len = 1; len <= 70; len++) {
        for (size_t at = 0; at < len; at++) {
            check_planted(len, at, "\xff", 1, 0);
            check_planted(len, at, "\x80", 1, 0);
            check_planted(len, at, "\xc3", 1, 0);
            if (len - at >= 2)
                check_planted(len, at, "\xc3\xa9", 2, PICKLE__TEXT_NONASCII);
            if (len - at >= 3)
                check_planted(len, at, "\xed\xb2\x80", 3,
                              PICKLE__TEXT_NONASCII | PICKLE__TEXT_SURROGATES);
            if (len - at >= 4)
                check_planted(len, at, "\xf0\x9f\x98\x80", 4, PICKLE__TEXT_NONASCII);
        }
    }
}
END_TEST

START_TEST(test_utf8_ascii)
{
    for (size_t len = 0; len <= 70; len++) {
        unsigned char *src = malloc(len ? len : 1);
        char *dst = malloc(len ? len : 1);
        pickle__text_error err;
        unsigned flags = 7;

        for (size_t i = 0; i < len; i++)
            src[i] = (unsigned char)(i * 37 % 128);
        ck_assert(pickle__utf8_copy(dst, src, len, &flags, &err));
        ck_assert_uint_eq(flags, 0);
        ck_assert_mem_eq(dst, src, len);
        free(src);
        free(dst);
    }
}
END_TEST

static size_t encode(char *dst, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        dst[i] = (char)(0x80 | (c & 0x3f));
    dst[0] = (char)(lead[n] | c);
    return n;
}

START_TEST(test_utf8_every_character)
{
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char utf8[4], copy[4];
        const char *p = utf8;
        size_t len = encode(utf8, c);
        pickle__text_error err;
        unsigned flags, expected = c >= 0x80 ? PICKLE__TEXT_NONASCII : 0;

        if (c >= 0xd800 && c <= 0xdfff)
            expected |= PICKLE__TEXT_SURROGATES;
        ck_assert(pickle__utf8_copy(copy, (unsigned char *)utf8, len, &flags, &err));
        ck_assert(flags == expected && memcmp(copy, utf8, len) == 0);
        ck_assert(pickle__utf8_next(&p) == c && p == utf8 + len);
    }
}
END_TEST

/* ---------------------------------------------------------------- decoders */

static pickle__encoding encoding_named(const char *name)
{
    return name[0] == 'a' ? PICKLE__ASCII : name[0] == 'u' ? PICKLE__UTF8 : PICKLE__LATIN1;
}

static pickle__on_error on_error_named(const char *name)
{
    return name[0] == 'r'                ? PICKLE__REPLACE
           : strcmp(name, "strict") == 0 ? PICKLE__STRICT
                                         : PICKLE__SURROGATEESCAPE;
}

/* One call of a decoder, with text or only counted. */
static size_t decode_row(const table *t, char *dst, const unsigned char *src, size_t len,
                         unsigned *flags, pickle__text_error *err)
{
    if (t->fields == 3)
        return pickle__decode_raw_unicode_escape(dst, src, len, flags, err);
    return pickle__decode(dst, src, len, encoding_named(t->field[0]), on_error_named(t->field[1]),
                          flags, err);
}

/* The last three fields: source, flags, text. */
static void check_decode(const table *t)
{
    int i = t->fields - 3;
    const char *failure = table_failure(t, i + 2);
    size_t len, size, n;
    unsigned char *src = table_bytes(t, i, &len), *text = table_bytes(t, i + 2, &size);
    char *dst = malloc(size ? size : 1);
    pickle__text_error err = { 0, UNSET };
    unsigned flags, again;

    n = decode_row(t, NULL, src, len, &flags, &err);
    if (failure) {
        ck_assert_msg(n == SIZE_MAX, "%s row %d", t->name, t->row);
        check_failure(t, i + 2, &err);
    } else {
        ck_assert_msg(n == size, "%s row %d: %zu", t->name, t->row, n);
        ck_assert_uint_eq(decode_row(t, dst, src, len, &again, &err), n);
        ck_assert_msg(flags == (unsigned)atoi(t->field[i + 1]), "%s row %d", t->name, t->row);
        ck_assert_uint_eq(again, flags);
        ck_assert_msg(memcmp(dst, text, n) == 0, "%s row %d", t->name, t->row);
    }
    free(dst);
    free(text);
    free(src);
}

START_TEST(test_decode)
{
    table t;

    table_open(&t, "decode.tsv");
    while (table_next(&t))
        check_decode(&t);
}
END_TEST

START_TEST(test_raw_unicode_escape)
{
    table t;

    table_open(&t, "raw_unicode_escape.tsv");
    while (table_next(&t))
        check_decode(&t);
}
END_TEST

START_TEST(test_escapes)
{
    table t;

    table_open(&t, "escapes.tsv");
    while (table_next(&t)) {
        const char *failure = table_failure(&t, 1);
        size_t len, size, n;
        unsigned char *src = table_bytes(&t, 0, &len), *expected = table_bytes(&t, 1, &size);
        unsigned char *dst = malloc(len ? len : 1);
        pickle__text_error err = { 0, UNSET };

        n = pickle__decode_escapes(dst, src, len, &err);
        if (failure) {
            ck_assert_msg(n == SIZE_MAX, "row %d", t.row);
            check_failure(&t, 1, &err);
        } else {
            ck_assert_msg(n == size, "row %d: %zu", t.row, n);
            ck_assert_msg(memcmp(dst, expected, n) == 0, "row %d", t.row);
        }
        free(dst);
        free(expected);
        free(src);
    }
}
END_TEST

START_TEST(test_latin1)
{
    table t;

    table_open(&t, "latin1.tsv");
    while (table_next(&t)) {
        const char *failure = table_failure(&t, 1);
        size_t len, size, n = 0, written = 0;
        unsigned char *text = table_bytes(&t, 0, &len), *expected = table_bytes(&t, 1, &size);
        unsigned char *dst = malloc(size ? size : 1);
        bool ok = pickle__encode_latin1(NULL, (char *)text, len, &n);

        ck_assert_msg(ok == !failure, "row %d", t.row);
        if (ok) {
            ck_assert_uint_eq(n, size);
            ck_assert(pickle__encode_latin1(dst, (char *)text, len, &written));
            ck_assert_uint_eq(written, size);
            ck_assert_msg(memcmp(dst, expected, size) == 0, "row %d", t.row);
        }
        free(dst);
        free(expected);
        free(text);
    }
}
END_TEST

/* -------------------------------------------------------------------- repr */

static bool repr(bool is_str, const unsigned char *data, size_t len, pickle_sink out)
{
    return is_str ? pickle__repr_str((const char *)data, len, out)
                  : pickle__repr_bytes(data, len, out);
}

START_TEST(test_repr)
{
    table t;

    table_open(&t, "repr.tsv");
    while (table_next(&t)) {
        bool is_str = strcmp(t.field[0], "str") == 0;
        size_t len, size;
        unsigned char *value = table_bytes(&t, 1, &len), *expected = table_bytes(&t, 2, &size);
        pickle_buf buf = { 0 };

        ck_assert(repr(is_str, value, len, pickle_sink_buf(&buf)));
        ck_assert_msg(buf.len == size, "row %d", t.row);
        ck_assert_msg(memcmp(buf.data, expected, size) == 0, "row %d", t.row);
        pickle_buf_free(&buf);
        free(expected);
        free(value);
    }
}
END_TEST

/* A sink that takes only so many writes. */
static bool write_few(void *ctx, const void *data, size_t len)
{
    int *left = ctx;

    (void)data;
    (void)len;
    return (*left)-- > 0;
}

START_TEST(test_repr_stops)
{
    static const unsigned char text[] = "ab\n\tcd'\\";

    for (int is_str = 0; is_str <= 1; is_str++) {
        int writes = 0;

        for (;; writes++) {
            int left = writes;

            if (repr(is_str, text, sizeof text - 1, (pickle_sink){ write_few, &left }))
                break;
            ck_assert_int_eq(left, -1);
        }
        ck_assert_int_gt(writes, 5);
    }
}
END_TEST

static uint32_t crc32_bits(uint32_t crc, unsigned byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    return crc;
}

START_TEST(test_printable)
{
    table t;

    table_open(&t, "printable.tsv");
    while (table_next(&t)) {
        uint32_t crc = UINT32_MAX, c = (uint32_t)atoi(t.field[0]) << 16;

        for (uint32_t end = c + 0x10000; c < end;) {
            unsigned byte = 0;

            for (int bit = 0; bit < 8; bit++)
                byte |= (unsigned)pickle__is_printable(c++) << bit;
            crc = crc32_bits(crc, byte);
        }
        ck_assert_msg(~crc == strtoul(t.field[1], NULL, 16), "plane %s", t.field[0]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("text");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_utf8_copy);
    tcase_add_test(tc, test_utf8_everywhere);
    tcase_add_test(tc, test_utf8_ascii);
    tcase_add_test(tc, test_utf8_every_character);
    tcase_add_test(tc, test_decode);
    tcase_add_test(tc, test_raw_unicode_escape);
    tcase_add_test(tc, test_escapes);
    tcase_add_test(tc, test_latin1);
    tcase_add_test(tc, test_repr);
    tcase_add_test(tc, test_repr_stops);
    tcase_add_test(tc, test_printable);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
