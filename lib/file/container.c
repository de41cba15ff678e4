/* container.c - what the input is, by its first bytes, and how it is read. */
#include "file/container.h"

#include "file/hooks.h"
#include "file/shelf.h"
#include "file/torch.h"
#include "types/npy.h"

/* Times their size that small inputs are inflated to at once. */
#define AT_ONCE 16

uint64_t pickle__limit_or(uint64_t limit, uint64_t floor, uint64_t factor, uint64_t size)
{
    uint64_t scaled = size > UINT64_MAX / factor ? UINT64_MAX : size * factor;

    if (limit)
        return limit;
    return scaled > floor ? scaled : floor;
}

uint64_t pickle__inflate_limit(const pickle__input *in, uint64_t size)
{
    return pickle__limit_or(in->limits.inflated_bytes, UINT64_C(4) << 30, 1000, size);
}

pickle__quota pickle__archive_quota(const pickle__input *in, const pickle__archive *archive)
{
    return (pickle__quota){ pickle__inflate_limit(in, archive->size), archive->size };
}

pickle_val *pickle__new_name(pickle_doc *doc, const void *name, size_t len)
{
    pickle__str *text = pickle__new_str(doc, len);
    pickle__text_error e;
    unsigned flags;
    void *own;

    if (!text || (pickle__utf8_copy(text->text, name, len, &flags, &e) &&
                  !(flags & PICKLE__TEXT_SURROGATES)))
        return text ? &text->v : NULL;
    own = pickle__arena_take(&doc->arena, len);
    if (own)
        memcpy(own, name, len);
    return own ? pickle__new_bytes(doc, PICKLE_BYTES, own, len) : NULL;
}

static bool source_failed(const pickle__source *src, pickle_error *err)
{
    if (src->status == PICKLE_OK)
        return false;
    if (err)
        *err = src->error;
    return true;
}

bool pickle__inflate_input(pickle_doc *doc, uint64_t size, pickle_error *err)
{
    pickle__input *in = doc->owned;
    uint64_t limit = pickle__inflate_limit(in, size);
    pickle__reader *reader;
    pickle_codec codec;

    if (in->plain)
        return true;
    /* What most pickles begin with begins no compressed stream. */
    if (pickle__source_left(&in->src) > 0 && *in->src.at == PICKLE_OP_PROTO)
        return true;
    if (!pickle__source_need(&in->src, PICKLE__SNIFF_SIZE) && source_failed(&in->src, err))
        return false;
    codec = pickle__sniff_codec(in->src.at, pickle__source_left(&in->src));
    if (codec == PICKLE_CODEC_NONE)
        return true;
    reader = pickle__codec_reader(codec, &in->src, doc->alloc, err);
    if (!reader)
        return false;
    pickle__add_layer(in, pickle_codec_name(codec));
    if (!pickle__source_reader(&in->src, reader, limit, doc->alloc))
        return pickle__no_memory(err, 0);
    /* Of what is small arrays need no copies. From a pipe nothing is asked for before its time. */
    if (size > 0 && size < PICKLE__MAP_FROM)
        pickle__source_settle(&in->src, (size_t)size * AT_ONCE);
    return true;
}

void pickle__add_layer(pickle__input *in, const char *name)
{
    if (in->n_layers < PICKLE__MAX_LAYERS)
        in->layers[in->n_layers++] = name;
}

/* The innermost first: "pickle+tar+gzip". */
bool pickle__name_container(pickle_doc *doc, const char *name, pickle_error *err)
{
    const pickle__input *in = doc->owned;
    size_t len = strlen(name), room = len + 1;
    char *text;

    doc->container = name;
    if (in->n_layers == 0)
        return true;
    for (size_t i = 0; i < in->n_layers; i++)
        room += strlen(in->layers[i]) + 1;
    text = pickle__arena_take(&doc->arena, room);
    if (!text)
        return pickle__arena_fail(&doc->arena, err, 0);
    doc->container = text;
    memcpy(text, name, len);
    for (size_t i = in->n_layers; i-- > 0; len += strlen(in->layers[i]) + 1) {
        text[len] = '+';
        memcpy(text + len + 1, in->layers[i], strlen(in->layers[i]));
    }
    text[len] = '\0';
    return true;
}

/* ------------------------------------------------------------------ readers */

