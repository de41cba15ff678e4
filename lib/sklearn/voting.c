/* voting.c - estimators of many kinds side by side: their mean or majority, or one more estimator
 * on top of them. */
#include "sklearn/members.h"
#include "sklearn/numeric.h"

#include <string.h>

/* Estimators that were left out: 'drop', and None before 0.24. */
static bool is_dropped(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_NONE || pickle_str_is(v, "drop");
}

/* Classes that were encoded as 0, 1, ... before the estimators were fitted. */
static size_t open_classes(pickle__opener *o)
{
    const pickle_val *v = pickle__attr(o, "classes_");

    /* A list of arrays, even of one. */
    if (pickle_kind_of(v) == PICKLE_LIST)
        pickle__unsupported(o, "classes_", "are of several outputs");
    pickle__read_classes(o, "classes_");
    return pickle__ok(o) ? o->model->classes[0].count : 0;
}

static void take_anything(pickle__opener *o, const pickle__members *members)
{
    pickle__members_share_input(o, members);
    o->model->takes = PICKLE__ANYTHING;
    o->model->numbers = PICKLE__ANY_NUMBER;
}

/* A member's prediction in numbers: classes as they are encoded. */
static bool predictions(const pickle__members *members, size_t i, pickle__run *r,
                        const pickle_batch *x, pickle_batch *y)
{
    const size_t *places = members->places[i];
    pickle_batch answer;
    double *out;

    if (!places)
        return pickle__ask(members->models[i], PICKLE_PREDICT, r, x, 1, y);
    if (!pickle__ask(members->models[i], PICKLE_PREDICT, r, x, 1, &answer))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t row = 0; out && row < x->rows; row++)
        out[row] = (double)places[(size_t)*pickle__row(&answer, row)];
    return out != NULL;
}

/* ------------------------------------------------------------------- voting */

typedef struct voting {
    pickle__members members;
    size_t n_classes;      /* 0: regression */
    const double *weights; /* NULL: all the same */
    double total;
} voting;

static double weight_of(const voting *v, size_t i)
{
    return v->weights ? v->weights[i] : 1;
}

/* np.average of what the members answer, `width` numbers for a row. */
static bool average(const voting *v, pickle_method method, size_t width, pickle__run *r,
                    const pickle_batch *x, pickle_batch *y)
{
    double *out = pickle__new_f64(r, y, x->rows, width);
    pickle__pool_mark start = pickle__pool_here(&r->pool);

    if (!out)
        return false;
    memset(out, 0, x->rows * width * sizeof *out);
    for (size_t i = 0; i < v->members.count; i++) {
        pickle_batch answer;

        if (!pickle__ask(v->members.models[i], method, r, x, width, &answer))
            return false;
        for (size_t row = 0; row < x->rows; row++) {
            for (size_t c = 0; c < width; c++)
                out[row * width + c] += pickle__row(&answer, row)[c] * weight_of(v, i);
        }
        pickle__pool_release(&r->pool, start);
    }
    for (size_t k = 0; k < x->rows * width; k++)
        out[k] /= v->total;
    return true;
}

static bool regress(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return average(m->state, PICKLE_PREDICT, 1, r, x, y);
}

static bool soft_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    const voting *v = m->state;

    return average(v, PICKLE_PREDICT_PROBA, v->n_classes, r, x, y);
}

static bool soft_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    pickle_batch mean;

    return soft_proba(m, r, x, &mean) && pickle__argmax(r, &mean, y);
}

/* The class with most weight; the first of equals. */
static bool hard_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const voting *v = m->state;
    size_t k = v->n_classes;
    pickle_batch sums;
    double *votes = pickle__new_f64(r, &sums, x->rows, k);
    pickle__pool_mark start = pickle__pool_here(&r->pool);

    if (!votes)
        return false;
    memset(votes, 0, x->rows * k * sizeof *votes);
    for (size_t i = 0; i < v->members.count; i++) {
        pickle_batch answer;

        if (!predictions(&v->members, i, r, x, &answer))
            return false;
        for (size_t row = 0; row < x->rows; row++)
            votes[row * k + (size_t)*pickle__row(&answer, row)] += weight_of(v, i);
        pickle__pool_release(&r->pool, start);
    }
    return pickle__argmax(r, &sums, y);
}

/* All answers side by side. */
static bool voting_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    const voting *v = m->state;
    size_t n = v->members.count;
    pickle_batch *answers = pickle__take(r, n, sizeof *answers);
    bool soft = m->methods[PICKLE_PREDICT_PROBA] != NULL;

    for (size_t i = 0; answers && i < n; i++) {
        if (!(soft ? pickle__ask(v->members.models[i], PICKLE_PREDICT_PROBA, r, x, v->n_classes,
                                 &answers[i])
                   : predictions(&v->members, i, r, x, &answers[i])))
            return false;
        answers[i].integers = v->n_classes > 0 && !soft;
    }
    return answers && pickle__hstack(r, answers, n, false, y);
}

/* ---------------------------------------------------------- opening: voting */

