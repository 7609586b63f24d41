# SPDX-License-Identifier: GPL-2.0-only
"""Rows with cuts: one boot is recorded, every change of the medium is judged on the
host, and a choice of what power cuts leave is booted, many DIMMs at a time. Some
machines are really killed at a change, to see that the log tells the truth.
"""
import dataclasses
import hashlib
import pathlib
import random
import shutil
import signal
import subprocess

from . import cutjudge, ktap, matrix, medialog, medium, onmedia, paths, qemu, run, verdict
from .medialog import Cut
from .paths import SetupError

KINDS = {"bare": "Linux without Xen and driver", "xen": "our Xen and driver"}
SHOWN = 6           # faults of one test that are told
CHUNK = 1 << 16
IDLE = "refused"        # end of the name of an operation that is to change nothing


@dataclasses.dataclass
class Point:
    """A cut to be booted."""
    cut: Cut
    verdict: str
    state: cutjudge.State
    dimm: int
    path: pathlib.Path          # the DIMM after it
    other_sha: str = ""         # of the data of the namespace that nobody works on
    files: dict | None = None   # if there is a file system, {name: sha256} of what was durable


def write_sparse(path, data):
    zero = bytes(CHUNK)
    with open(path, "wb") as stream:
        for at in range(0, len(data), CHUNK):
            piece = data[at:at + CHUNK]
            if piece != zero[:len(piece)]:
                stream.seek(at)
                stream.write(piece)
        stream.truncate(len(data))


def sha_of_other(image, state):
    """Of its first MiB."""
    for _, head in state.others:
        return hashlib.sha256(image[head.data[0]:head.data[0] + (1 << 20)]).hexdigest()
    return ""


def interesting(changes):
    """All but Xen's pages, and a few of these."""
    few = [change for change in changes if change.kind == medialog.BULK][::100]
    return [change for change in changes if change.kind != medialog.BULK] + few


def kind_of(state):
    return state.worked_on[1].kind if state.worked_on else ""


