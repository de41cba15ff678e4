/* function.c - FunctionTransformer: nothing, or a function of numpy's, for each number. */
#include "sklearn/estimator.h"

#include <math.h>
#include <string.h>

typedef struct ufunc {
    const char *name;
    double (*f64)(double x);
    float (*f32)(float x);
    bool sparse; /* scipy's matrices have it, too: 0 stays 0 */
} ufunc;

typedef struct function_transformer {
    const ufunc *there, *back; /* NULL: as it is */
} function_transformer;

#define OF_BOTH(name, expression)      \
    static double name##_f64(double x) \
    {                                  \
        return expression;             \
    }                                  \
    static float name##_f32(float x)   \
    {                                  \
        return expression;             \
    }

OF_BOTH(square, x *x)
OF_BOTH(reciprocal, 1 / x)
OF_BOTH(negative, -x)
OF_BOTH(sign, x != x ? x : x > 0 ? 1 : x < 0 ? -1 : 0)

static const ufunc ufuncs[] = {
    { "absolute", fabs, fabsf, true },
    { "abs", fabs, fabsf, true },
    { "fabs", fabs, fabsf, false },
    { "square", square_f64, square_f32, false },
    { "sqrt", sqrt, sqrtf, true },
    { "cbrt", cbrt, cbrtf, false },
    { "reciprocal", reciprocal_f64, reciprocal_f32, false },
    { "negative", negative_f64, negative_f32, true },
    { "sign", sign_f64, sign_f32, true },
    { "exp", exp, expf, false },
    { "exp2", exp2, exp2f, false },
    { "expm1", expm1, expm1f, true },
    { "log", log, logf, false },
    { "log2", log2, log2f, false },
    { "log10", log10, log10f, false },
    { "log1p", log1p, log1pf, true },
    { "sin", sin, sinf, true },
    { "cos", cos, cosf, false },
    { "tan", tan, tanf, true },
    { "arcsin", asin, asinf, true },
    { "arccos", acos, acosf, false },
    { "arctan", atan, atanf, true },
    { "sinh", sinh, sinhf, true },
    { "cosh", cosh, coshf, false },
    { "tanh", tanh, tanhf, true },
    { "arcsinh", asinh, asinhf, true },
    { "floor", floor, floorf, true },
    { "ceil", ceil, ceilf, true },
    { "rint", rint, rintf, true },
    { "trunc", trunc, truncf, true },
};

static bool apply_sparse(const ufunc *f, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const double *data = x->data;
    size_t first = x->rows ? (size_t)x->indptr[0] : 0;
    size_t last = x->rows ? (size_t)x->indptr[x->rows] : 0;
    double *out;

    if (!f->sparse)
        return pickle__run_fail(r, PICKLE_ERR_TYPE, "%s takes no sparse matrix", f->name);
    out = pickle__take(r, last, sizeof *out);
    *y = *x;
    y->data = out;
    for (size_t k = first; out && k < last; k++)
        out[k] = f->f64(data[k]);
    return out != NULL;
}

static bool apply_f32(const ufunc *f, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    float *out = pickle__new_f32(r, y, x->rows, x->cols);

    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++)
            *out++ = f->f32(pickle__row_f32(x, i)[j]);
    }
    return out != NULL;
}

static bool apply_f64(const ufunc *f, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    double *out = pickle__new_f64(r, y, x->rows, x->cols);
    /* Of whole numbers numpy's is whole, too. */
    bool whole = x->integers && f->f64 == reciprocal_f64;

    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            double v = f->f64(pickle__row(x, i)[j]);

            *out++ = whole ? trunc(v) : v;
        }
    }
    return out != NULL;
}

static bool apply(const ufunc *f, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch numbers;

    if (!f) {
        *y = *x;
        return true;
    }
    if (x->kind == PICKLE_BATCH_CSR)
        return apply_sparse(f, r, x, y);
    if (x->kind == PICKLE_BATCH_F32)
        return apply_f32(f, r, x, y);
    return pickle__as_f64(r, x, &numbers) && apply_f64(f, r, &numbers, y);
}

static bool function_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                               pickle_batch *y)
{
    return apply(((const function_transformer *)m->state)->there, r, x, y);
}

static bool function_inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    return pickle__check_input(m, r, x, x->cols) &&
           apply(((const function_transformer *)m->state)->back, r, x, y);
}

/* -------------------------------------------------------------------- opening */

static bool is_in(const char *module, const char *package)
{
    return strncmp(module, package, strlen(package)) == 0;
}

/* Are this module's ufuncs numpy's? Older versions of numpy `searched` for one that has it, and
 * named the first; scipy.special has some of its own. */
static bool has_numpys(const char *module, bool searched)
{
    return is_in(module, "numpy") || (searched && !is_in(module, "scipy.special") &&
                                      (is_in(module, "scipy.") || is_in(module, "sklearn.")));
}

/* A ufunc is a global, or what numpy._core._ufunc_reconstruct makes of its module and name. */
static const ufunc *ufunc_of(const pickle_val *v)
{
    const char *module = pickle_module(v), *name = pickle_name(v);

    if (pickle_kind_of(v) == PICKLE_OBJECT) {
        const char *maker = pickle_name(pickle_callable(v));

        if (!maker || strcmp(maker, "_ufunc_reconstruct") != 0)
            return NULL;
        module = pickle_str(pickle_at(pickle_args(v), 0));
        name = pickle_str(pickle_at(pickle_args(v), 1));
    }
    if (!module || !name || !has_numpys(module, pickle_kind_of(v) == PICKLE_OBJECT))
        return NULL;
    for (size_t i = 0; i < sizeof ufuncs / sizeof *ufuncs; i++) {
        if (strcmp(ufuncs[i].name, name) == 0)
            return &ufuncs[i];
    }
    return NULL;
}

/* The function of an attribute that takes no arguments; false if it is none of those. */
static bool find_function(const pickle__opener *o, const char *name, const char *arguments,
                          const ufunc **out)
{
    const pickle_val *v = pickle__attr(o, name);

    *out = v ? ufunc_of(v) : NULL;
    return (*out || !v) && pickle_len(pickle__attr(o, arguments)) == 0;
}

static void open_function_transformer(pickle__opener *o)
{
    function_transformer *s = pickle__state(o, sizeof *s);
    bool checks = pickle__flag(o, "validate", o->version < PICKLE__SKLEARN(0, 22, 0));
    const pickle_val *pass_y = pickle__attr(o, "pass_y");

    if (!find_function(o, "func", "kw_args", &s->there))
        pickle__unsupported(o, "func", "is a function that is not known here");
    if (pass_y && !pickle_str_is(pass_y, "deprecated") && pickle__flag(o, "pass_y", false))
        pickle__unsupported(o, "pass_y", "needs the targets");
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    if (!checks || pickle__attr(o, "accept_sparse"))
        o->model->takes |= PICKLE__CSR;
    if (checks && pickle_kind_of(pickle__attr(o, "accept_sparse")) == PICKLE_BOOL &&
        !pickle__flag(o, "accept_sparse", false))
        o->model->takes &= ~PICKLE__CSR;
    if (!checks)
        o->model->takes |= PICKLE__CELLS;
    o->model->inverse = o->model->takes;
    o->model->numbers = checks ? PICKLE__FINITE : PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_TRANSFORM, function_transform);
    if (find_function(o, "inverse_func", "inv_kw_args", &s->back))
        pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, function_inverse);
}

const pickle__estimator pickle__function_estimators[] = {
    { "preprocessing", "FunctionTransformer", open_function_transformer },
    { NULL, NULL, NULL },
};
