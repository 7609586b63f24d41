#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Steps of the driver's life that nothing on a test machine makes it take, so
# test_modules/xen_pmem_inject.ko does: addresses that are in use or still mapped when
# a namespace is bound, a nested bus or region that cannot be made after the hand-over,
# data that somebody else has when it is unbound; in a PVH domain, a disk that is still
# open; and each answer that Xen has for a region it does not want. Each time one line
# says so, nothing is left behind, and the next bind succeeds with the same data. So it
# is with requests that make no sense.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

BYTES=$((4 << 20))
# The driver tries every 5 seconds.
RETRY=20
SPARE_UUID=0f5ab1d3-6f0c-4b57-9b86-5a2d3c1e7f42

# regions COUNT: so many are Xen's, and of our data.
regions()
{
	equal "regions that Xen lists" \
		"$(xenpf_pmem list | grep -cw "data_spfn=$(xp_frame "$DATA")")" "$1"
}

claims()
{
	grep -i " : $NS\$" /proc/iomem
}

# nothing_left: of a bind that failed, neither in Xen nor in this domain.
nothing_left()
{
	xp_wait $RETRY regions 0 || regions 0 || return 1
	! claims && equal quarantine "$(cat $XP_DRIVER/quarantine)" "" &&
		! grep -l '^xen-pmem$' $XP_ND/devices/ndbus*/provider
}

# bind_says WORDS: it fails, and not for another reason.
bind_says()
{
	if xp_bind "$NS" >"$XP_TMP/bind" 2>&1; then
		echo "the driver has bound $NS"
		xp_unbind "$NS"
		return 1
	fi
	cat "$XP_TMP/bind"
	grep -Eq "$1" "$XP_TMP/bind" && ! xp_bound "$NS"
}

same_data()
{
	DISK=$(xp_disk "$NS") && xp_wait 10 test -b "$DISK" &&
		mount -t ext4 -o dax "$DISK" "$XP_MNT" &&
		dax_file verify "$XP_MNT/file" $BYTES 41 && umount "$XP_MNT"
}

make_data()
{
	mkfs.ext4 -q -F -b 4096 "$DISK" && mount -t ext4 -o dax "$DISK" "$XP_MNT" &&
		dax_file write "$XP_MNT/file" $BYTES 41 && umount "$XP_MNT"
}

bound_as()
{
	xp_bind "$NS" && equal state "$(xp_attr "$NS" state)" "$1" && same_data
}

unbound()
{
	xp_unbind "$NS" && nothing_left
}

# not_bound WHY WORDS LINE [LINE]: and the next bind is as ever.
not_bound()
{
	xp_mark
	check "R15 bind while $1: it fails" bind_says "$2"
	check "R15 with one line" one_line "$3"
	check "R15 nothing is left in Xen or of the driver's" nothing_left
}

works_again()
{
	check "R16 the next bind succeeds, with the same data" bound_as active
	check "R15 unbind" unbound
}

# --- before the hand-over ------------------------------------------------------

addresses_in_use()
{
	check "the header is somebody's" inject claim "$START" 4096
	not_bound "the header is in use" "[Bb]usy" "could not reserve region"
	check "it is free" inject release
	check "the addresses behind the header are somebody's" \
		inject claim $((START + (1 << 20))) 4096
	not_bound "those are in use" "[Bb]usy" \
		"xen_pmem: $NS: addresses 0x*-0x* are in use, see /proc/iomem"
	check "they are free" inject release
	works_again
}

still_mapped()
{
	check "a page table has the first 2 MiB" inject map "$START"
	not_bound "they are mapped" "[Bb]usy" \
		"xen_pmem: $NS: frame $(xp_frame "$START") is still mapped by this domain"
	check "no page table has them" inject unmap
	check "a page table has the last 2 MiB" inject map $((START + SIZE - (2 << 20)))
	not_bound "those are mapped" "[Bb]usy" \
		"xen_pmem: $NS: frame $(xp_frame $((START + SIZE - (2 << 20)))) is still mapped"
	check "no page table has them" inject unmap
	works_again
}

# --- after the hand-over -------------------------------------------------------

NO_MEMORY="[Cc]annot allocate|[Oo]ut of memory"

