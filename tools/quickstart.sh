#!/bin/sh
# From a fresh clone to a first look into a model: installs what is missing, builds, shows a file.
#
# usage: sh tools/quickstart.sh
set -eu

cd "$(dirname "$0")/.."
model=fixtures/py313/sklearn/iris_forest.joblib

# Run a command and show what it said only if it failed.
quietly() {
	said=$("$@" 2>&1) || {
		printf '%s\n' "$said" >&2
		exit 1
	}
}

echo "1. Compiler, Meson and codec libraries"
sh tools/dev/packages.sh build
echo "2. Building into build/"
[ -f build/build.ninja ] || quietly meson setup build
quietly meson compile -C build
echo "3. A scikit-learn random forest, read without Python:"
echo
echo "\$ build/tools/pickle show $model"
build/tools/pickle show "$model"
echo
echo "That is it. Try the command on a file of your own, or install it: meson install -C build"
