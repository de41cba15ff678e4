/* open.c - an object and its parts become models. */
#include "sklearn/opening.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pickle/class.h>

#define MOST_DEPTH  64
#define MOST_WEIGHT ((size_t)10 * 1000 * 1000) /* estimators that one prediction visits */
#define NEWEST      PICKLE__SKLEARN(1, 9, 99)

static const char *const method_names[PICKLE_N_METHODS] = {
    [PICKLE_PREDICT] = "predict",
    [PICKLE_PREDICT_PROBA] = "predict_proba",
    [PICKLE_PREDICT_LOG_PROBA] = "predict_log_proba",
    [PICKLE_DECISION_FUNCTION] = "decision_function",
    [PICKLE_TRANSFORM] = "transform",
    [PICKLE_INVERSE_TRANSFORM] = "inverse_transform",
    [PICKLE_SCORE_SAMPLES] = "score_samples",
    [PICKLE_APPLY] = "apply",
};

const char *pickle_method_name(pickle_method method)
{
    return (unsigned)method < PICKLE_N_METHODS ? method_names[method] : "unknown method";
}

bool pickle_method_of(const char *name, pickle_method *out)
{
    for (int i = 0; name && i < PICKLE_N_METHODS; i++) {
        if (strcmp(method_names[i], name) == 0) {
            *out = (pickle_method)i;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------- errors */

static void vfail(pickle__opening *all, pickle_status code, const char *format, ...)
    PICKLE__FORMAT(3, 4);

static void vfail(pickle__opening *all, pickle_status code, const char *format, ...)
{
    va_list args;

    if (all->failed)
        return;
    all->failed = true;
    memset(all->err, 0, sizeof *all->err);
    all->err->code = code;
    va_start(args, format);
    vsnprintf(all->err->message, sizeof all->err->message, format, args);
    va_end(args);
}

bool pickle__opening_no_memory(pickle__opening *all)
{
    vfail(all, PICKLE_ERR_NOMEM, "no memory for the model");
    return false;
}

bool pickle__ok(const pickle__opener *o)
{
    return !o->all->failed && !o->model->refused_reason;
}

void pickle__unsupported(pickle__opener *o, const char *attribute, const char *reason)
{
    if (o->model->refused_reason)
        return;
    o->model->refused_attribute = attribute;
    o->model->refused_reason = reason;
}

void pickle__bad(pickle__opener *o, const char *attribute, const char *reason)
{
    /* What follows from an attribute that is missing says nothing about the file. */
    if (!o->model->refused_reason)
        vfail(o->all, PICKLE_ERR_VALUE, "%s: %s%s%s", o->model->class_name,
              attribute ? attribute : "", attribute ? " " : "", reason);
}

/* ------------------------------------------------------------------- memory */

void *pickle__keep(pickle__opener *o, size_t count, size_t size)
{
    void *taken = pickle__pool_take(&o->all->root->pool, count, size);

    if (!taken) {
        pickle__opening_no_memory(o->all);
        return NULL;
    }
    return memset(taken, 0, count * size);
}

char *pickle__keep_text(pickle__opener *o, const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? pickle__keep(o, len + 1, 1) : NULL;

    if (copy)
        memcpy(copy, text, len);
    return copy;
}

const char *pickle__printable(pickle__opener *o, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t size = len < 128 ? len : 128, n = 0;
    char *copy = pickle__keep(o, size * 4 + 1, 1);

    for (size_t i = 0; copy && i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= ' ' && c < 0x7f && c != '\\') {
            copy[n++] = (char)c;
        } else {
            copy[n++] = '\\';
            copy[n++] = 'x';
            copy[n++] = hex[c >> 4];
            copy[n++] = hex[c & 15];
        }
    }
    return copy ? copy : "";
}

/* ------------------------------------------------------------------ classes */

/* "sklearn.svm.SVC" for one that is known, else the name that the file has. */
static const char *class_name(pickle__opener *o, const pickle__estimator *known,
                              const pickle_val *global)
{
    const char *module = known ? known->package : pickle_module(global);
    const char *name = known ? known->name : pickle_name(global);
    size_t len = strlen(module) + strlen(name) + sizeof "sklearn..";
    char *text = pickle__keep(o, len, 1);

    if (!text)
        return "";
    snprintf(text, len, "%s%s%s%s", known && *module != ':' ? "sklearn." : "",
             module + (known && *module == ':'), *module ? "." : "", name);
    return known ? text : pickle__printable(o, text, strlen(text));
}

/* "1.2.2", "0.22.2.post1", "1.4.dev0"; 0: no version. */
static int parse_version(const char *text)
{
    int parts[3] = { 0, 0, 0 };

    for (int i = 0; i < 3 && *text >= '0' && *text <= '9'; i++) {
        while (*text >= '0' && *text <= '9' && parts[i] < 1000)
            parts[i] = parts[i] * 10 + (*text++ - '0');
        if (*text != '.')
            break;
        text++;
    }
    for (int i = 1; i < 3; i++) {
        if (parts[i] > 99)
            parts[i] = 99;
    }
    return PICKLE__SKLEARN(parts[0], parts[1], parts[2]);
}

/* An estimator's own version, or that of what it is part of. */
static void find_version(pickle__opener *o, const pickle_model *parent)
{
    const char *text = pickle_str(pickle_attr(o->object, "_sklearn_version"));
    pickle_model *m = o->model;

    if (text) {
        m->version_text = pickle__printable(o, text, strlen(text));
        m->version = parse_version(text);
    } else if (parent) {
        m->version_text = parent->version_text;
        m->version = parent->version;
    }
    o->version = m->version;
}

static void check_version(pickle__opener *o)
{
    if (o->version < PICKLE__SKLEARN(0, 18, 0))
        pickle__unsupported(o, "_sklearn_version",
                            o->version ? "is before 0.18"
                                       : "is missing: scikit-learn 0.17 or before");
    else if (o->version > NEWEST && !o->all->newer)
        pickle__unsupported(o, "_sklearn_version", "is newer than the versions known here");
}

/* -------------------------------------------------------------------- names */

/* feature_names_in_, if it names all columns. */
static void find_feature_names(pickle__opener *o)
{
    pickle_model *m = o->model;
    const pickle_val *v = pickle__attr(o, "feature_names_in_");
    pickle__labels labels;

    if (!v || m->feature_names)
        return;
    labels = pickle__labels_of(o, "feature_names_in_", v);
    if (!pickle__ok(o) || labels.count == 0 || (m->features && labels.count != m->features))
        return;
    m->feature_names = pickle__keep(o, labels.count, sizeof *m->feature_names);
    for (size_t i = 0; m->feature_names && i < labels.count; i++) {
        if (labels.cells[i].kind != PICKLE_CELL_TEXT) {
            m->feature_names = NULL;
            return;
        }
        m->feature_names[i] = labels.cells[i].as.text;
    }
    m->features = labels.count;
}

/* n_features_in_ of 0.23 and later, where the estimator did not say itself. */
static void find_features(pickle__opener *o)
{
    int64_t n = 0;

    if (!o->model->features && pickle_get_i64(pickle_attr(o->object, "n_features_in_"), &n) &&
        n > 0 && n <= INT32_MAX)
        o->model->features = (size_t)n;
    find_feature_names(o);
}

/* ------------------------------------------------------------------ opening */

static size_t slot_of(const pickle__opening *all, const pickle_val *object)
{
    uint64_t hash = (uint64_t)(uintptr_t)object * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(hash >> 32) & (all->seen_size - 1);

    while (all->seen[i].object && all->seen[i].object != object)
        i = (i + 1) & (all->seen_size - 1);
    return i;
}

static bool grow_seen(pickle__opening *all)
{
    pickle__opening old = *all;
    size_t size = old.seen_size ? old.seen_size * 2 : 64;

    all->seen = pickle__pool_take(&all->root->pool, size, sizeof *all->seen);
    if (!all->seen) {
        all->seen = old.seen;
        return pickle__opening_no_memory(all);
    }
    memset(all->seen, 0, size * sizeof *all->seen);
    all->seen_size = size;
    for (size_t i = 0; i < old.seen_size; i++) {
        if (old.seen[i].object)
            all->seen[slot_of(all, old.seen[i].object)] = old.seen[i];
    }
    return true;
}

static bool remember(pickle__opening *all, const pickle_val *object, pickle_model *m)
{
    size_t i;

    if ((all->n_seen + 1) * 2 > all->seen_size && !grow_seen(all))
        return false;
    i = slot_of(all, object);
    all->seen[i].object = object;
    all->seen[i].model = m;
    all->n_seen++;
    return true;
}

/* The first in it that is not supported, and how much work it is. */
static void sum_up(pickle__opener *o)
{
    pickle_model *m = o->model;

    m->refused = m->refused_reason ? m : NULL;
    m->weight = 1;
    for (const pickle__part *p = m->parts; p; p = p->next) {
        if (!m->refused)
            m->refused = p->model->refused;
        m->weight += p->model->weight;
        m->together |= p->model->together;
        if (m->weight > MOST_WEIGHT) {
            pickle__bad(o, NULL, "has parts within parts beyond all measure");
            return;
        }
    }
}

static void open_object(pickle__opener *o)
{
    pickle_model *m = o->model;
    pickle_class_info info = { PICKLE_TYPE_OTHER, NULL, NULL };
    const pickle__estimator *known = NULL;

    if (!pickle_get_class(o->object, &info) || !info.global) {
        const char *kind = pickle_kind_name(pickle_kind_of(o->object));

        m->class_name = kind;
        pickle__unsupported(o, NULL, "is no estimator");
        return;
    }
    known = pickle__estimator_of(pickle_module(info.global), pickle_name(info.global));
    m->class_name = class_name(o, known, info.global);
    if (!known) {
        pickle__unsupported(o, NULL, "is not among the classes that can be run here");
        return;
    }
    /* Of a class of another package only its parts say which version they are of. */
    if (*known->package != ':')
        check_version(o);
    if (!m->refused_reason)
        known->open(o);
}

static pickle_model *new_model(pickle__opening *all)
{
    pickle_model *m = pickle__pool_take(&all->root->pool, 1, sizeof *m);

    if (!m) {
        pickle__opening_no_memory(all);
        return NULL;
    }
    memset(m, 0, sizeof *m);
    m->class_name = "";
    m->takes = m->inverse = PICKLE__F64;
    m->outputs = 1;
    m->root = all->root;
    return m;
}

/* `v` as a model, within `parent` or by itself; NULL after an error. */
static pickle_model *open_model(pickle__opening *all, const pickle_model *parent,
                                const pickle_val *v)
{
    pickle__opener o = { .object = v, .all = all };

    if (pickle_kind_of(v) == PICKLE_OBJECT && all->seen_size) {
        o.model = all->seen[slot_of(all, v)].model;
        if (o.model)
            return o.model;
    }
    o.model = new_model(all);
    if (!o.model || (pickle_kind_of(v) == PICKLE_OBJECT && !remember(all, v, o.model)))
        return NULL;
    o.model->object = v;
    find_version(&o, parent);
    all->depth++;
    open_object(&o);
    all->depth--;
    find_features(&o);
    sum_up(&o);
    return all->failed ? NULL : o.model;
}

/* What stands for a part after an error, so that callers need not look. */
static pickle_model *no_part(pickle__opener *o)
{
    static pickle_model nothing = { .class_name = "", .refused_reason = "was not opened" };

    (void)o;
    return &nothing;
}

pickle_model *pickle__open_part(pickle__opener *o, const char *name, size_t index,
                                const pickle_val *v)
{
    pickle__part *part;
    char number[32];
    pickle_model *m;

    if (o->all->failed)
        return no_part(o);
    if (o->all->depth >= MOST_DEPTH) {
        pickle__bad(o, name, "is nested too deeply");
        return no_part(o);
    }
    m = open_model(o->all, o->model, v);
    /* One that is being opened has not been summed up yet. */
    if (m && m->weight == 0) {
        pickle__bad(o, name, "holds an estimator that contains itself");
        return no_part(o);
    }
    part = m ? pickle__keep(o, 1, sizeof *part) : NULL;
    if (!part)
        return no_part(o);
    snprintf(number, sizeof number, "[%zu]", index);
    part->name = pickle__printable(o, name ? name : number, strlen(name ? name : number));
    part->model = m;
    if (o->model->last_part)
        o->model->last_part->next = part;
    else
        o->model->parts = part;
    o->model->last_part = part;
    o->model->n_parts++;
    return m;
}

pickle_model **pickle__open_parts(pickle__opener *o, const char *attribute, size_t *count)
{
    size_t n = 0;
    const pickle_val *list = pickle__items(o, attribute, pickle__need(o, attribute), &n);
    pickle_model **parts = list ? pickle__keep(o, n, sizeof *parts) : NULL;

    *count = parts ? n : 0;
    for (size_t i = 0; i < *count; i++)
        parts[i] = pickle__open_part(o, NULL, i, pickle_at(list, i));
    return parts;
}

void pickle__take_as(pickle__opener *o, const pickle_model *part)
{
    o->model->takes = part->takes;
    o->model->numbers = PICKLE__ANY_NUMBER;
    o->model->features = part->features;
    o->model->feature_names = part->feature_names;
    o->model->spare = part->spare;
}

/* ------------------------------------------------------------------- public */

static pickle_model *open_root(pickle__root *root, const pickle_val *v, bool newer,
                               pickle_error *err)
{
    pickle__opening all = { .root = root, .err = err, .newer = newer };
    pickle_model *m;

    if (pickle_kind_of(v) != PICKLE_OBJECT) {
        vfail(&all, PICKLE_ERR_TYPE, "%s is no estimator",
              pickle_kind_of(v) == PICKLE_MISSING ? "what is not there"
                                                  : pickle_kind_name(pickle_kind_of(v)));
        return NULL;
    }
    m = open_model(&all, NULL, v);
    return all.failed ? NULL : m;
}

pickle_model *pickle_model_open(const pickle_val *v, const pickle_model_opts *opts,
                                pickle_error *err)
{
    const pickle_alloc *alloc = opts ? opts->alloc : NULL;
    pickle__root *root = pickle__heap_take(alloc, 1, sizeof *root);
    pickle_error spare;
    pickle_model *m;

    if (!err)
        err = &spare;
    if (!root) {
        memset(err, 0, sizeof *err);
        err->code = PICKLE_ERR_NOMEM;
        return NULL;
    }
    memset(root, 0, sizeof *root);
    root->pool.alloc = alloc;
    m = open_root(root, v, opts && opts->newer, err);
    if (!m) {
        pickle__pool_free(&root->pool);
        pickle__heap_free(alloc, root, 1, sizeof *root);
    }
    return m;
}

pickle_model *pickle_model_open_file(const char *path, const pickle_model_opts *opts,
                                     pickle_error *err)
{
    pickle_doc *doc = pickle_read_file(path, opts ? opts->read : NULL, err);
    const char *where = opts ? opts->path : NULL;
    pickle_model *m = NULL;

    if (doc)
        m = pickle_model_open(where ? pickle_find(pickle_root(doc), where) : pickle_root(doc), opts,
                              err);
    if (m)
        m->root->doc = doc;
    else
        pickle_doc_free(doc);
    return m;
}

void pickle_model_free(pickle_model *m)
{
    pickle__root *root = m ? m->root : NULL;
    const pickle_alloc *alloc = root ? root->pool.alloc : NULL;

    if (!root)
        return;
    pickle_doc_free(root->doc);
    pickle__pool_free(&root->pool);
    pickle__heap_free(alloc, root, 1, sizeof *root);
}

bool pickle_model_supported(const pickle_model *m, pickle_unsupported *why)
{
    const pickle_model *refused = m ? m->refused : NULL;

    if (refused && why)
        *why = (pickle_unsupported){ refused->class_name, refused->refused_attribute,
                                     refused->refused_reason };
    return m && !refused;
}

const char *pickle_model_class(const pickle_model *m)
{
    return m ? m->class_name : "";
}

const char *pickle_model_version(const pickle_model *m)
{
    return m ? m->version_text : NULL;
}

size_t pickle_model_features(const pickle_model *m)
{
    return m ? m->features : 0;
}

const char *pickle_model_feature_name(const pickle_model *m, size_t column)
{
    return m && m->feature_names && column < m->features ? m->feature_names[column] : NULL;
}

bool pickle_model_takes_text(const pickle_model *m)
{
    return m && m->takes == PICKLE__CELLS;
}

bool pickle_model_has(const pickle_model *m, pickle_method method)
{
    return m && (unsigned)method < PICKLE_N_METHODS && m->methods[method];
}

size_t pickle_model_outputs(const pickle_model *m)
{
    return m ? m->outputs : 0;
}

size_t pickle_model_classes(const pickle_model *m, size_t output)
{
    return m && m->classes && output < m->outputs ? m->classes[output].count : 0;
}

const pickle_cell *pickle_model_label(const pickle_model *m, size_t output, size_t index)
{
    return index < pickle_model_classes(m, output) ? &m->classes[output].cells[index] : NULL;
}

size_t pickle_model_parts(const pickle_model *m)
{
    return m ? m->n_parts : 0;
}

const pickle_model *pickle_model_part(const pickle_model *m, size_t index, const char **name)
{
    const pickle__part *part = m ? m->parts : NULL;

    for (; part && index > 0; index--)
        part = part->next;
    if (part && name)
        *name = part->name;
    return part ? part->model : NULL;
}
