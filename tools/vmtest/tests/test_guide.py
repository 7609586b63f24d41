# SPDX-License-Identifier: GPL-2.0-only
"""The guide's transcripts: how they are read, and that each has a machine to run on."""
import os
import pathlib
import re
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import cpio, guide, image, matrix, paths  # noqa: E402
from rig.paths import SetupError  # noqa: E402

UUIDS = [f"7f2c0a3e-0d5d-4a7e-9c52-2f6c3c1d9a1{digit}" for digit in range(4)]
TEXT = """\
Look::

    # ndctl list
    [
      ...size
    ]

    # reboot
    # uptime

.. machine: stock
.. event: plug
.. fails

::

    # true
    # false
    no

Nothing of this runs: ``ndctl``.
"""


class Transcripts(unittest.TestCase):
    def test_commands_and_what_they_print(self):
        found = guide.commands(TEXT)
        self.assertEqual([c.text for c in found],
                         ["ndctl list", "reboot", "uptime", "true", "false"])
        self.assertEqual(found[0].output, ["[", "  ...size", "]"])
        self.assertEqual(found[0].line, 3)
        self.assertEqual(found[1].output, [])

    def test_comments_are_of_the_next_block_only(self):
        found = guide.commands(TEXT)
        self.assertEqual([c.machine for c in found], ["pv", "pv", "pv", "stock", "stock"])
        self.assertEqual([c.fails for c in found], [False] * 4 + [True])
        self.assertEqual([c.event for c in found], ["", "", "", "plug", ""])

    def test_a_reboot_ends_a_boot(self):
        self.assertEqual([[c.text for c in boot] for boot in guide.segments("pv", TEXT)],
                         [["ndctl list", "reboot"], ["uptime"]])

    def test_no_block_escapes(self):
        for text, word in (("a::\n\n    text\n", "begins with no"), ("a::\n\nb\n", "without a"),
                           ("a::\n\n    # x\n    ...\n", "part of a line")):
            with self.assertRaises(SetupError) as caught:
                guide.commands(text)
            self.assertIn(word, str(caught.exception))


class Matching(unittest.TestCase):
    def setUp(self):
        self.matcher = guide.Matcher()

    def test_a_line_is_a_line(self):
        self.assertTrue(self.matcher.line("a.b (c)", "a.b (c)"))
        for found in ("axb (c)", "a.b (c) ", "a.b (c", ""):
            self.assertFalse(self.matcher.line("a.b (c)", found))

    def test_one_uuid_is_one_uuid(self):
        self.assertTrue(self.matcher.line(f'"{UUIDS[0]}",', f'"{UUIDS[1]}",'))
        self.assertTrue(self.matcher.line(UUIDS[0], UUIDS[1]))
        self.assertFalse(self.matcher.line(UUIDS[0], UUIDS[2]), "was another one before")
        self.assertFalse(self.matcher.line(UUIDS[2], UUIDS[1]), "is the one of another")
        self.assertFalse(self.matcher.line(UUIDS[3], "none"))

    def test_a_typed_uuid_is_itself(self):
        self.matcher.given(f"--uuid={UUIDS[0]}")
        self.assertFalse(self.matcher.line(UUIDS[0], UUIDS[1]))
        self.assertTrue(self.matcher.line(UUIDS[0], UUIDS[0]))

    def test_time_stamps(self):
        self.assertTrue(self.matcher.line("[    1.5] up", "[ 1234.567890] up"))
        self.assertFalse(self.matcher.line("[    1.5] up", "[ 1234.567890] down"))
        self.assertFalse(self.matcher.line("[    1.5] up", "up"))

    def test_dots_are_a_part_of_a_line(self):
        self.assertTrue(self.matcher.line('"id": ..., x', '"id": 12, x'))
        self.assertFalse(self.matcher.line('"id": ..., x', '"id": , x'))
        self.assertFalse(self.matcher.line('"id": ..., x', '"id": 12, y'))

    def test_lines_more_or_less(self):
        self.assertIsNone(self.matcher.output(["a", "b"], ["a", "b"]))
        for found in (["a"], ["a", "b", "c"], ["b", "a"], []):
            self.assertTrue(self.matcher.output(["a", "b"], found))


