/* convert.c - pickle convert: write a file again, as it is or in another form. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pickle/write.h>

#include "commands.h"
#include "input.h"
#include "output.h"

typedef struct request {
    const char *in, *out; /* "-" for the standard ones */
    const char *to, *protocol, *compress, *flavor, *numpy, *joblib;
    size_t threads;
    bool first, optimize;
    reading reading;
} request;

/* What becomes of them: all of `opts` but its compression, which is for the file as a whole. */
typedef struct plan {
    pickle_write_opts opts;
    pickle_compression compression;
    bool keep_codec;      /* `compression` is to be IN's    */
    bool copy;            /* nothing is to differ from IN   */
    pickle_error why_not; /* IN's compression cannot be made again; else its code is PICKLE_OK */
} plan;

/* ----------------------------------------------------------------- options */

typedef struct choice {
    const char *word;
    int value;
} choice;

#define CHOICES(list) (list), sizeof(list) / sizeof *(list)

/* False: there is no such word, and a complaint that names them all. */
static bool choose(const char *option, const char *word, const choice *choices, size_t n, int *out)
{
    char words[128] = "";
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, choices[i].word) == 0) {
            *out = choices[i].value;
            return true;
        }
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", i == 0 ? "" : ", ",
                                choices[i].word);
    }
    complain(NULL, "convert: --%s cannot be \"%s\"; there is: %s", option, word, words);
    return false;
}

static bool read_numbers(const request *r, pickle_write_opts *o)
{
    static const choice protocols[] = {
        { "0", PICKLE_PROTOCOL_0 }, { "1", 1 }, { "2", 2 }, { "3", 3 }, { "4", 4 }, { "5", 5 },
    };
    static const choice joblibs[] = { { "10", 10 }, { "12", 12 }, { "15", 15 } };
    static const choice numpys[] = { { "1", 1 }, { "2", 2 } };

    return (!r->protocol || choose("protocol", r->protocol, CHOICES(protocols), &o->protocol)) &&
           (!r->joblib || choose("joblib", r->joblib, CHOICES(joblibs), &o->joblib)) &&
           (!r->numpy || choose("numpy", r->numpy, CHOICES(numpys), &o->numpy));
}

static bool read_names(const request *r, pickle_write_opts *o)
{
    static const choice formats[] = {
        { "pkl", PICKLE_FORMAT_PICKLE },
        { "joblib", PICKLE_FORMAT_JOBLIB },
    };
    static const choice flavors[] = {
        { "c", PICKLE_FLAVOR_C },     { "python", PICKLE_FLAVOR_PYTHON },
        { "c36", PICKLE_FLAVOR_C36 }, { "python36", PICKLE_FLAVOR_PYTHON36 },
        { "py2", PICKLE_FLAVOR_PY2 }, { "cpickle2", PICKLE_FLAVOR_CPICKLE2 },
    };
    int format = PICKLE_FORMAT_AUTO, flavor = PICKLE_FLAVOR_AUTO;

    if ((r->to && !choose("to", r->to, CHOICES(formats), &format)) ||
        (r->flavor && !choose("flavor", r->flavor, CHOICES(flavors), &flavor)))
        return false;
    o->format = (pickle_format)format;
    o->flavor = (pickle_flavor)flavor;
    return true;
}

/* ":9" as a level; no text: the codec's default. */
static bool read_level(const char *text, int *level)
{
    char *end;
    long n;

    *level = 0;
    if (!*text)
        return true;
    n = strtol(text + 1, &end, 10);
    if (end == text + 1 || *end || n < -1000 || n > 1000)
        return false;
    *level = n == 0 ? PICKLE_LEVEL_ZERO : (int)n;
    return true;
}

/* "gzip", "gzip:9". */
static bool read_compression(const char *text, pickle_compression *c)
{
    size_t len = strcspn(text, ":");
    char name[16] = "";

    if (len < sizeof name)
        memcpy(name, text, len);
    if (!pickle_codec_from_name(name, &c->codec) || c->codec == PICKLE_CODEC_AUTO ||
        c->codec == PICKLE_CODEC_ZFILE || c->codec == PICKLE_CODEC_DEFLATE ||
        !read_level(text + len, &c->level)) {
        complain(NULL,
                 "convert: --compress cannot be \"%s\"; there is: none, zlib, gzip, bz2, xz, "
                 "lzma, lz4, zstd, with :LEVEL behind it",
                 text);
        return false;
    }
    return true;
}

