#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the page tables of dom0 say about the data: write-back after ADD, in the
# direct map, in a new kernel mapping and in a user's DAX mapping. In a PV dom0 the
# same reading without ADD says something else, which shows that it can fail. In a
# PVH dom0 it is the p2m that changes, where dom0 cannot look.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

FEW=16

# ask KIND ADDRESS PAGES
ask()
{
	xp_write "$1 $2 $3" $XP_PTE && cat $XP_PTE
}

# all_wb KIND ADDRESS PAGES: each entry is there, maps its own frame, write-back.
all_wb()
{
	local found

	found=$(ask "$1" "$2" "$3") || return 1
	echo "$found"
	case $found in
	"pages=$3 present=$3 identity=$3 wb=$3 "*) ;;
	*) return 1 ;;
	esac
}

none_wb()
{
	local found

	found=$(ask "$1" "$2" "$3") || return 1
	echo "$found"
	case $found in
	"pages=$3 present=$3 identity=$3 wb=0 "*) ;;
	*) return 1 ;;
	esac
}

# A user's mapping of a DAX file: write-back, and all of it within the data.
user_wb()
{
	local pages=1024 found low high

	dax_file write "$XP_MNT/file" $((pages * 4096)) 3 || return 1
	found=$(dax_file walk "$XP_MNT/file" $XP_PTE) || return 1
	echo "$found"
	case $found in
	"pages=$pages present=$pages identity=0 wb=$pages "*) ;;
	*) return 1 ;;
	esac
	low=$(echo "$found" | xp_value low)
	high=$(echo "$found" | xp_value high)
	[ $((low << 12)) -ge $((START)) ] &&
		[ $((high << 12)) -lt $((START + SIZE)) ]
}

xp_need_xen
xp_need mkfs.ext4 dax_file
xp_need_namespace
[ -d /sys/kernel/debug/x86 ] || xp_skip "debugfs is not mounted"
xp_provisioned "$NS"
xp_need_module pte

START=$(xp_attr "$NS" resource)
SIZE=$(xp_attr "$NS" size)

PLAN=6
! xp_pvh || PLAN=5
xp_begin $PLAN
check "R24 after ADD each page of the data is write-back in the direct map" \
	all_wb direct "$START" $((SIZE >> 12))
check "R24 after ADD a new kernel mapping of the data is write-back" \
	all_wb remap "$START" $FEW
mkfs.ext4 -q -F -b 4096 "$DISK" && mount -t ext4 -o dax "$DISK" "$XP_MNT"
check "R24 a user's mapping of a DAX file is write-back, within the data" user_wb
umount "$XP_MNT"

xp_unbind "$NS"
xp_pvh || check "R24 without ADD the same kernel mapping is not write-back" \
	none_wb remap "$START" $FEW
check "R28 the namespace binds again" xp_bind "$NS"
xp_wait 20 xp_inner "$NS" 'block/*'
check "R24 after the second ADD all of the data is write-back again" \
	all_wb direct "$START" $((SIZE >> 12))
ktap_finished
