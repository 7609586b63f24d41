#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# mce.sh: Xen finds poison in the data of a namespace. What xen-mceinj puts into a bank
# of machine check registers Xen's poller finds, tells dom0 of and writes to its log;
# who reads /dev/mcelog reports the address to the driver, and that sector is bad.
#
# There is no CMCI on QEMU, so after it has filled the bank xen-mceinj ends in an error;
# Xen polls its banks every 2 to 30 seconds. The row's CPU is of a family of which Xen
# knows what the banks' addresses are: on family 15 (K8) its poller has no such function,
# calls it nevertheless, and Xen dies.

. /vmtest/guest/functions.sh

SECTOR=3001
# Within the sector: a cache line.
LINE=64
UCNA=2
LOG=/run/xp/mcelog

# A record of /dev/mcelog has 14 words, of which the third is the address. Read whole,
# and gone then.
read_log()
{
	dd if=/dev/mcelog bs=8192 count=1 2>/dev/null | od -An -v -w112 -tx8 >>"$LOG"
	cat "$LOG"
}

# logged ADDRESS
logged()
{
	read_log
	awk '{ print "0x" $3 }' "$LOG" | while read -r addr; do
		[ $((addr)) -ne $(($1)) ] || echo here
	done | grep -q here
}

# As a daemon would: each address with a cache line.
report_all()
{
	awk '{ print "0x" $3 }' "$LOG" | while read -r addr; do
		write_line "$((addr)) $LINE" "$ND/drivers/xen_pmem/poison" || echo failed
	done >/run/xp/reports
	[ ! -s /run/xp/reports ]
}

bad_are()
{
	is "$1" "$(paste -sd, "/sys/block/${disk#/dev/}/badblocks")" "$2"
}

sector()
{
	sector_io read "$disk" "$1" 1 /run/xp/sector
}

given_back()
{
	write_line "$ns" "$ND/drivers/xen_pmem/unbind" && [ -z "$(xenpf_pmem list)" ]
}

try "create-namespace --mode=xen" provision 0
try "it is bound, its disk is there" back 0
ns=$(namespace_of 0)
disk=$(inner_disk "$ns")
addr=$(printf '%#x' $(($(xen_attr "$ns" resource) + SECTOR * 512 + LINE)))
: >"$LOG"
bad_are "no sector is bad" ""
try "/dev/mcelog has no record of it" sh -c "! grep . $LOG"
refuses "R27 poison at $addr: into a bank, without an interrupt" "Failed to inject MCE error" \
	xen-mceinj -c 0 -p "$addr" -t $UCNA
try "R27 Xen finds it, and dom0 has it in /dev/mcelog" wait_for 60 logged "$addr"
bad_are "R27 the driver does not know by itself" ""
try "R27 what is logged is reported to the driver" report_all
bad_are "R27 that sector is bad, and no other" "$SECTOR 1"
refuses "R27 it cannot be read" "Input/output error" sector $SECTOR
try "R27 the one before can be read" sector $((SECTOR - 1))
try "R27 the one behind can be read" sector $((SECTOR + 1))
try "R27 unbind: Xen has not taken the page offline, and gives the region back" given_back
try "R27 bind" write_line "$ns" "$ND/drivers/xen_pmem/bind"
try "R27 its disk is there" back 0
disk=$(inner_disk "$ns")
bad_are "R27 the sector still is bad" "$SECTOR 1"
finish
