/*
 * test_emit.c - the emitter, and pickle_optimize: byte for byte what CPython writes; what a
 * protocol does not have; sinks and allocators that fail.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pickle/pickle.h>

#include "files.h"
#include "sha256.h"
#include "table.h"
#include "testmem.h"

/* ------------------------------------------------------------------- sinks */

/* Keeps what it gets, until it refuses; nothing may come after that. */
typedef struct collector {
    pickle_buf buf;
    size_t calls, refuse_at; /* the call that is refused; 0: none */
    bool refused;
} collector;

static bool collect(void *ctx, const void *data, size_t len)
{
    collector *c = ctx;

    ck_assert_msg(!c->refused, "%zu bytes came after a refusal", len);
    if (++c->calls == c->refuse_at) {
        c->refused = true;
        errno = ENOSPC;
        return false;
    }
    return pickle_sink_buf(&c->buf).write(&c->buf, data, len);
}

static pickle_sink collector_sink(collector *c)
{
    return (pickle_sink){ collect, c };
}

/* ----------------------------------------------------------------- scripts */

/* How a script is run; make_emit.py tells its words. */
typedef struct run {
    pickle_emitter *e;
    bool big; /* every int by pickle_emit_bigint */
} run;

static size_t word_length(const char *word)
{
    return strcspn(word, " ");
}

/* "HEX", "N*HEX" or "-", in a block that ends where the bytes do. */
static unsigned char *operand(const char *text, size_t *len)
{
    char *unit;
    size_t count = strtoul(text, &unit, 10), size;
    char hex[1200];
    table part = { .field = { hex } };
    unsigned char *bytes, *all;

    if (*unit == '*')
        text = unit + 1;
    else
        count = 1;
    snprintf(hex, sizeof hex, "%.*s", (int)word_length(text), text);
    ck_assert_uint_lt(strlen(hex), sizeof hex - 1);
    bytes = table_hex(&part, 0, &size);
    *len = count * size;
    all = malloc(*len ? *len : 1);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * size, bytes, size);
    free(bytes);
    return all;
}

/* Minimal two's complement; returns the number of bytes. */
static size_t int_bytes(unsigned char bytes[8], int64_t n)
{
    size_t len = 0;
    int64_t sign = n == 0 ? 0 : 1; /* what is left when there is no more to say: 0 or -1 */

    while (sign != 0 && sign != -1) {
        bytes[len] = (unsigned char)((uint64_t)n >> (8 * len));
        len++;
        sign = len == 8 ? 0 : n >> (8 * len - 1);
    }
    return len;
}

static void run_int(const run *r, const char *text)
{
    int64_t n = strtoll(text, NULL, 10);
    unsigned char bytes[8];

    if (r->big)
        pickle_emit_bigint(r->e, bytes, int_bytes(bytes, n));
    else
        pickle_emit_int(r->e, n);
}

static void run_float(const run *r, const char *text)
{
    uint64_t bits = strtoull(text, NULL, 16);
    double x;

    memcpy(&x, &bits, sizeof x);
    pickle_emit_float(r->e, x);
}

/* The words with bytes. */
static void run_bytes(const run *r, char kind, const char *text)
{
    size_t len;
    unsigned char *data = operand(text, &len);

    switch (kind) {
    case 'L':
        pickle_emit_bigint(r->e, data, len);
        break;
    case 's':
        pickle_emit_str(r->e, (const char *)data, len);
        break;
    case 'b':
        pickle_emit_bytes(r->e, data, len);
        break;
    case 'a':
        pickle_emit_bytearray(r->e, data, len);
        break;
    case 'u':
        pickle_emit_py2_str(r->e, data, len);
        break;
    default:
        pickle_emit_raw(r->e, data, len);
    }
    free(data);
}

