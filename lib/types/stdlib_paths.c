/*
 * stdlib_paths.c - pathlib's paths as text: their parts joined as Python 3.13 joins them.
 *
 * An absolute part makes those before it void. Empty components and "." go; ".." stay.
 */
#include "types/stdlib.h"

/* Where a part, or the path, begins: a drive, whether there is a root, and what comes behind. */
typedef struct anchor {
    const char *drive;
    size_t drive_len;
    const char *root; /* of a POSIX path "/" or "//", "\" of one of Windows; "": relative */
    const char *rest;
} anchor;

typedef struct path {
    const pickle_val *parts;
    const char *separators; /* the first is the one to write */
    anchor (*split)(const char *part);
    bool any; /* a name was written */
} path;

/* ------------------------------------------------------------------------ POSIX */

/* Two slashes mean something else than one; three and more are one. */
static anchor split_posix(const char *part)
{
    size_t slashes = strspn(part, "/");

    return (anchor){ "", 0, slashes == 0 ? "" : slashes == 2 ? "//" : "/", part + slashes };
}

/* ---------------------------------------------------------------------- Windows */

static bool is_separator(char c)
{
    return c == '\\' || c == '/';
}

static const char *next_separator(const char *p)
{
    return p + strcspn(p, "\\/");
}

/* \\?\UNC\ before a server's name, in any case. */
static bool is_long_unc(const char *part)
{
    static const char unc[] = "\\\\?\\UNC\\";

    for (int i = 0; unc[i]; i++) {
        char c = part[i] >= 'a' && part[i] <= 'z' ? (char)(part[i] - 0x20) : part[i];

        if (c != unc[i] && !(unc[i] == '\\' && c == '/'))
            return false;
    }
    return true;
}

/* \\server\share and \\?\device\..: two names are the drive. */
static anchor split_unc(const char *part)
{
    const char *end = next_separator(part + (is_long_unc(part) ? 8 : 2));

    if (*end)
        end = next_separator(end + 1);
    return (anchor){ part, (size_t)(end - part), *end ? "\\" : "", *end ? end + 1 : end };
}

static anchor split_windows(const char *part)
{
    size_t drive = 0;

    if (is_separator(part[0]) && is_separator(part[1]))
        return split_unc(part);
    if (part[0] && !is_separator(part[0]) && part[1] == ':')
        drive = 2;
    part += drive;
    return (anchor){ part - drive, drive, is_separator(*part) ? "\\" : "",
                     part + is_separator(*part) };
}

static bool same_drive(const anchor *a, const anchor *b)
{
    for (size_t i = 0; i < a->drive_len && i < b->drive_len; i++) {
        char x = a->drive[i], y = b->drive[i];

        if (x != y && ((x | 0x20) != (y | 0x20) || (x | 0x20) < 'a' || (x | 0x20) > 'z'))
            return false;
    }
    return a->drive_len == b->drive_len;
}

/* The root that \\server\share and \\?\UNC\server\share have without one, but no device. */
static bool is_share(const anchor *a)
{
    static const char *const devices[] = { "", "?", ".", "?." };
    size_t n = 0, server;

    if (a->drive_len < 3 || !is_separator(a->drive[0]) || is_separator(a->drive[a->drive_len - 1]))
        return false;
    for (size_t i = 0; i < a->drive_len; i++)
        n += is_separator(a->drive[i]);
    server = (size_t)(next_separator(a->drive + 2) - (a->drive + 2));
    for (size_t i = 0; n == 3 && i < sizeof devices / sizeof *devices; i++)
        if (strlen(devices[i]) == server && memcmp(a->drive + 2, devices[i], server) == 0)
            return false;
    return n == 3 || n == 5;
}

/* ------------------------------------------------------------------------- joined */

static const char *part_at(const path *p, size_t index)
{
    const pickle_val *v = pickle_at(p->parts, index);
    const char *text = pickle_str(v);

    return text && strlen(text) == pickle_len(v) ? text : NULL;
}

/* The anchor of the whole, and the first part that counts; false: a part is no text. */
static bool find_anchor(const path *p, anchor *whole, size_t *first)
{
    *whole = (anchor){ "", 0, "", "" };
    *first = 0;
    for (size_t i = 0; i < pickle_len(p->parts); i++) {
        const char *part = part_at(p, i);
        anchor a;

        if (!part)
            return false;
        a = p->split(part);
        if (*a.root || (a.drive_len && !same_drive(&a, whole))) {
            *first = i;
            whole->root = a.root;
        }
        if (a.drive_len) {
            whole->drive = a.drive;
            whole->drive_len = a.drive_len;
        }
    }
    if (!*whole->root && is_share(whole))
        whole->root = "\\";
    return true;
}

static bool put_drive(const anchor *a, pickle_sink out)
{
    for (size_t i = 0; i < a->drive_len; i++) {
        char c = a->drive[i] == '/' ? '\\' : a->drive[i];

        if (!out.write(out.ctx, &c, 1))
            return false;
    }
    return pickle__put(out, a->root);
}

/* What comes before a name: without an anchor, ".\\" tells "c:x" from a drive. */
static const char *before(const path *p, const anchor *whole, const char *name)
{
    if (p->any)
        return p->separators;
    return !whole->drive_len && !*whole->root && p->split(name).drive_len ? ".\\" : "";
}

static bool put_names(path *p, const anchor *whole, const char *at, pickle_sink out)
{
    while (*at) {
        size_t len = strcspn(at, p->separators);

        if (len > 0 && !(len == 1 && *at == '.')) {
            const char *start = before(p, whole, at);

            if (!out.write(out.ctx, start, p->any ? 1 : strlen(start)) ||
                !out.write(out.ctx, at, len))
                return false;
            p->any = true;
        }
        at += len;
        at += *at != '\0';
    }
    return true;
}

static bool put_path(path *p, pickle_sink out)
{
    anchor whole;
    size_t first;

    if (!find_anchor(p, &whole, &first) || !put_drive(&whole, out))
        return false;
    for (size_t i = first; i < pickle_len(p->parts); i++)
        if (!put_names(p, &whole, p->split(part_at(p, i)).rest, out))
            return false;
    return p->any || whole.drive_len || *whole.root || pickle__put(out, ".");
}

bool pickle_put_path(const pickle_val *v, pickle_sink out)
{
    const char *name = pickle_type_of(v) == PICKLE_TYPE_PATH ? pickle__class_name(v) : NULL;
    path p = { pickle_args(v), "/", split_posix, false };

    if (!name || pickle_kind_of(p.parts) != PICKLE_TUPLE)
        return false;
    if (strstr(name, "Windows")) {
        p.separators = "\\/";
        p.split = split_windows;
    }
    return put_path(&p, out);
}
