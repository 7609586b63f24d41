# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The part of scripts/upstream-check that is for Linux: the series in a whole kernel
# tree, build/upstream/work/SERIES.tree, commit by commit.

# make_in SERIES ARG...: with the compiler of that kernel.
make_in()
{
	local series=$1

	shift
	in_tree_for "$(version "$series")" nice -n 19 make -C "$WORK/$series.tree" \
		-j"$JOBS" "$@"
}

# Neither signing keys nor BTF nor Rust change how an object compiles.
configure_tree()
{
	local dir=$1 version=$2

	cp "$BUILD/kernels/$version/config" "$dir/.config"
	in_tree "$dir/scripts/config" --file "$dir/.config" \
		--set-str SYSTEM_TRUSTED_KEYS '' --disable DEBUG_INFO_BTF \
		--disable RUST --disable GENDWARFKSYMS
	in_tree_for "$version" make -C "$dir" olddefconfig
}

# kernel_tree SERIES: hard links of the sources, prepared for single objects. It is made in
# its place: objtool's objects have the path in them, and would be made anew elsewhere.
kernel_tree()
{
	local out=$WORK/$1.tree base version key

	base=$(base "$1")
	version=$(version "$1")
	key=$(key_of "tree 2 $(kernel_key "$version") $(cat "$base/.key" \
		"$BUILD/kernels/$version/.key")")
	! is_fresh "$out" "$key" || return 0
	step "preparing a tree of Linux $version"
	rm -rf --one-file-system "$out"
	mkdir -p "$WORK"
	cp -al "$base" "$out"
	rm -f "$out/.key"
	quiet "$BUILD/log/upstream-$1-config.log" \
		configure_tree "$out" "$version"
	quiet "$BUILD/log/upstream-$1-prepare.log" make_in "$1" W=1 KCFLAGS=-Werror \
		modules_prepare
	echo "$key" >"$out/.key"
}

# pristine SERIES: the tree without what an earlier run has put into it.
pristine()
{
	local tree=$WORK/$1.tree base file

	base=$(base "$1")
	touch "$tree/.put"
	while read -r file; do
		rm -f "$tree/$file"
		[ ! -e "$base/$file" ] || cp "$base/$file" "$tree/$file"
	done <"$tree/.put"
	rm -f "$tree"/drivers/xen/{xen_pmem*,xen-pmem*,.xen_pmem*,.xen-pmem*}
	rm -rf "$tree/tools/testing/selftests/xen-pmem"
	: >"$tree/.put"
}

# put SERIES COMMIT: what it changes, into the tree, and not into a hard link.
put()
{
	local tree=$WORK/$1.tree dir=$WORK/$1.am file

	git_in "$dir" checkout -q "$2"
	changed "$1" "$2" >>"$tree/.put"
	changed "$1" "$2" | while read -r file; do
		mkdir -p "$(dirname "$tree/$file")"
		rm -f "$tree/$file"
		cp "$dir/$file" "$tree/$file"
	done
}

# What a compiler, sparse or kbuild has to say of our files, or of nothing: kernel
# headers have findings of their own.
OURS='^(\./)?(drivers/xen/xen_pmem|include/xen/interface/pmem)'

# sparse_works SERIES: newer kernels ask themselves if sparse can read them.
sparse_works()
{
	local script=$WORK/$1.tree/scripts/checker-valid.sh

	[ ! -e "$script" ] || [ "$(in_tree_for "$(version "$1")" "$script" sparse)" = 1 ]
}

# make_objects SERIES TARGET...: sparse has to see each object that is compiled.
make_objects()
{
	local series=$1 log=$WORK/$1.objects.log

	shift
	make_in "$series" W=1 ${SPARSE:+C=1} KCFLAGS=-Werror "$@" >"$log" 2>&1 ||
		{ tail -n 40 "$log"; return 1; }
	[ -z "$SPARSE" ] || [ "$(grep -c ' CC .*drivers/xen/xen_pmem' "$log")" -eq \
		"$(grep -c ' CHECK .*drivers/xen/xen_pmem' "$log")" ] ||
		{ echo "sparse has not seen all objects"; cat "$log"; return 1; }
	! grep -E "${OURS}[^:]*:[0-9]+:.*(warning|error):|^WARNING:" "$log"
}

# driver_objects SERIES: of the sources that are there by now.
driver_objects()
{
	(cd "$WORK/$1.tree" && printf '%s\n' drivers/xen/xen_pmem*.c) |
		sed 's/[.]c$/.o/'
}

# No file is there yet that includes the header.
header_builds()
{
	local source=$WORK/$1.tree/drivers/xen/xen_pmem_header.c

	printf '#include <linux/types.h>\n#include <xen/interface/pmem.h>\n' >"$source"
	make_objects "$1" drivers/xen/xen_pmem_header.o
	rm -f "$source" "${source%c}o"
}

objects_build()
{
	local list

	mapfile -t list < <(driver_objects "$1")
	make_objects "$1" "${list[@]}"
	(cd "$WORK/$1.tree" && ls -l "${list[@]}")
}

