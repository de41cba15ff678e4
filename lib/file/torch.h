/* torch.h - files of torch.save: a pickle whose tensors lie beside it, in three layouts. */
#ifndef PICKLE__TORCH_H
#define PICKLE__TORCH_H

#include "file/container.h"

/* Each reads the document's value and names the container. Zip: `data_pkl` is the member of that
 * name, "TOP/data.pkl". Legacy: several pickles one after the other; the first was read. */
bool pickle__read_torch_zip(pickle_doc *doc, const pickle__archive *archive,
                            const pickle__member *data_pkl, pickle_error *err);
bool pickle__is_torch_magic(const pickle_val *first);
bool pickle__read_torch_legacy(pickle_doc *doc, pickle_error *err);
bool pickle__read_torch_tar(pickle_doc *doc, const pickle__archive *archive, pickle_error *err);

/* For the machine's hooks: storages behind persistent ids, and torch.storage._load_from_bytes,
 * which takes a whole file. */
bool pickle__torch_wants(const pickle_val *global);
bool pickle__torch_called(pickle__vm *vm, pickle_val *call);
bool pickle__torch_persid(pickle__vm *vm, pickle_val *ref);

#endif
