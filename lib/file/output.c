/* output.c - files that are written beside their place, and put there when they are complete. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "base/base.h"

#include <pickle/write.h>

#define LONGEST    4096 /* path, as Linux has it        */
#define MOST_LINKS 40   /* likewise, that are followed  */

struct pickle_file {
    int fd;
    int failed; /* errno of the first write that failed, else 0       */
    char path[LONGEST];
    char temporary[LONGEST]; /* what is written; empty: `path` itself */
    const pickle_alloc *alloc;
    pickle_alloc own_alloc; /* `alloc` points here, unless it is NULL */
};

/* ------------------------------------------------------------------- paths */

/* Length of the part of a path that names the folder, with the slash. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash + 1 - path) : 0;
}

/* `name`, seen from the folder of `path`, becomes the path. */
static bool join(char path[LONGEST], const char *name)
{
    size_t folder = *name == '/' ? 0 : folder_length(path), len = strlen(name);

    if (len >= LONGEST - folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path + folder, name, len + 1);
    return true;
}

/* What stands for an open descriptor, as /dev/stdout does: a link that leads to no name. */
static bool is_descriptor(const char *path)
{
    return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0;
}

/* The file that a symbolic link leads to, whether it exists or not: the link is to stay. */
static bool follow_links(char path[LONGEST])
{
    char target[LONGEST];

    for (int i = 0; i < MOST_LINKS && !is_descriptor(path); i++) {
        ssize_t n = readlink(path, target, sizeof target - 1);

        if (n < 0)
            return true; /* no link, or whatever open() will say */
        target[n] = '\0';
        if (!join(path, target))
            return false;
    }
    errno = ELOOP;
    return is_descriptor(path);
}

/* -------------------------------------------------------------------- open */

/* A name beside the path that nobody can guess, and perhaps wait at. */
static bool open_beside(pickle_file *f, mode_t mode)
{
    size_t folder = folder_length(f->path);

    memcpy(f->temporary, f->path, folder);
    for (int i = 0; i < 8; i++) {
        uint64_t number;
        int len;

        if (getentropy(&number, sizeof number) != 0)
            break;
        len = snprintf(f->temporary + folder, LONGEST - folder, ".pickle-%016" PRIx64, number);
        if ((size_t)len >= LONGEST - folder) {
            errno = ENAMETOOLONG;
            break;
        }
        f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (f->fd >= 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    *f->temporary = '\0';
    return false;
}

/* Whoever could read the old file can read the new one, and nobody else. Without the old owner the
 * bits that lend his rights go, without the group those that the world has not. */
static bool copy_access(int fd, const struct stat *old)
{
    bool owner = fchown(fd, old->st_uid, old->st_gid) == 0;
    bool group = owner || fchown(fd, (uid_t)-1, old->st_gid) == 0;
    mode_t mode = old->st_mode & (owner ? 07777 : 0777);

    if (!group)
        mode &= ~(mode_t)070 | (mode & 07) << 3;
    return fchmod(fd, mode) == 0;
}

/* Opening the old file for writing finds out whether one may, and what it is. */
static bool open_target(pickle_file *f)
{
    int direct = is_descriptor(f->path) ? O_TRUNC : 0;
    int fd = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | direct);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT && *f->path && open_beside(f, 0666);
    if (fstat(fd, &st) != 0) {
        close(fd);
        return false;
    }
    if (direct || !S_ISREG(st.st_mode)) {
        f->fd = fd;
        return true;
    }
    close(fd);
    return open_beside(f, 0600) && copy_access(f->fd, &st);
}

static void release(pickle_file *f)
{
    pickle_alloc alloc = f->own_alloc;

    pickle__free(f->alloc ? &alloc : NULL, f, sizeof *f);
}

pickle_file *pickle_file_open(const char *path, const pickle_alloc *alloc, pickle_error *err)
{
    pickle_file *f = pickle__alloc(alloc, sizeof *f);

    if (!f) {
        pickle__no_memory(err, 0);
        return NULL;
    }
    f->fd = -1;
    f->failed = 0;
    *f->path = *f->temporary = '\0';
    f->alloc = NULL;
    if (alloc) {
        f->own_alloc = *alloc;
        f->alloc = &f->own_alloc;
    }
    if (join(f->path, path) && follow_links(f->path) && open_target(f))
        return f;
    pickle__io_error(err, 0, "cannot write");
    pickle_file_discard(f);
    return NULL;
}

/* ------------------------------------------------------- write and finish */

static bool write_file(void *ctx, const void *data, size_t len)
{
    pickle_file *f = ctx;
    pickle_sink out = pickle_sink_fd(&f->fd);

    if (f->failed == 0 && !out.write(out.ctx, data, len))
        f->failed = errno;
    errno = f->failed;
    return f->failed == 0;
}

pickle_sink pickle_file_sink(pickle_file *f)
{
    return (pickle_sink){ write_file, f };
}

/* Closing is the last that can fail: some file systems find out only then that they are full. */
static void close_file(pickle_file *f)
{
    int fd = f->fd;

    f->fd = -1;
    if (fd >= 0 && close(fd) != 0 && f->failed == 0)
        f->failed = errno;
}

bool pickle_file_commit(pickle_file *f, pickle_error *err)
{
    bool ok;

    close_file(f);
    if (f->failed == 0 && *f->temporary) {
        if (rename(f->temporary, f->path) == 0)
            *f->temporary = '\0';
        else
            f->failed = errno;
    }
    ok = f->failed == 0;
    errno = f->failed;
    if (!ok)
        pickle__io_error(err, 0, "cannot write");
    pickle_file_discard(f);
    return ok;
}

void pickle_file_discard(pickle_file *f)
{
    if (!f)
        return;
    close_file(f);
    if (*f->temporary)
        unlink(f->temporary);
    release(f);
}
