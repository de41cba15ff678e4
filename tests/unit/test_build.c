/*
 * test_build.c - making and changing values through <pickle/build.h>: what is seen
 * afterwards, which values are marked as shared, and what fails with which code.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docs.h"
#include "files.h"
#include "graph/doc.h"
#include "testmem.h"

#include <pickle/build.h>

static bool shared(const pickle_val *v)
{
    return v->tag & PICKLE__SHARED;
}

static bool loose(const pickle_val *v)
{
    return v->tag & PICKLE__LOOSE;
}

/* Of the kinds that CPython's pickler memoizes, and placed nowhere. */
static void check_new(const pickle_val *v)
{
    ck_assert_ptr_nonnull(v);
    ck_assert(v->tag & PICKLE__MEMOIZED && loose(v) && !shared(v));
}

/* ------------------------------------------------------------------- values */

START_TEST(test_document)
{
    pickle_doc *doc = docs_new();
    pickle_val *list = pickle_new_list(doc);

    ck_assert_int_eq(pickle_kind_of(pickle_root(doc)), PICKLE_NONE);
    ck_assert_int_eq(pickle_protocol(doc), 0);
    check_new(list);
    pickle_set_root(doc, list);
    ck_assert_ptr_eq(pickle_root(doc), list);
    ck_assert(!loose(list) && !shared(list));
    pickle_set_root(doc, list);
    ck_assert(shared(list));
    docs_done(doc);
}
END_TEST

