#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-rounds.sh ROUNDS: ADD, a guest that writes to its part of the data, the guest
# is destroyed, REMOVE; again and again. What the guests wrote adds up.

. /vmtest/guest/functions.sh
. /vmtest/guest/region.sh
. /vmtest/guest/xl.sh

GFN=0x100000

# a_guest ROUND: it writes the round's number to a page of its own.
a_guest()
{
	guest_create "g$1" "devmem $(printf '0x%x' $((GFN + $1)))000 64 $1" \
		"$(printf 'iomem=["%x,%x@%x"]' "$HAS" "$CHUNK" "$GFN")" &&
		guest_done "g$1" && guest_destroy "g$1" && ! xl domid "g$1"
}

one_round()
{
	op add && a_guest "$1" && op remove && no_region
}

all_there()
{
	op add || return 1
	n=1
	while [ $n -le "$1" ]; do
		[ $(($(frame_value $((HAS + n))))) -eq $n ] || return 1
		n=$((n + 1))
	done
	op remove
}

try "xenstored, xenconsoled and xl run" xl_start
try "DIMM 0 has room for a region" tuple 0
HAS=$((DATA + 2 * CHUNK))
round=1
while [ $round -le "$1" ]; do
	try "R15 round $round: ADD, a guest, REMOVE" one_round $round
	round=$((round + 1))
done
try "R35 what the guests wrote is there" all_there "$1"
finish
