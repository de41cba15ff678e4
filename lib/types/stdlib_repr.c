/* stdlib_repr.c - objects of the standard library as Python 3.13's repr() shows them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "types/repr.h"

typedef pickle__printer printer;
typedef pickle__task task;

static bool put(printer *p, const char *text)
{
    return pickle__put(pickle__printer_sink(p), text);
}

static bool put_number(printer *p, int64_t n)
{
    char text[PICKLE__INT_CHARS];

    pickle__i64_repr(text, n);
    return put(p, text);
}

static bool put_quoted(printer *p, const char *text)
{
    return pickle__repr_str(text, strlen(text), pickle__printer_sink(p));
}

static bool text_later(printer *p, const char *text)
{
    return pickle__print_later(p, (task){ .text = text });
}

static bool value_later(printer *p, const pickle_val *v)
{
    return pickle__print_later(p, (task){ .v = v });
}

static bool no_memory(printer *p)
{
    p->failed = true;
    return pickle__no_memory(p->err, 0);
}

/* -------------------------------------------------------------------- containers */

/* One of the two parts of a container's items, those that a deque has lost left out. */
static bool part_later(printer *p, const pickle_items *items, int part, bool more)
{
    task t = { .what = PICKLE__PRINT_ITEMS, .text = "", .more = more };
    const pickle_val *key, *value;
    size_t skip = items->skip, len = pickle_len(items->parts[0]);

    t.items.of = items->parts[part];
    t.pairs = part == 0 && pickle__has_pairs(items);
    if (part == 1)
        skip = skip > len ? skip - len : 0;
    while (skip > 0 && pickle_next(&t.items, &key, &value))
        skip--;
    return pickle__print_later(p, t);
}

/* All items; then, on a stack, what closes them. */
static bool items_later(printer *p, const pickle_val *v, const pickle_items *items,
                        const char *close)
{
    bool first = pickle_len(items->parts[0]) > items->skip;

    return pickle__print_later(p, (task){ .what = PICKLE__PRINT_ITEMS, .v = v, .text = close }) &&
           part_later(p, items, 1, first) && part_later(p, items, 0, false);
}

static bool simple_container(printer *p, const pickle_val *v, const char *open, const char *close,
                             const char *cycle)
{
    pickle_items items;

    if (!pickle__print_enter(p, v, cycle))
        return !p->failed;
    return pickle_get_items(v, &items) && put(p, open) && items_later(p, v, &items, close);
}

static bool is_empty(const pickle_val *v)
{
    pickle_items items;

    return pickle_get_items(v, &items) && items.count == 0;
}

static bool print_ordered(printer *p, const pickle_val *v)
{
    return is_empty(v) ? put(p, "OrderedDict()")
                       : simple_container(p, v, "OrderedDict({", "})", "...");
}

static bool print_user_dict(printer *p, const pickle_val *v)
{
    return simple_container(p, v, "{", "}", "{...}");
}

static bool print_user_list(printer *p, const pickle_val *v)
{
    return simple_container(p, v, "[", "]", "[...]");
}

static bool print_chain(printer *p, const pickle_val *v)
{
    return simple_container(p, v, "ChainMap(", ")", "...");
}

static bool print_set(printer *p, const pickle_val *v)
{
    return is_empty(v) ? put(p, "set()") : simple_container(p, v, "{", "}", "set(...)");
}

static bool print_frozenset(printer *p, const pickle_val *v)
{
    return is_empty(v) ? put(p, "frozenset()")
                       : simple_container(p, v, "frozenset({", "})", "frozenset(...)");
}

static bool print_default_dict(printer *p, const pickle_val *v)
{
    pickle_items items;

    if (!pickle__print_enter(p, v, "defaultdict(...)"))
        return !p->failed;
    return pickle_get_items(v, &items) && put(p, "defaultdict(") &&
           items_later(p, v, &items, "})") &&
           (items.factory ? text_later(p, ", {") && value_later(p, items.factory)
                          : text_later(p, "None, {"));
}

static bool print_deque(printer *p, const pickle_val *v)
{
    pickle_items items;

    if (!pickle__print_enter(p, v, "[...]"))
        return !p->failed;
    if (!pickle_get_items(v, &items) || !put(p, "deque(["))
        return false;
    if (items.maxlen < 0)
        return items_later(p, v, &items, "])");
    return text_later(p, ")") && value_later(p, pickle__argument(v, 1)) &&
           items_later(p, v, &items, "], maxlen=");
}

/* ----------------------------------------------------------------------- Counter */

