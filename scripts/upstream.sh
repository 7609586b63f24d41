# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/upstream-series and scripts/upstream-check share, after lib.sh:
#     . "$(dirname "$0")/upstream.sh"
#
# A series is named PROJECT-VERSION. build/upstream/SERIES has its patches;
# build/upstream/work/SERIES.* is what is needed on the way, and can be removed.

# shellcheck disable=SC2034 # used by the scripts that source this
ALL_SERIES=(linux-6.12 linux-7.2 xen-4.20 ndctl-81)
# What goes into a series, and what makes it.
UPSTREAM_SOURCES=(MAINTAINERS drivers include Documentation tools/testing patches
	hypervisor ndctl contrib/upstream scripts/upstream-series
	scripts/upstream-compose scripts/upstream.sh)
UP=$BUILD/upstream
WORK=$UP/work

project()
{
	echo "${1%-*}"
}

version()
{
	echo "${1##*-}"
}

# base SERIES: the unmodified sources.
base()
{
	case $1 in
	linux-*) echo "$BUILD/linux-source/$(version "$1")" ;;
	*) echo "$WORK/$1.base" ;;
	esac
}

# unpack_base SERIES LIST: LIST names the tarball.
unpack_base()
{
	local out key tarball

	out=$(base "$1")
	key=$(key_of "base 1 $(cat "$BUILD/tree/.key" "$2")")
	! is_fresh "$out" "$key" || return 0
	tarball=$(awk '$2 ~ /[.]orig[.]tar[.]/ { print $2 }' "$2")
	[ -n "$tarball" ] || die "${2#"$TOP/"} names no .orig tarball"
	step "unpacking the sources for $1"
	begin "$out"
	in_tree tar -C "$out.tmp" --strip-components=1 -xf "$BUILD/dl/$tarball"
	finish "$out" "$key"
}

# have_base SERIES: false where the archive does not have it any more.
have_base()
{
	case $1 in
	linux-6.12) "$TOP/scripts/fetch" linux-source 6.12 ;;
	linux-*)
		"$TOP/scripts/fetch" "$(version "$1")"
		[ ! -e "$BUILD/kernels/$(version "$1").gone" ] || return 1
		"$TOP/scripts/fetch" "linux-source-$(version "$1")" ;;
	xen-*)
		"$TOP/scripts/fetch" xen
		unpack_base "$1" "$BUILD/dl/xen.list" ;;
	ndctl-*)
		"$TOP/scripts/fetch" ndctl
		unpack_base "$1" "$BUILD/dl/ndctl.list" ;;
	esac
}

# git_in DIR ARG...: git of build/tree, with no configuration of who runs this.
git_in()
{
	in_tree env GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
		git -c user.name=nobody -c user.email=nobody -C "$@"
}

# author name|email: the first one whom MAINTAINERS names.
author()
{
	local line

	line=$(sed -n 's/^M:[[:space:]]*//p' "$TOP/MAINTAINERS" | sed 1q)
	case $1 in
	name) echo "${line% <*}" ;;
	email) line=${line#*<} && echo "${line%>}" ;;
	esac
}

# compose VERB SERIES ARG: see scripts/upstream-compose.
compose()
{
	in_tree "$TOP/scripts/upstream-compose" "$1" \
		"$TOP/contrib/upstream/$(project "$2").toml" "$(version "$2")" \
		"$(base "$2")" "$3"
}

# patches SERIES: as file names, without the cover letter.
patches()
{
	find "$UP/$1" -name '[0-9]*.patch' ! -name '0000-*' | sort
}
