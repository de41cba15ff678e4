/*
 * pickle/write.h - write documents as pickle or joblib files.
 *
 * A document that was read is written again byte for byte, if CPython's or
 * joblib's pickler wrote it and no option asks for something else. With another
 * protocol or container the file is what CPython and joblib would write for
 * the same object, where that can be known without running anything. Facts: CPython's _pickle.c and
 * pickle.py, joblib's numpy_pickle.py.
 *
 * What a class does in __reduce_ex__ for another protocol only Python knows:
 * such objects (array.array, children of int or tuple) stay what they were read
 * as, and load the same. In protocols 0 and 1 an instance is
 * copyreg._reconstructor(cls, object, None), as in CPython; but an instance of a child of list or
 * dict that has no items does not show that it is one, and Python will not load it from there.
 *
 * Thread safety: several threads may write one document at once; each call is
 * for one.
 */
#ifndef PICKLE_WRITE_H
#define PICKLE_WRITE_H

#include <pickle/codec.h>
#include <pickle/doc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whose habits are followed where writers differ and the values are the same. */
typedef enum pickle_flavor {
    PICKLE_FLAVOR_AUTO =
        0,                /* as the document was written, else FLAVOR_C (FLAVOR_PYTHON in joblib) */
    PICKLE_FLAVOR_C,      /* pickle.dump of CPython 3.7 and later                              */
    PICKLE_FLAVOR_PYTHON, /* pickle.py's pickler: other batches. joblib's and dill's        */
    PICKLE_FLAVOR_C36,    /* CPython 3.4 to 3.6: long data in frames, short frames             */
    PICKLE_FLAVOR_PYTHON36, /* likewise                                                          */
    PICKLE_FLAVOR_PY2,      /* pickle.py of Python 2: str is written as such                     */
    PICKLE_FLAVOR_CPICKLE2  /* cPickle of Python 2: likewise, memo keys from 1                */
} pickle_flavor;

typedef enum pickle_format {
    PICKLE_FORMAT_AUTO = 0, /* as the document was read; else by the path: .joblib, or pickle */
    PICKLE_FORMAT_PICKLE,
    PICKLE_FORMAT_JOBLIB
} pickle_format;

#define PICKLE_PROTOCOL_0 (-1) /* as 0 itself is the default */

