/*
 * stdlib.c - the items of containers, in all the forms that the Pythons write.
 *
 * They lie in two places: in a container that was given when the object was
 * made, or is its state, and in what was added later, by opcodes.
 */
#include "types/stdlib.h"

#include "base/text.h"
#include "graph/key.h"
#include "graph/walk.h"

/* Of UserDicts in UserDicts, and ChainMaps in ChainMaps. */
#define MOST_LEVELS 32

const char *pickle__class_name(const pickle_val *v)
{
    const pickle__known *row = pickle__known_object(v);

    return row && row->public_name ? strrchr(row->public_name, '.') + 1 : NULL;
}

const pickle_val *pickle__argument(const pickle_val *v, size_t index)
{
    const pickle_val *args = pickle_args(v);
    const pickle_val *arg = pickle_kind_of(args) == PICKLE_TUPLE ? pickle_at(args, index) : NULL;

    return pickle_kind_of(arg) == PICKLE_NONE ? NULL : arg;
}

/* ---------------------------------------------------------------- finding them */

/* Where a class has the items it is made with. */
static const struct form {
    const char *public_name;
    pickle_kind kind;
    size_t arg;           /* number of the argument     */
    const char *attr;     /* or the attribute           */
    pickle_kind takes[4]; /* kinds of what has them     */
} forms[] = {
    { "collections.OrderedDict", PICKLE_DICT, 0, NULL, { PICKLE_DICT, PICKLE_LIST, PICKLE_TUPLE } },
    { "collections.defaultdict", PICKLE_DICT, 1, NULL, { PICKLE_DICT, PICKLE_LIST, PICKLE_TUPLE } },
    { "collections.Counter", PICKLE_DICT, 0, NULL, { PICKLE_DICT } },
    { "collections.UserDict", PICKLE_DICT, 0, "data", { PICKLE_DICT } },
    { "collections.ChainMap", PICKLE_LIST, 0, "maps", { PICKLE_LIST, PICKLE_TUPLE } },
    { "collections.deque", PICKLE_LIST, 0, NULL, { PICKLE_LIST, PICKLE_TUPLE } },
    { "collections.UserList", PICKLE_LIST, 0, "data", { PICKLE_LIST } },
    { "builtins.set",
      PICKLE_SET,
      0,
      NULL,
      { PICKLE_LIST, PICKLE_TUPLE, PICKLE_SET, PICKLE_FROZENSET } },
    { "builtins.frozenset",
      PICKLE_FROZENSET,
      0,
      NULL,
      { PICKLE_LIST, PICKLE_TUPLE, PICKLE_SET, PICKLE_FROZENSET } },
};

#define N_FORMS (sizeof forms / sizeof *forms)

static const struct form *form_of(const pickle__known *row)
{
    if (!row || !row->public_name)
        return NULL;
    for (size_t i = 0; i < N_FORMS; i++)
        if (strcmp(forms[i].public_name, row->public_name) == 0)
            return &forms[i];
    return NULL;
}

static bool takes(const struct form *form, pickle_kind kind)
{
    for (size_t i = 0; i < 4; i++)
        if (form->takes[i] != PICKLE_MISSING && form->takes[i] == kind)
            return true;
    return false;
}

/* What a value becomes when such items are added to it; MISSING: they are no items. */
static pickle_kind kind_of_change(pickle_change_kind change)
{
    switch (change) {
    case PICKLE_CHANGE_APPENDS:
        return PICKLE_LIST;
    case PICKLE_CHANGE_SETITEMS:
        return PICKLE_DICT;
    case PICKLE_CHANGE_ADDITEMS:
        return PICKLE_SET;
    default:
        return PICKLE_MISSING;
    }
}

