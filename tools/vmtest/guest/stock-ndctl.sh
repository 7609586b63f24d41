#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# stock-ndctl.sh dom0|bare|bare-lost: what Debian's ndctl, which does not know xen mode,
# does to namespaces in it: where Xen has them, and without Xen and driver. DIMMs 0 and 1,
# without and with labels, keep their data throughout; 2 and 3, the same, are what can
# be lost. They are provisioned by hand: this ndctl cannot. One after the other, as of
# neighbours the one that Xen got first has to go last.

. /vmtest/guest/functions.sh

BYTES=$((4 << 20))

uuid_of()
{
	echo "7d1b0f1e-52c4-4b6a-9d0c-0c5a5e1a000$1"
}

nmem_of()
{
	cut -d, -f1 "$ND/devices/$(region_of "$1")/mapping0"
}

make_labelled()
{
	region=$(region_of "$1")
	ndctl disable-region "$region" &&
		ndctl init-labels -f -V 1.2 "$(nmem_of "$1")" &&
		ndctl enable-region "$region" &&
		ndctl create-namespace --mode=raw --region="$region"
}

# give DIMM: to Xen, as ndctl of ours would.
give()
{
	ns=$(namespace_of "$1") && ndctl disable-namespace "$ns" &&
		write_line "$ns $(uuid_of "$1")" "$ND/drivers/xen_pmem/provision" &&
		back "$1"
}

fill()
{
	mkfs.ext4 -q -F -b 4096 "$(inner_disk "$(namespace_of "$1")")" &&
		mount_inner "$1" ext4 && dax_file write "$MNT/file" $BYTES "$1" &&
		umount "$MNT"
}

same()
{
	back "$1" && mount_inner "$1" ext4 &&
		dax_file verify "$MNT/file" $BYTES "$1" && umount "$MNT"
}

mounted_same()
{
	dax_file verify "$MNT/file" $BYTES "$1"
}

unbind()
{
	write_line "$1" "$ND/drivers/xen_pmem/unbind" && has_no_driver "$1"
}

inner_of()
{
	basename "$ND/devices/$(xen_attr "$1" bus)"/region*/namespace*
}

# shows NAMESPACE: as a raw one, and whether it has a disk and is active.
shows()
{
	ndctl list --namespaces --idle | jq -r --arg ns "$1" \
		'.[] | select(.dev == $ns) | "\(.mode) \(.blockdev) \(.state)"'
}

# Its status is 0 all the same.
none_disabled()
{
	ndctl disable-region "$1" 2>&1 | grep -x "disabled 0 regions"
}

# nothing_ends DIMM NAMESPACE HOW: what has to refuse, while the data is in use or not.
nothing_ends()
{
	refuses "DIMM $1, $3: disable-namespace" "$REFUSAL" \
		ndctl disable-namespace "$2"
	refuses "DIMM $1, $3: destroy-namespace" "is active, specify --force" \
		ndctl destroy-namespace "$2"
	refuses "DIMM $1, $3: destroy-namespace --force" "$REFUSAL" \
		ndctl destroy-namespace --force "$2"
	refuses "DIMM $1, $3: create-namespace --force --reconfig" "$REFUSAL" \
		ndctl create-namespace --force --reconfig="$2" --mode=raw
	try "DIMM $1, $3: disable-region disables none" none_disabled "$(region_of "$1")"
	try "DIMM $1, $3: enable-namespace" ndctl enable-namespace "$2"
	is "DIMM $1, $3: it lists as active" "$(shows "$2")" "raw null null"
}

active_one()
{
	ns=$(namespace_of "$1")
	try "DIMM $1: ext4 -o dax" mount_inner "$1" ext4
	nothing_ends "$1" "$ns" mounted
	try "DIMM $1, mounted: its file is the same" mounted_same "$1"
	try "DIMM $1: unmounted" umount "$MNT"
	nothing_ends "$1" "$ns" unmounted
	try "DIMM $1: its file is the same" same "$1"
}

