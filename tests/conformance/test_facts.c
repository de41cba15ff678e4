/*
 * test_facts.c - does the library find in the fixtures what the Pythons that
 * wrote them know about them? One test for each file of fixtures/ENV/facts.tsv;
 * the README there says what the rows mean. Kinds of rows that are not checked
 * here are counted, and named at the end.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

#include "files.h"
#include "sha256.h"

#define MOST_BUFFERS 64

typedef struct row {
    const char *file, *path, *what, *value;
} row;

/* The facts of one environment. */
typedef struct facts {
    const char *env;
    char *text;
    row *rows;
    size_t n;
} facts;

/* A file that was read, and what came of its rows. */
typedef struct subject {
    const facts *of;
    pickle_doc *doc;
    const row *row; /* being checked */
    char problem[2048];
    size_t checked;
} subject;

typedef enum outcome { HOLDS, FAILS, NOT_CHECKED } outcome;

/* Rows that were not checked, by reason. */
static struct reason {
    char why[96];
    size_t rows;
} reasons[32];

static int tests, failures;

/* ------------------------------------------------------------------- helpers */

static outcome not_checked(const char *why)
{
    size_t i = 0;

    while (reasons[i].why[0] && strcmp(reasons[i].why, why) != 0)
        i++;
    snprintf(reasons[i].why, sizeof reasons[i].why, "%s", why);
    reasons[i].rows++;
    return NOT_CHECKED;
}

static outcome compare(subject *s, const char *got)
{
    if (strcmp(got, s->row->value) == 0)
        return HOLDS;
    if (!s->problem[0])
        snprintf(s->problem, sizeof s->problem, "%s %s: want %.800s, got %.800s", s->row->path,
                 s->row->what, s->row->value, got);
    return FAILS;
}

static const char *text_of(pickle_buf *b)
{
    if (!pickle_sink_buf(b).write(b, "", 1))
        abort();
    return (const char *)b->data;
}

static outcome compare_buf(subject *s, pickle_buf *b)
{
    outcome o = compare(s, text_of(b));

    pickle_buf_free(b);
    return o;
}

static void print(pickle_sink out, const char *text)
{
    out.write(out.ctx, text, strlen(text));
}

static void drop_blanks(pickle_buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] != ' ')
            b->data[n++] = b->data[i];
    b->len = n;
}

/* ---------------------------------------------------------------------- paths */

/* "[1,2]": an element of an array of objects. Returns what follows. */
static const char *element(const pickle_val **v, const char *path)
{
    int64_t index[PICKLE_MAXDIMS];
    const pickle_val *object;
    pickle_array a;
    char *end;
    int n = 0;

    if (*path != '[' || !pickle_get_array(*v, &a))
        return NULL;
    do {
        index[n++] = strtoll(path + 1, &end, 10);
        path = end;
    } while (*path == ',' && n < PICKLE_MAXDIMS);
    if (*path != ']' || !pickle_array_at(&a, index, n, NULL, &object) || !object)
        return NULL;
    *v = object;
    return path + 1;
}

static const pickle_val *find(const pickle_val *v, const char *path)
{
    const char *rest;

    while (v && *path) {
        v = pickle_find_prefix(v, path, &rest);
        if (*rest)
            rest = element(&v, rest);
        if (!rest)
            return NULL;
        path = rest;
    }
    return v;
}

/* ----------------------------------------------------------------- plain values */

/* Before protocol 4, sets and bytearrays are what a call makes. */
static outcome check_repr(subject *s, const pickle_val *v)
{
    pickle_buf b = { 0 };

    pickle_python_repr(v, pickle_sink_buf(&b), 0, NULL);
    return compare_buf(s, &b);
}

static size_t code_points(const pickle_val *v)
{
    const char *p = pickle_str(v);
    size_t n = 0;

    for (size_t i = 0; i < pickle_len(v); i++)
        n += (p[i] & 0xc0) != 0x80;
    return n;
}

static outcome check_len(subject *s, const pickle_val *v)
{
    char text[32];
    size_t n = pickle_str(v) ? code_points(v) : pickle_len(v);
    pickle_buf b = { 0 };
    pickle_items items;

    if (pickle_get_items(v, &items))
        n = items.count;
    else if (!pickle_str(v) && pickle_put_bytes(v, pickle_sink_buf(&b)))
        n = b.len;
    pickle_buf_free(&b);
    snprintf(text, sizeof text, "%zu", n);
    return compare(s, text);
}

