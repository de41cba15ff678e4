/* test_parser.c - the table of opcodes, the pull parser in chunks of all sizes, pickle_skip. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

#include <pickle/opcode.h>

#define BYTES(literal) (const unsigned char *)(literal), sizeof(literal) - 1

/* ------------------------------------------------------------------- table */

START_TEST(table_of_opcodes)
{
    int count = 0;

    for (int code = 0; code < 256; code++) {
        const pickle_op_info *info = pickle_op_info_of((uint8_t)code);

        count += info != NULL;
        ck_assert(!info || (info->code == code && info->proto <= 5));
    }
    ck_assert_int_eq(count, 68);
    ck_assert_str_eq(pickle_op_info_of(0x8c)->name, "SHORT_BINUNICODE");
    ck_assert_uint_eq(pickle_op_info_of('.')->operand, PICKLE_ARG_NONE);
    ck_assert_str_eq(pickle_op_info_of('o')->before, "mark any stackslice");
}
END_TEST

/* ------------------------------------------------------------------ events */

static pickle_event one(pickle_parser *p)
{
    pickle_event ev;

    ck_assert_int_eq(pickle_parser_next(p, &ev), PICKLE_OK);
    ck_assert(ev.first && ev.last);
    return ev;
}

static pickle_event parse_one(const void *data, size_t size)
{
    pickle_parser p;
    pickle_event ev;

    pickle_parser_init(&p, data, size);
    ev = one(&p);
    ck_assert_uint_eq(ev.op->code, *(const unsigned char *)data);
    ck_assert_uint_eq(ev.offset, 0);
    ck_assert_uint_eq(ev.size, size);
    return ev;
}

START_TEST(numbers)
{
    ck_assert_int_eq(parse_one(BYTES("K\xff")).num, 255);
    ck_assert_int_eq(parse_one(BYTES("M\xff\x01")).num, 511);
    ck_assert_int_eq(parse_one(BYTES("J\xfe\xff\xff\xff")).num, -2);
    ck_assert_int_eq(parse_one(BYTES("j\xfe\xff\xff\xff")).num, 0xfffffffe);
    ck_assert_int_eq(parse_one(BYTES("\x84\xff\xff\xff\xff")).num, -1);
    ck_assert_int_eq(parse_one(BYTES("\x95\x01\x02\0\0\0\0\0\0")).num, 513);
    ck_assert_int_eq(parse_one(BYTES("\x95\xff\xff\xff\xff\xff\xff\xff\xff")).num, -1);
    ck_assert_double_eq(parse_one(BYTES("G\x3f\xf8\0\0\0\0\0\0")).real, 1.5);
}
END_TEST

static void check_data(const void *data, size_t size, const char *expected, uint64_t total)
{
    pickle_event ev = parse_one(data, size);

    ck_assert_uint_eq(ev.len, strlen(expected));
    ck_assert_mem_eq(ev.data, expected, ev.len);
    ck_assert_uint_eq(ev.total, total);
}

START_TEST(bytes_and_text)
{
    check_data(BYTES("C\x03"
                     "abc"),
               "abc", 3);
    check_data(BYTES("B\x03\0\0\0abc"), "abc", 3);
    check_data(BYTES("\x8e\x03\0\0\0\0\0\0\0abc"), "abc", 3);
    check_data(BYTES("T\0\0\0\0"), "", 0);
    check_data(BYTES("I12\n"), "12", 0);
    check_data(BYTES("V\n"), "", 0);
    check_data(BYTES("S'a\\n'\n"), "'a\\n'", 0);
    check_data(BYTES("cos\npath\n"), "os\npath", 0);
    check_data(BYTES("i\n\n"), "\n", 0);
}
END_TEST

START_TEST(several_pickles)
{
    pickle_parser p;
    pickle_event ev;

    pickle_parser_init(&p, BYTES("N.K\x01."));
    ck_assert_uint_eq(one(&p).op->code, 'N');
    ck_assert_uint_eq(one(&p).op->code, '.');
    ck_assert_int_eq(pickle_parser_next(&p, &ev), PICKLE_END);
    ev = one(&p);
    ck_assert_uint_eq(ev.offset, 2);
    ck_assert_int_eq(ev.num, 1);
    ck_assert_uint_eq(one(&p).offset, 4);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pickle_parser_next(&p, &ev), PICKLE_END);
    ck_assert_ptr_null(pickle_parser_error(&p));
}
END_TEST

