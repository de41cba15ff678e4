/* read.c - from a path, a descriptor or memory to a document: pickle_read and its kin. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/container.h"

#define LONGEST 4096 /* path, as Linux has it */

/* Documents up to this keep all their memory, for small messages to come. */
#define SMALL ((size_t)256 << 10)

/* ----------------------------------------------------------------- options */

static bool choose(const char *name, const char *const *names, size_t n, int *out)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (int)i;
            return true;
        }
    return false;
}

static bool not_known(pickle_error *err, const char *option, const char *value)
{
    char quoted[80];

    return pickle__fail(err, PICKLE_ERR_ARG, 0, "%s \"%s\" is not known", option,
                        pickle__escape(quoted, sizeof quoted, value, strlen(value)));
}

static bool choose_text(const pickle_read_opts *o, pickle__settings *set, pickle_error *err)
{
    /* In the order of pickle__encoding and pickle__on_error; then other spellings. */
    static const char *const encodings[] = { "latin1",  "ascii", "utf-8", "bytes",
                                             "latin-1", "ASCII", "utf8" };
    static const char *const on_errors[] = { "strict", "replace", "surrogateescape" };
    int encoding = o->strict ? PICKLE__ASCII : PICKLE__LATIN1, on_error = PICKLE__STRICT;

    if (o->encoding && !choose(o->encoding, encodings, 7, &encoding))
        return not_known(err, "encoding", o->encoding);
    if (o->errors && !choose(o->errors, on_errors, 3, &on_error))
        return not_known(err, "errors", o->errors);
    set->encoding = (pickle__encoding)(encoding % 4);
    set->on_error = (pickle__on_error)on_error;
    return true;
}

static bool apply_options(pickle_doc *doc, const pickle_read_opts *o, const char *path,
                          pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__settings *set = &in->set;

    memset(set, 0, sizeof *set);
    set->strict = o->strict;
    set->fix_imports = !o->no_fix_imports;
    set->keep_memo = o->keep_memo;
    set->limit_follows = o->limits.memory_bytes == 0;
    set->int_digits = pickle__limit_or(o->limits.int_digits, o->strict ? 4300 : 2000000, 1, 0);
    set->buffers = o->buffers;
    set->n_buffers = o->buffers ? o->n_buffers : 0;
    set->extensions = o->extensions;
    set->n_extensions = o->extensions ? o->n_extensions : 0;
    set->on_global = o->on_global;
    set->on_persid = o->on_persid;
    set->on_warning = o->on_warning;
    set->on_progress = o->on_progress;
    set->ctx = o->ctx;
    set->beside = pickle__input_beside;
    in->plain = o->plain;
    in->one_at_a_time = o->one_at_a_time && !o->keep_memo;
    in->limits = o->limits;
    return choose_text(o, set, err) &&
           (pickle__input_path(in, o->path ? o->path : path) || pickle__no_memory(err, 0));
}

/* ------------------------------------------------------------------- input */

/* Reading on from the end finds out whether the checksum is right, and what follows. */
static bool check_end(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;

    pickle__source_need(&in->src, 1);
    if (in->src.status != PICKLE_OK) {
        if (err)
            *err = in->src.error;
        doc->root = NULL;
        return false;
    }
    if (pickle__source_left(&in->src) > 0)
        pickle__vm_warn(&in->vm, PICKLE_END, "bytes follow the end of the pickle");
    return true;
}

/* What is read has a limit, which grows with the input where it is a stream; what is made later has
 * none. */
static bool read_limited(pickle_doc *doc, bool (*read)(pickle_doc *doc, pickle_error *err),
                         pickle_error *err)
{
    pickle__input *in = doc->owned;
    bool ok;

    doc->arena.limit = in->memory_limit;
    ok = read(doc, err) && check_end(doc, err);
    in->memory_limit = doc->arena.limit;
    doc->arena.limit = SIZE_MAX;
    return ok;
}

static bool load(pickle_doc *doc, uint64_t size, pickle_error *err)
{
    pickle__input *in = doc->owned;
    uint64_t limit =
        pickle__limit_or(in->limits.memory_bytes, UINT64_C(1) << 30, PICKLE__MEMORY_FACTOR, size);

    in->memory_limit = limit > SIZE_MAX ? SIZE_MAX : (size_t)limit;
    in->vm.next_buffer = 0;
    in->n_layers = 0;
    in->in_archive = false;
    in->failed.code = PICKLE_OK;
    pickle__vm_memo_clear(&in->vm);
    return pickle__inflate_input(doc, size, err) && read_limited(doc, pickle__read_contents, err);
}

