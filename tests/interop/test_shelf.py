"""test_shelf.py - shelves that live Pythons write, and what the command finds in them.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python), and the system's: a shelf and a dbm
file of bytes in each dbm that it has, with random keys and values, some of them changed and deleted
again; bare, and compressed where one file is all. `pickle get` prints them as JSON. What a Python
lacks it is not asked for, and that is said: unit/shelf reads files of each dbm everywhere.

Run with "write FOLDER" by those Pythons themselves, Python 2.7 included: makes the files, and
FOLDER/want with what is in them.
"""
from __future__ import print_function

import glob
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

SEED = 20261124
SYSTEM = '/usr/bin/python3'
MODULES = {'gnu': ['dbm.gnu', 'gdbm'], 'ndbm': ['dbm.ndbm'], 'dumb': ['dbm.dumb', 'dumbdbm'],
           'sqlite3': ['dbm.sqlite3']}

# ------------------------------------------------------------------ the writer


def module_of(name):
    import importlib
    for module in MODULES[name]:
        try:
            return importlib.import_module(module)
        except ImportError:
            pass
    return None


def random_key(rng):
    letters = rng.choice(['ab', 'key \'"\\\n\t', u'\xe9\u20ac\U0001f600', 'x' * 50])
    return u''.join(rng.choice(letters) for _ in range(rng.randrange(1, 12)))


def random_value(rng):
    return rng.choice([rng.randrange(10 ** 9), u'text \u20ac', [1, [2, None]], {u'a': True},
                       list(range(rng.randrange(3000))), u'long ' * rng.randrange(5000)])


def change(rng, db, values, key_of, value_of):
    """Puts, puts again, and deletes; `values` follows."""
    for _ in range(rng.choice([0, 3, 40, 900])):
        key, value = random_key(rng), value_of(rng)
        if rng.random() < .3 and values:
            key = rng.choice(sorted(values))
        if rng.random() < .15 and key in values:
            del db[key_of(key)], values[key]
        else:
            db[key_of(key)] = values[key] = value


def write_one(rng, module, path, kind):
    import shelve
    values = {}
    for flag in 'n', 'w':
        db = module.open(path, flag)
        if kind == 'shelve':
            db = shelve.Shelf(db, protocol=rng.choice([0, 1, 2] if bytes is str else [0, 2, 3, 4]))
            change(rng, db, values, str if bytes is not str else lambda key: key.encode('utf-8'),
                   random_value)
        else:
            change(rng, db, values, lambda key: key.encode('utf-8'),
                   lambda rng: os.urandom(rng.randrange(1, 900)).replace(b'\x80', b'-').replace(b'.', b'-'))
        db.close()
    if kind == 'dbm':
        values = dict((key, value.decode('latin-1')) for key, value in values.items())
    return values


def write(folder):
    """want: a line of JSON for each file, [dbm, file, kind, values or None]."""
    rng = random.Random(SEED)
    with open(os.path.join(folder, 'want'), 'w') as want:
        for name in sorted(MODULES):
            module = module_of(name)
            if not module:
                want.write(json.dumps([name, None, None, None]) + '\n')
                continue
            for i in range(8):
                path = os.path.join(folder, '%s-%d' % (name, i))
                kind = 'dbm' if i % 4 == 3 else 'shelve'
                values = write_one(rng, module, path, kind)
                if name == 'ndbm':  # Berkeley DB's, or gdbm's imitation
                    path += '.db' if os.path.exists(path + '.db') else '.pag'
                want.write(json.dumps([name, path, kind, values]) + '\n')


# ------------------------------------------------------------------- the tests


def get(path, *arguments):
    process = subprocess.Popen([os.environ['PICKLE_COMMAND'], 'get', '-j', path] + list(arguments),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    return process.returncode, out.decode('utf-8', 'surrogatepass'), err.decode()


def texts(values, kind):
    """Bytes are base64 in JSON."""
    import base64
    if kind == 'shelve':
        return values
    return dict((key, {'bytes': base64.b64encode(value.encode('latin-1')).decode()})
                for key, value in values.items())


def problem_in(path, kind, values):
    status, out, err = get(path)
    if status != 0:
        return '%s: %s' % (path, err)
    found = json.loads(out)
    if found != texts(values, kind):
        wrong = [key for key in set(found) | set(values)
                 if found.get(key) != texts(values, kind).get(key)]
        return '%s: %d keys of %d, and these differ: %r' % (path, len(found), len(values), wrong[:5])
    return None


def compressed(path):
    with open(path, 'rb') as plain, gzip.open(path + '.gz', 'wb') as out:
        shutil.copyfileobj(plain, out)
    return path + '.gz'


def check_file(name, path, kind, values):
    if path.endswith('.db'):
        status, _, err = get(path)
        return None if status == 2 and 'Berkeley DB' in err else '%s: %s' % (path, err)
    problem = problem_in(path, kind, values)
    if name != 'dumb':
        problem = problem or problem_in(compressed(path), kind, values)
    return problem


def check(python):
    """Name and outcome for each dbm."""
    label = python.split(os.sep)[-3] if python != SYSTEM else 'system'
    folder = tempfile.mkdtemp(prefix='test-shelf-')
    try:
        subprocess.check_call([python, os.path.abspath(__file__), 'write', folder])
        with open(os.path.join(folder, 'want')) as want:
            rows = [json.loads(line) for line in want]
        for name in sorted(MODULES):
            mine = [row for row in rows if row[0] == name]
            if mine[0][1] is None:
                print('# %s has no dbm.%s' % (label, name))
                continue
            problems = [problem for problem in (check_file(*row) for row in mine) if problem]
            yield 'not ok' if problems else 'ok', '%s, dbm.%s' % (label, name), '\n'.join(problems)
    finally:
        shutil.rmtree(folder)


def main():
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    count = 0
    for python in pythons + [SYSTEM] * os.path.exists(SYSTEM):
        for outcome, name, text in check(python):
            count += 1
            print('%s %d - %s' % (outcome, count, name))
            for line in text.splitlines():
                print('# ' + line)
    if count == 0:
        count = 1
        print('ok 1 - shelves # SKIP no Python in PICKLE_VENVS, and no ' + SYSTEM)
    print('1..%d' % count)


if __name__ == '__main__':
    if sys.argv[1:2] == ['write']:
        write(sys.argv[2])
    else:
        main()
