/* globals.c - classes and functions by name: Python 2 names, extension codes, persistent ids. */
#include "base/names.h"
#include "vm/vm.h"

/* ----------------------------------------------------------------- globals */

static bool map_names(pickle__vm *vm, pickle__global *g)
{
    const pickle_val *module = &g->module->v, *name = &g->name->v;
    const pickle__renaming *r = pickle__to_python3(pickle__text(module), pickle__len(module),
                                                   pickle__text(name), pickle__len(name));

    if (!r)
        return true;
    g->module = pickle__new_text(vm->doc, r->new_module, strlen(r->new_module));
    if (r->new_name && strcmp(r->new_name, r->name) != 0)
        g->name = pickle__new_text(vm->doc, r->new_name, strlen(r->new_name));
    return g->module && g->name;
}

static void note_library(pickle__traits *t, const pickle__str *module)
{
    const char *m = pickle__text(&module->v);

    if (strncmp(m, "numpy.core", 10) == 0 && (m[10] == '\0' || m[10] == '.'))
        t->numpy_old = true;
    else if (strncmp(m, "numpy._core", 11) == 0 && (m[11] == '\0' || m[11] == '.'))
        t->numpy_new = true;
}

static bool deny(pickle__vm *vm, const pickle_val *g)
{
    char module[80], name[80];

    return pickle__vm_fail(
        vm, PICKLE_ERR_DENIED, "%s.%s was refused",
        pickle__escape(module, sizeof module, pickle_module(g), strlen(pickle_module(g))),
        pickle__escape(name, sizeof name, pickle_name(g), strlen(pickle_name(g))));
}

pickle_val *pickle__vm_global(pickle__vm *vm, pickle__str *module, pickle__str *name)
{
    pickle__global *g = pickle__arena_take(&vm->doc->arena, sizeof *g);

    if (g) {
        g->s = (pickle__symbol){ { PICKLE_GLOBAL }, NULL };
        g->module = g->raw_module = module;
        g->name = g->raw_name = name;
    }
    if (!g || (vm->proto < 3 && vm->set->fix_imports && !map_names(vm, g))) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    note_library(&vm->doc->traits, g->module);
    if (pickle_is_global(&g->s.v, "_codecs", "encode") ||
        pickle_is_global(&g->s.v, "builtins", "bytes"))
        g->s.v.tag |= PICKLE__FOLDS;
    if (vm->hooks && vm->hooks->wants(&g->s.v))
        g->s.v.tag |= PICKLE__HOOKED;
    if (vm->set->on_global && vm->set->on_global(vm->set->ctx, pickle_module(&g->s.v),
                                                 pickle_name(&g->s.v)) == PICKLE_DENY) {
        deny(vm, &g->s.v);
        return NULL;
    }
    return &g->s.v;
}

static pickle__str *line_str(pickle__vm *vm, const unsigned char *text, size_t len, bool ascii)
{
    pickle__text_error e;
    pickle__str *s;
    unsigned flags;

    if (len == 0) {
        pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the module or the name is empty");
        return NULL;
    }
    s = pickle__new_str(vm->doc, len);
    if (!s) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    if (!pickle__utf8_copy(s->text, text, len, &flags, &e) || flags & PICKLE__TEXT_SURROGATES ||
        (ascii && flags & PICKLE__TEXT_NONASCII)) {
        pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the module or the name is no %s",
                        ascii ? "ASCII" : "UTF-8");
        return NULL;
    }
    return s;
}

pickle_val *pickle__vm_global_lines(pickle__vm *vm, const unsigned char *module, size_t module_len,
                                    const unsigned char *name, size_t name_len, bool ascii)
{
    pickle__str *m = line_str(vm, module, module_len, ascii);
    pickle__str *n = m ? line_str(vm, name, name_len, ascii) : NULL;

    return n ? pickle__vm_global(vm, m, n) : NULL;
}

/* --------------------------------------------- extension codes, persistent ids */

static pickle_val *new_ref(pickle__vm *vm, pickle_kind kind, pickle_val *id)
{
    pickle__ref *r = pickle__arena_take(&vm->doc->arena, sizeof *r);

    if (!r) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    r->s = (pickle__symbol){ { (uint64_t)kind }, NULL };
    r->id = id;
    return &r->s.v;
}

static const pickle_extension *find_extension(const pickle__settings *set, int64_t code)
{
    for (size_t i = 0; i < set->n_extensions; i++)
        if (set->extensions[i].code == code)
            return &set->extensions[i];
    return NULL;
}

pickle_val *pickle__vm_extension(pickle__vm *vm, int64_t code)
{
    const pickle_extension *e = find_extension(vm->set, code);
    pickle__str *module, *name;
    pickle_val *g;

    if (code <= 0) {
        pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "an extension code must be above 0");
        return NULL;
    }
    if (!e && vm->set->strict) {
        pickle__vm_fail(vm, PICKLE_ERR_MISSING, "extension code %lld is in no registry",
                        (long long)code);
        return NULL;
    }
    if (!e) {
        pickle__vm_warn(vm, PICKLE_ERR_MISSING, "extension code %lld is in no registry",
                        (long long)code);
        return new_ref(vm, PICKLE_EXT, pickle__small(code));
    }
    module = pickle__new_text(vm->doc, e->module, strlen(e->module));
    name = pickle__new_text(vm->doc, e->name, strlen(e->name));
    if (!module || !name) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    g = pickle__vm_global(vm, module, name);
    if (g)
        g->tag |= PICKLE__BY_EXT | (uint64_t)code << PICKLE__LEN_SHIFT;
    return g;
}

pickle_val *pickle__vm_persid(pickle__vm *vm, pickle_val *id)
{
    pickle_val *ref;

    if (!vm->set->on_persid) {
        if (vm->set->strict) {
            pickle__vm_fail(vm, PICKLE_ERR_MISSING, "there is nothing to resolve persistent ids");
            return NULL;
        }
    } else if (vm->set->on_persid(vm->set->ctx, id) == PICKLE_DENY) {
        pickle__vm_fail(vm, PICKLE_ERR_DENIED, "a persistent id was refused");
        return NULL;
    }
    ref = new_ref(vm, PICKLE_PERSID, id);
    return !ref || !vm->hooks || vm->hooks->persid(vm, ref) ? ref : NULL;
}
