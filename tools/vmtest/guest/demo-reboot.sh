#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo, part 3: after a reboot everything is back by itself.

. /vmtest/demo.sh

title "5. After a reboot of the machine: the namespace is back, no command was typed"
wait_for 30 test -b /dev/pmem1
typed "the namespace is back" "ndctl list"
typed "Xen has it" "xenpf_pmem list"
mkdir -p /mnt
typed "mount" "mount -t ext4 -o dax /dev/pmem1 /mnt"
typed "the file is unchanged" "sha256sum -c /mnt/sum"
typed "and the namespace can be taken back from Xen" \
	"umount /mnt && ndctl disable-namespace namespace0.0 && xenpf_pmem list"
finish
