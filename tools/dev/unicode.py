#!/usr/bin/env python3
"""unicode.py - write lib/sklearn/unicode.inc: what str.lower(), re and NFKD know of characters.

Run it with the Python whose Unicode version is wanted (3.13: Unicode 15.1):

    python3.13 tools/dev/unicode.py > lib/sklearn/unicode.inc
"""
import sys
import unicodedata

PAGE, PAGES = 16, 64
OTHERS = 0xac00
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
    line = ""
    for item in items:
        if len(line) + len(item) + 1 > 100:
            print(line)
            line = ""
        line += item + ","
    print(line)
    print("};")


def pages_of(values, size):
    """Each different page once, one after the other, and which of them each page is."""
    places, table, index = {}, [], []
    for start in range(0, len(values), size):
        page = tuple(values[start:start + size])
        if page not in places:
            places[page] = len(places)
            table.extend(page)
        index.append(places[page])
    return table, index


def characters():
    records = {}
    of_each = [records.setdefault(record(c), len(records)) for c in range(0x110000)]
    table, small = pages_of(of_each, PAGE)
    middle, large = pages_of(small, PAGES)
    assert max(len(records), max(large)) < 256 and max(small) < 65536
    write("static const struct character records[]", ["{%d,%d,%d}" % key for key in records])
    write("static const uint8_t areas[]", map(str, large))
    write("static const uint16_t pages[]", map(str, middle))
    write("static const uint8_t of_pages[]", map(str, table))


def replacements():
    """Runs of characters that fold, and what each folds to: nothing (0), one character below
    OTHERS, or a text that is so far from the start of all texts."""
    runs, values, pool, places = [], [], [], {}
    for c in range(0x110000):
        text = folded(chr(c))
        if text == chr(c) or is_hangul(c):
            continue
        if not runs or runs[-1][0] + len(values) - runs[-1][1] != c:
            runs.append((c, len(values)))
        if len(text) < 2 and text < chr(OTHERS):
            values.append(ord(text) if text else 0)
            continue
        if text not in places:
            places[text] = len(pool)
            pool += [*map(ord, text), 0]
        values.append(OTHERS + places[text])
    assert max(values) < 65536
    write("static const struct run folding[]", ["{%d,%d}" % run for run in runs])
    write("static const uint16_t folds_to[]", map(str, values))
    write("static const uint32_t folded[]", map(str, pool))


def main():
    print("/* unicode.inc - made by tools/dev/unicode.py with Python %d.%d (Unicode %s). */"
          % (*sys.version_info[:2], unicodedata.unidata_version))
    characters()
    replacements()


if __name__ == "__main__":
    main()
