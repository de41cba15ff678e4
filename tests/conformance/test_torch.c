/*
 * test_torch.c - files of torch.save, torch.jit.save and pickle with tensors, by six versions of
 * torch, against what torch says of the tensors: fixtures/torch, made by make_torch.py.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "sha256.h"

#define MOST_STORAGES 64

typedef struct facts {
    const char *version;
    char *at; /* in the table */
    char *file, *path, *what, *value;
    char open[64]; /* the file that `doc` was read from */
    pickle_doc *doc;
    struct {
        long label;
        const void *data;
    } storages[MOST_STORAGES];
    size_t n_storages;
    size_t rows;
} facts;

#define CHECK(f, condition)                                                                    \
    ck_assert_msg(condition, "%s/%s %s %s: %s", (f)->version, (f)->file, (f)->path, (f)->what, \
                  #condition)

#define CHECK_TEXT(f, got, want)                                                              \
    ck_assert_msg(strcmp(got, want) == 0, "%s/%s %s %s: %s, not %s", (f)->version, (f)->file, \
                  (f)->path, (f)->what, got, want)

/* --------------------------------------------------------------------- elements */

/* The bytes of an element as a little-endian machine has them. */
static void put_element(unsigned char *to, const pickle_array *element)
{
    size_t size = (size_t)element->dtype.itemsize;
    size_t unit = element->dtype.kind == 'c' ? size / 2 : size;

    memcpy(to, element->data, size);
    for (size_t i = 0; element->dtype.order == '>' && i < size; i += unit)
        for (size_t k = 0; k < unit; k++)
            to[i + k] = ((const unsigned char *)element->data)[i + unit - 1 - k];
}

/* All elements in C order, one by one. */
static void digest_of(facts *f, const pickle_array *a, char hex[65])
{
    uint64_t count = pickle_array_count(a);
    unsigned char *bytes = malloc((size_t)(count * a->dtype.itemsize) + 1);
    int64_t index[PICKLE_MAXDIMS] = { 0 };
    pickle_array element;

    for (uint64_t i = 0; i < count; i++) {
        CHECK(f, pickle_array_at(a, index, a->ndim, &element, NULL));
        put_element(bytes + i * a->dtype.itemsize, &element);
        for (int k = a->ndim - 1; k >= 0 && ++index[k] == a->shape[k]; k--)
            index[k] = 0;
    }
    sha256_hex(hex, bytes, (size_t)(count * a->dtype.itemsize));
    hex[32] = '\0';
    free(bytes);
}

/* The next number of a list in JSON; false at its end. */
static bool next_number(char **at, double *x)
{
    char *end;

    *at += strspn(*at, " ,[");
    *x = strtod(*at, &end);
    if (end == *at)
        return false;
    *at = end;
    return true;
}

static void check_numbers(facts *f, const pickle_array *a, char *list)
{
    size_t parts = a->dtype.kind == 'c' ? 2 : 1;
    size_t n = (size_t)pickle_array_count(a) * parts;
    double *got = calloc(n + 1, sizeof *got), want;
    pickle_error err = { 0 };

    ck_assert_msg(pickle_array_copy(a, parts == 2 ? "c16" : "f8", got, n * sizeof *got, &err),
                  "%s/%s %s: %s", f->version, f->file, f->path, err.message);
    for (size_t i = 0; i < n; i++) {
        CHECK(f, next_number(&list, &want));
        ck_assert_msg((want != want && got[i] != got[i]) ||
                          memcmp(&want, &got[i], sizeof want) == 0,
                      "%s/%s %s: %g, not %g", f->version, f->file, f->path, got[i], want);
    }
    CHECK(f, !next_number(&list, &want));
    free(got);
}

/* ---------------------------------------------------------------------- tensors */

static void print_ints(char *text, size_t size, const int64_t *ints, int n, int64_t unit)
{
    size_t len = (size_t)snprintf(text, size, "(");

    for (int i = 0; i < n; i++)
        len +=
            (size_t)snprintf(text + len, size - len, i ? ",%" PRId64 : "%" PRId64, ints[i] / unit);
    snprintf(text + len, size - len, n == 1 ? ",)" : ")");
}

/* Storages with one label have one place in memory, those with different ones have not. */
static void check_storage(facts *f, const pickle_tensor *t, const char *label)
{
    pickle_storage s;
    long n = strtol(label, NULL, 10);

    CHECK(f, pickle_get_storage(t->storage, &s));
    CHECK(f, s.data != NULL);
    CHECK(f, f->n_storages < MOST_STORAGES);
    for (size_t i = 0; i < f->n_storages; i++)
        CHECK(f, (f->storages[i].label == n) == (f->storages[i].data == s.data));
    f->storages[f->n_storages].label = n;
    f->storages[f->n_storages++].data = s.data;
}

static void check_tensor(facts *f, const pickle_val *v)
{
    pickle_tensor t;
    pickle_error err = { 0 };
    char *word[8], text[256], flags[8];

    for (size_t i = 0; i < 8; i++)
        word[i] = strtok(i ? NULL : f->value, " ");
    ck_assert_msg(pickle_read_tensor(v, &t, &err), "%s/%s %s: %s", f->version, f->file, f->path,
                  err.message);
    CHECK(f, pickle_type_of(v) == PICKLE_TYPE_TENSOR);
    CHECK(f, t.layout == PICKLE_LAYOUT_STRIDED);
    CHECK_TEXT(f, t.dtype, word[0]);
    print_ints(text, sizeof text, t.array.shape, t.array.ndim, 1);
    CHECK_TEXT(f, text, word[1]);
    print_ints(text, sizeof text, t.array.strides, t.array.ndim, (int64_t)t.array.dtype.itemsize);
    CHECK_TEXT(f, text, word[2]);
    CHECK(f, t.storage_offset == strtoull(word[3], NULL, 10));
    CHECK_TEXT(f, t.device, word[4]);
    snprintf(flags, sizeof flags, "%s%s%s%s", t.requires_grad ? "g" : "", t.is_parameter ? "p" : "",
             t.conj ? "c" : "", t.neg ? "n" : "");
    CHECK_TEXT(f, *flags ? flags : "-", word[5]);
    if (strcmp(word[6], "-") != 0)
        check_storage(f, &t, word[6]);
    if (strcmp(word[7], "-") != 0) {
        char digest[65];

        digest_of(f, &t.array, digest);
        CHECK_TEXT(f, digest, word[7]);
    }
}

/* The elements as pickle_get_array gives them. */
static void check_values(facts *f, const pickle_val *v)
{
    pickle_array a;

    CHECK(f, pickle_get_array(v, &a));
    check_numbers(f, &a, f->value);
}

static void check_list(facts *f, const pickle_val *tensor, char *list)
{
    pickle_array a;

    CHECK(f, pickle_get_array(tensor, &a));
    check_numbers(f, &a, list);
}

/* ["per_tensor_affine", scale, zero point], ["per_channel_affine", axis, [scales], [zero points]]
 */
static void check_quantizer(facts *f, const pickle_val *v)
{
    static const char *const names[] = { "none", "per_tensor_affine", "per_channel_affine",
                                         "per_channel_affine_float_qparams" };
    pickle_tensor t;
    char *name = strtok(f->value, "[\""), *rest = strtok(NULL, ""), *second;
    double x;

    CHECK(f, pickle_get_tensor(v, &t));
    CHECK_TEXT(f, names[t.qscheme], name);
    CHECK(f, next_number(&rest, &x));
    if (t.qscheme == PICKLE_QSCHEME_PER_TENSOR_AFFINE) {
        CHECK(f, t.scale == x);
        CHECK(f, next_number(&rest, &x) && (double)t.zero_point == x);
        return;
    }
    CHECK(f, (double)t.axis == x);
    rest = strchr(rest, '[');
    second = strchr(rest + 1, '[');
    second[-1] = '\0';
    check_list(f, t.scales, rest);
    check_list(f, t.zero_points, second);
}

static void check_sparse(facts *f, const pickle_val *v)
{
    static const char *const layouts[] = { "strided",    "sparse_coo", "sparse_csr",
                                           "sparse_csc", "sparse_bsr", "sparse_bsc" };
    pickle_tensor t;
    pickle_error err = { 0 };
    pickle_array a;
    char text[256], size[128];

    ck_assert_msg(pickle_read_tensor(v, &t, &err), "%s/%s %s: %s", f->version, f->file, f->path,
                  err.message);
    CHECK(f, t.layout < PICKLE_LAYOUT_NESTED);
    CHECK(f, !t.array.data && !pickle_get_array(v, &a));
    print_ints(size, sizeof size, t.array.shape, t.array.ndim, 1);
    snprintf(text, sizeof text, "%s %s %s %s %s", layouts[t.layout], t.dtype, size, t.device,
             t.coalesced ? "coalesced" : "-");
    CHECK_TEXT(f, text, f->value);
}

/* ["indices", "torch.int64", [2, 3], [numbers]] */
static void check_part(facts *f, const pickle_val *v)
{
    pickle_tensor whole, t;
    char *name = strtok(f->value, "[\""), *dtype, *rest;
    double x;

    strtok(NULL, "\"");
    dtype = strtok(NULL, "\"");
    rest = strtok(NULL, "");
    CHECK(f, pickle_get_tensor(v, &whole));
    CHECK(f, pickle_get_tensor(strcmp(name, "values") == 0    ? whole.values
                               : strcmp(name, "indices") == 0 ? whole.indices
                                                              : whole.pointers,
                               &t));
    CHECK_TEXT(f, t.dtype, dtype);
    for (int i = 0; i < t.array.ndim; i++)
        CHECK(f, next_number(&rest, &x) && (double)t.array.shape[i] == x);
    CHECK(f, *rest == ']');
    check_numbers(f, &t.array, rest + 1);
}

/* ----------------------------------------------------------------------- others */

static void check_dtype(facts *f, const pickle_val *v)
{
    const char *name = pickle_get_torch_dtype(v);

    CHECK_TEXT(f, name ? name : "none", f->value);
}

static void check_device(facts *f, const pickle_val *v)
{
    pickle_device d;
    char text[64];

    CHECK(f, pickle_get_torch_device(v, &d));
    snprintf(text, sizeof text, d.index < 0 ? "%s None" : "%s %" PRId64, d.type, d.index);
    CHECK_TEXT(f, text, f->value);
}

static void check_size(facts *f, const pickle_val *v)
{
    const pickle_val *size = pickle_get_torch_size(v);
    int64_t ints[8];
    char text[64];
    int n = (int)pickle_len(size);

    CHECK(f, size && n <= 8);
    for (int i = 0; i < n; i++)
        CHECK(f, pickle_get_i64(pickle_at(size, (size_t)i), &ints[i]));
    print_ints(text, sizeof text, ints, n, 1);
    CHECK_TEXT(f, text, f->value);
}

static void check_container(facts *f, const pickle_val *v)
{
    (void)v;
    CHECK_TEXT(f, pickle_container(f->doc), f->value);
}

/* ------------------------------------------------------------------------ files */

static const unsigned char *find_bytes(const unsigned char *in, size_t size, const pickle_buf *what)
{
    for (size_t i = 0; i + what->len <= size; i++)
        if (memcmp(in + i, what->data, what->len) == 0)
            return in + i;
    return NULL;
}

/* The bytes of storages are no part of the pickle: written, it is as it was in the file. But
 * TorchScript's pickles are by another pickler, with a memo of its own. */
static void check_written(facts *f, const char *path)
{
    size_t size;
    unsigned char *file = files_read(path, &size);
    pickle_buf written = { 0 };
    pickle_error err = { 0 };

    ck_assert_msg(pickle_write_buf(f->doc, &written, NULL, &err), "%s: %s", path, err.message);
    if (strcmp(f->file, "deflated.pt") != 0 && strcmp(pickle_container(f->doc), "torchscript") != 0)
        CHECK(f, find_bytes(file, size, &written));
    if (strcmp(pickle_container(f->doc), "pickle") == 0)
        CHECK(f, written.len == size);
    pickle_buf_free(&written);
    free(file);
}

static void open_file(facts *f)
{
    char path[4096];
    pickle_error err = { 0 };

    if (strcmp(f->file, f->open) == 0)
        return;
    pickle_doc_free(f->doc);
    snprintf(f->open, sizeof f->open, "%s", f->file);
    snprintf(path, sizeof path, "%s/torch/%s/%s", files_folder(), f->version, f->file);
    f->doc = pickle_read_file(path, NULL, &err);
    ck_assert_msg(f->doc != NULL, "%s: byte %" PRIu64 ": %s", path, err.offset, err.message);
    f->n_storages = 0;
    check_written(f, path);
}

static void check_row(facts *f)
{
    static const struct {
        const char *what;
        void (*check)(facts *f, const pickle_val *v);
    } checks[] = {
        { "tensor", check_tensor }, { "values", check_values }, { "quantizer", check_quantizer },
        { "sparse", check_sparse }, { "part", check_part },     { "dtype", check_dtype },
        { "device", check_device }, { "size", check_size },     { "container", check_container },
    };
    size_t i = 0;

    open_file(f);
    while (i < sizeof checks / sizeof *checks && strcmp(checks[i].what, f->what) != 0)
        i++;
    CHECK(f, i < sizeof checks / sizeof *checks);
    checks[i].check(f, pickle_find(pickle_root(f->doc), f->path + (*f->path == '.')));
    f->rows++;
}

static char *next_field(char **at, char end)
{
    char *field = *at, *stop = strchr(field, end);

    ck_assert(stop != NULL);
    *stop = '\0';
    *at = stop + 1;
    return field;
}

static const char *const versions[] = { "1.1.0", "1.5.1", "1.8.1", "1.12.1", "2.5.1", "2.15.0" };

START_TEST(files_of_torch)
{
    facts f = { .version = versions[_i] };
    char path[4096], *text;
    size_t size;

    snprintf(path, sizeof path, "%s/torch/%s/facts.tsv", files_folder(), f.version);
    text = (char *)files_read(path, &size);
    ck_assert_msg(text != NULL, "cannot read %s", path);
    text = realloc(text, size + 1);
    text[size] = '\0';
    f.at = text;
    next_field(&f.at, '\n'); /* the header */
    while (*f.at) {
        f.file = next_field(&f.at, '\t');
        f.path = next_field(&f.at, '\t');
        f.what = next_field(&f.at, '\t');
        f.value = next_field(&f.at, '\n');
        check_row(&f);
    }
    ck_assert_uint_gt(f.rows, 200);
    pickle_doc_free(f.doc);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("torch");
    TCase *tc = tcase_create("torch");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, files_of_torch, 0, sizeof versions / sizeof *versions);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
