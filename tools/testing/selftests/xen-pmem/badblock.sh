#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Bad input: one field of the info block is wrong, all others and the checksum
# are right. The driver does not bind, Xen is not asked to ADD anything, no byte
# of the medium changes, and one line of the kernel log names the field, what
# was found and what was expected.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

TRACING=/sys/kernel/tracing
HEAD=$XP_TMP/head
GOOD=$XP_TMP/good
BODY=$XP_TMP/body
XENPF_PMEM_ADD=1
CHUNK=$((2 << 20))

# What becomes of each field, one a line: FIELD VALUE, where V is the old value.
cases()
{
	cat <<-END
	signature+0 \$((V ^ 0x20))
	signature+15 1
	ext.magic+0 \$((V ^ 0x20))
	ext.magic+15 \$((V ^ 0x20))
	checksum \$((V ^ 1))
	checksum 0
	parent_uuid+0 \$((V ^ 0xff))
	parent_uuid+15 \$((V ^ 0xff))
	flags 1
	version_major 2
	version_minor 3
	dataoff \$((V + 4096))
	dataoff \$((V - (16 << 20)))
	dataoff \$((V + (16 << 20)))
	npfns \$((V - 1))
	npfns \$((V + 4096))
	mode 1
	mode 3
	start_pad $CHUNK
	end_trunc \$((V + $CHUNK))
	align 4096
	align 0
	page_size 4096
	page_struct_size 64
	padding0+0 1
	padding0+3489 1
	ext.version_major 2
	ext.owner 0
	ext.owner 2
	ext.incompat 1
	ext.incompat \$((1 << 62))
	ext.rsv_start \$((V + 4096))
	ext.rsv_start \$((V - $CHUNK))
	ext.rsv_start \$((V + $CHUNK))
	ext.rsv_start \$((V + (16 << 20)))
	ext.rsv_start \$((1 << 62))
	ext.rsv_size 0
	ext.rsv_size \$((V - 4096))
	ext.rsv_size \$((V + (16 << 20)))
	ext.rsv_size -$CHUNK
	ext.data_start \$((V + $CHUNK))
	ext.data_start \$((V + (16 << 20)))
	ext.data_start -4096
	ext.data_size \$((V + 4096))
	ext.data_size \$((V - (16 << 20)))
	ext.data_size \$((V + (16 << 20)))
	ext.data_size 0
	ext.reserved+0 1
	ext.reserved+425 1
	END
}

# A block that was made under a Xen with other record sizes.
sizes()
{
	cat <<-END
	ext.page_info_size \$((V + 16))
	ext.page_info_size \$((V - 8))
	ext.m2p_size \$((V * 2))
	ext.compat_m2p_size \$((V + 4))
	END
}

# Changes that a reader accepts: what it may ignore, and a reserved area that is
# larger than needed.
harmless()
{
	cat <<-END
	uuid+0 \$((V ^ 0xff))
	ext.version_minor 1
	ext.compat 1
	ext.rsv_size \$((V + $CHUNK))
	END
}

# Every call of the operation leaves its command in the trace buffer.
trace_start()
{
	[ -d $TRACING/events ] || mount -t tracefs trace $TRACING || return 1
	# shellcheck disable=SC2016 # $arg1 is the kernel's
	xp_write 'p:xen_pmem_test/op xen_pmem_hcall cmd=$arg2:u16' \
		$TRACING/kprobe_events || return 1
	xp_at_exit "xp_write -:xen_pmem_test/op $TRACING/kprobe_events"
	xp_write 1 $TRACING/events/xen_pmem_test/op/enable || return 1
	xp_at_exit "xp_write 0 $TRACING/events/xen_pmem_test/op/enable"
}

adds()
{
	grep -c "op: .* cmd=$XENPF_PMEM_ADD\$" $TRACING/trace
}

# A raw window takes most of the time, so one case leaves it to the next.
window()
{
	[ -z "$WINDOW" ] || return 0
	xp_raw_open "$NS" && WINDOW=open
}

close_window()
{
	[ -z "$WINDOW" ] || xp_raw_close "$NS"
	WINDOW=
}

# put_head: the first 8 KiB, as changed, go to the medium.
put_head()
{
	local rc

	window && dd if="$HEAD" of="$RAW" bs=4096 count=2 conv=notrunc,fsync \
		status=none
	rc=$?
	close_window
	return $rc
}

# The whole medium is what was put there, to the last byte.
medium_same()
{
	dd if="$HEAD" of="$BODY" bs=4096 count=2 conv=notrunc status=none &&
		window && info_block same "$RAW" "$BODY"
}

# change FIELD EXPRESSION: of the good block, into $HEAD; sets FOUND.
change()
{
	local V

	cp "$GOOD" "$HEAD"
	# shellcheck disable=SC2034 # for the expression
	V=$(info_block get "$GOOD" "$1")
	eval "FOUND=$2"
	info_block set "$HEAD" "$1" "$FOUND"
}

# The line names the field, what was found and what was expected.
line_for()
{
	one_line "xen_pmem: $NS: info block field ${1%+*} is *, expected *; " &&
		kept_line
}

# The last error of the namespace is what was logged, and what the bind failed with.
kept_line()
{
	equal last_errors "$(grep "^$NS: " $XP_DRIVER/last_errors)" \
		"$NS: $(probe_error): $(xp_lines | sed "s/.*xen_pmem: $NS: //")"
}