START_TEST(payloads_between_opcodes)
{
    pickle_parser p;
    pickle_event ev;
    size_t len;

    pickle_parser_start(&p);
    ck_assert_int_eq(pickle_parser_next(&p, &ev), PICKLE_MORE);
    pickle_parser_feed(&p, BYTES("bPAY"), false);
    one(&p);
    ck_assert_mem_eq(pickle_parser_rest(&p, &len), "PAY", 3);
    ck_assert_uint_eq(len, 3);
    ck_assert_uint_eq(pickle_parser_skip(&p, 7), 3);
    pickle_parser_feed(&p, BYTES("LOADK"), false);
    ck_assert_uint_eq(pickle_parser_skip(&p, 4), 4);
    ck_assert_int_eq(pickle_parser_next(&p, &ev), PICKLE_MORE);
    ck_assert_ptr_null(pickle_parser_rest(&p, &len));
    ck_assert_uint_eq(pickle_parser_skip(&p, 1), 0);
    pickle_parser_feed(&p, BYTES("\x05."), true);
    ev = one(&p);
    ck_assert_uint_eq(ev.offset, 8);
    ck_assert_int_eq(ev.num, 5);
    one(&p);
    ck_assert_ptr_null(pickle_parser_rest(&p, &len));
    ck_assert_uint_eq(len, 0);
}
END_TEST

/* The next piece of an operand, and what came with it. */
static pickle_event piece(pickle_parser *p, const void *chunk, size_t size, bool final)
{
    pickle_event ev;

    ck_assert_int_eq(pickle_parser_next(p, &ev), PICKLE_MORE);
    pickle_parser_feed(p, chunk, size, final);
    ck_assert_int_eq(pickle_parser_next(p, &ev), PICKLE_OK);
    return ev;
}

START_TEST(pieces)
{
    pickle_parser p;
    pickle_event ev;

    pickle_parser_start(&p);
    ck_assert_int_eq(pickle_parser_next(&p, &ev), PICKLE_MORE);
    pickle_parser_feed(&p, BYTES("U\x05"), false);
    ev = piece(&p, BYTES("abc"), false);
    ck_assert(ev.first && !ev.last && ev.total == 5 && ev.len == 3 && ev.size == 5);
    ev = piece(&p, BYTES("dec"), false);
    ck_assert(!ev.first && ev.last && ev.total == 5 && ev.len == 2 && ev.size == 7);
    ck_assert(ev.offset == 0 && memcmp(ev.data, "de", 2) == 0);
    ev = piece(&p, BYTES("os\n"), false);
    ck_assert(ev.first && !ev.last && ev.len == 3 && ev.size == 4 && ev.offset == 7);
    ev = piece(&p, BYTES("path"), false);
    ck_assert(!ev.first && !ev.last && ev.len == 4);
    ev = piece(&p, BYTES("\n."), true);
    ck_assert(!ev.first && ev.last && ev.len == 0 && ev.size == 9 && ev.op->code == 'c');
    ck_assert_uint_eq(one(&p).offset, 16);
}
END_TEST

/* ------------------------------------------------------------------ errors */