START_TEST(test_numbers)
{
    static const unsigned char big[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
    pickle_doc *doc = docs_new();
    uint64_t u;

    check_repr(pickle_new_none(doc), "None");
    check_repr(pickle_new_bool(doc, true), "True");
    check_repr(pickle_new_bool(doc, false), "False");
    check_int(pickle_new_int(doc, INT64_MIN), INT64_MIN);
    check_int(pickle_new_int(doc, INT64_MAX), INT64_MAX);
    check_int(pickle_new_int(doc, -1), -1);
    ck_assert(pickle_get_u64(pickle_new_uint(doc, UINT64_MAX), &u) && u == UINT64_MAX);
    check_int(pickle_new_uint(doc, 0), 0);
    check_repr(pickle_new_bigint(doc, big, sizeof big), "18446744073709551616");
    check_int(pickle_new_bigint(doc, "\xff\xff\xff", 3), -1);
    check_int(pickle_new_bigint(doc, NULL, 0), 0);
    check_int(pickle_new_int_text(doc, "-1_000"), -1000);
    check_repr(pickle_new_int_text(doc, "123456789012345678901234567890"),
               "123456789012345678901234567890");
    check_repr(pickle_new_float(doc, 0.0), "0.0");
    check_repr(pickle_new_float(doc, -0.0), "-0.0");
    check_repr(pickle_new_float(doc, 1e300), "1e+300");
    check_repr(pickle_new_float(doc, 0.5), "0.5");
    check_repr(pickle_new_float(doc, (double)NAN), "nan");
    ck_assert(!(pickle_new_float(doc, 1e300)->tag & PICKLE__MEMOIZED));
    docs_done(doc);
}
END_TEST

START_TEST(test_text)
{
    pickle_doc *doc = docs_new();
    char own[] = "abc";
    pickle_val *s = pickle_new_str(doc, own);

    check_new(s);
    own[0] = 'x';
    ck_assert_str_eq(pickle_str(s), "abc");
    s = pickle_new_strn(doc, "a\0b", 3);
    ck_assert_uint_eq(pickle_len(s), 3);
    ck_assert_mem_eq(pickle_str(s), "a\0b", 4);
    ck_assert(pickle_is_utf8(s));
    s = pickle_new_str(doc, "\xed\xa0\x80");
    ck_assert(!pickle_is_utf8(s));
    ck_assert_str_eq(pickle_str(pickle_new_strn(doc, NULL, 0)), "");
    docs_done(doc);
}
END_TEST

START_TEST(test_bytes)
{
    pickle_doc *doc = docs_new();
    char own[] = "abc";
    pickle_val *copied = pickle_new_bytes(doc, own, 3), *lent = pickle_borrow_bytes(doc, own, 3);
    pickle_val *array = pickle_new_bytearray(doc, own, 3);
    pickle_val *buffer = pickle_new_buffer(doc, own, 3, true);

    check_new(copied);
    check_new(lent);
    check_new(array);
    check_new(buffer);
    own[0] = 'x';
    check_bytes(copied, "abc", 3);
    check_bytes(array, "abc", 3);
    check_bytes(lent, "xbc", 3);
    check_bytes(pickle_borrow_bytearray(doc, own, 3), "xbc", 3);
    check_bytes(buffer, "xbc", 3);
    ck_assert(pickle_is_readonly(buffer));
    ck_assert(!pickle_is_readonly(pickle_new_buffer(doc, own, 3, false)));
    check_bytes(pickle_new_bytes(doc, NULL, 0), "", 0);
    ck_assert_int_eq(pickle_kind_of(array), PICKLE_BYTEARRAY);
    docs_done(doc);
}
END_TEST

START_TEST(test_tuple)
{
    pickle_doc *doc = docs_new();
    pickle_val *s = pickle_new_str(doc, "s"), *once = pickle_new_str(doc, "t"), *t;

    t = pickle_new_tuple(doc, ITEMS(s, pickle_new_int(doc, 2), s, once));
    check_new(t);
    check_repr(t, "('s', 2, 's', 't')");
    ck_assert(shared(s) && !loose(s));
    ck_assert(!shared(once) && !loose(once));
    ck_assert_ptr_eq(pickle_new_tuple(doc, 0, NULL), pickle_new_tuple(doc, 0, NULL));
    check_repr(pickle_new_tuple(doc, 0, NULL), "()");
    docs_done(doc);
}
END_TEST

/* -------------------------------------------------------------- containers */

START_TEST(test_list)
{
    pickle_doc *doc = docs_new();
    pickle_val *list = pickle_new_list(doc), *s = pickle_new_str(doc, "s");

    for (int i = 0; i < 3; i++)
        pickle_append(doc, list, pickle_new_int(doc, i));
    pickle_insert(doc, list, 0, s);
    ck_assert(!loose(s) && !shared(s));
    pickle_insert(doc, list, 4, pickle_new_int(doc, 9));
    pickle_insert(doc, list, 2, pickle_new_int(doc, 7));
    check_repr(list, "['s', 0, 7, 1, 2, 9]");
    pickle_set_at(doc, list, 5, s);
    ck_assert(shared(s));
    check_repr(list, "['s', 0, 7, 1, 2, 's']");
    ck_assert(pickle_remove_at(doc, list, 1));
    ck_assert(pickle_remove_at(doc, list, 4));
    ck_assert(!pickle_remove_at(doc, list, 4));
    check_repr(list, "['s', 7, 1, 2]");
    pickle_append(doc, list, list);
    check_repr(list, "['s', 7, 1, 2, [...]]");
    docs_done(doc);
}
END_TEST

START_TEST(test_dict)
{
    pickle_doc *doc = docs_new();
    pickle_val *d = pickle_new_dict(doc), *v = pickle_new_str(doc, "v");

    pickle_set_key(doc, d, "a", v);
    pickle_set_item(doc, d, pickle_new_int(doc, 1), pickle_new_str(doc, "one"));
    pickle_set_key(doc, d, "b", v);
    ck_assert(shared(v));
    pickle_set_item(doc, d, pickle_new_float(doc, 1.0), pickle_new_str(doc, "uno"));
    pickle_set_item(doc, d, pickle_new_bool(doc, true), pickle_new_str(doc, "un"));
    pickle_set_key(doc, d, "a", pickle_new_int(doc, 5));
    check_repr(d, "{'a': 5, 1: 'un', 'b': 'v'}");
    ck_assert(!pickle_remove_key(doc, d, "c"));
    ck_assert(pickle_remove_key(doc, d, "a"));
    ck_assert(pickle_remove_item(doc, d, pickle_new_float(doc, 1.0)));
    ck_assert(!pickle_remove_item(doc, d, pickle_new_int(doc, 1)));
    check_repr(d, "{'b': 'v'}");
    pickle_set_key(doc, d, "self", d);
    check_repr(d, "{'b': 'v', 'self': {...}}");
    docs_done(doc);
}
END_TEST

START_TEST(test_tuple_keys)
{
    pickle_doc *doc = docs_new();
    pickle_val *d = pickle_new_dict(doc), *one = pickle_new_int(doc, 1);
    pickle_val *key = pickle_new_tuple(doc, ITEMS(one, one));

    pickle_set_item(doc, d, key, one);
    ck_assert(!loose(key) && !shared(key));
    pickle_set_item(doc, d, pickle_new_tuple(doc, ITEMS(one, pickle_new_bool(doc, true))),
                    pickle_new_int(doc, 2));
    pickle_set_item(doc, d, pickle_new_frozenset(doc, ITEMS(one)), one);
    pickle_set_item(doc, d, pickle_new_frozenset(doc, ITEMS(one, one)), pickle_new_int(doc, 3));
    check_repr(d, "{(1, 1): 2, frozenset({1}): 3}");
    ck_assert_ptr_eq(PICKLE__AS(pickle__list, d)->items[0], key);
    docs_done(doc);
}
END_TEST

START_TEST(test_sets)
{
    pickle_doc *doc = docs_new();
    pickle_val *set = pickle_new_set(doc), *s = pickle_new_str(doc, "s");

    pickle_add(doc, set, s);
    pickle_add(doc, set, pickle_new_int(doc, 1));
    pickle_add(doc, set, pickle_new_bool(doc, true));
    pickle_add(doc, set, s);
    ck_assert(!shared(s)); /* it was there */
    check_repr(set, "{'s', 1}");
    ck_assert(pickle_remove_key(doc, set, "s"));
    ck_assert(!pickle_remove_key(doc, set, "s"));
    check_repr(set, "{1}");
    check_new(pickle_new_frozenset(doc, 0, NULL));
    docs_done(doc);
}
END_TEST

/* Growing, with keys that come again, and shrinking from all sides; compared with arithmetic. */
START_TEST(test_many_keys)
{
    enum { N = 5000 };
    pickle_doc *doc = docs_new();
    pickle_val *d = pickle_new_dict(doc);
    char key[16];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N; i++) {
            snprintf(key, sizeof key, "k%d", i);
            pickle_set_key(doc, d, key, pickle_new_int(doc, i + round * N));
        }
    ck_assert_uint_eq(pickle_len(d), N);
    for (int i = 0; i < N; i += 3) {
        snprintf(key, sizeof key, "k%d", i);
        ck_assert(pickle_remove_key(doc, d, key));
    }
    for (int i = 0; i < N; i++) {
        snprintf(key, sizeof key, "k%d", i);
        ck_assert_int_eq(pickle_i64_or(pickle_get(d, key), -1), i % 3 ? i + N : -1);
    }
    ck_assert_uint_eq(pickle_len(d), N - (N + 2) / 3);
    pickle_set_key(doc, d, "k0", pickle_new_int(doc, 77));
    check_int(pickle_get(d, "k0"), 77);
    ck_assert_uint_eq(pickle_len(d), N - (N + 2) / 3 + 1);
    docs_done(doc);
}
END_TEST