typedef struct counted {
    const pickle_val *key, *value;
    double count;
    int64_t whole; /* if `exact` */
    bool exact;
    size_t place;
} counted;

/* The most common first; else in their order, as Python's sorting keeps it. */
static int compare_counts(const void *a, const void *b)
{
    const counted *x = a, *y = b;

    if (x->exact && y->exact ? x->whole != y->whole : x->count != y->count)
        return (x->exact && y->exact ? x->whole > y->whole : x->count > y->count) ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* False if a count is no number: then they are shown as they come. */
static bool count_of(counted *c)
{
    c->exact = pickle_get_i64(c->value, &c->whole);
    return pickle_get_f64(c->value, &c->count);
}

static bool print_counts(printer *p, pickle_items *items, counted *all)
{
    bool numbers = true, ok = true;
    size_t n = 0;

    for (; n < items->count && pickle_next_item(items, &all[n].key, &all[n].value); n++) {
        all[n].place = n;
        numbers = count_of(&all[n]) && numbers;
    }
    if (numbers)
        qsort(all, n, sizeof *all, compare_counts);
    while (ok && n-- > 0)
        ok = pickle__print_later(p, (task){ .what = PICKLE__PRINT_PAIR,
                                            .v = all[n].key,
                                            .items.of = all[n].value,
                                            .more = n > 0 });
    return ok;
}

static bool print_counter(printer *p, const pickle_val *v)
{
    pickle_items items;
    counted *all;
    size_t size;
    bool ok;

    if (!pickle_get_items(v, &items))
        return false;
    if (items.count == 0)
        return put(p, "Counter()");
    if (!pickle__print_enter(p, v, "..."))
        return !p->failed;
    all = pickle__mul(items.count, sizeof *all, &size) ? pickle__alloc(NULL, size) : NULL;
    if (!all)
        return no_memory(p);
    ok = put(p, "Counter({") &&
         pickle__print_later(p, (task){ .what = PICKLE__PRINT_ITEMS, .v = v, .text = "})" }) &&
         print_counts(p, &items, all);
    pickle__free(NULL, all, size);
    return ok;
}

/* ------------------------------------------------------------------------- bytes */

static bool print_bytearray(printer *p, const pickle_val *v)
{
    pickle_buf b = { 0 };
    bool ok = pickle_put_bytes(v, pickle_sink_buf(&b)) || no_memory(p);

    ok = ok && pickle__repr_bytearray(b.data ? b.data : (const unsigned char *)"", b.len,
                                      pickle__printer_sink(p));
    pickle_buf_free(&b);
    return ok;
}

/* ----------------------------------------------------------------- dates and times */

/* "1, 2, 3"; as many of them as there are up to the last that is not 0, but `least` of them. */
static bool put_numbers(printer *p, const int *numbers, size_t n, size_t least)
{
    while (n > least && numbers[n - 1] == 0)
        n--;
    for (size_t i = 0; i < n; i++)
        if ((i > 0 && !put(p, ", ")) || !put_number(p, numbers[i]))
            return false;
    return true;
}

static bool print_date(printer *p, const pickle_val *v)
{
    pickle_datetime d;

    pickle_get_datetime(v, &d);
    return put(p, "datetime.date(") && put_numbers(p, (int[]){ d.year, d.month, d.day }, 3, 3) &&
           put(p, ")");
}

static bool print_time(printer *p, const pickle_val *v)
{
    pickle_datetime d;

    pickle_get_datetime(v, &d);
    return put(p, "datetime.time(") &&
           put_numbers(p, (int[]){ d.hour, d.minute, d.second, d.microsecond }, 4, 2) &&
           text_later(p, d.fold ? ", fold=1)" : ")") &&
           (!d.tz || (value_later(p, d.tz) && put(p, ", tzinfo=")));
}

/* Unlike that of a time, fold comes before tzinfo. */
static bool print_datetime(printer *p, const pickle_val *v)
{
    pickle_datetime d;

    pickle_get_datetime(v, &d);
    return put(p, "datetime.datetime(") &&
           put_numbers(p,
                       (int[]){ d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond },
                       7, 5) &&
           put(p, d.fold ? ", fold=1" : "") && text_later(p, ")") &&
           (!d.tz || (value_later(p, d.tz) && put(p, ", tzinfo=")));
}

static bool print_timedelta(printer *p, const pickle_val *v)
{
    static const char *const names[] = { "days=", "seconds=", "microseconds=" };
    pickle_timedelta d;
    int64_t parts[3];
    bool any = false;

    pickle_get_timedelta(v, &d);
    parts[0] = d.days;
    parts[1] = d.seconds;
    parts[2] = d.microseconds;
    if (!put(p, "datetime.timedelta("))
        return false;
    for (int i = 0; i < 3; i++) {
        if (parts[i] == 0)
            continue;
        if ((any && !put(p, ", ")) || !put(p, names[i]) || !put_number(p, parts[i]))
            return false;
        any = true;
    }
    return put(p, any ? ")" : "0)");
}

static bool print_timezone(printer *p, const pickle_val *v)
{
    const pickle_val *name = pickle__argument(v, 1);
    pickle_tzinfo tz;

    pickle_get_tzinfo(v, &tz);
    if (!name && tz.offset == 0)
        return put(p, "datetime.timezone.utc");
    return text_later(p, ")") && (!name || (value_later(p, name) && text_later(p, ", "))) &&
           value_later(p, pickle__argument(v, 0)) && put(p, "datetime.timezone(");
}

static bool print_zoneinfo(printer *p, const pickle_val *v)
{
    return put(p, "zoneinfo.ZoneInfo(key=") && text_later(p, ")") &&
           value_later(p, pickle__argument(v, 0));
}

/* ----------------------------------------------------------------------- numbers */

/* As an element of an array, whose text is Python's. */
static bool print_complex(printer *p, const pickle_val *v)
{
    double parts[2];
    pickle_array a = { .data = parts, .nbytes = sizeof parts };

    return pickle_get_complex(v, &parts[0], &parts[1]) && pickle__parse_dtype("c16", 3, &a.dtype) &&
           pickle_array_item_repr(&a, pickle__printer_sink(p));
}

static bool print_decimal(printer *p, const pickle_val *v)
{
    return put(p, "Decimal(") && put_quoted(p, pickle_decimal(v)) && put(p, ")");
}

static bool print_fraction(printer *p, const pickle_val *v)
{
    const char *above, *below;
    size_t len;

    if (!put(p, "Fraction("))
        return false;
    if (pickle__fraction_text(v, &above, &len, &below))
        return pickle__printer_sink(p).write(p, above, len) && put(p, ", ") && put(p, below) &&
               put(p, ")");
    return text_later(p, ")") && value_later(p, pickle__argument(v, 1)) && text_later(p, ", ") &&
           value_later(p, pickle__argument(v, 0));
}

static bool print_uuid(printer *p, const pickle_val *v)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    char text[40], *to = text;

    pickle_get_uuid(v, bytes);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[bytes[i] >> 4];
        *to++ = hex[bytes[i] & 15];
    }
    *to = '\0';
    return put(p, "UUID('") && put(p, text) && put(p, "')");
}

