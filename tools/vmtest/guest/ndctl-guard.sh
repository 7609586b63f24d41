#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ndctl-guard.sh: disable, destroy and reconfigure of a namespace in xen mode while
# its data is in use, in each way that there is: refused, with the device's name and
# what to do, and nothing has changed. Then each mode after each other.

. /vmtest/guest/ndctl-functions.sh

ns=$(namespace_of 0)

# refused HOW REGEX MODE...: each outer operation, while the data is in use.
refused()
{
	how=$1 says=$2
	shift 2
	refuses "R15 $how: disable-namespace" "$says" ndctl disable-namespace "$ns"
	refuses "R15 $how: disable-region" "$says" ndctl disable-region "$(region_of 0)"
	refuses "R15 $how: destroy-namespace --force" "$says" ndctl destroy-namespace --force "$ns"
	for mode; do
		refuses "R15 $how: create-namespace --force --mode=$mode" "$says" \
			ndctl create-namespace --force --reconfig="$ns" --mode="$mode"
	done
	is "R15 $how: it is as it was" "$(xen_attr "$ns" uuid)" "$uuid"
	try "R15 $how: its data is enabled" wait_for 20 enabled
}

enabled()
{
	[ "$(listed "$(inner_of "$ns")" '.state // "enabled"')" = enabled ]
}

disks()
{
	disk=$(inner_disk "$ns")
	mkfs.ext4 -q -F -b 4096 "$disk"
	try "its data is mounted" mount -t ext4 -o dax "$disk" "$MNT"
	refused mounted "its data, ${disk#/dev/} on ndbus.*, is in use, unmount or close it" \
		raw sector xen
	umount "$MNT"
	exec 9<"$disk"
	refused open "its data, ${disk#/dev/} on ndbus.*, is in use, unmount or close it" xen
	exec 9<&-
}

# Xen knows of this one, and nobody else.
held()
{
	frame=$(printf '%#x' $((($(xen_attr "$ns" resource) >> 12) + 256)))
	xenpf_pmem map self "$frame" rw hold >/run/xp/hold &
	pid=$!
	try "a frame is held" wait_for 10 grep -q . /run/xp/hold
	refused held "frame $frame is in use, by a guest or a mapping of it.*enabled again" raw
	kill $pid
}

devdax()
{
	try "devdax" create "$ns" --force --personality=devdax
	uuid=$(xen_attr "$ns" uuid)
	dax=$(chardev "$(inner_of "$ns")")
	sleep 1000 <>"/dev/$dax" &
	pid=$!
	refused "devdax open" "its data, $dax of namespace.*, is open or mapped by process $pid" \
		raw sector xen
	kill $pid
	refuses "system-ram" "memory that Xen keeps records of" \
		daxctl reconfigure-device --force --mode=system-ram "$dax"
	is "it is devdax still" "$(daxctl list -d "$dax" | jq -r 'flatten | .[0].mode')" devdax
	try "nobody has it open: disable-namespace" ndctl disable-namespace "$ns"
	try "enable-namespace" ndctl enable-namespace "$ns"
}

# In a PV domain nothing comes after fsdax and devdax but xen, see the guide.
each_mode()
{
	for mode in sector raw; do
		try "xen to $mode" ndctl create-namespace --force --reconfig="$ns" --mode="$mode"
		udevadm settle
		is "it is $mode" "$(listed "$ns" .mode)" $mode
		try "$mode to xen" create "$ns" --force
	done
	try "xen to devdax" ndctl create-namespace --force --reconfig="$ns" --mode=devdax
	is "it is devdax" "$(listed "$ns" .mode)" devdax
	refuses "devdax to xen in a PV domain" "a PV domain cannot end" create "$ns" --force
}

try "in xen mode" create "$ns" --force
uuid=$(xen_attr "$ns" uuid)
disks
held
devdax
each_mode
finish
