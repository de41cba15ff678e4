/*
 * test_rng.c - numpy's random generators: those of the fixtures, and those whose states are none.
 * What numpy writes besides is seen in interop/test_numpy_types.py.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "docs.h"

#include <pickle/pickle.h>

static const char *const folders[] = { "py27-old", "py27",  "py36-old", "py36",  "py37", "py38",
                                       "py39",     "py310", "py311",    "py312", "py313" };

static pickle_doc *read_objects(const char *folder)
{
    char path[64];

    snprintf(path, sizeof path, "%s/numpy/objects.p2.pkl", folder);
    return docs_fixture(path);
}

/* np.random.RandomState(3).get_state() */
START_TEST(test_random_state)
{
    static const uint32_t want[] = { 3, 1142332464, 3889748055 };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        pickle_doc *doc = read_objects(folders[i]);
        uint32_t key[624];
        pickle_rng rng;

        ck_assert(pickle_get_rng(pickle_get(pickle_root(doc), "random state"), &rng));
        ck_assert_str_eq(rng.name, "RandomState");
        ck_assert_str_eq(rng.bit_generator, "MT19937");
        ck_assert(pickle_array_copy(&rng.key, "u4", key, sizeof key, NULL));
        ck_assert(memcmp(key, want, sizeof want) == 0);
        ck_assert(rng.pos == 624 && !rng.has_gauss && rng.gauss == 0);
        pickle_doc_free(doc);
    }
}
END_TEST

/* np.random.default_rng(4), since numpy 1.17 */
START_TEST(test_generators)
{
    int found = 0;

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        pickle_doc *doc = read_objects(folders[i]);
        const pickle_val *v = pickle_get(pickle_root(doc), "generator");
        pickle_seed_sequence seed;
        pickle_rng rng;

        if (v) {
            found++;
            ck_assert(pickle_get_rng(v, &rng));
            ck_assert_str_eq(rng.name, "Generator");
            ck_assert_str_eq(rng.bit_generator, "PCG64");
            ck_assert(pickle_get(rng.state, "inc") && !rng.has_uint32 && rng.key.ndim == 0);
            if (pickle_get_seed_sequence(rng.seed_seq, &seed))
                check_int(seed.entropy, 4);
        }
        pickle_doc_free(doc);
    }
    ck_assert_int_gt(found, 0);
}
END_TEST

static pickle_val *new_state(pickle_doc *doc, int64_t words, int64_t pos, const char *name)
{
    static const uint32_t key[625];
    const pickle_val *maker = pickle_new_global(doc, "numpy.random", "__RandomState_ctor");
    pickle_val *v = pickle_new_call(doc, PICKLE_CALL_REDUCE, maker, NULL, NULL);

    pickle_set_state(doc, v,
                     pickle_new_tuple(doc, ITEMS(pickle_new_str(doc, name),
                                                 pickle_new_array(doc, "<u4", 1, &words, key),
                                                 pickle_new_int(doc, pos))));
    return v;
}

START_TEST(test_bad)
{
    pickle_doc *doc = docs_new();
    pickle_seed_sequence seed;
    pickle_rng rng;

    ck_assert(pickle_get_rng(new_state(doc, 624, 624, "MT19937"), &rng));
    ck_assert(!pickle_get_rng(new_state(doc, 625, 0, "MT19937"), &rng));
    ck_assert(!pickle_get_rng(new_state(doc, 624, 625, "MT19937"), &rng));
    ck_assert(!pickle_get_rng(new_state(doc, 624, -1, "MT19937"), &rng));
    ck_assert(!pickle_get_rng(new_state(doc, 624, 0, "PCG64"), &rng));
    ck_assert(!pickle_get_rng(pickle_new_instance(doc, "numpy.random", "Other", NULL), &rng));
    ck_assert(!pickle_get_rng(NULL, &rng));
    ck_assert(!pickle_get_seed_sequence(NULL, &seed));
    docs_done(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rng");
    TCase *tc = tcase_create("rng");
    SRunner *runner = srunner_create(suite);
    int bad;

    tcase_add_test(tc, test_random_state);
    tcase_add_test(tc, test_generators);
    tcase_add_test(tc, test_bad);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad != 0;
}
