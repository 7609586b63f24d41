# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Common part of the build scripts. A script sources it first:
#     . "$(dirname "$0")/lib.sh"
#
# Every output directory below build/ is keyed: its file .key holds a hash of
# all inputs. An output with the right key is used as it is. A new one is
# made beside it (DIR.tmp) and renamed, so a broken run leaves no half output.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$TOP/build
ME=$(basename "$0")
: "${JOBS:=$(nproc)}"
export LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL MFLAGS

# step TEXT: one line of progress with the seconds since the script began.
step()
{
	printf '%4ds  %s: %s\n' "$SECONDS" "$ME" "$*"
}

die()
{
	printf '%s: %s\n' "$ME" "$*" >&2
	exit 1
}

# need COMMAND PACKAGE: stop unless the host has COMMAND.
need()
{
	command -v "$1" >/dev/null ||
		die "$1 is missing on this machine: run 'apt-get install $2' as root"
}

# as_root CMD...: run CMD as root, through sudo when we are not.
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null ||
			die "root is needed for '$1': run as root or install sudo"
		sudo -E "$@"
	fi
}

# lock NAME: one process at a time makes the output NAME. Held until exit.
lock()
{
	mkdir -p "$BUILD/.lock"
	exec 9>"$BUILD/.lock/$1"
	if ! flock -n 9; then
		step "another run is busy with '$1', waiting"
		flock 9
	fi
}

# What editors and an out-of-tree build with KDIR= leave among the sources.
NOT_SOURCE=(! -name '*~' ! -name '.*.swp' ! -name '*.pyc' ! -name '*.o'
	! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '.*.cmd'
	! -name Module.symvers ! -name modules.order)

# key_of TEXT [FILE...]: hash of TEXT and of the names and contents of FILEs;
# a directory stands for all files in it.
key_of()
{
	local text=$1

	shift
	{
		printf '%s\n' "$text"
		[ $# -eq 0 ] || (cd "$TOP" && find "$@" -type f \
			"${NOT_SOURCE[@]}" -print0 |
			sort -z | xargs -0r sha256sum)
	} | sha256sum | cut -c1-40
}

# is_fresh DIR KEY: true when DIR was made from the inputs hashed in KEY.
is_fresh()
{
	[ -f "$1/.key" ] && [ "$(cat "$1/.key")" = "$2" ]
}

# begin DIR: an empty DIR.tmp to build in.
begin()
{
	mkdir -p "$(dirname "$1")"
	rm -rf --one-file-system "$1.tmp"
	mkdir "$1.tmp"
}

# finish DIR KEY: DIR.tmp is complete, put it in the place of DIR.
finish()
{
	rm -f "$1.tmp/.key" # may be a hard link
	printf '%s\n' "$2" >"$1.tmp/.key"
	rm -rf --one-file-system "$1.old"
	[ ! -e "$1" ] || mv "$1" "$1.old"
	mv "$1.tmp" "$1"
	rm -rf --one-file-system "$1.old"
}

# git_as_nobody DIR ARG...: whoever runs this, and however git is set up for them.
git_as_nobody()
{
	git -C "$1" -c user.name=nobody -c user.email=nobody -c commit.gpgsign=false \
		-c diff.suppressBlankEmpty=false "${@:2}"
}

# take_series DIR TAG MESSAGE PATCH...: what is in DIR becomes a commit, the base, and so
# does each patch after it.
take_series()
{
	git_as_nobody "$1" init -q
	git_as_nobody "$1" add -A -f
	git_as_nobody "$1" commit -q -m "$3"
	git_as_nobody "$1" tag "$2"
	git_as_nobody "$1" am -q "${@:4}"
}

# The suites of Debian that packages are made for. All else is built in the tree of the first.
SUITES=(trixie bookworm)

# What is run in a test machine; of tools/vmtest each row has its own, see row-sources.
# shellcheck disable=SC2034 # for those who source this
MACHINE_PARTS=(Kbuild Kconfig drivers include compat-include hypervisor ndctl contrib
	tools/testing)

# of_suite NAME SUITE: what there is of each is NAME of the first, NAME-SUITE of others.
of_suite()
{
	[ "$2" = "${SUITES[0]}" ] && echo "$1" || echo "$1-$2"
}

# known_suite SUITE: stop unless it is one of them.
known_suite()
{
	[[ " ${SUITES[*]} " = *" $1 "* ]] ||
		die "unknown suite '$1', known are: ${SUITES[*]}"
}

# in_tree [--suite SUITE] CMD...: run CMD in the tree of that Debian, or of Debian 13.
# It is made when missing.
in_tree()
{
	"$TOP/scripts/in-tree" "$@"
}

# in_deb_tools SUITE CMD...: run CMD where that suite's packages are made and checked.
in_deb_tools()
{
	local suite=$1

	shift
	if [ "$suite" = "${SUITES[0]}" ]; then
		in_tree --layer deb-tools "$@"
	else
		in_tree --suite "$suite" "$@"
	fi
}

# copy_sources TO NAME...: copy files and directories of the repository.
copy_sources()
{
	local to=$1

	shift
	mkdir -p "$to"
	(cd "$TOP" && find "$@" -type f "${NOT_SOURCE[@]}" \
		-exec cp --parents -t "$to" {} +)
}

