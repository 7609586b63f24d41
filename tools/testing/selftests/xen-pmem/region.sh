# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043,SC2034,SC2086,SC2046,SC2017
#
# For the tests that use XENPF_pmem without the driver. Sourced after lib.sh.
#
# The frames of XEN_PMEM_TEST_RANGE=START-END (hexadecimal, 256 MiB or more) are
# given to Xen and taken back many times; or those of the namespace
# XEN_PMEM_NAMESPACE, see lib.sh, which is unbound for it. Nothing may use them.

CHUNK=512
GROUP=65536
QUERY=0
ADD=1
REMOVE=2
LIST=3
CLAIM=4
UNCLAIM=5
GUEST=6
MAP=7
UNMAP=8
NO_FRAME=-1

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
}

# limit_range FRAMES: more would only take longer.
limit_range()
{
	[ $((END - START)) -le "$1" ] || END=$((START + $1))
}

# A control domain of a Xen with XENPF_pmem, with no region. Sets PVH if it is one.
need_operation()
{
	xp_need_root
	[ -c /dev/xen/privcmd ] || modprobe -q xen-privcmd
	[ -c /dev/xen/privcmd ] ||
		xp_skip "no /dev/xen/privcmd: not in a Xen control domain"
	xp_need xenpf_pmem awk
	xenpf_pmem list >/dev/null || xp_skip "this Xen has no XENPF_pmem"
	equal "number of regions" "$(number_of_regions)" 0 ||
		xp_skip "there are regions already"
	PVH=
	! xp_pvh || PVH=1
}

# tuple SPFN EPFN RESERVED: sets TUPLE, with the header in the first chunk.
tuple()
{
	local rsv=$(($1 + CHUNK)) data=$(($1 + CHUNK + $3))

	TUPLE="$(hex "$1") $(hex "$2") $(hex $rsv) $(hex $data) $(hex $data) $(hex "$2")"
}

# The whole range as one region: sets WHOLE, RSV, DATA, and RSV_FRAMES.
whole()
{
	tuple $START $END $((16 * CHUNK))
	RSV_FRAMES=$(($(xenpf_pmem query $TUPLE | xp_value rsv_max)))
	[ $RSV_FRAMES -gt 0 ] || xp_skip "Xen would not take $TUPLE"
	tuple $START $END $RSV_FRAMES
	WHOLE=$TUPLE
	RSV=$((START + CHUNK))
	DATA=$((RSV + RSV_FRAMES))
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

# What is in the range; in later rounds what the first had to leave.
remove_all()
{
	local round

	for round in 1 2 3 4; do
		remove_once
	done
}

remove_once()
{
	local line key

	xenpf_pmem list | while read -r line; do
		set -- $(for key in spfn epfn rsv_spfn rsv_epfn data_spfn data_epfn; do
			echo "$line" | xp_value $key
		done)
		[ $(($1)) -ge $END ] || [ $(($2)) -le $START ] ||
			xenpf_pmem remove "$@"
	done
}

# new_domain: another one, which never runs. Sets DOMID.
new_domain()
{
	DOMID=$(xenpf_pmem domain | xp_value domid)
	[ -n "$DOMID" ]
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

grant_copy()
{
	xenpf_pmem gcopy "$(hex "$1")" "$(hex "$2")"
}

# hold DOMAIN FRAME [ro]: have it mapped until release.
hold()
{
	: >"$XP_TMP/hold"
	xenpf_pmem map "$1" "$(hex "$2")" "${3:-rw}" hold >"$XP_TMP/hold" &
	HOLDER=$!
	xp_wait 20 grep -q . "$XP_TMP/hold" && grep value= "$XP_TMP/hold"
}

# The same by a grant.
hold_grant()
{
	: >"$XP_TMP/hold"
	xenpf_pmem grant "$(hex "$1")" hold >"$XP_TMP/hold" &
	HOLDER=$!
	xp_wait 20 grep -q . "$XP_TMP/hold" && grep value= "$XP_TMP/hold"
}

release()
{
	kill $HOLDER
	wait $HOLDER 2>/dev/null
	return 0
}

# For hold_grant.
load_grant()
{
	[ -d /sys/kernel/debug/xen_pmem_grant ] && return
	[ -c /dev/xen/gntdev ] || modprobe -q xen-gntdev
	insmod "$XP_DIR"/test_modules/xen_pmem_grant.ko || return 1
	xp_at_exit "rmmod xen_pmem_grant"
	[ -d /sys/kernel/debug/xen_pmem_grant ] && [ -c /dev/xen/gntdev ]
}
