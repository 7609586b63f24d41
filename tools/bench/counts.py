# SPDX-License-Identifier: GPL-2.0-only
"""Instructions per function, from what tools/vmtest/plugin/count.c has written."""
import collections
import dataclasses
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vmtest"))
from rig import symbols  # noqa: E402

from figures import Missing  # noqa: E402

XEN_START, XEN_END = 0xffff800000000000, 0xffff880000000000
LINUX_START = 0xffffffff80000000
ADD, REMOVE = 0, 1
PROBE = 200


@dataclasses.dataclass
class Part:
    """What ran between two marks: @blocks of {address: instructions}."""
    stretch: int
    stretch_end: int
    blocks: dict

    @property
    def total(self):
        return sum(self.blocks.values())

    def functions(self, names, linux=None):
        """[(function, instructions)], most first. @names are Xen's, and @linux dom0's
        kernel's; of what is not known, processes of dom0 too, there is but one sum."""
        count = collections.Counter()
        for address, insns in self.blocks.items():
            name = "dom0"
            if XEN_START <= address < XEN_END:
                name = "Xen: " + names.name(address)
            elif linux and address >= LINUX_START:
                name = linux.name(address)
            count[name] += insns
        return count.most_common()


def parse(text):
    """{number of the part: Part}"""
    parts = {}
    part = None
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "part":
            part = parts[int(words[0])] = Part(0, 0, {})
        elif kind == "stretch":
            part.stretch, part.stretch_end = int(words[0]), int(words[1], 0)
        elif kind == "block":
            address = int(words[0], 0)
            part.blocks[address] = part.blocks.get(address, 0) + int(words[1])
    return parts


def sizes_of(steps):
    """The GiB of the step "bench-xen.sh DIMM GIB..."."""
    words = next((step.split() for step in steps if step.startswith("bench-xen.sh ")), None)
    if words is None:
        raise Missing("no step is bench-xen.sh")
    return [int(word) for word in words[2:]]


def number(index, operation):
    """As bench_xen.c numbers the parts: of the index-th size, from 0 on."""
    return 2 * (index + 1) + operation


def read(build, row):
    path = build / "vmtest" / row / "boot1/count.log"
    if not path.exists():
        raise Missing(f"row {row} has left no counts")
    parts = parse(path.read_text())
    if not parts:
        raise Missing(f"row {row}: no part was counted")
    return parts


def xen_names():
    return symbols.of_xen("pmem")


def instructions_of(part, names, function):
    return dict(part.functions(names)).get("Xen: " + function, 0)


def linux_names(build, row):
    path = build / "vmtest" / row / "boot1/out/kallsyms"
    return symbols.Symbols(path.read_text().splitlines()) if path.exists() else None
