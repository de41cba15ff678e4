/*
 * test_write.c - where documents are written to: memory, descriptors and files; what
 * is left behind when that fails. What is written is of other tests.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pickle/pickle.h>

#include "docs.h"
#include "files.h"
#include "graph/doc.h"
#include "testmem.h"

/* pickle.dumps({'a': [1, 2.5, None, 'text']}, 4) of CPython 3.13 */
static const char small[] = "\x80\x04\x95\x1f\0\0\0\0\0\0\0}\x94\x8c\x01"
                            "a\x94]\x94(K\x01G@\x04\0\0\0\0\0\0N\x8c\x04text\x94"
                            "es.";
#define SMALL ((size_t)(sizeof small - 1))

#define BIG ((size_t)4 << 20)

static char folder[64];

/* ----------------------------------------------------------------- helpers */

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_write.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *in_folder(const char *name)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* How many entries the folder has; they are removed if `clear`. */
static size_t entries(bool clear)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t n = 0;

    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            n++;
            if (clear)
                remove(in_folder(entry->d_name));
        }
    closedir(dir);
    return n;
}

static void remove_folder(void)
{
    entries(true);
    rmdir(folder);
}

static void put_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

static void check_file(const char *path, const void *want, size_t len)
{
    size_t size;
    unsigned char *data = files_read(path, &size);

    ck_assert_ptr_nonnull(data);
    ck_assert_uint_eq(size, len);
    ck_assert(memcmp(data, want, len) == 0);
    free(data);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static pickle_doc *small_doc(void)
{
    return docs_read(small, SMALL, NULL);
}

/* pickle.dumps(bytes of 'x', 4), as CPython 3.13 writes it: outside of frames */
static unsigned char *big_pickle(size_t *size)
{
    unsigned char *data = malloc(7 + BIG + 2);

    ck_assert_ptr_nonnull(data);
    memcpy(data,
           "\x80\x04"
           "B\0\0\x40\0",
           7);
    memset(data + 7, 'x', BIG);
    memcpy(data + 7 + BIG, "\x94.", 2);
    *size = 7 + BIG + 2;
    return data;
}

/* Without zlib there is nothing to compress with. */
static size_t last_codec(void)
{
    return files_codec("zlib") ? PICKLE_CODEC_GZIP : PICKLE_CODEC_NONE;
}

static void check_io(const pickle_error *err, int number)
{
    ck_assert_int_eq(err->code, PICKLE_ERR_IO);
    ck_assert_msg(err->sys == number, "%s, not: %s", err->message, strerror(number));
}

/* ------------------------------------------------------------------- memory */

START_TEST(test_buf)
{
    pickle_doc *doc = small_doc();
    pickle_buf buf = { 0 };

    ck_assert(pickle_write_buf(doc, &buf, NULL, NULL));
    ck_assert(pickle_write_buf(doc, &buf, pickle_write_opts(.protocol = 4), NULL));
    ck_assert_uint_eq(buf.len, 2 * SMALL);
    ck_assert_mem_eq(buf.data, small, SMALL);
    ck_assert_mem_eq(buf.data + SMALL, small, SMALL);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
}
END_TEST

/* A tuple in a list in itself, reached by the tuple: the list stands in one place of the tuple. */
START_TEST(test_cycle_made_in_c)
{
    /* l = []; t = (l, 1); l.append(t); pickle.dumps({'a': t}, 2) of CPython 3.13 */
    static const char want[] = "\x80\x02\x7d\x71\x00\x58\x01\x00\x00\x00\x61\x71\x01\x5d\x71\x02"
                               "\x68\x02\x4b\x01\x86\x71\x03\x61\x4b\x01\x30\x30\x68\x03\x73\x2e";
    pickle_doc *doc = pickle_doc_new(NULL);
    pickle_val *dict = pickle_new_dict(doc), *list = pickle_new_list(doc), *tuple;
    const pickle_val *items[2] = { list, pickle_new_int(doc, 1) };
    pickle_buf buf = { 0 };

    tuple = pickle_new_tuple(doc, 2, items);
    pickle_append(doc, list, tuple);
    pickle_set_key(doc, dict, "a", tuple);
    pickle_set_root(doc, dict);
    ck_assert(pickle_write_buf(doc, &buf, pickle_write_opts(.protocol = 2), NULL));
    ck_assert_uint_eq(buf.len, sizeof want - 1);
    ck_assert_mem_eq(buf.data, want, sizeof want - 1);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
}
END_TEST

/* An error says where in the document, in the notation of pickle_find. */
START_TEST(test_error_names_path)
{
    pickle_doc *doc = pickle_doc_new(NULL);
    pickle_val *state = pickle_new_dict(doc), *inner = pickle_new_list(doc);
    pickle_val *steps = pickle_new_list(doc), *pair = pickle_new_list(doc),
               *outer = pickle_new_dict(doc);
    pickle_buf buf = { 0 };
    pickle_error err;

    pickle_append(doc, inner, pickle_new_int(doc, 1));
    pickle_append(doc, inner, pickle_new_ext(doc, 7));
    pickle_set_key(doc, state, "coef_", inner);
    pickle_append(doc, pair, pickle_new_str(doc, "clf"));
    pickle_append(doc, pair, pickle_new_instance(doc, "m", "C", state));
    pickle_append(doc, steps, pair);
    pickle_set_key(doc, outer, "steps", steps);
    pickle_set_root(doc, pickle_new_instance(doc, "m", "P", outer));
    ck_assert(!pickle_write_buf(doc, &buf, pickle_write_opts(.protocol = 1), &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_UNSUPPORTED);
    ck_assert_str_eq(err.message, "at steps[0][1].coef_[1]: protocol 1 has no extension codes");
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
}
END_TEST

static pickle_status rewrite(const char *data, size_t size, int protocol)
{
    pickle_error err = { 0 };
    pickle_doc *doc = pickle_read(data, size, NULL, &err);
    pickle_buf buf = { 0 };

    ck_assert_msg(doc != NULL, "%s", err.message);
    pickle_write_buf(doc, &buf, pickle_write_opts(.protocol = protocol), &err);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
    return err.code;
}

/* What no pickler writes, and a reader has to take: writing it ends, and loses nothing. */
START_TEST(test_hostile_shapes)
{
    /* s = set(); s.add(a.f(s)): below protocol 4 sets are calls, and this one is needed before it
     * is there */
    static const char holds_itself[] =
        "\x80\x04\x8f\x94\x28\x8c\x01\x61\x8c\x01\x66\x93\x68\x00\x85\x52\x90\x2e";
    /* partial() with a list where its state is a tuple */
    static const char partial[] =
        "\x80\x04\x8c\x09\x66\x75\x6e\x63\x74\x6f\x6f\x6c\x73\x8c\x07\x70\x61\x72"
        "\x74\x69\x61\x6c\x93\x8c\x08\x62\x75\x69\x6c\x74\x69\x6e\x73\x8c\x07\x67"
        "\x65\x74\x61\x74\x74\x72\x93\x8c\x01\x61\x8c\x01\x43\x93\x8c\x07\x5f\x5f"
        "\x6e\x65\x77\x5f\x5f\x86\x52\x85\x52\x28\x6c\x8c\x08\x62\x75\x69\x6c\x74"
        "\x69\x6e\x73\x8c\x07\x67\x65\x74\x61\x74\x74\x72\x93\x8c\x01\x61\x8c\x01"
        "\x43\x93\x8c\x07\x5f\x5f\x6e\x65\x77\x5f\x5f\x86\x52\x61\x8c\x01\x61\x8c"
        "\x01\x43\x93\x85\x61\x7d\x61\x4e\x61\x62\x29\x52\x2e";
    /* NEWOBJ_EX whose arguments are a persistent id */
    static const char no_tuple[] = "\x80\x04\x8c\x01\x61\x8c\x01\x66\x93\x4b\x05\x51\x7d\x92\x2e";

    ck_assert_int_eq(rewrite(holds_itself, sizeof holds_itself - 1, 2), PICKLE_ERR_UNSUPPORTED);
    ck_assert_int_eq(rewrite(holds_itself, sizeof holds_itself - 1, 5), PICKLE_OK);
    ck_assert_int_eq(rewrite(partial, sizeof partial - 1, 5), PICKLE_OK);
    ck_assert_int_eq(rewrite(no_tuple, sizeof no_tuple - 1, 2), PICKLE_ERR_UNSUPPORTED);
    ck_assert_int_eq(rewrite(no_tuple, sizeof no_tuple - 1, 5), PICKLE_OK);
}
END_TEST

/* What was compressed stays so, unless another codec is asked for. */
START_TEST(test_codec_is_kept)
{
    pickle_doc *doc = docs_fixture("py313/joblib/few.joblib.gz"), *again;
    pickle_buf buf = { 0 };

    ck_assert(pickle_write_buf(doc, &buf, NULL, NULL));
    again = docs_read(buf.data, buf.len, NULL);
    ck_assert_str_eq(pickle_container(again), "joblib+gzip");
    pickle_doc_free(again);
    buf.len = 0;
    ck_assert(pickle_write_buf(doc, &buf, pickle_write_opts(.compression.codec = PICKLE_CODEC_NONE),
                               NULL));
    again = docs_read(buf.data, buf.len, NULL);
    ck_assert_str_eq(pickle_container(again), "joblib");
    pickle_doc_free(again);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_buf_failure)
{
    pickle_doc *doc = small_doc();

    for (size_t codec = PICKLE_CODEC_NONE; codec <= last_codec(); codec++)
        for (size_t n = 1;; n++) {
            memory m, own;
            pickle_buf buf = { .alloc = &m.alloc };
            pickle_error err;
            bool ok;

            memory_init(&m, 0);
            memory_init(&own, n);
            ck_assert(pickle_sink_buf(&buf).write(&buf, "before", 6));
            /* The buffer's memory, or the writer's. */
            m.fail_at = m.calls + (n + 1) / 2;
            own.fail_at = n / 2;
            ok = pickle_write_buf(
                doc, &buf,
                pickle_write_opts(.alloc = &own.alloc, .compression.codec = (pickle_codec)codec),
                &err);
            if (!ok) {
                ck_assert_int_eq(err.code, PICKLE_ERR_NOMEM);
                ck_assert_uint_eq(buf.len, 6);
            }
            ck_assert_mem_eq(buf.data, "before", 6);
            ck_assert_uint_eq(own.in_use, 0);
            pickle_buf_free(&buf);
            ck_assert_uint_eq(m.in_use, 0);
            if (ok && m.calls < m.fail_at && own.calls < own.fail_at)
                break;
        }
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- sinks */

/* Takes `room` bytes; the call that goes beyond is refused. */
typedef struct narrow {
    size_t room, taken;
    bool refused;
} narrow;

static bool narrow_write(void *ctx, const void *data, size_t len)
{
    narrow *n = ctx;

    (void)data;
    ck_assert_msg(!n->refused, "written to after it refused");
    n->refused = len > n->room - n->taken;
    if (n->refused)
        errno = EDQUOT;
    else
        n->taken += len;
    return !n->refused;
}

START_TEST(test_sink_refuses)
{
    pickle_doc *doc = docs_fixture("py313/joblib/few.joblib");

    for (size_t codec = PICKLE_CODEC_NONE; codec <= last_codec(); codec++) {
        const pickle_write_opts *opts = pickle_write_opts(.compression.codec = (pickle_codec)codec);
        pickle_buf buf = { 0 };

        ck_assert(pickle_write_buf(doc, &buf, opts, NULL));
        for (size_t room = 0; room <= buf.len; room++) {
            narrow n = { .room = room };
            pickle_error err;
            bool ok = pickle_write(doc, (pickle_sink){ narrow_write, &n }, opts, &err);

            ck_assert_int_eq(ok, room == buf.len);
            if (!ok)
                check_io(&err, EDQUOT);
        }
        pickle_buf_free(&buf);
    }
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_descriptors)
{
    pickle_doc *doc = small_doc();
    char got[sizeof small];
    pickle_error err;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(pickle_write_fd(doc, ends[1], NULL, &err));
    ck_assert_int_eq(read(ends[0], got, sizeof got), (int)SMALL);
    ck_assert_mem_eq(got, small, SMALL);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    ck_assert(!pickle_write_fd(doc, ends[1], NULL, &err));
    check_io(&err, EPIPE);
    close(ends[1]);
    ck_assert(!pickle_write_fd(doc, ends[1], NULL, &err));
    check_io(&err, EBADF);
    if (access("/dev/full", W_OK) == 0) {
        ck_assert(!pickle_write_file(doc, "/dev/full", NULL, &err));
        check_io(&err, ENOSPC);
        ck_assert_str_eq(err.message, "cannot write: No space left on device");
    }
    ck_assert(pickle_write_file(doc, "/dev/null", NULL, &err));
    pickle_doc_free(doc);
}
END_TEST

/* /dev/stdout and its like are a link to nowhere, or to a file that somebody has open already. */
START_TEST(test_descriptor_paths)
{
    pickle_doc *doc = small_doc();
    char name[32], got[sizeof small];
    const char *path;
    struct stat st;
    ino_t inode;
    int ends[2], fd;

    make_folder();
    path = in_folder("out.pkl");
    ck_assert_int_eq(pipe(ends), 0);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    if (access(name, W_OK) == 0) {
        ck_assert(pickle_write_file(doc, name, NULL, NULL));
        ck_assert_int_eq(read(ends[0], got, sizeof got), (int)SMALL);
        fd = open(path, O_RDWR | O_CREAT, 0600);
        ck_assert_int_eq(fstat(fd, &st), 0);
        inode = st.st_ino;
        snprintf(name, sizeof name, "/dev/fd/%d", fd);
        ck_assert(pickle_write_file(doc, name, NULL, NULL));
        close(fd);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert(st.st_ino == inode);
        check_file(path, small, SMALL);
    }
    close(ends[0]);
    close(ends[1]);
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- files */

START_TEST(test_permissions)
{
    static const mode_t modes[] = { 0600, 0640, 0666, 0755, 0200, 02660 };
    pickle_doc *doc = small_doc();
    mode_t old = umask(027);
    const char *path;

    make_folder();
    path = in_folder("a.pkl");
    ck_assert(pickle_write_file(doc, path, NULL, NULL));
    check_file(path, small, SMALL);
    ck_assert_uint_eq(mode_of(path), 0640);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        put_file(path, "old", 3);
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        ck_assert(pickle_write_file(doc, path, NULL, NULL));
        ck_assert_uint_eq(mode_of(path), modes[i]);
        ck_assert_int_eq(chmod(path, 0600), 0);
        check_file(path, small, SMALL);
    }
    if (geteuid() == 0) {
        struct stat st;

        ck_assert_int_eq(chown(path, 1234, 2345), 0);
        ck_assert(pickle_write_file(doc, path, NULL, NULL));
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq((int)st.st_uid, 1234);
        ck_assert_int_eq((int)st.st_gid, 2345);
    }
    ck_assert_uint_eq(entries(false), 1);
    umask(old);
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

static void check_link(const char *path, const char *target)
{
    char got[256];
    ssize_t n = readlink(path, got, sizeof got - 1);

    ck_assert_int_gt((int)n, 0);
    got[n] = '\0';
    ck_assert_str_eq(got, target);
}

START_TEST(test_links)
{
    pickle_doc *doc = small_doc();
    pickle_error err;

    make_folder();
    put_file(in_folder("file"), "old", 3);
    ck_assert_int_eq(symlink("file", in_folder("relative")), 0);
    ck_assert_int_eq(symlink(in_folder("relative"), in_folder("chain")), 0);
    ck_assert_int_eq(symlink("new", in_folder("dangling")), 0);
    ck_assert_int_eq(symlink("loop", in_folder("loop")), 0);
    ck_assert(pickle_write_file(doc, in_folder("chain"), NULL, NULL));
    check_file(in_folder("file"), small, SMALL);
    check_link(in_folder("chain"), in_folder("relative"));
    check_link(in_folder("relative"), "file");
    ck_assert(pickle_write_file(doc, in_folder("dangling"), NULL, NULL));
    check_file(in_folder("new"), small, SMALL);
    check_link(in_folder("dangling"), "new");
    ck_assert(!pickle_write_file(doc, in_folder("loop"), NULL, &err));
    check_io(&err, ELOOP);
    ck_assert_uint_eq(entries(false), 6);
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_places)
{
    pickle_doc *doc = small_doc();
    char longest[5000];
    pickle_error err;
    uid_t me = geteuid();

    make_folder();
    ck_assert(!pickle_write_file(doc, folder, NULL, &err));
    check_io(&err, EISDIR);
    ck_assert(!pickle_write_file(doc, in_folder("no/such/folder.pkl"), NULL, &err));
    check_io(&err, ENOENT);
    ck_assert(!pickle_write_file(doc, "", NULL, &err));
    check_io(&err, ENOENT);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert(!pickle_write_file(doc, longest, NULL, &err));
    check_io(&err, ENAMETOOLONG);
    put_file(in_folder("mine"), "old", 3);
    ck_assert_int_eq(chmod(folder, 0555), 0);
    /* For root nothing is read-only. */
    if (me != 0 || seteuid(65534) == 0) {
        ck_assert(!pickle_write_file(doc, in_folder("new"), NULL, &err));
        check_io(&err, EACCES);
        ck_assert(!pickle_write_file(doc, in_folder("mine"), NULL, &err));
        check_io(&err, EACCES);
        ck_assert_int_eq(seteuid(me), 0);
    }
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert_int_eq(chmod(in_folder("mine"), 0444), 0);
    /* A file that may not be written is not replaced, though the folder would allow it. */
    if (me != 0 || seteuid(65534) == 0) {
        ck_assert(!pickle_write_file(doc, in_folder("mine"), NULL, &err));
        check_io(&err, EACCES);
        ck_assert_int_eq(seteuid(me), 0);
    }
    check_file(in_folder("mine"), "old", 3);
    ck_assert_uint_eq(entries(false), 1);
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

/* Who may write a file, and not give it away, takes no rights from anybody. */
START_TEST(test_foreign_owner)
{
    pickle_doc *doc = small_doc();
    const char *path;
    struct stat st;

    make_folder();
    path = in_folder("shared");
    put_file(path, "old", 3);
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(folder, 0777), 0);
        ck_assert_int_eq(chown(path, 1234, 2345), 0);
        ck_assert_int_eq(chmod(path, 06676), 0);
        ck_assert_int_eq(seteuid(65534), 0);
        ck_assert(pickle_write_file(doc, path, NULL, NULL));
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq((int)st.st_uid, 65534);
        /* The group may have been kept, as root's groups still count. */
        ck_assert_uint_eq(st.st_mode & 07777, st.st_gid == 2345 ? 0676 : 0666);
    }
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

/* Endings count for documents that were made; for those that were read only a codec's does. */
START_TEST(test_endings)
{
    static const struct {
        const char *name, *made, *plain, *gzip;
    } rows[] = {
        { "a.pkl", "pickle", "pickle", "joblib+gzip" },
        { "a", "pickle", "pickle", "joblib+gzip" },
        { "a.joblib", "joblib", "pickle", "joblib+gzip" },
        { "a.joblib.z", "joblib+zlib", "pickle+zlib", "joblib+zlib" },
        { "a.pkl.gz", "pickle+gzip", "pickle+gzip", "joblib+gzip" },
        { ".joblib", "joblib", "pickle", "joblib+gzip" },
    };
    pickle_doc *made = pickle_doc_new(NULL), *plain = small_doc();
    pickle_doc *gzip = docs_fixture("py313/joblib/few.joblib.gz");

    make_folder();
    pickle_set_root(made, pickle_new_list(made));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const pickle_doc *docs[] = { made, plain, gzip };
        const char *want[] = { rows[i].made, rows[i].plain, rows[i].gzip };

        for (size_t k = 0; k < 3; k++) {
            const char *codec = strchr(want[k], '+');
            pickle_doc *again;
            pickle_error err;

            ck_assert_msg(pickle_write_file(docs[k], in_folder(rows[i].name), NULL, &err), "%s",
                          err.message);
            again = pickle_read_file(in_folder(rows[i].name), NULL, &err);
            ck_assert_msg(again != NULL, "%s", err.message);
            /* Without arrays joblib files are pickles, and look like them. */
            if (docs[k] == gzip)
                ck_assert_str_eq(pickle_container(again), want[k]);
            else if (codec)
                ck_assert_str_eq(strchr(pickle_container(again), '+'), codec);
            else
                ck_assert_str_eq(pickle_container(again), "pickle");
            pickle_doc_free(again);
        }
    }
    remove_folder();
    pickle_doc_free(made);
    pickle_doc_free(plain);
    pickle_doc_free(gzip);
}
END_TEST

/* Arrays are in the mapping of the file that is written over. */
START_TEST(test_onto_itself)
{
    size_t size;
    unsigned char *data = big_pickle(&size);
    const char *path;
    pickle_doc *doc;

    make_folder();
    path = in_folder("big.pkl");
    put_file(path, data, size);
    doc = pickle_read_file(path, NULL, NULL);
    ck_assert_ptr_nonnull(doc);
    ck_assert(pickle_write_file(doc, path, NULL, NULL));
    check_file(path, data, size);
    ck_assert(pickle_write_file(doc, path, NULL, NULL));
    check_file(path, data, size);
    pickle_doc_free(doc);
    free(data);
    remove_folder();
}
END_TEST

/* --------------------------------------------------- failures leave nothing */

/* Like a disk that is full after `most` bytes. */
static bool write_limited(const pickle_doc *doc, const char *path, rlim_t most, pickle_error *err)
{
    struct rlimit all, few;
    bool ok;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
    few = all;
    few.rlim_cur = most;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
    ok = pickle_write_file(doc, path, NULL, err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
    return ok;
}

START_TEST(test_disk_full)
{
    static const rlim_t rooms[] = { 0, 1, 4096, BIG / 2, BIG + 8 };
    size_t size;
    unsigned char *data = big_pickle(&size);
    pickle_doc *doc = docs_read(data, size, NULL);
    pickle_error err;
    const char *path;

    make_folder();
    path = in_folder("full.pkl");
    for (size_t i = 0; i < 2 * sizeof rooms / sizeof *rooms; i++) {
        if (i == sizeof rooms / sizeof *rooms)
            put_file(path, "old", 3);
        ck_assert(!write_limited(doc, path, rooms[i % (sizeof rooms / sizeof *rooms)], &err));
        check_io(&err, EFBIG);
        ck_assert_uint_eq(entries(false), i < sizeof rooms / sizeof *rooms ? 0 : 1);
    }
    check_file(path, "old", 3);
    ck_assert(write_limited(doc, path, size, &err));
    check_file(path, data, size);
    remove_folder();
    pickle_doc_free(doc);
    free(data);
}
END_TEST

START_TEST(test_no_memory)
{
    pickle_doc *doc = docs_fixture("py313/joblib/few.joblib");
    const char *path;
    pickle_error err;
    bool ok = false;

    make_folder();
    path = in_folder(files_codec("zlib") ? "x.joblib.gz" : "x.joblib");
    put_file(path, "old", 3);
    for (size_t n = 1; !ok; n++) {
        memory m;

        memory_init(&m, n);
        ok = pickle_write_file(doc, path, pickle_write_opts(.alloc = &m.alloc), &err);
        ck_assert_uint_eq(m.in_use, 0);
        ck_assert_uint_eq(entries(false), 1);
        if (!ok) {
            ck_assert_int_eq(err.code, PICKLE_ERR_NOMEM);
            check_file(path, "old", 3);
        }
    }
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

static bool cancel(void *ctx, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    ++*(int *)ctx;
    return false;
}

/* The hook is called between values, every few MiB. */
START_TEST(test_cancel)
{
    size_t size;
    unsigned char *data = big_pickle(&size), *list = malloc(size + 3);
    const char *path;
    pickle_doc *doc;
    pickle_error err;
    int calls = 0;

    /* The same bytes, and None behind them, in a list. */
    ck_assert_ptr_nonnull(list);
    memcpy(list, "\x80\x04]", 3);
    memcpy(list + 3, data + 2, size - 4);
    memcpy(list + size - 1, "aNa.", 4);
    doc = docs_read(list, size + 3, NULL);
    make_folder();
    path = in_folder("big.pkl");
    ck_assert(!pickle_write_file(doc, path, pickle_write_opts(.on_progress = cancel, .ctx = &calls),
                                 &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_CANCELED);
    ck_assert_int_eq(calls, 1);
    ck_assert_uint_eq(entries(false), 0);
    remove_folder();
    pickle_doc_free(doc);
    free(list);
    free(data);
}
END_TEST

/* ----------------------------------------------------------------- contract */

/* What a program compiled against an older version does not know of is not looked at. */
START_TEST(test_older_options)
{
    pickle_doc *doc = small_doc();
    pickle_buf buf = { 0 };
    int calls = 0;
    pickle_write_opts opts = {
        .struct_size = offsetof(pickle_write_opts, compression),
        .protocol = 4,
        .compression = { .codec = PICKLE_CODEC_GZIP },
        .on_progress = cancel,
        .ctx = &calls,
    };

    ck_assert(pickle_write_buf(doc, &buf, &opts, NULL));
    ck_assert_uint_eq(buf.len, SMALL);
    ck_assert_mem_eq(buf.data, small, SMALL);
    opts.struct_size = 0;
    opts.on_progress = NULL;
    opts.compression.codec = (pickle_codec)last_codec();
    buf.len = 0;
    ck_assert(pickle_write_buf(doc, &buf, &opts, NULL));
    ck_assert_int_eq(buf.data[0], files_codec("zlib") ? 0x1f : 0x80);
    pickle_buf_free(&buf);
    pickle_doc_free(doc);
}
END_TEST

START_TEST(test_refused)
{
    pickle_doc *doc = small_doc();
    pickle_error err;

    make_folder();
    ck_assert(!pickle_write_file(NULL, in_folder("x"), NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_ARG);
    ck_assert(!pickle_write_file(doc, in_folder("x"), pickle_write_opts(.format = (pickle_format)9),
                                 &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_ARG);
    ck_assert(!pickle_write_file(
        doc, in_folder("x"),
        pickle_write_opts(.compression = { .codec = PICKLE_CODEC_GZIP, .level = 99 }), &err));
    ck_assert_int_eq(err.code, files_codec("zlib") ? PICKLE_ERR_ARG : PICKLE_ERR_UNSUPPORTED);
    doc->failed.code = PICKLE_ERR_RANGE;
    strcpy(doc->failed.message, "what came first");
    ck_assert(!pickle_write_file(doc, in_folder("x"), NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_RANGE);
    ck_assert_str_eq(err.message, "what came first");
    ck_assert(!pickle_write_file(doc, in_folder("x"), NULL, NULL));
    doc->failed.code = PICKLE_OK;
    ck_assert_int_eq(pickle_read_next(doc, NULL), PICKLE_END);
    ck_assert(!pickle_write_file(doc, in_folder("x"), NULL, &err));
    ck_assert_int_eq(err.code, PICKLE_ERR_ARG);
    ck_assert_uint_eq(entries(false), 0);
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- parts */

START_TEST(test_several)
{
    const pickle_write_opts *plain = pickle_write_opts(.compression.codec = PICKLE_CODEC_NONE);
    const pickle_compression how = { .codec = PICKLE_CODEC_GZIP, .level = 9 };
    pickle_doc *doc = small_doc(), *again;
    pickle_compressor *gzip;
    pickle_file *file;

    make_folder();
    file = pickle_file_open(in_folder("log"), NULL, NULL);
    ck_assert_ptr_nonnull(file);
    gzip = pickle_compressor_new(&how, pickle_file_sink(file), NULL, NULL);
    ck_assert_ptr_nonnull(gzip);
    for (int i = 0; i < 3; i++)
        ck_assert(pickle_write(doc, pickle_compressor_sink(gzip), plain, NULL));
    ck_assert(pickle_compressor_finish(gzip, NULL));
    pickle_compressor_free(gzip);
    ck_assert_int_ne(access(in_folder("log"), F_OK), 0);
    ck_assert(pickle_file_commit(file, NULL));
    again = pickle_read_file(in_folder("log"), NULL, NULL);
    ck_assert_ptr_nonnull(again);
    ck_assert_str_eq(pickle_container(again), "pickle+gzip");
    for (int i = 0; i < 3; i++) {
        check_repr(pickle_root(again), "{'a': [1, 2.5, None, 'text']}");
        ck_assert_int_eq(pickle_read_next(again, NULL), i < 2 ? PICKLE_OK : PICKLE_END);
    }
    pickle_doc_free(again);
    file = pickle_file_open(in_folder("log2"), NULL, NULL);
    ck_assert(pickle_write(doc, pickle_file_sink(file), plain, NULL));
    ck_assert_uint_eq(entries(false), 2);
    pickle_file_discard(file);
    pickle_file_discard(NULL);
    pickle_compressor_free(NULL);
    ck_assert_uint_eq(entries(false), 1);
    remove_folder();
    pickle_doc_free(doc);
}
END_TEST

/* A write that failed is not forgotten. */
START_TEST(test_sticky)
{
    pickle_file *file;
    pickle_error err;

    if (access("/dev/full", W_OK) != 0)
        return;
    file = pickle_file_open("/dev/full", NULL, &err);
    ck_assert_ptr_nonnull(file);
    ck_assert(!pickle_file_sink(file).write(file, "x", 1));
    ck_assert(!pickle_file_commit(file, &err));
    check_io(&err, ENOSPC);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("write");
    TCase *tc = tcase_create("write");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_buf);
    tcase_add_test(tc, test_cycle_made_in_c);
    tcase_add_test(tc, test_error_names_path);
    tcase_add_test(tc, test_hostile_shapes);
    if (files_codec("zlib"))
        tcase_add_test(tc, test_codec_is_kept);
    tcase_add_test(tc, test_buf_failure);
    tcase_add_test(tc, test_sink_refuses);
    tcase_add_test(tc, test_descriptors);
    tcase_add_test(tc, test_descriptor_paths);
    tcase_add_test(tc, test_permissions);
    tcase_add_test(tc, test_links);
    tcase_add_test(tc, test_places);
    tcase_add_test(tc, test_foreign_owner);
    if (files_codec("zlib"))
        tcase_add_test(tc, test_endings);
    tcase_add_test(tc, test_onto_itself);
    tcase_add_test(tc, test_disk_full);
    tcase_add_test(tc, test_no_memory);
    tcase_add_test(tc, test_cancel);
    tcase_add_test(tc, test_older_options);
    tcase_add_test(tc, test_refused);
    if (files_codec("zlib"))
        tcase_add_test(tc, test_several);
    tcase_add_test(tc, test_sticky);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
