#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# memmap.sh: struct pages for the data of DIMM 0 would take more than an eighth of
# dom0's RAM, page tables would not. The data is a disk without DAX, and the driver says
# why; by the module's parameter it has struct pages all the same, or none without a
# word.
#
# The row keeps nd_pmem away while it is blank.

. /vmtest/guest/functions.sh

TOO_DEAR='no struct pages for the data and so no DAX: it would take'

# reloaded [PARAMETER]: the namespace is bound again by itself.
reloaded()
{
	write_line "$ns" "$ND/drivers/xen_pmem/unbind" && rmmod xen_pmem &&
		modprobe xen_pmem "$@" && wait_for 60 is_xen "$ns"
}

disk_is_there()
{
	wait_for 30 inner_disk "$ns" && disk=$(inner_disk "$ns")
}

works()
{
	mkfs.ext4 -q -F -b 4096 "$disk" && mount -t ext4 "$@" "$disk" "$MNT" &&
		echo word >"$MNT/file" && sync && grep -q word "$MNT/file" && umount "$MNT"
}

# level NAME DAX WARNINGS: what the data is, and how often the driver said why.
level()
{
	try "$1: there is a disk" disk_is_there
	is "R13 $1: xen/memmap" "$(xen_attr "$ns" memmap)" "$2"
	is "$1: queue/dax" "$(cat "/sys/block/${disk#/dev/}/queue/dax")" "$3"
	is "$1: lines that say why" "$(dmesg | grep -c "$TOO_DEAR")" "$4"
}

modprobe nd_pmem
try "DIMM 0: create-namespace --mode=xen" provision 0
ns=$(namespace_of 0)
level "by the rule" none 0 1
try "by the rule: a file system" works
refuses "by the rule: no file system with -o dax" "." works -o dax=always
umount "$MNT" 2>/dev/null
try "memmap=1" reloaded memmap=1
level "memmap=1" mem 1 1
try "memmap=1: a file system with -o dax" works -o dax=always
try "memmap=0" reloaded memmap=0
level "memmap=0" none 0 1
try "memmap=0: a file system" works
finish