static const struct failure {
    const unsigned char *data;
    size_t size;
    pickle_status code;
    uint64_t offset;
    uint8_t opcode;
} failures[] = {
    { BYTES(""), PICKLE_ERR_TRUNCATED, 0, 0 },
    { BYTES("N"), PICKLE_ERR_TRUNCATED, 1, 0 },
    { BYTES("NK"), PICKLE_ERR_TRUNCATED, 1, 'K' },
    { BYTES("NJ\0\0\0"), PICKLE_ERR_TRUNCATED, 1, 'J' },
    { BYTES("NNNNNNNNNNNNJ\0\0\0"), PICKLE_ERR_TRUNCATED, 12, 'J' },
    { BYTES("NC\x04"
            "abc"),
      PICKLE_ERR_TRUNCATED, 1, 'C' },
    { BYTES("C\x0e"
            "abcdefghijklm"),
      PICKLE_ERR_TRUNCATED, 0, 'C' },
    { BYTES("\x8e\x04\0\0\0\0\0\0\0abc"), PICKLE_ERR_TRUNCATED, 0, 0x8e },
    { BYTES("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.........."), PICKLE_ERR_TRUNCATED, 0, 0x8e },
    { BYTES("NI12"), PICKLE_ERR_TRUNCATED, 1, 'I' },
    { BYTES("Ncos\n"), PICKLE_ERR_TRUNCATED, 1, 'c' },
    { BYTES("Ncos\npath"), PICKLE_ERR_TRUNCATED, 1, 'c' },
    { BYTES("N\xff."), PICKLE_ERR_OPCODE, 1, 0xff },
    { BYTES("N\0.........."), PICKLE_ERR_OPCODE, 1, 0 },
    { BYTES("NT\xff\xff\xff\xff"), PICKLE_ERR_OPERAND, 1, 'T' },
    { BYTES("\x8b\0\0\0\x80.........."), PICKLE_ERR_OPERAND, 0, 0x8b },
    { BYTES("N\x8d\0\0\0\0\0\0\0\x80"), PICKLE_ERR_OPERAND, 1, 0x8d },
    { BYTES("\x96\xff\xff\xff\xff\xff\xff\xff\xff.........."), PICKLE_ERR_OPERAND, 0, 0x96 },
};

static void check_failure(const struct failure *f, size_t chunk)
{
    pickle_parser p;
    pickle_event ev;
    pickle_status status;
    size_t fed = chunk;

    pickle_parser_start(&p);
    pickle_parser_feed(&p, f->data, chunk, chunk == f->size);
    while ((status = pickle_parser_next(&p, &ev)) == PICKLE_OK || status == PICKLE_MORE) {
        if (status == PICKLE_MORE) {
            size_t n = chunk < f->size - fed ? chunk : f->size - fed;

            pickle_parser_feed(&p, f->data + fed, n, n == 0);
            fed += n;
        }
    }
    ck_assert_int_eq(status, f->code);
    ck_assert_int_eq(pickle_parser_next(&p, &ev), f->code);
    ck_assert_int_eq(pickle_parser_error(&p)->code, f->code);
    ck_assert_uint_eq(pickle_parser_error(&p)->offset, f->offset);
    ck_assert_uint_eq(pickle_parser_error(&p)->opcode, f->opcode);
    ck_assert_uint_gt(strlen(pickle_parser_error(&p)->message), 0);
}

START_TEST(errors)
{
    const struct failure *f = &failures[_i];
    pickle_error err;
    size_t len = 77;

    for (size_t chunk = f->size ? 1 : 0; chunk <= f->size; chunk++)
        check_failure(f, chunk);
    ck_assert_int_eq(pickle_skip(f->data, f->size, &len, &err), f->code);
    ck_assert_uint_eq(err.offset, f->offset);
    ck_assert_uint_eq(err.opcode, f->opcode);
    ck_assert_uint_eq(len, 77);
}
END_TEST

/* ------------------------------------------------------------------ chunks */

/* How the input is cut: into chunks of `size`, or of random sizes below 2 * `size`. */
typedef struct cutter {
    const unsigned char *data;
    size_t left, size;
    bool random;
    unsigned state;
    unsigned char *chunk; /* in a block of its own, so that sanitizers see a read too far */
} cutter;

static void feed(cutter *c, pickle_parser *p)
{
    size_t n = c->size;

    if (c->random) {
        c->state = c->state * 1664525 + 1013904223;
        n = (c->state >> 8) % (2 * c->size);
    }
    if (n > c->left)
        n = c->left;
    free(c->chunk);
    c->chunk = malloc(n);
    if (n > 0)
        memcpy(c->chunk, c->data, n);
    c->data += n;
    c->left -= n;
    pickle_parser_feed(p, c->chunk, n, c->left == 0);
}

/* Put the pieces of an operand together; returns what next() returned for the last. */
static pickle_status merged(pickle_parser *p, cutter *c, pickle_event *ev, pickle_buf *text)
{
    pickle_status status;

    text->len = 0;
    do {
        status = pickle_parser_next(p, ev);
        if (status == PICKLE_MORE) {
            feed(c, p);
            continue;
        }
        if (status != PICKLE_OK)
            break;
        if (ev->first != (text->len == 0) || (ev->len == 0 && !ev->last))
            ck_abort_msg("a piece at offset %u is not what it says", (unsigned)ev->offset);
        text->data = realloc(text->data, text->len + ev->len + 1);
        if (ev->len > 0)
            memcpy(text->data + text->len, ev->data, ev->len);
        text->len += ev->len;
    } while (status == PICKLE_MORE || !ev->last);
    return status;
}

