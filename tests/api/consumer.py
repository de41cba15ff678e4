"""consumer.py - the installed library serves a program that finds it by pkg-config and by CMake.

usage: consumer.py MESON BUILD_DIR PREFIX LIBDIR PKG_CONFIG CMAKE CC...      (CMAKE may be "")
"""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import tap

HERE = pathlib.Path(__file__).with_name("consumer")
# A program for each library, by the name of its package.
PROGRAMS = {"libpickle": HERE / "main.c", "libpickle-sklearn": HERE / "model.c"}


class Failed(Exception):
    pass


def run(*command, **env):
    """Standard output of a command that has to succeed."""
    done = subprocess.run([str(c) for c in command], env={**os.environ, **env}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Failed("%s\n%s" % (" ".join(map(str, command)), done.stdout))
    return done.stdout


def attempt(name, function, *args):
    try:
        tap.check(name, function(*args))
    except Failed as failure:
        tap.check(name, str(failure))


def pkg_config_flags(stage, package, *options):
    """The flags for a library in a copy of the installed tree, as if it were installed there."""
    out = run(pkg_config, "--define-variable=prefix=%s" % stage, *options, package,
              PKG_CONFIG_PATH=str(stage / libdir / "pkgconfig"))
    return shlex.split(out)


def compile_and_run(stage, *options):
    program = stage / "consumer"
    for package, source in PROGRAMS.items():
        run(*cc, "-std=c11", "-Werror", source, "-o", program,
            *pkg_config_flags(stage, package, *options))
        run(program, LD_LIBRARY_PATH=str(stage / libdir))


def clean_flags(stage):
    """No flag of ours but the include folder reaches users."""
    for package in PROGRAMS:
        flags = pkg_config_flags(stage, package, "--cflags")
        if set(flags) != {"-I%s/include" % stage}:
            return "--cflags: %s" % flags


def with_static(stage, scratch):
    """Where only the static library is left, -lpickle means it."""
    static = scratch / "static"
    shutil.copytree(stage, static, symlinks=True)
    for shared in [*(static / libdir).glob("*.so*"), *(static / libdir).glob("*.dylib")]:
        shared.unlink()
    compile_and_run(static, "--static", "--cflags", "--libs")


def with_cmake(stage, scratch):
    build = scratch / "cmake"
    # Told where the package is: where lib64 is unusual, CMake does not look there by itself.
    package = stage / libdir / "cmake" / "libpickle"
    run(cmake, "-G", "Ninja", "-S", HERE, "-B", build, "-Dlibpickle_DIR=%s" % package)
    run(cmake, "--build", build)
    programs = [p for p in build.glob("consumer-*") if p.is_file()]
    for program in programs:
        run(program)
    has_static = (stage / libdir / "libpickle.a").exists()
    if len(programs) != (5 if has_static else 3):
        return "built: %s" % programs


def main(scratch):
    run(meson, "install", "-C", build_dir, "--no-rebuild", "--destdir", scratch / "root")
    stage = scratch / "root" / prefix.lstrip("/")
    attempt("pkg-config --cflags", clean_flags, stage)
    attempt("pkg-config, shared", compile_and_run, stage, "--cflags", "--libs")
    attempt("pkg-config, static", with_static, stage, scratch)
    if cmake:
        attempt("CMake", with_cmake, stage, scratch)
    else:
        tap.skip("CMake", "no cmake")
    tap.done()


meson, build_dir, prefix, libdir, pkg_config, cmake, *cc = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    main(pathlib.Path(folder))
