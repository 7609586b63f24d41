#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh: the data of DIMM 0's namespace is given to guests by iomem=. They use
# it as /dev/pmem0, one after the other, and what they write stays; dom0 and a guest
# have it one at a time; a mapping that is not right is refused.

. /vmtest/guest/ndctl-functions.sh
. /vmtest/guest/xl.sh

GFN=0x100000
CHUNK=512

# iomem FRAME NUMBER GFN: the line of a guest's configuration; no 0x there.
iomem()
{
	printf 'iomem=["%x,%x@%x"]' "$1" "$2" "$3"
}

# with_pmem NAME COMMANDS: a guest that has all of the data.
with_pmem()
{
	GUEST_ARGS="memmap=$((COUNT * 4))K!$((GFN * 4))K" \
		guest_create "$1" "$2" "$(iomem "$FIRST" "$COUNT" $GFN)"
}

# refused NAME WHAT-XEN-SAYS FIRST NUMBER GFN: no guest is made with these frames.
refused()
{
	refuses "$1" "iomem range" guest_create wrong "" "$(iomem "$3" "$4" "$5")"
	try "Xen's log says why: $1" xen_says \
		"$(printf '%x frames from %x at gfn %x' "$4" "$3" "$5")" "$2"
	try "no guest is left of it: $1" sh -c "! xl domid wrong"
}

# xen_says TEXT TEXT: in one line.
xen_says()
{
	xl dmesg | grep -F "pmem: d" | grep -F "$1" | grep -F "$2"
}

dom0_says()
{
	dmesg | grep -E "$1"
}

is_claimed()
{
	[ "$(xenpf_pmem list | grep -c claimed=yes)" = "$1" ]
}

in_quarantine()
{
	grep "^$NS .*error=-16" "$ND/drivers/xen_pmem/quarantine"
}

NS=$(namespace_of 0)
try "xenstored, xenconsoled and xl run" xl_start
try "a namespace for guests only" ndctl create-namespace --mode=xen --force \
	--reconfig="$NS" --personality=none
INNER=$(inner_of "$NS")
FIRST=$(($(xen_attr "$NS" resource) >> 12))
COUNT=$(($(xen_attr "$NS" size) >> 12))
try "R20 dom0 has no driver on its data" has_no_driver "$INNER"
try "R20 and does not claim it" is_claimed 0
is "R20 no guest has any" "$(xen_attr "$NS" guests)" ""

refused "R20 an odd frame" "multiple of 200" $((FIRST + 1)) $((COUNT - CHUNK)) $GFN
refused "R20 an odd guest frame" "multiple of 200" "$FIRST" "$CHUNK" $((GFN + 1))
refused "R20 an odd number of frames" "multiple of 200" "$FIRST" $((COUNT - 1)) $GFN
refused "R20 frames of the header besides" "multiple of 200" \
	$((FIRST - 1)) $((CHUNK + 1)) $GFN
refused "R20 in place of the guest's RAM" "something else at gfn" \
	"$FIRST" "$COUNT" $((0x6e00))
refused "R20 one chunk in place of the guest's RAM" "something else at gfn" \
	"$FIRST" "$CHUNK" $((0x6e00))

try "R20 a guest with all of the data" with_pmem one "domu-pmem new"
try "R20 it makes a file system on /dev/pmem0, -o dax, and a file" guest_did one domu-pmem new
try "R20 mounted with DAX" guest_says one "/dev/pmem0 /mnt ext4 .*dax=always.*"
is "R20 guests names it" "$(xen_attr "$NS" guests)" "$(xl domid one)"

refuses "R20 dom0's own driver is refused" "busy|failed|rror" ndctl enable-namespace "$INNER"
try "R20 the data has no driver" has_no_driver "$INNER"
try "R20 the log says who has it, and what to do" \
	dom0_says "$INNER: not bound: domain $(xl domid one) has frame .* of $NS; .*xl destroy"
try "R15 the namespace is unbound" write_line "$NS" "$ND/drivers/xen_pmem/unbind"
try "R15 Xen does not give it back" in_quarantine
try "R15 it is bound again" write_line "$NS" "$ND/drivers/xen_pmem/bind"
try "R15 and adopted" is_xen "$NS"
try "R20 dom0 has no driver on its data then either" has_no_driver "$(inner_of "$NS")"
is "R20 guests still names it" "$(xen_attr "$NS" guests)" "$(xl domid one)"

try "R35 the guest is destroyed, its file system mounted" guest_gone one no_guest_has "$NS"
is "R20 no guest has any" "$(xen_attr "$NS" guests)" ""
try "R35 a guest after it" with_pmem two "domu-pmem again"
try "R35 reads the file" guest_did two domu-pmem again
try "R35 it is destroyed, too" guest_gone two no_guest_has "$NS"

INNER=$(inner_of "$NS")
try "R20 dom0's own driver is bound now" ndctl enable-namespace "$INNER"
try "R20 and the data is claimed" is_claimed 1
DISK=$(inner_disk "$NS")
e2fsck -p "$DISK" >&2		# the journal
try "R35 dom0 finds a file system without a fault" e2fsck -fn "$DISK"
try "R35 mounts it" mount -t ext4 -o dax "$DISK" "$MNT"
try "R35 reads the file" sh -c "cd $MNT && sha256sum -c sum"
refuses "R20 no guest gets it meanwhile" "iomem range .*busy" \
	guest_create wrong "" "$(iomem "$FIRST" "$COUNT" $GFN)"
try "R20 Xen's log says why, and what to do" \
	xen_says "gets no access to [$(printf '%x' "$FIRST")," "disable its nested namespace"
umount "$MNT"
try "R20 dom0 gives it up" ndctl disable-namespace "$INNER"
try "R20 so that it is not claimed" is_claimed 0
try "R20 then a guest gets it" with_pmem three ""
try "R20 it starts" guest_up three
try "R20 and goes" guest_gone three no_guest_has "$NS"
try "R15 then REMOVE succeeds" ndctl disable-namespace "$NS"
try "R15 Xen has no region" xen_has 0
finish
