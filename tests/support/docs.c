/* docs.c - reading and comparing documents in tests. */
#include "docs.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "files.h"

pickle_doc *docs_read(const void *data, size_t len, const pickle_read_opts *opts)
{
    pickle_error err;
    pickle_doc *doc = pickle_read(data, len, opts, &err);

    ck_assert_msg(doc != NULL, "byte %d: %s", (int)err.offset, err.message);
    return doc;
}

pickle_doc *docs_fixture(const char *name)
{
    char path[4096];
    pickle_error err;
    pickle_doc *doc;

    snprintf(path, sizeof path, "%s/%s", files_folder(), name);
    doc = pickle_read_file(path, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: byte %d: %s", name, (int)err.offset, err.message);
    return doc;
}

pickle_doc *docs_new(void)
{
    pickle_doc *doc = pickle_doc_new(NULL);

    ck_assert_ptr_nonnull(doc);
    return doc;
}

void docs_done(pickle_doc *doc)
{
    pickle_error err;

    ck_assert_msg(pickle_doc_status(doc, &err) == PICKLE_OK, "%s", err.message);
    pickle_doc_free(doc);
}

void docs_failed(pickle_doc *doc, pickle_status code, const char *message)
{
    pickle_error err;

    ck_assert_str_eq(pickle_status_name(pickle_doc_status(doc, &err)), pickle_status_name(code));
    ck_assert_str_eq(err.message, message);
    pickle_doc_free(doc);
}

void check_repr(const pickle_val *v, const char *want)
{
    pickle_buf b = { 0 };
    pickle_sink sink = pickle_sink_buf(&b);

    ck_assert(pickle_repr(v, sink, 0, NULL));
    ck_assert(sink.write(sink.ctx, "", 1));
    ck_assert_str_eq((const char *)b.data, want);
    pickle_buf_free(&b);
}

void check_int(const pickle_val *v, int64_t want)
{
    int64_t n = ~want;

    ck_assert(pickle_get_i64(v, &n));
    ck_assert_int_eq(n, want);
}

void check_bytes(const pickle_val *v, const char *want, size_t want_len)
{
    size_t len = ~want_len;
    const void *data = pickle_bytes(v, &len);

    ck_assert_ptr_nonnull(data);
    ck_assert_uint_eq(len, want_len);
    ck_assert_mem_eq(data, want, len);
}
