#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The hypercall itself, XENPF_pmem, without the driver: each of its commands, each
# of its errors that can be had, and what a region may and may not be used for.
#
# Destructive: the frames of XEN_PMEM_TEST_RANGE=START-END (hexadecimal, 256 MiB or
# more) are given to Xen and taken back many times; or those of the namespace
# XEN_PMEM_NAMESPACE, see lib.sh, which is unbound for it. Nothing may use them.

# Tuples are words: their splitting is wanted all over.
# shellcheck source=lib.sh disable=SC3043,SC2086,SC2046,SC2017
. "$(dirname "$(readlink -f "$0")")"/lib.sh

CHUNK=512
GROUP=65536
CYCLES=60
RANDOM_OPS=100

hex()
{
	printf '0x%x' "$1"
}

# The range: START and END, in frames.
from_environment()
{
	case $XEN_PMEM_TEST_RANGE in
	*[!0-9a-fA-F-]* | *-*-* | -* | *-) return 1 ;;
	*-*) ;;
	*) return 1 ;;
	esac
	START=$((0x${XEN_PMEM_TEST_RANGE%-*}))
	END=$((0x${XEN_PMEM_TEST_RANGE#*-}))
}

from_namespace()
{
	local dev=$XP_ND/devices/$XEN_PMEM_NAMESPACE first size

	[ -e "$dev" ] || return 1
	xp_idle "$XEN_PMEM_NAMESPACE"
	first=$(cat "$dev/resource")
	size=$(cat "$dev/size")
	START=$(((first + 0x1fffff) / 0x200000 * CHUNK))
	END=$(((first + size) / 0x200000 * CHUNK))
}

need_range()
{
	if [ -n "$XEN_PMEM_TEST_RANGE" ]; then
		from_environment ||
			xp_skip "XEN_PMEM_TEST_RANGE=$XEN_PMEM_TEST_RANGE is not START-END"
	elif [ -n "$XEN_PMEM_NAMESPACE" ]; then
		from_namespace ||
			xp_skip "XEN_PMEM_NAMESPACE=$XEN_PMEM_NAMESPACE: there is no such namespace"
	else
		xp_skip "set XEN_PMEM_TEST_RANGE=START-END to frames that may be overwritten"
	fi
	[ $((END - START)) -ge $GROUP ] ||
		xp_skip "$(hex $START)-$(hex $END): at least 256 MiB are needed"
	# More would only take longer.
	[ $((END - START)) -le $((GROUP * 3 / 2)) ] || END=$((START + GROUP * 3 / 2))
}

# tuple SPFN EPFN RESERVED: sets TUPLE, with the header in the first chunk.
tuple()
{
	local rsv=$(($1 + CHUNK)) data=$(($1 + CHUNK + $3))

	TUPLE="$(hex "$1") $(hex "$2") $(hex $rsv) $(hex $data) $(hex $data) $(hex "$2")"
}

# fails_with NAME COMMAND...: with this errno.
fails_with()
{
	local name="$1"

	shift
	if "$@" >"$XP_TMP/said"; then
		cat "$XP_TMP/said"
		echo "succeeded, expected $name"
		return 1
	fi
	cat "$XP_TMP/said"
	grep -q "($name)" "$XP_TMP/said" || {
		echo "expected $name"
		return 1
	}
}

# bad_frame FRAME: what fails_with met.
bad_frame()
{
	equal bad_mfn "$(xp_value bad_mfn <"$XP_TMP/said")" "$(hex "$1")"
}

number_of_regions()
{
	xenpf_pmem list | grep -c .
}

# The values of some frames of the data, as any mapping shows them.
samples()
{
	local frame

	for frame in $DATA $((DATA + 1)) $(((DATA + END) / 2)) $((END - 1)); do
		xenpf_pmem map self "$(hex $frame)" ro | xp_value value
	done
}

same_samples()
{
	equal "data" "$(samples)" "$SAMPLES"
}

# What is in the range; in the second round what the first had to leave.
remove_all()
{
	remove_once
	remove_once
}

remove_once()
{
	xenpf_pmem list | while read -r line; do
		set -- $(for key in spfn epfn rsv_spfn rsv_epfn data_spfn data_epfn; do
			echo "$line" | xp_value $key
		done)
		[ $(($1)) -ge $END ] || [ $(($2)) -le $START ] ||
			xenpf_pmem remove "$@"
	done
}

# The tuple WHOLE with fields changed: raw_op CMD FIELD=VALUE...
raw_op()
{
	local cmd="$1"

	shift
	set -- $WHOLE "$@"
	local spfn="$1" epfn="$2" rsv_spfn="$3" rsv_epfn="$4" data_spfn="$5" data_epfn="$6"
	shift 6
	xenpf_pmem raw cmd="$cmd" spfn="$spfn" epfn="$epfn" rsv_spfn="$rsv_spfn" \
		rsv_epfn="$rsv_epfn" data_spfn="$data_spfn" data_epfn="$data_epfn" "$@"
}

QUERY=0
ADD=1
LIST=3

# all_fail_with ERRNO FIELD=VALUE...: each word alone, for QUERY and ADD; words
# joined by a comma belong together.
all_fail_with()
{
	local errno="$1" fields cmd

	shift
	for fields; do
		for cmd in $QUERY $ADD; do
			fails_with "$errno" raw_op $cmd $(echo "$fields" | tr , ' ') || {
				echo "with cmd=$cmd $fields"
				return 1
			}
		done
	done
	equal "number of regions" "$(number_of_regions)" 0
}

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

ram_is_busy()
{
	fails_with EBUSY xenpf_pmem query 0x1000 0x1400 && bad_frame 4096
}

# Where failures are injected (pmem-fail=1), each of them must leave no trace.
add_whole()
{
	local failures=0 list query

	query=$(xenpf_pmem query $WHOLE)
	until xenpf_pmem add $WHOLE; do
		failures=$((failures + 1))
		[ $failures -lt 200 ] || return 1
		equal query "$(xenpf_pmem query $WHOLE)" "$query" &&
			equal "number of regions" "$(number_of_regions)" 0 &&
			xenpf_pmem map io "$(hex $RSV)" rw &&
			xenpf_pmem map io "$(hex $((DATA - 1)))" rw &&
			fails_with GNTST_bad_page xenpf_pmem gcopy "$(hex $DATA)" \
				"$(hex $((DATA + 1)))" || return 1
	done
	echo "$failures failures before"
	list=$(xenpf_pmem list)
	echo "$list"
	set -- $WHOLE
	echo "$list" | grep -w state=active | grep -w "spfn=$1" | grep -w "epfn=$2" |
		grep -w "rsv_spfn=$3" | grep -w "rsv_epfn=$4" |
		grep -w "data_spfn=$5" | grep -w "data_epfn=$6"
}

remove_whole()
{
	xenpf_pmem remove $WHOLE && equal "number of regions" "$(number_of_regions)" 0
}

overlaps_exist()
{
	local range

	# Left, right, inside and around.
	for range in "$((START - CHUNK)) $((START + GROUP / 2))" \
		"$((END - GROUP / 2)) $((END + CHUNK))" \
		"$((START + CHUNK)) $((END - CHUNK))" \
		"$((START - CHUNK)) $((END + CHUNK))"; do
		set -- $range
		fails_with EEXIST xenpf_pmem query "$(hex "$1")" "$(hex "$2")" &&
			equal state "$(xp_value state <"$XP_TMP/said")" none || return 1
	done
	fails_with EEXIST xenpf_pmem query $WHOLE &&
		equal state "$(xp_value state <"$XP_TMP/said")" active
}

grant_copy()
{
	xenpf_pmem gcopy "$(hex "$1")" "$(hex "$2")"
}

# No frame of the reserved area is within reach, the M2P's excepted: read-only.
reserved_refused()
{
	local frame

	for frame in $RSV $((RSV + CHUNK)) $((DATA - 1)); do
		if xenpf_pmem map io "$(hex $frame)" rw ||
		   xenpf_pmem map io "$(hex $frame)" ro ||
		   xenpf_pmem map self "$(hex $frame)" ro ||
		   xenpf_pmem map xen "$(hex $frame)" rw ||
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

# hold FRAME: have it mapped until release.
hold()
{
	: >"$XP_TMP/hold"
	xenpf_pmem map self "$(hex "$1")" rw hold >"$XP_TMP/hold" &
	HOLDER=$!
	xp_wait 20 grep -q value= "$XP_TMP/hold"
}

release()
{
	kill $HOLDER
	wait $HOLDER 2>/dev/null
	return 0
}

busy_while_mapped()
{
	local frame=$(((DATA + END) / 2)) rc=0

	hold $frame || return 1
	fails_with EBUSY xenpf_pmem remove $WHOLE && bad_frame $frame || rc=1
	grant_copy $DATA $((DATA + 1)) || rc=1
	release
	return $rc
}

# A PTE from before ADD took no reference; to drop it must not matter.
stale_mapping()
{
	hold $((DATA + 1)) || return 1
	add_whole || {
		release
		return 1
	}
	release
	grant_copy $DATA $((DATA + 1)) && remove_whole
}

cycles()
{
	local n=0

	while [ $n -lt $CYCLES ]; do
		xenpf_pmem add $WHOLE && grant_copy $DATA $DATA &&
			xenpf_pmem remove $WHOLE || {
			echo "in cycle $n"
			return 1
		}
		n=$((n + 1))
	done >"$XP_TMP/cycles" 2>&1 || {
		tail -n 5 "$XP_TMP/cycles"
		return 1
	}
}

# Two regions which meet in the middle of a group, and of an M2P window.
meet()
{
	local middle

	middle=$(((START / GROUP * GROUP) + GROUP / 2))
	[ $middle -gt $((START + 16 * CHUNK)) ] || middle=$((middle + GROUP / 2))
	tuple $START $middle $((8 * CHUNK))
	LEFT=$TUPLE
	tuple $middle $END $((RSV_FRAMES))
	RIGHT=$TUPLE
	MIDDLE=$middle
}

# meeting FIRST SECOND: the one which came first goes last.
meeting()
{
	local from=$((MIDDLE - 1)) to=$((END - 1))

	xenpf_pmem add $1 && xenpf_pmem add $2 &&
		equal "number of regions" "$(number_of_regions)" 2 &&
		grant_copy $from $to && grant_copy $to $from &&
		fails_with EBUSY xenpf_pmem remove $1 &&
		xenpf_pmem remove $2 &&
		fails_with GNTST_bad_page grant_copy $from $to &&
		xenpf_pmem add $2 && grant_copy $from $to &&
		xenpf_pmem remove $2 && xenpf_pmem remove $1 &&
		equal "number of regions" "$(number_of_regions)" 0
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

# Numbers that are near something, or have many bits.
random_words()
{
	awk -v seed="$1" -v start=$START -v end=$END -v ram=65536 '
	function pick(n) { return int(rand() * n) }
	function frame() {
		n = pick(8)
		if (n == 0) return pick(4) * 512
		if (n == 1) return "0x" substr("ffffffffffffffff", 1, pick(16) + 1)
		if (n == 2) return ram + pick(64) * 512
		if (n == 3) return start + pick(end - start)
		return start + pick((end - start) / 512 + 3) * 512
	}
	BEGIN {
		srand(seed)
		print "cmd=" pick(5)
		if (!pick(20)) print "version=" pick(3)
		if (!pick(20)) print "flags=" pick(3)
		if (!pick(20)) print "index=" pick(3)
		print "spfn=" frame(); print "epfn=" frame()
		print "rsv_spfn=" frame(); print "rsv_epfn=" frame()
		print "data_spfn=" frame(); print "data_epfn=" frame()
	}'
}

random_arguments()
{
	local n=0

	while [ $n -lt $RANDOM_OPS ]; do
		xenpf_pmem raw $(random_words $n)
		n=$((n + 1))
	done >"$XP_TMP/random"
	remove_all
	if grep errno "$XP_TMP/random" |
	   grep -Ev '\((EINVAL|EOPNOTSUPP|ERANGE|EEXIST|EBUSY|ENOSPC|ENOENT)\)'; then
		return 1
	fi
	equal "number of regions" "$(number_of_regions)" 0
}

xp_need_root
[ -c /dev/xen/privcmd ] || modprobe -q xen-privcmd
[ -c /dev/xen/privcmd ] || xp_skip "no /dev/xen/privcmd: not in a Xen control domain"
xp_need xenpf_pmem awk
xenpf_pmem list >/dev/null || xp_skip "this Xen has no XENPF_pmem"
need_range
equal "number of regions" "$(number_of_regions)" 0 ||
	xp_skip "there are regions already"

tuple $START $END $((16 * CHUNK))
RSV_FRAMES=$(($(xenpf_pmem query $TUPLE | xp_value rsv_max)))
[ $RSV_FRAMES -gt 0 ] || xp_skip "Xen would not take $TUPLE"
tuple $START $END $RSV_FRAMES
WHOLE=$TUPLE
RSV=$((START + CHUNK))
DATA=$((RSV + RSV_FRAMES))
SAMPLES=$(samples)
meet
xp_at_exit remove_all

xp_begin 36
check "R11 QUERY gives the need" query_is_sane
check "R22 the version of the interface is checked" \
	fails_with EACCES raw_op $QUERY interface_version=1
check "R34 unknown commands and versions" all_fail_with EOPNOTSUPP \
	cmd=4 cmd=0xffff version=0 version=2
check "R34 what has to be 0" all_fail_with EINVAL \
	flags=2 flags=0x80000000 pad=1 index=1
check "R34 misaligned frames" all_fail_with EINVAL \
	spfn=$((START - 1)) epfn=$((END + 256)) rsv_spfn=$((RSV + 1)) \
	rsv_epfn=$((RSV + CHUNK + 511)) data_spfn=$((DATA + 1)) data_epfn=$((END - 1))
check "R34 empty and inverted ranges" all_fail_with EINVAL \
	spfn=$END spfn=$((END + CHUNK)) rsv_epfn=$RSV rsv_epfn=$((RSV - CHUNK)) \
	data_spfn=$END data_epfn=$((DATA - CHUNK)) epfn=0
check "R34 ranges that are not inside, or overlap" all_fail_with EINVAL \
	rsv_spfn=$((START - CHUNK)) rsv_epfn=$((END + CHUNK)) \
	data_epfn=$((END + CHUNK)) data_spfn=$((START - CHUNK)) \
	rsv_epfn=$((DATA + CHUNK)) data_spfn=$RSV
top=0xfffffffffff00000 mid=0xfffffffffff80000 end=0xfffffffffffffe00
check "R32 R34 frames that Xen cannot address" all_fail_with ERANGE \
	epfn=0x10000000000 epfn=$end \
	"spfn=$top,epfn=$end,rsv_spfn=$top,rsv_epfn=$mid,data_spfn=$mid,data_epfn=$end"
check "R19 RAM is busy, the first frame is named" ram_is_busy
check "R11 R12 one chunk too little: nothing happens, the need is told" too_small
check "REMOVE of what was not added" fails_with ENOENT xenpf_pmem remove $WHOLE
check "LIST past the end" fails_with ENOENT xenpf_pmem raw cmd=$LIST index=0
check "R6 before ADD a grant copy is refused" \
	fails_with GNTST_bad_page grant_copy $DATA $((DATA + 1))
check "R18 ADD, LIST; failures before it leave no trace" add_whole
check "R16 ADD again" fails_with EEXIST xenpf_pmem add $WHOLE
check "R19 whatever overlaps it exists" overlaps_exist
check "LIST past the end of one" fails_with ENOENT xenpf_pmem raw cmd=$LIST index=1
check "R6 a grant copy works" grant_copy $DATA $((DATA + 1))
SAMPLES=$(samples)
check "R12 R20 the reserved area is out of reach" reserved_refused
check "R20 what is around it is not" around_reserved
check "Xen shows the M2P, read-only" xenpf_pmem map xen "$(hex $RSV)" ro
check "R35 data does not become anything else" not_to_the_heap
check "R15 REMOVE while a frame is mapped: the frame is named" busy_while_mapped
check "the data is the same" same_samples
check "R28 REMOVE" remove_whole
check "R28 the reserved area is back" xenpf_pmem map io "$(hex $RSV)" rw
check "the data is the same after it" same_samples
check "a mapping from before ADD, undone after it" stale_mapping
check "R16 $CYCLES times ADD and REMOVE" cycles
check "the data is the same after them" same_samples
check "two regions share a group, one order" meeting "$LEFT" "$RIGHT"
check "two regions share a group, the other order" meeting "$RIGHT" "$LEFT"
check "three processes at once" contention
check "R34 $RANDOM_OPS times arguments at random" random_arguments
check "R34 and it works as ever" add_whole
check "R34 and can be removed" remove_whole
ktap_finished