static bool load_memory(pickle_doc *doc, const void *data, size_t size, bool stable,
                        pickle_error *err)
{
    pickle__input *in = doc->owned;

    pickle__source_memory(&in->src, data, size, stable);
    return load(doc, size, err);
}

/* ------------------------------------------------------------------- files */

static bool load_small(pickle_doc *doc, int fd, size_t size, pickle_error *err)
{
    pickle__input *in = doc->owned;
    size_t got;

    if (!pickle__input_hold(in, size))
        return pickle__no_memory(err, 0);
    return pickle__fd_read(fd, in->held, size, &got, err) &&
           load_memory(doc, in->held, got, true, err);
}

/* Compressed files are read piece by piece: mapped, they would be in memory beside what they hold.
 */
static bool is_compressed(const pickle__input *in, int fd)
{
    unsigned char head[PICKLE__SNIFF_SIZE];
    ssize_t got = in->plain ? 0 : pread(fd, head, sizeof head, 0);

    return got > 0 && pickle__sniff_codec(head, (size_t)got) != PICKLE_CODEC_NONE;
}

static bool load_stream(pickle_doc *doc, int fd, uint64_t size, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__reader *reader = pickle__fd_reader(fd, doc->alloc);

    if (!reader || !pickle__source_reader(&in->src, reader, UINT64_MAX, doc->alloc))
        return pickle__no_memory(err, 0);
    return load(doc, size, err);
}

static bool load_fd(pickle_doc *doc, int fd, pickle_error *err)
{
    pickle__input *in = doc->owned;
    struct stat st;
    uint64_t size;
    const void *mapping = NULL;

    if (fstat(fd, &st) != 0)
        return pickle__io_error(err, 0, "cannot look at it");
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return pickle__io_error(err, 0, "cannot read");
    }
    /* Files in /proc say that they have no size. */
    size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    if (size == 0 || lseek(fd, 0, SEEK_CUR) != 0)
        return load_stream(doc, fd, size, err);
    if (size < PICKLE__MAP_FROM)
        return load_small(doc, fd, (size_t)size, err);
    if (size <= SIZE_MAX && !is_compressed(in, fd))
        mapping = pickle__input_map(in, fd, (size_t)size);
    return mapping ? load_memory(doc, mapping, (size_t)size, true, err)
                   : load_stream(doc, fd, size, err);
}

/* --------------------------------------------------------------- interface */

/* The caller's options as this version has them, in `room` where they must be filled up. */
static const pickle_read_opts *all_options(const pickle_read_opts *opts, pickle_read_opts *room)
{
    static const pickle_read_opts defaults = { .struct_size = sizeof defaults };

    if (!opts)
        return &defaults;
    if (opts->struct_size == sizeof *opts || opts->struct_size == 0)
        return opts;
    pickle__options(room, sizeof *room, opts, opts->struct_size);
    return room;
}

/* An empty document, ready to read into, from the file at `path` if that is not NULL. NULL: no
 * memory, or options that make no sense. */
static pickle_doc *new_doc(const pickle_read_opts *given, const char *path, pickle_error *err)
{
    pickle_read_opts room;
    const pickle_read_opts *opts = all_options(given, &room);
    pickle_doc *doc = pickle__doc_new(opts->alloc);

    if (!doc || !pickle__input_attach(doc)) {
        pickle_doc_free(doc);
        pickle__no_memory(err, 0);
        return NULL;
    }
    if (!apply_options(doc, opts, path, err)) {
        pickle_doc_free(doc);
        return NULL;
    }
    return doc;
}

/* A document that is read once does not keep a machine for the next time. */
static pickle_doc *finish(bool ok, pickle_doc *doc)
{
    pickle__input *in = doc->owned;

    if (!ok) {
        pickle_doc_free(doc);
        return NULL;
    }
    if (!in->set.keep_memo && doc->arena.held > SMALL)
        pickle__vm_free(&in->vm);
    return doc;
}

