"""headers.py - every public header compiles alone, twice over, in C11 and in C++17.

usage: headers.py INCLUDE_DIR HEADER...      (names as users write them: pickle/doc.h)
"""

import shutil
import subprocess
import sys

import tap

COMPILERS = [
    ("gcc", ["-x", "c", "-std=c11", "-Wstrict-prototypes"]),
    ("clang", ["-x", "c", "-std=c11", "-Wstrict-prototypes"]),
    ("g++", ["-x", "c++", "-std=c++17", "-Wold-style-cast"]),
    ("clang++", ["-x", "c++", "-std=c++17", "-Wold-style-cast"]),
]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-pedantic-errors", "-Werror"]


def compile_alone(compiler, flags, include_dir, header):
    source = "#include <%s>\n" % header * 2 + "int main(void) { return 0; }\n"
    command = [compiler, *flags, *WARNINGS, "-I", include_dir, "-fsyntax-only", "-"]
    run = subprocess.run(command, input=source, text=True, stderr=subprocess.PIPE)
    return run.stderr or (run.returncode and "exit %d" % run.returncode)


include_dir, *headers = sys.argv[1:]
for compiler, flags in COMPILERS:
    for header in headers:
        name = "%s with %s" % (header, compiler)
        if shutil.which(compiler):
            tap.check(name, compile_alone(compiler, flags, include_dir, header))
        else:
            tap.skip(name, "no " + compiler)
tap.done()
