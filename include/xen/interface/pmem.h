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
 * ADD, REMOVE and CLAIM are preemptible: the same call is continued by Xen itself,
 * and may be continued by a later call with the same tuple if it was interrupted.
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
 *  -EAGAIN      an ADD, REMOVE or CLAIM of another tuple has not been completed
 *  others       the IOMMU's, if data could not be mapped for DMA
 */
#define XENPF_PMEM_ADD			1

/*
 * REMOVE: take the region back.  The contents of the data frames are kept.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EBUSY       a data frame is granted or otherwise referenced, which its mappings
 *               by a PV hardware domain are, and those by a PVH one are not; or
 *               another domain may access it or maps it (bad_mfn is the first such
 *               frame, Xen's log names the domain);
 *               or another region's metadata is in this reserved area (bad_mfn
 *               is that region's first frame); or a 32-bit PV domain uses compat
 *               M2P that is there (bad_mfn is ~0)
 *  -ENOMEM      the reserved area could not be given back: the same call does so
 *  -EAGAIN      an ADD, REMOVE or CLAIM of another tuple has not been completed
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
 * domain may have any of it as I/O memory.  Until UNCLAIM, or until REMOVE has
 * returned 0, XEN_DOMCTL_iomem_permission does not allow another domain access to
 * a frame of the data: it is -EBUSY.  A region is not claimed after ADD.  To claim
 * it again changes nothing.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EBUSY       another domain may access a frame of the data or maps one; bad_mfn is
 *               the first such frame, and Xen's log names the domain
 *  -EAGAIN      an ADD or REMOVE, or a CLAIM of another tuple, has not been completed
 */
#define XENPF_PMEM_CLAIM		4

/*
 * UNCLAIM: other domains may be given the data again.  Without a claim this does
 * nothing.
 *
 *  -ENOENT      no region is registered under this tuple
 *  -EAGAIN      an ADD, REMOVE or CLAIM of this tuple has not been completed
 */
#define XENPF_PMEM_UNCLAIM		5

/*
 * GUEST: which other domain is the number @index, counting from 0, of those that
 * may access data of the region as I/O memory?  Sets domid, and guest_spfn and
 * guest_epfn: the first frames of the data that it may access.  There may be more
 * of them behind a gap.
 *
 *  -ENOENT      no region is registered under this tuple, or there are no more than
 *               @index such domains
 */
#define XENPF_PMEM_GUEST		6

#define XENPF_PMEM_STATE_NONE		0
#define XENPF_PMEM_STATE_ADDING		1
#define XENPF_PMEM_STATE_ACTIVE		2
#define XENPF_PMEM_STATE_REMOVING	3

struct xenpf_pmem {
	/* IN variables. */
	u16 cmd;		/* XENPF_PMEM_* */
	u16 version;		/* XENPF_PMEM_VERSION */
	u32 flags;		/* XENPF_PMEM_UNLISTED, else 0; OUT variable of LIST */
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
	u64 bad_mfn;		/* with -EBUSY, -ENODEV: a frame in the way, or ~0 */
	u64 guest_spfn;		/* of GUEST, frames, [s, e) */
	u64 guest_epfn;
	u16 page_info_size;	/* bytes of frame table per frame */
	u16 m2p_size;		/* bytes of M2P per frame */
	u16 compat_m2p_size;	/* bytes of compat M2P per frame, 0 if none */
	u16 state;		/* XENPF_PMEM_STATE_* */
	/* IN variables. */
	u32 index;		/* of LIST and GUEST, else 0 */
	u16 pad;		/* 0 */
	/* OUT variable. */
	u16 domid;		/* of GUEST */
};

#endif /* __XEN_PUBLIC_PMEM_H__ */
