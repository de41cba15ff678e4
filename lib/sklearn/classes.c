/* classes.c - which class of a file is which estimator. */
#include "sklearn/opening.h"

#include <string.h>

static const pickle__estimator *const families[] = {
#define FAMILY(name) pickle__##name##_estimators,
#include "sklearn/classes.inc"
#undef FAMILY
};

/* Is `module` "sklearn.<package>", or within that? A package after ':' is not of scikit-learn. */
static bool is_within(const char *module, const char *package)
{
    static const char top[] = "sklearn.";
    size_t len;

    if (*package == ':')
        package++;
    else if (strncmp(module, top, sizeof top - 1) == 0)
        module += sizeof top - 1;
    else
        return false;
    len = strlen(package);
    return strncmp(module, package, len) == 0 && (module[len] == '\0' || module[len] == '.');
}

const pickle__estimator *pickle__estimator_of(const char *module, const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        for (const pickle__estimator *e = families[i]; e->package; e++) {
            if (strcmp(e->name, name) == 0 && is_within(module, e->package))
                return e;
        }
    }
    return NULL;
}