pickle_doc *pickle_read(const void *data, size_t size, const pickle_read_opts *opts,
                        pickle_error *err)
{
    pickle_read_opts room;
    pickle_doc *doc = new_doc(opts, NULL, err);
    bool borrow = all_options(opts, &room)->borrow;

    return doc ? finish(load_memory(doc, data, size, borrow, err), doc) : NULL;
}

static pickle_doc *read_fd(int fd, const char *path, const pickle_read_opts *opts,
                           pickle_error *err)
{
    pickle_doc *doc = new_doc(opts, path, err);

    return doc ? finish(load_fd(doc, fd, err), doc) : NULL;
}

pickle_doc *pickle_read_fd(int fd, const pickle_read_opts *opts, pickle_error *err)
{
    return read_fd(fd, NULL, opts, err);
}

/* NAME is how Python calls a shelf of dbm.dumb, whose files are NAME.dir and NAME.dat. */
static int open_index(const char *path, char index[LONGEST])
{
    size_t len = strlen(path);
    int fd = -1;

    if (len <= LONGEST - sizeof ".dir") {
        memcpy(index, path, len);
        memcpy(index + len, ".dir", sizeof ".dir");
        fd = open(index, O_RDONLY | O_CLOEXEC);
    }
    /* What is missing is `path`. */
    if (fd < 0)
        errno = ENOENT;
    return fd;
}

pickle_doc *pickle_read_file(const char *path, const pickle_read_opts *opts, pickle_error *err)
{
    pickle_doc *doc;
    char index[LONGEST];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        fd = open_index(path, index);
        path = index;
    }
    if (fd < 0) {
        pickle__io_error(err, 0, "cannot open");
        return NULL;
    }
    doc = read_fd(fd, path, opts, err);
    close(fd);
    return doc;
}

/* All of the stream, as far as it can be read. */
static bool drain(pickle__source *src, pickle_sink out, pickle_error *err)
{
    while (pickle__source_need(src, 1)) {
        if (!out.write(out.ctx, src->at, pickle__source_left(src)))
            return pickle__no_memory(err, 0);
        src->at = src->end;
    }
    if (src->status != PICKLE_OK && err)
        *err = src->error;
    return src->status == PICKLE_OK;
}

bool pickle_inflate(const void *data, size_t size, const pickle_read_opts *opts, pickle_buf *out,
                    pickle_error *err)
{
    pickle_doc *doc = new_doc(opts, NULL, err);
    pickle__input *in = doc ? doc->owned : NULL;
    bool ok;

    if (!doc)
        return false;
    pickle__source_memory(&in->src, data, size, true);
    ok = pickle__inflate_input(doc, size, err) && pickle__enter_archive(doc, err) &&
         drain(&in->src, pickle_sink_buf(out), err);
    pickle_doc_free(doc);
    return ok;
}

bool pickle_reread(pickle_doc *doc, const void *data, size_t size, const pickle_read_opts *opts,
                   pickle_error *err)
{
    pickle_read_opts room;
    const pickle_read_opts *all = all_options(opts, &room);
    bool ok;

    pickle__input_reset(doc->owned);
    pickle__doc_reset(doc);
    ok = apply_options(doc, all, NULL, err) && load_memory(doc, data, size, all->borrow, err);
    if (!ok)
        doc->root = NULL;
    return ok;
}

pickle_status pickle_read_next(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle_error own;

    err = err ? err : &own;
    doc->root = NULL;
    if (in->failed.code != PICKLE_OK) {
        *err = in->failed;
        return err->code;
    }
    if (!pickle__source_need(&in->src, 1)) {
        if (in->src.status == PICKLE_OK)
            return PICKLE_END;
        *err = in->src.error;
        return err->code;
    }
    if (in->one_at_a_time)
        pickle__doc_reset(doc);
    if (read_limited(doc, pickle__read_next, err))
        return PICKLE_OK;
    in->failed = *err;
    return err->code;
}

uint64_t pickle_trailing(const pickle_doc *doc)
{
    const pickle__input *in = doc ? doc->owned : NULL;

    return in ? pickle__source_left(&in->src) : 0;
}

size_t pickle_memory(const pickle_doc *doc)
{
    const pickle__input *in = doc ? doc->owned : NULL;

    if (!doc)
        return 0;
    return sizeof *doc + doc->arena.held + atomic_load(&doc->index_bytes) +
           (in ? pickle__input_memory(in) : 0);
}
