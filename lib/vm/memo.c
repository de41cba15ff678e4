/*
 * memo.c - the memo. Keys are 0, 1, 2, ... in what picklers write, and anything in
 * what others write: LONG_BINPUT 0xffffffff takes one entry, not a table of 2^32.
 */
#include "vm/vm.h"

/* The dense part may be this much larger than what was stored calls for. */
#define DENSE_SLACK 1024

typedef struct pickle__vm_memo_entry entry;

void pickle__vm_memo_clear(pickle__vm *vm)
{
    pickle__vm_memo *m = &vm->memo;

    m->high = 0;
    m->count = 0;
    if (m->n_sparse == 0)
        return;
    /* Given back, so that clearing costs what the pickle before it used. */
    pickle__arena_hold(&vm->doc->arena, m->sparse, m->slots * sizeof *m->sparse, 0);
    m->sparse = NULL;
    m->slots = m->n_sparse = 0;
}

/* ------------------------------------------------------------------ sparse */

/* Keys come from the input: under a secret, they cannot be chosen to collide. */
static size_t hash(const pickle_doc *doc, uint64_t key)
{
    uint64_t x = (key ^ pickle__doc_seed(doc)) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (size_t)(x ^ x >> 32);
}

static entry *slot_of(const pickle_doc *doc, entry *table, size_t slots, uint64_t key)
{
    size_t i = hash(doc, key) & (slots - 1);

    while (table[i].v && table[i].key != key)
        i = (i + 1) & (slots - 1);
    return &table[i];
}

static bool grow_sparse(pickle__vm *vm)
{
    pickle__vm_memo *m = &vm->memo;
    size_t slots = m->slots ? m->slots * 2 : 64;
    entry *table = pickle__arena_hold(&vm->doc->arena, NULL, 0, slots * sizeof *table);

    if (!table)
        return false;
    memset(table, 0, slots * sizeof *table);
    for (size_t i = 0; i < m->slots; i++)
        if (m->sparse[i].v)
            *slot_of(vm->doc, table, slots, m->sparse[i].key) = m->sparse[i];
    pickle__arena_hold(&vm->doc->arena, m->sparse, m->slots * sizeof *table, 0);
    m->sparse = table;
    m->slots = slots;
    return true;
}

static bool put_sparse(pickle__vm *vm, uint64_t key, pickle_val *v)
{
    pickle__vm_memo *m = &vm->memo;
    entry *e;

    if ((m->n_sparse + 1) * 2 > m->slots && !grow_sparse(vm))
        return false;
    e = slot_of(vm->doc, m->sparse, m->slots, key);
    if (!e->v) {
        e->key = key;
        m->n_sparse++;
        m->count++;
    }
    e->v = v;
    return true;
}

static pickle_val *get_sparse(const pickle__vm *vm, uint64_t key)
{
    const pickle__vm_memo *m = &vm->memo;

    return m->n_sparse ? slot_of(vm->doc, m->sparse, m->slots, key)->v : NULL;
}

/* ------------------------------------------------------------------- dense */

static bool grow_dense(pickle__vm *vm, uint64_t key)
{
    pickle__vm_memo *m = &vm->memo;
    size_t room = m->room ? m->room * 2 : 256;
    pickle_val **dense;

    while (room <= key)
        room *= 2;
    dense = pickle__arena_hold(&vm->doc->arena, m->dense, m->room * sizeof *dense,
                               room * sizeof *dense);
    if (!dense)
        return false;
    m->dense = dense;
    m->room = room;
    return true;
}

bool pickle__vm_memo_put(pickle__vm *vm, uint64_t key, pickle_val *v)
{
    pickle__vm_memo *m = &vm->memo;

    if (key >= m->high && key > 2 * (uint64_t)m->count + DENSE_SLACK)
        return put_sparse(vm, key, v);
    if (key >= m->room && !grow_dense(vm, key))
        return false;
    while (m->high <= key)
        m->dense[m->high++] = NULL;
    if (!m->dense[key] && !get_sparse(vm, key))
        m->count++;
    m->dense[key] = v; /* hides an older entry in the sparse part */
    return true;
}

pickle_val *pickle__vm_memo_get(const pickle__vm *vm, uint64_t key)
{
    if (key < vm->memo.high && vm->memo.dense[key])
        return vm->memo.dense[key];
    return get_sparse(vm, key);
}
