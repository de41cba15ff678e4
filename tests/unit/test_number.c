/* test_number.c - numbers from and to text, against what CPython made of them. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>

#include "base/number.h"
#include "testmem.h"
#include "table.h"

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ------------------------------------------------------------------- float */

static void check_float_repr(void)
{
    table t;

    table_open(&t, "float_repr.tsv");
    while (table_next(&t)) {
        char text[PICKLE__FLOAT_CHARS];
        uint64_t bits = table_bits(&t, 0);
        double x, back;
        bool overflow;
        size_t len;

        memcpy(&x, &bits, sizeof x);
        len = pickle__float_repr(text, x);
        ck_assert_msg(strcmp(text, t.field[1]) == 0, "%s: %s", t.field[1], text);
        ck_assert_uint_eq(len, strlen(text));
        ck_assert(pickle__float_parse((unsigned char *)text, len, &back, &overflow));
        ck_assert_msg(bits_of(back) == bits, "%s reads back as %a", text, back);
    }
}

static void check_float_parse(void)
{
    table t;

    table_open(&t, "float_parse.tsv");
    while (table_next(&t)) {
        const char *failure = table_failure(&t, 1);
        size_t len;
        unsigned char *text = table_bytes(&t, 0, &len);
        bool overflow, ok;
        double x;

        ok = pickle__float_parse(text, len, &x, &overflow);
        ck_assert_msg(ok == !failure, "%s", t.field[0]);
        ck_assert_msg(overflow == (failure && strcmp(failure, "overflow") == 0), "%s", t.field[0]);
        ck_assert_msg(!ok || bits_of(x) == table_bits(&t, 1), "%s: %a", t.field[0], x);
        free(text);
    }
}

START_TEST(test_float_repr)
{
    check_float_repr();
}
END_TEST

START_TEST(test_float_parse)
{
    check_float_parse();
}
END_TEST

/* Where the radix character is a comma and digits are grouped, nothing changes. */
START_TEST(test_locale)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (setlocale(LC_ALL, names[i])) {
            check_float_repr();
            check_float_parse();
        }
    }
    setlocale(LC_ALL, "C");
}
END_TEST

/* ----------------------------------------------------------------- integer */

static void check_int(const pickle__int *n, const unsigned char *bytes, size_t len, int row)
{
    unsigned char small[8];

    if (n->fits) {
        ck_assert_ptr_null(n->bytes);
        ck_assert_msg(pickle__i64_bytes(small, n->small) == len, "row %d", row);
        ck_assert_mem_eq(small, bytes, len);
    } else {
        ck_assert_msg(n->len == len && len > 8, "row %d: %zu bytes", row, n->len);
        ck_assert_mem_eq(n->bytes, bytes, len);
    }
}

START_TEST(test_int_parse)
{
    table t;

    table_open(&t, "int_parse.tsv");
    while (table_next(&t)) {
        const char *failure = table_failure(&t, 2);
        size_t len, size;
        unsigned char *text = table_bytes(&t, 1, &len), *bytes = table_hex(&t, 2, &size);
        pickle_status status;
        pickle__int n;
        memory m;

        memory_init(&m, 0);
        status = pickle__int_parse(text, len, atoi(t.field[0]), UINT64_MAX, &m.alloc, &n);
        ck_assert_msg(status == (failure ? PICKLE_ERR_OPERAND : PICKLE_OK), "row %d", t.row);
        if (status == PICKLE_OK)
            check_int(&n, bytes, size, t.row);
        pickle__free(&m.alloc, n.bytes, n.size);
        ck_assert_uint_eq(m.in_use, 0);
        free(bytes);
        free(text);
    }
}
END_TEST

static pickle_status parse_status(const char *text, int base, uint64_t most)
{
    pickle__int n;
    pickle_status status =
        pickle__int_parse((const unsigned char *)text, strlen(text), base, most, NULL, &n);

    pickle__free(NULL, n.bytes, n.size);
    return status;
}

/* CPython counts zeros in front, but neither underscores nor sign, and limits decimal digits only.
 */
START_TEST(test_int_limit)
{
    ck_assert_int_eq(parse_status("123456", 10, 6), PICKLE_OK);
    ck_assert_int_eq(parse_status("123456", 10, 5), PICKLE_ERR_LIMIT);
    ck_assert_int_eq(parse_status("-123456", 0, 5), PICKLE_ERR_LIMIT);
    ck_assert_int_eq(parse_status(" -12_34_56 ", 10, 6), PICKLE_OK);
    ck_assert_int_eq(parse_status("000001", 10, 5), PICKLE_ERR_LIMIT);
    ck_assert_int_eq(parse_status("0x123456", 0, 5), PICKLE_OK);
    ck_assert_int_eq(parse_status("0b111111", 0, 5), PICKLE_OK);
    ck_assert_int_eq(parse_status("12345x", 10, 5), PICKLE_ERR_OPERAND);
}
END_TEST

START_TEST(test_int_no_memory)
{
    char text[1500];
    memory m;

    memset(text, '7', sizeof text);
    for (size_t fail_at = 1;; fail_at++) {
        pickle_status status;
        pickle__int n;

        memory_init(&m, fail_at);
        status =
            pickle__int_parse((unsigned char *)text, sizeof text, 10, UINT64_MAX, &m.alloc, &n);
        pickle__free(&m.alloc, n.bytes, n.size);
        ck_assert_uint_eq(m.in_use, 0);
        if (status == PICKLE_OK)
            break;
        ck_assert_int_eq(status, PICKLE_ERR_NOMEM);
    }
    ck_assert_uint_gt(m.calls, 1);
}
END_TEST

