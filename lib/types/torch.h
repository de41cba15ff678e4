/* torch.h - storages and tensors of torch, for the readers of its files. */
#ifndef PICKLE__TYPES_TORCH_H
#define PICKLE__TYPES_TORCH_H

#include "graph/doc.h"

#include <pickle/class.h>
#include <pickle/torch.h>

/* A dtype of torch, and what its elements are here. */
typedef struct pickle__torch_dtype {
    const char *name;   /* "torch.float32"                                              */
    const char *prefix; /* of torch.FloatStorage and torch.FloatTensor; NULL: has none  */
    char kind;          /* as pickle_dtype.kind                                         */
    uint8_t size;       /* bytes                                                        */
    bool packed;        /* several elements in a byte                                   */
    bool quantized;
} pickle__torch_dtype;

/* Of the global torch.float32; of a class of tensors: torch.FloatTensor. NULL: it is none. */
const pickle__torch_dtype *pickle__torch_dtype_of(const pickle_val *v);
const pickle__torch_dtype *pickle__torch_tensor_dtype(const pickle_val *global);
/* Of a class of storages: torch.FloatStorage, torch.cuda.HalfStorage, UntypedStorage. NULL: it is
 * none. */
const pickle__torch_dtype *pickle__torch_storage_dtype(const pickle_val *global, bool *untyped);

/*
 * What a persistent id of torch says: ('storage', class, key, location, elements), and in the
 * layout before zip files a sixth item: None, or (key, offset, elements) for a part of it.
 */
typedef struct pickle__storage_id {
    const pickle__torch_dtype *dtype;
    bool untyped;
    const pickle_val *key, *location;
    uint64_t numel;
    bool is_view;
    const pickle_val *view_key;
    uint64_t view_offset, view_numel;
} pickle__storage_id;

bool pickle__read_storage_id(const pickle_val *ref, pickle__storage_id *out);

/* What a reader found to stand in the place of a value (PICKLE_CHANGE_NESTED), else NULL. */
const pickle_val *pickle__torch_nested(const pickle_val *v);

/* As pickle_get_storage, with what the file says. */
bool pickle__find_storage(const pickle_val *v, pickle_storage *out, pickle__storage_id *id);

/* Of a persistent id: PICKLE_TYPE_STORAGE, _TENSOR (of a tar), or _OTHER. */
pickle_type pickle__torch_ref_type(const pickle_val *ref);

/* The elements of a strided tensor: see pickle_read_array. */
bool pickle__tensor_array(const pickle_val *v, pickle_array *out, pickle_error *err);

#endif