static bool same(const pickle_event *a, const pickle_event *b, const pickle_buf *text)
{
    return a->op == b->op && a->offset == b->offset && a->size == b->size && a->num == b->num &&
           memcmp(&a->real, &b->real, sizeof a->real) == 0 && a->total == b->total &&
           a->len == text->len && (a->len == 0 || memcmp(a->data, text->data, a->len) == 0);
}

/* One chunk and many give the same events, the same error, and the same length to pickle_skip. */
static void check_chunks(const unsigned char *data, size_t size, size_t chunk, bool random)
{
    cutter c = { data, size, chunk, random, (unsigned)size, NULL };
    pickle_parser whole, cut;
    pickle_event expected = { 0 }, ev;
    pickle_buf text = { 0 };
    pickle_status status, before = PICKLE_OK;

    pickle_parser_init(&whole, data, size);
    pickle_parser_start(&cut);
    do {
        status = pickle_parser_next(&whole, &expected);
        if (merged(&cut, &c, &ev, &text) != status ||
            (status == PICKLE_OK && !same(&expected, &ev, &text)))
            ck_abort_msg("chunks of %zu: not the same at offset %u", chunk,
                         (unsigned)expected.offset);
        if (status == PICKLE_END && before == PICKLE_END)
            break;
        before = status;
    } while (status == PICKLE_OK || status == PICKLE_END);
    if (status != PICKLE_END)
        ck_assert_mem_eq(pickle_parser_error(&cut), pickle_parser_error(&whole),
                         offsetof(pickle_error, message));
    free(text.data);
    free(c.chunk);
}

static void check_skip(const unsigned char *data, size_t size)
{
    pickle_parser p;
    pickle_event ev = { 0 };
    pickle_status status;
    size_t len = 0;

    pickle_parser_init(&p, data, size);
    while ((status = pickle_parser_next(&p, &ev)) == PICKLE_OK)
        len = (size_t)(ev.offset + ev.size);
    if (status == PICKLE_END) {
        size_t skipped = 0;

        ck_assert_int_eq(pickle_skip(data, size, &skipped, NULL), PICKLE_OK);
        ck_assert_uint_eq(skipped, len);
    } else {
        pickle_error err;

        ck_assert_int_eq(pickle_skip(data, size, &len, &err), status);
        ck_assert_mem_eq(&err, pickle_parser_error(&p), offsetof(pickle_error, message));
    }
}

/* Every split of an operand's head; long inputs in fewer pieces, as what matters is their count. */
static bool check_input(void *ctx, const char *path, unsigned char *data, size_t size)
{
    size_t *count = ctx, more = size / 1000;

    (void)path;
    for (size_t chunk = 1; chunk <= 11; chunk += size < 1000 ? 1 : 5)
        check_chunks(data, size, chunk + more, false);
    for (size_t chunk = 1; chunk <= 64; chunk *= 8)
        check_chunks(data, size, chunk + more, true);
    check_skip(data, size);
    ++*count;
    return true;
}

START_TEST(each_opcode_in_chunks)
{
    static const char all[] =
        "\x80\x05\x95\x01\0\0\0\0\0\0\0((((NK\x01M\x01\x02J\x01\x02\x03\xffI01\nI-5\nL7L\nF1.5\n"
        "\x88\x89\x8a\x03"
        "abc\x8b\x02\0\0\0abG\1\2\3\4\5\6\7\x08S'q'\nU\x02okT\x01\0\0\0xVu\\u1234\n"
        "X\x02\0\0\0hi\x8c\x02hi\x8d\x02\0\0\0\0\0\0\0hiC\x01"
        "aB\x01\0\0\0a\x8e\x01\0\0\0\0\0\0\0a\x96\x02\0\0\0\0\0\0\0ba"
        "Pid\nQcmodule\nname\nimodule\nname\n\x93oR\x81\x92"
        "bp1\nq\x02r\x03\0\0\0\x94g1\nh\x02j\x03\0\0\0\x82\1\x83\1\2\x84\1\2\3\4"
        "]le}du\x8f\x90\x91)t\x85\x86\x87"
        "as012\x97\x98.";
    unsigned char copy[sizeof all - 1];
    size_t count = 0;

    memcpy(copy, all, sizeof copy);
    for (size_t size = 0; size <= sizeof copy; size++)
        check_input(&count, "", copy, size);
}
END_TEST

