#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-dax.sh stock|xen: what operations on a file take, on ext4 -o dax of the NVDIMM: of
# a stock fsdax namespace, or of the data that Xen has the records of. And how long the
# probe takes, from when the namespace is bound to its disk, except under a stock Xen, of
# which dom0 does not survive an unbind.

. /vmtest/guest/bench-functions.sh

# A PV dom0 has no large pages.
make_stock()
{
	align=2M
	[ "$XP_XEN" = none ] || align=4K
	ndctl create-namespace --force --mode=fsdax --map=mem --align=$align \
		--reconfig="$(namespace_of 0)" && wait_for 20 test -b /dev/pmem0
}

disk_of()
{
	case $1 in
	stock) echo /dev/pmem0 ;;
	xen) inner_disk "$(namespace_of 0)" ;;
	esac
}

# Of its pages in the direct map: how many are there, how many of those are write-back.
page_tables()
{
	dev=/sys/class/block/${DISK#/dev/}/device
	insmod /selftests/xen-pmem/test_modules/xen_pmem_pte.ko || return
	write_line "direct $(cat "$dev/resource") $(($(cat "$dev/size") >> 12))" \
		/sys/kernel/debug/xen_pmem_pte/walk || return
	tr ' ' '\n' </sys/kernel/debug/xen_pmem_pte/walk | sed -n \
		's/^\(present\|wb\)=/pte_\1=/p'
	rmmod xen_pmem_pte
}

use_file()
{
	mkfs.ext4 -q -F -b 4096 "$DISK" && mount -t ext4 -o dax "$DISK" "$MNT" &&
		figures pmem_bench dax "$MNT/file" && umount "$MNT"
}

probe()
{
	case $1 in
	stock)
		ndctl disable-namespace "$(namespace_of 0)" &&
			figures pmem_bench until "$DISK" \
				"$ND/drivers/nd_pmem/bind" "$(namespace_of 0)"
		;;
	xen)
		write_line "$(namespace_of 0)" "$ND/drivers/xen_pmem/unbind" &&
			figures pmem_bench until "$DISK" \
				"$ND/drivers/xen_pmem/bind" "$(namespace_of 0)"
		;;
	esac
}

modprobe nd_pmem
udevadm settle
try "ticks are instructions" counts_instructions
case $1 in
stock) try "a stock namespace" make_stock ;;
xen) try "Xen has the records" provision 0; try "its disk" back 0 ;;
esac
DISK=$(disk_of "$1")
try "page tables" figures page_tables
try "a file" use_file
if [ "$1" = xen ] || [ "$XP_XEN" = none ]; then
	try "the probe" probe "$1"
	# For the functions that it is in.
	grep -i " t " /proc/kallsyms >"$OUT/kallsyms"
fi
finish
