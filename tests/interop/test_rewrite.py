"""test_rewrite.py - what the library writes, next to what CPython's picklers and joblib do.

objects.py, run by each Python there is, makes values and pickles them in every protocol. The helper
$PICKLE_REWRITE reads those bytes and writes them again:

- in the same protocol they have to be the same bytes;
- in another protocol the bytes that this Python's C pickler (or joblib) itself makes of the value.
  Where that cannot be, IMPOSSIBLE says why; what we write there has to load as the same value;
- as joblib from a pickle, and the other way: it has to load as the same value.

$PICKLE_COMMAND is the command, whose copies of compressed files have to be the same files. Pythons
are those in the folders $PICKLE_VENVS (<name>/bin/python) and pyenv's; for arrays and models only the
former. Reports in TAP.

usage: test_rewrite.py [WORD...]    only the checks with one of the words in their names
"""

import bz2
import collections
import glob
import gzip
import lzma
import os
import pickletools
import re
import resource
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "api"))
import tap  # noqa: E402

OBJECTS = os.path.join(HERE, "objects.py")
SHOWN = 4           # differences of each check
DIS_LINES = 6       # of what was wanted and of what was written, in each

MEMORY = 2 << 30    # for the helper
CRASHED = 1 << 16   # the status then
OWN = 255           # the document's own protocol
FLAVORS = {"auto": 0, "c": 1, "python": 2, "c36": 3, "python36": 4, "py2": 5, "cpickle2": 6}
FORMATS = {"auto": 0, "pickle": 1, "joblib": 2}

# ----------------------------------------------- what no one can know from the bytes


def across(edge):
    """From below a protocol to it or above, or the other way."""
    return lambda p, q, version: min(p, q) < edge <= max(p, q)


def up_to(edge):
    """From below a protocol to it or above."""
    return lambda p, q, version: p < edge <= q


def always(p, q, version):
    return True


# names, when (from protocol, to protocol, Python), why
IMPOSSIBLE = [(re.compile(names), when, why) for names, when, why in [
    (r"stateful", up_to(2), "below 2 a state that is false is left out"),
    (r"newargs_ex", up_to(4), "partial(), below 4, holds copies of the arguments"),
    (r"by protocol$", always, "its __reduce_ex__ looks at the protocol"),
    (r"child |(list|dict) child|newargs", across(2),
     "below 2 copyreg hands over the base class's value, later __new__ gets what __getnewargs__ said"),
    (r"array [bdi] of", across(3), "array.array gives a list below 3, its bytes later"),
    (r"fold", across(4), "datetime leaves the fold out below 4"),
    (r"nan with payload", lambda p, q, version: p == 0, "protocol 0 has one NaN"),
    (r"bytearray|shared bytearray|bytes and text|empty ones|bytes shared with bytearray",
     lambda p, q, version: version < (3, 8) and across(3)(p, q, version),
     "before 3.8 bytearray gives text below 3, bytes later"),
    (r"bytes and text of one letter", lambda p, q, version: version < (3, 8),
     "before 3.8 the bytes that bytearray makes of itself are shared"),
    (r"inner |method of|newargs_ex", lambda p, q, version: version < (3, 13) and q < 4 <= p,
     "before 3.13 the getattr of an inner name is written in another way; ours is 3.13's"),
    (r"latin1 letters|bytes and text of one letter|dtypes|rec|table of arrays",
     lambda p, q, version: (3, 11) <= version < (3, 13) and q < 3 <= p,
     "in 3.11 and 3.12 the letter of a literal and that of decoded bytes can be two str"),
    (r".* in joblib$", lambda p, q, version: (3, 11) <= version < (3, 13) and p < 4 <= q,
     "in 3.11 and 3.12 the name of numpy.dtype is one str with the wrapper's attribute"),
    (r"neighbors", up_to(4), "whether equal names are one str, only the modules know"),
    (r"pipeline", lambda p, q, version: p < 5 == q,
     "arrays that are not contiguous do not use protocol 5's buffers, and nothing else tells them"),
    (r"inner (function|object)|inner classes", lambda p, q, version: version < (3, 13) and p < 4 <= q,
     "before 3.13, below 4, inner functions and methods of types look alike"),
    (r"method of a type", up_to(4), "below 4 an inner class and a method of a type look alike"),
    (r"os error|module functions|renamed modules", up_to(3), "several names of Python 3 have one in Python 2"),
    (r"types and functions|builtin functions|module functions|renamed modules|(dates|datetime)|array [bdi] of", up_to(4),
     "whether equal names are one str, only the modules know"),
    (r"array read-only|array broadcast", lambda p, q, version: p < 5 == q,
     "below 5 arrays do not say that they are read-only"),
    (r"array (strided|reversed|transposed)", lambda p, q, version: p < 5 == q,
     "arrays that are not contiguous do not use protocol 5's buffers, and nothing else tells them"),
]]

