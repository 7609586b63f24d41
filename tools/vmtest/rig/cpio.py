# SPDX-License-Identifier: GPL-2.0-only
"""Reproducible newc archives: sorted, time 0, owner 0, no inode of the host."""
import os
import stat


class Archive:
    """Collects entries by name, then writes them parents first."""

    def __init__(self):
        self.entries = {}

    def _add(self, name, mode, data):
        name = name.strip("/")
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.directory(parent)
        self.entries[name] = (mode, data)

    def directory(self, name, mode=0o755):
        self._add(name, stat.S_IFDIR | mode, b"")

    def symlink(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def data(self, name, data, mode=0o644):
        self._add(name, stat.S_IFREG | mode, data)

    def file(self, name, source):
        executable = os.stat(source).st_mode & 0o111
        with open(source, "rb") as stream:
            self.data(name, stream.read(), 0o755 if executable else 0o644)

    def tree(self, name, source):
        """Add a directory of the host with all below it, symlinks as such."""
        for root, _, files in os.walk(source):
            inside = os.path.join(name, os.path.relpath(root, source))
            for entry in files:
                path = os.path.join(root, entry)
                target = os.path.normpath(os.path.join(inside, entry))
                if os.path.islink(path):
                    self.symlink(target, os.readlink(path))
                else:
                    self.file(target, path)

    def write(self, stream):
        for inode, name in enumerate(sorted(self.entries), 1):
            _record(stream, inode, name, *self.entries[name])
        _record(stream, 0, "TRAILER!!!", 0, b"")
        stream.write(bytes(-stream.tell() % 512))


def _record(stream, inode, name, mode, data):
    links = 2 if stat.S_ISDIR(mode) else 1
    raw = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + raw
    stream.write(header + bytes(-len(header) % 4))
    stream.write(data + bytes(-len(data) % 4))
