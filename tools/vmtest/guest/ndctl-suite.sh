#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ndctl-suite.sh [TEST...]: ndctl's own tests, of ndctl as it is and of ndctl with the
# series, each from the same state of the NVDIMMs; the results have to be the same.
# What a test printed is in $OUT/FLAVOUR/TEST.log.
#
# The state is made by Debian's ndctl: the DIMM that the test sees has empty labels and
# no info block where a namespace may begin or end; the memory of e820 is a raw
# namespace without info blocks.

. /vmtest/guest/functions.sh

SUITE=/suite
WORK=/run/suite
BUS=ACPI.NFIT
GRAIN=$((16 << 20))
LIMIT=600

# These see DIMM 0, the large one, and all others DIMM 1.
LARGE="pmem-ns sub-section.sh align.sh daxctl-devices.sh dm.sh"

# Of the module nfit_test these want no more than a bus with a region with labels, and
# get ACPI.NFIT. The rest want its errors, its SMART data, its DIMMs.
ONLY_A_BUS="create.sh multi-dax.sh btt-check.sh btt-pad-compat.sh sector-mode.sh
	rescan-partitions.sh max_extent_ns track-uuid.sh"

# These pass on a QEMU NVDIMM: one that does not is a failure, also if on both.
PASS="$ONLY_A_BUS hugetlb pmem-ns sub-section.sh align.sh dm.sh daxctl-devices.sh
	dax-dev dax-ext4.sh dax-xfs.sh mmap.sh device-dax device-dax-fio.sh revoke-devmem"

# has LIST WORD
has()
{
	for word in $1; do
		[ "$word" != "$2" ] || return 0
	done
	return 1
}

# --- the state to start from -----------------------------------------------------

nmem_of()
{
	cut -d, -f1 "$ND/devices/$(region_of "$1")/mapping0"
}

# leave_nothing: what a test that failed may have left.
leave_nothing()
{
	awk -v work="$WORK/" 'index($2, work) == 1 { print $2 }' /proc/mounts |
		xargs -r umount
	dmsetup remove_all
	daxctl offline-memory all
	ndctl destroy-namespace --force --bus="$BUS" all
	ndctl disable-region --bus="$BUS" all
}

# wipe DISK BYTES: each multiple of 16 MiB, and what is just below.
wipe()
{
	{
		echo "pwrite -q -S 0 0 16k"
		seq "$GRAIN" "$GRAIN" $(($2 - GRAIN)) |
			awk '{ printf "pwrite -q -S 0 %.0f 24k\n", $1 - 8192 }'
		echo "pwrite -q -S 0 $(($2 - 8192)) 8k"
	} | xfs_io -d "$1"
}

wipe_namespace()
{
	wipe "/dev/$(ndctl list --namespace="$1" | jq -er '.[0].blockdev')" \
		"$(cat "$ND/devices/$1/size")"
}

# only_dimm DIMM: its region has empty labels and no more; the other has no driver.
only_dimm()
{
	ndctl enable-dimm --bus="$BUS" all &&
		ndctl init-labels --force --label-version=1.2 --bus="$BUS" all &&
		ndctl disable-dimm "$(nmem_of $((1 - $1)))" &&
		ndctl enable-region "$(region_of "$1")" || return
	ns=$(ndctl create-namespace --region="$(region_of "$1")" --mode=raw | jq -er .dev) &&
		wipe_namespace "$ns" && ndctl destroy-namespace --force "$ns"
}

# Under Xen there is none.
e820_raw()
{
	[ -n "$(ndctl list --bus=e820)" ] || return 0
	ndctl enable-region --bus=e820 all
	ns=$(ndctl list --bus=e820 --namespaces --idle | jq -er '.[0].dev') &&
		ndctl create-namespace --force --reconfig="$ns" --mode=raw &&
		wipe_namespace "$ns" && ndctl disable-namespace "$ns" &&
		ndctl enable-namespace "$ns"
}

# start_state TEST: nothing to do after a test that was skipped.
start_state()
{
	dimm=1
	! has "$LARGE" "$1" || dimm=0
	[ "$(cat "$WORK/untouched")" != "$dimm" ] || return 0
	rm -f "$WORK/untouched"
	leave_nothing
	only_dimm "$dimm" && e820_raw && udevadm settle && echo "$dimm" >"$WORK/state"
}

# keep_state TEST: of those that are to pass nobody knows where they gave up.
keep_state()
{
	has "$PASS" "$1" || mv "$WORK/state" "$WORK/untouched"
}

# --- one test --------------------------------------------------------------------