static outcome compare_hash(subject *s, const void *data, size_t len)
{
    char hex[65];

    sha256_hex(hex, data, len);
    hex[32] = '\0';
    return compare(s, hex);
}

static outcome check_sha256(subject *s, const pickle_val *v)
{
    pickle_buf b = { 0 };
    outcome o;

    if (pickle_str(v))
        return compare_hash(s, pickle_str(v), pickle_len(v));
    if (!pickle_put_bytes(v, pickle_sink_buf(&b)))
        pickle_repr(v, pickle_sink_buf(&b), 0, NULL);
    o = compare_hash(s, b.data, b.len);
    pickle_buf_free(&b);
    return o;
}

static int compare_items(const void *a, const void *b)
{
    const pickle_val *const *x = a, *const *y = b;

    if (pickle_str(*x) && pickle_str(*y))
        return strcmp(pickle_str(*x), pickle_str(*y));
    return pickle_i64_or(*x, 0) < pickle_i64_or(*y, 0) ? -1 : 1;
}

static outcome check_sorted(subject *s, const pickle_val *v)
{
    const pickle_val *key, *items[64];
    size_t n = 0;
    pickle_buf b = { 0 };
    pickle_items it;

    if (!pickle_get_items(v, &it))
        return compare(s, "no items");
    while (n < 64 && pickle_next_item(&it, &key, &items[n]))
        n++;
    qsort(items, n, sizeof *items, compare_items);
    for (size_t i = 0; i < n; i++) {
        print(pickle_sink_buf(&b), i ? ", " : "[");
        pickle_repr(items[i], pickle_sink_buf(&b), 0, NULL);
    }
    print(pickle_sink_buf(&b), "]");
    return compare_buf(s, &b);
}

/* ------------------------------------------------------------ globals and objects */

static outcome compare_global(subject *s, const pickle_val *global)
{
    char text[512];

    snprintf(text, sizeof text, "%s.%s", pickle_module(global) ? pickle_module(global) : "?",
             pickle_name(global) ? pickle_name(global) : "?");
    return compare(s, text);
}

static const char *last_name(const char *dotted)
{
    const char *dot = strrchr(dotted, '.');

    return dot ? dot + 1 : dotted;
}

/*
 * The module may be an older or a newer one than the library's name for the class. The file may
 * name a base class of an array; of other objects, only a function, and what that makes only
 * Python knows.
 */
static outcome check_type(subject *s, const pickle_val *v)
{
    const char *want = last_name(s->row->value), *name = NULL;
    pickle_class_info info;
    pickle_array a;

    if (pickle_get_array(v, &a) && a.cls)
        name = pickle_name(a.cls);
    else if (pickle_get_class(v, &info))
        name = info.public_name ? last_name(info.public_name) : pickle_name(info.global);
    if (name && strcmp(last_name(name), want) == 0)
        return HOLDS;
    if (name && (strcmp(name, "ndarray") == 0 || strcmp(name, "BinaryTree") == 0))
        return not_checked("type, where the file names a base class");
    if (pickle_is_global(pickle_callable(pickle_callable(v)), "builtins", "getattr"))
        return not_checked("type, where the class is an attribute: protocols 2 and 3 call getattr");
    if (!name && pickle_str_is(pickle_at(pickle_args(v), 0), want))
        return not_checked("type, where the file has the class's name in an argument");
    if (pickle_is_global(pickle_callable(v), "samples", "restore"))
        return not_checked("type, where the file names a function of one's own");
    return compare(s, name ? name : "no class");
}

/* OrderedDict([('a', 1)]), as before Python 3.12. */
static outcome check_old_ordered(subject *s, const pickle_val *v)
{
    const pickle_val *key, *value;
    const char *between = "OrderedDict([(";
    pickle_buf b = { 0 };
    pickle_items it;

    if (!pickle_get_items(v, &it))
        return compare(s, "no items");
    while (pickle_next_item(&it, &key, &value)) {
        print(pickle_sink_buf(&b), between);
        pickle_python_repr(key, pickle_sink_buf(&b), 0, NULL);
        print(pickle_sink_buf(&b), ", ");
        pickle_python_repr(value, pickle_sink_buf(&b), 0, NULL);
        between = "), (";
    }
    print(pickle_sink_buf(&b), ")])");
    return compare_buf(s, &b);
}

