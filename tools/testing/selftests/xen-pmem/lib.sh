# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043,SC2034
#
# Common part of the xen-pmem selftests. Sourced, from the directory of the test.
#
# The tests that write need a namespace whose contents may be lost, named in
# the environment; without the name they skip:
#
#   XEN_PMEM_NAMESPACE  namespaceX.Y, 512 MiB or more
#   XEN_PMEM_SPARE      another one: for badblock.sh and poison.sh 48 to 256 MiB,
#                       for lifetimes.sh 384 MiB or more, in another GiB of addresses

XP_DIR="$(dirname "$(readlink -f "$0")")"

# shellcheck disable=SC1091
. "$XP_DIR"/../kselftest/ktap_helpers.sh

XP_ND=/sys/bus/nd
XP_DRIVER=$XP_ND/drivers/xen_pmem
XP_PTE=/sys/kernel/debug/xen_pmem_pte/walk
XP_INJECT=/sys/kernel/debug/xen_pmem_inject/control
XP_TMP=$(mktemp -d /tmp/xen-pmem.XXXXXX)
XP_MNT=$XP_TMP/mnt
XP_OUT=$XP_TMP/out
XP_CLEANUP=
XP_NEWLINE='
'

mkdir "$XP_MNT"
PATH=$XP_DIR:$PATH

# xp_at_exit COMMAND: run when the test ends, the last one named first.
xp_at_exit()
{
	XP_CLEANUP="$1; $XP_CLEANUP"
}

xp_exit()
{
	local rc=$?

	trap - EXIT INT TERM
	if [ "$rc" -ne 0 ] && [ "$rc" -ne "$KSFT_SKIP" ]; then
		dmesg | tail -n 20 | sed 's/^/# dmesg: /'
	fi
	eval "$XP_CLEANUP" >/dev/null 2>&1
	umount "$XP_MNT" 2>/dev/null
	rm -rf "$XP_TMP"
	exit "$rc"
}
trap xp_exit EXIT
trap 'exit 1' INT TERM

# xp_say TEXT: a diagnostic line; unlike ktap_print_msg it keeps every blank.
xp_say()
{
	printf '# %s\n' "$*"
}

xp_skip()
{
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

# xp_begin PLAN: the header, after all reasons to skip were looked for.
xp_begin()
{
	ktap_print_header
	ktap_set_plan "$1"
}

# check NAME COMMAND...: passes if the command succeeds, else shows what it said.
check()
{
	local name="$1" rc

	shift
	"$@" >"$XP_OUT" 2>&1
	rc=$?
	if [ $rc -eq 0 ]; then
		ktap_test_pass "$name"
		return 0
	fi
	xp_say "'$*': status $rc"
	sed 's/^/# | /' "$XP_OUT"
	ktap_test_fail "$name"
	return 1
}

# refused NAME PATTERN COMMAND...: passes if the command fails and says PATTERN.
refused()
{
	local name="$1" pattern="$2"

	shift 2
	if "$@" >"$XP_OUT" 2>&1; then
		xp_say "'$*' succeeded, expected a refusal"
	elif grep -Eq -- "$pattern" "$XP_OUT"; then
		ktap_test_pass "$name"
		return 0
	else
		xp_say "'$*' failed, and did not say '$pattern':"
	fi
	sed 's/^/# | /' "$XP_OUT"
	ktap_test_fail "$name"
	return 1
}

# equal WHAT FOUND EXPECTED: for use with check.
equal()
{
	[ "$2" = "$3" ] && return
	echo "$1 is '$2', expected '$3'"
	return 1
}

# xp_wait SECONDS COMMAND...: until the command succeeds.
xp_wait()
{
	local left=$(($1 * 5))

	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.2
	done
}

xp_need_root()
{
	[ "$(id -u)" -eq 0 ] || xp_skip "root is needed"
}

xp_need()
{
	local tool

	for tool; do
		command -v "$tool" >/dev/null ||
			xp_skip "$tool is needed and not in PATH"
	done
}

# xp_need_xen: the control domain of a Xen with XENPF_pmem, and the driver.
xp_need_xen()
{
	xp_need_root
	grep -qs control_d /proc/xen/capabilities ||
		xp_skip "this is not the control domain of a Xen"
	xp_need xenpf_pmem ndctl
	[ -d $XP_DRIVER ] || modprobe -q xen_pmem
	[ -d $XP_DRIVER ] || xp_skip "the driver xen_pmem is not there"
}

# xp_pvh: the control domain is a PVH one, of which Xen counts no mappings.
xp_pvh()
{
	[ "$(cat /sys/hypervisor/guest_type 2>/dev/null)" = PVH ]
}

# xp_need_namespace: sets NS, whose contents may be lost.
# xp_need_module NAME: test_modules/xen_pmem_NAME.ko, until the test ends.
xp_need_module()
{
	local module="xen_pmem_$1"

	[ ! -e "/sys/module/$module" ] || return 0
	insmod "$XP_DIR/test_modules/$module.ko" ||
		xp_skip "test_modules/$module.ko is not there or does not load"
	xp_at_exit "rmmod $module"
}

# inject WORDS: a line for xen_pmem_inject; what they mean, its source says.
inject()
{
	xp_write "$*" $XP_INJECT
}

xp_need_namespace()
{
	[ -n "$XEN_PMEM_NAMESPACE" ] ||
		xp_skip "set XEN_PMEM_NAMESPACE to a namespace that may be overwritten"
	NS=$XEN_PMEM_NAMESPACE
	[ -e $XP_ND/devices/"$NS" ] ||
		xp_skip "XEN_PMEM_NAMESPACE=$NS: there is no such namespace"
}

xp_driver_of()
{
	basename "$(readlink $XP_ND/devices/"$1"/driver)"
}

# xp_attr NAMESPACE NAME: an attribute of the driver's group.
xp_attr()
{
	cat $XP_ND/devices/"$1"/xen/"$2"
}

xp_bound()
{
	[ "$(xp_driver_of "$1")" = xen_pmem ]
}

# Writes one line. Unlike the echo of some shells, dd says which error it was.
xp_write()
{
	echo "$1" | dd of="$2" bs=4096 status=none
}

xp_bind()
{
	xp_write "$1" $XP_DRIVER/bind
}

xp_unbind()
{
	xp_write "$1" $XP_ND/devices/"$1"/driver/unbind
}

# xp_idle NAMESPACE: not bound to any driver.
xp_idle()
{
	[ ! -e $XP_ND/devices/"$1"/driver ] || xp_unbind "$1"
}

# The names under which something of the nested bus appears in a sysfs class.
xp_inner()
{
	local dev

	# shellcheck disable=SC2231 # the second argument is a pattern
	for dev in "$XP_ND"/devices/"$(xp_attr "$1" bus)"/region*/namespace*/$2; do
		[ -e "$dev" ] || continue
		basename "$dev"
		return 0
	done
	return 1
}

# xp_disk NAMESPACE: the block device of the data, waiting for it to come up.
xp_disk()
{
	xp_wait 20 xp_inner "$1" 'block/*' || return 1
	echo "/dev/$(xp_inner "$1" 'block/*')"
}

# Provisions unless the namespace is bound already. Sets DISK.
xp_provisioned()
{
	if ! xp_bound "$1"; then
		xp_idle "$1"
		ndctl create-namespace --mode=xen --reconfig="$1" --force \
			>"$XP_OUT" 2>&1 || {
			sed 's/^/# | /' "$XP_OUT"
			xp_skip "$1 cannot be provisioned"
		}
	fi
	DISK=$(xp_disk "$1") || xp_skip "$1: no inner block device came up"
	xp_wait 10 test -b "$DISK" || xp_skip "$DISK: no such device node"
}

# The raw window: the whole namespace as a disk, without any info block. Sets RAW.
xp_raw_open()
{
	xp_idle "$1"
	xp_write 1 $XP_ND/devices/"$1"/force_raw || return 1
	xp_write "$1" $XP_ND/drivers/nd_pmem/bind || return 1
	RAW=/dev/$(ls $XP_ND/devices/"$1"/block) || return 1
	xp_wait 10 test -b "$RAW"
}

xp_raw_close()
{
	xp_write "$1" $XP_ND/drivers/nd_pmem/unbind
	xp_write 0 $XP_ND/devices/"$1"/force_raw
}

# Kernel messages after the last xp_mark.
xp_mark()
{
	XP_MARKED="xen-pmem selftest: mark $$-$((${XP_MARKS:-0} + 1))"
	XP_MARKS=$((${XP_MARKS:-0} + 1))
	echo "$XP_MARKED" >/dev/kmsg
}

xp_messages()
{
	dmesg | sed "1,/$XP_MARKED\$/d"
}

# The driver's own ones: not the driver core's, which say that a probe failed, nor
# the module loader's.
xp_lines()
{
	dmesg | sed -nE "/$XP_MARKED\$/,\$ {
		/probe (of|with) |loading out-of-tree|module verification/d
		/xen_pmem/p
	}"
}

