/* hooks.c - joblib's wrappers, and torch's storages. */
#include "file/hooks.h"

#include "file/torch.h"
#include "joblib/wrapper.h"

static bool wants(const pickle_val *global)
{
    return pickle__joblib_wants(global) || pickle__torch_wants(global);
}

const pickle__vm_hooks pickle__file_hooks = {
    .wants = wants,
    .built = pickle__joblib_built,
    .called = pickle__torch_called,
    .persid = pickle__torch_persid,
};
