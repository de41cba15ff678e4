/* tree.c - a value as a tree of lines: labels as paths have them, values in short. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pickle/torch.h>

#include "options.h"
#include "table.h"
#include "tree.h"
#include "walk.h"

/* What is shown unless the user says otherwise. */
#define PAGE_LINES   100
#define PAGE_DEPTH   8
#define PAGE_ITEMS   20
#define PAGE_MEMBERS 100
#define MOST_LEVELS  500 /* lines get as long as they are deep */

/* ------------------------------------------------------------------ limits */

static bool is_leaf(const walk *w, const pickle_val *v)
{
    if (w->form == FORM_REFERENCE || preview_is_complete(v, w->as))
        return true;
    return w->sample && w->level > 0 && preview_is_run(v, w->as);
}

/* A table below the line of its value? Of what is one column in a line of its own, at the root. */
static bool has_table(const walk *w, table *t)
{
    value_form f = w->form;

    if (w->again || w->level >= w->depth || (f != FORM_TABLE && (f != FORM_PICTURE || w->level)))
        return false;
    return table_of(w->at.value, t) && (t->rows > 0 || t->columns > 0);
}

static size_t rows_of(const walk *w)
{
    return w->sample ? PAGE_ROWS : w->items;
}

static walk start(const pickle_val *root, seen *s, const tree_limits *limits)
{
    bool given = limits->items != NOT_GIVEN;

    return (walk){
        .mode = WALK_COUNT,
        .depth = limits->depth < MOST_LEVELS ? limits->depth : MOST_LEVELS,
        .items = given ? limits->items : PAGE_ITEMS,
        .attributes = given ? limits->items : PAGE_MEMBERS,
        .sample = !given,
        .as = limits->raw ? VIEW_RAW : VIEW_KNOWN,
        .is_leaf = is_leaf,
        .seen = s,
        .root = root,
    };
}

/* Counts lines, up to about `most`. False: no memory. */
static bool count_lines(walk w, size_t most, size_t *lines)
{
    walk_step step;
    table t;

    *lines = 0;
    while ((step = walk_next(&w)) != WALK_END && step != WALK_NO_MEMORY && *lines <= most) {
        *lines += step == WALK_NODE || w.hidden > 0;
        if (step == WALK_NODE && has_table(&w, &t))
            *lines += table_lines(&t, rows_of(&w));
    }
    walk_free(&w);
    return step != WALK_NO_MEMORY;
}

/* As deep as a page can show, but at least one level. */
static bool pick_depth(const pickle_val *root, const tree_limits *limits, size_t *depth)
{
    size_t lines = 0, before;
    bool ok = true;

    *depth = 0;
    do {
        tree_limits tried = { *depth + 1, limits->items, limits->raw };
        seen s = { 0 };

        before = lines;
        ok = count_lines(start(root, &s, &tried), PAGE_LINES, &lines);
        seen_free(&s);
        if (*depth == 0 || lines <= PAGE_LINES)
            ++*depth;
    } while (ok && lines <= PAGE_LINES && lines > before && *depth < PAGE_DEPTH);
    return ok;
}

/* ------------------------------------------------------------------- lines */

#define DOTS "…"

static const char *find_dots(const char *p, const char *end)
{
    const size_t len = sizeof DOTS - 1;

    while ((size_t)(end - p) >= len && memcmp(p, DOTS, len) != 0)
        p++;
    return (size_t)(end - p) >= len ? p : end;
}

void tree_line(output *o, const line *l)
{
    const char *p = l->text, *end = p + l->len, *stop;

    for (; o->ascii && (stop = find_dots(p, end)) < end; p = stop + sizeof DOTS - 1) {
        out_escaped(o, p, (size_t)(stop - p));
        out_text(o, "...");
    }
    out_escaped(o, p, (size_t)(end - p));
}

static void put_styled(output *o, style s, const line *l)
{
    if (l->len == 0)
        return;
    out_style(o, s);
    tree_line(o, l);
    out_plain(o);
}

/* A class with its module: what to look for, and where. */
static void put_object(output *o, const pickle_val *v, view_as as)
{
    const pickle_val *cls = view_class(v);
    line name = { .as = as }, module = { 0 };

    preview_kind(&name, v);
    put_styled(o, STYLE_BOLD, &name);
    if (!cls || !*view_module(cls))
        return;
    line_text(&module, "  (");
    line_text(&module, view_module(cls));
    line_text(&module, ")");
    put_styled(o, STYLE_DIM, &module);
}

