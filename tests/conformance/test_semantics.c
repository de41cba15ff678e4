/*
 * test_semantics.c - does the strict reader do what CPython 3.13's C unpickler does?
 *
 * fixtures/vectors/semantics/vectors.tsv holds crafted pickles, one subtle rule
 * each, and what CPython made of them from bytes: "= repr" or "! error". A
 * reader that runs nothing cannot know what a class would have done; for those
 * vectors, named below with the reason, the graph itself is what must be right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>

enum { NAME, OPCODE, HEX, OPTS, RESULT, RESULT_LOADS, COLUMNS = 11 };

/*
 * Where the answer is not CPython's: what must come out instead ("!": an error,
 * NULL: any value), and why. Mostly CPython ran or imported something.
 */
static const struct exception {
    const char *name, *want, *why;
} exceptions[] = {
#define ATTRIBUTE "whether the module has the attribute is known to Python alone"
#define IMPORT    "whether the module exists is known to Python alone"
#define TYPE      "whether it is a type or a function is known to Python alone"
#define CALL      "what the call gives is known to Python alone"
#define STATE     "whether the class has __setstate__ or __dict__ is known to Python alone"
#define MEMORY    "CPython makes a table up to the key; a sparse memo does not need to"
#define PERSID    "what the id stands for is known to the caller alone"
#define PRINTED   "the measuring script printed it in its own way; this is Python's repr"
    { "appends_deque", "collections.deque()<list [1, 2]>", CALL },
    { "ordereddict_p2", "collections.OrderedDict()<dict {2: None, 1: None}>", CALL },
    { "put_2e9", NULL, MEMORY },
    { "long_binput_ffffffff", NULL, MEMORY },
    { "long_binput_0fffffff", NULL, MEMORY },
    { "cycle_tuple", "([(...)],)", PRINTED },
    { "cycle_set_reduce", "type object", PRINTED },
    { "global_copy_reg", "<class copyreg._reconstructor>", TYPE },
    { "global_dotted_p0", "<class vecmod.Outer.Inner>", ATTRIBUTE },
    { "global_dotted_p2", "<class vecmod.Outer.Inner>", ATTRIBUTE },
    { "global_dotted_p4", "<class vecmod.Outer.Inner>", PRINTED },
    { "stack_global_dotted_p4", "<class vecmod.Outer.Inner>", PRINTED },
    { "stack_global_dotted_noproto", "<class vecmod.Outer.Inner>", ATTRIBUTE },
    { "stack_global_locals", "<class vecmod.<locals>.Inner>", ATTRIBUTE },
    { "global_missing_attr", "<class vecmod.Nope>", ATTRIBUTE },
    { "global_nonascii", "<class vecmod.\u00e9>", ATTRIBUTE },
    { "global_space", "<class builtins. set>", ATTRIBUTE },
    { "global_crlf", "<class 'builtins\\r'.'set\\r'>", IMPORT },
    { "global_py2_builtin_proto3", "<class __builtin__.set>", IMPORT },
    { "global_py2_nofix", "<class __builtin__.set>", IMPORT },
    { "reduce_ok", "vecmod.f(1,)", CALL },
    { "reduce_raises", "vecmod.boom()", CALL },
    { "newobj_int_args", "builtins.int('42',)", CALL },
    { "newobj_not_type", "vecmod.f()", TYPE },
    { "newobj_ex_not_type", "vecmod.f() **{}", TYPE },
    { "inst_func", "vecmod.f()", CALL },
    { "newobj_ex_kw_intkey", NULL, CALL },
    { "build_empty_list", "vecmod.A()<state []>", STATE },
    { "build_empty_tuple", "vecmod.A()<state ()>", STATE },
    { "build_list", "vecmod.A()<state [1]>", STATE },
    { "build_int0", "vecmod.A()<state 0>", STATE },
    { "build_tuple2_slots_nondict", "vecmod.A()<state (None, 5)>", STATE },
    { "build_tuple2_slots_falsy", "vecmod.A()<state (None, set())>", STATE },
    { "build_tuple2_none_none", "vecmod.A()<state (None, None)>", STATE },
    { "build_tuple3", "vecmod.A()<state (None, None, None)>", STATE },
    { "build_slot_nonstr_key", "vecmod.A()<state (None, {1: 2})>", STATE },
    { "build_slots_dict_state", "vecmod.Slots()<state {'a': 2}>", STATE },
    { "persid_ok", "<persistent id 'abc'>", PERSID },
    { "persid_empty", "<persistent id ''>", PERSID },
    { "persid_spaces", "<persistent id ' a b '>", PERSID },
    { "persid_cr", "<persistent id 'abc\\r'>", PERSID },
    { "binpersid_ok", "<persistent id 5>", PERSID },
    { "binpersid_tuple", "<persistent id (5, 'a')>", PERSID },
};

