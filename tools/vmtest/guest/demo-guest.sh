#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo of a guest, part 1: hand the NVDIMM to Xen, give it to a guest, destroy that, and
# make it again.

. /vmtest/guest/demo-guest-functions.sh

title "1. Hand the namespace to Xen, for guests only: dom0 has no disk of it"
typed "provision" "ndctl create-namespace --mode=xen --region=region0 --personality=none"
typed "its frames are" "grep . $NS/xen/resource $NS/xen/size $NS/xen/guests"

title "2. A PVH guest gets all of its data: iomem=, and memmap= at the same place"
try "xenstored, xenconsoled and xl run" xl_start
write_config new
typed "configuration" "cat $CONFIG"
typed "create" "xl create -q $CONFIG"
guest_runs "the guest has a file system, with DAX, and a file" new
typed "dom0 knows who has it" "cat $NS/xen/guests"
typed_fails "and gets no disk of it meanwhile" "." "ndctl enable-namespace namespace1.0"

title "3. The guest is destroyed, and made again: the file is there"
typed "destroy" "xl destroy pmem-guest"
wait_for 10 guest_ended
write_config again
typed "create again" "xl create -q $CONFIG"
guest_runs "the file is unchanged" again
typed "destroy again" "xl destroy pmem-guest"
finish
