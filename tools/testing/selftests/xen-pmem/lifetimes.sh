#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What goes away in the wrong order: the NVDIMMs' own driver while Xen has a region,
# with and without a frame in use; a namespace under a mounted file system; two
# namespaces at once, from several shells. Nothing hangs, Xen keeps what is in use,
# the kernel says one line, and everything comes back with its data.
#
# An NVDIMM is ejected by the firmware; unbinding nfit stands for it, as libnvdimm
# makes no difference.
#
# For a PV control domain: what a PVH one uses itself Xen does not count.
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

BYTES=$((4 << 20))
ROUNDS=4
# The driver tries every 5 seconds.
RETRY=20

# nfit: an ACPI driver, in newer kernels a platform driver. Sets NFIT, NFIT_DRIVER.
find_nfit()
{
	local dev

	for dev in /sys/bus/acpi/devices/ACPI0012:* /sys/bus/platform/devices/ACPI0012:*; do
		[ -e "$dev/driver" ] || continue
		NFIT=$(basename "$dev")
		NFIT_DRIVER=$(readlink -f "$dev/driver")
		return 0
	done
	return 1
}

# ns_at ADDRESS: the namespace there; a nested one starts elsewhere.
ns_at()
{
	local dev

	for dev in "$XP_ND"/devices/namespace*; do
		[ "$(cat "$dev/resource" 2>/dev/null)" = "$1" ] || continue
		[ "$(cat "$dev/size")" -gt 0 ] || continue
		basename "$dev"
		return 0
	done
	return 1
}

# came_back ADDRESS STATE: without a command at it. The driver core shows a driver's
# attributes when its probe is over.
came_back()
{
	xp_wait 30 ns_at "$1" || return 1
	xp_wait 30 xp_attr "$(ns_at "$1")" state &&
		equal state "$(xp_attr "$(ns_at "$1")" state)" "$2" &&
		xp_wait 20 xp_inner "$(ns_at "$1")" 'block/*'
}

nfit_unbind()
{
	xp_write "$NFIT" "$NFIT_DRIVER/unbind" && ! ns_at "$AT" && ! ns_at "$AT2" &&
		! grep -l '^xen-pmem$' $XP_ND/devices/ndbus*/provider
}

# nfit_bind STATE: the first namespace comes back as this, the second as active.
# Their names may be others.
nfit_bind()
{
	xp_write "$NFIT" "$NFIT_DRIVER/bind" && came_back "$AT" "$1" &&
		came_back "$AT2" active || return 1
	NAME=$(ns_at "$AT")
	NAME2=$(ns_at "$AT2")
}

# share_records: one of the two is kept while the other one is there.
share_records()
{
	local size size2

	size=$(cat $XP_ND/devices/"$NS"/size)
	size2=$(cat $XP_ND/devices/"$NS2"/size)
	[ $((AT >> 30)) -le $(((AT2 + size2 - 1) >> 30)) ] &&
		[ $((AT2 >> 30)) -le $(((AT + size - 1) >> 30)) ]
}

# xen_has ADDRESS...: of data, and no other regions.
xen_has()
{
	local addr

	equal "number of regions" "$(xenpf_pmem list | grep -c data_spfn=)" $# || return 1
	for addr; do
		xenpf_pmem list | grep -w "data_spfn=$(xp_frame "$addr")" || return 1
	done
}

mount_data()
{
	DISK=$(xp_disk "$(ns_at "$1")") && xp_wait 10 test -b "$DISK" &&
		mount -t xfs -o dax "$DISK" "$XP_MNT"
}

make_data()
{
	DISK=$(xp_disk "$(ns_at "$1")") && xp_wait 10 test -b "$DISK" &&
		mkfs.xfs -q -f -m reflink=0 "$DISK" && mount_data "$1" &&
		dax_file write "$XP_MNT/file" $BYTES "$2" && umount "$XP_MNT"
}

make_files()
{
	make_data "$AT" 31 && make_data "$AT2" 32
}

# same_data ADDRESS SEED
same_data()
{
	mount_data "$1" && dax_file verify "$XP_MNT/file" $BYTES "$2" && umount "$XP_MNT"
}

same_files()
{
	same_data "$AT" 31 && same_data "$AT2" 32
}

