#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# PID 1 of a rig guest: bring the system up the way a real one comes up (udev
# and coldplug), run the steps of this boot, send the outcome, reboot.

export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux
. /vmtest/steps.sh

mount_all()
{
	mount -t devtmpfs dev /dev
	exec </dev/console >/dev/console 2>&1
	mkdir -p /dev/pts /dev/shm
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t tmpfs -o mode=755 run /run
	mount -t tmpfs tmp /tmp
	mount -t tmpfs shm /dev/shm
	mount -t devpts pts /dev/pts
	mount -t debugfs debug /sys/kernel/debug
	ln -s /proc/self/fd /dev/fd
	ln -s fd/0 /dev/stdin
	ln -s fd/1 /dev/stdout
	ln -s fd/2 /dev/stderr
	mkdir -p "$OUT" /run/lock
}

coldplug()
{
	/usr/lib/systemd/systemd-udevd --daemon --resolve-names=never
	udevadm trigger --type=subsystems --action=add
	udevadm trigger --type=devices --action=add
	udevadm settle --timeout=60
}

xen_start()
{
	modprobe -a xenfs xen-privcmd xen-gntdev xen-evtchn
	mount -t xenfs xenfs /proc/xen
}

# Nothing here has to be shut down.
restart()
{
	reboot -nf
}

mount_all
dmesg -n 8
. /vmtest/env
export XP_ROW XP_BOOT XP_XEN XP_KERNEL XP_NDCTL XP_GUESTS
[ "$XP_XEN" = none ] || xen_start
coldplug
if [ "$XP_SHELL" = 1 ]; then
	echo "vmtest: $XP_ROW, steps are in /vmtest/steps, guest scripts in /vmtest/guest"
	echo "vmtest: Ctrl-A X ends the virtual machine, 'exit' reboots it (and ends it)"
	setsid cttyhack sh
	reboot -f
fi
do_steps