# one_line PATTERN...: the driver has said one line, and it matches each pattern
# of the shell's.
one_line()
{
	local lines pattern

	lines=$(xp_lines)
	echo "$lines"
	case $lines in
	"" | *"$XP_NEWLINE"*)
		echo "expected one line"
		return 1
		;;
	esac
	for pattern; do
		# shellcheck disable=SC2254 # a pattern it is
		case $lines in
		*$pattern*) ;;
		*)
			echo "expected '$pattern' in it"
			return 1
			;;
		esac
	done
}

XP_SPLAT='BUG:|WARNING:|Oops|Call Trace|rcu: INFO|general protection'
XP_SPLAT="$XP_SPLAT|soft lockup|blocked for more than"

# Passes if the kernel was content since the last xp_mark.
xp_no_splat()
{
	! xp_messages | grep -E "$XP_SPLAT"
}

# xp_permitted FRAME: it is in dom0's set of permitted I/O memory.
xp_permitted()
{
	local range first last

	for range in $(xenpf_pmem iomem | sed 's/.*{//; s/[},]//g'); do
		first=$((0x${range%-*}))
		last=$((0x${range#*-}))
		[ $first -gt "$1" ] || [ $last -lt "$1" ] || return 0
	done
	return 1
}

# xp_frame BYTES: the hexadecimal frame number of a physical address.
xp_frame()
{
	printf '0x%x' $(($1 >> 12))
}

# xp_value KEY <FILE: of a "key=value" word, in any line.
xp_value()
{
	tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1
}

# xp_json KEY <JSON: the first scalar of that name.
xp_json()
{
	sed -n "s/.*\"$1\":\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

# Fills most of the free memory, gives it back, and forks: pages of a namespace
# that was just unbound are used again as soon as that is possible.
xp_churn()
{
	local kb i

	kb=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	mkdir -p "$XP_TMP/churn"
	mount -t tmpfs -o size="$kb"k churn "$XP_TMP/churn" || return 1
	dd if=/dev/zero of="$XP_TMP/churn/fill" bs=1M \
		count=$((kb * 4 / 10 / 1024)) 2>/dev/null
	i=0
	while [ $i -lt 20 ]; do
		(:)
		i=$((i + 1))
	done
	umount "$XP_TMP/churn"
}
