/* test_torch.c - what tensors, storages and files of torch may not be: contradictory, endless, cut.
 */
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "testmem.h"

/* ------------------------------------------------------------------- helpers */

#define STORAGE(class) "(Vstorage\nctorch\n" class "\nVkey\nVcpu\nI6\nNtQ"
#define V2             "ctorch._utils\n_rebuild_tensor_v2\n("

static const char magic[] = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.";

/* A file of the layout before zip, with one storage of six floats, 0 to 5. */
typedef struct file {
    char data[8192];
    size_t len;
} file;

static void add(file *f, const void *data, size_t len)
{
    ck_assert_uint_le(f->len + len, sizeof f->data);
    memcpy(f->data + f->len, data, len);
    f->len += len;
}

static void add_text(file *f, const char *text)
{
    add(f, text, strlen(text));
}

static void begin_file(file *f, const char *version, const char *root)
{
    f->len = 0;
    add(f, magic, sizeof magic - 1);
    add_text(f, version);
    add_text(f, "}.");
    add_text(f, root);
    add_text(f, ".");
}

static void add_storage(file *f, unsigned char numel)
{
    unsigned char count[8] = { numel };
    float numbers[6] = { 0, 1, 2, 3, 4, 5 };

    add(f, count, 8);
    add(f, numbers, numel < 6 ? numel * sizeof *numbers : sizeof numbers);
}

static void make_file(file *f, const char *root)
{
    begin_file(f, "I1001\n.", root);
    add_text(f, "(lVkey\na.");
    add_storage(f, 6);
}

/* Memory of its own, so that sanitizers see a read beyond its end. */
static pickle_doc *read_file(const file *f, size_t len, pickle_error *err)
{
    char *copy = malloc(len + 1);
    pickle_doc *doc;

    memcpy(copy, f->data, len);
    doc = pickle_read(copy, len, NULL, err);
    free(copy);
    return doc;
}

/* Whatever can be asked of a value. */
static bool touch(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    pickle_tensor t;
    pickle_storage s;
    pickle_device d;
    pickle_array a;
    double *numbers;

    (void)ctx;
    (void)depth;
    (void)seen;
    pickle_type_of(v);
    pickle_get_torch_dtype(v);
    pickle_get_torch_size(v);
    pickle_get_torch_device(v, &d);
    pickle_get_storage(v, &s);
    pickle_get_tensor(v, &t);
    if (pickle_get_array(v, &a) && a.data && pickle_array_count(&a) < 1000) {
        size_t n = (size_t)pickle_array_count(&a);

        numbers = malloc(n * sizeof *numbers + 1);
        pickle_array_copy(&a, "f8", numbers, n * sizeof *numbers, NULL);
        free(numbers);
    }
    return true;
}

static void put(pickle_buf *b, const void *data, size_t len)
{
    ck_assert(pickle_sink_buf(b).write(b, data, len));
}

static void put_format(pickle_buf *b, const char *format, ...)
{
    char text[128];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(b, text, strlen(text));
}

static void touch_all(const pickle_doc *doc)
{
    pickle_walk(pickle_root(doc), touch, NULL, NULL);
}

/* --------------------------------------------------------------------- bounds */

static const struct {
    const char *args; /* storage_offset, size, stride */
    bool ok;
    double last; /* the last element; -1: there is none */
} bound_rows[] = {
    { "I0\n(I2\nI3\nt(I3\nI1\nt", true, 5 },
    { "I0\n(I3\nI2\nt(I1\nI3\nt", true, 5 },
    { "I5\n(t(t", true, 5 },
    { "I0\n(I4\nI3\nt(I1\nI1\nt", true, 5 },
    { "I2\n(I900\nt(I0\nt", true, 2 },
    { "I5\n(I1\nI1\nt(I1000000000\nI7\nt", true, 5 },
    { "I0\n(I0\nI9\nt(I9\nI1\nt", true, -1 },
    { "I1000\n(I0\nt(I1\nt", true, -1 },
    { "I6\n(t(t", false, 0 },
    { "I1\n(I2\nI3\nt(I3\nI1\nt", false, 0 },
    { "I0\n(I7\nt(I1\nt", false, 0 },
    { "I0\n(I2\nt(I6\nt", false, 0 },
    { "I-1\n(I2\nt(I1\nt", false, 0 },
    { "I0\n(I-2\nt(I1\nt", false, 0 },
    { "I5\n(I2\nt(I-1\nt", false, 0 },
    { "L9223372036854775807L\n(I1\nt(I1\nt", false, 0 },
    { "L18446744073709551615L\n(I2\nt(I1\nt", false, 0 },
    { "I0\n(I2\nt(L9223372036854775807L\nt", false, 0 },
    { "I0\n(I1\nt(L9223372036854775807L\nt", false, 0 },
    { "I0\n(I3\nI3\nt(L2305843009213693951L\nL2305843009213693951L\nt", false, 0 },
    { "I0\n(L9223372036854775807L\nt(I0\nt", false, 0 },
    { "I0\n(L4294967296L\nL4294967296L\nt(I0\nI0\nt", false, 0 },
    { "I0\n(L99999999999999999999L\nt(I0\nt", false, 0 },
    { "I0\n(I2\nt(t", false, 0 },
    { "I0\n(I2\nt(I1\nI1\nt", false, 0 },
    { "I0\n(lI2\na(I1\nt", false, 0 },
    { "I0\nN(I1\nt", false, 0 },
    { "N(I1\nt(I1\nt", false, 0 },
    { "I0\n(Vx\nt(I1\nt", false, 0 },
};

