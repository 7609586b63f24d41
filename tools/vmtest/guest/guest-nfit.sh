#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-nfit.sh: guests get persistent memory by "pmem" of our xl, and find it by an
# NFIT, with Debian's kernel and ndctl as they are. What they write outlives them; nobody
# else has the same part meanwhile; what cannot be given, or saved, is refused with a line
# that says why.
# DIMM 1 is there as a namespace that is not in xen mode.

. /vmtest/guest/ndctl-functions.sh
. /vmtest/guest/xl.sh

# pmem SPEC...: the line of a guest's configuration.
pmem()
{
	printf 'pmem=['
	printf '"%s",' "$@"
	echo ']'
}

# refused NAME WHY SPEC [CONFIG_LINE...]: no guest is made with it.
refused()
{
	name=$1
	why=$2
	spec=$3
	shift 3
	refuses "R20 $name" "$why" guest_create wrong "" "$(pmem "$spec")" "$@"
	try "no guest is left of it: $name" sh -c "! xl domid wrong"
}

# holds GUEST STATE GUEST-ADDRESS MIB: xl pmem-list says so, and of nobody else.
holds()
{
	xl pmem-list >"$OUT/pmem-list.$1"
	cat "$OUT/pmem-list.$1"
	[ "$(wc -l <"$OUT/pmem-list.$1")" = 2 ] && grep -E \
		"^$1 +$(xl domid "$1") +$NS +$UUID +$START-0x[0-9a-f]+ +$3 +$4 +$2$" \
		"$OUT/pmem-list.$1"
}

nobody_has_any()
{
	[ "$(xl pmem-list | wc -l)" = 1 ]
}

# fsdax_disk: of the inner namespace, which guest one has made fsdax.
fsdax_disk()
{
	for disk in "$ND/devices/$BUS"/region*/pfn*/block/*; do
		wait_for 10 test -b "/dev/${disk##*/}" && echo "/dev/${disk##*/}"
		return
	done
}

NS=$(namespace_of 0)
OTHER=$(namespace_of 1)
try "xenstored, xenconsoled and xl run" xl_start
refused "a namespace that is not in xen mode" \
	"$NS is not active in xen mode: 'ndctl enable-namespace $NS'" "backend=$NS"
try "a namespace in xen mode" ndctl create-namespace --mode=xen --force --reconfig="$NS"
INNER=$(inner_of "$NS")
BUS=$(xen_attr "$NS" bus)
UUID=$(xen_attr "$NS" uuid)
START=$(xen_attr "$NS" resource)
SIZE=$(xen_attr "$NS" size)
MIB=$((SIZE >> 20))

refused "what dom0's own driver has" \
	"the control domain uses it.*'ndctl disable-namespace -b $BUS $INNER'" "backend=$NS"
try "R20 xl pmem-list says that dom0 has claimed it" sh -c \
	"xl pmem-list | grep -E '^Domain-0 +0 +$NS +$UUID .* $MIB +claimed'"
try "R20 dom0 gives it up" ndctl disable-namespace "$INNER"
try "R20 nobody has any" nobody_has_any

refused "an unknown name" "no namespace 'namespace7.0'" backend=namespace7.0
refused "no name at all" "no namespace '../x'" backend=../x
refused "an unknown uuid" "no active namespace in xen mode has the uuid" \
	backend=7f2c0a3e-0d5d-4a7e-9c52-2f6c3c1d9a11
refused "the other namespace" "$OTHER is not active in xen mode" "backend=$OTHER"
refused "an odd offset" "not multiples of 2 MiB" "backend=$NS,offset=1M"
refused "an odd size" "not multiples of 2 MiB" "backend=$NS,size=4095K"
refused "more than there is" "beyond its end, it has $SIZE bytes" \
	"backend=$NS,offset=2M,size=$SIZE"
refused "from its end on" "beyond its end" "backend=$NS,offset=$SIZE"
refused "a size of 0" "'size=0' found" "backend=$NS,size=0"
refused "an unknown word" "'sise=2M' found" "backend=$NS,sise=2M"
refused "no backend" "has no backend" "size=2M"
refused "a PV guest" "a pv domain cannot have persistent memory" "backend=$NS" \
	'type="pv"'
refused "a guest with another device model" "a domain with qemu-xen-traditional" \
	"backend=$NS" 'type="hvm"' 'device_model_version="qemu-xen-traditional"'
refused "a guest without hap" "set hap=1" "backend=$NS" "hap=0"
refuses "R20 the same part twice" "devices 0 and 1 of the domain overlap" \
	guest_create wrong "" "$(pmem "backend=$NS,size=8M" "backend=$UUID,offset=6M")"

