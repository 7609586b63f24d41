/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: what is needed, and what is allowed.
 *
 * Nothing in here changes anything.
 */

#include <xen/iocap.h>
#include <xen/mm.h>
#include <xen/pdx.h>
#include <xen/rangeset.h>
#include <xen/rcupdate.h>
#include <xen/sched.h>

#include <asm/e820.h>

#include "pmem-internal.h"

static bool overlaps(unsigned long as, unsigned long ae,
                     unsigned long bs, unsigned long be)
{
    return as < be && bs < ae;
}

/* Is the metadata missing which @mfn backs: now, or (@max) without regions? */
static bool is_missing(mfn_t mfn, bool max)
{
    return mfn_eq(mfn, INVALID_MFN) || (max && pmem_is_reserved(mfn));
}

/*
 * How many of windows [@n, @n + @nr) are missing.  Those between the first and
 * the last are the range's alone, and all missing: check_frames() has refused
 * a range in the midst of which frames are valid.
 */
static unsigned long windows_missing(const struct pmem_range *r,
                                     unsigned int n, unsigned int nr, bool max)
{
    struct pmem_window w;
    unsigned long missing = nr;

    if ( nr && pmem_window(r, n, &w) )
        missing -= !is_missing(pmem_backing(w.rw), max);
    if ( nr > 1 && pmem_window(r, n + nr - 1, &w) )
        missing -= !is_missing(pmem_backing(w.rw), max);

    return missing;
}

/* Frames of M2P missing for a range: now, or (@max) without other regions. */
unsigned long pmem_m2p_need(const struct pmem_range *r, bool max)
{
    unsigned int compat, nr = pmem_count_windows(r, &compat);

    return (windows_missing(r, 0, nr, max) +
            windows_missing(r, nr, compat, max)) * PMEM_CHUNK;
}

/* The same for the frame table. */
unsigned long pmem_ft_need(const struct pmem_range *r, bool max)
{
    unsigned long first = pmem_group(r->spfn);
    unsigned long idx, end = pmem_group(r->epfn - 1) + 1;
    unsigned long missing = end - first;

    for_each_valid_group ( idx, first, end )
        missing -= !is_missing(pmem_group_backing(idx), max);

    return missing * PMEM_GROUP_FRAMES;
}

static int check_geometry(const struct pmem_range *r)
{
    if ( (r->spfn | r->epfn | r->rsv_spfn | r->rsv_epfn |
          r->data_spfn | r->data_epfn) & (PMEM_CHUNK - 1) )
        return -EINVAL;

    if ( r->spfn >= r->epfn || r->rsv_spfn >= r->rsv_epfn ||
         r->data_spfn >= r->data_epfn )
        return -EINVAL;

    if ( r->rsv_spfn < r->spfn || r->rsv_epfn > r->epfn ||
         r->data_spfn < r->spfn || r->data_epfn > r->epfn ||
         overlaps(r->rsv_spfn, r->rsv_epfn, r->data_spfn, r->data_epfn) )
        return -EINVAL;

    if ( r->epfn > PFN_DOWN(1UL << paddr_bits) )
        return -ERANGE;

    if ( !pdx_is_region_compressible(pfn_to_paddr(r->spfn),
                                     r->epfn - r->spfn) )
        return -EOPNOTSUPP;

    if ( pfn_to_pdx(r->epfn - 1) >= FRAMETABLE_NR ||
         !arch_mfns_in_directmap(r->spfn, r->epfn - r->spfn) )
        return -ERANGE;

    return 0;
}

/* Neither RAM nor ACPI's nor unusable, as far as the firmware told. */
static int check_e820(const struct pmem_range *r, unsigned long *bad)
{
    unsigned int i;

    for ( i = 0; i < e820.nr_map; i++ )
    {
        const struct e820entry *e = &e820.map[i];

        if ( !e->size || e->type == E820_RESERVED || e->type == E820_PMEM ||
             e->type == E820_PRAM ||
             !overlaps(r->spfn, r->epfn, PFN_DOWN(e->addr),
                       PFN_UP(e->addr + e->size)) )
            continue;

        *bad = max(r->spfn, PFN_DOWN(e->addr));
        return -EBUSY;
    }

    return 0;
}

static int cf_check first_in(unsigned long s, unsigned long e, void *arg)
{
    *(unsigned long *)arg = s;

    return 1;
}

/* Advance over what is in the set; stop at the first gap. */
static int cf_check first_not_in(unsigned long s, unsigned long e, void *arg)
{
    unsigned long *next = arg;

    if ( s > *next )
        return 1;
    *next = e + 1;

    return 0;
}

/* The first frame of [spfn, epfn) which is not in the set, or epfn. */
unsigned long pmem_first_outside(const struct rangeset *set,
                                 unsigned long spfn, unsigned long epfn)
{
    unsigned long pfn = spfn;

    rangeset_report_ranges((struct rangeset *)set, spfn, epfn - 1,
                           first_not_in, &pfn);

    return pfn;
}

