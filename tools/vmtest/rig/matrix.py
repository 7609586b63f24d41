# SPDX-License-Identifier: GPL-2.0-only
"""Read matrix.toml. Unknown words are errors: a typo must not disarm a test."""
import dataclasses
import fnmatch
import pathlib
import tomllib

from . import checks
from .medium import size
from .paths import BUILD, HERE, SetupError, need, shown

KERNELS = ("6.1", "6.12", "7.2")
OWN_KERNELS = ("6.12-fixed", "7.2-fixed", "6.12-debug", "6.12-kasan")   # scripts/build-kernel
XENS = ("none", "stock", "pmem", "debug", "debug-4.17")
OURS = ("pmem", "debug", "debug-4.17")      # the ones that have the operation
TOOLSTACKS = ("stock", "pmem")
NDCTLS = ("none", "stock", "stock-76.1", "pmem")
ENDS = ("verdict", "kill", "panic", "crash")
IOMMUS = ("", "none", "intel", "amd")
DISKS = ("", "trixie", "bookworm")          # scripts/build-disk
FIRMWARES = ("seabios", "ovmf", "ovmf-secure")
CPUS = {
    "default": "qemu64,+svm,+npt,+clflushopt,+clwb,level=13",
    "plain": "qemu64,+svm,+npt",
    "pvh": "EPYC,+svm,+npt,-monitor,-rdtscp,-xsave",
}


@dataclasses.dataclass
class Dimm:
    size: str = "512M"
    labels: str = "0"
    fill: str = "zero"          # zero, random:SEED, from:ROW or from:ROW:DIMM

    @property
    def data_bytes(self):
        return size(self.size)

    @property
    def bytes(self):
        return size(self.size) + size(self.labels)

    @property
    def source(self):
        """(row, dimm) whose final state this one starts from, or None."""
        kind, _, rest = self.fill.partition(":")
        if kind != "from":
            return None
        row, _, index = rest.partition(":")
        return row, int(index or 0)


@dataclasses.dataclass
class Boot:
    steps: list = dataclasses.field(default_factory=list)
    before: list = dataclasses.field(default_factory=list)
    after: list = dataclasses.field(default_factory=list)
    ends: str = "verdict"       # verdict, kill, panic or crash
    crash_steps: list = dataclasses.field(default_factory=list)  # of the crash kernel
    kill_at: str = ""           # XP-MARK at which QEMU is killed (ends = "kill")
    kill_after: float = 0.0     # seconds after that mark
    plug: Dimm | None = None    # an NVDIMM that is hot-added
    plug_at: str = ""           # at this XP-MARK
    record: bool = False        # log every change of the NVDIMMs
    kill: str = ""              # with record: MARK:COUNT, the change to end with
    count: bool = False         # instructions of each function: plugin/count.c
    wake_at: str = ""           # XP-MARK after which the guest falls asleep, to be woken
    timeout: int = 180          # seconds of the host, scaled by --timeout
    allow: list = dataclasses.field(default_factory=list)
    cmdline: str = ""
    xen_cmdline: str = ""

    @property
    def guide(self):
        """The machine of the administrator's guide that this boot is, if it is one."""
        return next((c["machine"] for c in self.after if c["check"] == "guide"), "")


@dataclasses.dataclass
class Cuts:
    points: int = 160       # cuts to boot
    seed: int = 1           # of their choice
    kills: int = 0          # machines killed at a change
    dimms: int = 24         # cuts that are booted at once


