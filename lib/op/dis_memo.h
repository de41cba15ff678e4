/* dis_memo.h - the disassembler's memo: the keys that are taken, and what is known of values. */
#ifndef PICKLE__DIS_MEMO_H
#define PICKLE__DIS_MEMO_H

#include "op/trace.h"

/* A key is an integer of any size: beyond int64 by its decimal digits. */
typedef struct pickle__memo_key {
    int64_t num;
    const char *digits; /* NULL: num is the key */
    size_t len;
} pickle__memo_key;

typedef struct pickle__memo_slot pickle__memo_slot;

/* Zero, but for `alloc`, is an empty memo. */
struct pickle_dis_memo {
    pickle__memo_slot *slots; /* hash table, open addressing */
    size_t size;              /* a power of two, or 0        */
    size_t count;
    const pickle_alloc *alloc;
};

/* NULL if the key is not taken. */
pickle__known *pickle__memo_find(const pickle_dis_memo *memo, pickle__memo_key key);
/* Add a key that is not there; false when memory runs out. */
bool pickle__memo_add(pickle_dis_memo *memo, pickle__memo_key key, pickle__known value);
void pickle__memo_clear(pickle_dis_memo *memo);

#endif