START_TEST(test_strtol)
{
    table t;

    table_open(&t, "strtol.tsv");
    while (table_next(&t)) {
        size_t len, used;
        unsigned char *text = table_bytes(&t, 1, &len);
        int64_t value;
        bool overflow;

        used = pickle__strtol(text, len, atoi(t.field[0]), &value, &overflow);

        ck_assert_msg(value == strtoll(t.field[2], NULL, 10), "row %d", t.row);
        ck_assert_msg(used == (size_t)atoi(t.field[3]), "row %d", t.row);
        ck_assert_msg(overflow == atoi(t.field[4]), "row %d", t.row);
        free(text);
    }
}
END_TEST

static void check_repr(const unsigned char *bytes, size_t len, const char *expected, int row)
{
    memory m;
    pickle_buf text = { .alloc = &m.alloc };

    memory_init(&m, 0);
    ck_assert(pickle__int_repr(bytes, len, pickle_sink_buf(&text), &m.alloc));
    ck_assert_msg(text.len == strlen(expected) && memcmp(text.data, expected, text.len) == 0,
                  "row %d: %.*s", row, (int)text.len, (char *)text.data);
    pickle_buf_free(&text);
    ck_assert_uint_eq(m.in_use, 0);
}

static void check_double(const unsigned char *bytes, size_t len, const table *t)
{
    double x;
    bool ok = pickle__int_to_double(bytes, len, &x);

    ck_assert_msg(ok == !table_failure(t, 2), "row %d", t->row);
    ck_assert_msg(!ok || bits_of(x) == table_bits(t, 2), "row %d: %a", t->row, x);
}

/* The same number with more sign bytes than it needs, as LONG1 may have it. */
static unsigned char *padded(const unsigned char *bytes, size_t len, size_t more)
{
    unsigned char *copy = malloc(len + more);

    memcpy(copy, bytes, len);
    memset(copy + len, len > 0 && bytes[len - 1] >= 0x80 ? 0xff : 0, more);
    return copy;
}

START_TEST(test_integers)
{
    table t;

    table_open(&t, "integers.tsv");
    while (table_next(&t)) {
        size_t len;
        unsigned char *minimal = table_hex(&t, 0, &len);

        for (size_t more = 0; more < 10; more++) {
            unsigned char *bytes = padded(minimal, len, more);

            ck_assert_msg(pickle__int_trim(bytes, len + more) == len, "row %d", t.row);
            check_repr(bytes, len + more, t.field[1], t.row);
            check_double(bytes, len + more, &t);
            free(bytes);
        }
        free(minimal);
    }
}
END_TEST

START_TEST(test_i64)
{
    table t;

    table_open(&t, "integers.tsv");
    while (table_next(&t)) {
        size_t len;
        unsigned char small[8], *bytes = table_hex(&t, 0, &len);
        char text[PICKLE__INT_CHARS];
        long long n = strtoll(t.field[1], NULL, 10);

        if (len <= 8) {
            ck_assert_uint_eq(pickle__i64_repr(text, n), strlen(t.field[1]));
            ck_assert_str_eq(text, t.field[1]);
            ck_assert_uint_eq(pickle__i64_bytes(small, n), len);
            ck_assert_mem_eq(small, bytes, len);
        }
        free(bytes);
    }
}
END_TEST

START_TEST(test_int_repr_fails)
{
    static const unsigned char big[40] = { [39] = 1 };
    memory m;
    pickle_buf text = { .alloc = &m.alloc };

    for (size_t fail_at = 1; fail_at <= 2; fail_at++) {
        memory_init(&m, fail_at);
        ck_assert(!pickle__int_repr(big, sizeof big, pickle_sink_buf(&text), &m.alloc));
        ck_assert_uint_eq(m.in_use, 0);
    }
}
END_TEST

/* 10^n - 1 for sizes around every split of the divide and conquer: its repr is all nines. */
START_TEST(test_all_nines)
{
    enum { MOST = 2600 };
    char text[MOST + 1];

    memset(text, '9', MOST);
    for (size_t len = 1; len <= MOST; len += len < 40 ? 1 : 13) {
        pickle__int n;

        text[len] = '\0';
        ck_assert_int_eq(pickle__int_parse((unsigned char *)text, len, 10, UINT64_MAX, NULL, &n),
                         PICKLE_OK);
        if (!n.fits)
            check_repr(n.bytes, n.len, text, (int)len);
        pickle__free(NULL, n.bytes, n.size);
        text[len] = '9';
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("number");
    TCase *tc = tcase_create("number");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_float_repr);
    tcase_add_test(tc, test_float_parse);
    tcase_add_test(tc, test_locale);
    tcase_add_test(tc, test_int_parse);
    tcase_add_test(tc, test_int_limit);
    tcase_add_test(tc, test_int_no_memory);
    tcase_add_test(tc, test_strtol);
    tcase_add_test(tc, test_integers);
    tcase_add_test(tc, test_i64);
    tcase_add_test(tc, test_int_repr_fails);
    tcase_add_test(tc, test_all_nines);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