static int tests, failures;

static void report(bool ok, const char *name, const char *want, const char *got)
{
    tests++;
    failures += !ok;
    printf("%sok %d - %s\n", ok ? "" : "not ", tests, name);
    if (!ok)
        printf("# CPython: %.300s\n# here:    %.300s\n", want, got);
}

static const struct exception *exception_for(const char *name)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (strcmp(exceptions[i].name, name) == 0)
            return &exceptions[i];
    return NULL;
}

/* ----------------------------------------------------------------- options */

/* The options column is JSON, but only of these forms. */
static void set_options(const char *json, pickle_read_opts *o)
{
    static const pickle_extension extensions[] = { { 5, "vecmod", "A" },
                                                   { 256, "vecmod", "A" },
                                                   { 65536, "vecmod", "A" } };
    static pickle_buffer buffers[2];
    static char encoding[32], errors[32];

    *o = (pickle_read_opts){ .struct_size = sizeof *o, .strict = true };
    if (sscanf(json, "{\"encoding\": \"%31[^\"]", encoding) == 1)
        o->encoding = encoding;
    if (sscanf(json, "{\"errors\": \"%31[^\"]", errors) == 1)
        o->errors = errors;
    o->no_fix_imports = strstr(json, "\"fix_imports\": false") != NULL;
    if (strstr(json, "\"ext\"")) {
        o->extensions = extensions;
        o->n_extensions = 3;
    }
    if (strstr(json, "\"buffers\"")) {
        const char *p = strchr(json, '[');

        o->buffers = buffers;
        for (p = strchr(p, '"'); p; p = strchr(strchr(p + 1, '"') + 1, '"'))
            buffers[o->n_buffers++] = (pickle_buffer){ "xyz", 3, strncmp(p, "\"bytes\"", 7) == 0 };
    }
}

static pickle_verdict keep(void *ctx, const pickle_val *pid)
{
    (void)ctx;
    (void)pid;
    return PICKLE_KEEP;
}

/* ------------------------------------------------------------------ results */

/* As the measuring script printed values: some types by name first, symbols in their own way. */
static void print_value(const pickle_val *v, FILE *out)
{
    pickle_buf text = { 0 };
    pickle_kind kind = pickle_kind_of(v);
    size_t len;
    const unsigned char *data = pickle_bytes(v, &len);
    bool view = pickle_is_readonly(v);

    pickle_repr(v, pickle_sink_buf(&text), 0, NULL);
    if (kind == PICKLE_BYTEARRAY || kind == PICKLE_SET || kind == PICKLE_FROZENSET)
        fprintf(out, "%s ", pickle_kind_name(kind));
    if (kind == PICKLE_GLOBAL)
        fprintf(out, "<class %.*s>", (int)text.len, (const char *)text.data);
    else if (kind == PICKLE_BUFFER)
        fprintf(out, view ? "b'%.*s'" : "bytearray bytearray(b'%.*s')", (int)len, data);
    else
        fwrite(text.data, 1, text.len, out);
    pickle_buf_free(&text);
}

static void print_checked(const char *json, const pickle_val *v, FILE *out)
{
    const pickle_val *a = pickle_at(v, 0), *b = pickle_at(v, 1);
    double x;
    uint64_t bits;

    if (strstr(json, "identity2")) {
        fprintf(out, "same=%s ", a == b ? "True" : "False");
    } else if (strstr(json, "floathex") && pickle_get_f64(v, &x)) {
        memcpy(&bits, &x, sizeof bits);
        fprintf(out, "bits %016" PRIx64, bits);
        return;
    } else if (strstr(json, "\"cycle\"")) {
        bool list = pickle_kind_of(v) == PICKLE_LIST;

        fprintf(out, "cycle ok=%s", (list ? a : pickle_get_int(v, 1)) == v ? "True" : "False");
        return;
    } else if (strstr(json, "typeonly")) {
        const char *name = pickle_kind_name(pickle_kind_of(v));

        fprintf(out, "type %s", strcmp(name, "None") ? name : "NoneType");
        return;
    }
    print_value(v, out);
}

