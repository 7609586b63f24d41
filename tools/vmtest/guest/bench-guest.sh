#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-guest.sh: what loads and stores take in a guest with "pmem", of a file that is
# mapped: on ext4 -o dax of its persistent memory, and on the RAM disk of its root.

. /vmtest/guest/bench-functions.sh
. /vmtest/guest/xl.sh

PARTS="pmem_bench ticks + pmem_bench map pmem /mnt/bench + pmem_bench map ram /bench"

guest_figures()
{
	guest_console one | grep -Ex '[a-z0-9_]+=[0-9]+'
}

NS=$(namespace_of 0)
try "xenstored, xenconsoled and xl run" xl_start
try "a namespace for guests only" ndctl create-namespace --mode=xen --force \
	--reconfig="$NS" --personality=none
try "a guest with all of the data" guest_create one "domu-pmem new + $PARTS" "memory=256" \
	"pmem=[\"backend=$NS\"]"
try "it makes a file system, -o dax" guest_did one domu-pmem new
try "persistent memory" guest_did one pmem_bench map pmem /mnt/bench
try "RAM" guest_did one pmem_bench map ram /bench
try "figures" figures guest_figures
try "ticks are instructions there" is_near \
	"$(value ticks_per_1000_instructions <"$FIGURES")" 1000 10
try "the guest is destroyed" guest_gone one no_guest_has "$NS"
try "REMOVE" ndctl disable-namespace "$NS"
finish
