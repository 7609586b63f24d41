#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Bad blocks, which test_modules/xen_pmem_badrange.ko makes: in the header or the
# reserved area they make a bind fail, with one line and without a byte written; in
# the data they are the same sectors of the inner disk, and go when these are
# written, of which the NVDIMM's own bus is told.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

BADRANGE=/sys/kernel/debug/xen_pmem_badrange/control
BODY=$XP_TMP/body
SECTOR=512
# A machine check tells of as little as this.
LINE=64

# Where a bad sector makes a bind fail: its byte, and what the line calls it.
places()
{
	cat <<-END
	0 header
	4096 header
	$((4096 + SECTOR)) header
	$((8192 - SECTOR)) header
	$RSV reserved area
	$((RSV + RSV_SIZE - SECTOR)) reserved area
	END
}

# do_poison add|clear BYTE LENGTH: of the namespace
do_poison()
{
	xp_write "$(printf '%s %s %#x %d' "$1" "$BUS" $((START + $2)) "$3")" $BADRANGE
}

# The bytes stay what they are.
clear_all()
{
	do_poison clear 0 "$SIZE"
}

medium_same()
{
	local rc

	xp_raw_open "$NS" && info_block same "$RAW" "$BODY"
	rc=$?
	xp_raw_close "$NS"
	return $rc
}

bind_fails()
{
	if xp_bind "$NS" >"$XP_TMP/bind" 2>&1; then
		echo "the driver has bound $NS"
		xp_unbind "$NS"
		return 1
	fi
	cat "$XP_TMP/bind"
	grep -q "not supported" "$XP_TMP/bind"
}

# not_taken BYTE WHAT
not_taken()
{
	local rc

	do_poison add "$1" $SECTOR || return 1
	xp_mark
	bind_fails && one_line "xen_pmem: $NS: bad blocks in the $2, between" \
		"ndctl create-namespace --mode=xen -f -e $NS" &&
		equal "Xen's list" "$(xenpf_pmem list)" "$LIST"
	rc=$?
	clear_all && [ $rc -eq 0 ] && medium_same
}

# reported BYTE LENGTH: by the driver's attribute, of the namespace.
reported()
{
	xp_write "$(printf '%#x %d' $((START + $1)) "$2")" $XP_DRIVER/poison
}

reported_bad()
{
	reported $((DATA + $1)) "$2" && bad_are "$3"
}

