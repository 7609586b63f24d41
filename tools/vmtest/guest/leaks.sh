#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# leaks.sh: on a kernel with kmemleak and lockdep, whether memory that the driver
# allocated, or others for it, is referred to by nothing, and whether lockdep was at work
# until now: its first finding of any kind is its last. All of the former are in
# $OUT/kmemleak.

. /vmtest/lib.sh

KMEMLEAK=/sys/kernel/debug/kmemleak

# What is freed late is not a leak; a finding takes two scans.
scan()
{
	for _ in 1 2; do
		sleep 6
		echo scan >$KMEMLEAK || return 1
	done
	cat $KMEMLEAK >"$OUT/kmemleak"
}

# A finding is some lines, the first not indented.
no_leak_of()
{
	awk -v word="$1" '
		/^unreferenced/ { if (bad) print text; text = ""; bad = 0 }
		{ text = text $0 "\n" }
		index($0, word) { bad = 1 }
		END { if (bad) print text }
	' "$OUT/kmemleak" >/run/xp/leaks
	cat /run/xp/leaks
	! [ -s /run/xp/leaks ]
}

try "lockdep has found nothing" grep -q '^ *debug_locks: *1$' /proc/lockdep_stats
try "kmemleak is at work" scan
echo "# $(grep -c ^unreferenced "$OUT/kmemleak") findings in all"
try "nothing that has xen_pmem in its stack leaked" no_leak_of xen_pmem
finish
