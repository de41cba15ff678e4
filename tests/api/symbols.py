"""symbols.py - what a library exports: what its headers declare, and what LIST has.

usage: symbols.py LIST NM SHARED STATIC HEADER...
       symbols.py --list NM SHARED                (what LIST should say)
"""

import pathlib
import re
import subprocess
import sys

import tap


def exported(nm, library, *options):
    """Names of the global symbols that `library` defines."""
    out = subprocess.run([nm, "-g", *options, library], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {m[1] for m in re.finditer(r"^[0-9a-f]+ [A-TV-Z] ([^@\s]+)", out, re.MULTILINE)}


def declared(headers):
    """Names of the functions and variables that `headers` mark PICKLE_API."""
    names = set()
    for header in headers:
        text = pathlib.Path(header).read_text()
        text = re.sub(r"/\*.*?\*/|//[^\n]*|^#(?:[^\n]*\\\n)*[^\n]*", "", text,
                      flags=re.DOTALL | re.MULTILINE)
        names.update(re.findall(r"\bPICKLE_API\b[^;(]*?(\w+)\s*[(;\[]", text))
    return names


def difference(left, right, left_name, right_name):
    """How two sets of names differ, in words, or nothing."""
    lines = ["only %s: %s" % (left_name, name) for name in sorted(left - right)]
    lines += ["only %s: %s" % (right_name, name) for name in sorted(right - left)]
    return "\n".join(lines)


def main(listed, nm, shared, static, *headers):
    exports = exported(nm, shared, "-D")
    tap.check("exported is what the headers declare",
              difference(exports, declared(headers), "exported", "declared"))
    path = pathlib.Path(__file__).with_name(listed)
    tap.check("exported is what %s lists (tools/dev/symbols.sh refreshes it)" % listed,
              difference(exports, set(path.read_text().split()), "exported", "listed"))
    tap.check("exported names start with pickle_",
              "\n".join(n for n in sorted(exports) if not re.match("pickle_[^_]", n)))
    tap.check("names in the static library start with pickle_",
              "\n".join(n for n in sorted(exported(nm, static)) if not n.startswith("pickle_")))
    tap.done()


if sys.argv[1] == "--list":
    print("\n".join(sorted(exported(*sys.argv[2:4], "-D"))))
else:
    main(*sys.argv[1:])
