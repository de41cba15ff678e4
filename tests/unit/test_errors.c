/*
 * test_errors.c - what is refused, and where: each error has its code, the offset and
 * the byte of the opcode that failed, and one printable line. What CPython 3.13 reads
 * from bytes without complaint is not in these tables.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "testmem.h"

/* ------------------------------------------------------------------- helpers */

typedef struct bad {
    const char *data;
    size_t len;
    pickle_status code;
    uint64_t offset;
    int opcode;
} bad;

#define BAD(text, code, offset, opcode)                           \
    {                                                             \
        text, sizeof(text) - 1, PICKLE_ERR_##code, offset, opcode \
    }
#define ZEROS4 "\0\0\0\0"
#define ZEROS8 ZEROS4 ZEROS4

static void check_line(const pickle_error *err)
{
    size_t len = strlen(err->message);

    ck_assert_uint_gt(len, 0);
    ck_assert_uint_lt(len, sizeof err->message);
    for (size_t i = 0; i < len; i++)
        ck_assert_msg(err->message[i] >= ' ' && err->message[i] <= '~', "byte %d of \"%s\"", (int)i,
                      err->message);
}

static void check_error(const pickle_error *err, int row, pickle_status code, uint64_t offset,
                        int opcode)
{
    ck_assert_msg(err->code == code && err->offset == offset && err->opcode == opcode,
                  "row %d: want %s, offset %d, opcode 0x%02x; got %s, offset %d, opcode 0x%02x: %s",
                  row, pickle_status_name(code), (int)offset, opcode, pickle_status_name(err->code),
                  (int)err->offset, err->opcode, err->message);
    ck_assert_int_eq(err->sys, 0);
    check_line(err);
}

static void check_rows(const bad *rows, size_t n, const pickle_read_opts *opts)
{
    for (size_t i = 0; i < n; i++) {
        pickle_error err;
        pickle_doc *doc;

        memset(&err, 0xff, sizeof err);
        doc = pickle_read(rows[i].data, rows[i].len, opts, &err);
        ck_assert_msg(!doc, "row %d was read", (int)i);
        check_error(&err, (int)i, rows[i].code, rows[i].offset, rows[i].opcode);
        ck_assert_ptr_null(pickle_read(rows[i].data, rows[i].len, opts, NULL));
    }
}

#define CHECK_ROWS(rows, opts) check_rows(rows, sizeof(rows) / sizeof *(rows), opts)

/* Refused in both modes. */
#define CHECK_ALWAYS(rows)                                  \
    do {                                                    \
        CHECK_ROWS(rows, NULL);                             \
        CHECK_ROWS(rows, pickle_read_opts(.strict = true)); \
    } while (0)

/* --------------------------------------------------------------------- stack */

