/*
 * pandas.c - prints what frames and other values of pandas files hold, for test_pandas.py.
 *
 * usage: pandas FILE...
 *
 * The root of each file is a dict of values by name. For each a line of three fields: file, name,
 * "begin"; then what frames_describe says; where that fails, a line "bad".
 */
#include <inttypes.h>
#include <stdio.h>

#include "frames.h"

static bool write_stdout(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len;
}

static int describe_file(const char *path)
{
    const pickle_val *key, *value;
    pickle_error err;
    pickle_doc *doc = pickle_read_file(path, NULL, &err);

    if (!doc) {
        printf("%s\terror\tbyte %" PRIu64 ": %s\n", path, err.offset, err.message);
        return 1;
    }
    pickle_foreach (pickle_root(doc), key, value) {
        printf("%s\t%s\tbegin\n", path, pickle_str(key) ? pickle_str(key) : "?");
        if (!frames_describe(value, (pickle_sink){ write_stdout, stdout }))
            printf("bad\n");
    }
    pickle_doc_free(doc);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed |= describe_file(argv[i]);
    return failed;
}