/* The weights of the estimators that were not left out. */
static void open_weights(pickle__opener *o, voting *v, const pickle_val *named, size_t n)
{
    pickle__matrix all = pickle__numbers_of(o, "weights", pickle__attr(o, "weights"));
    size_t count = 0;
    double *weights;

    v->total = (double)v->members.count;
    if (!pickle__ok(o) || !all.data)
        return;
    if (all.rows * all.cols != n) {
        pickle__bad(o, "weights", "are not as many as there are estimators");
        return;
    }
    weights = pickle__keep(o, n, sizeof *weights);
    for (size_t i = 0; weights && i < n; i++) {
        if (!is_dropped(pickle_at(pickle_at(named, i), 1)))
            weights[count++] = all.data[i];
    }
    if (!weights)
        return;
    v->weights = weights;
    v->total = pickle__sum(weights, count);
    if (v->total == 0)
        pickle__unsupported(o, "weights", "are 0 together");
}

static void open_voting(pickle__opener *o, voting *v)
{
    size_t n = 0, kept = 0;
    const pickle_val *named = pickle__need(o, "estimators");

    pickle__open_members(o, "estimators_", &v->members);
    named = named ? pickle__items(o, "estimators", named, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        kept += !is_dropped(pickle_at(pickle_at(named, i), 1));
    if (pickle__ok(o) && kept != v->members.count)
        pickle__bad(o, "estimators", "are not those that were fitted");
    open_weights(o, v, named, n);
    take_anything(o, &v->members);
}

static void open_voting_regressor(pickle__opener *o)
{
    voting *v = pickle__state(o, sizeof *v);

    open_voting(o, v);
    for (size_t i = 0; i < v->members.count && pickle__ok(o); i++) {
        if (v->members.models[i]->classes || v->members.models[i]->outputs != 1)
            pickle__unsupported(o, "estimators_", "has one that predicts not one number");
    }
    pickle__method_is(o, PICKLE_PREDICT, regress);
    pickle__method_is(o, PICKLE_TRANSFORM, voting_transform);
}

static void open_soft(pickle__opener *o, const voting *v)
{
    /* Without flatten_transform, which came with 0.19, transform gives a table for each. */
    bool flat = o->version >= PICKLE__SKLEARN(0, 19, 0) &&
                pickle__flag(o, "flatten_transform", o->version >= PICKLE__SKLEARN(0, 21, 0));

    for (size_t i = 0; i < v->members.count && pickle__ok(o); i++) {
        if (v->members.places[i] && v->members.models[i]->classes[0].count != v->n_classes)
            pickle__bad(o, "estimators_", "has one with fewer classes");
    }
    pickle__method_is(o, PICKLE_PREDICT, soft_predict);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, soft_proba);
    if (flat)
        pickle__method_is(o, PICKLE_TRANSFORM, voting_transform);
}

static void open_voting_classifier(pickle__opener *o)
{
    voting *v = pickle__state(o, sizeof *v);
    bool soft = pickle__choice(o, "voting", 0, "hard", "soft", NULL) == 1;

    open_voting(o, v);
    v->n_classes = open_classes(o);
    pickle__members_encoded(o, &v->members, v->n_classes);
    for (size_t i = 0; i < v->members.count && pickle__ok(o); i++) {
        if (!v->members.places[i] && !v->members.models[i]->refused)
            pickle__unsupported(o, "estimators_", "has one that is no classifier");
    }
    if (soft) {
        open_soft(o, v);
        return;
    }
    pickle__method_is(o, PICKLE_PREDICT, hard_predict);
    pickle__method_is(o, PICKLE_TRANSFORM, voting_transform);
}

/* ----------------------------------------------------------------- stacking */

typedef struct stacking {
    pickle__members members;
    pickle_method *methods; /* that each is asked */
    size_t n_classes;       /* 0: regression */
    bool passthrough;
    const pickle_model *final;
    const size_t *places; /* of its classes; NULL: regression */
} stacking;

/* Of two probabilities only the second. */
static bool asks_second_only(const stacking *s, size_t i)
{
    return s->methods[i] == PICKLE_PREDICT_PROBA && s->n_classes == 2;
}

static bool stack_answer(const stacking *s, size_t i, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const pickle_model *part = s->members.models[i];
    static const size_t second = 1;

    if (!pickle__run_method(part, s->methods[i], r, x, y))
        return false;
    if (s->methods[i] == PICKLE_PREDICT)
        return pickle__label_numbers(part, r, y, y);
    return !asks_second_only(s, i) || pickle__columns(r, y, &second, 1, y);
}

static bool stack_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const stacking *s = m->state;
    size_t n = s->members.count;
    pickle_batch *answers = pickle__take(r, n + 1, sizeof *answers);

    for (size_t i = 0; answers && i < n; i++) {
        if (!stack_answer(s, i, r, x, &answers[i]))
            return false;
    }
    if (!answers)
        return false;
    answers[n] = *x;
    return pickle__hstack(r, answers, n + s->passthrough,
                          s->passthrough && x->kind == PICKLE_BATCH_CSR, y);
}