static void put_container(output *o, const pickle_val *v, view_as as, bool with_items)
{
    value_form f = view_form(v, as);
    line kind = { .as = as }, items = { .as = as };

    preview_kind(&kind, v);
    put_styled(o, f == FORM_ARRAY || f == FORM_PICTURE ? STYLE_ARRAY : STYLE_BOLD, &kind);
    if (!with_items)
        return;
    preview_items(&items, v);
    out_text(o, items.len > 0 ? "  " : "");
    put_styled(o, STYLE_DIM, &items);
}

static void put_scalar(output *o, const pickle_val *v)
{
    line value = { 0 }, type = { 0 };
    pickle_array a;

    preview_value(&value, v);
    tree_line(o, &value);
    if (!pickle_get_array(v, &a))
        return;
    line_text(&type, "  ");
    preview_dtype(&type, &a.dtype);
    put_styled(o, STYLE_DIM, &type);
}

static void put_dtype(output *o, const pickle_val *v)
{
    line value = { 0 };

    line_text(&value, "dtype ");
    preview_value(&value, v);
    tree_line(o, &value);
}

static void put_whole(output *o, const pickle_val *v, view_as as)
{
    line value = { .as = as };
    value_form f = view_form(v, as);

    preview_value(&value, v);
    if (f == FORM_STR || f == FORM_BYTES)
        put_styled(o, STYLE_TEXT, &value);
    else
        tree_line(o, &value);
}

/* `closed`: its children are not shown below. */
static void put_value(output *o, const pickle_val *v, view_as as, bool closed)
{
    bool complete = preview_is_complete(v, as);

    switch (view_form(v, as)) {
    case FORM_ARRAY:
        put_container(o, v, as, closed || complete);
        break;
    case FORM_PICTURE:
    case FORM_TABLE:
        put_container(o, v, as, closed);
        break;
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        if (complete)
            put_whole(o, v, as);
        else
            put_container(o, v, as, closed);
        break;
    case FORM_OBJECT:
        if (complete)
            put_whole(o, v, as);
        else
            put_object(o, v, as);
        break;
    case FORM_SCALAR:
        put_scalar(o, v);
        break;
    case FORM_DTYPE:
        put_dtype(o, v);
        break;
    default:
        put_whole(o, v, as);
    }
}

/* ------------------------------------------------------------------ labels */

/* [2,0]: the index of an element of an object array; for everything else [2]. */
static void label_index(line *l, const walk *w)
{
    const pickle_val *parent = w->parent;
    uint64_t index = w->at.index;
    int64_t at[PICKLE_MAXDIMS];
    char number[32];
    pickle_array a;
    int n = 1;

    at[0] = (int64_t)index;
    if (view_form(parent, w->as) == FORM_ARRAY && pickle_get_array(parent, &a) && a.ndim > 0) {
        n = a.ndim;
        for (int k = n - 1; k >= 0; k--) {
            at[k] = (int64_t)(index % (uint64_t)a.shape[k]);
            index /= (uint64_t)a.shape[k];
        }
    }
    for (int k = 0; k < n; k++) {
        snprintf(number, sizeof number, k > 0 ? ",%" PRId64 : "[%" PRId64, at[k]);
        line_text(l, number);
    }
    line_text(l, "]");
}

static void label_key(line *l, const pickle_val *key)
{
    line_text(l, "[");
    preview_value(l, key);
    line_text(l, "]");
}

/* Names of what is no attribute stand in angle brackets. */
static void make_label(line *l, const walk *w)
{
    static const char *const names[] = {
        [PART_CALLABLE] = "<callable>", [PART_ARGS] = "<args>",
        [PART_KWARGS] = "<kwargs>",     [PART_STATE] = "<state>",
        [PART_PAYLOAD] = "<payload>",   [PART_NESTED] = "<nested>",
        [PART_CALL] = "<call>",         [PART_ID] = "<id>",
        [PART_ELEMENTS] = "<elements>",
    };

    switch (w->at.part) {
    case PART_ITEM:
        label_index(l, w);
        break;
    case PART_VALUE:
        label_key(l, w->at.key);
        break;
    case PART_ATTRIBUTE:
    case PART_SLOT:
        line_text(l, pickle_str(w->at.key));
        break;
    case PART_ROOT:
    case PART_MEMBER:
    case PART_KEY:
        break;
    default:
        line_text(l, names[w->at.part]);
    }
}

