# SPDX-License-Identifier: GPL-2.0-only
"""The host's side of a boot: following the logs, unpacking, the tally."""
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import matrix, qemu, qmp, run, verdict  # noqa: E402
from rig.ktap import Test  # noqa: E402
from rig.paths import SetupError  # noqa: E402


class InScratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)


class Watch(InScratch):
    def setUp(self):
        super().setUp()
        self.told = []
        self.watch = qemu.Watch(self.directory, "row", self.told.append)

    def write(self, text):
        with open(self.watch.com2, "a") as stream:
            stream.write(text)

    def test_no_log_yet(self):
        self.assertEqual(self.watch.look(), [])

    def test_mark_in_two_pieces_counts_once_whole(self):
        self.write("ok 1\nXP-MARK he")
        self.assertEqual(self.watch.look(), [])
        self.write("re\r\nmore")
        self.assertEqual(self.watch.look(), ["here"])
        self.assertEqual(self.watch.look(), [])

    def test_marks_come_whole_and_in_order(self):
        self.write("XP-MARK there\n# XP-MARK here\nXP-MARK here too\n")
        self.assertEqual(self.watch.look(), ["there", "here too"])

    def test_sayings_are_told(self):
        self.write("XP-SAY hello\nok 1 x\n")
        self.watch.look()
        self.assertEqual(self.told, ["hello"])


class Wait(InScratch):
    """With a child that is no QEMU, how a boot ends."""

    def ending(self, command, timeout, deeds=(), **boot):
        watch = qemu.Watch(self.directory, "row", lambda text: None)
        child = subprocess.Popen(["sh", "-c", command], cwd=self.directory)
        return qemu.wait(child, watch, matrix.Boot(**boot), timeout, deeds)

    def test_exit(self):
        self.assertEqual(self.ending("true", 10), "exit")

    def test_timeout_kills(self):
        self.assertEqual(self.ending("exec sleep 60", 0.2), "timeout")

    def test_killed_at_its_mark(self):
        command = "echo XP-MARK now >result.ktap; exec sleep 60"
        self.assertEqual(self.ending(command, 10, ends="kill", kill_at="now"), "killed")


    def test_a_deed_at_its_mark(self):
        command = ("echo XP-MARK other >result.ktap; echo XP-MARK plug >>result.ktap; "
                   "until [ -e plugged ]; do sleep 0.05; done")
        deeds = {"plug": lambda: (self.directory / "plugged").touch()}
        self.assertEqual(self.ending(command, 10, deeds), "exit")


class Monitor(InScratch):
    """With a thread that answers as QEMU does."""

    def serve(self, *answers):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.directory / qmp.SOCKET))
        listener.listen()
        self.heard = []
        self.thread = threading.Thread(target=self.answer, args=(listener, answers))
        self.thread.start()

    def answer(self, listener, answers):
        with listener, listener.accept()[0] as connection:
            with connection.makefile("rw") as stream:
                stream.write('{"QMP": {}}\n')
                for answer in ('{"return": {}}', *answers):
                    stream.flush()
                    self.heard.append(json.loads(stream.readline()))
                    stream.write(answer + "\n")

    def test_plug(self):
        self.serve('{"event": "X"}\n{"return": {}}', '{"return": {}}')
        qmp.plug(self.directory, 2, matrix.Dimm("16M", "2M"))
        self.thread.join()
        words = [line["execute"] for line in self.heard]
        self.assertEqual(words, ["qmp_capabilities", "object-add", "device_add"])
        self.assertEqual(self.heard[1]["arguments"]["size"], 18 << 20)
        self.assertEqual(self.heard[2]["arguments"]["label-size"], 2 << 20)

    def test_wake_waits_for_sleep(self):
        self.serve('{"return": {"status": "running"}}', '{"return": {"status": "suspended"}}',
                   '{"return": {}}')
        qmp.wake(self.directory)
        self.thread.join()
        self.assertEqual(self.heard[-1]["execute"], "system_wakeup")

    def test_refusal_is_an_error(self):
        self.serve('{"error": {"class": "GenericError", "desc": "no slot"}}')
        with self.assertRaisesRegex(SetupError, "refuses object-add: no slot"):
            qmp.plug(self.directory, 0, matrix.Dimm())
        self.thread.join()

    def test_nobody_there(self):
        with self.assertRaisesRegex(SetupError, "QEMU's monitor"):
            qmp.wake(self.directory)


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