# Below 2 CPython hands over the base class. Without items an instance of a child of list or dict does
# not show that it has one other than object, whose __new__ refuses it.
UNLOADABLE = re.compile(r"(list|dict) child 0$")


def reason(name, p, q, version):
    for names, when, why in IMPOSSIBLE:
        if names.match(name) and when(p, q, version):
            return why
    return None


# --------------------------------------------------------------------- helpers


class Helper:
    """The program that reads and writes again; another one is started after a crash."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.limited = b"__asan_init" not in file.read()     # sanitizers take terabytes of addresses
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=self.limit if self.limited else None)

    @staticmethod
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    def rewrite(self, data, protocol=OWN, flavor="auto", format="auto", numpy=0, joblib=0, flags=0):
        """(status, bytes or message)"""
        header = struct.pack("<I6B6x", len(data), protocol, FLAVORS[flavor], FORMATS[format], numpy, joblib, flags)
        try:
            self.process.stdin.write(header + data)
            self.process.stdin.flush()
            status, size = struct.unpack("<II", self.process.stdout.read(8))
        except (OSError, struct.error):
            code = self.process.wait()
            self.start()
            return CRASHED, b"the helper ended with %d" % code
        return status, self.process.stdout.read(size)


def read_records(path):
    """{name: {(writer, protocol): bytes}}"""
    values = collections.OrderedDict()
    with open(path, "rb") as file:
        for line in iter(file.readline, b""):
            name, protocol, writer, size = line.decode().rstrip("\n").split("\t")
            values.setdefault(name, {})[writer, int(protocol)] = file.read(int(size))
    return values


def listing(data):
    """What pickletools.dis says, without offsets."""
    lines = []
    try:
        for op, argument, _ in pickletools.genops(data):
            lines.append(op.name if argument is None else "%s %.60r" % (op.name, argument))
    except Exception as error:      # raw arrays of joblib end it
        lines.append("-- %s" % error)
    return lines


def first_difference(want, got):
    return next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))


def difference(want, got):
    at = first_difference(want, got)
    text = ["%d bytes, not %d; from byte %d on: %s, not %s" % (
        len(got), len(want), at, got[at:at + 16].hex() or "nothing", want[at:at + 16].hex() or "nothing")]
    want, got = listing(want), listing(got)
    at = first_difference(want, got)
    text += ["    " + line for line in want[max(at - 2, 0):at]]
    text += ["  - " + line for line in want[at:at + DIS_LINES]]
    text += ["  + " + line for line in got[at:at + DIS_LINES]]
    return "\n".join(text)


class Check:
    """One line of TAP: what was compared, and the first things that were wrong."""

    def __init__(self, name):
        self.name, self.compared, self.wrong, self.shown, self.notes = name, 0, 0, [], collections.Counter()

    def fail(self, what, problem):
        self.wrong += 1
        if len(self.shown) < SHOWN:
            self.shown.append("%s: %s" % (what, problem))

    def fail_bytes(self, what, want, status, got):
        """`got` is an error's text if `status` is not 0."""
        show = len(self.shown) < SHOWN
        self.fail(what, "" if not show else got.decode() if status else difference(want, got))

    def note(self, what):
        self.notes[what] += 1

    def report(self):
        for note, count in sorted(self.notes.items()):
            print("# %s: %d: %s" % (self.name, count, note))
        problem = "\n".join(["%d differ" % self.wrong] + self.shown) if self.wrong else None
        if problem is None and self.compared == 0:
            problem = "nothing was compared"
        tap.check("%s: %d comparisons" % (self.name, self.compared), problem)
        return not problem


