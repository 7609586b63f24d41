# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the guest scripts of rows with devices. QEMU's edu has a DMA engine and a
# buffer of its own, so that it copies memory on request, behind the IOMMU.

EDU_BUFFER=0x40000

# pci_find VENDOR DEVICE: the sysfs directory of the first such device.
pci_find()
{
	for dev in /sys/bus/pci/devices/*; do
		[ "$(cat "$dev/vendor") $(cat "$dev/device")" = "$1 $2" ] || continue
		echo "$dev"
		return 0
	done
	return 1
}

# pci_bar DEV N: its first address, and the one after its last.
pci_bar()
{
	sed -n "$(($2 + 1))p" "$1/resource" | while read -r first last _; do
		[ $((last)) -gt 0 ] && echo "$((first)) $((last + 1))"
	done
}

# pci_enable DEV: memory space, and it may be bus master.
pci_enable()
{
	printf '\006\000' | dd of="$1/config" bs=2 seek=2 conv=notrunc status=none
}

# edu_find: sets EDU, the address of its registers.
edu_find()
{
	edu=$(pci_find 0x1234 0x11e8) && pci_enable "$edu" &&
		EDU=$(pci_bar "$edu" 0) && EDU=${EDU% *} &&
		[ $(($(devmem "$EDU" 32) & 0xffff)) -eq $((0x00ed)) ]
}

# edu_dma SOURCE DESTINATION BYTES COMMAND: 1 from memory, 3 to memory.
edu_dma()
{
	devmem $((EDU + 0x80)) 64 "$1" && devmem $((EDU + 0x88)) 64 "$2" &&
		devmem $((EDU + 0x90)) 64 "$3" &&
		devmem $((EDU + 0x98)) 64 "$4" &&
		wait_for 10 edu_idle
}

edu_idle()
{
	[ $(($(devmem $((EDU + 0x98)) 64) & 1)) -eq 0 ]
}

# edu_copy FROM TO BYTES: of physical addresses, at most a page. What the IOMMU
# refuses is not copied, and nobody is told.
edu_copy()
{
	edu_dma "$1" $EDU_BUFFER "$3" 1 && edu_dma $EDU_BUFFER "$2" "$3" 3
}
