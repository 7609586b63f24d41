#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu-dma: in an HVM domU with a file system of persistent memory on /mnt, and a disk that
# its device model emulates, AHCI's, which can reach all addresses. That reads into a file,
# mapped with DAX, by DMA; fio has its buffer there. Then the same bytes have to be in the
# file.

fail()
{
	echo "domu-dma: $1"
	exit 1
}

modprobe -a ahci sd_mod
domu-wait /dev/sda 60 || {
	dmesg | grep -E 'ahci|ata|scsi'
	fail "there is no disk"
}
# fio removes the file of its buffer: the other name keeps it.
dd if=/dev/zero of=/mnt/buffer bs=64k count=4 conv=fsync 2>/dev/null
ln /mnt/buffer /mnt/kept
fio --name=dma --filename=/dev/sda --readonly --rw=read --bs=64k --size=64k --direct=1 \
	--ioengine=psync --thread --mem=mmapshared:/mnt/buffer || fail "fio cannot read"
dd if=/dev/sda of=/tmp/disk bs=64k count=1 2>/dev/null
dd if=/mnt/kept of=/tmp/file bs=64k count=1 2>/dev/null
cmp /tmp/disk /tmp/file || fail "the file has not what the disk has"
echo "domu-dma: $(sha256sum </tmp/file)"
