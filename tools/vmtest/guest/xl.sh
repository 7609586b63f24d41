# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the guest scripts of rows with xl = true: start Xen's tools in dom0, then
# guests of the row's kind, PVH or HVM. What a guest is to do is one line, commands with a "+" between them,
# which its init (domu-init.sh) runs when it is up; at most 32 words.

DOMU=/run/domu

xl_start()
{
	mkdir -p /run/xen /run/xenstored "$DOMU"
	xenstored --pid-file /run/xen/xenstored.pid && xen-init-dom0 &&
		xenconsoled --pid-file=/run/xen/xenconsoled.pid --log=guest \
			--log-dir=/var/log/xen/console && xl list
}

# device_model: of an HVM guest, which has a VGA, and nobody who looks at it.
device_model()
{
	if [ "$XP_GUESTS" = hvm ]; then
		printf '%s\n' 'vnc=0' 'memory=320'
	fi
}

# guest_config NAME COMMANDS [CONFIG_LINE...]: GUEST_ARGS is more for its kernel.
guest_config()
{
	cat <<-END
		name="$1"
		type="$XP_GUESTS"
		kernel="/domu/vmlinuz"
		ramdisk="/domu/initrd"
		memory=128
		vcpus=1
		extra="console=hvc0 panic=-1 loglevel=5 ${GUEST_ARGS-} -- $2"
	END
	device_model
	shift 2
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

# guest_create NAME COMMANDS [CONFIG_LINE...]: fails if xl does, and shows what the device
# model said, if there is one.
guest_create()
{
	guest_config "$@" >"$DOMU/$1"
	xl create "$DOMU/$1" || {
		cat "/var/log/xen/qemu-dm-$1.log" 2>/dev/null
		return 1
	}
}

guest_destroy()
{
	cp "/var/log/xen/console/guest-$1.log" "$OUT/"
	xl destroy "$1"
}

# guest_console NAME: all that its console said.
guest_console()
{
	tr -d '\r' <"/var/log/xen/console/guest-$1.log"
}

# guest_says NAME PATTERN: in one whole line (grep -E).
guest_says()
{
	guest_console "$1" | grep -Ex -- "$2"
}

# guest_up NAME: its init runs.
guest_up()
{
	wait_for 300 guest_says "$1" "domu: up"
}

# guest_done NAME: all of its commands have run. Shows what it said.
guest_done()
{
	wait_for 300 guest_says "$1" "domu: done"
	xl_rc=$?
	guest_console "$1"
	return $xl_rc
}

# guest_did NAME COMMAND...: it has run that, and it succeeded.
guest_did()
{
	xl_name=$1
	shift
	guest_done "$xl_name" && guest_says "$xl_name" "domu: status 0 of $*"
}

# guest_gone NAME CONDITION...: also from Xen's list, where it may stay until its console was
# read; and what is to be so afterwards is.
guest_gone()
{
	xl_name=$1
	shift
	guest_destroy "$xl_name" && ! xl domid "$xl_name" && wait_for 10 "$@"
}

# no_guest_has NAMESPACE: a part of its data.
no_guest_has()
{
	[ -z "$(xen_attr "$1" guests)" ]
}