static void run_names(const run *r, const char *word)
{
    char kind[16], first[400], second[400] = "";

    ck_assert_int_ge(sscanf(word, "%15[^:]:%399[^: ]:%399[^: ]", kind, first, second), 2);
    if (strcmp(kind, "global") == 0)
        pickle_emit_global(r->e, first, second);
    else if (strcmp(kind, "inst") == 0)
        pickle_emit_inst(r->e, first, second);
    else if (strcmp(kind, "persid") == 0)
        pickle_emit_persid(r->e, first);
    else if (strcmp(kind, "ext") == 0)
        pickle_emit_ext(r->e, (int32_t)atol(first));
    else if (strcmp(kind, "get") == 0)
        pickle_emit_get(r->e, strtoull(first, NULL, 10));
    else
        ck_abort_msg("no such word: %.40s", word);
}

static bool is(const char *word, const char *name)
{
    return word_length(word) == strlen(name) && strncmp(word, name, strlen(name)) == 0;
}

static void run_opcode(const run *r, const char *word)
{
    for (int code = 0; code < 256; code++) {
        const pickle_op_info *info = pickle_op_info_of((uint8_t)code);

        if (info && is(word, info->name)) {
            pickle_emit_op(r->e, (pickle_opcode)code);
            return;
        }
    }
    ck_abort_msg("no such opcode: %.40s", word);
}

static void run_plain(const run *r, const char *word)
{
    if (is(word, "none"))
        pickle_emit_none(r->e);
    else if (is(word, "true") || is(word, "false"))
        pickle_emit_bool(r->e, *word == 't');
    else if (is(word, "put"))
        pickle_emit_put(r->e);
    else if (is(word, "buffer") || is(word, "readonly"))
        pickle_emit_buffer(r->e, *word == 'r');
    else if (is(word, "boundary"))
        pickle_emit_boundary(r->e);
    else
        run_opcode(r, word);
}

static void run_word(const run *r, const char *word)
{
    const char *colon = memchr(word, ':', word_length(word));

    if (!colon)
        run_plain(r, word);
    else if (*word == 'i' && word[1] == ':')
        run_int(r, colon + 1);
    else if (*word == 'f')
        run_float(r, colon + 1);
    else if (strchr("Lsbau", *word) || strncmp(word, "raw", 3) == 0)
        run_bytes(r, *word, colon + 1);
    else
        run_names(r, word);
}

/* Up to the ")" that ends the group, or the end; returns what follows. */
static const char *run_words(const run *r, const char *at)
{
    while (*at && *at != ')') {
        char *paren;
        unsigned long count = strtoul(at, &paren, 10);

        if (*paren == '(' && paren != at) {
            const char *after = at;

            while (count-- > 0)
                after = run_words(r, paren + 2);
            at = after;
        } else {
            run_word(r, at);
            at += word_length(at);
        }
        at += *at == ' ';
    }
    return *at == ')' ? at + 1 : at;
}

static bool run_script(pickle_sink out, const pickle_alloc *alloc, int protocol, const char *script,
                       bool big, pickle_error *err)
{
    run r = { pickle_emitter_new(out, protocol, alloc), big };

    if (r.e)
        run_words(&r, script);
    return pickle_emitter_finish(r.e, err);
}

/* The bytes as the table has them. */
static void check_expected(const table *t, const void *data, size_t len)
{
    const char *want = t->field[2];
    char digest[65];
    size_t size;

    if (strchr(want, ':')) {
        sha256_hex(digest, data, len);
        ck_assert_msg(strtoul(want, NULL, 10) == len && strcmp(strchr(want, ':') + 1, digest) == 0,
                      "%s:%d: %zu bytes, not these %.12s: %.60s", t->name, t->row, len, want,
                      t->field[1]);
    } else {
        unsigned char *bytes = table_hex(t, 2, &size);

        ck_assert_msg(size == len && memcmp(bytes, data, len) == 0,
                      "%s:%d: %zu bytes, not %s: %.60s", t->name, t->row, len, want, t->field[1]);
        free(bytes);
    }
}

static bool is_script(const table *t)
{
    return strcmp(t->field[1], "optimize") != 0;
}

/* --------------------------------------------------------------- the bytes */

