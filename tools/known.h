/* known.h - objects of known classes: what they are, and as text. */
#ifndef KNOWN_H
#define KNOWN_H

#include <pickle/torch.h>

#include "view.h"

/* FORM_TEXT, FORM_PICTURE or FORM_TABLE; FORM_OBJECT: neither, or its parts are not in order. */
value_form known_form(const pickle_val *v, pickle_type type);
/* The class, without its module: "OrderedDict"; NULL: it is unknown. */
const char *known_name(const pickle_val *v);

/* A tensor of which its elements do not say all? */
bool tensor_is_special(const pickle_tensor *t);

/* Of FORM_TEXT: as Python's repr() and str() have them. */
bool known_repr(const pickle_val *v, pickle_sink out);
bool known_text(const pickle_val *v, pickle_sink out);

#endif
