#!/bin/sh
# Install what the tests need, build in the configurations that matter, run the suites.
#
# usage: sh tools/test.sh
#
# The last line is "N passed, N failed, N skipped". Fails if a test failed or a configuration did
# not build; with CI=true also if an interop test was skipped. Everything built goes to
# build-test/, Python environments to the user's cache (see tools/dev/venvs.sh).
set -u

cd "$(dirname "$0")/.."
folders=

# configuration NAME COMPILER SUITES [MESON OPTION...]
configuration() {
	folder=build-test/$1 compiler=$2 suites=$3
	shift 3
	printf '\n== %s: %s\n' "$folder" "$suites"
	folders="$folders $folder"
	rm -rf "$folder"
	if { CC=$compiler meson setup "$folder" "$@" && meson compile -C "$folder"; } \
		>"$folder.log" 2>&1; then
		meson test -C "$folder" --print-errorlogs $(printf -- '--suite %s ' $suites)
	else
		cat "$folder.log"
	fi
}

# Alpine's gcc comes without the libraries that sanitizers need.
can_sanitize() {
	echo 'int main(void) { return 0; }' |
		"$1" -fsanitize=address,undefined -x c -o build-test/probe - ||
		{ printf '\n== gcc-sanitize: left out\n'; false; }
}

sh tools/dev/packages.sh test || exit
PICKLE_VENVS=$(sh tools/dev/venvs.sh) || exit
export PICKLE_VENVS
# What no allocator grants is refused, with sanitizers as without them.
export ASAN_OPTIONS=allocator_may_return_null=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
mkdir -p build-test

configuration gcc-release gcc 'unit api conformance interop hostile' --werror
if can_sanitize gcc; then
	configuration gcc-sanitize gcc 'unit conformance interop hostile' --buildtype=debug \
		-Doptimization=1 -Db_sanitize=address,undefined
fi
configuration clang-debug clang 'unit conformance' --werror --buildtype=debug
configuration gcc-no-codecs gcc 'unit' --werror --auto-features=disabled -Dtests=enabled

printf '\n'
python3 tools/dev/test_summary.py $folders
