/* pickler.h - from a graph to a stream of opcodes: what file/write.c needs of this layer. */
#ifndef PICKLE__PICKLER_H
#define PICKLE__PICKLER_H

#include "graph/doc.h"

#include <pickle/write.h>

/*
 * Write the document's root to `out`, uncompressed. `opts` has all members of
 * this version, and a format that is not PICKLE_FORMAT_AUTO; the rest of what
 * is left to the document is found out here.
 */
bool pickle__save(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *opts,
                  pickle_error *err);

#endif
