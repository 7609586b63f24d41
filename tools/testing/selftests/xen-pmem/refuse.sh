#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Where there is no Xen with XENPF_pmem the driver refuses in one line, claims
# nothing, and a namespace that was provisioned elsewhere stays out of reach.
#
# Nothing is written. Runs on bare metal and under any Xen without the operation.

# shellcheck source=lib.sh disable=SC3043
. "$(dirname "$(readlink -f "$0")")"/lib.sh

has_operation()
{
	grep -qs control_d /proc/xen/capabilities && [ -d $XP_DRIVER ] &&
		[ -r $XP_DRIVER/xen ] && grep -q page_info_size $XP_DRIVER/xen
}

# The driver of each namespace, one line each.
drivers()
{
	local dev

	for dev in "$XP_ND"/devices/namespace*; do
		[ -e "$dev" ] || continue
		echo "$(basename "$dev") $(xp_driver_of "$(basename "$dev")")"
	done
}

# What the line says has to fit the machine.
says_why()
{
	if [ "$(cat /sys/hypervisor/type 2>/dev/null)" = xen ]; then
		one_line 'not loaded: *XENPF_pmem*'
	else
		one_line 'not loaded: *not run under Xen'
	fi
}

nothing_bound()
{
	local dev

	for dev in "$XP_DRIVER"/namespace*; do
		[ ! -e "$dev" ] || return 1
	done
}

no_nested_bus()
{
	! grep -l '^xen-pmem$' $XP_ND/devices/ndbus*/provider 2>/dev/null
}

load()
{
	/sbin/modprobe xen_pmem 2>"$XP_TMP/load"
	return 0
}

xp_need_root
modinfo xen_pmem >/dev/null 2>&1 || xp_skip "there is no module xen_pmem"
has_operation && xp_skip "this Xen has XENPF_pmem, there is nothing to refuse"
rmmod xen_pmem 2>/dev/null

xp_begin 5
drivers >"$XP_TMP/before"
xp_mark
check "R22 the module loads or refuses, and the kernel goes on" load
check "R22 one line in the kernel log, and it says why" says_why
check "R22 no namespace is bound to the driver" nothing_bound
check "R22 there is no nested bus" no_nested_bus
drivers >"$XP_TMP/after"
check "R22 no namespace changed its driver" cmp "$XP_TMP/before" "$XP_TMP/after"
ktap_finished
