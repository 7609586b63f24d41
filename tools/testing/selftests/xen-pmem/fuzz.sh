#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Arguments at random for the hypercall XENPF_pmem, each answer held against what
# its text allows: see "xenpf_pmem fuzz".
#
# Destructive, see region.sh. XEN_PMEM_FUZZ_SEED (default 1) and
# XEN_PMEM_FUZZ_COUNT (default 20000; a million takes some minutes under emulation)
# say what is tried.

# shellcheck source=lib.sh disable=SC3043,SC2086
. "$(dirname "$(readlink -f "$0")")"/lib.sh
# shellcheck source=region.sh
. "$XP_DIR"/region.sh

SEED=${XEN_PMEM_FUZZ_SEED:-1}
COUNT=${XEN_PMEM_FUZZ_COUNT:-20000}

run()
{
	xenpf_pmem fuzz "$SEED" "$COUNT" "$(hex $START)" "$(hex $END)" >"$XP_TMP/fuzz" 2>&1
	RC=$?
	xp_say "again: xenpf_pmem fuzz $SEED $COUNT $(hex $START) $(hex $END)"
	sed 's/^/# /' "$XP_TMP/fuzz"
}

# Each call's answer was one of those that the oracle allows.
agreed()
{
	equal "exit status" $RC 0 &&
		equal calls "$(xp_value calls <"$XP_TMP/fuzz")" "$COUNT" &&
		equal failures "$(xp_value failures <"$XP_TMP/fuzz")" 0
}

nothing_left()
{
	equal regions_left "$(xp_value regions_left <"$XP_TMP/fuzz")" none &&
		equal "number of regions" "$(number_of_regions)" 0
}

as_many_free()
{
	equal free_after "$(xp_value free_after <"$XP_TMP/fuzz")" \
		"$(xp_value free_before <"$XP_TMP/fuzz")"
}

# met COMMAND OUTCOME...: each of them was the answer to some call.
met()
{
	local cmd="$1" line outcome

	shift
	line=$(grep "^cmd=$cmd " "$XP_TMP/fuzz")
	for outcome; do
		case " $line" in
		*" $outcome="*) ;;
		*)
			echo "no $cmd had $outcome: $line"
			return 1
			;;
		esac
	done
}

# The first few calls once more; of another seed other ones.
again()
{
	local args

	args="2000 $(hex $START) $(hex $END)"
	xenpf_pmem fuzz "$SEED" $args >"$XP_TMP/one" &&
		xenpf_pmem fuzz "$SEED" $args >"$XP_TMP/two" &&
		xenpf_pmem fuzz "$((SEED + 1))" $args >"$XP_TMP/three" &&
		cmp "$XP_TMP/one" "$XP_TMP/two" &&
		! cmp "$XP_TMP/one" "$XP_TMP/three"
}

need_operation
need_range
limit_range $((4 * GROUP))
[ "$COUNT" -ge 10000 ] ||
	xp_skip "XEN_PMEM_FUZZ_COUNT=$COUNT: fewer than 10000 do not meet every error"
xp_at_exit remove_all

xp_begin 15
xp_mark
run
check "R34 $COUNT times arguments at random, each answer is one that the text allows" agreed
check "R18 nothing is left of what was added" nothing_left
check "R18 as many pages are free as before" as_many_free
check "R34 QUERY had each of its errors" met query OK EINVAL ERANGE EOPNOTSUPP \
	EEXIST EBUSY ENODEV EACCES ENOSYS
check "R34 ADD had each of its errors" met add OK EINVAL ERANGE EOPNOTSUPP \
	EEXIST EBUSY ENODEV ENOSPC EACCES ENOSYS
check "R34 REMOVE had each of its errors" met remove OK EINVAL EOPNOTSUPP EBUSY \
	ENOENT EACCES ENOSYS
check "R34 LIST had each of its errors" met list OK EINVAL EOPNOTSUPP ENOENT \
	EACCES ENOSYS
check "R34 CLAIM had each of its errors" met claim OK EINVAL EOPNOTSUPP ENOENT
check "R34 UNCLAIM had each of its errors" met unclaim OK EINVAL EOPNOTSUPP ENOENT
check "R34 GUEST had each of its errors" met guest EINVAL EOPNOTSUPP ENOENT
check "R34 MAP had each of its errors" met map EINVAL EOPNOTSUPP ENOENT ESRCH
check "R34 UNMAP had each of its errors" met unmap EINVAL EOPNOTSUPP ENOENT
check "R34 unknown commands were refused" met other EOPNOTSUPP
check "R34 what was tried can be tried again: the same seed, the same answers" again
check "R34 no splat in the kernel log" xp_no_splat
ktap_finished
