/* make.c - what the files that make values of known classes share. */
#include "types/make.h"

/* Arguments that failed are not the same as none. */
pickle_val *pickle__call(pickle_doc *doc, const char *module, const char *name, size_t n,
                         const pickle_val *const *args)
{
    const pickle_val *callable = pickle_new_global(doc, module, name);
    const pickle_val *tuple = pickle_new_tuple(doc, n, args);

    return tuple ? pickle_new_call(doc, PICKLE_CALL_REDUCE, callable, tuple, NULL) : NULL;
}

bool pickle__is_one_of(const char *name, const char *const *names)
{
    while (name && *names)
        if (strcmp(name, *names++) == 0)
            return true;
    return false;
}

pickle_val **pickle__kept(pickle_doc *doc, const char *name)
{
    pickle_val *const *found;

    if (!pickle__intern(doc, name))
        return NULL;
    found = pickle__table_settle(doc->names)
                ? pickle__table_find_str(doc->names, name, strlen(name))
                : NULL;
    if (!found)
        pickle__doc_no_memory(doc);
    return found ? (pickle_val **)(uintptr_t)(found + 1) : NULL;
}
