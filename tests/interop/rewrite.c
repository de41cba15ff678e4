/*
 * rewrite.c - reads and writes many files again, for test_rewrite.py.
 *
 * usage: rewrite
 *
 * Standard input: requests, each a header of 16 bytes and the input:
 *
 *     u32 size of the input, u8 protocol (255: the document's own), u8 pickle_flavor,
 *     u8 pickle_format, u8 numpy, u8 joblib layout, u8 flags, 6 bytes of zeros
 *
 * Flags: 1 optimize, 2 no_fix_imports, 4 buffers out of band. Standard output:
 * for each a u32 status, a u32 size, and the output, or what the error says.
 * Numbers are little-endian. One document is read into again and again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/pickle.h>
#include <pickle/write.h>

#define HEADER       16
#define OWN_PROTOCOL 255

enum { PROTOCOL = 4, FLAVOR, FORMAT, NUMPY, JOBLIB, FLAGS };
enum { OPTIMIZE = 1, NO_FIX_IMPORTS = 2, OUT_OF_BAND = 4 };

static void *need(void *memory)
{
    if (!memory) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return memory;
}

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_u32(uint32_t n)
{
    for (int i = 0; i < 4; i++)
        putchar((int)(n >> 8 * i & 0xff));
}

static void respond(pickle_status status, const void *data, size_t len)
{
    put_u32((uint32_t)status);
    put_u32((uint32_t)len);
    fwrite(data, 1, len, stdout);
    fflush(stdout);
}

static bool take(void *ctx, const pickle_buffer *buffer)
{
    (void)ctx;
    return buffer->data != NULL || buffer->len == 0;
}

static bool rewrite(pickle_doc *doc, const unsigned char *header, const void *data, size_t size,
                    pickle_buf *out, pickle_error *err)
{
    int protocol = header[PROTOCOL];
    bool plain_names = header[FLAGS] & NO_FIX_IMPORTS;

    if (!pickle_reread(doc, data, size, pickle_read_opts(.no_fix_imports = plain_names), err))
        return false;
    return pickle_write_buf(
        doc, out,
        pickle_write_opts(.protocol = protocol == OWN_PROTOCOL ? 0
                                      : protocol == 0          ? PICKLE_PROTOCOL_0
                                                               : protocol,
                          .format = (pickle_format)header[FORMAT],
                          .flavor = (pickle_flavor)header[FLAVOR], .joblib = header[JOBLIB],
                          .numpy = header[NUMPY], .no_fix_imports = plain_names,
                          .optimize = header[FLAGS] & OPTIMIZE,
                          .on_buffer = header[FLAGS] & OUT_OF_BAND ? take : NULL),
        err);
}

int main(void)
{
    unsigned char header[HEADER], *data = NULL;
    pickle_doc *doc = need(pickle_read("N.", 2, NULL, NULL));
    pickle_buf out = { 0 };
    pickle_error err;

    while (fread(header, 1, HEADER, stdin) == HEADER) {
        size_t size = get_u32(header);

        data = need(realloc(data, size + 1));
        if (fread(data, 1, size, stdin) != size)
            break;
        out.len = 0;
        if (rewrite(doc, header, data, size, &out, &err))
            respond(PICKLE_OK, out.data, out.len);
        else
            respond(err.code, err.message, strlen(err.message));
    }
    free(data);
    pickle_buf_free(&out);
    pickle_doc_free(doc);
    return ferror(stdin) != 0;
}