START_TEST(bounds)
{
    for (size_t i = 0; i < sizeof bound_rows / sizeof *bound_rows; i++) {
        char root[512];
        file f;
        pickle_doc *doc;
        pickle_tensor t;
        pickle_error err = { 0 };
        double numbers[900];
        size_t n;

        snprintf(root, sizeof root, V2 STORAGE("FloatStorage") "%sI00\nNtR", bound_rows[i].args);
        make_file(&f, root);
        doc = read_file(&f, f.len, &err);
        ck_assert_msg(doc != NULL, "%s: %s", root, err.message);
        ck_assert_msg(pickle_read_tensor(pickle_root(doc), &t, &err) == bound_rows[i].ok, "%zu: %s",
                      i, err.message);
        if (bound_rows[i].ok) {
            n = (size_t)pickle_array_count(&t.array);
            ck_assert(pickle_array_copy(&t.array, "f8", numbers, n * sizeof *numbers, &err));
            ck_assert(n == 0 ? bound_rows[i].last < 0 : numbers[n - 1] == bound_rows[i].last);
        } else {
            ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
        }
        touch_all(doc);
        pickle_doc_free(doc);
    }
}
END_TEST

/* A bare pickle has no bytes, but all else; and its bounds are those that it tells. */
START_TEST(bare_pickle)
{
    pickle_doc *doc = READ(V2 STORAGE("BFloat16Storage") "I0\n(I2\nI3\nt(I3\nI1\ntI01\nNtR.");
    pickle_tensor t;
    pickle_storage s;
    pickle_error err;
    float numbers[6];

    ck_assert(pickle_get_tensor(pickle_root(doc), &t));
    ck_assert_str_eq(t.dtype, "torch.bfloat16");
    ck_assert_int_eq(t.array.dtype.kind, 'E');
    ck_assert_str_eq(t.array.dtype.name, "bfloat16");
    ck_assert_uint_eq(t.array.nbytes, 12);
    ck_assert(t.requires_grad && !t.array.data);
    ck_assert(!pickle_array_copy(&t.array, "f4", numbers, sizeof numbers, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_MISSING);
    ck_assert(pickle_get_storage(t.storage, &s));
    ck_assert(!s.data && s.nbytes == 12 && s.numel == 6);
    ck_assert_str_eq(s.device, "cpu");
    ck_assert(pickle_str_is(s.key, "key"));
    pickle_doc_free(doc);
    doc = READ(V2 STORAGE("FloatStorage") "I0\n(I7\nt(I1\ntI01\nNtR.");
    ck_assert(!pickle_get_tensor(pickle_root(doc), &t));
    pickle_doc_free(doc);
}
END_TEST

/* What torch wrote before 0.4, and what takes a device that is not at hand. */
START_TEST(other_forms)
{
#define TENSOR V2 STORAGE("FloatStorage") "I0\n(I6\nt(I1\ntI00\nNtR"
    static const struct {
        const char *pickle, *dtype, *device;
        bool grad, parameter;
        pickle_tensor_layout layout;
        int ndim;
    } rows[] = {
        { "ctorch\nFloatTensor\n(tR(" STORAGE("FloatStorage") "I0\n(I2\nI3\nt(I3\nI1\nttb.",
          "torch.float32", "cpu", false, false, PICKLE_LAYOUT_STRIDED, 2 },
        { "ctorch.autograd.variable\nVariable\n(tR(" TENSOR "NNI01\nI00\ntb.", "torch.float32",
          "cpu", true, false, PICKLE_LAYOUT_STRIDED, 1 },
        { "ctorch.nn.parameter\nParameter\n(" TENSOR "tR(I01\nI00\nNtb.", "torch.float32", "cpu",
          true, true, PICKLE_LAYOUT_STRIDED, 1 },
        { "ctorch.nn.parameter\nParameter\n(" TENSOR "I01\ntR.", "torch.float32", "cpu", true, true,
          PICKLE_LAYOUT_STRIDED, 1 },
        { "ctorch._utils\n_rebuild_nested_tensor\n(" TENSOR "NNNtR.", "torch.float32", "cpu", false,
          false, PICKLE_LAYOUT_NESTED, 0 },
        { "ctorch._utils\n_rebuild_wrapper_subclass\n(cmy\nClass\nctorch\nfloat16\n(I2\nI3\nt"
          "(I3\nI1\ntI0\nNctorch\ndevice\n(Vcuda\nI0\ntRI01\ntR.",
          "torch.float16", "cuda", true, false, PICKLE_LAYOUT_OPAQUE, 2 },
        { "ctorch._utils\n_rebuild_meta_tensor_no_storage\n(ctorch\nint8\n(I2\nI3\nt(I3\nI1\nt"
          "I00\ntR.",
          "torch.int8", "meta", false, false, PICKLE_LAYOUT_STRIDED, 2 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pickle_doc *doc = docs_read(rows[i].pickle, strlen(rows[i].pickle), NULL);
        pickle_error err = { 0 };
        pickle_tensor t;

        ck_assert_msg(pickle_read_tensor(pickle_root(doc), &t, &err), "%zu: %s", i, err.message);
        ck_assert_int_eq(pickle_type_of(pickle_root(doc)), PICKLE_TYPE_TENSOR);
        ck_assert_str_eq(t.dtype, rows[i].dtype);
        ck_assert_str_eq(t.device, rows[i].device);
        ck_assert(t.requires_grad == rows[i].grad && t.is_parameter == rows[i].parameter);
        ck_assert_int_eq(t.layout, rows[i].layout);
        ck_assert_int_eq(t.array.ndim, rows[i].ndim);
        touch_all(doc);
        pickle_doc_free(doc);
    }
#undef TENSOR
}
END_TEST

/* ---------------------------------------------------------------- wrong kinds */

/* Every function, with every kind of argument in every place. */
START_TEST(wrong_arguments)
{
    static const char *const functions[] = {
        "torch._utils\n_rebuild_tensor_v2",
        "torch._utils\n_rebuild_tensor",
        "torch._utils\n_rebuild_tensor_v3",
        "torch._utils\n_rebuild_parameter",
        "torch._utils\n_rebuild_parameter_with_state",
        "torch._utils\n_rebuild_qtensor",
        "torch._utils\n_rebuild_sparse_tensor",
        "torch._utils\n_rebuild_nested_tensor",
        "torch._utils\n_rebuild_meta_tensor_no_storage",
        "torch._utils\n_rebuild_device_tensor_from_numpy",
        "torch._utils\n_rebuild_device_tensor_from_cpu_tensor",
        "torch._utils\n_rebuild_wrapper_subclass",
        "torch._tensor\n_rebuild_from_type_v2",
        "torch.nn.parameter\nParameter",
        "torch\nFloatTensor",
        "torch\nSize",
        "torch\ndevice",
        "torch.storage\n_load_from_bytes",
    };
    static const char *const kinds[] = {
        "N",
        "I-1\n",
        "Vtext\n",
        "(t",
        "(I1\nt",
        "(dVa\nNs",
        "ctorch\nfloat32\n",
        "ctorch\nper_tensor_affine\n",
        STORAGE("FloatStorage"),
        V2 STORAGE("LongStorage") "I0\n(I2\nt(I1\ntI00\nNtR",
        "ctorch.serialization\n_get_layout\n(Vtorch.sparse_coo\ntR",
        "(ctorch\nper_channel_affine\nNNI0\nt",
        "ctorch._utils\n_rebuild_tensor_v2\n",
    };
    size_t n = sizeof kinds / sizeof *kinds;

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        for (size_t k = 0; k < n * n * 9; k++) {
            file f = { .len = 0 };
            pickle_doc *doc;

            add_text(&f, "c");
            add_text(&f, functions[i]);
            add_text(&f, "\n(");
            for (size_t arg = 0; arg < k % 9; arg++)
                add_text(&f, kinds[(k / 9 + arg * (k / 9 / n)) % n]);
            add_text(&f, "tR.");
            doc = read_file(&f, f.len, NULL);
            ck_assert(doc != NULL);
            touch_all(doc);
            pickle_doc_free(doc);
        }
}
END_TEST

START_TEST(not_tensors)
{
    pickle_doc *doc =
        READ("(lI1\naVx\nactorch\nfloat32\na(Vstorage\nNNNNtQa(Vmodule\nVc\nNNtQa(dQa.");
    pickle_tensor t;
    pickle_storage s;
    pickle_error err;

    for (size_t i = 0; i < 5; i++) {
        ck_assert(!pickle_read_tensor(pickle_at(pickle_root(doc), i), &t, &err));
        ck_assert_int_eq(err.code, PICKLE_ERR_TYPE);
        ck_assert(!pickle_get_storage(pickle_at(pickle_root(doc), i), &s));
    }
    ck_assert(!pickle_get_tensor(NULL, &t) && !pickle_get_storage(NULL, &s));
    ck_assert(!pickle_get_torch_size(NULL) && !pickle_get_torch_dtype(NULL));
    pickle_doc_free(doc);
}
END_TEST

/* --------------------------------------------------------------- without an end */

START_TEST(cycles)
{
    /* A Variable whose data are itself; a sparse tensor whose values are one that holds it. */
    static const char *const pickles[] = {
        "ctorch.autograd.variable\nVariable\n(tRp0\n(g0\nNNI00\nI00\ntb.",
        "ctorch.autograd.variable\nVariable\n(tRp0\n(ctorch._utils\n_rebuild_sparse_tensor\n("
        "ctorch.serialization\n_get_layout\n(Vtorch.sparse_coo\ntR(g0\ng0\n("
        "I2\ntttRNNI00\nI00\ntb.",
    };
    pickle_tensor t;
    pickle_error err;

    for (size_t i = 0; i < 2; i++) {
        pickle_doc *doc = docs_read(pickles[i], strlen(pickles[i]), NULL);

        ck_assert(!pickle_read_tensor(pickle_root(doc), &t, &err));
        ck_assert_int_eq(err.code, PICKLE_ERR_VALUE);
        touch_all(doc);
        pickle_doc_free(doc);
    }
}
END_TEST

/* What stands in each other: data in parameters, quantizers in quantizers. */
START_TEST(depth)
{
    enum { DEPTH = 100000 };
    static const struct {
        const char *open, *close;
        bool ok;
    } rows[] = {
        { "ctorch._utils\n_rebuild_parameter\n(", "I00\nNtR", false },
        { "ctorch._utils\n_rebuild_qtensor\n(" STORAGE(
              "QUInt8Storage") "I0\n(I2\nt(I1\nt"
                               "(ctorch\nper_channel_affine\nN",
          "I0\ntI00\nNtR", true },
        { "ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n_get_layout\n"
          "(Vtorch.sparse_coo\ntR(N",
          "(I2\ntttR", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pickle_buf buf = { 0 };
        pickle_sink to = pickle_sink_buf(&buf);
        pickle_doc *doc;
        pickle_tensor t;

        for (int k = 0; k < DEPTH; k++)
            to.write(to.ctx, rows[i].open, strlen(rows[i].open));
        to.write(to.ctx, "N", 1);
        for (int k = 0; k < DEPTH; k++)
            to.write(to.ctx, rows[i].close, strlen(rows[i].close));
        to.write(to.ctx, ".", 1);
        doc = docs_read(buf.data, buf.len, NULL);
        ck_assert(pickle_get_tensor(pickle_root(doc), &t) == rows[i].ok);
        touch_all(doc);
        pickle_doc_free(doc);
        pickle_buf_free(&buf);
    }
}
END_TEST

/* ------------------------------------------------------------------------ files */

#define WHOLE V2 STORAGE("FloatStorage") "I0\n(I6\nt(I1\ntI00\nNtR"
#define PART(offset, numel)                                                     \
    V2 "(Vstorage\nctorch\nFloatStorage\nVkey\nVcpu\nI6\n(Vpart\n" offset numel \
       "ttQI0\n(I1\nt(I1\nt"                                                    \
       "I00\nNtR"

static void check_failure(const file *f, pickle_status code, const char *message)
{
    pickle_error err = { 0 };
    pickle_doc *doc = read_file(f, f->len, &err);

    ck_assert_msg(!doc, "'%s' was expected", message);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
}

START_TEST(bad_files)
{
    file f;

    begin_file(&f, "I1002\n.", WHOLE);
    check_failure(&f, PICKLE_ERR_VALUE, "version is not 1001");
    begin_file(&f, "I1001\n.", WHOLE);
    check_failure(&f, PICKLE_ERR_TRUNCATED, "");
    add_text(&f, "(lVother\na.");
    add_storage(&f, 6);
    check_failure(&f, PICKLE_ERR_VALUE, "a storage that its pickle does not name");
    begin_file(&f, "I1001\n.", WHOLE);
    add_text(&f, "(l(da.");
    check_failure(&f, PICKLE_ERR_VALUE, "a storage that its pickle does not name");
    begin_file(&f, "I1001\n.", WHOLE);
    add_text(&f, "(lVkey\na.");
    add_storage(&f, 5);
    check_failure(&f, PICKLE_ERR_VALUE, "not as long as the pickle says");
    begin_file(&f, "I1001\n.", WHOLE);
    add_text(&f, "(lVkey\na.\xff\xff\xff\xff\xff\xff\xff\x7f");
    check_failure(&f, PICKLE_ERR_VALUE, "more than 2^63 bytes");
    begin_file(&f, "I1001\n.", WHOLE);
    add_text(&f, "(lVkey\na.");
    add(&f, "\0\0\0\0\0\0\0\x10", 8);
    check_failure(&f, PICKLE_ERR_TRUNCATED, "");
    make_file(&f, PART("I2\n", "I5\n"));
    check_failure(&f, PICKLE_ERR_VALUE, "part of a storage lies beyond its end");
    make_file(&f, PART("L18446744073709551615L\n", "I2\n"));
    check_failure(&f, PICKLE_ERR_VALUE, "part of a storage lies beyond its end");
}
END_TEST

START_TEST(parts)
{
    file f;
    pickle_doc *doc;
    pickle_tensor t;
    pickle_storage s;

    make_file(&f, PART("I2\n", "I4\n"));
    doc = read_file(&f, f.len, NULL);
    ck_assert(doc && pickle_get_tensor(pickle_root(doc), &t));
    ck_assert(pickle_get_storage(t.storage, &s));
    ck_assert(s.nbytes == 16 && s.numel == 4 && pickle_str_is(s.key, "part"));
    ck_assert(pickle_array_f32(&t.array) == NULL || *pickle_array_f32(&t.array) == 2);
    pickle_doc_free(doc);
}
END_TEST

/* A number like any other, when nothing follows. */
START_TEST(magic_alone)
{
    pickle_doc *doc = docs_read(magic, sizeof magic - 1, NULL);

    ck_assert_int_eq(pickle_kind_of(pickle_root(doc)), PICKLE_INT);
    ck_assert_str_eq(pickle_container(doc), "pickle");
    pickle_doc_free(doc);
}
END_TEST

static void add_number(file *f, uint32_t n, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(n >> (8 * i));

        add(f, &byte, 1);
    }
}

/* What a zip tells of a member that is stored: beside its content, or in the directory. */
static void add_header(file *f, const char *name, uint32_t crc, uint32_t size, bool directory,
                       uint32_t at)
{
    add_text(f, directory ? "PK\1\2" : "PK\3\4");
    add_number(f, 20, directory ? 4 : 2);
    add_number(f, 0, 4);
    add_number(f, 0, 4);
    add_number(f, crc, 4);
    add_number(f, size, 4);
    add_number(f, size, 4);
    add_number(f, (uint32_t)strlen(name), 4);
    if (directory) {
        add_number(f, 0, 4);
        add_number(f, 0, 4);
        add_number(f, 0, 2);
        add_number(f, at, 4);
    }
    add_text(f, name);
}

/* A zip with data.pkl, and `n` members that are all the same bytes. */
static void make_zip(file *f, unsigned n)
{
    static const char zeros[400];
    uint32_t at, directory;

    f->len = 0;
    add_header(f, "a/data.pkl", 0xf3f57dbb, 2, false, 0);
    add_text(f, "N.");
    at = (uint32_t)f->len;
    add_header(f, "a/data/0", 0x46220d0c, sizeof zeros, false, 0);
    add(f, zeros, sizeof zeros);
    directory = (uint32_t)f->len;
    add_header(f, "a/data.pkl", 0xf3f57dbb, 2, true, 0);
    for (unsigned i = 0; i < n; i++)
        add_header(f, "a/data/0", 0x46220d0c, sizeof zeros, true, at);
    at = (uint32_t)f->len - directory;
    add_text(f, "PK\5\6");
    add_number(f, 0, 4);
    add_number(f, (n + 1) << 16 | (n + 1), 4);
    add_number(f, at, 4);
    add_number(f, directory, 4);
    add_number(f, 0, 2);
}

/* Or a small file would become as large as one likes. */
START_TEST(overlapping_members)
{
    file f;
    pickle_doc *doc;

    make_zip(&f, 1);
    doc = docs_read(f.data, f.len, NULL);
    ck_assert_str_eq(pickle_container(doc), "torch");
    pickle_doc_free(doc);
    make_zip(&f, 5);
    check_failure(&f, PICKLE_ERR_CODEC, "the archive's members overlap");
}
END_TEST

/* Octal digits, and the sum of the header's bytes. */
static void add_to_tar(pickle_buf *tar, const char *name, const pickle_buf *content)
{
    static const char zeros[512];
    char head[512] = { 0 };
    unsigned sum = 0;

    snprintf(head, 100, "%s", name);
    snprintf(head + 124, 12, "%011zo", content->len);
    memset(head + 148, ' ', 8);
    for (size_t i = 0; i < sizeof head; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
    put(tar, head, sizeof head);
    put(tar, content->data, content->len);
    put(tar, zeros, (512 - content->len % 512) % 512);
}

/* Before torch 0.1.10: `n` storages of one float, a part and a tensor of each. */
static pickle_buf make_tar(int n)
{
    static const unsigned char one[8] = { 1 }, zero[8];
    pickle_buf tar = { 0 }, storages = { 0 }, tensors = { 0 }, root = { 0 };

    put_format(&storages, "I%d\n.", n);
    put_format(&tensors, "I%d\n.", n);
    for (int i = 0; i < n; i++) {
        put_format(&storages, "(I%d\nVcpu\nctorch\nFloatStorage\nt.", i);
        put(&storages, one, 8);
        put(&storages, zero, 4);
        put_format(&tensors, "(I%d\nI%d\nctorch\nFloatTensor\nt.", 2 * n + i, i);
        put(&tensors, one, 8); /* dimensions */
        put(&tensors, one, 8); /* size       */
        put(&tensors, one, 8); /* stride     */
        put(&tensors, zero, 8);
    }
    put_format(&storages, "(");
    for (int i = 0; i < n; i++)
        put_format(&storages, "(I%d\nI%d\nI0\nI1\nt", n + i, i);
    put_format(&storages, "l.");
    put_format(&root, "(lI%d\nQa.", 2 * n);
    add_to_tar(&tar, "storages", &storages);
    add_to_tar(&tar, "tensors", &tensors);
    add_to_tar(&tar, "pickle", &root);
    pickle_buf_free(&storages);
    pickle_buf_free(&tensors);
    pickle_buf_free(&root);
    return tar;
}

/* Time and memory grow with the file, not with its square. */
START_TEST(many_in_a_tar)
{
    pickle_buf tar = make_tar(2000);
    pickle_tensor t;
    pickle_doc *doc;
    memory m;

    memory_init(&m, 0);
    doc = docs_read(tar.data, tar.len, pickle_read_opts(.alloc = &m.alloc));
    ck_assert_str_eq(pickle_container(doc), "torch-tar");
    ck_assert(pickle_get_tensor(pickle_at(pickle_root(doc), 0), &t));
    ck_assert_uint_lt(m.peak, 64 * tar.len);
    pickle_doc_free(doc);
    pickle_buf_free(&tar);
}
END_TEST

/* The archive, too, is inflated into memory that is to last. */
START_TEST(tar_in_gzip)
{
    pickle_compression how = { .codec = PICKLE_CODEC_GZIP, .level = 1 };
    pickle_buf tar = make_tar(3), packed = { 0 };
    pickle_compressor *gzip;
    pickle_sink sink;
    pickle_tensor t;
    pickle_doc *doc;

    if (pickle_codec_available(how.codec)) {
        gzip = pickle_compressor_new(&how, pickle_sink_buf(&packed), NULL, NULL);
        sink = pickle_compressor_sink(gzip);
        ck_assert(sink.write(sink.ctx, tar.data, tar.len));
        ck_assert(pickle_compressor_finish(gzip, NULL));
        pickle_compressor_free(gzip);
        doc = docs_read(packed.data, packed.len, NULL);
        ck_assert_str_eq(pickle_container(doc), "torch-tar+gzip");
        ck_assert(pickle_get_tensor(pickle_at(pickle_root(doc), 0), &t));
        pickle_doc_free(doc);
    }
    pickle_buf_free(&packed);
    pickle_buf_free(&tar);
}
END_TEST

/* Cut anywhere, each file of torch fails, or what is read can be looked at. */
static bool cut(void *ctx, const char *path, unsigned char *data, size_t size)
{
    size_t step = size / 200 + 1;

    (void)path;
    for (size_t len = 0; len < size; len += step) {
        unsigned char *copy = malloc(len + 1);
        pickle_doc *doc;

        memcpy(copy, data, len);
        doc = pickle_read(copy, len, NULL, NULL);
        if (doc)
            touch_all(doc);
        pickle_doc_free(doc);
        free(copy);
    }
    ++*(size_t *)ctx;
    return true;
}

/* One byte after the other is another one. */
static bool damage(void *ctx, const char *path, unsigned char *data, size_t size)
{
    static const unsigned char flips[] = { 0x01, 0x80, 0xff };
    size_t step = size / 300 + 1;

    (void)path;
    for (size_t at = 0; at < size; at += step) {
        unsigned char flip = flips[at / step % 3];
        pickle_doc *doc;

        data[at] ^= flip;
        doc = pickle_read(data, size, NULL, NULL);
        if (doc)
            touch_all(doc);
        pickle_doc_free(doc);
        data[at] ^= flip;
    }
    ++*(size_t *)ctx;
    return true;
}

START_TEST(cut_and_damaged)
{
    char path[4096];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/torch/2.5.1", files_folder());
    files_each(path, cut, &count);
    files_each(path, damage, &count);
    ck_assert_uint_gt(count, 50);
}
END_TEST

START_TEST(each_allocation_fails)
{
    static const char *const names[] = { "views.pt",   "deflated.pt",     "script.jit.pt",
                                         "old.tar.pt", "parts.legacy.pt", "views.p4.pkl" };
    char path[4096];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned char *data;
        pickle_doc *doc = NULL;
        size_t size;
        memory m;

        if (strcmp(names[i], "deflated.pt") == 0 && !files_codec("zlib"))
            continue;
        snprintf(path, sizeof path, "%s/torch/2.5.1/%s", files_folder(), names[i]);
        data = files_read(path, &size);
        ck_assert(data != NULL);
        for (size_t n = 1; !doc; n++) {
            pickle_error err = { 0 };

            memory_init(&m, n);
            doc = pickle_read(data, size, pickle_read_opts(.alloc = &m.alloc), &err);
            ck_assert_msg(doc || err.code == PICKLE_ERR_NOMEM, "%s: %s", names[i], err.message);
            ck_assert(doc || m.in_use == 0);
        }
        touch_all(doc);
        pickle_doc_free(doc);
        ck_assert_uint_eq(m.in_use, 0);
        free(data);
    }
}
END_TEST

/* --------------------------------------------------------- files within bytes */

typedef struct warnings {
    int count;
    pickle_error last;
} warnings;

static void on_warning(void *ctx, const pickle_error *warning)
{
    warnings *w = ctx;

    w->count++;
    w->last = *warning;
}

#define LOAD "ctorch.storage\n_load_from_bytes\n"

/* _load_from_bytes(BINBYTES...), `times` with the same bytes. */
static void add_load(file *f, const file *inner, int times)
{
    unsigned char head[] = { 'B', (unsigned char)inner->len, (unsigned char)(inner->len >> 8), 0,
                             0 };

    f->len = 0;
    add_text(f, "(");
    for (int i = 0; i < times; i++) {
        add_text(f, LOAD "(");
        if (i == 0) {
            add(f, head, 5);
            add(f, inner->data, inner->len);
            add_text(f, "p0\n");
        } else {
            add_text(f, "g0\n");
        }
        add_text(f, "tR");
    }
    add_text(f, "t.");
}

START_TEST(bytes_with_a_file)
{
    file inner, f;
    pickle_doc *doc;
    pickle_storage s;

    make_file(&inner, STORAGE("FloatStorage"));
    add_load(&f, &inner, 3);
    doc = docs_read(f.data, f.len, NULL);
    ck_assert(pickle_get_storage(pickle_at(pickle_root(doc), 0), &s));
    ck_assert(s.data && s.nbytes == 24);
    /* torch does not write the same bytes again; they are not read again. */
    ck_assert(!pickle_get_storage(pickle_at(pickle_root(doc), 1), &s));
    ck_assert(!pickle_get_storage(pickle_at(pickle_root(doc), 2), &s));
    pickle_doc_free(doc);
}
END_TEST

START_TEST(bytes_without_a_file)
{
    static const char *const roots[] = { WHOLE, "N", STORAGE("NoStorage") };
    file inner, f;
    warnings w = { 0 };
    pickle_doc *doc;
    pickle_storage s;
    size_t whole;

    for (size_t i = 0; i < 3; i++) {
        make_file(&inner, roots[i]);
        add_load(&f, &inner, 1);
        w.count = 0;
        doc = docs_read(f.data, f.len, pickle_read_opts(.on_warning = on_warning, .ctx = &w));
        ck_assert_int_eq(w.count, 1);
        ck_assert_int_eq(w.last.code, PICKLE_ERR_VALUE);
        ck_assert(!pickle_get_storage(pickle_at(pickle_root(doc), 0), &s));
        pickle_doc_free(doc);
    }
    make_file(&inner, STORAGE("FloatStorage"));
    whole = inner.len;
    for (inner.len = 0; inner.len < whole; inner.len++) {
        add_load(&f, &inner, 1);
        w.count = 0;
        doc = docs_read(f.data, f.len, pickle_read_opts(.on_warning = on_warning, .ctx = &w));
        ck_assert_int_eq(w.count, 1);
        pickle_doc_free(doc);
    }
}
END_TEST

/* ----------------------------------------------------------------- small floats */

static bool put_text(void *ctx, const void *data, size_t len)
{
    char *text = ctx;

    ck_assert_uint_lt(strlen(text) + len, 64);
    strncat(text, data, len);
    return true;
}

/* As raw bytes, whatever the file's order: those of bfloat16 are the upper half of a float. */
START_TEST(bits_of_small_floats)
{
    static const char *const names[] = { "torch/2.15.0/big.pt", "torch/2.15.0/dtypes.pt" };

    for (size_t i = 0; i < 2; i++) {
        pickle_doc *doc = docs_fixture(names[i]);
        pickle_array a;
        uint16_t bits[10];
        float numbers[10];

        ck_assert(pickle_get_array(pickle_get(pickle_root(doc), "bfloat16"), &a));
        ck_assert_int_eq(a.dtype.order, i ? '<' : '>');
        ck_assert(pickle_array_copy(&a, "V2", bits, sizeof bits, NULL));
        ck_assert(pickle_array_copy(&a, "f4", numbers, sizeof numbers, NULL));
        for (size_t k = 0; k < 9; k++) {
            uint32_t want;

            memcpy(&want, &numbers[k], sizeof want);
            ck_assert_uint_eq(bits[k], want >> 16);
        }
        pickle_doc_free(doc);
    }
}
END_TEST

/* What float() makes of it in Python; that the numbers are right, conformance/test_torch.c tells.
 */
START_TEST(text_of_small_floats)
{
    static const char *const names[] = { "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
                                         "float8_e5m2fnuz", "bfloat16" };
    pickle_doc *doc = docs_fixture("torch/2.15.0/minifloats.pt");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        pickle_array a, element;
        double all[300];
        char text[64] = "";
        int64_t n;

        ck_assert(pickle_get_array(pickle_get(pickle_root(doc), names[i]), &a));
        ck_assert(pickle_dtype_str(&a.dtype, (pickle_sink){ put_text, text }));
        ck_assert_str_eq(text, names[i]);
        n = (int64_t)pickle_array_count(&a);
        ck_assert(pickle_array_copy(&a, "f8", all, (size_t)n * sizeof *all, NULL));
        for (int64_t k = 0; k < n; k++) {
            double got;

            *text = '\0';
            ck_assert(pickle_array_at(&a, &k, 1, &element, NULL));
            ck_assert(pickle_array_item_repr(&element, (pickle_sink){ put_text, text }));
            got = strtod(text, NULL);
            ck_assert_msg(isnan(got) ? isnan(all[k]) : got == all[k], "%s: %s for %g", names[i],
                          text, all[k]);
        }
    }
    pickle_doc_free(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("torch");
    TCase *tc = tcase_create("torch");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, bounds);
    tcase_add_test(tc, bare_pickle);
    tcase_add_test(tc, other_forms);
    tcase_add_test(tc, wrong_arguments);
    tcase_add_test(tc, not_tensors);
    tcase_add_test(tc, cycles);
    tcase_add_test(tc, depth);
    tcase_add_test(tc, bad_files);
    tcase_add_test(tc, parts);
    tcase_add_test(tc, magic_alone);
    tcase_add_test(tc, overlapping_members);
    tcase_add_test(tc, many_in_a_tar);
    tcase_add_test(tc, tar_in_gzip);
    tcase_add_test(tc, cut_and_damaged);
    tcase_add_test(tc, each_allocation_fails);
    tcase_add_test(tc, bytes_with_a_file);
    tcase_add_test(tc, bytes_without_a_file);
    tcase_add_test(tc, bits_of_small_floats);
    tcase_add_test(tc, text_of_small_floats);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
