#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dma.sh: behind an IOMMU a device of the control domain reaches the data of a
# region, and never its reserved area. What is in no region it reaches if the domain
# is a PVH one, to which the firmware's NVDIMMs are mapped. The hypercall is used directly, on the
# frames of DIMM 0. One chunk more than Xen needs is reserved, so that a stray DMA
# into it would stay there to be found.

. /vmtest/guest/functions.sh
. /vmtest/guest/region.sh
. /vmtest/guest/pci.sh

WORD=0x1122334455667788
BEFORE=0x00000000000000AA
OUTSIDE=$BEFORE
[ "$(cat /sys/hypervisor/guest_type)" != PVH ] || OUTSIDE=$WORD

# copied FROM TO: what is in the frame TO after DMA from FROM.
copied()
{
	set_word "$2" $BEFORE && edu_copy $(($1 << 12)) $(($2 << 12)) 8 && word "$2"
}

# A BAR that is no RAM and, but for the tables of the firmware, could be memory.
large_bar()
{
	bar=$(pci_bar "$(pci_find 0x1af4 0x1110)" 2) || return 1
	echo "$bar"
	first=${bar% *}
	[ $((first % 0x200000)) -eq 0 ] && [ $((${bar#* } - first)) -ge $((4 << 20)) ] &&
		pci_enable "$(pci_find 0x1af4 0x1110)" &&
		devmem $((first + 4096)) 64 $WORD &&
		[ "$(devmem $((first + 4096)) 64)" = $WORD ]
}

try "there is a device with a BAR of 4 MiB or more, 2 MiB aligned" large_bar
try "there is a device with a DMA engine" edu_find
try "DIMM 0 has room for a region" tuple 0 "$CHUNK"
FROM=$((DATA + CHUNK))
TO=$((DATA + 2 * CHUNK))
SPARE=$((DATA - CHUNK))
set_word $FROM $WORD
is "before ADD DMA arrives in a PVH domain only" "$(copied $FROM $TO)" $OUTSIDE
set_word $SPARE $BEFORE
try "ADD" op add
is "R6 after ADD DMA from data to data arrives" "$(copied $FROM $TO)" $WORD
set_word $TO $BEFORE
try "DMA to the reserved area is let go" edu_copy $((FROM << 12)) $((SPARE << 12)) 8
try "DMA to Xen's frame table is let go" edu_copy $((FROM << 12)) $((RSV << 12)) 8
is "R6 DMA between data still arrives" "$(copied $FROM $TO)" $WORD
try "REMOVE" op remove
is "R2 DMA did not arrive in the reserved area" "$(word $SPARE)" $BEFORE
is "after REMOVE it is as before ADD" "$(copied $FROM $TO)" $OUTSIDE
finish
