#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each error of the hypercall XENPF_pmem that its text names and the control domain
# can provoke. A call that is refused changes nothing: Xen's list, the permitted I/O
# memory, max_page and the number of free pages are the same after it.
#
# Destructive, see region.sh; with XEN_PMEM_ERRNO=refused nothing is added, and so
# not a byte of persistent memory is written.
#
# XEN_PMEM_TEST_BAR=any demands a PCI device with a memory BAR of 4 MiB or more, and
# XEN_PMEM_TEST_BAR=FRAME (hexadecimal) that this be one; else its rows are left out
# where there is none.

# Rows are words: their splitting is wanted all over.
# shellcheck source=lib.sh disable=SC3043,SC2086,SC2046
. "$(dirname "$(readlink -f "$0")")"/lib.sh
# shellcheck source=region.sh
. "$XP_DIR"/region.sh

UNLISTED=1
# Where a domain gets frames by MAP.
GFN=0x200000
DOMID=0
OTHER=0
# The shell's numbers do not reach as far.
LAST_FRAMES="spfn=0xfffffffffff00000 epfn=0xfffffffffffffe00 rsv_spfn=0xfffffffffff00000 \
	rsv_epfn=0xfffffffffff80000 data_spfn=0xfffffffffff80000 data_epfn=0xfffffffffffffe00"

# A tuple of two chunks or more, of which the first is the reserved area.
at()
{
	local spfn="$1" epfn="${2:-$(($1 + 2 * CHUNK))}"

	echo "spfn=$((spfn)) epfn=$((epfn)) rsv_spfn=$((spfn)) rsv_epfn=$((spfn + CHUNK))" \
		"data_spfn=$((spfn + CHUNK)) data_epfn=$((epfn))"
}

# --- rows ----------------------------------------------------------------------
#
# One a line: ERRNO COMMAND FIELD=VALUE... : NAME. The fields are those of "xenpf_pmem
# raw", changed from the tuple of the whole range; and bad=FRAME, what bad_mfn has to
# be. Without it that is ~0.

# What is wrong with the words around the tuple; COMMAND is added.
rows_words()
{
	cat <<-END
	EACCES interface_version=0x03000000 : another version of the platform interface
	EOPNOTSUPP version=0 : version 0
	EOPNOTSUPP version=2 : a version to come
	EINVAL flags=2 : a flag that nobody has
	EINVAL flags=0x80000000 : the last flag
	EINVAL pad=1 : pad
	EFAULT address=0x1000 : nothing at the address
	END
}

# What is wrong with the tuple, for QUERY and ADD.
rows_tuple()
{
	cat <<-END
	EINVAL index=1 : index
	EINVAL spfn=$((START - 1)) : spfn misaligned
	EINVAL epfn=$((END + 256)) : epfn misaligned
	EINVAL rsv_spfn=$((RSV + 1)) : rsv_spfn misaligned
	EINVAL rsv_epfn=$((RSV + CHUNK + 511)) : rsv_epfn misaligned
	EINVAL data_spfn=$((DATA + 1)) : data_spfn misaligned
	EINVAL data_epfn=$((END - 1)) : data_epfn misaligned
	EINVAL spfn=$END : an empty region
	EINVAL spfn=$((END + CHUNK)) : an inverted region
	EINVAL epfn=0 : a region that ends at 0
	EINVAL rsv_epfn=$RSV : an empty reserved area
	EINVAL rsv_epfn=$((RSV - CHUNK)) : an inverted reserved area
	EINVAL data_spfn=$END : no data
	EINVAL data_epfn=$((DATA - CHUNK)) : inverted data
	EINVAL rsv_spfn=$((START - CHUNK)) : a reserved area from before the region
	EINVAL rsv_epfn=$((END + CHUNK)) : a reserved area to behind the region
	EINVAL data_spfn=$((START - CHUNK)) : data from before the region
	EINVAL data_epfn=$((END + CHUNK)) : data to behind the region
	EINVAL rsv_epfn=$((DATA + CHUNK)) : the reserved area's end is data
	EINVAL data_spfn=$RSV : the data begin with the reserved area
	ERANGE epfn=0x10000000000 : an end that no CPU addresses
	ERANGE $LAST_FRAMES : the last frames of 64 bits
	ERANGE $(at $TOP) : the first frames above what this CPU addresses
	ERANGE $(at $((TOP - 2 * CHUNK)) $((TOP + CHUNK))) : one chunk above what it addresses
	END
}

