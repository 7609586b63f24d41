# SPDX-License-Identifier: GPL-2.0-only
"""The matrix, the checks, the NVDIMM files and the archive writer."""
import io
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import checks, cpio, image, matrix, medium, modules, qemu  # noqa: E402
from rig.paths import SetupError  # noqa: E402

BOOT = {"steps": ["smoke.sh"]}
ROW = {"summary": "s", "boots": [BOOT]}


class Matrix(unittest.TestCase):
    def refused(self, word, **changes):
        with self.assertRaises(SetupError) as caught:
            matrix.make_row("r", {**ROW, **changes})
        self.assertIn(word, str(caught.exception))

    def test_the_real_one_loads(self):
        self.assertTrue(matrix.load())

    def test_a_row_like_another(self):
        tables = {"a": {"kernel": "6.1", "xen": "stock"}, "b": {"like": "a", "xen": "pmem"},
                  "c": {"like": "b"}, "d": {"like": "e"}}
        path = matrix.HERE / "matrix.toml"
        self.assertEqual(matrix.resolved(tables, "b", path), {"kernel": "6.1", "xen": "pmem"})
        self.assertEqual(matrix.resolved(tables, "a", path), tables["a"])
        for name in "c", "d":
            with self.assertRaisesRegex(SetupError, f"row {name}: like = "):
                matrix.resolved(tables, name, path)

    def test_guests_have_dom0s_kernel_or_their_own(self):
        guests = {**ROW, "xl": True, "xen": "pmem", "kernel": "6.1"}
        self.assertEqual(matrix.make_row("r", guests).kernels, ["6.1", "6.1"])
        self.assertEqual(matrix.make_row("r", {**guests, "guest_kernel": "7.2"}).kernels,
                         ["6.1", "7.2"])

    def test_cuts(self):
        good = {"cuts": {"points": 5}, "smp": 1, "spacing": "1G"}
        self.assertTrue(matrix.make_row("r", {**ROW, **good}).boots[0].record)
        self.refused("unknown 'point'", **{**good, "cuts": {"point": 5}})
        self.refused("smp = 1", **{**good, "smp": 2})
        self.refused("spacing", **{**good, "spacing": "0"})
        self.refused("one boot", **{**good, "boots": [BOOT, BOOT]})

    def test_typos_are_errors(self):
        self.refused("unknown 'kernal'", kernal="6.1")
        self.refused("kernel is '6.2'", kernel="6.2")
        self.refused("xen is 'mine'", xen="mine")
        self.refused("unknown 'sise'", nvdimm=[{"sise": "1G"}])
        self.refused("no-such.sh", boots=[{"steps": ["no-such.sh"]}])
        self.refused("unknown check 'unchaned'", boots=[{**BOOT, "after": [{"check": "unchaned"}]}])
        self.refused("check 'changed'", boots=[{**BOOT, "after": [{"check": "changed"}]}])
        self.refused("go together", boots=[{**BOOT, "ends": "kill"}])
        self.refused("go together", boots=[{**BOOT, "ends": "crash"}], xen="pmem")
        self.refused("no-such.sh", boots=[{**BOOT, "ends": "crash",
                                           "crash_steps": ["no-such.sh"]}])
        self.refused("without steps", boots=[{"steps": []}])
        self.refused("at least one boot", boots=[])

    def test_order_follows_from(self):
        rows = {name: matrix.make_row(name, {**ROW, "nvdimm": dimms}) for name, dimms in
                (("b", [{"fill": "from:a"}]), ("a", []), ("c", [{"fill": "from:b:0"}]))}
        self.assertEqual([r.name for r in matrix.select(rows, [], [])], ["a", "b", "c"])
        self.assertEqual([r.name for r in matrix.select(rows, ["c"], [])], ["c"])
        self.assertEqual([r.name for r in matrix.select(rows, [], ["[ab]"])], ["a", "b"])
        with self.assertRaises(SetupError):
            matrix.select(rows, ["d"], [])
        with self.assertRaises(SetupError):
            matrix.select(rows, [], ["zz*"])

    def test_the_driver_comes_with_a_xen_that_has_the_operation(self):
        for xen, driver in (("none", False), ("stock", False), ("pmem", True), ("debug", True)):
            self.assertEqual(matrix.make_row("r", {**ROW, "xen": xen}).xen_pmem, driver)
        self.assertTrue(matrix.make_row("r", {**ROW, "xen": "stock", "driver": True}).xen_pmem)

    def test_modules_are_those_of_the_kernel(self):
        with tempfile.TemporaryDirectory() as name, \
                unittest.mock.patch.object(matrix, "BUILD", pathlib.Path(name)):
            for kernel in ("6.1", "7.2"):
                built = pathlib.Path(name, "test-modules", kernel)
                built.mkdir(parents=True)
                (built / "one.ko").touch()
                row = matrix.make_row("r", {**ROW, "kernel": kernel, "xen": "pmem"})
                self.assertEqual(row.test_modules(), [built / "one.ko"])
            for changes in ({"xen": "pmem"}, {"kernel": "6.1", "xen": "stock"}):
                self.assertEqual(matrix.make_row("r", {**ROW, **changes}).test_modules(), [])

    def xen_words(self, **changes):
        row = matrix.make_row("r", {**ROW, **changes})
        return qemu.xen_args(row, row.boots[0]).split()

    def test_words_for_xen(self):
        self.assertNotIn("dom0=pvh", self.xen_words(xen="pmem"))
        self.assertNotIn("dom0_max_vcpus=1", self.xen_words(xen="pmem"))
        self.assertIn("dom0_max_vcpus=1", self.xen_words(xen="pmem", xl=True))
        crash = [{**BOOT, "ends": "crash", "crash_steps": ["smoke.sh"]}]
        self.assertIn("crashkernel=512M", self.xen_words(xen="pmem", boots=crash))
        words = self.xen_words(xen="stock", dom0="pvh", xen_cmdline="dom0=pf-fixup",
                               boots=[{**BOOT, "xen_cmdline": "last"}])
        self.assertEqual(words[-5:], ["dom0=pvh", "cpuidle=0", "tsc=stable:socket",
                                      "dom0=pf-fixup", "last"])

    def test_guests_need_xen(self):
        self.refused("xl = true needs a Xen", xl=True)
        self.refused("toolstack = 'pmem' needs xl = true", toolstack="pmem", xen="pmem")
        self.refused("toolstack = 'pmem' needs xl = true", toolstack="pmem", xl=True, xen="stock")
        self.refused("guests = 'hvm' needs xl = true", guests="hvm", xen="pmem")
        self.refused("guest_kernel needs xl = true", guest_kernel="6.1", xen="pmem")
        self.refused("toolstack is 'own', expected stock, pmem", toolstack="own", xl=True,
                     xen="pmem")
        self.refused("dom0 = 'pvh' needs a Xen", dom0="pvh")
        self.refused("ends = 'crash' needs a Xen",
                     boots=[{**BOOT, "ends": "crash", "crash_steps": ["smoke.sh"]}])

    def line(self, accel="tcg", **changes):
        row = matrix.make_row("r", {**ROW, **changes})
        with unittest.mock.patch.object(qemu, "program", lambda: ["qemu"]):
            return qemu.argv(row, row.boots[0], accel)

    def test_an_iommu_comes_before_what_is_behind_it(self):
        self.assertNotIn("iommu", " ".join(self.line(xen="pmem")))
        for changes in ({"xen": "pmem", "iommu": "amd"}, {"xen": "stock", "dom0": "pvh"}):
            line = self.line(devices=["edu"], **changes)
            devices = [word for flag, word in zip(line, line[1:]) if flag == "-device"]
            self.assertTrue(devices[0].startswith("amd-iommu"))
            self.assertIn("iommu_platform=on", devices[1])
            self.assertIn("edu", devices)
        self.refused("iommu is 'arm'", iommu="arm")
        self.assertIn("kernel-irqchip=split", " ".join(self.line("kvm", iommu="intel")))

    def test_more_of_the_machine(self):
        line = self.line(machine="nvdimm-persistence=cpu")
        self.assertEqual(line[line.index("-machine") + 1],
                         "q35,nvdimm=on,pit=off,nvdimm-persistence=cpu")

    def test_time_in_instructions(self):
        self.assertIn("tcg,thread=multi", self.line())
        for accel in ("tcg", "kvm"):
            line = self.line(accel, icount=True, smp=1)
            self.assertEqual(line[1:5], ["-accel", "tcg,thread=single", "-icount",
                                         "shift=0,sleep=off"])
        self.refused("icount needs smp = 1", icount=True)
        self.refused("icount needs smp = 1", icount=True, smp=1, spacing="4G",
                     boots=[{**BOOT, "record": True}])

    def test_count(self):
        counted = {"smp": 1, "boots": [{**BOOT, "count": True}]}
        self.refused("count needs icount", **counted)
        with unittest.mock.patch.object(qemu, "need", lambda path, cure: path), \
                unittest.mock.patch.object(qemu.symbols, "preempt_checks", lambda xen: [16, 32]):
            line = self.line(icount=True, **counted)
        self.assertTrue(line[line.index("-plugin") + 1].endswith(
            "plugin/count.so,log=count.log,check=0x10,check=0x20"))

    def test_a_disk_says_what_boots(self):
        for wrong in ({"xen": "pmem"}, {"ndctl": "stock"}, {"driver": True}, {"cmdline": "x"}):
            self.refused("has no meaning with disk", disk="trixie", **wrong)
        self.refused("disk is 'woody'", disk="woody")
        self.refused("firmware is 'bios'", firmware="bios")
        line = " ".join(self.line(disk="trixie"))
        self.assertIn("file=../disk", line)
        self.assertNotIn("-kernel", line)
        self.assertNotIn("pit=off", line)

    def test_a_disk_gets_the_packages_of_its_debian(self):
        with tempfile.TemporaryDirectory() as name:
            build = pathlib.Path(name)
            (build / "deb/trixie").mkdir(parents=True)
            (build / "deb/trixie/a_1.deb").touch()
            with unittest.mock.patch.object(image, "BUILD", build):
                archive = image.disk_part(matrix.make_row("r", {**ROW, "disk": "trixie"}))
                self.assertIn("vmtest/deb/a_1.deb", archive.entries)
                with self.assertRaisesRegex(SetupError, "deb/bookworm is missing: run 'make deb'"):
                    image.disk_part(matrix.make_row("r", {**ROW, "disk": "bookworm"}))

    def test_plug(self):
        plug = {"at": "now", "size": "64M", "labels": "2M"}
        row = matrix.make_row("r", {**ROW, "nvdimm": [{}], "boots": [{**BOOT, "plug": plug}, BOOT]})
        self.assertEqual((row.boots[0].plug_at, row.dimms[1].bytes), ("now", 66 << 20))
        self.assertEqual(list(qemu.deeds(row, row.boots[0], ".")), ["now"])
        self.assertEqual(list(qemu.deeds(row, row.boots[1], ".")), [])
        self.refused("needs at", boots=[{**BOOT, "plug": {"size": "64M"}}])
        self.refused("unknown 'sise'", boots=[{**BOOT, "plug": {"at": "x", "sise": "64M"}}])
        self.refused("only one kind", boots=[{**BOOT, "plug": plug},
                                             {**BOOT, "plug": {**plug, "size": "32M"}}])

    def test_commas_in_dom0_arguments_are_doubled(self):
        row = matrix.make_row("r", {**ROW, "xen": "stock", "cmdline": "a=1,2"})
        line = qemu.kernel_argv(row, row.boots[0])
        self.assertIn("a=1,,2", line[line.index("-initrd") + 1])


