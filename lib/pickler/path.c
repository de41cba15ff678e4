/* path.c - where a pickler is, in the notation of pickle_find. */
#include "base/number.h"
#include "pickler/save.h"

/* As much as fits, from the root on. */
typedef struct text {
    char *at, *end;
} text;

static void add(text *t, const char *s, size_t len)
{
    size_t room = (size_t)(t->end - t->at);

    len = len < room ? len : room;
    memcpy(t->at, s, len);
    t->at += len;
}

static void add_index(text *t, size_t index)
{
    char digits[PICKLE__INT_CHARS];

    add(t, "[", 1);
    add(t, digits, pickle__i64_repr(digits, (int64_t)index));
    add(t, "]", 1);
}

static bool is_name(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] != '_' && (pickle__digit((unsigned char)s[i]) == 36 || (i == 0 && s[i] <= '9')))
            return false;
    return len > 0;
}

/* A key in brackets; an attribute as a bare name, with a dot behind something else. */
static void add_key(text *t, const char *start, const pickle_val *key, bool attribute)
{
    char escaped[60], digits[PICKLE__INT_CHARS];
    int64_t n;

    if (pickle__is(key, PICKLE_STR)) {
        const char *s = pickle__text(key);
        size_t len = pickle__len(key);

        if (is_name(s, len) && attribute) {
            add(t, ".", t->at > start ? 1 : 0);
            add(t, s, len);
            return;
        }
        pickle__escape(escaped, sizeof escaped, s, len);
        add(t, "['", 2);
        add(t, escaped, strlen(escaped));
        add(t, "']", 2);
    } else if (pickle_get_i64(key, &n)) {
        add(t, "[", 1);
        add(t, digits, pickle__i64_repr(digits, n));
        add(t, "]", 1);
    } else {
        add(t, "[...]", 5);
    }
}

/* Is this dict the state of the object whose task stands below it? */
static bool is_state(const pickle__pickler *p, size_t i)
{
    return i > 0 && p->tasks[i - 1].step == PICKLE__BUILD;
}

/* Tasks that have saved an item hold the place after it. */
static void add_task(const pickle__pickler *p, size_t i, text *out, const char *start)
{
    const pickle__task *t = &p->tasks[i];

    if (t->step > PICKLE__BATCHES || t->at == 0)
        return;
    if (t->step == PICKLE__BATCHES && t->kind == PICKLE_DICT)
        add_key(out, start, t->items[(t->at - 1) & ~(size_t)1], is_state(p, i));
    else
        add_index(out, t->at - 1);
}

void pickle__save_path(const pickle__pickler *p, char *out, size_t size)
{
    text t = { out, out + size - 1 };

    for (size_t i = 0; i < p->depth; i++)
        add_task(p, i, &t, out);
    *t.at = '\0';
}