static void put_label(output *o, const walk *w, const char *root)
{
    line label = { 0 };

    if (w->at.part == PART_ROOT)
        line_text(&label, root);
    else
        make_label(&label, w);
    if (label.len == 0)
        return;
    put_styled(o, STYLE_LABEL, &label);
    out_text(o, ": ");
}

/* -------------------------------------------------------------------- tree */

static void put_rule(output *o, bool last)
{
    out_text(o, last ? "   " : o->ascii ? "|  " : "│  ");
}

static void put_branches(output *o, const walk *w, size_t level, bool last)
{
    if (level == 0)
        return;
    out_style(o, STYLE_DIM);
    for (size_t i = 1; i < level; i++)
        put_rule(o, walk_was_last(w, i));
    if (last)
        out_text(o, o->ascii ? "`- " : "└─ ");
    else
        out_text(o, o->ascii ? "|- " : "├─ ");
    out_plain(o);
}

/* &1 where it is shown, *1 where it is met again. */
static void put_mark(output *o, const walk *w)
{
    if (!w->id)
        return;
    out_style(o, STYLE_SHARED);
    out_format(o, "%c%" PRIu32, w->again ? '*' : '&', w->id);
    out_plain(o);
    out_text(o, " ");
}

/* Tensors that lie in the same memory are different values. */
static void put_storage(output *o, const walk *w)
{
    line l = { 0 };
    pickle_storage s;
    pickle_tensor t;

    if (w->as != VIEW_KNOWN || w->again || !walk_shares_storage(w, w->at.value) ||
        !pickle_get_tensor(w->at.value, &t) || !pickle_get_storage(t.storage, &s))
        return;
    line_text(&l, "  shares storage");
    if (s.key) {
        line_text(&l, " ");
        preview_value(&l, s.key);
    }
    put_styled(o, STYLE_SHARED, &l);
}

static void put_margin(output *o, const void *of)
{
    const walk *w = of;

    if (w->level == 0)
        return;
    out_style(o, STYLE_DIM);
    for (size_t i = 1; i < w->level; i++)
        put_rule(o, walk_was_last(w, i));
    put_rule(o, w->last);
    out_plain(o);
}

static void put_node(output *o, const walk *w, const char *root_label)
{
    table t;
    bool opened = has_table(w, &t);

    put_branches(o, w, w->level, w->last);
    put_label(o, w, root_label);
    put_mark(o, w);
    put_value(o, w->at.value, w->as, !w->opened && !w->again && !opened);
    put_storage(o, w);
    out_text(o, "\n");
    if (opened)
        table_print(o, &t, rows_of(w), put_margin, w);
}

static void put_hidden(output *o, const walk *w)
{
    line l = { 0 };

    if (w->hidden == 0)
        return;
    put_branches(o, w, w->level + 1, true);
    line_text(&l, "… ");
    line_number(&l, w->hidden);
    line_text(&l, " more");
    put_styled(o, STYLE_DIM, &l);
    out_text(o, "\n");
}

static bool print(output *o, walk w, const char *label)
{
    walk_step step;

    while ((step = walk_next(&w)) != WALK_END && step != WALK_NO_MEMORY && !out_stopped(o)) {
        if (step == WALK_NODE)
            put_node(o, &w, label);
        else
            put_hidden(o, &w);
    }
    walk_free(&w);
    return step != WALK_NO_MEMORY;
}

bool tree_print(output *o, const pickle_val *root, const char *label, const tree_limits *limits)
{
    tree_limits set = *limits;
    seen s = { 0 };
    walk w;
    bool ok;

    if (limits->depth == NOT_GIVEN && !pick_depth(root, limits, &set.depth))
        return false;
    w = start(root, &s, &set);
    ok = walk_count(w);
    seen_rewind(&s);
    w.mode = WALK_SHOW;
    ok = ok && print(o, w, label);
    seen_free(&s);
    return ok;
}