/* -------------------------------------------------------- globals and objects */

START_TEST(test_globals)
{
    pickle_doc *doc = docs_new();
    pickle_val *a = pickle_new_global(doc, "m", "A"), *b = pickle_new_global(doc, "m", "m");
    pickle__global *x = PICKLE__AS(pickle__global, a), *y = PICKLE__AS(pickle__global, b);

    check_new(a);
    ck_assert_ptr_eq(pickle_new_global(doc, "m", "A"), a);
    ck_assert_ptr_ne(a, b);
    ck_assert_ptr_ne(pickle_new_global(doc, "n", "A"), a);
    ck_assert_ptr_eq(x->module, y->module);
    ck_assert(shared(&x->module->v) && a->tag & PICKLE__BY_STACK);
    ck_assert(x->raw_module == x->module && x->raw_name == x->name);
    ck_assert(pickle_is_global(b, "m", "m"));
    for (int i = 0; i < 100; i++) {
        char name[8];

        snprintf(name, sizeof name, "C%d", i % 50);
        ck_assert(pickle_is_global(pickle_new_global(doc, "m", name), "m", name));
    }
    ck_assert_ptr_eq(pickle_new_global(doc, "m", "A"), a);
    docs_done(doc);
}
END_TEST

START_TEST(test_calls)
{
    pickle_doc *doc = docs_new();
    pickle_val *class = pickle_new_global(doc, "m", "C"), *kwargs = pickle_new_dict(doc), *v;
    pickle_val *args = pickle_new_tuple(doc, ITEMS(pickle_new_int(doc, 1)));

    pickle_set_key(doc, kwargs, "k", pickle_new_int(doc, 2));
    v = pickle_new_call(doc, PICKLE_CALL_REDUCE, class, args, NULL);
    check_new(v);
    ck_assert(!loose(class) && !shared(class) && !loose(args));
    check_repr(v, "m.C(1,)");
    v = pickle_new_call(doc, PICKLE_CALL_NEWOBJ_EX, class, args, kwargs);
    ck_assert(shared(class) && shared(args) && !loose(kwargs));
    ck_assert_int_eq(pickle_call_of(v), PICKLE_CALL_NEWOBJ_EX);
    check_repr(pickle_kwargs(v), "{'k': 2}");
    v = pickle_new_call(doc, PICKLE_CALL_NEWOBJ_EX, class, NULL, NULL);
    check_repr(pickle_kwargs(v), "{}");
    check_repr(pickle_args(v), "()");
    v = pickle_new_instance(doc, "m", "C", kwargs);
    ck_assert(pickle_is_a(v, "m", "C") && shared(kwargs));
    ck_assert_ptr_eq(pickle_state(v), kwargs);
    ck_assert_ptr_null(pickle_state(pickle_new_instance(doc, "m", "C", NULL)));
    check_repr(pickle_id(pickle_new_persid(doc, pickle_new_str(doc, "id"))), "'id'");
    v = pickle_new_ext(doc, 300);
    check_int(pickle_id(v), 300);
    ck_assert(loose(v) && !(v->tag & PICKLE__MEMOIZED));
    docs_done(doc);
}
END_TEST

static void check_changes(const pickle_val *v, const char *kinds)
{
    char found[16] = "";
    pickle_change c;
    size_t n = 0;

    for (bool on = pickle_first_change(v, &c); on && n < 15; on = pickle_next_change(&c))
        found[n++] = " baspPn"[c.kind];
    found[n] = '\0';
    ck_assert_str_eq(found, kinds);
}

