# SPDX-License-Identifier: GPL-2.0-only
"""What the machines of make bench have measured, and the ratios that have a goal."""
import dataclasses

GIB_PER_TIB = 1024
PAGE = 4096
WORD = 8                    # bytes
M2P_BYTES = 8               # of Xen's, for a frame
RECORD_BYTES = 32 + M2P_BYTES   # with the frame table


class Missing(Exception):
    """A machine was not run, or did not get so far."""


@dataclasses.dataclass
class Figures:
    """Of one machine: NAME=VALUE lines, and lines that begin with gib=, by size."""
    values: dict
    sizes: dict

    def get(self, name):
        if name not in self.values:
            raise Missing(f"no figure '{name}'")
        return self.values[name]

    @property
    def largest(self):
        if not self.sizes:
            raise Missing("no region was added")
        return self.sizes[max(self.sizes)]


def parse(text):
    values, sizes = {}, {}
    for line in text.splitlines():
        words = dict(word.split("=", 1) for word in line.split() if "=" in word)
        numbers = {key: int(value, 0) for key, value in words.items()}
        if "gib" in numbers:
            sizes[numbers["gib"]] = numbers
        else:
            values.update(numbers)
    return Figures(values, sizes)


def read(build, row):
    path = build / "vmtest" / row / "boot1/out/figures"
    if not path.exists():
        raise Missing(f"row {row} has left no figures")
    try:
        return parse(path.read_text())
    except ValueError:
        raise Missing(f"row {row}: its figures cannot be read") from None


# --- ADD ---------------------------------------------------------------------------

def line_through(sizes, name):
    """(fixed part, part of each GiB), of the smallest and the largest region."""
    first, last = min(sizes), max(sizes)
    if first == last:
        raise Missing("a line takes two sizes")
    slope = (sizes[last][name] - sizes[first][name]) / (last - first)
    return sizes[first][name] - slope * first, slope


def off_line(sizes, name):
    """How far the sizes between are from that line, at most: 0.05 is 5 %."""
    fixed, slope = line_through(sizes, name)
    return max(abs(sizes[gib][name] / (fixed + slope * gib) - 1) for gib in sizes)


def metadata_bytes(gib):
    return gib * (1 << 30) // PAGE * RECORD_BYTES


def m2p_bytes(gib):
    return gib * (1 << 30) // PAGE * M2P_BYTES


def floor(gib):
    """Instructions of Xen's memset() of the records of so many GiB: it is "rep stosb", of
    which QEMU counts one for each byte."""
    return metadata_bytes(gib)


def by_words(instructions, floor_per_gib):
    """ADD of a GiB over the floor, if memset() took an instruction for each word, in both.
    Of the records ADD writes the M2P with it."""
    in_memset = floor_per_gib * m2p_bytes(1) / metadata_bytes(1)
    return (instructions - in_memset + in_memset / WORD) / (floor_per_gib / WORD)


def per_tib(record, name, unit=1):
    return record[name] * unit * GIB_PER_TIB / record["gib"]


def spread(sizes, name):
    """The largest over the smallest: 1 is constant."""
    values = [record[name] for record in sizes.values()]
    return max(values) / min(values)


# --- goals -------------------------------------------------------------------------

@dataclasses.dataclass
class Goal:
    """One line of the table. @found is compared with @bound, which is the most or the least."""
    key: str
    figure: str
    against: str
    found: float
    bound: float
    least: bool = False
    shown: str = ""             # instead of the number
    asked: str = ""

    @property
    def met(self):
        return self.found >= self.bound if self.least else self.found <= self.bound


def xen_goals(xen, floor_per_gib):
    sizes = xen.sizes
    fixed, slope = line_through(sizes, "add")
    most = max(sizes)
    # A region that is in one window of the M2P, of 1 GiB, has no last one to look at.
    larger = {gib: record for gib, record in sizes.items() if gib > 1}
    _, removed = line_through(sizes, "remove")
    return [
        Goal("add_floor", "ADD, per GiB", "memset of the same bytes in Xen",
             slope / floor_per_gib, 1.3),
        Goal("add_floor_words", "the same, if memset wrote words", "the same",
             by_words(slope, floor_per_gib), 1.3),
        Goal("add_line", f"ADD, {min(sizes)} GiB to {most} GiB", "a straight line",
             off_line(sizes, "add"), 0.05,
             shown=f"{off_line(sizes, 'add'):.2%} off; {fixed / 1e6:.2f} M instructions, and "
                   f"{slope / 1e6:.2f} M for each GiB"),
        Goal("remove_add", "REMOVE, per GiB", "ADD", removed / slope, 0.2),
        Goal("remove_floor", "REMOVE, per GiB", "memset of the bytes that ADD wrote",
             removed / floor_per_gib, 0.2 * 1.3),
        Goal("query", "QUERY", "QUERY of another size above 1 GiB", spread(larger, "query"),
             1.05),
        Goal("list", "LIST", "LIST of another size", spread(sizes, "list"), 1.05),
        Goal("xen_dram", "DRAM that Xen spends per TiB", "frame table in DRAM: 10 GiB",
             per_tib(xen.largest, "xen_pages", PAGE) / (1 << 20), 16,
             shown=f"{per_tib(xen.largest, 'xen_pages', PAGE) / (1 << 20):.1f} MiB",
             asked="at most 16 MiB"),
        Goal("reserved", "reserved area per TiB", "the 2016 series: 18 GiB",
             per_tib(xen.largest, "reserved_frames", PAGE) / (1 << 20) - 10240, 4,
             shown="10 GiB and {:.1f} MiB".format(
                 per_tib(xen.largest, "reserved_frames", PAGE) / (1 << 20) - 10240),
             asked="10 GiB and at most 4 MiB"),
    ]


