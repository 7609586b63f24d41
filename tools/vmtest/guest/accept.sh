#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# accept.sh: what people use persistent memory with, on the data of a namespace in xen
# mode, and on bare Linux on an ordinary one, with the same results: fio's three engines
# with verify, pmempool, daxio, on ext4 and xfs with -o dax and on a dax device.

. /vmtest/guest/functions.sh

POOL=$MNT/pool
SIZE=16M

# The namespace with the data.
data_of()
{
	if is_xen "$1"; then
		basename "$ND/devices/$(xen_attr "$1" bus)"/region*/namespace*
	else
		echo "$1"
	fi
}

mode()
{
	ndctl create-namespace --force --reconfig="$(data_of "$NS")" --map=mem "$@" &&
		udevadm settle
}

listed()
{
	ndctl list --namespace="$(data_of "$NS")" | jq -er ".[0].$1"
}

# run_fio NAME ENGINE WORD...: a file of that name is written and read back by its
# checksums; with --verify_only=1 it is read only.
run_fio()
{
	name=$1 engine=$2
	shift 2
	fio --name="$name" --ioengine="$engine" --size=$SIZE --bs=4k --rw=randwrite \
		--thread --verify=crc32c --verify_fatal=1 --randseed=7 "$@"
}

by_libpmem()
{
	run_fio libpmem libpmem --directory="$1" --direct=1 --sync=1 --do_verify=1
}

by_mmap()
{
	run_fio mapped mmap --directory="$MNT" --fsync=64 --do_verify=1
}

# still NAME: by mmap, as the engine libpmem writes a file before it reads it.
still()
{
	run_fio "$1" mmap --directory="$MNT" --verify_only=1
}

mount_dax()
{
	mount -t "$1" -o dax "/dev/$(listed blockdev)" "$MNT" &&
		grep -E " $MNT $1 [^ ]*[ ,]dax(=always)?[ ,]" /proc/mounts
}

make_fs()
{
	case $1 in
	ext4) mkfs.ext4 -q -F -b 4096 "/dev/$(listed blockdev)" ;;
	xfs) mkfs.xfs -q -f -m reflink=0 "/dev/$(listed blockdev)" ;;
	esac
}

pool_has_layout()
{
	pmempool info "$1" | grep -E "^Layout *: accept$"
}

pool_is_consistent()
{
	pmempool check -v "$1" | grep -E ": consistent$"
}

# pool PATH [WORD...]: a pool is made, is found to be good, and is taken away.
pool()
{
	path=$1
	shift
	try "pmempool create obj $path" pmempool create obj --layout=accept "$@" "$path"
	try "pmempool info $path" pool_has_layout "$path"
	try "pmempool check $path" pool_is_consistent "$path"
	try "pmempool rm $path" pmempool rm "$path"
}

# What tells that the checks above can fail.
broken_pool()
{
	pmempool create obj --layout=accept --size=16M "$POOL" &&
		dd if=/dev/zero of="$POOL" bs=64 count=8 conv=notrunc status=none
}

# break_file FILE: one byte of it, in its third block.
break_file()
{
	printf 'x' | dd of="$1" bs=1 seek=$((2 * 4096 + 2000)) conv=notrunc status=none
}

file_system()
{
	try "mkfs.$1" make_fs "$1"
	try "$1 -o dax" mount_dax "$1"
	try "$1: fio libpmem" by_libpmem "$MNT"
	try "$1: fio mmap" by_mmap
	pool "$POOL" --size=16M
	try "$1: unmounted" umount "$MNT"
	try "$1: mounted again" mount_dax "$1"
	try "$1: what fio libpmem wrote is there" still libpmem
	try "$1: what fio mmap wrote is there" still mapped
	try "$1: a byte is changed" break_file "$MNT/libpmem.0.0"
	refuses "$1: fio finds it" "verify: bad|verify failed|bad (header|magic)|crc32c" \
		still libpmem
	try "$1: a pool is made and its header lost" broken_pool
	refuses "$1: pmempool check finds it" ": not consistent" \
		pmempool check -v "$POOL"
	try "$1: unmounted" umount "$MNT"
}

# device FILE: the first bytes of the dax device are those of FILE.
device_has()
{
	daxio --input="$DAX" --output=/tmp/back --len=4M && cmp /tmp/back "$1"
}

dax_device()
{
	try "dax device" mode --mode=devdax --align=4k
	DAX=/dev/$(listed chardev)
	try "fio dev-dax" run_fio devdax dev-dax --filename="$DAX" --do_verify=1
	dd if=/dev/urandom of=/tmp/random bs=1M count=4 status=none
	dd if=/dev/zero of=/tmp/zero bs=1M count=4 status=none
	try "daxio writes" daxio --input=/tmp/random --output="$DAX"
	try "daxio reads the same" device_has /tmp/random
	try "daxio zeroes" daxio --zero --output="$DAX" --len=4M
	try "daxio reads zeroes" device_has /tmp/zero
	pool "$DAX"
}

ns=$(namespace_of 0)
NS=$ns
[ "$XP_XEN" = none ] || try "in xen mode" provision 0
[ "$XP_XEN" = none ] || try "it is bound, its disk is there" back 0
try "fsdax" mode --mode=fsdax
refuses "fio libpmem refuses what is no persistent memory" "persistent memory" \
	by_libpmem /tmp
file_system ext4
file_system xfs
dax_device
finish
