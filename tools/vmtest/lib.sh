# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For guest scripts: KTAP on stdout, words for people on stderr (the console).
#     . /vmtest/lib.sh
#     try "a name" command...
#     finish

XP_COUNT=0
XP_FAILED=0
XP_SKIPPED=0
XP_LOG=/run/xp/try.log

. /vmtest/wait.sh

echo "KTAP version 1"

result()
{
	XP_COUNT=$((XP_COUNT + 1))
	echo "$1 $XP_COUNT $2"
	echo "vmtest: $1 $XP_COUNT $2" >&2
}

# ok NAME
ok()
{
	result "ok" "$1"
}

# not_ok NAME [WHY]
not_ok()
{
	XP_FAILED=$((XP_FAILED + 1))
	[ -z "${2:-}" ] || echo "# $2"
	result "not ok" "$1"
}

# skip NAME WHY
skip()
{
	XP_SKIPPED=$((XP_SKIPPED + 1))
	result "ok" "$1 # SKIP $2"
}

# show FILE: a command's output as KTAP diagnostics and on the console.
show()
{
	sed 's/^/# | /' "$1"
	cat "$1" >&2
}

# try NAME COMMAND...: ok when the command succeeds, its output kept in $XP_LOG.
try()
{
	xp_name=$1
	shift
	echo "+ $*" >&2
	if "$@" >"$XP_LOG" 2>&1; then
		cat "$XP_LOG" >&2
		ok "$xp_name"
	else
		xp_rc=$?
		show "$XP_LOG"
		not_ok "$xp_name" "'$*' failed, status $xp_rc"
		return 1
	fi
}

# refuses NAME PATTERN COMMAND...: ok when it fails and says PATTERN (grep -E).
refuses()
{
	xp_name=$1 xp_pattern=$2
	shift 2
	echo "+ $*" >&2
	if "$@" >"$XP_LOG" 2>&1; then
		show "$XP_LOG"
		not_ok "$xp_name" "'$*' succeeded, expected a refusal"
	elif grep -Eq -- "$xp_pattern" "$XP_LOG"; then
		cat "$XP_LOG" >&2
		ok "$xp_name"
	else
		show "$XP_LOG"
		not_ok "$xp_name" "'$*' failed, but did not say '$xp_pattern'"
	fi
}

# is NAME FOUND EXPECTED
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "found '$2', expected '$3'"
	fi
}

# mark NAME: a point in time the host can act on (kill_at in matrix.toml).
mark()
{
	printf 'XP-MARK %s\n' "$1" >"$RESULT"
}

# say TEXT: shown to the person who runs the row, as it happens.
say()
{
	printf 'XP-SAY %s\n' "$*" >"$RESULT"
}

# fact NAME VALUE: a word for the host's checks and for the next boots.
fact()
{
	printf '%s=%s\n' "$1" "$2" >>"$OUT/facts"
}

# bail WHY: nothing after this makes sense.
bail()
{
	echo "Bail out! $*"
	echo "vmtest: bail out: $*" >&2
	exit 1
}

# finish: the plan (so that a script that died half way is noticed) and out.
finish()
{
	echo "1..$XP_COUNT"
	[ "$XP_FAILED" -eq 0 ] || exit 1
	[ "$XP_COUNT" -eq 0 ] || [ "$XP_SKIPPED" -lt "$XP_COUNT" ] || exit 4
	exit 0
}
