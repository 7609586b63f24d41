# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts that build ndctl share, after lib.sh:
#     . "$(dirname "$0")/ndctl.sh"

# The programs: without manual pages, the libraries linked in. 'cxl' does not build
# without libtracefs: name the targets.
# shellcheck disable=SC2034 # used by the scripts that source this
NDCTL_OPTIONS=(-Ddocs=disabled -Dasciidoctor=disabled -Dsystemd=disabled
	-Dlibtracefs=disabled -Ddefault_library=static
	--buildtype=release --prefix=/usr --libdir=lib
	--sysconfdir=/etc --localstatedir=/var)

# What checkpatch is not asked. What ndctl does all over: operators at the start of a line, a
# space after a cast, long messages in one piece.
HABITS=LOGICAL_CONTINUATIONS,SPACING,PARENTHESIS_ALIGNMENT,LONG_LINE_STRING,OPEN_ENDED_LINE
# Who sends a patch signs it off; there is no file MAINTAINERS.
# shellcheck disable=SC2034 # used by the scripts that source this
HABITS+=,MISSING_SIGN_OFF,FILE_PATH_CHANGES

# series: the names of the patches, in their order.
series()
{
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$TOP/ndctl/series"
}

# unpack_ndctl DIR: ndctl 81 as Debian has it, without Debian's patches.
unpack_ndctl()
{
	in_tree tar -C "$1" --strip-components=1 -xf "$BUILD"/dl/ndctl_81.orig.tar.gz
}

# ndctl_sources DIR KEY stock|pmem: without and with the series.
ndctl_sources()
{
	local name

	begin "$1"
	unpack_ndctl "$1.tmp"
	[ "$3" = stock ] || for name in $(series); do
		echo "applying $name"
		in_tree patch --no-backup-if-mismatch -s -F0 -p1 \
			-d "$1.tmp" -i "$TOP/ndctl/$name"
	done
	finish "$1" "$2"
}

# ndctl_key SUITE: what every build of it depends on, beside the series.
ndctl_key()
{
	cat "$BUILD/$(of_suite tree "$1")/.key" "$BUILD/dl/ndctl.list"
	echo "${NDCTL_OPTIONS[*]}"
}
