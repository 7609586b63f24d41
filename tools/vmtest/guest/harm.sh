#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# harm.sh seen|hidden|crash|after: nobody opted in. Everything that comes by itself has
# come, drivers and udev among them, all of the NVDIMMs is read, and the host finds each
# byte as it was. hidden: from this dom0 Xen keeps the NFIT. crash: and then a crash
# kernel is loaded, and dom0 panics; after: in that kernel, without Xen.

. /vmtest/guest/functions.sh

# raw_disk NAMESPACE: nobody has made it anything.
raw_disk()
{
	wait_for 20 test -e "$ND/devices/$1/block"
}

looked_at()
{
	for dimm in 0 1; do
		ns=$(namespace_of "$dimm")
		try "R2 DIMM $dimm is a raw disk" raw_disk "$ns"
		all_is_read "R2 DIMM $dimm: all of it is read" "$ns"
	done
}

# The driver: bound to nothing, or not there at all, as the row has it.
driver_is_idle()
{
	! find "$ND"/drivers/xen_pmem -name 'namespace*' 2>/dev/null | grep .
}

if [ "$1" = after ]; then
	refuses "R2 no Xen below" "No such file" ls /sys/hypervisor/uuid
else
	is "runs on Xen" "$(cat /sys/hypervisor/type)" xen
fi
if [ "$1" = hidden ]; then
	is "no NVDIMM is seen" "$(find "$ND"/devices -name 'region*' | wc -l)" 0
else
	looked_at
	try "R5 the driver has no namespace" driver_is_idle
fi
if [ "$1" = crash ]; then
	try "R2 kexec loads a crash kernel into Xen" load_crash_kernel
	panic_now
fi
finish
