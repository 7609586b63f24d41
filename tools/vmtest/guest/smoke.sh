#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The machine came up: right kernel, Xen or not, and the NVDIMM is there.
# smoke.sh hidden: a stock Xen keeps ACPI's NFIT from a PVH dom0, so that it is not.

. /vmtest/guest/functions.sh

right_machine
if [ "${1-}" = hidden ]; then
	refuses "no NFIT" "No such file" ls /sys/firmware/acpi/tables/NFIT
	is "no NVDIMM" "$(find /sys/bus/nd/devices -type l | wc -l)" 0
	finish
fi
try "namespace0.0 is there" wait_for 10 test -e /sys/bus/nd/devices/namespace0.0
try "pmem0 is there" wait_for 10 test -b /dev/pmem0
finish
