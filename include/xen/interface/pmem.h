/* SPDX-License-Identifier: MIT */
/*
 * pmem.h
 *
 * Registration of host persistent memory with the hypervisor.
 *
 * This text is the one source of the interface.  Xen's copy,
 * xen/include/public/pmem.h, is made from it by hypervisor/public-header.
 */

#ifndef __XEN_PUBLIC_PMEM_H__
#define __XEN_PUBLIC_PMEM_H__

/*
 * XENPF_pmem: hand a range of persistent memory to Xen, look at what has been
 * handed over, or take it back.
 *
 * A region is the frame range [spfn, epfn).  It contains two disjoint ranges:
 * [rsv_spfn, rsv_epfn), the reserved area, in which Xen builds the frame table
 * and the M2P entries of the whole region, and [data_spfn, data_epfn), whose
 * frames then belong to the hardware domain: they can be mapped write-back,
 * granted and used for DMA.  Frames of the region in neither range keep being
 * MMIO to the hardware domain.  The six numbers identify a region; all are
 * multiples of 512 frames (2 MiB).
 *
 * Before ADD was accepted Xen neither reads nor writes any frame of the region.
 * ADD and REMOVE write to the reserved area and to nothing else.  After ADD the
 * hardware domain cannot map the reserved area until REMOVE has returned 0, so
 * it has to drop every mapping of it first.
 *
 * The number is private and far from the numbers in use, so that a hypervisor
 * without this operation answers -ENOSYS.  Only the hardware domain may issue
 * it.  The structure has the same layout for 32-bit and 64-bit callers.
 *
 * Other domains can be given data in one of two ways: as I/O memory, by the domctls
 * of a toolstack, or as RAM, by MAP.
 *
 * ADD, REMOVE, CLAIM, MAP and UNMAP are preemptible: the same call is continued by
 * Xen itself, and may be continued by a later call with the same tuple if it was
 * interrupted.
 *
 * Errors common to all commands:
 *  -ENOSYS      Xen has no such operation
 *  -EPERM       the caller is not the hardware domain, or XSM denies it
 *  -EOPNOTSUPP  unknown cmd or version, or a range that PDX compression cannot
 *               express
 *  -EINVAL      flags that the command does not have, or pad not 0; an empty,
 *               inverted or misaligned range; reserved area or data outside of the
 *               region, or overlapping
 *  -ERANGE      the region ends above what Xen can address
 *  -EFAULT      the structure could not be copied; the command may have been
 *               carried out, QUERY tells
 */
#define XENPF_pmem			0x504d

#define XENPF_PMEM_VERSION		1

/*
 * Flag of QUERY and ADD: the hardware domain vouches for the range to be persistent
 * memory, although none of the firmware's static tables says so.  That is the case
 * of an NVDIMM which was plugged in while the system runs (ACPI's _FIT method) and
 * of CXL memory; Xen cannot tell either from a BAR of a device.
 */
#define XENPF_PMEM_UNLISTED		0x1

/*
 * QUERY: would ADD of this tuple be accepted, and how large a reserved area
 * does it take?  Changes nothing.  rsv_need and rsv_max are set if the result is
 * 0; rsv_need may be 0, where other regions brought all of it.  The reserved area
 * is not compared with them: [rsv_spfn, rsv_epfn) may be any 2 MiB of the region
 * when all that is wanted is the size.  The record sizes are set whenever version
 * is understood, also if the result is an error.
 *
 *  -EEXIST      part of the range is registered; state is not
 *               XENPF_PMEM_STATE_NONE if it is this very tuple
 *  -EBUSY       part of the range is RAM or otherwise in use: by Xen, by ACPI,
 *               as MMIO that the hardware domain may not access, or by another
 *               domain; bad_mfn is the first such frame
 *  -ENODEV      part of the range is persistent memory by neither NFIT nor the
 *               memory map, and XENPF_PMEM_UNLISTED was not given; bad_mfn is the
 *               first such frame
 */
#define XENPF_PMEM_QUERY		0

/*
 * ADD: build the metadata and hand the data to the hardware domain.  On any
 * error nothing is left changed outside the reserved area.
 *
 * As for QUERY, and:
 *  -EBUSY       a mapping of the reserved area is left in a page table, or one of
 *               any frame in those of another domain; bad_mfn is the frame, and Xen's
 *               log names the domain
 *  -ENOSPC      the reserved area is smaller than rsv_need; nothing was written
 *  -ENOMEM      no memory for the region or its page tables; or an ADD that failed
 *               could not give the reserved area back: the same call does so
 *  -EAGAIN      another command has not been completed
 *  others       the IOMMU's, if data could not be mapped for DMA
 */
#define XENPF_PMEM_ADD			1

/*
 * REMOVE: take the region back.  The contents of the data frames are kept.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EBUSY       a data frame is granted or otherwise referenced, which its mappings
 *               by a PV hardware domain are, and those by a PVH one are not; or
 *               another domain may access it or maps it, or has it by MAP (bad_mfn is
 *               the first such frame, Xen's log names the domain);
 *               or another region's metadata is in this reserved area (bad_mfn
 *               is that region's first frame); or a 32-bit PV domain uses compat
 *               M2P that is there (bad_mfn is ~0)
 *  -ENOMEM      the reserved area could not be given back: the same call does so
 *  -EAGAIN      another command has not been completed
 */
#define XENPF_PMEM_REMOVE		2

/*
 * LIST: describe the region number @index, counting from 0.  Sets the tuple,
 * flags, rsv_used and state.
 *
 *  -ENOENT      there are no more than @index regions
 */
