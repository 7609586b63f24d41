#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The rig itself: write to the NVDIMM, then wait to be killed.

. /vmtest/lib.sh

try "pmem0 is there" wait_for 10 test -b /dev/pmem0
dd if=/dev/urandom of=/run/xp/noise bs=1M count=1 2>/dev/null
try "write 1 MiB at 4 MiB" dd if=/run/xp/noise of=/dev/pmem0 bs=1M seek=4 oflag=direct
mark written
sleep 1000
not_ok "the host kills this machine" "it did not"
finish