typedef struct pickle_write_opts {
    size_t struct_size; /* set by pickle_write_opts() */
    const pickle_alloc *alloc;
    /* 1 to 5, or PICKLE_PROTOCOL_0. 0: the document's own, and 4 for one that was made in C. */
    int protocol;
    pickle_format format;
    pickle_flavor flavor;
    pickle_compression compression;
    /* joblib's layout: 10, 12 or 15 for that of joblib 0.10, 1.2 (aligned arrays) and 1.5 (arrays
     * of objects by protocol 5). 0: the document's own, else 15. */
    int joblib;
    /* Modules of arrays that are pickled anew: 1 for numpy.core, 2 for numpy._core. 0: as elsewhere
     * in the document, else 1, which numpy 2 reads too. */
    int numpy;
    /* Do not map names to Python 2's (`__builtin__.unicode`) below protocol 3: fix_imports=False.
     */
    bool no_fix_imports;
    /* As pickletools.optimize: no memo entries that are never used. */
    bool optimize;

    /*
     * Hooks; each may be NULL. on_buffer is pickle's buffer_callback, with protocol
     * 5: true when the buffer was taken, and stays out of the pickle; its data
     * are the document's. on_progress is told about bytes before compression, with
     * `total` 0; false cancels.
     */
    bool (*on_buffer)(void *ctx, const pickle_buffer *buffer);
    bool (*on_progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
} pickle_write_opts;

/* Named arguments: pickle_write_opts(.protocol = 2, .compression = { PICKLE_CODEC_GZIP, 3 }). */
#ifndef __cplusplus
#define pickle_write_opts(...) \
    (&(const pickle_write_opts){ .struct_size = sizeof(pickle_write_opts), __VA_ARGS__ })
#endif

/*
 * Write the document's root. `opts` may be NULL for the defaults, `err` may be
 * NULL. An error names the value by its path: "at steps[1][1].coef_: ...". In
 * `err`, `offset` counts bytes written before compression.
 *
 *   PICKLE_ERR_UNSUPPORTED  the protocol or the container cannot hold the value
 *   PICKLE_ERR_IO           the sink refused; errno in `sys`
 *   PICKLE_ERR_NOMEM, PICKLE_ERR_CANCELED, PICKLE_ERR_ARG
 *   what a constructor failed with
 *
 * Arrays go from the document to the sink without a copy. What was read from a
 * compressed file is compressed with its codec again; pickle_find_compression knows how to
 * get the same bytes.
 */
PICKLE_API bool pickle_write(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *opts,
                             pickle_error *err);
/* Append to `buf`; on failure its length is what it was. */
PICKLE_API bool pickle_write_buf(const pickle_doc *doc, pickle_buf *buf,
                                 const pickle_write_opts *opts, pickle_error *err);
/* To a descriptor, which stays open. */
PICKLE_API bool pickle_write_fd(const pickle_doc *doc, int fd, const pickle_write_opts *opts,
                                pickle_error *err);
/*
 * Write to a file as pickle_file_open has it: who reads sees the old file or the
 * whole new one, and a failure leaves the old one. A document that was made in
 * C becomes joblib or pickle, compressed or not, by the ending of the path; one
 * that was read stays what it was, unless the ending names a codec (see
 * pickle_codec_from_path). Options go before both.
 */
PICKLE_API bool pickle_write_file(const pickle_doc *doc, const char *path,
                                  const pickle_write_opts *opts, pickle_error *err);

/* ------------------------------------------------------------------- parts */

/*
 * What pickle_write_file is made of, for files of several pickles, and of anything else:
 *
 *     pickle_file *file = pickle_file_open("log.pkl.gz", NULL, &err);
 *     pickle_compressor *gzip = pickle_compressor_new(&how, pickle_file_sink(file), NULL, &err);
 *
 *     ... pickle_write(doc, pickle_compressor_sink(gzip), &plain, &err) ...
 *     ok = ok && pickle_compressor_finish(gzip, &err);
 *     pickle_compressor_free(gzip);
 *     if (ok)
 *         ok = pickle_file_commit(file, &err);
 *     else
 *         pickle_file_discard(file);
 *
 * where `plain` has .compression.codec = PICKLE_CODEC_NONE.
 */

/*
 * A file in the making. It stands beside `path` under a hidden name until it is
 * renamed. An existing file's permissions are kept, and its owner and group as
 * far as one may; one that may not be written to is not replaced. A symbolic
 * link stays one: what it leads to is replaced. What is no regular file (a
 * pipe, /dev/null), and what stands for a descriptor (/dev/stdout), is written to at
 * once. Nothing is forced to the disk: a crash of the machine soon after the
 * rename may lose what was written.
 */
typedef struct pickle_file pickle_file;

/* NULL: PICKLE_ERR_IO, with errno in `sys`; PICKLE_ERR_NOMEM. */
PICKLE_API pickle_file *pickle_file_open(const char *path, const pickle_alloc *alloc,
                                         pickle_error *err);
PICKLE_API pickle_sink pickle_file_sink(pickle_file *file);
/* Put it in its place, and free it. False: it cannot be, or some write has failed before; the old
 * file is still there, and nothing else is. */
PICKLE_API bool pickle_file_commit(pickle_file *file, pickle_error *err);
/* Take it away, and free it; NULL is fine. */
PICKLE_API void pickle_file_discard(pickle_file *file);

/* A compressed stream into a sink. */
typedef struct pickle_compressor pickle_compressor;

/* PICKLE_CODEC_AUTO, and a NULL `how`, are none: bytes go to `out` as they are. NULL: no such codec
 * (PICKLE_ERR_UNSUPPORTED) or level (PICKLE_ERR_ARG), or no memory. */
PICKLE_API pickle_compressor *pickle_compressor_new(const pickle_compression *how, pickle_sink out,
                                                    const pickle_alloc *alloc, pickle_error *err);
PICKLE_API pickle_sink pickle_compressor_sink(pickle_compressor *c);
/* Write what is left and the end of the stream, once. False: that, or something before, failed. */
PICKLE_API bool pickle_compressor_finish(pickle_compressor *c, pickle_error *err);
PICKLE_API void pickle_compressor_free(pickle_compressor *c);

/*
 * The pickle at the start of `data` without the memo entries that nothing
 * gets, byte for byte what pickletools.optimize makes of it. A pickle_buf behind `out` is as it was
 * after a failure.
 */
PICKLE_API bool pickle_optimize(const void *data, size_t size, pickle_sink out, pickle_error *err);

#ifdef __cplusplus
}
#endif
#endif