class Comparing(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.boots = [pathlib.Path(scratch.name, f"boot{n}") for n in (1, 2)]
        for boot in self.boots:
            (boot / "out/guide").mkdir(parents=True)
        self.write(0, "0003", "[\r\n  1size\r\n]\r\n\r\n")
        self.write(0, "0008", "")
        self.write(1, "0009", "")

    def write(self, boot, name, text):
        (self.boots[boot] / "out/guide" / name).write_text(text)

    def compare(self, boots=2):
        return guide.compare("pv", self.boots[:boots], TEXT)

    def test_all_is_well(self):
        self.assertEqual([self.compare(1), self.compare(2)], [[], []])

    def test_a_changed_line(self):
        self.write(0, "0003", "[\n  1bytes\n]\n")
        self.assertIn("0003"[-1] + ": 'ndctl list' prints '  1bytes'", self.compare(1)[0])
        self.assertEqual(self.compare(2), [], "a boot is not told of another's")

    def test_a_command_that_was_not_run(self):
        (self.boots[1] / "out/guide/0009").unlink()
        self.assertIn("'uptime' was not run", self.compare()[0])

    def test_more_boots_than_the_guide_has(self):
        self.assertIn("reboots", guide.compare("stock", self.boots, TEXT)[0])


class InTheMachine(unittest.TestCase):
    def entries(self, machine, number):
        archive = cpio.Archive()
        with unittest.mock.patch.object(guide, "PATH", self.path):
            image.add_guide(archive, machine, number)
        return {name for name in archive.entries if name.startswith("vmtest/guide/")
                and name.count("/") == 3}

    def setUp(self):
        scratch = tempfile.NamedTemporaryFile("w", suffix=".rst")
        self.addCleanup(scratch.close)
        scratch.write(TEXT)
        scratch.flush()
        self.path = pathlib.Path(scratch.name)

    def test_a_boot_has_its_commands(self):
        self.assertEqual(self.entries("pv", 1),
                         {"vmtest/guide/0003/command", "vmtest/guide/0008/command"})
        self.assertEqual(self.entries("pv", 2), {"vmtest/guide/0009/command"})

    def test_what_is_to_fail_and_to_happen(self):
        first = self.entries("stock", 1)
        self.assertEqual(len([name for name in first if name.endswith("/fails")]), 1)
        self.assertEqual(len([name for name in first if name.endswith("/event")]), 1)

    def test_other_boots_have_none(self):
        self.assertEqual(self.entries("", 1), set())


class TheGuide(unittest.TestCase):
    def setUp(self):
        self.commands = guide.commands()

    def machines(self):
        """{machine: [boots of a row, ...]}"""
        found = {}
        for name in ("matrix.toml", "long.toml"):
            for row in matrix.load(paths.HERE / name).values():
                for machine in {boot.guide for boot in row.boots} - {""}:
                    found.setdefault(machine, []).append(row.boots)
        return found

    def test_each_machine_has_its_row(self):
        machines = self.machines()
        self.assertEqual(set(machines), {c.machine for c in self.commands})
        for machine, rows in machines.items():
            for boots in rows:
                self.assertEqual([b.guide for b in boots],
                                 [machine] * len(guide.segments(machine)))

    def test_events_happen(self):
        for machine, rows in self.machines().items():
            for number, commands in enumerate(guide.segments(machine)):
                wanted = [c.event for c in commands if c.event]
                for boots in rows:
                    self.assertEqual(wanted, [boots[number].plug_at] * len(wanted))

    def test_what_the_text_speaks_of_is_typed(self):
        """``ndctl list`` in the text is a part of what some transcript types."""
        typed = [c.text for c in self.commands]
        programs = {text.split()[0] for text in typed}
        for literal in re.findall(r"(?<!`)``([^`]+)``", guide.PATH.read_text()):
            words = " ".join(literal.split())
            if words.split()[0] in programs and " " in words:
                self.assertTrue([text for text in typed if words in text],
                                f"``{words}`` is in the text, and in no transcript")


if __name__ == "__main__":
    unittest.main()
