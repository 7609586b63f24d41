/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: what differs between versions of Xen,
 * for 4.17.
 */

#ifndef X86_64_PMEM_VERSION_H
#define X86_64_PMEM_VERSION_H

#include <xen/domain.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/pdx.h>
#include <xen/xmalloc.h>

#include <asm/paging.h>

#define ROUNDDOWN(x, a)     ((x) & ~((a) - 1))

#define l1e_read            l1e_read_atomic
#define xvzalloc            xzalloc
#define xvfree              xfree

/* Compression always is that of 4.20's CONFIG_PDX_COMPRESSION, off if no bit is. */
static inline bool pdx_is_region_compressible(paddr_t base,
                                              unsigned long npages)
{
    unsigned long pfn = paddr_to_pfn(base);

    return !(pfn & pfn_hole_mask) &&
           !((pfn ^ (pfn + npages - 1)) & ~pfn_pdx_bottom_mask);
}

/*
 * While this is held nobody gets access to MMIO from @d, or takes it away.  If
 * false it is not held, and the caller is to come again with a continuation.
 *
 * Here access changes in domctls only, of which there is one at a time.  One that
 * waits for our vCPU to be paused holds the lock: so never wait for it.
 */
static inline bool pmem_lock_caps(struct domain *d)
{
    return domctl_lock_acquire();
}

static inline void pmem_unlock_caps(struct domain *d)
{
    domctl_lock_release();
}

/*
 * Is this kind of hardware domain kept from the reserved area?  If it has a p2m,
 * vPCI would map there whatever BAR it moves there, without asking for access.
 */
static inline bool pmem_supports(const struct domain *d)
{
    return !paging_mode_translate(d);
}

#endif /* X86_64_PMEM_VERSION_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
