/* samples.c - the input of a model: arrays, tables and texts, in whatever file. */
#include <string.h>

#include "output.h"
#include "samples.h"

/* Does it begin as no text does: .npy, archives, pickles of protocol 2 and later, compressed data?
 * Pickles of protocols 0 and 1 are text as good as any other. */
static bool is_binary(const unsigned char *data, size_t size)
{
    static const struct {
        const char *magic;
        size_t len;
    } starts[] = {
        { "\x93NUMPY", 6 },
        { "PK\x03\x04", 4 },
        { "\x80", 1 },
        { "\x1f\x8b", 2 },
        { "BZh", 3 },
        { "\xfd"
          "7zXZ",
          5 },
        { "\x04\x22\x4d\x18", 4 },
        { "\x28\xb5\x2f\xfd", 4 },
        { "\x78\x01", 2 },
        { "\x78\x5e", 2 },
        { "\x78\x9c", 2 },
        { "\x78\xda", 2 },
        { "\x5d\x00\x00", 3 },
    };

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (size >= starts[i].len && memcmp(data, starts[i].magic, starts[i].len) == 0)
            return true;
    }
    return false;
}

static bool open_document(samples *s, const char *file, const char *path, reading *r, int *status)
{
    const pickle_val *v;
    pickle_error err;

    s->doc = input_read(file, &s->contents, r, status);
    if (!s->doc)
        return false;
    v = path ? pickle_find(pickle_root(s->doc), path) : pickle_root(s->doc);
    if (!v) {
        complain(file, "there is no %s", path);
        *status = EXIT_ABSENT;
        return false;
    }
    s->table = pickle_table_read(v, &err);
    if (!s->table) {
        complain(file, "%s", err.message);
        *status = EXIT_ABSENT;
        return false;
    }
    s->batch = *pickle_table_batch(s->table);
    return true;
}

bool samples_open(samples *s, const char *file, const char *path, bool lines, csv_header header,
                  reading *r, int *status)
{
    pickle_error err;
    const char *text;
    bool ok;

    memset(s, 0, sizeof *s);
    *status = EXIT_TROUBLE;
    if (!contents_open(&s->contents, file, &err)) {
        complain_error(file, &err);
        return false;
    }
    text = s->contents.data;
    if (is_binary(s->contents.data, s->contents.size))
        return open_document(s, file, path, r, status);
    ok = lines ? csv_read_lines(&s->csv, text, s->contents.size, &err)
               : csv_read(&s->csv, text, s->contents.size, header, &err);
    if (!ok)
        complain(file, "%s", err.message);
    s->batch = s->csv.batch;
    return ok;
}

void samples_close(samples *s)
{
    csv_free(&s->csv);
    pickle_table_free(s->table);
    pickle_doc_free(s->doc);
    contents_close(&s->contents);
}
