# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the guest scripts about what ndctl does with namespaces in xen mode.

. /vmtest/guest/functions.sh

# create NAMESPACE OPTION...: into xen mode, the JSON in $JSON.
JSON=/run/xp/json

create()
{
	ns_=$1
	shift
	ndctl create-namespace --mode=xen --reconfig="$ns_" "$@" >"$JSON"
}

# json FILTER: of what create printed.
json()
{
	jq -r "$1" "$JSON"
}

# inner_of NAMESPACE: the namespace of its nested bus.
inner_of()
{
	for ns_ in "$ND/devices/$(xen_attr "$1" bus)"/region*/namespace[0-9]*.*; do
		basename "$ns_"
		return 0
	done
	return 1
}

# listed NAMESPACE FILTER: of what list says of it, idle or not.
listed()
{
	ndctl list -Niv --namespace="$1" | jq -r ".[0] | $2"
}

# chardev NAMESPACE: its dax device.
chardev()
{
	listed "$1" '.daxregion.devices[0].chardev // .chardev'
}

# raw_open|raw_close NAMESPACE: its bytes as a disk, whatever it holds.
raw_open()
{
	echo 1 >"$ND/devices/$1/force_raw" && write_line "$1" "$ND/drivers/nd_pmem/bind" &&
		wait_for 10 test -b "/dev/$(basename "$ND/devices/$1"/block/*)" &&
		basename "$ND/devices/$1"/block/*
}

raw_close()
{
	udevadm settle
	ndctl disable-namespace "$1" >&2
	echo 0 >"$ND/devices/$1/force_raw"
}

# keep NAMESPACE: Xen does not give it back, as a frame of it is held.
keep()
{
	hold "$1" && write_line "$1" "$ND/drivers/xen_pmem/unbind" &&
		grep "^$1 " "$ND/drivers/xen_pmem/quarantine"
}

# init_labels REGION: those of its only DIMM.
init_labels()
{
	nmem=$(cut -d, -f1 "$ND/devices/$1/mapping0")
	ndctl disable-region "$1" && ndctl init-labels -f -V 1.2 "$nmem" &&
		ndctl enable-region "$1"
}

# wipe NAMESPACE BYTES
wipe()
{
	disk=$(raw_open "$1") && dd if=/dev/zero of="/dev/$disk" bs=1M \
		count=$(($2 >> 20)) conv=fsync status=none
	raw_close "$1"
}