class Batch(run.RowRun):
    """A machine of many DIMMs, each of which is what one cut left."""

    def __init__(self, parent, name, points, kind):
        row = dataclasses.replace(
            parent.row, name=f"{parent.row.name} {name}-{kind}", smp=2, cuts=None,
            nvdimm=[parent.row.nvdimm[point.dimm] for point in points],
            boots=[matrix.Boot(steps=[f"cut-judge.sh {len(points)}"], timeout=900)])
        if kind == "bare":
            row = dataclasses.replace(row, xen="none", driver=False, ndctl="none")
        super().__init__(row, parent.accel, parent.timeout)
        self.points = points
        self.directory = parent.directory / f"{name}-{kind}"

    def judge(self):
        """What the guest saw, by DIMM; nothing if it came to no verdict."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        for slot, point in enumerate(self.points):
            image = bytearray(point.path.read_bytes())
            onmedia.move_to_slot(image, self.row.nvdimm[slot].data_bytes, slot)
            write_sparse(self.image(slot), image)
        self.boot(1, self.row.boots[0])
        for slot in range(len(self.points)):
            self.image(slot).unlink()
        return cutjudge.read_seen(run.read(self.directory / "boot1/out/seen"))


class Killed(run.RowRun):
    """The recorded boot again, to be ended by the plugin."""

    def __init__(self, parent, directory, kill):
        boot = dataclasses.replace(parent.row.boots[0], kill=kill)
        row = dataclasses.replace(parent.row, boots=[boot])
        super().__init__(row, parent.accel, parent.timeout)
        self.directory = directory

    def run_it(self):
        """What is wrong, or None."""
        boot = self.row.boots[0]
        limit = self.timeout or boot.timeout
        directory, line = self.lay_out(1, boot, limit)
        watch = qemu.Watch(directory, f"{self.row.name} {self.directory.name}", run.tell)
        with open(directory / "qemu.log", "w") as log:
            process = qemu.start(line, directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                ending = qemu.wait(process, watch, boot, limit)
            finally:
                process.kill()
        if ending == "exit" and process.returncode == -signal.SIGKILL:
            return None
        return f"the machine ended with '{ending}' {process.returncode}, expected to be killed"


class CutsRun(run.RowRun):
    """A row with cuts: its only boot is the one that is recorded."""

    def __init__(self, row, *args, **kwargs):
        super().__init__(row, *args, **kwargs)
        self.points = []
        self.plan = []          # per operation what to kill a machine at: (number, name, COUNT)
        self.kinds = {}         # operation: what it makes

    def attempt(self):
        super().attempt()
        if self.reasons:
            return
        try:
            self.judge_all()
        except SetupError as error:
            self.reasons.append((verdict.SETUP, str(error)))

    # --- the recorded boot ---------------------------------------------------------

    def copies(self, number, boot):
        super().copies(number, boot)
        for index in range(len(self.row.nvdimm)):
            medium.copy(self.image(index), self.image(index, ".recorded"))

    def media(self):
        return [bytearray(self.left(f"nvdimm{index}.recorded").read_bytes())
                for index in range(len(self.row.nvdimm))]

    def left(self, name):
        """A file of the recorded boot; a row that passed leaves none."""
        return paths.need(self.directory / name, "tools/vmtest/vmtest --matrix "
                          f"{paths.shown(self.row.matrix)} run --keep {self.row.name}")

    def names(self):
        """(number, name, dimm), as the guest script says."""
        lines = run.read(self.directory / "boot1/out/operations").splitlines()
        return [(int(n), name, int(dimm)) for n, name, dimm in map(str.split, lines)]

    def durable(self, number, whole):
        """Files that a cut in an operation may not lose; whole: it comes at its end."""
        lines = [line.split() for line in
                 run.read(self.directory / "boot1/out/files").splitlines()]
        if not lines:
            return None
        files = {}
        for writer, name, sha in lines:
            if int(writer) < number or int(writer) == number and whole:
                files[name] = sha
            elif int(writer) == number:
                files.pop(name, None)
        return files

    def judge_of(self, operation):
        return cutjudge.Judge(operation, self.row.nvdimm[operation.dimm].data_bytes,
                              qemu.address(self.row, operation.dimm))

    def finish(self, code, keep):
        super().finish(code, keep)
        if code == verdict.PASS and not keep:
            shutil.rmtree(self.directory / "images")
            (self.directory / "boot1/medium.log").unlink()

    # --- results ---------------------------------------------------------------------

    def result(self, name, faults):
        """faults: (Cut, text)."""
        note = "; ".join(f"{cut}: {text}" for cut, text in faults[:SHOWN])
        self.tests.append(ktap.Test(name, "not ok" if faults else "ok", note))
        for cut, text in faults[:SHOWN]:
            self.reasons.append((verdict.FAILED, f"not ok: {name} - {cut}: {text} "
                                 f"(seed {self.row.cuts.seed}); to see it again: "
                                 f"{replay_command(self.row, cut)}"))
        if len(faults) > SHOWN:
            self.reasons.append((verdict.FAILED, f"not ok: {name} - {len(faults) - SHOWN} more"))

    # --- judging -----------------------------------------------------------------------

    def judge_all(self):
        (self.directory / "images").mkdir()
        dice, media = random.Random(self.row.cuts.seed), self.media()
        share = self.row.cuts.points // max(len(self.names()), 1)
        for operation in self.operations(media):
            self.judge_operation(operation, dice, share)
        self.log_is_complete(media, "the recorded machine", self.directory)
        for number in range(1, self.row.cuts.kills + 1):
            self.kill_machine(number, dice)
        self.boot_points()

    def operations(self, media):
        records = medialog.read(self.left("boot1/medium.log"))
        return medialog.operations(records, self.names(), media)

    def judge_operation(self, operation, dice, share):
        judge, changes = self.judge_of(operation), operation.changes()
        judge.sweep()
        if bool(changes) == operation.name.endswith(IDLE):
            judge.faults.append((Cut(operation.name, 0), "it wrote, although it was refused"
                                 if changes else "it changed nothing: this tests nothing"))
        name = (f"{operation.name}: {len(changes)} changes, {len(judge.verdicts)} cuts: "
                + judge.tally())
        run.tell(f"vmtest: {name}")
        self.result(name, judge.faults)
        for cut in judge.choose(dice, share if changes else 0):
            image = medialog.image(operation, cut)
            self.add_point(cut, *judge.verdicts[cut], operation, image,
                           not cut.how and cut.changes == len(changes))
        if changes:
            self.plan.append([(operation.number, operation.name, change.count)
                              for change in interesting(changes)])
        self.kinds[operation.name] = kind_of(judge.after)

    def add_point(self, cut, word, state, operation, image, whole=False):
        path = self.directory / "images" / str(cut)
        write_sparse(path, image)
        self.points.append(Point(cut, word, state, operation.dimm, path,
                                 sha_of_other(image, state),
                                 self.durable(operation.number, whole)))

    def log_is_complete(self, media, whose, directory):
        """The log, applied to what was there, gives what is in the files."""
        wrong = [(Cut("log", 0), f"nvdimm{index} is not what the log says")
                 for index, found in enumerate(media)
                 if found != (directory / f"nvdimm{index}").read_bytes()]
        self.result(f"the log of {whose} has all that changed", wrong)

    # --- machines that are killed --------------------------------------------------------

    def kill_machine(self, number, dice):
        """By the plugin, at a change that the recorded machine has made, too."""
        operation, name, count = dice.choice(self.plan[number % len(self.plan)])
        cut = Cut(name, count, "killed", number)
        directory = self.directory / f"kill{number}"
        directory.mkdir()
        for index in range(len(self.row.nvdimm)):
            medium.copy(self.image(index, ".recorded"), directory / f"nvdimm{index}")
        killed = Killed(self, directory, f"{2 * operation}:{count}")
        wrong = killed.run_it()
        self.result(f"a machine is killed in {name}, at change {count}",
                    [(cut, wrong)] if wrong else [])
        if not wrong:
            self.judge_killed(cut, directory, operation)
        shutil.rmtree(directory)

    def judge_killed(self, cut, directory, number):
        media = self.media()
        records = medialog.read(directory / "boot1/medium.log")
        names = [name for name in self.names() if name[0] == number]
        operation, = list(medialog.operations(records, names, media))
        self.log_is_complete(media, f"the machine killed in {cut}", directory)
        judge = self.judge_of(operation)
        judge.sweep()
        word = judge.verdict_by_kind(self.kinds[operation.name])
        faults = judge.faults if word else [(cut, f"it left {kind_of(judge.after)}")]
        self.result(f"what the machine killed in {cut} left: {word}", faults)
        self.add_point(cut, word, judge.after, operation, media[operation.dimm])

    # --- booting --------------------------------------------------------------------------

    def show(self, operation, cut):
        judge, image = self.judge_of(operation), medialog.image(operation, cut)
        state = judge.state(image)
        word, wrong = judge.verdict(state)
        run.tell(f"vmtest: {cut}: on the medium: {word or wrong}: {state}")
        shutil.rmtree(self.directory / "images", ignore_errors=True)
        (self.directory / "images").mkdir()
        self.result(f"{cut} on the medium", [(cut, wrong)] if wrong else [])
        whole = not cut.how and cut.changes == len(operation.changes())
        self.add_point(cut, word, state, operation, image, whole)
        self.boot_points()
        self.report(self.code(), 0)
        return self.code()

    def boot_points(self):
        size = self.row.cuts.dimms
        groups = [self.points[i:i + size] for i in range(0, len(self.points), size)]
        faults = {kind: [] for kind in KINDS}
        for number, group in enumerate(groups, 1):
            for kind in KINDS:
                self.boot_group(f"cuts{number}of{len(groups)}", group, kind, faults[kind])
        for kind, found in faults.items() if groups else ():
            words = [point.verdict for point in self.points]
            self.result(f"{len(words)} cuts booted, {KINDS[kind]}: " + ", ".join(
                f"{words.count(word)} {word}" for word in cutjudge.WORDS), found)

    def boot_group(self, name, group, kind, faults):
        batch = Batch(self, name, group, kind)
        seen = batch.judge()
        self.reasons += [(code, f"{name} {kind}: {text}") for code, text in batch.reasons]
        for slot, point in enumerate(group if not batch.reasons else ()):
            found = cutjudge.kernel_faults(point.state, seen[slot], kind == "xen", point.other_sha,
                                           point.files)
            faults += [(point.cut, f"{KINDS[kind]}: {text}") for text in found]
        if not batch.reasons:
            shutil.rmtree(batch.directory)


# --- one cut again --------------------------------------------------------------------------

def replay_command(row, cut):
    """A machine that was killed, and its log, can only be made anew."""
    vmtest = f"tools/vmtest/vmtest --matrix {paths.shown(row.matrix)}"
    if cut.how == "killed" or cut.operation == "log":
        return f"{vmtest} run --keep {row.name}"
    return f"{vmtest} cut {row.name} {cut}"


def replay(row, text, accel, timeout):
    """Make one cut out of what a run of the row has left, and boot it alone."""
    again, cut = CutsRun(row, accel, timeout), medialog.parse(text)
    again.claim()
    for operation in again.operations(again.media()):
        if operation.name == cut.operation:
            return again.show(operation, cut)
    raise SetupError(f"row {row.name} has no operation {cut.operation}: it has "
                     + ", ".join(name for _, name, _ in again.names()))
