#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# gcov.sh: on a kernel with gcov, what ran of the driver in this boot, into $OUT/gcov.
# scripts/coverage makes a table of it.

. /vmtest/lib.sh

copy_counts()
{
	mkdir -p "$OUT/gcov"
	find /sys/kernel/debug/gcov -name '*.gcda' -path '*xen_pmem*' |
		while read -r file; do
			cat "$file" >"$OUT/gcov/${file##*/}"
		done
	ls "$OUT"/gcov/*.gcda
}

try "counts of the driver are there" copy_counts
finish
