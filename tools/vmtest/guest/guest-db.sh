#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-db.sh rounds N: a guest with "pmem" adds rows to a database on ext4 -o dax, and is
# destroyed while it does; the next one finds each row that was durable, and goes on; N
# times. Then one more, during which the host kills this machine. Which row was the last
# that its console had is on DIMM 1.
# guest-db.sh after: the boot after that, with one more guest, then dom0 itself.

. /vmtest/guest/ndctl-functions.sh
. /vmtest/guest/xl.sh

# Rows that a guest has to add before it is destroyed.
ROWS=20
# The last row that was durable.
LAST=0

# start NAME WORD: with all the data; WORD is for both of its programs.
start()
{
	guest_create "$1" "domu-pmem $2 + domu-db $2" "memory=256" \
		"pmem=[\"backend=$NS\"]"
}

# said GUEST WORD: the last number that domu-db gave with this word.
said()
{
	guest_console "$1" | sed -n "s/^domu-db: $2 \([0-9]*\)\$/\1/p" | tail -n 1
}

# adds_rows GUEST
adds_rows()
{
	row=$(said "$1" durable)
	[ -n "$row" ] && [ "$row" -ge $((LAST + ROWS)) ]
}

adds_rows_or_ends()
{
	adds_rows "$1" || guest_says "$1" "domu: done"
}

# has_all GUEST: no row is missing that was durable in the guest before.
has_all()
{
	echo "rows $(said "$1" rows), the last durable one was $LAST"
	[ "$(said "$1" rows)" -ge "$LAST" ]
}

# a_guest NAME WORD: until it has added its rows; shows what it said if it does not.
a_guest()
{
	start "$1" "$2" || return 1
	wait_for 300 adds_rows_or_ends "$1"
	adds_rows "$1" || {
		guest_console "$1"
		return 1
	}
	[ "$2" = new ] || has_all "$1"
}

one_round()
{
	word=again
	[ "$1" -gt 1 ] || word=new
	a_guest "g$1" $word || return 1
	LAST=$(said "g$1" durable)
	guest_gone "g$1" no_guest_has "$NS"
}

# Which device DIMM 1 is, raw.
notes()
{
	echo "/dev/$(basename "$ND/devices/$(namespace_of 1)"/block/*)"
}

# note ROW: durably.
note()
{
	printf '%-511s\n' "$1" | dd of="$(notes)" bs=512 conv=fsync 2>/dev/null
}

write_until_killed()
{
	a_guest last again || return 1
	note "$(said last durable)"
	mark durable
	while :; do
		note "$(said last durable)"
	done
}

rounds()
{
	try "a namespace for guests only" ndctl create-namespace --mode=xen --force \
		--reconfig="$NS" --personality=none
	round=1
	while [ $round -le "$1" ]; do
		try "R35 round $round: what was durable is there, rows are added, it is destroyed" \
			one_round $round || finish
		round=$((round + 1))
	done
	write_until_killed || not_ok "one more guest adds rows" "it did not"
	finish
}

after()
{
	LAST=$(($(dd if="$(notes)" bs=512 count=1 2>/dev/null)))
	try "R35 rows were durable when the host was killed" test $LAST -gt 0
	INNER=$(inner_of "$NS")
	try "dom0 gives the data up" ndctl disable-namespace "$INNER"
	try "R35 a guest after that has them" a_guest after again
	try "R35 it is destroyed" guest_gone after no_guest_has "$NS"
	try "R15 the namespace is taken back from Xen" ndctl disable-namespace "$NS"
	finish
}

NS=$(namespace_of 0)
try "xenstored, xenconsoled and xl run" xl_start
case $1 in
rounds)	rounds "$2" ;;
after)	after ;;
esac
