/* json_tree.c - the values of a graph as JSON, in the order of a walk. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_known.h"
#include "json_tree.h"
#include "walk.h"

/* A value whose children are being printed. */
typedef struct level {
    const char *close; /* what ends it                                                      */
    bool in_pair;      /* it stands in brackets with its key                                */
    bool is_list;      /* if it has no children, that is said                               */
    bool any;          /* it had a child                                                    */
    bool bare;         /* its children stand in it directly, as in plain lists and dicts ... */
    bool is_array;     /* ... and plain arrays                                              */
    child_part run;    /* otherwise children of one kind stand together in a member: a run  */
    size_t runs;
    uint32_t had; /* bits of the kinds that had a run */
} level;

typedef struct printer {
    output *o;
    bool typed;
    bool failed; /* no memory */
    int depth;   /* of tables around the root */
    walk *w;
    level *levels;
    size_t room;
} printer;

/* -------------------------------------------------------------------- runs */

typedef struct run_style {
    const char *name, *open, *close;
} run_style;

static run_style style_of(child_part p)
{
    static const run_style styles[] = {
        [PART_ITEM] = { "items", "[", "]" },    [PART_MEMBER] = { "members", "[", "]" },
        [PART_VALUE] = { "entries", "[", "]" }, [PART_ATTRIBUTE] = { "attributes", "{", "}" },
        [PART_SLOT] = { "slots", "{", "}" },    [PART_CALLABLE] = { "callable", "", "" },
        [PART_ARGS] = { "args", "", "" },       [PART_KWARGS] = { "kwargs", "", "" },
        [PART_STATE] = { "state", "", "" },     [PART_PAYLOAD] = { "payload", "", "" },
        [PART_NESTED] = { "nested", "", "" },   [PART_CALL] = { "call", "", "" },
        [PART_ID] = { "of", "", "" },           [PART_ELEMENTS] = { "elements", "", "" },
    };

    return styles[p];
}

/* A kind that comes again, after others or by itself, has the number of its run in its name. */
static void start_run(printer *p, level *l, child_part kind)
{
    run_style s = style_of(kind);
    bool items = *s.open == '[' && view_form(p->w->parent, p->w->as) != FORM_OBJECT;

    if (l->any)
        out_text(p->o, style_of(l->run).close);
    l->runs++;
    out_format(p->o, ", \"%s", items ? "items" : s.name);
    if (l->had & 1u << kind)
        out_format(p->o, "_%zu", l->runs);
    out_format(p->o, "\": %s", s.open);
    l->run = kind;
    l->had |= 1u << kind;
}