class Session:
    """The values of one Python, and what came of writing them again."""

    def __init__(self, helper, python, version, what):
        self.helper, self.python, self.version, self.what = helper, python, version, what
        self.layout = 15        # of joblib's files
        self.to_load = []       # name, protocol, writer, our bytes, check
        self.values = {}

    def run(self, *args):
        env = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore",
                   OMP_NUM_THREADS="1")
        return subprocess.run([self.python, OBJECTS, *args], capture_output=True, text=True, env=env)

    def write(self, folder):
        """What is wrong, or None."""
        path = os.path.join(folder, "records")
        done = self.run("write", self.what, path)
        if done.returncode == 0:
            self.values = read_records(path)
        return done.stderr.strip() if done.returncode else None

    def each(self):
        for name, files in self.values.items():
            for (writer, protocol), data in files.items():
                yield name, writer, protocol, data

    def flavor_of(self, writer):
        if self.version < (3,):
            return {"c": "cpickle2", "python": "py2"}[writer]
        if self.version < (3, 7):
            return {"c": "c36", "python": "python36"}[writer]
        return {"joblib": "python", "oob": "c"}.get(writer, writer)

    def copies(self, check):
        for name, writer, protocol, data in self.each():
            what = "%s, protocol %d, %s" % (name, protocol, writer)
            check.compared += 1
            status, ours = self.helper.rewrite(data)
            if status == 0 and ours == data:
                check.note("%s: identical" % writer)
                continue
            first, failed = ours, status
            status, ours = self.helper.rewrite(data, flavor=self.flavor_of(writer))
            if status == 0 and ours == data:
                check.note("%s: identical once the flavour is said" % writer)
            else:
                check.fail_bytes(what, data, failed, first)

    def conversions(self, check, writer):
        for name, files in self.values.items():
            protocols = [p for w, p in files if w == writer]
            for p in protocols:
                for q in range(6 if self.version >= (3, 8) else 5):
                    if q != p:
                        self.convert(check, name, writer, p, q, files[writer, p], files.get((writer, q)))

    def convert(self, check, name, writer, p, q, data, want):
        what = "%s, protocol %d to %d, %s" % (name, p, q, writer)
        why = reason(name + " in joblib" * (writer == "joblib"), p, q, self.version)
        status, ours = self.helper.rewrite(data, protocol=q)
        check.compared += 1
        if status:
            if status != CRASHED and (want is None or why):
                check.note("refused: %s" % (why or "Python does not write it either"))
            else:
                check.fail(what, ours.decode())
            return
        if want is None:
            check.note("Python does not write it; loaded")
        elif ours == want:
            check.note("impossible, and yet identical: %s" % why if why else "identical")
            return
        elif why:
            check.note("impossible, loaded: %s" % why)
            if UNLOADABLE.match(name) and q < 2 <= p:
                check.note("impossible to load: an empty child of list or dict, below 2")
                return
        else:
            check.fail_bytes(what, want, status, ours)
        self.to_load.append((name, p, writer, ours, what))

    def containers(self, check, source, target):
        """From pickle to joblib, and back. joblib.load gives arrays in the machine's byte order and, with
        numpy 2, no matrix: what it loads of these is not what pickle loads."""
        format = "joblib" if target == "joblib" else "pickle"
        strange = re.compile(r"(dtype|pair) >|matrix")
        for name, writer, protocol, data in self.each():
            if writer != source:
                continue
            what = "%s, protocol %d, %s to %s" % (name, protocol, source, target)
            check.compared += 1
            status, ours = self.helper.rewrite(data, format=format, joblib=self.layout * (format == "joblib"))
            if status:
                check.fail(what, ours.decode())
                continue
            want = self.values[name].get((target, protocol))
            if ours != want and strange.match(name):
                check.note("not compared: joblib.load changes byte order, or loses the class")
                continue
            check.note("identical" if ours == want else "loaded")
            if ours != want:
                self.to_load.append((name, protocol, source, ours, what))

    def optimized(self, check):
        for name, writer, protocol, data in self.each():
            if writer != "c":
                continue
            check.compared += 1
            status, ours = self.helper.rewrite(data, flags=1)
            want = pickletools.optimize(data)
            if status or ours != want:
                check.fail_bytes("%s, protocol %d" % (name, protocol), want, status, ours)

    def load(self, check, folder):
        """Does this Python load the same values from what we wrote?"""
        path = os.path.join(folder, "ours")
        whats = collections.defaultdict(list)
        with open(path, "wb") as out:
            for name, protocol, writer, data, what in self.to_load:
                out.write(("%s\t%d\t%s\t%d\n" % (name, protocol, writer, len(data))).encode() + data)
                whats[name, str(protocol), writer].append(what)
        done = self.run("check", self.what, path)
        check.compared += len(self.to_load)
        if done.returncode:
            check.fail("Python", done.stderr.strip())
        for line in done.stdout.splitlines():
            name, protocol, writer, problem = line.split("\t", 3)
            check.fail("one of " + "; ".join(whats[name, protocol, writer]), problem)


