/* main.c - the pickle command: finds the subcommand and runs it. */
#include <signal.h>
#include <string.h>

#include <pickle/version.h>

#include "commands.h"
#include "output.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} subcommands[] = {
    { "show", show_main, "what a file holds, as a tree" },
    { "get", get_main, "one value, as text, JSON or .npy" },
    { "dis", dis_main, "the opcodes, as pickletools prints them" },
    { "convert", convert_main, "write again: other protocols, joblib, compression" },
    { "predict", predict_main, "what a scikit-learn model answers" },
};

#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

static int print_help(void)
{
    output o;

    out_open(&o, COLOR_NEVER);
    out_text(&o,
             "usage: pickle SUBCOMMAND [options] FILE...\n\n"
             "Look into Python pickle and joblib files, convert them, and predict with the models\n"
             "in them. Nothing in them is imported or run.\n\n");
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        out_format(&o, "  %-10s%s\n", subcommands[i].name, subcommands[i].about);
    out_text(&o,
             "\nMore on each: pickle SUBCOMMAND --help, man pickle. Version: pickle --version.\n"
             "Exit code: 0 done; 1 what was asked for is not there; 2 unreadable input, usage.\n");
    return out_close(&o, true);
}

static int print_version(void)
{
    output o;

    out_open(&o, COLOR_NEVER);
    out_format(&o, "pickle %s\ncodecs:", pickle_version_string());
    for (const char *const *codec = pickle_features(); *codec; codec++)
        out_format(&o, " %s", *codec);
    out_text(&o, "\n");
    return out_close(&o, true);
}

static bool is_any(const char *word, const char *letter, const char *name)
{
    return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    /* Whoever closes the pipe has seen enough: out_close makes nothing of it. */
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(word, subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    if (is_any(word, "-h", "--help"))
        return print_help();
    if (is_any(word, "-V", "--version"))
        return print_version();
    if (argc < 2)
        complain(NULL, "a subcommand is missing (see pickle --help)");
    else
        complain(NULL, "no such subcommand: %s (see pickle --help)", word);
    return EXIT_TROUBLE;
}
