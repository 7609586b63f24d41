# SPDX-License-Identifier: GPL-2.0-only
"""Say what the rig lacks on this machine, and the command that cures it."""
import shutil
import sys
import tempfile

from . import image, matrix, paths, qemu, verdict
from .paths import BUILD, TREE


def kernels():
    """Those that Debian's archive has; rows of the others are skipped."""
    return [version for version in matrix.KERNELS
            if not (BUILD / f"kernels/{version}.gone").exists()]


def wanted():
    """(what, path, cure) of everything some row may need."""
    yield "QEMU", TREE / "usr/bin/qemu-system-x86_64", "make tree"
    yield "busybox", TREE / "usr/bin/busybox", "make tree"
    for name in image.PROGRAMS:
        yield name.rsplit("/", 1)[1], TREE / name, "make tree"
    for version in kernels():
        yield f"Linux {version}", BUILD / "kernels" / version / "vmlinuz", "make kernels"
    for flavour in matrix.XENS[1:]:
        yield f"Xen ({flavour})", BUILD / "xen" / flavour / "xen", "make xen"
    yield "xl", image.XEN_TOOLS / "usr/lib/xen-4.20/bin/xl", "make kernels"
    yield "xl (pmem)", image.TOOLSTACK_PREFIX / "bin/xl", "make toolstack"
    yield "kexec", image.KEXEC, "make kernels"
    for flavour in matrix.NDCTLS[1:]:
        yield f"ndctl ({flavour})", image.NDCTL / flavour / "usr/bin/ndctl", "make kernels ndctl"
    yield ("the device model", image.DEVICE_MODEL / "usr/libexec/xen-qemu-system-i386",
           "scripts/fetch device-model")
    for name in ("fio", "sqlite3"):
        yield name, image.ACCEPTANCE / "usr/bin" / name, "scripts/fetch acceptance"
    for flavour in image.SUITE_FLAVOURS:
        yield f"ndctl's tests ({flavour})", image.SUITE / flavour, "scripts/build-ndctl-tests"
    yield "QEMU's plugin", BUILD / "plugin/medium-log.so", "scripts/build-plugin"
    yield "selftests", BUILD / "selftests", "make selftests"
    for version in kernels():
        module = BUILD / "modules" / version / "xen_pmem.ko"
        yield f"xen_pmem.ko of {version}", module, "make modules"
        if version != "6.12":
            built = BUILD / "test-modules" / version
            yield f"the selftests' modules of {version}", built, "make selftests"


def main():
    bad = 0
    if sys.version_info < (3, 11):
        bad += 1
        print("lacks  python 3.11 or later: install Debian 12's python3")
    for what, path, cure in wanted():
        there = path.exists()
        bad += not there
        print(f"has    {what}" if there else
              f"lacks  {what}, {paths.shown(path)}: run '{cure}'")
    if (TREE / "usr/bin/qemu-system-x86_64").exists():
        with tempfile.TemporaryDirectory(prefix="vmtest-") as directory:
            works = (BUILD / "kernels/6.12/vmlinuz").exists() and qemu.kvm_works(directory)
        print("has    KVM, it boots Linux" if works else
              "note   no usable KVM here: rows run under TCG, slower but complete")
    free = shutil.disk_usage(BUILD if BUILD.exists() else paths.TOP).free >> 30
    print(f"has    {free} GiB free disk" if free >= 8 else
          f"note   only {free} GiB free disk, rows may need 8")
    return verdict.SETUP if bad else verdict.PASS