# acpi_scripts FLAVOUR: the scripts with another name of the bus.
acpi_scripts()
{
	cp -r "$SUITE/$1/test" "$WORK/$1" &&
		sed -i "s/^\(NFIT_TEST_BUS[01]\)=.*/\1=$BUS/" "$WORK/$1/common" &&
		[ "$(grep -c "^NFIT_TEST_BUS[01]=$BUS$" "$WORK/$1/common")" -eq 2 ]
}

# stand_ins TEST: programs that are found before the system's.
stand_ins()
{
	cd "$WORK" && rm -rf bin cwd && mkdir bin cwd || return
	cp /vmtest/guest/suite/journalctl /vmtest/guest/suite/trace-cmd bin
	! has "$ONLY_A_BUS" "$1" || cp /vmtest/guest/suite/modprobe bin
	[ "$1" != mmap.sh ] || cp /vmtest/guest/suite/fallocate bin
}

# in_suite FLAVOUR TEST FILE: run it as `meson test` does.
in_suite()
{
	top=$SUITE/$1 scripts=$SUITE/$1/test
	! has "$ONLY_A_BUS" "$2" || scripts=$WORK/$1
	stand_ins "$2" && cd cwd || return
	env PATH="$WORK/bin:$top/bin:$PATH" NDCTL="$top/bin/ndctl" \
		DAXCTL="$top/bin/daxctl" CXL=true TEST_PATH="$top/test" \
		DATA_PATH="$scripts" timeout -k 10 "$LIMIT" "$scripts/$3"
}

# word STATUS
word()
{
	case $1 in
	0) echo pass ;;
	77) echo skip ;;
	124|137) echo "not done after $LIMIT s" ;;
	*) echo fail ;;
	esac
}

# result_of FLAVOUR TEST FILE
result_of()
{
	log=$OUT/$1/$2.log
	echo "+ $1: $2" >&2
	if ! start_state "$2" >"$OUT/$1/$2.start" 2>&1; then
		cat "$OUT/$1/$2.start" >&2
		echo "no state to start from"
		return
	fi
	read -r began _ </proc/uptime
	(in_suite "$@") </dev/null >"$log" 2>&1
	found=$(word $?)
	[ "$found" != skip ] || keep_state "$2"
	read -r ended _ </proc/uptime
	[ "$found" = pass ] || tail -n 15 "$log" >&2
	echo "$1 $2: $found, $((${ended%.*} - ${began%.*})) s" >&2
	echo "$found"
}

# why FLAVOUR TEST: it was skipped, in its own words.
why()
{
	for pattern in nfit_test cxl_test '^kernel ' .; do
		grep -v '^+' "$OUT/$1/$2.log" | tr -d '#' | grep -m1 "$pattern" && return
	done
	echo "status 77"
}

# --- the comparison --------------------------------------------------------------

# judge TEST STOCK PMEM
judge()
{
	say "$1: without the series $2, with it $3"
	if [ "$2" != "$3" ]; then
		not_ok "$1" "without the series: $2; with it: $3"
	elif [ "$2" = pass ]; then
		ok "$1"
	elif has "$PASS" "$1"; then
		not_ok "$1" "both: $2; it has to pass here"
	elif [ "$2" = skip ]; then
		skip "$1" "$(why stock "$1")"
	elif [ "$2" = fail ]; then
		echo "# fails on both" && ok "$1"
	else
		not_ok "$1" "both: $2"
	fi
}

# new_test TEST RESULT: one of the series, for which all is there under Xen.
new_test()
{
	say "$1, of the series: $2"
	case $2-$XP_XEN in
	pass-*) ok "$1, of the series" ;;
	skip-none) skip "$1, of the series" "$(why pmem "$1")" ;;
	*) not_ok "$1, of the series" "$2" ;;
	esac
}

# one TEST FILE SUITE
one()
{
	if [ "$3" = cxl ]; then
		skip "$1" "wants the module cxl_test"
	elif grep -q "^$1 " "$SUITE/stock/tests"; then
		judge "$1" "$(result_of stock "$1" "$2")" "$(result_of pmem "$1" "$2")"
	else
		new_test "$1" "$(result_of pmem "$1" "$2")"
	fi
}

names()
{
	cut -d' ' -f1 "$SUITE/$1/tests"
}

# lost: tests of stock that are not in the series' build, or that have to pass and are not.
lost()
{
	for name in $(names stock) $PASS; do
		has "$(names pmem)" "$name" || echo "$name"
	done
}

mkdir -p "$WORK" "$OUT/stock" "$OUT/pmem"
for flavour in stock pmem; do
	try "scripts with another bus, $flavour" acpi_scripts "$flavour" || finish
done
is "no test is lost" "$(lost)" ""
while read -r name file suite <&4; do
	[ $# -eq 0 ] || has "$*" "$name" || continue
	one "$name" "$file" "$suite"
done 4<"$SUITE/pmem/tests"
finish
