#!/bin/sh
# Install the packages that libpickle is built with, and those that its tests need.
#
# usage: sh tools/dev/packages.sh [build|test]
#
# Knows apt (Debian, Ubuntu), dnf (Fedora), apk (Alpine) and brew (macOS), and does nothing when
# everything is there. Needs root or sudo to install; without them it says what is missing and
# lets the build find out whether it can do without.
set -eu

# What each package manager calls it. "extra" is what a distribution may lack on some machine.
case $(command -v apt-get || command -v dnf || command -v apk || command -v brew || :) in
*/apt-get)
	has() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
	refresh() { as_root apt-get update -qq; }
	install() {
		as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends "$@" >/dev/null
	}
	build="gcc libc6-dev meson ninja-build pkg-config zlib1g-dev libbz2-dev liblzma-dev
		liblz4-dev libzstd-dev"
	extra=libisal-dev
	test="g++ clang cmake check mandoc python3 python3-venv"
	test_extra=clang-format
	;;
*/dnf)
	has() { rpm -q --whatprovides "$1" >/dev/null 2>&1; }
	refresh() { :; }
	install() { as_root dnf install -q -y "$@"; }
	build="gcc meson ninja-build pkgconf-pkg-config zlib-devel bzip2-devel xz-devel lz4-devel
		libzstd-devel"
	extra=isa-l-devel
	test="gcc-c++ clang cmake check-devel mandoc libasan libubsan python3 python3-pip"
	test_extra=clang-tools-extra
	;;
*/apk)
	has() { apk info -q -e "$1"; }
	refresh() { :; }
	install() { as_root apk add -q "$@"; }
	build="gcc musl-dev meson samurai pkgconf zlib-dev bzip2-dev xz-dev lz4-dev zstd-dev"
	extra=isa-l-dev
	test="g++ clang cmake check-dev mandoc python3 py3-pip"
	test_extra=clang-extra-tools
	;;
*/brew)
	has() { brew list --formula "$1" >/dev/null 2>&1; }
	refresh() { :; }
	install() { brew install -q "$@"; }
	build="meson ninja pkgconf xz lz4 zstd"
	extra=isa-l
	test="cmake check mandoc python3"
	test_extra=clang-format
	;;
*)
	echo "No package manager that this script knows: needs a C compiler, meson, ninja and" >&2
	echo "pkg-config; zlib, ISA-L, bzip2, xz, lz4 and zstd are used if they are there." >&2
	exit 0
	;;
esac

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Those of the packages named that are not installed.
missing() {
	for package in "$@"; do
		has "$package" || printf '%s ' "$package"
	done
}

if [ "${1:-build}" = test ]; then
	build="$build $test"
	extra="$extra $test_extra"
fi
needed=$(missing $build)
wanted=$(missing $extra)
[ -n "$needed$wanted" ] || exit 0

if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null && ! command -v brew >/dev/null; then
	echo "Not installed, and there is no sudo to install them with: $needed$wanted" >&2
	exit 0
fi
echo "Installing $needed$wanted"
refresh
[ -z "$needed" ] || install $needed
for package in $wanted; do
	install "$package" || echo "No $package here: going on without it." >&2
done
