#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo, part 2: hand the NVDIMM to Xen, use it as DAX.

. /vmtest/demo.sh

title "2. Xen with XENPF_pmem: nothing has happened before somebody asks for it"
typed "Xen has no region yet" "xenpf_pmem list"
typed "the driver is here, and has claimed nothing" \
	"lsmod | grep xen_pmem; ndctl list"

title "3. One command hands the namespace to Xen"
typed "provision" "ndctl create-namespace --mode=xen --region=region0"
typed "Xen lists the region" "xenpf_pmem list"
typed "a page can be granted now" "xenpf_pmem gcopy $DATA_FRAME $NEXT_FRAME"

title "4. The data is an ordinary pmem disk: make a file system, mount it as DAX"
typed "ext4" "mkfs.ext4 -q -b 4096 /dev/pmem1"
mkdir -p /mnt
typed "mount" "mount -t ext4 -o dax /dev/pmem1 /mnt && grep /mnt /proc/mounts"
typed "a file" "dd if=/dev/urandom of=/mnt/file bs=1M count=32 2>/dev/null; sha256sum /mnt/file | tee /mnt/sum"
typed "unmount" "sync; umount /mnt"
finish
