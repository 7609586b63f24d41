#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the nested region promises is what the outer one promises, no more and no less:
# the namespace is first a stock fsdax one, then in xen mode, and all that the kernel
# says of region and disk, and MAP_SYNC, has to be the same. So also where the outer
# region has flush hints, can give no guarantee, or is an asynchronous one, which
# test_modules/xen_pmem_inject.ko makes libnvdimm believe. A flush gets to the outer
# region; what is read-only there is read-only inside.
#
# nd_pmem may not have been loaded since boot: the kernel makes a dax device in the
# memory of a former one, and does not forget that the former one was synchronous. So
# what is asynchronous comes first, and ndctl, which enables what it destroys, is told
# the same.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

TRACING=/sys/kernel/tracing
SPARE_UUID=8d9a1d55-41c7-4f43-8d1b-3b2c06f5a6e1
NO_GUARANTEE="unable to guarantee persistence of writes"

# The outer region is of this kind: what libnvdimm answers for it.
answers()
{
	inject forget
	case $1 in
	hints) inject answer nvdimm_has_flush "$OUTER" 1 ;;
	unsure) inject answer nvdimm_has_flush "$OUTER" -6 ;;
	async)
		inject answer nvdimm_has_flush "$OUTER" 1 &&
			inject answer is_nvdimm_sync "$OUTER" 0
		;;
	esac
}

become()
{
	xp_mark
	answers "$1"
}

# can_map_sync DISK: a file on it, by -o dax; loses what the disk holds.
can_map_sync()
{
	local rc

	mkfs.ext4 -q -F -b 4096 "$1" && mount -t ext4 -o dax "$1" "$XP_MNT" || return 2
	dax_file write "$XP_MNT/file" 65536 1 && dax_file check "$XP_MNT/file"
	rc=$?
	umount "$XP_MNT"
	return $rc
}

# or_none FILE: what it holds
or_none()
{
	cat "$1" 2>/dev/null || echo none
}

# of_region REGION
of_region()
{
	local name

	for name in persistence_domain numa_node target_node read_only; do
		echo "region $name: $(or_none $XP_ND/devices/"$1/$name")"
	done
}

# of_disk DISK
of_disk()
{
	local name disk="/sys/block/${1#/dev/}"

	for name in ro queue/dax queue/fua queue/write_cache dax/write_cache \
		queue/logical_block_size queue/physical_block_size; do
		echo "disk $name: $(or_none "$disk/$name")"
	done
	echo "disk can do MAP_SYNC: $(can_map_sync "$1" >/dev/null 2>&1; echo $?)"
}

# Since the last xp_mark; the kernel names the namespace.
warnings()
{
	echo "kernel warns of no guarantee: $(xp_messages | grep -c "$NO_GUARANTEE")"
}

make_stock()
{
	ndctl create-namespace --force --reconfig="$NS" --mode=fsdax --map=mem \
		--no-autolabel || return 1
	HOLDER=$(cat $XP_ND/devices/"$NS"/holder)
	xp_unbind "$HOLDER"
}

stock_open()
{
	xp_write "$HOLDER" $XP_ND/drivers/nd_pmem/bind &&
		DISK=/dev/$(ls $XP_ND/devices/"$HOLDER"/block) &&
		xp_wait 10 test -b "$DISK"
}

# stock KIND: what a stock disk is like; to a file of that name.
stock()
{
	become "$1" && stock_open || return 1
	{ of_region "$OUTER"; of_disk "$DISK"; warnings; } >"$XP_TMP/stock.$1"
	cat "$XP_TMP/stock.$1"
	[ "$1" != hints ] || stock_flush || return 1
	xp_unbind "$HOLDER"
}

inner_region()
{
	basename "$XP_ND"/devices/"$(xp_attr "$NS" bus)"/region*
}

# nested KIND: the same of the nested region and its disk.
nested()
{
	become "$1" && xp_bind "$NS" && DISK=$(xp_disk "$NS") &&
		xp_wait 10 test -b "$DISK" || return 1
	inject forget
	{ of_region "$(inner_region)"; of_disk "$DISK"; warnings; } >"$XP_TMP/nested.$1"
	cat "$XP_TMP/nested.$1"
}

# A line for each promise that is another one.
same()
{
	diff "$XP_TMP/stock.$1" "$XP_TMP/nested.$1"
}

