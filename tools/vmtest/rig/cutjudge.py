# SPDX-License-Identifier: GPL-2.0-only
"""Judge what a power cut leaves of an operation on a namespace: first the medium
itself, at every change of the operation, then what a kernel makes of it.
"""
import collections
import dataclasses
import uuid

from . import medialog, onmedia
from .medialog import BULK, LABELS, Change, Cut

HEADER_SIZE = 8192
LOST_SEEDS = 3
FILES = "file-"         # how operations are named that only write files
SAMPLE = 29             # of their changes, each so many'th is also judged without its cache
OLD, NEW, EMPTY = WORDS = "old", "new", "empty"


@dataclasses.dataclass(frozen=True)
class State:
    """One DIMM's namespaces: [(Namespace, Header)]."""
    spaces: tuple

    @property
    def others(self):
        return self.spaces[:1] if self._has_other() else ()

    @property
    def worked_on(self):
        left = self.spaces[1:] if self._has_other() else self.spaces
        return left[0] if left else None

    def _has_other(self):
        """Where there are labels, the one nobody works on is the first."""
        return bool(self.spaces) and any(self.spaces[0][0].uuid)

    def key(self):
        """What an operation is to leave as it was, or as it is to be."""
        if not self.worked_on:
            return None
        space, head = self.worked_on
        return space.uuid, space.start, space.size, head.kind, head.uuid


def read_state(medium, size, address):
    spaces = onmedia.namespaces(medium, size)
    return State(tuple((space, onmedia.header(medium, space, address)) for space in spaces))


