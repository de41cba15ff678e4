/* hooks.h - what reading files adds to reading pickles: arrays that lie outside of the pickle. */
#ifndef PICKLE__HOOKS_H
#define PICKLE__HOOKS_H

#include "vm/vm.h"

extern const pickle__vm_hooks pickle__file_hooks;

#endif
