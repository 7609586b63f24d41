#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The rig itself: what was written before a kill and a panic is still there.

. /vmtest/lib.sh

try "pmem0 is there" wait_for 10 test -b /dev/pmem0
dd if=/dev/pmem0 of=/run/xp/noise bs=1M skip=4 count=1 2>/dev/null
found=$(tr -d '\0' </run/xp/noise | wc -c)
try "1 MiB at 4 MiB is not zero ($found bytes)" test "$found" -gt 1000000
fact noise_sha256 "$(sha256sum </run/xp/noise | cut -d' ' -f1)"
finish
