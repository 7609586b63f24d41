#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A namespace that Xen never heard of, in a PV dom0: the driver keeps its page tables
# too, so that to unbind it does not bring the kernel down.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

ROUNDS=3
PLAIN=$XP_ND/drivers/nd_pmem

# made MODE ARGUMENT...: a namespace of a stock mode, its struct pages in RAM.
made()
{
	ndctl create-namespace --force --reconfig="$NS" --mode="$1" --map=mem \
		--no-autolabel ${2:+"$2"} >"$XP_TMP/json"
	cat "$XP_TMP/json"
	HOLDER=$(cat $XP_ND/devices/"$NS"/holder)
	[ "$(xp_json mode <"$XP_TMP/json")" = "$1" ] && [ -n "$HOLDER" ]
}

bound_again()
{
	[ -e $XP_ND/devices/"$HOLDER"/driver ] || xp_write "$HOLDER" $PLAIN/bind
	DISK=/dev/$(ls $XP_ND/devices/"$HOLDER"/block) &&
		xp_wait 10 test -b "$DISK"
}

used_and_gone()
{
	bound_again && mkfs.ext4 -q -F -b 4096 "$DISK" &&
		mount -t ext4 -o dax "$DISK" "$XP_MNT" &&
		dax_file write "$XP_MNT/file" $((8 << 20)) 3 && umount "$XP_MNT" &&
		xp_unbind "$HOLDER"
}

made_devdax()
{
	made devdax --align=4k && CHARDEV=$(xp_json chardev <"$XP_TMP/json") &&
		[ -n "$CHARDEV" ]
}

# No event on the nd bus goes with it.
unbind_dax()
{
	xp_write "$CHARDEV" /sys/bus/dax/drivers/device_dax/unbind
}

gone()
{
	ndctl destroy-namespace --force "$NS"
}

page_tables()
{
	sed -n 's/^DirectMap4k: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

none_left()
{
	equal "kB of direct map" "$(page_tables)" "$BEFORE"
}

xp_need_xen
xp_need mkfs.ext4 dax_file
! xp_pvh || xp_skip "a PVH domain has page tables of its own"
xp_need_namespace
xp_idle "$NS"
ndctl destroy-namespace --force "$NS" >/dev/null 2>&1
xp_idle "$NS"
BEFORE=$(page_tables)

xp_begin $((ROUNDS * 2 + 9))
xp_mark
check "R15 a plain fsdax namespace" made fsdax
round=1
while [ $round -le $ROUNDS ]; do
	check "R15 round $round: it is used and unbound" used_and_gone
	check "R15 round $round: the memory of dom0 is usable" xp_churn
	round=$((round + 1))
done
check "R15 the direct map is as it was" none_left
check "R15 a plain devdax namespace" made_devdax
check "R15 its dax device is unbound" unbind_dax
check "R15 the memory of dom0 is usable" xp_churn
check "R15 the namespace is destroyed" gone
check "R15 the memory of dom0 is usable, again" xp_churn
check "R15 the direct map is as it was, again" none_left
check "R15 no splat in the kernel log" xp_no_splat
ktap_finished
