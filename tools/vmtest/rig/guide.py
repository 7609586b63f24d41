# SPDX-License-Identifier: GPL-2.0-only
"""The administrator's guide as a test: what its transcripts type is run, what they show
is compared.

A transcript is a literal block. Its lines "# COMMAND" are typed in their order, the lines
below are all that the command prints. Comments before a block say more of it:

    .. machine: NAME   not the machine of the guide's first boot, but that of another row
    .. fails           its last command ends with another status than 0; all others with 0
    .. event: MARK     the machine says "mark MARK" before the first command

What differs from run to run, and nothing else, is matched by kind:

    uuid       the same in the guide is the same on the machine, others are others
    [ 12.345]  the time stamp of a line of the kernel's or Xen's log is any
    ...        one or more characters of a line; a line of its own it cannot be

A line that says how long a hand-over takes, which comes if it takes long, is left out.

"reboot" ends a boot, the next command is typed in the next one.
"""
import dataclasses
import re

from .paths import TOP, SetupError, shown

PATH = TOP / "Documentation/admin-guide/xen-pmem.rst"
MACHINE = "pv"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
STAMP = r"\[ *\d+\.\d+\]"
VOLATILE = re.compile(rf"({UUID})|({STAMP})|(\.\.\.)")
SLOW = re.compile(r"namespace\d+\.\d+: \d+ MiB are handed over to Xen, \d+ s")
DIRECTIVE = re.compile(r"\.\. (machine|event): (\S+)$|\.\. (fails)$")


@dataclasses.dataclass
class Command:
    line: int                   # of the guide, from 1
    text: str
    machine: str = MACHINE
    fails: bool = False
    event: str = ""
    indent: int = 0
    output: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return f"{self.line:04d}"


def _indent(line):
    return len(line) - len(line.lstrip())


def literal_blocks(lines):
    """(first line, end) of each literal block, from 0, with the comments before it."""
    told, at = {}, 0
    while at < len(lines):
        line = lines[at]
        directive = DIRECTIVE.match(line)
        if directive:
            told[directive[1] or directive[3]] = directive[2] or True
        at += 1
        if not line.endswith("::") or line.startswith(".. "):
            continue
        start, outer = at, _indent(line)
        while at < len(lines) and (not lines[at].strip() or _indent(lines[at]) > outer):
            at += 1
        yield start, at, told
        told = {}


def _trimmed(output):
    while output and not output[-1].strip():
        output.pop()
    return output


def _block(lines, start, end, told):
    found = []
    for number in range(start, end):
        line = lines[number]
        if line.lstrip().startswith("# "):
            found.append(Command(number + 1, line.strip()[2:], told.get("machine", MACHINE),
                                 indent=_indent(line)))
        elif found:
            found[-1].output.append(line[found[-1].indent:].rstrip())
        elif line.strip():
            raise SetupError(f"{shown(PATH)}:{number + 1}: a literal block that begins with no "
                             "command: '# COMMAND' is expected")
    if not found:
        raise SetupError(f"{shown(PATH)}:{start + 1}: a literal block without a command")
    found[-1].fails = "fails" in told
    found[0].event = told.get("event", "")
    return found


def commands(text=None):
    """All commands of the guide, in their order."""
    lines = (PATH.read_text() if text is None else text).splitlines()
    found = []
    for start, end, told in literal_blocks(lines):
        found += _block(lines, start, end, told)
    for command in found:
        _trimmed(command.output)
        if "..." in [line.strip() for line in command.output]:
            raise SetupError(f"{shown(PATH)}:{command.line}: '...' stands for a part of a line")
    return found


def segments(machine, text=None):
    """The commands of one machine, a list for each boot."""
    boots = [[]]
    for command in commands(text):
        if command.machine == machine:
            boots[-1].append(command)
            if command.text == "reboot":
                boots.append([])
    return boots


class Matcher:
    """Compares lines; knows which uuid of the guide is which of the machine."""

    def __init__(self):
        self.uuids = {}

    def given(self, text):
        """What is typed is the same on both sides."""
        self.uuids.update((uuid, uuid) for uuid in re.findall(UUID, text))

    def _same_uuid(self, wanted, found):
        if wanted not in self.uuids and found not in self.uuids.values():
            self.uuids[wanted] = found
        return self.uuids.get(wanted) == found

    def line(self, wanted, found):
        pattern, end = "", 0
        for hit in VOLATILE.finditer(wanted):
            kinds = (f"({UUID})", STAMP, ".+")
            pattern += re.escape(wanted[end:hit.start()]) + kinds[hit.lastindex - 1]
            end = hit.end()
        match = re.fullmatch(pattern + re.escape(wanted[end:]), found)
        if not match:
            return False
        uuids = re.findall(UUID, wanted)
        return all(self._same_uuid(*pair) for pair in zip(uuids, match.groups()))

    def output(self, wanted, found):
        """None, or what is wrong."""
        for number in range(max(len(wanted), len(found))):
            want = wanted[number] if number < len(wanted) else None
            got = found[number] if number < len(found) else None
            if want is None:
                return f"prints '{got}', of which the guide has nothing"
            if got is None or not self.line(want, got):
                return f"prints {'nothing more' if got is None else repr(got)}, expected {want!r}"
        return None

    def as_guide(self, line):
        """A line of the machine with the uuids of the guide."""
        back = {found: wanted for wanted, found in self.uuids.items()}
        return re.sub(UUID, lambda hit: back.get(hit[0], hit[0]), line)


def printed(directory, command):
    """What a command printed on the machine, or None if it was not run."""
    path = directory / "out/guide" / command.name
    if not path.exists():
        return None
    text = path.read_text(errors="replace").replace("\r", "")
    lines = [line.rstrip() for line in text.splitlines()]
    return _trimmed([line for line in lines if not SLOW.match(line)])


def compare(machine, directories, text=None):
    """What is wrong in the last of these boots' directories, as a list of lines."""
    matcher, boots = Matcher(), segments(machine, text)
    if len(directories) > len(boots):
        return [f"the guide reboots machine '{machine}' {len(boots) - 1} times, "
                f"this is boot {len(directories)}"]
    for directory, boot in zip(directories, boots):
        wrong = []
        for command in boot:
            matcher.given(command.text)
            found = printed(directory, command)
            said = "was not run" if found is None else matcher.output(command.output, found)
            if said:
                wrong.append(f"{shown(PATH)}:{command.line}: '{command.text}' {said}")
    return wrong
