#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A grant copy from one page of the data to another: Xen knows the pages only
# while they are handed over.
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

GNTST_bad_page=-9

page()
{
	dd if="$DISK" bs=4096 skip="$1" count=1 iflag=direct 2>/dev/null
}

put_page()
{
	dd of="$DISK" bs=4096 seek="$1" count=1 oflag=direct iflag=fullblock 2>/dev/null
}

# gcopy STATUS: copy the first page to the last one by a grant.
gcopy()
{
	xenpf_pmem gcopy "$(xp_frame "$START")" \
		"$(xp_frame $((START + SIZE - 4096)))" >"$XP_TMP/gcopy"
	cat "$XP_TMP/gcopy"
	equal status "$(xp_value status <"$XP_TMP/gcopy")" "$1"
}

same_pages()
{
	page 0 >"$XP_TMP/from"
	page $LAST >"$XP_TMP/to"
	cmp "$XP_TMP/from" "$XP_TMP/random" && cmp "$XP_TMP/to" "$XP_TMP/random"
}

last_is_zero()
{
	page $LAST | cmp - "$XP_TMP/zero"
}

given_back()
{
	xp_unbind "$NS" && ! xenpf_pmem list | grep -w "data_spfn=$(xp_frame "$START")"
}

xp_need_xen
xp_need_namespace
xp_provisioned "$NS"
START=$(xp_attr "$NS" resource)
SIZE=$(xp_attr "$NS" size)
LAST=$(((SIZE >> 12) - 1))
dd if=/dev/urandom of="$XP_TMP/random" bs=4096 count=1 2>/dev/null
dd if=/dev/zero of="$XP_TMP/zero" bs=4096 count=1 2>/dev/null

xp_begin 6
put_page 0 <"$XP_TMP/random"
put_page $LAST <"$XP_TMP/zero"
xp_unbind "$NS"
check "R6 without ADD a grant of a data page is bad" gcopy $GNTST_bad_page
check "R28 the namespace binds again" xp_bind "$NS"
DISK=$(xp_disk "$NS") && xp_wait 10 test -b "$DISK"
check "R6 and nothing was copied" last_is_zero
check "R6 after ADD the same copy succeeds" gcopy 0
check "R6 and the page arrived" same_pages
put_page $LAST <"$XP_TMP/zero"
check "R6 the copy left no reference: unbind gives the region back" given_back
xp_bind "$NS"
ktap_finished