# ---------------------------------------------------------------------- checks


def check_values(helper, python, version, wanted, newest):
    session = Session(helper, python, version, "values")
    title = "Python %d.%d, " % version
    run_session(session, title, wanted, [
        ("copies", session.copies)] + [
        ("other protocols", lambda check: session.conversions(check, "c"))] * (version >= (3, 7)) + [
        ("optimized", session.optimized)] * (version == newest))


def check_arrays(helper, python, versions, wanted, what):
    session = Session(helper, python, tuple(map(int, versions["Python"].split(".")[:2])), what)
    joblib = tuple(map(int, versions["joblib"].split(".")[:2]))
    session.layout = 10 if joblib < (1, 2) else 12 if joblib < (1, 5) else 15
    title = "Python %(Python)s, numpy %(numpy)s, joblib %(joblib)s, " % versions + what + " "
    run_session(session, title, wanted, [
        ("copies", session.copies),
        ("other protocols", lambda check: session.conversions(check, "c")),
        ("other protocols in joblib", lambda check: session.conversions(check, "joblib")),
        ("pickle to joblib", lambda check: session.containers(check, "c", "joblib")),
        ("joblib to pickle", lambda check: session.containers(check, "joblib", "c"))])


def run_session(session, title, wanted, checks):
    checks = [(title + name, call) for name, call in checks if wanted(title + name)]
    if not checks:
        return
    with tempfile.TemporaryDirectory() as folder:
        problem = session.write(folder)
        if problem:
            tap.check(title + "writes", problem)
            return
        for name, call in checks:
            check = Check(name)
            call(check)
            check.report()
        if session.to_load:
            check = Check(title + "loading")
            session.load(check, folder)
            check.report()


INFLATE = {"z": zlib.decompress, "gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress,
           "lzma": lzma.decompress}
COMPRESS = {"z": "zlib", "gz": "gzip"}


def convert(command, *args):
    """What is wrong, or None."""
    done = subprocess.run([command, "convert", *args], capture_output=True, text=True)
    return done.stderr.strip() or "exit code %d" % done.returncode if done.returncode else None


