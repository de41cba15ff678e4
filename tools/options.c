/* options.c - the command line, by getopt_long and a table. */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "output.h"

#define MOST_OPTIONS 32
#define LONG_BASE    256 /* what getopt_long returns for the first long option */
#define HELP         (LONG_BASE - 1)

/* -------------------------------------------------------------------- help */

static void put_option(output *o, const option_spec *s)
{
    size_t width = strlen(s->name) + (s->argument ? 1 + strlen(s->argument) : 0);

    if (s->letter)
        out_format(o, "  -%c, --%s", s->letter, s->name);
    else
        out_format(o, "      --%s", s->name);
    if (s->argument)
        out_format(o, "%c%s", s->letter ? ' ' : '=', s->argument);
    out_format(o, "%*s%s\n", (int)(width < 20 ? 21 - width : 1), "", s->help);
}

static int print_help(const command *c)
{
    static const option_spec help = { 'h', "help", NULL, OPTION_SWITCH, NULL, "this text" };
    output o;

    out_open(&o, COLOR_NEVER);
    out_format(&o, "usage: pickle %s [options] %s\n\n", c->name, c->operands);
    out_text(&o, c->about);
    out_text(&o, "\n\n");
    for (size_t i = 0; i < c->n_options; i++)
        put_option(&o, &c->options[i]);
    put_option(&o, &help);
    return out_close(&o, true);
}

/* ------------------------------------------------------------------ values */

static bool read_number(const char *text, unsigned long long *n, const char **end)
{
    char *stop;

    if (*text < '0' || *text > '9')
        return false;
    *n = strtoull(text, &stop, 10);
    *end = stop;
    return *n != ULLONG_MAX;
}

static bool read_count(const char *text, size_t *out)
{
    unsigned long long n;
    const char *end;

    if (!read_number(text, &n, &end) || *end || n >= SIZE_MAX)
        return false;
    *out = (size_t)n;
    return true;
}

static bool read_int(const char *text, int *out)
{
    bool negative = *text == '-';
    size_t n;

    if (!read_count(text + negative, &n) || n > INT_MAX)
        return false;
    *out = negative ? -(int)n : (int)n;
    return true;
}

static bool read_size(const char *text, uint64_t *out)
{
    static const char units[] = "kMGT";
    unsigned long long n;
    const char *end, *unit;

    if (!read_number(text, &n, &end))
        return false;
    unit = *end ? strchr(units, *end == 'K' ? 'k' : *end) : NULL;
    if (*end && (!unit || end[1]))
        return false;
    for (ptrdiff_t i = unit ? unit - units + 1 : 0; i > 0; i--) {
        if (n > UINT64_MAX / 1024)
            return false;
        n *= 1024;
    }
    *out = n;
    return true;
}

static bool read_color(const char *text, color_choice *out)
{
    static const char *const names[] = { "auto", "always", "never" };

    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (color_choice)i;
            return true;
        }
    }
    return false;
}

static bool set(const option_spec *s, const char *text)
{
    switch (s->kind) {
    case OPTION_SWITCH:
        *(bool *)s->into = true;
        return true;
    case OPTION_TEXT:
        *(const char **)s->into = text;
        return true;
    case OPTION_COUNT:
        return read_count(text, s->into);
    case OPTION_INT:
        return read_int(text, s->into);
    case OPTION_SIZE:
        return read_size(text, s->into);
    case OPTION_COLOR:
        return read_color(text, s->into);
    }
    return false;
}

/* ----------------------------------------------------------------- parsing */

/* What getopt_long wants to have. */
typedef struct tables {
    char letters[2 * MOST_OPTIONS + 4];
    struct option names[MOST_OPTIONS + 2];
} tables;

static void fill(tables *t, const command *c)
{
    char *letter = t->letters;

    memset(t, 0, sizeof *t);
    *letter++ = ':';
    *letter++ = 'h';
    t->names[c->n_options] = (struct option){ "help", no_argument, NULL, HELP };
    for (size_t i = 0; i < c->n_options; i++) {
        const option_spec *s = &c->options[i];

        t->names[i] = (struct option){ s->name, s->argument ? required_argument : no_argument, NULL,
                                       LONG_BASE + (int)i };
        if (s->letter)
            *letter++ = s->letter;
        if (s->letter && s->argument)
            *letter++ = ':';
    }
}

static const option_spec *option_of(const command *c, int got)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (got == LONG_BASE + (int)i || (got < HELP && got > 0 && got == c->options[i].letter))
            return &c->options[i];
    return NULL;
}

static int usage_error(const command *c, const char *what, const char *which)
{
    complain(NULL, "%s: %s%s (see pickle %s --help)", c->name, what, which, c->name);
    return EXIT_TROUBLE;
}

/* getopt_long refused: a letter is in optopt, and a name just before optind. */
static int refuse(const command *c, int got, char **argv)
{
    char letter[] = { '-', (char)optopt, '\0' };
    const char *word = argv[optind - 1];
    bool named = strncmp(word, "--", 2) == 0;

    return usage_error(c, got == ':' ? "an argument is missing behind " : "no such option: ",
                       named ? word : letter);
}

static int bad_value(const command *c, const option_spec *s, const char *text)
{
    complain(NULL, "%s: --%s cannot be \"%s\" (see pickle %s --help)", c->name, s->name, text,
             c->name);
    return EXIT_TROUBLE;
}

static int check_operands(const command *c, int n)
{
    if (n < c->least)
        return usage_error(c, n == 0 ? "a FILE is missing" : "an operand is missing", "");
    if (n > c->most)
        return usage_error(c, "too many operands: it takes ", c->operands);
    return EXIT_DONE;
}

bool options_parse(const command *c, int argc, char **argv, char ***operands, int *n, int *status)
{
    const option_spec *s;
    tables t;
    int got;

    fill(&t, c);
    opterr = 0;
    while ((got = getopt_long(argc, argv, t.letters, t.names, NULL)) != -1) {
        s = option_of(c, got);
        if (got == 'h' || got == HELP)
            *status = print_help(c);
        else if (!s)
            *status = refuse(c, got, argv);
        else if (!set(s, optarg))
            *status = bad_value(c, s, optarg);
        else
            continue;
        return false;
    }
    *operands = argv + optind;
    *n = argc - optind;
    *status = check_operands(c, *n);
    return *status == EXIT_DONE;
}