# module_builds SERIES m|y: as the commit's own Makefile has it.
module_builds()
{
	local tree=$WORK/$1.tree list

	in_tree "$tree/scripts/config" --file "$tree/.config" \
		--set-val XEN_PMEM "$2" --set-val BLK_DEV_PMEM "$2" \
		--set-val LIBNVDIMM "$2"
	make_in "$1" olddefconfig
	grep -qx "CONFIG_XEN_PMEM=$2" "$tree/.config" ||
		{ echo "CONFIG_XEN_PMEM=$2 did not stay"; return 1; }
	mapfile -t list < <(driver_objects "$1")
	[ "$2" = y ] || list+=(drivers/xen/xen-pmem.o)
	(cd "$tree" && rm -f "${list[@]}")
	make_objects "$1" "${list[@]}"
	[ "$2" = y ] || all_in_module "$1"
}

# The module is made of all objects that there are sources of.
all_in_module()
{
	diff <(driver_objects "$1") \
		<(sed 's/^.*\///; s/^/drivers\/xen\//' \
			"$WORK/$1.tree/drivers/xen/xen-pmem.mod" | tr ' ' '\n' |
			grep . | sort)
}

# selftests_build SERIES: the modules, if there are any by now, for Debian's kernel.
selftests_build()
{
	local log=$WORK/$1.selftests.log dir=$WORK/$1.tree/tools/testing/selftests
	local modules=$dir/xen-pmem/test_modules version

	version=$(version "$1")
	in_tree_for "$version" nice -n 19 make W=1 -C "$dir" TARGETS=xen-pmem \
		FORCE_TARGETS=1 KDIR="$(headers "$version")" \
		INSTALL_PATH="$WORK/$1.selftests" install >"$log" 2>&1 ||
		{ tail -n 40 "$log"; return 1; }
	[ ! -e "$modules/Makefile" ] || ls -l "$modules"/*.ko
	! grep -E 'warning:|WARNING:' "$log"
}

# kernel_builds SERIES COMMIT: whatever there is to be built of what it changes.
kernel_builds()
{
	local files built='' objects

	put "$1" "$2"
	files=$(changed "$1" "$2")
	mapfile -t objects < <(sed -n 's/^\(arch\/x86\/.*\)[.]c$/\1.o/p' <<<"$files")
	if [ "${#objects[@]}" -gt 0 ]; then
		make_in "$1" "${objects[@]}"
		built+=x
	fi
	if grep -qE '^drivers/xen/.*[.][ch]$' <<<"$files"; then
		objects_build "$1"
		built+=x
	elif grep -q '^include/xen/' <<<"$files"; then
		header_builds "$1"
		built+=x
	fi
	if grep -q '^drivers/xen/Makefile$' <<<"$files"; then
		module_builds "$1" y
		module_builds "$1" m
		built+=x
	fi
	if grep -q '^tools/testing/selftests/' <<<"$files"; then
		selftests_build "$1"
		built+=x
	fi
	[ -n "$built" ] || grep -vqE '^(Documentation/|MAINTAINERS$)' <<<"$files" ||
		{ echo "nothing to be built in: $files"; return; }
	[ -n "$built" ] || { echo "nothing is known to build $files"; return 1; }
}

# maintained SERIES COMMIT: MAINTAINERS has each new file. That is what checkpatch
# would wonder at with FILE_PATH_CHANGES.
maintained()
{
	local name file

	name=$(author name)
	for file in $(changed "$1" "$2" A); do
		(cd "$WORK/$1.tree" && in_tree perl scripts/get_maintainer.pl --no-git \
			--no-git-fallback -f "$file") | grep -qF "$name" ||
			{ echo "MAINTAINERS does not have $file"; return 1; }
	done
}

# The sources of the driver, by that version's kernel-doc. It has to be able to speak.
kernel_doc()
{
	local tree=$WORK/$1.tree out files

	mapfile -t files < <(cd "$tree" && ls drivers/xen/xen_pmem*.[ch] \
		include/xen/interface/pmem.h)
	out=$(cd "$tree" && in_tree scripts/kernel-doc -none -Wall "${files[@]}" 2>&1) ||
		{ echo "$out"; return 1; }
	[ -z "$out" ] || { echo "$out"; return 1; }
}

# of_linux SERIES
of_linux()
{
	local commit patch number=0 log

	for patch in $(patches "$1"); do
		check "$1 checkpatch $(basename "$patch")" \
			checkpatch "$(base "$1")" "$NOT_YET" "$patch"
	done
	kernel_tree "$1"
	pristine "$1"
	SPARSE=1
	sparse_works "$1" || {
		SPARSE=
		result skip "$1 sparse" "Debian 13's cannot read Linux $(version "$1")"
	}
	for commit in $(commits "$1"); do
		number=$((number + 1))
		log=$(printf '%s commit %02d' "$1" $number)
		check "$log builds" kernel_builds "$1" "$commit"
		check "$log has new files in MAINTAINERS" maintained "$1" "$commit"
	done
	check "$1 kernel-doc" kernel_doc "$1"
}
