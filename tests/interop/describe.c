/*
 * describe.c - prints what arrays a file holds, for test_arrays.py.
 *
 * usage: describe FILE...
 *
 * A line for the file: its name, "root", its container. Then one for each array
 * and numpy scalar, in stream order: what it is, dtype, shape, order, and the
 * SHA-256 of its elements in C order; "-" for objects.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "sha256.h"

static void print(const char *text)
{
    fputs(text, stdout);
}

static bool write_stdout(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len;
}

static void print_shape(const pickle_array *a)
{
    for (int i = 0; i < a->ndim; i++)
        printf(i ? ",%" PRId64 : "%" PRId64, a->shape[i]);
    print(a->ndim ? " " : "- ");
}

static void print_digest(const pickle_array *a)
{
    unsigned char *data = malloc(a->nbytes ? (size_t)a->nbytes : 1);
    pickle_array raw = *a;
    pickle_error err;
    char hex[65];

    raw.dtype = (pickle_dtype){ .kind = 'V', .order = '|', .itemsize = a->dtype.itemsize };
    if (data && pickle_array_copy(&raw, "V", data, (size_t)a->nbytes, &err)) {
        sha256_hex(hex, data, (size_t)a->nbytes);
        print(hex);
    } else {
        print(data ? err.message : "no memory");
    }
    free(data);
}

static void describe(const pickle_array *a)
{
    print(a->scalar ? "scalar\t" : "array\t");
    if (!pickle_dtype_str(&a->dtype, (pickle_sink){ write_stdout, stdout }))
        print("no text for this dtype");
    print("\t");
    print_shape(a);
    print(a->fortran ? "F " : "C ");
    if (a->dtype.hasobject)
        print("-");
    else
        print_digest(a);
    print("\n");
}

/* Behind a wrapper there may be a pickle of the same array, which is not to be told twice. */
static const pickle_val *nested_in(const pickle_val *v)
{
    pickle_change c;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c))
        if (c.kind == PICKLE_CHANGE_NESTED)
            return c.value;
    return NULL;
}

static bool visit(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    const pickle_val **nested = ctx;
    pickle_error err;
    pickle_array a;

    (void)depth;
    if (seen || pickle_kind_of(v) != PICKLE_OBJECT || v == *nested)
        return true;
    if (nested_in(v))
        *nested = nested_in(v);
    if (pickle_read_array(v, &a, &err))
        describe(&a);
    else if (err.code != PICKLE_ERR_TYPE)
        printf("bad\t%s\n", err.message);
    return true;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        const pickle_val *nested = NULL;
        pickle_error err;
        pickle_doc *doc = pickle_read_file(argv[i], NULL, &err);

        if (!doc) {
            printf("%s\terror\tbyte %" PRIu64 ": %s\n", argv[i], err.offset, err.message);
            failed = 1;
            continue;
        }
        printf("%s\troot\t%s\n", argv[i], pickle_container(doc));
        if (!pickle_walk(pickle_root(doc), visit, &nested, &err))
            failed = 1;
        pickle_doc_free(doc);
    }
    return failed;
}
