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

# reject KIND FIRST LAST: nothing fails below the kernel's functions from the one that
# the pattern FIRST matches up to LAST, which lie together.
reject()
{
	local range start

	range=$(sort /proc/kallsyms | awk -v first="$2" -v last="$3" '
		tolower($2) != "t" { next }
		found { print "0x" start, "0x" $1; exit }
		!start && $3 ~ first { start = $1 }
		start && $3 == last { found = 1 }')
	start=${range% *}
	[ -n "$start" ] || return 1
	echo "$start" >"$DEBUGFS/$1/reject-start" &&
		echo "${range#* }" >"$DEBUGFS/$1/reject-end"
}

# Allocations that may wait fail as well, hypercalls with -ENOMEM; without a word.
allow_failures()
{
	local kind

	for kind in failslab fail_page_alloc; do
		echo N >$DEBUGFS/$kind/ignore-gfp-wait
	done
	echo 0 >$DEBUGFS/fail_page_alloc/min-order
	for kind in "fail_page_alloc ^phys_p(te|md|ud|4d)_init$ vmemmap_populate" \
		"failslab ^devm_memremap_pages$ devm_memremap_pages"; do
		# shellcheck disable=SC2086 # three words
		reject $kind || xp_skip "this kernel has no functions to leave out: $kind"
	done
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