def stretch_goal(counts):
    """@counts: {GiB: longest stretch, in instructions}."""
    worst = max(counts.values())
    listed = ", ".join(f"{gib} GiB: {count / 1e6:.3f} M" for gib, count in counts.items())
    return Goal("stretch", "longest stretch of ADD without preemption", "1 ms at 1 GHz",
                worst, 1e6, shown=listed, asked="less than 1 M instructions, for any size")


def memory_goal(memory):
    mib = memory.get("dom0_kib") / 1024 * (1 << 20) / memory.get("handed_over_mib")
    return Goal("dom0_memory", "dom0's RAM per TiB that it makes no device of",
                "stock: 18 GiB", mib, 64, shown=f"{mib:.1f} MiB", asked="under 64 MiB")


OPERATIONS = {
    "read_4k": "read() of 4 KiB",
    "read_1m": "read() of 1 MiB",
    "write_4k_fdatasync": "write() of 4 KiB and fdatasync()",
    "write_1m_fdatasync": "write() of 1 MiB and fdatasync()",
    "store_flush_4k": "stores to 4 KiB and clwb, MAP_SYNC",
    "fsync_page": "fsync(), per page that stores made dirty",
    "fault_read": "fault of a page, read",
    "fault_write": "fault of a page, written",
    "fault_write_sync": "fault of a page, written, MAP_SYNC",
    "touch_2m_by_4k": "first write to a page where 2 MiB can be mapped",
    "touch_2m": "first write to 2 MiB",
}
# What a PV domain pays for with any Xen: its page tables, and short system calls.
PV_OWN = ("read_4k", "write_4k_fdatasync", "fault_read", "fault_write", "fault_write_sync", "fsync_page", "touch_2m_by_4k",
          "touch_2m")


def worst_goal(key, figure, against, ours, theirs, names, least):
    """The lowest of the ratios of these operations."""
    ratios = {name: theirs.get(name) / ours.get(name) for name in names}
    worst = min(ratios, key=ratios.get)
    return Goal(key, f"{figure}, worst: {OPERATIONS[worst]}", against, ratios[worst], least,
                least=True)


def dax_goal(kind, ours, bare):
    pv = kind == "pv"
    names = [name for name in OPERATIONS if not (pv and name in PV_OWN)]
    return worst_goal(f"dax_{kind}", f"a DAX file in a {kind.upper()} dom0", "Linux without Xen",
                      ours, bare, names, 0.95 if pv else 0.98)


def stock_goal(ours, stock):
    return worst_goal("dax_pv_own", "what is dear in a PV dom0", "the same with a stock Xen",
                      ours, stock, PV_OWN, 0.95)


def share_goal(kind, ours):
    share = ours.get("pte_wb") / ours.get("pte_present")
    return Goal(f"wb_{kind}", f"entries of a {kind.upper()} dom0's page tables that are write-back",
                "stock Xen: 0 %", share, 1, least=True, shown=f"{share:.0%}", asked="100 %")


def probe_goal(kind, ours, bare):
    return Goal(f"probe_{kind}", f"probe, until there is the disk, {kind.upper()} dom0",
                "nd_pmem of Linux without Xen", ours.get("until_there") / bare.get("until_there"),
                1.5)


GUEST_OPERATIONS = {"load_1m": "loads of 1 MiB", "store_1m": "stores to 1 MiB"}


def guest_goals(guest):
    """Of a file that is mapped there, with DAX and of a RAM disk."""
    return [Goal(f"guest_{name}", f"{title}, mapped, in a guest", "that guest's RAM",
                 guest.get(f"ram_{name}") / guest.get(f"pmem_{name}"), 0.95, least=True)
            for name, title in GUEST_OPERATIONS.items()]


def size_goal(ours, stock):
    return Goal("module", "text and data of xen_pmem.ko", "nd_pmem.ko", ours / stock, 2,
                shown=f"{ours / stock:.2f}: {ours / 1024:.0f} KiB, {stock / 1024:.0f} KiB")
