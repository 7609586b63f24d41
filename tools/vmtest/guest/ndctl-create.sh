#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ndctl-create.sh: each option of create-namespace --mode=xen, and the commands that
# read or write its info block. DIMM 0 has no labels, those of
# DIMM 2 are not initialized.

. /vmtest/guest/ndctl-functions.sh

HEAD=$((16 << 20))
UUID=1b8f3f9c-2a8d-4d6a-9e55-0c6a4f7d9b21

# personality NAMESPACE PERSONALITY OPTION...
personality()
{
	ns_=$1 what=$2
	shift 2
	try "R36 --personality=$what $*" create "$ns_" --force --personality="$what" "$@"
	is "R36 its inner namespace is the first" "$(json '.inner[0].dev')" "$(inner_of "$ns_")"
}

each_personality()
{
	personality "$1" none
	is "none: the data is disabled" "$(json '.inner[0].state')" disabled
	refuses "none: the data is no free capacity" "No space left" \
		ndctl create-namespace --bus=xen-pmem --mode=devdax --map=mem
	refuses "none: not if the region is named either" "is the data of a namespace" \
		ndctl create-namespace --mode=raw \
		--region="$(basename "$(readlink -f "$ND/devices/$(inner_of "$1")/..")")"
	try "none: it can be enabled" ndctl enable-namespace "$(inner_of "$1")"

	personality "$1" devdax
	is "devdax: the mode" "$(json '.inner[0].mode')" devdax
	is "devdax: the memmap is in RAM" "$(json '.inner[0].map')" mem
	try "devdax: its device" test -c "/dev/$(json '.inner[0].daxregion.devices[0].chardev')"
	try "devdax: can be used" dax_file device \
		"/dev/$(json '.inner[0].daxregion.devices[0].chardev')" 1048576 5

	try "R36 the default" create "$1" --force
	is "is fsdax, after devdax as well" "$(json '.inner[0].mode')" fsdax
	personality "$1" fsdax --map=mem
	is "fsdax: the mode" "$(json '.inner[0].mode')" fsdax
}

bad_options()
{
	refuses "a personality that there is not" "invalid personality 'raw'" \
		create "$1" --force --personality=raw
	refuses "a personality of another mode" "only valid with --mode=xen" \
		ndctl create-namespace --reconfig="$1" --mode=fsdax --personality=fsdax
	refuses "a map of none" "no meaning" create "$1" --personality=none --map=mem
	refuses "a map that a PV domain cannot have" "use --map=mem" \
		create "$1" --force --map=dev
	refuses "an alignment of 1G" "alignment of 2M" create "$1" --force --align=1G
}

# The head of the namespace is blank, and its data is not.
holds_data()
{
	disk=$(inner_disk "$1") && mkfs.ext4 -q -F -b 4096 "$disk" &&
		mount -t ext4 "$disk" "$MNT" && echo "somebody's" >"$MNT/file" &&
		umount "$MNT" && ndctl disable-namespace "$1" && wipe "$1" $HEAD
}

keeps_data()
{
	try "R5 $1 is blank, its data is not" holds_data "$1"
	refuses "R5 devdax: its data is not lost without --force" \
		"is in xen mode, but its data, .* holds something.*next: ndctl create-namespace --force --reconfig=namespace.* --mode=devdax --map=mem" \
		create "$1" --personality=devdax
	is "R5 the namespace is in xen mode all the same" "$(json .mode)" xen
	try "R5 and the data is there" sh -c \
		"mount -t ext4 $(inner_disk "$1") $MNT && grep -q somebody $MNT/file && umount $MNT"
}

