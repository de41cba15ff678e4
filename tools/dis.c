/* dis.c - pickle dis: the opcodes, byte for byte as python3 -m pickletools prints them. */
#include <limits.h>
#include <string.h>

#include <pickle/opcode.h>

#include "commands.h"
#include "input.h"
#include "output.h"

typedef struct request {
    const char *preamble, *target;
    bool annotate, keep_memo, all;
    int indent;
} request;

/* Python's str.format with nothing but {name}. */
static bool put_preamble(output *o, const char *format, const char *file)
{
    const char *name = strcmp(file, "-") == 0 ? "<stdin>" : file;

    for (const char *p = format; *p; p++) {
        if (strncmp(p, "{name}", 6) == 0) {
            out_text(o, name);
            p += 5;
        } else if (*p == '{' || *p == '}') {
            if (p[1] != *p)
                return false;
            out_write(o, p++, 1);
        } else {
            out_write(o, p, 1);
        }
    }
    out_text(o, "\n");
    return true;
}

static int dis_file(output *o, const char *file, const request *r, pickle_dis_memo *memo)
{
    pickle_buf bytes = { 0 };
    pickle_error err;
    const pickle_dis_opts opts = {
        .struct_size = sizeof opts,
        .annotate = r->annotate,
        .joblib = true,
        .all = r->all,
        .indent = r->indent > 0 ? r->indent : -1,
        .memo = memo,
    };
    bool read = input_bytes(file, &bytes, &err);
    bool ok = (read || bytes.len > 0) &&
              pickle_dis(bytes.data, bytes.len, out_sink(o), &opts, read ? &err : NULL) && read;

    pickle_buf_free(&bytes);
    if (ok || out_stopped(o))
        return EXIT_DONE;
    out_flush(o);
    complain_error(file, &err);
    return EXIT_TROUBLE;
}

static int dis(output *o, char **files, int n, const request *r)
{
    pickle_dis_memo *memo = r->keep_memo ? pickle_dis_memo_new(NULL) : NULL;
    int worst = EXIT_DONE;

    if (r->keep_memo && !memo) {
        complain(NULL, "not enough memory");
        return EXIT_TROUBLE;
    }
    for (int i = 0; i < n && !out_stopped(o); i++) {
        int status;

        if (n > 1 && !put_preamble(o, r->preamble, files[i])) {
            complain(NULL, "dis: the preamble \"%s\" has braces that are no {name}", r->preamble);
            worst = EXIT_TROUBLE;
            break;
        }
        status = dis_file(o, files[i], r, memo);
        worst = status > worst ? status : worst;
    }
    pickle_dis_memo_free(memo);
    return worst;
}

int dis_main(int argc, char **argv)
{
    request r = { .preamble = "==> {name} <==", .indent = 4 };
    const option_spec options[] = {
        { 'a', "annotate", NULL, OPTION_SWITCH, &r.annotate, "say what each opcode does" },
        { 'l', "indentlevel", "N", OPTION_INT, &r.indent, "blanks for each MARK (default: 4)" },
        { 'm', "memo", NULL, OPTION_SWITCH, &r.keep_memo, "keep the memo from file to file" },
        { 'p', "preamble", "TEXT", OPTION_TEXT, &r.preamble,
          "before each of several files (default: ==> {name} <==)" },
        { 'o', "output", "FILE", OPTION_TEXT, &r.target, "write there" },
        { 0, "all", NULL, OPTION_SWITCH, &r.all, "all pickles of a file, not only the first" },
    };
    const command c = {
        .name = "dis",
        .operands = "FILE...",
        .about = "Disassemble pickles, as python3 -m pickletools does, and joblib files. FILE may\n"
                 "be - for standard input.",
        .least = 1,
        .most = INT_MAX,
        OPTIONS(options),
    };
    char **files;
    int n, status, closed;
    output o;

    if (!options_parse(&c, argc, argv, &files, &n, &status))
        return status;
    if (!r.target)
        out_open(&o, COLOR_NEVER);
    else if (!out_open_file(&o, r.target))
        return EXIT_TROUBLE;
    status = dis(&o, files, n, &r);
    closed = out_close(&o, true);
    return closed > status ? closed : status;
}
