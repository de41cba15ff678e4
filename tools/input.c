/* input.c - reading, with a progress bar for those who wait. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "input.h"
#include "output.h"

/* ---------------------------------------------------------------- progress */

#define BAR_COLUMNS 30

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void draw(const char *doing, uint64_t done, uint64_t total)
{
    double part = (double)done / (double)total;
    int full = (int)(part * BAR_COLUMNS);

    if (total > 0)
        fprintf(stderr, "\r%s [%.*s%*s] %3d %%", doing, full, "##############################",
                BAR_COLUMNS - full, "", (int)(part * 100));
    else
        fprintf(stderr, "\r%s: %.0f MB", doing, (double)done / 1e6);
    fflush(stderr);
}

/* Nothing is shown of what takes less than a second. */
static bool show_progress(void *ctx, uint64_t done, uint64_t total)
{
    progress *p = ctx;
    double t = now();

    if (t - p->started < 1 || t - p->shown < 0.1)
        return true;
    draw(p->doing, done < total || total == 0 ? done : total, total);
    p->shown = t;
    p->drawn = true;
    return true;
}

progress_hook *progress_start(progress *p, const char *doing)
{
    *p = (progress){ .doing = doing, .started = now() };
    return isatty(STDERR_FILENO) ? show_progress : NULL;
}

void progress_end(progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

/* ----------------------------------------------------------------- reading */

static pickle_doc *read_first(const char *file, const contents *c, const pickle_read_opts *opts,
                              pickle_error *err)
{
    if (c)
        return pickle_read(c->data, c->size, opts, err);
    if (strcmp(file, "-") == 0)
        return pickle_read_fd(STDIN_FILENO, opts, err);
    return pickle_read_file(file, opts, err);
}

/* The library names members of a struct; here they are options. */
static void name_options(pickle_error *err)
{
    static const char *const names[][2] = {
        { "limits.memory_bytes", "--max-memory" },
        { "limits.inflated_bytes", "--max-inflated" },
    };
    char *at;

    for (size_t i = 0; i < sizeof names / sizeof *names && err->code == PICKLE_ERR_LIMIT; i++)
        if ((at = strstr(err->message, names[i][0])) != NULL) {
            size_t from = strlen(names[i][0]), to = strlen(names[i][1]);

            memmove(at + to, at + from, strlen(at + from) + 1); /* options are the shorter names */
            memcpy(at, names[i][1], to);
        }
}

/* Goes on to pickle number `index`. */
static pickle_status read_on(pickle_doc *doc, size_t index, size_t *number, pickle_error *err)
{
    pickle_status status = PICKLE_OK;

    while (*number < index && status == PICKLE_OK) {
        status = pickle_read_next(doc, err);
        *number += status == PICKLE_OK;
    }
    return status;
}

pickle_doc *input_read(const char *file, const contents *c, reading *r, int *status)
{
    pickle_read_opts opts = {
        .struct_size = sizeof opts,
        .limits = { .memory_bytes = r->memory, .inflated_bytes = r->inflated },
        .borrow = c != NULL,
        .strict = r->strict,
        .encoding = r->encoding,
        /* Files that the library opens have their own. */
        .path = c && strcmp(file, "-") != 0 ? file : NULL,
        .on_progress = progress_start(&r->progress, "reading"),
        .ctx = &r->progress,
    };
    pickle_error err;
    size_t number = 0;
    pickle_doc *doc = read_first(file, c, &opts, &err);
    pickle_status end = doc ? read_on(doc, r->index, &number, &err) : err.code;

    progress_end(&r->progress);
    *status = EXIT_DONE;
    if (end == PICKLE_OK)
        return doc;
    if (end == PICKLE_END) {
        complain(file, "there is no pickle number %zu: it holds %zu", r->index, number + 1);
        *status = EXIT_ABSENT;
    } else {
        name_options(&err);
        complain_error(file, &err);
        *status = EXIT_TROUBLE;
    }
    pickle_doc_free(doc);
    return NULL;
}

/* ------------------------------------------------------------------- bytes */

static bool io_error(pickle_error *err, const char *what)
{
    *err = (pickle_error){ .code = PICKLE_ERR_IO, .sys = errno };
    snprintf(err->message, sizeof err->message, "%s: %s", what, strerror(errno));
    return false;
}

static bool read_all(int fd, pickle_buf *out, pickle_error *err)
{
    pickle_sink sink = pickle_sink_buf(out);
    char chunk[1 << 16];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno != EINTR)
            return io_error(err, "cannot read");
        if (n > 0 && !sink.write(sink.ctx, chunk, (size_t)n)) {
            errno = ENOMEM;
            return io_error(err, "cannot read");
        }
    }
    return true;
}

/* A file, from its start. */
static void *map(int fd, size_t *size)
{
    struct stat st;
    void *mapping;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
        (uint64_t)st.st_size > SIZE_MAX || lseek(fd, 0, SEEK_CUR) != 0)
        return NULL;
    *size = (size_t)st.st_size;
    mapping = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    return mapping == MAP_FAILED ? NULL : mapping;
}

bool contents_open(contents *c, const char *file, pickle_error *err)
{
    bool is_stdin = strcmp(file, "-") == 0, ok = true;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);

    *c = (contents){ 0 };
    if (fd < 0)
        return io_error(err, "cannot open");
    c->mapping = map(fd, &c->size);
    c->data = c->mapping;
    if (!c->mapping) {
        ok = read_all(fd, &c->held, err);
        c->data = c->held.data;
        c->size = c->held.len;
    }
    if (!is_stdin)
        close(fd);
    return ok;
}

void contents_close(contents *c)
{
    if (c->mapping)
        munmap(c->mapping, c->size);
    pickle_buf_free(&c->held);
}

bool input_bytes(const char *file, pickle_buf *out, pickle_error *err)
{
    contents c;
    bool ok = contents_open(&c, file, err) && pickle_inflate(c.data, c.size, NULL, out, err);

    contents_close(&c);
    return ok;
}
