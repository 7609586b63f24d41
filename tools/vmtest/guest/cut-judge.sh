#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cut-judge.sh DIMMS: what this kernel makes of the namespaces of so many DIMMs. File
# seen in $OUT, a namespace a line; rig/cutjudge.py knows what the words are. Made
# without a process where the shell can do it: there are many lines.

. /vmtest/guest/functions.sh

# value FILE: its line in $VALUE, nothing where there is none.
value()
{
	VALUE=
	[ ! -e "$1" ] || read -r VALUE <"$1"
}

# name_of PATH...: of the first that is there, in $VALUE.
name_of()
{
	VALUE=
	for path; do
		[ -e "$path" ] || continue
		VALUE=${path##*/}
		return 0
	done
}

# find_driver NAMESPACE
find_driver()
{
	VALUE=
	for driver in "$ND"/drivers/*; do
		[ ! -e "$driver/$1" ] || VALUE=${driver##*/}
	done
}

# A disk of the driver's may come after udev has settled.
inner_of()
{
	VALUE=
	[ -e "$ND/drivers/xen_pmem/$1" ] || return 0
	wait_for 20 inner_disk "$1" && VALUE=$(inner_disk "$1")
}

# first_of DISK SIZE: hash of the first MiB of the namespace that nobody works on.
first_of()
{
	VALUE=
	[ "$2" = $((16 << 20)) ] && [ -b "/dev/$1" ] || return 0
	VALUE=$(dd if="/dev/$1" bs=1M count=1 2>/dev/null | sha256sum)
	VALUE=${VALUE%% *}
}

# mount_files DISK: a superblock of which the power took a part is e2fsck's to mend, with the
# one that cuts.sh has made besides. Nobody writes a sector of persistent memory all or not.
mount_files()
{
	STATUS=0
	mount -t ext4 -o dax "$1" "$MNT" && return
	STATUS=repaired
	e2fsck -fy "$1" >&2 || e2fsck -fy -b 2048 -B 4096 "$1" >&2
	mount -t ext4 -o dax "$1" "$MNT"
}

# has_ext4 DISK: by its magic. blkid knows no superblock of which the power took a part.
has_ext4()
{
	[ "$(dd if="$1" bs=2 skip=540 count=1 2>/dev/null | od -A n -t x1)" = " 53 ef" ]
}

# files_of DISK: if there is ext4, how it was to be mounted with -o dax, or what e2fsck says
# afterwards, and the hashes of its files.
files_of()
{
	VALUE=
	has_ext4 "$1" || return 0
	VALUE=not-mounted
	mount_files "$1" || return 0
	found=$(cd "$MNT" && for file in *; do
		[ ! -f "$file" ] || printf ',%s:%s' "$file" "$(sha256sum <"$file" | cut -d' ' -f1)"
	done)
	umount "$MNT"
	e2fsck -fn "$1" >&2 || STATUS=not-clean
	VALUE=$STATUS$found
}

# line DIMM NAMESPACE
line()
{
	words="$1 $2"
	value "$ND/devices/$2/uuid"; words="$words ${VALUE:--}"
	value "$ND/devices/$2/size"; size=$VALUE words="$words ${VALUE:--}"
	find_driver "$2"; words="$words ${VALUE:--}"
	name_of "$ND/devices/$2"/block/*; words="$words ${VALUE:--}"
	value "$ND/devices/$2/holder"; child=${VALUE:--} words="$words ${VALUE:--}"
	name_of "$ND/devices/$child"/block/* "$ND/devices/$child"/dax[0-9]*
	disk=${VALUE:--} words="$words ${VALUE:--}"
	value "$ND/devices/$2/xen/state"; words="$words ${VALUE:--}"
	inner_of "$2"; inner=$VALUE words="$words ${VALUE:--}"
	first_of "$disk" "$size"; words="$words ${VALUE:--}"
	VALUE=
	[ -z "$inner" ] || files_of "$inner"
	words="$words ${VALUE:--}"
	echo "$words"
}

# lines_of REGION DIMM
lines_of()
{
	for ns in "$ND/devices/$1"/namespace[0-9]*; do
		value "$ns/size"
		[ "$VALUE" -eq 0 ] || line "$2" "${ns##*/}"
	done
}

# regions: DIMM and region, those of the nested buses not among them.
regions()
{
	for region in "$ND"/devices/region*; do
		value "$region/mapping0"
		value "$ND/devices/${VALUE%%,*}/nfit/handle"
		[ -z "$VALUE" ] || echo "$((VALUE - 1)) ${region##*/}"
	done
}

regions | sort -n >/run/xp/regions
while read -r dimm region; do
	lines_of "$region" "$dimm"
done </run/xp/regions >"$OUT/seen"
cat "$OUT/seen" >&2
is "each DIMM has a region" "$(grep -c . /run/xp/regions)" "$1"
finish