static char *outcome(const char *json, const unsigned char *data, size_t size, bool *rejected)
{
    pickle_read_opts o;
    pickle_error err = { 0 };
    pickle_doc *doc;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    set_options(json, &o);
    o.on_persid = strstr(json, "\"pload\"") ? keep : NULL;
    o.keep_memo = strstr(json, "\"loads\"") != NULL;
    doc = pickle_read(data, size, &o, &err);
    *rejected = doc == NULL;
    if (doc) {
        print_checked(json, pickle_root(doc), out);
        if (o.keep_memo) {
            fprintf(out, " ; ");
            *rejected = pickle_read_next(doc, &err) != PICKLE_OK;
            if (!*rejected)
                print_checked(json, pickle_root(doc), out);
        }
    }
    if (*rejected)
        fprintf(out, "%s at %" PRIu64 ": %s", pickle_status_name(err.code), err.offset,
                err.message);
    pickle_doc_free(doc);
    fclose(out);
    return text;
}

/* ---------------------------------------------------------------------- run */

static size_t from_hex(const char *hex, unsigned char *out)
{
    size_t n = 0;
    unsigned byte;

    while (sscanf(hex + 2 * n, "%2x", &byte) == 1)
        out[n++] = (unsigned char)byte;
    return n;
}

/* Results too long for the table are cut: "...(4300 chars)". */
static bool same_text(const char *want, const char *got)
{
    const char *cut = strstr(want, "...(");
    size_t len = 0;

    if (!cut || sscanf(cut, "...(%zu chars)", &len) != 1)
        return strcmp(want, got) == 0;
    return strlen(got) == len && strncmp(want, got, (size_t)(cut - want)) == 0;
}

/* A read-only view and the bytes behind it are one for a reader that lends out pointers. */
static const char *view_as_bytes(const char *want, char buffer[64])
{
    char inner[32];

    if (sscanf(want, "<memoryview ro=True %31[^>]>", inner) != 1)
        return want;
    snprintf(buffer, 64, "%s", inner);
    return buffer;
}

static void run_vector(char **f)
{
    const struct exception *e = exception_for(f[NAME]);
    const char *want = *f[RESULT_LOADS] ? f[RESULT_LOADS] : f[RESULT];
    unsigned char *data = malloc(strlen(f[HEX]) / 2 + 1);
    char buffer[64];
    bool rejected, ok;
    char *got = outcome(f[OPTS], data, from_hex(f[HEX], data), &rejected);

    if (e)
        ok = !rejected && (!e->want || strcmp(e->want, got) == 0);
    else if (*want == '!')
        ok = rejected;
    else if (strstr(want, "vecmod.")) /* what became of the object is for the class to say */
        ok = !rejected;
    else
        ok = !rejected && same_text(view_as_bytes(want + 2, buffer), got);
    report(ok, f[NAME], e && e->want ? e->want : want, got);
    free(got);
    free(data);
}

static void split(char *line, char **fields)
{
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < COLUMNS; i++) {
        char *tab = line ? strchr(line, '\t') : NULL;

        fields[i] = line ? line : (char[]){ "" };
        line = tab ? tab + 1 : NULL;
        if (tab)
            *tab = '\0';
    }
}

int main(void)
{
    const char *folder = getenv("PICKLE_FIXTURES");
    char path[4096], *line = NULL, *fields[COLUMNS];
    size_t room = 0;
    FILE *table;

    snprintf(path, sizeof path, "%s/vectors/semantics/vectors.tsv", folder ? folder : "fixtures");
    table = fopen(path, "r");
    if (!table)
        return perror(path), 1;
    while (getline(&line, &room, table) > 0) {
        split(line, fields);
        if (line[0] != '#' && !strstr(fields[HEX], "...")) /* these are made in test_depth.c */
            run_vector(fields);
    }
    free(line);
    fclose(table);
    printf("1..%d\n", tests);
    return failures != 0;
}