# no_nested FUNCTION VALUE WORDS LINE: it fails once, with VALUE, and so the bind.
no_nested()
{
	check "the next $1() fails" inject fail "$1" "$2"
	not_bound "that fails" "$3" "xen_pmem: $NS: $4"
	check "that was by that call" equal calls "$(cat $XP_INJECT)" 1
	inject forget
	works_again
}

nested_fails()
{
	no_nested nvdimm_bus_register 0 "$NO_MEMORY" "cannot register the nested bus"
	no_nested nd_bus_probe -12 "No such device" "ndbus* came up without its driver"
	no_nested __nvdimm_create 0 "$NO_MEMORY" "cannot create the nested region: error -12"
	no_nested nvdimm_pmem_region_create 0 "$NO_MEMORY" \
		"cannot create the nested region: error -12"
}

# --- at the end ----------------------------------------------------------------

# kept ERROR: Xen has the region, and the driver says why.
kept()
{
	cat $XP_DRIVER/quarantine
	regions 1 && claims && grep -q "^$NS 0x[0-9a-f]*-0x[0-9a-f]* error=$1\\b" \
		$XP_DRIVER/quarantine
}

# kept_with ERROR LINE
kept_with()
{
	check "R15 Xen keeps the region" kept "$1"
	check "R15 with one line" one_line "xen_pmem: $NS: $2"
}

given_back()
{
	xp_wait $RETRY regions 0 || regions 0 || return 1
	xp_wait 5 nothing_left && nothing_left &&
		xp_messages | grep "$NS: Xen has given it back"
}

inner_unbind()
{
	local inner

	same_data || return 1
	for inner in "$XP_ND"/devices/"$(xp_attr "$NS" bus)"/region*/namespace*.*; do
		[ ! -e "$inner/driver" ] || xp_unbind "${inner##*/}" || return 1
	done
	[ ! -b "$DISK" ]
}

data_in_use()
{
	check "bind" bound_as active
	check "the inner namespace is unbound by hand" inner_unbind
	check "its data is somebody's" inject claim $((DATA + (1 << 20))) 4096
	xp_mark
	check "R15 unbind while it is: it returns" xp_unbind "$NS"
	kept_with -98 "somebody in this domain still has its data, see /proc/iomem"
	check "the data is free" inject release
	check "R15 Xen gives it back by itself" given_back
	works_again
}

hold()
{
	HELD=$(xp_frame $((DATA + (1 << 20))))
	: >"$XP_TMP/hold"
	xenpf_pmem map self "$HELD" rw hold >"$XP_TMP/hold" &
	HOLDER=$!
	xp_at_exit "kill $HOLDER"
	xp_wait 10 grep -q . "$XP_TMP/hold"
}

# two_lines: of the nested region, and of the frame that is in use
two_lines()
{
	xp_lines
	equal "number of lines" "$(xp_lines | grep -c .)" 2 &&
		xp_lines | grep -q "$NS: cannot create the nested region: error -12" &&
		xp_lines | grep -q "$NS: Xen still has frame $HELD of it in use"
}

# In quarantine, bound, and back in quarantine.
adoption_fails()
{
	check "bind" bound_as active
	hold
	check "R15 unbind while a frame is in use" xp_unbind "$NS"
	check "R15 Xen keeps the region" kept -16
	inject fail nvdimm_pmem_region_create 0
	xp_mark
	check "R15 bind while the nested region cannot be made: it fails" \
		bind_says "$NO_MEMORY"
	check "R15 Xen keeps the region still" xp_wait $RETRY kept -16
	check "R15 with a line for each of the two" two_lines
	inject forget
	check "R16 the next bind adopts it, with the same data" bound_as adopted
	kill "$HOLDER"
	wait "$HOLDER" 2>/dev/null
	check "R15 unbind" unbound
}

# A disk that is open may be mounted, and its files mapped: Xen would not know.
disk_open()
{
	check "bind" bound_as active
	exec 9<"$DISK"
	xp_mark
	check "R15 unbind while the disk is open: it returns" xp_unbind "$NS"
	kept_with -26 "its disk ${DISK#/dev/} is gone and still open or mounted"
	xp_mark
	check "R15 bind: it is refused" bind_says "[Bb]usy"
	check "R15 with one line" one_line \
		"xen_pmem: $NS: its former disk ${DISK#/dev/} is still open or mounted"
	check "R15 Xen keeps the region" kept -26
	exec 9<&-
	check "R15 it is closed: Xen gives it back by itself" given_back
	works_again
}

