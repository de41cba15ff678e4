/* compressor.h - a sink that compresses, in the memory of who uses it. */
#ifndef PICKLE__COMPRESSOR_H
#define PICKLE__COMPRESSOR_H

#include "codec/codec.h"

#include <pickle/write.h>

struct pickle_compressor {
    pickle_sink out;
    pickle__writer *writer; /* NULL: nothing is compressed */
    uint64_t taken;         /* bytes                       */
    pickle_error failed;    /* the first failure; code PICKLE_OK: none */
    const pickle_alloc *alloc;
    pickle_alloc own_alloc; /* `alloc` points here, unless it is NULL */
};

/* False: there is no such codec in this build, no such level, or no memory. */
bool pickle__compressor_init(pickle_compressor *c, const pickle_compression *how, pickle_sink out,
                             const pickle_alloc *alloc, pickle_error *err);
void pickle__compressor_clear(pickle_compressor *c);

#endif
