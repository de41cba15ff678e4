/* container.h - what the input is: a pickle, bare or compressed, or something that holds one. */
#ifndef PICKLE__CONTAINER_H
#define PICKLE__CONTAINER_H

#include "codec/archive.h"
#include "file/input.h"

/* The first bytes tell what the input is compressed with; put a reader for it in between. `size` is
 * that of the compressed bytes, 0 if not known. */
bool pickle__inflate_input(pickle_doc *doc, uint64_t size, pickle_error *err);

/* What stands in the input becomes the document's value. */
bool pickle__read_contents(pickle_doc *doc, pickle_error *err);
/* Bytes at the start that tell a zip, and a tar by its first header. */
#define PICKLE__ARCHIVE_START 512

/* What stands around it, the outermost first. */
void pickle__add_layer(pickle__input *in, const char *name);
/* "torch", to which the layers are added: "torch+gzip". */
bool pickle__name_container(pickle_doc *doc, const char *name, pickle_error *err);
/* The pickle at which the source stands does, whatever follows it. */
bool pickle__read_pickle(pickle_doc *doc, pickle_error *err);

/* Likewise, where something was read before: an array or a pickle. */
bool pickle__read_next(pickle_doc *doc, pickle_error *err);

/* If the input is a zip or tar in which a pickle stands, the pickle takes its place. */
bool pickle__enter_archive(pickle_doc *doc, pickle_error *err);
/* Zip and tar; all of the input is in memory. */
bool pickle__read_zip(pickle_doc *doc, pickle_error *err);
bool pickle__read_tar(pickle_doc *doc, pickle_error *err);

/* Text, or bytes where it is no UTF-8; copied. NULL: no memory. */
pickle_val *pickle__new_name(pickle_doc *doc, const void *name, size_t len);

/* What `size` compressed bytes may inflate to; and what all members of an archive may take. */
uint64_t pickle__inflate_limit(const pickle__input *in, uint64_t size);
pickle__quota pickle__archive_quota(const pickle__input *in, const pickle__archive *archive);

/* Zero in a limit means its default. */
uint64_t pickle__limit_or(uint64_t limit, uint64_t floor, uint64_t factor, uint64_t size);

#endif
