/*
 * pickle/doc.h - read a pickle or joblib file into a graph, and look around in it.
 *
 * Nothing from the input is ever imported, called or executed: classes and
 * functions stay names, and what they would be called with stays data.
 *
 * Thread safety: a document may be read by any number of threads at once; reading
 * into it (pickle_reread, pickle_read_next) and freeing it need it exclusively.
 */
#ifndef PICKLE_DOC_H
#define PICKLE_DOC_H

#include <pickle/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pickle_kind {
    PICKLE_MISSING = 0, /* what a NULL value reports                                       */
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT, /* of any size                                                     */
    PICKLE_FLOAT,
    PICKLE_STR,
    PICKLE_BYTES,
    PICKLE_BYTEARRAY,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_SET,
    PICKLE_FROZENSET,
    PICKLE_GLOBAL, /* a class or function: module and name, never imported            */
    PICKLE_OBJECT, /* what a call would make: callable(*args, **kwargs), then changes */
    PICKLE_PERSID, /* a persistent id: a reference to something outside the pickle    */
    PICKLE_EXT,    /* an extension code that no registry resolved                     */
    PICKLE_BUFFER  /* an out-of-band buffer of protocol 5                             */
} pickle_kind;

/* ---------------------------------------------------------------- reading */

typedef enum pickle_verdict { PICKLE_KEEP, PICKLE_DENY } pickle_verdict;

/* An out-of-band buffer (PEP 574), the caller's until the document is freed. */
typedef struct pickle_buffer {
    const void *data;
    size_t len;
    bool readonly; /* bytes rather than bytearray */
} pickle_buffer;

/* An entry of copyreg's extension registry. */
typedef struct pickle_extension {
    int32_t code; /* 1 .. 2^31-1 */
    const char *module, *name;
} pickle_extension;

