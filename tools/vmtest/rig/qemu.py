# SPDX-License-Identifier: GPL-2.0-only
"""Start QEMU for one boot, watch it, end it."""
import ctypes
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import time

from . import ktap, matrix, paths, qmp, symbols
from .paths import BUILD, TREE, need

LINUX_ARGS = ("panic=-1 oops=panic loglevel=5 watchdog_thresh=60 "
              "rcupdate.rcu_cpu_stall_timeout=120")
# The scheduler credit2 lets a CPU idle beside a vCPU that waits, if that has run down all
# of its credit and was last on another CPU. README.md says more.
XEN_ARGS = ("com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all console_timestamps=boot "
            "sched_credit2_migrate_resist=0")
FIRMWARE = ("usr/share/seabios", "usr/share/qemu", "usr/lib/ipxe/qemu")
OVMF = BUILD / "layer/disk-tools/usr/share/OVMF"
# Code, and variables as they are at first: with Secure Boot those have the keys that
# Debian's shim is signed for.
OVMF_FILES = {"ovmf": ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
              "ovmf-secure": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd")}
FIRST_NVDIMM = 4 << 30                     # with memory = "2G"
PR_SET_PDEATHSIG = 1


def program():
    argv = paths.tree_argv(need(TREE / "usr/bin/qemu-system-x86_64", "make tree"))
    for directory in FIRMWARE:
        argv += ["-L", str(TREE / directory)]
    return argv


def environment():
    """Without this QEMU would try the host's plug-ins of another version."""
    return {**os.environ, "QEMU_MODULE_DIR": str(TREE / paths.LIBDIR / "qemu")}


def linux_args(row, boot):
    console = "ttyS0" if row.xen == "none" else "hvc0"
    return " ".join(f"console={console} {LINUX_ARGS} {row.cmdline} {boot.cmdline}".split())


def xen_args(row, boot):
    words = [XEN_ARGS, f"dom0_mem={row.dom0_memory},max:{row.dom0_memory}"]
    if row.dom0 == "pvh":
        words.append("dom0=pvh cpuidle=0 tsc=stable:socket")
    if row.xl:
        words.append("dom0_max_vcpus=1")
    if boot.crash_steps:
        words.append("crashkernel=512M")
    return " ".join([*words, row.xen_cmdline, boot.xen_cmdline]).strip()


def kernel_argv(row, boot):
    if row.xen == "none":
        return ["-kernel", "vmlinuz", "-initrd", "initrd", "-append", linux_args(row, boot)]
    # QEMU splits multiboot modules at commas; a doubled comma is one.
    dom0 = "vmlinuz " + linux_args(row, boot).replace(",", ",,")
    return ["-kernel", "xen", "-initrd", dom0 + ",initrd", "-append", xen_args(row, boot)]


def firmware_argv(row):
    """OVMF's variables are the row's own, they outlive its boots."""
    if row.firmware not in OVMF_FILES:
        return []
    code = need(OVMF / OVMF_FILES[row.firmware][0], "scripts/build-disk")
    return ["-global", "driver=cfi.pflash01,property=secure,value="
            + ("on" if row.firmware == "ovmf-secure" else "off"),
            "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
            "-drive", "if=pflash,format=raw,file=../firmware"]


def copy_firmware(row, directory):
    """The variables of a row's firmware, for all of its boots."""
    if row.firmware in OVMF_FILES:
        shutil.copy(OVMF / OVMF_FILES[row.firmware][1], directory / "firmware")


def disk_argv(row):
    """A machine that boots by itself: its disk, and a second one with the steps."""
    return [*firmware_argv(row),
            "-drive", "if=none,id=disk,format=raw,cache=unsafe,file=../disk",
            "-device", "virtio-blk-pci,drive=disk,bootindex=0",
            "-drive", "if=none,id=steps,format=raw,readonly=on,file=steps",
            "-device", "virtio-blk-pci,drive=steps"]


def boot_argv(row, boot):
    return disk_argv(row) if row.disk else kernel_argv(row, boot)


def address(row, index):
    """Where an NVDIMM of a row with spacing is: from 4 GiB on."""
    return FIRST_NVDIMM + index * matrix.size(row.spacing)


def nvdimm_argv(row):
    argv = []
    for index, dimm in enumerate(row.nvdimm):
        labels = matrix.size(dimm.labels)
        place = f",addr={address(row, index):#x}" if matrix.size(row.spacing) else ""
        argv += ["-object", f"memory-backend-file,id=mem{index},share=on,"
                            f"mem-path=../nvdimm{index},size={dimm.bytes}",
                 "-device", f"nvdimm,id=nvdimm{index},memdev=mem{index}"
                            + (f",label-size={labels}" if labels else "") + place]
    return argv


def count_argv(row):
    """Count the instructions of each block of code: plugin/count.c."""
    plugin = need(BUILD / "plugin/count.so", "scripts/build-plugin")
    checks = [f"check={address:#x}" for address in symbols.preempt_checks(row.xen)]
    return ["-plugin", ",".join([str(plugin), "log=count.log", *checks])]


def plugin_argv(row, boot):
    """Write down every change of the NVDIMMs: plugin/medium-log.c."""
    if boot.count:
        return count_argv(row)
    if not boot.record:
        return []
    plugin = need(BUILD / "plugin/medium-log.so", "scripts/build-plugin")
    dimms = [f"dimm={address(row, i):#x}:{dimm.data_bytes}:../nvdimm{i}"
             for i, dimm in enumerate(row.nvdimm)]
    kill = [f"kill={boot.kill}"] if boot.kill else []
    return ["-plugin", ",".join([str(plugin), "log=medium.log", *dimms, *kill])]


def channel_argv(row, interactive):
    console = ("stdio,mux=on,signal=off,logfile=console.log" if interactive
               else "file,path=console.log")
    # A PVH dom0 hangs in virtio's first DMA unless that goes through the IOMMU.
    behind_iommu = ",iommu_platform=on,disable-legacy=on" if has_iommu(row) else ""
    argv = ["-chardev", f"{console},id=com1", "-serial", "chardev:com1",
            "-chardev", "file,path=result.ktap,id=com2", "-serial", "chardev:com2",
            "-device", "virtio-serial-pci" + behind_iommu, "-chardev", "file,path=out.tar,id=out",
            "-device", "virtserialport,chardev=out,name=org.xen-pmem.out"]
    return argv + (["-mon", "chardev=com1"] if interactive else [])


def maxmem(row):
    """Bytes of RAM and NVDIMMs there can be; more would not fit a small address space."""
    wanted = matrix.size(row.memory) + sum(max(dimm.bytes, matrix.size(row.spacing))
                                           for dimm in row.dimms)
    return max(matrix.size("64G"), wanted + matrix.size("4G"))


def memory(row):
    return f"{row.memory},slots={max(8, len(row.dimms))},maxmem={maxmem(row)}"


def has_iommu(row):
    return row.iommu not in ("", "none")


def iommu_argv(row):
    """First of all devices: those that come before it are not behind it."""
    return ["-device", f"{row.iommu}-iommu,intremap=on"] if has_iommu(row) else []


def device_argv(row):
    pairs = [("-object", text) for text in row.objects] + [("-device", text) for text in row.devices]
    return [word for pair in pairs for word in pair]


def machine(row, accel):
    """Bare Linux does without the PIT: against it, on a busy host, it measures a
    TSC many times too slow, and then sees stalls. Xen cannot boot without."""
    split = has_iommu(row) and accel == "kvm"       # interrupt remapping needs that
    bare = row.xen == "none" and not row.disk
    return ("q35,nvdimm=on" + (",pit=off" if bare else "")
            + (",kernel-irqchip=split" if split else "")
            + (",smm=on" if row.firmware == "ovmf-secure" else "")
            + (f",{row.machine}" if row.machine else ""))


def accel_argv(row, accel):
    """With icount the guest's clocks count instructions: one takes a nanosecond, and what
    waits for a timer does not wait."""
    if row.icount:
        return ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
    return ["-accel", "kvm" if accel == "kvm" else "tcg,thread=multi"]


def argv(row, boot, accel, interactive=False):
    """The command line of one boot; all names in it are relative to its directory."""
    cpu = row.cpu if row.dom0 == "pv" or row.cpu != "default" else "pvh"
    accel = "tcg" if boot.record or row.icount else accel     # plugins are TCG's
    line = [*program(), *accel_argv(row, accel),
            "-machine", machine(row, accel), "-cpu", matrix.CPUS.get(cpu, cpu),
            "-smp", str(row.smp), "-m", memory(row),
            "-display", "none", "-nodefaults", "-no-reboot", *qmp.ARGV]
    return [*line, *iommu_argv(row), *channel_argv(row, interactive), *device_argv(row),
            *nvdimm_argv(row), *plugin_argv(row, boot), *boot_argv(row, boot)]


def link_inputs(row, directory):
    """Short names for long paths: QEMU splits -initrd at spaces and commas."""
    if row.disk:
        return
    sources = {"vmlinuz": need(row.kernel_dir / "vmlinuz", "make kernels")}
    if row.xen != "none":
        sources["xen"] = need(BUILD / "xen" / row.xen / "xen", "make xen")
    for name, source in sources.items():
        (directory / name).unlink(missing_ok=True)
        (directory / name).symlink_to(source)


def write_script(line, directory):
    """qemu.cmd: the same boot by hand."""
    script = directory / "qemu.cmd"
    module_dir = environment()["QEMU_MODULE_DIR"]
    script.write_text("#!/bin/sh\n# The console is in console.log, results in result.ktap.\n"
                      'cd "$(dirname "$0")" || exit 1\n'
                      f"export QEMU_MODULE_DIR={shlex.quote(module_dir)}\n"
                      f"exec {shlex.join(line)} \"$@\"\n")
    script.chmod(0o755)


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(line, directory, **kwargs):
    return subprocess.Popen(line, cwd=directory, env=environment(),
                            preexec_fn=_die_with_parent, **kwargs)


class Watch:
    """Follow a boot's logs; tell a person what goes on; notice marks."""

    def __init__(self, directory, label, tell):
        self.com2 = directory / "result.ktap"
        self.console = directory / "console.log"
        self.label = label
        self.tell = tell
        self.began = self.told = time.monotonic()
        self.position = 0
        self.rest = b""
        self.failed = False

    def elapsed(self):
        return time.monotonic() - self.began

    def look(self):
        """The marks that have come."""
        if time.monotonic() - self.told >= 10:
            self.told = time.monotonic()
            self.tell(f"[{self.elapsed():4.0f}s] {self.label}: {last_line(self.console)}")
        marks = []
        for line in self.new_lines():
            word, _, text = line.decode(errors="replace").rstrip().partition(" ")
            if word == "XP-SAY":
                self.tell(text)
            elif word == "XP-MARK":
                marks.append(text)
            elif ktap.failed_line(line.decode(errors="replace")):
                self.failed = True
        return marks

    def new_lines(self):
        if not self.com2.exists():
            return []
        with open(self.com2, "rb") as stream:
            stream.seek(self.position)
            data = stream.read()
        self.position += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines


def last_line(path, width=90):
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, path.stat().st_size - 2000))
            lines = stream.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1][:width] if lines else ""


