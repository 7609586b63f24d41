#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo, part 1: what a stock Xen makes of an NVDIMM.

. /vmtest/demo.sh

title "1. A stock Xen 4.20 and a stock Debian kernel: the NVDIMM is a device"
typed "the NVDIMM is a raw disk" "ndctl list"
START=$(printf '%x' $(($(cat "$NS/resource"))))
typed "dom0's mapping is uncached" \
	"grep '0x0*$START-' /sys/kernel/debug/x86/pat_memtype_list"
typed_fails "a page cannot be granted" "status=-9" \
	"xenpf_pmem gcopy $DATA_FRAME $NEXT_FRAME"
typed_fails "Xen knows nothing of it" "ENOSYS" "xenpf_pmem list"
finish
