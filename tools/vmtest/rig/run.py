# SPDX-License-Identifier: GPL-2.0-only
"""Run a row: prepare its NVDIMMs, boot it as often as it says, judge, report."""
import fcntl
import re
import shutil
import subprocess
import tarfile
import time

from . import checks, image, ktap, medium, paths, qemu, verdict
from .paths import BUILD, SetupError

OUT = BUILD / "vmtest"
SNAPSHOTS = OUT / "snapshots"
RESULTS = BUILD / "results"
TRIES = 3


def tell(text):
    print(text, flush=True)


class RowRun:
    """One row being run; owns build/vmtest/<row> while it lasts."""

    def __init__(self, row, accel, timeout=None, save=False):
        self.row = row
        self.accel = accel
        self.timeout = timeout
        self.save = save
        self.first_failure = False
        self.directory = OUT / row.name
        self.tries = 0
        self.facts = {}
        self.tests = []
        self.reasons = []

    def claim(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.directory / ".lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(f"row {self.row.name} is being run by another vmtest: "
                             "wait for it, or end it") from None

    def prepare(self, keep=False):
        """An empty directory and the NVDIMMs as the row wants them."""
        for entry in self.directory.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != ".lock" and not (keep and entry.name.startswith("nvdimm")):
                entry.unlink()
        self.prepare_disk()
        for index, dimm in enumerate(self.row.dimms):
            if self.save:
                snapshot(self.row.name, index).unlink(missing_ok=True)
            if not (keep and self.image(index).exists()):
                fill(dimm, self.image(index))

    def prepare_disk(self):
        """Of a row that has one: as scripts/build-disk made it."""
        if not self.row.disk:
            return
        disk = paths.need(BUILD / "disk" / self.row.disk / "disk.raw",
                          f"scripts/build-disk {self.row.disk}")
        medium.copy(disk, self.directory / "disk")
        qemu.copy_firmware(self.row, self.directory)

    def image(self, index, suffix=""):
        return self.directory / f"nvdimm{index}{suffix}"

    def copies(self, number, boot):
        """Keep the state to compare with, where a check will want it."""
        later = [c for b in self.row.boots[number - 1:] for c in b.before + b.after]
        wants = {(c.get("dimm", 0), "boot") for c in boot.after
                 if c["check"] in ("unchanged", "changed") and c.get("since", "boot") == "boot"}
        if number == 1:
            wants |= {(c.get("dimm", 0), "start") for c in later if c.get("since") == "start"}
        for index, since in wants:
            medium.copy(self.image(index), self.image(index, "." + since))

    def host_checks(self, number, tables):
        context = checks.Context(self.directory, self.facts)
        for table in tables:
            name, wrong = checks.run(context, table)
            if table["check"] in checks.DEEDS and not wrong:
                continue
            test = ktap.Test(f"boot{number}/{name}", "not ok" if wrong else "ok", wrong or "")
            self.tests.append(test)
            if wrong:
                self.reasons.append((verdict.FAILED, f"not ok: {test.name} - {wrong}"))

    def settings(self, number, limit, shell=False):
        return {"XP_ROW": self.row.name, "XP_BOOT": number, "XP_XEN": self.row.xen,
                "XP_KERNEL": self.row.kernel, "XP_NDCTL": self.row.ndctl,
                "XP_GUESTS": self.row.guests,
                "XP_LIMIT": limit, "XP_SHELL": int(shell)}

    def lay_out(self, number, boot, limit, shell=False):
        """Everything QEMU needs for one boot, in a directory of its own."""
        directory = self.directory / f"boot{number}"
        directory.mkdir()
        qemu.link_inputs(self.row, directory)
        settings = self.settings(number, limit, shell)
        if self.row.disk:
            image.write_steps(self.row, boot, settings, self.facts, directory / "steps")
        else:
            image.write(self.row, boot, settings, self.facts, directory / "initrd")
        line = qemu.argv(self.row, boot, self.accel, interactive=shell)
        qemu.write_script(line, directory)
        return directory, line

    def boot(self, number, boot):
        """Boot once and judge. False: the row cannot go on."""
        limit = self.timeout or boot.timeout
        self.host_checks(number, boot.before)
        self.copies(number, boot)
        directory, line = self.lay_out(number, boot, max(30, limit - 40))
        label = f"{self.row.name} boot {number}/{len(self.row.boots)}"
        watch = qemu.Watch(directory, label, tell)
        deeds = qemu.deeds(self.row, boot, directory)
        with open(directory / "qemu.log", "w") as log:
            process = qemu.start(line, directory, stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)
            try:
                ending = qemu.wait(process, watch, boot, limit, deeds, self.first_failure)
            finally:
                process.kill()
        outcome = self.collect(directory, boot, ending)
        self.tests += [ktap.Test(f"boot{number}/{t.name}", t.status, t.note)
                       for t in outcome.tests]
        self.reasons += [(code, f"boot {number}: {text}") for code, text in outcome.reasons]
        self.host_checks(number, boot.after)
        tell(f"[{watch.elapsed():4.0f}s] {label}: {verdict.WORDS[outcome.code]}")
        return outcome.code in (verdict.PASS, verdict.SKIPPED)

    def collect(self, directory, boot, ending):
        com1 = read(directory / "console.log")
        com2 = read(directory / "result.ktap")
        out_bytes = unpack(directory)
        read_facts(directory / "out/facts", self.facts)
        if (directory / "out/dmesg.txt").exists():
            shutil.copy(directory / "out/dmesg.txt", directory / "dmesg.txt")
        logs = com1 + read(directory / "dmesg.txt")
        outcome = verdict.judge(boot.ends, ending, logs, com2, out_bytes, boot.allow)
        qemu_said = read(directory / "qemu.log").strip()
        if qemu_said and not com1:
            outcome.reasons.append((verdict.SETUP, "QEMU: " + qemu_said.splitlines()[0]))
        return outcome

    def attempt(self):
        """All boots of the row, from its NVDIMMs as they are to be at first."""
        self.tries += 1
        self.facts, self.tests, self.reasons = {}, [], []
        self.prepare()
        for number, boot in enumerate(self.row.boots, 1):
            if not self.boot(number, boot) and number < len(self.row.boots):
                self.reasons.append((verdict.FAILED, f"boots after {number} were not tried"))
                break

    def emulator_failed(self):
        """Did this attempt end in what no CPU does? Its console is kept."""
        consoles = sorted(self.directory.glob("boot*/console.log"))
        if self.row.dom0 != "pvh" or not consoles or not verdict.emulator_failed(
                read(consoles[-1])):
            return False
        kept = OUT / f"{self.row.name}.emulator{self.tries}.log"
        shutil.copy(consoles[-1], kept)
        tell(f"vmtest: {self.row.name}: the emulator gave dom0 an interrupt twice, "
             f"trying again; see {paths.shown(kept)}")
        return True

    def run(self, keep=False):
        """Return the row's code; leaves artefacts and the tally behind."""
        began = time.monotonic()
        for kernel in self.row.kernels:
            gone = read(BUILD / f"kernels/{kernel}.gone").strip()
            if gone:
                return self.skip(gone)
        self.claim()
        self.attempt()
        while self.tries < TRIES and self.emulator_failed():
            self.attempt()
        code = self.code()
        self.finish(code, keep)
        self.report(code, time.monotonic() - began)
        return code

    def skip(self, why):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.tests.append(ktap.Test("the kernel to boot", "skip", why))
        tell(f"vmtest: {self.row.name}: {why}")
        self.report(self.code(), 0)
        return self.code()

    def code(self):
        return verdict.Outcome(self.tests, self.reasons).code

    def finish(self, code, keep):
        for index in range(len(self.row.dimms)):
            if self.save and code == verdict.PASS:
                SNAPSHOTS.mkdir(parents=True, exist_ok=True)
                medium.copy(self.image(index), snapshot(self.row.name, index))
            if code in (verdict.PASS, verdict.SKIPPED) and not keep:
                for path in self.directory.glob(f"nvdimm{index}*"):
                    path.unlink()
        for pattern in ("boot*/initrd", "boot*/steps", "disk"):
            for path in self.directory.glob(pattern):
                if code in (verdict.PASS, verdict.SKIPPED) and not keep:
                    path.unlink()

    def report(self, code, seconds):
        count = {word: sum(t.status == word for t in self.tests)
                 for word in ("ok", "not ok", "skip", "xfail")}
        lines = [f"{verdict.WORDS[code]:12} {self.row.name}: {count['ok'] + count['xfail']} ok, "
                 f"{count['not ok']} not ok, {count['skip']} skipped, {seconds:.0f} s"]
        lines += [f"    {text}" for _, text in self.reasons]
        if code not in (verdict.PASS, verdict.SKIPPED):
            lines.append(f"    see {paths.shown(self.directory)}/")
        (self.directory / "summary").write_text("\n".join(lines) + "\n")
        (self.directory / "versions").write_text(versions(self.directory))
        write_tally(self.row.name, self.tests, self.reasons)
        tell("\n".join(lines))


