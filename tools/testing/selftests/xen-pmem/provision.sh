#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ndctl create-namespace --mode=xen: what it refuses, what it prints, and what
# ndctl and Xen say of the namespace afterwards.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

HEAD=$((16 << 20))

# Far behind every signature that blkid knows.
put_mark()
{
	echo "this is somebody's data" |
		dd of="$RAW" bs=4096 seek=$((1 << 8)) conv=notrunc,fsync 2>/dev/null
}

blank()
{
	dd if=/dev/zero of="$RAW" bs=1M count=$((HEAD >> 20)) conv=fsync 2>/dev/null
}

head_sum()
{
	dd if="$1" bs=1M count=$((HEAD >> 20)) 2>/dev/null | sha256sum
}

# What is behind the header, up to the data.
rest_sum()
{
	dd if="$RAW" bs=8192 skip=1 count=$(((HEAD >> 13) - 1)) 2>/dev/null | sha256sum
}

erase()
{
	xp_write "$NS 1c9e1f3a-7b1d-4c52-a0ce-5d8b3c6f2e11 erase" $XP_DRIVER/provision
}

# The first step of provisioning, alone: no block of any kind, and no more.
erased()
{
	equal driver "$(xp_driver_of "$NS")" "" &&
		equal regions "$(xenpf_pmem list | grep -c data_spfn=)" 0 &&
		xp_raw_open "$NS" && ! mount -t ext4 -o ro "$RAW" "$XP_MNT" &&
		dd if="$RAW" bs=512 count=9 2>/dev/null | cmp -n $((9 * 512)) - /dev/zero &&
		equal "sha256 of what is behind it" "$(rest_sum)" "$BEFORE"
}

create()
{
	ndctl create-namespace --mode=xen --reconfig="$NS" "$@"
}

# Before ADD dom0 reads all of the device, from the first byte to the last.
readable()
{
	local size

	size=$(blockdev --getsize64 "$RAW") || return 1
	equal "what dd has read" \
		"$(dd if="$RAW" of=/dev/null bs=1M 2>&1 | grep 'records in')" \
		"$((size >> 20))+0 records in"
}

# What the driver says of the namespace is what it says of Xen, and of itself.
attributes()
{
	equal records "$(xp_attr "$NS" records)" "$(cat $XP_DRIVER/xen)" &&
		equal state "$(xp_attr "$NS" state)" active &&
		equal memmap "$(xp_attr "$NS" memmap)" mem
}

# What tells physical addresses.
for_root_alone()
{
	local dir=$XP_ND/devices/"$NS"/xen

	equal "permissions" "$(stat -c '%a %n' $XP_DRIVER/quarantine $XP_DRIVER/last_errors \
		"$dir/last_error" "$dir/resource" "$dir/reserved_resource" | sed 's:/.*/::')" \
		"$(printf '400 %s\n' quarantine last_errors last_error resource reserved_resource)"
}

# fields FILE: the JSON describes the namespace as the driver sees it.
fields()
{
	cat "$1"
	equal mode "$(xp_json mode <"$1")" xen &&
		equal size "$(xp_json size <"$1")" "$(xp_attr "$NS" size)" &&
		equal uuid "$(xp_json uuid <"$1")" "$(xp_attr "$NS" uuid)" &&
		equal nested_bus "$(xp_json nested_bus <"$1")" "$(xp_attr "$NS" bus)"
}

inner_in_json()
{
	sed -n '/"inner"/,$p' "$XP_TMP/json" >"$XP_TMP/inner"
	cat "$XP_TMP/json"
	equal "inner blockdev" "/dev/$(xp_json blockdev <"$XP_TMP/inner")" \
		"$(xp_disk "$NS")"
}

# lists NAME ADDRESS: Xen's list has this frame under that name.
lists()
{
	equal "$1" "$(xp_value "$1" <"$XP_TMP/line")" "$(xp_frame "$2")"
}

# Xen's list has the tuple that the driver shows, and nothing is half done.
listed_by_xen()
{
	local start rsv ns

	ns=$(cat $XP_ND/devices/"$NS"/resource)
	start=$(xp_attr "$NS" resource)
	rsv=$(xp_attr "$NS" reserved_resource)
	xenpf_pmem list | grep -w "spfn=$(xp_frame "$ns")" >"$XP_TMP/line"
	cat "$XP_TMP/line"
	lists data_spfn "$start" && lists rsv_spfn "$rsv" &&
		lists data_epfn $((start + $(xp_attr "$NS" size))) &&
		lists rsv_epfn $((rsv + $(xp_attr "$NS" reserved_size))) &&
		equal state "$(xp_value state <"$XP_TMP/line")" active
}

same_uuid()
{
	equal uuid "$(xp_attr "$NS" uuid)" "$UUID"
}

new_uuid()
{
	[ "$(xp_attr "$NS" uuid)" != "$UUID" ]
}

xp_need_xen
xp_need mkfs.ext4 sha256sum
xp_need_namespace
if xp_bound "$NS"; then
	ndctl destroy-namespace --force "$NS" >/dev/null 2>&1
fi
xp_raw_open "$NS" || xp_skip "$NS does not come up as a raw disk"
xp_begin 20

check "R3 dom0 reads the whole device before ADD" readable
blank
put_mark
BEFORE=$(head_sum "$RAW")
xp_raw_close "$NS"
refused "R5 a namespace that holds something is refused without --force" \
	'force' create
xp_raw_open "$NS"
check "R5 and not a byte of it changed" \
	equal "sha256 of what lies before the data" "$(head_sum "$RAW")" "$BEFORE"

mkfs.ext4 -q -F "$RAW" && mount -t ext4 "$RAW" "$XP_MNT"
echo here >"$XP_MNT/file"
refused "R5 a mounted namespace is refused, with --force as well" \
	'[Bb]usy|in use|mounted' create --force
check "R5 and its file is there" grep -q here "$XP_MNT/file"
refused "R5 neither is its block erased" 'busy' erase
umount "$XP_MNT"
BEFORE=$(rest_sum)
xp_raw_close "$NS"
check "R5 the block of an idle namespace can be erased alone" erase
check "R5 then there is none, and not another byte has changed" erased
blank
xp_raw_close "$NS"

xp_mark
check "R5 a blank namespace is taken without --force" \
	sh -c "ndctl create-namespace --mode=xen --reconfig=$NS >$XP_TMP/json"
check "R36 create-namespace prints mode, size, uuid and nested bus" \
	fields "$XP_TMP/json"
check "R36 create-namespace prints the inner namespace" inner_in_json
ndctl list --namespace="$NS" >"$XP_TMP/json"
check "R36 list says the same" fields "$XP_TMP/json"
check "R36 Xen lists the region with the same data" listed_by_xen

check "R36 the attributes of the driver agree" attributes
check "R36 addresses are for root alone" for_root_alone

UUID=$(xp_attr "$NS" uuid)
refused "R5 a xen-mode namespace is not provisioned again without --force" \
	'force|active|[Bb]usy' create
check "R5 and it still is the same one" same_uuid

DISK=$(xp_disk "$NS")
mkfs.ext4 -q -F -b 4096 "$DISK" && mount -t ext4 "$DISK" "$XP_MNT"
refused "R15 destroy-namespace is refused while the data is mounted" \
	'[Bb]usy|in use|mounted' ndctl destroy-namespace --force "$NS"
umount "$XP_MNT"
check "R16 with --force it is provisioned again" create --force
check "R16 under a new uuid" new_uuid
xp_disk "$NS" >/dev/null
ktap_finished
