/* write.c - from a document to memory, a descriptor or a path: pickle_write and its kin. */
#include "file/compressor.h"
#include "graph/doc.h"
#include "pickler/pickler.h"

/* ---------------------------------------------------------- what is asked for */

/* The document is one that can be written. */
static bool check(const pickle_doc *doc, pickle_error *err)
{
    if (!doc)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "there is no document");
    if (doc->failed.code != PICKLE_OK) {
        if (err)
            *err = doc->failed;
        return false;
    }
    if (!doc->root)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "the document has no value");
    return true;
}

/* The codec of what was read, "joblib+zlib"; joblib's own before 0.10 is not written any more. */
static pickle_codec codec_of(const pickle_doc *doc)
{
    const char *plus = strchr(pickle_container(doc), '+');
    pickle_codec codec = PICKLE_CODEC_NONE;

    if (plus)
        pickle_codec_from_name(plus + 1, &codec);
    return codec == PICKLE_CODEC_ZFILE ? PICKLE_CODEC_ZLIB : codec;
}

/* Does the path end in .joblib, or that and a codec's ending? */
static bool is_joblib_path(const char *path)
{
    static const char joblib[] = ".joblib";
    const char *end = path + strlen(path);

    if (pickle_codec_from_path(path) != PICKLE_CODEC_NONE)
        while (end > path && *--end != '.')
            continue;
    return end - path >= 7 && memcmp(end - 7, joblib, 7) == 0;
}

static pickle_format choose_format(const pickle_doc *doc, const char *path)
{
    bool joblib =
        doc->made ? is_joblib_path(path) : strncmp(pickle_container(doc), "joblib", 6) == 0;

    return joblib ? PICKLE_FORMAT_JOBLIB : PICKLE_FORMAT_PICKLE;
}

/* A path that names a codec means it; else that of the input is kept. */
static pickle_codec choose_codec(const pickle_doc *doc, const char *path)
{
    pickle_codec codec = pickle_codec_from_path(path);

    return codec == PICKLE_CODEC_NONE ? codec_of(doc) : codec;
}

/* The caller's options as this version has them, with nothing left open. `path` is "" for none. */
static bool resolve(pickle_write_opts *all, const pickle_doc *doc, const pickle_write_opts *given,
                    const char *path, pickle_error *err)
{
    if (!check(doc, err))
        return false;
    pickle__options(all, sizeof *all, given, given ? given->struct_size : 0);
    all->struct_size = sizeof *all;
    if (all->format < PICKLE_FORMAT_AUTO || all->format > PICKLE_FORMAT_JOBLIB)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "format %d is not known", (int)all->format);
    if (all->format == PICKLE_FORMAT_AUTO)
        all->format = choose_format(doc, path);
    if (all->compression.codec == PICKLE_CODEC_AUTO)
        all->compression.codec = choose_codec(doc, path);
    return true;
}

/* --------------------------------------------------------------- interface */

/* Write with options that are resolved. */
static bool save(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *all,
                 pickle_error *err)
{
    pickle_compressor c;
    bool ok;

    if (!pickle__compressor_init(&c, &all->compression, out, all->alloc, err))
        return false;
    ok = pickle__save(doc, pickle_compressor_sink(&c), all, err);
    /* Where the compressor failed, the pickler only knows that it was refused. */
    if (ok || c.failed.code != PICKLE_OK)
        ok = pickle_compressor_finish(&c, err);
    pickle__compressor_clear(&c);
    return ok;
}

bool pickle_write(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *opts,
                  pickle_error *err)
{
    pickle_write_opts all;

    return resolve(&all, doc, opts, "", err) && save(doc, out, &all, err);
}

bool pickle_write_buf(const pickle_doc *doc, pickle_buf *buf, const pickle_write_opts *opts,
                      pickle_error *err)
{
    size_t len = buf->len;
    pickle_error own;

    err = err ? err : &own;
    if (pickle_write(doc, pickle_sink_buf(buf), opts, err))
        return true;
    buf->len = len;
    /* Memory refuses for one reason only. */
    return err->code == PICKLE_ERR_IO ? pickle__no_memory(err, err->offset) : false;
}

bool pickle_write_fd(const pickle_doc *doc, int fd, const pickle_write_opts *opts,
                     pickle_error *err)
{
    return pickle_write(doc, pickle_sink_fd(&fd), opts, err);
}

bool pickle_write_file(const pickle_doc *doc, const char *path, const pickle_write_opts *opts,
                       pickle_error *err)
{
    pickle_write_opts all;
    pickle_file *file;

    if (!resolve(&all, doc, opts, path, err))
        return false;
    file = pickle_file_open(path, all.alloc, err);
    if (!file)
        return false;
    if (save(doc, pickle_file_sink(file), &all, err))
        return pickle_file_commit(file, err);
    pickle_file_discard(file);
    return false;
}
