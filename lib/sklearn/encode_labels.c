/* encode_labels.c - LabelEncoder and LabelBinarizer, whose table is one column of labels. */
#include "sklearn/categories.h"
#include "sklearn/numeric.h"

#include <math.h>
#include <string.h>

/* --------------------------------------------------------- label as classes_ */

/* Since 1.2 LabelEncoder turns labels into the type of classes_ before it looks for them. */
typedef struct label_encoder {
    pickle__categories classes;
    char kind;      /* dtype.kind of classes_, if labels are turned into it; else 0 */
    size_t letters; /* U: longer text is cut off */
    bool f32;
} label_encoder;

/* Bytes of the first `letters` characters of UTF-8. */
static size_t cut(const pickle_cell *text, size_t letters)
{
    size_t i = 0;

    for (; i < text->len; i++) {
        if (((unsigned char)text->as.text[i] & 0xc0) != 0x80 && letters-- == 0)
            break;
    }
    return i;
}

static int32_t find_label(const label_encoder *s, pickle_cell cell)
{
    double number;

    if (s->kind == 'U' && cell.kind == PICKLE_CELL_TEXT) {
        cell.len = cut(&cell, s->letters);
    } else if (s->kind && s->kind != 'U' && pickle__cell_number(&cell, &number)) {
        number = s->kind == 'b'   ? number != 0
                 : s->kind != 'f' ? trunc(number)
                 : s->f32         ? (double)(float)number
                                  : number;
        return pickle__category_of_number(&s->classes, number);
    }
    return pickle__category_of(&s->classes, &cell);
}

static bool encoder_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const label_encoder *s = m->state;
    pickle_batch cells;
    double *out;

    if (!pickle__as_cells(r, x, &cells))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    y->integers = true;
    for (size_t i = 0; out && i < x->rows; i++) {
        int32_t place = find_label(s, *pickle__row_cells(&cells, i));

        if (place == PICKLE__UNKNOWN)
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu is a label that %s has not seen",
                                    r->first_row + i, m->class_name);
        *out++ = place;
    }
    return out != NULL;
}

static bool encoder_inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const label_encoder *s = m->state;
    pickle_cell *out;

    if (!pickle__check_input(m, r, x, 1))
        return false;
    out = pickle__new_cells(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++) {
        double place = *pickle__row(x, i);

        if (!(place >= 0 && place < (double)s->classes.count) || place != trunc(place))
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu is the place of no label",
                                    r->first_row + i);
        *out++ = s->classes.cells[(size_t)place];
    }
    return out != NULL;
}

/* Classes that labels are looked for in, one column wide. */
static void open_classes(pickle__opener *o, pickle__categories *classes)
{
    if (pickle__categories_of(o, "classes_", pickle__need(o, "classes_"), classes) &&
        classes->has_nan && o->version < PICKLE__SKLEARN(0, 24, 0))
        pickle__unsupported(o, "classes_", "has NaN, which is none of itself before 0.24");
    o->model->features = 1;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CELLS;
}

void pickle__open_label_encoder(pickle__opener *o)
{
    label_encoder *s = pickle__state(o, sizeof *s);
    pickle_array classes;

    open_classes(o, &s->classes);
    o->model->numbers = PICKLE__ANY_NUMBER;
    if (o->version >= PICKLE__SKLEARN(1, 2, 0) &&
        pickle_get_array(pickle__attr(o, "classes_"), &classes) && !classes.objects) {
        s->kind = classes.dtype.kind;
        s->letters = (size_t)classes.dtype.itemsize / 4;
        s->f32 = classes.dtype.itemsize == 4;
        if (!strchr("biufU", s->kind) || (s->kind == 'f' && classes.dtype.itemsize < 4))
            pickle__unsupported(o, "classes_", "has labels of a type that is not known here");
    }
    pickle__method_is(o, PICKLE_TRANSFORM, encoder_transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, encoder_inverse);
}

