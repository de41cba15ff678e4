/* sha256.h - SHA-256, to compare output with digests that Python made. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>

/* The digest of `len` bytes at `data` in lower-case hexadecimal, with a NUL. */
void sha256_hex(char hex[65], const void *data, size_t len);

#endif