/* Items of an object: before its state, one change each, gone with the last item. */
START_TEST(test_object_items)
{
    pickle_doc *doc = docs_new();
    pickle_val *v = pickle_new_instance(doc, "m", "C", pickle_new_dict(doc));

    pickle_append(doc, v, pickle_new_int(doc, 1));
    check_changes(v, "ab");
    pickle_set_key(doc, v, "x", pickle_new_int(doc, 2));
    check_changes(v, "asb");
    pickle_add(doc, v, pickle_new_int(doc, 3));
    pickle_add(doc, v, pickle_new_float(doc, 3));
    check_changes(v, "aspb");
    pickle_set_state(doc, v, pickle_new_int(doc, 4));
    pickle_append(doc, v, pickle_new_int(doc, 5));
    pickle_insert(doc, v, 1, pickle_new_int(doc, 6));
    pickle_insert(doc, v, 3, pickle_new_int(doc, 7));
    pickle_set_at(doc, v, 0, pickle_new_int(doc, 0));
    pickle_set_key(doc, v, "x", pickle_new_int(doc, 8));
    pickle_set_item(doc, v, pickle_new_int(doc, 1), pickle_new_int(doc, 9));
    check_changes(v, "aspb");
    ck_assert_uint_eq(pickle_len(v), 4);
    for (int i = 0; i < 4; i++)
        check_int(pickle_at(v, (size_t)i), (int[]){ 0, 6, 5, 7 }[i]);
    check_int(pickle_get(v, "x"), 8);
    check_int(pickle_get_int(v, 1), 9);
    ck_assert(pickle_remove_key(doc, v, "x") && !pickle_remove_key(doc, v, "x"));
    ck_assert(pickle_remove_item(doc, v, pickle_new_int(doc, 1)));
    check_changes(v, "apb");
    ck_assert(pickle_remove_item(doc, v, pickle_new_int(doc, 3)));
    for (int i = 0; i < 4; i++)
        ck_assert(pickle_remove_at(doc, v, 0));
    ck_assert(!pickle_remove_at(doc, v, 0));
    check_changes(v, "b");
    pickle_set_state(doc, v, NULL);
    check_changes(v, "");
    pickle_insert(doc, v, 0, pickle_new_int(doc, 1));
    check_changes(v, "a");
    docs_done(doc);
}
END_TEST

/* What was read may have several changes of a kind, in any order: BUILD, APPENDS, BUILD, APPENDS.
 */
START_TEST(test_read_changes)
{
    pickle_doc *doc = READ("cm\nC\n)\x81}(X\1\0\0\0aK\1ub(K\1K\2eX\1\0\0\0sb(K\3e.");
    const pickle_val *v = pickle_root(doc);

    check_changes(v, "baba");
    pickle_set_at(doc, v, 2, pickle_new_int(doc, 9));
    pickle_insert(doc, v, 2, pickle_new_int(doc, 8));
    check_int(pickle_at(v, 3), 9);
    check_int(pickle_at(v, 2), 8);
    ck_assert(pickle_remove_at(doc, v, 0) && pickle_remove_at(doc, v, 0));
    check_changes(v, "bba");
    pickle_set_key(doc, v, "k", pickle_new_int(doc, 1));
    check_changes(v, "sbba");
    pickle_set_state(doc, v, NULL);
    check_changes(v, "sa");
    docs_done(doc);
}
END_TEST

START_TEST(test_attributes)
{
    pickle_doc *doc = docs_new();
    pickle_val *v = pickle_new_instance(doc, "m", "C", NULL);
    pickle_val *w = pickle_new_instance(doc, "m", "C", NULL);
    pickle_val *slots = pickle_new_dict(doc), *none = pickle_new_none(doc);

    pickle_set_attr(doc, v, "a", pickle_new_int(doc, 1));
    pickle_set_attr(doc, v, "b", pickle_new_int(doc, 2));
    pickle_set_attr(doc, v, "a", pickle_new_int(doc, 3));
    check_repr(pickle_state(v), "{'a': 3, 'b': 2}");
    pickle_set_attr(doc, w, "a", pickle_new_int(doc, 4));
    ck_assert_ptr_eq(PICKLE__AS_CONST(pickle__list, pickle_state(v))->items[0],
                     PICKLE__AS_CONST(pickle__list, pickle_state(w))->items[0]);
    ck_assert(pickle_remove_attr(doc, v, "a") && !pickle_remove_attr(doc, v, "a"));
    check_repr(pickle_state(v), "{'b': 2}");

    pickle_set_key(doc, slots, "s", none);
    pickle_set_state(doc, w, pickle_new_tuple(doc, ITEMS(pickle_state(v), slots)));
    pickle_set_attr(doc, w, "s", pickle_new_int(doc, 5));
    pickle_set_attr(doc, w, "t", pickle_new_int(doc, 6));
    check_repr(pickle_state(w), "({'b': 2, 't': 6}, {'s': 5})");
    ck_assert(shared(pickle_state(v)));
    check_repr(pickle_state(v), "{'b': 2, 't': 6}"); /* as in Python */
    pickle_set_state(doc, w, pickle_new_tuple(doc, ITEMS(none, slots)));
    pickle_set_attr(doc, w, "u", none);
    check_repr(pickle_state(w), "(None, {'s': 5, 'u': None})");
    ck_assert(pickle_remove_attr(doc, w, "s"));
    docs_done(doc);
}
END_TEST

/* ------------------------------------------------------- what was read, changed */

START_TEST(test_edit_read)
{
    /* {'a': 1, 'b': [1], 'a': 2}: with a duplicate, and looked into before */
    pickle_doc *doc = READ("\x80\2}(X\1\0\0\0aK\1X\1\0\0\0b]K\1aX\1\0\0\0aK\2u.");
    const pickle_val *d = pickle_root(doc);

    check_int(pickle_get(d, "a"), 2);
    pickle_set_key(doc, d, "a", pickle_new_int(doc, 3));
    check_repr(d, "{'a': 3, 'b': [1]}");
    pickle_set_key(doc, d, "c", pickle_get(d, "b"));
    ck_assert(shared(pickle_get(d, "b")));
    pickle_append(doc, pickle_get(d, "b"), pickle_new_str(doc, "x"));
    check_repr(d, "{'a': 3, 'b': [1, 'x'], 'c': [1, 'x']}");
    ck_assert_uint_eq(pickle__len(d), 6);
    ck_assert(pickle_remove_key(doc, d, "a"));
    check_repr(d, "{'b': [1, 'x'], 'c': [1, 'x']}");
    docs_done(doc);
}
END_TEST

