/* samples.h - the input of a model: arrays, tables and texts, in whatever file. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <pickle/sklearn.h>

#include "csv.h"
#include "input.h"

/* What its batch points to; one of the kinds of file. */
typedef struct samples {
    pickle_batch batch;
    contents contents;
    pickle_doc *doc;
    pickle_table *table;
    csv csv;
} samples;

/*
 * Read `file` ("-": standard input), recognised by its content: what pickle_read reads, in which
 * `path` (as for pickle_find; NULL: all of it) is the table; otherwise text, of which each line is
 * a document if `lines`, else CSV. False: reported, *status is the exit code; close it all the
 * same.
 */
bool samples_open(samples *s, const char *file, const char *path, bool lines, csv_header header,
                  reading *r, int *status);
void samples_close(samples *s);

#endif