/* AUTO is IN's, which could be read. */
static bool is_available(pickle_codec codec)
{
    if (codec == PICKLE_CODEC_AUTO || codec == PICKLE_CODEC_NONE || pickle_codec_available(codec))
        return true;
    complain(NULL, "convert: %s is not in this build (see pickle --version)",
             pickle_codec_name(codec));
    return false;
}

/* ----------------------------------------------------------------- endings */

/* What a name says of its file. */
typedef struct ending {
    pickle_format format; /* AUTO: nothing */
    pickle_codec codec;
    const char *foreign; /* the suffix of a format that is not written; NULL: none */
} ending;

/* The last suffix within the first `len` bytes of `path`. */
static const char *last_suffix(const char *path, size_t len)
{
    for (const char *p = path + len; p > path && p[-1] != '/'; p--)
        if (p[-1] == '.')
            return p - 1;
    return path + len;
}

static bool same_text(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static ending ending_of(const char *path)
{
    static const choice suffixes[] = { { ".pkl", PICKLE_FORMAT_PICKLE },
                                       { ".pickle", PICKLE_FORMAT_PICKLE },
                                       { ".p", PICKLE_FORMAT_PICKLE },
                                       { ".pk", PICKLE_FORMAT_PICKLE },
                                       { ".joblib", PICKLE_FORMAT_JOBLIB } };
    static const char *const others[] = {
        ".7z",  ".arrow", ".avro",        ".cbor", ".csv",     ".feather", ".gguf",
        ".h5",  ".hdf5",  ".html",        ".json", ".jsonl",   ".mat",     ".msgpack",
        ".npy", ".npz",   ".onnx",        ".orc",  ".parquet", ".pmml",    ".pt",
        ".pth", ".rds",   ".safetensors", ".tar",  ".tgz",     ".toml",    ".tsv",
        ".txt", ".xml",   ".yaml",        ".yml",  ".zip",
    };
    ending e = { .codec = pickle_codec_from_path(path) };
    size_t end = strlen(path), len;
    const char *suffix;

    if (e.codec != PICKLE_CODEC_NONE)
        end = (size_t)(last_suffix(path, end) - path);
    suffix = last_suffix(path, end);
    len = (size_t)(path + end - suffix);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (same_text(suffix, len, suffixes[i].word))
            e.format = (pickle_format)suffixes[i].value;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (same_text(suffix, len, others[i]))
            e.foreign = others[i];
    return e;
}

/* -------------------------------------------------------------------- plan */

/* Each half of OUT's ending counts where it differs from IN's; an option goes before it. */
static bool use_endings(const request *r, plan *p)
{
    ending in = ending_of(r->in), out = ending_of(r->out);

    if (strcmp(r->out, "-") == 0)
        out = in;
    if (out.foreign && !r->to) {
        complain(r->out, "%s is not a format that is written; there is: pkl, joblib (see --to)",
                 out.foreign + 1);
        return false;
    }
    if (!r->to && out.format != in.format)
        p->opts.format = out.format;
    if (!r->compress && out.codec != in.codec)
        p->compression.codec = out.codec;
    return true;
}

/* False: the options make no sense, and a complaint. */
static bool make_plan(const request *r, plan *p)
{
    *p = (plan){ .opts = { .struct_size = sizeof p->opts, .optimize = r->optimize } };
    if (!read_numbers(r, &p->opts) || !read_names(r, &p->opts) ||
        (r->compress && !read_compression(r->compress, &p->compression)) || !use_endings(r, p) ||
        !is_available(p->compression.codec))
        return false;
    p->keep_codec = p->compression.codec == PICKLE_CODEC_AUTO;
    p->copy = p->keep_codec && r->threads <= 1 && r->reading.index == NOT_GIVEN && !r->protocol &&
              !r->flavor && !r->numpy && !r->joblib && !r->optimize &&
              p->opts.format == PICKLE_FORMAT_AUTO;
    p->compression.threads = (unsigned)(r->threads < 1024 ? r->threads : 1024);
    p->opts.compression.codec = PICKLE_CODEC_NONE;
    if (strcmp(r->out, "-") != 0 || !isatty(STDOUT_FILENO))
        return true;
    complain(NULL, "convert: pickles are not written to a terminal");
    return false;
}

/* What only the file can tell. */
static bool complete_plan(const request *r, plan *p, const contents *in, const pickle_doc *doc)
{
    bool joblib = strncmp(pickle_container(doc), "joblib", 6) == 0;
    unsigned threads = p->compression.threads;

    if (p->opts.format != PICKLE_FORMAT_AUTO)
        joblib = p->opts.format == PICKLE_FORMAT_JOBLIB;
    if (r->joblib && !joblib) {
        complain(NULL, "convert: --joblib is for joblib files: it needs --to=joblib");
        return false;
    }
    if (!p->keep_codec)
        return true;
    pickle_find_compression(in->data, in->size, &p->compression, NULL, &p->why_not);
    if (p->compression.codec == PICKLE_CODEC_ZFILE)
        p->compression = (pickle_compression){ .codec = PICKLE_CODEC_ZLIB };
    p->compression.threads = threads;
    p->compression.exact = threads <= 1;
    return true;
}

/* -------------------------------------------------------------- comparison */

/* A sink that passes everything on, and finds out whether it is what IN has. */
typedef struct comparison {
    pickle_sink out;
    const unsigned char *want;
    uint64_t size, at, same; /* same: bytes at the start */
} comparison;

static bool compare(void *ctx, const void *data, size_t len)
{
    comparison *c = ctx;
    const unsigned char *bytes = data;
    size_t most = c->at < c->size && c->size - c->at < len ? (size_t)(c->size - c->at) : len, n = 0;

    if (c->same == c->at && c->at < c->size) {
        if (memcmp(bytes, c->want + c->at, most) == 0)
            n = most;
        while (n < most && bytes[n] == c->want[c->at + n])
            n++;
        c->same += n;
    }
    c->at += len;
    return c->out.write(c->out.ctx, data, len);
}

/* A copy that is none is fine: CPython or joblib did not write IN. But one should know. */
static void report_difference(const request *r, const plan *p, const comparison *c)
{
    if (!p->copy || (c->same == c->at && c->at == c->size))
        return;
    if (p->why_not.code != PICKLE_OK)
        complain(r->out, "not identical to %s: %s", r->in, p->why_not.message);
    else
        complain(r->out, "not identical to %s: byte %" PRIu64 " is the first that differs", r->in,
                 c->same);
}

/* ----------------------------------------------------------------- writing */

static int write_trouble(const request *r, const pickle_error *err)
{
    if (err->code == PICKLE_ERR_IO && err->sys == EPIPE && strcmp(r->out, "-") == 0)
        return EXIT_DONE;
    complain(strcmp(r->out, "-") == 0 ? "standard output" : r->out, "%s", err->message);
    return err->code < PICKLE_ERR_TRUNCATED ? EXIT_TROUBLE : EXIT_ABSENT;
}

/* What begins at `offset`, behind a pickle, could not be read. */
static int read_trouble(const request *r, const pickle_error *err, uint64_t offset)
{
    if (err->code < PICKLE_ERR_TRUNCATED || err->code == PICKLE_ERR_LIMIT)
        complain_error(r->in, err);
    else
        complain(r->in,
                 "byte %" PRIu64 ": what follows is no pickle (%s); --first converts the first "
                 "pickle alone",
                 offset, err->message);
    return EXIT_TROUBLE;
}

/* The pickle that was read, and unless one is asked for, those that follow it. */
static int write_pickles(const request *r, const plan *p, pickle_doc *doc, pickle_sink out)
{
    pickle_status status = PICKLE_OK;
    pickle_error err;

    while (status == PICKLE_OK) {
        uint64_t end = pickle_consumed(doc);

        if (!pickle_write(doc, out, &p->opts, &err))
            return write_trouble(r, &err);
        if (r->reading.index != NOT_GIVEN)
            break;
        status = pickle_read_next(doc, &err);
        if (status > PICKLE_END)
            return read_trouble(r, &err, end);
    }
    return EXIT_DONE;
}

static int write_stream(const request *r, const plan *p, pickle_doc *doc, pickle_sink out)
{
    pickle_error err;
    pickle_compressor *c = pickle_compressor_new(&p->compression, out, NULL, &err);
    int status;

    if (!c)
        return write_trouble(r, &err);
    status = write_pickles(r, p, doc, pickle_compressor_sink(c));
    if (status == EXIT_DONE && !pickle_compressor_finish(c, &err))
        status = write_trouble(r, &err);
    pickle_compressor_free(c);
    return status;
}

static int write_file(const request *r, const plan *p, pickle_doc *doc, comparison *c)
{
    pickle_error err;
    pickle_file *file = pickle_file_open(r->out, NULL, &err);
    int status;

    if (!file)
        return write_trouble(r, &err);
    c->out = pickle_file_sink(file);
    status = write_stream(r, p, doc, (pickle_sink){ compare, c });
    if (status != EXIT_DONE)
        pickle_file_discard(file);
    else if (!pickle_file_commit(file, &err))
        status = write_trouble(r, &err);
    return status;
}

/* ----------------------------------------------------------------- command */

static int write_all(const request *r, plan *p, const contents *in, pickle_doc *doc)
{
    int fd = STDOUT_FILENO, status;
    comparison c = { .out = pickle_sink_fd(&fd), .want = in->data, .size = in->size };
    progress writing;

    if (!complete_plan(r, p, in, doc))
        return EXIT_TROUBLE;
    p->opts.on_progress = progress_start(&writing, "writing");
    p->opts.ctx = &writing;
    if (strcmp(r->out, "-") == 0)
        status = write_stream(r, p, doc, (pickle_sink){ compare, &c });
    else
        status = write_file(r, p, doc, &c);
    progress_end(&writing);
    if (status == EXIT_DONE)
        report_difference(r, p, &c);
    return status;
}

static int convert(const request *r, plan *p)
{
    reading how = r->reading;
    contents in;
    pickle_error err;
    pickle_doc *doc = NULL;
    int status = EXIT_TROUBLE;

    if (how.index == NOT_GIVEN)
        how.index = 0;
    if (contents_open(&in, r->in, &err))
        doc = input_read(r->in, &in, &how, &status);
    else
        complain_error(r->in, &err);
    if (doc)
        status = write_all(r, p, &in, doc);
    pickle_doc_free(doc);
    contents_close(&in);
    return status;
}

int convert_main(int argc, char **argv)
{
    request r = { .reading.index = NOT_GIVEN };
    const option_spec options[] = {
        { 't', "to", "FORMAT", OPTION_TEXT, &r.to, "pkl or joblib" },
        { 'p', "protocol", "N", OPTION_TEXT, &r.protocol, "of pickle: 0 to 5" },
        { 'c', "compress", "CODEC[:LEVEL]", OPTION_TEXT, &r.compress,
          "none, zlib, gzip, bz2, xz, lzma, lz4 or zstd" },
        { 0, "threads", "N", OPTION_COUNT, &r.threads, "that may compress (default: 1)" },
        { 0, "optimize", NULL, OPTION_SWITCH, &r.optimize, "as pickletools.optimize does" },
        { 0, "flavor", "NAME", OPTION_TEXT, &r.flavor,
          "as c, python, c36, python36, py2 or cpickle2 writes" },
        { 0, "numpy", "N", OPTION_TEXT, &r.numpy, "arrays are for numpy 1 or 2" },
        { 0, "joblib", "N", OPTION_TEXT, &r.joblib, "layout of joblib 0.10, 1.2, 1.5: 10, 12, 15" },
        { 0, "first", NULL, OPTION_SWITCH, &r.first, "the first pickle alone, as --index=0" },
        READING_OPTIONS(&r.reading),
    };
    const command c = {
        .name = "convert",
        .operands = "IN OUT",
        .about = "Write all pickles of IN to OUT, which is replaced when all is written; - is\n"
                 "standard input or output. Container, protocol and compression are kept unless\n"
                 "an option, or an ending of OUT that IN has not, says otherwise: then it is what\n"
                 "Python would have written.",
        .least = 2,
        .most = 2,
        OPTIONS(options),
    };
    char **operands;
    int n, status;
    plan p;

    if (!options_parse(&c, argc, argv, &operands, &n, &status))
        return status;
    r.in = operands[0];
    r.out = operands[1];
    if (r.first)
        r.reading.index = 0;
    return make_plan(&r, &p) ? convert(&r, &p) : EXIT_TROUBLE;
}