/* The limit on what is read is none on what the program makes; reading again sets it again. */
START_TEST(test_limit)
{
    pickle_doc *doc = READ_WITH("]K\1a.", pickle_read_opts(.limits.memory_bytes = 65536));
    pickle_error err;

    for (int i = 0; i < 100000; i++)
        pickle_append(doc, pickle_root(doc), pickle_new_float(doc, 1e300));
    ck_assert_uint_eq(pickle_len(pickle_root(doc)), 100001);
    pickle_append(doc, NULL, NULL);
    ck_assert_int_eq(pickle_doc_status(doc, NULL), PICKLE_ERR_ARG);
    pickle_new_global(doc, "m", "C");
    ck_assert(pickle_reread(doc, "N.", 2, NULL, &err));
    ck_assert(pickle_is_global(pickle_new_global(doc, "m", "C"), "m", "C"));
    docs_done(doc);
}
END_TEST

START_TEST(test_replace)
{
    pickle_doc *doc = docs_new();
    pickle_val *old = pickle_new_str(doc, "old"), *by = pickle_new_str(doc, "new");
    pickle_val *d = pickle_new_dict(doc), *set = pickle_new_set(doc), *list = pickle_new_list(doc);
    pickle_val *t = pickle_new_tuple(doc, ITEMS(pickle_new_tuple(doc, ITEMS(old))));
    pickle_val *v = pickle_new_call(doc, PICKLE_CALL_REDUCE, pickle_new_global(doc, "m", "C"),
                                    pickle_new_tuple(doc, ITEMS(old)), NULL);

    pickle_set_item(doc, d, t, old);
    pickle_set_item(doc, d, old, list);
    for (int i = 0; i < 20; i++)
        pickle_set_item(doc, d, pickle_new_int(doc, i), pickle_new_none(doc));
    pickle_add(doc, set, old);
    pickle_append(doc, list, old);
    pickle_append(doc, list, set);
    pickle_append(doc, list, v);
    pickle_append(doc, list, pickle_new_persid(doc, old));
    pickle_append(doc, list, list);
    pickle_append(doc, v, old);
    pickle_set_key(doc, v, "k", old);
    pickle_set_state(doc, v, old);
    pickle_set_root(doc, d);
    ck_assert(pickle_replace(doc, old, by));
    ck_assert(!pickle_replace(doc, old, by));
    ck_assert(shared(by));
    check_repr(pickle_get_val(d, t), "'new'");
    check_repr(t, "(('new',),)");
    ck_assert_ptr_eq(pickle_get(d, "new"), list);
    ck_assert_ptr_null(pickle_get(d, "old"));
    check_repr(set, "{'new'}");
    ck_assert(pickle_has(set, by));
    check_repr(pickle_args(v), "('new',)");
    ck_assert_ptr_eq(pickle_at(v, 0), by);
    ck_assert_ptr_eq(pickle_get(v, "k"), by);
    ck_assert_ptr_eq(pickle_state(v), by);
    ck_assert_ptr_eq(pickle_id(pickle_at(list, 3)), by);
    ck_assert(pickle_replace(doc, pickle_callable(v), pickle_new_global(doc, "m", "D")));
    ck_assert(pickle_is_a(v, "m", "D"));
    ck_assert(pickle_replace(doc, d, v));
    ck_assert_ptr_eq(pickle_root(doc), v);
    docs_done(doc);
}
END_TEST

/* The new value may hold the old one. */
START_TEST(test_wrap)
{
    pickle_doc *doc = READ("](K\1K\2\x86)e.");
    const pickle_val *old = pickle_at(pickle_root(doc), 0);

    ck_assert(pickle_replace(doc, old, pickle_new_tuple(doc, ITEMS(old, old))));
    check_repr(pickle_root(doc), "[((1, 2), (1, 2)), ()]");
    docs_done(doc);
}
END_TEST

/* --------------------------------------------------------------------- clone */

