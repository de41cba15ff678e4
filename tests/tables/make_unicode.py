"""Writes unicode.tsv: what Python 3.13 (Unicode 15.1) makes of every character.

Of each 4096 characters the CRC-32 of these bytes, for one character after the other: 1 if \\w
matches, 2 if \\d and 4 if \\s, added up; then, each behind a byte with its length, in UTF-8: the
lower case of it between "A", a capital sigma and "B"; its NFKD that is ASCII; its NFKD without what
combines; and likewise, but what is in NFKD already as it is.
"""
import os
import re
import sys
import unicodedata
import zlib

BLOCK = 4096


def without_accents(text):
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def facts(ch):
    kind = sum(bit for bit, pattern in ((1, r"\w"), (2, r"\d"), (4, r"\s"))
               if re.match(pattern, ch))
    nfkd = unicodedata.normalize("NFKD", ch)
    found = bytes([kind])
    for text in (("A%s\u03a3%sB" % (ch, ch)).lower(), nfkd.encode("ascii", "ignore").decode(),
                 without_accents(ch), ch if nfkd == ch else without_accents(ch)):
        data = text.encode("utf-8", "surrogatepass")
        found += bytes([len(data)]) + data
    return found


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "unicode.tsv")
    with open(path, "w", encoding="ascii", newline="\n") as out:
        out.write("# Made by make_unicode.py: Python %d.%d, Unicode %s.\n"
                  % (*sys.version_info[:2], unicodedata.unidata_version))
        out.write("#first\tcrc\n")
        for first in range(0, 0x110000, BLOCK):
            crc = 0
            for c in range(first, first + BLOCK):
                crc = zlib.crc32(facts(chr(c)), crc)
            out.write("%x\t%08x\n" % (first, crc))


if __name__ == "__main__":
    main()