static const char opening[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
static const char closing[] = "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";

static const char *brackets(const char all[PICKLE_MAXDIMS + 1], int n)
{
    return all + PICKLE_MAXDIMS - n;
}

/* Between two elements of an object array: as many axes start anew as the index says. */
static void join_elements(printer *p, size_t index)
{
    uint64_t size = 1;
    pickle_array a;
    int wrapped = 0;

    if (!pickle_get_array(p->w->parent, &a))
        return;
    for (int k = a.ndim - 1; k > 0; k--) {
        size *= (uint64_t)a.shape[k];
        wrapped += index % size == 0;
    }
    out_text(p->o, brackets(closing, wrapped));
    out_text(p->o, ", ");
    out_text(p->o, brackets(opening, wrapped));
}

/* What separates a child from the one before it. */
static void join(printer *p, level *l, const child *c)
{
    child_part kind = c->part == PART_KEY ? PART_VALUE : c->part;
    bool alone = *style_of(kind).open == '\0';

    if (!l->bare && (!l->any || l->run != kind || alone))
        start_run(p, l, kind);
    else if (l->any && l->is_array)
        join_elements(p, c->index);
    else if (l->any)
        out_text(p->o, ", ");
    l->any = true;
}

/* ------------------------------------------------------------------- leaves */

static void put_member(printer *p, const char *name)
{
    out_format(p->o, ", \"%s\": ", name);
}

static void put_shape(output *o, const pickle_array *a)
{
    out_text(o, "[");
    for (int i = 0; i < a->ndim; i++)
        out_format(o, i > 0 ? ", %" PRId64 : "%" PRId64, a->shape[i]);
    out_text(o, "]");
}

static void put_array_facts(printer *p, const pickle_array *a)
{
    if (a->cls) {
        put_member(p, "class");
        json_global(p->o, a->cls);
    }
    put_member(p, "dtype");
    json_dtype(p->o, &a->dtype);
    if (a->scalar)
        return;
    put_member(p, "shape");
    put_shape(p->o, a);
    put_member(p, "order");
    json_text(p->o, view_order(a));
    put_member(p, "nbytes");
    out_format(p->o, "%" PRIu64, a->nbytes);
}

static void put_numpy(printer *p, const pickle_val *v)
{
    pickle_array a;
    pickle_dtype dtype;

    if (pickle_get_array(v, &a)) {
        put_array_facts(p, &a);
        if (!a.scalar)
            return;
        put_member(p, "value");
        json_array(p->o, &a);
    } else if (pickle_get_dtype(v, &dtype)) {
        put_member(p, "dtype");
        json_dtype(p->o, &dtype);
    }
}

static void put_bytes(printer *p, const pickle_val *v)
{
    size_t len = 0;
    const void *data = view_bytes(v, &len);

    put_member(p, "len");
    out_format(p->o, "%zu", len);
    if (!data)
        return;
    put_member(p, "base64");
    out_base64(p->o, data, len);
}

static void put_class(printer *p, const pickle_val *v)
{
    if (view_class(v)) {
        put_member(p, "class");
        json_global(p->o, view_class(v));
    }
    if (p->w->as != VIEW_RAW)
        json_facts(p->o, v);
}

/* ------------------------------------------------------------- typed style */

/* Names of what is no kind of value in the pickle. */
static const char *typed_kind(const pickle_val *v, view_as as)
{
    switch (view_form(v, as)) {
    case FORM_SCALAR:
        return "scalar";
    case FORM_ARRAY:
        return "array";
    case FORM_DTYPE:
        return "dtype";
    default:
        return view_kind(v, as);
    }
}

static void put_typed_details(printer *p, const pickle_val *v)
{
    switch (p->w->form) {
    case FORM_ATOM:
    case FORM_STR:
        put_member(p, "value");
        json_atom(p->o, v);
        break;
    case FORM_BYTES:
        put_bytes(p, v);
        break;
    case FORM_GLOBAL:
        put_member(p, "name");
        json_global(p->o, v);
        break;
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        put_member(p, "len");
        out_format(p->o, "%zu", view_items(v, p->w->as).count);
        break;
    case FORM_DTYPE:
    case FORM_SCALAR:
    case FORM_ARRAY:
        put_numpy(p, v);
        break;
    case FORM_OBJECT:
        put_class(p, v);
        break;
    case FORM_REFERENCE:
        if (p->w->as != VIEW_RAW)
            json_facts(p->o, v);
        break;
    case FORM_TEXT:
    case FORM_PICTURE:
    case FORM_TABLE:
        break;
    }
}

static void typed_node(printer *p, level *mine)
{
    const walk *w = p->w;

    if (w->again) {
        out_format(p->o, "{\"ref\": %" PRIu32, w->id);
        mine->close = "}";
        return;
    }
    out_format(p->o, "{\"kind\": \"%s\"", typed_kind(w->at.value, w->as));
    if (w->id)
        out_format(p->o, ", \"id\": %" PRIu32, w->id);
    put_typed_details(p, w->at.value);
    mine->is_list = w->form != FORM_OBJECT;
    mine->close = "}";
}

/* ------------------------------------------------------------- plain style */

static void open_bare(printer *p, level *mine, const char *open, const char *close)
{
    out_text(p->o, open);
    mine->bare = true;
    mine->close = close;
}

static void open_array(printer *p, level *mine, const pickle_val *v)
{
    pickle_array a;

    if (!pickle_get_array(v, &a))
        return;
    if (!a.objects || pickle_array_count(&a) == 0) {
        json_array(p->o, &a);
        mine->close = "";
        return;
    }
    open_bare(p, mine, brackets(opening, a.ndim), brackets(closing, a.ndim));
    mine->is_array = true;
}

static void open_object(printer *p, level *mine, const pickle_val *v)
{
    out_text(p->o, "{\"class\": ");
    if (view_class(v))
        json_global(p->o, view_class(v));
    else
        out_text(p->o, "null");
    mine->close = "}";
}

static void put_plain_leaf(printer *p, const pickle_val *v)
{
    const void *data;
    size_t len = 0;
    pickle_array a;
    pickle_dtype dtype;

    switch (p->w->form) {
    case FORM_BYTES:
        data = view_bytes(v, &len);
        json_bytes(p->o, data, len);
        break;
    case FORM_GLOBAL:
        out_text(p->o, "{\"global\": ");
        json_global(p->o, v);
        out_text(p->o, "}");
        break;
    case FORM_DTYPE:
        if (pickle_get_dtype(v, &dtype))
            json_dtype(p->o, &dtype);
        break;
    case FORM_SCALAR:
        if (pickle_get_array(v, &a))
            json_array(p->o, &a);
        break;
    case FORM_TEXT:
    case FORM_PICTURE:
    case FORM_TABLE:
        p->failed = !json_known(p->o, v, p->depth);
        break;
    default:
        json_atom(p->o, v);
    }
}

static void plain_node(printer *p, level *mine)
{
    const pickle_val *v = p->w->at.value;

    mine->close = "";
    switch (p->w->form) {
    case FORM_SEQUENCE:
    case FORM_SET:
        open_bare(p, mine, "[", "]");
        break;
    case FORM_ARRAY:
        open_array(p, mine, v);
        break;
    case FORM_DICT:
        open_bare(p, mine, "{", "}");
        break;
    case FORM_OBJECT:
        open_object(p, mine, v);
        break;
    case FORM_REFERENCE:
        out_format(p->o, "{\"reference\": \"%s\"", view_kind(v, VIEW_KNOWN));
        mine->close = "}";
        break;
    default:
        put_plain_leaf(p, v);
    }
}

/* -------------------------------------------------------------------- walk */

/* What stands before a value, in what it is a child of. False: that was a key of a plain dict, and
 * nothing more is to be said of it. */
static bool put_before(printer *p, level *parent)
{
    const child *c = &p->w->at;

    if (c->part == PART_VALUE) { /* its key was there already */
        out_text(p->o, parent->bare ? ": " : ", ");
        return true;
    }
    join(p, parent, c);
    if (c->part == PART_KEY && parent->bare) {
        json_key(p->o, c->value);
        return false;
    }
    if (c->part == PART_KEY)
        out_text(p->o, "[");
    if (c->part == PART_ATTRIBUTE || c->part == PART_SLOT) {
        json_atom(p->o, c->key);
        out_text(p->o, ": ");
    }
    return true;
}

static void put_after(printer *p, const level *mine)
{
    out_text(p->o, mine->close);
    if (mine->in_pair)
        out_text(p->o, "]");
}

static bool make_room(printer *p)
{
    size_t room = p->room ? p->room * 2 : 16;
    level *levels;

    if (p->w->level < p->room)
        return true;
    levels = realloc(p->levels, room * sizeof *levels);
    if (!levels)
        return false;
    p->levels = levels;
    p->room = room;
    return true;
}

static void node(printer *p)
{
    level *parent = p->w->level > 0 ? &p->levels[p->w->level - 1] : NULL;
    level mine = { .close = "" };

    mine.in_pair = parent && p->w->at.part == PART_VALUE && !parent->bare;
    if (parent && !put_before(p, parent))
        return;
    if (p->typed)
        typed_node(p, &mine);
    else
        plain_node(p, &mine);
    if (p->w->opened)
        p->levels[p->w->level] = mine;
    else
        put_after(p, &mine);
}

static void leave(printer *p)
{
    const level *mine = &p->levels[p->w->level];

    if (mine->any && !mine->bare)
        out_text(p->o, style_of(mine->run).close);
    else if (mine->is_list)
        out_text(p->o, ", \"items\": []");
    if (p->w->hidden > 0)
        out_format(p->o, ", \"more\": %zu", p->w->hidden);
    put_after(p, mine);
}

static bool print(output *o, walk w, bool typed, int depth)
{
    printer p = { .o = o, .typed = typed, .depth = depth, .w = &w };
    walk_step step = WALK_NODE;

    while (!p.failed && !out_stopped(o)) {
        step = walk_next(&w);
        if (step != WALK_NODE && step != WALK_LEAVE)
            break;
        if (!make_room(&p)) {
            step = WALK_NO_MEMORY;
            break;
        }
        if (step == WALK_NODE)
            node(&p);
        else
            leave(&p);
    }
    free(p.levels);
    walk_free(&w);
    return step != WALK_NO_MEMORY && !p.failed;
}

bool json_typed(output *o, const pickle_val *root, size_t depth, size_t items, bool raw)
{
    seen s = { 0 };
    walk w = { .mode = WALK_COUNT,
               .depth = depth,
               .items = items,
               .attributes = items,
               .keys = true,
               .as = raw ? VIEW_RAW : VIEW_NUMPY,
               .seen = &s,
               .root = root };
    bool ok = walk_count(w);

    seen_rewind(&s);
    w.mode = WALK_SHOW;
    ok = ok && print(o, w, true, 0);
    seen_free(&s);
    return ok;
}

void json_typed_array(output *o, const pickle_array *a)
{
    walk none = { 0 };
    printer p = { .o = o, .typed = true, .w = &none };

    out_text(o, "{\"kind\": \"array\"");
    put_array_facts(&p, a);
    out_text(o, "}");
}

static walk plain_walk(const pickle_val *root, seen *s)
{
    return (walk){ .mode = WALK_COPY,
                   .depth = NO_LIMIT,
                   .items = NO_LIMIT,
                   .attributes = NO_LIMIT,
                   .keys = true,
                   .as = VIEW_DATA,
                   .seen = s,
                   .root = root };
}

/* Counts a value; what is not walked into is looked through. */
static json_problem check_node(const walk *w, uint64_t *limit, int depth)
{
    const pickle_val *v = w->at.value;
    value_form f = w->form;
    pickle_array a;
    uint64_t n = 1;

    if (f == FORM_ARRAY && pickle_get_array(v, &a) && !a.objects)
        n = json_cells(&a);
    if (n > *limit)
        return JSON_TOO_LONG;
    *limit -= n;
    if (w->at.part == PART_KEY && view_form(w->parent, VIEW_KNOWN) == FORM_DICT)
        return json_is_key(v) ? JSON_FINE : JSON_KEY;
    if (f == FORM_TEXT || f == FORM_PICTURE || f == FORM_TABLE)
        return json_check_known(v, limit, depth);
    return JSON_FINE;
}

json_problem json_check(const pickle_val *root, uint64_t *limit, int depth)
{
    seen s = { 0 };
    walk w = plain_walk(root, &s);
    json_problem problem = JSON_FINE;
    walk_step step;

    while (problem == JSON_FINE && (step = walk_next(&w)) != WALK_END) {
        if (step == WALK_CYCLE || step == WALK_NO_MEMORY)
            problem = step == WALK_CYCLE ? JSON_CYCLE : JSON_NO_MEMORY;
        else if (step == WALK_NODE)
            problem = check_node(&w, limit, depth);
    }
    walk_free(&w);
    seen_free(&s);
    return problem;
}

bool json_plain(output *o, const pickle_val *root, int depth)
{
    seen s = { 0 };
    bool ok = print(o, plain_walk(root, &s), false, depth);

    seen_free(&s);
    return ok;
}
