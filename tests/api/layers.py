"""layers.py - an include only points up: to the own layer of lib/, or to one nearer to base.

usage: layers.py PROJECT_ROOT
"""

import pathlib
import re
import sys

import tap

LAYERS = ["base", "op", "graph", "vm", "codec", "types", "joblib", "pickler", "file", "audit", "convert",
          "sklearn"]
GENERATED = "pickle_config.h"


def includes(path):
    """(line number, '<' or '"', name) of each include."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if match:
            yield number, match[1], match[2]


def check_tree(root, folder, problem_of):
    for path in sorted((root / folder).rglob("*.[chi]*")):
        if path.suffix not in (".c", ".h", ".inc"):
            continue
        where = path.relative_to(root)
        problems = ["%s:%d: %s" % (where, number, problem)
                    for number, quote, name in includes(path)
                    for problem in [problem_of(path, quote, name)] if problem]
        tap.check(str(where), "\n".join(problems))


def library_problem(path, quote, name):
    """Quoted includes are relative to lib/; the only others are public and system headers."""
    lib = root / "lib"
    own = path.relative_to(lib).parts[0]
    layer = name.split("/")[0]
    if quote == "<":
        return (lib / name).exists() and "%s: a private header is included with quotes" % name
    if name == GENERATED:
        return None
    if layer not in LAYERS or not (lib / name).exists():
        return '"%s" is no file of lib/' % name
    if LAYERS.index(layer) > LAYERS.index(own):
        return '"%s": %s may not know %s' % (name, own, layer)


def public_problem(path, quote, name):
    if quote != "<":
        return '"%s": users find <pickle/...> only' % name


def tool_problem(path, quote, name):
    """The command is written against the public headers."""
    if quote == '"' and not (path.parent / name).exists():
        return '"%s" is no file beside it' % name
    if (root / "lib" / name).exists() or name == GENERATED:
        return "%s is private to the library" % name


root = pathlib.Path(sys.argv[1])
tap.check("folders of lib/ are layers",
          "\n".join(p.name for p in (root / "lib").iterdir()
                    if p.is_dir() and p.name not in LAYERS))
check_tree(root, "include", public_problem)
check_tree(root, "lib", library_problem)
check_tree(root, "tools", tool_problem)
tap.done()
