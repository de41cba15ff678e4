/*
 * shelf.c - the entries of a dbm file as a dict. Facts: Python's shelve.py, which
 * writes keys as UTF-8 and values as pickles.
 *
 * Nothing in the file tells a shelf from bytes under keys. A value that begins
 * with PROTO settles it, and has to be a pickle; so do all after it. A value that
 * is no pickle, before any such one, says that all are bytes.
 */
#include "file/shelf.h"

#include "base/text.h"
#include "file/container.h"

/* The pages or buckets of a file, and what they hold, are charged both. */
#define CHARGES 2

bool pickle__shelf_charge(pickle__shelf *s, uint64_t bytes)
{
    if (bytes > s->most - s->charged)
        return pickle__fail(s->err, PICKLE_ERR_CODEC, 0,
                            "the file's entries share bytes, or its pages form a loop");
    s->charged += bytes;
    return true;
}

pickle__source pickle__shelf_window(const pickle__shelf *s, uint64_t at, uint64_t len)
{
    pickle__source src;

    pickle__source_memory(&src, pickle__shelf_data(s), (size_t)(at + len), s->file->stable);
    src.at += at;
    return src;
}

const char *pickle__shelf_name(const pickle__input *in)
{
    const char *slash = in->path ? strrchr(in->path, '/') : NULL;

    return slash ? slash + 1 : in->path;
}

pickle_status pickle__shelf_beside(pickle_doc *doc, size_t stem, const char *end,
                                   pickle__source *out, pickle_error *err)
{
    const char *input = pickle__shelf_name(doc->owned);
    char name[PICKLE__NAME_LIMIT];
    size_t len = strlen(end);

    if (!input || stem > sizeof name - len)
        return PICKLE_ERR_MISSING;
    memcpy(name, input, stem);
    memcpy(name + stem, end, len);
    return pickle__input_beside(doc, name, stem + len, out, err);
}

/* Several values are read between two reports; within one, reading does that itself. */
static bool report_progress(pickle__shelf *s)
{
    const pickle__input *in = s->doc->owned;
    uint64_t size = pickle__shelf_size(s), done = s->charged < size ? s->charged : size;

    if (!in->set.on_progress || s->charged < s->next_report)
        return true;
    s->next_report = s->charged + PICKLE__PROGRESS_STEP;
    return in->set.on_progress(in->set.ctx, done, size) ||
           pickle__fail(s->err, PICKLE_ERR_CANCELED, 0, "reading was canceled");
}

/* ------------------------------------------------------------------- values */

static pickle_val *no_memory(pickle__shelf *s)
{
    pickle__arena_fail(&s->doc->arena, s->err, 0);
    return NULL;
}

static pickle_val *read_bytes(pickle__shelf *s, pickle__source *value)
{
    pickle__input *in = s->doc->owned;
    size_t len = pickle__source_left(value);
    const unsigned char *data;
    pickle_val *v;

    pickle__vm_start(&in->vm, value, &in->set, NULL, s->err);
    data = pickle__vm_take_bytes(&in->vm, len);
    v = data ? pickle__new_bytes(s->doc, PICKLE_BYTES, data, len) : NULL;
    return v || !data ? v : no_memory(s);
}

/* What is wrong with bytes that are no pickle, rather than with reading them. */
static bool is_damage(pickle_status code)
{
    return code >= PICKLE_ERR_TRUNCATED && code < PICKLE_ERR_LIMIT;
}

static bool begins_pickle(const pickle__source *value)
{
    return pickle__source_left(value) > 1 && value->at[0] == PICKLE_OP_PROTO && value->at[1] <= 5;
}

/* NULL, and s->kind DBM: it is none, and so none has to be. */
static pickle_val *read_pickle(pickle__shelf *s, pickle__source *value)
{
    pickle__input *in = s->doc->owned;
    pickle_error own = { 0 };
    pickle_val *v;

    if (begins_pickle(value))
        s->kind = PICKLE__SHELVE;
    v = pickle__vm_run(&in->vm, value, &in->set, NULL, &own);
    if (v && in->vm.proto > s->doc->protocol)
        s->doc->protocol = in->vm.proto;
    if (s->kind == PICKLE__SHELVE) {
        if (v && pickle__source_left(value) > 0)
            pickle__vm_warn(&in->vm, PICKLE_END, "bytes follow the end of a value's pickle");
    } else if (v ? pickle__source_left(value) > 0 : is_damage(own.code)) {
        s->kind = PICKLE__DBM;
        return NULL;
    }
    if (!v && s->err)
        *s->err = own;
    return v;
}

/* ------------------------------------------------------------------ entries */

/* In front of what went wrong with a value. */
static bool name_key(pickle__shelf *s, const unsigned char *key, size_t len)
{
    pickle_error inner;
    char quoted[60];

    if (!s->err || s->kind == PICKLE__DBM)
        return false;
    inner = *s->err;
    pickle__fail(s->err, inner.code, inner.offset, "the value of \"%s\": %s",
                 pickle__escape(quoted, sizeof quoted, key, len), inner.message);
    s->err->opcode = inner.opcode;
    return false;
}

bool pickle__shelf_add(pickle__shelf *s, const unsigned char *key, size_t len,
                       pickle__source *value)
{
    pickle_val *item[2];

    if (!pickle__shelf_charge(s, len) || !pickle__shelf_charge(s, pickle__source_left(value)) ||
        !report_progress(s))
        return false;
    item[1] = s->kind == PICKLE__DBM ? read_bytes(s, value) : read_pickle(s, value);
    if (!item[1])
        return name_key(s, key, len);
    item[0] = pickle__new_name(s->doc, key, len);
    return (item[0] && pickle__extend(s->doc, s->dict, item, 2)) || no_memory(s);
}

/* --------------------------------------------------------------------- dict */

static bool fill(pickle__shelf *s)
{
    s->charged = 0;
    s->most = CHARGES * pickle__shelf_size(s);
    s->next_report = PICKLE__PROGRESS_STEP;
    s->dict = pickle__new_table(s->doc, PICKLE_DICT);
    return s->dict ? s->walk(s) : no_memory(s) != NULL;
}

/* The default was made for the input, which may be compressed, or an index alone. */
static void raise_limit(pickle_doc *doc, uint64_t size)
{
    const pickle__input *in = doc->owned;
    uint64_t limit = pickle__limit_or(0, 0, PICKLE__MEMORY_FACTOR, size);

    if (in->set.limit_follows && limit > doc->arena.limit)
        doc->arena.limit = limit > SIZE_MAX ? SIZE_MAX : (size_t)limit;
}

bool pickle__shelf_read(pickle__shelf *s, pickle_doc *doc, const pickle__source *file,
                        bool (*walk)(pickle__shelf *s), pickle_error *err)
{
    pickle__input *in = doc->owned;
    bool ok;

    *s = (pickle__shelf){ .doc = doc, .err = err, .file = file, .walk = walk };
    in->set.keep_memo = false;
    raise_limit(doc, pickle__shelf_size(s));
    ok = fill(s);
    if (!ok && s->kind == PICKLE__DBM)
        ok = fill(s);
    /* The machine has read from sources that are gone. */
    pickle__vm_start(&in->vm, &in->src, &in->set, NULL, err);
    in->src.at = in->src.end;
    doc->consumed = pickle__source_offset(&in->src);
    doc->root = ok ? s->dict : NULL;
    doc->made = true;
    return ok && pickle__name_container(doc, s->kind == PICKLE__DBM ? "dbm" : "shelve", err);
}
