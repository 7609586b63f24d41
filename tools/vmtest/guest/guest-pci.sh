#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-pci.sh: a device that is passed through to an HVM guest reads and writes persistent
# memory of the guest by DMA, behind the IOMMU.

. /vmtest/guest/ndctl-functions.sh
. /vmtest/guest/xl.sh
. /vmtest/guest/pci.sh

WORD=0x1122334455667788

# word_of NAMESPACE: what its second page of data begins with.
word_of()
{
	devmem $(($(cat "$ND/devices/$1/resource") + 4096)) 64
}

# device_free BDF: dom0 can give it to the next guest.
device_free()
{
	xl pci-assignable-list | grep "$1"
}

NS=$(namespace_of 0)
DEVICE=$(basename "$(pci_find 0x1234 0x11e8)")
try "xenstored, xenconsoled and xl run" xl_start
try "a namespace for guests only" ndctl create-namespace --mode=xen --force \
	--reconfig="$NS" --personality=none
try "the driver that keeps devices for guests" modprobe xen-pciback
try "an HVM guest with a device of its own" guest_create one "domu-pci $WORD" \
	"pmem=[\"backend=$NS\"]" "pci=[\"$DEVICE,seize=1\"]" || finish
try "R20 DMA reads and writes its persistent memory" guest_did one domu-pci $WORD
try "R35 the guest is destroyed" guest_gone one no_guest_has "$NS"
is "what was written by DMA is there" "$(word_of "$(inner_of "$NS")")" $WORD
try "the device is back" wait_for 20 device_free "$DEVICE"
try "R15 then REMOVE succeeds" ndctl disable-namespace "$NS"
finish
