#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cycles.sh COUNT: ADD and REMOVE of DIMM 0 that often, while another process maps
# and unmaps frames of its data; then the same number of pages are free.

. /vmtest/guest/functions.sh
. /vmtest/guest/region.sh

said()
{
	value "$1" <"$OUT/cycles"
}

many()
{
	# shellcheck disable=SC2086 # words
	xenpf_pmem cycles "$1" $TUPLE >"$OUT/cycles" 2>&1
	rc=$?
	cat "$OUT/cycles"
	return $rc
}

try "DIMM 0 has room for a region" tuple 0
try "R16 $1 times ADD and REMOVE, each with a frame that is read, written and mapped elsewhere" many "$1"
cat "$OUT/cycles" >&2
is "cycles" "$(said cycles)" "$1"
is "frames that read another value than was written" "$(said wrong)" 0
try "the other process had frames mapped" test "$(said mapped)" -gt 0
is "R18 free pages" "$(said free_after)" "$(said free_before)"
try "no region is left" no_region
finish