/* Into memory, behind something else; and to a sink. */
START_TEST(test_bytes)
{
    table t;

    table_open(&t, "emit.tsv");
    while (table_next(&t)) {
        int protocol = atoi(t.field[0]);
        pickle_buf buf = { 0 };
        collector c = { .refuse_at = 0 };
        pickle_error err;

        if (!is_script(&t))
            continue;
        ck_assert(pickle_sink_buf(&buf).write(&buf, "before", 6));
        ck_assert(run_script(pickle_sink_buf(&buf), NULL, protocol, t.field[1], false, &err));
        ck_assert_mem_eq(buf.data, "before", 6);
        check_expected(&t, buf.data + 6, buf.len - 6);
        ck_assert(run_script(collector_sink(&c), NULL, protocol, t.field[1], true, &err));
        check_expected(&t, c.buf.data, c.buf.len);
        pickle_buf_free(&buf);
        pickle_buf_free(&c.buf);
    }
}
END_TEST

/* What a list of a key each says. */
START_TEST(test_keys_and_offsets)
{
    for (int protocol = 0; protocol <= 5; protocol++) {
        pickle_buf buf = { 0 };
        pickle_emitter *e = pickle_emitter_new(pickle_sink_buf(&buf), protocol, NULL);
        uint64_t end;

        ck_assert_uint_eq(pickle_emitter_offset(e), 0);
        for (int pickles = 0; pickles < 2; pickles++) {
            uint64_t offset = pickle_emitter_offset(e);

            for (uint64_t key = 0; key < 300; key++) {
                pickle_emit_none(e);
                ck_assert_uint_eq(pickle_emit_put(e), key);
                ck_assert_uint_gt(pickle_emitter_offset(e), offset);
                offset = pickle_emitter_offset(e);
            }
            pickle_emit_op(e, PICKLE_OP_STOP);
        }
        end = pickle_emitter_offset(e);
        ck_assert(pickle_emitter_finish(e, NULL));
        ck_assert_uint_eq(end, buf.len);
        pickle_buf_free(&buf);
    }
}
END_TEST

/* An opcode MEMOIZE takes a key too. */
START_TEST(test_memoize)
{
    pickle_buf buf = { 0 };
    pickle_emitter *e = pickle_emitter_new(pickle_sink_buf(&buf), 4, NULL);

    pickle_emit_none(e);
    pickle_emit_op(e, PICKLE_OP_MEMOIZE);
    ck_assert_uint_eq(pickle_emit_put(e), 1);
    pickle_emit_op(e, PICKLE_OP_STOP);
    ck_assert(pickle_emitter_finish(e, NULL));
    ck_assert_mem_eq(buf.data, "\x80\x04\x95\x04\0\0\0\0\0\0\0N\x94\x94.", buf.len);
    pickle_buf_free(&buf);
}
END_TEST

#if SIZE_MAX > UINT32_MAX
#define HUGE_SIZE (((size_t)1 << 32) + 16)

/* Remembers the start alone. */
typedef struct start {
    unsigned char bytes[16];
    size_t len;
} start;

static bool keep_start(void *ctx, const void *data, size_t len)
{
    start *s = ctx;

    if (s->len < sizeof s->bytes)
        memcpy(s->bytes + s->len, data,
               len < sizeof s->bytes - s->len ? len : sizeof s->bytes - s->len);
    s->len += len;
    return true;
}

