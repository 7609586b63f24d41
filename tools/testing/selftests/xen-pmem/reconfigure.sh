#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Unbind and bind often, and often make the data fsdax, devdax, sector and raw in
# turn, with the memory of dom0 used up in between: each of these maps or unmaps all
# of the data. In the end dom0 has the memory and the page tables that it began with.
#
#   XEN_PMEM_REBINDS    how often to unbind and bind (3)
#   XEN_PMEM_RECONFIGS  how often to reconfigure (4, which is each mode once)
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

REBINDS=${XEN_PMEM_REBINDS:-3}
RECONFIGS=${XEN_PMEM_RECONFIGS:-4}
FILE_SIZE=$((1 << 20))

# In kB, for what the kernel has in caches of its own, and for the page tables of
# programs. To lose the page tables of 1 GiB of data costs 2000 kB a time, of 256 MiB 500 kB.
FREE_LESS=3072
TABLES_MORE=256

meminfo()
{
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# Also what is free and in a list of one CPU's.
free_now()
{
	local listed

	sync
	echo 3 >/proc/sys/vm/drop_caches
	listed=$(awk '$1 == "count:" { n += $2 } END { print n * 4 }' /proc/zoneinfo)
	echo $((listed + $(meminfo MemFree)))
}

unbound()
{
	xp_unbind "$NS" && ! xp_bound "$NS"
}

# node PATTERN: the device node of what appears in the region of the data.
node()
{
	xp_wait 20 xp_inner "$NS" "../$1" || return 1
	xp_wait 10 test -e "/dev/$(xp_inner "$NS" "../$1")" || return 1
	echo "/dev/$(xp_inner "$NS" "../$1")"
}

bound()
{
	xp_bind "$NS" && xp_bound "$NS" && node 'namespace*/block/*'
}

use_disk()
{
	mkfs.ext4 -q -F -b 4096 "$1" && mount -t ext4 -o "$2" "$1" "$XP_MNT" &&
		dax_file write "$XP_MNT/file" $FILE_SIZE 31 &&
		dax_file verify "$XP_MNT/file" $FILE_SIZE 31 && umount "$XP_MNT"
}

# become MODE OPTION...: all of the data, whatever it was.
become()
{
	ndctl create-namespace --force --reconfig="$(xp_inner "$NS" '')" --mode "$@"
}

# reconfigure NUMBER: the mode with that number, and use it. The region has a memmap,
# so fsdax makes no pfn device.
reconfigure()
{
	local dev

	case $(($1 % 4)) in
	1) become devdax --map=mem --align=4096 && dev=$(node 'dax*/dax*') &&
		dax_file device "$dev" $FILE_SIZE 31 ;;
	2) become sector && dev=$(node 'btt*/block/*') && use_disk "$dev" rw ;;
	3) become raw && dev=$(node 'namespace*/block/*') && use_disk "$dev" rw ;;
	0) become fsdax --map=mem && dev=$(node 'namespace*/block/*') &&
		use_disk "$dev" dax ;;
	esac
}

# rounds COUNT COMMAND...: with the number of the round as a last argument.
rounds()
{
	local count="$1" round=1

	shift
	while [ $round -le "$count" ]; do
		"$@" $round || {
			echo "round $round of $count"
			return 1
		}
		round=$((round + 1))
	done
}

rebind_round()
{
	unbound && xp_churn && bound
}

reconfigure_round()
{
	reconfigure "$1" && xp_churn
}

# Whatever the count was, the data is fsdax again, and the namespace unbound.
at_rest()
{
	reconfigure 0 && unbound && xp_churn
}

as_free()
{
	local now

	now=$(free_now)
	xp_say "$FREE kB were free, $now kB are" >>"$XP_TMP/said"
	[ "$now" -ge $((FREE - FREE_LESS)) ] || {
		echo "$now kB are free, expected at least $FREE - $FREE_LESS"
		diff "$XP_TMP/meminfo" /proc/meminfo
		return 1
	}
}

as_few_tables()
{
	local now

	now=$(meminfo PageTables)
	echo "PageTables is $now kB, expected at most $TABLES + $TABLES_MORE"
	[ "$now" -le $((TABLES + TABLES_MORE)) ]
}

xp_need_xen
xp_need mkfs.ext4 dax_file ndctl
xp_need_namespace
xp_provisioned "$NS"
xp_begin 9
xp_mark

# The first time loads modules and fills caches.
check "R15 unbind and bind" rebind_round
check "R15 each mode" rounds 4 reconfigure
at_rest >/dev/null 2>&1
FREE=$(free_now)
cat /proc/meminfo >"$XP_TMP/meminfo"
TABLES=$(meminfo PageTables)
DIRECT=$(meminfo DirectMap4k)
bound >/dev/null

check "R15 R16 unbind and bind, $REBINDS times" rounds "$REBINDS" rebind_round
check "R15 reconfigure the data, $RECONFIGS times" rounds "$RECONFIGS" reconfigure_round
check "R15 the data is fsdax again, and unbinds" at_rest
check "R15 as much memory is free as before" as_free
cat "$XP_TMP/said"
check "R15 no page tables are left" as_few_tables
check "R15 the direct map is as before" equal DirectMap4k "$(meminfo DirectMap4k)" "$DIRECT"
check "R15 no splat in the kernel log" xp_no_splat
bound >/dev/null
ktap_finished
