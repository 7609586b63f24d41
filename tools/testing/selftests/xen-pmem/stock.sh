#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Calls that have nothing to do with persistent memory: a Xen with XENPF_pmem answers
# them as a stock Xen 4.20 does. The same table holds for both, and each row runs on
# both; and for a PV and a PVH dom0, where a row does not say otherwise.
#
# Nothing is left changed.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

TARGET=/sys/devices/system/xen_memory/xen_memory0/target_kb
PAGES=256

# NAME OUTCOME, or NAME OUTCOME-IN-PV OUTCOME-IN-PVH. A status of a grant operation is
# the errno of that meaning: EBADMSG GNTST_bad_page, EBADR GNTST_bad_gntref, EBADF
# GNTST_bad_handle.
expected()
{
	cat <<-END
	version-4.20 OK
	version-extra OK
	version-unknown ENOSYS
	memory-maximum-ram-page OK
	memory-current-reservation OK
	memory-maximum-reservation OK
	memory-reservation-of-nobody ESRCH
	memory-machine-map OK
	memory-machine-map-no-room OK
	memory-unknown ENOSYS
	memory-decrease-no-frame OK
	memory-exchange-no-frame EINVAL
	platform-unknown ENOSYS
	platform-other-version EACCES
	platform-cpuinfo OK
	platform-hotadd-misaligned EINVAL
	platform-hotadd-inverted EINVAL
	platform-hotadd-small EINVAL
	grant-copy-ram OK
	grant-copy-no-frame EBADMSG
	grant-copy-mmio EBADMSG
	grant-map-bad-ref EBADR
	grant-unmap-bad-handle EBADF
	grant-query-size OK
	grant-unknown ENOSYS
	mmuext-flush OK EINVAL
	mmuext-pin-no-frame EINVAL
	mmuext-pin-mmio EINVAL
	mmuext-clear-no-frame EINVAL
	mmuext-unknown ENOSYS EINVAL
	sched-yield OK
	sched-unknown ENOSYS
	evtchn-alloc-status-close OK
	evtchn-close-no-port EINVAL
	evtchn-unknown ENOSYS
	physdev-irq-status OK ENOSYS
	physdev-unknown ENOSYS
	END
}

# What the kind of domain makes of a line of it.
outcome()
{
	if [ "$KIND" = pvh ] && [ -n "$2" ]; then
		echo "$2"
	else
		echo "$1"
	fi
}

found()
{
	sed -n "s/^$1=//p" "$XP_TMP/found"
}

pages()
{
	xen_stock pages | xp_value pages
}

pages_are()
{
	[ "$(pages)" -eq "$1" ]
}

# The balloon gives pages to Xen (decrease_reservation) and takes as many back
# (populate_physmap).
pages_go_and_come()
{
	local target before

	target=$(cat $TARGET)
	before=$(pages)
	xp_write $((target - PAGES * 4)) $TARGET || return 1
	xp_wait 20 pages_are $((before - PAGES))
	set -- $?
	xp_write "$target" $TARGET
	[ "$1" -eq 0 ] || {
		echo "dom0 has $(pages) pages, expected $((before - PAGES))"
		return 1
	}
	xp_wait 20 pages_are "$before" || equal pages "$(pages)" "$before"
}

xp_need_root
[ -c /dev/xen/privcmd ] || modprobe -q xen-privcmd
[ -c /dev/xen/privcmd ] || xp_skip "no /dev/xen/privcmd: not in a Xen control domain"
xp_need xen_stock
xen_stock >"$XP_TMP/found" || xp_skip "xen_stock: $(cat "$XP_TMP/found")"
equal "version 4.20" "$(found version-4.20)" OK ||
	xp_skip "this is not Xen 4.20, whose answers the table has"
KIND=$(found kind)

expected >"$XP_TMP/expected"
xp_begin $(($(grep -c . "$XP_TMP/expected") + 3))
xp_mark
while read -r name pv pvh <&3; do
	pv=$(outcome "$pv" "$pvh")
	check "$KIND $name: $pv" equal "$name" "$(found "$name")" "$pv"
done 3<"$XP_TMP/expected"
check "$KIND nothing else was called" equal "number of lines" \
	"$(grep -vc '^kind=' "$XP_TMP/found")" "$(grep -c . "$XP_TMP/expected")"
check "$KIND pages go to Xen and come back" pages_go_and_come
check "$KIND no splat in the kernel log" xp_no_splat
ktap_finished
