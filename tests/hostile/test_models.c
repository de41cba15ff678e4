/*
 * test_models.c - models whose parts are not what scikit-learn writes: each attribute in turn is
 * something else. Opening says what is wrong, or the model runs; nothing else may happen.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "files.h"
#include "models.h"

#define MOST_PLACES 4000 /* in one model       */
#define MOST_ODD    24

/* How many changes are tried in a model, of those that there are. */
#define TRIES 160

/* An attribute of an object, an item of a dict or of a list. */
typedef struct place {
    const pickle_val *in, *key, *value;
    const char *attr;
    size_t index;
} place;

typedef struct mutation {
    pickle_doc *doc;
    const pickle_val *model;
    const pickle_val *odd[MOST_ODD];
    size_t n_odd;
    place places[MOST_PLACES];
    size_t n_places;
    pickle_array array; /* what a place holds, if it is one */
    void *bytes;        /* its data, changed */
    uint32_t state;     /* of the random numbers: xorshift */
} mutation;

static uint32_t draw(mutation *m)
{
    m->state ^= m->state << 13;
    m->state ^= m->state >> 17;
    m->state ^= m->state << 5;
    return m->state;
}

/* ------------------------------------------------------------------- places */

static void add_place(mutation *m, place p)
{
    if (m->n_places < MOST_PLACES)
        m->places[m->n_places++] = p;
}

static bool visit(void *ctx, const pickle_val *v, size_t depth, bool seen)
{
    mutation *m = ctx;
    pickle_attrs it = { .of = v };
    const pickle_val *key, *value;
    const char *name;
    size_t i = 0;

    (void)depth;
    if (seen)
        return true;
    if (pickle_kind_of(v) == PICKLE_OBJECT) {
        while (pickle_next_attr(&it, &name, &value))
            add_place(m, (place){ .in = v, .value = value, .attr = name });
    } else if (pickle_kind_of(v) == PICKLE_DICT) {
        pickle_foreach (v, key, value)
            add_place(m, (place){ .in = v, .key = key, .value = value });
    } else if (pickle_kind_of(v) == PICKLE_LIST) {
        pickle_foreach (v, key, value)
            add_place(m, (place){ .in = v, .value = value, .index = i++ });
    }
    return m->n_places < MOST_PLACES;
}

static void put(mutation *m, const place *p, const pickle_val *value)
{
    if (p->attr)
        pickle_set_attr(m->doc, p->in, p->attr, value);
    else if (p->key)
        pickle_set_item(m->doc, p->in, p->key, value);
    else
        pickle_set_at(m->doc, p->in, p->index, value);
}

/* ------------------------------------------------------------ what is put in */

static void add_odd(mutation *m, const pickle_val *v)
{
    ck_assert_uint_lt(m->n_odd, MOST_ODD);
    m->odd[m->n_odd++] = v;
}

static void make_odd(mutation *m)
{
    static const double values[] = { NAN, -1, 1e300, 2, 3 };
    static const int64_t integers[] = { -1, INT64_MAX, 7, 0, 1 };
    static const int64_t none[] = { 0, INT64_C(1) << 40 }, few[] = { 1, 5 };
    pickle_doc *doc = m->doc;
    pickle_val *within = pickle_new_list(doc);

    pickle_append(doc, within, within);
    add_odd(m, pickle_new_none(doc));
    add_odd(m, pickle_new_bool(doc, true));
    add_odd(m, pickle_new_int(doc, -1));
    add_odd(m, pickle_new_int(doc, 0));
    add_odd(m, pickle_new_int(doc, 3));
    add_odd(m, pickle_new_int(doc, INT64_C(1) << 40));
    add_odd(m, pickle_new_int(doc, INT64_MIN));
    add_odd(m, pickle_new_float(doc, NAN));
    add_odd(m, pickle_new_float(doc, -1e300));
    add_odd(m, pickle_new_str(doc, ""));
    add_odd(m, pickle_new_str(doc, "auto"));
    add_odd(m, pickle_new_list(doc));
    add_odd(m, pickle_new_dict(doc));
    add_odd(m, pickle_new_global(doc, "os", "system"));
    add_odd(m, pickle_new_array(doc, "<f8", 1, none, NULL));
    add_odd(m, pickle_new_array(doc, "<f8", 2, none, NULL));
    add_odd(m, pickle_new_array(doc, "<f8", 2, few, values));
    add_odd(m, pickle_new_array(doc, "<i8", 1, few + 1, integers));
    add_odd(m, within);
    ck_assert_int_eq(pickle_doc_status(doc, NULL), PICKLE_OK);
}

