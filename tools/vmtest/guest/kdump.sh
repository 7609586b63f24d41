#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kdump.sh crash: with a file that was made durable, dom0 loads a crash kernel
# through Xen, and panics.
# kdump.sh verify: in that kernel, without Xen, the block and the data are as they
# were. What they were comes on its command line, xp:KEY=VALUE.

. /vmtest/guest/functions.sh

BYTES=$((16 << 20))

sum()
{
	sha256sum | cut -d' ' -f1
}

# expected KEY
expected()
{
	tr ' ' '\n' </proc/cmdline | sed -n "s/^xp:$1=//p"
}

# Its memory map is Xen's: were the reserved area reserved there as well, nothing
# could be bound to the namespace.
load_with_facts()
{
	load_crash_kernel "$(sed 's/^/xp:/' "$OUT/facts" | tr '\n' ' ')"
}

# The whole namespace as a disk, whatever its block says.
raw_disk()
{
	write_line 1 "$ND/devices/$1/force_raw" &&
		write_line "$1" "$ND/drivers/nd_pmem/bind" &&
		wait_for 10 test -b "/dev/$(ls "$ND/devices/$1/block")"
}

# mount_data DISK OFFSET: the file system in it. This replays its journal.
mount_data()
{
	modprobe loop && loop=$(losetup -f) && losetup -o "$2" "$loop" "$1" &&
		mount -t ext4 -o ro "$loop" "$MNT"
}

case $1 in
crash)
	try "DIMM 0 is back" back 0
	try "ext4 -o dax" mount_inner 0 ext4
	try "a file, made durable" dax_file write "$MNT/crash" $BYTES 9
	ns=$(namespace_of 0)
	facts_of 0
	fact data0 "$(offset_of "$ns" "$(xen_attr "$ns" resource)")"
	fact data_end0 $(($(offset_of "$ns" "$(xen_attr "$ns" resource)") + $(xen_attr "$ns" size)))
	fact file_sum "$(sum <"$MNT/crash")"
	try "R29 kexec loads a crash kernel into Xen" load_with_facts
	panic_now
	;;
verify)
	ns=$(namespace_of 0)
	refuses "R29 no Xen below" "No such file" ls /sys/hypervisor/uuid
	try "R29 $ns is bound to no driver" has_no_driver "$ns"
	try "R29 no disk, pfn, btt or dax device" no_pmem_of "$ns"
	try "R29 the namespace as a raw disk" raw_disk "$ns"
	disk=/dev/$(ls "$ND/devices/$ns/block")
	for key in header0 header_end0 rsv0 rsv_end0 data0 data_end0; do
		fact $key "$(expected $key)"
	done
	try "R29 the block has a good checksum" info_block check "$disk"
	try "R29 ext4 recovers its journal" mount_data "$disk" "$(expected data0)"
	is "R29 the file is as it was" "$(sum <"$MNT/crash")" "$(expected file_sum)"
	;;
esac
finish
