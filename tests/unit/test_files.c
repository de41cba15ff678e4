/* test_files.c - inputs that are more than a pickle: arrays in files beside it, .npy, .npz. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "testmem.h"

/* ------------------------------------------------------------------- helpers */

/* numpy.arange(3.) and an array of None, as numpy.save writes them. */
#define HEADER(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"
#define FLOATS               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40"

static const char none[] =
    "\x80\x02"
    "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\1btR(K\1(K\1tcnumpy\ndtype\n"
    "(U\2O8K\0K\1tR(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb\x89]Natb.";

/* A folder of its own for each test. */
static char folder[64];

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/test-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const void *data, size_t len)
{
    FILE *f = fopen(in_folder(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

/* A header of version `major`, and data; the length is the header's. */
static size_t make_npy(unsigned char *out, int major, const char *header, const void *data,
                       size_t len)
{
    size_t n = strlen(header), lead = major == 1 ? 10 : 12;

    memcpy(out, "\x93NUMPY\0\0", 8);
    out[6] = (unsigned char)major;
    out[8] = (unsigned char)n;
    out[9] = (unsigned char)(n >> 8);
    if (lead == 12)
        out[10] = out[11] = 0;
    memcpy(out + lead, header, n);
    if (len)
        memcpy(out + lead + n, data, len);
    return lead + n + len;
}

/* What the file has, as text: its elements, or the error. */
static const char *read_text(const void *data, size_t len)
{
    static char text[512];
    pickle_buf buf = { 0 };
    pickle_error err;
    pickle_doc *doc = pickle_read(data, len, NULL, &err);
    pickle_array a, item;

    if (!doc) {
        snprintf(text, sizeof text, "%s: %s", pickle_status_name(err.code), err.message);
        return text;
    }
    ck_assert_msg(pickle_read_array(pickle_root(doc), &a, &err), "%s", err.message);
    for (int64_t i = 0; a.ndim == 1 && !a.objects && i < a.shape[0]; i++) {
        ck_assert(pickle_array_at(&a, &i, 1, &item, NULL));
        ck_assert(pickle_array_item_repr(&item, pickle_sink_buf(&buf)));
        ck_assert(pickle_sink_buf(&buf).write(&buf, " ", 1));
    }
    snprintf(text, sizeof text, "%d axes: %.*s", a.ndim, (int)buf.len, (char *)buf.data);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
    return text;
}

static const char *npy_text(int major, const char *header, const void *data, size_t len)
{
    unsigned char npy[1024];

    return read_text(npy, make_npy(npy, major, header, data, len));
}

/* -------------------------------------------------------------------- .npy */

START_TEST(test_npy_headers)
{
    static const char *const same[] = {
        HEADER("<f8", "(3,)"),
        "{'descr':'<f8','fortran_order':False,'shape':(3,)}",
        "{\"shape\": (3L,), 'fortran_order': True, 'descr': \"<f8\"}   \n",
        "  { 'fortran_order' : False , 'shape' : (3 ,) , 'descr' : '<f8' , }\n",
    };

    for (int major = 1; major <= 3; major++)
        for (size_t i = 0; i < sizeof same / sizeof *same; i++)
            ck_assert_str_eq(npy_text(major, same[i], FLOATS, 24), "1 axes: 0.0 1.0 2.0 ");
    ck_assert_str_eq(npy_text(1, HEADER("<f8", "()"), FLOATS, 8), "0 axes: ");
    ck_assert_str_eq(npy_text(1, HEADER("<f8", "(0,)"), FLOATS, 0), "1 axes: ");
    ck_assert_str_eq(npy_text(1, HEADER("|O8", "(1,)"), none, sizeof none - 1), "1 axes: ");
    /* Python 2's latin1; what follows the array is no part of it. */
    ck_assert_str_eq(npy_text(1,
                              "{'descr': [('\xe9', '<f8')], 'fortran_order': False, "
                              "'shape': (1,)}",
                              FLOATS, 24),
                     "1 axes: (0.0,) ");
}
END_TEST

START_TEST(test_npy_refused)
{
    static const struct {
        const char *header, *want;
    } cases[] = {
        { "", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{}", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{'descr': '<f8', 'fortran_order': False}", "PICKLE_ERR_VALUE: .npy: the header is no" },
        { "{'descr': '<f8', 'shape': (3,)}", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{'fortran_order': False, 'shape': (3,)}", "PICKLE_ERR_VALUE: .npy: the header is no" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'x': 1}",
          "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (3,)}",
          "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { HEADER("<f8", "(-1,)"), "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { HEADER("<f8", "(3,"), "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { HEADER("<f8", "3"), "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { HEADER("<f8", "(99999999999999999999,)"), "PICKLE_ERR_VALUE: .npy: the header is no" },
        { HEADER("<f8", "(4294967296, 4294967296)"), "PICKLE_ERR_VALUE: .npy: the array's size" },
        { HEADER("<f8", "(1000000000000,)"), "PICKLE_ERR_TRUNCATED: " },
        { HEADER("<f8", "(4,)"), "PICKLE_ERR_TRUNCATED: " },
        { HEADER("<q9", "(3,)"), "PICKLE_ERR_ARG: .npy: " },
        { "{'descr': [(", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{'descr': '<f8\\", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{'descr': ", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { "{'descr", "PICKLE_ERR_VALUE: .npy: the header is no dict" },
        { HEADER("|O8", "(1,)"), "PICKLE_ERR_" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = npy_text(1, cases[i].header, FLOATS, 24);

        ck_assert_msg(strncmp(text, cases[i].want, strlen(cases[i].want)) == 0, "%s\ngives %s",
                      cases[i].header, text);
    }
    ck_assert_str_eq(npy_text(4, HEADER("<f8", "(3,)"), FLOATS, 24),
                     "PICKLE_ERR_VALUE: .npy: no version from 1.0 to 3.0");
}
END_TEST

/* Cut anywhere, and with any byte changed, it is an error or an array. */
START_TEST(test_npy_damage)
{
    static const char header[] =
        "{'descr': [('a', '<f8', (1,)), ('b', '<i4')], 'fortran_order': False, 'shape': (2,), }";
    unsigned char npy[256], *copy;
    size_t len = make_npy(npy, 2, header, FLOATS, 24);

    for (size_t n = 0; n < len; n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, npy, n);
        ck_assert_ptr_null(pickle_read(copy, n, NULL, NULL));
        free(copy);
    }
    for (size_t i = 0; i < len; i++)
        for (int bit = 0; bit < 8; bit++) {
            npy[i] ^= (unsigned char)(1 << bit);
            pickle_doc_free(pickle_read(npy, len, NULL, NULL));
            npy[i] ^= (unsigned char)(1 << bit);
        }
}
END_TEST

START_TEST(test_npy_concatenated)
{
    unsigned char data[1024];
    size_t len = make_npy(data, 1, HEADER("<f8", "(3,)"), FLOATS, 24);
    pickle_error err;
    pickle_array a;
    pickle_doc *doc;

    memcpy(data + len, "K\5.", 3);
    len += 3;
    len += make_npy(data + len, 1, HEADER("<f8", "(1,)"), FLOATS, 8);
    doc = docs_read(data, len, pickle_read_opts(.borrow = true));
    ck_assert_str_eq(pickle_container(doc), "npy");
    ck_assert(pickle_get_array(pickle_root(doc), &a));
    ck_assert(pickle_read_next(doc, &err) == PICKLE_OK);
    check_int(pickle_root(doc), 5);
    ck_assert(pickle_read_next(doc, &err) == PICKLE_OK);
    ck_assert(pickle_get_array(pickle_root(doc), &a));
    ck_assert_uint_eq(pickle_array_count(&a), 1);
    ck_assert_uint_eq(pickle_consumed(doc), len);
    ck_assert(pickle_read_next(doc, &err) == PICKLE_END);
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- .npz */

static void put_number(pickle_buf *b, uint32_t n, size_t size)
{
    unsigned char bytes[4] = { (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16),
                               (unsigned char)(n >> 24) };

    ck_assert(pickle_sink_buf(b).write(b, bytes, size));
}

static void put_bytes(pickle_buf *b, const void *data, size_t len)
{
    ck_assert(pickle_sink_buf(b).write(b, data, len));
}

/* Both headers of a stored member have this in the middle. */
static void put_zip_header(pickle_buf *b, const char *name, size_t size)
{
    put_number(b, 20, 2);
    put_bytes(b, "\0\0\0\0\0\0\x21\0\0\0\0\0", 12);
    put_number(b, (uint32_t)size, 4);
    put_number(b, (uint32_t)size, 4);
    put_number(b, (uint32_t)strlen(name), 2);
}

/* `n` members of the same content: "0.npy", "1.npy", ...; the directory has each `times` times. */
static pickle_buf make_npz(int n, int times, const void *content, size_t size)
{
    pickle_buf zip = { 0 }, directory = { 0 };
    char name[16];

    for (int i = 0; i < n; i++) {
        uint32_t at = (uint32_t)zip.len;

        snprintf(name, sizeof name, "%d.npy", i);
        put_bytes(&zip, "PK\3\4", 4);
        put_zip_header(&zip, name, size);
        put_number(&zip, 0, 2);
        put_bytes(&zip, name, strlen(name));
        put_bytes(&zip, content, size);
        for (int j = 0; j < times; j++) {
            put_bytes(&directory, "PK\1\2\x14\0", 6);
            put_zip_header(&directory, name, size);
            put_bytes(&directory, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
            put_number(&directory, at, 4);
            put_bytes(&directory, name, strlen(name));
        }
    }
    n = (int)zip.len;
    put_bytes(&zip, directory.data, directory.len);
    put_bytes(&zip, "PK\5\6\0\0\0\0\0\0\0\0", 12);
    put_number(&zip, (uint32_t)directory.len, 4);
    put_number(&zip, (uint32_t)n, 4);
    put_number(&zip, 0, 2);
    pickle_buf_free(&directory);
    return zip;
}

START_TEST(test_npz)
{
    unsigned char npy[256];
    size_t size = make_npy(npy, 1, HEADER("<f8", "(3,)"), FLOATS, 24);
    pickle_buf zip = make_npz(3, 1, npy, size);
    pickle_doc *doc = docs_read(zip.data, zip.len, NULL);
    pickle_array a;

    ck_assert_str_eq(pickle_container(doc), "npz");
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 3);
    /* Nothing points into what the caller gave. */
    memset(zip.data, 0, zip.len);
    ck_assert(pickle_get_array(pickle_find(pickle_root(doc), "['2']"), &a));
    ck_assert(memcmp(a.data, FLOATS, 24) == 0);
    pickle_doc_free(doc);
    pickle_buf_free(&zip);
}
END_TEST

/* The limit holds for all members together. */
START_TEST(test_npz_limit)
{
    unsigned char npy[256];
    size_t size = make_npy(npy, 1, HEADER("<f8", "(3,)"), FLOATS, 24);
    pickle_buf zip = make_npz(5000, 1, npy, size);
    pickle_error err;

    ck_assert_ptr_null(
        pickle_read(zip.data, zip.len, pickle_read_opts(.limits.memory_bytes = 200000), &err));
    ck_assert_msg(err.code == PICKLE_ERR_LIMIT, "%s", err.message);
    pickle_buf_free(&zip);
}
END_TEST

/* Or a small file would take as much time and memory as one likes. */
START_TEST(test_npz_overlap)
{
    unsigned char npy[512];
    size_t size = make_npy(npy, 1, HEADER("<f8", "(3,)"), FLOATS, 24);
    pickle_buf zip = make_npz(1, 5, npy, size);
    pickle_error err;

    ck_assert_ptr_null(pickle_read(zip.data, zip.len, NULL, &err));
    ck_assert(err.code == PICKLE_ERR_CODEC);
    ck_assert_str_eq(err.message, "the archive's members overlap");
    pickle_buf_free(&zip);
}
END_TEST

/* Protocol 1: a string whose first 512 bytes are those of a tar's header with the checksum 0. */
START_TEST(test_no_tar)
{
    unsigned char data[606] = { 'T', 0x58, 0x02, [605] = '.' };
    pickle_doc *doc;

    /* As many bytes of -1 as the others are in sum, with blanks for the checksum. */
    memset(data + 156, 0xff, 512 - 156);
    memset(data + 5, 0xff, 'T' + 0x58 + 0x02 + 8 * ' ' - (512 - 156));
    doc = docs_read(data, sizeof data, NULL);
    ck_assert_str_eq(pickle_container(doc), "pickle");
    ck_assert(pickle_kind_of(pickle_root(doc)) == PICKLE_STR);
    pickle_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------- files beside */

#define WRAPPER(name)                                                                  \
    "ccopy_reg\n_reconstructor\n(cjoblib.numpy_pickle\nNDArrayWrapper\nc__builtin__\n" \
    "object\nNtR(dVfilename\nV" name "\nsVsubclass\ncnumpy\nndarray\nsb"

#define ZIPPED(name, shape)                                                             \
    "ccopy_reg\n_reconstructor\n(cjoblib.numpy_pickle\nZNDArrayWrapper\nc__builtin__\n" \
    "object\nNtR(dVfilename\nV" name                                                    \
    "\nsVinit_args\n(cnumpy\nndarray\n(I0\ntVb\ntsVstate\n(I1\n" shape                  \
    "cnumpy\ndtype\n(Vf8\nI00\nI01\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntbI00\ntsb"

static void put_npy(const char *name)
{
    unsigned char npy[256];

    put_file(name, npy, make_npy(npy, 1, HEADER("<f8", "(3,)"), FLOATS, 24));
}

/* "found", "absent", or the error. */
static const char *read_beside(const char *pickle, size_t len)
{
    static char text[256];
    pickle_error err;
    pickle_array a;
    pickle_doc *doc;
    bool found;

    put_file("main.pkl", pickle, len);
    doc = pickle_read_file(in_folder("main.pkl"), NULL, &err);
    if (!doc) {
        snprintf(text, sizeof text, "%s: %s", pickle_status_name(err.code), err.message);
        return text;
    }
    found = pickle_read_array(pickle_root(doc), &a, &err);
    ck_assert(found || err.code == PICKLE_ERR_MISSING);
    if (found) {
        double x[3];

        ck_assert(pickle_array_copy(&a, "f8", x, sizeof x, NULL) && x[2] == 2.0);
    }
    pickle_doc_free(doc);
    return found ? "found" : "absent";
}

#define BESIDE(text) read_beside(text, sizeof text - 1)

static void check_start(const char *text, const char *want)
{
    ck_assert_msg(strncmp(text, want, strlen(want)) == 0, "%s\nis not %s", text, want);
}

START_TEST(test_beside)
{
    put_npy("main.pkl_01.npy");
    ck_assert_str_eq(BESIDE(WRAPPER("main.pkl_01.npy") "."), "found");
    ck_assert_str_eq(BESIDE(WRAPPER("main.pkl_02.npy") "."), "absent");
}
END_TEST

/* A pickle in memory names a file: it is looked for where the caller says. */
START_TEST(test_folder_option)
{
    static const char text[] = WRAPPER("a.npy") ".";
    pickle_array a;
    pickle_doc *doc = docs_read(text, sizeof text - 1, NULL);

    ck_assert(!pickle_get_array(pickle_root(doc), &a));
    pickle_doc_free(doc);
    put_npy("a.npy");
    doc = docs_read(text, sizeof text - 1, pickle_read_opts(.path = in_folder("input")));
    ck_assert(pickle_get_array(pickle_root(doc), &a));
    ck_assert_uint_eq(pickle_array_count(&a), 3);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_names_that_lead_out)
{
    static const char want[] = "PICKLE_ERR_DENIED: ";

    put_npy("a.npy");
    ck_assert_int_eq(mkdir(in_folder("sub"), 0700), 0);
    put_npy("sub/a.npy");
    check_start(BESIDE(WRAPPER("../a.npy") "."), want);
    check_start(BESIDE(WRAPPER("/etc/hostname") "."), want);
    check_start(BESIDE(WRAPPER("sub/a.npy") "."), want);
    check_start(BESIDE(WRAPPER("./a.npy") "."), want);
    check_start(BESIDE(WRAPPER("..") "."), want);
    check_start(BESIDE(WRAPPER(".") "."), want);
    check_start(BESIDE(WRAPPER("") "."), want);
    check_start(BESIDE(WRAPPER("a.npy\\u0000") "."), want);
}
END_TEST

/* A link could lead anywhere; a pipe would be waited for; a folder has no content. */
START_TEST(test_no_file)
{
    char target[256];

    put_npy("a.npy");
    strcpy(target, in_folder("a.npy"));
    ck_assert_int_eq(symlink(target, in_folder("link")), 0);
    ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
    ck_assert_int_eq(mkdir(in_folder("sub"), 0700), 0);
    check_start(BESIDE(WRAPPER("link") "."), "PICKLE_ERR_");
    check_start(BESIDE(WRAPPER("fifo") "."), "PICKLE_ERR_DENIED");
    check_start(BESIDE(WRAPPER("sub") "."), "PICKLE_ERR_DENIED");
}
END_TEST

START_TEST(test_damaged_beside)
{
    put_file("a.npy", "\x93NUMPY\1\0\xff\xff{", 11);
    ck_assert_str_eq(BESIDE(WRAPPER("a.npy") "."),
                     "PICKLE_ERR_TRUNCATED: in the file \"a.npy\" beside it: the input ends before "
                     "STOP");
    put_file("empty", "", 0);
    check_start(BESIDE(WRAPPER("empty") "."), "PICKLE_ERR_");
}
END_TEST

/* Two wrappers of one file share what is in it; each has its array. */
START_TEST(test_shared_file)
{
    static const char text[] = "(" WRAPPER("a.npy") WRAPPER("a.npy") "l.";
    pickle_array a, b;
    pickle_doc *doc;

    put_npy("a.npy");
    doc = docs_read(text, sizeof text - 1, pickle_read_opts(.path = in_folder("input")));
    ck_assert(pickle_get_array(pickle_at(pickle_root(doc), 0), &a));
    ck_assert(pickle_get_array(pickle_at(pickle_root(doc), 1), &b));
    ck_assert_ptr_eq(a.data, b.data);
    pickle_doc_free(doc);
}
END_TEST

/* However often a pickle names it, a file is in memory once. */
START_TEST(test_file_named_often)
{
    static const char again[] = WRAPPER("big");
    static char content[60000];
    pickle_buf text = { 0 };
    pickle_doc *doc;
    memory m;

    put_file("big", content,
             make_npy((unsigned char *)content, 1, HEADER("<f8", "(3,)"), FLOATS, 24));
    ck_assert_int_eq(truncate(in_folder("big"), sizeof content), 0);
    put_bytes(&text, "(", 1);
    for (int i = 0; i < 500; i++)
        put_bytes(&text, again, sizeof again - 1);
    put_bytes(&text, "l.", 2);
    memory_init(&m, 0);
    doc = docs_read(text.data, text.len,
                    pickle_read_opts(.path = in_folder("input"), .alloc = &m.alloc));
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 500);
    ck_assert_uint_lt(m.peak, 4 << 20);
    pickle_doc_free(doc);
    pickle_buf_free(&text);
}
END_TEST

/* A name may be bytes of no encoding; there is no such file. */
START_TEST(test_name_of_bytes)
{
    static const char text[] =
        "ccopy_reg\n_reconstructor\n(cjoblib.numpy_pickle\nNDArrayWrapper\nc__builtin__\n"
        "object\nNtR(dS'filename'\nS'\\xff\\x00'\nsS'subclass'\ncnumpy\nndarray\nsb.";
    static const char absent[] =
        "ccopy_reg\n_reconstructor\n(cjoblib.numpy_pickle\nNDArrayWrapper\nc__builtin__\n"
        "object\nNtR(dS'filename'\nS'\\xff'\nsS'subclass'\ncnumpy\nndarray\nsb.";
    const pickle_read_opts *opts =
        pickle_read_opts(.path = in_folder("input"), .encoding = "bytes");
    pickle_doc *doc = docs_read(absent, sizeof absent - 1, opts);
    pickle_error err;

    ck_assert(pickle_kind_of(pickle_root(doc)) == PICKLE_OBJECT);
    pickle_doc_free(doc);
    ck_assert_ptr_null(pickle_read(text, sizeof text - 1, opts, &err));
    ck_assert(err.code == PICKLE_ERR_DENIED);
}
END_TEST

/* Raw bytes, in a Z-file or bare; fewer or more than the state calls for are wrong. */
START_TEST(test_zipped)
{
    put_file("a.z", FLOATS, 24);
    ck_assert_str_eq(BESIDE(ZIPPED("a.z", "(I3\nt") "."), "found");
    check_start(BESIDE(ZIPPED("a.z", "(I2\nt") "."), "PICKLE_ERR_VALUE: in the file");
    check_start(BESIDE(ZIPPED("a.z", "(I4\nt") "."), "PICKLE_ERR_TRUNCATED: in the");
    check_start(BESIDE(ZIPPED("a.z", "I3\n") "."),
                "PICKLE_ERR_VALUE: BUILD: joblib wrapper: the shape is no tuple");
    ck_assert_str_eq(BESIDE(ZIPPED("b.z", "(I3\nt") "."), "absent");
}
END_TEST

/* A document that has its arrays from files is written as one file. */
START_TEST(test_written_as_one)
{
    static const char text[] = WRAPPER("a.npy") ".";
    pickle_buf out = { 0 };
    pickle_error err;
    pickle_array a;
    pickle_doc *doc, *again;

    put_npy("a.npy");
    doc = docs_read(text, sizeof text - 1, pickle_read_opts(.path = in_folder("input")));
    ck_assert_msg(pickle_write_buf(doc, &out, NULL, &err), "%s", err.message);
    pickle_doc_free(doc);
    again = docs_read(out.data, out.len, NULL);
    ck_assert_str_eq(pickle_container(again), "joblib");
    ck_assert(pickle_get_array(pickle_root(again), &a));
    ck_assert(pickle_array_count(&a) == 3);
    pickle_doc_free(again);
    pickle_buf_free(&out);
}
END_TEST

/* ---------------------------------------------------------------------- logs */

/* From memory, and from a descriptor, as a log is followed: each entry takes the place of the one
 * before. */
START_TEST(test_log)
{
    enum { ENTRIES = 300, ITEMS = 1000 };
    pickle_buf log = { 0 };
    pickle_error err;
    pickle_doc *doc = pickle_doc_new(NULL);
    pickle_val *list = pickle_new_list(doc);
    size_t n = 1, most = 0;
    int fd;

    for (int i = 0; i < ITEMS; i++)
        pickle_append(doc, list, pickle_new_str(doc, "an entry"));
    pickle_set_root(doc, list);
    for (int i = 0; i < ENTRIES; i++)
        ck_assert(pickle_write_buf(doc, &log, NULL, &err));
    pickle_doc_free(doc);
    put_file("log", log.data, log.len);
    pickle_buf_free(&log);
    fd = open(in_folder("log"), O_RDONLY);
    doc = pickle_read_fd(fd, pickle_read_opts(.one_at_a_time = true), &err);
    ck_assert_msg(doc != NULL, "%s", err.message);
    for (most = pickle_memory(doc); pickle_read_next(doc, &err) == PICKLE_OK; n++) {
        ck_assert_uint_eq(pickle_len(pickle_root(doc)), ITEMS);
        ck_assert(pickle_str_is(pickle_at(pickle_root(doc), ITEMS - 1), "an entry"));
        ck_assert_uint_le(pickle_memory(doc), 3 * most);
    }
    ck_assert_uint_eq(n, ENTRIES);
    ck_assert_int_eq(pickle_read_next(doc, &err), PICKLE_END);
    pickle_doc_free(doc);
    close(fd);
}
END_TEST

/* ------------------------------------------------------------- failing memory */

START_TEST(test_no_memory)
{
    static const char text[] =
        "(" WRAPPER("a.npy") WRAPPER("mapped.npy") ZIPPED("a.z", "(I3\nt") "l.";
    unsigned char npy[256];
    size_t len = make_npy(npy, 1, HEADER("<f8", "(3,)"), FLOATS, 24);
    bool done = false;

    put_npy("a.npy");
    put_npy("mapped.npy");
    ck_assert_int_eq(truncate(in_folder("mapped.npy"), 100000), 0);
    put_file("a.z", FLOATS, 24);
    for (size_t n = 1; !done; n++) {
        pickle_error err = { 0 };
        memory m;
        pickle_doc *doc, *beside;

        memory_init(&m, n);
        doc = pickle_read(npy, len, pickle_read_opts(.alloc = &m.alloc), &err);
        ck_assert_msg(doc || err.code == PICKLE_ERR_NOMEM, "%d: %s", (int)n, err.message);
        pickle_doc_free(doc);
        ck_assert_uint_eq(m.in_use, 0);
        memory_init(&m, n);
        beside = pickle_read(text, sizeof text - 1,
                             pickle_read_opts(.alloc = &m.alloc, .path = in_folder("input")), &err);
        ck_assert_msg(beside || err.code == PICKLE_ERR_NOMEM, "%d: %s", (int)n, err.message);
        pickle_doc_free(beside);
        ck_assert_uint_eq(m.in_use, 0);
        done = doc && beside;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tc = tcase_create("files");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_npy_headers);
    tcase_add_test(tc, test_npy_refused);
    tcase_add_test(tc, test_npy_damage);
    tcase_add_test(tc, test_npy_concatenated);
    tcase_add_test(tc, test_npz);
    tcase_add_test(tc, test_npz_limit);
    tcase_add_test(tc, test_npz_overlap);
    tcase_add_test(tc, test_no_tar);
    tcase_add_test(tc, test_beside);
    tcase_add_test(tc, test_folder_option);
    tcase_add_test(tc, test_names_that_lead_out);
    tcase_add_test(tc, test_no_file);
    tcase_add_test(tc, test_damaged_beside);
    tcase_add_test(tc, test_shared_file);
    tcase_add_test(tc, test_file_named_often);
    tcase_add_test(tc, test_name_of_bytes);
    tcase_add_test(tc, test_zipped);
    tcase_add_test(tc, test_written_as_one);
    tcase_add_test(tc, test_log);
    tcase_add_test(tc, test_no_memory);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
