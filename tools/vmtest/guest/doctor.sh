#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# doctor.sh make: DIMM 0 in xen mode with ext4 -o dax, DIMM 1 in xen mode and kept by Xen,
# DIMM 2 as it came, a raw disk; and what xen-pmem-doctor says of each. DIMM 1 has an
# address in another GiB than DIMM 0, so that neither has records of the other.
# doctor.sh look: after the boot, when nothing is written by anybody: what it says of both
# that came back, and the host finds every byte as it was.

. /vmtest/guest/ndctl-functions.sh

SAID=$OUT/doctor.txt

# doctor: its entries in $SAID, a line each, blanks squeezed; its status in $status.
doctor()
{
	status=0
	udevadm settle
	xen-pmem-doctor >"$SAID.raw" || status=$?
	cat "$SAID.raw" >&2
	awk '/^   / { sub(/^ +/, ""); entry = entry " | " $0; next }
		{ if (NR > 1) print entry; entry = $0 } END { print entry }' \
		"$SAID.raw" | tr -s ' ' >"$SAID"
}

# says NAME REGEX: one entry is exactly that.
says()
{
	try "$1" grep -Exq -e "$2" "$SAID"
}

given_back()
{
	[ -z "$(cat "$ND/drivers/xen_pmem/quarantine")" ]
}

# around: what a program that only reads leaves as it is.
around()
{
	xenpf_pmem list
	lsmod | cut -d' ' -f1
	ls "$ND"/drivers/*/
}

the_system()
{
	says "the domain" "ok domain PV control domain of Xen 4[.].*"
	says "the operation" "ok XENPF_pmem Xen has it, page_info_size=.*"
	says "the kernel" "ok kernel $(uname -r | sed 's/[.+]/[&]/g'), of a version that is known to work"
	says "the module" "(ok module loaded|note module loaded, not signed.*)"
	says "ndctl" "ok ndctl /usr/bin/ndctl knows xen mode, version 81"
	says "the udev rule" "ok udev rule /usr/lib/udev/rules.d/60-xen-pmem.rules"
}

# in_xen_mode DIMM NAMESPACE
in_xen_mode()
{
	says "DIMM $1: active" "ok $2 xen mode, active, .* of data on ndbus[0-9]+"
}

make()
{
	for dimm in 0 1; do
		try "DIMM $dimm: in xen mode" provision $dimm
		try "DIMM $dimm: it is bound, its disk is there" back $dimm
		facts_of $dimm
	done
	one=$(namespace_of 0) two=$(namespace_of 1)
	inner=$(inner_of "$one") disk=$(basename "$(inner_disk "$one")")
	try "DIMM 0: ext4" mkfs.ext4 -q -F -b 4096 "/dev/$disk"
	try "DIMM 0: mounted" mount_inner 0 ext4
	try "DIMM 1: Xen keeps it" keep "$two"
	three_states
	umount "$MNT"
	mount -t ext4 "/dev/$disk" "$MNT"
	doctor
	says "DIMM 0: mounted without the option" "note $inner .*, /dev/$disk: ext4 on $MNT, without the option dax [|] next: umount $MNT && mount -o dax /dev/$disk $MNT"
	umount "$MNT"
	kill "$HOLDER"
	try "DIMM 1: Xen gives it back" wait_for 20 given_back
	doctor
	says "DIMM 1: disabled" "note $two disabled, .* [|] next: ndctl enable-namespace $two"
	is "nothing is a problem" "$(tail -n 1 "$SAID" | cut -d' ' -f1,2)" "0 problems,"
	is "its status" "$status" 0
}

three_states()
{
	doctor
	is "a problem is its status" "$status" 1
	the_system
	in_xen_mode 0 "$one"
	says "DIMM 0: mounted with DAX" "ok $inner fsdax, the data of .*, /dev/$disk: ext4 on $MNT, with DAX"
	says "DIMM 1: kept by Xen" "PROBLEM $two unbound, and Xen keeps it: 0x[0-9a-f]+-0x[0-9a-f]+, error -16 [|] waits: for .* frame $FRAME.* [|] next: .*"
	says "DIMM 2: stock" "ok $(namespace_of 2) raw, .*, /dev/pmem[0-9]+: not in use [|] next: ndctl create-namespace --mode=xen --region=.*"
	is "nothing else is a problem" "$(grep -c '^PROBLEM ' "$SAID")" 1
}

look()
{
	for dimm in 0 1; do
		try "DIMM $dimm: back by itself" back $dimm
	done
	before=$(around)
	doctor
	is "its status" "$status" 0
	is "no problem" "$(tail -n 1 "$SAID" | cut -d' ' -f1,2)" "0 problems,"
	the_system
	in_xen_mode 0 "$(namespace_of 0)"
	in_xen_mode 1 "$(namespace_of 1)"
	says "DIMM 2: stock" "ok $(namespace_of 2) raw, .*"
	is "Xen, modules and drivers are as they were" "$(around)" "$before"
}

case $1 in
make) make ;;
look) look ;;
esac
finish
