/* files.h - going through the fixtures. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>

/* The folder of the fixtures: $PICKLE_FIXTURES, else "fixtures". */
const char *files_folder(void);

/* Is this codec among pickle_features()? */
bool files_codec(const char *name);

/* The content of a file, in memory of its own; NULL: it cannot be read. */
unsigned char *files_read(const char *path, size_t *size);

/*
 * Calls `visit` for each regular file under `folder`, in sorted order, with its
 * path and its content, which may be changed. Stops when it returns false.
 */
bool files_each(const char *folder,
                bool (*visit)(void *ctx, const char *path, unsigned char *data, size_t size),
                void *ctx);

#endif
