#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# sleep.sh: the machine sleeps (ACPI S3) with DIMM 0 mounted, and is woken by the
# host: the region is registered as it was, with its data, its grants, and without
# access to the reserved area.

. /vmtest/guest/functions.sh

BYTES=$((1 << 20))

# frame_of ATTRIBUTE
frame_of()
{
	printf '0x%x' $(($(xen_attr "$ns" "$1") >> 12))
}

refused()
{
	refuses "$1" "errno=" xenpf_pmem map io "$(frame_of reserved_resource)" rw
}

# A page onto itself changes nothing.
gcopy()
{
	xenpf_pmem gcopy "$(frame_of resource)" "$(frame_of resource)"
}

suspend()
{
	mark sleep
	write_line mem /sys/power/state
}

new_file()
{
	dax_file write "$MNT/awake" $BYTES 4 && dax_file verify "$MNT/awake" $BYTES 4
}

try "DIMM 0 is back" back 0
ns=$(namespace_of 0)
list=$(xenpf_pmem list)
try "ext4 -o dax" mount_inner 0 ext4
try "a file, made durable" dax_file write "$MNT/asleep" $BYTES 3
try "sleep" suspend
is "it slept" "$(cat /sys/power/suspend_stats/success)" 1
is "after sleep Xen has the region as it was" "$(xenpf_pmem list)" "$list"
is "after sleep the driver has the namespace" "$(xen_attr "$ns" state)" active
try "after sleep the file is as it was" dax_file verify "$MNT/asleep" $BYTES 3
try "after sleep a new file" new_file
try "after sleep a page can be granted" gcopy
refused "after sleep the reserved area is still out of reach"
try "unmount" umount "$MNT"
finish
