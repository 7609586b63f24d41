#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# labels.sh make|back: three namespaces in one region with labels of version 1.2 (DIMM
# 0), one in a region with labels of version 1.1 (DIMM 1), and a small NVDIMM without
# labels (DIMM 2): each is provisioned, used, given back, and comes back by itself.
#
# Of the three, neighbours share a group of 256 MiB, and all of them a window of 1 GiB:
# what was handed over first brings the records, and cannot be taken back before the
# others.

. /vmtest/guest/functions.sh

BYTES=$((4 << 20))

init_labels()
{
	region=$(region_of "$1")
	nmem=$(cut -d, -f1 "$ND/devices/$region/mapping0")
	ndctl disable-region "$region" && ndctl init-labels -f -V "$2" "$nmem" &&
		ndctl enable-region "$region"
}

label_version()
{
	nmem=$(cut -d, -f1 "$ND/devices/$(region_of "$1")/mapping0")
	ndctl read-labels -j "$nmem" | jq -r \
		'.. | objects | .index // empty | .[0] | "\(.major).\(.minor)"'
}

# create DIMM SIZE
create()
{
	ndctl create-namespace --mode=xen --region="$(region_of "$1")" --size="$2"
}

# all_of DIMM: its namespaces, by address.
all_of()
{
	for ns in "$ND/devices/$(region_of "$1")"/namespace*.*; do
		[ "$(cat "$ns/size")" -gt 0 ] || continue
		printf '%d %s\n' "$(cat "$ns/resource")" "${ns##*/}"
	done | sort -n | sed 's/.* //'
}

up()
{
	wait_for 20 is_xen "$1" && wait_for 20 inner_disk "$1"
}

# fill|same NAMESPACE SEED
fill()
{
	disk=$(inner_disk "$1") && mkfs.ext4 -q -F -b 4096 "$disk" &&
		mount -t ext4 -o dax "$disk" "$MNT" &&
		dax_file write "$MNT/file" $BYTES "$2" && umount "$MNT"
}

same()
{
	up "$1" && mount -t ext4 -o dax "$(inner_disk "$1")" "$MNT" &&
		dax_file verify "$MNT/file" $BYTES "$2" && umount "$MNT"
}

unbind()
{
	write_line "$1" "$ND/drivers/xen_pmem/unbind"
}

bind()
{
	write_line "$1" "$ND/drivers/xen_pmem/bind" && up "$1"
}

# kept_for NAMESPACE OTHER...: with a line that names the first frame of another one.
kept_for()
{
	line="xen_pmem: $1: its reserved area has records of its neighbour at frame"
	shift
	for other; do
		frame=$(printf '%#x' $(($(cat "$ND/devices/$other/resource") >> 12)))
		! dmesg | grep "$line $frame;" || return 0
	done
	return 1
}

# waits NAMESPACE OTHER...: what came first goes first.
waits()
{
	dmesg -c >/dev/null
	try "R15 $1, which came first, is unbound" unbind "$1"
	try "R15 it is kept, with a line that names a frame of what came later" kept_for "$@"
	is "R15 there is no other line" "$(dmesg | grep -c xen_pmem)" 1
	refuses "R15 its info block cannot be read, and why" \
		"$1 failed to enable for read-infoblock, Xen may not have given back" \
		ndctl read-infoblock "$1"
	try "R15 Xen has all five" xen_has 5
}

# first_goes_first FIRST SECOND THIRD: in the order in which they were handed over.
first_goes_first()
{
	waits "$1" "$2" "$3"
	waits "$2" "$3"
	try "R15 $3, which came last, is unbound" unbind "$3"
	try "R15 the two others are given back by themselves" wait_for 30 xen_has 2
	is "R15 with one line each" "$(dmesg | grep -c 'xen_pmem: .*Xen has given it back')" 2
}

last_goes_first()
{
	dmesg -c >/dev/null
	left=5
	for ns in "$3" "$2" "$1"; do
		left=$((left - 1))
		try "R15 $ns is unbound" unbind "$ns"
		try "R15 Xen has the others" xen_has $left
	done
	is "R15 the driver has nothing to say" "$(dmesg | grep -c xen_pmem)" 0
}

bind_all()
{
	for ns; do
		try "R16 $ns is bound" bind "$ns"
	done
}

make()
{
	try "DIMM 0: labels of version 1.2" init_labels 0 1.2
	try "DIMM 1: labels of version 1.1" init_labels 1 1.1
	for size in 160M 160M 64M; do
		try "R7 DIMM 0: a namespace of $size in xen mode" create 0 $size
	done
	try "R7 DIMM 1: a namespace in xen mode" create 1 128M
	try "R7 DIMM 2: 64 MiB without labels in xen mode" provision 2
	is "R7 DIMM 0 has three namespaces" "$(all_of 0 | grep -c .)" 3
}

# orders FIRST SECOND THIRD: as they were handed over
orders()
{
	first_goes_first "$1" "$2" "$3"
	bind_all "$1" "$2" "$3"
	last_goes_first "$1" "$2" "$3"
	bind_all "$1" "$2" "$3"
}

set_uuid()
{
	write_line "$2" "$ND/devices/$1/uuid"
}

# Somebody else's namespace at the same addresses is none of what Xen keeps.
other_uuid()
{
	uuid=$(cat "$ND/devices/$1/uuid")
	try "a frame of $1 is in use" hold "$1"
	try "R15 $1 is unbound" unbind "$1"
	try "it gets another uuid" set_uuid "$1" 5c1a5ee0-0d1b-4b21-8a57-0e9d7c0a3c11
	dmesg -c >/dev/null
	refuses "R16 it is not bound" "[Bb]usy" bind "$1"
	try "R16 one line says why" sh -c \
		"dmesg | grep 'xen_pmem: $1: .* its address, size or uuid is another'"
	try "R15 Xen still has five regions" xen_has 5
	try "it gets its own uuid" set_uuid "$1" "$uuid"
	try "R16 it is bound" bind "$1"
	is "R16 and adopted" "$(xen_attr "$1" state)" adopted
	kill "$HOLDER"
}

[ "$1" = back ] || make
is "R7 DIMM 0 has labels of version 1.2" "$(label_version 0)" 1.2
is "R7 DIMM 1 has labels of version 1.1" "$(label_version 1)" 1.1
try "R7 Xen has five regions" wait_for 30 xen_has 5
seed=0
for ns in $(all_of 0) $(all_of 1) $(all_of 2); do
	seed=$((seed + 1))
	[ "$1" = back ] || try "R7 $ns: a file" fill "$ns" $seed
done
# shellcheck disable=SC2046 # words
[ "$1" = back ] || orders $(all_of 0)
[ "$1" = back ] || other_uuid "$(all_of 1)"
seed=0
for ns in $(all_of 0) $(all_of 1) $(all_of 2); do
	seed=$((seed + 1))
	try "R17 $ns: its file is the same" same "$ns" $seed
done
finish
