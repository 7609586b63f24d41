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

/* One call looks at this many frames or page table entries, or one table more. */
#define AUDIT_BATCH         (PDX_GROUP_COUNT / 2)

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

    return (type & (PGT_type_mask | PGT_validated)) ==
           (PGT_l1_page_table | PGT_validated) && (type & PGT_count_mask);
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
        if ( pfn >= spfn && pfn < epfn &&
             (l1e_get_flags(l1e) & _PAGE_PRESENT) )
            break;
    }

    unmap_domain_page(table);

    /* If it stopped to be a page table, what was read may have been anything. */
    return i < L1_PAGETABLE_ENTRIES && is_l1_table(pg) ? found(p, d, pfn) : 0;
}

/* The type may belong to a frame that is free: then there is no reference. */
static int audit_frame(struct pmem_region *p, struct page_info *pg)
{
    const struct domain *d = page_get_owner_and_reference(pg);
    int rc = 0;

    if ( !d )
        return 0;

    if ( is_l1_table(pg) )
        rc = audit_table(p, pg, d);
    put_page(pg);

    return rc;
}

/*
 * Where the next frames are, from @pfn on, that may be page tables: those of one
 * group, [return value, *@end), that no region has.  Past the last one at the end.
 */
static unsigned long next_frames(unsigned long pfn, unsigned long *end)
{
    while ( pfn < max_page )
    {
        const struct pmem_region *q;

        *end = min(max_page, pmem_group_pfn(pmem_group(pfn) + 1));
        if ( !pmem_group_valid(pmem_group(pfn)) )
        {
            pfn = *end;
            continue;
        }

        q = pmem_find_overlap(pfn, *end);
        if ( !q )
            break;
        if ( q->r.spfn > pfn )
        {
            *end = q->r.spfn;
            break;
        }
        pfn = q->r.epfn;
    }

    return pfn;
}

/* From p->cursor up to @end, or until @left is used up.  Of that the rest in @left. */
static int audit_frames(struct pmem_region *p, unsigned long end, long *left)
{
    unsigned long pfn = p->cursor;
    struct page_info *pg = mfn_to_page(_mfn(pfn));
    long nr = *left;
    int rc = 0;

    for ( ; !rc && nr > 0 && pfn < end; pfn++, pg++, nr-- )
        if ( is_l1_table(pg) )
        {
            nr -= L1_PAGETABLE_ENTRIES;
            rc = audit_frame(p, pg);
        }

    p->cursor = pfn;
    *left = nr;

    return rc;
}

/*
 * From p->cursor, a frame number, on.  Returns 0 at the end, -ERESTART before it,
 * -EBUSY with the frame in p->bad.
 */
int pmem_audit_tables(struct pmem_region *p)
{
    unsigned long end = 0;
    long left = AUDIT_BATCH;
    int rc = 0;

    while ( !rc && (p->cursor = next_frames(p->cursor, &end)) < max_page )
        rc = left > 0 ? audit_frames(p, end, &left) : -ERESTART;

    return rc;
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
