/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: mappings from the time before.
 *
 * While a frame is MMIO a PV domain's page table entry, and any domain's p2m entry,
 * takes no reference to it.  So nothing that is counted tells whether one is left,
 * and ADD looks: at the page tables of all PV domains, and at the p2m of all
 * others.  Refused are
 *
 *  - any mapping of the reserved area, through which Xen's metadata could be
 *    written to,
 *  - any mapping by a domain other than the hardware domain.  That one may be left
 *    after access was revoked, which does not undo mappings.
 *
 * What is left is the hardware domain's own mapping of data.  When it is undone,
 * the reference it never took is dropped: see pmem_put_last().
 *
 * Of the reserved area the answer stays true.  Before, the hardware domain's access
 * to it was taken away, no other domain was found to have any, and all CPUs have
 * been through a quiescent state since: no new mapping can be made, and none is
 * half way done.  Of data it is true of that time: a toolstack may still map some
 * for a domain and then revoke the access, but that maps no metadata.
 *
 * REMOVE looks at the p2ms, as the entries there are never counted, and so does
 * CLAIM, of data only.
 */

#include <xen/domain_page.h>
#include <xen/mm.h>
#include <xen/rcupdate.h>
#include <xen/sched.h>

#include <asm/page.h>
#include <asm/paging.h>
#include <asm/shadow.h>

#include "pmem-internal.h"

/* One call looks at this many frames or page table entries. */
#define AUDIT_BATCH         PDX_GROUP_COUNT

/* What a domain must not have a mapping of. */
static void off_limits(const struct pmem_region *p, const struct domain *d,
                       unsigned long *spfn, unsigned long *epfn)
{
    bool hwdom = d == hardware_domain;

    if ( p->mapping )
    {
        pmem_mapping_range(p->mapping, spfn, epfn);
        return;
    }

    if ( p->claiming )
    {
        *spfn = p->r.data_spfn;
        *epfn = p->r.data_epfn;
        return;
    }

    *spfn = hwdom ? p->r.rsv_spfn : p->r.spfn;
    *epfn = hwdom ? p->r.rsv_epfn : p->r.epfn;
}

static int found(struct pmem_region *p, const struct domain *d,
                 unsigned long pfn)
{
    printk(XENLOG_G_WARNING "pmem: %pd still maps frame %lx\n", d, pfn);
    p->bad = pfn;

    return -EBUSY;
}

#ifdef CONFIG_PV

static bool is_l1_table(const struct page_info *pg)
{
    unsigned long type = read_atomic(&pg->u.inuse.type_info);

    return (type & PGT_count_mask) &&
           (type & (PGT_type_mask | PGT_validated)) ==
           (PGT_l1_page_table | PGT_validated);
}

static int audit_table(struct pmem_region *p, struct page_info *pg,
                       const struct domain *d)
{
    unsigned long spfn, epfn, pfn = 0;
    const l1_pgentry_t *table = __map_domain_page(pg);
    unsigned int i;

    off_limits(p, d, &spfn, &epfn);

    for ( i = 0; i < L1_PAGETABLE_ENTRIES; i++ )
    {
        l1_pgentry_t l1e = l1e_read(&table[i]);

        pfn = l1e_get_pfn(l1e);
        if ( (l1e_get_flags(l1e) & _PAGE_PRESENT) && pfn >= spfn &&
             pfn < epfn )
            break;
    }

    unmap_domain_page(table);

    /* If it stopped to be a page table, what was read may have been anything. */
    return i < L1_PAGETABLE_ENTRIES && is_l1_table(pg) ? found(p, d, pfn) : 0;
}

/* The type may belong to a frame that is free: then there is no reference. */
static int audit_frame(struct pmem_region *p, struct page_info *pg,
                       unsigned int *left)
{
    const struct domain *d;
    int rc = 0;

    if ( !is_l1_table(pg) || !(d = page_get_owner_and_reference(pg)) )
        return 0;

    if ( is_l1_table(pg) )
    {
        *left -= min(*left, L1_PAGETABLE_ENTRIES + 0U);
        rc = audit_table(p, pg, d);
    }
    put_page(pg);

    return rc;
}

/*
 * From p->cursor, a frame number, on.  Returns 0 at the end, -ERESTART before it,
 * -EBUSY with the frame in p->bad.
 */
int pmem_audit_tables(struct pmem_region *p)
{
    unsigned int left = AUDIT_BATCH;
    const struct pmem_region *q;
    int rc;

    while ( p->cursor < max_page )
    {
        unsigned long pfn = p->cursor;

        if ( !left )
            return -ERESTART;
        left--;

        if ( !pmem_group_valid(pmem_group(pfn)) )
            p->cursor = pmem_group_pfn(pmem_group(pfn) + 1);
        else if ( (q = pmem_find_overlap(pfn, pfn + 1)) != NULL )
            p->cursor = q->r.epfn;
        else
        {
            rc = audit_frame(p, mfn_to_page(_mfn(pfn)), &left);
            if ( rc )
                return rc;
            p->cursor++;
        }
    }

    return 0;
}

#else /* !CONFIG_PV */

int pmem_audit_tables(struct pmem_region *p)
{
    return 0;
}

#endif /* CONFIG_PV */

/*
 * The domain to go on with: in order of their numbers, as they are in the list,
 * to which others may be added in between.
 */
static struct domain *next_domain(const struct pmem_region *p)
{
    struct domain *d;

    for_each_domain ( d )
        if ( d->domain_id >= p->domid && paging_mode_translate(d) &&
             (pmem_is_adding(p) || d != hardware_domain) )
            return d;

    return NULL;
}

/* From p->domid and p->cursor, one of its gfns, on.  Returns as above. */
int pmem_audit_p2ms(struct pmem_region *p)
{
    unsigned long spfn, epfn, pfn = 0;
    struct domain *d;
    int rc = 0;

    rcu_read_lock(&domlist_read_lock);

    d = next_domain(p);
    if ( d )
    {
        if ( d->domain_id != p->domid )
        {
            p->domid = d->domain_id;
            p->cursor = 0;
        }

        /* Its shadows may still have MMIO which its p2m has lost. */
        if ( !p->cursor )
            shadow_blow_tables_per_domain(d);

        off_limits(p, d, &spfn, &epfn);
        rc = pmem_p2m_find(d, spfn, epfn, &p->cursor, &pfn);
        if ( rc == -EBUSY )
            found(p, d, pfn);
        else if ( !rc )
        {
            p->domid++;
            p->cursor = 0;
            rc = -ERESTART;
        }
    }

    rcu_read_unlock(&domlist_read_lock);

    return rc;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