#define XENPF_PMEM_LIST			3

/* Flag that LIST sets: the hardware domain has claimed the data. */
#define XENPF_PMEM_CLAIMED		0x2

/*
 * CLAIM: the hardware domain is going to use the data itself, so that no other
 * domain may have any of it.  Until UNCLAIM, or until REMOVE has returned 0,
 * XEN_DOMCTL_iomem_permission does not allow another domain access to a frame of the
 * data, and MAP gives it none: it is -EBUSY.  A region is not claimed after ADD.  To claim
 * it again changes nothing.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EBUSY       another domain may access a frame of the data, maps one, or has one by
 *               MAP; bad_mfn is the first such frame, and Xen's log names the domain
 *  -EAGAIN      another command has not been completed
 */
#define XENPF_PMEM_CLAIM		4

/*
 * UNCLAIM: other domains may be given the data again.  Without a claim this does
 * nothing.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EAGAIN      a command for this tuple has not been completed
 */
#define XENPF_PMEM_UNCLAIM		5

/*
 * GUEST: what is the number @index, counting from 0, of what other domains have of the
 * data?  First come the mappings of MAP, one by one, with flags set to
 * XENPF_PMEM_MAPPED; then the domains that may access data as I/O memory.  Sets domid,
 * guest_spfn and guest_epfn, and guest_gfn of a mapping: of a domain with access these
 * are the first frames that it may access, and there may be more behind a gap.  After
 * UNMAP, or the end of the domain, a mapping is there as long as others hold references
 * to its frames; its flags then have XENPF_PMEM_LEAVING, too.
 *
 *  -ENOENT      no region is registered under this tuple, or there is no more than that
 */
#define XENPF_PMEM_GUEST		6

/* Flags that GUEST sets. */
#define XENPF_PMEM_MAPPED		0x4
#define XENPF_PMEM_LEAVING		0x8

/*
 * MAP: give the frames [guest_spfn, guest_epfn) of the data to the domain domid, as
 * RAM at guest_gfn and up: it owns them then, with their contents, and can grant them
 * and use them for DMA and hypercalls.  The hardware domain, which may still map them
 * as it may any frame of that domain, gets them back by UNMAP or when the domain ends;
 * Xen never writes to them.  They do not count as memory of the domain.  All three
 * numbers are multiples of 512.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EINVAL      an empty, inverted or misaligned range, or one that is not all data; or
 *               the domain is the hardware domain
 *  -ESRCH       there is no such domain, or it is going
 *  -EOPNOTSUPP  the domain has no hardware-assisted paging of its own (PV, shadow)
 *  -ERANGE      the range ends above what the domain can address
 *  -EBUSY       the hardware domain has claimed the data or holds a reference to a
 *               frame, or another domain may access one or has one by MAP; bad_mfn is
 *               the first such frame, and Xen's log names the domain.  Or the domain's
 *               dirty pages are tracked, as for its migration (bad_mfn is ~0)
 *  -EEXIST      the domain has something else there; bad_mfn is that gfn
 *  -ENOMEM      no memory for page tables; nothing was given
 *  -EAGAIN      another command has not been completed
 */
#define XENPF_PMEM_MAP			7

/*
 * UNMAP: take back, and out of the domain's physical address space, what one MAP gave:
 * guest_spfn, guest_epfn, domid and guest_gfn are those of MAP.
 *
 *  -ENOENT      no region is registered under this tuple, or it has no such mapping
 *  -EBUSY       a frame is granted or otherwise referenced, and bad_mfn is the first;
 *               the domain has all of them still
 *  -ESRCH       the domain is going: its frames come back by themselves
 *  -EAGAIN      another command has not been completed
 */
#define XENPF_PMEM_UNMAP		8

#define XENPF_PMEM_STATE_NONE		0
#define XENPF_PMEM_STATE_ADDING		1
#define XENPF_PMEM_STATE_ACTIVE		2
#define XENPF_PMEM_STATE_REMOVING	3

struct xenpf_pmem {
	/* IN variables. */
	u16 cmd;		/* XENPF_PMEM_* */
	u16 version;		/* XENPF_PMEM_VERSION */
	u32 flags;		/* XENPF_PMEM_UNLISTED, else 0; OUT of LIST and GUEST */
	/* IN variables; OUT variables of LIST.  Frames, [s, e). */
	u64 spfn;
	u64 epfn;
	u64 rsv_spfn;
	u64 rsv_epfn;
	u64 data_spfn;
	u64 data_epfn;
	/* OUT variables. */
	u64 rsv_need;		/* frames of reserved area that ADD takes now */
	u64 rsv_max;		/* the same if no other region were registered */
	u64 rsv_used;		/* frames of reserved area in use */
	u64 bad_mfn;		/* with an error: a frame in the way, or ~0 */
	u16 page_info_size;	/* bytes of frame table per frame */
	u16 m2p_size;		/* bytes of M2P per frame */
	u16 compat_m2p_size;	/* bytes of compat M2P per frame, 0 if none */
	u16 state;		/* XENPF_PMEM_STATE_* */
	/* IN variables. */
	u32 index;		/* of LIST and GUEST, else 0 */
	u16 pad;		/* 0 */
	/* IN variables of MAP and UNMAP, OUT variables of GUEST. */
	u16 domid;
	u64 guest_spfn;		/* frames, [s, e) */
	u64 guest_epfn;
	u64 guest_gfn;		/* where guest_spfn is in the domain */
};

#endif /* __XEN_PUBLIC_PMEM_H__ */