# bad_are LIST: "SECTOR COUNT" of each range of the inner disk, by commas.
bad_are()
{
	equal "badblocks of $DISK" \
		"$(paste -sd, /sys/block/"${DISK#/dev/}"/badblocks)" "$1"
}

bind_with()
{
	xp_bind "$NS" && DISK=$(xp_disk "$NS") && xp_wait 10 test -b "$DISK" &&
		bad_are "$1"
}

rebind_with()
{
	xp_unbind "$NS" && bind_with "$1"
}

# while_bound BYTE LENGTH LIST: poisoned at run time, of the data.
while_bound()
{
	do_poison add $((DATA + $1)) "$2" && bad_are "$3"
}

sector()
{
	sector_io read "$DISK" "$1" 1 "$XP_TMP/read"
}

unreadable()
{
	! sector "$1" 2>"$XP_TMP/said" && grep "Input/output error" "$XP_TMP/said"
}

neighbours_readable()
{
	sector $(($1 - 1)) && sector $(($1 + 1))
}

# write_sectors FIRST COUNT
write_sectors()
{
	dd if=/dev/urandom of="$XP_TMP/random" bs=$SECTOR count="$2" status=none &&
		sector_io write "$DISK" "$1" "$2" "$XP_TMP/random"
}

# cleared BYTE LENGTH: the outer bus was told exactly this, of the data.
cleared()
{
	equal "what $BUS was told to clear" "$(cat $BADRANGE)" \
		"$(printf '%#x %d' $((START + DATA + $1)) "$2")"
}

# heals FIRST COUNT LEFT: a write makes the sectors good, everywhere.
heals()
{
	xp_write forget $BADRANGE
	write_sectors "$1" "$2" && cleared $(($1 * SECTOR)) $(($2 * SECTOR)) &&
		bad_are "$3" && sector "$1" && cmp -n $SECTOR "$XP_TMP/read" "$XP_TMP/random"
}

# outer_bad LIST: as bad_are, of the region that the namespace is in.
outer_bad()
{
	equal "badblocks of the outer region" \
		"$(paste -sd, "$XP_ND"/devices/"$NS"/../badblocks)" "$1"
}

# outer_sector BYTE: of the namespace, in its region
outer_sector()
{
	echo $(((START - REGION + $1) / SECTOR))
}

# What the line about such a block advises; it takes the data of the namespace.
made_good()
{
	local byte=$((RSV + RSV_SIZE - SECTOR))

	do_poison add $byte $SECTOR && xp_write forget $BADRANGE &&
		ndctl create-namespace --mode=xen -f -e "$NS" &&
		equal "what $BUS was told to clear" "$(cat $BADRANGE)" \
			"$(printf '%#x %d' $((START + byte)) $SECTOR)" &&
		xp_unbind "$NS" && xp_bind "$NS" && equal state "$(xp_attr "$NS" state)" active
}

xp_need_xen
xp_need info_block sector_io
[ -n "$XEN_PMEM_SPARE" ] ||
	xp_skip "set XEN_PMEM_SPARE to a small namespace that may be overwritten"
NS=$XEN_PMEM_SPARE
[ -e $XP_ND/devices/"$NS" ] || xp_skip "XEN_PMEM_SPARE=$NS: no such namespace"
BUS=$(readlink -f $XP_ND/devices/"$NS" | sed 's:.*/\(ndbus[0-9]*\)/.*:\1:')
REGION=$(cat $XP_ND/devices/"$NS"/../resource)
START=$(cat $XP_ND/devices/"$NS"/resource)
SIZE=$(cat $XP_ND/devices/"$NS"/size)
xp_need_module badrange
xp_write "wrap $BUS" $BADRANGE || xp_skip "xen_pmem_badrange.ko has no way into $BUS"
xp_provisioned "$NS"
RSV=$(($(xp_attr "$NS" reserved_resource) - START))
RSV_SIZE=$(xp_attr "$NS" reserved_size)
DATA=$(($(xp_attr "$NS" resource) - START))
LAST=$(($(xp_attr "$NS" size) / SECTOR - 1))
xp_at_exit clear_all
xp_unbind "$NS"
xp_raw_open "$NS" || xp_skip "$NS does not come up as a raw disk"
dd if="$RAW" of="$BODY" bs=1M status=none
xp_raw_close "$NS"
LIST=$(xenpf_pmem list)
places >"$XP_TMP/places"

xp_begin $(($(wc -l <"$XP_TMP/places") + 23))
xp_mark
FIRST=$XP_MARKED
while read -r byte what <&3; do
	check "R26 byte $byte, $what: refused with one line, nothing written" \
		not_taken "$byte" "$what"
done 3<"$XP_TMP/places"

SPARE_BAD="$(outer_sector 8192) 1"
do_poison add 8192 $SECTOR
check "R26 outside of all parts: of no account" bind_with ""
xp_unbind "$NS"
do_poison add $((DATA + 1003 * SECTOR)) $SECTOR
check "R26 in the data: bound, the sector is bad on the inner disk" bind_with "1003 1"
check "R26 it cannot be read" unreadable 1003
check "R26 its neighbours can" neighbours_readable 1003
check "R26 it is the outer region's as well" \
	outer_bad "$SPARE_BAD,$(outer_sector $((DATA + 1003 * SECTOR))) 1"
check "R26 unbind and bind: it still is" rebind_with "1003 1"
check "R26 written: good again, and the outer bus was told where" heals 1003 1 ""
check "R26 the outer region has forgotten it" outer_bad "$SPARE_BAD"
check "R26 unbind and bind: the inner disk has forgotten it" rebind_with ""

check "R26 at run time, a cache line: its sector is bad" \
	while_bound $((2007 * SECTOR + 3 * LINE)) $LINE "2007 1"
check "R26 it cannot be read" unreadable 2007
check "R26 its neighbours can" neighbours_readable 2007
check "R26 written: good again, and the outer bus was told where" heals 2007 1 ""
check "R26 at run time, from before the data: its first sector is bad" \
	while_bound -$SECTOR $((2 * SECTOR)) "0 1"
check "R26 at run time, to the end: its last sectors are bad, too" \
	while_bound $(((LAST - 1) * SECTOR)) $((2 * SECTOR)) "0 1,$((LAST - 1)) 2"
check "R26 one of two is written: the other stays bad" \
	heals $((LAST - 1)) 1 "0 1,$LAST 1"
check "R26 the first sector is written, and is good again" heals 0 1 "$LAST 1"
check "R26 reported as Xen found it, a cache line: its sector is bad" \
	reported_bad $((3001 * SECTOR + LINE)) $LINE "3001 1,$LAST 1"
check "R26 written: good again, and the outer bus was told where" \
	heals 3001 1 "$LAST 1"
check "R26 the last sector is written, and is good again" heals "$LAST" 1 ""
refused "R26 reported where no bound namespace is: refused" "No such device" \
	reported "$SIZE" $LINE
xp_unbind "$NS"
check "R26 in the reserved area: with force it is cleared, and taken" made_good
XP_MARKED=$FIRST
check "R26 no splat in the kernel log" xp_no_splat
xp_idle "$NS"
clear_all
xp_bind "$NS"
ktap_finished
