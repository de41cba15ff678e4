/*
 * beside.c - the arrays of joblib before 0.10, each in a file beside the pickle:
 * NDArrayWrapper names a .npy; ZNDArrayWrapper a Z-file with the raw bytes, and
 * has the rest itself. Facts: joblib's numpy_pickle_compat.py.
 */
#include <stdio.h>

#include "codec/codec.h"
#include "joblib/wrapper.h"
#include "types/make.h"
#include "types/npy.h"

/* Of a file, on any common system. */
#define LONGEST_NAME 255

/* Zeros shrink a thousandfold in zlib. */
#define MOST_INFLATED UINT64_C(1032)

typedef struct beside {
    const char *name;
    size_t len;
    uint64_t nbytes; /* of the array in a Z-file */
} beside;

/* What the file's reader failed with, and in which file. */
static bool bad_file(pickle__vm *vm, const beside *b)
{
    pickle_error inner;
    char quoted[80];

    if (!vm->err)
        return false;
    inner = *vm->err;
    return pickle__fail(vm->err, inner.code, inner.offset, "in the file \"%s\" beside it: %s",
                        pickle__escape(quoted, sizeof quoted, b->name, b->len), inner.message);
}

/* ------------------------------------------------------------------ reading */

static pickle_val *read_npy(pickle__vm *vm, const void *ctx)
{
    (void)ctx;
    return pickle__read_npy(vm);
}

static pickle_val *read_bytes(pickle__vm *vm, const void *ctx)
{
    const beside *b = ctx;
    const unsigned char *data = pickle__vm_take_payload(vm, b->nbytes);
    pickle_val *v;

    if (!data)
        return NULL;
    /* The checksum stands behind the data. */
    if (pickle__source_need(vm->src, 1)) {
        pickle__vm_fail(vm, PICKLE_ERR_VALUE, "there are more bytes than the array has");
        return NULL;
    }
    if (vm->src->status != PICKLE_OK) {
        pickle__vm_truncated(vm);
        return NULL;
    }
    v = pickle__new_bytes(vm->doc, PICKLE_BYTES, data, (size_t)b->nbytes);
    if (!v)
        pickle__vm_no_memory(vm);
    return v;
}

/* Put what inflates a Z-file in front of it. */
static bool inflate(pickle__vm *vm, pickle__source *src)
{
    uint64_t size = pickle__source_left(src);
    pickle_codec codec = pickle__sniff_codec(src->at, (size_t)size);
    pickle__reader *reader;

    if (codec == PICKLE_CODEC_NONE)
        return true;
    reader = pickle__codec_reader(codec, src, vm->doc->alloc, vm->err);
    if (!reader)
        return false;
    return pickle__source_reader(src, reader, MOST_INFLATED * size, vm->doc->alloc) ||
           pickle__no_memory(vm->err, 0);
}

static pickle_val *read_file(pickle__vm *vm, const beside *b, pickle__source *src, bool zipped)
{
    pickle_val *v = NULL;

    if (!zipped || inflate(vm, src))
        v = pickle__vm_read_aside(vm, src, zipped ? read_bytes : read_npy, b);
    pickle__source_close(src);
    if (!v)
        bad_file(vm, b);
    return v;
}

/* ---------------------------------------------------------------- wrappers */

/* Several wrappers that name one file share what is in it, so that it is opened and read once. The
 * name may be any bytes, the key only text. */
static pickle_val **kept_for(pickle__vm *vm, const beside *b, bool zipped)
{
    char key[2 * LONGEST_NAME + 2] = { zipped ? 'z' : 'a' };
    pickle_val **place;

    for (size_t i = 0; i < b->len; i++)
        snprintf(key + 1 + 2 * i, 3, "%02x", (unsigned char)b->name[i]);
    place = pickle__kept(vm->doc, key);
    if (!place)
        pickle__vm_no_memory(vm);
    return place;
}

/* False: it failed. *out stays NULL when there is no such file. */
static bool find_array(pickle__vm *vm, const beside *b, bool zipped, pickle_val **out)
{
    pickle_val **kept = kept_for(vm, b, zipped), *v;
    pickle__source src;
    pickle_status status;

    if (!kept)
        return false;
    if (!pickle__is(*kept, PICKLE_NONE)) {
        *out = *kept;
        return true;
    }
    status = vm->set->beside(vm->doc, b->name, b->len, &src, vm->err);
    if (status == PICKLE_ERR_MISSING) {
        pickle__vm_warn(vm, status, "the file of an array is not beside the input");
        return true;
    }
    if (status != PICKLE_OK)
        return bad_file(vm, b);
    v = *out = read_file(vm, b, &src, zipped);
    /* Reading may have kept other things, and moved this one. */
    kept = v ? kept_for(vm, b, zipped) : NULL;
    if (kept)
        *kept = v;
    return kept != NULL;
}

/* The state of an ndarray without its last item, the bytes: (1, shape, dtype, fortran). */
static bool measure(pickle__vm *vm, const pickle_val *wrapper, beside *b)
{
    pickle_array layout;
    pickle_error reason;

    if (!pickle__read_zipped_layout(wrapper, &layout, &reason))
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "joblib wrapper: %s", reason.message);
    b->nbytes = layout.nbytes;
    return true;
}

bool pickle__read_beside(pickle__vm *vm, pickle_val *wrapper)
{
    bool zipped = pickle__wrapper_of(pickle_class(wrapper)) == PICKLE__ZNDARRAY_WRAPPER;
    beside b = { .nbytes = 0 };
    pickle_val *v = NULL;

    b.name = pickle__text_of(pickle__attribute(wrapper, "filename"), &b.len);
    if (!b.name || b.len > LONGEST_NAME)
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "joblib wrapper: it names no file");
    if ((zipped && !measure(vm, wrapper, &b)) || !find_array(vm, &b, zipped, &v))
        return false;
    if (!v)
        return true;
    vm->doc->traits.joblib = vm->doc->traits.joblib_beside = true;
    return pickle__add_change(vm->doc, wrapper,
                              zipped ? PICKLE_CHANGE_PAYLOAD : PICKLE_CHANGE_NESTED, v) ||
           pickle__vm_no_memory(vm);
}