/* Takes what was added to `v`, all of it of one kind; MISSING at first says that any will do. */
static bool take_added(const pickle_val *v, pickle_items *out)
{
    pickle_change c;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c)) {
        pickle_kind kind = kind_of_change(c.kind);

        if (kind == PICKLE_MISSING)
            continue;
        if (out->kind == PICKLE_MISSING)
            out->kind = kind;
        if (out->kind != kind)
            return false;
        out->parts[1] = v;
        out->count += pickle_len(c.value);
    }
    return true;
}

static bool take_part(const pickle_val *part, pickle_items *out)
{
    out->parts[0] = part;
    out->count += pickle_len(part);
    return true;
}

/* deque([...], maxlen) keeps the last ones. */
static bool take_maxlen(const pickle_val *v, pickle_items *out)
{
    const pickle_val *maxlen = pickle__argument(v, 1);

    if (!maxlen)
        return true;
    if (!pickle_get_i64(maxlen, &out->maxlen) || out->maxlen < 0)
        return false;
    if (out->count > (uint64_t)out->maxlen) {
        out->skip = out->count - (size_t)out->maxlen;
        out->count = (size_t)out->maxlen;
    }
    return true;
}

static bool take_form(const pickle_val *v, const struct form *form, pickle_type type,
                      pickle_items *out)
{
    const pickle_val *part =
        form->attr ? pickle__attribute(v, form->attr) : pickle__argument(v, form->arg);

    out->kind = form->kind;
    out->chained = type == PICKLE_TYPE_CHAINMAP;
    if (form->arg == 1)
        out->factory = pickle__argument(v, 0);
    if (part ? !takes(form, pickle_kind_of(part)) : form->attr != NULL)
        return false;
    if (part)
        take_part(part, out);
    if (form->attr)
        return true;
    return take_added(v, out) &&
           (strcmp(form->public_name, "collections.deque") != 0 || take_maxlen(v, out));
}

/* copyreg._reconstructor(class, base, base's value). */
static const pickle_val *reconstructed(const pickle_val *v)
{
    static const struct {
        const char *name;
        pickle_kind kind;
    } bases[] = { { "tuple", PICKLE_TUPLE }, { "list", PICKLE_LIST }, { "dict", PICKLE_DICT } };
    const pickle_val *value = pickle__argument(v, 2);

    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        if (pickle_is_global(pickle_callable(v), "copyreg", "_reconstructor") &&
            pickle_is_global(pickle__argument(v, 1), "builtins", bases[i].name))
            return pickle_kind_of(value) == bases[i].kind ? value : NULL;
    return NULL;
}

/* What __new__ was given: the fields of a namedtuple, or the one tuple of another child of tuple.
 */
static const pickle_val *fields_of(const pickle_val *v)
{
    const pickle_val *args = pickle_args(v), *first = pickle_at(args, 0);
    pickle_call call = pickle_call_of(v);

    if ((call != PICKLE_CALL_NEWOBJ && call != PICKLE_CALL_NEWOBJ_EX) ||
        pickle_kind_of(args) != PICKLE_TUPLE || !first)
        return NULL;
    return pickle_len(args) == 1 && pickle_kind_of(first) == PICKLE_TUPLE ? first : args;
}

/* Of a class that is not in the table. */
static bool take_unknown(const pickle_val *v, pickle_items *out)
{
    const pickle_val *part = reconstructed(v);

    if (part)
        out->kind = pickle_kind_of(part);
    if (!take_added(v, out))
        return false;
    if (!part && out->kind == PICKLE_MISSING)
        part = fields_of(v);
    if (!part && out->kind == PICKLE_MISSING && pickle_kind_of(pickle_state(v)) == PICKLE_LIST)
        part = pickle_state(v);
    if (part)
        take_part(part, out);
    if (out->kind == PICKLE_MISSING)
        out->kind = pickle_kind_of(part);
    return out->kind != PICKLE_MISSING;
}

/* What a UserDict or UserList has inside may be any other mapping or sequence. */
static const pickle_val *unwrap(const pickle_val *v)
{
    for (int level = 0; level < MOST_LEVELS; level++) {
        const struct form *form = form_of(pickle__known_object(v));
        const pickle_val *inside;

        if (!form || !form->attr)
            return v;
        inside = pickle__attribute(v, form->attr);
        if (pickle_kind_of(inside) != PICKLE_OBJECT)
            return v;
        v = inside;
    }
    return NULL;
}

