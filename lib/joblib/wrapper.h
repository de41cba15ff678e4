/* wrapper.h - joblib's stand-ins for arrays: what lies behind each, in the stream or beside it. */
#ifndef PICKLE__WRAPPER_H
#define PICKLE__WRAPPER_H

#include "vm/vm.h"

/* For the machine's hooks: the classes of the wrappers; and the array behind one, when its BUILD is
 * done. */
bool pickle__joblib_wants(const pickle_val *global);
bool pickle__joblib_built(pickle__vm *vm, pickle_val *wrapper);

/* The array of a wrapper of joblib before 0.10, from the file that it names. */
bool pickle__read_beside(pickle__vm *vm, pickle_val *wrapper);

#endif
