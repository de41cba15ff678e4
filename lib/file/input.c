/* input.c - the memory behind a document's input: mapped, read, or the caller's. */
#include <sys/mman.h>

#include "file/input.h"

static void drop(pickle_doc *doc)
{
    pickle__input *in = doc->owned;

    if (!in)
        return;
    pickle__input_reset(in);
    pickle__vm_free(&in->vm);
    pickle__free(doc->alloc, in->held, in->held_size);
    pickle__free(doc->alloc, in, sizeof *in);
    doc->owned = NULL;
}

bool pickle__input_attach(pickle_doc *doc)
{
    pickle__input *in = pickle__alloc(doc->alloc, sizeof *in);

    if (!in)
        return false;
    memset(in, 0, sizeof *in);
    in->doc = doc;
    pickle__vm_init(&in->vm, doc);
    doc->owned = in;
    doc->drop = drop;
    return true;
}

void pickle__input_reset(pickle__input *in)
{
    pickle__source_close(&in->src);
    if (in->mapping)
        munmap(in->mapping, in->mapped);
    in->mapping = NULL;
    in->mapped = 0;
}

bool pickle__input_map(pickle__input *in, int fd, size_t size)
{
    void *mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

    if (mapping == MAP_FAILED)
        return false;
    in->mapping = mapping;
    in->mapped = size;
    return true;
}

bool pickle__input_hold(pickle__input *in, size_t size)
{
    unsigned char *held;

    if (size <= in->held_size)
        return true;
    held = pickle__realloc(in->doc->alloc, in->held, in->held_size, size);
    if (!held)
        return false;
    in->held = held;
    in->held_size = size;
    return true;
}
