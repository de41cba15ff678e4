/* compressor.c - a codec's writer as a sink: pickle_compressor_new and its kin. */
#include "file/compressor.h"

#include <errno.h>

bool pickle__compressor_init(pickle_compressor *c, const pickle_compression *how, pickle_sink out,
                             const pickle_alloc *alloc, pickle_error *err)
{
    *c = (pickle_compressor){ .out = out };
    if (alloc) {
        c->own_alloc = *alloc;
        c->alloc = &c->own_alloc;
    }
    if (!how || how->codec == PICKLE_CODEC_AUTO || how->codec == PICKLE_CODEC_NONE)
        return true;
    c->writer = pickle__codec_writer(how, out, c->alloc, err);
    return c->writer != NULL;
}

void pickle__compressor_clear(pickle_compressor *c)
{
    if (c->writer)
        c->writer->close(c->writer);
    c->writer = NULL;
}

pickle_compressor *pickle_compressor_new(const pickle_compression *how, pickle_sink out,
                                         const pickle_alloc *alloc, pickle_error *err)
{
    pickle_compressor *c = pickle__alloc(alloc, sizeof *c);

    if (!c) {
        pickle__no_memory(err, 0);
        return NULL;
    }
    if (!pickle__compressor_init(c, how, out, alloc, err)) {
        pickle__free(alloc, c, sizeof *c);
        return NULL;
    }
    return c;
}

static bool compress(void *ctx, const void *data, size_t len)
{
    pickle_compressor *c = ctx;

    if (c->failed.code != PICKLE_OK)
        return false;
    if (c->writer->write(c->writer, data, len, &c->failed)) {
        c->taken += len;
        return true;
    }
    c->failed.offset = c->taken;
    errno = c->failed.sys;
    return false;
}

pickle_sink pickle_compressor_sink(pickle_compressor *c)
{
    return c->writer ? (pickle_sink){ compress, c } : c->out;
}

bool pickle_compressor_finish(pickle_compressor *c, pickle_error *err)
{
    if (c->writer && c->failed.code == PICKLE_OK && !c->writer->finish(c->writer, &c->failed))
        c->failed.offset = c->taken;
    if (c->failed.code != PICKLE_OK && err)
        *err = c->failed;
    return c->failed.code == PICKLE_OK;
}

void pickle_compressor_free(pickle_compressor *c)
{
    pickle_alloc alloc;

    if (!c)
        return;
    pickle__compressor_clear(c);
    alloc = c->own_alloc;
    pickle__free(c->alloc ? &alloc : NULL, c, sizeof *c);
}
