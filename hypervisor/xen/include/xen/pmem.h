/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: what a domain may be given of it.
 */

#ifndef XEN_PMEM_H
#define XEN_PMEM_H

#include <xen/iocap.h>
#include <xen/types.h>

struct domain;

#ifdef CONFIG_XEN_PMEM

/*
 * Permit @d to access, or look whether it may map at @gfn, the @nr frames from @mfn
 * on, which may be anything.  To be called with the lock of the access rights of the
 * current domain held, after that was found to have access; @d has it before it maps.
 *
 *  -EBUSY   the hardware domain has claimed some of them, or another domain has some
 *  -EINVAL  some are data of persistent memory, and not all is aligned to 2 MiB
 *  -EEXIST  some are, and @d has something else at @gfn
 *  others   those of iomem_permit_access()
 *
 * Xen's log then names the domain.
 */
int pmem_permit_access(struct domain *d, unsigned long mfn, unsigned long nr);
int pmem_check_mapping(struct domain *d, unsigned long gfn, unsigned long mfn,
                       unsigned long nr);

#else /* !CONFIG_XEN_PMEM */

static inline int pmem_permit_access(struct domain *d, unsigned long mfn,
                                     unsigned long nr)
{
    return iomem_permit_access(d, mfn, mfn + nr - 1);
}

static inline int pmem_check_mapping(struct domain *d, unsigned long gfn,
                                     unsigned long mfn, unsigned long nr)
{
    return 0;
}

#endif /* CONFIG_XEN_PMEM */

#endif /* XEN_PMEM_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
