#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-memory.sh DIMM SIZE: what dom0's RAM loses when so much is handed over and dom0
# makes no device of it, as its page tables would take too much.

. /vmtest/guest/bench-functions.sh

region=$(region_of "$1")

hand_over()
{
	ndctl create-namespace --mode=xen --region="$region" --size="$1"
}

# What is free once nobody keeps any for later.
free_kib()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 2
	meminfo MemFree
}

disks()
{
	find /dev -name 'pmem*' | wc -l
}

# Without labels a namespace has all of the DIMM.
give_labels()
{
	dimm=$(cut -d, -f1 "$ND/devices/$region/mapping0")
	ndctl disable-region "$region" && ndctl init-labels --force "$dimm" &&
		ndctl enable-region "$region"
}

modprobe xen_pmem
try "labels" give_labels
before=$(free_kib)
had=$(disks)
try "$2 is handed over" hand_over "$2"
ns=$(namespace_of "$1")
try "Xen has it" wait_for 20 is_xen "$ns"
figure dom0_kib $((before - $(free_kib)))
figure handed_over_mib $(($(cat "$ND/devices/$ns/size") >> 20))
is "there is no disk of it" "$(disks)" "$had"
finish
