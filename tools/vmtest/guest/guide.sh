#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guide.sh [SETUP]: type the commands of the administrator's guide that are this boot's,
# /vmtest/guide/LINE of the guide. Here their status is looked at; the host compares what
# they print. On a terminal, as a person would have one: ndctl prints other sizes there.
# With "setup-poison" the machine's NVDIMMs clear poison, as QEMU's do not; with "setup-iomem"
# and "setup-pmem" xl runs, and there is the configuration of a guest that gets all of the
# data of DIMM 0 so.

. /vmtest/guest/functions.sh

LINES=$OUT/guide

# The bus that the firmware tells of.
nfit_bus()
{
	for bus in "$ND"/devices/ndbus*; do
		[ ! -e "$bus/nfit" ] || basename "$bus"
	done
}

setup_poison()
{
	insmod /selftests/xen-pmem/test_modules/xen_pmem_badrange.ko &&
		write_line "wrap $(nfit_bus)" /sys/kernel/debug/xen_pmem_badrange/control
}

# setup_xl LINE KERNEL-ARGUMENT: of the configuration.
setup_xl()
{
	. /vmtest/guest/xl.sh
	xl_start && cat >/etc/xen/pmem-guest.cfg <<-END
		name="pmem-guest"
		type="pvh"
		kernel="/domu/vmlinuz"
		ramdisk="/domu/initrd"
		memory=128
		vcpus=1
		$1
		extra="console=hvc0${2:+ $2} -- domu-pmem new"
	END
}

setup()
{
	case $1 in
	'')	;;
	setup-poison) try "the NVDIMMs clear poison" setup_poison ;;
	setup-iomem) try "xl runs" setup_xl 'iomem=["101000,f000@100000"]' 'memmap=240M!4G' ;;
	setup-pmem) try "xl runs" setup_xl 'pmem=["backend=namespace0.0"]' ;;
	*)	not_ok "a known setup" "'$1' is none" ;;
	esac
}

# What a person waits for without knowing.
settled()
{
	udevadm settle --timeout=20
}

# type_in DIRECTORY LINE: its status is that of the command.
type_in()
{
	[ "$(cat "$1/command")" != reboot ] || : >"$LINES/$2"
	[ "$(cat "$1/command")" != reboot ] || return 0
	script -q -e -E never -c ". $1/command" /dev/null \
		</dev/null >"$LINES/$2" 2>&1
}

event()
{
	mark "$1"
	wait_for 30 sh -c "[ \$(ls -d $ND/devices/region* | wc -l) -gt $2 ]"
	settled
}

typed()
{
	line=${1##*/}
	[ ! -e "$1/event" ] || event "$(cat "$1/event")" \
		"$(find "$ND"/devices/ -name 'region*' | wc -l)"
	echo "guide $line# $(cat "$1/command")" >&2
	status=0
	type_in "$1" "$line" || status=$?
	cat "$LINES/$line" >&2
	settled
	if [ -e "$1/fails" ]; then
		try "line $line is refused: $(cat "$1/command")" test $status -ne 0
	else
		is "line $line: $(cat "$1/command")" $status 0
	fi
}

mkdir -p "$LINES"
# Else udev loads it with the first dax device, for which ndctl does not wait.
try "the driver of dax devices is loaded" modprobe device_dax
setup "${1-}"
settled
for command in /vmtest/guide/*; do
	typed "$command"
done
finish