typedef struct pickle_read_opts {
    size_t struct_size; /* set by pickle_read_opts() */
    const pickle_alloc *alloc;
    pickle_limits limits;

    /* Memory only: bytes and arrays keep pointing into `data`, which the caller keeps until the
     * document is freed. Otherwise they are copied, and `data` may go after the last
     * pickle_read_next (or when reading is done, if there is none). */
    bool borrow;
    /* The input is a bare pickle: no decompression, no joblib payloads. */
    bool plain;
    /*
     * Accept and mean what CPython 3.13's C unpickler does when it reads from bytes with default
     * settings. Without it: Python 2 text is latin1 rather than ASCII; persistent ids, extension
     * codes and out-of-band buffers that nothing supplies are kept as nodes; decimal integers may
     * be longer than 4300 digits. The texts of INT, LONG and FLOAT are read as there either way.
     * What a call would give, and whether a name exists, only Python knows.
     */
    bool strict;
    /* Do not map Python 2 names (`__builtin__.unicode`) below protocol 3: fix_imports=False. */
    bool no_fix_imports;
    /* read_next(): GET may reach what earlier pickles stored, as with one Unpickler in Python. */
    bool keep_memo;
    /* read_next(): the values of the pickle before go, and their memory is used again, so that a
     * log takes no more than its largest entries do. Not together with keep_memo. */
    bool one_at_a_time;

    /* How Python 2 str is decoded: "latin1" (the default; "ascii" under strict), "ascii", "utf-8",
     * or "bytes", which leaves it bytes. */
    const char *encoding;
    /* What is done about bytes that the encoding does not have: "strict" (the default: an error),
     * "replace" or "surrogateescape". */
    const char *errors;

    /* Where the input comes from, for files beside it that it names: joblib before 0.10 put each
     * array in one of its own. Only names are taken, never paths. NULL: pickle_read_file has its
     * own path, others look nowhere. */
    const char *path;

    const pickle_buffer *buffers;
    size_t n_buffers;
    const pickle_extension *extensions;
    size_t n_extensions;

    /* Hooks; each may be NULL. They run on the reading thread, in stream order. */
    pickle_verdict (*on_global)(void *ctx, const char *module, const char *name);
    pickle_verdict (*on_persid)(void *ctx, const pickle_val *pid);
    /* Something odd but readable; same shape as an error, code says which. */
    void (*on_warning)(void *ctx, const pickle_error *warning);
    /* Called every few MiB of input: `total` is 0 when unknown. False cancels. */
    bool (*on_progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
} pickle_read_opts;

/* Named arguments: pickle_read_file(path, pickle_read_opts(.strict = true), &err). */
#ifndef __cplusplus
#define pickle_read_opts(...) \
    (&(const pickle_read_opts){ .struct_size = sizeof(pickle_read_opts), __VA_ARGS__ })
#endif

/*
 * Read the first value of the input, whatever it is wrapped in, recognised by content:
 *
 *   a pickle or a joblib file, bare or compressed;
 *   a zip or tar with one member that is that, as pandas writes them;
 *   numpy's .npy, an array, and .npz, a dict of arrays (what is no .npy in it, bytes);
 *   PyTorch's files, zip, legacy and tar: see <pickle/torch.h>;
 *   what shelve and dbm write, in the formats of dbm.gnu (both byte orders, 32 and 64 bits),
 *   dbm.dumb (NAME.dir, which finds NAME.dat beside it) and dbm.sqlite3: a dict in the order of
 *   the file, whose keys are text, or bytes if they are no UTF-8. Its values are what the pickles
 *   hold; or bytes, if the first value that is no pickle comes before any that begins with PROTO.
 *   A SQLite database is not read while a -wal file beside it may have changes to it.
 *
 * Checksums are checked of all that is inflated, and of pickles in archives; not of arrays that
 * lie in an archive as they are, which are read when they are touched.
 *
 * `opts` may be NULL for the defaults, `err` may be NULL. NULL means failure, and `err` says why;
 * there are no partial documents. Free the result with pickle_doc_free.
 *
 * pickle_read_file reads NAME.dir where there is no NAME, so that a dbm.dumb has the name it has
 * in Python. It maps uncompressed files: array data lies in the mapping and is read from disk when
 * it is touched. A file that another process truncates meanwhile ends this process with SIGBUS, as
 * with every mapping.
 */
PICKLE_API pickle_doc *pickle_read(const void *data, size_t size, const pickle_read_opts *opts,
                                   pickle_error *err);
PICKLE_API pickle_doc *pickle_read_file(const char *path, const pickle_read_opts *opts,
                                        pickle_error *err);
/* From a descriptor, which stays open: a file is mapped from its start, or read from where the
 * descriptor stands, if that is not the start; a pipe or socket is read to its end. */
PICKLE_API pickle_doc *pickle_read_fd(int fd, const pickle_read_opts *opts, pickle_error *err);

/*
 * Append the bytes of an input to `out` as the opcode layer (<pickle/opcode.h>) takes them, and as
 * offsets in errors count them: decompressed, or as they are; of a zip or tar, the member that is
 * the pickle. On failure what came before is there.
 */
PICKLE_API bool pickle_inflate(const void *data, size_t size, const pickle_read_opts *opts,
                               pickle_buf *out, pickle_error *err);

/*
 * Read another input into `doc`, whose values go; its memory is used again, so
 * that a stream of small messages allocates nothing. On failure the document
 * is empty (pickle_root gives NULL) and still good for the next message.
 */
PICKLE_API bool pickle_reread(pickle_doc *doc, const void *data, size_t size,
                              const pickle_read_opts *opts, pickle_error *err);

/*
 * The next pickle of the same input (concatenated pickles: logs).
 * PICKLE_OK: pickle_root is the new value; those before stay valid, unless the
 * document was opened for one_at_a_time. PICKLE_END:
 * the input ends here. Otherwise the error, which stays; the root is then NULL.
 * Input in memory must still be there.
 */
PICKLE_API pickle_status pickle_read_next(pickle_doc *doc, pickle_error *err);

/* Frees the document and every value in it; NULL is fine. */
PICKLE_API void pickle_doc_free(pickle_doc *doc);

/* -------------------------------------------------------- about a document */

PICKLE_API const pickle_val *pickle_root(const pickle_doc *doc);
/* What PROTO announced, 0 without one. */
PICKLE_API int pickle_protocol(const pickle_doc *doc);
/* "pickle", "joblib", "npy", "npz", "torch", "torchscript", "torch-legacy", "torch-tar", "shelve",
 * "dbm" (one of plain bytes), and what is around it, the innermost first: "joblib+zlib",
 * "pickle+tar+gzip". */
PICKLE_API const char *pickle_container(const pickle_doc *doc);
/* Bytes of the (decompressed) input up to and including STOP of the pickle read last. */
PICKLE_API uint64_t pickle_consumed(const pickle_doc *doc);
/* Bytes that follow it, as far as they are known without reading on: exact for everything that is
 * in memory or mapped; for compressed or piped input 0 or "at least". */
PICKLE_API uint64_t pickle_trailing(const pickle_doc *doc);
/* Bytes the document holds: graph, copies, indexes; without mapped files and caller's memory. */
PICKLE_API size_t pickle_memory(const pickle_doc *doc);

typedef enum pickle_pickler {
    PICKLE_PICKLER_UNKNOWN,
    PICKLE_PICKLER_C,
    PICKLE_PICKLER_PYTHON
} pickle_pickler;

/*
 * What wrote the document, as far as the stream shows it. Facts: the opcodes
 * and batch edges in which CPython's picklers differ, the module names numpy
 * and scikit-learn had, the attributes joblib's wrappers had.
 */
typedef struct pickle_origin {
    int protocol;           /* as pickle_protocol                                         */
    int python;             /* 2 or 3; 0 when nothing shows it                            */
    pickle_pickler pickler; /* of the outermost stream                                    */
    const char *numpy;      /* "<2" or ">=2"; NULL: no numpy names in it                  */
    const char *joblib;     /* "<0.10", "0.10-1.1", ">=1.2", ">=1.5"; NULL: no wrapper       */
    const char *sklearn;    /* the outermost _sklearn_version; NULL: none */
    size_t pickles;         /* nested pickles of object arrays included                   */
} pickle_origin;

PICKLE_API void pickle_get_origin(const pickle_doc *doc, pickle_origin *out);

/* ------------------------------------------------------- looking at values */

/*
 * Every accessor takes NULL and answers "missing", so chains need no checks:
 * pickle_attr(pickle_at(steps, 1), "coef_"). Values are borrowed from their
 * document. Two values are the same Python object exactly when their pointers
 * are equal; None, booleans, integers and floats are compared by value instead.
 */
PICKLE_API pickle_kind pickle_kind_of(const pickle_val *v);
/* "int", "bytes", "object", ...; never NULL. */
PICKLE_API const char *pickle_kind_name(pickle_kind kind);

/* False, and `*out` untouched, when the value is of another kind or does not fit. */
PICKLE_API bool pickle_get_bool(const pickle_val *v, bool *out);
PICKLE_API bool pickle_get_i64(const pickle_val *v, int64_t *out); /* int or bool        */
PICKLE_API bool pickle_get_u64(const pickle_val *v, uint64_t *out);
PICKLE_API bool pickle_get_f64(const pickle_val *v,
                               double *out); /* float, int or bool; ints are
                                                rounded as Python rounds them */
PICKLE_API int64_t pickle_i64_or(const pickle_val *v, int64_t fallback);
PICKLE_API double pickle_f64_or(const pickle_val *v, double fallback);
/*
 * An int of any size as minimal two's complement, little-endian, at most
 * `size` bytes of it into `out`. Returns the bytes there are; 0 for other kinds.
 */
PICKLE_API size_t pickle_int_bytes(const pickle_val *v, void *out, size_t size);

/*
 * Text of a str: UTF-8, NUL-terminated, NULL for other kinds. The text may
 * hold NULs itself; pickle_len gives its bytes. Lone surrogates are there as
 * three bytes each, as CPython's "surrogatepass" has them: pickle_is_utf8 tells.
 */
PICKLE_API const char *pickle_str(const pickle_val *v);
PICKLE_API bool pickle_is_utf8(const pickle_val *v);
PICKLE_API bool pickle_str_is(const pickle_val *v, const char *text);
/*
 * The content of bytes, bytearray and buffers; of a Python 2 str (its raw
 * bytes); and of what protocols 0-2 write for bytes: _codecs.encode(text,
 * 'latin1') and bytes(). NULL for everything else.
 */
PICKLE_API const void *pickle_bytes(const pickle_val *v, size_t *len);

/* Items of a container; bytes of str, bytes and bytearray; else 0. Of an object: its list items. */
PICKLE_API size_t pickle_len(const pickle_val *v);
/* Item `index` of a list or tuple, or of an object's list items; of a set in stream order. */
PICKLE_API const pickle_val *pickle_at(const pickle_val *v, size_t index);

/* Dict lookup with Python's equality (1 == 1.0 == True; NaN by identity). Of an object: in its
 * dict items. The first lookup in a large dict builds an index. */
PICKLE_API const pickle_val *pickle_get(const pickle_val *v, const char *key);
PICKLE_API const pickle_val *pickle_get_int(const pickle_val *v, int64_t key);
PICKLE_API const pickle_val *pickle_get_val(const pickle_val *v, const pickle_val *key);
/* Is `key` in the set or dict? */
PICKLE_API bool pickle_has(const pickle_val *v, const pickle_val *key);

/*
 * Attribute of an object: looked up in its states, the last first; a state may
 * be a dict, or a tuple (dict or None, dict of slots).
 */
PICKLE_API const pickle_val *pickle_attr(const pickle_val *object, const char *name);

/*
 * A path from `v`, as one writes it in Python: "steps[1][1].coef_",
 * "['weights'][0]". A bare name is an attribute, else a string key; [i] an
 * index (negative from the end) or an integer key; ['text'] a string key: also
 * into the containers of the standard library, as <pickle/stdlib.h> has them.
 * The empty path is `v`. NULL when there is no such thing. Never allocates.
 */
PICKLE_API const pickle_val *pickle_find(const pickle_val *v, const char *path);
/*
 * Likewise, but stops where a step cannot be taken and gives what was reached;
 * `*rest` is the unused part of the path: "" when all of it was used.
 */
PICKLE_API const pickle_val *pickle_find_prefix(const pickle_val *v, const char *path,
                                                const char **rest);

/* ------------------------------------------------------ globals and objects */

/* Module and qualified name, Python 2 names mapped to Python 3's below protocol 3. */
PICKLE_API const char *pickle_module(const pickle_val *global);
PICKLE_API const char *pickle_name(const pickle_val *global);
/* As the stream has them. */
PICKLE_API const char *pickle_raw_module(const pickle_val *global);
PICKLE_API const char *pickle_raw_name(const pickle_val *global);
PICKLE_API bool pickle_is_global(const pickle_val *v, const char *module, const char *name);

/* How an object came to be. */
typedef enum pickle_call {
    PICKLE_CALL_REDUCE = 1, /* callable(*args)                                        */
    PICKLE_CALL_NEWOBJ,     /* cls.__new__(cls, *args)                                */
    PICKLE_CALL_NEWOBJ_EX,  /* cls.__new__(cls, *args, **kwargs)                      */
    PICKLE_CALL_INST,       /* protocol 0: cls(*args), or an instance without a call  */
    PICKLE_CALL_OBJ         /* likewise                                               */
} pickle_call;

PICKLE_API pickle_call pickle_call_of(const pickle_val *object); /* 0: not an object */
PICKLE_API const pickle_val *pickle_callable(const pickle_val *object);
PICKLE_API const pickle_val *pickle_args(const pickle_val *object);
PICKLE_API const pickle_val *pickle_kwargs(const pickle_val *object);
/* The argument of the last BUILD, NULL when there was none. */
PICKLE_API const pickle_val *pickle_state(const pickle_val *object);

/*
 * The class of an object as a GLOBAL, seen through the reconstructors that
 * pickle itself uses: NEWOBJ's class, copyreg._reconstructor's first argument,
 * else the callable. NULL when it is no global.
 */
PICKLE_API const pickle_val *pickle_class(const pickle_val *object);
PICKLE_API bool pickle_is_a(const pickle_val *object, const char *module, const char *name);

/*
 * What happened to an object after it was made. Successive opcodes of one kind
 * are one change; the changes are in stream order.
 */
typedef enum pickle_change_kind {
    PICKLE_CHANGE_BUILD = 1, /* value: the state                                            */
    PICKLE_CHANGE_APPENDS,   /* value: a list of the items appended                         */
    PICKLE_CHANGE_SETITEMS,  /* value: a dict of the items set                              */
    PICKLE_CHANGE_ADDITEMS,  /* value: a set of the items added                             */
    PICKLE_CHANGE_PAYLOAD,   /* value: bytes, the data behind a joblib wrapper or torch storage */
    PICKLE_CHANGE_NESTED,    /* value: root of the pickle behind a joblib wrapper; what torch has */
                             /* elsewhere for the value                                           */
    PICKLE_CHANGE_CALL       /* value: a call with the object, whose result was thrown away       */
} pickle_change_kind;

typedef struct pickle_change {
    pickle_change_kind kind;
    const pickle_val *value;
    const pickle_val *of; /* private */
    const void *at;       /* private */
} pickle_change;

/* for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c)) */
PICKLE_API bool pickle_first_change(const pickle_val *object, pickle_change *out);
PICKLE_API bool pickle_next_change(pickle_change *change);

/* Persistent id or extension code behind a PERSID or EXT value (an int value for EXT). */
PICKLE_API const pickle_val *pickle_id(const pickle_val *v);
/* Buffers: may the content be changed in Python? */
PICKLE_API bool pickle_is_readonly(const pickle_val *v);

/* ---------------------------------------------------------------- iteration */

/*
 * Over list, tuple, set, dict, and an object's list items, dict items and set
 * items, in pickled order; `key` is NULL where there is none. Duplicates in
 * dicts and sets are gone, as Python has it: the first key, the last value.
 */
typedef struct pickle_iter {
    const pickle_val *of;
    size_t pos;
    const void *in; /* private */
} pickle_iter;

PICKLE_API bool pickle_next(pickle_iter *it, const pickle_val **key, const pickle_val **value);

#define PICKLE_CAT_(a, b) a##b
#define PICKLE_CAT(a, b)  PICKLE_CAT_(a, b)
#define pickle_foreach(v, key, value)                                  \
    for (pickle_iter PICKLE_CAT(pickle_it_, __LINE__) = { (v), 0, 0 }; \
         pickle_next(&PICKLE_CAT(pickle_it_, __LINE__), &(key), &(value));)

/*
 * Walk the graph depth first, each distinct container or object once, parents
 * before children; atoms are visited wherever they stand. `visit` gets the
 * depth and whether the value was seen before (then its children are not
 * visited again); false ends the walk. Returns false for that, and when memory
 * for the set of seen values (from malloc) ran out, with PICKLE_ERR_NOMEM in `err`.
 */
PICKLE_API bool pickle_walk(const pickle_val *v,
                            bool (*visit)(void *ctx, const pickle_val *v, size_t depth, bool seen),
                            void *ctx, pickle_error *err);

/*
 * Python's repr() of plain values, on one line: 'text', b'bytes', 1.5, [1, 2],
 * {'a': (1,)}; cycles as [...], globals as module.name, objects as
 * module.name(args), with ... for what exceeds `limit` bytes of output (0: no
 * limit). Deep nesting is fine. False when the sink refused or memory ran out.
 */
PICKLE_API bool pickle_repr(const pickle_val *v, pickle_sink out, size_t limit, pickle_error *err);

#ifdef __cplusplus
}
#endif
#endif
