/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: what the rest of Xen needs to know.
 */

#ifndef ASM_X86_PMEM_H
#define ASM_X86_PMEM_H

#include <xen/errno.h>
#include <xen/types.h>

struct domain;
struct xenpf_pmem;

#ifdef CONFIG_XEN_PMEM

/*
 * XENPF_pmem.  To be called with the lock of platform operations held.
 * Returns -ERESTART if a continuation is needed; the state is kept in Xen.
 */
int pmem_op(struct xenpf_pmem *op);

/*
 * Is [spfn, epfn) in the reserved area of a region?  Access to it is denied while
 * Xen runs; that is no property of the machine, and of no concern to a kernel which
 * is started next by kexec.
 */
bool pmem_reserves(unsigned long spfn, unsigned long epfn);

/* May [spfn, epfn) become RAM?  Locking as above. */
int pmem_check_hotadd(unsigned long spfn, unsigned long epfn);

/*
 * Of the persistent memory that a domain was given as RAM by XENPF_PMEM_MAP: has it
 * any, after which Xen's log says so; and when it dies it drops it all.  The latter is
 * called with domctl_lock held, the domain's lock having been waited for, until it does
 * not return -ERESTART any more.
 */
bool pmem_is_mapped(const struct domain *d);
int pmem_relinquish(struct domain *d);

/*
 * Identity-map what the firmware calls persistent memory, for a PVH hardware
 * domain under construction.
 */
void pmem_map_hwdom(struct domain *d);

#else /* !CONFIG_XEN_PMEM */

static inline int pmem_op(struct xenpf_pmem *op)
{
    return -ENOSYS;
}

static inline bool pmem_reserves(unsigned long spfn, unsigned long epfn)
{
    return false;
}

static inline int pmem_check_hotadd(unsigned long spfn, unsigned long epfn)
{
    return 0;
}

static inline bool pmem_is_mapped(const struct domain *d)
{
    return false;
}

static inline int pmem_relinquish(struct domain *d)
{
    return 0;
}

static inline void pmem_map_hwdom(struct domain *d) {}

#endif /* CONFIG_XEN_PMEM */

#endif /* ASM_X86_PMEM_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
