/* options.h - options of the command line: one table parses them and prints the help. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_SWITCH, /* bool      */
    OPTION_TEXT,   /* const char * */
    OPTION_COUNT,  /* size_t    */
    OPTION_INT,    /* int, perhaps negative */
    OPTION_SIZE,   /* uint64_t, with k, M, G or T behind it  */
    OPTION_COLOR   /* color_choice */
} option_kind;

typedef struct option_spec {
    char letter; /* 0: none */
    const char *name;
    const char *argument; /* what the help calls it; NULL: it takes none */
    option_kind kind;
    void *into;
    const char *help;
} option_spec;

typedef struct command {
    const char *name;
    const char *operands; /* "FILE [PATH]" */
    const char *about;    /* for the help: lines, the last without its end */
    int least, most;      /* operands */
    const option_spec *options;
    size_t n_options;
} command;

/*
 * Parse the arguments behind the subcommand's name, argv[0]. The operands are
 * then the last *n of argv. False: *status is the exit code, after --help or
 * a complaint.
 */
bool options_parse(const command *c, int argc, char **argv, char ***operands, int *n, int *status);

/* What an OPTION_COUNT starts with, if it matters whether it was given. */
#define NOT_GIVEN SIZE_MAX

#define OPTIONS(specs) (specs), sizeof(specs) / sizeof *(specs)

#define COLOR_OPTION(into)                                                              \
    {                                                                                   \
        0, "color", "WHEN", OPTION_COLOR, (into), "auto (the default), always or never" \
    }

#endif
