/* table.c - reading the tables. */
#include "table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

void table_open(table *t, const char *name)
{
    const char *folder = getenv("PICKLE_TABLES");
    char path[4096];

    memset(t, 0, sizeof *t);
    t->name = name;
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "tests/tables", name);
    t->file = fopen(path, "r");
    ck_assert_msg(t->file != NULL, "cannot open %s (PICKLE_TABLES names its folder)", path);
}

static void split(table *t)
{
    char *at = t->line;

    t->fields = 0;
    t->line[strcspn(t->line, "\n")] = '\0';
    for (char *next; at && t->fields < TABLE_FIELDS; at = next) {
        next = strchr(at, '\t');
        if (next)
            *next++ = '\0';
        t->field[t->fields++] = at;
    }
}

bool table_next(table *t)
{
    do {
        if (getline(&t->line, &t->size, t->file) < 0) {
            ck_assert_msg(t->row > 1, "%s is empty", t->name);
            fclose(t->file);
            free(t->line);
            return false;
        }
        t->row++;
    } while (t->line[0] == '#');
    split(t);
    return true;
}

static unsigned char hex_pair(const char *text)
{
    char digits[3] = { text[0], text[1], '\0' };

    return (unsigned char)strtoul(digits, NULL, 16);
}

/* Where a field begins that may be empty. */
static const char *start_of(const table *t, int i)
{
    return strcmp(t->field[i], "-") == 0 ? "" : t->field[i];
}

unsigned char *table_bytes(const table *t, int i, size_t *len)
{
    const char *text = start_of(t, i);
    unsigned char *bytes = malloc(strlen(text) + 1);

    for (*len = 0; *text; ++*len) {
        bool encoded = *text == '%';

        bytes[*len] = encoded ? hex_pair(text + 1) : (unsigned char)*text;
        text += encoded ? 3 : 1;
    }
    return realloc(bytes, *len ? *len : 1);
}

unsigned char *table_hex(const table *t, int i, size_t *len)
{
    const char *text = start_of(t, i);
    unsigned char *bytes;

    *len = strlen(text) / 2;
    bytes = malloc(*len ? *len : 1);
    for (size_t k = 0; k < *len; k++)
        bytes[k] = hex_pair(text + 2 * k);
    return bytes;
}

const char *table_failure(const table *t, int i)
{
    return t->field[i][0] == '!' ? t->field[i] + 1 : NULL;
}

uint64_t table_bits(const table *t, int i)
{
    return strtoull(t->field[i], NULL, 16);
}