# Where no region may be, for QUERY and ADD.
rows_place()
{
	cat <<-END
	EBUSY bad=0 $(at 0) : the first frames
	EBUSY bad=$((RAM_S)) $(at $RAM_S) : RAM
	EBUSY bad=$((RAM_LAST)) $(at $RAM_LAST) : the last chunk that has RAM, and what is behind
	EBUSY bad=$((RAM_LAST)) $(at $RAM_LAST $END) : from the last RAM to the end of the range
	EBUSY bad=0 $(at 0 $END) : from frame 0 to the end of the range
	EBUSY bad=$((0xfec00)) $(at 0xfec00) : the I/O APIC, the HPET and what is behind
	EBUSY bad=$((0xfee00)) $(at 0xfee00) : the local APIC and what is behind
	EBUSY bad=$((0xfee00)) flags=$UNLISTED $(at 0xfee00) : the same, vouched for
	ENODEV bad=$((HOLE)) $(at $HOLE) : a hole of the memory map
	ENODEV bad=$((HOLE)) $(at $START $((HOLE + CHUNK))) : one chunk too many at the end
	ENODEV bad=$((0xffc00)) $(at 0xffc00) : the firmware's, reserved
	END
	[ -z "$ECAM" ] || cat <<-END
	EBUSY bad=$((ECAM)) $(at $ECAM) : configuration space of PCI (MMCFG)
	EBUSY bad=$((ECAM)) flags=$UNLISTED $(at $ECAM) : the same, vouched for
	END
	[ -z "$BAR" ] || cat <<-END
	ENODEV bad=$((BAR)) $(at $BAR) : a BAR of a PCI device
	END
}

# Nothing is registered.
rows_without()
{
	rows_words | sed 's/ / query /; s/: /: R34 QUERY, /'
	rows_words | sed 's/ / add /; s/: /: R34 ADD, /'
	rows_words | sed 's/ / remove /; s/: /: R34 REMOVE, /'
	rows_words | sed 's/ / list /; s/: /: R34 LIST, /'
	rows_words | sed 's/ / claim /; s/: /: R34 CLAIM, /'
	rows_words | sed 's/ / unclaim /; s/: /: R34 UNCLAIM, /'
	rows_words | sed 's/ / guest /; s/: /: R34 GUEST, /'
	rows_words | sed 's/ / map /; s/: /: R34 MAP, /'
	rows_words | sed 's/ / unmap /; s/: /: R34 UNMAP, /'
	rows_tuple | sed 's/ / query /; s/: /: R34 QUERY, /'
	rows_tuple | sed 's/ / add /; s/: /: R34 ADD, /'
	rows_place | sed 's/ / query /; s/: /: R8 R19 QUERY, /'
	rows_place | sed 's/ / add /; s/: /: R8 R19 ADD, /'
	cat <<-END
	EOPNOTSUPP 9 : R34 the first unknown command
	EOPNOTSUPP 0xffff : R34 the last unknown command
	ENOSPC add rsv_epfn=$((DATA - CHUNK)) : R11 ADD, one chunk too little reserved
	ENOSPC add flags=$UNLISTED rsv_epfn=$((RSV + CHUNK)) : R11 ADD vouched for, one chunk only
	ENOENT remove : REMOVE of what was not added
	EINVAL remove flags=$UNLISTED : R34 REMOVE has no flag
	EINVAL remove index=1 : R34 REMOVE has no index
	EINVAL list flags=$UNLISTED : R34 LIST has no flag
	ENOENT claim : CLAIM of what was not added
	EINVAL claim flags=$UNLISTED : R34 CLAIM has no flag
	EINVAL claim index=1 : R34 CLAIM has no index
	ENOENT unclaim : UNCLAIM of what was not added
	EINVAL unclaim flags=$UNLISTED : R34 UNCLAIM has no flag
	EINVAL unclaim index=1 : R34 UNCLAIM has no index
	ENOENT guest : GUEST of what was not added
	EINVAL guest flags=$UNLISTED : R34 GUEST has no flag
	ENOENT map : MAP of what was not added
	EINVAL map flags=$UNLISTED : R34 MAP has no flag
	EINVAL map index=1 : R34 MAP has no index
	ENOENT unmap : UNMAP of what was not added
	EINVAL unmap flags=4 : R34 UNMAP has no flag
	EINVAL unmap index=1 : R34 UNMAP has no index
	ENOENT list index=0 : LIST of nothing
	ENOENT list index=0xffffffff : LIST past any end
	END
	# The number that a Xen without the operation does not know either.
	cat <<-END
	ENOSYS query op=0x504e : R22 the operation beside ours is none
	OK query : R11 QUERY of the whole range
	OK query flags=$UNLISTED : R7 QUERY of the whole range, vouched for
	OK query flags=$UNLISTED $(at $HOLE) : R7 QUERY of a hole that is vouched for
	END
	[ -z "$BAR" ] || cat <<-END
	OK query flags=$UNLISTED $(at $BAR) : R7 QUERY of a BAR that is vouched for
	END
}

