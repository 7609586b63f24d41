#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-xen.sh DIMM GIB...: what QUERY, ADD, LIST and REMOVE of so many GiB take, on an
# NVDIMM that no driver has mapped.

. /vmtest/guest/bench-functions.sh

# A multiple of 1 GiB: each page of 2 MiB that Xen has records in is then of this region.
first_frame()
{
	echo $((($(cat "$ND/devices/$(region_of "$1")/resource") + 0x3fffffff) >> 30 << 18))
}

DIMM=$1
shift
try "ticks are instructions" counts_instructions
try "XENPF_pmem of $* GiB" figures pmem_bench xen "$(hex "$(first_frame "$DIMM")")" "$@"
finish
