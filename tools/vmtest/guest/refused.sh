#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# refused.sh DIMM...: a kernel without our driver leaves provisioned namespaces
# alone. The last DIMM is blank and does come up: what is tested can fail.

. /vmtest/guest/functions.sh

bind_stock()
{
	write_line "$1" "$ND"/drivers/nd_pmem/bind
}

raw_disk()
{
	[ -b "/dev/$(ls "$ND/devices/$1/block")" ]
}

right_machine
while [ $# -gt 1 ]; do
	ns=$(namespace_of "$1")
	try "R9 DIMM $1: $ns is bound to no driver" has_no_driver "$ns"
	try "R9 DIMM $1: no disk, pfn, btt or dax device" no_pmem_of "$ns"
	refuses "R9 DIMM $1: nd_pmem refuses it on request too" \
		"not supported" bind_stock "$ns"
	try "R9 DIMM $1: $ns is still bound to no driver" has_no_driver "$ns"
	shift
done
ns=$(namespace_of "$1")
try "DIMM $1: blank, and so a disk" wait_for 10 raw_disk "$ns"
is "R9 it is the only pmem disk" "$(find /dev -name 'pmem*' -type b | wc -l)" 1
is "R9 there is no dax device" "$(find /dev -name 'dax*' | wc -l)" 0
finish
