/* version.c - the version, and which codecs are built in. */
#include <stddef.h>

#include <pickle/version.h>

#include "pickle_config.h"

uint32_t pickle_version_hex(void)
{
    return PICKLE_VERSION_HEX;
}

const char *pickle_version_string(void)
{
    return PICKLE_VERSION_STRING;
}

const char *const *pickle_features(void)
{
    static const char *const names[] = {
#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL
        "zlib",
        "gzip",
#endif
#if PICKLE__HAVE_BZIP2
        "bz2",
#endif
#if PICKLE__HAVE_LZMA
        "xz",
        "lzma",
#endif
#if PICKLE__HAVE_LZ4
        "lz4",
#endif
#if PICKLE__HAVE_ZSTD
        "zstd",
#endif
        NULL,
    };

    return names;
}
