# SPDX-License-Identifier: GPL-2.0-only
"""The parser must not pass what did not pass."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import ktap  # noqa: E402

KSELFTEST = """\
KTAP version 1
1..1
  TAP version 13
  1..2
  # timeout set to 45
  # selftests: xen-pmem: one.sh
  # TAP version 13
  # 1..2
  # ok 1 first
  # not ok 2 second
  not ok 1 selftests: xen-pmem: one.sh # exit=1
  # selftests: xen-pmem: two.sh
  ok 2 selftests: xen-pmem: two.sh # SKIP
ok 1 kselftest
"""


def parsed(text):
    tests, errors = ktap.parse(text)
    return [(t.name, t.status) for t in tests], errors


class Ktap(unittest.TestCase):
    def test_flat(self):
        tests, errors = parsed("KTAP version 1\n1..2\nok 1 a\nnot ok 2 - b\n")
        self.assertEqual(tests, [("a", "ok"), ("b", "not ok")])
        self.assertEqual(errors, [])

    def test_plan_at_the_end(self):
        self.assertEqual(parsed("KTAP version 1\nok 1 a\n1..1\n"), ([("a", "ok")], []))

    def test_carriage_returns(self):
        self.assertEqual(parsed("KTAP version 1\r\n1..1\r\nok 1 a\r\n"), ([("a", "ok")], []))

    def test_nested_by_spaces(self):
        text = "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 b\nok 1 a\n"
        self.assertEqual(parsed(text), ([("a/b", "ok")], []))

    def test_kselftest(self):
        tests, errors = parsed(KSELFTEST)
        self.assertEqual(errors, [])
        one = "kselftest/selftests: xen-pmem: one.sh"
        self.assertEqual(tests, [(one + "/first", "ok"), (one + "/second", "not ok"),
                                 ("kselftest/selftests: xen-pmem: two.sh", "skip")])

    def test_two_collections_below_one_step(self):
        text = ("KTAP version 1\n1..1\n  TAP version 13\n  1..1\n  not ok 1 a\n"
                "  TAP version 13\n  1..1\n  ok 1 b\nok 1 s\n")
        self.assertEqual(parsed(text), ([("s/a", "not ok"), ("s/b", "ok")], []))

    def test_directives(self):
        text = ("KTAP version 1\n1..5\nok 1 a # SKIP no device\nnot ok 2 b # TODO later\n"
                "not ok 3 c # XFAIL known\nok 4 d # TIMEOUT 45 seconds\nok 5 e # ERROR\n")
        self.assertEqual([status for _, status in parsed(text)[0]],
                         ["skip", "xfail", "xfail", "not ok", "not ok"])

    def test_failed_line(self):
        self.assertEqual(ktap.failed_line("# not ok 3 - R5 it is a block"), "R5 it is a block")
        self.assertEqual(ktap.failed_line("  not ok 1 a # exit status 1"), "a")
        for line in ("ok 3 x", "not ok 1 a # SKIP no pmem", "it is not ok 1", "not ok",
                     "# not ok 2 b # XFAIL known"):
            self.assertEqual(ktap.failed_line(line), "")

    def test_skip_all(self):
        text = "KTAP version 1\n1..1\n  TAP version 13\n  1..0 # SKIP not root\nok 1 a # SKIP\n"
        self.assertEqual(parsed(text), ([("a", "skip")], []))

    def test_child_failed_parent_says_ok(self):
        text = "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 b\nok 1 a\n"
        self.assertEqual(parsed(text)[0], [("a/b", "not ok")])

    def test_parent_failed_children_ok(self):
        text = "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 b\nnot ok 1 a # exit=1\n"
        self.assertEqual(parsed(text)[0], [("a/b", "ok"), ("a", "not ok")])

    def test_diagnostics_are_ignored(self):
        text = "KTAP version 1\n1..1\n# ok 1 not a result\nXP-SAY hello\nok 1 a\n"
        self.assertEqual(parsed(text), ([("a", "ok")], []))


class Broken(unittest.TestCase):
    def wrong(self, text, word):
        tests, errors = ktap.parse(text)
        found = errors + [t.note for t in tests if t.status == "not ok"]
        self.assertTrue(any(word in line for line in found), found)

    def test_empty(self):
        self.wrong("", "no 'KTAP version' line")

    def test_results_without_version(self):
        self.wrong("1..1\nok 1 a\n", "no 'KTAP version' line")

    def test_too_few(self):
        self.wrong("KTAP version 1\n1..3\nok 1 a\nok 2 b\n", "3 tests planned, 2 reported")

    def test_no_plan(self):
        self.wrong("KTAP version 1\nok 1 a\n", "truncated")

    def test_lost_line(self):
        self.wrong("KTAP version 1\n1..2\nok 1 a\nok 3 c\n", "result 3 where 2 was due")

    def test_two_plans(self):
        self.wrong("KTAP version 1\n1..1\nok 1 a\n1..1\n", "two plans")

    def test_bail_out(self):
        self.wrong("KTAP version 1\n1..1\nok 1 a\nBail out! no device\n", "no device")

    def test_child_without_plan(self):
        self.wrong("KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 b\nok 1 a\n", "truncated")

    def test_truncated_in_child(self):
        self.wrong("KTAP version 1\n1..2\nok 1 a\n  KTAP version 1\n  1..2\n  ok 1 b\n", "planned")


if __name__ == "__main__":
    unittest.main()
