#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The hypercall itself, XENPF_pmem, without the driver: what its commands do, what a
# region may and may not be used for, and what two and three regions do to each
# other. Its errors are in errno.sh.
#
# Destructive, see region.sh. XEN_PMEM_CYCLES (default 60) is the number of times
# that a region is added and removed. Where Xen injects failures (pmem-fail=1), they
# are met in the first ADD, REMOVE, MAP and UNMAP.

# Tuples are words: their splitting is wanted all over.
# shellcheck source=lib.sh disable=SC3043,SC2086,SC2046,SC2017
. "$(dirname "$(readlink -f "$0")")"/lib.sh
# shellcheck source=region.sh
. "$XP_DIR"/region.sh

CYCLES=${XEN_PMEM_CYCLES:-60}
MAX_FAILURES=200

# The values of some frames of the data, as any mapping shows them; not of those that
# "cycles" and the grant copies write to.
samples()
{
	local frame

	for frame in $((DATA + 2)) $(((DATA + END) / 2)) $((END - 65)); do
		xenpf_pmem map self "$(hex $frame)" ro | xp_value value
	done
}

same_samples()
{
	equal "data" "$(samples)" "$SAMPLES"
}

# --- one region ----------------------------------------------------------------

query_is_sane()
{
	local need max

	xenpf_pmem query $WHOLE >"$XP_TMP/query" || return 1
	cat "$XP_TMP/query"
	need=$(($(xp_value rsv_need <"$XP_TMP/query")))
	max=$(($(xp_value rsv_max <"$XP_TMP/query")))
	[ $need -gt 0 ] && [ $need -le $max ] && [ $((need % CHUNK)) -eq 0 ] &&
		[ "$(xp_value page_info_size <"$XP_TMP/query")" -ge 32 ] &&
		equal m2p_size "$(xp_value m2p_size <"$XP_TMP/query")" 8 &&
		equal state "$(xp_value state <"$XP_TMP/query")" none
}

# One chunk less than what is needed.
too_small()
{
	local need

	need=$(($(xenpf_pmem query $WHOLE | xp_value rsv_need)))
	tuple $START $END $((need - CHUNK))
	[ $need -gt $CHUNK ] || return 1
	fails_with ENOSPC xenpf_pmem add $TUPLE &&
		equal rsv_need "$(xp_value rsv_need <"$XP_TMP/said")" "$(hex $need)"
}

# What Xen knows is as it was, and dom0 can use all of the range as before.
no_trace()
{
	xp_wait 4 same_state || {
		xenpf_pmem state
		echo "expected:"
		echo "$STATE"
		return 1
	}
	equal query "$(xenpf_pmem query $WHOLE)" "$NOT_ADDED" &&
		xenpf_pmem map io "$(hex $RSV)" rw &&
		xenpf_pmem map io "$(hex $((DATA - 1)))" rw &&
		fails_with GNTST_bad_page grant_copy $DATA $((DATA + 1))
}

# A PVH dom0's p2m is the last to change, when max_page has been raised: that stays.
same_state()
{
	[ "$(xenpf_pmem state | steady)" = "$(echo "$STATE" | steady)" ]
}

steady()
{
	if [ -n "$PVH" ]; then
		grep -v "^max_page="
	else
		cat
	fi
}

# Where failures are injected, each of them must leave no trace.
add_whole()
{
	local failures=0

	STATE=$(xenpf_pmem state)
	NOT_ADDED=$(xenpf_pmem query $WHOLE)
	until xenpf_pmem add $WHOLE; do
		failures=$((failures + 1))
		[ $failures -lt $MAX_FAILURES ] || return 1
		no_trace || return 1
	done
	echo "$failures failures before"
	is_listed
}

is_listed()
{
	local list

	list=$(xenpf_pmem list)
	echo "$list"
	set -- $WHOLE
	echo "$list" | grep -w state=active | grep -w "spfn=$1" | grep -w "epfn=$2" |
		grep -w "rsv_spfn=$3" | grep -w "rsv_epfn=$4" |
		grep -w "data_spfn=$5" | grep -w "data_epfn=$6"
}

# After a REMOVE that failed: still active and good for all, or to be completed by
# the same call.
active_or_to_complete()
{
	case $(xenpf_pmem list | xp_value state) in
	active) grant_copy $DATA $((DATA + 1)) && reserved_refused ;;
	removing) fails_with EAGAIN xenpf_pmem add $LEFT ;;
	*) return 1 ;;
	esac
}

