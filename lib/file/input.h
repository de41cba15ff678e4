/* input.h - what a document keeps of its input, and the machines that read it. */
#ifndef PICKLE__INPUT_H
#define PICKLE__INPUT_H

#include "codec/codec.h"
#include "vm/vm.h"

/* Files below this are read rather than mapped: that takes less time, and cannot end in SIGBUS. */
#define PICKLE__MAP_FROM ((size_t)64 << 10)

/* The longest name of a file on any common system. */
#define PICKLE__NAME_LIMIT 255

/* A codec, an archive in it, a codec in that. */
#define PICKLE__MAX_LAYERS 3

/* Memory that lasts as long as what was read: a file that is mapped, or a stream that was read. */
typedef struct pickle__holding {
    struct pickle__holding *next;
    void *data;
    size_t size;
    bool mapped;
} pickle__holding;

typedef struct pickle__input {
    pickle__vm vm;
    pickle__source src;
    pickle__settings set;
    pickle_limits limits;
    size_t memory_limit; /* of the graph, while it is read */
    /* Codecs and archives around what is read, by their names; the last ones are inner ones. */
    const char *layers[PICKLE__MAX_LAYERS];
    size_t n_layers;
    bool plain, in_archive, one_at_a_time;
    char *path; /* of the input, for files beside it; NULL: not known */
    size_t path_size;
    pickle__holding *holdings;
    unsigned char *held; /* a small file, in memory that is used again */
    size_t held_size;
    struct pickle__torch *torch; /* while a file of torch is read, else NULL */
    pickle_error failed;         /* what pickle_read_next ended with         */
    pickle_doc *doc;
} pickle__input;

/* Gives the document an input, and a way to free it. False: no memory. */
bool pickle__input_attach(pickle_doc *doc);
/* Ready for another one: unmapped, closed; the machine keeps its memory. */
void pickle__input_reset(pickle__input *in);
/* Bytes of all that is held, without mapped files. */
size_t pickle__input_memory(const pickle__input *in);

/* The file as memory; NULL when it cannot be mapped: errno says why. */
const void *pickle__input_map(pickle__input *in, int fd, size_t size);
/* Room for `size` bytes in `held`. */
bool pickle__input_hold(pickle__input *in, size_t size);
/* Where the input comes from, NULL if that is not known; copied. */
bool pickle__input_path(pickle__input *in, const char *path);
/* Have all of the input, from where the source stands, in memory. */
bool pickle__input_whole(pickle__input *in, pickle_error *err);
/*
 * A file in the folder of the input, as memory that lasts. PICKLE_ERR_MISSING when there is none,
 * or no path is known; PICKLE_ERR_DENIED for a name that leads elsewhere.
 */
pickle_status pickle__input_beside(pickle_doc *doc, const char *name, size_t len,
                                   pickle__source *out, pickle_error *err);

#endif
