/* input.h - what a document keeps of its input, and the machines that read it. */
#ifndef PICKLE__INPUT_H
#define PICKLE__INPUT_H

#include "codec/codec.h"
#include "vm/vm.h"

typedef struct pickle__input {
    pickle__vm vm;
    pickle__source src;
    pickle__settings set;
    pickle_limits limits;
    pickle_codec codec;
    bool plain;
    void *mapping; /* of a large file */
    size_t mapped;
    unsigned char *held; /* a small one, read */
    size_t held_size;
    pickle_error failed; /* what pickle_read_next ended with */
    pickle_doc *doc;
} pickle__input;

/* Gives the document an input, and a way to free it. False: no memory. */
bool pickle__input_attach(pickle_doc *doc);
/* Ready for another one: unmapped, closed; the machine keeps its memory. */
void pickle__input_reset(pickle__input *in);

bool pickle__input_map(pickle__input *in, int fd, size_t size);
/* Room for `size` bytes in `held`. */
bool pickle__input_hold(pickle__input *in, size_t size);

#endif