static bool print_range(printer *p, const pickle_val *v)
{
    pickle_slice s;

    pickle_get_slice(v, &s);
    return put(p, "range(") && text_later(p, ")") &&
           (pickle_i64_or(s.step, 0) == 1 || (value_later(p, s.step) && text_later(p, ", "))) &&
           value_later(p, s.stop) && text_later(p, ", ") && value_later(p, s.start);
}

static bool print_slice(printer *p, const pickle_val *v)
{
    pickle_slice s;

    pickle_get_slice(v, &s);
    return put(p, "slice(") && text_later(p, ")") && value_later(p, s.step) &&
           text_later(p, ", ") && value_later(p, s.stop) && text_later(p, ", ") &&
           value_later(p, s.start);
}

/* ------------------------------------------------------------------- array.array */

/* One element; Python widens a float before it shows it. */
static bool put_element(printer *p, const pickle_array *a, int64_t index)
{
    pickle_array one;
    double x;

    if (!pickle_array_at(a, &index, 1, &one, NULL))
        return false;
    if (one.dtype.kind == 'f' && one.dtype.itemsize < sizeof x) {
        pickle_array_copy(&one, "f8", &x, sizeof x, NULL);
        pickle__parse_dtype("=f8", 3, &one.dtype);
        one.data = &x;
    }
    return pickle_array_item_repr(&one, pickle__printer_sink(p));
}

static bool put_elements(printer *p, const pickle_array *a)
{
    for (int64_t i = 0; i < a->shape[0]; i++)
        if ((i > 0 && !put(p, ", ")) || !put_element(p, a, i))
            return false;
    return true;
}

