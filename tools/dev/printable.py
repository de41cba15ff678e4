#!/usr/bin/env python3
"""printable.py - write lib/base/printable.inc: where str.isprintable() changes.

Run it with the Python whose Unicode version is wanted (3.13: Unicode 15.1):

    python3.13 tools/dev/printable.py > lib/base/printable.inc
"""
import sys
import unicodedata


def edges():
    before = False
    for code_point in range(0x110000):
        printable = chr(code_point).isprintable()
        if printable != before:
            yield code_point
        before = printable


def main():
    print("/* printable.inc - made by tools/dev/printable.py with Python %d.%d (Unicode %s). */"
          % (*sys.version_info[:2], unicodedata.unidata_version))
    numbers = ["0x%x," % edge for edge in edges()]
    line = ""
    for number in numbers:
        if len(line) + len(number) + 1 > 100:
            print(line.rstrip())
            line = ""
        line += number + " "
    print(line.rstrip())


if __name__ == "__main__":
    main()