# A reference that Xen counts and the driver cannot drop: a frame of the first one.
hold()
{
	: >"$XP_TMP/hold"
	HELD=$(xp_frame $((DATA + (1 << 20))))
	xenpf_pmem map self "$HELD" rw hold >"$XP_TMP/hold" &
	HOLDER=$!
	xp_at_exit "kill $HOLDER"
	xp_wait 10 grep -q . "$XP_TMP/hold"
}

release()
{
	kill "$HOLDER"
	wait "$HOLDER" 2>/dev/null
	return 0
}

kept_line()
{
	one_line "Xen still has frame $HELD of it in use"
}

# The range of the first namespace stays busy without the namespace.
claimed()
{
	grep -Ei "^ *$(printf '%x' $((AT)))-.* : $NAME\$" /proc/iomem
}

module_stays()
{
	! rmmod xen_pmem 2>"$XP_TMP/rmmod" &&
		grep -E 'in use|[Bb]usy|unavailable' "$XP_TMP/rmmod"
}

# given_back: by itself, with a line.
given_back()
{
	xp_wait $RETRY xen_has "$@" && xp_messages | grep "$NAME: Xen has given it back"
}

reload()
{
	rmmod xen_pmem && modprobe xen_pmem
}

nfit_goes()
{
	xp_mark
	check "R28 nfit is unbound, nothing in use: both namespaces go" nfit_unbind
	check "R28 and Xen has no region" xen_has
	check "R28 and the driver has nothing to say" equal lines "$(xp_lines)" ""
	check "R28 nfit is bound: both come back by themselves" nfit_bind active
	check "R28 and Xen has both" xen_has "$DATA" "$DATA2"
	check "R28 and their files are the same" same_files
}

nfit_goes_in_use()
{
	hold
	xp_mark
	check "R28 nfit is unbound while a frame is in use: it returns" nfit_unbind
	check "R28 one line, which names the frame" kept_line
	check "R15 Xen keeps the region of the frame, and no other" xen_has "$DATA"
	check "R15 its addresses stay claimed" claimed
	check "R15 the module stays" module_stays
	check "R15 the memory of dom0 is usable" xp_churn
}

adopted_later()
{
	nfit_goes_in_use
	check "R16 nfit is bound: the one is adopted, the other as ever" nfit_bind adopted
	check "R16 Xen has both" xen_has "$DATA" "$DATA2"
	release
	check "R16 their files are the same" same_files
}

# The driver tries each 5 seconds, and more than once.
kept_on()
{
	sleep 12
	xen_has "$DATA"
}

given_back_later()
{
	nfit_goes_in_use
	check "R15 as long as the frame is in use" kept_on
	release
	check "R15 the frame is free: Xen gives the region back by itself" given_back
	check "R15 its addresses are free" sh -c "! grep ': $NAME\$' /proc/iomem"
	check "R15 the module can be unloaded, and loaded" reload
	check "R28 nfit is bound: both come back by themselves" nfit_bind active
	check "R28 and their files are the same" same_files
}

# fails_soon COMMAND...: with an error of its own, and not because time is up.
fails_soon()
{
	local rc

	timeout 30 "$@"
	rc=$?
	echo "'$*': status $rc"
	[ $rc -ne 0 ] && [ $rc -ne 124 ]
}

usable_no_more()
{
	fails_soon touch "$XP_MNT/new" && fails_soon cmp "$XP_MNT/file" /dev/zero
}

goes_while_mounted()
{
	mount_data "$AT"
	check "R15 mounted: the driver says that it is in use" \
		equal busy "$(xp_attr "$NAME" busy)" 1
	hold
	xp_mark
	check "R15 unbind while mounted and a frame in use: it returns" xp_unbind "$NAME"
	check "R15 one line, which names the frame" kept_line
	check "R15 Xen keeps the region" xen_has "$DATA" "$DATA2"
	check "R15 its disk is gone" test ! -b "$DISK"
	check "R15 files can be used no more, and nothing hangs" usable_no_more
	release
	check "R15 the frame is free: given back, still mounted" given_back "$DATA2"
	check "R15 it is unmounted" umount "$XP_MNT"
	check "R16 it is bound: Xen has it again" xp_bind "$NAME"
	check "R16 its file is the same" same_data "$AT" 31
}

# tuple_of ADDRESS: of data, as xenpf_pmem takes it.
tuple_of()
{
	local line key

	line=$(xenpf_pmem list | grep -w "data_spfn=$(xp_frame "$1")") || return 1
	for key in spfn epfn rsv_spfn rsv_epfn data_spfn data_epfn; do
		echo "$line" | xp_value $key
	done
}

