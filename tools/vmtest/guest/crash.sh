#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# crash.sh write: files on ext4 -o dax, each made durable by its own means, then
# a mark, at which the host kills the machine under a running writer.
# crash.sh verify: the boot after that.

. /vmtest/guest/functions.sh

BYTES=$((16 << 20))
SYNCED=$((1 << 20))

write_files()
{
	mkfs.ext4 -q -F -b 4096 "$(inner_disk "$(namespace_of 0)")" &&
		mount_inner 0 ext4 && dax_file write "$MNT"/written $BYTES 5 &&
		dax_file store "$MNT"/stored $SYNCED 6
}

case $1 in
write)
	try "DIMM 0: create-namespace --mode=xen" provision 0
	try "its disk is there" back 0
	try "files, made durable by fsync and by MAP_SYNC" write_files
	mark durable
	while :; do
		dax_file write "$MNT"/never $BYTES 7
	done
	;;
verify)
	try "R25 the namespace is back by itself" back 0
	try "R25 ext4 -o dax recovers its journal" mount_inner 0 ext4
	try "R25 the file that was fsynced" dax_file verify "$MNT"/written $BYTES 5
	try "R25 the file that was MAP_SYNC" dax_file verify "$MNT"/stored $SYNCED 6
	try "R25 unmount" umount "$MNT"
	try "R25 the file system is clean" \
		e2fsck -fn "$(inner_disk "$(namespace_of 0)")"
	finish
	;;
esac
