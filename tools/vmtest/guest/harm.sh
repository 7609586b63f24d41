#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# harm.sh seen|hidden|crash|after: nobody opted in. Everything that comes by itself has
# come, drivers and udev among them, all of the NVDIMMs is read, and the host finds each
# byte as it was. hidden: from this dom0 Xen keeps the NFIT. crash: and then a crash
# kernel is loaded, and dom0 panics; after: in that kernel, without Xen.

. /vmtest/guest/functions.sh

# What dd makes of all of a disk: whole records of 1 MiB.
read_all()
{
	dd if="/dev/$1" of=/dev/null bs=1M 2>&1 | grep "records in"
}

# idle_disk DIMM: nobody has made it anything.
idle_disk()
{
	ns=$(namespace_of "$1") && wait_for 20 test -e "$ND/devices/$ns/block" &&
		ls "$ND/devices/$ns/block"
}

looked_at()
{
	for dimm in 0 1; do
		try "R2 DIMM $dimm is a raw disk" idle_disk "$dimm"
		ns=$(namespace_of "$dimm")
		is "R2 DIMM $dimm: all of it is read" "$(read_all "$(idle_disk "$dimm")")" \
			"$(($(cat "$ND/devices/$ns/size") >> 20))+0 records in"
	done
}

# The driver: bound to nothing, or not there at all, as the row has it.
driver_is_idle()
{
	! find "$ND"/drivers/xen_pmem -name 'namespace*' 2>/dev/null | grep .
}

load_crash_kernel()
{
	kexec -p /crash/vmlinuz --initrd=/crash/initrd \
		--append="console=ttyS0 panic=-1 oops=panic loglevel=5 maxcpus=1 reset_devices"
}

panic_now()
{
	try "R2 kexec loads a crash kernel into Xen" load_crash_kernel
	sleep 1
	mark crash
	sleep 1
	echo c >/proc/sysrq-trigger
	not_ok "sysrq c panics" "it did not"
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
[ "$1" != crash ] || panic_now
finish
