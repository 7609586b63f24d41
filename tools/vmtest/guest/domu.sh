#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu.sh: what a domU may do with persistent memory, and what its having some of
# it (iomem=) means to the control domain. The hypercall is used directly, on the
# frames of DIMM 0, whose namespace has no driver meanwhile.

. /vmtest/guest/functions.sh
. /vmtest/guest/region.sh
. /vmtest/guest/xl.sh

GFN=0x100000

# iomem FRAME NUMBER: the line of a guest's configuration; no 0x there.
iomem()
{
	printf 'iomem=["%x,%x@%x"]' "$1" "$2" "$GFN"
}

# refused_in GUEST COMMAND: with EPERM, and nothing was done.
refused_in()
{
	guest_console "$1" | grep -F -A 2 "domu: run xenpf_pmem $2 " | grep -F "(EPERM)"
}

try "xenstored, xenconsoled and xl run" xl_start
try "DIMM 0 has room for a region" tuple 0
HAS=$((DATA + 2 * CHUNK))

# A guest that has frames of a range which is not registered.
try "R21 a guest with frames of the range starts" guest_create one \
	"xenpf_pmem list + xenpf_pmem query $(hex "$START") $(hex "$END") + xenpf_pmem add $TUPLE" \
	"$(iomem $HAS "$CHUNK")"
try "R21 its commands are done" guest_done one
for command in query add; do
	try "R21 $command in a guest is EPERM" refused_in one $command
done
try "R21 Xen has no region" no_region
try "R15 ADD of a range that a guest has part of is EBUSY, first frame told" \
	busy add $HAS
try "R21 the guest's access is revoked, its mapping is not" \
	xenpf_pmem revoke "$(xl domid one)" "$(hex $HAS)" "$CHUNK"
try "R21 ADD while the mapping is left is EBUSY, first frame told" busy add $HAS
try "R21 Xen's log names the guest" \
	sh -c "xl dmesg | grep -q 'd$(xl domid one) still maps frame'"
try "R15 the guest goes away" guest_gone one true
try "R15 then ADD succeeds" op add

# A guest that has frames of the data.
refuses "R20 xl create with frames of the reserved area is refused" \
	"iomem range .*Operation not permitted" \
	guest_create two "" "$(iomem $((DATA - CHUNK)) "$CHUNK")"
refuses "R20 also if it is only the last frame" \
	"iomem range .*Operation not permitted" \
	guest_create two "" "$(iomem $((DATA - 1)) "$CHUNK")"
try "R20 no guest is left of it" sh -c "! xl domid two"
try "R20 a guest with frames of the data starts" guest_create three \
	"devmem ${GFN}000 64 0x1122334455667788 + devmem ${GFN}000 64" \
	"$(iomem $HAS "$CHUNK")"
try "R15 its commands are done" guest_done three
try "R15 it reads what it wrote" guest_says three 0x1122334455667788
is "R15 dom0 reads it too" "$(frame_value $HAS)" 0x1122334455667788
try "R15 REMOVE while a guest has frames is EBUSY, first frame told" \
	busy remove $HAS
is "R15 dom0 still has the data" "$(frame_value $HAS)" 0x1122334455667788
try "R21 the guest's access is revoked, its mapping is not" \
	xenpf_pmem revoke "$(xl domid three)" "$(hex $HAS)" "$CHUNK"
try "R21 REMOVE while the mapping is left is EBUSY, first frame told" \
	busy remove $HAS
try "R15 the guest goes away" guest_gone three true
is "R35 its bytes outlive it" "$(frame_value $HAS)" 0x1122334455667788
try "R15 then REMOVE succeeds" op remove
try "R15 Xen has no region" no_region
finish
