#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# hostile.sh [devmem]: a PV control domain goes for the reserved area by every door there
# is. One chunk more than Xen needs is reserved, with a word in it that nobody may change:
# it is what is looked at afterwards, when the door has said no and when it has not.
# devmem: by way of /dev/mem, which makes Linux write a PTE that Xen does not take; that
# is Linux's loss, and the last thing that is done.

. /vmtest/guest/functions.sh
. /vmtest/guest/region.sh
. /vmtest/guest/pci.sh

WORD=0x00000000000000AA

# The frames that are gone for: Xen's first and last one, the spare ones, each chunk.
victims()
{
	echo "$RSV $((DATA - CHUNK - 1)) $SPARE $((DATA - 1))"
	seq $((RSV + CHUNK / 2)) "$CHUNK" $((DATA - 1))
}

# closed DOOR COMMAND...: refused for each victim, whose frame comes last. Each time
# Xen is still there to be asked, and has the region as it was.
closed()
{
	door=$1
	shift
	for frame in $(victims); do
		refuses "R20 $door: frame $(hex "$frame") is refused" "errno=-|status=-|freed=0$" \
			"$@" "$(hex "$frame")"
	done
	is "R34 $door: Xen has the region as it was" "$(xenpf_pmem list)" "$LIST"
}

map()
{
	xenpf_pmem map "$1" "$2" rw
}

map_ro()
{
	xenpf_pmem map "$1" "$2" ro
}

grant_into()
{
	xenpf_pmem gcopy "$(hex "$DATA")" "$1"
}

grant_from()
{
	xenpf_pmem gcopy "$1" "$(hex "$((DATA + 1))")"
}

# The right to a frame, given to another domain, which gets it mapped.
to_domain()
{
	xenpf_pmem permit "$DOMAIN" "$1" 1 map
}

poke()
{
	xenpf_pmem poke "$1" 0x4141414141414141
}

# A frame of the area as the start of what is handed over next.
again()
{
	xenpf_pmem add "$1" "$(hex $(($1 + 4 * CHUNK)))" "$1" "$(hex $(($1 + CHUNK)))" \
		"$(hex $(($1 + CHUNK)))" "$(hex $(($1 + 4 * CHUNK)))"
}

doors()
{
	closed "PTE as I/O memory" map io
	closed "PTE as a page of its own" map self
	closed "PTE as a page of its own, read-only" map_ro self
	closed "PTE as a page of Xen's" map xen
	closed "store by a PTE" poke
	closed "grant copy into it" grant_into
	closed "grant copy out of it" grant_from
	closed "decrease_reservation" xenpf_pmem decrease
	closed "exchange" xenpf_pmem exchange
	closed "grant transfer" xenpf_pmem transfer
	closed "foreign map by another domain" to_domain
	closed "ADD of it" again
}

# DMA is not refused, it does not arrive.
by_dma()
{
	for frame in "$RSV" "$SPARE" $((DATA - 1)); do
		try "R6 DMA to frame $(hex "$frame") is let go" \
			edu_copy $(((DATA + CHUNK) << 12)) $((frame << 12)) 4096
	done
}

data_is_there()
{
	dax_word=0x1122334455667788
	set_word $((DATA + 2)) $dax_word && [ "$(word $((DATA + 2)))" = $dax_word ] &&
		xenpf_pmem gcopy "$(hex $((DATA + 2)))" "$(hex $((DATA + 3)))" &&
		[ "$(word $((DATA + 3)))" = $dax_word ]
}

try "there is a device with a DMA engine" edu_find
try "DIMM 0 has room for a region" tuple 0 "$CHUNK"
SPARE=$((DATA - CHUNK))
for i in 0 1 511; do
	set_word $((SPARE + i)) $WORD
done
set_word $((DATA + CHUNK)) 0x4242424242424242
try "ADD" op add
LIST=$(xenpf_pmem list)
DOMAIN=$(xenpf_pmem domain | value domid)

if [ "${1-}" = devmem ]; then
	for frame in "$SPARE" "$RSV"; do
		refuses "R20 /dev/mem: frame $(hex "$frame")" "" \
			set_word "$frame" 0x4141414141414141
	done
else
	doors
	by_dma
	try "R6 the data can be written, and granted" data_is_there
fi
xenpf_pmem destroy "$DOMAIN"
is "R34 Xen has the region as it was" "$(xenpf_pmem list)" "$LIST"
try "R15 REMOVE" op remove
for i in 0 1 511; do
	is "R2 the word in frame $(hex $((SPARE + i)))" "$(word $((SPARE + i)))" $WORD
done
try "R16 ADD again" op add
try "R15 and REMOVE" op remove
finish
