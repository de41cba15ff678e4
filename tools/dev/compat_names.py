#!/usr/bin/env python3
"""Write lib/vm/compat_names.inc from CPython's own tables of Python 2 names.

Run with the newest Python: the tables have grown over time, never shrunk.
"""
import _compat_pickle
import os

HEAD = """\
/*
 * compat_names.inc - Python 2 names and what Python 3 calls them, sorted by the old ones.
 * Written by tools/dev/compat_names.py from CPython's Lib/_compat_pickle.py; do not edit.
 *
 *   PICKLE__NAME(old module, old name, new module, new name)
 *   PICKLE__MODULE(old module, new module)
 */
"""


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "..", "lib", "vm", "compat_names.inc")
    names = sorted(_compat_pickle.NAME_MAPPING.items())
    modules = sorted(_compat_pickle.IMPORT_MAPPING.items())
    with open(path, "w", newline="\n") as out:
        out.write(HEAD)
        for old, new in names:
            out.write('PICKLE__NAME("%s", "%s", "%s", "%s")\n' % (old + new))
        for pair in modules:
            out.write('PICKLE__MODULE("%s", "%s")\n' % pair)


main()
