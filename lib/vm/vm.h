/*
 * vm.h - the pickle machine: opcodes in, a graph out. It executes nothing: what
 * Python would call becomes an object node.
 *
 * A machine is kept with its document and used again, for the memory of its
 * stack and memo. One run reads one pickle.
 */
#ifndef PICKLE__VM_H
#define PICKLE__VM_H

#include "base/io.h"
#include "base/text.h"
#include "graph/doc.h"

#include <pickle/opcode.h>

typedef struct pickle__vm pickle__vm;

/* What the layers above do with instances of some classes, and with references to the outside.
 * False: it failed, and filled vm->err. */
typedef struct pickle__vm_hooks {
    bool (*wants)(const pickle_val *global);            /* of which classes and functions */
    bool (*built)(pickle__vm *vm, pickle_val *object);  /* after BUILD on an instance     */
    bool (*called)(pickle__vm *vm, pickle_val *object); /* after REDUCE by one            */
    bool (*persid)(pickle__vm *vm, pickle_val *ref);    /* after each persistent id       */
} pickle__vm_hooks;

/* Bytes of memory that a byte of input justifies, by default. */
#define PICKLE__MEMORY_FACTOR 64

/* What pickle_read_opts says, resolved. */
typedef struct pickle__settings {
    bool strict, fix_imports, keep_memo;
    bool limit_follows; /* limits.memory_bytes was left to its default */
    pickle__encoding encoding;
    pickle__on_error on_error;
    uint64_t int_digits;
    const pickle_buffer *buffers;
    size_t n_buffers;
    const pickle_extension *extensions;
    size_t n_extensions;
    /* A file in the folder of the input, as memory that lasts: MISSING when there is none, DENIED
     * for names that lead elsewhere. */
    pickle_status (*beside)(pickle_doc *doc, const char *name, size_t len, pickle__source *out,
                            pickle_error *err);
    pickle_verdict (*on_global)(void *ctx, const char *module, const char *name);
    pickle_verdict (*on_persid)(void *ctx, const pickle_val *pid);
    void (*on_warning)(void *ctx, const pickle_error *warning);
    bool (*on_progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
} pickle__settings;

/* The memo: dense where keys are, sparse where they are far from each other. */
typedef struct pickle__vm_memo {
    pickle_val **dense; /* keys below `high`; NULL: never stored */
    size_t high, room;
    size_t count; /* keys stored: the next MEMOIZE takes this one */
    struct pickle__vm_memo_entry {
        uint64_t key;
        pickle_val *v; /* NULL: free */
    } * sparse;
    size_t n_sparse, slots;
} pickle__vm_memo;

struct pickle__vm {
    pickle__source *src;
    const unsigned char *op_at; /* the opcode being executed; NULL: see op_offset */
    pickle_val **sp, **fence;   /* top; the lowest item an opcode may reach     */
    pickle_val **stack, **stack_end;
    pickle_doc *doc;
    pickle__vm_memo memo;
    size_t *marks; /* stack heights */
    size_t n_marks, marks_room;
    uint64_t op_offset; /* and opcode, once the window has moved        */
    unsigned char opcode;
    uint64_t frame_end;   /* of the last FRAME                      */
    uint64_t next_report; /* offset where the progress hook is due */
    int proto;
    bool stopped;
    const pickle__settings *set;
    const pickle__vm_hooks *hooks; /* NULL: none */
    size_t next_buffer;
    pickle_error *err;
    pickle__vm *nested; /* for pickles inside of this one; NULL: not yet needed */
};

void pickle__vm_init(pickle__vm *vm, pickle_doc *doc);
/* Gives back the memory of stack and memo; the machine can run again. */
void pickle__vm_free(pickle__vm *vm);

/*
 * Read one pickle from `src` and give its value; the source then stands behind
 * STOP. NULL: `err` is filled. doc->protocol and doc->traits are updated.
 */
pickle_val *pickle__vm_run(pickle__vm *vm, pickle__source *src, const pickle__settings *set,
                           const pickle__vm_hooks *hooks, pickle_error *err);

/* Ready to take payloads and nested pickles from `src`, and to fail there, without running. */
void pickle__vm_start(pickle__vm *vm, pickle__source *src, const pickle__settings *set,
                      const pickle__vm_hooks *hooks, pickle_error *err);
/* From a hook: give what `read` makes of another source, to which vm->src is set meanwhile. */
pickle_val *pickle__vm_read_aside(pickle__vm *vm, pickle__source *src,
                                  pickle_val *(*read)(pickle__vm *vm, const void *ctx),
                                  const void *ctx);

/* ------------------------------------------- between the files of this layer */

/* Fills vm->err, at the opcode being executed; returns false. */
PICKLE__COLD bool pickle__vm_fail(pickle__vm *vm, pickle_status code, const char *format, ...)
    PICKLE__PRINTF(3, 4);
/* The document could not get memory: NOMEM or LIMIT. */
PICKLE__COLD bool pickle__vm_no_memory(pickle__vm *vm);
/* The input ends, or could not be read. */
PICKLE__COLD bool pickle__vm_truncated(pickle__vm *vm);
void pickle__vm_warn(pickle__vm *vm, pickle_status code, const char *format, ...)
    PICKLE__PRINTF(3, 4);
/* At least `n` bytes into the window; tells the progress hook, which may cancel. */
#define PICKLE__PROGRESS_STEP ((size_t)4 << 20)
bool pickle__vm_refill(pickle__vm *vm, size_t n);

/*
 * Read the pickle that follows in the input, as pickle.load() would: by itself,
 * with a memo of its own, no hooks and no buffers. NULL: vm->err is filled.
 */
pickle_val *pickle__vm_run_nested(pickle__vm *vm);
/* `n` bytes of the input that last as long as the document; NULL: vm->err is filled. */
const unsigned char *pickle__vm_take_bytes(pickle__vm *vm, uint64_t n);
/* Likewise for array data, which do not count against limits.memory_bytes. */
const unsigned char *pickle__vm_take_payload(pickle__vm *vm, uint64_t n);

void pickle__vm_memo_clear(pickle__vm *vm);
bool pickle__vm_memo_put(pickle__vm *vm, uint64_t key, pickle_val *v);
pickle_val *pickle__vm_memo_get(const pickle__vm *vm, uint64_t key);

/* One value of a text operand; NULL: vm->err is filled. */
pickle_val *pickle__vm_int_line(pickle__vm *vm, const unsigned char *text, size_t len);
pickle_val *pickle__vm_long_line(pickle__vm *vm, const unsigned char *text, size_t len);
pickle_val *pickle__vm_float_line(pickle__vm *vm, const unsigned char *text, size_t len);
pickle_val *pickle__vm_string_line(pickle__vm *vm, const unsigned char *text, size_t len);
pickle_val *pickle__vm_unicode_line(pickle__vm *vm, const unsigned char *text, size_t len);
bool pickle__vm_memo_line(pickle__vm *vm, const unsigned char *text, size_t len, uint64_t *key);
/* A Python 2 str; `data` lasts as long as the document. */
pickle_val *pickle__vm_py2_str(pickle__vm *vm, const unsigned char *data, size_t len);

/* module.name as a GLOBAL, mapped and passed by the hook. */
pickle_val *pickle__vm_global(pickle__vm *vm, pickle__str *module, pickle__str *name);
/* Likewise from two lines: UTF-8 for GLOBAL, ASCII for INST. */
pickle_val *pickle__vm_global_lines(pickle__vm *vm, const unsigned char *module, size_t module_len,
                                    const unsigned char *name, size_t name_len, bool ascii);
pickle_val *pickle__vm_extension(pickle__vm *vm, int64_t code);
pickle_val *pickle__vm_persid(pickle__vm *vm, pickle_val *id);

/* What opcodes do to values that are no plain containers, or not only. */
pickle_val *pickle__vm_call(pickle__vm *vm, pickle_call how, pickle_val *callable, pickle_val *args,
                            pickle_val *kwargs);
bool pickle__vm_build(pickle__vm *vm, pickle_val *object, pickle_val *state);
/* A call's result is thrown away, and `below` is then on top. */
bool pickle__vm_popped(pickle__vm *vm, pickle_val *below, pickle_val *call);
bool pickle__vm_append_other(pickle__vm *vm, pickle_val *to, pickle_val *const *items, size_t n);
bool pickle__vm_set_other(pickle__vm *vm, pickle_val *on, pickle_val *const *items, size_t n);
bool pickle__vm_add_other(pickle__vm *vm, pickle_val *to, pickle_val *const *items, size_t n);
pickle_val *pickle__vm_next_buffer(pickle__vm *vm);
pickle_val *pickle__vm_readonly(pickle__vm *vm, pickle_val *v);
/* All keys among the items (every `step`-th) can be keys. */
bool pickle__vm_check_keys(pickle__vm *vm, pickle_val *const *items, size_t n, size_t step);

#endif