def deeds(row, boot, directory):
    """What the host does at which mark."""
    index = len(row.nvdimm)
    done = {boot.plug_at: lambda: qmp.plug(directory, index, boot.plug),
            boot.wake_at: lambda: qmp.wake(directory)}
    return {mark: deed for mark, deed in done.items() if mark}


def wait(process, watch, boot, timeout, deeds=(), first_failure=False):
    """How the boot ended: "exit", "killed" (at its mark), "timeout", or "failed" (a test, of
    which the first is enough)."""
    deeds = dict(deeds)
    pause = 0.01 if boot.kill_at else 0.1
    while process.poll() is None:
        for mark in watch.look():
            if mark == boot.kill_at:
                time.sleep(boot.kill_after)
                return kill(process, "killed")
            deeds.get(mark, lambda: None)()
        if first_failure and watch.failed:
            return kill(process, "failed")
        if watch.elapsed() > timeout:
            return kill(process, "timeout")
        time.sleep(pause)
    watch.look()
    return "exit"


def kill(process, word):
    process.kill()
    process.wait()
    return word


def grub_line():
    """Boot the disk that scripts/build-disk makes, by its kernel, to install GRUB on it."""
    return [*program(), "-accel", "tcg", "-machine", "q35", "-cpu", matrix.CPUS["default"],
            "-m", "1G", "-display", "none", "-nodefaults", "-no-reboot",
            "-serial", "file:console.log", "-kernel", "vmlinuz", "-initrd", "initrd",
            "-append", "console=ttyS0 root=LABEL=debian rw init=/usr/local/sbin/vmtest-grub "
                       "panic=-1 loglevel=5",
            "-drive", "if=virtio,format=raw,cache=unsafe,file=disk.raw"]


def install_grub(directory, seconds=600):
    """On the disk in this directory, or say why not."""
    log = directory / "console.log"
    process = start(grub_line(), directory, stdin=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process, "")
    if b"vmtest-grub: done" not in log.read_bytes():
        raise paths.SetupError(f"GRUB was not installed: {last_line(log)}; see {paths.shown(log)}")
    log.unlink()


def kvm_works(directory):
    """Boot the stock kernel under KVM for two seconds: a /dev/kvm that opens
    may still be useless (nested, wrong CPU), and only booting tells."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    kernel = need(BUILD / "kernels/6.12/vmlinuz", "make kernels")
    log = pathlib.Path(directory, "kvm-probe.log")
    line = [*program(), "-accel", "kvm", "-machine", "q35", "-cpu", matrix.CPUS["default"],
            "-m", "512M", "-display", "none", "-nodefaults", "-no-reboot",
            "-serial", f"file:{log.name}", "-kernel", str(kernel),
            "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1"]
    log.unlink(missing_ok=True)
    process = start(line, directory, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        kill(process, "")
    return log.exists() and b"Linux version" in log.read_bytes()
