# SPDX-License-Identifier: GPL-2.0-only
"""The files that are the NVDIMMs: fill, copy, compare, hash, poke."""
import hashlib
import pathlib
import random
import re
import subprocess

from .paths import SetupError

CHUNK = 1 << 20
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text):
    """Bytes of '512M', '0x1000' or 4096."""
    found = re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)([KMG]?)", str(text))
    if not found:
        raise SetupError(f"'{text}' is not a size: expected a number with K, M or G")
    return int(found[1], 0) * UNITS[found[2]]


def create(path, data_bytes, label_bytes, seed=None):
    """A sparse zero file, or its data part (never its labels) full of noise."""
    pathlib.Path(path).unlink(missing_ok=True)
    with open(path, "wb") as stream:
        for index in range(data_bytes // CHUNK if seed is not None else 0):
            stream.write(random.Random(f"{seed}:{index}").randbytes(CHUNK))
        stream.truncate(data_bytes + label_bytes)


def copy(source, target):
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", source, target], check=True)


def sha256(path, start=0, end=None):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        stream.seek(start)
        left = (end if end is not None else pathlib.Path(path).stat().st_size) - start
        while left > 0:
            block = stream.read(min(CHUNK, left))
            if not block:
                break
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def poke(path, offset, data):
    with open(path, "r+b") as stream:
        stream.seek(offset)
        stream.write(data)


def _first_last(one, two):
    """Offsets of the first and last byte that differ in two unequal blocks."""
    differing = [i for i in range(min(len(one), len(two))) if one[i] != two[i]]
    return (differing[0], differing[-1]) if differing else (0, len(one) - 1)


def changes(before, after, grain=4096):
    """[(start, end)) byte ranges that differ, neighbouring blocks joined."""
    found = []
    with open(before, "rb") as one, open(after, "rb") as two:
        base = 0
        while block := one.read(CHUNK):
            other = two.read(CHUNK)
            if block != other:
                _block_changes(found, base, block, other, grain)
            base += len(block)
    return found


def _block_changes(found, base, block, other, grain):
    for offset in range(0, len(block), grain):
        one, two = block[offset:offset + grain], other[offset:offset + grain]
        if one == two:
            continue
        first, last = _first_last(one, two)
        start, end = base + offset + first, base + offset + last + 1
        if found and found[-1][1] > base + offset - grain:
            start = found.pop()[0]
        found.append((start, end))
