# SPDX-License-Identifier: GPL-2.0-only
"""The judge of power cuts: what it has to object to, and what it has to accept."""
import os
import pathlib
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rig import cutjudge, cuts, matrix, medialog, onmedia  # noqa: E402
from rig.medialog import (BULK, FENCE, FLUSH, LABELS, STORE, STORE_NT, Cut,  # noqa: E402
                          Operation, Record)
from rig.paths import SetupError  # noqa: E402

MIB = 1 << 20
SIZE, ADDRESS = 48 * MIB, 4 << 30
XEN_VIRT = 0xffff82e000000000
UUID = bytes(range(16))
SIGNATURE = b"NVDIMM_PFN_INFO\0"


def signed(block):
    return block[:-8] + struct.pack("<Q", onmedia.fletcher64(block[:-8] + bytes(8)))


def xen_block(**fields):
    """As the document has it, for a DIMM without labels at 4 GiB."""
    values = {"reserved_size": 4 * MIB, "page_size": 1 << 30, "magic": b"XEN_PMEM_RESERVE",
              "npfns": 32 * MIB // 4096, **fields}
    stock = onmedia.STOCK.pack(SIGNATURE, UUID, bytes(16), 0, 1, 4, 16 * MIB, values["npfns"],
                               2, 0, 0, 2 * MIB, values["page_size"], 1)
    extension = onmedia.EXTENSION.pack(values["magic"], 1, 0, 1, 0, 0, 2 * MIB,
                                       values["reserved_size"], 16 * MIB, 32 * MIB, 32, 8, 0,
                                       bytes(426))
    return signed(stock + bytes(0xe00 - len(stock)) + extension + bytes(8))


def store(at, data, kind=STORE_NT, dimm=0, virt=None):
    return Record(kind, 8, dimm, at, at if virt is None else virt, 0, data)


def page(at):
    return Record(BULK, 8, 0, at, XEN_VIRT + at, 0, b"\1" * 4096)


def fence():
    return Record(FENCE, 0, 0, 0, 0, 0, b"")


def stores(at, data):
    """The log has only those that change a byte of what was zero."""
    return [store(at + i, data[i:i + 8]) for i in range(0, len(data), 8) if any(data[i:i + 8])]


def write_block(block):
    """The driver's order: all but the signature, then that."""
    return stores(4096 + 16, block[16:]) + [fence()] + stores(4096, block[:16]) + [fence()]


def medium(block=None):
    image = bytearray(SIZE)
    if block:
        image[onmedia.BLOCK] = block
    return image


def judge(records, start, name="test"):
    one = cutjudge.Judge(Operation(1, name, 0, records, bytes(start)), SIZE, ADDRESS)
    one.sweep()
    return one


def words(one):
    return {word for word, _ in one.verdicts.values()}


class InfoBlock(unittest.TestCase):
    def header(self, block):
        image = medium(block)
        return onmedia.header(image, onmedia.namespaces(image, SIZE)[0], ADDRESS)

    def test_good(self):
        head = self.header(xen_block())
        self.assertEqual((head.kind, head.fault), ("xen", ""))
        self.assertEqual(head.reserved, (2 * MIB, 6 * MIB))
        self.assertEqual(head.data, (16 * MIB, 48 * MIB))

    def test_each_wrong_field(self):
        for fields in ({"npfns": 5}, {"reserved_size": 2 * MIB}, {"magic": b"XEN_PMEM_RESERVX"},
                       {"page_size": 4096}):
            with self.subTest(fields=fields):
                head = self.header(xen_block(**fields))
                self.assertEqual(head.kind, "damaged")
                self.assertIn("expected", head.fault)

    def test_bad_checksum_is_nobodys(self):
        block = bytearray(xen_block())
        block[0x60] ^= 1
        self.assertEqual(self.header(block).kind, "none")


class Rules(unittest.TestCase):
    def test_provisioning_is_fine(self):
        pages = [page(2 * MIB), page(4 * MIB)]
        one = judge(write_block(xen_block()) + pages, medium())
        self.assertEqual(one.faults, [])
        self.assertEqual(words(one), {"old", "new"})

    def test_records_before_the_block(self):
        one = judge([page(2 * MIB)] + write_block(xen_block()), medium())
        self.assertIn("0x200000, but what is durable is none", one.faults[0][1])

    def test_records_before_the_block_is_durable(self):
        records = write_block(xen_block())
        records[-1:] = [page(2 * MIB)]
        self.assertIn("without a block", judge(records, medium()).faults[0][1])

    def test_block_goes_before_xen_has_left(self):
        records = [store(4096, bytes(16)), fence(), page(2 * MIB)]
        self.assertIn("without a block", judge(records, medium(xen_block())).faults[0][1])

    def test_records_outside_of_the_reserved_area(self):
        one = judge([page(8 * MIB)], medium(xen_block()))
        self.assertIn("Xen writes records to 0x800000", one.faults[0][1])

    def test_signature_with_the_rest(self):
        """Lines of one write arrive in any order."""
        old, new = bytearray(xen_block()), bytearray(xen_block())
        new[16:32] = bytes(reversed(UUID))
        new = signed(bytes(new))
        one = judge([store(4096 + 16, new[16:32]), store(4096 + 0xff8, new[0xff8:]), fence()],
                    medium(old))
        self.assertEqual(words(one), {"old", "new", "empty"})

    def test_wrong_block_on_the_way(self):
        wrong, right = xen_block(npfns=5), xen_block()
        one = judge(write_block(wrong) + write_block(right), medium())
        self.assertIn("damaged mode", one.faults[0][1])
        self.assertIn("npfns is 5, expected 8192", one.faults[0][1])

    def test_third_block_on_the_way(self):
        third = bytearray(xen_block())
        third[16:32] = bytes(reversed(UUID))
        one = judge(write_block(signed(bytes(third))) + write_block(xen_block()), medium())
        self.assertIn("expected the old one, the new one, or none", one.faults[0][1])

    def test_data_of_the_old_one(self):
        records = [store(20 * MIB, b"x" * 8), fence(), store(4096, bytes(16)), fence()]
        self.assertIn("data of the old namespace", judge(records, medium(xen_block())).faults[0][1])

    def test_data_of_the_gone_one(self):
        records = [store(4096, bytes(16)), fence(), store(20 * MIB, b"x" * 8), fence()]
        self.assertEqual(judge(records, medium(xen_block())).faults, [])

    def test_files_are_written_where_data_is(self):
        records = [store(20 * MIB + 64 * i, b"x" * 8) for i in range(cutjudge.SAMPLE)]
        one = judge(records, medium(xen_block()), "file-one")
        self.assertEqual(one.faults, [])
        self.assertIn("durable", {cut.how for cut in one.verdicts})

    def test_another_dimm(self):
        one = judge([store(0, b"x" * 8, dimm=1)], medium())
        self.assertIn("DIMM 1 is written to", one.faults[0][1])


class Durable(unittest.TestCase):
    def cache(self, records):
        operation = Operation(1, "test", 0, records, bytes(1 << 16))
        cache = medialog.Cache(operation)
        for step in operation.steps():
            cache.step(step)
        return cache

    def test_past_the_cache_needs_a_fence(self):
        records = [store(64, b"a" * 8), fence(), store(128, b"b" * 8)]
        cache = self.cache(records)
        self.assertEqual(cache.durable[64:72] + cache.durable[128:136], b"a" * 8 + bytes(8))
        self.assertEqual(cache.pending(), 1)

    def test_cached_needs_a_flush_of_its_line_too(self):
        records = [store(64, b"a" * 8, STORE), store(128, b"b" * 8, STORE),
                   Record(FLUSH, 0, 0, 0, 70, 0, b""), fence()]
        cache = self.cache(records)
        self.assertEqual(cache.durable[64:72] + cache.durable[128:136], b"a" * 8 + bytes(8))

    def test_what_is_lost_comes_in_order_within_a_line(self):
        cache = self.cache([store(64, b"a" * 8, STORE), store(72, b"b" * 8, STORE)])
        seen = {tuple(change.data[:1] for change in cache.some(seed)) for seed in range(50)}
        self.assertEqual(seen, {(), (b"a",), (b"a", b"b")})

    def test_past_the_cache_comes_in_any_order(self):
        cache = self.cache([store(64, b"a" * 8), store(72, b"b" * 8)])
        seen = {tuple(change.data[:1] for change in cache.some(seed)) for seed in range(50)}
        self.assertIn((b"b",), seen)

    def test_labels_are_durable(self):
        record = Record(LABELS, 1, 0, 100, 0, 0, b"labels")
        self.assertEqual(self.cache([record]).durable[100:106], b"labels")


class Cuts(unittest.TestCase):
    def test_names(self):
        for text in ("create@0", "xen-to-raw@17", "a@3-durable", "a@3-lost2", "a@3-torn8"):
            self.assertEqual(str(medialog.parse(text)), text)
        for text in ("create", "create@x", "create@1-slow"):
            with self.assertRaises(SetupError):
                medialog.parse(text)

    def test_images(self):
        records = [store(0, b"a" * 16), fence(), store(64, b"b" * 8), fence()]
        operation = Operation(1, "test", 0, records, bytes(128))
        self.assertEqual(medialog.image(operation, Cut("test", 1))[:16], b"a" * 8 + bytes(8))
        self.assertEqual(medialog.image(operation, Cut("test", 3))[64:72], b"b" * 8)
        self.assertEqual(medialog.image(operation, Cut("test", 3, "durable"))[:72],
                         b"a" * 16 + bytes(56))
        with self.assertRaises(SetupError):
            medialog.image(operation, Cut("test", 4))

    def test_commands_to_see_it_again(self):
        row = matrix.load()["cuts"]
        self.assertTrue(cuts.replay_command(row, Cut("create", 3, "lost", 2))
                        .endswith("matrix.toml cut cuts create@3-lost2"))
        self.assertTrue(cuts.replay_command(row, Cut("create", 3, "killed", 2))
                        .endswith("run --keep cuts"))

    def test_torn_log(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "log")
            path.write_bytes(b"S" + bytes(20))
            with self.assertRaises(SetupError):
                medialog.read(path)

    def test_sparse_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "image")
            data = bytes(100000) + b"x" + bytes(100000)
            cuts.write_sparse(path, data)
            self.assertEqual(path.read_bytes(), data)


