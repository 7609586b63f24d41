# SPDX-License-Identifier: GPL-2.0-only
"""What is on an NVDIMM, read the way its formats are documented: labels as UEFI has
them, libnvdimm's info blocks, and ours as Documentation/driver-api/xen-pmem.rst has it.
"""
import dataclasses
import struct
import uuid

from .paths import SetupError

MIB = 1 << 20
BLOCK = slice(4096, 8192)
INDEX = struct.Struct("<16s3sBIQQQQIHHQ")
LABEL = struct.Struct("<16s64sIHHQQQQIB3x16s16s88xQ")
STOCK = struct.Struct("<16s16s16sIHHQQIIIIIH")
EXTENSION = struct.Struct("<16sHHIQQQQQQHHH426s")
TRIP_WIRES = (1 << 30, 1)       # page_size, page_struct_size
COOKIE = slice(88, 96)
SERIAL = 0x123456               # QEMU's for slot 0


def fletcher64(data):
    low = high = 0
    for word in struct.unpack(f"<{len(data) // 4}I", data):
        low = (low + word) & 0xffffffff
        high += low
    return (high & 0xffffffff) << 32 | low


def _sum_is_right(block, at):
    found = struct.unpack_from("<Q", block, at)[0]
    return found == fletcher64(block[:at] + bytes(8) + block[at + 8:])


# --- labels ---------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Namespace:
    """start: of its bytes in the DIMM's file. uuid is zero without labels."""
    uuid: bytes
    start: int
    size: int
    claim: bytes = bytes(16)    # abstraction guid of its label