/* As pickle_get_items, without a look at each pair of a list of pairs. */
static bool find_items(const pickle_val *v, pickle_items *out)
{
    pickle_items found = { .maxlen = -1 };
    const struct form *form;
    bool ok;

    v = unwrap(v);
    found.kind = pickle_kind_of(v);
    if (found.kind >= PICKLE_TUPLE && found.kind <= PICKLE_FROZENSET) {
        ok = take_part(v, &found);
    } else {
        if (found.kind != PICKLE_OBJECT)
            return false;
        found.kind = PICKLE_MISSING;
        form = form_of(pickle__known_object(v));
        if (form)
            ok = take_form(v, form, pickle_type_of(v), &found);
        else
            ok = pickle_type_of(v) == PICKLE_TYPE_OTHER && take_unknown(v, &found);
    }
    if (ok)
        *out = found;
    return ok;
}

bool pickle__has_pairs(const pickle_items *items)
{
    return items->kind == PICKLE_DICT && items->parts[0] &&
           pickle_kind_of(items->parts[0]) != PICKLE_DICT;
}

static bool is_pair(const pickle_val *v)
{
    pickle_kind kind = pickle_kind_of(v);

    return (kind == PICKLE_LIST || kind == PICKLE_TUPLE) && pickle_len(v) == 2;
}

bool pickle_get_items(const pickle_val *v, pickle_items *out)
{
    pickle_items found;

    if (!find_items(v, &found))
        return false;
    for (size_t i = 0; pickle__has_pairs(&found) && i < pickle_len(found.parts[0]); i++)
        if (!is_pair(pickle_at(found.parts[0], i)))
            return false;
    *out = found;
    return true;
}

/* ------------------------------------------------------------------- taking them */

static bool next_in_part(pickle_items *it, const pickle_val **key, const pickle_val **value)
{
    if (!pickle_next(&it->at, key, value))
        return false;
    if (it->part == 0 && pickle__has_pairs(it)) {
        *key = pickle_at(*value, 0);
        *value = pickle_at(*value, 1);
    }
    return true;
}

bool pickle_next_item(pickle_items *it, const pickle_val **key, const pickle_val **value)
{
    for (; it->part < 2; it->part++, it->at = (pickle_iter){ NULL, 0, NULL }) {
        it->at.of = it->parts[it->part];
        while (next_in_part(it, key, value)) {
            if (it->skip == 0)
                return true;
            it->skip--;
        }
    }
    return false;
}

const pickle_val *pickle_item(const pickle_items *items, size_t index)
{
    size_t first = pickle_len(items->parts[0]);
    pickle_change c;

    if (items->kind == PICKLE_DICT || !pickle__add(index, items->skip, &index))
        return NULL;
    if (index < first)
        return pickle_at(items->parts[0], index);
    index -= first;
    for (bool on = pickle_first_change(items->parts[1], &c); on; on = pickle_next_change(&c)) {
        size_t n = kind_of_change(c.kind) == PICKLE_MISSING ? 0 : pickle_len(c.value);

        if (index < n)
            return pickle_at(c.value, index);
        index -= n;
    }
    return NULL;
}

/* ----------------------------------------------------------------------- lookup */

/* A key: a text, a number, or, if there is one, a value. */
typedef struct wanted {
    const char *text;
    size_t len;
    int64_t number;
    const pickle_val *key;
} wanted;

/* Python's 1 == 1.0 == True. */
static bool equals_number(const pickle_val *v, int64_t number)
{
    int64_t n;
    double x;

    if (pickle_get_i64(v, &n))
        return n == number;
    return pickle_kind_of(v) == PICKLE_FLOAT && pickle_get_f64(v, &x) && x >= -0x1p63 &&
           x < 0x1p63 && (int64_t)x == number && (double)(int64_t)x == x;
}

