#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-dma.sh: a disk that the device model of an HVM guest emulates reads into
# persistent memory of the guest by DMA.

. /vmtest/guest/ndctl-functions.sh
. /vmtest/guest/xl.sh

DISK=$DOMU/disk

# emulated_disk: one of which the toolstack does not know, without a PV device beside it.
emulated_disk()
{
	printf 'device_model_args_hvm=["-device", "ahci,id=sata", "-drive", %s, "-device", %s]' \
		"\"if=none,id=disk,format=raw,file=$DISK\"" '"ide-hd,bus=sata.0,drive=disk"'
}

# with_disk NAME COMMANDS CONFIG_LINE...: by default Linux has emulated disks taken out.
with_disk()
{
	GUEST_ARGS=xen_emul_unplug=never guest_create "$@"
}

read_sum()
{
	guest_console one | sed -n 's/^domu-dma: \([0-9a-f]* .*\)$/\1/p'
}

NS=$(namespace_of 0)
try "xenstored, xenconsoled and xl run" xl_start
try "a namespace for guests only" ndctl create-namespace --mode=xen --force \
	--reconfig="$NS" --personality=none
dd if=/dev/urandom of="$DISK" bs=64k count=16 2>/dev/null
try "an HVM guest with an emulated disk" with_disk one "domu-pmem new + domu-dma" \
	"pmem=[\"backend=$NS\"]" "$(emulated_disk)" || finish
try "R20 it makes a file system, -o dax" guest_did one domu-pmem new
try "its disk reads into persistent memory" guest_did one domu-dma
is "what is on the disk" "$(read_sum)" "$(head -c 65536 "$DISK" | sha256sum)"
try "R35 the guest is destroyed" guest_gone one no_guest_has "$NS"
try "R15 then REMOVE succeeds" ndctl disable-namespace "$NS"
finish
