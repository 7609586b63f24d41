#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu-wait NODE SECONDS: in a domU, until NODE is a block device; fails if it is none by
# then. There is no udev here, and a device comes a moment after its driver.

. /usr/lib/wait.sh

wait_for "$2" test -b "$1"