# is_stock KIND LINE: the injection has had its effect, or there was none.
is_stock()
{
	cat "$XP_TMP/stock.$1"
	grep -qx "$2" "$XP_TMP/stock.$1"
}

# kind_is_kept KIND
kind_is_kept()
{
	check "R25 R31 $1: nested region and disk are there" nested "$1"
	check "R25 R31 $1: they promise what the stock ones do" same "$1"
	[ "$1" != hints ] || test_flush
	check "R25 $1: unbind" xp_unbind "$NS"
}

# --- flush ---------------------------------------------------------------------

# Every flush leaves its region and its bio in the trace buffer.
trace_start()
{
	[ -d $TRACING/events ] || mount -t tracefs trace $TRACING || return 1
	# shellcheck disable=SC2016 # $arg1 is the kernel's
	xp_write 'p:xen_pmem_test/flush nvdimm_flush region=$arg1:x64 bio=$arg2:x64' \
		$TRACING/kprobe_events || return 1
	xp_at_exit "xp_write -:xen_pmem_test/flush $TRACING/kprobe_events"
	xp_write 1 $TRACING/events/xen_pmem_test/flush/enable || return 1
	xp_at_exit "xp_write 0 $TRACING/events/xen_pmem_test/flush/enable"
}

# flushes: "REGION BIO" of each, as addresses
flushes()
{
	sed -n 's/.* flush: .*region=\(0x[0-9a-f]*\) bio=\(0x[0-9a-f]*\)$/\1 \2/p' \
		$TRACING/trace
}

# By both ways: a flush is without a bio, a write with FUA has one.
fsync_disk()
{
	: >$TRACING/trace
	dd if=/dev/urandom of="$DISK" bs=4096 count=1 conv=notrunc,fsync status=none &&
		sector_io write "$DISK" 0 1 /dev/zero
}

# One region is flushed only. Sets FLUSHED: its address.
stock_flush()
{
	fsync_disk || return 1
	flushes
	FLUSHED=$(flushes | sed 's/ .*//' | sort -u)
	equal "number of regions flushed" "$(echo "$FLUSHED" | grep -c .)" 1
}

# The outer region is told of no bio: the nested one's is not its own.
fsync_flushes()
{
	fsync_disk || return 1
	flushes
	flushes | grep -qx "$FLUSHED 0x0" && ! flushes | grep "^$FLUSHED 0x[1-9a-f]"
}

deep_flush()
{
	: >$TRACING/trace
	xp_write 1 $XP_ND/devices/"$(inner_region)"/deep_flush || return 1
	flushes
	flushes | grep -qx "$FLUSHED 0x0"
}

test_flush()
{
	check "R25 fsync of the disk flushes the outer region" fsync_flushes
	check "R25 so does the nested region's deep_flush" deep_flush
}

# --- read-only -----------------------------------------------------------------

set_ro()
{
	xp_write "$1" $XP_ND/devices/"$OUTER"/read_only
}

# reason COMMAND...: its exit status, and what it says after the last colon, of
# whichever disk.
reason()
{
	local rc

	"$@" >"$XP_TMP/reason" 2>&1
	rc=$?
	echo "$rc $(sed "s/.*: //; s:$DISK:the disk:" "$XP_TMP/reason" | tail -n 1)"
	umount "$XP_MNT" 2>/dev/null
}

overwrite()
{
	dd if=/dev/zero of="$1" bs=4096 count=1 seek=1000 conv=notrunc,fsync status=none
}

