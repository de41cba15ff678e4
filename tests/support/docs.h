/* docs.h - what tests of documents do again and again: read or begin one, and compare a value. */
#ifndef DOCS_H
#define DOCS_H

#include <pickle/pickle.h>

/* Read what must be readable; the test fails if it is not. */
pickle_doc *docs_read(const void *data, size_t len, const pickle_read_opts *opts);
pickle_doc *docs_fixture(const char *name); /* a path within the fixtures */

/* A new document, to build in. */
pickle_doc *docs_new(void);
/* It must be fine, or have failed for this reason; then it goes. */
void docs_done(pickle_doc *doc);
void docs_failed(pickle_doc *doc, pickle_status code, const char *message);

#define READ(text)            docs_read(text, sizeof(text) - 1, NULL)
#define READ_WITH(text, opts) docs_read(text, sizeof(text) - 1, opts)

/* Values in a call: their number, and an array of them. */
#define ITEMS(...)                                                          \
    (sizeof((const pickle_val *[]){ __VA_ARGS__ }) / sizeof(pickle_val *)), \
        ((const pickle_val *[]){ __VA_ARGS__ })

void check_repr(const pickle_val *v, const char *want);
void check_int(const pickle_val *v, int64_t want);
void check_bytes(const pickle_val *v, const char *want, size_t want_len);

#endif