remove_whole()
{
	local failures=0

	until xenpf_pmem remove $WHOLE; do
		failures=$((failures + 1))
		[ $failures -lt $MAX_FAILURES ] || return 1
		active_or_to_complete || return 1
	done
	echo "$failures failures before"
	equal "number of regions" "$(number_of_regions)" 0
}

# mapping give|take: the last three chunks of the data, of which the domain DOMID has room
# at the same frame numbers.
mapping()
{
	local first

	first=$(hex $((END - 3 * CHUNK)))
	xenpf_pmem "$1" "$DOMID" "$first" "$first" "$(hex $END)" $WHOLE
}

# has_mappings NUMBER: and the hardware domain has the data if there is none.
has_mappings()
{
	equal mappings "$(xenpf_pmem guests $WHOLE | grep -c guest_gfn)" "$1" || return 1
	if [ "$1" = 0 ]; then
		grant_copy $((END - 1)) $((END - 2)) && equal state "$(xenpf_pmem state)" "$STATE"
	else
		! grant_copy $((END - 1)) $((END - 2))
	fi
}

no_mapping()
{
	equal mappings "$(xenpf_pmem guests $WHOLE)" ""
}

# mapping_steps give|take NUMBER: each failure leaves so many mappings, as there were.
mapping_steps()
{
	local failures=0

	until mapping "$1"; do
		failures=$((failures + 1))
		[ $failures -lt $MAX_FAILURES ] || return 1
		has_mappings "$2" || return 1
	done
	echo "$failures failures before"
	has_mappings $((1 - $2))
}

# Four tests.
mappings()
{
	new_domain || xp_say "no domain can be made"
	STATE=$(xenpf_pmem state)
	check "R20 MAP: the frames are the domain's, and not dom0's" mapping_steps give 0
	check "R20 UNMAP: they are dom0's again" mapping_steps take 1
	mapping give >/dev/null
	xenpf_pmem destroy "$DOMID" >/dev/null
	check "R20 and so they are when their domain goes" xp_wait 4 no_mapping
	check "R20 dom0 can use them" grant_copy $((END - 1)) $((END - 2))
}

# No frame of the reserved area is within reach, the M2P's excepted: read-only.
refused_pv()
{
	xenpf_pmem map io "$1" rw || xenpf_pmem map io "$1" ro ||
		xenpf_pmem map self "$1" ro || xenpf_pmem map xen "$1" rw
}

# In a PVH dom0 a mapping can be made, but has nothing behind it.
refused_pvh()
{
	[ "$(xenpf_pmem map self "$1" ro | xp_value value)" != $ALL_ONES ] ||
		xenpf_pmem poke "$1" 0x1234
}
ALL_ONES=0xffffffffffffffff

reserved_refused()
{
	local frame

	for frame in $RSV $((RSV + CHUNK)) $((DATA - 1)); do
		if refused_pv${PVH:+h} "$(hex $frame)" ||
		   grant_copy $DATA $frame || grant_copy $frame $DATA; then
			echo "frame $(hex $frame) could be accessed"
			return 1
		fi
	done
}

around_reserved()
{
	xenpf_pmem map io "$(hex $START)" rw &&
		xenpf_pmem map io "$(hex $((RSV - 1)))" rw &&
		xenpf_pmem map self "$(hex $DATA)" rw &&
		xenpf_pmem map self "$(hex $((END - 1)))" rw
}

# The same two ends, in Xen's own words.
permitted_exactly()
{
	local frame

	xenpf_pmem iomem
	for frame in $START $((RSV - 1)) $DATA $((END - 1)); do
		xp_permitted $frame || {
			echo "frame $(hex $frame) is not permitted, expected that it is"
			return 1
		}
	done
	for frame in $RSV $(((RSV + DATA) / 2)) $((DATA - 1)); do
		xp_permitted $frame || continue
		echo "frame $(hex $frame) is permitted, expected that it is not"
		return 1
	done
}

not_to_the_heap()
{
	local way

	for way in decrease exchange transfer; do
		if xenpf_pmem $way "$(hex $DATA)"; then
			echo "$way took the frame"
			return 1
		fi
	done
	grant_copy $DATA $((DATA + 1))
}

# hotadd SPFN EPFN: XENPF_mem_hotadd, whose frames are in the words around the tuple.
hotadd()
{
	xenpf_pmem raw op=59 cmd=$(($1 & 0xffff)) version=$(($1 >> 16 & 0xffff)) \
		flags=$(($1 >> 32)) spfn="$2" epfn=0
}

