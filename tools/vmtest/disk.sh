#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The steps of a boot in a machine with a disk, which has brought itself up: unlike an
# initramfs of ours it is shut down afterwards, as an administrator would.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux LC_ALL=C.UTF-8

. /vmtest/steps.sh

restart()
{
	systemctl reboot
	sleep 1000
}

mkdir -p "$OUT"
. /vmtest/env
export XP_ROW XP_BOOT XP_XEN XP_KERNEL XP_NDCTL XP_GUESTS
do_steps
