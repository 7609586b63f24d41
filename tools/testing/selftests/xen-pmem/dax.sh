#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A file system with -o dax on the data of a xen-mode namespace: really DAX, and
# what was written is there after a remount, by read() and by mapping.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

# A first store to a page of a MAP_SYNC mapping takes a commit of the journal.
WRITTEN=$((16 << 20))
STORED=$((1 << 20))

make_ext4()
{
	mkfs.ext4 -q -F -b 4096 "$DISK"
}

make_xfs()
{
	mkfs.xfs -q -f -m reflink=0 "$DISK"
}

mount_dax()
{
	mount -t "$1" -o dax "$DISK" "$XP_MNT" &&
		grep -E "^$DISK $XP_MNT $1 [^ ]*[ ,]dax(=always)?[ ,]" /proc/mounts
}

remount()
{
	umount "$XP_MNT" && mount_dax "$1"
}

is_dax_file()
{
	dax_file write "$XP_MNT/probe" 65536 0 && dax_file check "$XP_MNT/probe"
}

# written_then_read FSTYPE write|store SIZE
written_then_read()
{
	dax_file "$2" "$XP_MNT/$2" "$3" 11 && remount "$1" &&
		dax_file verify "$XP_MNT/$2" "$3" 11
}

test_fs()
{
	xp_mark
	check "R6 mkfs.$1 on $DISK" "make_$1"
	check "R6 mount -t $1 -o dax takes effect" mount_dax "$1"
	check "R6 a file on $1 is DAX and can be mapped with MAP_SYNC" is_dax_file
	check "R6 $1: write, fsync, remount, the same by read and by mapping" \
		written_then_read "$1" write $WRITTEN
	check "R6 $1: stores to a MAP_SYNC mapping, remount, the same" \
		written_then_read "$1" store $STORED
	check "R6 $1: unmounts" umount "$XP_MNT"
	check "R6 $1: no splat in the kernel log" xp_no_splat
}

xp_need_xen
xp_need mkfs.ext4 mkfs.xfs dax_file
xp_need_namespace
xp_provisioned "$NS"
xp_begin 14
test_fs ext4
test_fs xfs
ktap_finished
