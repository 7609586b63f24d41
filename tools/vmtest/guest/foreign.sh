#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# foreign.sh make: one NVDIMM each as fsdax, devdax, sector, and raw with ext4.
# foreign.sh check: our driver beside them claims none of them, not even on
# request.

. /vmtest/guest/functions.sh

create()
{
	dimm=$1
	shift
	ndctl create-namespace --force --reconfig="$(namespace_of "$dimm")" "$@"
}

claims_nothing()
{
	for dev in "$ND"/drivers/xen_pmem/namespace*; do
		[ ! -e "$dev" ] || return 1
	done
}

bind_ours()
{
	write_line "$1" "$ND"/drivers/xen_pmem/bind
}

case $1 in
make)
	try "fsdax" create 0 --mode=fsdax --map=mem
	try "devdax" create 1 --mode=devdax --map=mem --align=4096
	try "sector" create 2 --mode=sector
	try "raw, with ext4" mkfs.ext4 -q "/dev/$(ls "$ND/devices/$(namespace_of 3)/block")"
	;;
check)
	try "R5 the driver is there" wait_for 20 test -d "$ND"/drivers/xen_pmem
	for dimm in 0 1 2 3; do
		ns=$(namespace_of $dimm)
		refuses "R5 DIMM $dimm: not taken on request" "No such device|busy" \
			bind_ours "$ns"
	done
	try "R5 the driver has bound no namespace" claims_nothing
	is "R5 Xen has no region" "$(xenpf_pmem list | grep -c data_spfn=)" 0
	try "R5 fsdax is there" ls "$ND/devices/$(region_of 0)"/pfn*/block
	try "R5 devdax is there" ls "$ND/devices/$(region_of 1)"/dax*/dax*
	try "R5 sector is there" ls "$ND/devices/$(region_of 2)"/btt*/block
	try "R5 ext4 is there" e2fsck -fn "/dev/$(ls "$ND/devices/$(namespace_of 3)/block")"
	;;
esac
finish
