/* csv.h - a table of comma-separated values, as pandas.read_csv understands it. */
#ifndef CSV_H
#define CSV_H

#include <pickle/sklearn.h>

typedef enum csv_header { CSV_HEADER_AUTO, CSV_HEADER_YES, CSV_HEADER_NO } csv_header;

/* Owns what its batch points to. */
typedef struct csv {
    pickle_batch batch; /* F64 where all is numbers, else cells; names where there is a header */
    char *text;
    struct csv_field *fields;
    size_t n_fields, fields_cap;
    const char **names;
    pickle_cell *cells;
    double *numbers;
} csv;

/*
 * Read the `size` bytes of `text`, which are UTF-8. Fields are separated by commas, or, if the
 * first line has none, by semicolons or tabs; quotes as in RFC 4180. A column is of numbers if all
 * of its fields are, or are missing (empty, NA, NaN, null, ...); of bools, if all are True or
 * False; else of text. A header is taken for one where no field of the first line is a number; of
 * one column only if what follows is not all text.
 * False: `err` says why, with the line; free it all the same.
 */
bool csv_read(csv *c, const char *text, size_t size, csv_header header, pickle_error *err);
/* Each line is a text, whatever is in it: one column. */
bool csv_read_lines(csv *c, const char *text, size_t size, pickle_error *err);
void csv_free(csv *c);

#endif
