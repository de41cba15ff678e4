/* files.c - going through the fixtures. */
#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pickle/version.h>

const char *files_folder(void)
{
    const char *folder = getenv("PICKLE_FIXTURES");

    return folder ? folder : "fixtures";
}

bool files_codec(const char *name)
{
    const char *const *feature = pickle_features();

    while (*feature && strcmp(*feature, name) != 0)
        feature++;
    return *feature != NULL;
}

unsigned char *files_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    unsigned char *data = NULL;
    struct stat st;

    if (!file)
        return NULL;
    if (stat(path, &st) == 0 && (data = malloc((size_t)st.st_size + 1)) != NULL) {
        *size = (size_t)st.st_size;
        if (fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool visit_file(const char *path,
                       bool (*visit)(void *, const char *, unsigned char *, size_t), void *ctx)
{
    size_t size;
    unsigned char *data = files_read(path, &size);
    bool ok = !data || visit(ctx, path, data, size);

    free(data);
    return ok;
}

bool files_each(const char *folder, bool (*visit)(void *, const char *, unsigned char *, size_t),
                void *ctx)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, not_hidden, alphasort);
    bool ok = true;

    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;

        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (ok && stat(path, &st) == 0)
            ok = S_ISDIR(st.st_mode)   ? files_each(path, visit, ctx)
                 : S_ISREG(st.st_mode) ? visit_file(path, visit, ctx)
                                       : true;
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return ok;
}