START_TEST(test_clone)
{
    pickle_doc *from = docs_new(), *into = docs_new();
    pickle_val *list = pickle_new_list(from), *s = pickle_new_str(from, "\xed\xa0\x80"), *v, *c;
    pickle_val *kwargs = pickle_new_dict(from);
    char own[] = "lent";

    pickle_set_key(from, kwargs, "k", list);
    v = pickle_new_call(from, PICKLE_CALL_NEWOBJ_EX, pickle_new_global(from, "m", "C"),
                        pickle_new_tuple(from, ITEMS(s, s)), kwargs);
    pickle_append(from, v, pickle_new_persid(from, s));
    pickle_set_attr(from, v, "me", v);
    pickle_append(from, list, pickle_borrow_bytes(from, own, 4));
    pickle_append(from, list, pickle_new_buffer(from, own, 4, true));
    pickle_append(from, list, pickle_new_float(from, 1e300));
    pickle_append(from, list, pickle_new_int(from, INT64_MIN));
    pickle_append(from, list, pickle_new_frozenset(from, ITEMS(s)));
    pickle_append(from, list, pickle_new_ext(from, 7));
    pickle_append(from, list, v);
    c = pickle_clone(into, list);
    docs_done(from);
    own[0] = 'x';
    ck_assert(!loose(c) && c->tag & PICKLE__MEMOIZED); /* it is one of its own parts */
    check_bytes(pickle_at(c, 0), "lent", 4);
    check_bytes(pickle_at(c, 1), "lent", 4);
    ck_assert(pickle_is_readonly(pickle_at(c, 1)));
    check_repr(pickle_at(c, 2), "1e+300");
    check_int(pickle_at(c, 3), INT64_MIN);
    check_int(pickle_id(pickle_at(c, 5)), 7);
    v = pickle__mutable(pickle_at(c, 6));
    ck_assert(pickle_is_a(v, "m", "C"));
    ck_assert_ptr_eq(pickle_attr(v, "me"), v);
    ck_assert_ptr_eq(pickle_get(pickle_kwargs(v), "k"), c);
    ck_assert_ptr_eq(pickle_at(pickle_args(v), 0), pickle_at(pickle_args(v), 1));
    ck_assert_ptr_eq(pickle_id(pickle_at(v, 0)), pickle_at(pickle_args(v), 0));
    ck_assert_ptr_eq(pickle_at(pickle_at(c, 4), 0), pickle_at(pickle_args(v), 0));
    ck_assert(!pickle_is_utf8(pickle_id(pickle_at(v, 0))));
    ck_assert(shared(pickle_at(pickle_args(v), 0)) && shared(v) && !shared(pickle_args(v)));
    ck_assert(!loose(v));
    pickle_append(into, c, pickle_new_none(into));
    docs_done(into);
}
END_TEST

/* A root that is its own part stands in two places once it is placed. */
START_TEST(test_clone_cycle)
{
    pickle_doc *doc = docs_new();
    pickle_val *list = pickle_new_list(doc), *c;

    pickle_append(doc, list, list);
    c = pickle_clone(doc, list);
    ck_assert_ptr_ne(c, list);
    ck_assert_ptr_eq(pickle_at(c, 0), c);
    pickle_set_root(doc, c);
    ck_assert(shared(c));
    ck_assert_ptr_eq(pickle_clone(doc, pickle_new_none(doc)), pickle_new_none(doc));
    check_int(pickle_clone(doc, pickle_new_int(doc, 5)), 5);
    docs_done(doc);
}
END_TEST

START_TEST(test_clone_read)
{
    pickle_doc *from = READ("\x80\2(c_codecs\nencode\nX\2\0\0\0\xc3\xa9X\6\0\0\0latin1\x86R"
                            "U\1\xe9q\1h\1"
                            "c__builtin__\nset\n]\x85R"
                            "Qt.");
    pickle_doc *into = docs_new();
    pickle_val *c = pickle_clone(into, pickle_root(from));

    docs_done(from);
    check_bytes(pickle_at(c, 0), "\xe9", 1);
    check_bytes(pickle_at(c, 1), "\xe9", 1);
    ck_assert_ptr_eq(pickle_at(c, 1), pickle_at(c, 2));
    ck_assert_str_eq(pickle_raw_module(pickle_callable(pickle_id(pickle_at(c, 3)))), "__builtin__");
    ck_assert_str_eq(pickle_module(pickle_callable(pickle_id(pickle_at(c, 3)))), "builtins");
    docs_done(into);
}
END_TEST

static pickle_buf repr_of(const pickle_val *v)
{
    pickle_buf b = { 0 };

    ck_assert(pickle_repr(v, pickle_sink_buf(&b), 0, NULL));
    return b;
}

/* The clone of any document is the same, also after the document and its input have gone. */
static bool clone_file(void *ctx, const char *path, unsigned char *data, size_t size)
{
    pickle_doc *from = pickle_read(data, size, pickle_read_opts(.borrow = true), NULL), *into;
    pickle_buf want, got;
    pickle_val *c;

    if (!from)
        return true;
    into = docs_new();
    want = repr_of(pickle_root(from));
    c = pickle_clone(into, pickle_root(from));
    pickle_doc_free(from);
    memset(data, 0xa5, size);
    got = repr_of(c);
    ck_assert_msg(got.len == want.len && memcmp(got.data, want.data, got.len) == 0, "%s", path);
    pickle_buf_free(&want);
    pickle_buf_free(&got);
    docs_done(into);
    ++*(int *)ctx;
    return true;
}

START_TEST(test_clone_files)
{
    char folder[4096];
    int files = 0;

    snprintf(folder, sizeof folder, "%s/py313", files_folder());
    files_each(folder, clone_file, &files);
    ck_assert_int_gt(files, 50);
}
END_TEST

