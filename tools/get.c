/* get.c - pickle get: one value, in a form that other programs take. */
#include <string.h>

#include "commands.h"
#include "elements.h"
#include "input.h"
#include "json.h"
#include "json_tree.h"
#include "locate.h"
#include "npy.h"
#include "output.h"
#include "preview.h"

/* JSON has no sharing: what is small in the file may be endless. */
#define MOST_VALUES 100000000

typedef struct request {
    const char *file, *path, *target;
    reading reading;
    bool json, raw;
    size_t limit;
} request;

/* -------------------------------------------------------------------- text */

/* As it is for programs; a terminal is not to be trusted with that. */
static void put_text(output *o, const char *text, size_t len)
{
    if (o->terminal)
        out_lines(o, text, len);
    else
        out_utf8(o, text, len);
}

static void put_element(output *o, const pickle_array *a)
{
    pickle_buf text = { 0 };

    pickle_array_item_repr(a, pickle_sink_buf(&text));
    put_text(o, (const char *)text.data, text.len);
    pickle_buf_free(&text);
}

/* numpy.str_ stands for itself, as str does. */
static void put_single(output *o, const pickle_array *a)
{
    pickle_buf text = { 0 };

    if (a->dtype.kind == 'U') {
        element_text(a, &text);
        put_text(o, (const char *)text.data, text.len);
        pickle_buf_free(&text);
    } else {
        put_element(o, a);
    }
    out_text(o, "\n");
}

/* A row a line, as numpy.savetxt has it; a blank line where a third axis goes on. */
static void put_rows(output *o, const pickle_array *a)
{
    uint64_t count = pickle_array_count(a);
    elements e;

    elements_start(&e, a);
    while (elements_next(&e) && !out_stopped(o)) {
        if (e.left + 1 < count)
            out_text(o, e.wrapped == 0 && a->ndim > 1 ? " " : e.wrapped < 2 ? "\n" : "\n\n");
        put_element(o, &e.at);
    }
    if (count > 0)
        out_text(o, "\n");
}

static void put_array(output *o, const pickle_array *a)
{
    if (a->ndim == 0)
        put_single(o, a);
    else
        put_rows(o, a);
}

static void put_repr(output *o, const pickle_val *v)
{
    pickle_buf text = { 0 };

    view_repr(v, pickle_sink_buf(&text));
    put_text(o, (const char *)text.data, text.len);
    out_text(o, "\n");
    pickle_buf_free(&text);
}

static void put_dtype(output *o, const pickle_dtype *dtype)
{
    pickle_buf text = { 0 };
    line name = { 0 };

    if (dtype->nfields > 0)
        pickle_dtype_str(dtype, pickle_sink_buf(&text));
    else
        preview_dtype(&name, dtype);
    put_text(o, (const char *)text.data, text.len);
    put_text(o, name.text, name.len);
    out_text(o, "\n");
    pickle_buf_free(&text);
}

/* False: it is nothing that fits into text. */
static bool put_plain(output *o, const pickle_val *v)
{
    pickle_dtype dtype;

    switch (view_form(v)) {
    case FORM_STR:
        put_text(o, pickle_str(v), pickle_len(v));
        out_text(o, "\n");
        return true;
    case FORM_ATOM:
    case FORM_BYTES:
    case FORM_GLOBAL:
        put_repr(o, v);
        return true;
    case FORM_DTYPE:
        if (pickle_get_dtype(v, &dtype))
            put_dtype(o, &dtype);
        return true;
    default:
        return false;
    }
}

/* ----------------------------------------------------------------- refusals */

static int refuse(const request *r, const char *why)
{
    complain(r->file, "%s%s%s", r->path, *r->path ? ": " : "", why);
    return EXIT_ABSENT;
}

static int refuse_json(const request *r, json_problem problem)
{
    switch (problem) {
    case JSON_CYCLE:
        return refuse(r, "it contains itself, which JSON cannot say: try pickle show");
    case JSON_KEY:
        return refuse(r, "a dict in it has keys that JSON cannot have: try pickle show --json");
    case JSON_TOO_LONG:
        return refuse(r, "it is more values than the limit (see --limit)");
    default:
        complain(r->file, "not enough memory");
        return EXIT_TROUBLE;
    }
}