static bool equals(const pickle_val *v, const wanted *w)
{
    return w->text ? pickle_kind_of(v) == PICKLE_STR && pickle__text_is(v, w->text, w->len)
                   : equals_number(v, w->number);
}

/* Key `i` of a list of pairs, or of keys. */
static const pickle_val *key_in(const pickle_val *list, size_t i, bool pairs)
{
    const pickle_val *v = pickle_at(list, i);

    return pairs ? pickle_at(v, 0) : v;
}

/* The number after that of the last such key, 0: there is none. */
static size_t scan_simple(const pickle_val *list, bool pairs, const wanted *w)
{
    size_t i = pickle_len(list);

    while (i > 0 && !equals(key_in(list, i - 1, pairs), w))
        i--;
    return i;
}

/* Likewise for any key: by digests, under the secret of a document that is nowhere else. */
static size_t scan_keys(const pickle_val *list, bool pairs, const pickle_val *key)
{
    pickle_doc secret = { 0 };
    pickle__digester d;
    pickle__digest want, digest;
    size_t i = pickle_len(list);

    pickle__digester_init(&d, &secret);
    if (!pickle__digest_key(&d, key, &want))
        i = 0;
    for (; i > 0; i--) {
        if (!pickle__digest_key(&d, key_in(list, i - 1, pairs), &digest))
            i = 1;
        else if (pickle__same_digest(digest, want))
            break;
    }
    pickle__digester_free(&d);
    return i;
}

static const pickle_val *look_in_list(const pickle_val *list, bool pairs, const wanted *w)
{
    size_t i = w->key ? scan_keys(list, pairs, w->key) : scan_simple(list, pairs, w);
    const pickle_val *found = i > 0 ? pickle_at(list, i - 1) : NULL;

    return pairs ? pickle_at(found, 1) : found;
}

/* In a dict or set by its index, in a list one by one. */
static const pickle_val *look_in(const pickle_val *part, bool pairs, const wanted *w)
{
    pickle_kind kind = pickle_kind_of(part);
    const pickle_val *key = w->key;
    pickle_val *const *item;

    if (kind == PICKLE_LIST || kind == PICKLE_TUPLE)
        return look_in_list(part, pairs, w);
    if (!key && !w->text && pickle__fits_small(w->number))
        key = pickle__small(w->number);
    if (!key && !w->text)
        return kind == PICKLE_DICT ? pickle_get_int(part, w->number) : look_in_list(part, false, w);
    item = key ? pickle__table_find(part, key) : pickle__table_find_str(part, w->text, w->len);
    return item ? item[kind == PICKLE_DICT] : NULL;
}

/* In what was added later, the last first; then in what was there before. */
static const pickle_val *look(const pickle_items *items, const wanted *w)
{
    const pickle_val *found = NULL, *value;
    pickle_change c;

    for (bool on = pickle_first_change(items->parts[1], &c); on; on = pickle_next_change(&c)) {
        value = kind_of_change(c.kind) == PICKLE_MISSING ? NULL : look_in(c.value, false, w);
        found = value ? value : found;
    }
    if (!found && items->parts[0])
        found = look_in(items->parts[0], pickle__has_pairs(items), w);
    return found;
}

/* Was there already a look into these items, or no memory to tell? */
static bool is_old(pickle__seen *seen, const pickle_items *items)
{
    bool known[2] = { true, true };

    for (int i = 0; i < 2; i++)
        if (items->parts[i] && !pickle__seen_add(seen, items->parts[i], &known[i]))
            return true;
    return known[0] && known[1];
}

