#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# harmless.sh: patched Xen, the driver is loaded, nobody asked for anything: the
# NVDIMM is what it is without Xen, and the host finds every byte as it was.

. /vmtest/guest/functions.sh

again()
{
	echo "$1" >"$ND"/drivers/nd_pmem/unbind
	! echo "$1" >"$ND"/drivers/xen_pmem/bind || return 1
	echo "$1" >"$ND"/drivers/nd_pmem/bind
}

ns=$(namespace_of 0)
FRAME=$(printf %x $(($(cat "$ND/devices/$ns/resource") >> 12)))
try "R1 the driver came with the namespace, by udev" \
	wait_for 20 test -d "$ND"/drivers/xen_pmem
try "R1 a Xen with the operation" xenpf_pmem query "$FRAME"
is "R1 Xen has no region" "$(xenpf_pmem list | grep -c data_spfn=)" 0
is "R5 $ns belongs to nd_pmem" "$(driver_of "$ns")" nd_pmem
try "R3 ndctl lists it" sh -c "ndctl list | grep -q '\"dev\":\"$ns\"'"
all_is_read "R3 dom0 reads all of it" "$ns"
try "R5 the driver does not take it on request, nd_pmem has it back" again "$ns"
finish
