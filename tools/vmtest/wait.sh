# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For lib.sh, and for programs of a domU, which has it as /usr/lib/wait.sh.

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for()
{
	xp_left=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		xp_left=$((xp_left - 1))
		[ "$xp_left" -gt 0 ] || return 1
		sleep 0.2
	done
}
