#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Unbind and bind again, with the memory of dom0 used up in between: Xen takes
# the region back each time, the data is the same, and the kernel is content.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

SIZE=$((32 << 20))
ROUNDS=3

regions()
{
	xenpf_pmem list | grep -cw "data_spfn=$(xp_frame "$START")"
}

mount_data()
{
	DISK=$(xp_disk "$NS") && xp_wait 10 test -b "$DISK" &&
		mount -t ext4 -o dax "$DISK" "$XP_MNT"
}

same_data()
{
	mount_data && dax_file verify "$XP_MNT/file" $SIZE 21 && umount "$XP_MNT"
}

# unbound LISTED: the driver lets go, and Xen lists the region that often.
unbound()
{
	xp_unbind "$NS" && ! xp_bound "$NS" &&
		equal "regions that Xen lists" "$(regions)" "$1"
}

bound_as()
{
	xp_bind "$NS" && xp_bound "$NS" &&
		equal state "$(xp_attr "$NS" state)" "$1" &&
		equal "regions that Xen lists" "$(regions)" 1
}

quarantined()
{
	cat $XP_DRIVER/quarantine
	grep -q "^$NS 0x[0-9a-f]*-0x[0-9a-f]* error=-16 frame=$(xp_frame $((START + (1 << 20))))$" \
		$XP_DRIVER/quarantine
}

# A reference that Xen counts and the driver cannot drop.
held()
{
	xenpf_pmem map self "$(xp_frame $((START + (1 << 20))))" rw hold >"$XP_TMP/hold" &
	HOLDER=$!
	xp_at_exit "kill $HOLDER"
	xp_wait 10 grep -q . "$XP_TMP/hold"
	check "R15 unbind while a frame is in use: Xen keeps the region" unbound 1
	check "R15 the driver tells which frame is in the way" quarantined
	check "R15 the memory of dom0 is usable" xp_churn
	check "R16 bind: the region is adopted" bound_as adopted
	check "R36 the last error stays readable" \
		grep -q "^-16: Xen still has frame " $XP_ND/devices/"$NS"/xen/last_error
	check "R15 the quarantine is empty" equal quarantine "$(cat $XP_DRIVER/quarantine)" ""
	kill $HOLDER
	wait $HOLDER 2>/dev/null
	check "R16 the file is the same" same_data
}

# Bound again by loading the module alone.
reload()
{
	xp_unbind "$NS" && rmmod xen_pmem && modprobe xen_pmem &&
		xp_wait 20 xp_bound "$NS"
}

# class CLASS: what kind of block it is for. Without a label the kernel remembers it, and
# says that it failed, as it has nowhere to write it to.
class()
{
	xp_write "$1" $XP_ND/devices/"$NS"/holder_class 2>/dev/null
	equal holder_class "$(cat $XP_ND/devices/"$NS"/holder_class)" "$1"
}

# for_another CLASS: other kernels would not look for our block, and show a raw disk.
for_another()
{
	class "$1" || return 1
	xp_mark
	if xp_bind "$NS" >"$XP_TMP/bind" 2>&1; then
		echo "the driver has bound $NS"
		return 1
	fi
	cat "$XP_TMP/bind"
	one_line "xen_pmem: $NS: the label says that it is for another kind of device" \
		"set its holder_class to" && equal "regions that Xen lists" "$(regions)" 0
}

for_us()
{
	class pfn && bound_as active
}

xp_need_xen
xp_need mkfs.ext4 dax_file
xp_need_namespace
xp_provisioned "$NS"
START=$(xp_attr "$NS" resource)

PLAN=$((ROUNDS * 4 + 15))
! xp_pvh || PLAN=$((PLAN - 7))
xp_begin $PLAN
xp_mark
mkfs.ext4 -q -F -b 4096 "$DISK"
mount_data && dax_file write "$XP_MNT/file" $SIZE 21 && umount "$XP_MNT"

round=1
while [ $round -le $ROUNDS ]; do
	check "R15 round $round: unbind, and Xen has taken the region back" unbound 0
	check "R15 round $round: the memory of dom0 is usable" xp_churn
	check "R16 round $round: bind, and Xen has it again" bound_as active
	check "R16 round $round: the file is the same" same_data
	round=$((round + 1))
done

refused "R15 the module stays while it has a region" "in use|[Bb]usy|unavailable" \
	rmmod xen_pmem
check "R16 unbind, unload, load: bound without a command" reload
check "R16 the file is the same" same_data

xp_pvh || held
check "R15 unbind, now Xen has taken the region back" unbound 0
check "R15 R16 no splat in the kernel log" xp_no_splat
for word in dax btt; do
	check "R30 its holder class is $word: it is refused, in one line" for_another $word
done
check "R30 its holder class is pfn: it is taken" for_us
ktap_finished
