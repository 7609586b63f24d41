#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# plain-unbind.sh ROUNDS: a stock fsdax and a stock device-dax namespace on DIMM 0 come
# and go that often, with no driver of ours, and all memory is used in between. What
# the kernel takes away with a namespace is page tables; each has to be usable again.

. /vmtest/guest/functions.sh

SIZE=$((32 << 20))
# A round has a page table for each 2 MiB, so this is a part of what one could lose.
ALLOWED_KB=4096

provision_stock()
{
	ndctl create-namespace --force --reconfig="$NS" --map=mem "$@"
}

# Without the file system's caches and the like.
free_kb()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

mapped_kb()
{
	awk '$1 == "DirectMap4k:" { print $2 }' /proc/meminfo
}

# Nearly all free pages are written, and many tables are made for processes.
churn()
{
	kb=$(($(free_kb) * 3 / 4))
	mkdir -p /run/churn &&
		mount -t tmpfs -o size="$kb"k churn /run/churn &&
		! dd if=/dev/zero of=/run/churn/fill bs=1M status=none 2>/dev/null &&
		umount /run/churn || return 1
	left=100
	while [ $left -gt 0 ]; do
		/usr/bin/busybox true || return 1
		left=$((left - 1))
	done
}

disk_of_ns()
{
	for disk in "$ND/devices/$(cat "$ND/devices/$NS/holder")"/block/*; do
		[ -b "/dev/${disk##*/}" ] && echo "/dev/${disk##*/}"
	done
}

mount_stock()
{
	mount -t ext4 -o dax "$(disk_of_ns)" "$MNT"
}

write_file()
{
	mkfs.ext4 -q -F -b 4096 "$(disk_of_ns)" && mount_stock &&
		dax_file write "$MNT/file" $SIZE 21 && umount "$MNT"
}

same_file()
{
	mount_stock && dax_file verify "$MNT/file" $SIZE 21 && umount "$MNT"
}

# gone ROUND KIND: its memory is not mapped any more.
gone()
{
	mark "unbind"
	try "round $1: the $2 namespace is disabled" ndctl disable-namespace "$NS"
	is "round $1: the direct map is as before, kB" "$(mapped_kb)" "$MAPPED"
	try "round $1: the memory is usable" churn
}

fsdax_round()
{
	try "round $1: fsdax" provision_stock --mode=fsdax
	try "round $1: a file is written through DAX" write_file
	gone "$1" fsdax
	try "round $1: the namespace is enabled" ndctl enable-namespace "$NS"
	try "round $1: the file is the same" same_file
	gone "$1" "enabled fsdax"
}

devdax_round()
{
	try "round $1: device-dax" provision_stock --mode=devdax --align=4096
	gone "$1" device-dax
}

NS=$(namespace_of 0) || bail "DIMM 0 has no namespace"
MAPPED=$(mapped_kb)
churn || bail "the memory is not usable to begin with"
round=1
while [ $round -le "$1" ]; do
	fsdax_round $round
	devdax_round $round
	[ $round -ne 1 ] || before=$(free_kb)
	round=$((round + 1))
done
after=$(free_kb)
echo "# MemFree after the first round $before kB, after the last $after kB"
try "MemFree did not fall by $ALLOWED_KB kB since the first round" \
	test "$after" -gt $((before - ALLOWED_KB))
finish
