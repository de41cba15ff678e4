/* origin.c - what wrote a document, from the traces that writers leave. */
#include "file/input.h"

static int python_of(const pickle_doc *doc, const pickle__traits *t)
{
    if (t->py2_str || t->memo_from_one)
        return 2;
    if (t->py3_bytes || doc->protocol >= 3)
        return 3;
    return 0;
}

/* joblib subclasses the pickler that is written in Python. Python 2's C pickler ends its batches as
 * that one does, but numbers its memo from 1. */
static pickle_pickler pickler_of(const pickle__traits *t)
{
    if (t->memo_from_one)
        return PICKLE_PICKLER_C;
    if (t->joblib || t->py_batches)
        return PICKLE_PICKLER_PYTHON;
    return t->c_batches ? PICKLE_PICKLER_C : PICKLE_PICKLER_UNKNOWN;
}

static const char *joblib_of(const pickle__traits *t)
{
    if (t->joblib_beside)
        return "<0.10";
    if (!t->joblib)
        return NULL;
    if (t->nested_protocol >= 5)
        return ">=1.5";
    return t->joblib_aligned ? ">=1.2" : "0.10-1.1";
}

/* The state dict's last key in every estimator; the outermost one speaks for the file. */
static bool find_version(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    const char **version = ctx;

    (void)depth;
    if (!seen)
        *version = pickle_str(pickle_attr(v, "_sklearn_version"));
    return *version == NULL;
}

void pickle_get_origin(const pickle_doc *doc, pickle_origin *out)
{
    const pickle__traits *t;

    *out = (pickle_origin){ 0 };
    if (!doc)
        return;
    t = &doc->traits;
    *out = (pickle_origin){
        .protocol = doc->protocol,
        .python = python_of(doc, t),
        .pickler = pickler_of(t),
        .numpy = t->numpy_new   ? ">=2"
                 : t->numpy_old ? "<2"
                                : NULL,
        .joblib = joblib_of(t),
        .pickles = t->pickles,
    };
    pickle_walk(doc->root, find_version, &out->sklearn, NULL);
}
