# SPDX-License-Identifier: GPL-2.0-only
"""Make the initramfs of a row out of files of the build tree.

The kernel accepts several archives one after the other, so an initramfs is a
chain of parts: base system, kernel modules, ndctl, selftests, and the steps of
one boot. The big parts are kept in build/vmtest/cache under the hash of what
went into them. Nothing is compressed: unpacking costs more than loading here.
"""
import dataclasses
import functools
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import time

from . import cpio, guide, modules, paths
from .paths import BUILD, HERE, LIBDIR, TOP, TREE, SetupError, need

PROGRAMS = """
    usr/bin/dash usr/bin/udevadm usr/bin/kmod usr/bin/jq usr/bin/lsblk usr/bin/findmnt
    usr/bin/timeout usr/sbin/blkid usr/sbin/mkfs.ext4 usr/sbin/e2fsck usr/sbin/mkfs.xfs
    usr/sbin/xfs_repair
""".split()
# Not busybox's own shell: that one runs applets even where PATH has the program.
LINKS = {
    "usr/bin/sh": "dash",
    "bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64",
    "usr/lib/systemd/systemd-udevd": "../../bin/udevadm",
    **{f"usr/sbin/{name}": "../bin/kmod" for name in
       ("modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod")},
}
# Opened by name at run time, so no closure of a program finds them.
DLOPENED = ("libkmod.so.2", "liblzma.so.5", "libzstd.so.1", "libgcc_s.so.1")
RULES = """
    50-udev-default 60-block 60-persistent-storage 64-ext4 64-xfs 80-drivers
""".split()
CACHE = BUILD / "vmtest/cache"
XEN_TOOLS = BUILD / "xen/tools"
KEXEC = BUILD / "kexec-tools/usr/sbin/kexec"
TOOLSTACK = BUILD / "toolstack/pmem"
TOOLSTACK_PREFIX = TOOLSTACK / "usr/lib/xen-pmem"
DEVICE_MODEL = BUILD / "device-model"
XEN_PROGRAMS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0", "xen-mceinj")
NDCTL = BUILD / "ndctl"
ACCEPTANCE = BUILD / "acceptance"
SUITE = BUILD / "ndctl-tests"
SUITE_TOOLS = BUILD / "ndctl-tools"
GUIDE_PROGRAMS = ("script", "mount", "umount", "dmesg", "dd")
ACCEPTANCE_PROGRAMS = ("fio", "pmempool", "daxio")
DOMU_ACCEPTANCE = ("fio", "sqlite3")
SUITE_FLAVOURS = ("stock", "pmem")
# What ndctl's tests run, where busybox has it not, or less of it.
SUITE_PROGRAMS = """
    usr/bin/bash usr/bin/fallocate usr/bin/getconf usr/bin/mount usr/bin/umount
    usr/sbin/blockdev usr/sbin/dmsetup usr/sbin/xfs_io
""".split()
SUITE_MORE = """
    usr/bin/keyctl usr/bin/trace-cmd usr/bin/uuidgen usr/bin/xxd usr/sbin/parted
""".split()
# Of a guest of dom0: what it needs for persistent memory of its own.
DOMU_MODULES = """
    xen-privcmd nfit nd_e820 nd_pmem ext4 crc32c_generic crc32c-intel crc32c-cryptoapi
""".split()
# What the device model reads for a guest that is started with a kernel.
ROMS = """
    qemu/linuxboot.bin qemu/linuxboot_dma.bin seabios/bios-256k.bin
    seabios/vgabios-cirrus.bin qemu/keymaps/en-us
""".split()
HVM_MODULES = ["ahci", "sd_mod"]
SUITE_RULES = ("55-dm", "60-persistent-storage-dm", "95-dm-notify")


