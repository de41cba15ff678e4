/* names.h - modules that Python 3 renamed, and what moved between them. */
#ifndef PICKLE__NAMES_H
#define PICKLE__NAMES_H

#include "base/base.h"

typedef struct pickle__renaming {
    const char *module, *name; /* name NULL: all of the module, and nothing in it is renamed */
    const char *new_module, *new_name;
} pickle__renaming;

/* What Python 2 called so, in Python 3: fix_imports of an Unpickler. NULL: the same. */
const pickle__renaming *pickle__to_python3(const char *module, size_t module_len, const char *name,
                                           size_t name_len);
/* What a Pickler calls it in protocols 0 to 2. */
const pickle__renaming *pickle__to_python2(const char *module, size_t module_len, const char *name,
                                           size_t name_len);

#endif
