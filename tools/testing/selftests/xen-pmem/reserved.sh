#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every way by which dom0 could reach a frame of the reserved area is refused
# after ADD, for exactly the frames of the area: the frames before and behind it
# can be mapped as ever, and the header can be read. (A PVH dom0 may map what it
# wants, its p2m decides what is behind it: see hypercall.sh.)
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

# mapped DOMAIN FRAME ro|rw
mapped()
{
	xenpf_pmem map "$1" "$(printf '0x%x' "$2")" "$3"
}

# none_mapped DOMAIN ro|rw STEP: no frame of the area, in steps, and the last one.
none_mapped()
{
	local frame=$FIRST

	while [ "$frame" -le "$LAST" ]; do
		if mapped "$1" "$frame" "$2"; then
			echo "dom0 could map frame $(printf '0x%x' "$frame")"
			return 1
		fi
		[ "$frame" -ne "$LAST" ] || break
		frame=$((frame + $3))
		[ "$frame" -le "$LAST" ] || frame=$LAST
	done
}

no_copy_into()
{
	local found

	found=$(xenpf_pmem gcopy "$(printf '0x%x' $DATA)" "$(printf '0x%x' "$1")")
	echo "$found"
	[ "$(echo "$found" | xp_value status)" -lt 0 ]
}

refused_by_rights()
{
	! xp_permitted "$FIRST" && ! xp_permitted "$LAST" &&
		xp_permitted $((FIRST - 1)) && xp_permitted $((LAST + 1))
}

no_copies()
{
	check "R6 a grant copy into the first reserved frame is refused" \
		no_copy_into "$FIRST"
	check "R6 a grant copy into the last reserved frame is refused" \
		no_copy_into "$LAST"
	check "R20 dom0 has no right to exactly these frames" refused_by_rights
}

# Mappings of a PV dom0: Xen sees each of them.
no_mappings()
{
	check "R20 the first reserved frame cannot be mapped as I/O memory" \
		none_mapped io ro $((LAST - FIRST))
	check "R6 no reserved frame can be mapped as I/O memory" none_mapped io rw 67
	check "R6 no reserved frame can be mapped as a page of dom0" \
		none_mapped self rw 67
	check "R6 no reserved frame can be mapped writable as Xen's" \
		none_mapped xen rw 67
	check "R20 the frame before the reserved area can be mapped" \
		mapped io $((FIRST - 1)) ro
	check "R20 the frame behind the reserved area can be mapped" \
		mapped io $((LAST + 1)) ro
	check "R20 the first data frame can be mapped writable" mapped self "$DATA" rw
	check "R20 the last data frame can be mapped writable" mapped self "$END" rw
	check "R20 the header can be read" mapped io "$HEADER" ro
}

xp_need_xen
xp_need_namespace
xp_provisioned "$NS"

FIRST=$(($(xp_attr "$NS" reserved_resource) >> 12))
LAST=$((FIRST + ($(xp_attr "$NS" reserved_size) >> 12) - 1))
DATA=$(($(xp_attr "$NS" resource) >> 12))
END=$((DATA + ($(xp_attr "$NS" size) >> 12) - 1))
HEADER=$(($(cat $XP_ND/devices/"$NS"/resource) >> 12))

PLAN=13
! xp_pvh || PLAN=4
xp_begin $PLAN
xp_mark
no_copies
xp_pvh || no_mappings
check "R34 no splat in the kernel log" xp_no_splat
ktap_finished
