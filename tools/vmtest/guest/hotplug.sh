#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# hotplug.sh: DIMM 1 is not there when the machine starts, and in no table of the
# firmware: ACPI's _FIT tells of it when it is plugged in. Then it is as any other.

. /vmtest/guest/functions.sh

given_back()
{
	write_line "$1" "$ND/devices/$1/driver/unbind" && [ -z "$(xenpf_pmem list)" ]
}

try "DIMM 0 is there" region_of 0
is "DIMM 1 is not" "$(region_of 1)" ""
mark plug
try "R7 plugged in: DIMM 1 is there" wait_for 30 region_of 1
try "R7 it has a namespace" wait_for 10 namespace_of 1
refuses "R7 Xen does not take its word for an unlisted one" "none that it could, see the kernel log" \
	provision 1
try "R7 the log says what to do" sh -c "dmesg | grep -q 'parameter unlisted=1'"
try "R7 the administrator vouches for it" \
	write_line 1 /sys/module/xen_pmem/parameters/unlisted
try "R7 create-namespace --mode=xen" provision 1
try "R7 it is bound, its disk is there" back 1
facts_of 1
ns=$(namespace_of 1)
is "R7 Xen has it, and nothing else" "$(xenpf_pmem list | grep -c data_spfn=)" 1
try "R7 Xen takes it back" given_back "$ns"
finish
