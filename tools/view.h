/*
 * view.h - values as a reader of Python sees them: what form one has, and
 * what it is made of.
 */
#ifndef VIEW_H
#define VIEW_H

#include <pickle/stdlib.h>

#include "seen.h"

/* How much is made of objects. */
typedef enum view_as {
    VIEW_KNOWN, /* those of known classes are what they are to Python              */
    VIEW_DATA,  /* likewise, and containers have no attributes                     */
    VIEW_NUMPY, /* only arrays, dtypes, and what older protocols write for builtins */
    VIEW_RAW    /* nothing: calls, states and what else the file has               */
} view_as;

typedef enum value_form {
    FORM_ATOM, /* None, bool, int, float                                       */
    FORM_STR,
    FORM_BYTES, /* bytes, bytearray, buffers, and what older protocols write for them */
    FORM_GLOBAL,
    FORM_REFERENCE, /* a persistent id or an extension code                         */
    FORM_SEQUENCE,  /* list, tuple, deque                                           */
    FORM_SET,       /* set, frozenset, also as calls, the way older protocols write them  */
    FORM_DICT,      /* dict, OrderedDict, Counter, ...                              */
    FORM_DTYPE,
    FORM_SCALAR, /* numpy's                                                      */
    FORM_ARRAY,
    FORM_TEXT,    /* of a known class, and one piece of text: a date, a path      */
    FORM_PICTURE, /* of a known class, and many numbers: a tensor, an Index       */
    FORM_TABLE,   /* DataFrame and Series                                         */
    FORM_OBJECT
} value_form;

value_form view_form(const pickle_val *v, view_as as);

/* The items of a container; of what is none, none. */
pickle_items view_items(const pickle_val *v, view_as as);
/* As pickle_bytes, and of bytearray(b'...'). */
const void *view_bytes(const pickle_val *v, size_t *len);
/* As pickle_repr, without a limit. */
bool view_repr(const pickle_val *v, pickle_sink out);
/* "list", "set", "OrderedDict", ...: what Python calls a container, or bytes. */
const char *view_kind(const pickle_val *v, view_as as);
/* Is it something of which it matters that it is one and the same? */
bool view_has_identity(const pickle_val *v, value_form f);
/* The class of an object, or what is called to make it, as a global; NULL: it is no global. */
const pickle_val *view_class(const pickle_val *v);
/* The module of a global, "" for builtins. */
const char *view_module(const pickle_val *global);
/* How the elements of an array lay in Python: "C", "F" or "strided". */
const char *view_order(const pickle_array *a);
/* Do all items have the form, kind and class of the first? */
bool view_is_alike(pickle_items items, view_as as);

/* What a child is to its parent. */
typedef enum child_part {
    PART_ROOT,
    PART_ITEM,      /* of a sequence, a set or an object array, or appended to an object */
    PART_MEMBER,    /* of a set, or added to an object                             */
    PART_KEY,       /* of a dict, before its value                                 */
    PART_VALUE,     /* in a dict, or set on an object; `key` is its key            */
    PART_ATTRIBUTE, /* `key` is its name, a str                                    */
    PART_SLOT,      /* likewise                                                    */
    PART_CALLABLE,  /* of an object: what is called, if that is no global          */
    PART_ARGS,
    PART_KWARGS,
    PART_STATE, /* a state that is not shown as attributes                     */
    PART_PAYLOAD,
    PART_NESTED,
    PART_CALL,
    PART_ID,      /* of a reference                                              */
    PART_ELEMENTS /* list of the elements of an object array, when it is shared  */
} child_part;

typedef struct child {
    child_part part;
    size_t index; /* among the items */
    const pickle_val *key, *value;
} child;

/* Goes over the children of a value. */
typedef struct children {
    const pickle_val *of;
    view_as as;
    value_form form;
    bool flat; /* states and elements are given by their items */
    uint8_t stage;
    child_part part; /* of the items at hand */
    pickle_items items;
    pickle_change change;
    bool changed; /* `change` is one */
    size_t index;
} children;

/* `f` is the form of `of`. */
void children_start(children *c, const pickle_val *of, view_as as, value_form f, bool flat);
bool children_next(children *c, child *out);
/* How many there are, from the start. */
size_t children_count(children c);

/* The containers that `flat` leaves out: at most two. Returns how many. */
size_t view_inner(const pickle_val *of, value_form f, const pickle_val *inner[2]);

#endif