/* A copy of an array with other bytes, or another shape. */
static const pickle_val *odd_array(mutation *m)
{
    pickle_array *a = &m->array;
    unsigned char *bytes = malloc(a->nbytes + 1);
    size_t n = (size_t)a->nbytes;

    free(m->bytes);
    m->bytes = bytes;
    memcpy(bytes, a->data, n);
    switch (draw(m) % 4) {
    case 0: /* one element less */
        a->ndim = 1;
        a->shape[0] = (int64_t)(n / a->dtype.itemsize) - 1;
        a->strides[0] = (int64_t)a->dtype.itemsize;
        break;
    case 1: /* rows and columns the other way round */
        if (a->ndim == 2) {
            int64_t rows = a->shape[0];

            a->shape[0] = a->shape[1];
            a->shape[1] = rows;
            a->strides[0] = a->shape[1] * (int64_t)a->dtype.itemsize;
            a->strides[1] = (int64_t)a->dtype.itemsize;
            break;
        }   /* fall through */
    case 2: /* a few bytes */
        for (int i = 0; i < 8; i++)
            bytes[draw(m) % n] = (unsigned char)(draw(m) >> 8);
        break;
    default: /* all of one number, or of another */
        memset(bytes, draw(m) % 2 ? 0xff : 0x7f, n);
    }
    a->data = bytes;
    a->nbytes = pickle_array_count(a) * a->dtype.itemsize;
    return pickle_new_array_view(m->doc, a);
}

static const pickle_val *odd_value(mutation *m, const place *p)
{
    size_t which = draw(m) % (m->n_odd + 1);

    if (pickle_get_array(p->value, &m->array) && m->array.data && m->array.nbytes > 0 &&
        m->array.ndim > 0 && pickle_array_is_c(&m->array) && draw(m) % 4 > 0)
        return odd_array(m);
    return which < m->n_odd ? m->odd[which] : m->model;
}

/* -------------------------------------------------------------------- tests */

/* In a child, what fails must say where. */
static void try_change(mutation *m)
{
    place *p = &m->places[draw(m) % m->n_places];
    const pickle_val *odd = odd_value(m, p);

    if (!odd)
        return;
    put(m, p, odd);
    models_look(m->model, NULL);
    put(m, p, p->value);
}

static unsigned change_model(mutation *m, const pickle_val *entry)
{
    bool supported;

    m->model = pickle_get(entry, "model");
    m->n_places = 0;
    pickle_walk(m->model, visit, m, NULL);
    supported = models_look(m->model, NULL);
    for (int i = 0; i < TRIES && m->n_places > 0; i++)
        try_change(m);
    ck_assert_int_eq(pickle_doc_status(m->doc, NULL), PICKLE_OK);
    /* What was changed is as it was. */
    ck_assert_int_eq(models_look(m->model, NULL), supported);
    return 1;
}

/* Of all versions those whose files differ most: $PICKLE_ZOO names others. */
static bool is_chosen(const char *path)
{
    const char *const chosen[] = { "/zoo/1.9.1/", "/zoo/1.2.1/", "/zoo/0.20.4/" };
    const char *other = getenv("PICKLE_ZOO");

    if (other)
        return strstr(path, other) != NULL;
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        if (strstr(path, chosen[i]))
            return true;
    }
    return false;
}

static bool change_file(void *ctx, const char *path, unsigned char *data, size_t size)
{
    static mutation m;
    const pickle_val *key, *entry;
    unsigned *count = ctx;

    if (!is_chosen(path) || !strstr(path, ".pkl.xz"))
        return true;
    memset(&m, 0, sizeof m);
    m.doc = pickle_read(data, size, NULL, NULL);
    ck_assert_ptr_nonnull(m.doc);
    m.state = (uint32_t)size | 1;
    make_odd(&m);
    pickle_foreach (pickle_root(m.doc), key, entry)
        *count += change_model(&m, entry);
    pickle_doc_free(m.doc);
    free(m.bytes);
    return true;
}

START_TEST(test_changed)
{
    unsigned count = 0;

    files_each(files_folder(), change_file, &count);
    ck_assert_uint_gt(count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("models");
    TCase *models = tcase_create("changed");
    SRunner *runner;
    int failed;

    tcase_set_timeout(models, 600);
    tcase_add_test(models, test_changed);
    suite_add_tcase(suite, models);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
