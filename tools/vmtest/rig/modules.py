# SPDX-License-Identifier: GPL-2.0-only
"""Pick the kernel modules a guest needs, with what they depend on.

The dependencies come from each module's own .modinfo, because a host's
modprobe may be configured (ndctl ships such a line) to hide libnvdimm, and an
unpacked kernel package has no modules.dep at all.
"""
import gzip
import lzma
import pathlib
import re
import shutil
import tempfile

from . import paths
from .paths import SetupError

WANTED = """
    nfit nd_e820 nd_pmem nd_btt nd_virtio dax_pmem device_dax kmem libnvdimm
    ext4 xfs crc32c_generic crc32c-intel crc32c-cryptoapi loop
    virtio_pci virtio_console 9p 9pnet_virtio
    xenfs xen-privcmd xen-gntdev xen-evtchn
""".split()
OPENERS = {".ko": open, ".xz": lzma.open, ".gz": gzip.open}
META = ("modules.order", "modules.builtin", "modules.builtin.modinfo")


def _key(name):
    return name.replace("-", "_")


def _load(path):
    opener = OPENERS.get(path.suffix)
    if not opener:
        raise SetupError(f"{paths.shown(path)}: modules packed as '{path.suffix}' "
                         "cannot be unpacked here, expected .ko, .ko.xz or .ko.gz")
    with opener(path, "rb") as stream:
        return stream.read()


def _modinfo(image, tag):
    found = re.findall(rb"(?<=\0)" + tag + rb"=([^\0]*)\0", image)
    return " ".join(entry.decode() for entry in found)


def needs_of(image):
    """Names of the modules that this module image wants loaded before it."""
    names = _modinfo(image, b"depends").replace(",", " ").split()
    soft = _modinfo(image, b"softdep").split()
    return names + [name for name in soft if not name.endswith(":")]


def select(moddir, wanted):
    """{relative path without compression suffix: image} of wanted + needs."""
    index = {}
    for path in moddir.rglob("*.ko*"):
        index[_key(path.name.split(".ko")[0])] = path
    chosen, todo = {}, [_key(name) for name in wanted]
    while todo:
        path = index.pop(todo.pop(), None)
        if path:
            image = _load(path)
            inside = str(path.relative_to(moddir)).split(".ko")[0] + ".ko"
            chosen[inside] = image
            todo += [_key(name) for name in needs_of(image)]
    return chosen


def add_to(archive, kernel_dir, release, wanted, updates=()):
    """Put the modules and their index files into the archive."""
    moddir = paths.need(kernel_dir / "modules/lib/modules" / release, "make kernels")
    with tempfile.TemporaryDirectory(prefix="vmtest-") as stage:
        inside = pathlib.Path(stage, "lib/modules", release)
        for name, image in select(moddir, wanted).items():
            target = inside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(image)
        for source in updates:
            (inside / "updates").mkdir(exist_ok=True)
            shutil.copy(source, inside / "updates")
        for name in META:
            if (moddir / name).exists():
                shutil.copy(moddir / name, inside)
        paths.run_tree(paths.TREE / "usr/sbin/depmod", "-b", stage, release)
        archive.tree("usr/lib/modules/" + release, inside)
