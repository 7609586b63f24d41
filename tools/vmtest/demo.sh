# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the demo's guest scripts: show commands as a person would type them.

. /vmtest/lib.sh
export PATH="$PATH:/selftests/xen-pmem"

# The data of the demo's only namespace, in frames: 16 MiB behind its start.
NS=/sys/bus/nd/devices/namespace0.0
DATA_FRAME=$(printf '%x' $(($(cat "$NS/resource") / 4096 + 4096)))
# shellcheck disable=SC2034 # for the scripts
NEXT_FRAME=$(printf '%x' $((0x$DATA_FRAME + 1)))

# title TEXT
title()
{
	say ""
	say "== $*"
	say ""
}

# run_typed COMMAND-LINE: show the line and what it prints; its status.
run_typed()
{
	say "dom0# $1"
	if sh -c "$1" >"$XP_LOG" 2>&1; then
		typed_rc=0
	else
		typed_rc=$?
	fi
	while IFS= read -r typed_line; do
		say "$typed_line"
	done <"$XP_LOG"
	return $typed_rc
}

# typed NAME COMMAND-LINE: a command that has to succeed.
typed()
{
	run_typed "$2"
	is "$1" "$?" 0
}

# typed_fails NAME PATTERN COMMAND-LINE: one that has to fail, and to say PATTERN.
typed_fails()
{
	if run_typed "$3"; then
		not_ok "$1" "'$3' succeeded, expected a refusal"
	elif grep -Eq -- "$2" "$XP_LOG"; then
		ok "$1"
	else
		not_ok "$1" "'$3' failed, but did not say '$2'"
	fi
}
