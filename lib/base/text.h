/* text.h - text encodings: UTF-8 with surrogates, the escapes of protocol 0, Python's repr. */
#ifndef PICKLE__TEXT_H
#define PICKLE__TEXT_H

#include "base/base.h"

/* What a decoder found out about the text it made. */
#define PICKLE__TEXT_SURROGATES 1u /* holds lone surrogates: not UTF-8 to the letter */
#define PICKLE__TEXT_NONASCII   2u

/* Where and why decoding failed; `reason` is a constant. */
typedef struct pickle__text_error {
    size_t at; /* byte in the source */
    const char *reason;
} pickle__text_error;

/*
 * Copy `len` bytes of UTF-8 ("surrogatepass": ED A0..BF xx is a surrogate) to
 * `dst` while checking them; overlong forms, values above U+10FFFF and cut
 * sequences fail. `dst` has room for `len`. Sets *flags.
 */
bool pickle__utf8_copy(char *dst, const unsigned char *src, size_t len, unsigned *flags,
                       pickle__text_error *err);

/* Python 2 strings: how bytes >= 0x80 are decoded. */
typedef enum pickle__encoding {
    PICKLE__LATIN1,
    PICKLE__ASCII,
    PICKLE__UTF8,
    PICKLE__BYTES
} pickle__encoding;
typedef enum pickle__on_error {
    PICKLE__STRICT,
    PICKLE__REPLACE,
    PICKLE__SURROGATEESCAPE
} pickle__on_error;

/*
 * Decode to UTF-8 with surrogates, as bytes.decode(encoding, errors) does;
 * PICKLE__BYTES is not allowed here. With dst NULL only the length is counted.
 * Returns the bytes written (or needed), or SIZE_MAX with `err` filled.
 */
size_t pickle__decode(char *dst, const unsigned char *src, size_t len, pickle__encoding encoding,
                      pickle__on_error on_error, unsigned *flags, pickle__text_error *err);

/* raw-unicode-escape (UNICODE): \uXXXX and \UXXXXXXXX, all else latin1. Likewise. */
size_t pickle__decode_raw_unicode_escape(char *dst, const unsigned char *src, size_t len,
                                         unsigned *flags, pickle__text_error *err);

/*
 * The escapes of a bytes literal (STRING, between its quotes), as
 * codecs.escape_decode: dst has room for `len`; returns the bytes written or
 * SIZE_MAX with `err` filled.
 */
size_t pickle__decode_escapes(unsigned char *dst, const unsigned char *src, size_t len,
                              pickle__text_error *err);

bool pickle__is_ascii(const char *text, size_t len);

/* UTF-8 (as the decoders make it) to latin1: false if a character is above U+00FF. `dst` may be
 * NULL to count. */
bool pickle__encode_latin1(unsigned char *dst, const char *text, size_t len, size_t *written);

/* A code point, up to U+10FFFF, as UTF-8; surrogates as three bytes, too. Gives how many. */
size_t pickle__utf8_put(char dst[4], uint32_t code_point);
/* The next code point of UTF-8 with surrogates that was checked before; advances *p. */
uint32_t pickle__utf8_next(const char **p);

/* str.isprintable of one code point, by the Unicode version of CPython 3.13 (15.1). */
bool pickle__is_printable(uint32_t code_point);

/* Python's repr() of a str (text as the decoders make it) and of bytes (with the b). */
bool pickle__repr_str(const char *text, size_t len, pickle_sink out);
bool pickle__repr_bytes(const unsigned char *data, size_t len, pickle_sink out);
/* Of a bytearray, with the word around it. */
bool pickle__repr_bytearray(const unsigned char *data, size_t len, pickle_sink out);

#endif
