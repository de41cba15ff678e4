/* input.c - the memory behind a document's input: mapped, read, or the caller's. */
#include "file/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void release(pickle__input *in, pickle__holding *h)
{
    if (h->mapped)
        munmap(h->data, h->size);
    else
        pickle__free(in->doc->alloc, h->data, h->size);
    pickle__free(in->doc->alloc, h, sizeof *h);
}

void pickle__input_reset(pickle__input *in)
{
    pickle__source_close(&in->src);
    while (in->holdings) {
        pickle__holding *h = in->holdings;

        in->holdings = h->next;
        release(in, h);
    }
    pickle__free(in->doc->alloc, in->path, in->path_size);
    in->path = NULL;
}

size_t pickle__input_memory(const pickle__input *in)
{
    size_t total = sizeof *in + in->held_size + in->src.size;

    for (const pickle__holding *h = in->holdings; h; h = h->next)
        total += sizeof *h + (h->mapped ? 0 : h->size);
    return total;
}

/* ------------------------------------------------------------------ memory */

/* An empty one, among those of the input. */
static pickle__holding *new_holding(pickle__input *in)
{
    pickle__holding *h = pickle__alloc(in->doc->alloc, sizeof *h);

    if (h) {
        *h = (pickle__holding){ .next = in->holdings };
        in->holdings = h;
    }
    return h;
}

const void *pickle__input_map(pickle__input *in, int fd, size_t size)
{
    pickle__holding *h = new_holding(in);
    void *mapping;

    if (!h) {
        errno = ENOMEM;
        return NULL;
    }
    mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    *h = (pickle__holding){ h->next, mapping, size, true };
    return mapping;
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

/* Room for at least one byte more than `have`. */
static bool grow(pickle__input *in, pickle__holding *h, size_t have)
{
    size_t room = have < 64 << 10 ? 128 << 10 : have * 2;
    void *data;

    if (have < h->size)
        return true;
    data = room > have ? pickle__realloc(in->doc->alloc, h->data, h->size, room) : NULL;
    if (!data)
        return false;
    h->data = data;
    h->size = room;
    return true;
}

/* What has come to its end in the source's buffer outlives the source. */
static bool keep_buffer(pickle__input *in, pickle_error *err)
{
    pickle__source *src = &in->src;
    pickle__holding *h = new_holding(in);

    if (!h)
        return pickle__no_memory(err, pickle__source_offset(src));
    h->data = src->buffer;
    h->size = src->size;
    src->buffer = NULL;
    src->size = 0;
    return true;
}

bool pickle__input_whole(pickle__input *in, pickle_error *err)
{
    pickle__source *src = &in->src;
    uint64_t start = pickle__source_offset(src);
    pickle__holding *h;
    size_t have = 0;

    if (!src->reader)
        return !src->buffer || keep_buffer(in, err);
    h = new_holding(in);
    if (!h)
        return pickle__no_memory(err, start);
    while (pickle__source_need(src, 1)) {
        size_t n = pickle__source_left(src);

        if (!grow(in, h, have))
            return pickle__no_memory(err, start + have);
        n = n < h->size - have ? n : h->size - have;
        memcpy((unsigned char *)h->data + have, src->at, n);
        src->at += n;
        have += n;
    }
    if (src->status != PICKLE_OK) {
        if (err)
            *err = src->error;
        return false;
    }
    pickle__source_close(src);
    pickle__source_memory(src, h->data, have, true);
    return true;
}

/* ------------------------------------------------------- files beside the input */

bool pickle__input_path(pickle__input *in, const char *path)
{
    if (!path)
        return true;
    in->path_size = strlen(path) + 1;
    in->path = pickle__alloc(in->doc->alloc, in->path_size);
    if (in->path)
        memcpy(in->path, path, in->path_size);
    return in->path != NULL;
}

static int open_folder(char *path)
{
    char *slash = strrchr(path, '/');
    int fd;

    if (!slash)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '\0';
    fd = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    return fd;
}

/* A name, not a path; and none of those that every folder has. */
static bool is_name(const char *name, size_t len)
{
    return len > 0 && len <= PICKLE__NAME_LIMIT && !memchr(name, '/', len) &&
           !memchr(name, '\0', len) &&
           !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/* Neither a link, which could lead elsewhere, nor a pipe, which would wait. */
static int open_beside(const pickle__input *in, const char *name, size_t len)
{
    char text[PICKLE__NAME_LIMIT + 1];
    int folder = open_folder(in->path), fd;

    if (folder < 0)
        return -1;
    memcpy(text, name, len);
    text[len] = '\0';
    fd = openat(folder, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(folder);
    return fd;
}

/* As memory: large files mapped, small ones read. */
static bool load_beside(pickle__input *in, int fd, pickle__source *out, pickle_error *err)
{
    const void *data = "";
    struct stat st;
    pickle__holding *h;
    size_t size, got;

    if (fstat(fd, &st) != 0)
        return pickle__io_error(err, 0, "cannot look at it");
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > SIZE_MAX)
        return pickle__fail(err, PICKLE_ERR_DENIED, 0, "what is beside it is no file");
    size = got = (size_t)st.st_size;
    if (size >= PICKLE__MAP_FROM) {
        data = pickle__input_map(in, fd, size);
        if (!data)
            return errno == ENOMEM ? pickle__no_memory(err, 0)
                                   : pickle__io_error(err, 0, "cannot map");
    } else if (size > 0) {
        h = new_holding(in);
        data = h ? h->data = pickle__alloc(in->doc->alloc, size) : NULL;
        if (!data)
            return pickle__no_memory(err, 0);
        h->size = size;
        if (!pickle__fd_read(fd, h->data, size, &got, err))
            return false;
    }
    pickle__source_memory(out, data, got, true);
    return true;
}

pickle_status pickle__input_beside(pickle_doc *doc, const char *name, size_t len,
                                   pickle__source *out, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle_error own;
    bool ok;
    int fd;

    err = err ? err : &own;
    if (!is_name(name, len)) {
        pickle__fail(err, PICKLE_ERR_DENIED, 0, "the file's name leads out of its folder");
        return err->code;
    }
    if (!in->path)
        return PICKLE_ERR_MISSING;
    fd = open_beside(in, name, len);
    if (fd < 0 && errno == ENOENT)
        return PICKLE_ERR_MISSING;
    if (fd < 0) {
        pickle__io_error(err, 0, "cannot open a file beside it");
        return err->code;
    }
    ok = load_beside(in, fd, out, err);
    close(fd);
    return ok ? PICKLE_OK : err->code;
}