START_TEST(vectors_in_chunks)
{
    static const char *const folders[] = { "semantics", "emit", "joblib-1.2" };
    size_t count = 0;
    char path[4096];

    snprintf(path, sizeof path, "%s/vectors/%s", files_folder(), folders[_i]);
    files_each(path, check_input, &count);
    ck_assert_uint_gt(count, 100);
}
END_TEST

/* --------------------------------------------------------------- decoding */

typedef bool decoder(const pickle_event *ev, pickle_buf *out, pickle_error *err);

static void decodes_to(decoder *decode, const void *data, size_t size, const void *want, size_t len)
{
    pickle_event ev = parse_one(data, size);
    pickle_buf out = { 0 };
    pickle_error err;

    ck_assert_msg(decode(&ev, &out, &err), "%s", err.message);
    ck_assert_uint_eq(out.len, len);
    ck_assert_mem_eq(out.data, want, len);
    pickle_buf_free(&out);
}

static void fails_with(decoder *decode, const void *data, size_t size, pickle_status code)
{
    pickle_event ev = parse_one(data, size);
    pickle_buf out = { 0 };
    pickle_error err;

    ck_assert(!decode(&ev, &out, &err));
    ck_assert_int_eq(err.code, code);
    ck_assert_uint_eq(err.opcode, ev.op->code);
    pickle_buf_free(&out);
}

/* Expected: codecs.escape_decode, the raw-unicode-escape codec, and int.to_bytes of CPython. */
START_TEST(decoded_operands)
{
    decodes_to(pickle_decode_text, BYTES("S'a\\x41\\n\\q'\n"), BYTES("aA\n\\q"));
    decodes_to(pickle_decode_text, BYTES("Ve\\u20ac\\n\n"), BYTES("e\xe2\x82\xac\\n"));
    decodes_to(pickle_decode_text, BYTES("X\x02\0\0\0ab"), BYTES("ab"));
    decodes_to(pickle_decode_text, BYTES("cos\nsystem\n"), BYTES("os\nsystem"));
    decodes_to(pickle_decode_int, BYTES("M\x80\0"), BYTES("\x80\0"));
    decodes_to(pickle_decode_int, BYTES("J\x7f\xff\xff\xff"), BYTES("\x7f\xff"));
    decodes_to(pickle_decode_int, BYTES("\x8a\x02\xff\xff"), BYTES("\xff"));
    decodes_to(pickle_decode_int, BYTES("I010\n"), BYTES("\x08"));
    decodes_to(pickle_decode_int, BYTES("g010\n"), BYTES("\x0a"));
    decodes_to(pickle_decode_int, BYTES("L18446744073709551616L\n"), BYTES("\0\0\0\0\0\0\0\0\x01"));
    fails_with(pickle_decode_text, BYTES("Sab\n"), PICKLE_ERR_OPERAND);
    fails_with(pickle_decode_text, BYTES("V\\u12\n"), PICKLE_ERR_OPERAND);
    fails_with(pickle_decode_text, BYTES("K\x01"), PICKLE_ERR_TYPE);
    fails_with(pickle_decode_int, BYTES("I1.5\n"), PICKLE_ERR_OPERAND);
    fails_with(pickle_decode_int, BYTES("G\0\0\0\0\0\0\0\0"), PICKLE_ERR_TYPE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parser");
    TCase *tc = tcase_create("parser");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, table_of_opcodes);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, bytes_and_text);
    tcase_add_test(tc, several_pickles);
    tcase_add_test(tc, payloads_between_opcodes);
    tcase_add_test(tc, pieces);
    tcase_add_loop_test(tc, errors, 0, sizeof failures / sizeof *failures);
    tcase_add_test(tc, each_opcode_in_chunks);
    tcase_add_test(tc, decoded_operands);
    tcase_add_loop_test(tc, vectors_in_chunks, 0, 3);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