# For a domain with access to one chunk in the middle.
rows_domain()
{
	cat <<-END
	EBUSY query bad=$MIDDLE : R19 QUERY, another domain may access a chunk
	EBUSY query flags=$UNLISTED bad=$MIDDLE : R19 QUERY, the same, vouched for
	EBUSY add bad=$MIDDLE : R19 ADD, another domain may access a chunk
	OK query $(at $START $MIDDLE) : R19 QUERY up to that chunk
	OK query $(at $((MIDDLE + CHUNK)) $END) : R19 QUERY from behind that chunk
	END
}

# For a domain whose access was revoked, and which has it mapped all the same.
rows_stale()
{
	cat <<-END
	EBUSY add bad=$MIDDLE : ADD, another domain's page tables have a frame
	OK query : QUERY does not look into page tables
	END
}

# For a mapping of dom0 into the reserved area.
rows_mapped()
{
	cat <<-END
	EBUSY add bad=$((DATA - 1)) : ADD, a mapping of the last reserved frame is left
	OK query : QUERY does not look into page tables
	END
}

# With the whole range registered.
rows_with()
{
	cat <<-END
	EEXIST add : R16 ADD again
	EEXIST add flags=$UNLISTED : R16 ADD again, vouched for
	EEXIST query : R16 QUERY of the region
	EEXIST query $(at $START) : R19 QUERY of its begin
	EEXIST query $(at $((END - 2 * CHUNK))) : R19 QUERY of its end
	EEXIST query $(at $MIDDLE) : R19 QUERY of its middle
	EEXIST add $(at $MIDDLE) : R19 ADD of its middle
	EEXIST query flags=1 $(at $((END - CHUNK)) $((END + CHUNK))) : R19 QUERY across its end
	EEXIST add rsv_epfn=$((DATA - CHUNK)) : R16 ADD with a smaller reserved area
	EEXIST add data_spfn=$((DATA + CHUNK)) : R16 ADD with fewer data
	EINVAL add flags=2 : R34 ADD again with a wrong flag
	ENOENT remove spfn=$((START + CHUNK)) : R16 REMOVE with a greater spfn
	ENOENT remove epfn=$((END - CHUNK)) data_epfn=$((END - CHUNK)) : R16 REMOVE, smaller epfn
	ENOENT remove rsv_epfn=$((DATA - CHUNK)) : R16 REMOVE with a smaller rsv_epfn
	ENOENT remove rsv_spfn=$START : R16 REMOVE with a smaller rsv_spfn
	ENOENT remove data_spfn=$((DATA + CHUNK)) : R16 REMOVE with a greater data_spfn
	ENOENT remove data_epfn=$((END - CHUNK)) : R16 REMOVE with a smaller data_epfn
	ENOENT remove $(at $START $END) : R16 REMOVE with another reserved area
	EINVAL remove pad=1 : R34 REMOVE of the region with pad
	EOPNOTSUPP remove version=2 : R34 REMOVE of the region with another version
	ENOENT claim spfn=$((START + CHUNK)) : R20 CLAIM with a greater spfn
	ENOENT unclaim data_spfn=$((DATA + CHUNK)) : R20 UNCLAIM with a greater data_spfn
	OK unclaim : R20 UNCLAIM of what is not claimed
	ENOENT guest index=0 : R20 GUEST, there is no other domain
	ESRCH map $(frames 1234 $MIDDLE) : R20 MAP to a domain that is not there
	EINVAL map $(frames 0 $MIDDLE) : R20 MAP to the control domain itself
	ENOENT unmap $(frames 0 $MIDDLE) : R20 UNMAP of what was not mapped
	OK list index=0 : R36 LIST of it
	ENOENT list index=1 : R36 LIST past the end
	END
}