disabled_one()
{
	ns=$(namespace_of "$1")
	try "DIMM $1: unbound by hand" unbind "$ns"
	is "DIMM $1: it lists as disabled" "$(shows "$ns")" "raw null disabled"
	try "DIMM $1: disable-namespace has nothing to do" ndctl disable-namespace "$ns"
	try "DIMM $1: enable-namespace" ndctl enable-namespace "$ns"
	try "DIMM $1: enabled is Xen's again, and its file the same" same "$1"
}

inner_one()
{
	inner=$(inner_of "$(namespace_of "$1")")
	try "DIMM $1: disable-namespace of the inner one" ndctl disable-namespace "$inner"
	try "DIMM $1: enable-namespace of it" ndctl enable-namespace "$inner"
	try "DIMM $1: its file is the same" same "$1"
}

made()
{
	try "DIMM $1: in xen mode" give "$1"
	try "DIMM $1: a file" fill "$1"
}

stays()
{
	made "$1"
	active_one "$1"
	disabled_one "$1"
	inner_one "$1"
}

# not_ours NAMESPACE: the driver does not find its info block any more.
not_ours()
{
	[ "$(driver_of "$1")" != xen_pmem ] &&
		! write_line "$1" "$ND/drivers/xen_pmem/bind" && ! is_xen "$1"
}

lost_without_labels()
{
	ns=$(namespace_of 2)
	try "DIMM 2: unbound by hand" unbind "$ns"
	try "DIMM 2: LOST to destroy-namespace without --force" \
		ndctl destroy-namespace "$ns"
	try "DIMM 2: what it had is gone" not_ours "$ns"
	ndctl enable-namespace "$ns"
	try "DIMM 2: provisioned again" give 2
	try "DIMM 2: unbound by hand" unbind "$ns"
	try "DIMM 2: LOST to create-namespace that names no namespace" \
		ndctl create-namespace --region="$(region_of 2)" --mode=sector
	try "DIMM 2: what it had is gone" not_ours "$ns"
}

lost_with_labels()
{
	ns=$(namespace_of 3)
	try "DIMM 3: unbound by hand" unbind "$ns"
	refuses "DIMM 3: create-namespace that names no namespace" "No space left" \
		ndctl create-namespace --region="$(region_of 3)" --mode=sector
	try "DIMM 3: it is as it was" ndctl enable-namespace "$ns"
	try "DIMM 3: its file is the same" same 3
	try "DIMM 3: unbound by hand" unbind "$ns"
	try "DIMM 3: LOST to create-namespace --reconfig without --force" \
		ndctl create-namespace --reconfig="$ns" --mode=sector
	try "DIMM 3: what it had is gone" not_ours "$ns"
}

# No driver is here, and the host compares every byte.
bare_one()
{
	ns=$(namespace_of "$1")
	is "DIMM $1: it lists as disabled" "$(shows "$ns")" "raw null disabled"
	is "DIMM $1: without --idle it does not list" \
		"$(ndctl list | grep -c "$ns")" 0
	try "DIMM $1: disable-namespace has nothing to do" ndctl disable-namespace "$ns"
	refuses "DIMM $1: enable-namespace" "$NO_DRIVER" ndctl enable-namespace "$ns"
	try "DIMM $1: no driver, no disk" no_pmem_of "$ns"
}

bare_lost()
{
	ns=$(namespace_of 1)
	refuses "DIMM 1: create-namespace that names no namespace" "No space left" \
		ndctl create-namespace --region="$(region_of 1)" --mode=devdax
	try "DIMM 1: LOST to create-namespace --reconfig without --force" \
		ndctl create-namespace --reconfig="$ns" --mode=devdax
	ns=$(namespace_of 0)
	try "DIMM 0: LOST to destroy-namespace without --force" \
		ndctl destroy-namespace "$ns"
	try "DIMM 0: it comes up as a raw disk" ndctl enable-namespace "$ns"
}

REFUSAL="Is a directory"
NO_DRIVER="failed to enable|No such device|not supported"
case $1 in
dom0)
	stays 0
	try "DIMM 1: labels" make_labelled 1
	stays 1
	made 2
	lost_without_labels
	try "DIMM 3: labels" make_labelled 3
	made 3
	lost_with_labels
	;;
bare)
	bare_one 0
	bare_one 1
	;;
bare-lost)
	bare_lost
	;;
esac
finish