/* All characters as one text: an element as wide as the array. */
static bool put_characters(printer *p, const pickle_array *a)
{
    pickle_array text = *a;

    text.ndim = 0;
    text.dtype.itemsize = a->nbytes;
    return pickle_array_item_repr(&text, pickle__printer_sink(p));
}

/* A list of texts of a character each. */
static bool put_texts(printer *p, const pickle_val *list)
{
    pickle_buf b = { 0 };
    const pickle_val *key, *text;
    bool ok = true;

    pickle_foreach (list, key, text)
        ok = ok && pickle__buf_add(&b, pickle_str(text) ? pickle_str(text) : "", pickle_len(text));
    ok = ok || no_memory(p);
    ok = ok && pickle__repr_str(b.data ? (const char *)b.data : "", b.len, pickle__printer_sink(p));
    pickle_buf_free(&b);
    return ok;
}

static bool print_array(printer *p, const pickle_val *v)
{
    char open[] = "array('x'";
    pickle_stdarray a;
    bool text;

    pickle_get_stdarray(v, &a);
    text = strchr("uw", a.typecode) != NULL;
    open[7] = a.typecode;
    if (!put(p, open) || a.array.shape[0] == 0)
        return put(p, ")");
    if (!put(p, ", ") || !text_later(p, ")"))
        return false;
    if (a.array.objects)
        return text ? put_texts(p, a.array.objects) : value_later(p, a.array.objects);
    if (text)
        return put_characters(p, &a.array);
    return put(p, "[") && put_elements(p, &a.array) && put(p, "]");
}

/* Of Python 3, and not in UTF-16, which no dtype is for. */
static bool is_shown_array(const pickle_val *v)
{
    pickle_stdarray a;

    return pickle_get_stdarray(v, &a) && a.typecode != 'c' &&
           (a.array.objects || !strchr("uw", a.typecode) || a.array.dtype.kind == 'U');
}

/* ------------------------------------------------------------------------ others */

/* As as_posix() has it: with slashes, of Windows, too. */
static bool print_path(printer *p, const pickle_val *v)
{
    const char *name = pickle__class_name(v);
    pickle_buf b = { 0 };
    bool ok = pickle_put_path(v, pickle_sink_buf(&b)) || no_memory(p);

    for (size_t i = 0; i < b.len && strstr(name, "Windows"); i++)
        if (b.data[i] == '\\')
            b.data[i] = '/';
    ok = ok && put(p, name) && put(p, "(") &&
         pickle__repr_str((const char *)b.data, b.len, pickle__printer_sink(p)) && put(p, ")");
    pickle_buf_free(&b);
    return ok;
}

/* Items of a plain container, in parentheses that were opened before. */
static bool plain_later(printer *p, const pickle_val *of, bool more, bool keyword)
{
    return pickle__print_later(p, (task){ .what = PICKLE__PRINT_ITEMS,
                                          .text = "",
                                          .items.of = of,
                                          .more = more,
                                          .keyword = keyword });
}

static bool end_later(printer *p, const pickle_val *v)
{
    return pickle__print_later(p, (task){ .what = PICKLE__PRINT_ITEMS, .v = v, .text = ")" });
}

static bool print_partial(printer *p, const pickle_val *v)
{
    pickle_partial f;

    if (!pickle__print_enter(p, v, "..."))
        return !p->failed;
    pickle_get_partial(v, &f);
    return put(p, "functools.partial(") && end_later(p, v) &&
           plain_later(p, f.kwargs, true, true) && plain_later(p, f.args, true, false) &&
           value_later(p, f.func);
}

/* An OSError keeps its file's name apart from its arguments. */
static bool print_exception(printer *p, const pickle_val *v)
{
    pickle_exception e;

    if (!pickle__print_enter(p, v, "..."))
        return !p->failed;
    pickle_get_exception(v, &e);
    return put(p, pickle__class_name(v)) && put(p, "(") && end_later(p, v) &&
           plain_later(p, e.args, false, false);
}

/* The only state, with names for keys. */
static const pickle_val *namespace_of(const pickle_val *v)
{
    const pickle_val *state = pickle_state(v), *key, *value;
    pickle_change c;
    size_t states = 0;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c))
        states += c.kind == PICKLE_CHANGE_BUILD;
    if (states > 1 || (state && pickle_kind_of(state) != PICKLE_DICT))
        return NULL;
    pickle_foreach (state, key, value)
        if (!pickle_str(key))
            return NULL;
    return state ? state : pickle_args(v);
}

static bool print_namespace(printer *p, const pickle_val *v)
{
    if (!pickle__print_enter(p, v, "namespace(...)"))
        return !p->failed;
    return put(p, "namespace(") && end_later(p, v) && plain_later(p, namespace_of(v), false, true);
}

