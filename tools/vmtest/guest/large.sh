#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# large.sh: an NVDIMM that is many times dom0's RAM is handed over and taken back:
# its records are on it, and dom0, which makes no inner device of it, stays alive.
#
# The row keeps nd_pmem away while it is blank: the page tables of a raw disk alone
# would be more than dom0's RAM.

. /vmtest/guest/functions.sh

available()
{
	sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# Less than this may be missing, in KiB: a sixteenth of dom0's RAM.
SLACK=$((64 << 10))

kept()
{
	echo "MemAvailable: $before KiB before, $(available) KiB now"
	[ "$(available)" -ge $((before - SLACK)) ]
}

taken_back()
{
	write_line "$ns" "$ND/drivers/xen_pmem/unbind" && [ -z "$(xenpf_pmem list)" ]
}

before=$(available)
try "DIMM 0: create-namespace --mode=xen" provision 0
ns=$(namespace_of 0)
try "it is bound" is_xen "$ns"
is "Xen has it" "$(xenpf_pmem list | grep -c data_spfn=)" 1
try "nd_pmem is loaded" modprobe nd_pmem
udevadm settle
try "dom0 has its RAM" kept
say "MemAvailable: $before KiB before, $(available) KiB with the region"
is "the driver says once why there is no disk" \
	"$(dmesg | grep -c 'there is no device of it in this domain')" 1
try "there is no disk" sh -c "! ls /dev/pmem*"
facts_of 0
try "unbind: Xen has given it back" taken_back
try "dom0 has its RAM" kept
try "bind" write_line "$ns" "$ND/drivers/xen_pmem/bind"
try "Xen has it again" sh -c "xenpf_pmem list | grep data_spfn="
try "unbind" taken_back
finish