@dataclasses.dataclass
class Index:
    sequence: int
    slots: int
    labels_at: int
    free: bytes

    def used(self):
        return [i for i in range(self.slots) if not self.free[i // 8] >> i % 8 & 1]


def read_index(area, at):
    """The index block at an offset of the label area, or None."""
    fields = INDEX.unpack_from(area, at)
    signature, size, slots = fields[0], fields[5], fields[8]
    if signature != b"NAMESPACE_INDEX\0" or not INDEX.size < size <= len(area) // 2:
        return None
    block = bytes(area[at:at + size])
    if not _sum_is_right(block, 64):
        return None
    return Index(fields[3], slots, fields[7], block[INDEX.size:])


def newer(one, two):
    """Sequence numbers go 1, 2, 3, 1."""
    return one if one.sequence == two.sequence % 3 + 1 else two


def current_index(area):
    """The one that counts; its size is that of the first, or where the second is."""
    size = struct.unpack_from("<Q", area, 32)[0]
    size = size if INDEX.size < size <= len(area) // 4 else 256
    found = [index for index in (read_index(area, 0), read_index(area, size)) if index]
    return newer(*found) if len(found) == 2 else found[0] if found else None


def _label_at(area, index, slot):
    at = index.labels_at + slot * LABEL.size
    raw = bytes(area[at:at + LABEL.size])
    fields = LABEL.unpack(raw)
    if fields[9] != slot or not _sum_is_right(raw, 248):
        return None
    return Namespace(fields[0], fields[7], fields[8], fields[12])


def namespaces(medium, size):
    """Those of a DIMM with size bytes for them, by address."""
    area = memoryview(medium)[size:]
    index = current_index(area) if len(area) else None
    if not index:
        return [Namespace(bytes(16), 0, size)]
    found = {label for slot in index.used() if (label := _label_at(area, index, slot))}
    return sorted(found, key=lambda label: label.start)


def cookie(slot):
    """Of the interleave set that is the one DIMM in QEMU's slot."""
    return fletcher64(struct.pack("<QIHHB31x", 0, SERIAL + slot, 0x8086, 0, 0))


def move_to_slot(medium, size, slot):
    """Labels name the DIMM they are on. Nothing else of it depends on the slot."""
    area = memoryview(medium)[size:]
    index = current_index(area) if len(area) else None
    for at in (index.labels_at + i * LABEL.size for i in range(index.slots)) if index else ():
        raw = area[at:at + LABEL.size]
        if not any(raw[:16]) or not _sum_is_right(bytes(raw), 248):
            continue
        if int.from_bytes(raw[COOKIE], "little") != cookie(0):
            raise SetupError("a label has not the cookie of QEMU's slot 0: is this another QEMU?")
        raw[COOKIE] = cookie(slot).to_bytes(8, "little")
        raw[248:] = fletcher64(bytes(raw[:248]) + bytes(8)).to_bytes(8, "little")


# --- info blocks -----------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Header:
    """kind: xen, fsdax, devdax, sector, none, or damaged: ours, and not valid."""
    kind: str
    uuid: bytes = bytes(16)
    reserved: tuple = (0, 0)    # [start, end) in the DIMM's file
    data: tuple = (0, 0)
    fault: str = ""


def _round_up(value, to):
    return -(-value // to) * to


def _geometry(physical, size, reserved_size):
    """(rsv_start, data_start, data_size), as the document computes them."""
    start = _round_up(physical + 8192, 2 * MIB) - physical
    data = _round_up(physical + start + reserved_size, 16 * MIB) - physical
    return start, data, (physical + size) // (16 * MIB) * (16 * MIB) - physical - data


def _reserved_need(physical, size):
    end = physical + size
    chunks = sum(_round_up(end, unit) // unit - physical // unit for unit in (1 << 28, 1 << 30))
    return chunks * 2 * MIB


def _is_ours(stock, extension):
    return extension[0] == b"XEN_PMEM_RESERVE" or stock[12:14] == TRIP_WIRES


def _faults(block, stock, extension, namespace, physical):
    """(what, found, expected) of each field that has another value than documented."""
    start, data, size = _geometry(physical, namespace.size, extension[7])
    wanted = (("parent_uuid", stock[2], namespace.uuid), ("flags", stock[3], 0),
              ("version", stock[4:6], (1, 4)), ("dataoff", stock[6], data),
              ("npfns", stock[7], size // 4096), ("mode", stock[8], 2),
              ("start_pad", stock[9], 0), ("end_trunc", stock[10], namespace.size - data - size),
              ("align", stock[11], 2 * MIB), ("trip wires", stock[12:14], TRIP_WIRES),
              ("zeroes", any(block[0x5e:0xe00]), False), ("owner", extension[3], 1),
              ("extension's version", extension[1], 1), ("incompat", extension[5], 0),
              ("magic", extension[0], b"XEN_PMEM_RESERVE"), ("rsv_start", extension[6], start),
              ("data_start", extension[8], data), ("data_size", extension[9], size),
              ("reserved", any(extension[13]), False),
              ("rsv_size enough", extension[7] >= _reserved_need(physical, namespace.size), True))
    return [field for field in wanted if field[1] != field[2]]


def _ours(block, stock, extension, namespace, physical):
    faults = _faults(block, stock, extension, namespace, physical)
    at, size = namespace.start, extension[7]
    reserved = (at + extension[6], at + extension[6] + size)
    data = (at + extension[8], at + extension[8] + extension[9])
    if faults:
        what, found, expected = faults[0]
        return Header("damaged", stock[1], reserved, data,
                      f"{what} is {found!r}, expected {expected!r}")
    return Header("xen", stock[1], reserved, data)


def _sector(first, block):
    """A BTT's first arena: at 0 with labels of version 1.2, else at 4 KiB."""
    return any(part[:16] == b"BTT_ARENA_INFO\0\0" and _sum_is_right(part, 4088)
               for part in (first, block))


def header(medium, namespace, address):
    """What the first 8 KiB of a namespace say; address: physical, of the DIMM."""
    first = bytes(medium[namespace.start:namespace.start + 4096])
    block = bytes(medium[namespace.start + 4096:namespace.start + 8192])
    if _sector(first, block):
        return Header("sector")
    stock, extension = STOCK.unpack_from(block), EXTENSION.unpack_from(block, 0xe00)
    kind = {b"NVDIMM_PFN_INFO\0": "fsdax", b"NVDIMM_DAX_INFO\0": "devdax"}.get(stock[0])
    if not kind or not _sum_is_right(block, 4088):
        return Header("none")
    if _is_ours(stock, extension):
        return _ours(block, stock, extension, namespace, address + namespace.start)
    if stock[2] != namespace.uuid:
        return Header("none")
    data = namespace.start + stock[9] + stock[6]
    return Header(kind, stock[1], (0, 0), (data, namespace.start + namespace.size - stock[10]))