static bool ask_final(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const stacking *s = m->state;
    pickle_batch answers;

    return stack_transform(m, r, x, &answers) &&
           pickle__ask(s->final, r->method, r, &answers, 0, y);
}

static bool stack_classify(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const stacking *s = m->state;
    pickle_batch answer;
    double *out;

    if (!ask_final(m, r, x, &answer))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = (double)s->places[(size_t)*pickle__row(&answer, i)];
    return out != NULL;
}

/* -------------------------------------------------------- opening: stacking */

static void open_method(pickle__opener *o, stacking *s, size_t i, const pickle_val *name)
{
    const pickle_model *part = s->members.models[i];

    if (!pickle_method_of(pickle_str(name), &s->methods[i]) ||
        (s->methods[i] != PICKLE_PREDICT && s->methods[i] != PICKLE_PREDICT_PROBA &&
         s->methods[i] != PICKLE_DECISION_FUNCTION))
        pickle__unsupported(o, "stack_method_", "has a method that is not known here");
    else if (part->refused)
        return;
    else if (!part->methods[s->methods[i]])
        pickle__unsupported(o, "stack_method_", "has a method that its estimator lacks");
    else if (part->outputs != 1)
        pickle__unsupported(o, "estimators_", "has one with several outputs");
    else if (asks_second_only(s, i) && (!part->classes || part->classes[0].count != 2))
        pickle__bad(o, "estimators_", "has one with another number of classes");
    else if (s->methods[i] == PICKLE_PREDICT && part->classes &&
             part->classes[0].cells[0].kind == PICKLE_CELL_TEXT)
        pickle__unsupported(o, "stack_method_", "is predict where that gives text");
}

/* How many numbers a member gives; 0: that can't be told here. */
static size_t answer_width(const stacking *s, size_t i)
{
    const pickle_model *part = s->members.models[i];

    if (s->methods[i] == PICKLE_PREDICT || asks_second_only(s, i))
        return 1;
    return s->methods[i] == PICKLE_PREDICT_PROBA && part->classes ? part->classes[0].count : 0;
}

static void check_width(pickle__opener *o, const stacking *s)
{
    size_t width = s->passthrough ? o->model->features : 0;

    if (!s->final->features || (s->passthrough && width == 0))
        return;
    for (size_t i = 0; i < s->members.count; i++) {
        if (answer_width(s, i) == 0)
            return;
        width += answer_width(s, i);
    }
    if (width != s->final->features)
        pickle__bad(o, "final_estimator_", "expects another number of columns");
}

static void open_stacking(pickle__opener *o, stacking *s)
{
    size_t n = 0;
    const pickle_val *names = pickle__need(o, "stack_method_"), *final;

    pickle__open_members(o, "estimators_", &s->members);
    take_anything(o, &s->members);
    s->passthrough = pickle__flag(o, "passthrough", false);
    names = names ? pickle__items(o, "stack_method_", names, &n) : NULL;
    if (pickle__ok(o) && n != s->members.count)
        pickle__bad(o, "stack_method_", "is not as long as estimators_");
    s->methods = pickle__keep(o, n, sizeof *s->methods);
    for (size_t i = 0; s->methods && i < n && pickle__ok(o); i++)
        open_method(o, s, i, pickle_at(names, i));
    final = pickle__need(o, "final_estimator_");
    if (!pickle__ok(o))
        return;
    s->final = pickle__open_part(o, "final_estimator_", 0, final);
    if (pickle__ok(o) && !s->final->refused)
        check_width(o, s);
    pickle__method_is(o, PICKLE_TRANSFORM, stack_transform);
}

static void open_stacking_regressor(pickle__opener *o)
{
    stacking *s = pickle__state(o, sizeof *s);

    open_stacking(o, s);
    if (!pickle__ok(o) || s->final->refused)
        return;
    if (s->final->classes || s->final->outputs != 1)
        pickle__unsupported(o, "final_estimator_", "predicts not one number");
    pickle__method_is(o, PICKLE_PREDICT, ask_final);
}

static void open_stacking_classifier(pickle__opener *o)
{
    static const pickle_method passed_on[] = { PICKLE_PREDICT_PROBA, PICKLE_DECISION_FUNCTION };
    stacking *s = pickle__state(o, sizeof *s);

    s->n_classes = open_classes(o);
    open_stacking(o, s);
    if (!pickle__ok(o) || s->final->refused)
        return;
    s->places = pickle__encoded_places(o, s->final, s->n_classes);
    if (pickle__ok(o) && !s->places)
        pickle__unsupported(o, "final_estimator_", "is no classifier");
    pickle__method_is(o, PICKLE_PREDICT, stack_classify);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
        if (s->final->methods[passed_on[i]])
            pickle__method_is(o, passed_on[i], ask_final);
    }
}

const pickle__estimator pickle__voting_estimators[] = {
    { "ensemble", "VotingClassifier", open_voting_classifier },
    { "ensemble", "VotingRegressor", open_voting_regressor },
    { "ensemble", "StackingClassifier", open_stacking_classifier },
    { "ensemble", "StackingRegressor", open_stacking_regressor },
    { NULL, NULL, NULL },
};
