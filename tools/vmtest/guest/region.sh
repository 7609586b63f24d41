# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the guest scripts that use the hypercall directly, on the frames of a DIMM
# whose namespace has no driver meanwhile. After functions.sh.
#
# 2 MiB are CHUNK frames.

CHUNK=512

hex()
{
	printf '0x%x' "$1"
}

# value KEY <FILE: of a "key=value" word.
value()
{
	tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1
}

# tuple DIMM [SPARE]: sets the frames START, END, RSV and, from what Xen says it
# needs and SPARE frames more, DATA.
tuple()
{
	ns=$(namespace_of "$1")
	has_no_driver "$ns" || write_line "$ns" "$ND/devices/$ns/driver/unbind"
	first=$(cat "$ND/devices/$ns/resource")
	size=$(cat "$ND/devices/$ns/size")
	START=$(((first + 0x1fffff) >> 21 << 9))
	END=$(((first + size) >> 21 << 9))
	RSV=$((START + CHUNK))
	need=$(xenpf_pmem query "$(hex "$START")" "$(hex "$END")" | value rsv_need)
	DATA=$((RSV + need + ${2:-0}))
	TUPLE="$(hex "$START") $(hex "$END") $(hex "$RSV") $(hex "$DATA")"
	TUPLE="$TUPLE $(hex "$DATA") $(hex "$END")"
	[ $((need)) -gt 0 ] && [ $END -gt $((DATA + 4 * CHUNK)) ]
}

# op COMMAND: with the tuple.
op()
{
	# shellcheck disable=SC2086 # words
	xenpf_pmem "$1" $TUPLE
}

# busy COMMAND FRAME: it is refused, and FRAME is what is in the way.
busy()
{
	op "$1" >/run/xp/said
	cat /run/xp/said
	grep -q "(EBUSY)" /run/xp/said &&
		[ "$(value bad_mfn </run/xp/said)" = "$(hex "$2")" ]
}

no_region()
{
	[ -z "$(xenpf_pmem list)" ]
}

# set_word FRAME VALUE; word FRAME: its first eight bytes, by way of /dev/mem.
set_word()
{
	devmem $(($1 << 12)) 64 "$2"
}

word()
{
	devmem $(($1 << 12)) 64
}

frame_value()
{
	xenpf_pmem map self "$(hex "$1")" ro | value value
}
