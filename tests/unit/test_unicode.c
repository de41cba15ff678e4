/* test_unicode.c - characters, against what Python makes of them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/archive.h"
#include "sklearn/unicode.h"
#include "table.h"

#define BLOCK 4096u

static size_t utf8(uint32_t c, char *to)
{
    static const unsigned char marks[] = { 0, 0xc0, 0xe0, 0xf0 };
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 63));
    to[0] = (char)(marks[n - 1] | c);
    return n;
}

/* The lower case between A, a capital sigma and B, behind its length. */
static size_t put_lower(const char *ch, size_t n, unsigned char *to)
{
    char text[16] = "A", lower[32];
    size_t len = 1;

    memcpy(text + len, ch, n);
    len += n;
    memcpy(text + len, "\xce\xa3", 2);
    len += 2;
    memcpy(text + len, ch, n);
    len += n;
    text[len++] = 'B';
    if (pickle__lower_room(len) > sizeof lower) /* asserts take time, a million times */
        ck_abort();
    len = pickle__lower(text, len, lower);
    to[0] = (unsigned char)len;
    memcpy(to + 1, lower, len);
    return len + 1;
}

/* What make_unicode.py has of a character: its bytes in `to`, and how many. */
static size_t facts(uint32_t c, unsigned char to[256])
{
    static const pickle__accents ways[] = { PICKLE__ACCENTS_ASCII, PICKLE__ACCENTS_UNICODE,
                                            PICKLE__ACCENTS_UNICODE_OLD };
    char ch[4];
    size_t n = utf8(c, ch), len = 1;

    to[0] = (unsigned char)pickle__char_kind(c);
    len += put_lower(ch, n, to + len);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        size_t size = pickle__strip_accents(ways[i], ch, n, NULL);

        if (len + 1 + size > 256)
            ck_abort();
        to[len++] = (unsigned char)size;
        if (pickle__strip_accents(ways[i], ch, n, (char *)to + len) != size)
            ck_abort();
        len += size;
    }
    return len;
}

START_TEST(test_characters)
{
    uint32_t next = 0;
    table t;

    table_open(&t, "unicode.tsv");
    while (table_next(&t)) {
        uint32_t first = (uint32_t)strtoul(t.field[0], NULL, 16), crc = 0;

        ck_assert_uint_eq(first, next);
        for (next = first; next < first + BLOCK; next++) {
            unsigned char found[256];

            crc = pickle__crc32(crc, found, facts(next, found));
        }
        ck_assert_msg(crc == strtoul(t.field[1], NULL, 16), "from U+%04X", (unsigned)first);
    }
    ck_assert_uint_eq(next, 0x110000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unicode");
    TCase *tc = tcase_create("unicode");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_characters);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
