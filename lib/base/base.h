/* base.h - what every layer needs: errors, memory, checked sizes, compiler hints. */
#ifndef PICKLE__BASE_H
#define PICKLE__BASE_H

#include <stdarg.h>
#include <string.h>

#include <pickle/types.h>

#if defined(__GNUC__)
#define pickle__likely(x)    __builtin_expect(!!(x), 1)
#define pickle__unlikely(x)  __builtin_expect(!!(x), 0)
#define PICKLE__PRINTF(a, b) __attribute__((format(printf, a, b)))
#define PICKLE__COLD         __attribute__((cold, noinline))
#define PICKLE__INLINE       static inline __attribute__((always_inline))
#else
#define pickle__likely(x)   (x)
#define pickle__unlikely(x) (x)
#define PICKLE__PRINTF(a, b)
#define PICKLE__COLD
#define PICKLE__INLINE static inline
#endif

/* ------------------------------------------------------------------ errors */

/* Fills `err` (which may be NULL) and returns false, so that callers write: return
 * pickle__fail(...) */
PICKLE__COLD bool pickle__fail(pickle_error *err, pickle_status code, uint64_t offset,
                               const char *format, ...) PICKLE__PRINTF(4, 5);
PICKLE__COLD bool pickle__vfail(pickle_error *err, pickle_status code, uint64_t offset,
                                const char *format, va_list args) PICKLE__PRINTF(4, 0);
/* PICKLE_ERR_NOMEM, with the message every layer uses. */
PICKLE__COLD bool pickle__no_memory(pickle_error *err, uint64_t offset);

/* PICKLE_ERR_IO with what errno says; returns false. */
PICKLE__COLD bool pickle__io_error(pickle_error *err, uint64_t offset, const char *what);

/* Bytes from the input as printable ASCII for a message: \x escapes, cut with "..." to fit. */
const char *pickle__escape(char *dst, size_t size, const void *bytes, size_t len);

/* ------------------------------------------------------------------ memory */

/* `a` may be NULL: the default allocator. All return NULL when there is no memory. */
void *pickle__alloc(const pickle_alloc *a, size_t size);
void *pickle__realloc(const pickle_alloc *a, void *ptr, size_t old_size, size_t new_size);
void pickle__free(const pickle_alloc *a, void *ptr, size_t size);

/* False on overflow, `*out` untouched. */
static inline bool pickle__add(size_t a, size_t b, size_t *out)
{
    if (b > SIZE_MAX - a)
        return false;
    *out = a + b;
    return true;
}

static inline bool pickle__mul(size_t a, size_t b, size_t *out)
{
    if (a != 0 && b > SIZE_MAX / a)
        return false;
    *out = a * b;
    return true;
}

/* Room for `more` bytes behind buf->len; false when memory runs out, `buf` as it was. */
bool pickle__buf_reserve(pickle_buf *buf, size_t more);
bool pickle__buf_add(pickle_buf *buf, const void *data, size_t len);

/*
 * The caller's options, as long as the version it was compiled with had them;
 * what came since is zero, the default. `given` may be NULL; without a size, it
 * is of this version.
 */
static inline void pickle__options(void *all, size_t size, const void *given, size_t given_size)
{
    memset(all, 0, size);
    if (given)
        memcpy(all, given, given_size && given_size < size ? given_size : size);
}

/* ------------------------------------------------------------------- bytes */

static inline uint16_t pickle__u16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t pickle__u32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t pickle__u64(const unsigned char *p)
{
    return pickle__u32(p) | (uint64_t)pickle__u32(p + 4) << 32;
}

static inline double pickle__f64_be(const unsigned char *p)
{
    uint64_t bits = (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
                    (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
                    (uint64_t)p[6] << 8 | p[7];
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Value of an ASCII digit or letter in any base up to 36; 36 for every other byte. */
static inline unsigned pickle__digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10u : 36;
}

/* Was it made by pickle_sink_buf? Then its context is the buffer. */
bool pickle__sink_is_buf(pickle_sink out);

/* Write all of a NUL-terminated text to a sink. */
static inline bool pickle__put(pickle_sink out, const char *text)
{
    return out.write(out.ctx, text, strlen(text));
}

#endif
