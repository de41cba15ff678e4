/* pickle/version.h - version numbers, the export macro, and what this build can inflate. */
#ifndef PICKLE_VERSION_H
#define PICKLE_VERSION_H

#include <stdint.h>

#define PICKLE_VERSION_MAJOR  0
#define PICKLE_VERSION_MINOR  1
#define PICKLE_VERSION_PATCH  0
#define PICKLE_VERSION_HEX    0x000100
#define PICKLE_VERSION_STRING "0.1.0"

#if defined(_WIN32) && defined(PICKLE_BUILDING)
#define PICKLE_API __declspec(dllexport)
#elif defined(__GNUC__)
#define PICKLE_API __attribute__((visibility("default")))
#else
#define PICKLE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library at run time; compare with the macros above. */
PICKLE_API uint32_t pickle_version_hex(void);
PICKLE_API const char *pickle_version_string(void);

/* NULL-terminated list of the codecs this build can read: "zlib", "gzip", "bz2", ... */
PICKLE_API const char *const *pickle_features(void);

#ifdef __cplusplus
}
#endif
#endif
