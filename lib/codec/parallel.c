/*
 * parallel.c - compressing blocks of the input at the same time: raw deflate,
 * where each block may refer to the 32 KiB before it and ends on a whole byte,
 * so that the blocks joined are one stream; and bz2, where each is a stream.
 *
 * Of two encoders both make the start of a block, and one the rest: the fast one, as long as the
 * stream does not become more than TOLERANCE longer than it would by the other.
 */
#include "codec/encoder.h"

#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL || PICKLE__HAVE_BZIP2

#include <pthread.h>

#define HISTORY_SIZE  ((size_t)32 << 10)  /* as far back as deflate refers */
#define DEFLATE_BLOCK ((size_t)512 << 10) /* beside it, starting a thread is nothing */
#define TRIAL_SIZE    ((size_t)32 << 10)  /* of a block that both encoders make */
#define TOLERANCE     10                  /* percent; trials err by a few */

typedef struct contender {
    const pickle__encoder *encoder; /* NULL: there is none */
    void *state;
    unsigned char *out;
    size_t out_size, out_len;
    size_t tried; /* length of what it made of the start */
    pickle_status status;
} contender;

/* What one thread does. */
typedef struct lane {
    contender usual, fast, *best;
    const unsigned char *in;
    size_t in_len;
    int64_t credit;
    pickle__flush flush;
    pthread_t thread;
    bool threaded;
} lane;

/* As many blocks as there are threads are gathered, compressed, and given out in their order. */
typedef struct parallel {
    const pickle__encoder *encoder, *fast; /* `fast` may be NULL */
    pickle_compression how;
    const pickle_alloc *alloc;
    lane *lanes;
    size_t count;       /* of lanes                                     */
    unsigned char *all; /* HISTORY_SIZE bytes, then the blocks          */
    size_t block_size;
    int64_t credit; /* bytes that the output may grow beyond the usual encoder's */
    size_t filled;  /* of the blocks                                    */
    size_t history; /* bytes known of what came before, 0 or all of it  */
    size_t next;    /* the lane to give out                             */
    size_t used;    /* lanes that have something                        */
    const unsigned char *at;
    size_t left;
    bool ended;
} parallel;

static const pickle__encoder *block_encoder(const pickle_compression *how)
{
#if PICKLE__HAVE_BZIP2
    if (how->codec == PICKLE_CODEC_BZ2)
        return &pickle__bz2_encoder;
#endif
#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL
    return pickle__raw_deflate(how);
#else
    return NULL;
#endif
}

static const pickle__encoder *fast_encoder(const pickle_compression *how)
{
#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL
    if (how->codec != PICKLE_CODEC_BZ2)
        return pickle__fast_deflate(how);
#endif
    return NULL;
}

/* For bz2 what fits one of its own blocks, of 100 to 900 kB, unless runs of bytes make it longer.
 */
static size_t block_size(const pickle_compression *how)
{
    return how->codec == PICKLE_CODEC_BZ2 ? (size_t)how->level * 100000 - 20 : DEFLATE_BLOCK;
}

static size_t input_size(const parallel *p)
{
    return HISTORY_SIZE + p->count * p->block_size;
}

static void free_contender(const parallel *p, contender *c)
{
    if (!c->encoder)
        return;
    pickle__free(p->alloc, c->state, c->encoder->state_size);
    pickle__free(p->alloc, c->out, c->out_size);
}

static bool init_contender(const parallel *p, contender *c, const pickle__encoder *encoder)
{
    c->encoder = encoder;
    if (!encoder)
        return true;
    /* More than any of the encoders makes of what it cannot compress. */
    c->out_size = p->block_size + p->block_size / 2 + 4096;
    c->state = pickle__alloc(p->alloc, encoder->state_size);
    c->out = pickle__alloc(p->alloc, c->out_size);
    return c->state && c->out;
}

static void parallel_finish(void *state)
{
    parallel *p = state;

    for (size_t i = 0; p->lanes && i < p->count; i++) {
        free_contender(p, &p->lanes[i].usual);
        free_contender(p, &p->lanes[i].fast);
    }
    pickle__free(p->alloc, p->lanes, p->count * sizeof *p->lanes);
    pickle__free(p->alloc, p->all, input_size(p));
}

static bool init_lanes(parallel *p)
{
    p->lanes = pickle__alloc(p->alloc, p->count * sizeof *p->lanes);
    p->all = pickle__alloc(p->alloc, input_size(p));
    if (!p->lanes)
        return false;
    memset(p->lanes, 0, p->count * sizeof *p->lanes);
    for (size_t i = 0; i < p->count; i++)
        if (!init_contender(p, &p->lanes[i].usual, p->encoder) ||
            !init_contender(p, &p->lanes[i].fast, p->fast))
            return false;
    return p->all;
}

static bool parallel_start(void *state, const pickle_compression *how, const pickle_alloc *alloc)
{
    parallel *p = state;

    memset(p, 0, sizeof *p);
    p->encoder = block_encoder(how);
    p->fast = fast_encoder(how);
    p->how = *how;
    p->alloc = alloc;
    p->count = how->threads > 1 ? how->threads : 1;
    p->block_size = block_size(how);
    if (init_lanes(p))
        return true;
    parallel_finish(p);
    return false;
}

static void encode(contender *c, const unsigned char *in, size_t len, pickle__flush flush)
{
    pickle__chunk chunk = {
        .in = in, .in_len = len, .out = c->out + c->out_len, .out_len = c->out_size - c->out_len
    };

    do
        c->status = c->encoder->step(c->state, &chunk, flush);
    while (c->status == PICKLE_OK && chunk.out_len > 0);
    c->out_len = c->out_size - chunk.out_len;
}