def library_closure(program, flavour_dirs=()):
    """Paths on the host of the shared libraries a program loads."""
    listing = paths.run_tree("--list", program, extra_libs=flavour_dirs)
    lost = re.findall(r"(\S+) => not found", listing)
    if lost:
        raise SetupError(f"{paths.shown(program)} needs {', '.join(lost)}: "
                         f"not in {paths.shown(TREE)}; run 'make tree'")
    return re.findall(r"=> (/\S+) \(", listing)


def _head(program):
    with open(program, "rb") as stream:
        return stream.read(4096)


def is_elf(program):
    return program.is_file() and _head(program).startswith(b"\x7fELF")


def is_dynamic(program):
    return is_elf(program) and b"ld-linux" in _head(program)


def add_program(archive, name, source, flavour_dirs=()):
    need(source, "make tree")
    archive.file(name, source)
    for library in library_closure(source, flavour_dirs) if is_dynamic(source) else ():
        inside = library.removeprefix(f"{TREE}/").removeprefix(f"{TOOLSTACK}/")
        if inside.startswith("/"):
            inside = f"{LIBDIR}/{library.rsplit('/', 1)[1]}"
        archive.file(inside, library)


def add_loader(archive):
    archive.directory("usr/lib64")
    archive.file("usr/lib64/ld-linux-x86-64.so.2", TREE / LIBDIR / "ld-linux-x86-64.so.2")


