/* crc32.c - CRC-32 as gzip and zip have it, with what is built in. */
#include "codec/archive.h"
#include "pickle_config.h"

#if PICKLE__HAVE_ISAL

#include <isa-l/crc.h>

uint32_t pickle__crc32(uint32_t crc, const void *data, size_t len)
{
    return crc32_gzip_refl(crc, data, len);
}

#elif PICKLE__HAVE_ZLIB

#include <zlib.h>

uint32_t pickle__crc32(uint32_t crc, const void *data, size_t len)
{
    return (uint32_t)crc32_z(crc, data, len);
}

#else

/* Four bits at a time: a build without either library cannot inflate most zips anyway. */
uint32_t pickle__crc32(uint32_t crc, const void *data, size_t len)
{
    static const uint32_t table[] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const unsigned char *bytes = data;

    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

#endif
