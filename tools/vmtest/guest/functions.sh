# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the guest scripts that work with namespaces. DIMM is the index of an
# NVDIMM in the row's nvdimm list; the kernel numbers regions as it likes.

. /vmtest/lib.sh

ND=/sys/bus/nd
PATH=$PATH:/selftests/xen-pmem
MNT=/mnt

# right_machine: it is the row's kernel, and a control domain or without Xen.
right_machine()
{
	try "kernel is $XP_KERNEL" grep -q "^Linux version $XP_KERNEL" /proc/version
	if [ "$XP_XEN" = none ]; then
		refuses "no Xen below" "No such file" ls /sys/hypervisor/uuid
	else
		is "runs on Xen" "$(cat /sys/hypervisor/type)" xen
		try "is the control domain" grep -q control_d /proc/xen/capabilities
	fi
}

# region_of DIMM: QEMU's device handle of slot N is N + 1.
region_of()
{
	for region in "$ND"/devices/region*; do
		nmem=$(cut -d, -f1 "$region/mapping0" 2>/dev/null) || continue
		handle=$(cat "$ND/devices/$nmem/nfit/handle" 2>/dev/null) || continue
		[ $((handle)) -eq $(($1 + 1)) ] || continue
		basename "$region"
		return 0
	done
	return 1
}

# namespace_of DIMM: the one with a size; a labelled region has an empty seed.
namespace_of()
{
	for ns in "$ND/devices/$(region_of "$1")"/namespace*; do
		[ "$(cat "$ns/size" 2>/dev/null)" -gt 0 ] || continue
		basename "$ns"
		return 0
	done
	return 1
}

# offset_of NAMESPACE ADDRESS: of a physical address, within the DIMM's file.
offset_of()
{
	echo $(($2 - $(cat "$ND/devices/$1/../resource")))
}

# write_line LINE FILE: unlike the shell's echo, dd says which error it was.
write_line()
{
	echo "$1" | dd of="$2" bs=4096 status=none
}

driver_of()
{
	basename "$(readlink "$ND/devices/$1/driver")"
}

is_xen()
{
	[ "$(driver_of "$1")" = xen_pmem ]
}

has_no_driver()
{
	[ -e "$ND/devices/$1" ] && [ ! -e "$ND/devices/$1/driver" ]
}

# xen_attr NAMESPACE NAME
xen_attr()
{
	cat "$ND/devices/$1/xen/$2"
}

# inner_disk NAMESPACE: the block device of the data, once it is there.
inner_disk()
{
	for disk in "$ND/devices/$(xen_attr "$1" bus)"/region*/namespace*/block/*; do
		[ -b "/dev/${disk##*/}" ] || continue
		echo "/dev/${disk##*/}"
		return 0
	done
	return 1
}

# all_is_read NAME NAMESPACE: what dd makes of its disk is whole records of 1 MiB, to the
# last byte.
all_is_read()
{
	is "$1" "$(dd if="/dev/$(ls "$ND/devices/$2/block")" of=/dev/null bs=1M 2>&1 |
		grep "records in")" "$(($(cat "$ND/devices/$2/size") >> 20))+0 records in"
}

# load_crash_kernel WORD...: Linux without Xen, by way of Xen, with more on its command line.
load_crash_kernel()
{
	kexec -p /crash/vmlinuz --initrd=/crash/initrd \
		--append="console=ttyS0 panic=-1 oops=panic loglevel=5 maxcpus=1 reset_devices $*"
}

# panic_now: the host is told, and dom0 goes.
panic_now()
{
	sleep 1
	mark crash
	sleep 1
	echo c >/proc/sysrq-trigger
	not_ok "sysrq c panics" "it did not"
}

# xen_has COUNT: regions
xen_has()
{
	[ "$(xenpf_pmem list | grep -c data_spfn=)" = "$1" ]
}

# hold NAMESPACE: a frame of its data is mapped, of which Xen knows and nobody else. Sets
# FRAME and HOLDER.
# shellcheck disable=SC2034 # for those who source this
hold()
{
	FRAME=$(printf '%#x' $((($(xen_attr "$1" resource) >> 12) + 256)))
	xenpf_pmem map self "$FRAME" rw hold >/run/xp/hold &
	HOLDER=$!
	wait_for 10 grep -q . /run/xp/hold
}

# no_pmem_of NAMESPACE: no disk and no pfn, btt or dax device holds it.
no_pmem_of()
{
	[ ! -e "$ND/devices/$1/block" ] && [ -z "$(cat "$ND/devices/$1/holder")" ]
}

# provision DIMM: make its namespace Xen's, whatever it holds.
provision()
{
	ndctl create-namespace --mode=xen --force \
		--reconfig="$(namespace_of "$1")"
}

# facts_of DIMM: where the header and the reserved area are in the DIMM's file.
facts_of()
{
	ns=$(namespace_of "$1")
	base=$(offset_of "$ns" "$(cat "$ND/devices/$ns/resource")")
	rsv=$(offset_of "$ns" "$(xen_attr "$ns" reserved_resource)")
	fact "header$1" "$base"
	fact "header_end$1" $((base + 8192))
	fact "rsv$1" "$rsv"
	fact "rsv_end$1" $((rsv + $(xen_attr "$ns" reserved_size)))
	fact "uuid$1" "$(xen_attr "$ns" uuid)"
}

# back DIMM: its namespace came back by itself, with its disk.
back()
{
	ns=$(namespace_of "$1") && wait_for 20 is_xen "$ns" &&
		wait_for 20 inner_disk "$ns" && inner_disk "$ns"
}

# mount_inner DIMM FSTYPE
mount_inner()
{
	mount -t "$2" -o dax "$(inner_disk "$(namespace_of "$1")")" "$MNT" &&
		grep -E " $MNT $2 [^ ]*[ ,]dax(=always)?[ ,]" /proc/mounts
}