/* By their bits; text is Unicode's unless it is said otherwise. */
static bool put_flags(printer *p, int64_t flags, bool text)
{
    static const struct {
        int64_t bit;
        const char *name;
    } names[] = { { 2, "re.IGNORECASE" }, { 4, "re.LOCALE" },   { 8, "re.MULTILINE" },
                  { 16, "re.DOTALL" },    { 32, "re.UNICODE" }, { 64, "re.VERBOSE" },
                  { 128, "re.DEBUG" },    { 256, "re.ASCII" } };
    const char *between = ", ";

    if (text && (flags & (4 | 32 | 256)) == 32)
        flags &= ~INT64_C(32);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(flags & names[i].bit))
            continue;
        if (!put(p, between) || !put(p, names[i].name))
            return false;
        between = "|";
    }
    return true;
}

/* The pattern's repr() is cut after 200 characters. */
static bool put_pattern(printer *p, const pickle_val *v)
{
    pickle_buf b = { 0 };
    const char *end;
    size_t len = 0;
    bool ok = pickle_repr(v, pickle_sink_buf(&b), 0, p->err) || no_memory(p);

    end = (const char *)b.data;
    for (int i = 0; ok && i < 200 && len < b.len; i++, len = (size_t)(end - (const char *)b.data))
        pickle__utf8_next(&end);
    ok = ok && pickle__printer_sink(p).write(p, b.data, len);
    pickle_buf_free(&b);
    return ok;
}

static bool print_pattern(printer *p, const pickle_val *v)
{
    pickle_pattern r;

    pickle_get_pattern(v, &r);
    return put(p, "re.compile(") && put_pattern(p, r.pattern) &&
           put_flags(p, r.flags, pickle_str(r.pattern) != NULL) && put(p, ")");
}

/* -------------------------------------------------------------------- which is which */

static bool ignore(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    return true;
}

static bool has_items(const pickle_val *v)
{
    pickle_items items;

    return pickle_get_items(v, &items);
}

static bool has_bytes(const pickle_val *v)
{
    static const pickle_sink nowhere = { ignore, NULL };

    return pickle_put_bytes(v, nowhere);
}

static bool has_date(const pickle_val *v)
{
    pickle_datetime d;

    return pickle_get_datetime(v, &d);
}

static bool has_timedelta(const pickle_val *v)
{
    pickle_timedelta d;

    return pickle_get_timedelta(v, &d);
}

static bool has_tzinfo(const pickle_val *v)
{
    pickle_tzinfo tz;

    return pickle_get_tzinfo(v, &tz);
}

static bool has_complex(const pickle_val *v)
{
    double x, y;

    return pickle_get_complex(v, &x, &y);
}

static bool has_decimal(const pickle_val *v)
{
    return pickle_decimal(v) != NULL;
}

static bool has_fraction(const pickle_val *v)
{
    const char *above, *below;
    size_t len;

    return pickle__fraction_text(v, &above, &len, &below) ||
           (pickle_kind_of(pickle__argument(v, 0)) == PICKLE_INT &&
            pickle_kind_of(pickle__argument(v, 1)) == PICKLE_INT);
}

static bool has_uuid(const pickle_val *v)
{
    unsigned char bytes[16];

    return pickle_get_uuid(v, bytes);
}

static bool has_slice(const pickle_val *v)
{
    pickle_slice s;

    return pickle_get_slice(v, &s);
}

static bool has_path(const pickle_val *v)
{
    static const pickle_sink nowhere = { ignore, NULL };

    return pickle_put_path(v, nowhere);
}

static bool has_partial(const pickle_val *v)
{
    pickle_partial f;

    return pickle_get_partial(v, &f);
}

static bool has_exception(const pickle_val *v)
{
    pickle_exception e;

    return pickle_get_exception(v, &e);
}

static bool has_namespace(const pickle_val *v)
{
    return namespace_of(v) != NULL;
}

static bool has_pattern(const pickle_val *v)
{
    pickle_pattern r;

    return pickle_get_pattern(v, &r);
}

