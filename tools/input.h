/* input.h - reading the file that a subcommand is about. */
#ifndef INPUT_H
#define INPUT_H

#include <pickle/doc.h>

#include "options.h"

/* How far some work has come, in seconds since some start. */
typedef struct progress {
    const char *doing;
    double started, shown;
    bool drawn;
} progress;

/* Shows it on a terminal; NULL without one. */
typedef bool progress_hook(void *p, uint64_t done, uint64_t total);
progress_hook *progress_start(progress *p, const char *doing);
void progress_end(progress *p);

/* The bytes of a file as they are, mapped or read. */
typedef struct contents {
    const void *data;
    size_t size;
    void *mapping;
    pickle_buf held;
} contents;

/* `file` may be "-". False: `err` says why; close it all the same. */
bool contents_open(contents *c, const char *file, pickle_error *err);
void contents_close(contents *c);

/* How to read: what the options below set. It outlives the documents that were read with it. */
typedef struct reading {
    size_t index;
    bool strict;
    const char *encoding;
    uint64_t memory, inflated;
    progress progress;
} reading;

#define READING_OPTIONS(r)                                                                      \
    { 'i',          "index",     "N",                                                           \
      OPTION_COUNT, &(r)->index, "of several pickles in the file, the N-th (from 0)" },         \
        { 'e',         "encoding",     "NAME",                                                  \
          OPTION_TEXT, &(r)->encoding, "of Python 2 strings: latin1, ascii, utf-8 or bytes" },  \
        { 's',           "strict",     NULL,                                                    \
          OPTION_SWITCH, &(r)->strict, "refuse what Python's own unpickler refuses" },          \
        { 0,           "max-memory", "SIZE",                                                    \
          OPTION_SIZE, &(r)->memory, "for the values (default: 1G, or more for large files)" }, \
    {                                                                                           \
        0, "max-inflated", "SIZE", OPTION_SIZE, &(r)->inflated,                                 \
            "of decompressed data (default: 4G, or more likewise)"                              \
    }

/* Read pickle number `r->index` of `file` ("-": standard input), from its contents if `c` is not
 * NULL: the document goes on using them. NULL: reported, *status is the exit code. */
pickle_doc *input_read(const char *file, const contents *c, reading *r, int *status);

/* The bytes of `file`, decompressed, to be freed. False, with what could be read of them: `err`
 * says why. */
bool input_bytes(const char *file, pickle_buf *out, pickle_error *err);

#endif
