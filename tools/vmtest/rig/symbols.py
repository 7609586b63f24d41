# SPDX-License-Identifier: GPL-2.0-only
"""Addresses of Xen's code: which function one is in, and where pmem_run() asks if it is to
give way."""
import bisect
import re

from . import paths
from .paths import BUILD, TREE, need

SOURCE = "pmem-steps.c"
ASKS = "hypercall_preempt_check()"


def xen_syms(xen):
    return need(BUILD / "xen" / xen / "xen-syms", "make xen")


def binutil(name, *args):
    program = need(TREE / "usr/bin" / f"x86_64-linux-gnu-{name}", "make tree")
    return paths.run_tree(program, *args)


class Symbols:
    """The functions of a program, from lines of "ADDRESS TYPE NAME"."""

    def __init__(self, lines):
        found = {}
        for line in lines:
            words = line.split()
            if len(words) >= 3 and words[1] in "tTwW":
                found.setdefault(int(words[0], 16), words[2])
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]

    def name(self, address):
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.names[index] if index >= 0 else f"{address:#x}"


def of_xen(xen):
    return Symbols(binutil("nm", xen_syms(xen)).splitlines())


def line_of(source, text):
    """The only line of a file with this text."""
    lines = [number for number, line in enumerate(source.splitlines(), 1) if text in line]
    if len(lines) != 1:
        raise paths.SetupError(f"{SOURCE}: '{text}' is on {len(lines)} lines, expected one")
    return lines[0]


def addresses_of(decoded, line):
    """Where statements of a line of SOURCE begin, says objdump --dwarf=decodedline."""
    rows = re.findall(rf"^{re.escape(SOURCE)}\s+{line}\s+(0x[0-9a-f]+)\s.*x\s*$", decoded, re.M)
    return sorted({int(address, 16) for address in rows})


def preempt_checks(xen):
    """Where pmem_run() asks whether something else is to run: it does after each step."""
    if xen not in ("pmem", "debug"):
        return []
    source = (paths.TOP / "hypervisor/xen/arch/x86/x86_64" / SOURCE).read_text()
    decoded = binutil("objdump", "--dwarf=decodedline", xen_syms(xen))
    found = addresses_of(decoded, line_of(source, ASKS))
    if not found:
        raise paths.SetupError(f"xen-syms of {xen} does not tell where line of {ASKS} is")
    return found