# The kernels that the driver is built for. The first is that of build/tree, each
# other one has a layer.
# shellcheck disable=SC2034 # used by the scripts that build modules
KERNELS=(6.12 6.1 7.2)
# Those that scripts/build-kernel makes, VERSION-KIND.
# shellcheck disable=SC2034 # used by scripts/build-kernel
OWN_KERNELS=(6.12-fixed 7.2-fixed 6.12-debug 6.12-kasan)

# is_gone KERNEL: sid's, which moves on; says so.
is_gone()
{
	[ -e "$BUILD/kernels/$1.gone" ] &&
		step "nothing for Linux $1: $(cat "$BUILD/kernels/$1.gone")"
}

# layer KERNEL: what has its compiler, and its headers if the kernel is Debian's.
layer()
{
	[ "${1%-*}" = 6.12 ] && echo "$BUILD/tree" || echo "$BUILD/layer/${1%-*}"
}

# headers KERNEL: its headers, as a path inside the tree.
headers()
{
	local path root

	case $1 in
	*-*) echo "$BUILD/kernel-src/$1"; return ;;
	esac
	root=$(layer "$1")
	for path in "$root"/usr/src/linux-headers-*-amd64; do
		echo "${path#"$root"}"
	done
}

# in_tree_for KERNEL CMD...: as in_tree, with the compiler of that kernel.
in_tree_for()
{
	local kernel=$1

	shift
	[ "${kernel%-*}" = 6.12 ] || set -- --layer "${kernel%-*}" "$@"
	in_tree "$@"
}

# kernel_key KERNEL: the keys of what its modules are built with.
kernel_key()
{
	cat "$(layer "$1")/.key"
	case $1 in
	*-*) cat "$BUILD/kernels/$1/.key" ;;
	esac
}

# have_kernel KERNEL...: fetch those of Debian; others must be there.
have_kernel()
{
	local kernel

	for kernel; do
		case $kernel in
		*-*) [ -e "$BUILD/kernels/$kernel/.key" ] ||
			die "there is no build/kernels/$kernel: run 'scripts/build-kernel $kernel'" ;;
		*) "$TOP/scripts/fetch" "$kernel" ;;
		esac
	done
}

# no_warnings LOG: stop if a compiler or kbuild warned of something.
no_warnings()
{
	! grep -E 'warning:|WARNING:' "$1" >&2 ||
		die "the build is to be without warnings: see ${1#"$TOP/"}"
}

# quiet LOG CMD...: run CMD, a program or a function, with its output in LOG;
# show the end of it and stop if CMD fails. Not for use in a condition: the
# shell would ignore failures inside a function.
quiet()
{
	local log=$1 rc

	shift
	mkdir -p "$(dirname "$log")"
	set +e
	(set -e; "$@") >"$log" 2>&1
	rc=$?
	set -e
	[ "$rc" -eq 0 ] && return
	tail -n 40 "$log" >&2
	die "'$1' failed with status $rc, all of its output is in ${log#"$TOP/"}"
}

# mirror: address of the Debian archive, as this machine's own apt sources
# have it. Remembered in build/apt/mirror.
mirror()
{
	local lists=$BUILD/apt/host

	if [ ! -s "$BUILD/apt/mirror" ]; then
		need apt-get apt
		mkdir -p "$BUILD/apt"
		host_mirror >"$BUILD/apt/mirror.tmp"
		if [ ! -s "$BUILD/apt/mirror.tmp" ]; then
			mkdir -p "$lists/partial"
			apt-get -qq update -o Dir::State::lists="$lists" \
				-o APT::Sandbox::User=root >&2 || true
			host_mirror -o Dir::State::lists="$lists" \
				>"$BUILD/apt/mirror.tmp"
		fi
		[ -s "$BUILD/apt/mirror.tmp" ] ||
			die "no Debian archive in this machine's apt sources: add one to /etc/apt/sources.list"
		mv "$BUILD/apt/mirror.tmp" "$BUILD/apt/mirror"
	fi
	cat "$BUILD/apt/mirror"
}

host_mirror()
{
	# shellcheck disable=SC2016 # a format of apt's, not of the shell
	apt-get indextargets "$@" --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' 'Component: main' | sed -n 1p
}

# result "ok"|"not ok"|"skip" NAME [REASON]: report one test, to the person
# and to build/results/SCRIPT.txt, where scripts/tally counts.
result()
{
	mkdir -p "$BUILD/results"
	printf '%s %s\n' "$1" "$2" >>"$BUILD/results/$ME.txt"
	step "$1 $2${3:+ ($3)}"
}

# check NAME CMD...: one test that passes when CMD, a program or a function,
# succeeds. Its output is kept, and shown when it fails.
check()
{
	local name=$1 log=$BUILD/log/$ME-${1//[ \/]/-}.log rc

	shift
	mkdir -p "$BUILD/log"
	set +e
	(set -e; "$@") >"$log" 2>&1
	rc=$?
	set -e
	if [ "$rc" -eq 0 ]; then
		result ok "$name"
	else
		tail -n 25 "$log"
		result "not ok" "$name" "status $rc, log in ${log#"$TOP/"}"
	fi
}

# new_results: forget the results of earlier runs of this script.
new_results()
{
	rm -f "$BUILD/results/$ME.txt"
}

# any_failed: true when a test of this run failed, or none ran.
any_failed()
{
	! grep -q '^ok ' "$BUILD/results/$ME.txt" 2>/dev/null ||
		grep -q '^not ok ' "$BUILD/results/$ME.txt"
}
