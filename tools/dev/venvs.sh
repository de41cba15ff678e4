#!/bin/sh
# Make the Python environments that the interop tests compare with, and print the folder they
# are in: <folder>/<name>/bin/python for each that this machine has an interpreter for.
#
# usage: PICKLE_VENVS=$(sh tools/dev/venvs.sh)
#
# Interpreters are looked for in pyenv, then on the PATH. The folder is $PICKLE_VENVS, or
# libpickle/venvs in the user's cache; it is filled once and may be deleted at any time.
set -eu

venvs=${PICKLE_VENVS:-${XDG_CACHE_HOME:-$HOME/.cache}/libpickle/venvs}

# Name, versions of Python in the order of preference, packages.
table() {
	cat <<'END'
newest  3.13,3.14,3.12  numpy==2.5.5 scipy==1.18.1 pandas==3.1.1 joblib==1.6.0 scikit-learn==1.9.1 lz4==4.4.5
middle  3.11,3.10,3.9   numpy==1.24.4 scipy==1.10.1 pandas==1.5.3 joblib==1.2.0 scikit-learn==1.2.2
oldest  3.8             numpy==1.17.5 scipy==1.4.1 pandas==0.25.3 joblib==0.14.1 scikit-learn==0.22.2.post1
python2 2.7
END
}

say() {
	printf '%s\n' "$*" >&2
}

# The interpreter of the first of some versions that is there, or nothing.
find_python() {
	for version in $(echo "$1" | tr , ' '); do
		for python in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python \
			"$(command -v "python$version")"; do
			# pyenv leaves commands on the PATH that only say "not found".
			if "$python" -c '' 2>/dev/null; then
				echo "$python"
				return
			fi
		done
	done
}

# make_venv FOLDER PYTHON [PACKAGE...]
make_venv() {
	folder=$1 python=$2
	shift 2
	rm -rf "$folder"
	mkdir -p "$folder/bin"
	if [ $# -eq 0 ]; then
		# The standard library is enough, and Python 2 has no venv.
		printf '#!/bin/sh\nexec %s "$@"\n' "$python" >"$folder/bin/python"
		chmod +x "$folder/bin/python"
	else
		"$python" -m venv "$folder" &&
			"$folder/bin/python" -m pip install -q --disable-pip-version-check \
				--only-binary :all: "$@"
	fi
}

mkdir -p "$venvs"
table | while read -r name versions packages; do
	python=$(find_python "$versions")
	if [ -z "$python" ]; then
		say "$name: no Python $versions"
	elif [ "$(cat "$venvs/$name/.done" 2>/dev/null)" = "$python $packages" ]; then
		say "$name: there"
	elif make_venv "$venvs/$name" "$python" $packages </dev/null >&2; then
		echo "$python $packages" >"$venvs/$name/.done"
		say "$name: made with $python"
	else
		rm -rf "${venvs:?}/$name"
		say "$name: could not be made"
	fi
done
echo "$venvs"