class Kernel(unittest.TestCase):
    def seen(self, **words):
        return [{**dict.fromkeys(cutjudge.SEEN, ""), "dimm": "0", "namespace": "namespace0.0",
                 "size": str(SIZE), **words}]

    def faults(self, block, ours, **words):
        state = cutjudge.read_state(medium(block), SIZE, ADDRESS)
        return cutjudge.kernel_faults(state, self.seen(**words), ours, "")

    def test_raw_disk_over_our_block(self):
        found = self.faults(xen_block(), False, driver="nd_pmem", raw="pmem0")
        self.assertIn("expected ''", found[0])

    def test_refused_as_it_should_be(self):
        self.assertEqual(self.faults(xen_block(), False), [])

    def test_bound(self):
        self.assertEqual(self.faults(xen_block(), True, driver="xen_pmem", inner="pmem1"), [])
        self.assertIn("no disk", self.faults(xen_block(), True, driver="xen_pmem")[0])

    def files(self, word):
        state = cutjudge.read_state(medium(xen_block()), SIZE, ADDRESS)
        seen = self.seen(driver="xen_pmem", inner="pmem1", files=word)
        return cutjudge.kernel_faults(state, seen, True, "", {"one": "aa", "two": "bb"})

    def test_files(self):
        for word in ("0,one:aa,two:bb,more:cc", "repaired,two:bb,one:aa"):
            self.assertEqual(self.files(word), [])
        self.assertIn("the file two, which was durable, has sha256 None, expected bb",
                      self.files("0,one:aa")[0])
        self.assertIn("has sha256 xx", self.files("0,one:xx,two:bb")[0])

    def test_file_system(self):
        for word in ("", "not-mounted", "not-clean,one:aa,two:bb"):
            self.assertIn("expected to be mounted", self.files(word)[0])

    def test_lost_namespace(self):
        self.assertIn("expected", cutjudge.kernel_faults(
            cutjudge.read_state(medium(), SIZE, ADDRESS), [], False, "")[0])


if __name__ == "__main__":
    unittest.main()