/* datetime.timedelta(-1, 3600, 7), as before Python 3.7. */
static outcome check_old_timedelta(subject *s, const pickle_val *v)
{
    pickle_timedelta d;
    char text[80];

    if (!pickle_get_timedelta(v, &d))
        return compare(s, "no timedelta");
    snprintf(text, sizeof text, "datetime.timedelta(%lld, %d, %d)", (long long)d.days, d.seconds,
             d.microseconds);
    return compare(s, text);
}

/* KeyError('k',), as before Python 3.7. */
static outcome check_old_exception(subject *s, const pickle_val *v)
{
    pickle_exception e;
    pickle_buf b = { 0 };

    if (!pickle_get_exception(v, &e))
        return compare(s, "no exception");
    print(pickle_sink_buf(&b), pickle_name(e.cls));
    pickle_python_repr(e.args, pickle_sink_buf(&b), 0, NULL);
    return compare_buf(s, &b);
}

/* As Python 3.13 shows it; other Pythons' repr() of some classes was another. */
static outcome check_shown(subject *s, const pickle_val *v)
{
    const char *want = s->row->value;

    if (strncmp(want, "OrderedDict([", 13) == 0)
        return check_old_ordered(s, v);
    if (strncmp(want, "datetime.timedelta(", 19) == 0 && !strchr(want, '='))
        return check_old_timedelta(s, v);
    if (strstr(want, "datetime.timedelta(0, "))
        return not_checked("timedelta in another value, as shown before Python 3.7");
    if (strstr(want, "Error(") && strstr(want, ",)"))
        return check_old_exception(s, v);
    if (strstr(want, "fold=1") && pickle_protocol(s->doc) < 4)
        return not_checked("fold, which protocols before 4 leave out");
    return check_repr(s, v);
}

static outcome check_same(subject *s, const pickle_val *v)
{
    return v == find(pickle_root(s->doc), s->row->value) ? HOLDS : compare(s, "another object");
}

static outcome check_ext(subject *s, const pickle_val *v)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)pickle_i64_or(pickle_id(v), -1));
    return compare(s, text);
}

static outcome check_buffer(subject *s, const pickle_val *v)
{
    size_t len;
    const void *data = pickle_bytes(v, &len);
    char hex[65], text[128];

    if (!data || pickle_kind_of(v) != PICKLE_BUFFER)
        return compare(s, "no buffer");
    sha256_hex(hex, data, len);
    /* The number is that of the file it came from, which is how it was supplied. */
    snprintf(text, sizeof text, "%.*s %zu %s %.32s", (int)strcspn(s->row->value, " "),
             s->row->value, len, pickle_is_readonly(v) ? "ro" : "rw", hex);
    return compare(s, text);
}

static outcome check_end(subject *s, const pickle_val *v)
{
    char text[32];

    (void)v;
    snprintf(text, sizeof text, "%" PRIu64, pickle_consumed(s->doc));
    return compare(s, text);
}

/* ---------------------------------------------------------------------- arrays */

static void print_dtype(pickle_buf *b, const pickle_dtype *d)
{
    if (!pickle_dtype_str(d, pickle_sink_buf(b)))
        print(pickle_sink_buf(b), "no text for this dtype");
    drop_blanks(b);
}

/* numpy before 1.14. */
static bool is_old(const subject *s)
{
    return strstr(s->of->env, "-old") != NULL;
}

/* Where it has no list of fields, numpy gave a wrong one. */
static outcome compare_dtype(subject *s, pickle_buf *b)
{
    if (b->len > 0 && b->data[0] == '{' && is_old(s)) {
        pickle_buf_free(b);
        return not_checked("overlapping fields, in numpy before 1.14");
    }
    return compare_buf(s, b);
}

static outcome check_dtype(subject *s, const pickle_val *v)
{
    pickle_buf b = { 0 };
    pickle_dtype d;

    if (!pickle_get_dtype(v, &d))
        return compare(s, "no dtype");
    print_dtype(&b, &d);
    return compare_dtype(s, &b);
}

static void print_shape(pickle_sink out, const pickle_array *a)
{
    char text[32];

    print(out, "(");
    for (int i = 0; i < a->ndim; i++) {
        snprintf(text, sizeof text, i ? ",%lld" : "%lld", (long long)a->shape[i]);
        print(out, text);
    }
    print(out, a->ndim == 1 ? ",)" : ")");
}

