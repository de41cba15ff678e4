/* describe.c - what a model is, for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pickle/array.h>

#include "describe.h"

#define MOST_NAMES 12 /* of columns and classes that are listed */
#define MOST_PARTS 8  /* of parts of one class: trees of a forest */
#define MOST_DEPTH 12

/* The shortest text that is the same number: repr() of a float. */
static void put_number(output *o, double number)
{
    pickle_buf text = { 0 };
    pickle_array a = { .data = &number,
                       .nbytes = sizeof number,
                       .dtype = { .kind = 'f', .order = '=', .itemsize = sizeof number } };
    const uint16_t one = 1;

    a.dtype.order = *(const unsigned char *)&one ? '<' : '>';
    if (pickle_array_item_repr(&a, pickle_sink_buf(&text)))
        out_write(o, text.data, text.len);
    pickle_buf_free(&text);
}

void put_cell_text(output *o, const pickle_cell *cell)
{
    switch (cell->kind) {
    case PICKLE_CELL_NONE:
        out_text(o, "None");
        break;
    case PICKLE_CELL_BOOL:
        out_text(o, cell->as.i ? "True" : "False");
        break;
    case PICKLE_CELL_INT:
        out_format(o, "%" PRId64, cell->as.i);
        break;
    case PICKLE_CELL_FLOAT:
        put_number(o, cell->as.f);
        break;
    case PICKLE_CELL_TEXT:
        if (o->terminal)
            out_escaped(o, cell->as.text, cell->len);
        else
            out_utf8(o, cell->as.text, cell->len);
        break;
    }
}

static void put_field(output *o, const char *name)
{
    out_format(o, "  %-10s", name);
}

static void put_input(output *o, const pickle_model *m)
{
    size_t n = pickle_model_features(m);

    put_field(o, "input");
    if (pickle_model_takes_text(m))
        out_text(o, "one text a row");
    else if (n == 0)
        out_text(o, "any number of columns");
    else
        out_format(o, "%zu column%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n && pickle_model_feature_name(m, i); i++) {
        const char *name = pickle_model_feature_name(m, i);

        out_text(o, i == 0 ? ": " : ", ");
        if (i == MOST_NAMES) {
            out_text(o, "...");
            break;
        }
        out_escaped(o, name, strlen(name));
    }
    out_text(o, "\n");
}

static void put_classes(output *o, const pickle_model *m)
{
    for (size_t k = 0; k < pickle_model_outputs(m) && k <= MOST_NAMES; k++) {
        size_t n = pickle_model_classes(m, k);

        if (n == 0)
            return;
        put_field(o, k == 0 ? "classes" : "");
        for (size_t i = 0; i < n; i++) {
            const pickle_cell *label = pickle_model_label(m, k, i);

            out_text(o, i == 0 ? "" : ", ");
            if (i == MOST_NAMES) {
                out_format(o, "... (%zu)", n);
                break;
            }
            if (label->kind == PICKLE_CELL_TEXT)
                out_escaped(o, label->as.text, label->len);
            else
                put_cell_text(o, label);
        }
        out_text(o, "\n");
    }
}

static void put_methods(output *o, const pickle_model *m)
{
    const char *between = "";

    put_field(o, "methods");
    for (int i = 0; i < PICKLE_N_METHODS; i++) {
        if (!pickle_model_has(m, (pickle_method)i))
            continue;
        out_format(o, "%s%s", between, pickle_method_name((pickle_method)i));
        between = ", ";
    }
    out_text(o, *between ? "\n" : "none\n");
}

/* Parts beneath each other; many of one class are counted. */
static void put_parts(output *o, const pickle_model *m, int depth)
{
    size_t n = pickle_model_parts(m);

    for (size_t i = 0; i < n && depth < MOST_DEPTH; i++) {
        const char *name;
        const pickle_model *part = pickle_model_part(m, i, &name);

        if (i == MOST_PARTS && n > MOST_PARTS + 1) {
            out_format(o, "%*s... %zu more\n", depth * 2, "", n - i);
            return;
        }
        out_format(o, "%*s%s  %s\n", depth * 2, "", name, pickle_model_class(part));
        put_parts(o, part, depth + 1);
    }
}

void describe_model(output *o, const pickle_model *m)
{
    const char *version = pickle_model_version(m);
    pickle_unsupported why;

    out_style(o, STYLE_BOLD);
    out_text(o, pickle_model_class(m));
    out_plain(o);
    if (version)
        out_format(o, " of scikit-learn %s", version);
    out_text(o, "\n");
    if (pickle_model_supported(m, &why)) {
        put_input(o, m);
        put_classes(o, m);
        put_methods(o, m);
    } else {
        put_field(o, "refused");
        out_format(o, "%s%s%s %s\n", why.class_name, why.attribute ? ": " : "",
                   why.attribute ? why.attribute : "", why.reason);
    }
    if (pickle_model_parts(m) > 0) {
        out_text(o, "  parts\n");
        put_parts(o, m, 2);
    }
}