/* An operand of more than 4 GiB, of which nobody looks at much, so that it takes no memory. */
static void check_huge(int protocol, char kind, const void *want)
{
    void *data = mmap(NULL, HUGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    start s = { .len = 0 };
    pickle_emitter *e = pickle_emitter_new((pickle_sink){ keep_start, &s }, protocol, NULL);
    pickle_error err;

    ck_assert_ptr_ne(data, MAP_FAILED);
    if (kind == 's')
        pickle_emit_str(e, data, HUGE_SIZE);
    else if (kind == 'b')
        pickle_emit_bytes(e, data, HUGE_SIZE);
    else if (kind == 'a')
        pickle_emit_bytearray(e, data, HUGE_SIZE);
    else if (kind == 'u')
        pickle_emit_py2_str(e, data, HUGE_SIZE);
    else
        pickle_emit_bigint(e, data, HUGE_SIZE);
    pickle_emit_op(e, PICKLE_OP_STOP);
    ck_assert_int_eq(pickle_emitter_finish(e, &err), want != NULL);
    if (want) {
        ck_assert_mem_eq(s.bytes, want, 11);
        ck_assert_uint_eq(s.len, 11 + HUGE_SIZE + 1);
    } else {
        ck_assert_int_eq(err.code, PICKLE_ERR_UNSUPPORTED);
    }
    munmap(data, HUGE_SIZE);
}

/* Lengths of eight bytes, where the protocol has them. */
START_TEST(test_huge)
{
    check_huge(4, 's', "\x80\x04\x8d\x10\0\0\0\1\0\0\0");
    check_huge(4, 'b', "\x80\x04\x8e\x10\0\0\0\1\0\0\0");
    check_huge(5, 'a', "\x80\x05\x96\x10\0\0\0\1\0\0\0");
    check_huge(1, 's', NULL);
    check_huge(3, 's', NULL);
    check_huge(3, 'b', NULL);
    check_huge(1, 'u', NULL);
    check_huge(2, 'u', NULL);
    check_huge(2, 'L', NULL);
    check_huge(5, 'L', NULL);
}
END_TEST
#endif

/* ---------------------------------------------------------------- refusals */

static const char large[500000];

/* Something is written, `step` fails, and all that comes then is for nothing. */
static void check_refused(int protocol, void (*step)(pickle_emitter *e, int n), int n,
                          pickle_status code)
{
    pickle_buf buf = { 0 };
    collector c = { .refuse_at = 0 };

    ck_assert(pickle_sink_buf(&buf).write(&buf, "before", 6));
    for (int to_sink = 0; to_sink < 2; to_sink++) {
        pickle_emitter *e = pickle_emitter_new(to_sink ? collector_sink(&c) : pickle_sink_buf(&buf),
                                               protocol, NULL);
        pickle_error err;

        pickle_emit_op(e, PICKLE_OP_MARK);
        step(e, n);
        for (int i = 0; i < 100; i++)
            pickle_emit_float(e, 0.5);
        pickle_emit_str(e, large, sizeof large);
        pickle_emit_ext(e, -1); /* another failure: the first one stays */
        pickle_emit_op(e, PICKLE_OP_STOP);
        ck_assert(!pickle_emitter_finish(e, &err));
        ck_assert_msg(err.code == code, "protocol %d, %d: %s: %s", protocol, n,
                      pickle_status_name(err.code), err.message);
        ck_assert_str_ne(err.message, "");
    }
    ck_assert_uint_eq(buf.len, 6);
    ck_assert_uint_eq(c.buf.len, 0);
    pickle_buf_free(&buf);
    pickle_buf_free(&c.buf);
}

/* A step that is fine. */
static void check_taken(int protocol, void (*step)(pickle_emitter *e, int n), int n)
{
    pickle_buf buf = { 0 };
    pickle_emitter *e = pickle_emitter_new(pickle_sink_buf(&buf), protocol, NULL);
    pickle_error err;

    step(e, n);
    pickle_emit_op(e, PICKLE_OP_STOP);
    ck_assert_msg(pickle_emitter_finish(e, &err), "protocol %d, %d: %s", protocol, n, err.message);
    pickle_buf_free(&buf);
}

static void step_op(pickle_emitter *e, int code)
{
    pickle_emit_op(e, (pickle_opcode)code);
}

START_TEST(test_opcodes)
{
    for (int protocol = 0; protocol <= 5; protocol++) {
        for (int code = 0; code < 256; code++) {
            const pickle_op_info *info = pickle_op_info_of((uint8_t)code);

            if (!info || info->operand != PICKLE_ARG_NONE)
                check_refused(protocol, step_op, code, PICKLE_ERR_ARG);
            else if (info->proto > protocol)
                check_refused(protocol, step_op, code, PICKLE_ERR_UNSUPPORTED);
            else
                check_taken(protocol, step_op, code);
        }
    }
}
END_TEST

enum { BYTES, LONG_BYTES, BYTEARRAY, BUFFER, PY2_STR, LONG_PY2_STR, EXT, LONG_EXT, STEPS };

static void step_value(pickle_emitter *e, int n)
{
    static const unsigned char data[300];

    switch (n) {
    case BYTES:
    case LONG_BYTES:
        pickle_emit_bytes(e, data, n == BYTES ? 0 : sizeof data);
        break;
    case BYTEARRAY:
        pickle_emit_bytearray(e, data, sizeof data);
        break;
    case BUFFER:
        pickle_emit_buffer(e, true);
        break;
    case PY2_STR:
    case LONG_PY2_STR:
        pickle_emit_py2_str(e, data, n == PY2_STR ? 0 : sizeof data);
        break;
    default:
        pickle_emit_ext(e, n == EXT ? 1 : INT32_MAX);
    }
}

START_TEST(test_values)
{
    static const struct {
        int first, last; /* the protocols that have it */
    } has[STEPS] = { [BYTES] = { 3, 5 },  [LONG_BYTES] = { 3, 5 }, [BYTEARRAY] = { 5, 5 },
                     [BUFFER] = { 5, 5 }, [PY2_STR] = { 0, 2 },    [LONG_PY2_STR] = { 0, 2 },
                     [EXT] = { 2, 5 },    [LONG_EXT] = { 2, 5 } };

    for (int protocol = 0; protocol <= 5; protocol++)
        for (int n = 0; n < STEPS; n++)
            if (protocol < has[n].first || protocol > has[n].last)
                check_refused(protocol, step_value, n, PICKLE_ERR_UNSUPPORTED);
            else
                check_taken(protocol, step_value, n);
}
END_TEST

static void step_ext(pickle_emitter *e, int code)
{
    pickle_emit_ext(e, code);
}

static void step_line_feed(pickle_emitter *e, int n)
{
    if (n < 2)
        pickle_emit_global(e, n == 0 ? "a\nb" : "a", n == 1 ? "b\n" : "b");
    else if (n < 4)
        pickle_emit_inst(e, n == 2 ? "\na" : "a", n == 3 ? "b\nc" : "b");
    else
        pickle_emit_persid(e, "1\n2");
}

/* What Python reads as ASCII, and GLOBAL before it was UTF-8. */
static void step_not_ascii(pickle_emitter *e, int n)
{
    if (n < 2)
        pickle_emit_inst(e, n == 0 ? "\xc3\xa9" : "a", n == 1 ? "b\xc3\xa9" : "b");
    else if (n == 2)
        pickle_emit_persid(e, "\xc3\xa9");
    else
        pickle_emit_global(e, n == 3 ? "\xc3\xa9" : "a", n == 4 ? "b\xc3\xa9" : "b");
}

/* The memo's keys have 32 bits from protocol 1 on. */
static void step_get(pickle_emitter *e, int n)
{
    pickle_emit_get(e, (uint64_t)UINT32_MAX + (uint64_t)n);
}

START_TEST(test_operands)
{
    for (int protocol = 0; protocol <= 5; protocol++) {
        check_refused(protocol, step_ext, 0, PICKLE_ERR_ARG);
        check_refused(protocol, step_ext, -1, PICKLE_ERR_ARG);
        check_refused(protocol, step_ext, INT32_MIN, PICKLE_ERR_ARG);
        for (int n = 0; n < 5; n++)
            check_refused(protocol, step_line_feed, n, PICKLE_ERR_UNSUPPORTED);
        for (int n = 0; n < 3; n++)
            check_refused(protocol, step_not_ascii, n, PICKLE_ERR_UNSUPPORTED);
        for (int n = 3; n < 5; n++)
            if (protocol < 3)
                check_refused(protocol, step_not_ascii, n, PICKLE_ERR_UNSUPPORTED);
            else
                check_taken(protocol, step_not_ascii, n);
        check_taken(protocol, step_get, 0);
        if (protocol > 0)
            check_refused(protocol, step_get, 1, PICKLE_ERR_UNSUPPORTED);
    }
}
END_TEST

START_TEST(test_no_emitter)
{
    pickle_buf buf = { 0 };
    pickle_error err;
    memory m;

    memory_init(&m, 1);
    ck_assert_ptr_null(pickle_emitter_new(pickle_sink_buf(&buf), -1, NULL));
    ck_assert_ptr_null(pickle_emitter_new(pickle_sink_buf(&buf), 6, NULL));
    ck_assert_ptr_null(pickle_emitter_new(pickle_sink_buf(&buf), 4, &m.alloc));
    ck_assert(!pickle_emitter_finish(NULL, NULL));
    ck_assert(!pickle_emitter_finish(NULL, &err));
    ck_assert_uint_ge(err.code, PICKLE_ERR_ARG);
    ck_assert_uint_eq(buf.len, 0);
    pickle_buf_free(&buf);
}
END_TEST

/* The first pickle of the two, or the second, has no STOP; nothing at all is fine. */
START_TEST(test_no_stop)
{
    for (int protocol = 0; protocol <= 5; protocol++) {
        for (int stops = 0; stops < 2; stops++) {
            pickle_buf buf = { 0 };
            pickle_emitter *e = pickle_emitter_new(pickle_sink_buf(&buf), protocol, NULL);
            pickle_error err;

            pickle_emit_none(e);
            if (stops) {
                pickle_emit_op(e, PICKLE_OP_STOP);
                pickle_emit_int(e, 1);
            }
            ck_assert(!pickle_emitter_finish(e, &err));
            ck_assert_int_eq(err.code, PICKLE_ERR_ARG);
            ck_assert_str_eq(err.message, "the pickle has no STOP");
            ck_assert_uint_eq(buf.len, 0);
            ck_assert(pickle_emitter_finish(
                pickle_emitter_new(pickle_sink_buf(&buf), protocol, NULL), NULL));
            ck_assert_uint_eq(buf.len, 0);
            pickle_buf_free(&buf);
        }
    }
}
END_TEST

/* --------------------------------------------------- what fails on the way */

/* All that grows, flushes and allocates; for protocols from 3 on. */
static const char much[] =
    "EMPTY_LIST put MARK 40( s:3000*78 put ) b:100000*79 put 20000( f:3fb999999999999a ) "
    "b:65536*7a 3( s:65535*78 ) L:75000*55 i:7 APPENDS STOP 9000( none POP ) none STOP";
/* For protocols 0 and 1. */
static const char much_text[] =
    "MARK LIST put 300( s:900*c3a9 put APPEND ) L:3000*55 APPEND 9( L:20*55 POP ) "
    "10000( f:3fb999999999999a APPEND ) STOP";

static const char *much_of(int protocol)
{
    return protocol < 3 ? much_text : much;
}

/* What had been written before is the start of what should have been. */
START_TEST(test_sink_refuses)
{
    for (int protocol = 0; protocol <= 5; protocol++) {
        collector whole = { .refuse_at = 0 };
        const char *script = much_of(protocol);

        ck_assert(run_script(collector_sink(&whole), NULL, protocol, script, false, NULL));
        ck_assert_uint_ge(whole.calls, 2);
        for (size_t k = 1; k <= whole.calls; k++) {
            collector c = { .refuse_at = k };
            pickle_error err;

            ck_assert(!run_script(collector_sink(&c), NULL, protocol, script, false, &err));
            ck_assert_int_eq(err.code, PICKLE_ERR_IO);
            ck_assert_int_eq(err.sys, ENOSPC);
            ck_assert_uint_ge(err.offset, c.buf.len);
            ck_assert_uint_lt(c.buf.len, whole.buf.len);
            if (c.buf.len)
                ck_assert(memcmp(c.buf.data, whole.buf.data, c.buf.len) == 0);
            pickle_buf_free(&c.buf);
        }
        pickle_buf_free(&whole.buf);
    }
}
END_TEST

/* Into memory that is not to be had, or through it. */
static bool with_memory(memory *m, int protocol, bool to_buf)
{
    pickle_buf buf = { .alloc = &m->alloc };
    collector c = { .refuse_at = 0 };
    pickle_error err;
    bool ok = run_script(to_buf ? pickle_sink_buf(&buf) : collector_sink(&c),
                         to_buf ? NULL : &m->alloc, protocol, much_of(protocol), false, &err);

    ck_assert_uint_eq(buf.len > 0, ok && to_buf);
    if (!ok)
        ck_assert_int_eq(err.code, PICKLE_ERR_NOMEM);
    pickle_buf_free(&buf);
    pickle_buf_free(&c.buf);
    ck_assert_uint_eq(m->in_use, 0);
    return ok;
}

START_TEST(test_no_memory)
{
    for (int protocol = 0; protocol <= 5; protocol++) {
        for (int to_buf = 0; to_buf < 2; to_buf++) {
            memory m;
            bool ok = false;

            for (size_t k = 1; !ok; k++) {
                memory_init(&m, k);
                ok = with_memory(&m, protocol, to_buf);
                ck_assert(ok || m.calls >= k);
                ck_assert_uint_lt(k, 500);
            }
            ck_assert_uint_ge(m.calls, 2);
        }
    }
}
END_TEST

/* Behind any number of bytes, so that the room that is left differs wherever a frame begins. */
START_TEST(test_room)
{
    collector whole = { .refuse_at = 0 };

    ck_assert(run_script(collector_sink(&whole), NULL, 4, much, false, NULL));
    for (size_t before = 0; before < 150000; before += 1499) {
        memory m;
        pickle_buf buf = { .alloc = &m.alloc };

        memory_init(&m, 0);
        ck_assert(pickle_sink_buf(&buf).write(&buf, large, before));
        ck_assert(run_script(pickle_sink_buf(&buf), NULL, 4, much, false, NULL));
        ck_assert_uint_eq(buf.len, before + whole.buf.len);
        ck_assert(memcmp(buf.data + before, whole.buf.data, whole.buf.len) == 0);
        pickle_buf_free(&buf);
        ck_assert_uint_eq(m.in_use, 0);
    }
    pickle_buf_free(&whole.buf);
}
END_TEST

/* ---------------------------------------------------------------- optimize */

static unsigned char *fixture(const char *name, size_t *size)
{
    char path[4096];
    unsigned char *data;

    snprintf(path, sizeof path, "%s/vectors/emit/%s", files_folder(), name);
    data = files_read(path, size);
    ck_assert_msg(data != NULL, "cannot read %s", path);
    return data;
}

START_TEST(test_optimize)
{
    table t;

    table_open(&t, "emit.tsv");
    while (table_next(&t)) {
        pickle_buf buf = { 0 };
        collector c = { .refuse_at = 0 };
        pickle_error err;
        unsigned char *data;
        size_t size;

        if (is_script(&t))
            continue;
        data = fixture(t.field[0], &size);
        ck_assert(pickle_sink_buf(&buf).write(&buf, "before", 6));
        ck_assert(pickle_optimize(data, size, pickle_sink_buf(&buf), &err));
        ck_assert_mem_eq(buf.data, "before", 6);
        check_expected(&t, buf.data + 6, buf.len - 6);
        ck_assert(pickle_optimize(data, size, collector_sink(&c), NULL));
        check_expected(&t, c.buf.data, c.buf.len);
        pickle_buf_free(&buf);
        pickle_buf_free(&c.buf);
        free(data);
    }
}
END_TEST

/* The first pickle alone, whatever follows it. */
START_TEST(test_optimize_first)
{
    static const char two[] = "\x80\x02]q\0a.\x80\x02]q\0a.";
    pickle_buf buf = { 0 };

    ck_assert(pickle_optimize(two, sizeof two - 1, pickle_sink_buf(&buf), NULL));
    ck_assert_uint_eq(buf.len, 5);
    ck_assert_mem_eq(buf.data, "\x80\x02]a.", 5);
    pickle_buf_free(&buf);
}
END_TEST

static void check_not_optimized(const void *data, size_t size, pickle_status code, uint64_t offset)
{
    unsigned char *exact = malloc(size ? size : 1);
    pickle_buf buf = { 0 };
    pickle_error err;

    memcpy(exact, data, size);
    ck_assert(pickle_sink_buf(&buf).write(&buf, "before", 6));
    ck_assert(!pickle_optimize(exact, size, pickle_sink_buf(&buf), &err));
    ck_assert_msg(err.code == code && err.offset == offset, "%s at %" PRIu64 ", not %s at %" PRIu64,
                  pickle_status_name(err.code), err.offset, pickle_status_name(code), offset);
    ck_assert(!pickle_optimize(exact, size, pickle_sink_buf(&buf), NULL));
    ck_assert_uint_eq(buf.len, 6);
    pickle_buf_free(&buf);
    free(exact);
}

#define NOT_OPTIMIZED(text, code, offset) check_not_optimized(text, sizeof(text) - 1, code, offset)

START_TEST(test_optimize_errors)
{
    NOT_OPTIMIZED("", PICKLE_ERR_TRUNCATED, 0);
    NOT_OPTIMIZED("\x80\x04]\x94", PICKLE_ERR_TRUNCATED, 4);
    NOT_OPTIMIZED("\x80\x04]\xff.", PICKLE_ERR_OPCODE, 3);
    NOT_OPTIMIZED("\x80\x06N.", PICKLE_ERR_OPERAND, 0);
    /* A key that nothing was stored under, or only later. */
    NOT_OPTIMIZED("\x80\x02]h\x05"
                  "a.",
                  PICKLE_ERR_MEMO, 3);
    NOT_OPTIMIZED("\x80\x02]h\0q\0a.", PICKLE_ERR_MEMO, 3);
    NOT_OPTIMIZED("gx\n.", PICKLE_ERR_OPERAND, 0);
    NOT_OPTIMIZED("Npx\n.", PICKLE_ERR_OPERAND, 1);
}
END_TEST

/* Every start of a pickle is an error. */
START_TEST(test_optimize_truncated)
{
    static const char *const names[] = { "rec.p0.c.pkl", "rec.p2.c.pkl", "arr.p4.c.pkl",
                                         "l1001.p4.c.pkl" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size;
        unsigned char *data = fixture(names[i], &size);

        for (size_t len = 0; len < size; len++) {
            pickle_buf buf = { 0 };
            pickle_error err;

            ck_assert(!pickle_optimize(data, len, pickle_sink_buf(&buf), &err));
            ck_assert_int_eq(err.code, PICKLE_ERR_TRUNCATED);
            ck_assert_uint_eq(buf.len, 0);
            pickle_buf_free(&buf);
        }
        free(data);
    }
}
END_TEST

START_TEST(test_optimize_refused)
{
    size_t size;
    unsigned char *data = fixture("str64k.p4.c.pkl", &size);
    collector whole = { .refuse_at = 0 };

    ck_assert(pickle_optimize(data, size, collector_sink(&whole), NULL));
    ck_assert_uint_ge(whole.calls, 1);
    for (size_t k = 1; k <= whole.calls; k++) {
        collector c = { .refuse_at = k };
        pickle_error err;

        ck_assert(!pickle_optimize(data, size, collector_sink(&c), &err));
        ck_assert_int_eq(err.code, PICKLE_ERR_IO);
        ck_assert_int_eq(err.sys, ENOSPC);
        pickle_buf_free(&c.buf);
    }
    pickle_buf_free(&whole.buf);
    free(data);
}
END_TEST

static TCase *emitting(void)
{
    TCase *tc = tcase_create("emitter");

    tcase_add_test(tc, test_bytes);
    tcase_add_test(tc, test_keys_and_offsets);
    tcase_add_test(tc, test_memoize);
#if SIZE_MAX > UINT32_MAX
    tcase_add_test(tc, test_huge);
#endif
    return tc;
}

static TCase *refusing(void)
{
    TCase *tc = tcase_create("refusals");

    tcase_add_test(tc, test_opcodes);
    tcase_add_test(tc, test_values);
    tcase_add_test(tc, test_operands);
    tcase_add_test(tc, test_no_emitter);
    tcase_add_test(tc, test_no_stop);
    tcase_add_test(tc, test_sink_refuses);
    tcase_add_test(tc, test_no_memory);
    tcase_add_test(tc, test_room);
    return tc;
}

static TCase *optimizing(void)
{
    TCase *tc = tcase_create("optimize");

    tcase_add_test(tc, test_optimize);
    tcase_add_test(tc, test_optimize_first);
    tcase_add_test(tc, test_optimize_errors);
    tcase_add_test(tc, test_optimize_truncated);
    tcase_add_test(tc, test_optimize_refused);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("emit");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, emitting());
    suite_add_tcase(suite, refusing());
    suite_add_tcase(suite, optimizing());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