static const struct shown {
    pickle_type type;
    const char *public_name; /* NULL: all of the type */
    bool (*has)(const pickle_val *v);
    bool (*print)(printer *p, const pickle_val *v);
} shown[] = {
    { PICKLE_TYPE_MAPPING, "collections.OrderedDict", has_items, print_ordered },
    { PICKLE_TYPE_MAPPING, "collections.defaultdict", has_items, print_default_dict },
    { PICKLE_TYPE_MAPPING, "collections.Counter", has_items, print_counter },
    { PICKLE_TYPE_MAPPING, "collections.UserDict", has_items, print_user_dict },
    { PICKLE_TYPE_CHAINMAP, NULL, has_items, print_chain },
    { PICKLE_TYPE_SEQUENCE, "collections.deque", has_items, print_deque },
    { PICKLE_TYPE_SEQUENCE, "collections.UserList", has_items, print_user_list },
    { PICKLE_TYPE_SET, "builtins.set", has_items, print_set },
    { PICKLE_TYPE_SET, "builtins.frozenset", has_items, print_frozenset },
    { PICKLE_TYPE_BYTES, "builtins.bytearray", has_bytes, print_bytearray },
    { PICKLE_TYPE_COMPLEX, NULL, has_complex, print_complex },
    { PICKLE_TYPE_RANGE, NULL, has_slice, print_range },
    { PICKLE_TYPE_SLICE, NULL, has_slice, print_slice },
    { PICKLE_TYPE_DATE, NULL, has_date, print_date },
    { PICKLE_TYPE_TIME, NULL, has_date, print_time },
    { PICKLE_TYPE_DATETIME, NULL, has_date, print_datetime },
    { PICKLE_TYPE_TIMEDELTA, NULL, has_timedelta, print_timedelta },
    { PICKLE_TYPE_TZINFO, "datetime.timezone", has_tzinfo, print_timezone },
    { PICKLE_TYPE_TZINFO, "zoneinfo.ZoneInfo", has_tzinfo, print_zoneinfo },
    { PICKLE_TYPE_DECIMAL, NULL, has_decimal, print_decimal },
    { PICKLE_TYPE_FRACTION, NULL, has_fraction, print_fraction },
    { PICKLE_TYPE_UUID, NULL, has_uuid, print_uuid },
    { PICKLE_TYPE_PATH, NULL, has_path, print_path },
    { PICKLE_TYPE_STDARRAY, NULL, is_shown_array, print_array },
    { PICKLE_TYPE_PARTIAL, NULL, has_partial, print_partial },
    { PICKLE_TYPE_EXCEPTION, NULL, has_exception, print_exception },
    { PICKLE_TYPE_NAMESPACE, NULL, has_namespace, print_namespace },
    { PICKLE_TYPE_PATTERN, NULL, has_pattern, print_pattern },
};

bool pickle__print_known(printer *p, const pickle_val *v, bool *ok)
{
    pickle_type type = pickle_type_of(v);

    for (size_t i = 0; type != PICKLE_TYPE_OTHER && i < sizeof shown / sizeof *shown; i++) {
        const struct shown *s = &shown[i];

        if (s->type != type || (s->public_name && !pickle__known_as(v, s->public_name)) ||
            !s->has(v))
            continue;
        *ok = s->print(p, v);
        return true;
    }
    return false;
}

/* Names of builtins that are classes; errors are in the table of known classes. */
static const char classes[] =
    " bool bytearray bytes classmethod complex dict enumerate filter float frozenset int list map "
    "memoryview object property range reversed set slice staticmethod str super tuple type zip ";
static const char functions[] =
    " __build_class__ __import__ abs aiter all anext any ascii bin breakpoint callable chr compile "
    "delattr dir divmod eval exec format getattr globals hasattr hash hex id input isinstance "
    "issubclass iter len locals max min next oct ord pow print repr round setattr sorted sum vars ";
static const char values[] = " Ellipsis NotImplemented ";

static bool is_word_of(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; (p = strstr(p, word)); p++)
        if (p > list && p[-1] == ' ' && p[len] == ' ' && !strchr(word, ' '))
            return true;
    return false;
}

bool pickle__print_class(printer *p, const pickle_val *global, bool *ok)
{
    const pickle__known *row = pickle__known_global(global);
    const char *name = pickle_name(global);

    if (strcmp(pickle_module(global), "builtins") != 0 || !*name)
        return false;
    if (is_word_of(values, name))
        *ok = put(p, name);
    else if (is_word_of(functions, name))
        *ok = put(p, "<built-in function ") && put(p, name) && put(p, ">");
    else if (is_word_of(classes, name) || (row && row->maker == PICKLE__IS_CLASS))
        *ok = put(p, "<class '") && put(p, row ? strrchr(row->public_name, '.') + 1 : name) &&
              put(p, "'>");
    else
        return false;
    return true;
}
