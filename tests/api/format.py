"""format.py - the sources look as .clang-format says.

usage: format.py CLANG_FORMAT PROJECT_ROOT FOLDER...
"""

import pathlib
import subprocess
import sys

import tap

clang_format, root, *folders = sys.argv[1:]
for folder in folders:
    for path in sorted(pathlib.Path(root, folder).rglob("*.[ch]")):
        run = subprocess.run([clang_format, "--dry-run", "-Werror", str(path)], text=True,
                             stderr=subprocess.PIPE)
        tap.check(str(path.relative_to(root)), run.stderr if run.returncode else None)
tap.done()
