# SPDX-License-Identifier: GPL-2.0-only
"""What the host does to, and demands of, a row's NVDIMM and logs around a boot.

A check is a table with the key 'check', the name of a function below, and its
parameters. It returns None, or one line that says what is wrong. Offsets are
numbers, sizes ("2M"), or "$NAME": a fact some guest script of the row wrote.
"""
import inspect
import re
import subprocess

from . import guide as guides
from . import medium
from .paths import TOP, SetupError

CHECKS = {}
DEEDS = ("poke", "enroll")      # what the host does, rather than looks at


def check(function):
    CHECKS[function.__name__] = function
    return function


def validate(where, table):
    table = dict(table)
    name = table.pop("check", "")
    table.pop("name", None)
    if name not in CHECKS:
        raise SetupError(f"{where}: unknown check '{name}', expected {', '.join(CHECKS)}")
    try:
        inspect.signature(CHECKS[name]).bind(None, **table)
    except TypeError as error:
        raise SetupError(f"{where}: check '{name}': {error}") from None


class Context:
    """What a check may look at: the live NVDIMMs, their copies, logs, facts."""

    def __init__(self, directory, facts):
        self.directory = directory
        self.facts = facts

    def live(self, dimm):
        return self.directory / f"nvdimm{dimm}"

    def copy(self, dimm, since):
        return self.directory / f"nvdimm{dimm}.{since}"

    def word(self, text):
        if not str(text).startswith("$"):
            return text
        if text[1:] not in self.facts:
            raise LookupError(f"no guest script wrote the fact '{text[1:]}'")
        return self.facts[text[1:]]

    def offset(self, text):
        return medium.size(self.word(text))

    def boots(self):
        """The directories of the boots so far."""
        return sorted((path.parent for path in self.directory.glob("boot*/console.log")),
                      key=lambda path: int(path.name[4:]))

    def console(self):
        return (self.boots()[-1] / "console.log").read_text(errors="replace")


def run(context, table):
    """(name, None or what is wrong)."""
    table = dict(table)
    function = CHECKS[table.pop("check")]
    name = table.pop("name", f"host: {function.__name__} "
                     + " ".join(f"{k}={v}" for k, v in table.items()))
    try:
        return name, function(context, **table)
    except (LookupError, OSError, SetupError) as error:
        return name, str(error)


def _shown(ranges):
    text = ", ".join(f"[{start:#x}, {end:#x})" for start, end in ranges[:6])
    return text + (f" and {len(ranges) - 6} more" if len(ranges) > 6 else "")


def _outside(ranges, allowed):
    """The parts of ranges that no allowed range covers."""
    left = list(ranges)
    for low, high in allowed:
        pieces = [[(s, min(e, low)), (max(s, high), e)] for s, e in left]
        left = [(s, e) for pair in pieces for s, e in pair if s < e]
    return left


@check
def unchanged(context, dimm=0, since="boot", allow=()):
    """No byte differs from the copy taken before this boot (since = "boot") or
    before the first (since = "start"), save inside the ranges of allow."""
    found = medium.changes(context.copy(dimm, since), context.live(dimm), grain=1 << 12)
    allowed = [(context.offset(a), context.offset(b)) for a, b in allow]
    wrong = _outside(found, allowed)
    return f"nvdimm{dimm} changed at {_shown(sorted(wrong))}" if wrong else None


@check
def changed(context, start, end, dimm=0, since="boot"):
    """At least one byte of [start, end) differs: the opposite is a dead test."""
    low, high = context.offset(start), context.offset(end)
    found = medium.changes(context.copy(dimm, since), context.live(dimm))
    inside = [r for r in found if r[0] < high and r[1] > low]
    return None if inside else f"nvdimm{dimm}: nothing changed in [{low:#x}, {high:#x})"


@check
def sha256(context, equals, start=0, end=None, dimm=0):
    """The bytes of [start, end) hash to equals."""
    high = context.offset(end) if end is not None else None
    found = medium.sha256(context.live(dimm), context.offset(start), high)
    wanted = context.word(equals)
    return None if found == wanted else f"sha256 is {found}, expected {wanted}"


@check
def poke(context, offset, hex, dimm=0):
    """Not a check but a deed: write bytes to the medium while it is off."""
    data = bytes.fromhex(context.word(hex))
    medium.poke(context.live(dimm), context.offset(offset), data)


@check
def enroll(context, certificate):
    """Not a check but a deed: the machine's owner has had the firmware trust this key, a
    file of a boot before, as MokManager does at the next boot."""
    owner = "3c2c2f1e-8b0c-4f6b-9a55-5d0f3a9f4f21"     # any uuid
    done = subprocess.run(
        [TOP / "scripts/in-tree", "--layer", "disk-tools", "virt-fw-vars", "--inplace",
         context.directory / "firmware", "--add-mok", owner, context.directory / certificate],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return None if done.returncode == 0 else done.stdout.strip().splitlines()[-1]


@check
def console(context, has=None, lacks=None):
    """A regex that the console log of this boot has, or has not, in one line."""
    text = context.console()
    if has and not re.search(has, text, re.M):
        return f"the console does not say '{has}'"
    found = re.search(f"^.*{lacks}.*$", text, re.M) if lacks else None
    return f"the console says '{found[0].strip()}'" if found else None


@check
def facts_equal(context, one, two):
    """Two words, of which at least one is a fact, are the same."""
    a, b = context.word(one), context.word(two)
    return None if a == b else f"'{one}' is '{a}', '{two}' is '{b}'"


@check
def guide(context, machine):
    """Each command of the administrator's guide that is for this boot of this machine
    was run, and printed what the guide shows."""
    wrong = guides.compare(machine, context.boots())
    more = f", and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return "; ".join(wrong[:5]) + more if wrong else None
