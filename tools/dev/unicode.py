#!/usr/bin/env python3
"""unicode.py - write lib/sklearn/unicode.inc: what str.lower(), re and NFKD know of characters.

Run it with the Python whose Unicode version is wanted (3.13: Unicode 15.1):

    python3.13 tools/dev/unicode.py > lib/sklearn/unicode.inc
"""
import sys
import unicodedata

PAGE = 128
WORD, DECIMAL, SPACE, CASED, IGNORABLE, DECOMPOSES, FOLDS = (1 << i for i in range(7))


def is_final(text):
    return (text + "\u03a3").lower().endswith("\u03c2")


def record(c):
    """Flags, canonical combining class, and the distance to the lower case."""
    ch = chr(c)
    flags = 0
    if ch.isalnum() or ch == "_":
        flags |= WORD
    if ch.isdecimal():
        flags |= DECIMAL
    if ch.isspace():
        flags |= SPACE
    # The rule of the final sigma shows which characters are cased, and which it looks past.
    if is_final("A" + ch):
        flags |= CASED if is_final(ch) else IGNORABLE
    if unicodedata.normalize("NFKD", ch) != ch:
        flags |= DECOMPOSES
    if folded(ch) != ch:
        flags |= FOLDS
    lower = ch.lower()
    return flags, unicodedata.combining(ch), ord(lower) - c if len(lower) == 1 else 0


def folded(ch):
    return "".join(c for c in unicodedata.normalize("NFKD", ch) if not unicodedata.combining(c))


def is_hangul(c):
    return 0xac00 <= c <= 0xd7a3


def write(head, items):
    print(head + " = {")
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            print(line)
            line = "   "
        line += " " + item + ","
    print(line)
    print("};")


def characters():
    records, pages, index, table = {}, {}, [], []
    for start in range(0, 0x110000, PAGE):
        page = tuple(records.setdefault(record(c), len(records))
                     for c in range(start, start + PAGE))
        if page not in pages:
            pages[page] = len(pages)
            table.extend(page)
        index.append(pages[page])
    assert len(records) < 65536 and len(pages) < 65536
    write("static const struct character records[]",
          ["{ %d, %d, %d }" % key for key in records])
    write("static const uint16_t pages[]", map(str, index))
    write("static const uint%d_t of_pages[]" % (8 if len(records) < 256 else 16), map(str, table))


def replacements():
    pool, places, entries = bytearray(), {}, []
    for c in range(0x110000):
        text = folded(chr(c))
        if text == chr(c) or is_hangul(c):
            continue
        if text not in places:
            places[text] = len(pool)
            pool += text.encode("utf-8") + b"\0"
        entries.append((c, places[text]))
    assert len(pool) < 65536
    write("static const uint32_t folding[]", ["0x%x" % c for c, _ in entries])
    write("static const uint16_t folded_at[]", ["%d" % at for _, at in entries])
    write("static const unsigned char folded[]", map(str, pool))


def main():
    print("/* unicode.inc - made by tools/dev/unicode.py with Python %d.%d (Unicode %s). */"
          % (*sys.version_info[:2], unicodedata.unidata_version))
    characters()
    replacements()


if __name__ == "__main__":
    main()
