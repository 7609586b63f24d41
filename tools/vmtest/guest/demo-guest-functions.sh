# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the demo of a guest: its configuration, and what it does, as a person sees them.

. /vmtest/demo.sh
. /vmtest/guest/xl.sh

CONFIG=/etc/xen/pmem-guest.cfg

# write_config COMMAND: what the guest runs is on its command line. Its console is a new
# one, and not that of the guest before.
write_config()
{
	rm -f /var/log/xen/console/guest-pmem-guest.log
	first=$(($(cat "$NS/xen/resource") / 4096))
	count=$(($(cat "$NS/xen/size") / 4096))
	GUEST_ARGS="memmap=$((count * 4))K!4G" guest_config pmem-guest "domu-pmem $1 typed" \
		"iomem=[\"$(printf '%x,%x' $first $count)@100000\"]" >$CONFIG
}

# Xen may know a guest until its console was read.
guest_ended()
{
	[ -z "$(cat "$NS/xen/guests")" ]
}

# guest_runs NAME COMMAND: shows what the guest does, and waits for it.
guest_runs()
{
	guest_done pmem-guest >/dev/null
	guest_console pmem-guest | sed -n '/^domU# /,/^domu: status/p' |
		grep -v "^domu: status" >/run/demo-guest
	while IFS= read -r demo_line; do
		say "$demo_line"
	done </run/demo-guest
	try "$1" guest_says pmem-guest "domu: status 0 of domu-pmem $2 typed"
}