/* Through the maps of a ChainMap, each once: what was not in it the first time is not there. */
static const pickle_val *look_in_chain(const pickle_items *chain, const wanted *w,
                                       pickle__seen *seen, int level)
{
    const pickle_val *found = NULL;

    for (size_t i = 0; !found && i < chain->count; i++) {
        pickle_items map;

        if (!find_items(pickle_item(chain, i), &map) || is_old(seen, &map) ||
            (!map.chained && map.kind != PICKLE_DICT))
            continue;
        if (!map.chained)
            found = look(&map, w);
        else if (level < MOST_LEVELS)
            found = look_in_chain(&map, w, seen, level + 1);
    }
    return found;
}

static const pickle_val *get(const pickle_items *items, const wanted *w)
{
    pickle__seen seen = { 0 };
    const pickle_val *found;

    if (!items->chained)
        return items->kind < PICKLE_DICT ? NULL : look(items, w);
    found = look_in_chain(items, w, &seen, 0);
    pickle__seen_free(&seen);
    return found;
}

const pickle_val *pickle_item_get(const pickle_items *items, const char *key)
{
    return key ? get(items, &(wanted){ .text = key, .len = strlen(key) }) : NULL;
}

const pickle_val *pickle_item_get_int(const pickle_items *items, int64_t key)
{
    return get(items, &(wanted){ .number = key });
}

const pickle_val *pickle_item_get_val(const pickle_items *items, const pickle_val *key)
{
    return key ? get(items, &(wanted){ .key = key }) : NULL;
}

/* ------------------------------------------------------------------------ paths */

const pickle_val *pickle__item_text(const pickle_val *v, const char *text, size_t len)
{
    pickle_items items;

    if (!pickle_get_items(v, &items) || (items.kind != PICKLE_DICT && !items.chained))
        return NULL;
    return get(&items, &(wanted){ .text = text, .len = len });
}

/* A mapping has only keys; an object that is none may have items behind those of its view. */
const pickle_val *pickle__item_number(const pickle_val *v, int64_t number)
{
    pickle_items items;
    uint64_t index = (uint64_t)number;

    if (!pickle_get_items(v, &items))
        return NULL;
    if (items.kind == PICKLE_DICT || items.chained)
        return get(&items, &(wanted){ .number = number });
    if (number < 0)
        index = items.count - (0 - (uint64_t)number); /* wraps beyond the count, if there is none */
    return index < items.count ? pickle_item(&items, (size_t)index) : NULL;
}

/* ------------------------------------------------------------------------ bytes */

/* str.encode('latin1'), checked before, in small portions. */
static bool put_latin1(const char *text, size_t len, pickle_sink out)
{
    const char *end = text + len;
    unsigned char bytes[256];
    size_t n = 0;

    while (text < end) {
        bytes[n++] = (unsigned char)pickle__utf8_next(&text);
        if (n == sizeof bytes && !out.write(out.ctx, bytes, n))
            return false;
        n %= sizeof bytes;
    }
    return n == 0 || out.write(out.ctx, bytes, n);
}

static bool is_latin1(const pickle_val *codec)
{
    return pickle_str_is(codec, "latin-1") || pickle_str_is(codec, "latin1");
}

/* Of bytearray(), bytearray(b'..'), bytearray(u'..', 'latin-1'). */
static bool put_bytearray(const pickle_val *v, pickle_sink out)
{
    const pickle_val *arg = pickle__argument(v, 0), *codec = pickle__argument(v, 1);
    size_t len;
    const void *bytes = pickle_bytes(arg, &len);

    if (!arg || (bytes && !codec))
        return len == 0 || out.write(out.ctx, bytes, len);
    return pickle_str(arg) && is_latin1(codec) &&
           pickle__encode_latin1(NULL, pickle_str(arg), pickle_len(arg), &len) &&
           put_latin1(pickle_str(arg), pickle_len(arg), out);
}

bool pickle_put_bytes(const pickle_val *v, pickle_sink out)
{
    size_t len;
    const void *bytes = pickle_bytes(v, &len);

    if (bytes)
        return len == 0 || out.write(out.ctx, bytes, len);
    return pickle__known_as(v, "builtins.bytearray") && put_bytearray(v, out);
}
