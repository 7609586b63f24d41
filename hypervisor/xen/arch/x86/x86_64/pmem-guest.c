/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: frames of data that other domains are
 * given as I/O memory, by domctls of the toolstack (iomem= of xl).
 *
 * What the hardware domain has claimed no other domain is given, nor what another one
 * has.  To map data takes access to it, and there none has any: so mapping needs no
 * check of its own.
 *
 * Data is mapped by whole chunks: a terabyte by small entries would take 2 GiB of
 * the guest's page tables, and no entry is to be of both kinds of memory.
 */

#include <xen/iocap.h>
#include <xen/mm.h>
#include <xen/pmem.h>
#include <xen/sched.h>

#include "pmem-internal.h"

/* Two domains are not given the same frames at the same time. */
static DEFINE_SPINLOCK(access_lock);

/* Does the hardware domain use data that is in [spfn, epfn)? */
static int check_claims(const struct domain *d, unsigned long spfn,
                        unsigned long epfn)
{
    struct pmem_range r;

    if ( !pmem_find_data(spfn, epfn, true, &r) )
        return 0;

    printk(XENLOG_G_WARNING
           "pmem: %pd gets no access to [%lx, %lx): %pd itself uses the data [%lx, %lx); disable its nested namespace there first\n",
           d, spfn, epfn, hardware_domain, r.data_spfn, r.data_epfn);

    return -EBUSY;
}

/* Does another domain than @d have one of these frames of data? */
static int check_data(const struct domain *d, unsigned long spfn,
                      unsigned long epfn)
{
    unsigned long mfn;
    domid_t domid;

    if ( pmem_check_mappings(spfn, epfn, &mfn) )
        return -EBUSY;

    domid = pmem_find_access(d, spfn, epfn, &mfn);
    if ( domid == DOMID_INVALID )
        return 0;

    printk(XENLOG_G_WARNING
           "pmem: %pd gets no access to frame %lx: d%u may access it, and one domain at a time does; destroy that one first, or correct iomem=\n",
           d, mfn, domid);

    return -EBUSY;
}

static int check_access(const struct domain *d, unsigned long spfn,
                        unsigned long epfn)
{
    struct pmem_range r;
    int rc = check_claims(d, spfn, epfn);

    while ( !rc && spfn < epfn && pmem_find_data(spfn, epfn, false, &r) )
    {
        rc = check_data(d, max(spfn, r.data_spfn), min(epfn, r.data_epfn));
        spfn = r.data_epfn;
    }

    return rc;
}

int pmem_permit_access(struct domain *d, unsigned long mfn, unsigned long nr)
{
    int rc = 0;

    spin_lock(&access_lock);
    if ( d != hardware_domain )
        rc = check_access(d, mfn, mfn + nr);
    if ( !rc )
        rc = iomem_permit_access(d, mfn, mfn + nr - 1);
    spin_unlock(&access_lock);

    return rc;
}

/*
 * A mapping is made by several calls, each of which goes on where the one before
 * ended.  That need not be at a chunk's boundary.
 */
static bool goes_on(struct domain *d, unsigned long gfn, unsigned long mfn,
                    unsigned long nr)
{
    return !(((gfn + nr) | (mfn + nr)) & (PMEM_CHUNK - 1)) &&
           gfn && mfn && pmem_p2m_has(d, gfn - 1, mfn - 1);
}

int pmem_check_mapping(struct domain *d, unsigned long gfn, unsigned long mfn,
                       unsigned long nr)
{
    unsigned long at = gfn;
    struct pmem_range r;

    if ( d == hardware_domain || !pmem_find_data(mfn, mfn + nr, false, &r) )
        return 0;

    if ( ((gfn | mfn | nr) & (PMEM_CHUNK - 1)) && !goes_on(d, gfn, mfn, nr) )
    {
        printk(XENLOG_G_WARNING
               "pmem: %pd: %lx frames from %lx at gfn %lx have data of [%lx, %lx): each of these three numbers has to be a multiple of %lx, correct iomem=\n",
               d, nr, mfn, gfn, r.data_spfn, r.data_epfn, PMEM_CHUNK);
        return -EINVAL;
    }

    if ( !pmem_p2m_is_free(d, &at, mfn, nr) )
    {
        printk(XENLOG_G_WARNING
               "pmem: %pd: %lx frames from %lx at gfn %lx have data of [%lx, %lx): the domain has something else at gfn %lx, put them above its memory, by iomem=\n",
               d, nr, mfn, gfn, r.data_spfn, r.data_epfn, at);
        return -EEXIST;
    }

    return 0;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
