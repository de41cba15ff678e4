/*
 * output.h - what a command prints: buffered, with errors kept until the end,
 * and text from files escaped.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <pickle/write.h>

/* Exit codes. */
enum { EXIT_DONE = 0, EXIT_ABSENT = 1, EXIT_TROUBLE = 2 };

typedef enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_choice;

typedef struct output {
    int fd;
    int error;     /* errno of the first write that failed, else 0     */
    bool terminal; /* a person looks at it                             */
    bool color;
    bool ascii;         /* the locale has no UTF-8                          */
    const char *target; /* -o: the file this becomes; NULL: standard output */
    pickle_file *file;  /* likewise                                         */
    size_t len;
    char buf[1 << 15];
} output;

void out_open(output *o, color_choice color);
/* Write to a file: beside it, until out_close puts it in place; `path` stays as long. False:
 * reported. */
bool out_open_file(output *o, const char *path);
/* Flush and close; a file is put in place if `keep`. Reports what failed; a closed pipe is no
 * failure. Returns an exit code. */
int out_close(output *o, bool keep);

/* Hand on what is buffered, so that complaints come after it. */
void out_flush(output *o);
/* Nothing more will be printed: the disk is full, or nobody reads. */
static inline bool out_stopped(const output *o)
{
    return o->error != 0;
}

void out_write(output *o, const void *data, size_t len);
void out_text(output *o, const char *text);
void out_format(output *o, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
pickle_sink out_sink(output *o);

/* Start and end of colored text; `style` is a number of SGR. */
typedef enum style {
    STYLE_BOLD = 1,
    STYLE_DIM = 2,
    STYLE_TEXT = 32,
    STYLE_ARRAY = 33,
    STYLE_SHARED = 35,
    STYLE_LABEL = 36
} style;

void out_style(output *o, style s);
void out_plain(output *o);

/* Text from a file, with whatever could move a cursor or mislead a reader as \n, \x1b, \u202e; in
 * ASCII if need be. Lone surrogates and bytes that are no UTF-8 are escaped too. */
void out_escaped(output *o, const char *text, size_t len);
/* Likewise, but for line ends and tabs. */
void out_lines(output *o, const char *text, size_t len);
/* How many bytes of a text out_escaped can print in `most` columns of a terminal; *width is how
 * many columns they take. */
size_t out_fitting(const output *o, const char *text, size_t len, size_t most, size_t *width);
/* UTF-8 as it is, but for lone surrogates. */
void out_utf8(output *o, const char *text, size_t len);
/* A JSON string. */
void out_json(output *o, const char *text, size_t len);
/* A JSON string in base64. */
void out_base64(output *o, const void *data, size_t len);
/* A size for people: "812 bytes", "26.1 kB". */
void out_size(output *o, uint64_t size);

/* Print "pickle: FILE: message" to standard error; `file` may be NULL, what `format` gets from
 * files is escaped. */
void complain(const char *file, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
/* Likewise an error of the library, with the byte if it is about one. */
void complain_error(const char *file, const pickle_error *err);

#endif