# As RAM, a range may be neither where a region is, nor near to it.
not_as_ram()
{
	fails_with EINVAL hotadd $((START + CHUNK)) $((START + 2 * CHUNK)) &&
		fails_with EEXIST hotadd $START $((START / GROUP * GROUP + 3 * GROUP)) &&
		is_listed
}

# works_while_held FRAME: REMOVE names the frame, and breaks nothing.
works_while_held()
{
	fails_with EBUSY xenpf_pmem remove $WHOLE && bad_frame "$1" && is_listed &&
		grant_copy $DATA $((DATA + 1)) && reserved_refused && same_samples
}

# busy_while HOLD... FRAME
busy_while()
{
	local rc

	"$@" || return 1
	while [ $# -gt 1 ]; do
		shift
	done
	works_while_held "$1"
	rc=$?
	release
	return $rc
}

# It can be removed right after.
removed_after()
{
	busy_while "$@" && xenpf_pmem remove $WHOLE && xenpf_pmem add $WHOLE
}

# What Xen shows of its M2P, a PV domain may keep mapped.
hold_m2p()
{
	hold xen "$1" ro
}

not_counted()
{
	hold self $(((DATA + END) / 2)) || return 1
	xenpf_pmem remove $WHOLE || {
		release
		return 1
	}
	release
	xenpf_pmem add $WHOLE
}

# --- mappings from before ADD --------------------------------------------------

# reserved_mapped FRAME: ADD refuses, and accepts when it is gone.
reserved_mapped()
{
	local rc

	hold io "$1" || return 1
	fails_with EBUSY xenpf_pmem add $WHOLE && bad_frame "$1"
	rc=$?
	release
	[ $rc -eq 0 ] || {
		remove_all
		return 1
	}
	xenpf_pmem add $WHOLE && xenpf_pmem remove $WHOLE
}

# In a PVH dom0 the page tables are no concern of Xen's, the p2m is.
reserved_touched()
{
	hold io "$1" || return 1
	xenpf_pmem add $WHOLE && reserved_refused && xenpf_pmem remove $WHOLE
	set -- $?
	release
	return "$1"
}

# Xen says once per region that a reference had not been counted.
said_once()
{
	local said

	said=$(xenpf_pmem console "$SINCE" | grep 'pmem: frame [0-9a-f]* was mapped before')
	echo "$said"
	equal "lines that Xen said" "$(echo "$said" | grep -c .)" "$1"
}

# stale_mapping FRAME LINES: a PTE from before ADD took no reference; to drop it
# must not matter.
stale_mapping()
{
	SINCE=$(xenpf_pmem console | xp_value index)
	hold self "$1" || return 1
	xenpf_pmem add $WHOLE || {
		release
		return 1
	}
	release
	grant_copy $DATA $((DATA + 1)) && said_once "$2" && same_samples &&
		xenpf_pmem remove $WHOLE && same_samples
}

# --- many times ----------------------------------------------------------------

cycles()
{
	xenpf_pmem cycles $CYCLES $WHOLE >"$XP_TMP/cycles"
	set -- $?
	cat "$XP_TMP/cycles"
	[ "$1" -eq 0 ] && equal cycles "$(xp_value cycles <"$XP_TMP/cycles")" $CYCLES &&
		[ "$(xp_value mapped <"$XP_TMP/cycles")" -gt 0 ]
}

# --- two and three regions -----------------------------------------------------

# Three regions that meet within a group, and so within a window of the M2P.
meet()
{
	local group=$((START / GROUP * GROUP)) one two

	one=$((group + GROUP / 2))
	[ $one -ge $((START + 16 * CHUNK)) ] || one=$((one + GROUP * 5 / 8))
	two=$((one + GROUP / 8))
	tuple $START $one $((8 * CHUNK))
	LEFT=$TUPLE
	tuple $one $two $((8 * CHUNK))
	MIDDLE=$TUPLE
	tuple $two $END $RSV_FRAMES
	RIGHT=$TUPLE
}

# orders REFUSED TUPLE...: every order of ADD with every order of REMOVE; so often the
# region that has to be the last was to go before another.
orders()
{
	local refused="$1"

	shift
	xenpf_pmem orders "$@" >"$XP_TMP/orders" || {
		cat "$XP_TMP/orders"
		remove_all
		return 1
	}
	cat "$XP_TMP/orders"
	equal refused "$(xp_value refused <"$XP_TMP/orders")" "$refused"
}

# Two processes at once. Each op is done, or refused for a reason.
add_remove_loop()
{
	local n=0

	while [ $n -lt 8 ]; do
		xenpf_pmem add "$@"
		xenpf_pmem remove "$@"
		n=$((n + 1))
	done
}

contention()
{
	add_remove_loop $LEFT >"$XP_TMP/left" &
	add_remove_loop $RIGHT >"$XP_TMP/right" &
	add_remove_loop $LEFT >"$XP_TMP/left2"
	wait
	remove_all
	if grep -h errno "$XP_TMP"/left* "$XP_TMP/right" |
	   grep -Ev '\((EAGAIN|EEXIST|ENOENT|EBUSY)\)'; then
		return 1
	fi
	equal "number of regions" "$(number_of_regions)" 0
}

# --- in this order -------------------------------------------------------------

one_region()
{
	check "R11 QUERY gives the need" query_is_sane
	check "R11 R12 one chunk too little: nothing happens, the need is told" too_small
	check "R6 before ADD a grant copy is refused" \
		fails_with GNTST_bad_page grant_copy $DATA $((DATA + 1))
	check "R18 ADD, LIST; failures before it leave no trace" add_whole
	check "R6 a grant copy works" grant_copy $DATA $((DATA + 1))
	SAMPLES=$(samples)
	check "R12 R20 the reserved area is out of reach${PVH:+: reads ~0, writes are dropped}" \
		reserved_refused
	check "R20 what is around it is not" around_reserved
	check "R20 dom0's permitted I/O memory ends and begins exactly there" permitted_exactly
	[ -n "$PVH" ] ||
		check "Xen shows the M2P, read-only" xenpf_pmem map xen "$(hex $RSV)" ro
	check "no RAM is added over a region" not_as_ram
	check "R35 data does not become anything else" not_to_the_heap
	check "R18 R28 REMOVE; failures before it leave it active, or can be completed" \
		remove_whole
	check "R28 the reserved area is back" xenpf_pmem map io "$(hex $RSV)" rw
	check "R28 and dom0 is permitted all of the range" xp_permitted $RSV
	check "the data is the same after it" same_samples
	check "R16 ADD once more" add_whole
}

busy_region()
{
	local frame=$(((DATA + END) / 2))

	if [ -z "$PVH" ]; then
		check "R15 REMOVE while a process of dom0 maps a frame: it is named" \
			removed_after hold self $frame
		check "R15 REMOVE while the first frame is mapped: it is named" \
			busy_while hold self $DATA
		check "R15 REMOVE while a frame of the M2P is mapped, read-only: it is named" \
			busy_while hold_m2p $RSV
	else
		check "R15 a PVH dom0's own mapping is not counted: REMOVE succeeds" not_counted
	fi
	# To map its own grant takes a frame out of a PVH dom0's p2m: not of a sample.
	check "R15 REMOVE while a grant maps a frame: it is named" \
		removed_after hold_grant $((frame + 1))
	check "R15 REMOVE while a grant maps one of the last frames: it is named" \
		busy_while hold_grant $((END - 2))
	check "the data is the same" same_samples
	check "R28 REMOVE when nothing is in use" remove_whole
}

early_mappings()
{
	if [ -z "$PVH" ]; then
		check "ADD while the first reserved frame is mapped: it is named" \
			reserved_mapped $RSV
		check "ADD while the last reserved frame is mapped: it is named" \
			reserved_mapped $((DATA - 1))
		check "data mapped before ADD, undone after it: Xen says so once" \
			stale_mapping $((DATA + 1)) 1
	else
		check "reserved frames that a PVH dom0 touched before ADD are out of reach" \
			reserved_touched $RSV
		check "data that a PVH dom0 mapped before ADD, undone after it" \
			stale_mapping $((DATA + 1)) 0
	fi
}

regions()
{
	check "R19 two regions that meet: every order of ADD and REMOVE" \
		orders 2 $LEFT $MIDDLE
	check "R19 three regions that meet: every order of ADD and REMOVE" \
		orders 24 $LEFT $MIDDLE $RIGHT
	check "three processes at once" contention
}

need_operation
need_range
limit_range $((GROUP * 3 / 2))
whole
load_grant || xp_skip "test_modules/xen_pmem_grant.ko is not there or does not load"
SAMPLES=$(samples)
meet
xp_at_exit remove_all

PLAN=38
[ -z "$PVH" ] || PLAN=34
xp_begin $PLAN
xp_mark
one_region
mappings
busy_region
early_mappings
check "R16 $CYCLES times ADD and REMOVE while another process maps data" cycles
check "the data is the same after them" same_samples
regions
check "R34 and it works as ever" add_whole
check "R34 and can be removed" remove_whole
check "R34 no splat in the kernel log" xp_no_splat
ktap_finished
