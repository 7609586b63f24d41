#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# disguise.sh: a part of dom0's RAM that memmap= calls persistent memory. Its
# addresses are dom0's own, behind them are other machine frames: whatever Xen did
# there would be done to somebody else's memory. Xen and the driver refuse it, each
# for itself.
#
# The row keeps nd_pmem away, which in a PV dom0 could not let go of it again.

. /vmtest/guest/functions.sh

HEAD=/run/xp/head

e820_namespace()
{
	for ns in "$ND"/devices/ndbus*/region*/namespace*; do
		[ "$(cat "${ns%/*/*}/provider")" = e820 ] || continue
		basename "$ns"
		return 0
	done
	return 1
}

# one_line PATTERN: all that the driver said.
one_line()
{
	dmesg | grep 'xen_pmem' | grep -Ev 'probe (of|with) ' >/run/xp/lines
	cat /run/xp/lines
	[ "$(grep -c . /run/xp/lines)" = 1 ] && grep -q "$1" /run/xp/lines
}

provision_it()
{
	ndctl create-namespace --mode=xen --force --reconfig="$NS"
}

# What Xen says of the frames as such, also if they are vouched for.
xen_refuses()
{
	xenpf_pmem raw cmd="$1" flags="$2" spfn="$FIRST" epfn="$END" \
		rsv_spfn="$(frame 0x200000)" rsv_epfn="$(frame 0x1000000)" \
		data_spfn="$(frame 0x1000000)" data_epfn="$END"
}

# frame OFFSET: within the namespace
frame()
{
	printf '%#x' $(((START + $1) >> 12))
}

field()
{
	info_block set "$HEAD" "$1" "$2"
}

# put OFFSET TEXT
put()
{
	printf '%s' "$2" | dd of="$HEAD" bs=1 seek="$1" conv=notrunc status=none
}

# A block without a fault, which the driver would have written.
make_block()
{
	dd if=/dev/zero of="$HEAD" bs=4096 count=2 status=none
	put 4096 NVDIMM_PFN_INFO
	put $((4096 + 0xe00)) XEN_PMEM_RESERVE
	field uuid+0 1 && field version_major 1 && field version_minor 4 &&
		field dataoff 0x1000000 &&
		field npfns $(((SIZE - 0x1000000) >> 12)) && field mode 2 &&
		field align 0x200000 && field page_size 0x40000000 &&
		field page_struct_size 1 && field ext.version_major 1 &&
		field ext.owner 1 && field ext.rsv_start 0x200000 &&
		field ext.rsv_size 0xa00000 && field ext.data_start 0x1000000 &&
		field ext.data_size $((SIZE - 0x1000000)) &&
		field ext.page_info_size 32 && field ext.m2p_size 8
}

# It takes a raw disk, which is mapped without struct pages; the driver binds it when
# it comes.
write_block()
{
	write_line 1 "$ND/devices/$NS/force_raw" && modprobe nd_pmem &&
		disk=/dev/$(ls "$ND/devices/$NS/block") && wait_for 10 test -b "$disk" &&
		dd if="$HEAD" of="$disk" bs=4096 conv=notrunc,fsync status=none &&
		write_line "$NS" "$ND/drivers/nd_pmem/unbind" &&
		write_line 0 "$ND/devices/$NS/force_raw"
}

bind()
{
	write_line "$NS" "$ND/drivers/xen_pmem/bind"
}

try "R23 memmap= makes a namespace of RAM" e820_namespace
NS=$(e820_namespace)
START=$(cat "$ND/devices/$NS/resource")
SIZE=$(cat "$ND/devices/$NS/size")
FIRST=$(frame 0)
END=$(frame "$SIZE")
[ -d "$ND/drivers/xen_pmem" ] || modprobe xen_pmem

dmesg -c >/dev/null
refuses "R23 create-namespace --mode=xen is refused" "is in use" provision_it
try "R23 the driver says one line, with Xen's reason" \
	one_line "$NS: Xen says that frame .* is in use"
for flags in 0 1; do
	refuses "R23 QUERY is refused, flags $flags" "(EBUSY)" xen_refuses 0 $flags
	refuses "R23 ADD is refused, flags $flags" "(EBUSY)" xen_refuses 1 $flags
done

try "a block as the driver would write it" make_block
try "it is there, on a raw disk" write_block
dmesg -c >/dev/null
refuses "R23 the driver does not bind it" "not supported" bind
try "R23 the driver says one line, with its own reason" \
	one_line "page $FIRST of this domain is not machine frame"
is "R23 Xen has no region" "$(xenpf_pmem list)" ""
finish
