#!/bin/sh
# Write down what the libraries export, after its interface has changed on purpose.
#
# usage: sh tools/dev/symbols.sh [BUILD_DIR]      (default: build)
set -eu

build=$(cd "${1:-build}" && pwd)
cd "$(dirname "$0")/../../tests/api"
refresh() {
	names=$(python3 symbols.py --list nm "$build/lib/$1.so")
	printf '%s\n' "$names" >"$2"
}
refresh libpickle symbols.txt
refresh libpickle-sklearn symbols-sklearn.txt
git diff --stat -- symbols.txt symbols-sklearn.txt
