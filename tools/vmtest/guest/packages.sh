#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh STEP: the life of our packages on a machine that has only Debian's, boot by
# boot, with the commands of an administrator. Which Xen GRUB has started the host sees.
#
#   install    under Debian's Xen: apt-get install
#   provision  under ours: one ndctl command, ext4 -o dax, a line of /etc/fstab, a file
#   back       the file is there; apt-get purge
#   purged     under Debian's Xen: nothing is left but the data
#   refused    with Secure Boot, so without Xen: the module's key is nobody's
#   trusted    the same, after the machine's owner has enrolled it

. /vmtest/guest/functions.sh

PACKAGES=$(cd /vmtest/deb && printf '%s\n' *.deb | cut -d _ -f 1)
XL=/usr/lib/xen-pmem/bin/xl
DIR=/srv/files
FILE=$DIR/precious
BEFORE=/var/tmp/vmtest.before
export DEBIAN_FRONTEND=noninteractive

# is_dom0: bit 11 of what Xen offers. /proc/xen needs xenfs, which Xen's tools mount.
is_dom0()
{
	grep -qx xen /sys/hypervisor/type &&
		grep -q '[89a-f]..$' /sys/hypervisor/properties/features
}

# has_tools: Debian has those of the Xen that runs. 12 has none of 4.20.
has_tools()
{
	version=/sys/hypervisor/version
	[ -d "/usr/lib/xen-$(cat $version/major).$(cat $version/minor)" ]
}

# all_up: no unit of systemd's failed on the way here, except for want of such tools.
all_up()
{
	expected=
	[ ! -e /sys/hypervisor/type ] || has_tools || expected=xen.service
	[ "$(systemctl --failed --no-legend --plain | tee /dev/stderr | cut -d ' ' -f 1)" = "$expected" ]
}

# Everything a package could leave behind, by name, mode and content. Not what is made
# anew with another content each time, nor what is the machine's own, as the key that DKMS
# makes to sign with.
snapshot()
{
	cd / && list -printf '%M %U:%G %p -> %l\n' | sort &&
		list -type f -print0 | sort -z | xargs -0 cksum
}

# list EXPRESSION...: find's, of what is meant.
list()
{
	find . -xdev \( -path ./proc -o -path ./dev -o -path ./sys -o -path ./run \
		-o -path ./tmp -o -path ./var/tmp -o -path ./vmtest -o -path ./srv \
		-o -path ./var/cache -o -path ./var/log -o -path ./var/lib/dpkg \
		-o -path ./var/lib/apt -o -path ./var/lib/systemd -o -path ./var/lib/xen \
		-o -path './var/lib/dkms/mok.*' -o -path ./var/lib/xenstored -o -path ./var/lib/initramfs-tools \
		-o -path './boot/initrd.img*' -o -path ./etc/fstab -o -path ./etc/ld.so.cache \
		\) -prune -o "$@"
}

take_snapshot()
{
	snapshot >"$BEFORE" && [ "$(wc -l <"$BEFORE")" -gt 1000 ]
}

same_as_before()
{
	snapshot | diff "$BEFORE" - >&2
}

no_package()
{
	for package in $PACKAGES; do
		! dpkg-query -s "$package" || return 1
	done
}

module_built()
{
	dkms status xen-pmem | tee /dev/stderr | grep -q "$(uname -r).*: installed"
}

pmem_disk()
{
	inner_disk "$(namespace_of 0)"
}

is_dax()
{
	findmnt -no OPTIONS "$DIR" | tee /dev/stderr | grep -Eq '(^|,)dax=always(,|$)'
}

write_file()
{
	dd if=/dev/urandom of="$FILE" bs=1M count=16 conv=fsync status=none &&
		fact sum "$(sha256sum <"$FILE" | cut -c1-64)"
}

install()
{
	is "Debian's ndctl does not know xen mode" \
		"$(ndctl create-namespace --mode=xen --region=region0 2>&1 | grep -c "invalid mode")" 1
	try "what there is before" take_snapshot
	try "apt-get install" apt-get -y install /vmtest/deb/*.deb
	try "the module is built" module_built
}

provision_()
{
	try "the driver is loaded, by udev" test -d /sys/module/xen_pmem
	try "R5 ndctl create-namespace --mode=xen" \
		ndctl create-namespace --mode=xen --region=region0
	try "a disk appears" wait_for 20 pmem_disk
	try "mkfs.ext4" mkfs.ext4 -q -b 4096 -L files "$(pmem_disk)"
	mkdir -p $DIR
	echo "LABEL=files $DIR ext4 dax,nofail 0 2" >>/etc/fstab
	try "systemctl daemon-reload" systemctl daemon-reload
	try "mount" mount $DIR
	try "it is DAX" is_dax
	try "a file" write_file
	try "xen-pmem-doctor finds nothing amiss" xen-pmem-doctor
	! has_tools || give_to_guest
}

# With Debian's daemons: what the control domain uses is not given to a guest.
give_to_guest()
{
	cat >/root/guest.cfg <<-END
		name = "guest"
		type = "pvh"
		kernel = "/vmlinuz"
		memory = 128
		pmem = [ "backend=$(namespace_of 0)" ]
	END
	refuses "xl knows pmem=, and that the control domain uses it" \
		"the control domain uses it" $XL create /root/guest.cfg
	rm /root/guest.cfg
	is "xl pmem-list has no domain" "$($XL pmem-list | wc -l)" 1
}

back()
{
	is "R17 systemd has mounted it" "$(findmnt -no TARGET $DIR)" $DIR
	try "it is DAX" is_dax
	is "R17 the file is there" "$(sha256sum <$FILE | cut -c1-64)" "$(sed -n s/^sum=//p /vmtest/facts)"
	# shellcheck disable=SC2086 # a list of words
	try "apt-get purge" apt-get -y purge $PACKAGES
	is "while it is mounted it stays" "$(sha256sum <$FILE | cut -c1-64)" "$(sed -n s/^sum=//p /vmtest/facts)"
	sed -i /LABEL=files/d /etc/fstab
}

purged()
{
	try "R22 no driver" test ! -d /sys/module/xen_pmem
	try "R22 the namespace has no driver and no disk" no_pmem_of "$(namespace_of 0)"
	try "dpkg has no trace" no_package
	try "nothing is left behind" same_as_before
}

refused()
{
	try "Secure Boot is on" sh -c 'mokutil --sb-state | grep -x "SecureBoot enabled"'
	install
	openssl x509 -inform DER -in /var/lib/dkms/mok.pub -out "$OUT/mok.pem"
	refuses "the module is not loaded: its key is not trusted" \
		"Key was rejected by service" modprobe xen_pmem
	try "the kernel says so" says "Loading of module with unavailable key is rejected"
}

says()
{
	dmesg | grep -F "$1"
}

trusted()
{
	try "Secure Boot is on" sh -c 'mokutil --sb-state | grep -x "SecureBoot enabled"'
	try "the key is one that is trusted" \
		sh -c 'mokutil --test-key /var/lib/dkms/mok.pub | grep "is already enrolled"'
	refuses "the module is taken, and finds no Xen" "No such device" modprobe xen_pmem
}

case $1 in
refused|trusted) ;;
*) try "this is Xen's control domain" is_dom0 ;;
esac
try "all units are up" all_up
case $1 in
install) install ;;
provision) provision_ ;;
back) back ;;
purged) purged ;;
refused) refused ;;
trusted) trusted ;;
esac
finish
