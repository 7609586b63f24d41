# SPDX-License-Identifier: GPL-2.0-only
"""Talk to a running QEMU: plug an NVDIMM into it, wake it up."""
import json
import os
import socket
import time

from .paths import SetupError

SOCKET = "qmp.sock"
ARGV = ["-qmp", f"unix:{SOCKET},server=on,wait=off"]


class Monitor:
    """One conversation, in QEMU's directory: a socket's path must be short."""

    def __init__(self, directory, patience=10):
        self.events = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience)
        handle = os.open(directory, os.O_RDONLY)
        try:
            self.socket.connect(f"/proc/self/fd/{handle}/{SOCKET}")
        except OSError as error:
            self.socket.close()
            raise SetupError(f"QEMU's monitor {SOCKET}: {error}") from None
        finally:
            os.close(handle)
        self.stream = self.socket.makefile("rw")
        self._receive()
        self.run("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def _receive(self):
        line = self.stream.readline()
        if not line:
            raise SetupError("QEMU's monitor: QEMU hung up")
        return json.loads(line)

    def run(self, command, **arguments):
        """The answer to a command; events that come before it are kept."""
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = self._receive()
            if "error" in answer:
                raise SetupError(f"QEMU refuses {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            self.events.append(answer["event"])


def plug(directory, index, dimm):
    """Hot-add the NVDIMM in file nvdimmINDEX."""
    with Monitor(directory) as monitor:
        monitor.run("object-add", **{"qom-type": "memory-backend-file", "id": f"mem{index}",
                                     "share": True, "mem-path": f"../nvdimm{index}",
                                     "size": dimm.bytes})
        device = {"driver": "nvdimm", "id": f"nvdimm{index}", "memdev": f"mem{index}"}
        if dimm.bytes > dimm.data_bytes:
            device["label-size"] = dimm.bytes - dimm.data_bytes
        monitor.run("device_add", **device)


def wake(directory, patience=60):
    """End the sleep of a machine, once it has fallen asleep."""
    until = time.monotonic() + patience
    with Monitor(directory) as monitor:
        while monitor.run("query-status")["status"] != "suspended":
            if time.monotonic() > until:
                raise SetupError(f"the machine did not fall asleep in {patience} s")
            time.sleep(0.2)
        monitor.run("system_wakeup")
