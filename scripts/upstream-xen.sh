# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The part of scripts/upstream-check that is for Xen: each commit is built as a whole in
# build/upstream/work/SERIES.am, with Debian's configuration and what Kconfig makes of it.

PMEM_DIR=arch/x86/x86_64

make_hypervisor()
{
	in_tree nice -n 19 make -C "$WORK/$1.am/xen" XEN_TARGET_ARCH=x86_64 \
		-j"$JOBS" "${@:2}"
}

# configure_hypervisor SERIES: a configuration that comes out as it was keeps its time,
# else make would build all anew.
configure_hypervisor()
{
	local config=$WORK/$1.am/xen/.config

	[ ! -e "$config" ] || cp -p "$config" "$config.was"
	cp "$BUILD/xen/stock/config" "$config"
	make_hypervisor "$1" olddefconfig
	! cmp -s "$config" "$config.was" || mv "$config.was" "$config"
}

# pmem_objects SERIES: of the sources that are there by now, by which a build of all
# may yet pass.
pmem_objects()
{
	(cd "$WORK/$1.am/xen" && find "$PMEM_DIR" -name 'pmem*.c') | sed 's/[.]c$/.o/'
}

# objects_with SERIES OPTION...: compile these as if the options were on.
objects_with()
{
	local series=$1 list

	shift
	mapfile -t list < <(pmem_objects "$series")
	[ "${#list[@]}" -gt 0 ] || return 0
	(cd "$WORK/$series.am/xen" && rm -f "${list[@]}")
	make_hypervisor "$series" "${list[@]}" \
		EXTRA_CFLAGS_XEN_CORE="$(printf ' -DCONFIG_%s=1' "$@")"
	(cd "$WORK/$series.am/xen" && ls -l "${list[@]}" && rm -f "${list[@]}")
}

has_kconfig()
{
	grep -qx "config $2" "$WORK/$1.am/xen/arch/x86/Kconfig"
}

# hypervisor_builds SERIES COMMIT
hypervisor_builds()
{
	git_in "$WORK/$1.am" checkout -q "$2"
	configure_hypervisor "$1"
	make_hypervisor "$1"
	ls -l "$WORK/$1.am/xen/xen"
	has_kconfig "$1" XEN_PMEM || objects_with "$1" XEN_PMEM
}

# Of the last commit: the option is on, so all files are in it; and those that the option
# for tests changes.
complete()
{
	grep -qx CONFIG_XEN_PMEM=y "$WORK/$1.am/xen/.config" ||
		{ echo "CONFIG_XEN_PMEM is not on"; return 1; }
	diff <(pmem_objects "$1" | sed 's,.*/,,' | sort) \
		<(cd "$WORK/$1.am/xen/$PMEM_DIR" && printf '%s\n' pmem*.o)
	has_kconfig "$1" XEN_PMEM_FAULT_INJECTION
	objects_with "$1" XEN_PMEM_FAULT_INJECTION
}

# of_xen SERIES
of_xen()
{
	local commit number=0

	for commit in $(commits "$1"); do
		number=$((number + 1))
		check "$(printf '%s commit %02d builds' "$1" $number)" \
			hypervisor_builds "$1" "$commit"
	done
	check "$1 has all of its files in the build" complete "$1"
}
