#!/usr/bin/env python3
"""Write lib/base/python3_names.inc and lib/base/python2_names.inc from CPython's own tables.

Run with the newest Python: the tables have grown over time, never shrunk.
"""
import _compat_pickle
import os

HEAD = """\
/*
 * %s - %s, sorted by the old ones.
 * Written by tools/dev/compat_names.py from CPython's Lib/_compat_pickle.py; do not edit.
 *
 *   PICKLE__NAME(old module, old name, new module, new name)
 *   PICKLE__MODULE(old module, new module)
 */
"""


def write(name, what, names, modules):
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "..", "lib", "base", name)
    with open(path, "w", newline="\n") as out:
        out.write(HEAD % (name, what))
        for old, new in sorted(names.items()):
            out.write('PICKLE__NAME("%s", "%s", "%s", "%s")\n' % (old + new))
        for pair in sorted(modules.items()):
            out.write('PICKLE__MODULE("%s", "%s")\n' % pair)


write("python3_names.inc", "Python 2 names and what Python 3 calls them",
      _compat_pickle.NAME_MAPPING, _compat_pickle.IMPORT_MAPPING)
write("python2_names.inc", "Python 3 names and what protocols 0 to 2 call them",
      _compat_pickle.REVERSE_NAME_MAPPING, _compat_pickle.REVERSE_IMPORT_MAPPING)
