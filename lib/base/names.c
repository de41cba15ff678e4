/* names.c - the tables of CPython's _compat_pickle, and the search in them. */
#include "base/names.h"

#define PICKLE__NAME(module, name, new_module, new_name) { module, name, new_module, new_name },
#define PICKLE__MODULE(module, new_module)               { module, NULL, new_module, NULL },

static const pickle__renaming python3_names[] = {
#include "base/python3_names.inc"
};

static const pickle__renaming python2_names[] = {
#include "base/python2_names.inc"
};

static bool same(const char *text, size_t len, const char *other)
{
    return strlen(other) == len && memcmp(text, other, len) == 0;
}

/* Names stand before modules in the tables, as CPython looks for the pair first. */
static const pickle__renaming *find(const pickle__renaming *r, size_t n, const char *module,
                                    size_t module_len, const char *name, size_t name_len)
{
    for (; n > 0; n--, r++)
        if (same(module, module_len, r->module) && (!r->name || same(name, name_len, r->name)))
            return r;
    return NULL;
}

const pickle__renaming *pickle__to_python3(const char *module, size_t module_len, const char *name,
                                           size_t name_len)
{
    return find(python3_names, sizeof python3_names / sizeof *python3_names, module, module_len,
                name, name_len);
}

const pickle__renaming *pickle__to_python2(const char *module, size_t module_len, const char *name,
                                           size_t name_len)
{
    return find(python2_names, sizeof python2_names / sizeof *python2_names, module, module_len,
                name, name_len);
}
