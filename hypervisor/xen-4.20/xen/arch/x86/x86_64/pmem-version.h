/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: what differs between versions of Xen,
 * for 4.20.
 */

#ifndef X86_64_PMEM_VERSION_H
#define X86_64_PMEM_VERSION_H

#include <xen/sched.h>
#include <xen/xvmalloc.h>

/*
 * While this is held nobody gets access to MMIO from @d, or takes it away.  If
 * false it is not held, and the caller is to come again with a continuation.
 */
static inline bool pmem_lock_caps(struct domain *d)
{
    write_lock(&d->caps_lock);

    return true;
}

static inline void pmem_unlock_caps(struct domain *d)
{
    write_unlock(&d->caps_lock);
}

/* Is this kind of hardware domain kept from the reserved area? */
static inline bool pmem_supports(const struct domain *d)
{
    return true;
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
