#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# files.sh write|verify: a file on ext4 on DIMM 0 and one on xfs on DIMM 1. The
# namespaces have come back by themselves: this script types no command at them.

. /vmtest/guest/functions.sh

# A first store to a page of a MAP_SYNC mapping takes a commit of the journal.
BYTES=$((32 << 20))
SYNCED=$((1 << 20))

make_ext4()
{
	mkfs.ext4 -q -F -b 4096 "$1"
}

make_xfs()
{
	mkfs.xfs -q -f -m reflink=0 "$1"
}

write_file()
{
	"make_$2" "$(inner_disk "$(namespace_of "$1")")" &&
		mount_inner "$1" "$2" && dax_file write "$MNT"/written $BYTES "$1" &&
		dax_file store "$MNT"/stored $SYNCED "$1" && umount "$MNT"
}

verify_file()
{
	mount_inner "$1" "$2" && dax_file verify "$MNT"/written $BYTES "$1" &&
		dax_file verify "$MNT"/stored $SYNCED "$1" && umount "$MNT"
}

for dimm in 0 1; do
	try "R17 DIMM $dimm: back by itself" back "$dimm"
	uuid=$(sed -n "s/^uuid$dimm=//p" /vmtest/facts)
	is "R17 DIMM $dimm: the block is the one of the first boot" \
		"$(xen_attr "$(namespace_of "$dimm")" uuid)" "$uuid"
	is "R17 DIMM $dimm: handed over by this boot, not found there" \
		"$(xen_attr "$(namespace_of "$dimm")" state)" active
done
try "R17 DIMM 0: ext4 -o dax, $1" "$1_file" 0 ext4
try "R17 DIMM 1: xfs -o dax, $1" "$1_file" 1 xfs
finish
