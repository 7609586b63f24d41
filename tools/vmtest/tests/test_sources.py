# SPDX-License-Identifier: GPL-2.0-only
"""What row-sources says that a row is made of."""
import pathlib
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "row-sources"


def sources(*rows, matrix="matrix.toml"):
    out = subprocess.run([sys.executable, PROGRAM, "--matrix", PROGRAM.parent / matrix, *rows],
                         capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in out if "  tools/" not in line], \
        {line.split()[-1].removeprefix("tools/vmtest/") for line in out if "  tools/" in line}


class Sources(unittest.TestCase):
    def test_scripts_and_what_they_source(self):
        _, files = sources("guest")
        self.assertLessEqual({"guest/guest.sh", "guest/ndctl-functions.sh", "guest/functions.sh",
                              "guest/xl.sh", "init.sh", "lib.sh", "rig/run.py"}, files)
        self.assertFalse({"guest/cuts.sh", "guest/load.sh", "matrix.toml", "README.md"} & files)

    def test_a_row_with_cuts_has_its_judge(self):
        _, files = sources("long-cuts-files", matrix="long.toml")
        self.assertLessEqual({"guest/cuts.sh", "guest/cut-judge.sh"}, files)

    def test_its_definition_and_no_other(self):
        one, _ = sources("smoke-6.12-pmem")
        two, _ = sources("smoke-6.12-pmem", "guest")
        self.assertEqual(one, two[:1])
        self.assertEqual([line.split(":")[0] for line in two], ["smoke-6.12-pmem", "guest"])
        self.assertNotIn(str(PROGRAM.parent), one[0])

    def test_with_the_row_it_starts_from(self):
        rows, _ = sources("foreign")
        self.assertEqual([line.split(":")[0] for line in rows], ["foreign-make", "foreign"])


if __name__ == "__main__":
    unittest.main()