/* ---------------------------------------------------------------- the forms */

static int get_json(output *o, const request *r, const located *t)
{
    json_problem problem = JSON_FINE;

    if (t->value)
        problem = json_check(t->value, r->limit);
    else if (json_cells(&t->array) > r->limit)
        problem = JSON_TOO_LONG;
    if (problem == JSON_FINE && t->value && !json_plain(o, t->value))
        problem = JSON_NO_MEMORY;
    if (problem != JSON_FINE)
        return refuse_json(r, problem);
    if (!t->value)
        json_array(o, &t->array);
    out_text(o, "\n");
    return EXIT_DONE;
}

static int get_raw(output *o, const request *r, const located *t)
{
    size_t len;
    const void *data = view_bytes(t->value, &len); /* also of the strings of Python 2 */

    if (!data) {
        data = pickle_str(t->value);
        len = pickle_len(t->value);
    }
    if (!data)
        return refuse(r, "it is no text or bytes");
    out_write(o, data, len);
    return EXIT_DONE;
}

static bool is_npy(const char *path)
{
    size_t len = path ? strlen(path) : 0;

    return len > 4 && strcmp(path + len - 4, ".npy") == 0;
}

/* An array as such, not one of objects. */
static bool as_array(const located *t, pickle_array *a)
{
    if (!t->value)
        *a = t->array;
    return !t->value || (pickle_get_array(t->value, a) && !a->objects);
}

static int get_npy(output *o, const request *r, const located *t)
{
    pickle_array a;
    const char *why = "it is no array";

    if (!t->value)
        a = t->array;
    if (!t->value || pickle_get_array(t->value, &a))
        why = npy_refusal(&a);
    if (why)
        return refuse(r, why);
    npy_write(o, &a);
    return EXIT_DONE;
}

static int get_text(output *o, const request *r, const located *t)
{
    pickle_array a;

    if (t->value && put_plain(o, t->value))
        return EXIT_DONE;
    if (!as_array(t, &a))
        return get_json(o, r, t);
    if (!a.data && pickle_array_count(&a) > 0)
        return refuse(r, "its data are in a buffer apart");
    put_array(o, &a);
    return EXIT_DONE;
}

/* ----------------------------------------------------------------- command */

static int put(const request *r, const located *t)
{
    int (*form)(output *, const request *, const located *) = get_text;
    output o;
    int status, closed;

    if (is_npy(r->target))
        form = get_npy;
    else if (r->raw)
        form = get_raw;
    else if (r->json)
        form = get_json;
    if (!r->target)
        out_open(&o, COLOR_NEVER);
    else if (!out_open_file(&o, r->target))
        return EXIT_TROUBLE;
    status = form(&o, r, t);
    closed = out_close(&o, status == EXIT_DONE);
    return closed > status ? closed : status;
}

static int get(request *r)
{
    int status;
    located t;
    pickle_doc *doc = input_read(r->file, NULL, &r->reading, &status);

    if (!doc)
        return status;
    if (locate(r->file, pickle_root(doc), r->path, &t))
        status = put(r, &t);
    else
        status = EXIT_ABSENT;
    pickle_doc_free(doc);
    return status;
}

int get_main(int argc, char **argv)
{
    request r = { .path = "", .limit = MOST_VALUES };
    const option_spec options[] = {
        { 'o', "output", "FILE", OPTION_TEXT, &r.target,
          "write there; arrays as such if it ends in .npy" },
        { 'j', "json", NULL, OPTION_SWITCH, &r.json, "JSON, whatever it is" },
        { 'r', "raw", NULL, OPTION_SWITCH, &r.raw, "text and bytes as they are" },
        { 0, "limit", "N", OPTION_COUNT, &r.limit,
          "values that JSON may have (default: 100 million)" },
        READING_OPTIONS(&r.reading),
    };
    const command c = {
        .name = "get",
        .operands = "FILE [PATH]",
        .about = "Print the value that PATH leads to: text and numbers as such, an array a row a\n"
                 "line, containers and objects as JSON. FILE may be - for standard input. Paths\n"
                 "are Python: steps[1][1].coef_, ['weights'][0], mean_[2], empty for the root.",
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
    return get(&r);
}