# With it, and another domain which may access a chunk.
rows_with_domain()
{
	cat <<-END
	EBUSY remove bad=$MIDDLE : R15 REMOVE while another domain may access a chunk
	EBUSY claim bad=$MIDDLE : R20 CLAIM while another domain may access a chunk
	OK guest index=0 : R20 GUEST of that domain
	ENOENT guest index=1 : R20 GUEST past the end
	END
}

# A chunk at FRAME for a domain: frames DOMID FRAME [GFN].
frames()
{
	echo "domid=$1 guest_spfn=$(($2)) guest_epfn=$(($2 + CHUNK)) guest_gfn=$((${3:-$GFN}))"
}

# With it, and another domain, which has nothing.
rows_map()
{
	cat <<-END
	EINVAL map $(frames $DOMID $MIDDLE) guest_epfn=$MIDDLE : R20 MAP of no frame
	EINVAL map $(frames $DOMID $MIDDLE) guest_epfn=$DATA : R20 MAP of an inverted range
	EINVAL map $(frames $DOMID $((MIDDLE + 1))) : R20 MAP of a misaligned range
	EINVAL map $(frames $DOMID $MIDDLE) guest_epfn=$((MIDDLE + 1)) : R20 MAP of one frame
	EINVAL map $(frames $DOMID $MIDDLE $((GFN + 1))) : R20 MAP to a misaligned gfn
	EINVAL map $(frames $DOMID $((DATA - CHUNK))) : R20 MAP of the reserved area
	EINVAL map $(frames $DOMID $END) : R20 MAP of what is behind the region
	ERANGE map $(frames $DOMID $MIDDLE $TOP) : R20 MAP to where the domain cannot reach
	ERANGE map $(frames $DOMID $MIDDLE) guest_gfn=0xfffffffffffffe00 : R20 MAP to the last gfns
	ENOENT unmap $(frames $DOMID $MIDDLE) : R20 UNMAP, it has none
	END
}

# It has the chunk MIDDLE at GFN, and OTHER is one that has not.
rows_mapped_to()
{
	cat <<-END
	EBUSY map bad=$MIDDLE $(frames $OTHER $MIDDLE) : R20 MAP to a second domain
	EBUSY map bad=$MIDDLE $(frames $DOMID $MIDDLE $((GFN + CHUNK))) : R20 MAP to it once more
	EEXIST map bad=$GFN $(frames $DOMID $((MIDDLE + CHUNK))) : R20 MAP to where it has some
	EBUSY claim bad=$MIDDLE : R20 CLAIM of what a domain has by MAP
	EBUSY remove bad=$MIDDLE : R15 REMOVE of what a domain has by MAP
	OK guest index=0 : R20 GUEST of the mapping
	ENOENT guest index=1 : R20 GUEST past the end
	ENOENT unmap $(frames $OTHER $MIDDLE) : R20 UNMAP from the other domain
	ENOENT unmap $(frames $DOMID $MIDDLE $((GFN + CHUNK))) : R20 UNMAP from elsewhere
	ENOENT unmap $(frames $DOMID $((MIDDLE + CHUNK))) : R20 UNMAP of other frames
	END
}

# It has it by MAP, and somebody a reference to the second frame.
rows_mapped_held()
{
	cat <<-END
	EBUSY unmap bad=$((MIDDLE + 1)) $(frames $DOMID $MIDDLE) : R20 UNMAP while a frame is $1
	END
}

# The same, and the domain has gone, with its p2m: the mapping is in the way.
rows_leaving()
{
	cat <<-END
	EBUSY remove bad=$MIDDLE : R15 REMOVE of what a domain that has gone had by MAP
	END
}

