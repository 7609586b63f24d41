#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# reboot.sh leave|back: dom0 shuts down with one region in use and mounted (DIMM 0),
# and another one in quarantine (DIMM 1); after the boot both are as ever.

. /vmtest/guest/functions.sh

BYTES=$((4 << 20))

fill()
{
	mkfs.xfs -q -f -m reflink=0 "$(inner_disk "$(namespace_of "$1")")" &&
		mount_inner "$1" xfs && dax_file write "$MNT/file" $BYTES "$1"
}

same()
{
	mount_inner "$1" xfs && dax_file verify "$MNT/file" $BYTES "$1" && umount "$MNT"
}

# A frame of DIMM 1 stays mapped for as long as this dom0 lives.
hold()
{
	frame=$(printf '%#x' $((($(xen_attr "$(namespace_of 1)" resource) >> 12) + 256)))
	xenpf_pmem map self "$frame" rw hold >/run/xp/hold &
	wait_for 10 grep -q . /run/xp/hold
}

unbind()
{
	write_line "$1" "$ND/drivers/xen_pmem/unbind" && has_no_driver "$1"
}

leave()
{
	for dimm in 1 0; do
		try "DIMM $dimm: create-namespace --mode=xen" provision $dimm
		try "DIMM $dimm: it is bound, its disk is there" back $dimm
		try "DIMM $dimm: a file on xfs" fill $dimm
		[ $dimm = 0 ] || umount "$MNT"
	done
	try "a frame of DIMM 1 is in use" hold
	try "DIMM 1 is unbound" unbind "$(namespace_of 1)"
	is "Xen has both regions" "$(xenpf_pmem list | grep -c data_spfn=)" 2
	finish
}

came_back()
{
	for dimm in 0 1; do
		try "R28 DIMM $dimm: back by itself" back $dimm
		is "R28 DIMM $dimm: handed over by this boot" \
			"$(xen_attr "$(namespace_of $dimm)" state)" active
		try "R28 DIMM $dimm: its file is the same" same $dimm
	done
	finish
}

case $1 in
leave) leave ;;
*) came_back ;;
esac
