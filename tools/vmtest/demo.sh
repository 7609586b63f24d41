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

# typed NAME COMMAND-LINE: show the line and what it prints; a failure fails the
# demo.
typed()
{
	say "dom0# $2"
	if sh -c "$2" >"$XP_LOG" 2>&1; then
		typed_rc=0
	else
		typed_rc=$?
	fi
	while IFS= read -r typed_line; do
		say "$typed_line"
	done <"$XP_LOG"
	is "$1" "$typed_rc" 0
}

# typed_fails NAME PATTERN COMMAND-LINE: the same, of a command that has to fail
# and to say PATTERN.
typed_fails()
{
	say "dom0# $3"
	if sh -c "$3" >"$XP_LOG" 2>&1; then
		not_ok "$1" "'$3' succeeded, expected a refusal"
		return
	fi
	while IFS= read -r typed_line; do
		say "$typed_line"
	done <"$XP_LOG"
	if grep -Eq -- "$2" "$XP_LOG"; then
		ok "$1"
	else
		not_ok "$1" "'$3' failed, but did not say '$2'"
	fi
}
