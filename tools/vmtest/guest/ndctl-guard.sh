#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ndctl-guard.sh: disable, destroy and reconfigure of a namespace in xen mode while
# its data is in use, in each way that there is: refused, with the device's name and
# what to do, and nothing has changed. So it is with what holds data, or Xen has kept. Then
# each mode after each other. DIMM 0 has no labels.

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

held()
{
	try "a frame is held" hold "$ns"
	refused held "frame $FRAME is in use, by a guest or a mapping of it.*enabled again" raw
	kill "$HOLDER"
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
	kill "$pid"
	refuses "system-ram" "memory that Xen keeps records of" \
		daxctl reconfigure-device --force --mode=system-ram "$dax"
	is "it is devdax still" "$(daxctl list -d "$dax" | jq -r 'flatten | .[0].mode')" devdax
	try "nobody has it open: disable-namespace" ndctl disable-namespace "$ns"
	try "enable-namespace" ndctl enable-namespace "$ns"
}

# labels_of DIMM: all bytes of the label area.
labels_of()
{
	ndctl read-labels "$(cut -d, -f1 "$ND/devices/$(region_of "$1")/mapping0")" 2>/dev/null |
		sha256sum
}

labelled()
{
	init_labels "$(region_of 1)" &&
		ndctl create-namespace --mode=sector --region="$(region_of 1)" >"$JSON"
}

# not_empty NAMESPACE: neither its label nor its holder class is another afterwards.
not_empty()
{
	labels=$(labels_of 1)
	class=$(cat "$ND/devices/$1/holder_class")
	refuses "R5 $1, sector, is not lost without --force" "$1 holds data" create "$1"
	is "R5 $1: its holder class is as it was" "$(cat "$ND/devices/$1/holder_class")" "$class"
	is "R5 $1: no byte of a label has changed" "$(labels_of 1)" "$labels"
}

# A region that is enabled anew has forgotten the holder class of what has no label.
sector()
{
	try "DIMM 0: sector" ndctl create-namespace --force --reconfig="$ns" --mode=sector
	try "DIMM 0: is idle" ndctl disable-namespace "$ns"
	not_empty "$ns"
	try "DIMM 0: its region is enabled anew" sh -c \
		"ndctl disable-region $(region_of 0) && ndctl enable-region $(region_of 0)"
	try "DIMM 0: is idle" ndctl disable-namespace "$ns"
	is "DIMM 0: it has no holder class" "$(cat "$ND/devices/$ns/holder_class")" ""
	not_empty "$ns"
	try "DIMM 1: labels, sector" labelled
	try "DIMM 1: is idle" ndctl disable-namespace "$(namespace_of 1)"
	not_empty "$(namespace_of 1)"
}

# kept DIMM: no label changes, and it is no free capacity.
kept()
{
	ns_kept=$(namespace_of "$1")
	try "R15 DIMM $1: in xen mode" create "$ns_kept" --force
	uuid=$(xen_attr "$ns_kept" uuid)
	labels=$(labels_of 1)
	try "R15 DIMM $1: Xen keeps it" keep "$ns_kept"
	refuses "R15 DIMM $1: xen mode with --force and a new uuid" "Xen has not given it back" \
		create "$ns_kept" --force --uuid="$(cat /proc/sys/kernel/random/uuid)"
	refuses "R15 DIMM $1: it is no free capacity" "$2" \
		ndctl create-namespace --mode=sector --region="$(region_of "$1")"
	refuses "R15 DIMM $1: it is not destroyed" "Xen may not have given back" \
		ndctl destroy-namespace --force "$ns_kept"
	is "R15 DIMM $1: no byte of a label has changed" "$(labels_of 1)" "$labels"
	kill "$HOLDER"
	try "R15 DIMM $1: Xen gives it back" wait_for 20 xen_has 0
	try "R15 DIMM $1: it is enabled" ndctl enable-namespace "$ns_kept"
	is "R15 DIMM $1: as it was" "$(xen_attr "$ns_kept" uuid)" "$uuid"
	try "R15 DIMM $1: it is idle" ndctl disable-namespace "$ns_kept"
}

force_raw()
{
	[ "$(cat "$ND/devices/$ns/force_raw")" = 1 ]
}

# SIGTERM at some time, also while it is a raw disk for ndctl to look at: 0 or 1.
killed_after()
{
	ndctl destroy-namespace "$ns" 2>/dev/null &
	pid=$!
	sleep "$1"
	kill -TERM $pid 2>/dev/null
	wait $pid
	! force_raw || echo 1 "$1"
}

killed()
{
	for _ in 1 2 3 4 5 6; do
		for ms in 02 05 08 11 14 17 20 25 30 40; do
			killed_after 0.$ms
		done
	done
}

raw_window()
{
	is "R5 no signal ends ndctl while it is a raw disk" "$(killed | wc -l)" 0
	echo 1 >"$ND/devices/$ns/force_raw"
	try "R5 a force_raw that was left: enable-namespace" ndctl enable-namespace "$ns"
	try "R5 it is in xen mode" is_xen "$ns"
	is "R5 force_raw is reset" "$(cat "$ND/devices/$ns/force_raw")" 0
	is "R5 it is as it was" "$(xen_attr "$ns" uuid)" "$uuid"
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

sector
kept 1 "No space left"
kept 0 "Xen may not have given back"
raw_window
try "in xen mode" create "$ns" --force
uuid=$(xen_attr "$ns" uuid)
disks
held
devdax
each_mode
finish
