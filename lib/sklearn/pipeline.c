/* pipeline.c - one estimator after the other. */
#include "sklearn/estimator.h"

typedef struct pipeline {
    size_t count;
    pickle_model **steps; /* what passes everything through is left out */
} pipeline;

static bool run_steps(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pipeline *p = m->state;
    pickle_batch at = *x;

    for (size_t i = 0; i + 1 < p->count; i++) {
        if (!pickle__run_method(p->steps[i], PICKLE_TRANSFORM, r, &at, y))
            return false;
        at = *y;
    }
    return pickle__run_method(p->steps[p->count - 1], r->method, r, &at, y);
}

static void open_pipeline(pickle__opener *o)
{
    pipeline *p = pickle__state(o, sizeof *p);
    size_t n = 0;
    const pickle_val *steps = pickle__items(o, "steps", pickle__need(o, "steps"), &n);
    const pickle_model *last;

    p->steps = pickle__keep(o, n, sizeof *p->steps);
    for (size_t i = 0; p->steps && i < n; i++) {
        const pickle_val *step = pickle_at(steps, i), *v = pickle_at(step, 1);

        if (pickle_kind_of(v) != PICKLE_NONE && !pickle_str_is(v, "passthrough"))
            p->steps[p->count++] = pickle__open_part(o, pickle_str(pickle_at(step, 0)), i, v);
    }
    if (!pickle__ok(o))
        return;
    if (p->count == 0) {
        pickle__unsupported(o, "steps", "has nothing to run");
        return;
    }
    last = p->steps[p->count - 1];
    o->model->features = p->steps[0]->features;
    o->model->feature_names = p->steps[0]->feature_names;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS;
    o->model->numbers = PICKLE__ANY_NUMBER;
    o->model->classes = last->classes;
    o->model->outputs = last->outputs;
    for (int i = 0; i < PICKLE_N_METHODS; i++) {
        if (last->methods[i])
            pickle__method_is(o, (pickle_method)i, run_steps);
    }
}

const pickle__estimator pickle__pipeline_estimators[] = {
    { "pipeline", "Pipeline", open_pipeline },
    { NULL, NULL, NULL },
};