# --- what Xen answers ----------------------------------------------------------

# xen_answers ERROR SKIP WORDS LINE: to the first call of a bind, QUERY, or to the next.
xen_answers()
{
	check "Xen is to answer $1 to call $(($2 + 1))" \
		inject fail xen_pmem_hcall "$1" "$2"
	not_bound "Xen answers $1" "$3" "xen_pmem: $NS: $4"
	check "that was by that call" equal calls "$(cat $XP_INJECT)" 1
	inject forget
}

xen_refuses()
{
	xen_answers -5 0 "Input/output error|I/O error" "Xen refuses QUERY of frames"
	xen_answers -17 1 "File exists" "Xen already has a region that overlaps"
	xen_answers -16 1 "[Bb]usy" "Xen says that frame 0x* is in use"
	xen_answers -34 1 "out of range|not representable" \
		"it ends at $(printf %#x $((START + SIZE))), above what this Xen"
	xen_answers -19 1 "not supported" "neither NFIT nor the memory map lists frame"
	xen_answers -14 1 "Bad address" "Xen refuses ADD of frames *: error -14"
	works_again
}

# --- requests ------------------------------------------------------------------

# no_request WHAT WORDS LINE FILE TEXT
no_request()
{
	xp_mark
	refused "R5 $1: refused" "$2" xp_write "$5" "$XP_DRIVER/$4"
	check "R5 with one line" one_line "xen_pmem: $3"
}

# not_provisioned WHY WORDS LINE [NAMESPACE]
not_provisioned()
{
	no_request "provision $1" "$2" "$3" provision "${4:-$NS} $SPARE_UUID force"
}

bad_requests()
{
	local inner

	no_request "provision without a uuid" "Invalid argument" \
		'provision: expected "<namespace> <uuid> *force*"' provision "$NS"
	no_request "poison without a size" "Invalid argument" \
		'poison: expected "<address> <bytes>"' poison "$START"
	not_provisioned "what is not there" "No such device" \
		"provision: there is no namespace namespace99.0" namespace99.0
	check "bind" xp_bind "$NS"
	not_provisioned "what is bound" "[Bb]usy" "$NS: in use by xen_pmem; to disable"
	DISK=$(xp_disk "$NS")
	inner=$(readlink -f /sys/block/"${DISK#/dev/}"/device)
	inner=${inner##*/}
	check "the inner namespace is unbound by hand" inner_unbind
	not_provisioned "what is nested" "Invalid argument" \
		"$inner: it is the data of another namespace" "$inner"
	check "R15 unbind" unbound
	check "the namespace is raw" xp_write 1 $XP_ND/devices/"$NS"/force_raw
	not_provisioned "what is raw" "[Bb]usy" "$NS: in use by force_raw; to disable"
	check "it is not" xp_write 0 $XP_ND/devices/"$NS"/force_raw
	check "the header is somebody's" inject claim "$START" 4096
	not_provisioned "what somebody has" "[Bb]usy" \
		"$NS: cannot map it: error -16; see /proc/iomem"
	check "it is free" inject release
	inject fail xen_pmem_hcall -17
	not_provisioned "what Xen has" "[Bb]usy" "$NS: Xen already has a region"
	check "that was by that call" equal calls "$(cat $XP_INJECT)" 1
	inject forget
	check "R5 the namespace is as it was" bound_as active
	check "R15 unbind" unbound
}

xp_need_xen
xp_need mkfs.ext4 dax_file
xp_need_namespace
xp_provisioned "$NS"
START=$(cat $XP_ND/devices/"$NS"/resource)
SIZE=$(cat $XP_ND/devices/"$NS"/size)
DATA=$(xp_attr "$NS" resource)
xp_need_module inject

if xp_pvh; then
	xp_begin 121
else
	xp_begin 131
fi
xp_mark
FIRST=$XP_MARKED
check "a file" make_data
check "R15 unbind" unbound
addresses_in_use
xp_pvh || still_mapped
nested_fails
data_in_use
if xp_pvh; then
	disk_open
else
	adoption_fails
fi
xen_refuses
bad_requests
XP_MARKED=$FIRST
check "R15 no splat in the kernel log" xp_no_splat
xp_bind "$NS"
ktap_finished
