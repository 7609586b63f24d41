#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cuts.sh labels|plain|files ...: what ndctl does to namespaces, or who has files in one,
# one operation after the other, each between two marks in the log of the medium
# (rig/medialog.py). DIMM 0 has labels, and beside the namespace of the operations
# another one that none of them may touch; DIMM 1 has no labels.
#
# The file operations in $OUT has for each its number, name and DIMM. Operation N
# begins with mark 2N and ends with mark 2N + 1. The file files has the number of an
# operation, and name and hash of what is durable at its end.

. /vmtest/guest/functions.sh

PREFIX=
BYTES=65536
touch "$OUT/operations"
NUMBER=$(grep -c . "$OUT/operations")

# note NUMBER: in the log, in order with what is written. An I/O port of the plugin's.
note()
{
	printf '%b' "$(printf '\\0%o' "$1")" |
		dd of=/dev/port bs=1 seek=233 conv=notrunc 2>/dev/null
}

settle()
{
	udevadm settle --timeout=30
	sync
}

# operation NAME DIMM COMMAND...: a name is used once.
operation()
{
	name=$PREFIX$1
	NUMBER=$((NUMBER + 1))
	echo "$NUMBER $PREFIX$1 $2" >>"$OUT/operations"
	shift 2
	settle
	note $((NUMBER * 2))
	try "$name" "$@"
	settle
	note $((NUMBER * 2 + 1))
}

# other_namespace: of DIMM 0, the one that nobody works on.
other_namespace()
{
	ndctl create-namespace --mode=fsdax --map=mem --size=16M \
		--region="$(region_of 0)" >/run/xp/other.json &&
		OTHER=$(jq -r .dev /run/xp/other.json) &&
		fill "/dev/$(jq -r .blockdev /run/xp/other.json)"
}

# fill DISK: 1 MiB of noise.
fill()
{
	dd if=/dev/urandom of="$1" bs=1M count=1 conv=fsync
}

# worked_on DIMM: its namespace that is not the other one.
worked_on()
{
	for ns in "$ND/devices/$(region_of "$1")"/namespace*; do
		[ "$(cat "$ns/size")" -gt 0 ] || continue
		[ "${ns##*/}" != "${OTHER:-}" ] || continue
		basename "$ns"
		return 0
	done
	return 1
}

# stock_disk DIMM: of the namespace in fsdax mode.
stock_disk()
{
	for disk in "$ND/devices/$(region_of "$1")"/pfn*/block/*; do
		[ "${disk##*/}" = "$(jq -r .blockdev /run/xp/other.json 2>/dev/null)" ] ||
			echo "/dev/${disk##*/}"
	done
}

make()
{
	ndctl create-namespace --mode=xen --size=48M --region="$(region_of "$1")"
}

take()
{
	ndctl create-namespace --mode=xen --region="$(region_of "$1")"
}

# turn DIMM MODE OPTION...
turn()
{
	ns=$(worked_on "$1") && shift &&
		ndctl create-namespace --force --reconfig="$ns" --mode "$@"
}

disable()
{
	ndctl disable-namespace "$(worked_on "$1")"
}

destroy()
{
	ndctl destroy-namespace --force "$(worked_on "$1")"
}

refused()
{
	! turn "$1" xen
}

# there_and_back DIMM MODE OPTION...: from xen mode to another one, and to xen mode.
there_and_back()
{
	dimm=$1
	shift
	operation "xen-to-$1" "$dimm" turn "$dimm" "$@"
	case $1 in
	fsdax)
		try "there is data in it" fill "$(stock_disk "$dimm")"
		operation "refused" "$dimm" refused "$dimm"
		;;
	esac
	case $1 in
	raw) ;;
	*) try "it is disabled" disable "$dimm" ;;
	esac
	operation "$1-to-xen" "$dimm" turn "$dimm" xen
}

labels()
{
	try "labels" init_labels
	try "another namespace" other_namespace
	operation "create" 0 make 0
	for mode; do
		there_and_back 0 "$mode"
	done
	operation "destroy" 0 destroy 0
}

plain()
{
	PREFIX=plain-
	operation "create" 1 take 1
	for mode; do
		there_and_back 1 "$mode" --no-autolabel
	done
	operation "destroy" 1 destroy 1
}

# file OPERATION NAME HOW SEED: by write() and fsync(), or by stores to a MAP_SYNC
# mapping.
file()
{
	what=file-$1 path=$MNT/$2
	operation "$what" 0 dax_file "$3" "$path" "$BYTES" "$4"
	echo "$NUMBER ${path##*/} $(sha256sum <"$path" | cut -d' ' -f1)" >>"$OUT/files"
}

mount_files()
{
	wait_for 20 inner_disk "$NS" && mount -t ext4 -o dax,noatime "$(inner_disk "$NS")" "$MNT"
}

# In so small a file system there would be no second superblock.
make_files()
{
	NS=$(worked_on 0) && mkfs.ext4 -q -F -b 4096 -g 2048 "$(inner_disk "$NS")" && mount_files
}

# files FILE...: each new, then one once more in its place; the file system goes, Xen
# gives the namespace back, and gets it again.
files()
{
	try "labels" init_labels
	try "another namespace" other_namespace
	try "a namespace in xen mode" make 0
	try "ext4 -o dax" make_files
	seed=0
	for new; do
		seed=$((seed + 1))
		file "$new" "$new" write $seed
		file "$new-mapped" "$new-mapped" store $((100 + seed))
	done
	file "$1-again" "$1" store 200
	operation "file-unmount" 0 umount "$MNT"
	try "it is disabled" ndctl disable-namespace "$NS"
	operation "hand-over" 0 ndctl enable-namespace "$NS"
	try "it is mounted again" mount_files
	file "$1-at-last" "$1" write 300
	umount "$MNT"
}

init_labels()
{
	region=$(region_of 0)
	nmem=$(cut -d, -f1 "$ND/devices/$region/mapping0")
	ndctl disable-region "$region" && ndctl init-labels -f -V 1.2 "$nmem" &&
		ndctl enable-region "$region"
}

[ $# -gt 0 ] || bail "cuts.sh: say which operations, see its first lines"
kind=$1
shift
"$kind" "$@"
finish