@dataclasses.dataclass
class Row:
    name: str = ""
    summary: str = ""
    kernel: str = "6.12"
    xen: str = "none"
    ndctl: str = "none"
    dom0: str = "pv"
    driver: bool | None = None  # install xen_pmem.ko and its udev rule
    xl: bool = False            # dom0 can start guests
    toolstack: str = "stock"    # with xl: whose it is
    guests: str = "pvh"         # with xl: what xl.sh starts, pvh or hvm
    guest_kernel: str = ""      # with xl: theirs, if it is not dom0's
    acceptance: bool = False    # fio, pmempool, daxio; in guests fio, sqlite3
    suite: bool = False         # ndctl's own tests
    disk: str = ""              # boots by itself, from a disk with this Debian
    firmware: str = "seabios"   # with disk; ovmf-secure is with Secure Boot
    cpu: str = "default"
    machine: str = ""           # more of -machine
    memory: str = "2G"
    dom0_memory: str = "1G"
    smp: int = 2
    icount: bool = False        # an instruction takes a nanosecond of the guest's time
    spacing: str = "0"          # from one NVDIMM's address to the next; 0: packed
    iommu: str = ""             # none, intel or amd
    objects: list = dataclasses.field(default_factory=list)
    devices: list = dataclasses.field(default_factory=list)
    modules: list = dataclasses.field(default_factory=list)
    files: dict = dataclasses.field(default_factory=dict)
    guest_files: dict = dataclasses.field(default_factory=dict)     # the same, in guests
    cmdline: str = ""
    xen_cmdline: str = ""
    nvdimm: list = dataclasses.field(default_factory=list)
    boots: list = dataclasses.field(default_factory=list)
    cuts: Cuts | None = None    # judge power cuts: rig/cuts.py
    guest: pathlib.Path = HERE / "guest"    # where the steps' scripts are
    matrix: pathlib.Path = HERE / "matrix.toml"

    @property
    def xen_pmem(self):
        return self.xen in OURS if self.driver is None else self.driver

    @property
    def kernel_dir(self):
        return need(BUILD / "kernels" / self.kernel, kernel_cure(self.kernel))

    def updates(self):
        """Out-of-tree modules to install."""
        if not self.xen_pmem:
            return []
        return [need(BUILD / "modules" / self.kernel / "xen_pmem.ko", "make modules")]

    @property
    def kernels(self):
        """Versions: dom0's, and its guests'."""
        return [self.kernel, self.guest_kernel]

    @property
    def guest_kernel_dir(self):
        return need(BUILD / "kernels" / self.guest_kernel, kernel_cure(self.guest_kernel))

    def guest_updates(self):
        """As updates(), of a guest of dom0. One of our toolstack needs none."""
        if not self.xen_pmem or self.toolstack != "stock":
            return []
        return [need(BUILD / "modules" / self.guest_kernel / "xen_pmem_guest.ko", "make modules")]

    def test_modules(self):
        """The selftests' own modules, where those of build/selftests are another kernel's."""
        if self.kernel == "6.12" or not self.xen_pmem:
            return []
        built = need(BUILD / "test-modules" / self.kernel, "make selftests")
        return sorted(built.glob("*.ko"))

    @property
    def dimms(self):
        """All NVDIMMs that there ever are: the one that is hot-added is the last."""
        return self.nvdimm + [boot.plug for boot in self.boots if boot.plug][:1]

    def facts(self):
        """What a guest script may want to know of its row."""
        plain = dataclasses.asdict(self)
        return {key: plain[key] for key in
                ("name", "kernel", "xen", "ndctl", "dom0", "driver", "nvdimm")}

    def sources(self):
        return sorted({dimm.source[0] for dimm in self.dimms if dimm.source})


def kernel_cure(kernel):
    return f"scripts/build-kernel {kernel}" if kernel in OWN_KERNELS else "make kernels"


def _make(kind, table, where):
    known = {field.name for field in dataclasses.fields(kind)} - {"name", "guest", "matrix", "kill"}
    unknown = sorted(set(table) - known)
    if unknown:
        raise SetupError(f"{where}: unknown '{unknown[0]}', expected one of "
                         f"{', '.join(sorted(known))}")
    return kind(**table)


def _make_boot(table, where):
    """plug = { at = MARK, size, labels, fill }: when, and what."""
    boot = _make(Boot, table, where)
    if boot.plug is not None:
        plug = dict(boot.plug)
        boot.plug_at = plug.pop("at", "")
        boot.plug = _make(Dimm, plug, f"{where}: plug")
        if not boot.plug_at:
            raise SetupError(f"{where}: plug needs at = 'MARK', the mark to plug at")
    elif boot.plug_at:
        raise SetupError(f"{where}: say plug = {{ at = '{boot.plug_at}', ... }}")
    return boot


def _one_of(row, field, allowed):
    if getattr(row, field) not in allowed:
        raise SetupError(f"matrix.toml: row {row.name}: {field} is '{getattr(row, field)}', "
                         f"expected {', '.join(allowed)}")


def _needs_xen(where, row):
    crash = any(boot.crash_steps for boot in row.boots)
    asked = [word for word, is_set in (("xl = true", row.xl), ("ends = 'crash'", crash),
                                       ("dom0 = 'pvh'", row.dom0 == "pvh")) if is_set]
    if row.toolstack != "stock" and not (row.xl and row.xen in OURS):
        raise SetupError(f"{where}: toolstack = '{row.toolstack}' needs xl = true, and a Xen "
                         f"with the operation: set xen to one of {', '.join(OURS)}")
    for field in ("guest_kernel", "guest_files"):
        if getattr(row, field) and not row.xl:
            raise SetupError(f"{where}: {field} needs xl = true")
    if row.guests != "pvh" and not row.xl:
        raise SetupError(f"{where}: guests = '{row.guests}' needs xl = true")
    if asked and row.xen == "none":
        raise SetupError(f"{where}: {asked[0]} needs a Xen: set xen to one of "
                         f"{', '.join(XENS[1:])}")


def _check_disk(where, row):
    """What a machine with a disk boots is on the disk, and not for the row to say."""
    if not row.disk:
        return
    given = [word for word, is_set in (
        ("xen", row.xen != "none"), ("ndctl", row.ndctl != "none"), ("driver", row.driver),
        ("modules", row.modules), ("cmdline", row.cmdline), ("acceptance", row.acceptance),
        ("suite", row.suite), ("ends = 'crash'", any(b.crash_steps for b in row.boots)),
        ("guide", any(b.guide for b in row.boots))) if is_set]
    if given:
        raise SetupError(f"{where}: {given[0]} has no meaning with disk: what boots there is "
                         "what is installed on it")


