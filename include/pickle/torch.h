/*
 * pickle/torch.h - PyTorch's tensors and storages, and what goes with them.
 *
 * Tensors are views over the graph, computed on request: however one was pickled (_rebuild_tensor
 * and its successors, nn.Parameter, a tensor of a file from before torch 0.1.10), its storage is
 * found, and every element checked to lie in it. A document that was read from torch's own files
 * (torch.save, TorchScript) has the storages' bytes; in a bare pickle a storage may be no more
 * than a persistent id, and its tensors then have dtype and shape, but no data. Facts: torch's
 * serialization.py, _utils.py, _tensor.py and storage.py, 0.1 to 2.15.
 *
 * Views are plain structs, without memory of their own: copy them as you like, as long as the
 * document lives.
 */
#ifndef PICKLE_TORCH_H
#define PICKLE_TORCH_H

#include <pickle/array.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------- storages */

/* Bytes that tensors share. Those of one storage have the same `data`. */
typedef struct pickle_storage {
    const void *data;      /* NULL when the file does not have it                          */
    uint64_t nbytes;       /* of `data`; without data: what they would be                  */
    uint64_t numel;        /* elements, as the file says                                   */
    bool big_endian;       /* the elements of `data`                                       */
    const char *dtype;     /* "torch.float32"; of an untyped storage: "torch.uint8"        */
    bool untyped;          /* UntypedStorage: its tensors say what their elements are      */
    const char *device;    /* "cpu", "cuda:0": where it was; NUL-terminated; NULL: unknown */
    const pickle_val *key; /* what the file calls it: a str, before torch 0.1.10 an int    */
} pickle_storage;

/* False when `v` is no storage of torch. */
PICKLE_API bool pickle_get_storage(const pickle_val *v, pickle_storage *out);

/* --------------------------------------------------------------------- tensors */

/* torch.layout, and tensors that have parts. */
typedef enum pickle_tensor_layout {
    PICKLE_LAYOUT_STRIDED = 0,
    PICKLE_LAYOUT_SPARSE_COO,
    PICKLE_LAYOUT_SPARSE_CSR,
    PICKLE_LAYOUT_SPARSE_CSC,
    PICKLE_LAYOUT_SPARSE_BSR,
    PICKLE_LAYOUT_SPARSE_BSC,
    PICKLE_LAYOUT_NESTED, /* torch.nested: tensors of different shapes, one after the other */
    PICKLE_LAYOUT_OPAQUE  /* a wrapper subclass: what it wraps is among its attributes      */
} pickle_tensor_layout;

/* torch.qscheme */
typedef enum pickle_qscheme {
    PICKLE_QSCHEME_NONE = 0,
    PICKLE_QSCHEME_PER_TENSOR_AFFINE,
    PICKLE_QSCHEME_PER_CHANNEL_AFFINE,
    PICKLE_QSCHEME_PER_CHANNEL_AFFINE_FLOAT_QPARAMS
} pickle_qscheme;

typedef struct pickle_tensor {
    /*
     * The elements: for strided tensors. `array.data` is the first, within the storage's bytes,
     * and `array.strides` are in bytes; an expanded axis has stride 0, and elements may overlap:
     * nbytes is count * itemsize, and may be more than there is to read. Elements of formats that
     * numpy lacks have kind 'E' (pickle_dtype.name: "bfloat16"), quantized ones are their
     * integers, and those that are neither, as bits8, have kind 'V'. Data are NULL when the storage
     * is absent, when it has several elements in a byte (quint4x2), and for other layouts: these
     * have dtype and shape alone, and nested ones the dtype.
     */
    pickle_array array;
    const char *dtype;  /* as torch says it: "torch.bfloat16"; NULL: unknown                   */
    const char *device; /* "cpu", "cuda:0", "meta"; NULL: unknown                              */
    bool requires_grad;
    bool is_parameter; /* torch.nn.Parameter */
    bool conj, neg;    /* a view whose elements are to be conjugated, negated                  */
    pickle_tensor_layout layout;
    const pickle_val *cls;   /* GLOBAL: the subclass; NULL for Tensor and Parameter            */
    const pickle_val *state; /* attributes that were set on it: a dict, or (dict, slots); NULL */
    const pickle_val *hooks; /* of the backward pass: an OrderedDict, mostly empty; NULL       */

    /* Strided: for pickle_get_storage; NULL for tensors without one ("meta", from numpy). */
    const pickle_val *storage;
    uint64_t storage_offset; /* elements from its start to the first                           */

    /* A quantized tensor's real value is (integer - zero_point) * scale. */
    pickle_qscheme qscheme;
    double scale;                           /* per tensor                                     */
    int64_t zero_point;                     /* per tensor                                     */
    const pickle_val *scales, *zero_points; /* per channel: tensors, one element a channel    */
    int64_t axis;                           /* per channel: the axis of channels              */

    /*
     * Parts, which are tensors. COO: `indices` (one row an axis) and `values`. CSR and BSR:
     * `pointers` (crow_indices), `indices` (col_indices), `values`; CSC and BSC with columns and
     * rows exchanged. Nested: `values` is the buffer, `sizes` and `strides` have one row a tensor,
     * `offsets` (a tensor or a list) where each begins.
     */
    const pickle_val *indices, *values, *pointers;
    const pickle_val *sizes, *strides, *offsets;
    bool coalesced; /* COO: known to have each index once, in order */
} pickle_tensor;

/*
 * False when `v` is no tensor, or one whose parts contradict each other; `*out` then means nothing.
 * pickle_read_tensor says why: PICKLE_ERR_TYPE for something else, PICKLE_ERR_VALUE for a bad
 * tensor. pickle_get_array takes strided tensors, too.
 */
PICKLE_API bool pickle_get_tensor(const pickle_val *v, pickle_tensor *out);
PICKLE_API bool pickle_read_tensor(const pickle_val *v, pickle_tensor *out, pickle_error *err);

/* ------------------------------------------------------- dtypes, devices, sizes */

/* "torch.float32" of the global torch.float32, likewise for every dtype of torch up to 2.15; NULL
 * for everything else. */
PICKLE_API const char *pickle_get_torch_dtype(const pickle_val *v);

typedef struct pickle_device {
    const char *type; /* "cpu", "cuda", "mps", ...     */
    int64_t index;    /* of cuda:1 1; -1: none is said */
} pickle_device;

/* Of a torch.device. */
PICKLE_API bool pickle_get_torch_device(const pickle_val *v, pickle_device *out);
/* The ints of a torch.Size as a TUPLE; NULL for everything else. */
PICKLE_API const pickle_val *pickle_get_torch_size(const pickle_val *v);

#ifdef __cplusplus
}
#endif
#endif
