# SPDX-License-Identifier: GPL-2.0-only
"""Where things are, and how to run the programs of the build tree on any host."""
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[3]
HERE = TOP / "tools/vmtest"
BUILD = pathlib.Path(os.environ.get("VMTEST_BUILD", TOP / "build")).resolve()
TREE = BUILD / "tree"
LIBDIR = "usr/lib/x86_64-linux-gnu"
LIB_SUBDIRS = ("", "/systemd", "/pulseaudio")


class SetupError(Exception):
    """The rig cannot run: something is missing or wrong, not a failed test."""


def need(path, cure):
    """Return path, or say in one line what is missing and what makes it."""
    if not path.exists():
        raise SetupError(f"{shown(path)} is missing: run '{cure}'")
    return path


def shown(path):
    """A path as a person wants to read it: relative to the repository."""
    path = pathlib.Path(path)
    return str(path.relative_to(TOP)) if path.is_relative_to(TOP) else str(path)


def library_path(extra=()):
    dirs = [TREE / (LIBDIR + sub) for sub in LIB_SUBDIRS]
    return ":".join(str(d) for d in (*extra, *dirs))


def tree_argv(program, extra_libs=()):
    """argv that runs a program of the tree with the tree's own libraries."""
    loader = TREE / LIBDIR / "ld-linux-x86-64.so.2"
    need(loader, "make tree")
    return [str(loader), "--library-path", library_path(extra_libs), str(program)]


def run_tree(program, *args, extra_libs=()):
    return subprocess.run([*tree_argv(program, extra_libs), *map(str, args)], check=True,
                          text=True, stdout=subprocess.PIPE).stdout