class Medium(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.directory = pathlib.Path(self.scratch.name)
        self.live = self.directory / "nvdimm0"
        self.copy = self.directory / "nvdimm0.boot"
        medium.create(self.live, 3 << 20, 1 << 20, seed="7")
        medium.copy(self.live, self.copy)
        self.context = checks.Context(self.directory, {"low": "0x100000", "high": "2M"})

    def check(self, **table):
        return checks.run(self.context, table)[1]

    def test_size(self):
        self.assertEqual([medium.size(t) for t in ("0x10", 5, "2K", "1G")], [16, 5, 2048, 1 << 30])
        with self.assertRaises(SetupError):
            medium.size("1T")

    def test_noise_is_reproducible_and_labels_are_zero(self):
        again = self.directory / "again"
        medium.create(again, 3 << 20, 1 << 20, seed="7")
        self.assertEqual(medium.sha256(again), medium.sha256(self.live))
        self.assertEqual(self.live.read_bytes()[3 << 20:], bytes(1 << 20))
        self.assertNotEqual(self.live.read_bytes()[:4096], bytes(4096))

    def test_changes_to_the_byte(self):
        self.assertEqual(medium.changes(self.copy, self.live), [])
        medium.poke(self.live, 3 << 20, b"\1")
        medium.poke(self.live, (1 << 20) + 5, bytes(4096))
        found = medium.changes(self.copy, self.live)
        self.assertEqual(found[-1], (3 << 20, (3 << 20) + 1))
        self.assertTrue(found[0][0] >= (1 << 20) + 5 and found[0][1] <= (1 << 20) + 4101)

    def test_unchanged(self):
        self.assertIsNone(self.check(check="unchanged"))
        medium.poke(self.live, (1 << 20) + 9, b"\0\1\2\3")
        self.assertIn("changed at", self.check(check="unchanged"))
        self.assertIsNone(self.check(check="unchanged", allow=[["$low", "$high"]]))
        self.assertIn("changed at", self.check(check="unchanged", allow=[["$high", "3M"]]))
        medium.poke(self.live, 2 << 20, b"\0\1\2\3")
        self.assertIn("0x200000", self.check(check="unchanged", allow=[["$low", "$high"]]))

    def test_changed(self):
        self.assertIn("nothing changed", self.check(check="changed", start=0, end="4M"))
        medium.poke(self.live, 77, b"\0\0\0\0\0")
        self.assertIsNone(self.check(check="changed", start=0, end=4096))
        self.assertIn("nothing changed", self.check(check="changed", start=4096, end="4M"))

    def test_sha256_and_facts(self):
        self.context.facts["sum"] = medium.sha256(self.live, 0, 4096)
        self.assertIsNone(self.check(check="sha256", end=4096, equals="$sum"))
        self.assertIn("expected", self.check(check="sha256", end=8192, equals="$sum"))
        self.assertIn("no guest script wrote", self.check(check="sha256", equals="$none"))
        self.assertIsNone(self.check(check="facts_equal", one="$high", two="2M"))
        self.assertIn("'$low'", self.check(check="facts_equal", one="$low", two="$high"))

    def test_console_of_the_last_boot(self):
        for number, text in ((2, "two\n"), (10, "ten\n")):
            (self.directory / f"boot{number}").mkdir()
            (self.directory / f"boot{number}/console.log").write_text(text)
        self.assertIsNone(self.check(check="console", has="^ten$", lacks="two"))
        self.assertIn("does not say", self.check(check="console", has="two"))
        self.assertIn("says 'ten'", self.check(check="console", lacks="te"))


class Archives(unittest.TestCase):
    def test_elf_or_not(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "program")
            for head, elf, dynamic in ((b"#!/bin/sh ld-linux", False, False),
                                       (b"\x7fELF static", True, False),
                                       (b"\x7fELF /lib64/ld-linux-x86-64.so.2", True, True)):
                path.write_bytes(head)
                self.assertEqual((image.is_elf(path), image.is_dynamic(path)), (elf, dynamic))

    def test_domu_init_can_be_run(self):
        self.assertTrue(os.access(image.HERE / "domu-init.sh", os.X_OK))

    def test_newc_is_sorted_aligned_and_terminated(self):
        archive = cpio.Archive()
        archive.data("b/c", b"hello", 0o755)
        archive.symlink("a", "b/c")
        stream = io.BytesIO()
        archive.write(stream)
        raw = stream.getvalue()
        self.assertEqual(len(raw) % 512, 0)
        self.assertTrue(raw.startswith(b"070701"))
        places = [raw.rindex(name) for name in (b"0a\0", b"0b\0", b"0b/c\0", b"TRAILER!!!\0")]
        self.assertEqual(places, sorted(places))
        again = io.BytesIO()
        archive.write(again)
        self.assertEqual(raw, again.getvalue())

    def test_module_needs(self):
        image = (b"\0depends=mbcache,jbd2\0softdep=pre: crc32c\0depends\0"
                 b"softdep=post: zlib-x\0name=ext4\0")
        self.assertEqual(modules.needs_of(image), ["mbcache", "jbd2", "crc32c", "zlib-x"])


if __name__ == "__main__":
    unittest.main()
