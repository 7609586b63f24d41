#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut module: xen_pmem, the rule that loads it with the grep that this runs, and the
# drivers of the data. Those of NVDIMMs are in the module nvdimm.

# 255: not by itself, only if asked for. An image for this host alone has it if the
# host has NVDIMMs.
check()
{
	require_kernel_modules xen_pmem || return 1
	[[ ! $hostonly ]] || compgen -G '/sys/bus/nd/devices/ndbus*' >/dev/null || return 255
}

depends()
{
	echo nvdimm udev-rules
}

installkernel()
{
	hostonly='' instmods xen_pmem nd_pmem nd_btt
}

install()
{
	inst_rules 60-xen-pmem.rules
	inst_multiple grep
}
