/* table.h - the tab-separated tables that Python wrote, for tests to go through. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_FIELDS 8

typedef struct table {
    const char *name;
    FILE *file;
    char *line;
    size_t size;
    int row; /* as editors count lines */
    int fields;
    const char *field[TABLE_FIELDS];
} table;

/* Opens tests/tables/NAME; the test fails if it cannot be read. */
void table_open(table *t, const char *name);
/* The next row; false at the end, when the table is closed. */
bool table_next(table *t);

/*
 * The bytes of a field, percent-encoded or hexadecimal in the table. The caller
 * frees them; they end where the block ends, so that sanitizers see a read too far.
 */
unsigned char *table_bytes(const table *t, int i, size_t *len);
unsigned char *table_hex(const table *t, int i, size_t *len);

/* What the field says has failed: the text after "!", or NULL. */
const char *table_failure(const table *t, int i);
/* The 64 bits of a double. */
uint64_t table_bits(const table *t, int i);

#endif