# refusals REGION DISK: of a disk that has a file system
refusals()
{
	echo "region read_only: $(cat $XP_ND/devices/"$1"/read_only)"
	echo "disk ro: $(cat /sys/block/"${2#/dev/}"/ro)"
	echo "write: $(reason overwrite "$2")"
	echo "mount: $(reason mount -t ext4 -o rw,dax "$2" "$XP_MNT")"
	echo "read-only mount: $(reason mount -t ext4 -o ro,noload,dax "$2" "$XP_MNT")"
	echo "sector_io: $(reason sector_io write "$2" 1000 1 /dev/zero)"
}

stock_refusals()
{
	become plain && stock_open && can_map_sync "$DISK" && set_ro 1 || return 1
	refusals "$OUTER" "$DISK" >"$XP_TMP/stock.ro"
	set_ro 0
	xp_unbind "$HOLDER"
	cat "$XP_TMP/stock.ro"
	grep -x "disk ro: 1" "$XP_TMP/stock.ro" && grep "^write: 1 " "$XP_TMP/stock.ro"
}

nested_refusals()
{
	can_map_sync "$DISK" && set_ro 1 || return 1
	refusals "$(inner_region)" "$DISK" >"$XP_TMP/nested.ro"
	cat "$XP_TMP/nested.ro"
	diff "$XP_TMP/stock.ro" "$XP_TMP/nested.ro"
}

# The disk is as before, and can be written.
writable()
{
	set_ro 0 && equal "disk ro" "$(cat /sys/block/"${DISK#/dev/}"/ro)" 0 &&
		equal "region read_only" \
			"$(cat $XP_ND/devices/"$(inner_region)"/read_only)" 0 &&
		overwrite "$DISK"
}

header_sum()
{
	xp_raw_open "$NS" || return 1
	dd if="$RAW" bs=1M count=16 status=none | sha256sum
	xp_raw_close "$NS"
}

# Xen was not asked, and nothing was written.
untouched()
{
	equal "Xen's list" "$(xenpf_pmem list)" "" &&
		equal "sha256 of what lies before the data" "$(header_sum)" "$SUM"
}

read_only()
{
	check "R26 outer region read-only: region, disk and each refusal are as on stock" \
		nested_refusals
	check "R26 no more: it can be written" writable
	check "unbind" xp_unbind "$NS"
	SUM=$(header_sum)
	set_ro 1
	xp_mark
	refused "R26 read-only: bind is refused" "Read-only file system" xp_bind "$NS"
	check "R26 with one line" one_line "xen_pmem: $NS: $OUTER is read-only, Xen cannot"
	xp_mark
	refused "R26 read-only: provision is refused" "Read-only file system" \
		xp_write "$NS $SPARE_UUID force" $XP_DRIVER/provision
	check "R26 with one line" one_line "xen_pmem: $NS: $OUTER is read-only"
	refused "R26 read-only: its block is not erased" "Read-only file system" \
		xp_write "$NS $SPARE_UUID erase" $XP_DRIVER/provision
	set_ro 0
	check "R26 nothing was written, and Xen was not asked" untouched
}

in_xen_mode()
{
	answers "$1"
	ndctl destroy-namespace --force "$NS" >/dev/null 2>&1
	xp_provisioned "$NS"
	xp_unbind "$NS"
}

# Before any disk was there.
asynchronous()
{
	answers async
	modprobe nd_pmem || xp_skip "nd_pmem does not load"
	check "a stock namespace" make_stock
	check "its disk of an asynchronous region" stock async
	check "it cannot do MAP_SYNC" is_stock async "disk can do MAP_SYNC: 1"
	in_xen_mode async
	kind_is_kept async
	inject forget
	ndctl destroy-namespace --force "$NS" >/dev/null 2>&1
}

stock_kinds()
{
	check "a stock namespace" make_stock
	check "its disk" stock plain
	check "its disk of a region with flush hints" stock hints
	check "it says so" is_stock hints "disk queue/fua: 1"
	check "its disk of a region without any guarantee" stock unsure
	check "the kernel says so" is_stock unsure "kernel warns of no guarantee: 1"
	check "R26 its disk of a read-only region refuses writes" stock_refusals
}

xp_need_xen
xp_need mkfs.ext4 dax_file sector_io diff sha256sum
xp_need_namespace
[ ! -d $XP_ND/drivers/nd_pmem ] ||
	xp_skip "nd_pmem is loaded: boot with modprobe.blacklist=nd_pmem"
OUTER=$(basename "$(readlink -f $XP_ND/devices/"$NS"/..)")
xp_need_module inject
trace_start || xp_skip "nvdimm_flush() cannot be traced"
xp_at_exit "set_ro 0"

xp_begin 35
xp_mark
FIRST=$XP_MARKED
asynchronous
stock_kinds
in_xen_mode plain
for kind in hints unsure plain; do
	kind_is_kept $kind
done
xp_bind "$NS"
DISK=$(xp_disk "$NS")
xp_wait 10 test -b "$DISK"
read_only
check "bind" xp_bind "$NS"
XP_MARKED=$FIRST
check "no splat in the kernel log" xp_no_splat
ktap_finished
