# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the scripts of make bench: figures go to $OUT/figures, a line "NAME=VALUE" each.

. /vmtest/guest/functions.sh
. /vmtest/guest/region.sh

FIGURES=$OUT/figures

# figure NAME VALUE
figure()
{
	echo "$1=$2" >>"$FIGURES"
	echo "$1=$2"
}

# figures COMMAND...: what it prints.
figures()
{
	"$@" >/run/xp/figures || return
	cat /run/xp/figures
	cat /run/xp/figures >>"$FIGURES"
}

# The guest's clocks count instructions.
counts_instructions()
{
	figures pmem_bench ticks || return
	is_near "$(value ticks_per_1000_instructions <"$FIGURES")" 1000 10
}

# is_near FOUND EXPECTED SLACK
is_near()
{
	[ "$1" -ge $(($2 - $3)) ] && [ "$1" -le $(($2 + $3)) ]
}

# KiB of /proc/meminfo
meminfo()
{
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}
