# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# How a guest runs the steps of a boot and tells the host: part of init.sh and of
# disk.sh, which have restart(), and all of /vmtest/env.
#
# Channels: /dev/console for people, COM2 (/dev/ttyS1) for KTAP and the
# verdict, the virtio port org.xen-pmem.out for files (one tar of /run/xp/out).

RESULT=/dev/ttyS1
PORT=/dev/virtio-ports/org.xen-pmem.out
XP=/run/xp
SENT=$XP/sent.ktap
OUT=$XP/out
END="XP-STEP-END"
export RESULT OUT

# Result lines go to COM2, and to a file that travels with the others. Ends at
# the mark, since a daemon a script left behind may hold the pipe open.
emit()
{
	while IFS= read -r line && [ "$line" != "$END" ]; do
		printf '%s\n' "$1$line" >>"$SENT"
		printf '%s\n' "$1$line"
	done >"$RESULT"
}

# Must match what the host counts: every result line at every depth.
results_sent()
{
	grep -Ec '^[ #]*(not )?ok [0-9]+' "$SENT"
}

send_files()
{
	dmesg >"$OUT/dmesg.txt"
	cp "$SENT" "$OUT/sent.ktap"
	tar -C "$OUT" -cf "$XP/out.tar" .
	[ ! -e "$PORT" ] || cat "$XP/out.tar" >"$PORT"
}

# verdict RC: the last thing the host hears of this boot. Of the steps and the
# watchdog the first to get here speaks, the other waits for the reboot. No sync
# when time ran out: what hangs may be a file system.
verdict()
{
	mkdir "$XP/verdict" 2>/dev/null || sleep 1000
	[ "$1" = 124 ] || sync
	send_files
	printf '\nXP-VERDICT rc=%s tests=%s out=%s\n' "$1" "$(results_sent)" \
		"$(stat -c %s "$XP/out.tar")" >"$RESULT"
	sleep 1
	restart
}

watchdog()
{
	read -r uptime _ </proc/uptime
	sleep $((XP_LIMIT - ${uptime%%.*}))
	echo "vmtest: not done after $XP_LIMIT s, giving up" >/dev/console
	ps -o pid,ppid,stat,args >/dev/console
	echo w >/proc/sysrq-trigger
	verdict 124
}

run_command()
{
	case $1 in
	kselftest)
		shift
		cd /selftests || exit 1
		exec ./run_kselftest.sh "$@"
		;;
	*)
		cd /vmtest/guest || exit 1
		script=$1
		shift
		exec sh "./$script" "$@"
		;;
	esac
}

# run_step NUMBER WORD...: one line of the row's steps, nested KTAP below it.
run_step()
{
	number=$1
	shift
	name=$(printf '%.40s' "$*")
	echo "vmtest: step $number: $*" >/dev/console
	{
		(run_command "$@" 2>/dev/console)
		echo $? >"$XP/rc"
		echo "$END"
	} | emit "  "
	read -r rc <"$XP/rc"
	case $rc in
	0) echo "ok $number $name" ;;
	4) echo "ok $number $name # SKIP" ;;
	*) echo "not ok $number $name # exit status $rc"; failed=1 ;;
	esac >"$XP/line"
	emit "" <"$XP/line"
}

run_steps()
{
	failed=0 number=0
	printf 'KTAP version 1\n1..%s\n' "$(grep -c . /vmtest/steps)" | emit ""
	while read -r step <&3; do
		number=$((number + 1))
		# shellcheck disable=SC2086 # a step is a line of words
		run_step "$number" $step
	done 3</vmtest/steps
}

# do_steps: all of it.
do_steps()
{
	stty -F "$RESULT" raw -echo
	watchdog &
	run_steps
	verdict "$failed"
}
