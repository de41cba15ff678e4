/* members.c - the estimators that an ensemble asks. */
#include "sklearn/members.h"

#include <stdlib.h>

void pickle__open_members(pickle__opener *o, const char *attribute, pickle__members *members)
{
    members->models = pickle__open_parts(o, attribute, &members->count);
    members->places = pickle__keep(o, members->count, sizeof *members->places);
    if (pickle__ok(o) && members->count == 0)
        pickle__bad(o, attribute, "is empty");
    if (!members->models || !members->places)
        members->count = 0;
}

void pickle__members_share_input(pickle__opener *o, const pickle__members *members)
{
    pickle_model *m = o->model;

    for (size_t i = 0; i < members->count; i++) {
        const pickle_model *part = members->models[i];

        if (!part->features)
            continue;
        if (m->features && m->features != part->features)
            pickle__bad(o, NULL, "has estimators that expect different numbers of columns");
        m->features = part->features;
    }
}

/* One output with classes: what an ensemble of classifiers can use. */
static const pickle__labels *labels_of(pickle__opener *o, const pickle_model *part)
{
    if (!pickle__ok(o) || part->refused || !part->classes)
        return NULL;
    if (part->outputs == 1)
        return &part->classes[0];
    pickle__unsupported(o, "estimators_", "has a classifier with several outputs");
    return NULL;
}

const size_t *pickle__encoded_places(pickle__opener *o, const pickle_model *part, size_t count)
{
    const pickle__labels *labels = labels_of(o, part);
    size_t *places = labels ? pickle__keep(o, labels->count, sizeof *places) : NULL;

    for (size_t i = 0; places && i < labels->count; i++) {
        const pickle_cell *label = &labels->cells[i];

        if (label->kind != PICKLE_CELL_INT || label->as.i < 0 ||
            (uint64_t)label->as.i >= (uint64_t)count) {
            pickle__bad(o, NULL, "has an estimator with classes that it does not know");
            return NULL;
        }
        places[i] = (size_t)label->as.i;
    }
    return places;
}

const size_t *pickle__label_places(pickle__opener *o, const pickle_model *part,
                                   const pickle__labels *classes)
{
    const pickle__labels *labels = labels_of(o, part);
    size_t *places = labels ? pickle__keep(o, labels->count, sizeof *places) : NULL, at = 0;

    for (size_t i = 0; places && i < labels->count; i++, at++) {
        while (at < classes->count && !pickle__cell_equal(&labels->cells[i], &classes->cells[at]))
            at++;
        if (at == classes->count) {
            pickle__bad(o, NULL, "has an estimator with classes that it does not know");
            return NULL;
        }
        places[i] = at;
    }
    return places;
}

void pickle__members_encoded(pickle__opener *o, pickle__members *members, size_t count)
{
    for (size_t i = 0; i < members->count && pickle__ok(o); i++)
        members->places[i] = pickle__encoded_places(o, members->models[i], count);
}

bool pickle__members_have(const pickle__members *members, pickle_method method)
{
    for (size_t i = 0; i < members->count; i++) {
        if (!members->models[i]->methods[method])
            return false;
    }
    return members->count > 0;
}

static int by_place(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const void *const *)a, y = (uintptr_t) * (const void *const *)b;

    return (x > y) - (x < y);
}

bool pickle__all_distinct(pickle__opener *o, const char *attribute, const void **data, size_t count)
{
    qsort(data, count, sizeof *data, by_place);
    for (size_t i = 1; i < count; i++) {
        if (data[i] == data[i - 1]) {
            pickle__bad(o, attribute, "has a tree twice");
            return false;
        }
    }
    return true;
}

bool pickle__ask(const pickle_model *part, pickle_method method, pickle__run *r,
                 const pickle_batch *x, size_t width, pickle_batch *y)
{
    if (!pickle__run_method(part, method, r, x, y) || !pickle__as_f64(r, y, y))
        return false;
    if (width && y->cols != width)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "%s gives %zu numbers for a row, not %zu",
                                part->class_name, y->cols, width);
    return true;
}
