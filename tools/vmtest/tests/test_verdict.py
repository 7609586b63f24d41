# SPDX-License-Identifier: GPL-2.0-only
"""Canned boots: every way to end must get its own verdict."""
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import verdict  # noqa: E402
from rig.ktap import Test  # noqa: E402
from rig.paths import SetupError  # noqa: E402

GOOD = "KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 a\n  1..1\nok 1 x.sh\n"
BAD = ("KTAP version 1\n1..1\n  KTAP version 1\n  not ok 1 a\n  1..1\n"
       "not ok 1 x.sh # exit status 1\n")
SKIP = "KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 a # SKIP no pmem\n  1..1\nok 1 x.sh # SKIP\n"
BOOT = "(XEN) [    1.0] Xen version 4.20\n[    0.0] Linux version 6.12\n"
OPEN = "KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 a\n"
XEN_CRASH = BOOT + "(XEN) [   20.1] Xen BUG at arch/x86/mm.c:123\n(XEN) Panic on CPU 0:\n"
DOM0_CRASH = BOOT + "(XEN) [   20.1] Hardware Dom0 crashed: rebooting machine in 5 seconds.\n"
PANIC = BOOT + "[    9.9] Kernel panic - not syncing: sysrq triggered crash\n"
WARN = BOOT + "[    9.9] WARNING: CPU: 1 PID: 77 at drivers/nvdimm/bus.c:1 x+0x1/0x2\n"


def end(rc=0, tests=2, out=10):
    return f"\nXP-VERDICT rc={rc} tests={tests} out={out}\n"


def code(com2, com1=BOOT, ending="exit", ends="verdict", out=10, allowed=()):
    return verdict.judge(ends, ending, com1, com2, out, allowed).code


class Judge(unittest.TestCase):
    def test_pass(self):
        self.assertEqual(code(GOOD + end()), verdict.PASS)

    def test_fail(self):
        self.assertEqual(code(BAD + end(rc=1)), verdict.FAILED)

    def test_fail_even_if_the_guest_says_zero(self):
        self.assertEqual(code(BAD + end(rc=0)), verdict.FAILED)

    def test_guest_says_one_without_a_failed_test(self):
        self.assertEqual(code(GOOD + end(rc=1)), verdict.FAILED)

    def test_all_skipped(self):
        self.assertEqual(code(SKIP + end()), verdict.SKIPPED)

    def test_no_verdict(self):
        self.assertEqual(code(GOOD), verdict.LOST)

    def test_nothing_at_all(self):
        self.assertEqual(code("", ""), verdict.LOST)

    def test_half_a_verdict(self):
        self.assertEqual(code(GOOD + "\nXP-VERDICT rc=0 te"), verdict.LOST)

    def test_verdict_in_a_test_name_is_none(self):
        self.assertEqual(code(GOOD + "# XP-VERDICT rc=0 tests=2 out=10\n"), verdict.LOST)

    def test_truncated_ktap(self):
        self.assertEqual(code("KTAP version 1\n1..2\nok 1 a\n" + end(tests=1)), verdict.FAILED)

    def test_serial_lost_a_line(self):
        self.assertEqual(code(GOOD + end(tests=3)), verdict.SETUP)

    def test_files_lost(self):
        self.assertEqual(code(GOOD + end(out=99)), verdict.SETUP)

    def test_no_test_at_all(self):
        self.assertEqual(code("KTAP version 1\n1..0\n" + end(tests=0)), verdict.SETUP)

    def test_hang(self):
        self.assertEqual(code("KTAP version 1\n1..1\n", ending="timeout"), verdict.TIMEOUT)

    def test_watchdog_of_the_guest(self):
        self.assertEqual(code("KTAP version 1\n1..1\n" + end(124, 0)), verdict.TIMEOUT)

    def test_panic(self):
        self.assertEqual(code("KTAP version 1\n1..1\n", PANIC), verdict.LOST)
        reasons = verdict.judge("verdict", "exit", PANIC, "", 0).reasons
        self.assertIn(verdict.CRASH, [found for found, _ in reasons])

    def test_xen_crash(self):
        self.assertEqual(code(GOOD + end(), XEN_CRASH), verdict.CRASH)

    def test_dom0_crash(self):
        self.assertEqual(code(GOOD + end(), DOM0_CRASH), verdict.CRASH)

    def test_splat_after_good_results(self):
        self.assertEqual(code(GOOD + end(), WARN), verdict.CRASH)

    def test_splat_excused(self):
        self.assertEqual(code(GOOD + end(), WARN, allowed=["nvdimm/bus.c:1"]), verdict.PASS)


