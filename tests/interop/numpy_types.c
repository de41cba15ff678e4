/*
 * numpy_types.c - prints what a file holds of numpy besides arrays, for test_numpy_types.py.
 *
 * usage: numpy_types FILE...
 *
 * A line for the file: its name. Then one for each item of the list in it: its type, its class,
 * and its parts, each array as dtype, shape and the SHA-256 of its elements in C order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "sha256.h"

static bool write_stdout(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len;
}

static void print_repr(const pickle_val *v)
{
    pickle_repr(v, (pickle_sink){ write_stdout, stdout }, 0, NULL);
}

static void print_objects(const pickle_array *a)
{
    const pickle_val *key, *item;

    pickle_foreach (a->objects, key, item) {
        fputs(" ", stdout);
        print_repr(item);
    }
}

static void print_bytes(const pickle_array *a)
{
    unsigned char *data = malloc((size_t)a->nbytes + 1);
    pickle_array raw = *a;
    pickle_error err;
    char hex[65];

    raw.dtype = (pickle_dtype){ .kind = 'V', .order = '|', .itemsize = a->dtype.itemsize };
    if (data && pickle_array_copy(&raw, "V", data, (size_t)a->nbytes, &err)) {
        sha256_hex(hex, data, (size_t)a->nbytes);
        printf(" %.16s", hex);
    } else {
        printf(" %s", data ? err.message : "no memory");
    }
    free(data);
}

static void print_array(const pickle_array *a)
{
    fputs("\t", stdout);
    pickle_dtype_str(&a->dtype, (pickle_sink){ write_stdout, stdout });
    fputs(" (", stdout);
    for (int i = 0; i < a->ndim; i++)
        printf("%" PRId64 ",", a->shape[i]);
    fputs(")", stdout);
    if (a->dtype.hasobject)
        print_objects(a);
    else
        print_bytes(a);
}

static void print_value(const pickle_val *v)
{
    pickle_array a;

    if (pickle_get_array(v, &a)) {
        print_array(&a);
        return;
    }
    fputs("\t", stdout);
    print_repr(v);
}

/* Data, mask, fill value; of records each field too, and those in it. */
static void print_masked(const pickle_masked_array *m, int depth)
{
    pickle_masked_array part;
    pickle_field field;

    print_array(&m->data);
    print_array(&m->mask);
    if (depth == 0 && m->fill_value)
        print_value(m->fill_value);
    for (uint64_t i = 0; depth < 3 && pickle_dtype_field(&m->data.dtype, i, &field); i++)
        if (pickle_masked_field(m, field.name, &part))
            print_masked(&part, depth + 1);
}

/* Of MT19937 they are in the view; of the others, numbers and arrays by name. */
static void print_state(const pickle_rng *rng)
{
    static const char *const names[] = { "state", "inc", "counter", "key" };

    if (rng->key.ndim == 1) {
        print_array(&rng->key);
        printf("\t%" PRId64, rng->pos);
        return;
    }
    for (size_t i = 0; i < 4; i++)
        if (pickle_get(rng->state, names[i]))
            print_value(pickle_get(rng->state, names[i]));
    if (rng->buffer) {
        print_value(rng->buffer);
        printf("\t%" PRId64, rng->buffer_pos);
    }
}

static void print_seed(const pickle_seed_sequence *seed)
{
    print_value(seed->entropy);
    print_value(seed->spawn_key);
    printf("\t%" PRId64 "\t%" PRId64, seed->pool_size, seed->n_children_spawned);
    print_value(seed->pool);
}

static void print_rng(const pickle_rng *rng)
{
    pickle_seed_sequence seed;
    uint64_t gauss;

    memcpy(&gauss, &rng->gauss, sizeof gauss);
    printf("\t%s\t%s", rng->name ? rng->name : "-", rng->bit_generator);
    print_state(rng);
    printf("\t%d %" PRIu32 "\t%d %016" PRIx64, rng->has_uint32, rng->uinteger, rng->has_gauss,
           gauss);
    if (pickle_get_seed_sequence(rng->seed_seq, &seed))
        print_seed(&seed);
}

static void print_strings(const pickle_array *a)
{
    const pickle_val *na;
    bool coerce;

    if (!pickle_dtype_string(&a->dtype, &coerce, &na))
        return;
    printf("\tcoerce %d\t", coerce);
    if (na)
        print_repr(na);
}

/* numpy.dtypes.Float64DType, or what makes it. */
static bool print_dtype_class(const pickle_val *v)
{
    pickle_dtype d;

    if (!pickle_get_dtype(v, &d))
        return false;
    fputs("class\t", stdout);
    pickle_dtype_str(&d, (pickle_sink){ write_stdout, stdout });
    fputs("\n", stdout);
    return true;
}

static void describe(const pickle_val *v)
{
    pickle_class_info class = { .public_name = NULL };
    pickle_masked_array masked;
    pickle_seed_sequence seed;
    pickle_array array;
    pickle_rng rng;

    if (print_dtype_class(v))
        return;
    pickle_get_class(v, &class);
    printf("%s\t%s", pickle_type_name(pickle_type_of(v)),
           class.public_name ? class.public_name : "-");
    if (pickle_get_array(v, &array)) {
        print_array(&array);
        print_strings(&array);
    } else if (pickle_get_masked_array(v, &masked)) {
        print_masked(&masked, 0);
    } else if (pickle_get_seed_sequence(v, &seed)) {
        print_seed(&seed);
    } else if (pickle_get_rng(v, &rng)) {
        print_rng(&rng);
    }
    fputs("\n", stdout);
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
