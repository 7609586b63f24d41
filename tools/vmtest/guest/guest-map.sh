#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-map.sh: the data of DIMM 0's namespace is given to PVH guests as RAM, by MAP.
# They can have it copied by Xen, which shows that they own it; what they write stays;
# dom0 gets it back by UNMAP, and when a guest ends, whatever that was doing.

. /vmtest/guest/ndctl-functions.sh
. /vmtest/guest/region.sh
. /vmtest/guest/xl.sh

GFN=0x100000
# Somewhere that a guest has nothing.
ALIAS=0x90000

# created NAME COMMANDS: a guest that waits to be given all of the data.
created()
{
	GUEST_ARGS="memmap=$((COUNT * 4))K!$((GFN * 4))K" guest_config "$1" "$2" \
		>"$DOMU/$1" && xl create -p "$DOMU/$1"
}

# mapping give|take NAME [FIRST [COUNT]]: all of the data, or these frames, at GFN.
mapping()
{
	# shellcheck disable=SC2086 # words
	xenpf_pmem "$1" "$(xl domid "$2")" $GFN "$(hex "${3:-$FIRST}")" \
		"$(hex $((${3:-$FIRST} + ${4:-$COUNT})))" $TUPLE
}

# with_pmem NAME COMMANDS
with_pmem()
{
	created "$@" && mapping give "$1" && xl unpause "$1"
}

# did_not NAME TEXT COMMAND...: that failed, and said so.
did_not()
{
	name=$1 text=$2
	shift 2
	guest_console "$name" | grep -F -A 2 "domu: run $* " | grep -F "$text"
}

# guest_frame NAME GFN: a guest's frame, as dom0 finds it there.
guest_frame()
{
	xenpf_pmem map "d$(xl domid "$1")" "$(hex "$2")" ro
}

xen_says()
{
	xl dmesg | grep -E "pmem: .*$1"
}

NS=$(namespace_of 0)
try "xenstored, xenconsoled and xl run" xl_start
try "a namespace for guests only" ndctl create-namespace --mode=xen --force \
	--reconfig="$NS" --personality=none
FIRST=$(($(xen_attr "$NS" resource) >> 12))
COUNT=$(($(xen_attr "$NS" size) >> 12))
TUPLE=
for key in spfn epfn rsv_spfn rsv_epfn data_spfn data_epfn; do
	TUPLE="$TUPLE $(xenpf_pmem list | value $key)"
done

try "R20 a guest is given all of the data, and starts" with_pmem one \
	"domu-pmem new + xenpf_pmem gcopy $GFN $(hex $((GFN + COUNT - 1))) + xenpf_pmem decrease $GFN"
try "R20 it makes a file system on /dev/pmem0, -o dax, and a file" guest_did one domu-pmem new
try "R20 mounted with DAX" guest_says one "/dev/pmem0 /mnt ext4 .*dax=always.*"
try "R20 Xen copies from and to its frames, which takes an owner" \
	guest_did one xenpf_pmem gcopy $GFN "$(hex $((GFN + COUNT - 1)))"
try "R19 it cannot give them to Xen's heap" did_not one "freed=0" xenpf_pmem decrease
is "R20 guests names it" "$(xen_attr "$NS" guests)" "$(xl domid one)"
refuses "R20 its dirty pages are not tracked, as for a migration" "EBUSY" \
	xenpf_pmem track "$(xl domid one)"
try "R20 Xen's log says why" xen_says "d$(xl domid one) has persistent memory"
refuses "R20 dom0's own driver is refused" "busy|failed|rror" \
	ndctl enable-namespace "$(inner_of "$NS")"
refuses "R20 UNMAP of a part of it" "ENOENT" mapping take one "$FIRST" $((COUNT - 512))
refuses "R20 a second guest is refused" "EBUSY" with_pmem wrong ""
try "R20 that guest is destroyed" xl destroy wrong
try "R35 the guest is destroyed, its file system mounted" guest_gone one no_guest_has "$NS"
try "R35 a guest after it" with_pmem two "domu-pmem again"
try "R35 reads the file" guest_did two domu-pmem again
try "R35 it is destroyed, too" guest_gone two no_guest_has "$NS"

try "R35 dom0's own driver is bound now" ndctl enable-namespace "$(inner_of "$NS")"
DISK=$(inner_disk "$NS")
e2fsck -p "$DISK" >&2		# the journal
try "R35 dom0 finds a file system without a fault" e2fsck -fn "$DISK"
try "R35 mounts it" mount -t ext4 -o dax "$DISK" "$MNT"
try "R35 reads the file" sh -c "cd $MNT && sha256sum -c sum"
umount "$MNT"
try "R20 dom0 gives it up" ndctl disable-namespace "$(inner_of "$NS")"

# What a guest does with its frames does not keep it from losing them.
xenpf_pmem poke "$(hex "$FIRST")" 0x1111 >&2
try "R20 a guest whose dirty pages are tracked" created four ""
try "R20 they are" xenpf_pmem track "$(xl domid four)"
refuses "R20 is given nothing" "EBUSY" mapping give four
try "R20 nobody has any then" no_guest_has "$NS"
try "R20 that guest is destroyed" xl destroy four

try "R20 a guest that has moved its first frame elsewhere" with_pmem three \
	"xenpf_pmem move $GFN $ALIAS + devmem ${ALIAS}000 64 + devmem ${ALIAS}000 64 0x2222"
try "R20 has it there" guest_did three xenpf_pmem move $GFN $ALIAS
is "R20 and writes to it" "$(guest_frame three $ALIAS | value value)" 0x0000000000002222
try "R20 UNMAP while it runs" mapping take three
try "R20 nobody has any" no_guest_has "$NS"
is "R35 dom0 reads what it wrote" "$(xenpf_pmem map self "$(hex "$FIRST")" ro | value value)" \
	0x0000000000002222
refuses "R20 the guest has nothing in the place to which it moved it" "errno" \
	guest_frame three $ALIAS
try "R20 nor anywhere else, Xen's audit says: CLAIM" \
	ndctl enable-namespace "$(inner_of "$NS")"
try "R20 dom0 gives it up again" ndctl disable-namespace "$(inner_of "$NS")"
try "R20 MAP to the same guest again" mapping give three
try "R20 UNMAP of that" mapping take three
try "R20 it goes" guest_gone three no_guest_has "$NS"
try "R15 then REMOVE succeeds" ndctl disable-namespace "$NS"
try "R15 Xen has no region" xen_has 0
finish
