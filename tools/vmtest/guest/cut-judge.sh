#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cut-judge.sh DIMMS: what this kernel makes of the namespaces of so many DIMMs. File
# seen in $OUT, a namespace a line; rig/cutjudge.py knows what the words are.

. /vmtest/guest/functions.sh

word()
{
	[ -n "$1" ] && printf '%s ' "$1" || printf -- '- '
}

# name_of PATH...: of the first that is there.
name_of()
{
	for path; do
		[ -e "$path" ] || continue
		echo "${path##*/}"
		return 0
	done
}

# the_uuid NAMESPACE: nothing where there is none.
the_uuid()
{
	cat "$ND/devices/$1/uuid" 2>/dev/null
}

# A disk of a driver may come after udev has settled.
inner_name()
{
	[ "$2" = xen_pmem ] && wait_for 20 inner_disk "$1" && basename "$(inner_disk "$1")"
}

# first_of DISK: hash of its first MiB.
first_of()
{
	[ -b "/dev/$1" ] && dd if="/dev/$1" bs=1M count=1 2>/dev/null | sha256sum | cut -d' ' -f1
}

# line DIMM NAMESPACE
line()
{
	path=$ND/devices/$2 child=$ND/devices/$(cat "$ND/devices/$2/holder")
	driver=$(driver_of "$2")
	disk=$(name_of "$child"/block/* "$child"/dax[0-9]*)
	[ "$child" != "$ND/devices/" ] || child='' disk=''
	for found in "$1" "$2" "$(the_uuid "$2")" "$(cat "$path/size")" "$driver" \
		"$(name_of "$path"/block/*)" "${child##*/}" "$disk" \
		"$(xen_attr "$2" state 2>/dev/null)" "$(inner_name "$2" "$driver")" \
		"$(first_of "$disk")"; do
		word "$found"
	done
	echo
}

# lines_of REGION DIMM
lines_of()
{
	for ns in "$ND/devices/$1"/namespace*; do
		[ "$(cat "$ns/size")" -gt 0 ] || continue
		line "$2" "${ns##*/}"
	done
}

# regions: DIMM and region, those of the nested buses not among them.
regions()
{
	for region in "$ND"/devices/region*; do
		nmem=$(cut -d, -f1 "$region/mapping0")
		handle=$(cat "$ND/devices/$nmem/nfit/handle" 2>/dev/null) || continue
		echo "$((handle - 1)) ${region##*/}"
	done
}

regions | sort -n >/run/xp/regions
while read -r dimm region; do
	lines_of "$region" "$dimm"
done </run/xp/regions >"$OUT/seen"
cat "$OUT/seen" >&2
is "each DIMM has a region" "$(grep -c . /run/xp/regions)" "$1"
finish