/* May the hardware domain do what it wants with these frames? */
static int check_permitted(const struct pmem_range *r, unsigned long *bad)
{
    unsigned long pfn;

    if ( rangeset_report_ranges(mmio_ro_ranges, r->spfn, r->epfn - 1, first_in,
                                bad) )
        return -EBUSY;

    pfn = pmem_first_outside(hardware_domain->iomem_caps, r->spfn, r->epfn);
    if ( pfn < r->epfn )
    {
        *bad = pfn;
        return -EBUSY;
    }

    return 0;
}

/* Is it persistent memory at all, as far as the firmware told? */
static int check_listed(const struct pmem_range *r, unsigned long *bad)
{
    unsigned long pfn = pmem_first_unlisted(r->spfn, r->epfn);

    if ( pfn >= r->epfn )
        return 0;

    *bad = pfn;
    return -ENODEV;
}

static int cf_check first_range(unsigned long s, unsigned long e, void *arg)
{
    unsigned long *first = arg;

    first[0] = s;
    first[1] = e + 1;

    return 1;
}

/* The first range, [s, e), of these frames that a domain may access, if any. */
bool pmem_first_access(const struct domain *d, unsigned long spfn,
                       unsigned long epfn, unsigned long first[2])
{
    return rangeset_report_ranges(d->iomem_caps, spfn, epfn - 1, first_range,
                                  first);
}

/*
 * The first domain, other than the hardware domain and @besides, that may access
 * one of these frames, and in @mfn the first such; or DOMID_INVALID.
 */
domid_t pmem_find_access(const struct domain *besides, unsigned long spfn,
                         unsigned long epfn, unsigned long *mfn)
{
    const struct domain *d;
    domid_t domid = DOMID_INVALID;
    unsigned long first[2];

    rcu_read_lock(&domlist_read_lock);

    for_each_domain ( d )
        if ( d != hardware_domain && d != besides &&
             pmem_first_access(d, spfn, epfn, first) )
        {
            *mfn = first[0];
            domid = d->domain_id;
            break;
        }

    rcu_read_unlock(&domlist_read_lock);

    return domid;
}

/*
 * May no other domain access these frames?  A domain can be given access only
 * by one that has it, under a lock: see pmem_lock_caps().  So the answer stays
 * valid while the hardware domain has no access, or while that lock is held; and
 * of data while it is claimed.
 */
int pmem_check_others(unsigned long spfn, unsigned long epfn,
                      unsigned long *bad)
{
    domid_t domid = pmem_find_access(NULL, spfn, epfn, bad);

    if ( domid == DOMID_INVALID )
        return 0;

    printk(XENLOG_G_WARNING "pmem: d%u may access frame %lx\n", domid, *bad);

    return -EBUSY;
}

/*
 * A PDX group is valid if there is RAM in it, or part of a region.  The first
 * and the last group of the range may be, as long as the range's part of them
 * is MMIO of dom_io.  Frames from max_page on are not valid, but do have a
 * frame table.
 */
static int check_frames(const struct pmem_range *r, unsigned long *bad)
{
    unsigned long first = pmem_group(r->spfn), last = pmem_group(r->epfn - 1);
    unsigned long idx, pfn, end;

    for_each_valid_group ( idx, first, last + 1 )
    {
        pfn = max(r->spfn, pmem_group_pfn(idx));
        end = min(pmem_group_pfn(idx) + PDX_GROUP_COUNT,
                  min(r->epfn, max_page));

        if ( idx == first || idx == last )
            while ( pfn < end &&
                    page_get_owner(mfn_to_page(_mfn(pfn))) == dom_io )
                pfn++;

        if ( pfn < end )
        {
            *bad = pfn;
            return -EBUSY;
        }
    }

    return 0;
}

int pmem_check_range(const struct pmem_range *r, bool unlisted,
                     unsigned long *bad)
{
    int rc = check_geometry(r);

    if ( rc )
        return rc;
    if ( pmem_find_overlap(r->spfn, r->epfn) )
        return -EEXIST;

    rc = check_e820(r, bad);
    if ( !rc )
        rc = check_permitted(r, bad);
    if ( !rc && !unlisted )
        rc = check_listed(r, bad);
    if ( !rc )
        rc = pmem_check_others(r->spfn, r->epfn, bad);
    if ( !rc )
        rc = check_frames(r, bad);

    return rc;
}

/*
 * No other region may need metadata in this one's reserved area.  It can do so
 * only where it is so near that both have a part in a group or in a window.
 */
int pmem_check_backing(const struct pmem_region *p,
                       const struct pmem_region *q, unsigned long *bad)
{
    struct pmem_range near = {
        .spfn = max(q->r.spfn, ROUNDDOWN(p->r.spfn, PMEM_SHARING)),
        .epfn = min(q->r.epfn, ROUNDUP(p->r.epfn, PMEM_SHARING)),
    };
    struct pmem_window w;
    unsigned long idx;
    unsigned int n;
    bool found = false;

    if ( near.spfn >= near.epfn )
        return 0;

    for ( idx = pmem_group(near.spfn);
          idx <= pmem_group(near.epfn - 1); idx++ )
        found |= pmem_backed_by(p, pmem_group_backing(idx));

    for ( n = 0; pmem_window(&near, n, &w); n++ )
        found |= pmem_backed_by(p, pmem_backing(w.rw));

    if ( !found )
        return 0;

    *bad = q->r.spfn;
    return -EBUSY;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
