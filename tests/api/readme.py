"""readme.py - the C examples of README.md compile without a warning, and run.

usage: readme.py README INCLUDE_DIR LIBRARIES MODEL CC...      (LIBRARIES: paths with colons between)

Each ```c block is a program. It runs where "model.joblib" is a copy of MODEL, and succeeds; when a
```text block follows before any other block, that is what it prints.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import tap

FLAGS = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def examples(text):
    """(program, expected output or None) of each example."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    for (kind, body), (next_kind, next_body) in zip(blocks, blocks[1:] + [("", "")]):
        if kind == "c":
            yield body, next_body if next_kind == "text" else None


def run_example(program, expected, folder):
    """What is wrong with a program, or nothing."""
    source = folder / "example.c"
    source.write_text(program)
    command = [*cc, *FLAGS, "-I", include_dir, str(source), *map(str, libraries), "-o", "example",
               "-Wl,-rpath," + str(libraries[0].parent)]
    run = subprocess.run(command, cwd=folder, text=True, stderr=subprocess.PIPE)
    if run.returncode:
        return run.stderr
    run = subprocess.run(["./example"], cwd=folder, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=60)
    if run.returncode:
        return "exit %d\n%s" % (run.returncode, run.stderr)
    if expected is not None and run.stdout != expected:
        return "printed:\n%snot:\n%s" % (run.stdout, expected)


readme, include_dir, libraries, model, *cc = sys.argv[1:]
libraries = [pathlib.Path(library).resolve() for library in libraries.split(":")]
found = list(examples(pathlib.Path(readme).read_text()))
tap.check("README.md has an example in C", None if found else "no ```c block")
for number, (program, expected) in enumerate(found, 1):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(model, pathlib.Path(folder, "model.joblib"))
        tap.check("example %d" % number, run_example(program, expected, pathlib.Path(folder)))
tap.done()