def add_busybox(archive):
    busybox = need(TREE / "usr/bin/busybox", "make tree")
    archive.file("usr/bin/busybox", busybox)
    applets = subprocess.run([busybox, "--list"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.split()
    for applet in applets:
        if applet != "busybox":
            archive.symlink(f"usr/bin/{applet}", "busybox")


def drop_shadowed(archive, programs):
    """A real program wins over the busybox applet of its name."""
    for name in programs:
        archive.entries.pop("usr/bin/" + name.rsplit("/", 1)[-1], None)


def base_part():
    archive = cpio.Archive()
    add_busybox(archive)
    drop_shadowed(archive, [*PROGRAMS, *LINKS])
    for name in "dev etc proc root run sys tmp var/tmp mnt".split():
        archive.directory(name)
    add_loader(archive)
    for name in PROGRAMS:
        add_program(archive, name, TREE / name)
    for name in DLOPENED:
        archive.file(f"{LIBDIR}/{name}", need(TREE / LIBDIR / name, "make tree"))
    for name, target in LINKS.items():
        archive.symlink(name, target)
    for name in ("passwd", "group"):
        archive.file(f"etc/{name}", TREE / "etc" / name)
    archive.data("etc/nsswitch.conf", b"passwd: files\ngroup: files\n")
    for name in RULES:
        inside = f"usr/lib/udev/rules.d/{name}.rules"
        archive.file(inside, need(TREE / inside, "make tree"))
    return archive


def add_ndctl(archive, flavour):
    root = need(NDCTL / flavour, "make kernels ndctl")
    libs = [root / LIBDIR, root / "usr/lib"]
    for name in ("ndctl", "daxctl"):
        add_program(archive, f"usr/bin/{name}", root / "usr/bin" / name, libs)


def ndctl_part(flavour):
    archive = cpio.Archive()
    if flavour != "none":
        add_ndctl(archive, flavour)
    return archive


def xen_libraries():
    return [XEN_TOOLS / LIBDIR, XEN_TOOLS / "usr/lib/xen-4.20/lib/x86_64-linux-gnu"]


def xen_tool_libraries(toolstack):
    return [*([TOOLSTACK_PREFIX / "lib"] if toolstack == "pmem" else []), *xen_libraries()]


def xen_programs(toolstack):
    """(name, path, where its libraries are): of ours only xl, all else is Debian's."""
    for name in XEN_PROGRAMS:
        if name == "xl" and toolstack == "pmem":
            yield (name, need(TOOLSTACK_PREFIX / "bin/xl", "make toolstack"),
                   xen_tool_libraries(toolstack))
        else:
            yield (name, need(XEN_TOOLS / "usr/lib/xen-4.20/bin" / name, "make kernels"),
                   xen_libraries())


def private(toolstack, ours, stock):
    """(name in the image, path) of what libxl looks for at a place of its own."""
    root, name = ((TOOLSTACK, f"usr/lib/xen-pmem/{ours}") if toolstack == "pmem"
                  else (XEN_TOOLS, f"usr/lib/xen-4.20/{stock}"))
    return name, need(root / name, "make kernels toolstack")


def xen_tools_part(toolstack):
    """What a dom0 needs to start guests, beside the guest itself."""
    archive = cpio.Archive()
    for name, program, libraries in xen_programs(toolstack):
        add_program(archive, f"usr/sbin/{name}", program, libraries)
    add_program(archive, *private(toolstack, "lib/xen/bin/libxl-save-helper",
                                  "bin/libxl-save-helper"), xen_tool_libraries(toolstack))
    archive.data("etc/xen/xl.conf", b'autoballoon="off"\n')
    for name in "var/lib/xen var/log/xen/console".split():
        archive.directory(name)
    archive.symlink("var/run", "/run")
    return archive


def hvm_part(toolstack):
    """What HVM guests need beside that."""
    archive = cpio.Archive()
    need(DEVICE_MODEL, "scripts/fetch device-model")
    name = "usr/libexec/xen-qemu-system-i386"
    add_program(archive, name, DEVICE_MODEL / name, [DEVICE_MODEL / LIBDIR, *xen_libraries()])
    archive.file(*private(toolstack, "lib/xen/boot/hvmloader", "boot/hvmloader"))
    for name in ROMS:
        archive.file(f"usr/share/{name}", need(TREE / "usr/share" / name, "make tree"))
    return archive


def add_acceptance(archive, programs):
    """What people use persistent memory with."""
    need(ACCEPTANCE, "scripts/fetch acceptance")
    libs = [ACCEPTANCE / LIBDIR, ACCEPTANCE / LIBDIR / "ceph", NDCTL / "stock" / LIBDIR]
    for name in programs:
        add_program(archive, f"usr/bin/{name}", ACCEPTANCE / "usr/bin" / name, libs)


def domu_initrd(row):
    """The initramfs of a guest: busybox, mkfs, the programs of the selftests, modules."""
    archive = cpio.Archive()
    add_busybox(archive)
    add_loader(archive)
    for name in "dev proc sys tmp mnt".split():
        archive.directory(name)
    for name, target in LINKS.items():
        if target.startswith("usr/"):
            archive.symlink(name, target)
    # By this name the kernel asks for modules.
    archive.symlink("usr/sbin/modprobe", "../bin/busybox")
    archive.file("init", HERE / "domu-init.sh")
    for name in ("domu-pmem", "domu-db", "domu-dma", "domu-pci", "domu-wait"):
        archive.file(f"usr/bin/{name}", HERE / f"{name}.sh")
    archive.file("usr/lib/wait.sh", HERE / "wait.sh")
    archive.file("usr/lib/pci.sh", HERE / "guest/pci.sh")
    add_program(archive, "usr/bin/mkfs.ext4", TREE / "usr/sbin/mkfs.ext4")
    for program in sorted(need(BUILD / "selftests/xen-pmem", "make selftests").iterdir()):
        if is_elf(program):
            add_program(archive, f"usr/bin/{program.name}", program)
    for name, source in row.guest_files.items():
        add_program(archive, name, TOP / source)
    if row.toolstack == "pmem":
        add_ndctl(archive, "stock")
    if row.acceptance:
        add_acceptance(archive, DOMU_ACCEPTANCE)
    kernel = row.guest_kernel_dir
    release = (kernel / "release").read_text().strip()
    wanted = DOMU_MODULES + (HVM_MODULES if row.guests == "hvm" else [])
    modules.add_to(archive, kernel, release, wanted, row.guest_updates())
    stream = io.BytesIO()
    archive.write(stream)
    return stream.getvalue()


def domu_part(row):
    archive = cpio.Archive()
    archive.file("domu/vmlinuz", row.guest_kernel_dir / "vmlinuz")
    archive.data("domu/initrd", domu_initrd(row))
    return archive


def acceptance_part():
    archive = cpio.Archive()
    add_acceptance(archive, ACCEPTANCE_PROGRAMS)
    return archive


def suite_part():
    """ndctl's own tests of both builds, and what they run."""
    archive = cpio.Archive()
    for flavour in SUITE_FLAVOURS:
        root = need(SUITE / flavour, "scripts/build-ndctl-tests")
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            add_program(archive, f"suite/{flavour}/{path.relative_to(root)}", path)
    for name in SUITE_PROGRAMS:
        add_program(archive, name, TREE / name)
    need(SUITE_TOOLS, "scripts/fetch ndctl-tools")
    for name in SUITE_MORE:
        add_program(archive, name, SUITE_TOOLS / name, [SUITE_TOOLS / LIBDIR])
    for name in SUITE_RULES:
        inside = f"usr/lib/udev/rules.d/{name}.rules"
        archive.file(inside, need(TREE / inside, "make tree"))
    return archive


def guide_part():
    """A terminal to type on, and programs that busybox has others of."""
    archive = cpio.Archive()
    for name in GUIDE_PROGRAMS:
        add_program(archive, f"usr/bin/{name}", TREE / "usr/bin" / name)
    return archive


def tests_part(row):
    archive = cpio.Archive()
    archive.file("init", HERE / "init.sh")
    for name in ("lib.sh", "wait.sh", "steps.sh", "demo.sh"):
        archive.file(f"vmtest/{name}", HERE / name)
    archive.tree("vmtest/guest", row.guest)
    if row.xen_pmem:
        rule = need(TOP / "contrib/60-xen-pmem.rules", "git checkout contrib")
        archive.file("usr/lib/udev/rules.d/60-xen-pmem.rules", rule)
    if (BUILD / "selftests").is_dir():
        archive.tree("selftests", BUILD / "selftests")
    for module in row.test_modules():
        archive.file(f"selftests/xen-pmem/test_modules/{module.name}", module)
    for name, source in row.files.items():
        archive.file(name, need(TOP / source, "make"))
    return archive


def disk_part(row):
    """What a machine with a disk gets beside it: scripts, and our packages."""
    archive = cpio.Archive()
    for name in ("lib.sh", "wait.sh", "steps.sh", "disk.sh"):
        archive.file(f"vmtest/{name}", HERE / name)
    archive.tree("vmtest/guest", row.guest)
    for package in sorted(need(BUILD / "deb" / row.disk, "make deb").glob("*.deb")):
        archive.file(f"vmtest/deb/{package.name}", package)
    for name, source in row.files.items():
        archive.file(name, need(TOP / source, "make"))
    return archive


def add_guide(archive, machine, number):
    """The commands that the guide types in this boot, a directory for each."""
    for command in guide.segments(machine)[number - 1] if machine else ():
        directory = f"vmtest/guide/{command.name}"
        archive.data(f"{directory}/command", command.text.encode() + b"\n")
        if command.fails:
            archive.data(f"{directory}/fails", b"")
        if command.event:
            archive.data(f"{directory}/event", command.event.encode() + b"\n")


def boot_part(row, boot, settings, facts):
    """What differs from one boot of a row to the next."""
    archive = cpio.Archive()
    lines = [f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()]
    archive.data("vmtest/env", "".join(lines).encode())
    archive.data("vmtest/steps", "".join(step + "\n" for step in boot.steps).encode())
    words = [f"{key}={shlex.quote(value)}\n" for key, value in facts.items()]
    archive.data("vmtest/facts", "".join(words).encode())
    add_guide(archive, boot.guide, settings["XP_BOOT"])
    archive.data("vmtest/row.json", json.dumps(row.facts(), indent=1).encode())
    return archive


def _stored(make, key=None):
    """Write an archive to the cache under its hash, or find it there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not key or not (CACHE / key).exists():
        buffer = io.BytesIO()
        make().write(buffer)
        key = key or hashlib.sha256(buffer.getbuffer()).hexdigest()[:24]
        partial = CACHE / f"{key}.{os.getpid()}.tmp"
        partial.write_bytes(buffer.getbuffer())
        partial.rename(CACHE / key)
    os.utime(CACHE / key)
    return CACHE / key


def prune():
    """Forget parts that no row has used for a week."""
    for part in CACHE.glob("*"):
        if time.time() - part.stat().st_mtime > 7 * 86400:
            part.unlink(missing_ok=True)


def _stamp(path):
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}\n"


def modules_part(row):
    kernel = row.kernel_dir
    release = need(kernel / "release", "make kernels").read_text().strip()
    updates = row.updates()
    inputs = [kernel / "release", kernel / "vmlinuz", HERE / "rig/modules.py", *updates]
    wanted = [*modules.WANTED, *row.modules]
    text = " ".join(wanted) + "".join(_stamp(path) for path in inputs)
    key = hashlib.sha256(text.encode()).hexdigest()[:24]

    def make():
        archive = cpio.Archive()
        modules.add_to(archive, kernel, release, wanted, updates)
        return archive
    return _stored(make, key)


@functools.cache
def _base():
    return _stored(base_part)


def parts(row):
    """Files that, chained, are the initramfs of a row without its steps."""
    chain = [_base(), modules_part(row),
             _stored(lambda: ndctl_part(row.ndctl)), _stored(lambda: tests_part(row))]
    if row.xl:
        chain += [_stored(lambda: xen_tools_part(row.toolstack)),
                  _stored(lambda: domu_part(row))]
    if row.guests == "hvm":
        chain.append(_stored(lambda: hvm_part(row.toolstack)))
    if row.acceptance:
        chain.append(_stored(acceptance_part))
    if row.suite:
        chain.append(_stored(suite_part))
    if any(boot.guide for boot in row.boots):
        chain.append(_stored(guide_part))
        if row.xen != "none":
            chain.append(_stored(lambda: xen_tools_part(row.toolstack)))
    return chain


def kexec_part():
    archive = cpio.Archive()
    add_program(archive, "usr/sbin/kexec", need(KEXEC, "make kernels"), xen_libraries())
    return archive


def crash_part(row, boot, settings, facts):
    """The crash kernel: it runs on no Xen, from an initramfs made like any other."""
    archive = cpio.Archive()
    inner = dataclasses.replace(boot, steps=boot.crash_steps, crash_steps=[])
    stream = io.BytesIO()
    chain(row, inner, {**settings, "XP_XEN": "none"}, facts, stream)
    archive.file("crash/vmlinuz", row.kernel_dir / "vmlinuz")
    archive.data("crash/initrd", stream.getvalue())
    return archive


def chain(row, boot, settings, facts, stream):
    for part in parts(row):
        stream.write(part.read_bytes())
    boot_part(row, boot, settings, facts).write(stream)
    if boot.crash_steps:
        stream.write(_stored(kexec_part).read_bytes())
        crash_part(row, boot, settings, facts).write(stream)


def write(row, boot, settings, facts, target):
    """Chain all parts of one boot into the file target."""
    stream = io.BytesIO()
    chain(row, boot, settings, facts, stream)
    target.write_bytes(stream.getbuffer())


def write_steps(row, boot, settings, facts, target):
    """The same for a machine with a disk: one archive, as large as a disk may be."""
    archive = disk_part(row)
    archive.entries.update(boot_part(row, boot, settings, facts).entries)
    stream = io.BytesIO()
    archive.write(stream)
    stream.write(bytes(-stream.tell() % 512))
    target.write_bytes(stream.getbuffer())