/* A joblib file: change an attribute, and take the array out of it. */
START_TEST(test_edit_file)
{
    pickle_doc *doc = docs_fixture("py313/sklearn/iris_forest.joblib"), *into = docs_new();
    const pickle_val *root = pickle_root(doc), *classes = pickle_attr(root, "classes_");
    pickle_array a;
    pickle_val *c;

    ck_assert(pickle_get_array(classes, &a));
    pickle_set_attr(doc, root, "n_estimators", pickle_new_int(doc, 7));
    check_int(pickle_attr(root, "n_estimators"), 7);
    c = pickle_clone(into, classes);
    ck_assert(pickle_replace(doc, classes, pickle_new_none(doc)));
    ck_assert_int_eq(pickle_kind_of(pickle_attr(root, "classes_")), PICKLE_NONE);
    docs_done(doc);
    ck_assert(pickle_get_array(c, &a));
    ck_assert_uint_eq(pickle_array_count(&a), 3);
    docs_done(into);
}
END_TEST

START_TEST(test_clone_deep)
{
    enum { DEPTH = 200000 };
    pickle_doc *doc = docs_new(), *into = docs_new();
    const pickle_val *v = pickle_new_list(doc);

    for (int i = 0; i < DEPTH; i++)
        v = pickle_new_tuple(doc, 1, &v);
    v = pickle_clone(into, v);
    docs_done(doc);
    for (int i = 0; i < DEPTH; i++)
        v = pickle_at(v, 0);
    ck_assert_int_eq(pickle_kind_of(v), PICKLE_LIST);
    docs_done(into);
}
END_TEST

/* ------------------------------------------------------------------ failures */

START_TEST(test_null)
{
    pickle_doc *doc = docs_new();
    pickle_val *list = pickle_new_list(doc);

    ck_assert_ptr_null(pickle_new_str(doc, "\xff"));
    pickle_append(doc, list, NULL);
    pickle_set_key(doc, NULL, "k", list);
    pickle_set_attr(doc, NULL, "k", NULL);
    pickle_set_root(doc, NULL);
    ck_assert_ptr_null(pickle_clone(doc, NULL));
    ck_assert_ptr_null(pickle_new_tuple(doc, 1, &(const pickle_val *){ NULL }));
    ck_assert(!pickle_remove_key(doc, NULL, "k"));
    ck_assert(!pickle_replace(doc, list, NULL));
    ck_assert_uint_eq(pickle_len(list), 0);
    docs_failed(doc, PICKLE_ERR_ARG, "the text is no UTF-8 at its byte 0: invalid start byte");
}
END_TEST

#define FAILS(call, code, message)                                                       \
    do {                                                                                 \
        pickle_doc *doc = docs_new();                                                    \
        pickle_val *list = pickle_new_list(doc), *dict = pickle_new_dict(doc);           \
        pickle_val *one = pickle_new_int(doc, 1), *g = pickle_new_global(doc, "m", "C"); \
        (void)list, (void)dict, (void)one, (void)g;                                      \
        (void)(call);                                                                    \
        docs_failed(doc, code, message);                                                 \
    } while (0)

#define DO(call) (call, 0)

START_TEST(test_failures)
{
    FAILS(DO(pickle_append(doc, list, NULL)), PICKLE_ERR_ARG, "the item is NULL");
    FAILS(DO(pickle_append(doc, dict, one)), PICKLE_ERR_TYPE, "dict takes no items at its end");
    FAILS(DO(pickle_add(doc, list, one)), PICKLE_ERR_TYPE, "list is no set to add to");
    FAILS(DO(pickle_set_at(doc, list, 0, one)), PICKLE_ERR_MISSING, "there is no item 0");
    FAILS(DO(pickle_insert(doc, list, 1, one)), PICKLE_ERR_MISSING, "there is no item 1");
    FAILS(DO(pickle_set_key(doc, list, "k", one)), PICKLE_ERR_TYPE,
          "list has no items to set by key");
    FAILS(DO(pickle_set_item(doc, dict, list, one)), PICKLE_ERR_TYPE,
          "list cannot be a key: it can change");
    FAILS(DO(pickle_set_item(doc, dict, pickle_new_tuple(doc, ITEMS(dict)), one)), PICKLE_ERR_TYPE,
          "tuple cannot be a key: it can change");
    FAILS(pickle_new_frozenset(doc, ITEMS(list)), PICKLE_ERR_TYPE,
          "list cannot be a key: it can change");
    FAILS(pickle_new_call(doc, PICKLE_CALL_REDUCE, one, NULL, NULL), PICKLE_ERR_TYPE,
          "the callable cannot be int");
    FAILS(pickle_new_call(doc, PICKLE_CALL_REDUCE, g, list, NULL), PICKLE_ERR_TYPE,
          "the arguments cannot be list");
    FAILS(pickle_new_call(doc, PICKLE_CALL_NEWOBJ, g, NULL, dict), PICKLE_ERR_ARG,
          "this kind of call has no keywords");
    FAILS(pickle_new_call(doc, (pickle_call)9, g, NULL, NULL), PICKLE_ERR_ARG,
          "there is no call of the kind 9");
    FAILS(pickle_new_global(doc, "", "x"), PICKLE_ERR_ARG,
          "the module must be UTF-8, and not empty");
    FAILS(pickle_new_global(doc, "m", "\xed\xa0\x80"), PICKLE_ERR_ARG,
          "the name must be UTF-8, and not empty");
    FAILS(pickle_new_ext(doc, 0), PICKLE_ERR_ARG, "an extension code must be above 0");
    FAILS(pickle_new_int_text(doc, "1x\n"), PICKLE_ERR_ARG, "\"1x\\x0a\" is no integer");
    FAILS(pickle_new_bytes(doc, NULL, 1), PICKLE_ERR_ARG, "the data is NULL");
    FAILS(DO(pickle_set_state(doc, list, one)), PICKLE_ERR_TYPE, "list is no object");
    FAILS(DO(pickle_set_attr(doc, pickle_new_instance(doc, "m", "C", one), "a", one)),
          PICKLE_ERR_TYPE, "int is the state: it has no attributes");
    FAILS((pickle_set_item(doc, dict, one, list), pickle_set_root(doc, dict),
           pickle_replace(doc, one, list)),
          PICKLE_ERR_TYPE, "list cannot be a key: it can change");
    FAILS((pickle_set_item(doc, dict, pickle_new_tuple(doc, ITEMS(one)), g),
           pickle_set_root(doc, dict), pickle_replace(doc, one, list)),
          PICKLE_ERR_TYPE, "tuple cannot be a key: it can change");
    FAILS((pickle_set_root(doc, pickle_new_call(doc, PICKLE_CALL_REDUCE, g, NULL, NULL)),
           pickle_replace(doc, g, one)),
          PICKLE_ERR_TYPE, "int cannot be called");
}
END_TEST

