/* show.c - pickle show: what a file holds, as a tree or as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "input.h"
#include "json.h"
#include "json_known.h"
#include "json_pandas.h"
#include "locate.h"
#include "picture.h"
#include "table.h"
#include "tree.h"

/* Pickles behind the one that is shown are counted up to here. */
#define MOST_PICKLES 1000

typedef struct request {
    const char *file, *path;
    reading reading;
    tree_limits limits;
    bool json;
    color_choice color;
} request;

/* ------------------------------------------------------------------- facts */

typedef struct file_facts {
    const char *container;
    uint64_t size; /* of the file, when it is one */
    bool has_size;
    uint64_t bytes;    /* of the pickle             */
    uint64_t trailing; /* of what follows the last pickle and is none */
    size_t pickles;    /* in the file ...           */
    bool more;         /* ... or more               */
    pickle_origin origin;
    bool pickled; /* what is in .npy and .npz is not, or says no protocol */
} file_facts;

/* "npy+gzip" is one of "npy" */
static bool is_container(const char *container, const char *name)
{
    size_t len = strlen(name);

    return strncmp(container, name, len) == 0 && strchr("+", container[len]);
}

/* False: not a regular file. */
static bool size_of(const char *file, uint64_t *size)
{
    struct stat st;

    if (strcmp(file, "-") == 0 || stat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

/* Reads on to the end, or to what is no pickle. The values read before stay. */
static void count_pickles(pickle_doc *doc, file_facts *f)
{
    pickle_status status = PICKLE_OK;

    while (f->pickles < MOST_PICKLES && status == PICKLE_OK) {
        f->trailing = pickle_trailing(doc);
        status = pickle_read_next(doc, NULL);
        f->pickles += status == PICKLE_OK;
    }
    f->more = status == PICKLE_OK;
    if (status == PICKLE_OK || status == PICKLE_END)
        f->trailing = 0;
}

static file_facts facts_of(pickle_doc *doc, const request *r)
{
    file_facts f = {
        .container = pickle_container(doc),
        .bytes = pickle_consumed(doc),
        .pickles = r->reading.index + 1,
    };

    f.has_size = size_of(r->file, &f.size);
    pickle_get_origin(doc, &f.origin);
    f.pickled = f.origin.protocol > 0 ||
                !(is_container(f.container, "npy") || is_container(f.container, "npz"));
    count_pickles(doc, &f);
    return f;
}

/* ------------------------------------------------------------------ header */

static void put_container(output *o, const char *file, const file_facts *f)
{
    out_style(o, STYLE_BOLD);
    out_escaped(o, file, strlen(file));
    out_plain(o);
    out_format(o, "  %s, ", f->container);
    if (f->pickled)
        out_format(o, "protocol %d, ", f->origin.protocol);
    out_size(o, f->has_size ? f->size : f->bytes);
    if (strchr(f->container, '+') && f->has_size) {
        out_text(o, " (inflated ");
        out_size(o, f->bytes);
        out_text(o, ")");
    }
    out_text(o, "\n");
}

/* The start of a list, then commas. */
static void next_fact(output *o, bool *first)
{
    out_text(o, *first ? "written by " : ", ");
    *first = false;
}

static void put_origin(output *o, const pickle_origin *origin)
{
    static const char *const picklers[] = { "", " (C pickler)", " (pickler written in Python)" };
    const struct {
        const char *name, *version;
    } libraries[] = { { "numpy", origin->numpy },
                      { "joblib", origin->joblib },
                      { "scikit-learn", origin->sklearn } };
    bool first = true;

    if (origin->python || origin->pickler) {
        next_fact(o, &first);
        out_text(o, "Python");
        if (origin->python)
            out_format(o, " %d", origin->python);
        out_text(o, picklers[origin->pickler]);
    }
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        if (!libraries[i].version)
            continue;
        next_fact(o, &first);
        out_format(o, "%s ", libraries[i].name);
        out_escaped(o, libraries[i].version, strlen(libraries[i].version));
    }
    if (!first)
        out_text(o, "\n");
}

static void put_rest(output *o, const file_facts *f, size_t index)
{
    if (f->pickles > 1)
        out_format(o, "%s%zu %s, this is number %zu (--index shows the others)\n",
                   f->more ? "at least " : "", f->pickles,
                   is_container(f->container, "npy") ? "values" : "pickles", index);
    if (f->trailing)
        out_format(o, "followed by %" PRIu64 " bytes that are no pickle\n", f->trailing);
}

/* -------------------------------------------------------------------- text */

static void no_margin(output *o, const void *ctx)
{
    (void)o;
    (void)ctx;
}

static void put_table(output *o, const request *r, const located *t)
{
    size_t rows = r->limits.items == NOT_GIVEN ? PAGE_ROWS : r->limits.items;
    table at = t->kind == LOCATED_SERIES ? table_of_series(&t->series, &t->label)
                                         : table_of_index(&t->index);

    out_text(o, "\n");
    table_print(o, &at, rows, no_margin, NULL);
}

/* What is no value by itself, on a line. */
static void put_part(line *l, const located *t)
{
    switch (t->kind) {
    case LOCATED_SERIES:
        picture_series(l, &t->series, &t->label);
        break;
    case LOCATED_INDEX:
        picture_index(l, &t->index);
        break;
    case LOCATED_CELL:
        pickle_column_text(&t->series.values, t->row, line_sink(l));
        line_text(l, l->cut ? "…" : "");
        break;
    default:
        preview_array(l, &t->array);
        line_text(l, "  ");
        preview_elements(l, &t->array, t->kind == LOCATED_MASKED ? &t->mask : NULL);
    }
}

static void show_part(output *o, const request *r, const located *t)
{
    line l = { 0 };

    put_part(&l, t);
    out_escaped(o, r->path, strlen(r->path));
    out_text(o, ": ");
    tree_line(o, &l);
    if (t->kind == LOCATED_SERIES || t->kind == LOCATED_INDEX)
        put_table(o, r, t);
    else
        out_text(o, "\n");
}

static bool show_text(output *o, const request *r, pickle_doc *doc, const located *t)
{
    file_facts f;

    if (*r->path == '\0') {
        f = facts_of(doc, r);
        put_container(o, r->file, &f);
        put_origin(o, &f.origin);
        put_rest(o, &f, r->reading.index);
        out_text(o, "\n");
    }
    if (t->value)
        return tree_print(o, t->value, r->path, &r->limits);
    show_part(o, r, t);
    return true;
}

/* -------------------------------------------------------------------- JSON */

static void put_name(output *o, const char *name)
{
    out_format(o, ", \"%s\": ", name);
}

static void put_number(output *o, const char *name, uint64_t n)
{
    put_name(o, name);
    out_format(o, "%" PRIu64, n);
}

static void put_text(output *o, const char *name, const char *text)
{
    put_name(o, name);
    json_text(o, text);
}

static void put_json_origin(output *o, const pickle_origin *origin)
{
    static const char *const picklers[] = { NULL, "C", "Python" };

    put_name(o, "origin");
    out_text(o, "{\"python\": ");
    if (origin->python)
        out_format(o, "%d", origin->python);
    else
        out_text(o, "null");
    put_text(o, "pickler", picklers[origin->pickler]);
    put_text(o, "numpy", origin->numpy);
    put_text(o, "joblib", origin->joblib);
    put_text(o, "sklearn", origin->sklearn);
    put_number(o, "pickles", origin->pickles);
    out_text(o, "}");
}

static void put_json_part(output *o, const located *t)
{
    if (t->kind == LOCATED_ARRAY || t->kind == LOCATED_MASKED) {
        json_typed_array(o, &t->array);
        return;
    }
    if (t->kind == LOCATED_CELL) {
        out_text(o, "{\"kind\": \"cell\"");
        put_name(o, "value");
        json_cell(o, &t->series.values, t->row, 0);
    } else if (t->kind == LOCATED_SERIES) {
        out_text(o, "{\"kind\": \"column\"");
        json_series_facts(o, &t->series, &t->label);
    } else {
        out_text(o, "{\"kind\": \"index\"");
        json_index_facts(o, &t->index);
    }
    out_text(o, "}");
}

static bool show_json(output *o, const request *r, pickle_doc *doc, const located *t)
{
    file_facts f = facts_of(doc, r);
    bool ok = true;

    out_text(o, "{\"file\": ");
    json_text(o, r->file);
    put_text(o, "container", f.container);
    if (f.pickled)
        put_number(o, "protocol", (uint64_t)f.origin.protocol);
    if (f.has_size)
        put_number(o, "size", f.size);
    put_number(o, "bytes", f.bytes);
    put_number(o, "index", r->reading.index);
    put_number(o, "pickles", f.pickles);
    put_number(o, "trailing", f.trailing);
    put_json_origin(o, &f.origin);
    put_text(o, "path", r->path);
    put_name(o, "root");
    if (t->value)
        ok = json_typed(o, t->value, r->limits.depth, r->limits.items, r->limits.raw);
    else
        put_json_part(o, t);
    out_text(o, "}\n");
    return ok;
}

/* ----------------------------------------------------------------- command */

static int show(request *r)
{
    int status, closed;
    located t;
    output o;
    pickle_doc *doc = input_read(r->file, NULL, &r->reading, &status);

    if (!doc)
        return status;
    if (!locate(r->file, pickle_root(doc), r->path, &t)) {
        pickle_doc_free(doc);
        return EXIT_ABSENT;
    }
    out_open(&o, r->color);
    if (!(r->json ? show_json : show_text)(&o, r, doc, &t)) {
        complain(r->file, "not enough memory");
        status = EXIT_TROUBLE;
    }
    closed = out_close(&o, true);
    pickle_doc_free(doc);
    return closed > status ? closed : status;
}

int show_main(int argc, char **argv)
{
    request r = { .path = "", .limits = { NOT_GIVEN, NOT_GIVEN, false } };
    const option_spec options[] = {
        { 'd', "depth", "N", OPTION_COUNT, &r.limits.depth,
          "levels to open (default: as many as a page shows)" },
        { 'n', "items", "N", OPTION_COUNT, &r.limits.items,
          "items of a container to show (default: 20), rows of a table (10)" },
        { 'j', "json", NULL, OPTION_SWITCH, &r.json,
          "JSON for programs; everything unless limited by -d and -n" },
        { 'r', "raw", NULL, OPTION_SWITCH, &r.limits.raw,
          "calls and states as the file has them, not what they make" },
        READING_OPTIONS(&r.reading),
        COLOR_OPTION(&r.color),
    };
    const command c = {
        .name = "show",
        .operands = "FILE [PATH]",
        .about = "Show what a pickle or joblib file holds, or the part of it that PATH leads to:\n"
                 "classes, attributes, shapes, types, values in short. FILE may be - for standard\n"
                 "input. Paths are Python: steps[1][1].coef_, ['weights'][0], empty for the root.",
        .least = 1,
        .most = 2,
        OPTIONS(options),
    };
    char **operands;
    int n, status;

    if (!options_parse(&c, argc, argv, &operands, &n, &status))
        return status;
    r.file = operands[0];
    if (n > 1)
        r.path = operands[1];
    return show(&r);
}
