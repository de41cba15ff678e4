/*
 * save.h - a pickler from the inside.
 *
 * save.c walks the graph without recursion and writes each value as the
 * protocol has it. What no opcode of the protocol says is written as a call;
 * where CPython's objects reduce themselves in another way for another protocol,
 * reshape.c and arrays.c put a value of that shape in the place of the one that
 * was read. Nodes made for that belong to `scratch`.
 */
#ifndef PICKLE__SAVE_H
#define PICKLE__SAVE_H

#include "graph/key.h"
#include "graph/slots.h"
#include "op/emit.h"
#include "pickler/memo.h"
#include "pickler/pickler.h"

/* What a value that has been begun does next. */
typedef enum pickle__step {
    PICKLE__TUPLE_ITEMS,
    PICKLE__FROZENSET_ITEMS,
    PICKLE__INST_ITEMS, /* the arguments of INST and OBJ, which are no tuple there */
    PICKLE__BATCHES,    /* of a list, dict or set, or of an object's */
    PICKLE__CALLABLE,
    PICKLE__ARGS,
    PICKLE__KWARGS,
    PICKLE__CALL,
    PICKLE__CHANGES,
    PICKLE__BUILD,
    PICKLE__SETTER,   /* setter(object, state), as __reduce__ may ask for */
    PICKLE__POP_CALL, /* any other call whose result is thrown away      */
    PICKLE__PERSID_ID,
    PICKLE__PERSID
} pickle__step;

typedef struct pickle__task {
    pickle_val *v;
    pickle_val *const *items;
    size_t at, upto, n;           /* items saved, in this batch, in all */
    const pickle__change *change; /* the last that was begun            */
    uint8_t step;                 /* pickle__step                       */
    uint8_t kind;                 /* BATCHES: PICKLE_LIST, _DICT, _SET  */
    uint8_t close;                /* the opcode that ends the batch     */
    bool exact;                   /* as the C pickler does with exact containers */
} pickle__task;

/* What was made, by its text: globals, and strings that CPython interns. */
typedef struct pickle__names {
    struct pickle__name {
        pickle__digest digest;
        pickle_val *v; /* NULL: free */
    } * slots;
    size_t count, room;
} pickle__names;

/* Memo key + 1 of the strings and bytes of one character, and at the end of those of none. */
typedef struct pickle__singles {
    uint64_t chars[257], bytes[257];
} pickle__singles;

typedef struct pickle__pickler pickle__pickler;

struct pickle__pickler {
    pickle_emitter *e;
    int protocol; /* e->protocol, at hand */
    bool keep;    /* shapes and memo as they were read: nothing asks for anything else */
    bool exact_lists, exact_tables; /* batches of C picklers: see BATCHES */
    bool py2;                       /* str of Python 2 is written as such          */
    bool old_text;                  /* UNICODE as Python 2 and 3.6 write it       */
    bool old_ints;                  /* protocol 0 of Python 3.6 has LONG for all of them */
    bool fix_imports;
    bool optimize; /* only what stands in several places is memoized */
    bool joblib;   /* arrays become wrappers                         */
    /*
     * What stands in one place of the document is met once, and only SHARED values are looked up
     * in the memo. From where this is set on all are, but tuples and LOOSE ones, as they may be
     * met twice:
     *
     *   - below a shared tuple, frozenset or object, which is in the memo only when its parts are
     *     done. If they lead to it, they are met again below it. In a document that was read, a
     *     GET has marked one of them as SHARED; in one that was made or edited in C nothing has,
     *   - below a shared set that is written as a call, for the same reason,
     *   - in keywords, where a call gets a copy of their dict.
     */
    bool reenters;
    bool rewrap;       /* the wrappers that were read, too               */
    int layout;        /* of joblib: 10, 12, 15                          */
    int nested;        /* protocol of arrays of objects                  */
    const char *numpy; /* "numpy.core" or "numpy._core" */
    pickle__memo_table memo;
    pickle__map shapes; /* what stands in the place of a value */
    pickle__names names;
    pickle__singles *singles; /* NULL: none so far */
    pickle__task *tasks;      /* at first the caller's */
    bool own_tasks;
    size_t depth, room;
    const pickle_doc *doc;
    pickle_doc *scratch; /* NULL: not yet needed */
    const pickle_write_opts *opts;
    uint64_t next_report;
};

