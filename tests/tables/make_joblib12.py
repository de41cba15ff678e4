#!/usr/bin/env python3
"""make_joblib12.py - write joblib12.tsv: where the arrays lie in fixtures/vectors/joblib-1.2.

    python3 tests/tables/make_joblib12.py

The .json beside each file says what joblib 1.2 wrote into it. A row for each array: file; path;
dtype, with the names of its fields; shape; order; offset of the data in the stream before it was
compressed; bytes; the first 16 digits of their SHA-256. Arrays of objects have "-" from the offset
on, files without arrays from the path on.
"""
import json
import pathlib

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent.parent / "fixtures" / "vectors" / "joblib-1.2"


def tuple_text(shape):
    return repr(tuple(shape)).replace(" ", "")


def arrays(value, path):
    """(path, description) of each array below."""
    if not isinstance(value, dict):
        return
    if "ndarray" in value:
        yield path, value["ndarray"]
    for key in ("list", "tuple"):
        for i, item in enumerate(value.get(key, [])):
            yield from arrays(item, "%s[%d]" % (path, i))
    for key, item in value.get("dict", []):
        yield from arrays(item, "%s[%r]" % (path, key))


def rows():
    for description in sorted(VECTORS.glob("*.json")):
        name = description.name[:-len(".json")]
        found = list(arrays(json.loads(description.read_text()), ""))
        for path, a in found:
            yield [name, path or ".", a["dtype"], tuple_text(a["shape"]), a["order"]] + [
                a.get(key, "-") for key in ("offset", "nbytes", "sha256")]
        if not found:
            yield [name] + ["-"] * 7


with open(HERE / "joblib12.tsv", "w", encoding="utf-8", newline="\n") as table:
    table.write("#file\tpath\tdtype\tshape\torder\toffset\tnbytes\tsha256\n")
    for row in rows():
        table.write("\t".join(map(str, row)) + "\n")
