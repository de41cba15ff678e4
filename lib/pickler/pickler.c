/* pickler.c - from options and the document's own traits to a pickler. */
#include "pickler/save.h"

/* ------------------------------------------------------ how it was written */

/* Protocols 0 and 1 are not announced; but 0 has its own opcodes for most things. */
static int protocol_of(const pickle_doc *doc)
{
    if (doc->made)
        return 4;
    return doc->protocol >= 2 ? doc->protocol : doc->traits.text ? 0 : 1;
}

static int layout_of(const pickle_doc *doc)
{
    const pickle__traits *t = &doc->traits;

    if (!t->joblib || t->joblib_beside)
        return 15;
    return t->nested_protocol >= 5 ? 15 : t->joblib_aligned ? 12 : 10;
}

static pickle_flavor flavor_of(const pickle_doc *doc, bool joblib)
{
    const pickle__traits *t = &doc->traits;
    bool python = joblib || t->py_batches;

    if (t->py2_str)
        return t->memo_from_one ? PICKLE_FLAVOR_CPICKLE2 : PICKLE_FLAVOR_PY2;
    if (t->memo_from_one)
        return PICKLE_FLAVOR_CPICKLE2;
    if (t->old_text && t->int_lines)
        return PICKLE_FLAVOR_PY2;
    if (t->old_frames || t->old_text)
        return python ? PICKLE_FLAVOR_PYTHON36 : PICKLE_FLAVOR_C36;
    return python ? PICKLE_FLAVOR_PYTHON : PICKLE_FLAVOR_C;
}

/* ----------------------------------------------------------------- setting up */

static bool check_options(const pickle_write_opts *o, pickle_error *err)
{
    if (o->protocol < PICKLE_PROTOCOL_0 || o->protocol > 5)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "protocol %d is not known", o->protocol);
    if (o->joblib != 0 && o->joblib != 10 && o->joblib != 12 && o->joblib != 15)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "joblib's layouts are 10, 12 and 15");
    if (o->numpy < 0 || o->numpy > 2)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "numpy is 1 or 2");
    if ((unsigned)o->flavor > PICKLE_FLAVOR_CPICKLE2)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "the flavor is not known");
    return true;
}

static void set_flavor(pickle__pickler *p, pickle_flavor flavor)
{
    bool old = flavor == PICKLE_FLAVOR_C36 || flavor == PICKLE_FLAVOR_PYTHON36;

    p->exact_lists = flavor == PICKLE_FLAVOR_C || flavor == PICKLE_FLAVOR_C36;
    p->exact_tables = p->exact_lists || flavor == PICKLE_FLAVOR_CPICKLE2;
    p->py2 = flavor >= PICKLE_FLAVOR_PY2 && p->protocol <= 2;
    p->old_text = old || p->py2;
    p->e->old_frames = old;
    p->old_ints = old;
    p->e->memo_from_one = p->e->long_floats = flavor == PICKLE_FLAVOR_CPICKLE2;
}

static void set_up(pickle__pickler *p, const pickle_doc *doc, const pickle_write_opts *o)
{
    const pickle__traits *t = &doc->traits;
    int numpy = o->numpy ? o->numpy : t->numpy_new && !t->numpy_old ? 2 : 1;

    p->doc = doc;
    p->opts = o;
    p->protocol = o->protocol == 0 ? protocol_of(doc) : o->protocol < 0 ? 0 : o->protocol;
    p->joblib = o->format == PICKLE_FORMAT_JOBLIB;
    p->layout = o->joblib ? o->joblib : layout_of(doc);
    p->nested = t->nested_protocol && p->layout == layout_of(doc) ? t->nested_protocol
                : p->layout >= 15                                 ? 5
                                                                  : 2;
    p->rewrap = t->joblib && p->layout != layout_of(doc);
    p->keep = !doc->made && p->protocol == protocol_of(doc) &&
              (t->joblib ? p->joblib && !t->joblib_beside : !p->joblib) && !p->rewrap &&
              !o->no_fix_imports && !o->numpy;
    p->numpy = numpy == 2 ? "numpy._core" : "numpy.core";
    p->fix_imports = !o->no_fix_imports;
    p->optimize = o->optimize && p->joblib;
    p->memo.alloc = p->shapes.alloc = o->alloc;
    p->e->memo_gap = p->keep ? t->memo_gap : 0;
    set_flavor(p, o->flavor ? o->flavor : flavor_of(doc, p->joblib));
}

void pickle__pickler_free(pickle__pickler *p)
{
    pickle__memo_table_free(&p->memo);
    pickle__map_free(&p->shapes);
    pickle__free(p->opts->alloc, p->names.slots, p->names.room * sizeof *p->names.slots);
    if (p->own_tasks)
        pickle__free(p->opts->alloc, p->tasks, p->room * sizeof *p->tasks);
    pickle_doc_free(p->scratch);
}

static bool save(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *opts,
                 pickle_error *err)
{
    pickle_emitter e;
    pickle__task first[16];
    pickle__pickler p = { .e = &e, .tasks = first, .room = sizeof first / sizeof *first };
    bool ok;

    if (!pickle__emitter_init(&e, out, opts->alloc))
        return pickle__no_memory(err, 0);
    set_up(&p, doc, opts);
    pickle__save_pickle(&p, doc->root);
    ok = pickle__emitter_close(&e);
    if (!ok && err)
        *err = e.error;
    pickle__pickler_free(&p);
    return ok;
}

/* pickletools.optimize works on a whole pickle, and knows no joblib: there, what stands in one
 * place alone gets no memo entry. */
static bool save_optimized(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *opts,
                           pickle_error *err)
{
    pickle_buf buf = { .alloc = opts->alloc };
    bool ok =
        save(doc, pickle_sink_buf(&buf), opts, err) && pickle_optimize(buf.data, buf.len, out, err);

    pickle_buf_free(&buf);
    return ok;
}

bool pickle__save(const pickle_doc *doc, pickle_sink out, const pickle_write_opts *opts,
                  pickle_error *err)
{
    if (!check_options(opts, err))
        return false;
    if (!doc->root)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "the document is empty");
    return opts->optimize && opts->format != PICKLE_FORMAT_JOBLIB
               ? save_optimized(doc, out, opts, err)
               : save(doc, out, opts, err);
}