/* ----------------------------------------------------------- LabelBinarizer */

typedef struct binarizer {
    pickle__categories classes;
    double negative, positive;
    bool multiclass, sparse; /* multiclass: so were the labels it was fitted on */
} binarizer;

/* A label that type_of_target knows as that of a class. */
static bool check_label(const pickle_model *m, pickle__run *r, const pickle_batch *x, size_t row,
                        const pickle_cell *cell)
{
    double number;

    if (x->kind == PICKLE_BATCH_CELLS
            ? cell->kind == PICKLE_CELL_TEXT
            : pickle__cell_number(cell, &number) && isfinite(number) && number == trunc(number))
        return true;
    return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu is no label of a class, which %s needs",
                            r->first_row + row, m->class_name);
}

static bool binarize(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const binarizer *s = m->state;
    size_t n = s->classes.count, width = n > 2 ? n : 1;
    pickle_batch cells;
    double *out;

    if (!pickle__as_cells(r, x, &cells))
        return false;
    out = pickle__new_f64(r, y, x->rows, width);
    y->integers = true;
    for (size_t i = 0; out && i < x->rows; i++, out += width) {
        const pickle_cell *cell = pickle__row_cells(&cells, i);
        int32_t place = pickle__category_of(&s->classes, cell);

        if (!check_label(m, r, x, i, cell))
            return false;
        if (place == PICKLE__UNKNOWN && n <= 2)
            return pickle__run_fail(
                r, PICKLE_ERR_UNSUPPORTED,
                "row %zu is one label too many: what %s makes of it depends on the "
                "other rows",
                r->first_row + i, m->class_name);
        for (size_t k = 0; k < width; k++)
            out[k] = s->negative;
        if (place != PICKLE__UNKNOWN && n > 1 && (n > 2 || place == 1))
            out[n > 2 ? place : 0] = s->positive;
    }
    return out && (!s->sparse || pickle__as_csr(r, y, y));
}

/* The label of one row of scores; NULL where there is none. */
static const pickle_cell *label_back(const binarizer *s, const double *row, size_t cols)
{
    size_t n = s->classes.count, place;

    if (s->multiclass) {
        place = pickle__largest(row, cols);
        return &s->classes.cells[place < n ? place : n - 1];
    }
    place = (n > 1 || cols > 1) && row[cols - 1] > (s->positive + s->negative) / 2;
    return place < n ? &s->classes.cells[place] : NULL;
}

static bool binarize_back(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const binarizer *s = m->state;
    pickle_batch dense;
    pickle_cell *out;

    if (x->cols == 0 || (!s->multiclass && x->cols > 2))
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns, but %s expects %zu",
                                x->cols, m->class_name,
                                s->classes.count > 2 ? s->classes.count : 1);
    if (!pickle__as_f64(r, x, &dense))
        return false;
    out = pickle__new_cells(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++) {
        const pickle_cell *label = label_back(s, pickle__row(&dense, i), x->cols);

        if (!label)
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu is the score of no label",
                                    r->first_row + i);
        *out++ = *label;
    }
    return out != NULL;
}

void pickle__open_label_binarizer(pickle__opener *o)
{
    binarizer *s = pickle__state(o, sizeof *s);

    open_classes(o, &s->classes);
    s->negative = (double)pickle__integer(o, "neg_label", 0);
    s->positive = (double)pickle__integer(o, "pos_label", 1);
    s->sparse = pickle__flag(o, "sparse_output", false);
    s->multiclass = pickle__choice(o, "y_type_", 0, "binary", "multiclass", NULL) == 1;
    if (pickle__flag(o, "sparse_input_", false))
        pickle__unsupported(o, "sparse_input_", "is of labels in a sparse matrix");
    if (pickle__ok(o) && s->classes.count == 0)
        pickle__bad(o, "classes_", "is empty");
    o->model->numbers = PICKLE__FINITE;
    o->model->inverse = PICKLE__F64 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, binarize);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, binarize_back);
}