# What a bind failed with; ENODEV if the driver core has no word about it.
probe_error()
{
	local error

	error=$(xp_messages |
		sed -nE 's/.*probe (of|with) .* failed with error (-[0-9]+)$/\2/p')
	echo "${error:--19}"
}

no_line()
{
	equal "what the driver says" "$(xp_lines)" ""
}

# not_taken REPORT FIELD: a bind fails and changes nothing anywhere.
not_taken()
{
	local report="$1"

	put_head || return 1
	xp_mark
	if xp_bind "$NS"; then
		echo "the driver has bound $NS"
		xp_unbind "$NS"
		return 1
	fi
	$report "${2:-}" &&
		equal "number of ADDs" "$(adds)" "$ADDS" &&
		equal "Xen's list" "$(xenpf_pmem list)" "$LIST" &&
		medium_same
}

# each REQUIREMENT WHAT COMMAND... <TABLE: runs COMMAND... FIELD for each line.
each()
{
	local req="$1" what="$2" field value

	shift 2
	while read -r field value <&3; do
		change "$field" "$value"
		check "$req $field = $FOUND: $what" "$@" "$field"
	done 3<&0
}

taken()
{
	put_head && xp_bind "$NS" && xp_bound "$NS" && xp_unbind "$NS"
}

# Xen says how much it needs.
too_small()
{
	one_line "$NS: *reserved area is $(info_block get "$HEAD" "$1") bytes, Xen needs $NEED;" &&
		kept_line
}

# Both sets of sizes, and the command that provisions again.
record_sizes()
{
	local field sizes=

	for field in page_info m2p compat_m2p; do
		sizes="$sizes+$(info_block get "$HEAD" "ext.${field}_size")"
	done
	one_line "$NS: *record sizes: ${sizes#?} bytes per page, this Xen has $SIZES;" \
		"ndctl create-namespace --mode=xen -f -e $NS" && kept_line
}

# bind_says ERROR
bind_says()
{
	put_head && xp_bind "$NS" 2>&1 | grep "$1"
}

xp_need_xen
xp_need info_block
[ -n "$XEN_PMEM_SPARE" ] ||
	xp_skip "set XEN_PMEM_SPARE to a small namespace that may be overwritten"
NS=$XEN_PMEM_SPARE
[ -e $XP_ND/devices/"$NS" ] || xp_skip "XEN_PMEM_SPARE=$NS: no such namespace"
trace_start || xp_skip "the driver's hypercall cannot be traced"
xp_provisioned "$NS"
START=$(($(cat $XP_ND/devices/"$NS"/resource)))
END=$((START + $(cat $XP_ND/devices/"$NS"/size)))
SIZES=$(sed 's/[a-z0-9_]*=//g; s/ /+/g' $XP_DRIVER/xen)
xp_unbind "$NS"
xp_at_exit close_window
window || xp_skip "$NS does not come up as a raw disk"
dd if="$RAW" of="$BODY" bs=1M 2>/dev/null
dd if="$RAW" of="$GOOD" bs=4096 count=2 2>/dev/null
close_window
# What other regions brought along is not needed once more.
NEED=$(xenpf_pmem query "$(xp_frame $START)" "$(xp_frame $END)" | xp_value rsv_need)
NEED=$((NEED << 12))
[ $NEED -ge $((2 * CHUNK)) ] ||
	xp_skip "another region is beside $NS, Xen needs $NEED bytes only"
info_block check "$GOOD" || xp_skip "$NS has no info block"

for table in cases sizes harmless; do
	$table >"$XP_TMP/$table"
done
xp_begin $(($(cat "$XP_TMP/cases" "$XP_TMP/sizes" "$XP_TMP/harmless" | wc -l) + 8))

ADDS=$(adds)
LIST=$(xenpf_pmem list)
each R4 "refused with one line" not_taken line_for <"$XP_TMP/cases"
each R10 "refused with the command that provisions again" \
	not_taken record_sizes <"$XP_TMP/sizes"

change ext.rsv_size "\$((NEED - CHUNK))"
check "R11 the reserved area is one chunk too small: Xen's need is in the line" \
	not_taken too_small ext.rsv_size
check "R11 and the bind fails with ENOSPC" bind_says "No space left"
change ext.page_info_size 48
check "R10 other record sizes: the bind fails with EOPNOTSUPP" bind_says "not supported"

dd if=/dev/zero of="$HEAD" bs=4096 count=2 2>/dev/null
check "R5 no block: left alone without a word" not_taken no_line
dd if=/dev/urandom of="$HEAD" bs=4096 count=2 2>/dev/null
check "R5 noise: left alone without a word" not_taken no_line
change ext.magic+0 0
info_block set "$HEAD" page_struct_size 64
info_block set "$HEAD" page_size 4096
check "R5 a stock info block: left alone without a word" not_taken no_line

# From here on Xen writes to the reserved area.
each R4 "a reader has to accept it" taken <"$XP_TMP/harmless"
cp "$GOOD" "$HEAD"
ADDS=$(adds)
check "R4 the good block is bound" taken
check "R4 and the trace has its ADD" equal "number of ADDs" "$(adds)" $((ADDS + 1))
xp_bind "$NS"
ktap_finished