# With it, and a mapping by dom0 or a grant of a data frame.
rows_held()
{
	cat <<-END
	EBUSY remove bad=$MIDDLE : R15 REMOVE while a frame is $1
	EBUSY map bad=$MIDDLE $(frames $DOMID $MIDDLE) : R20 MAP while a frame is $1
	END
}

# --- what they need ------------------------------------------------------------

# Of the last range of RAM below the persistent memory.
find_ram()
{
	set -- $(xenpf_pmem e820 | sed -n 's/spfn=\(.*\) epfn=\(.*\) type=1$/\1 \2/p' | tail -n 1)
	RAM_S=$(((($1) + CHUNK - 1) / CHUNK * CHUNK))
	RAM_LAST=$(((($2) - 1) / CHUNK * CHUNK))
}

# The first frame of a line of /proc/iomem, or of what follows it.
iomem_line()
{
	sed -n "s/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : $1.*/0x\\$2/p" /proc/iomem
}

find_places()
{
	local bits

	find_ram
	bits=$(sed -n 's/^address sizes.*: \([0-9]*\) bits physical.*/\1/p' /proc/cpuinfo |
		head -n 1)
	TOP=$((1 << (bits - 12)))
	# Nothing is between the last NVDIMM and the next multiple of 1 GiB.
	HOLE=$(iomem_line "Persistent Memory" 2 | tail -n 1)
	HOLE=$(((HOLE + 1) >> 12))
	ECAM=$(iomem_line "PCI ECAM" 1 | head -n 1)
	[ -z "$ECAM" ] || ECAM=$((ECAM >> 12))
	find_bar
	MIDDLE=$((((DATA + END) / 2) / CHUNK * CHUNK))
}

