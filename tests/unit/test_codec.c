/* test_codec.c - streams that Python compressed, whole, in pieces, cut and damaged. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/codec.h"

/* ------------------------------------------------------------------- table */

/* A line of tables/codec.tsv; see make_codec.py. */
typedef struct row {
    char *line; /* the texts point into it */
    const char *name, *status, *crc;
    pickle_codec codec;
    uint64_t length, trailing;
    int streams;
    bool checked;
    unsigned char *data;
    size_t size;
} row;

static row rows[256];
static size_t nrows;

static pickle_codec codec_named(const char *name)
{
    for (pickle_codec c = PICKLE_CODEC_NONE; c <= PICKLE_CODEC_DEFLATE; c++)
        if (strcmp(pickle_codec_name(c), name) == 0)
            return c;
    ck_abort_msg("no codec %s", name);
    return PICKLE_CODEC_NONE;
}

static void parse_row(row *r, char *line)
{
    char *field[9];

    r->line = line;
    for (int i = 0; i < 9; i++) {
        field[i] = line;
        line = strchr(line, i < 8 ? '\t' : '\n');
        ck_assert_ptr_nonnull(line);
        *line++ = '\0';
    }
    r->name = field[0];
    r->codec = codec_named(field[1]);
    r->status = field[2];
    r->length = field[3][0] == '-' ? UINT64_MAX : strtoull(field[3], NULL, 10);
    r->crc = field[4];
    r->trailing = strtoull(field[5], NULL, 10);
    r->streams = atoi(field[6]);
    r->checked = atoi(field[7]) != 0;
    r->size = strlen(field[8]) / 2;
    r->data = malloc(r->size + 1);
    for (size_t i = 0; i < r->size; i++) {
        char byte[3] = { field[8][2 * i], field[8][2 * i + 1], 0 };

        r->data[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
}

static void load_rows(void)
{
    const char *folder = getenv("PICKLE_TABLES");
    char path[4096];
    char *line = NULL;
    size_t cap = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/codec.tsv", folder ? folder : "tests/tables");
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "cannot open %s", path);
    while (getline(&line, &cap, f) > 0) {
        if (line[0] == '#')
            continue;
        ck_assert_uint_lt(nrows, sizeof rows / sizeof *rows);
        parse_row(&rows[nrows++], line);
        line = NULL;
        cap = 0;
    }
    free(line);
    fclose(f);
    ck_assert_uint_gt(nrows, 100);
}

static void free_rows(void)
{
    while (nrows > 0) {
        free(rows[--nrows].line);
        free(rows[nrows].data);
    }
}

static bool expects_ok(const row *r)
{
    return strcmp(r->status, "PICKLE_OK") == 0;
}

/* Rows small enough to be tried in a thousand variants. */
static bool is_small(const row *r)
{
    return r->size < 1000;
}

static const row *row_named(const char *name)
{
    for (size_t i = 0; i < nrows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    ck_abort_msg("no row %s", name);
    return NULL;
}

/* ------------------------------------------------------------------ inputs */

/* A reader that gives `piece` bytes at a time, then the end, or an I/O error. */
typedef struct dribble {
    pickle__reader reader;
    const unsigned char *at;
    size_t left, piece;
    bool fails;
} dribble;

static pickle_status dribble_read(pickle__reader *r, void *dst, size_t size, size_t *got,
                                  pickle_error *err)
{
    dribble *d = (dribble *)r;

    *got = d->left < d->piece ? d->left : d->piece;
    if (*got > size)
        *got = size;
    if (*got == 0 && d->fails) {
        pickle__fail(err, PICKLE_ERR_IO, 0, "cannot read");
        return PICKLE_ERR_IO;
    }
    memcpy(dst, d->at, *got);
    d->at += *got;
    d->left -= *got;
    return PICKLE_OK;
}

static void dribble_close(pickle__reader *r)
{
    free(r);
}

static bool dribble_source(pickle__source *s, const void *data, size_t size, size_t piece,
                           bool fails, const pickle_alloc *alloc)
{
    dribble *d = malloc(sizeof *d);

    *d = (dribble){ { dribble_read, dribble_close }, data, size, piece, fails };
    return pickle__source_reader(s, &d->reader, UINT64_MAX, alloc);
}

/* An allocator that counts, and fails from the `left`-th time on. */
typedef struct counter {
    size_t left, blocks, bytes;
} counter;

static void *count_alloc(void *ctx, size_t size)
{
    counter *c = ctx;

    if (c->left == 0)
        return NULL;
    c->left--;
    c->blocks++;
    c->bytes += size;
    return malloc(size ? size : 1);
}

static void count_free(void *ctx, void *ptr, size_t size)
{
    counter *c = ctx;

    c->blocks--;
    c->bytes -= size;
    free(ptr);
}

static void *count_realloc(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *copy = count_alloc(ctx, new_size);

    if (copy) {
        memcpy(copy, ptr, old_size < new_size ? old_size : new_size);
        count_free(ctx, ptr, old_size);
    }
    return copy;
}

/* ----------------------------------------------------------------- running */

/* What a damaged stream may inflate to before the test stops reading. */
#define MOST ((size_t)1 << 20)

typedef struct outcome {
    pickle_status status;
    pickle_error error;
    uint64_t length, trailing;
    char crc[16];
} outcome;

/* zlib.crc32, four bits at a time. */
static uint32_t crc32_of(uint32_t crc, const unsigned char *data, size_t len)
{
    static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };

    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

/* Read all of `r`, `piece` bytes at a time. */
static void drain(pickle__reader *r, size_t piece, outcome *o)
{
    unsigned char *buffer = malloc(piece);
    uint32_t crc = 0;
    size_t got;

    do {
        got = 0;
        o->status = pickle__read(r, buffer, piece, &got, &o->error);
        /* Check notes each assertion in a file, which is slow. */
        if (got > piece)
            ck_abort_msg("%zu bytes read of %zu", got, piece);
        crc = crc32_of(crc, buffer, got);
        o->length += got;
    } while (got > 0 && o->length < MOST);
    snprintf(o->crc, sizeof o->crc, "%lu", (unsigned long)crc);
    free(buffer);
}

/* Inflate `data`; in_piece 0: memory. */
static outcome run(pickle_codec codec, const void *data, size_t size, size_t in_piece,
                   size_t out_piece, const pickle_alloc *alloc)
{
    outcome o = { 0 };
    pickle__source s;
    pickle__reader *r;

    if (in_piece == 0) {
        pickle__source_memory(&s, data, size, true);
    } else if (!dribble_source(&s, data, size, in_piece, false, alloc)) {
        o.status = PICKLE_ERR_NOMEM;
        return o;
    }
    r = pickle__codec_reader(codec, &s, alloc, &o.error);
    if (r) {
        drain(r, out_piece, &o);
        o.trailing = pickle__codec_trailing(r);
        pickle__close(r);
    } else {
        o.status = o.error.code;
    }
    pickle__source_close(&s); /* harmless: it was taken over */
    return o;
}

static void check_outcome(const row *r, const outcome *o, const char *how)
{
    ck_assert_msg(strcmp(pickle_status_name(o->status), r->status) == 0, "%s, %s: %s %s", r->name,
                  how, pickle_status_name(o->status), o->error.message);
    if (r->crc[0] != '-')
        ck_assert_msg(strcmp(o->crc, r->crc) == 0, "%s, %s: other bytes", r->name, how);
    if (expects_ok(r)) {
        ck_assert_msg(o->length == r->length, "%s, %s: %llu bytes", r->name, how,
                      (unsigned long long)o->length);
        ck_assert_msg(o->trailing == r->trailing, "%s, %s: trailing at %llu", r->name, how,
                      (unsigned long long)o->trailing);
    } else {
        ck_assert_msg(o->error.code == o->status &&
                          (o->error.offset == r->length || r->length == UINT64_MAX),
                      "%s, %s: error at %llu: %s", r->name, how,
                      (unsigned long long)o->error.offset, o->error.message);
    }
}

/* ------------------------------------------------------------------- tests */

START_TEST(test_pieces)
{
    static const size_t in[] = { 0, 1, 7, 4096 }, out[] = { 1, 7, 4096, MOST };

    for (size_t k = 0; k < nrows; k++) {
        const row *r = &rows[k];

        if (!pickle_codec_available(r->codec))
            continue;
        for (size_t i = 0; i < 4; i++) {
            for (size_t j = 0; j < 4; j++) {
                outcome o = run(r->codec, r->data, r->size, in[i], out[j], NULL);
                char how[64];

                snprintf(how, sizeof how, "input by %zu, output by %zu", in[i], out[j]);
                check_outcome(r, &o, how);
            }
        }
    }
}
END_TEST

START_TEST(test_prefixes)
{
    for (size_t k = 0; k < nrows; k++) {
        const row *r = &rows[k];

        if (!expects_ok(r) || !is_small(r) || r->streams > 1 || r->trailing > 0 ||
            !pickle_codec_available(r->codec))
            continue;
        for (size_t n = 0; n < r->size; n++) {
            outcome o = run(r->codec, r->data, n, n % 2 ? 5 : 0, 1000, NULL);
            /* The zeros after a gzip stream are none of it. */
            bool whole = o.length == r->length && strcmp(o.crc, r->crc) == 0;

            if (o.status == PICKLE_OK && whole && strstr(r->name, "zeros"))
                continue;
            ck_assert_msg(o.status == PICKLE_ERR_TRUNCATED, "%s cut at %zu: %s", r->name, n,
                          pickle_status_name(o.status));
            ck_assert_msg(o.error.offset == o.length, "%s cut at %zu", r->name, n);
        }
    }
}
END_TEST

/* One byte is another: found out, or without effect, unless the format has no checksum. */
static void check_damage(const row *r, unsigned char mask)
{
    unsigned char *data = malloc(r->size);

    memcpy(data, r->data, r->size);
    for (size_t n = 0; n < r->size; n++) {
        outcome o;

        data[n] ^= mask;
        o = run(r->codec, data, r->size, n % 3 ? 0 : 11, n % 2 ? 64 : 1000, NULL);
        data[n] ^= mask;
        if (o.status == PICKLE_OK && r->checked && strcmp(o.crc, r->crc) != 0)
            ck_abort_msg("%s: byte %zu ^ %02x goes unnoticed", r->name, n, mask);
        if (o.status != PICKLE_OK && o.error.code != o.status)
            ck_abort_msg("%s: byte %zu ^ %02x: no error", r->name, n, mask);
    }
    free(data);
}

START_TEST(test_damage)
{
    for (size_t k = 0; k < nrows; k++) {
        const row *r = &rows[k];

        if (!is_small(r) || r->streams > 1 || r->trailing > 0 || !pickle_codec_available(r->codec))
            continue;
        for (unsigned bit = 0; bit < 8; bit++)
            check_damage(r, (unsigned char)(1u << bit));
        check_damage(r, 0xff);
    }
}
END_TEST

START_TEST(test_no_memory)
{
    for (size_t k = 0; k < nrows; k++) {
        const row *r = &rows[k];
        counter c = { 0 };
        pickle_alloc alloc = { count_alloc, count_realloc, count_free, &c };
        size_t n = 0;
        outcome o;

        if (!expects_ok(r) || !pickle_codec_available(r->codec))
            continue;
        do {
            c.left = n++;
            o = run(r->codec, r->data, r->size, k % 2 ? 100 : 0, MOST, &alloc);
            ck_assert_uint_eq(c.blocks, 0);
            ck_assert_uint_eq(c.bytes, 0);
        } while (o.status == PICKLE_ERR_NOMEM);
        check_outcome(r, &o, "enough memory");
    }
}
END_TEST

/* A failing input: what came before is delivered, then its error, for good. */
START_TEST(test_input_error)
{
    for (size_t k = 0; k < nrows; k++) {
        const row *r = &rows[k];
        unsigned char buffer[64];
        pickle__source s;
        pickle__reader *reader;
        pickle_error err = { 0 };
        outcome o = { 0 };
        size_t got;

        if (!expects_ok(r) || !is_small(r) || !pickle_codec_available(r->codec))
            continue;
        ck_assert(dribble_source(&s, r->data, r->size / 2, 9, true, NULL));
        reader = pickle__codec_reader(r->codec, &s, NULL, &err);
        if (!reader) {
            ck_assert_int_eq(err.code, PICKLE_ERR_IO);
            continue;
        }
        drain(reader, sizeof buffer, &o);
        ck_assert_msg(o.status == PICKLE_ERR_IO || r->streams > 1 || r->trailing > 0, "%s: %s",
                      r->name, pickle_status_name(o.status));
        ck_assert_msg(o.status != PICKLE_ERR_IO || o.error.offset == o.length, "%s", r->name);
        ck_assert_int_eq(pickle__read(reader, buffer, 1, &got, NULL), o.status);
        ck_assert_uint_eq(got, 0);
        pickle__close(reader);
    }
}
END_TEST

START_TEST(test_close_early)
{
    for (size_t k = 0; k < nrows; k++) {
        unsigned char byte;
        size_t got;
        pickle__source s;
        pickle__reader *reader;

        pickle__source_memory(&s, rows[k].data, rows[k].size, true);
        reader = pickle__codec_reader(rows[k].codec, &s, NULL, NULL);
        if (reader)
            pickle__read(reader, &byte, 1, &got, NULL);
        pickle__close(reader);
    }
}
END_TEST

START_TEST(test_sniff)
{
    for (size_t k = 0; k < nrows; k++) {
        const row *r = &rows[k];
        size_t most = r->size < PICKLE__SNIFF_SIZE ? r->size : PICKLE__SNIFF_SIZE;

        if (r->codec == PICKLE_CODEC_DEFLATE) /* which nothing tells */
            continue;
        for (size_t n = 2; n <= most; n++)
            ck_assert_msg(pickle__sniff_codec(r->data, n) == r->codec, "%s by %zu bytes", r->name,
                          n);
        ck_assert_int_eq(pickle__sniff_codec(r->data, 1), PICKLE_CODEC_NONE);
        ck_assert_int_eq(pickle__sniff_codec(r->data, 0), PICKLE_CODEC_NONE);
    }
}
END_TEST

static pickle_codec sniff_text(const char *text)
{
    return pickle__sniff_codec((const unsigned char *)text, strlen(text));
}

START_TEST(test_sniff_pickles)
{
    static const unsigned char ops[] = {
#define PICKLE_OP(name, code, proto, operand, before, after) code,
#include <pickle/opcodes.inc>
#undef PICKLE_OP
    };

    /* No two opcodes look like a codec; the operands of those that have some do not, either. */
    for (size_t i = 0; i < sizeof ops; i++)
        for (size_t j = 0; j < sizeof ops; j++)
            ck_assert_int_eq(pickle__sniff_codec((unsigned char[]){ ops[i], ops[j], '.' }, 3),
                             PICKLE_CODEC_NONE);
    /* BINBYTES of 90, 26714 and 859400282 bytes. */
    ck_assert_int_eq(pickle__sniff_codec((const unsigned char *)"BZ\0\0\0aaaaa", 10),
                     PICKLE_CODEC_NONE);
    ck_assert_int_eq(pickle__sniff_codec((const unsigned char *)"BZh\0\0aaaaa", 10),
                     PICKLE_CODEC_NONE);
    ck_assert_int_eq(sniff_text("BZh93aaaaa"), PICKLE_CODEC_NONE);
    ck_assert_int_eq(sniff_text("BZh91AY&SX"), PICKLE_CODEC_NONE);
    ck_assert_int_eq(sniff_text("BZh91AY&SY"), PICKLE_CODEC_BZ2);
    ck_assert_int_eq(sniff_text("xylophone"), PICKLE_CODEC_NONE);
    ck_assert_int_eq(sniff_text("]."), PICKLE_CODEC_NONE);
}
END_TEST

START_TEST(test_features)
{
    const char *const *features = pickle_features();
    size_t n = 0;

    for (pickle_codec c = PICKLE_CODEC_ZLIB; c < PICKLE_CODEC_ZFILE; c++)
        if (pickle_codec_available(c))
            ck_assert_str_eq(features[n++], pickle_codec_name(c));
    ck_assert_ptr_null(features[n]);
    ck_assert(!pickle_codec_available(PICKLE_CODEC_NONE));
    ck_assert_uint_eq(pickle_version_hex(), PICKLE_VERSION_HEX);
    ck_assert_str_eq(pickle_version_string(), PICKLE_VERSION_STRING);
}
END_TEST

START_TEST(test_not_built_in)
{
    for (pickle_codec c = PICKLE_CODEC_ZLIB; c <= PICKLE_CODEC_DEFLATE; c++) {
        outcome o;

        if (pickle_codec_available(c))
            continue;
        o = run(c, "", 0, 1, 1, NULL);
        ck_assert_int_eq(o.status, PICKLE_ERR_UNSUPPORTED);
        ck_assert_uint_eq(o.error.offset, 0);
        ck_assert_ptr_eq(strstr(o.error.message, pickle_codec_name(c)), o.error.message);
    }
}
END_TEST

START_TEST(test_message)
{
    const row *r = row_named("gzip_small");
    outcome o;

    if (!pickle_codec_available(r->codec))
        return;
    o = run(r->codec, r->data, r->size - 3, 0, MOST, NULL);
    ck_assert_int_eq(o.status, PICKLE_ERR_TRUNCATED);
    ck_assert_str_eq(o.error.message, "gzip: the data end too early, at compressed byte 159");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codec");
    TCase *tc = tcase_create("codec");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_unchecked_fixture(tc, load_rows, free_rows);
    tcase_add_test(tc, test_pieces);
    tcase_add_test(tc, test_prefixes);
    tcase_add_test(tc, test_damage);
    tcase_add_test(tc, test_no_memory);
    tcase_add_test(tc, test_input_error);
    tcase_add_test(tc, test_close_early);
    tcase_add_test(tc, test_sniff);
    tcase_add_test(tc, test_sniff_pickles);
    tcase_add_test(tc, test_features);
    tcase_add_test(tc, test_not_built_in);
    tcase_add_test(tc, test_message);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
