/* wrapper.h - what follows joblib's NumpyArrayWrapper in the stream: the array itself. */
#ifndef PICKLE__WRAPPER_H
#define PICKLE__WRAPPER_H

#include "vm/vm.h"

/* Reads the payload behind each wrapper, when its BUILD is done. */
extern const pickle__build_hook pickle__joblib_hook;

#endif
