#!/bin/sh
# From a fresh clone to a prediction: installs what is missing, builds, shows a model and asks it.
#
# usage: sh tools/quickstart.sh
set -eu

cd "$(dirname "$0")/.."
model=fixtures/tutorial/iris.joblib flowers=fixtures/tutorial/iris.csv

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
echo "4. What it says about five flowers.  Now try a model of your own, or install all of this:"
echo "   meson install -C build"
echo
echo "\$ build/tools/pickle predict $model $flowers"
build/tools/pickle predict "$model" "$flowers"