/* Of all elements in C order, in the file's byte order. */
static void print_hash(pickle_sink out, const pickle_array *a)
{
    char hex[65], code[16];
    size_t size = (size_t)a->nbytes;
    unsigned char *data = malloc(size ? size : 1);
    pickle_array raw = *a;
    pickle_error err = { 0 };

    snprintf(code, sizeof code, "V%llu", (unsigned long long)a->dtype.itemsize);
    raw.dtype.kind = 'V';
    raw.dtype.order = '|';
    raw.dtype.unit[0] = '\0';
    raw.dtype.unit_count = 0;
    if (!pickle_array_copy(&raw, code, data, size, &err))
        print(out, err.message);
    sha256_hex(hex, data, size);
    hex[32] = '\0';
    print(out, hex);
    free(data);
}

static void print_first_word(pickle_sink out, const char *text)
{
    out.write(out.ctx, text, strcspn(text, " "));
}

static outcome check_array(subject *s, const pickle_val *v)
{
    pickle_buf b = { 0 };
    pickle_sink out = pickle_sink_buf(&b);
    pickle_error err;
    pickle_array a;

    if (!pickle_read_array(v, &a, &err))
        return compare(s, err.message);
    if (a.dtype.kind == 'T' && strncmp(s->row->value, "StringDType(", 12) == 0)
        print_first_word(out, s->row->value); /* as later numpys call |T16 */
    else
        print_dtype(&b, &a.dtype);
    print(out, " ");
    print_shape(out, &a);
    print(out, a.fortran ? " F " : " C ");
    if (a.dtype.hasobject)
        print(out, "-");
    else
        print_hash(out, &a);
    return compare_dtype(s, &b);
}

/*
 * As .item() gives it: a float16 or float32 becomes a double, NaT None, a date finer
 * than microseconds an int, and Python 2's bytes are str.
 */
static void print_item(subject *s, pickle_sink out, const pickle_array *a)
{
    bool bytes = a->dtype.kind == 'S' || (a->dtype.kind == 'V' && a->dtype.nfields == 0);
    pickle_array wide = *a;
    pickle_buf b = { 0 };
    double x;

    if (a->dtype.kind == 'f' && a->dtype.itemsize < 8) {
        pickle_array_copy(a, "f8", &x, sizeof x, NULL);
        wide.dtype.itemsize = sizeof x;
        wide.data = &x;
    }
    if (a->dtype.kind == 'M' && a->dtype.unit[1] == 's' && strchr("npfa", *a->dtype.unit))
        wide.dtype.kind = 'i';
    pickle_array_item_repr(&wide, pickle_sink_buf(&b));
    if (strcmp(text_of(&b), "NaT") == 0)
        print(out, "None");
    else
        print(out, (const char *)b.data + (bytes && strncmp(s->of->env, "py2", 3) == 0));
    pickle_buf_free(&b);
}

/* "<f8 7b44428947061e3f 0.000114": the last word is repr() of .item(), or str(). */
static outcome check_scalar(subject *s, const pickle_val *v)
{
    pickle_buf b = { 0 };
    pickle_sink out = pickle_sink_buf(&b);
    pickle_error err;
    pickle_array a;
    char hex[3];

    if (!pickle_read_array(v, &a, &err) || !a.scalar)
        return compare(s, a.scalar ? err.message : "no scalar");
    if (a.dtype.kind == 'V' && a.dtype.nfields == 0 && is_old(s))
        return not_checked("raw bytes, which numpy before 1.14 shows as it likes");
    print_dtype(&b, &a.dtype);
    print(out, " ");
    for (uint64_t i = 0; i < a.nbytes; i++) {
        snprintf(hex, sizeof hex, "%02x", ((const unsigned char *)a.data)[i]);
        print(out, hex);
    }
    print(out, a.nbytes ? " " : "- ");
    print_item(s, out, &a);
    return compare_buf(s, &b);
}

/* ------------------------------------------------------------------------ rows */

static outcome check_class(subject *s, const pickle_val *v)
{
    return compare_global(s, pickle_class(v));
}

static outcome check_callable(subject *s, const pickle_val *v)
{
    return compare_global(s, pickle_callable(v));
}

static outcome check_persid(subject *s, const pickle_val *v)
{
    return check_repr(s, pickle_id(v));
}

static const struct kind {
    const char *what;
    outcome (*check)(subject *s, const pickle_val *v);
} kinds[] = {
    { "repr", check_repr },     { "sorted", check_sorted },   { "len", check_len },
    { "sha256", check_sha256 }, { "class", check_class },     { "callable", check_callable },
    { "type", check_type },     { "global", compare_global }, { "same", check_same },
    { "array", check_array },   { "scalar", check_scalar },   { "dtype", check_dtype },
    { "ext", check_ext },       { "persid", check_persid },   { "buffer", check_buffer },
    { "end", check_end },       { "shown", check_shown },
};

