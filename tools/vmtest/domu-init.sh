#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# PID 1 of a domU that guest/xl.sh created. Its arguments, what follows "--" on
# the kernel's command line, are commands with a "+" between them: each is run,
# and the console gets its output and status. Then the domU stays until it is
# destroyed.

export PATH=/usr/bin

run()
{
	echo "domu: run $*"
	"$@"
	echo "domu: status $? of $*"
}

mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
mount -t proc proc /proc
mount -t sysfs sys /sys
# By itself Linux makes no hypercall for a program of a domU: it is Xen that is to refuse.
modprobe xen-privcmd unrestricted=1
echo "domu: up"
set -- "$@" +
command=
for word; do
	if [ "$word" != + ]; then
		command="$command $word"
	elif [ -n "$command" ]; then
		# shellcheck disable=SC2086 # a command is a line of words
		run $command
		command=
	fi
done
echo "domu: done"
while :; do
	sleep 1000
done