labelled()
{
	region=$(region_of 1)
	try "DIMM 1: labels" init_labels "$region"
	refuses "--size=16M is too small" "do not hold Xen's tables" \
		ndctl create-namespace --mode=xen --region="$region" --size=16M
	refuses "--size=50M is not aligned" "misaligned|must align" \
		ndctl create-namespace --mode=xen --region="$region" --size=50M
	refuses "--size=1G has no room, and how much there is" \
		"--size=1G: No space left on device, $(cat "$ND/devices/$region/max_available_extent") bytes are available" \
		ndctl create-namespace --mode=xen --region="$region" --size=1G
	is "nothing was made" "$(ndctl list -N --region="$region")" ""
	try "-s, -n, -u" ndctl create-namespace --mode=xen --region="$region" \
		--size=48M --name=guests --uuid=$UUID
	ns=$(namespace_of 1)
	is "-n" "$(listed "$ns" .name)" guests
	is "-u" "$(listed "$ns" .raw_uuid)" $UUID
	is "-s" "$(cat "$ND/devices/$ns/size")" $((48 << 20))
	refuses "a new uuid takes --force" "specify --force" create "$ns" --uuid=$UUID
	try "-c makes another" ndctl create-namespace --mode=xen --region="$region" -s 32M -c
	is "in this region" "$(ndctl list -N --region="$region" --mode=xen | jq length)" 2
}

labels()
{
	ns=$(namespace_of 2)
	type=$ND/devices/$(region_of 2)/nstype
	is "DIMM 2 has no labels" "$(cat "$type")" 4
	try "--no-autolabel" create "$ns" --force --no-autolabel
	is "it has no labels still" "$(cat "$type")" 4
	try "--autolabel, by default" create "$ns" --force
	is "it has labels" "$(cat "$ND/devices/$(region_of 2)/nstype")" 5
}

# parent_of NAMESPACE: the uuid of its label, if it has one.
parent_of()
{
	cat "$ND/devices/$1/uuid" 2>/dev/null || echo 00000000-0000-0000-0000-000000000000
}

# same_block NAMESPACE: what write-infoblock makes of its addresses is what the
# driver has written.
same_block()
{
	ndctl read-infoblock --output="$OUT/block" "$1" &&
		ndctl write-infoblock --mode=xen --stdout --size="$(cat "$ND/devices/$1/size")" \
			--offset="$(cat "$ND/devices/$1/resource")" --uuid="$UUID_XEN" \
			--parent-uuid="$(parent_of "$1")" >"$OUT/same" &&
		cmp "$OUT/block" "$OUT/same"
}

info_blocks()
{
	refuses "check-namespace" "is in xen mode, check the namespace of its nested bus" \
		ndctl check-namespace --force "$1"
	refuses "clear-errors" "in xen mode, errors of its data are cleared by a write" \
		ndctl clear-errors "$1"
	refuses "read-infoblock while it is enabled" "busy" ndctl read-infoblock "$1"
	UUID_XEN=$(xen_attr "$1" uuid)
	try "it is disabled" ndctl disable-namespace "$1"
	try "read-infoblock --verify" sh -c \
		"ndctl read-infoblock -j --verify $1 | jq -e '.[0].xen.owner == 1'"
	try "write-infoblock: the bytes that the driver wrote" same_block "$1"
	refuses "R5 write-infoblock over it" "holds a disabled xen namespace" \
		ndctl write-infoblock --mode=fsdax "$1"
	refuses "write-infoblock --mode=xen of a namespace" "the driver writes" \
		ndctl write-infoblock --mode=xen "$1"
	refuses "R5 create-namespace --region does not take it" "holds a disabled xen namespace" \
		ndctl create-namespace --mode=raw --region="$(region_of 0)"
	refuses "R5 destroy-namespace without --force" "holds a disabled xen namespace" \
		ndctl destroy-namespace "$1"
	try "it can be enabled" ndctl enable-namespace "$1"
	is "and is the same" "$(xen_attr "$1" uuid)" "$UUID_XEN"
}

bad_options "$(namespace_of 0)"
each_personality "$(namespace_of 0)"
keeps_data "$(namespace_of 0)"
info_blocks "$(namespace_of 0)"
labelled
labels
finish
