# SPDX-License-Identifier: GPL-2.0-only
"""Read the log of the plugin medium-log, and make of it the medium after any of its
changes, and after those that a power cut could have left out.

A cut is written OPERATION@N: the first N changes of the operation are on the medium.
After that may come, for what was not yet flushed and fenced:
  -durable   none of it is there
  -lostSEED  a part of it is there: of each cache line of ordinary stores the first few,
             of stores past the cache any, of Xen's pages any
  -tornBYTES change N + 1, a write of labels, is there with its first BYTES only
"""
import dataclasses
import random
import re
import struct

from .paths import SetupError

RECORD = struct.Struct("<BBHIQQQ")
STORE, STORE_NT, FLUSH, FLUSH_ALL, FENCE, BULK, LABELS, MARK = b"SNFWBXLM"
CHANGES = (STORE, STORE_NT, BULK, LABELS)
LINE = 64
CUT = re.compile(r"([a-z-]+)@(\d+)(?:-(durable|lost|torn)(\d*))?")


@dataclasses.dataclass(slots=True)
class Record:
    kind: int
    unit: int
    dimm: int
    at: int         # offset in the DIMM's file, or a mark's number
    virt: int
    count: int      # changes since the last mark, with this one
    data: bytes

    def units(self):
        """The single stores; labels and pages are one each."""
        step = self.unit if self.kind in (STORE, STORE_NT) else len(self.data)
        return [Change(self.kind, self.dimm, self.at + i, self.virt + i, self.data[i:i + step],
                       self.count) for i in range(0, len(self.data), step)]


@dataclasses.dataclass(slots=True)
class Change:
    kind: int
    dimm: int
    at: int
    virt: int
    data: bytes
    count: int

    @property
    def end(self):
        return self.at + len(self.data)


def read(path):
    """All records; a torn last one means that QEMU ended without its plugin."""
    blob, found, at = path.read_bytes(), [], 0
    while at < len(blob):
        if at + RECORD.size > len(blob):
            raise SetupError(f"{path.name} ends within a record: QEMU was killed from outside")
        kind, unit, dimm, size, where, virt, count = RECORD.unpack_from(blob, at)
        at += RECORD.size
        found.append(Record(kind, unit, dimm, where, virt, count, blob[at:at + size]))
        at += size
    return found


@dataclasses.dataclass
class Operation:
    """What lies between its two marks, and its DIMM when it begins."""
    number: int
    name: str
    dimm: int
    records: list = dataclasses.field(repr=False)
    start: bytes = dataclasses.field(repr=False)

    def steps(self):
        """Changes one by one; a Record for what is none."""
        for record in self.records:
            if record.kind in CHANGES:
                yield from record.units()
            else:
                yield record

    def changes(self):
        return [step for step in self.steps() if isinstance(step, Change)]

    def apply(self, medium, changes):
        """Changes of other DIMMs are none of this medium's."""
        for change in changes:
            if change.dimm == self.dimm:
                medium[change.at:change.end] = change.data


def _apply_records(media, records):
    for record in records:
        if record.kind in CHANGES:
            media[record.dimm][record.at:record.at + len(record.data)] = record.data


def between(records, first, last):
    """(index behind mark first, index of mark last). A PV guest's access to the port
    is seen twice: when it traps, and when Xen does it."""
    marks = [(i, r.at) for i, r in enumerate(records) if r.kind == MARK]
    begin = [i for i, number in marks if number == first]
    end = [i for i, number in marks if number == last]
    if not begin:
        raise SetupError(f"the log of the medium has no mark {first}")
    return begin[-1] + 1, end[0] if end else len(records)


def operations(records, names, media):
    """The operations in turn. names: (number, name, dimm); media: bytearrays of the
    DIMMs, before the first record, and in the end after the last one."""
    done = 0
    for number, name, dimm in names:
        begin, end = between(records, 2 * number, 2 * number + 1)
        _apply_records(media, records[done:begin])
        yield Operation(number, name, dimm, records[begin:end], bytes(media[dimm]))
        done = begin
    _apply_records(media, records[done:])


