#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# load.sh SECONDS: fio writes and verifies on the data of two namespaces (DIMMs 0 and 1),
# ext4 -o dax, by stores of libpmem's and by a mapping, while a third one (DIMM 2) is
# unbound and bound, pages of a fourth one (DIMM 3) are copied by grants, and the
# balloon takes RAM away and gives it back.

. /vmtest/guest/functions.sh

TARGET=/sys/devices/system/xen_memory/xen_memory0/target_kb
RUN=/run/xp
STOP=$RUN/stop

# mount_of DIMM: each has a directory of its own.
mount_of()
{
	echo "$RUN/mnt$1"
}

make_fs()
{
	disk=$(inner_disk "$(namespace_of "$1")") && mkdir -p "$(mount_of "$1")" &&
		mkfs.ext4 -q -F -b 4096 "$disk" &&
		mount -t ext4 -o dax "$disk" "$(mount_of "$1")"
}

# checked_fs DIMM: in the end it is clean.
checked_fs()
{
	umount "$(mount_of "$1")" && e2fsck -fn "$(inner_disk "$(namespace_of "$1")")"
}

# run_fio DIMM ENGINE WORD...: what is written is read back by its checksums, over and
# over; the log says how much.
run_fio()
{
	dimm=$1 engine=$2
	shift 2
	fio --name="load$dimm" --ioengine="$engine" --directory="$(mount_of "$dimm")" \
		--size=48M --bs=4k --rw=randwrite --thread --verify=crc32c \
		--verify_fatal=1 --verify_backlog=512 --do_verify=1 --time_based \
		--runtime="$SECONDS_" --randseed="$dimm" --output-format=json "$@" \
		>"$OUT/fio$dimm.json" 2>"$OUT/fio$dimm.err"
}

# fio_did DIMM read|write: bytes.
fio_did()
{
	jq "[.jobs[].$2.io_bytes] | add" "$OUT/fio$1.json"
}

# until_stop NAME COMMAND...: again and again, until one fails or $STOP is there; how
# often, is in a file.
until_stop()
{
	name=$1 count=0
	shift
	while [ ! -e $STOP ]; do
		if ! "$@" >"$RUN/$name.log" 2>&1; then
			echo "round $((count + 1)): $*" >"$RUN/$name.failed"
			cat "$RUN/$name.log" >>"$RUN/$name.failed"
			return
		fi
		count=$((count + 1))
		echo $count >"$RUN/$name.count"
	done
}

rebind()
{
	write_line "$1" "$ND/drivers/xen_pmem/unbind" && has_no_driver "$1" &&
		write_line "$1" "$ND/drivers/xen_pmem/bind" && back 2
}

# frame NAMESPACE INDEX: of its data.
frame()
{
	printf '0x%x' $((($(xen_attr "$1" resource) >> 12) + $2))
}

copy_pages()
{
	for i in 1 2 3 4 5 6 7 8; do
		xenpf_pmem gcopy "$(frame "$1" 0)" "$(frame "$1" $i)" || return 1
	done
}

# Of what the domain has at the start, a fifth.
balloon()
{
	echo $((RAM * 4 / 5)) >$TARGET && sleep 2 && echo "$RAM" >$TARGET && sleep 2
}

# kept_going NAME LEAST: rounds, a small part of what a machine with nothing else to do makes.
kept_going()
{
	is "$1 never failed" "$(cat "$RUN/$1.failed" 2>/dev/null)" ""
	try "$1 went on: at least $2 times" test "$(cat "$RUN/$1.count")" -ge "$2"
	echo "$1: $(cat "$RUN/$1.count") times" >>"$OUT/figures"
}

# The balloon takes back the last pages a while after it was told to.
free_as_before()
{
	[ "$(xenpf_pmem free)" = "$FREE" ]
}

fio_result()
{
	is "R25 DIMM $1: fio's verify finds no error" "$2" 0
	try "R25 DIMM $1: it has read back what it wrote" test "$(fio_did "$1" read)" -gt $((8 << 20))
	echo "fio, DIMM $1: $(($(fio_did "$1" write) >> 20)) MiB written," \
		"$(($(fio_did "$1" read) >> 20)) MiB verified" >>"$OUT/figures"
	cat "$OUT/fio$1.err" >&2
}

SECONDS_=$1
RAM=$(cat $TARGET)
# The one that is going to be unbound comes last: what came first may hold records of
# what came later, and is kept until that is gone.
for dimm in 0 1 3 2; do
	try "DIMM $dimm: in xen mode" provision $dimm
	try "DIMM $dimm: its disk is there" back $dimm
done
try "DIMM 0: ext4 -o dax" make_fs 0
try "DIMM 1: ext4 -o dax" make_fs 1
FREE=$(xenpf_pmem free)
dmesg -c >/dev/null

until_stop rebind rebind "$(namespace_of 2)" &
until_stop grants copy_pages "$(namespace_of 3)" &
until_stop balloon balloon &
run_fio 0 libpmem --direct=1 --sync=1 &
FIO=$!
run_fio 1 mmap --fsync=64
ONE=$?
wait $FIO
ZERO=$?
touch $STOP
wait

fio_result 0 $ZERO
fio_result 1 $ONE
kept_going rebind $((SECONDS_ / 120))
kept_going grants $((SECONDS_ / 120))
kept_going balloon $((SECONDS_ / 120))
try "DIMM 0: the file system is clean" checked_fs 0
try "DIMM 1: the file system is clean" checked_fs 1
try "R15 Xen has as many free pages as before" wait_for 60 free_as_before
is "R15 the driver has nothing to say" "$(dmesg | grep -c 'xen_pmem: ')" 0
finish