def _check_record(where, row):
    if row.cuts is not None and len(row.boots) != 1:
        raise SetupError(f"{where}: cuts needs one boot, the one that is recorded")
    for boot in row.boots:
        boot.record = boot.record or row.cuts is not None
        if boot.record and (row.smp != 1 or not size(row.spacing) or row.dom0 != "pv" or boot.plug):
            raise SetupError(f"{where}: a boot that is recorded needs smp = 1 and spacing, "
                             "no PVH dom0 and no plug")


def _check_icount(where, row):
    """Time that is counted in instructions is one CPU's, and so are the plugin's counts."""
    counts = any(boot.count for boot in row.boots)
    if row.icount and (row.smp != 1 or any(boot.record for boot in row.boots)):
        raise SetupError(f"{where}: icount needs smp = 1, and no boot that is recorded")
    if counts and not row.icount:
        raise SetupError(f"{where}: count needs icount = true")


def _check_boot(where, boot, guest):
    if boot.ends not in ENDS:
        raise SetupError(f"{where}: ends is '{boot.ends}', expected {', '.join(ENDS)}")
    if (boot.ends == "kill") != bool(boot.kill_at):
        raise SetupError(f"{where}: ends = 'kill' and kill_at go together")
    if (boot.ends == "crash") != bool(boot.crash_steps):
        raise SetupError(f"{where}: ends = 'crash' and crash_steps go together")
    if not boot.steps:
        raise SetupError(f"{where}: a boot without steps tests nothing")
    for step in boot.steps + boot.crash_steps:
        script = step.split()[0]
        if script != "kselftest" and not (guest / script).exists():
            raise SetupError(f"{where}: {shown(guest / script)} does not exist")
    for check in boot.before + boot.after:
        checks.validate(where, check)


def make_row(name, table, path=HERE / "matrix.toml"):
    where = f"{path.name}: row {name}"
    row = _make(Row, table, where)
    row.name, row.guest, row.matrix = name, path.resolve().parent / "guest", path
    for field, allowed in (("kernel", KERNELS + OWN_KERNELS), ("xen", XENS), ("ndctl", NDCTLS),
                           ("dom0", ("pv", "pvh")), ("iommu", IOMMUS), ("disk", DISKS),
                           ("firmware", FIRMWARES), ("toolstack", TOOLSTACKS),
                           ("guests", ("pvh", "hvm")),
                           ("guest_kernel", ("", *KERNELS))):
        _one_of(row, field, allowed)
    row.nvdimm = [_make(Dimm, dimm, where) for dimm in row.nvdimm]
    row.boots = [_make_boot(boot, f"{where}: boot {number}")
                 for number, boot in enumerate(row.boots, 1)]
    for number, boot in enumerate(row.boots, 1):
        _check_boot(f"{where}: boot {number}", boot, row.guest)
    if row.cuts is not None:
        row.cuts = _make(Cuts, row.cuts, f"{where}: cuts")
    _needs_xen(where, row)
    _check_disk(where, row)
    _check_record(where, row)
    _check_icount(where, row)
    plugged = [boot.plug for boot in row.boots if boot.plug]
    if plugged != plugged[:1] * len(plugged):
        raise SetupError(f"{where}: its boots plug different NVDIMMs: only one kind is possible")
    if row.dom0 == "pvh" and not row.iommu:
        row.iommu = "amd"
    row.guest_kernel = row.guest_kernel or row.kernel
    if not row.boots or not row.summary:
        raise SetupError(f"{where}: needs a summary and at least one boot")
    return row


def resolved(tables, name, path):
    """The table of a row with what it does not say itself: like = "ROW", as that one."""
    table = dict(tables[name])
    model = table.pop("like", None)
    if model is None:
        return table
    if model not in tables or "like" in tables[model]:
        raise SetupError(f"{path.name}: row {name}: like = '{model}' is no row that has all "
                         "it needs itself")
    return {**tables[model], **table}


def load(path=HERE / "matrix.toml"):
    """{name: Row} in the order of the file; guest/ beside it has the scripts."""
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path.name}: {error}") from None
    tables = table.get("row", {})
    rows = {name: make_row(name, resolved(tables, name, path), path) for name in tables}
    for row in rows.values():
        lost = [name for name in row.sources() if name not in rows]
        if lost:
            raise SetupError(f"matrix.toml: row {row.name}: no row '{lost[0]}' to start from")
    return rows


def select(rows, names, globs):
    """Rows asked for, each after the rows whose NVDIMM it starts from."""
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise SetupError(f"no row '{unknown[0]}': see 'tools/vmtest/vmtest list'")
    asked = [name for name in rows if name in names
             or any(fnmatch.fnmatch(name, glob) for glob in globs)]
    if not names and not globs:
        asked = list(rows)
    if not asked:
        raise SetupError(f"no row matches {' '.join(globs)}: see 'tools/vmtest/vmtest list'")
    order = []

    def visit(name):
        for source in rows[name].sources() if name in asked else ():
            visit(source)
        if name in asked and name not in order:
            order.append(name)
    for name in asked:
        visit(name)
    return [rows[name] for name in order]
