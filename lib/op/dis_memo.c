/* dis_memo.c - the disassembler's memo, a hash table: keys are sparse, and chosen by the input. */
#include "op/dis_memo.h"

struct pickle__memo_slot {
    int64_t num;
    char *digits; /* owned, `len` bytes */
    size_t len;
    pickle__known value; /* ABSENT: a free slot */
};

/* Where the table lies is not for the input to know, so that it cannot choose keys that collide. */
static uint64_t hash(const pickle_dis_memo *memo, pickle__memo_key key)
{
    uint64_t h = (uint64_t)(uintptr_t)memo->slots ^ (uint64_t)(uintptr_t)memo << 20;

    h = (h ^ (uint64_t)key.num) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; key.digits && i < key.len; i++)
        h = (h ^ h >> 32 ^ (unsigned char)key.digits[i]) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static bool same(const pickle__memo_slot *slot, pickle__memo_key key)
{
    if (!key.digits || !slot->digits)
        return !key.digits && !slot->digits && slot->num == key.num;
    return slot->len == key.len && memcmp(slot->digits, key.digits, key.len) == 0;
}

/* The slot of `key`, or the free one where it belongs. */
static pickle__memo_slot *locate(const pickle_dis_memo *memo, pickle__memo_key key)
{
    size_t i = (size_t)hash(memo, key) & (memo->size - 1);

    while (memo->slots[i].value.kind != PICKLE__KNOWN_ABSENT && !same(&memo->slots[i], key))
        i = (i + 1) & (memo->size - 1);
    return &memo->slots[i];
}

pickle__known *pickle__memo_find(const pickle_dis_memo *memo, pickle__memo_key key)
{
    pickle__memo_slot *slot;

    if (memo->count == 0)
        return NULL;
    slot = locate(memo, key);
    return slot->value.kind == PICKLE__KNOWN_ABSENT ? NULL : &slot->value;
}

static bool grow(pickle_dis_memo *memo)
{
    const pickle_dis_memo old = *memo;
    pickle__memo_slot *slots;
    size_t size = old.size ? old.size * 2 : 64, bytes;

    if (!pickle__mul(size, sizeof *slots, &bytes))
        return false;
    slots = pickle__alloc(memo->alloc, bytes);
    if (!slots)
        return false;
    memset(slots, 0, bytes);
    memo->slots = slots;
    memo->size = size;
    for (size_t i = 0; i < old.size; i++) {
        pickle__memo_slot *slot = &old.slots[i];
        pickle__memo_key key = { slot->num, slot->digits, slot->len };

        if (slot->value.kind != PICKLE__KNOWN_ABSENT)
            *locate(memo, key) = *slot;
    }
    pickle__free(memo->alloc, old.slots, old.size * sizeof *old.slots);
    return true;
}

bool pickle__memo_add(pickle_dis_memo *memo, pickle__memo_key key, pickle__known value)
{
    pickle__memo_slot slot = { .num = key.num, .value = value };

    if (memo->count >= memo->size / 2 && !grow(memo))
        return false;
    if (key.digits) {
        slot.digits = pickle__alloc(memo->alloc, key.len);
        if (!slot.digits)
            return false;
        memcpy(slot.digits, key.digits, key.len);
        slot.len = key.len;
    }
    *locate(memo, key) = slot;
    memo->count++;
    return true;
}

void pickle__memo_clear(pickle_dis_memo *memo)
{
    for (size_t i = 0; i < memo->size; i++)
        if (memo->slots[i].digits)
            pickle__free(memo->alloc, memo->slots[i].digits, memo->slots[i].len);
    pickle__free(memo->alloc, memo->slots, memo->size * sizeof *memo->slots);
    memo->slots = NULL;
    memo->size = memo->count = 0;
}

pickle_dis_memo *pickle_dis_memo_new(const pickle_alloc *alloc)
{
    pickle_dis_memo *memo = pickle__alloc(alloc, sizeof *memo);

    if (memo)
        *memo = (pickle_dis_memo){ .alloc = alloc };
    return memo;
}

void pickle_dis_memo_free(pickle_dis_memo *memo)
{
    if (!memo)
        return;
    pickle__memo_clear(memo);
    pickle__free(memo->alloc, memo, sizeof *memo);
}