static outcome check_row(subject *s)
{
    const pickle_val *v;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].what, s->row->what) != 0)
            continue;
        v = find(pickle_root(s->doc), s->row->path);
        return v ? kinds[i].check(s, v) : compare(s, "nothing there");
    }
    return not_checked(s->row->what);
}

/* "repr#2": of the third pickle in the file; such rows come in order. */
static void go_to_pickle(subject *s, int *at)
{
    const char *number = strchr(s->row->what, '#');

    if (number && atoi(number + 1) == *at + 1 && pickle_read_next(s->doc, NULL) == PICKLE_OK)
        ++*at;
}

/* ----------------------------------------------------------------------- files */

static size_t read_buffers(const char *path, pickle_buffer *buffers)
{
    size_t n = 0;
    char name[4200];

    for (; n < MOST_BUFFERS; n++) {
        snprintf(name, sizeof name, "%s.buf%zu", path, n);
        buffers[n].readonly = false;
        buffers[n].data = files_read(name, &buffers[n].len);
        if (!buffers[n].data)
            break;
    }
    return n;
}

static void check_rows(subject *s, const char *file)
{
    const facts *f = s->of;
    row as_repr;
    int at = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->rows[i].file, file) != 0)
            continue;
        s->row = &f->rows[i];
        if (strcmp(s->row->what, "like") == 0) {
            check_rows(s, s->row->value);
            continue;
        }
        go_to_pickle(s, &at);
        if (strncmp(s->row->what, "repr#", 5) == 0) {
            as_repr = *s->row;
            as_repr.what = "repr";
            s->row = &as_repr;
        }
        s->checked += check_row(s) != NOT_CHECKED;
    }
}

static void check_file(const facts *f, const char *file)
{
    char path[4096];
    pickle_buffer buffers[MOST_BUFFERS];
    subject s = { .of = f };
    pickle_error err;
    size_t n;

    snprintf(path, sizeof path, "%s/%s/%s", files_folder(), f->env, file);
    n = read_buffers(path, buffers);
    s.doc = pickle_read_file(path, pickle_read_opts(.buffers = n ? buffers : NULL, .n_buffers = n),
                             &err);
    if (s.doc)
        check_rows(&s, file);
    else
        snprintf(s.problem, sizeof s.problem, "byte %" PRIu64 ": %s", err.offset, err.message);
    failures += s.problem[0] != '\0';
    printf("%sok %d - %s/%s: %zu rows\n", s.problem[0] ? "not " : "", ++tests, f->env, file,
           s.checked);
    if (s.problem[0])
        printf("# %s\n", s.problem);
    pickle_doc_free(s.doc);
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)buffers[i].data);
}

/* ----------------------------------------------------------------------- tables */

static char *next_field(char **at, char end)
{
    char *field = *at, *stop = field ? strchr(field, end) : NULL;

    if (stop)
        *stop++ = '\0';
    *at = stop;
    return field;
}

static void split(facts *f)
{
    char *at = f->text, *line;
    size_t room = 0;

    next_field(&at, '\n'); /* the header */
    while (at && *at) {
        if (f->n == room) {
            room = room ? room * 2 : 1024;
            f->rows = realloc(f->rows, room * sizeof *f->rows);
        }
        line = next_field(&at, '\n');
        f->rows[f->n].file = next_field(&line, '\t');
        f->rows[f->n].path = next_field(&line, '\t');
        f->rows[f->n].what = next_field(&line, '\t');
        f->rows[f->n++].value = line ? line : "";
    }
}

static void check_env(const char *env)
{
    facts f = { .env = env };
    char path[4096];
    size_t size;

    snprintf(path, sizeof path, "%s/%s/facts.tsv", files_folder(), env);
    f.text = (char *)files_read(path, &size);
    if (!f.text)
        return;
    f.text[size] = '\0';
    split(&f);
    for (size_t i = 0; i < f.n; i++)
        if (i == 0 || strcmp(f.rows[i].file, f.rows[i - 1].file) != 0)
            check_file(&f, f.rows[i].file);
    free(f.rows);
    free(f.text);
}

int main(void)
{
    struct dirent **entries;
    int n = scandir(files_folder(), &entries, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        check_env(entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    for (size_t i = 0; reasons[i].why[0]; i++)
        printf("# not checked: %zu rows, %s\n", reasons[i].rows, reasons[i].why);
    printf("1..%d\n", tests);
    return tests == 0 || failures != 0;
}