@dataclasses.dataclass
class Judge:
    """Of one operation. size: bytes of its DIMM without labels; address: physical."""
    operation: medialog.Operation
    size: int
    address: int
    faults: list = dataclasses.field(default_factory=list)      # (Cut, what is wrong)
    verdicts: dict = dataclasses.field(default_factory=dict)    # Cut: (verdict, State)

    def __post_init__(self):
        final = bytearray(self.operation.start)
        self.operation.apply(final, self.operation.changes())
        self.before = self.state(self.operation.start)
        self.after = self.state(final)

    def state(self, medium):
        return read_state(medium, self.size, self.address)

    # --- the rules --------------------------------------------------------------

    def verdict(self, state):
        """(verdict, None), or (None, what is wrong)."""
        if state.others != self.before.others:
            return None, "the other namespace is lost or changed"
        if state.key() == self.before.key():
            return OLD, None
        if state.key() == self.after.key():
            return NEW, None
        if not state.worked_on or state.worked_on[1].kind == "none":
            return EMPTY, None
        head = state.worked_on[1]
        return None, (f"a namespace in {head.kind} mode, info block {uuid.UUID(bytes=head.uuid)}"
                      f"{': ' + head.fault if head.fault else ''}, expected the old one, the new "
                      "one, or none")

    def misplaced(self, change, state):
        """A change where the operation has no business, or too early."""
        if change.dimm != self.operation.dimm:
            return f"DIMM {change.dimm} is written to at {change.at:#x}, nobody worked on it"
        if change.kind == LABELS:
            return None
        spaces = [s.worked_on[0] for s in (self.before, self.after, state) if s.worked_on]
        if not any(s.start <= change.at and change.end <= s.start + s.size for s in spaces):
            return f"it writes to {change.at:#x}, which is not in its namespace"
        if change.kind == BULK:
            return _without_header(change, state)
        return self._loses_data(change, state)

    def _loses_data(self, change, state):
        if self.operation.name.startswith(FILES):
            return None
        if not self.before.worked_on or state.key() != self.before.key():
            return None
        start, end = self.before.worked_on[1].data
        if start <= change.at < end:
            return f"data of the old namespace is overwritten at {change.at:#x}, it is still there"
        return None

    # --- every cut ---------------------------------------------------------------

    def note(self, cut, state):
        verdict, wrong = self.verdict(state)
        if wrong:
            self.faults.append((cut, wrong))
        self.verdicts[cut] = verdict, state

    def sweep(self):
        """Judge the medium after each change, without what was not durable then, and
        with a part of that; and with each write of labels torn."""
        medium, cache = bytearray(self.operation.start), medialog.Cache(self.operation)
        state = kept = self.before      # kept: of what is durable; None: not known
        count = 0
        self.note(Cut(self.operation.name, 0), state)
        for step in self.operation.steps():
            if not isinstance(step, Change):
                cache.step(step)
                kept = None
                continue
            wrong = self.misplaced(step, state)
            if step.kind == BULK and not kept:
                kept = self.state(cache.durable)
            wrong = wrong or (_without_header(step, kept) if step.kind == BULK else None)
            if step.kind == LABELS:
                self._tear(medium, step, count)
            count += 1
            cut = Cut(self.operation.name, count)
            if wrong:
                self.faults.append((cut, wrong))
            self.operation.apply(medium, [step])
            cache.step(step)
            if self._matters(step, count):
                state = self.state(medium)
                kept = self._sweep_cache(cache, cut)
            self.note(cut, state)

    def _matters(self, change, count):
        """Can it change what the DIMM is seen as? Of files, some are taken as if they could."""
        if self.operation.name.startswith(FILES) and count % SAMPLE == 0:
            return True
        starts = [s.worked_on[0].start for s in (self.before, self.after) if s.worked_on]
        return change.kind == LABELS or any(s <= change.at < s + HEADER_SIZE for s in starts)

    def _sweep_cache(self, cache, cut):
        kept = self.state(cache.durable)
        if not cache.pending():
            return kept
        self.note(dataclasses.replace(cut, how="durable"), kept)
        for seed in range(1, LOST_SEEDS + 1):
            lost = dataclasses.replace(cut, how="lost", number=seed)
            self.note(lost, self._with(cache.durable, cache.some(seed)))
        return kept

    def _tear(self, medium, change, count):
        """Labels are written by firmware, of which nobody says that it writes all or nothing."""
        for size in sorted({8, len(change.data) // 2, len(change.data) - 1}):
            part = dataclasses.replace(change, data=change.data[:size])
            self.note(Cut(self.operation.name, count, "torn", size), self._with(medium, [part]))

    def _with(self, medium, changes):
        """The state with some changes, which are taken back again."""
        mine = [change for change in changes if change.dimm == self.operation.dimm]
        saved = [(change.at, bytes(medium[change.at:change.end])) for change in mine]
        self.operation.apply(medium, mine)
        state = self.state(medium)
        for at, data in reversed(saved):
            medium[at:at + len(data)] = data
        return state

    # --- result -------------------------------------------------------------------

    def tally(self):
        words = collections.Counter(verdict for verdict, _ in self.verdicts.values())
        return ", ".join(f"{words[word]} {word}" for word in WORDS)

    def verdict_by_kind(self, kind):
        """Of the operation's end, if that is a cut; kind: what it was to make."""
        if self.after.key() == self.before.key():
            return OLD
        found = self.after.worked_on[1].kind if self.after.worked_on else ""
        return NEW if found == kind else EMPTY if found in ("", "none") else None

    def choose(self, dice, number):
        """Cuts to boot: all that differ to a kernel come before any twice."""
        groups = {}
        for cut, (_, state) in self.verdicts.items():
            groups.setdefault((state, cut.how), []).append(cut)
        for cuts in groups.values():
            dice.shuffle(cuts)
        chosen = []
        while len(chosen) < number and any(groups.values()):
            chosen += [cuts.pop() for cuts in groups.values() if cuts]
        return chosen[:max(number, 0)]


def _without_header(change, state):
    """Xen's records may be where, and as long as, a valid block says so."""
    kind, reserved = "no namespace", (0, 0)
    if state.worked_on:
        kind, reserved = state.worked_on[1].kind, state.worked_on[1].reserved
    if kind == "xen" and reserved[0] <= change.at and change.end <= reserved[1]:
        return None
    return (f"Xen writes records to {change.at:#x}, but what is durable is {kind}, reserved area "
            f"[{reserved[0]:#x}, {reserved[1]:#x}): after a cut they are there without a block")


# --- what a kernel makes of it -----------------------------------------------------

SEEN = ("dimm namespace uuid size driver raw child disk state inner sha256 files").split()
# What a kernel without our driver is to show: (driver, raw, child, disk), "" for nothing.
STOCK = {
    "xen": ("", "", "", ""),
    "damaged": ("", "", "", ""),
    "none": ("nd_pmem", "pmem", "", ""),
    "fsdax": ("", "", "pfn", "pmem"),
    "devdax": ("", "", "dax", "dax"),
    "sector": ("", "", "btt", "pmem"),
}
OURS = {**STOCK, "xen": ("xen_pmem", "", "", "")}


def read_seen(text):
    """{DIMM: [what the guest script found of each namespace]}."""
    found = collections.defaultdict(list)
    for line in text.splitlines():
        words = ["" if word == "-" else word for word in line.split()]
        seen = dict(zip(SEEN, words))
        found[int(seen["dimm"])].append(seen)
    return found


def _differs(word, expected):
    return not word.startswith(expected) if expected else bool(word)


def _compare(space, head, seen, ours):
    """One namespace as it is on the medium, and as a kernel shows it."""
    wanted = (OURS if ours else STOCK)[head.kind]
    for key, word in zip(("driver", "raw", "child", "disk"), wanted):
        if _differs(seen[key], word):
            return (f"{seen['namespace']} in {head.kind} mode: {key} is '{seen[key]}', "
                    f"expected '{word}'")
    if ours and head.kind == "xen" and not seen["inner"]:
        return f"{seen['namespace']} in xen mode: its data has no disk"
    if int(seen["size"]) != space.size:
        return f"{seen['namespace']}: size is {seen['size']}, expected {space.size}"
    return None


def _name(space):
    """As the guest script says it; nothing without labels."""
    return str(uuid.UUID(bytes=space.uuid)) if any(space.uuid) else ""


def _lost(files, word):
    """What the guest found of the files that are durable; files: {name: sha256}."""
    status, *found = word.split(",")
    if status not in ("0", "repaired"):
        return [f"ext4 -o dax: '{status}', expected to be mounted, and clean afterwards"]
    found = dict(item.split(":") for item in found)
    return [f"the file {name}, which was durable, has sha256 {found.get(name)}, expected {sha}"
            for name, sha in files.items() if found.get(name) != sha]


def kernel_faults(state, seen, ours, other_sha, files=None):
    """What a kernel shows otherwise than the medium says; seen: its namespaces. files: if
    there is a file system, {name: sha256} of what was durable."""
    found = {item["uuid"]: item for item in seen}
    wanted = {_name(s): (s, h) for s, h in state.spaces}
    if set(found) != set(wanted):
        return [f"its namespaces are {sorted(found)}, expected {sorted(wanted)}"]
    faults = [wrong for key, (space, head) in wanted.items()
              if (wrong := _compare(space, head, found[key], ours))]
    for space, _ in state.others:
        if (sha := found[_name(space)]["sha256"]) != other_sha:
            faults.append(f"the other namespace has data of sha256 {sha}, expected {other_sha}")
    if files is not None and ours:
        space, _ = state.worked_on
        faults += _lost(files, found[_name(space)]["files"])
    return faults