START_TEST(test_underflow)
{
    static const bad rows[] = {
        BAD(".", STACK, 0, '.'),        BAD("N0.", STACK, 2, '.'),
        BAD("0.", STACK, 0, '0'),       BAD("2.", STACK, 0, '2'),
        BAD("\x85.", STACK, 0, 0x85),   BAD("N\x86.", STACK, 1, 0x86),
        BAD("NN\x87.", STACK, 2, 0x87), BAD("Na.", STACK, 1, 'a'),
        BAD("NNs.", STACK, 2, 's'),     BAD("Nb.", STACK, 1, 'b'),
        BAD("NR.", STACK, 1, 'R'),      BAD("N\x81.", STACK, 1, 0x81),
        BAD("NN\x92.", STACK, 2, 0x92), BAD("N\x93.", STACK, 1, 0x93),
        BAD("Q.", STACK, 0, 'Q'),       BAD("p0\n.", STACK, 0, 'p'),
        BAD("q\0.", STACK, 0, 'q'),     BAD("r" ZEROS4 ".", STACK, 0, 'r'),
        BAD("\x94.", STACK, 0, 0x94),   BAD("\x98.", STACK, 0, 0x98),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

START_TEST(test_no_mark)
{
    static const bad rows[] = {
        BAD("1N.", STACK, 0, '1'),
        BAD("Nt.", STACK, 1, 't'),
        BAD("Nl.", STACK, 1, 'l'),
        BAD("NNd.", STACK, 2, 'd'),
        BAD("]Ne.", STACK, 2, 'e'),
        BAD("}NNu.", STACK, 3, 'u'),
        BAD("\x8fN\x90.", STACK, 2, 0x90),
        BAD("N\x91.", STACK, 1, 0x91),
        BAD("ccollections\nOrderedDict\no.", STACK, 25, 'o'),
        BAD("icollections\nOrderedDict\n.", STACK, 0, 'i'),
        BAD("(tt.", STACK, 2, 't'),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

START_TEST(test_mark_for_value)
{
    static const bad rows[] = {
        BAD("(.", STACK, 1, '.'),
        BAD("N(.", STACK, 2, '.'),
        BAD("(2.", STACK, 1, '2'),
        BAD("N(\x85.", STACK, 2, 0x85),
        BAD("N(N\x86.", STACK, 3, 0x86),
        BAD("N(NN\x87.", STACK, 4, 0x87),
        BAD("](a.", STACK, 2, 'a'),
        BAD("](Na.", STACK, 3, 'a'),
        BAD("}(NNs.", STACK, 4, 's'),
        BAD("N(Nb.", STACK, 3, 'b'),
        BAD("cos\nsystem\n()R.", STACK, 13, 'R'),
        BAD("N(Q.", STACK, 2, 'Q'),
        BAD("N(q\0.", STACK, 2, 'q'),
        BAD("N(\x94.", STACK, 2, 0x94),
        BAD("(Ne.", STACK, 2, 'e'),
        BAD("](((e.", STACK, 4, 'e'),
        BAD("(NNu.", STACK, 3, 'u'),
        BAD("(N\x90.", STACK, 2, 0x90),
        BAD("(o.", STACK, 1, 'o'),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

/* ---------------------------------------------------------------- memo, opcodes */

START_TEST(test_memo)
{
    static const bad rows[] = {
        BAD("h\0.", MEMO, 0, 'h'),
        BAD("Nq\0h\x01.", MEMO, 3, 'h'),
        BAD("Nq\x05"
            "0h\x04.",
            MEMO, 4, 'h'),
        BAD("j\xff\xff\xff\xff.", MEMO, 0, 'j'),
        BAD("Nr\xff\xff\xff\xff"
            "j\xfe\xff\xff\xff.",
            MEMO, 6, 'j'),
        BAD("g7\n.", MEMO, 0, 'g'),
        BAD("Np7\ng8\n.", MEMO, 4, 'g'),
        BAD("N\x94h\x01.", MEMO, 2, 'h'),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

START_TEST(test_opcodes)
{
    int unknown = 0;

    for (int c = 0; c < 256; c++) {
        char data[] = { 'N', (char)c, '.' };
        const bad row = { data, sizeof data, PICKLE_ERR_OPCODE, 1, c };

        if (pickle_op_info_of((uint8_t)c))
            continue;
        check_rows(&row, 1, NULL);
        unknown++;
    }
    ck_assert_int_eq(unknown, 256 - 68); /* len(pickletools.opcodes) */
}
END_TEST

/* ------------------------------------------------------------------- operands */

START_TEST(test_numbers)
{
    static const bad rows[] = {
        BAD("I\n.", OPERAND, 0, 'I'),
        BAD("Iabc\n.", OPERAND, 0, 'I'),
        BAD("I1.5\n.", OPERAND, 0, 'I'),
        BAD("I12L\n.", OPERAND, 0, 'I'),
        BAD("NI\x1b[31m\n.", OPERAND, 1, 'I'), /* shown escaped */
        BAD("L\n.", OPERAND, 0, 'L'),
        BAD("LL\n.", OPERAND, 0, 'L'),
        BAD("L12x\n.", OPERAND, 0, 'L'),
        BAD("L1LL\n.", OPERAND, 0, 'L'),
        BAD("F\n.", OPERAND, 0, 'F'),
        BAD("Fabc\n.", OPERAND, 0, 'F'),
        BAD("F1.5x\n.", OPERAND, 0, 'F'),
        BAD("F1_0\n.", OPERAND, 0, 'F'),
        BAD("F 1\n.", OPERAND, 0, 'F'),
        BAD("F1e999\n.", OPERAND, 0, 'F'),
        BAD("Np\n.", OPERAND, 1, 'p'),
        BAD("Npx\n.", OPERAND, 1, 'p'),
        BAD("gx\n.", OPERAND, 0, 'g'),
        BAD("g\n.", OPERAND, 0, 'g'),
        BAD("\x82\0.", OPERAND, 0, 0x82),
        BAD("\x83\0\0.", OPERAND, 0, 0x83),
        BAD("\x84\xff\xff\xff\xff.", OPERAND, 0, 0x84),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

/* What CPython refuses, and others write: read unless `strict`. */
START_TEST(test_odd_numbers)
{
    static const bad rows[] = {
        BAD("Np-1\n.", OPERAND, 1, 'p'),
        BAD("\x80\x06N.", OPERAND, 0, 0x80),
        BAD("N\x80\xff.", OPERAND, 1, 0x80),
    };
    pickle_doc *doc = READ("(K\5p-1\n0\x80\xffg-1\nt.");

    CHECK_ROWS(rows, pickle_read_opts(.strict = true));
    ck_assert_int_eq(pickle_protocol(doc), 5);
    check_repr(pickle_root(doc), "(5,)");
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_texts)
{
    static const bad rows[] = {
        BAD("S\n.", OPERAND, 0, 'S'),
        BAD("S'\n.", OPERAND, 0, 'S'),
        BAD("Sabc\n.", OPERAND, 0, 'S'),
        BAD("S'abc\n.", OPERAND, 0, 'S'),
        BAD("S'abc\"\n.", OPERAND, 0, 'S'),
        BAD("S'abc' \n.", OPERAND, 0, 'S'),
        BAD("NS'\\x1'\n.", OPERAND, 1, 'S'),
        BAD("V\\u12\n.", OPERAND, 0, 'V'),
        BAD("V\\U00110000\n.", OPERAND, 0, 'V'),
        BAD("N\x8c\x01\xff.", OPERAND, 1, 0x8c),
        BAD("X\x02\0\0\0\xc3(.", OPERAND, 0, 'X'),
        BAD("X\x03\0\0\0\xf0\x9f\x98.", OPERAND, 0, 'X'),
        BAD("\x8d\x01\0\0\0" ZEROS4 "\x80.", OPERAND, 0, 0x8d),
        BAD("c\nx\n.", OPERAND, 0, 'c'),
        BAD("cx\n\n.", OPERAND, 0, 'c'),
        BAD("c\xff\nx\n.", OPERAND, 0, 'c'),
        BAD("cx\n\xff\n.", OPERAND, 0, 'c'),
        BAD("(i\nx\n.", OPERAND, 1, 'i'),
        BAD("(ix\n\xff\n.", OPERAND, 1, 'i'),
        BAD("P\xc3\xa9\n.", OPERAND, 0, 'P'),
    };
    static const bad ascii[] = {
        BAD("NU\x01\xe9.", OPERAND, 1, 'U'),
        BAD("T\x01\0\0\0\xe9.", OPERAND, 0, 'T'),
        BAD("S'\\xe9'\n.", OPERAND, 0, 'S'),
    };

    CHECK_ALWAYS(rows);
    CHECK_ROWS(ascii, pickle_read_opts(.strict = true));
    CHECK_ROWS(ascii, pickle_read_opts(.encoding = "ascii"));
    CHECK_ROWS(ascii, pickle_read_opts(.encoding = "utf-8"));
    CHECK_ROWS(ascii, pickle_read_opts(.encoding = "utf-8", .errors = "strict"));
}
END_TEST

START_TEST(test_lengths)
{
    static const bad rows[] = {
        BAD("T\xff\xff\xff\xff.", OPERAND, 0, 'T'),
        BAD("N\x8b\xff\xff\xff\xff.", OPERAND, 1, 0x8b),
        BAD("\x8b\0\0\0\x80.", OPERAND, 0, 0x8b),
        BAD("\x8d\0\0\0\0\0\0\0\x80.", OPERAND, 0, 0x8d),
        BAD("\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", OPERAND, 0, 0x8e),
        BAD("\x96\0\0\0\0\0\0\0\x80.", OPERAND, 0, 0x96),
        BAD("\x95\0\0\0\0\0\0\0\x80N.", OPERAND, 0, 0x95),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

/* ------------------------------------------------------------------ truncated */

START_TEST(test_truncated)
{
    static const bad rows[] = {
        BAD("", TRUNCATED, 0, 0),
        BAD("N", TRUNCATED, 1, 0),
        BAD("NK", TRUNCATED, 1, 'K'),
        BAD("M\x01", TRUNCATED, 0, 'M'),
        BAD("J\x01\0\0", TRUNCATED, 0, 'J'),
        BAD("G\0\0\0\0\0\0\0", TRUNCATED, 0, 'G'),
        BAD("I12", TRUNCATED, 0, 'I'),
        BAD("NL12L", TRUNCATED, 1, 'L'),
        BAD("F1.5", TRUNCATED, 0, 'F'),
        BAD("S'abc'", TRUNCATED, 0, 'S'),
        BAD("Vabc", TRUNCATED, 0, 'V'),
        BAD("Pabc", TRUNCATED, 0, 'P'),
        BAD("g1", TRUNCATED, 0, 'g'),
        BAD("Np1", TRUNCATED, 1, 'p'),
        BAD("cos", TRUNCATED, 0, 'c'),
        BAD("cos\nsystem", TRUNCATED, 0, 'c'),
        BAD("(ios\nsystem", TRUNCATED, 1, 'i'),
        BAD("\x8a\x02\x01", TRUNCATED, 0, 0x8a),
        BAD("\x8b\x02\0\0\0\x01", TRUNCATED, 0, 0x8b),
        BAD("U\x02"
            "a",
            TRUNCATED, 0, 'U'),
        BAD("T\x02\0\0\0a", TRUNCATED, 0, 'T'),
        BAD("T\xff\xff\xff\x7f.", TRUNCATED, 0, 'T'),
        BAD("C\x02"
            "a",
            TRUNCATED, 0, 'C'),
        BAD("B\xff\xff\xff\xff.", TRUNCATED, 0, 'B'),
        BAD("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", TRUNCATED, 0, 0x8e),
        BAD("\x96\x02\0\0\0" ZEROS4 "a", TRUNCATED, 0, 0x96),
        BAD("\x8c\x02"
            "a",
            TRUNCATED, 0, 0x8c),
        BAD("X\xff\xff\xff\xff"
            "a",
            TRUNCATED, 0, 'X'),
        BAD("\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"
            "a",
            TRUNCATED, 0, 0x8d),
        BAD("\x95\x03\0\0\0" ZEROS4 "N.", TRUNCATED, 0, 0x95),
        BAD("\x80", TRUNCATED, 0, 0x80),
        BAD("\x82", TRUNCATED, 0, 0x82),
        BAD("\x83\x01", TRUNCATED, 0, 0x83),
        BAD("\x84\x01\0\0", TRUNCATED, 0, 0x84),
        BAD("h", TRUNCATED, 0, 'h'),
        BAD("j\0\0\0", TRUNCATED, 0, 'j'),
        BAD("Nq", TRUNCATED, 1, 'q'),
        BAD("Nr\0", TRUNCATED, 1, 'r'),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

/* Every opcode. The FRAME holds nothing: with its frame cut off, it would be to blame. */
START_TEST(test_prefixes)
{
    static const char data[] =
        "\x80\x05\x95" ZEROS8 "(N0N\x88\x89I01\nI00\nI-5\nL12345678901234567890L\n"
        "J\xff\xff\xff\xffK\x01M\x02\x03\x8a\x02\xff\x7f\x8b\x01\0\0\0\x05"
        "F1.5\nG\x3f\xf8\0\0\0\0\0\0S'a\\n'\nT\x01\0\0\0aU\x02"
        "abVx\\u00e9\nX\x02\0\0\0\xc3\xa9"
        "\x8c\x01z\x8d\x01\0\0\0" ZEROS4 "yC\x01\xff"
        "B\x02\0\0\0\x01\x02\x8e\x01\0\0\0" ZEROS4 "b"
        "\x96\x01\0\0\0" ZEROS4 "c\x97\x98)\x85\x94NN\x86q\x07NNN\x87r\0\1\0\0p300\n]Na(NNe(Nl}NNs"
        "(K\x01NK\x02Nu(NNd\x8f(K\x01\x90(K\x01\x91(1h\0j\0\1\0\0g300\n2\x82\x01\x83\1\0"
        "\x84\1\0\0\0Pid\nNQ"
        "cbuiltins\nset\n)R\x8c\x08"
        "builtins\x8c\x03set\x93)\x81}b(K\x01ibuiltins\nset\n"
        "(cbuiltins\nset\nNocbuiltins\nset\n)}\x92t.";
    const unsigned char *bytes = (const unsigned char *)data;
    uint64_t op_at = 0;
    bool used[256] = { false };
    pickle_doc *doc;
    int kinds = 0;

    for (size_t len = 0; len < sizeof data - 1; len++) {
        pickle_parser p;
        pickle_event ev;
        pickle_error err;

        /* Where does the last opcode begin that the prefix has a part of? */
        pickle_parser_init(&p, data, sizeof data - 1);
        while (pickle_parser_next(&p, &ev) == PICKLE_OK && ev.offset + ev.size <= len)
            op_at = ev.offset + ev.size;
        used[bytes[op_at]] = true;
        ck_assert_ptr_null(pickle_read(data, len, NULL, &err));
        check_error(&err, (int)len, PICKLE_ERR_TRUNCATED, op_at, op_at < len ? bytes[op_at] : 0);
    }
    for (int c = 0; c < 256; c++)
        kinds += used[c];
    ck_assert_int_eq(kinds, 68);
    doc = pickle_read(data, sizeof data - 1, NULL, NULL);
    ck_assert_ptr_nonnull(doc);
    pickle_doc_free(doc);
}
END_TEST

/* --------------------------------------------------------------------- values */

#define SET "cbuiltins\nset\n" /* 14 bytes */

START_TEST(test_keys)
{
    static const bad rows[] = {
        BAD("}]Ns.", VALUE, 3, 's'),          BAD("}}Ns.", VALUE, 3, 's'),
        BAD("}\x8fNs.", VALUE, 3, 's'),       BAD("}]\x85Ns.", VALUE, 4, 's'),
        BAD("}N]\x86\x85Ns.", VALUE, 6, 's'), BAD("}\x96" ZEROS8 "Ns.", VALUE, 11, 's'),
        BAD("}(NN]Nu.", VALUE, 6, 'u'),       BAD("(]Nd.", VALUE, 3, 'd'),
        BAD("\x8f(]\x90.", VALUE, 3, 0x90),   BAD("(]\x91.", VALUE, 2, 0x91),
        BAD("(Nd0(Nd.", VALUE, 2, 'd'), /* odd */
        BAD("}(Nu.", VALUE, 3, 'u'),          BAD("}(NNNu.", VALUE, 5, 'u'),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

START_TEST(test_plain_values)
{
    static const bad rows[] = {
        BAD("N}b.", VALUE, 2, 'b'),
        BAD("K\x01}b.", VALUE, 3, 'b'),
        BAD("]}b.", VALUE, 2, 'b'),
        BAD("})b.", VALUE, 2, 'b'),
        BAD("\x8c\x01"
            "a}b.",
            VALUE, 4, 'b'),
        BAD("NK\x01"
            "b.",
            VALUE, 3, 'b'),
        BAD("NNa.", VALUE, 2, 'a'),
        BAD(")Na.", VALUE, 2, 'a'),
        BAD("N(Ne.", VALUE, 3, 'e'),
        BAD("NNNs.", VALUE, 3, 's'),
        BAD(")K\0Ns.", VALUE, 4, 's'),
        BAD("]K\x05Ns.", VALUE, 4, 's'),
        BAD("]NNs.", VALUE, 3, 's'),
        BAD("N(NNu.", VALUE, 4, 'u'),
        BAD("](N\x90.", VALUE, 3, 0x90),
        BAD("(\x91(N\x90.", VALUE, 4, 0x90),
        BAD("\x96" ZEROS8 "M\0\x01"
            "a.",
            VALUE, 12, 'a'),
        BAD("\x96" ZEROS8 "(K\x01Ne.", VALUE, 13, 'e'),
        BAD("\x96\x01\0\0\0" ZEROS4 "aK\x01K\0s.", VALUE, 14, 's'),
        BAD("N\x98.", VALUE, 1, 0x98),
        BAD("NN\x93.", VALUE, 2, 0x93),
        BAD("C\x02osC\x01"
            "a\x93.",
            VALUE, 7, 0x93),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

START_TEST(test_calls)
{
    static const bad rows[] = {
        BAD("N)R.", VALUE, 2, 'R'),          BAD("K\x01)\x81.", VALUE, 3, 0x81),
        BAD("N)}\x92.", VALUE, 3, 0x92),     BAD("(No.", VALUE, 2, 'o'),
        BAD("(K\x01No.", VALUE, 4, 'o'),     BAD(SET "]R.", VALUE, 15, 'R'),
        BAD(SET "NR.", VALUE, 15, 'R'),      BAD(SET "]\x81.", VALUE, 15, 0x81),
        BAD(SET "]}\x92.", VALUE, 16, 0x92), BAD(SET ")N\x92.", VALUE, 16, 0x92),
    };

    CHECK_ALWAYS(rows);
}
END_TEST

/* ------------------------------------------------------------ missing, denied */

START_TEST(test_missing)
{
    static const bad rows[] = {
        BAD("\x82\x05.", MISSING, 0, 0x82),       BAD("N\x83\x05\0.", MISSING, 1, 0x83),
        BAD("\x84\x05\0\0\0.", MISSING, 0, 0x84), BAD("P1\n.", MISSING, 0, 'P'),
        BAD("K\x01Q.", MISSING, 2, 'Q'),          BAD("\x97.", MISSING, 0, 0x97),
    };
    static const bad second[] = { BAD("\x97\x97\x86.", MISSING, 1, 0x97) };
    static const pickle_buffer buffer = { "abc", 3, true };
    static const pickle_extension other = { 6, "os", "system" };

    CHECK_ROWS(rows, pickle_read_opts(.strict = true));
    CHECK_ROWS(rows, pickle_read_opts(.strict = true, .extensions = &other, .n_extensions = 1));
    CHECK_ROWS(second, pickle_read_opts(.buffers = &buffer, .n_buffers = 1));
    CHECK_ROWS(second, pickle_read_opts(.strict = true, .buffers = &buffer, .n_buffers = 1));
}
END_TEST

static pickle_verdict deny_global(void *ctx, const char *module, const char *name)
{
    ck_assert_str_eq(module, "os");
    ck_assert_str_eq(name, ctx);
    return PICKLE_DENY;
}

static pickle_verdict deny_persid(void *ctx, const pickle_val *pid)
{
    (void)ctx;
    ck_assert_int_ne(pickle_kind_of(pid), PICKLE_MISSING);
    return PICKLE_DENY;
}

START_TEST(test_denied)
{
    static const bad globals[] = {
        BAD("cos\nsystem\n.", DENIED, 0, 'c'),
        BAD("\x80\x04N0\x8c\x02os\x8c\x06system\x93.", DENIED, 16, 0x93),
        BAD("(ios\nsystem\n.", DENIED, 1, 'i'),
        BAD("\x82\x05.", DENIED, 0, 0x82),
    };
    static const bad odd[] = { BAD("cos\n\x1b[31m\n.", DENIED, 0, 'c') };
    static const bad persids[] = {
        BAD("NPabc\n.", DENIED, 1, 'P'),
        BAD("K\x01Q.", DENIED, 2, 'Q'),
    };
    static const pickle_extension ext = { 5, "os", "system" };
    char system[] = "system", escape[] = "\x1b[31m";

    CHECK_ROWS(globals, pickle_read_opts(.on_global = deny_global, .ctx = system,
                                         .extensions = &ext, .n_extensions = 1));
    CHECK_ROWS(odd, pickle_read_opts(.on_global = deny_global, .ctx = escape));
    CHECK_ROWS(persids, pickle_read_opts(.on_persid = deny_persid));
    CHECK_ROWS(persids, pickle_read_opts(.on_persid = deny_persid, .strict = true));
}
END_TEST

/* ---------------------------------------------------------------------- limits */

START_TEST(test_digits)
{
    static const bad rows[] = {
        BAD("NL12345678901L\n.", LIMIT, 1, 'L'),
        BAD("I123456789012345678901234567890\n.", LIMIT, 0, 'I'),
    };
    char data[4310];
    bad row = { data, 0, PICKLE_ERR_LIMIT, 0, 'L' };
    pickle_doc *doc;

    CHECK_ROWS(rows, pickle_read_opts(.limits = { .int_digits = 10 }));
    row.len = (size_t)snprintf(data, sizeof data, "L1%04300dL\n.", 7);
    check_rows(&row, 1, pickle_read_opts(.strict = true));
    doc = pickle_read(data, row.len, NULL, NULL);
    ck_assert_uint_eq(pickle_int_bytes(pickle_root(doc), NULL, 0),
                      1786); /* bit_length() // 8 + 1 */
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_memory)
{
    size_t len = (size_t)4 << 20;
    unsigned char *data = calloc(len + 7, 1);
    const pickle_read_opts *opts =
        pickle_read_opts(.limits = { .memory_bytes = (uint64_t)1 << 20 });
    pickle_doc *doc;
    bad row = { (const char *)data, len + 7, PICKLE_ERR_LIMIT, 1, 'X' };

    ck_assert_ptr_nonnull(data);
    memcpy(data, "NX\0\0\x40\0", 6);
    data[len + 6] = '.';
    check_rows(&row, 1, opts);
    doc = pickle_read(data, len + 7, NULL, NULL);
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), len);
    pickle_doc_free(doc);
    free(data);
}
END_TEST

/* Fails one allocation after the other: the offset is always one of an opcode, or 0. */
START_TEST(test_no_memory)
{
    static const char data[] = "\x80\x02]q\0(K\x01X\x01\0\0\0ae.";
    pickle_doc *doc = NULL;

    for (size_t n = 1; !doc; n++) {
        memory m;
        pickle_error err;

        memory_init(&m, n);
        doc = pickle_read(data, sizeof data - 1, pickle_read_opts(.alloc = &m.alloc), &err);
        if (!doc) {
            ck_assert_int_eq(err.code, PICKLE_ERR_NOMEM);
            ck_assert_uint_lt(err.offset, sizeof data - 1);
            ck_assert(err.opcode == 0 || err.opcode == (unsigned char)data[err.offset]);
            check_line(&err);
        }
        pickle_doc_free(doc);
        ck_assert_uint_eq(m.in_use, 0);
    }
}
END_TEST

typedef struct progress {
    int calls, last; /* calls so far, and the one that cancels */
    uint64_t done, total;
} progress;

static bool count_progress(void *ctx, uint64_t done, uint64_t total)
{
    progress *p = ctx;

    ck_assert_uint_ge(done, p->done);
    p->done = done;
    p->total = total;
    return ++p->calls != p->last;
}

/* Called "every few MiB": 64 MiB of many small bytes objects must do. */
START_TEST(test_canceled)
{
    size_t piece = 258, n = 250000, len = 2 + n * piece + 2;
    unsigned char *data = malloc(len);
    progress p = { .last = 0 };
    pickle_error err;
    pickle_doc *doc;
    int calls;

    ck_assert_ptr_nonnull(data);
    memset(data, 'x', len);
    memcpy(data, "](", 2);
    for (size_t i = 0; i < n; i++)
        memcpy(data + 2 + i * piece, "U\xff", 2), data[2 + i * piece + 257] = 'N';
    memcpy(data + len - 2, "e.", 2);
    doc = pickle_read(data, len,
                      pickle_read_opts(.borrow = true, .on_progress = count_progress, .ctx = &p),
                      &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    pickle_doc_free(doc);
    ck_assert_int_ge(p.calls, 2);
    ck_assert_uint_eq(p.total, len);
    calls = p.calls;
    p = (progress){ .last = 1 };
    doc = pickle_read(data, len,
                      pickle_read_opts(.borrow = true, .on_progress = count_progress, .ctx = &p),
                      &err);
    ck_assert_ptr_null(doc);
    ck_assert_int_eq(err.code, PICKLE_ERR_CANCELED);
    ck_assert_int_lt(p.calls, calls);
    ck_assert_uint_le(err.offset, len);
    check_line(&err);
    free(data);
}
END_TEST

/* ------------------------------------------------------------ files and options */

static void check_io(pickle_doc *doc, const pickle_error *err, int sys)
{
    ck_assert_ptr_null(doc);
    ck_assert_int_eq(err->code, PICKLE_ERR_IO);
    ck_assert_int_eq(err->sys, sys);
    ck_assert_uint_eq(err->offset, 0);
    ck_assert_int_eq(err->opcode, 0);
    check_line(err);
}

START_TEST(test_io)
{
    pickle_error err;
    pickle_doc *doc;
    int fds[2];

    doc = pickle_read_file("/nonexistent/file.pkl", NULL, &err);
    check_io(doc, &err, ENOENT);
    doc = pickle_read_file(files_folder(), NULL, &err);
    check_io(doc, &err, EISDIR);
    doc = pickle_read_fd(-1, NULL, &err);
    check_io(doc, &err, EBADF);
    ck_assert_int_eq(pipe(fds), 0);
    doc = pickle_read_fd(fds[1], NULL, &err); /* the end to write to */
    check_io(doc, &err, EBADF);
    close(fds[0]);
    close(fds[1]);
    ck_assert_ptr_null(pickle_read_file("/nonexistent/file.pkl", NULL, NULL));
}
END_TEST

START_TEST(test_options)
{
    static const bad rows[] = { BAD("N.", ARG, 0, 0) };

    CHECK_ROWS(rows, pickle_read_opts(.encoding = "koi8-r"));
    CHECK_ROWS(rows, pickle_read_opts(.encoding = ""));
    CHECK_ROWS(rows, pickle_read_opts(.encoding = "\x1b[31m\n"));
    CHECK_ROWS(rows, pickle_read_opts(.errors = "ignore"));
    CHECK_ROWS(rows, pickle_read_opts(.errors = "\xff\n"));
}
END_TEST

/* ---------------------------------------------------------------- compressed */

/* zlib.compress(b'\x80\x02]q\x00(K\x01K\x02e.'): 12 bytes of pickle */
#define PACKED "\x78\x9c\x6b\x60\x8a\x2d\x64\xd0\xf0\x66\xf4\x66\x4a\xd5\x03\x00\x12\xc6\x02\xa5"

/* Run where zlib is built in; else it is refused, see test_unsupported. */
START_TEST(test_compressed)
{
    static const char good[] = PACKED;
    static const bad rows[] = {
        BAD("\x78\x9c\xff\xff\xff\xff.......", CODEC, 0, 0),
        BAD("\x78\x9c", TRUNCATED, 0, 0),
    };
    unsigned char data[sizeof good - 1];
    pickle_error err;
    pickle_doc *doc;

    CHECK_ROWS(rows, NULL);
    doc = pickle_read(good, sizeof good - 1, NULL, &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    ck_assert_str_eq(pickle_container(doc), "pickle+zlib");
    pickle_doc_free(doc);
    for (size_t len = 2; len < sizeof good - 1; len++) {
        ck_assert_ptr_null(pickle_read(good, len, NULL, &err));
        ck_assert_int_eq(err.code, PICKLE_ERR_TRUNCATED);
        check_line(&err);
    }
    memcpy(data, good, sizeof data);
    data[sizeof data - 1] ^= 1; /* the checksum */
    ck_assert_ptr_null(pickle_read(data, sizeof data, NULL, &err));
    check_error(&err, 0, PICKLE_ERR_CODEC, 12, 0);
}
END_TEST

/* zlib.compress(b'C\xff' + bytes(255) + b'.') */
START_TEST(test_inflated)
{
    static const char data[] = "\x78\x9c\x73\xfe\xcf\x30\xb2\x81\x1e\x00\x44\xc4\x01\x71";
    const pickle_read_opts *opts = pickle_read_opts(.limits = { .inflated_bytes = 100 });
    pickle_error err;
    pickle_doc *doc = pickle_read(data, sizeof data - 1, opts, &err);

    ck_assert_ptr_null(doc);
    check_error(&err, 0, PICKLE_ERR_LIMIT, 100, 0);
    opts = pickle_read_opts(.limits = { .inflated_bytes = 258 });
    doc = pickle_read(data, sizeof data - 1, opts, &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    pickle_doc_free(doc);
}
END_TEST

/* What the build does without is named, not taken for a pickle. */
START_TEST(test_unsupported)
{
    static const struct {
        const char *feature, *data;
        size_t len;
    } codecs[] = {
        { "bz2", "BZh91AY&SY", 10 },
        { "xz",
          "\xfd"
          "7zXZ\0\0\x04",
          8 },
        { "lz4", "\x04\x22\x4d\x18\x64\x40\xa7", 7 },
        { "zstd", "\x28\xb5\x2f\xfd\0\0", 6 },
    };

    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        pickle_error err;

        ck_assert_ptr_null(pickle_read(codecs[i].data, codecs[i].len, NULL, &err));
        check_error(&err, (int)i,
                    files_codec(codecs[i].feature) ? PICKLE_ERR_TRUNCATED : PICKLE_ERR_UNSUPPORTED,
                    0, 0);
    }
}
END_TEST

START_TEST(test_names)
{
    ck_assert_str_eq(pickle_status_name(PICKLE_OK), "PICKLE_OK");
    ck_assert_str_eq(pickle_status_name(PICKLE_ERR_STACK), "PICKLE_ERR_STACK");
    for (int code = -1; code < 60; code++)
        ck_assert_ptr_nonnull(pickle_status_name((pickle_status)code));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("errors");
    TCase *tc = tcase_create("errors");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_underflow);
    tcase_add_test(tc, test_no_mark);
    tcase_add_test(tc, test_mark_for_value);
    tcase_add_test(tc, test_memo);
    tcase_add_test(tc, test_opcodes);
    tcase_add_test(tc, test_numbers);
    tcase_add_test(tc, test_odd_numbers);
    tcase_add_test(tc, test_texts);
    tcase_add_test(tc, test_lengths);
    tcase_add_test(tc, test_truncated);
    tcase_add_test(tc, test_prefixes);
    tcase_add_test(tc, test_keys);
    tcase_add_test(tc, test_plain_values);
    tcase_add_test(tc, test_calls);
    tcase_add_test(tc, test_missing);
    tcase_add_test(tc, test_denied);
    tcase_add_test(tc, test_digits);
    tcase_add_test(tc, test_memory);
    tcase_add_test(tc, test_no_memory);
    tcase_add_test(tc, test_canceled);
    tcase_add_test(tc, test_io);
    tcase_add_test(tc, test_options);
    if (files_codec("zlib")) {
        tcase_add_test(tc, test_compressed);
        tcase_add_test(tc, test_inflated);
    }
    tcase_add_test(tc, test_unsupported);
    tcase_add_test(tc, test_names);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
