/*
 * sparse.c - prints what sparse matrices a file holds, for test_sparse.py.
 *
 * usage: sparse FILE...
 *
 * A line for the file: its name. Then two for each item of the list in it: what it is, and its
 * elements in the order in which they are stored, each value in hexadecimal, as little-endian
 * bytes. The first line ends with the SHA-256 of the dense array in the matrix's own type and as
 * c16, and of the compressed rows: indptr, indices, data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "sha256.h"

static void print_shape(const int64_t *shape, int ndim, const char *end)
{
    for (int i = 0; i < ndim; i++)
        printf(i ? ",%" PRId64 : "%" PRId64, shape[i]);
    fputs(end, stdout);
}

static void print_digest(const void *data, size_t size, const char *end)
{
    char hex[65];

    sha256_hex(hex, data, size);
    printf("%.16s%s", hex, end);
}

static void own_code(const pickle_sparse *m, char code[8])
{
    if (m->dtype.kind == 'b')
        snprintf(code, 8, "?");
    else
        snprintf(code, 8, "<%c%d", m->dtype.kind, (int)m->dtype.itemsize);
}

/* x86's long doubles have ten bytes; what is in the others is anything. */
static void clear_padding(const pickle_sparse *m, void *values, size_t size)
{
    size_t part = (size_t)m->dtype.itemsize / (m->dtype.kind == 'c' ? 2 : 1);

    for (size_t i = 0; i < size && part > 8; i++)
        if (i % part >= 10)
            ((char *)values)[i] = 0;
}

static void print_dense(const pickle_sparse *m, const char *code, size_t itemsize)
{
    size_t size = itemsize;
    pickle_error err;
    void *dense;

    for (int i = 0; i < m->ndim; i++)
        size *= (size_t)m->shape[i];
    dense = malloc(size + 1);
    if (dense && pickle_sparse_dense(m, code, dense, size, &err))
        print_digest(dense, size, "\t");
    else
        printf("%s\t", dense ? err.message : "no memory");
    free(dense);
}

static void print_rows(const pickle_sparse *m, const char *code)
{
    size_t rows = m->ndim == 2 ? (size_t)m->shape[0] : 1, n = (size_t)m->nnz;
    size_t pointers = (rows + 1) * sizeof(int64_t), indices = n * sizeof(int64_t);
    size_t values = n * (size_t)m->dtype.itemsize;
    char *all = malloc(pointers + indices + values + 1);
    pickle_error err;

    if (m->ndim > 2) {
        fputs("-\n", stdout);
    } else if (all && pickle_sparse_csr(m, code, (int64_t *)(void *)all,
                                        (int64_t *)(void *)(all + pointers),
                                        all + pointers + indices, values, &err)) {
        clear_padding(m, all + pointers + indices, values);
        print_digest(all, pointers + indices + values, "\n");
    } else {
        printf("%s\n", all ? err.message : "no memory");
    }
    free(all);
}

static void print_elements(const pickle_sparse *m, const char *code)
{
    size_t itemsize = (size_t)m->dtype.itemsize, size = (size_t)m->nnz * itemsize;
    unsigned char *values = malloc(size + 1), *p = values;
    pickle_sparse_iter it = { .of = m };
    pickle_error err;

    if (!values || !pickle_sparse_values(m, code, values, size, &err))
        printf("%s", values ? err.message : "no memory");
    clear_padding(m, values, values ? size : 0);
    while (values && pickle_sparse_next(&it)) {
        unsigned char single[32] = { 0 };

        print_shape(it.index, m->ndim, "=");
        for (size_t i = 0; i < itemsize; i++)
            printf("%02x", *p++);
        if (!it.object && !pickle_array_copy(&it.value, code, single, itemsize, &err))
            fputs(err.message, stdout);
        clear_padding(m, single, itemsize);
        if (!it.object && memcmp(single, p - itemsize, itemsize) != 0)
            fputs("(the iterator says otherwise)", stdout);
        fputs(" ", stdout);
    }
    fputs("\n", stdout);
    free(values);
}

static void describe(const pickle_val *v)
{
    pickle_class_info class = { .public_name = "no class" };
    pickle_sparse m;
    pickle_error err;
    char code[8];

    if (!pickle_read_sparse(v, &m, &err)) {
        printf("error\t%s\n\n", err.message);
        return;
    }
    pickle_get_class(v, &class);
    own_code(&m, code);
    printf("%s\t%s\t%s %s\t", pickle_type_name(pickle_type_of(v)), class.public_name,
           pickle_sparse_format_name(m.format), m.is_array ? "array" : "matrix");
    print_shape(m.shape, m.ndim, "\t");
    printf("%" PRIu64 "\t%s\t", m.nnz, code);
    print_dense(&m, code, (size_t)m.dtype.itemsize);
    print_dense(&m, "<c16", 16);
    print_rows(&m, code);
    print_elements(&m, code);
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        const pickle_val *key, *item;
        pickle_error err;
        pickle_doc *doc = pickle_read_file(argv[i], NULL, &err);

        if (!doc) {
            printf("%s\terror\tbyte %" PRIu64 ": %s\n", argv[i], err.offset, err.message);
            failed = 1;
            continue;
        }
        printf("%s\n", argv[i]);
        pickle_foreach (pickle_root(doc), key, item)
            describe(item);
        pickle_doc_free(doc);
    }
    return failed;
}