/* A program of everything; true when it all worked. */
static bool program(const pickle_alloc *alloc, pickle_status *status)
{
    static char big[100000];
    pickle_doc *doc = pickle_doc_new(alloc), *other = pickle_doc_new(alloc);
    pickle_val *d, *list, *v;
    bool ok;

    if (!doc || !other) {
        pickle_doc_free(doc);
        pickle_doc_free(other);
        *status = PICKLE_ERR_NOMEM;
        return false;
    }
    d = pickle_new_dict(doc);
    list = pickle_new_list(doc);
    for (int i = 0; i < 150; i++) {
        char key[16];

        snprintf(key, sizeof key, "key%d", i);
        pickle_set_key(doc, d, key, pickle_new_float(doc, 1e300));
        pickle_append(doc, list, pickle_new_tuple(doc, ITEMS(pickle_new_int(doc, i), d)));
        pickle_set_item(doc, d, pickle_new_tuple(doc, ITEMS(pickle_new_str(doc, key))), list);
    }
    v = pickle_new_instance(doc, "m", "C", d);
    pickle_set_attr(doc, v, "a", pickle_new_bytes(doc, big, sizeof big));
    pickle_append(doc, v, pickle_new_int_text(doc, "99999999999999999999999999999999999999999"));
    pickle_add(doc, v, pickle_new_frozenset(doc, ITEMS(v)));
    if (list && d)
        pickle_remove_key(doc, d, "key7");
    pickle_set_root(doc, v);
    if (list && v)
        pickle_replace(doc, list, pickle_new_bytearray(doc, big, 10));
    pickle_set_root(other, pickle_clone(other, pickle_root(doc)));
    *status = pickle_doc_status(doc, NULL);
    if (*status == PICKLE_OK)
        *status = pickle_doc_status(other, NULL);
    ok = *status == PICKLE_OK && pickle_len(pickle_state(pickle_root(doc))) == 300 &&
         pickle_len(pickle_attr(pickle_root(other), "a")) == sizeof big;
    pickle_doc_free(doc);
    pickle_doc_free(other);
    return ok;
}

START_TEST(test_memory)
{
    pickle_status status = PICKLE_OK;
    size_t n = 0;
    bool ok;

    do {
        memory m;

        memory_init(&m, ++n);
        ok = program(&m.alloc, &status);
        ck_assert_uint_eq(m.in_use, 0);
        ck_assert(ok || status == PICKLE_ERR_NOMEM);
        if (m.calls < n)
            break;
    } while (n < 5000);
    ck_assert_msg(ok && n > 20 && n < 5000, "call %zu: %d", n, ok);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("build");
    TCase *tc = tcase_create("build");
    SRunner *runner = srunner_create(suite);
    int bad;

    tcase_add_test(tc, test_document);
    tcase_add_test(tc, test_numbers);
    tcase_add_test(tc, test_text);
    tcase_add_test(tc, test_bytes);
    tcase_add_test(tc, test_tuple);
    tcase_add_test(tc, test_list);
    tcase_add_test(tc, test_dict);
    tcase_add_test(tc, test_tuple_keys);
    tcase_add_test(tc, test_sets);
    tcase_add_test(tc, test_many_keys);
    tcase_add_test(tc, test_globals);
    tcase_add_test(tc, test_calls);
    tcase_add_test(tc, test_object_items);
    tcase_add_test(tc, test_read_changes);
    tcase_add_test(tc, test_attributes);
    tcase_add_test(tc, test_edit_read);
    tcase_add_test(tc, test_limit);
    tcase_add_test(tc, test_replace);
    tcase_add_test(tc, test_wrap);
    tcase_add_test(tc, test_clone);
    tcase_add_test(tc, test_clone_cycle);
    tcase_add_test(tc, test_clone_read);
    tcase_add_test(tc, test_clone_files);
    tcase_add_test(tc, test_edit_file);
    tcase_add_test(tc, test_clone_deep);
    tcase_add_test(tc, test_null);
    tcase_add_test(tc, test_failures);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad != 0;
}