# A memory BAR that holds two aligned chunks: sets BAR, empty if there is none.
find_bar()
{
	local first last flags

	BAR=
	case $XEN_PMEM_TEST_BAR in
	"" | any) ;;
	*)
		BAR=$((0x${XEN_PMEM_TEST_BAR#0x}))
		return
		;;
	esac
	while read -r first last flags; do
		[ $((flags & 0x200)) -ne 0 ] || continue
		[ $((last - first + 1)) -ge $((4 << 20)) ] || continue
		[ $((first % (2 << 20))) -ne 0 ] || BAR=$((first >> 12))
	done <<-END
	$(cat /sys/bus/pci/devices/*/resource)
	END
}

# --- running them --------------------------------------------------------------

# state [brief]: the permitted I/O memory takes Xen's console, which takes time.
state()
{
	xenpf_pmem state "$@" 2>&1
}

same_state()
{
	[ "$(state $1)" = "$2" ]
}

# unchanged COMMAND: a call that writes nothing, QUERY or LIST, is looked at in brief;
# the rest of its state is compared after the next one that may. Freed memory may take
# Xen a moment. A change is told once, not by each row after.
unchanged()
{
	local old="$STATE"

	case $1 in
	"$ADD" | "$REMOVE")
		xp_wait 4 same_state "" "$STATE" && return
		;;
	*)
		xp_wait 4 same_state brief "$(echo "$STATE" | grep -v '^I/O Memory')" && return
		;;
	esac
	STATE=$(state)
	echo "state was:"
	echo "$old"
	echo "state is:"
	echo "$STATE"
	return 1
}

# Only for those which Xen got as far as to look at.
check_bad_frame()
{
	case $1 in
	EACCES | EFAULT | ENOSYS | EOPNOTSUPP | OK) ;;
	*) bad_frame "$2" ;;
	esac
}

number_of()
{
	case $1 in
	query) echo $QUERY ;;
	add) echo $ADD ;;
	remove) echo $REMOVE ;;
	list) echo $LIST ;;
	claim) echo $CLAIM ;;
	unclaim) echo $UNCLAIM ;;
	guest) echo $GUEST ;;
	map) echo $MAP ;;
	unmap) echo $UNMAP ;;
	*) echo "$1" ;;
	esac
}

# row ERRNO COMMAND FIELD=VALUE...
row()
{
	local errno="$1" cmd word bad=$NO_FRAME fields=

	cmd=$(number_of "$2")
	shift 2
	for word; do
		case $word in
		bad=*) bad=${word#bad=} ;;
		*) fields="$fields $word" ;;
		esac
	done
	if [ $errno = OK ]; then
		raw_op $cmd $fields || return 1
	else
		fails_with $errno raw_op $cmd $fields || {
			# An ADD that should not have been.
			[ $cmd != $ADD ] || remove_all
			unchanged $cmd
			return 1
		}
		check_bad_frame $errno $bad || return 1
	fi
	unchanged $cmd
}

# run_rows TABLE...: of the rows that the command prints.
run_rows()
{
	local words name

	"$@" >"$XP_TMP/rows"
	STATE=$(state)
	while IFS=: read -r words name <&3; do
		check "${name# }: ${words%% *}" row $words
	done 3<"$XP_TMP/rows"
	check "the state is the same after all of them" unchanged $ADD
}

run_domain()
{
	xenpf_pmem permit "$DOMID" "$(hex $MIDDLE)" "$(hex $CHUNK)" "$@" >/dev/null ||
		xp_say "domain $DOMID cannot be given access"
}

without_region()
{
	run_rows rows_without
	new_domain || xp_say "no domain can be made"
	run_domain
	run_rows rows_domain
	run_domain map
	xenpf_pmem revoke "$DOMID" "$(hex $MIDDLE)" "$(hex $CHUNK)" >/dev/null
	run_rows rows_stale
	xenpf_pmem destroy "$DOMID" >/dev/null
	[ -z "$PVH" ] || return
	hold io $((DATA - 1)) >/dev/null
	run_rows rows_mapped
	release
}

eagain()
{
	local third=$(((END - START) / 3 / CHUNK * CHUNK)) left

	tuple $START $((START + third)) $((16 * CHUNK))
	left=$TUPLE
	tuple $((END - third)) $END $((16 * CHUNK))
	xenpf_pmem race 20 $left $TUPLE >"$XP_TMP/race" || {
		cat "$XP_TMP/race"
		return 1
	}
	cat "$XP_TMP/race"
	[ "$(xp_value EAGAIN <"$XP_TMP/race")" -gt 0 ]
}

state_is()
{
	local found

	found=$(raw_op $QUERY "$@" | xp_value state)
	equal state "$found" "$STATE_EXPECTED"
}

# refused_domain ERRNO FRAME NR [map]: the domain DOMID is not given it.
refused_domain()
{
	fails_with "$1" xenpf_pmem permit "$DOMID" "$(hex "$2")" "$(hex "$3")" ${4:-}
}

is_claimed()
{
	xenpf_pmem list | grep -wc claimed=yes | grep -qx "$1"
}

# Six tests. dom0's own use and another domain's exclude each other.
claims()
{
	check "R20 CLAIM" xenpf_pmem claim $WHOLE
	check "R20 CLAIM again, and LIST tells" eval "xenpf_pmem claim $WHOLE && is_claimed 1"
	new_domain || xp_say "no domain can be made"
	check "R20 a domain gets no access to data that is claimed: EBUSY" \
		refused_domain EBUSY $MIDDLE $CHUNK
	check "R20 UNCLAIM, and LIST tells" eval "xenpf_pmem unclaim $WHOLE && is_claimed 0"
	check "R20 data is mapped by 2 MiB: one frame less is EINVAL" \
		refused_domain EINVAL $MIDDLE $((CHUNK - 1)) map
	check "R20 and so is a frame further on" \
		refused_domain EINVAL $((MIDDLE + 1)) $CHUNK map
	xenpf_pmem destroy "$DOMID" >/dev/null
}

held()
{
	new_domain || xp_say "no domain can be made"
	run_rows rows_held "$1"
	xenpf_pmem destroy "$DOMID" >/dev/null
	release
}

# of_mapping give|take: the chunk MIDDLE, for DOMID.
of_mapping()
{
	xenpf_pmem "$1" "$DOMID" $GFN "$(hex $MIDDLE)" "$(hex $((MIDDLE + CHUNK)))" $WHOLE
}

# has_mapping TEXT: it is the first that GUEST tells of, in whole.
has_mapping()
{
	equal guests "$(xenpf_pmem guests $WHOLE | head -n 1 | sed 's/ *$//')" "$1"
}

# The mapping is still told of when its domain is gone, for dom0 has a frame; then not.
leaving()
{
	local line

	line="domid=$DOMID guest_spfn=$(hex $MIDDLE) guest_epfn=$(hex $((MIDDLE + CHUNK)))"
	hold d$DOMID $(hex $((GFN + 1))) >/dev/null
	run_rows rows_mapped_held "mapped by dom0"
	xenpf_pmem destroy "$DOMID" >/dev/null
	check "R20 of a domain that has gone what is referenced stays, GUEST tells" \
		has_mapping "$line guest_gfn=$(hex $GFN) leaving=yes"
	run_rows rows_leaving
	DOMID=$OTHER
	check "R20 and is given to no other domain: EBUSY" fails_with EBUSY of_mapping give
	release
	check "R20 with the reference the mapping goes" xp_wait 4 has_mapping ""
}

# Another domain has data by MAP.
mappings()
{
	new_domain || xp_say "no domain can be made"
	run_rows rows_map
	OTHER=$DOMID
	new_domain || xp_say "no domain can be made"
	check "R20 MAP" of_mapping give
	run_rows rows_mapped_to
	check "R20 the other domain gets no access to these frames: EBUSY" fails_with EBUSY \
		xenpf_pmem permit "$OTHER" "$(hex $MIDDLE)" "$(hex $CHUNK)"
	check "R20 UNMAP, and GUEST tells" eval "of_mapping take && has_mapping ''"
	check "R20 MAP again" of_mapping give
	if [ -n "$PVH" ]; then
		xenpf_pmem destroy "$DOMID" >/dev/null
		check "R20 with its domain the mapping goes" xp_wait 4 has_mapping ""
	else
		leaving
	fi
	xenpf_pmem destroy "$OTHER" >/dev/null
}

with_region()
{
	check "R18 ADD of the whole range" xenpf_pmem add $WHOLE
	run_rows rows_with
	STATE_EXPECTED=active
	check "R16 QUERY of the very region tells that it is active" state_is
	STATE_EXPECTED=none
	check "R16 QUERY of a part of it tells no state" state_is $(at $MIDDLE)
	claims
	mappings
	new_domain || xp_say "no domain can be made"
	run_domain
	run_rows rows_with_domain
	xenpf_pmem destroy "$DOMID" >/dev/null
	hold_grant $MIDDLE >/dev/null
	held "mapped by a grant"
	if [ -z "$PVH" ]; then
		hold self $MIDDLE >/dev/null
		held "mapped by dom0"
	fi
	check "R28 REMOVE of it" xenpf_pmem remove $WHOLE
	check "EAGAIN while another tuple is in progress" eagain
}

plan()
{
	local n

	n=$(($({ rows_without; rows_domain; rows_stale; } | grep -c .) + 3))
	[ -n "$PVH" ] || n=$((n + $(rows_mapped | grep -c .) + 1))
	if [ "$XEN_PMEM_ERRNO" != refused ]; then
		n=$((n + $({ rows_with; rows_with_domain; rows_held x; } | grep -c .) + 3 + 5 + 6))
		n=$((n + $({ rows_map; rows_mapped_to; } | grep -c .) + 2 + 5))
		# Frames that dom0 maps: rows_held once more, and those of "leaving".
		[ -n "$PVH" ] ||
			n=$((n + $({ rows_held x; rows_mapped_held x; rows_leaving; } |
				grep -c .) + 3 + 2))
	fi
	[ -z "$XEN_PMEM_TEST_BAR" ] || n=$((n + 1))
	echo $n
}

need_operation
need_range
whole
find_places
[ "$XEN_PMEM_ERRNO" = refused ] || load_grant ||
	xp_skip "test_modules/xen_pmem_grant.ko is not there or does not load"
xp_at_exit remove_all
# Xen allocates once for all what the first call of a kind takes.
new_domain && xenpf_pmem destroy "$DOMID" >/dev/null

xp_begin "$(plan)"
[ -z "$XEN_PMEM_TEST_BAR" ] ||
	check "there is a PCI device with a memory BAR of 4 MiB or more" [ -n "$BAR" ]
without_region
[ "$XEN_PMEM_ERRNO" = refused ] || with_region
ktap_finished
