#!/bin/sh
# Write down what the library exports, after its interface has changed on purpose.
#
# usage: sh tools/dev/symbols.sh [BUILD_DIR]      (default: build)
set -eu

library=$(cd "${1:-build}" && pwd)/lib/libpickle.so
cd "$(dirname "$0")/../../tests/api"
names=$(python3 symbols.py --list nm "$library")
printf '%s\n' "$names" >symbols.txt
git diff --stat -- symbols.txt