class Cache:
    """What is durable, and what of each cache line is not yet, in order."""

    def __init__(self, operation):
        self.operation = operation
        self.durable = bytearray(operation.start)
        self.lines = {}         # (dimm, line): [[change, it will be durable at a fence]]
        self.pages = []

    def step(self, step):
        if isinstance(step, Change):
            self._change(step)
        elif step.kind == FLUSH:
            self._flush(lambda change: change.virt // LINE == step.virt // LINE)
        elif step.kind in (FLUSH_ALL, FENCE):
            if step.kind == FLUSH_ALL:
                self._flush(lambda change: True)
                self._keep(self.pages)
                self.pages = []
            self._fence()

    def _keep(self, changes):
        self.operation.apply(self.durable, changes)

    def _change(self, change):
        if change.kind == LABELS:
            self._keep([change])
        elif change.kind == BULK:
            self.pages.append(change)
        else:
            line = self.lines.setdefault((change.dimm, change.at // LINE), [])
            line.append([change, change.kind == STORE_NT])

    def _flush(self, wanted):
        for line in self.lines.values():
            for entry in line:
                entry[1] = entry[1] or wanted(entry[0])

    def _fence(self):
        """What is flushed takes with it what the same line got before."""
        for key, line in list(self.lines.items()):
            last = max((i for i, entry in enumerate(line) if entry[1]), default=-1)
            self._keep([entry[0] for entry in line[:last + 1]])
            self.lines[key] = line[last + 1:]
            if not self.lines[key]:
                del self.lines[key]

    def pending(self):
        """How many stores are not durable yet, Xen's pages not counted."""
        return sum(map(len, self.lines.values()))

    def some(self, seed):
        """What else may be on the medium; which of the possibilities, follows from the seed."""
        dice, found = random.Random(seed), []
        for line in self.lines.values():
            changes = [entry[0] for entry in line]
            if all(change.kind == STORE_NT for change in changes):
                found += [change for change in changes if dice.random() < 0.5]
            else:
                found += changes[:dice.randint(0, len(changes))]
        return found + [page for page in self.pages if dice.random() < 0.5]


@dataclasses.dataclass(frozen=True)
class Cut:
    operation: str
    changes: int
    how: str = ""
    number: int = 0

    def __str__(self):
        tail = f"-{self.how}" if self.how else ""
        return f"{self.operation}@{self.changes}{tail}{self.number if self.number else ''}"


def parse(text):
    found = CUT.fullmatch(text)
    if not found:
        raise SetupError(f"'{text}' is no cut: expected OPERATION@N, and perhaps behind it "
                         "-durable, -lostSEED or -tornBYTES")
    return Cut(found[1], int(found[2]), found[3] or "", int(found[4] or 0))


def image(operation, cut):
    """The operation's DIMM after a cut."""
    if cut.how in ("durable", "lost"):
        cache = cache_at(operation, cut)
        operation.apply(cache.durable, cache.some(cut.number) if cut.how == "lost" else ())
        return cache.durable
    changes = operation.changes()
    _has(changes, cut)
    medium = bytearray(operation.start)
    operation.apply(medium, changes[:cut.changes])
    if cut.how == "torn":
        _has(changes, dataclasses.replace(cut, changes=cut.changes + 1))
        write = changes[cut.changes]
        operation.apply(medium, [dataclasses.replace(write, data=write.data[:cut.number])])
    return medium


def _has(changes, cut):
    if cut.changes > len(changes):
        raise SetupError(f"{cut}: the operation has only {len(changes)} changes")


def cache_at(operation, cut):
    """Right behind the last change, before what would make it durable."""
    cache, left = Cache(operation), cut.changes
    for step in operation.steps() if left else ():
        cache.step(step)
        left -= isinstance(step, Change)
        if not left:
            return cache
    if left:
        raise SetupError(f"{cut}: the operation has only {cut.changes - left} changes")
    return cache