/* How much the usual encoder would make of what is `len` bytes by the best, and how much longer
 * than that it may be. */
static int64_t allowance(const lane *l, size_t len)
{
    uint64_t usual = (uint64_t)len * l->usual.tried / l->best->tried;

    return (int64_t)(usual + usual * TOLERANCE / 100) - (int64_t)len;
}

/* Both make the first `len` bytes of the block. */
static void try_both(lane *l, size_t len)
{
    pickle__flush flush = len == l->in_len ? l->flush : PICKLE__SYNC;
    size_t times = len > 0 ? l->in_len / len : 1;

    encode(&l->usual, l->in, len, flush);
    encode(&l->fast, l->in, len, flush);
    l->usual.tried = l->usual.out_len;
    l->fast.tried = l->fast.out_len;
    l->best = &l->fast;
    if (l->fast.status != PICKLE_END || allowance(l, l->fast.tried * times) + l->credit < 0)
        l->best = &l->usual;
}

static void *run_lane(void *arg)
{
    lane *l = arg;
    size_t tried = 0;

    if (l->fast.encoder) {
        tried = l->in_len < TRIAL_SIZE ? l->in_len : TRIAL_SIZE;
        try_both(l, tried);
        if (tried == l->in_len || l->best->status != PICKLE_END)
            return NULL;
    }
    encode(l->best, l->in + tried, l->in_len - tried, l->flush);
    return NULL;
}

static bool start(const parallel *p, contender *c, const unsigned char *in, size_t before)
{
    if (!c->encoder)
        return true;
    c->out_len = 0;
    c->status = PICKLE_OK;
    if (!c->encoder->start(c->state, &p->how, p->alloc))
        return false;
    if (c->encoder->prime && before > 0)
        c->encoder->prime(c->state, in - before, before);
    return true;
}

static void finish(contender *c)
{
    if (c->encoder)
        c->encoder->finish(c->state);
}

/* The allocator is only used by the calling thread: encoders allocate when they start. */
static bool prepare_lane(parallel *p, size_t i, bool last)
{
    size_t before = i > 0 ? HISTORY_SIZE : p->history;
    size_t from = i * p->block_size, left = p->filled - from;
    lane *l = &p->lanes[i];

    l->in = p->all + HISTORY_SIZE + from;
    l->in_len = left < p->block_size ? left : p->block_size;
    last = last && left <= p->block_size;
    l->flush = last || !p->encoder->prime ? PICKLE__LAST : PICKLE__SYNC;
    l->best = &l->usual;
    l->credit = p->credit / (int64_t)p->count;
    if (!start(p, &l->usual, l->in, before))
        return false;
    if (start(p, &l->fast, l->in, before))
        return true;
    finish(&l->usual);
    return false;
}

static void run_lanes(lane *lanes, size_t n)
{
    for (size_t i = 1; i < n; i++)
        lanes[i].threaded = pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]) == 0;
    for (size_t i = 0; i < n; i++)
        if (!lanes[i].threaded)
            run_lane(&lanes[i]);
    for (size_t i = 1; i < n; i++)
        if (lanes[i].threaded)
            pthread_join(lanes[i].thread, NULL);
}

/* Whether it was run, and went well. */
static bool end_lane(parallel *p, lane *l)
{
    finish(&l->usual);
    finish(&l->fast);
    if (l->best->status != PICKLE_END)
        return false;
    if (p->fast)
        p->credit += allowance(l, l->best->out_len);
    return true;
}

/* Compresses what was gathered: at least one block, which is empty where the whole input is. */
static pickle_status run_window(parallel *p, bool last)
{
    size_t n = p->filled > 0 ? (p->filled + p->block_size - 1) / p->block_size : 1;
    pickle_status status = PICKLE_OK;
    size_t ready = 0;

    while (ready < n && prepare_lane(p, ready, last))
        ready++;
    if (ready == n)
        run_lanes(p->lanes, n);
    for (size_t i = 0; i < ready; i++)
        if (!end_lane(p, &p->lanes[i]))
            status = PICKLE_ERR_CODEC;
    if (ready < n)
        return PICKLE_ERR_NOMEM;
    memmove(p->all, p->all + p->filled, HISTORY_SIZE);
    p->history = HISTORY_SIZE;
    p->filled = 0;
    p->next = 0;
    p->used = n;
    p->ended = last;
    return status;
}

/* Gives out what is ready; false when there was no room for all of it. */
static bool give_out(parallel *p, pickle__chunk *chunk)
{
    for (;;) {
        pickle__drain(&p->at, &p->left, chunk);
        if (p->left > 0)
            return false;
        if (p->next == p->used)
            return true;
        p->at = p->lanes[p->next].best->out;
        p->left = p->lanes[p->next].best->out_len;
        p->next++;
    }
}

static pickle_status parallel_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    parallel *p = state;
    size_t room = p->count * p->block_size - p->filled;
    size_t n = chunk->in_len < room ? chunk->in_len : room;

    if (!give_out(p, chunk))
        return PICKLE_OK;
    if (p->ended)
        return PICKLE_END;
    if (n > 0)
        memcpy(p->all + HISTORY_SIZE + p->filled, chunk->in, n);
    p->filled += n;
    chunk->in += n;
    chunk->in_len -= n;
    /* A full window waits for what follows, to know whether it is the last. */
    if (chunk->in_len > 0)
        return run_window(p, false);
    return flush == PICKLE__LAST ? run_window(p, true) : PICKLE_OK;
}

const pickle__encoder pickle__parallel_encoder = { sizeof(parallel), parallel_start, parallel_step,
                                                   parallel_finish, NULL };

#endif