/* --------------------------------------------------------------- save.c */

/* Write `v`, or begin to: then a task does the rest. */
void pickle__save_value(pickle__pickler *p, pickle_val *v);
/* Write the root and everything under it, from PROTO to STOP. */
void pickle__save_pickle(pickle__pickler *p, pickle_val *root);
/* The emitter fails at the value being saved. Returns false. */
PICKLE__COLD bool pickle__save_fail(pickle__pickler *p, pickle_status code, const char *format, ...)
    PICKLE__PRINTF(3, 4);
PICKLE__COLD bool pickle__save_no_memory(pickle__pickler *p);
/* Store what was just written in the memo, where it belongs there. */
void pickle__save_put(pickle__pickler *p, const pickle_val *v);
/* Likewise for what Python made for a moment, and will not meet again. */
void pickle__save_put_temporary(pickle__pickler *p);
/* What was stored: written as GET, and true. */
bool pickle__save_get(pickle__pickler *p, const pickle_val *v);
/* Likewise for one value that stands for others, whether or not it is SHARED itself; it was noted
 * after it had been put. */
bool pickle__save_get_any(pickle__pickler *p, const pickle_val *v);
void pickle__save_note(pickle__pickler *p, const pickle_val *v);
/* TUPLE1, 2, 3 or TUPLE with its MARK `n` items ago: see pickle__save_mark. */
void pickle__save_mark(pickle__pickler *p, size_t n);
void pickle__save_tuple(pickle__pickler *p, size_t n);

/* --------------------------------------------------------------- path.c */

/* Where the pickler is, as a path from the root: "steps[1][1].coef_". */
void pickle__save_path(const pickle__pickler *p, char *out, size_t size);

/* ------------------------------------------------------------- globals.c */

void pickle__save_global(pickle__pickler *p, pickle_val *global);
/* The global of that name in Python 3; the one of the document, if there is one. NULL: failed. */
pickle_val *pickle__save_named(pickle__pickler *p, const char *module, const char *name);
/* The node that stands for all globals of that name. */
pickle_val *pickle__save_canonical(pickle__pickler *p, pickle_val *global);
/* One str for each text. NULL: failed. */
pickle_val *pickle__save_interned(pickle__pickler *p, const char *text, size_t len);
/* Module and name as the protocol writes them. */
void pickle__save_names(const pickle__pickler *p, const pickle_val *global, const char **module,
                        size_t *module_len, const char **name, size_t *name_len);

/* -------------------------------------------------------------- plain.c */

/* Values for which protocols may have no opcode, and no memo entry yet. */
void pickle__save_str(pickle__pickler *p, pickle_val *v);
void pickle__save_bytes(pickle__pickler *p, const pickle_val *v);
void pickle__save_bytearray(pickle__pickler *p, const pickle_val *v);
void pickle__save_buffer(pickle__pickler *p, const pickle_val *v);
void pickle__save_int(pickle__pickler *p, const pickle_val *v);

/* ------------------------------------------------------ reshape.c, arrays.c */

/* What CPython would have in the place of `v` for this protocol and container; `v` itself where
 * that is the same. NULL: failed. */
pickle_val *pickle__reshape(pickle__pickler *p, pickle_val *v);
/* A set or frozenset as a call, below protocol 4. */
pickle_val *pickle__set_as_call(pickle__pickler *p, pickle_val *set);
/* Likewise an array, if `object` is one. */
pickle_val *pickle__reshape_array(pickle__pickler *p, pickle_val *object);
/* REDUCE or another call, made for writing. NULL: failed. */
pickle_val *pickle__scratch_call(pickle__pickler *p, pickle_call how, pickle_val *callable,
                                 pickle_val *args);
pickle_val *pickle__scratch_tuple(pickle__pickler *p, size_t n, pickle_val *const *items);
pickle_doc *pickle__scratch(pickle__pickler *p);

/* ------------------------------------------------- pickler.c, payload.c */

/* What the pickler allocated. */
void pickle__pickler_free(pickle__pickler *p);

/* What stands behind joblib's wrapper: raw data, or a pickle of its own. */
void pickle__save_payload(pickle__pickler *p, const pickle_val *wrapper, const pickle_val *data);
void pickle__save_nested(pickle__pickler *p, pickle_val *root);

#endif
