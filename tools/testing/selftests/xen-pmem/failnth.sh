#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Bind and unbind, of a namespace and of what is nested in it, with each call of the
# kernel's that can fail failing in turn. Whatever comes of it, the next try without a
# failure succeeds, and the kernel is content.
#
# These are the allocations and the driver's hypercalls, without the pages of which
# arch_add_memory() makes direct map and memmap. There stock Linux cannot fail: it uses
# a page table that it did not get, and in a PV domain it frees those of a memmap that
# it made in part as they are, read-only and pinned. Nor are these the small ones of
# devm_memremap_pages(): where it cannot note what it mapped it unmaps it by itself.
#
# Needs a kernel with FAULT_INJECTION_DEBUG_FS, FAILSLAB, FAIL_PAGE_ALLOC, FAIL_FUNCTION
# and FAULT_INJECTION_STACKTRACE_FILTER.
#
#   XEN_PMEM_NTH_STEP=N   only every Nth call
#   XEN_PMEM_NTH=inner    only of the nested namespace; outer: only of the other;
#                         inner_bind, inner_unbind, outer_bind, outer_unbind: only this
#
# Destructive: see lib.sh.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

DEBUGFS=/sys/kernel/debug
STEP=${XEN_PMEM_NTH_STEP:-1}
# No operation has that many; one that never gets there would never end.
MOST=20000
ENOMEM=-12

can_fail()
{
	[ -e /proc/self/fail-nth ] && [ -d $DEBUGFS/failslab ] &&
		[ -e $DEBUGFS/fail_page_alloc/reject-start ] &&
		[ -d $DEBUGFS/fail_function ]
}

# hot_add start|end: of the kernel's functions that add memory, which lie together.
hot_add()
{
	sort /proc/kallsyms | awk -v which="$1" '
		tolower($2) != "t" { next }
		last && which == "end" { print "0x" $1; exit }
		{ last = 0 }
		$3 ~ /^phys_p(te|md|ud|4d)_init$/ && which == "start" { print "0x" $1; exit }
		$3 == "vmemmap_populate" { last = 1 }'
}

# remember start|end: of the function that notes for a driver what memory it mapped.
remember()
{
	sort /proc/kallsyms | awk -v which="$1" '
		last { print "0x" $1; exit }
		$3 == "devm_memremap_pages" && which == "start" { print "0x" $1; exit }
		$3 == "devm_memremap_pages" { last = 1 }'
}

# Allocations that may wait fail as well, hypercalls with -ENOMEM; without a word.
allow_failures()
{
	local kind

	for kind in failslab fail_page_alloc; do
		echo N >$DEBUGFS/$kind/ignore-gfp-wait
	done
	echo 0 >$DEBUGFS/fail_page_alloc/min-order
	hot_add start >$DEBUGFS/fail_page_alloc/reject-start
	hot_add end >$DEBUGFS/fail_page_alloc/reject-end
	remember start >$DEBUGFS/failslab/reject-start
	remember end >$DEBUGFS/failslab/reject-end
	echo xen_pmem_hcall >$DEBUGFS/fail_function/inject
	printf '%#x' $ENOMEM >$DEBUGFS/fail_function/xen_pmem_hcall/retval
	for kind in failslab fail_page_alloc fail_function; do
		echo 0 >$DEBUGFS/$kind/verbose
	done
}

# These make nothing fail, and are to succeed always. A namespace that came up without
# its disk, because that was what failed, is bound anew.
outer_up()
{
	if xp_bound "$NS"; then
		xp_disk "$NS" >/dev/null && return
		xp_unbind "$NS"
	fi
	xp_bind "$NS" && xp_bound "$NS" && xp_disk "$NS" >/dev/null
}

outer_down()
{
	! xp_bound "$NS" || xp_unbind "$NS" || return 1
	! xp_bound "$NS"
}

inner_name()
{
	local dev

	for dev in "$XP_ND"/devices/"$(xp_attr "$NS" bus)"/region*/namespace*; do
		[ "$(cat "$dev/size")" -gt 0 ] || continue
		basename "$dev"
		return 0
	done
	return 1
}

inner_is_up()
{
	[ -e "$XP_ND/devices/$INNER/driver" ]
}

inner_up()
{
	inner_is_up || xp_write "$INNER" $XP_ND/drivers/nd_pmem/bind || return 1
	inner_is_up && xp_disk "$NS" >/dev/null
}

inner_down()
{
	! inner_is_up || xp_unbind "$INNER" || return 1
	! inner_is_up
}

# swept READY FILE TEXT NEXT: READY, write TEXT into FILE with the Nth call failing, for
# N = 1, 1 + STEP, ... until there is no Nth; after each, NEXT.
swept()
{
	local n=1 said

	while [ $n -le $MOST ]; do
		"$1" || { echo "before call $n was to fail: $1 failed"; return 1; }
		said=$(fail_nth $n "$2" "$3") || return 1
		echo "call $n of $2: $said" >/dev/kmsg
		"$4" || { echo "call $n failed ($said), and then $4"; return 1; }
		case $said in
		*injected=0) break ;;
		esac
		n=$((n + STEP))
	done
	xp_say "$2: $n calls" >&3
	[ $n -gt 1 ] && [ $n -le $MOST ]
}

# The kernel itself has a trace to show where it cannot add memory or make a cache.
no_other_splat()
{
	! xp_messages | sed -e '/WARNING: .* add_pages+/,/end trace/d' \
		-e '/kmem_cache_create_args.* failed with/,/<\/TASK>/d' |
		grep -E "$XP_SPLAT"
}

outer_bind()
{
	check "bind, each call failing in turn" \
		swept outer_down $XP_DRIVER/bind "$NS" outer_up
}

outer_unbind()
{
	check "unbind, each call failing in turn" \
		swept outer_up $XP_DRIVER/unbind "$NS" outer_down
}

inner_bind()
{
	outer_up
	INNER=$(inner_name)
	check "bind of the nested namespace, each call failing in turn" \
		swept inner_down $XP_ND/drivers/nd_pmem/bind "$INNER" inner_up
	inner_up
}

inner_unbind()
{
	outer_up
	INNER=$(inner_name)
	check "its unbind, each call failing in turn" \
		swept inner_up $XP_ND/drivers/nd_pmem/unbind "$INNER" inner_down
	inner_up
}

# Those of all sweeps that XEN_PMEM_NTH begins.
sweeps()
{
	printf '%s\n' inner_bind inner_unbind outer_bind outer_unbind |
		grep "^$XEN_PMEM_NTH"
}

xp_need_xen
xp_need fail_nth
xp_need_namespace
can_fail ||
	xp_skip "a kernel with FAILSLAB, FAIL_PAGE_ALLOC, FAIL_FUNCTION and the filter is needed"
SWEEPS=$(sweeps)
[ -n "$SWEEPS" ] || xp_skip "XEN_PMEM_NTH=$XEN_PMEM_NTH: there is no such sweep"
xp_provisioned "$NS"
allow_failures

xp_begin $((2 + $(echo "$SWEEPS" | wc -l)))
xp_mark
exec 3>&1
for sweep in $SWEEPS; do
	$sweep
done
check "the memory of dom0 is usable" xp_churn
check "no splat in the kernel log but of those" no_other_splat
ktap_finished