class Ends(unittest.TestCase):
    def test_killed(self):
        self.assertEqual(code("XP-MARK x\n", ending="killed", ends="kill"), verdict.PASS)

    def test_never_killed(self):
        self.assertEqual(code(GOOD + end(), ending="exit", ends="kill"), verdict.FAILED)

    def test_ended_at_the_first_failure(self):
        outcome = verdict.judge("verdict", "failed", BOOT, OPEN + "  not ok 2 b\n  not ok 3 c\n")
        self.assertEqual([(t.name, t.status) for t in outcome.tests], [("b", "not ok")])
        self.assertEqual(outcome.code, verdict.FAILED)

    def test_killed_after_a_failure(self):
        text = "KTAP version 1\n1..1\n  KTAP version 1\n  not ok 1 a\nXP-MARK x\n"
        self.assertEqual(code(text, ending="killed", ends="kill"), verdict.FAILED)

    def test_panic_wanted(self):
        self.assertEqual(code("", PANIC, ends="panic"), verdict.PASS)

    def crash(self, after, before=OPEN, com1=None):
        crashing = ("[ 9.9] sysrq: Trigger a crash\n[ 9.9] Kernel panic - not syncing: x\n"
                    "(XEN) [   20.1] Hardware Dom0 crashed: Executing kexec image\n"
                    "[    0.0] Linux version 6.12\nvmtest: step 1: y.sh\n")
        com2 = before + "XP-MARK crash\n" + after
        return code(com2, BOOT + crashing if com1 is None else com1, ends="crash")

    def test_crash_kernel_has_the_last_word(self):
        self.assertEqual(self.crash(GOOD + end()), verdict.PASS)
        self.assertEqual(self.crash(BAD + end(rc=1)), verdict.FAILED)
        self.assertEqual(self.crash(""), verdict.LOST)

    def test_a_failure_before_the_crash_counts(self):
        self.assertEqual(self.crash(GOOD + end(), OPEN.replace("ok 1", "not ok 1")),
                         verdict.FAILED)

    def test_a_crash_that_was_not_meant(self):
        self.assertEqual(code(OPEN, ends="crash"), verdict.FAILED)
        self.assertEqual(code(GOOD + end(), ends="crash"), verdict.FAILED)
        self.assertEqual(self.crash(GOOD + end(), com1=PANIC), verdict.CRASH)
        self.assertEqual(self.crash("", com1=BOOT + "[ 9.9] sysrq: Trigger a crash\n" + PANIC),
                         verdict.LOST)

    def test_panic_did_not_come(self):
        self.assertEqual(code("", BOOT, ends="panic"), verdict.FAILED)

    def test_panic_wanted_but_hangs(self):
        self.assertEqual(code("", PANIC, ending="timeout", ends="panic"), verdict.TIMEOUT)


class Codes(unittest.TestCase):
    def test_worst_wins(self):
        self.assertEqual(verdict.worst([1, 6, 5, 124, 0]), verdict.TIMEOUT)
        self.assertEqual(verdict.worst([]), verdict.PASS)

    def test_skipped_counts_only_alone(self):
        self.assertEqual(verdict.overall([4, 4]), verdict.SKIPPED)
        self.assertEqual(verdict.overall([4, 0]), verdict.PASS)
        self.assertEqual(verdict.overall([4, 1]), verdict.FAILED)

    def test_outcome_of_mixed_tests(self):
        mixed = verdict.Outcome([Test("a", "ok"), Test("b", "skip")], [])
        self.assertEqual(mixed.code, verdict.PASS)


class Emulator(unittest.TestCase):
    TWICE = "RIP: 0010:asm_sysvec_xen_hvm_callback+0x0/0x20\n"

    def test_an_interrupt_twice(self):
        self.assertTrue(verdict.emulator_failed(self.TWICE))
        self.assertTrue(verdict.emulator_failed("(XEN) d0v1 Triple fault - invoking\n"))

    def test_other_ends(self):
        self.assertFalse(verdict.emulator_failed("Kernel panic - not syncing: VFS\n"))
        self.assertFalse(verdict.emulator_failed(
            "RIP: 0010:asm_sysvec_xen_hvm_callback+0x1a/0x20\n"))

    def test_xen_is_not_excused(self):
        self.assertFalse(verdict.emulator_failed(
            self.TWICE + "(XEN) Assertion 'x' failed at pmem.c:1\n"))


class Splats(unittest.TestCase):
    LINES = (
        "BUG: kernel NULL pointer dereference, address: 0", "kernel BUG at mm/memory.c:1!",
        "watchdog: BUG: soft lockup - CPU#0 stuck", "Oops: 0002 [#1] PREEMPT SMP", " Call Trace:",
        "rcu: INFO: rcu_preempt self-detected stall on CPU",
        "refcount_t: underflow; use-after-free.",
        "(XEN) [ 1.0] Xen BUG at common/x.c:1", "(XEN) FATAL PAGE FAULT", "(XEN) Panic on CPU 1:",
        "(XEN) [ 1.0] Assertion 'x' failed at y.c:1", "(XEN) domain_crash called from z.c:1",
        "(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.",
    )
    HARMLESS = (
        "(XEN) [ 1.0] Hardware Dom0 shutdown: rebooting machine", "[ 0.1] kfence: initialized",
        "[ 0.1] BUGS: none", "vmtest: ok 3 prints Warning: nothing", "[ 1.0] Debug: oops",
    )

    def test_each_is_seen(self):
        for line in self.LINES:
            with self.subTest(line):
                self.assertEqual(verdict.splats("x\n" + line + "\ny\n"), [line.strip()])

    def test_harmless(self):
        self.assertEqual(verdict.splats("\n".join(self.HARMLESS)), [])

    def test_console_and_dmesg_say_it_once(self):
        self.assertEqual(len(verdict.splats(PANIC + PANIC)), 1)

    def allow_file(self, text):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        pathlib.Path(scratch.name, "splats.allow").write_text(text)
        with unittest.mock.patch.object(verdict, "HERE", pathlib.Path(scratch.name)):
            return [pattern.pattern for pattern in verdict.patterns("splats.allow")]

    def test_an_exception_needs_a_reason(self):
        self.assertEqual(self.allow_file("# because\nfoo\n"), ["foo"])
        with self.assertRaisesRegex(SetupError, "splats.allow:1: no '# reason'"):
            self.allow_file("foo\n")
        with self.assertRaisesRegex(SetupError, "splats.allow:3: no '# reason'"):
            self.allow_file("# because\nfoo\nbar\n")

    def test_a_bad_regex_is_named(self):
        with self.assertRaisesRegex(SetupError, "splats.allow:2: bad regex"):
            self.allow_file("# because\n(foo\n")


if __name__ == "__main__":
    unittest.main()
