# SPDX-License-Identifier: GPL-2.0-only
"""The host's side of a boot: following the logs, unpacking, the tally."""
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import matrix, qemu, run, verdict  # noqa: E402
from rig.ktap import Test  # noqa: E402


class InScratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)


class Watch(InScratch):
    def setUp(self):
        super().setUp()
        self.told = []
        self.watch = qemu.Watch(self.directory, "row", "here", self.told.append)

    def write(self, text):
        with open(self.watch.com2, "a") as stream:
            stream.write(text)

    def test_no_log_yet(self):
        self.assertFalse(self.watch.look())

    def test_mark_in_two_pieces_counts_once_whole(self):
        self.write("ok 1\nXP-MARK he")
        self.assertFalse(self.watch.look())
        self.write("re\r\nmore")
        self.assertTrue(self.watch.look())
        self.assertFalse(self.watch.look())

    def test_other_marks_do_not_count(self):
        self.write("XP-MARK there\n# XP-MARK here\nXP-MARK here too\n")
        self.assertFalse(self.watch.look())

    def test_sayings_are_told(self):
        self.write("XP-SAY hello\nok 1 x\n")
        self.watch.look()
        self.assertEqual(self.told, ["hello"])


class Wait(InScratch):
    """With a child that is no QEMU, how a boot ends."""

    def ending(self, command, timeout, **boot):
        watch = qemu.Watch(self.directory, "row", boot.get("kill_at", ""), lambda text: None)
        child = subprocess.Popen(["sh", "-c", command], cwd=self.directory)
        return qemu.wait(child, watch, matrix.Boot(**boot), timeout)

    def test_exit(self):
        self.assertEqual(self.ending("true", 10), "exit")

    def test_timeout_kills(self):
        self.assertEqual(self.ending("exec sleep 60", 0.2), "timeout")

    def test_killed_at_its_mark(self):
        command = "echo XP-MARK now >result.ktap; exec sleep 60"
        self.assertEqual(self.ending(command, 10, ends="kill", kill_at="now"), "killed")


class Unpack(InScratch):
    def pack(self, *names):
        with tarfile.open(self.directory / "out.tar", "w") as tar:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = 5
                tar.addfile(member, io.BytesIO(b"hello"))

    def test_files_arrive(self):
        self.pack("./dmesg.txt", "./deep/facts")
        self.assertGreater(run.unpack(self.directory), 0)
        self.assertEqual((self.directory / "out/deep/facts").read_text(), "hello")
        self.assertFalse((self.directory / "out.tar").exists())

    def test_nothing_escapes(self):
        self.pack("../evil", "/tmp/vmtest-evil")
        run.unpack(self.directory)
        self.assertEqual(list((self.directory / "out").iterdir()), [])
        self.assertFalse((self.directory / "evil").exists())

    def test_half_a_tar_counts_as_nothing(self):
        self.pack("./dmesg.txt")
        whole = (self.directory / "out.tar").read_bytes()
        (self.directory / "out.tar").write_bytes(whole[:514])
        self.assertEqual(run.unpack(self.directory), 0)

    def test_no_tar(self):
        self.assertEqual(run.unpack(self.directory), 0)

    def test_facts(self):
        facts = {"a": "old"}
        (self.directory / "facts").write_text("a=1\nb=x=y\nnot a name=2\n$(c)=3\n")
        run.read_facts(self.directory / "facts", facts)
        self.assertEqual(facts, {"a": "1", "b": "x=y"})


class Tally(InScratch):
    def test_one_line_per_test_and_per_broken_boot(self):
        tests = [Test("boot1/a", "ok"), Test("boot1/b", "not ok"), Test("boot1/c", "skip"),
                 Test("boot1/d", "xfail")]
        reasons = [(verdict.FAILED, "boot 1: not ok: b"), (verdict.CRASH, "boot 1: console: BUG")]
        with unittest.mock.patch.object(run, "RESULTS", self.directory):
            run.write_tally("row", tests, reasons)
        self.assertEqual((self.directory / "vmtest-row.txt").read_text().splitlines(), [
            "ok row/boot1/a", "not ok row/boot1/b", "skip row/boot1/c", "ok row/boot1/d",
            "not ok row: boot 1: console: BUG"])


if __name__ == "__main__":
    unittest.main()
