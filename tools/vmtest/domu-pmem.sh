#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu-pmem new|again [typed]: in a domU that was given frames of persistent memory,
# make its device, and there a file system with a file; or look for the file of the domU
# before. With "typed", each command is shown as a person would type it.
#
# A domU that has the memory by "pmem" has an NVDIMM root device, and there is no udev to
# load what it names. Its namespace is raw, without DAX, until ndctl makes it fsdax. One
# that has the memory by "iomem" needs the module of ours, unless it is HVM.

FILE=/mnt/file

# do_it COMMAND-LINE
do_it()
{
	[ -z "$TYPED" ] || echo "domU# $1"
	sh -c "$1" || {
		echo "domu-pmem: '$1' failed: $?"
		exit 1
	}
}

TYPED=${2:-}
ROOT_DEVICE=/sys/bus/acpi/devices/ACPI0012:00
if [ -e $ROOT_DEVICE ]; then
	do_it "modprobe $(cat $ROOT_DEVICE/modalias)"
elif ! grep -q -i persistent /proc/iomem; then
	do_it "modprobe xen_pmem_guest"
fi
modprobe -a nd_e820 nd_pmem ext4
domu-wait /dev/pmem0 10
if [ "$1" = new ] && [ -e $ROOT_DEVICE ]; then
	do_it "ndctl create-namespace --force --reconfig=namespace0.0 --mode=fsdax --map=mem"
	domu-wait /dev/pmem0 10
fi
do_it "grep -i persistent /proc/iomem"
[ "$1" != new ] || do_it "mkfs.ext4 -q -b 4096 /dev/pmem0"
do_it "mount -t ext4 -o dax /dev/pmem0 /mnt && grep pmem0 /proc/mounts"
if [ "$1" = new ]; then
	do_it "dd if=/dev/urandom of=$FILE bs=1M count=16 conv=fsync 2>/dev/null"
	do_it "cd /mnt && sha256sum file | tee sum; sync"
else
	do_it "cd /mnt && sha256sum -c sum"
fi