guest_config one "" "$(pmem "backend=$UUID,size=64M")" >"$DOMU/dry"
try "xl create -n shows it" sh -c "xl create -n $DOMU/dry | grep -F -A 4 '\"pmems\"' |
	grep -F '\"size\": 67108864'"
try "and nobody has any" nobody_has_any

try "R20 a guest with all of it" guest_create one \
	"domu-pmem new + cat /sys/bus/nd/devices/region0/persistence_domain" \
	"$(pmem "backend=$NS")"
try "R20 it finds /dev/pmem0 by NFIT, makes a file system, -o dax, and a file" \
	guest_did one domu-pmem new
is "its ACPI tables are as they were made" "$(guest_console one | grep -c "ACPI.*checksum")" 0
try "R20 mounted with DAX" guest_says one "/dev/pmem0 /mnt ext4 .*dax=always.*"
try "R20 it knows dom0's persistence domain" guest_says one "memory_controller"
is "R20 as dom0 does" "$(cat "$ND/devices/$NS/../persistence_domain")" memory_controller
try "R20 xl pmem-list names the guest" holds one mapped 0x100000000 "$MIB"
try "R20 xl list -l has it" sh -c "xl list -l one | grep -F '\"backend\": \"$NS\"'"
is "R20 guests names it" "$(xen_attr "$NS" guests)" "$(xl domid one)"
is "R20 ndctl list does" "$(listed "$NS" '.guests | tostring')" "[$(xl domid one)]"
refused "the same for another guest" "domain $(xl domid one) .one. has" "backend=$NS,size=2M"
refuses "R20 dom0's own driver is refused" "busy|failed|rror" ndctl enable-namespace "$INNER"
refuses "R20 xl save is refused" "has persistent memory of $NS: its contents cannot be sent" \
	xl save one "$DOMU/saved"
try "R20 and has written nothing" test ! -e "$DOMU/saved"
refuses "R20 xl migrate is refused" "its contents cannot be sent" \
	xl migrate -s "touch $DOMU/migrated; false" one nowhere
try "R20 and has called nobody" test ! -e "$DOMU/migrated"
refuses "R20 xl remus is refused" "its contents cannot be sent" xl remus -F -b one nowhere
try "R20 the guest is there still" xl domid one
try "R35 the guest is destroyed, its file system mounted" guest_gone one nobody_has_any
is "R20 no guest has any" "$(xen_attr "$NS" guests)" ""
is "R20 ndctl list names none" "$(listed "$NS" '.guests | tostring')" null

try "R35 a guest after it, by uuid" guest_create two "domu-pmem again" \
	"$(pmem "backend=$UUID")"
try "R35 reads the file" guest_did two domu-pmem again
try "R35 it is destroyed, too" guest_gone two nobody_has_any

try "R20 a guest with two parts of it" guest_create three \
	"modprobe -a nfit nd_pmem + sleep 2 + cat /sys/block/pmem0/size + cat /sys/block/pmem1/size" \
	"$(pmem "backend=$NS,offset=32M,size=64M" "backend=$NS,offset=128M,size=16M")"
try "R20 it runs" guest_done three
try "R20 the first is pmem0" guest_says three $((64 << 11))
try "R20 the second is pmem1" guest_says three $((16 << 11))
try "R20 xl pmem-list has both" sh -c "xl pmem-list three | tee /dev/stderr |
	grep -c -E '0x1(0|4)0000000 +(64|16) +mapped' | grep -x 2"
try "R20 and goes" guest_gone three nobody_has_any

try "a guest without persistent memory" guest_create four ""
try "it starts" guest_up four
try "it is saved" xl save four "$DOMU/saved"
guest_config four "" "$(pmem "backend=$NS")" >"$DOMU/with-pmem"
refuses "R20 it is not restored with persistent memory" \
	"a restored domain cannot get persistent memory" xl restore "$DOMU/with-pmem" "$DOMU/saved"
try "R20 and nobody has any" nobody_has_any
try "it is restored without" xl restore "$DOMU/saved"
try "it goes" guest_gone four true
rm -f "$DOMU/saved"

INNER=$(inner_of "$NS")
try "R20 dom0's own driver is bound again" ndctl enable-namespace "$INNER"
DISK=$(fsdax_disk)
e2fsck -p "$DISK" >&2		# the journal
try "R35 dom0 finds a file system without a fault" e2fsck -fn "$DISK"
try "R35 mounts it" mount -t ext4 -o dax "$DISK" "$MNT"
try "R35 reads the file" sh -c "cd $MNT && sha256sum -c sum"
umount "$MNT"
try "R15 then REMOVE succeeds" ndctl disable-namespace "$NS"
try "R15 Xen has no region" xen_has 0
finish
