/* testmem.h - an allocator that counts, checks what it is told, and can be made to fail. */
#ifndef TESTMEM_H
#define TESTMEM_H

#include <pickle/types.h>

typedef struct memory {
    pickle_alloc alloc;
    size_t calls;   /* of alloc and realloc, so far */
    size_t fail_at; /* the call that fails; 0: none */
    size_t in_use;  /* bytes now                    */
    size_t peak;    /* bytes at most                */
} memory;

/* The `fail_at`-th call returns NULL. A size that is not what was allocated aborts. */
void memory_init(memory *m, size_t fail_at);

#endif
