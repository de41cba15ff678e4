"""tap.py - report checks in the TAP protocol that Meson reads."""

_count = 0


def check(name, problem=None):
    """One check: it failed if `problem` says how."""
    global _count
    _count += 1
    print("%s %d - %s" % ("not ok" if problem else "ok", _count, name))
    for line in (problem or "").splitlines():
        print("# " + line)


def skip(name, reason):
    global _count
    _count += 1
    print("ok %d - %s # SKIP %s" % (_count, name, reason))


def done():
    print("1..%d" % _count)