def inflated(ending, path):
    try:
        return INFLATE[ending](content(path))
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        return error


def content(path):
    with open(path, "rb") as file:
        return file.read()


def check_compressed(command, python, versions, wanted):
    title = "Python %(Python)s, joblib %(joblib)s, " % versions + "compressed files"
    if not wanted(title):
        return
    session, check = Session(None, python, (3,), "models"), Check(title)
    with tempfile.TemporaryDirectory() as folder:
        done = session.run("compress", "models", folder)
        if done.returncode:
            check.fail("writing them", done.stderr.strip())
        for path in sorted(glob.glob(os.path.join(folder, "*.joblib*"))):
            copy_compressed(check, command, folder, path)
    check.report()


def copy_compressed(check, command, folder, path):
    """A copy, and the same from the uncompressed file by --compress."""
    name = os.path.basename(path)
    ending = name.rpartition(".")[2]
    model, level = name.split(".")[:2]
    plain = os.path.join(folder, model + ".joblib")
    copy = os.path.join(folder, "copy-" + name)
    check.compared += 1
    problem = convert(command, path, copy)
    if problem or content(copy) != content(path):
        check.fail(name, problem or "%d bytes, not %d" % (os.path.getsize(copy), os.path.getsize(path)))
    if ending not in INFLATE:
        return
    if content(path) == content(plain):
        check.note("level %s of %s: joblib does not compress" % (level, ending))
        return
    check.compared += 1
    problem = convert(command, plain, copy, "--compress", "%s:%s" % (COMPRESS.get(ending, ending), level))
    if problem or inflated(ending, copy) != inflated(ending, path):
        check.fail(name + " by --compress", problem or "other content")
        return
    exact = content(copy) == content(path)
    check.note("--compress %s: %s" % (COMPRESS.get(ending, ending), "identical" if exact else "another size or header"))


# ------------------------------------------------------------------------ main


def ask(python, program):
    run = subprocess.run([python, "-W", "ignore", "-c", program], capture_output=True, text=True)
    return run.stdout.strip() if run.returncode == 0 else None


def version_of(python):
    answer = ask(python, "import sys; print('%d.%d' % sys.version_info[:2])")
    return tuple(map(int, answer.split("."))) if answer else None


def pythons_in(folder):
    return sorted(glob.glob(os.path.join(folder, "*", "bin", "python"))) if folder else []


def find_pythons():
    """{version: python}: one for each version, of all there are."""
    pyenv = os.path.join(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions")
    found = {}
    for python in [sys.executable] + pythons_in(os.environ.get("PICKLE_VENVS")) + pythons_in(pyenv):
        version = version_of(python)
        if version and (version == (2, 7) or version >= (3, 6)):
            found.setdefault(version, python)
    return dict(sorted(found.items()))


def packages_of(python):
    answer = ask(python, "import sys, numpy, joblib, sklearn; print(sys.version.split()[0], numpy.__version__, "
                         "joblib.__version__)")
    return dict(zip(("Python", "numpy", "joblib"), answer.split())) if answer else None


def main():
    def wanted(name):
        return not words or any(word in name for word in words)

    words = sys.argv[1:]
    if "PICKLE_REWRITE" not in os.environ or "PICKLE_COMMAND" not in os.environ:
        sys.exit("PICKLE_REWRITE or PICKLE_COMMAND does not name the program")
    helper = Helper(os.environ["PICKLE_REWRITE"])
    pythons = find_pythons()
    for version, python in pythons.items():
        check_values(helper, python, version, wanted, max(pythons))
    for python in pythons_in(os.environ.get("PICKLE_VENVS")):
        versions = packages_of(python)
        if versions:
            check_arrays(helper, python, versions, wanted, "arrays")
            check_arrays(helper, python, versions, wanted, "models")
            check_compressed(os.environ["PICKLE_COMMAND"], python, versions, wanted)
    tap.done()


if __name__ == "__main__":
    main()
