/* bench_scan.c - nanoseconds per opcode of pickle_skip and of pickle_parser_next. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pickle/opcode.h>

enum { RECORDS = 200000, FIELDS = 6, RECORD_MAX = 256, ROUNDS = 9 };

typedef struct stream {
    unsigned char *data;
    size_t len, opcodes;
} stream;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static unsigned char *op(stream *s, pickle_opcode code, size_t operand)
{
    unsigned char *at = s->data + s->len + 1;

    at[-1] = (unsigned char)code;
    memset(at, 'x', operand);
    s->len += 1 + operand;
    s->opcodes++;
    return at;
}

static void field(stream *s, unsigned key, unsigned kind, unsigned text)
{
    *op(s, PICKLE_OP_BINGET, 1) = (unsigned char)key;
    switch (kind % 4) {
    case 0:
        op(s, PICKLE_OP_BININT1, 1);
        return;
    case 1:
        op(s, PICKLE_OP_BININT2, 2);
        return;
    case 2:
        op(s, PICKLE_OP_BININT, 4);
        return;
    default:
        *op(s, PICKLE_OP_SHORT_BINUNICODE, 1 + text) = (unsigned char)text;
        op(s, PICKLE_OP_MEMOIZE, 0);
    }
}

/* Dicts with short keys from the memo. Mixed: which types follow each other is random. */
static stream make(bool mixed)
{
    stream s = { malloc((size_t)RECORDS * RECORD_MAX), 0, 0 };
    uint64_t random = 1;

    if (!s.data)
        exit(1);
    op(&s, PICKLE_OP_EMPTY_LIST, 0);
    op(&s, PICKLE_OP_MARK, 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        op(&s, PICKLE_OP_EMPTY_DICT, 0);
        op(&s, PICKLE_OP_MEMOIZE, 0);
        op(&s, PICKLE_OP_MARK, 0);
        for (unsigned f = 0; f < FIELDS; f++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            field(&s, f, mixed ? (unsigned)(random >> 40) : f, 4 + (unsigned)(random >> 60));
        }
        op(&s, PICKLE_OP_SETITEMS, 0);
    }
    op(&s, PICKLE_OP_APPENDS, 0);
    op(&s, PICKLE_OP_STOP, 0);
    return s;
}

static bool by_skip(const stream *s)
{
    size_t len;

    return pickle_skip(s->data, s->len, &len, NULL) == PICKLE_OK && len == s->len;
}

static bool by_next(const stream *s)
{
    pickle_parser p;
    pickle_event ev;
    size_t opcodes = 0;

    pickle_parser_init(&p, s->data, s->len);
    while (pickle_parser_next(&p, &ev) == PICKLE_OK)
        opcodes++;
    return opcodes == s->opcodes;
}

static void measure(const char *what, bool (*run)(const stream *), const stream *s)
{
    double best = 1e9;

    for (int i = 0; i < ROUNDS; i++) {
        double t = now();

        if (!run(s))
            exit(1);
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("%-28s %6.2f ns/opcode %8.0f MB/s\n", what, best / (double)s->opcodes * 1e9,
           (double)s->len / best * 1e-6);
}

int main(void)
{
    stream records = make(false), mixed = make(true);

    measure("pickle_skip, records", by_skip, &records);
    measure("pickle_skip, mixed", by_skip, &mixed);
    measure("pickle_parser_next, records", by_next, &records);
    measure("pickle_parser_next, mixed", by_next, &mixed);
    free(records.data);
    free(mixed.data);
    return 0;
}
