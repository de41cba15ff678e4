"""test_pandas.py - values that live pandas writes, and what the library finds in them.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python) that has pandas: all values that
make_pandas.py in $PICKLE_FIXTURES knows to make, pickled in several protocols and dumped by joblib.
The helper $PICKLE_PANDAS prints what is in the files. Skipped when no such Python is there.

Run with "write FOLDER" by those Pythons themselves: makes the files, and FOLDER/want with what the
helper should print.
"""
import glob
import io
import os
import pickle
import subprocess
import sys
import tempfile

# ------------------------------------------------------------------ the writer


def protocols_of(group):
    """As in make_pandas.py: of Arrow's buffers, only protocol 5 keeps the bytes as they are."""
    highest = pickle.HIGHEST_PROTOCOL
    return {'arrow': [highest], 'scalars': [2, highest]}.get(group, [0, 2, highest])


def write(folder):
    sys.path.insert(0, os.environ['PICKLE_FIXTURES'])
    import joblib
    import make_pandas
    print(make_pandas.pd.__version__)
    with io.open(os.path.join(folder, 'want'), 'w', encoding='utf-8', newline='\n') as want:
        for group, make in make_pandas.GROUPS:
            values = make()
            files = ['%s.p%d.pkl' % (group, protocol) for protocol in protocols_of(group)]
            for protocol, name in zip(protocols_of(group), files):
                with open(os.path.join(folder, name), 'wb') as out:
                    pickle.dump(values, out, protocol)
            files.append(group + '.joblib')
            joblib.dump(values, os.path.join(folder, files[-1]))
            rows = [(name, make_pandas.describe(value)) for name, value in values.items()]
            for path in files:
                for name, facts in rows:
                    want.write('%s\t%s\tbegin\n' % (path, name))
                    want.writelines('%s\t%s\n' % fact for fact in facts)


# ------------------------------------------------------------------ the reader


def difference(got, want):
    """The first line that is not as it should be, with the value it belongs to."""
    begin = ''
    for number in range(max(len(got), len(want))):
        pair = [lines[number] if number < len(lines) else 'nothing' for lines in (got, want)]
        if pair[0] != pair[1]:
            return '%s: %s, not %s' % (begin, pair[0], pair[1])
        begin = pair[1] if pair[1].endswith('\tbegin') else begin
    return None


def check_files(env, folder):
    import tap
    with io.open(os.path.join(folder, 'want'), encoding='utf-8', newline='\n') as lines:
        text = lines.read().split('\n')[:-1]
    files = []
    for line in text:
        if line.endswith('\tbegin'):
            path = line.split('\t')[0]
            if not files or files[-1][0] != path:
                files.append((path, []))
        files[-1][1].append(line)
    for path, want in files:
        ran = subprocess.run([os.environ['PICKLE_PANDAS'], path], cwd=folder, stdout=subprocess.PIPE)
        got = ran.stdout.decode('utf-8', 'replace').split('\n')[:-1]
        tap.check('%s: %s' % (env, path), difference(got, want) or
                  ('it ended with %d' % ran.returncode if ran.returncode else None))


def check_env(python):
    import tap
    env = os.path.basename(os.path.dirname(os.path.dirname(python)))
    if subprocess.call([python, '-c', 'import pandas, joblib'], stderr=subprocess.DEVNULL):
        print('# %s has no pandas' % env)
        return False
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run([python, os.path.abspath(__file__), 'write', folder], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
        if ran.returncode:
            tap.check(env + ': written', ran.stdout.decode('utf-8', 'replace'))
        else:
            check_files(env, folder)
    return True


def main():
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'api'))
    import tap
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    if not any([check_env(python) for python in pythons]):
        tap.skip('pandas', 'no Python in PICKLE_VENVS has pandas')
    tap.done()


if __name__ == '__main__':
    if sys.argv[1:2] == ['write']:
        write(sys.argv[2])
    else:
        main()
