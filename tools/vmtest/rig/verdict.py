# SPDX-License-Identifier: GPL-2.0-only
"""Turn what one boot left behind into tests and an exit code.

QEMU's own exit status is not looked at: a panicked Xen guest leaves 0.
"""
import dataclasses
import re

from . import ktap
from .paths import HERE, SetupError

PASS, FAILED, SKIPPED, SETUP, CRASH, TIMEOUT, LOST = 0, 1, 4, 5, 6, 124, 128
WORDS = {PASS: "pass", FAILED: "FAILED", SKIPPED: "skipped", SETUP: "SETUP ERROR",
         CRASH: "CRASH", TIMEOUT: "TIMEOUT", LOST: "VM LOST"}
SEVERITY = (PASS, SKIPPED, FAILED, SETUP, CRASH, TIMEOUT, LOST)
VERDICT = re.compile(r"^XP-VERDICT rc=(\d+) tests=(\d+) out=(\d+)\s*$", re.M)
RESULT_LINE = re.compile(r"^[ #]*(?:not )?ok \d+", re.M)
CRASH_MARK = re.compile(r"^XP-MARK crash\s*$", re.M)
# What a crash on purpose says, up to the first word of the crash kernel's init.
CRASHING = re.compile(r"^[^\n]*sysrq: Trigger a crash.*?(?=^vmtest: step 1:)", re.M | re.S)
# QEMU's emulation of SVM delivers an interrupt to a PVH dom0 a second time, now and
# then: at the first instruction of its handler, where interrupts are off. What
# follows is a panic or, without a stack to say so, a triple fault.
TWICE = re.compile(r"RIP: 0010:asm_sysvec_xen_hvm_callback\+0x0/|d0v\d+ Triple fault")
XEN_DIED = re.compile(r"\(XEN\).*(Xen BUG at|FATAL |Assertion '|Panic on CPU|domain_crash)")
PANIC = re.compile(r"Kernel panic|Panic on CPU|Hardware Dom0 (crashed|halted)")


@dataclasses.dataclass
class Outcome:
    """tests: ktap.Test; reasons: (code, one line), empty when all is well."""
    tests: list
    reasons: list

    @property
    def code(self):
        codes = [code for code, _ in self.reasons]
        if not codes and self.tests and all(t.status == "skip" for t in self.tests):
            codes = [SKIPPED]
        return worst(codes)


def emulator_failed(console):
    """The boot ended by QEMU's fault, and not by Xen's."""
    return bool(TWICE.search(console)) and not XEN_DIED.search(console)


def worst(codes):
    return max(codes, key=SEVERITY.index, default=PASS)


def overall(codes):
    """The code of several rows: skipped only if nothing else happened."""
    codes = list(codes)
    if PASS in codes:
        codes = [code for code in codes if code != SKIPPED]
    return worst(codes)


def patterns(name):
    """One regex per line of splats.deny or splats.allow, # for comments."""
    found, reason = [], ""
    for number, line in enumerate((HERE / name).read_text().splitlines(), 1):
        if line.startswith("#") or not line.strip():
            reason = line.strip("# ")
            continue
        if name.endswith("allow") and not reason:
            raise SetupError(f"{name}:{number}: no '# reason' in the line above")
        try:
            found.append(re.compile(line))
            reason = ""
        except re.error as error:
            raise SetupError(f"{name}:{number}: bad regex: {error}") from None
    return found


def splats(text, allowed=()):
    """Lines of the consoles that must not be there."""
    deny = patterns("splats.deny")
    allow = patterns("splats.allow") + [re.compile(p) for p in allowed]
    lines = dict.fromkeys(line.strip() for line in text.splitlines())
    return [line for line in lines
            if any(p.search(line) for p in deny) and not any(p.search(line) for p in allow)]


def _read_result(com2, out_bytes):
    """(tests, reasons) of a boot that was to end with a verdict."""
    found = VERDICT.search(com2)
    if not found:
        tests = [t for t in ktap.parse(com2)[0] if t.status == "not ok"]
        return tests, [(LOST, "the virtual machine ended without a verdict")]
    body = com2[:found.start()]
    tests, errors = ktap.parse(body)
    reasons = [(FAILED, f"KTAP: {error}") for error in errors]
    rc, sent, size = map(int, found.groups())
    got = len(RESULT_LINE.findall(body))
    if got != sent:
        reasons.append((SETUP, f"COM2 lost lines: {sent} results sent, {got} arrived"))
    if out_bytes < size:
        reasons.append((SETUP, f"virtio port: {size} bytes sent, {out_bytes} arrived"))
    if rc == TIMEOUT:
        reasons.append((TIMEOUT, "the guest's watchdog ended the steps"))
    elif rc and not errors and not any(t.status == "not ok" for t in tests):
        reasons.append((FAILED, f"the guest says rc={rc}, but no test failed"))
    return tests, reasons


def _expected_end(ends, ending, com1, com2):
    """(tests, reasons) of a boot that was to be killed or to panic."""
    tests = [t for t in ktap.parse(com2)[0] if t.status == "not ok"]
    if ends == "kill":
        wrong = None if ending == "killed" else "kill_at was never reached"
    else:
        wrong = None if PANIC.search(com1) else "the expected panic did not come"
    if VERDICT.search(com2):
        wrong = f"the boot ran to its verdict, expected {ends}"
    tests.append(ktap.Test(f"boot ends with {ends}", "not ok" if wrong else "ok", wrong or ""))
    return tests, []


def _after_crash(com2, out_bytes):
    """(tests, reasons) of a boot that crashes: the crash kernel has the last word."""
    before, *after = CRASH_MARK.split(com2, maxsplit=1)
    tests = ktap.parse(before)[0]
    if not after:
        tests.append(ktap.Test("boot comes to its crash", "not ok", "no mark 'crash'"))
        return tests, []
    inner, reasons = _read_result(after[0], out_bytes)
    return tests + [ktap.Test("crash kernel/" + t.name, t.status, t.note) for t in inner], reasons


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:100] if lines else "nothing"


def judge(ends, ending, com1, com2, out_bytes=0, allowed=()):
    """ends: what was to happen; ending: what qemu.wait() says."""
    if ending == "timeout":
        tests = [t for t in ktap.parse(com2)[0] if t.status == "not ok"]
        reasons = [(TIMEOUT, "the virtual machine was still running, last it said: "
                    + last_line(com1))]
    elif ending == "failed":
        names = [name for name in map(ktap.failed_line, com2.splitlines()) if name]
        tests, reasons = [ktap.Test(names[0], "not ok", "the boot was ended there")], []
    elif ends == "verdict":
        tests, reasons = _read_result(com2, out_bytes)
    elif ends == "crash":
        tests, reasons = _after_crash(com2, out_bytes)
        com1 = CRASHING.sub("", com1)
    else:
        tests, reasons = _expected_end(ends, ending, com1, com2)
    if ends != "panic":
        reasons += [(CRASH, f"console: {line}") for line in splats(com1, allowed)[:8]]
    reasons += [(FAILED, f"not ok: {t.name}{' - ' + t.note if t.note else ''}")
                for t in tests if t.status == "not ok"]
    if not tests and not reasons:
        reasons.append((SETUP, "the boot reported no test at all"))
    return Outcome(tests, reasons)
