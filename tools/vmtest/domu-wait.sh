#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu-wait NODE SECONDS: in a domU, until NODE is a block device; fails if it is none by
# then. There is no udev here, and a device comes a moment after its driver.

n=$(($2 * 10))
while ! [ -b "$1" ]; do
	[ $n -gt 0 ] || exit 1
	sleep 0.1
	n=$((n - 1))
done