/* What else people have under the names of models; none of these begins a pickle that is whole. */
static const char *other_format(const unsigned char *start, size_t len)
{
    static const struct {
        const char *name, *magic;
        size_t len, at;
    } formats[] = {
        { "an HDF5 file", "\x89HDF", 4, 0 },
        { "a 7z file", "7z\xbc\xaf", 4, 0 },
        { "a GGUF file", "GGUF", 4, 0 },
        { "a zip file", "PK\3\4", 4, 0 },
        { "a SQLite database", "SQLite format 3", 15, 0 },
        /* What dbm.ndbm writes where it is Berkeley DB's, on machines of either byte order. */
        { "a Berkeley DB hash file, such as dbm.ndbm's", "\x61\x15\6\0", 4, 12 },
        { "a Berkeley DB hash file, such as dbm.ndbm's", "\0\6\x15\x61", 4, 12 },
        { "a Berkeley DB 1.85 hash file, such as dbm.ndbm's", "\0\6\x15\x61", 4, 0 },
    };

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (len >= formats[i].at + formats[i].len &&
            memcmp(start + formats[i].at, formats[i].magic, formats[i].len) == 0)
            return formats[i].name;
    return NULL;
}

/* The start of the stream, if it is at hand; `*len` bytes of it. */
static const unsigned char *stream_start(const pickle__source *src, size_t *len)
{
    const unsigned char *window = src->reader ? src->buffer : src->end - src->base;

    *len = (size_t)(src->end - window);
    return src->base == *len ? window : NULL;
}

/* A stream that failed, and looks like something else, is that. */
static void name_format(const pickle__source *src, pickle_error *err)
{
    size_t len;
    const unsigned char *start = stream_start(src, &len);
    const char *name =
        start && err && err->code >= PICKLE_ERR_TRUNCATED && err->code < PICKLE_ERR_LIMIT
            ? other_format(start, len)
            : NULL;

    if (name)
        pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0, "this is %s, no pickle or joblib file", name);
}

bool pickle__read_pickle(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;

    doc->root =
        pickle__vm_run(&in->vm, &in->src, &in->set, in->plain ? NULL : &pickle__file_hooks, err);
    doc->protocol = in->vm.proto;
    doc->consumed = pickle__source_offset(&in->src);
    if (!doc->root) {
        name_format(&in->src, err);
        return false;
    }
    return pickle__name_container(doc, doc->traits.joblib ? "joblib" : "pickle", err);
}

static bool read_npy(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;

    pickle__vm_start(&in->vm, &in->src, &in->set, &pickle__file_hooks, err);
    doc->root = pickle__read_npy(&in->vm);
    doc->made = true;
    doc->consumed = pickle__source_offset(&in->src);
    return doc->root && pickle__name_container(doc, "npy", err);
}

/* Once the first pickle is read, some turn out to be the start of a PyTorch file. */
static bool read_pickle_or_torch(pickle_doc *doc, pickle_error *err)
{
    const pickle__input *in = doc->owned;

    if (!pickle__read_pickle(doc, err))
        return false;
    return in->plain || !pickle__is_torch_magic(doc->root) || pickle__read_torch_legacy(doc, err);
}

bool pickle__read_contents(pickle_doc *doc, pickle_error *err)
{
    static const struct {
        bool (*is)(const unsigned char *head, size_t len);
        bool (*read)(pickle_doc *doc, pickle_error *err);
        bool archive;
    } formats[] = {
        { pickle__is_npy, read_npy, false },
        { pickle__is_zip, pickle__read_zip, true },
        { pickle__is_tar, pickle__read_tar, true },
        { pickle__is_gdbm, pickle__read_gdbm, false },
        { pickle__is_dumb, pickle__read_dumb, false },
        { pickle__is_sqlite, pickle__read_sqlite, false },
    };
    pickle__input *in = doc->owned;
    pickle__source *src = &in->src;

    /* What most pickles begin with begins nothing else. An archive in an archive is not entered. */
    if (in->plain || (pickle__source_left(src) > 0 && *src->at == PICKLE_OP_PROTO))
        return read_pickle_or_torch(doc, err);
    pickle__source_need(src, PICKLE__ARCHIVE_START);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!(formats[i].archive && in->in_archive) &&
            formats[i].is(src->at, pickle__source_left(src)))
            return formats[i].read(doc, err);
    if (pickle__is_empty_dumb(in))
        return pickle__read_dumb(doc, err);
    return read_pickle_or_torch(doc, err);
}

bool pickle__read_next(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;

    pickle__source_need(&in->src, PICKLE__NPY_MAGIC);
    if (!in->plain && pickle__is_npy(in->src.at, pickle__source_left(&in->src)))
        return read_npy(doc, err);
    return pickle__read_pickle(doc, err);
}