unbind_and_add()
{
	xp_unbind "$NAME" && xen_has "$DATA2" || return 1
	# shellcheck disable=SC2086 # words
	xenpf_pmem add $TUPLE && xen_has "$DATA" "$DATA2"
}

bound_as()
{
	xp_bind "$NAME" && equal state "$(xp_attr "$NAME" state)" "$1"
}

unbound_by_driver()
{
	xp_unbind "$NAME" && xen_has "$DATA2"
}

# As a kernel finds it that was started anew under the same Xen.
known_to_xen()
{
	TUPLE=$(tuple_of "$DATA" | paste -sd' ')
	check "R16 Xen is given the region by somebody else" unbind_and_add
	check "R16 bind: it is adopted" bound_as adopted
	check "R16 its file is the same" same_data "$AT" 31
	check "R15 unbind: Xen has given it back" unbound_by_driver
	check "R16 bind: as ever" bound_as active
}

# cycle NAMESPACE: for a shell of its own; says "done" if all of it succeeded.
cycle()
{
	local round=0

	while [ $round -lt $ROUNDS ]; do
		xp_unbind "$1" && xp_bind "$1" && xp_wait 20 xp_inner "$1" 'block/*' || return 1
		round=$((round + 1))
	done
	echo "done $1"
}

# Reads what the two others take away, until there is no $XP_TMP/running.
look()
{
	while [ -e "$XP_TMP/running" ]; do
		cat $XP_ND/devices/"$NAME"/xen/* $XP_ND/devices/"$NAME2"/xen/*
		xenpf_pmem list
		ndctl list -N
	done >/dev/null 2>&1
}

# fight NAMESPACE: without regard to what the other shells do to it.
fight()
{
	local round=0

	while [ $round -lt $ROUNDS ]; do
		xp_unbind "$1"
		xp_bind "$1"
		round=$((round + 1))
	done >/dev/null 2>&1
}

all_rounds()
{
	local first second

	touch "$XP_TMP/running"
	look &
	cycle "$NAME" >"$XP_TMP/one" 2>&1 &
	first=$!
	cycle "$NAME2" >"$XP_TMP/two" 2>&1 &
	second=$!
	wait $first
	wait $second
	rm "$XP_TMP/running"
	wait
	cat "$XP_TMP/one" "$XP_TMP/two"
	grep -q "^done $NAME\$" "$XP_TMP/one" && grep -q "^done $NAME2\$" "$XP_TMP/two"
}

several_fight()
{
	fight "$NAME2" &
	fight "$NAME2" &
	fight "$NAME2" &
	wait
	xp_bound "$NAME2" || xp_bind "$NAME2"
	xp_bound "$NAME2"
}

at_once()
{
	check "R28 two namespaces, $ROUNDS rounds at once: each bind succeeds" all_rounds
	check "R28 three shells at the same one: it can be bound in the end" several_fight
	check "R28 Xen has both" xen_has "$DATA" "$DATA2"
	check "R28 their files are the same" same_files
}

xp_need_xen
! xp_pvh || xp_skip "this is a PVH domain, of which Xen counts no mappings"
xp_need mkfs.xfs dax_file timeout
xp_need_namespace
NS2=$XEN_PMEM_SPARE
if [ -z "$NS2" ] || [ ! -e $XP_ND/devices/"$NS2" ] || [ "$NS2" = "$NS" ]; then
	xp_skip "set XEN_PMEM_SPARE to a second namespace that may be overwritten"
fi
find_nfit || xp_skip "nfit is bound to no device"
xp_provisioned "$NS2"
xp_provisioned "$NS"
NAME=$NS NAME2=$NS2
AT=$(cat $XP_ND/devices/"$NS"/resource)
AT2=$(cat $XP_ND/devices/"$NS2"/resource)
DATA=$(xp_attr "$NS" resource)
DATA2=$(xp_attr "$NS2" resource)
! share_records ||
	xp_skip "$NS and $NS2 are in the same GiB of addresses, their records keep each other"

xp_begin 48
xp_mark
FIRST=$XP_MARKED
check "R28 a file on each" make_files
nfit_goes
adopted_later
given_back_later
goes_while_mounted
known_to_xen
at_once
XP_MARKED=$FIRST
check "R28 no splat in the kernel log" xp_no_splat
ktap_finished