def write_tally(name, tests, reasons):
    """One line per test; a boot that broke counts as a failed test of its own."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    words = {"xfail": "ok"}
    lines = [f"{words.get(t.status, t.status)} {name}/{t.name}" for t in tests]
    lines += [f"not ok {name}: {text}" for _, text in reasons
              if not text.startswith("not ok: ") and ": not ok: " not in text]
    (RESULTS / f"vmtest-{name}.txt").write_text("\n".join(lines) + "\n")


def snapshot(row_name, index):
    return SNAPSHOTS / f"{row_name}.nvdimm{index}"


def fill(dimm, target):
    if dimm.source:
        row_name, index = dimm.source
        source = paths.need(snapshot(row_name, index), f"tools/vmtest/vmtest run {row_name}")
        made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(source.stat().st_mtime))
        tell(f"vmtest: starting from the NVDIMM that row {row_name} left on {made}")
        medium.copy(source, target)
        if target.stat().st_size != dimm.bytes:
            raise SetupError(f"the NVDIMM of row {row_name} has {target.stat().st_size} bytes, "
                             f"this row declares {dimm.bytes}: use the same size and labels")
        return
    kind, _, seed = dimm.fill.partition(":")
    if kind not in ("zero", "random"):
        raise SetupError(f"fill '{dimm.fill}': expected zero, random:SEED or from:ROW[:DIMM]")
    medium.create(target, dimm.data_bytes, dimm.bytes - dimm.data_bytes,
                  seed if kind == "random" else None)


def read(path):
    return path.read_text(errors="replace").replace("\r", "") if path.exists() else ""


def read_facts(path, facts):
    for line in read(path).splitlines():
        key, _, value = line.partition("=")
        if key.isidentifier():
            facts[key] = value


def unpack(directory):
    """Unpack what came through the virtio port; return how much came."""
    raw = directory / "out.tar"
    if not raw.exists():
        return 0
    (directory / "out").mkdir()
    try:
        with tarfile.open(raw) as tar:
            for member in tar:
                unpack_file(tar, member, directory / "out")
    except (tarfile.TarError, EOFError):
        return 0
    size = raw.stat().st_size
    raw.unlink()
    return size


def unpack_file(tar, member, directory):
    """Plain files only, and nowhere else: a guest may be out of its mind."""
    target = (directory / member.name).resolve()
    if member.isfile() and target.is_relative_to(directory.resolve()):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(tar.extractfile(member).read())


def versions(directory):
    """Which Linux and Xen really ran, from the logs of all boots."""
    logs = sorted([*directory.glob("boot*/console.log"), *directory.glob("boot*/dmesg.txt")])
    text = "".join(read(log) for log in logs)
    found = re.findall(r"^(?!\+ ).*(?:(?:Linux|Xen) version \S|Command line:).*$", text, re.M)
    plain = [re.sub(r"^(\(XEN\) )?\[[^]]*\] ", "", line.strip()) for line in found]
    return "".join(line + "\n" for line in dict.fromkeys(plain))
