#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo of a guest, part 2: after a reboot of the host the guest's file is there, for the
# guest and then for dom0.

. /vmtest/guest/demo-guest-functions.sh

title "4. After a reboot of the host: dom0 has a disk of the data, and gives it up"
wait_for 30 test -b /dev/pmem1
typed "the namespace is back" "ndctl list"
typed "dom0 gives it up" "ndctl disable-namespace namespace1.0"

title "5. The guest again: its file is there"
try "xenstored, xenconsoled and xl run" xl_start
write_config again
typed "create" "xl create -q $CONFIG"
guest_runs "the file is unchanged" again
typed "destroy" "xl destroy pmem-guest"
wait_for 10 guest_ended

title "6. And dom0 reads it, when no guest has it any more"
typed "enable" "ndctl enable-namespace namespace1.0"
mkdir -p /mnt
typed "check the file system" "e2fsck -p /dev/pmem1; e2fsck -fn /dev/pmem1"
typed "mount" "mount -t ext4 -o dax /dev/pmem1 /mnt"
typed "the guest's file" "cd /mnt && sha256sum -c sum"
typed "unmount" "umount /mnt"
finish
