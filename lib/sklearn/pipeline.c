/* pipeline.c - one estimator after the other. */
#include "sklearn/estimator.h"

#include <string.h>

#include <pickle/class.h>

typedef struct pipeline {
    size_t count;
    pickle_model **steps; /* what passes everything through is left out */
    bool transforms;      /* the last step passes everything through, too */
} pipeline;

/* transform by the first `count` steps. */
static bool transform_by(const pipeline *p, size_t count, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    *y = *x;
    for (size_t i = 0; i < count; i++) {
        pickle_batch at = *y;

        if (!pickle__run_method(p->steps[i], PICKLE_TRANSFORM, r, &at, y))
            return false;
    }
    return true;
}

static bool run_steps(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pipeline *p = m->state;
    pickle_batch at;

    return transform_by(p, p->count - 1, r, x, &at) &&
           pickle__run_method(p->steps[p->count - 1], r->method, r, &at, y);
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pipeline *p = m->state;

    return transform_by(p, p->count, r, x, y);
}

static bool inverse_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const pipeline *p = m->state;

    *y = *x;
    for (size_t i = p->count; i-- > 0;) {
        pickle_batch at = *y;

        if (!pickle__run_method(p->steps[i], PICKLE_INVERSE_TRANSFORM, r, &at, y))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ opening */

/* Imbalanced-learn's samplers change what is learned from, and are left out of predictions. */
static bool is_sampler(const pickle_val *v)
{
    static const char *const packages[] = { "imblearn.over_sampling", "imblearn.under_sampling",
                                            "imblearn.combine", "imblearn.base" };
    pickle_class_info info = { PICKLE_TYPE_OTHER, NULL, NULL };
    const char *module = pickle_get_class(v, &info) ? pickle_module(info.global) : NULL;

    for (size_t i = 0; module && i < sizeof packages / sizeof *packages; i++) {
        size_t len = strlen(packages[i]);

        if (strncmp(module, packages[i], len) == 0 && (module[len] == '\0' || module[len] == '.'))
            return true;
    }
    return false;
}

/* What the pipeline takes over from its last step, if that is an estimator. */
static void take_over(pickle__opener *o, const pickle_model *last)
{
    o->model->classes = last->classes;
    o->model->outputs = last->outputs;
    for (int i = 0; i < PICKLE_N_METHODS; i++) {
        bool has =
            last->methods[i] && i != PICKLE_APPLY &&
            (i != PICKLE_SCORE_SAMPLES || !o->version || o->version >= PICKLE__SKLEARN(0, 22, 0));

        if (has)
            pickle__method_is(o, (pickle_method)i, run_steps);
    }
}

/* transform and inverse_transform, which concern all steps. */
static void find_transforms(pickle__opener *o, const pipeline *p)
{
    bool inverts = p->transforms || p->count > 0;

    for (size_t i = 0; i < p->count; i++)
        inverts = inverts && p->steps[i]->methods[PICKLE_INVERSE_TRANSFORM];
    if (p->transforms)
        pickle__method_is(o, PICKLE_TRANSFORM, transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverts ? inverse_transform : NULL);
}

static void open_steps(pickle__opener *o, bool samples)
{
    pipeline *p = pickle__state(o, sizeof *p);
    size_t n = 0;
    const pickle_val *steps = pickle__items(o, "steps", pickle__need(o, "steps"), &n);

    p->steps = pickle__keep(o, n, sizeof *p->steps);
    for (size_t i = 0; p->steps && i < n; i++) {
        const pickle_val *step = pickle_at(steps, i), *v = pickle_at(step, 1);

        p->transforms = pickle_kind_of(v) == PICKLE_NONE || pickle_str_is(v, "passthrough");
        if (!p->transforms && !(samples && i + 1 < n && is_sampler(v)))
            p->steps[p->count++] = pickle__open_part(o, pickle_str(pickle_at(step, 0)), i, v);
    }
    if (pickle__ok(o) && n == 0)
        pickle__bad(o, "steps", "is empty");
    if (!pickle__ok(o))
        return;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS;
    o->model->inverse = o->model->takes;
    o->model->numbers = PICKLE__ANY_NUMBER;
    if (p->count > 0)
        pickle__take_as(o, p->steps[0]);
    if (!p->transforms)
        take_over(o, p->steps[p->count - 1]);
    find_transforms(o, p);
}

static void open_pipeline(pickle__opener *o)
{
    open_steps(o, false);
}

static void open_imblearn_pipeline(pickle__opener *o)
{
    open_steps(o, true);
}

const pickle__estimator pickle__pipeline_estimators[] = {
    { "pipeline", "Pipeline", open_pipeline },
    { ":imblearn.pipeline", "Pipeline", open_imblearn_pipeline },
    { ":sklearn2pmml.pipeline", "PMMLPipeline", open_pipeline },
    { NULL, NULL, NULL },
};
