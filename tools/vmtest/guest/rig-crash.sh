#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The rig itself: keep what the killed boot wrote as a fact, then panic.

. /vmtest/lib.sh

try "pmem0 is there" wait_for 10 test -b /dev/pmem0
echo "panic on purpose" >/dev/kmsg
echo c >/proc/sysrq-trigger
not_ok "sysrq c panics" "it did not"
finish
