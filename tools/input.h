/* input.h - reading the file that a subcommand is about. */
#ifndef INPUT_H
#define INPUT_H

#include <pickle/doc.h>

#include "options.h"

/* How far reading has come, in seconds since some start. */
typedef struct progress {
    double started, shown;
    bool drawn;
} progress;

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

/* Read pickle number `r->index` of `file` ("-": standard input). NULL: reported, *status is the
 * exit code. */
pickle_doc *input_read(const char *file, reading *r, int *status);

/* The bytes of `file`, decompressed, to be freed. False, with what could be read of them: `err`
 * says why. */
bool input_bytes(const char *file, pickle_buf *out, pickle_error *err);

#endif
