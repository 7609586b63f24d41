#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu-pci WORD: in an HVM domU that was given persistent memory and QEMU's edu, the latter
# by passthrough. The device copies WORD from the first page of that memory to the second,
# at the addresses that they have here. Nothing else may use the memory.

. /usr/lib/wait.sh
. /usr/lib/pci.sh

fail()
{
	echo "domu-pci: $1"
	exit 1
}

modprobe nfit
region=/sys/bus/nd/devices/region0
wait_for 20 test -e $region/resource || fail "there is no persistent memory"
base=$(($(cat $region/resource)))
edu_find || fail "there is no edu"
devmem $base 64 "$1"
devmem $((base + 4096)) 64 0
edu_copy $base $((base + 4096)) 8 || fail "the device does not answer"
found=$(devmem $((base + 4096)) 64)
[ $((found)) -eq $(($1)) ] || fail "DMA did not arrive: $found, expected $1"
echo "domu-pci: arrived"
