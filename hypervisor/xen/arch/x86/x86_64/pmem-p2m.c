/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: domains with a p2m.
 *
 * To a PVH hardware domain persistent memory is MMIO, identity-mapped, until ADD.
 * Then its entries of the reserved area are taken out, as through them it could
 * write to Xen's metadata, and those of the data become RAM; what is in neither
 * stays MMIO.  With the entries the IOMMU's mappings change.
 *
 * Entries hold no reference.  REMOVE therefore does not see that the hardware
 * domain itself still uses a frame: that is for its kernel to know.  The entry
 * changes back to MMIO, and the use goes on, of the same memory.
 *
 * All of it is done by chunks.  To make the data RAM, and to undo any of this,
 * takes no memory: the tables were made when the chunk was taken.
 */

#include <xen/ioreq.h>
#include <xen/mm.h>
#include <xen/sched.h>

#include <asm/p2m.h>

#include "../mm/mm-locks.h"
#include "pmem-internal.h"

/* The gfn behind an entry of @order which covers @gfn. */
static unsigned long entry_end(unsigned long gfn, unsigned int order)
{
    return (gfn | ((1UL << order) - 1)) + 1;
}

/* Whatever is no hole and not what MMIO is mapped to, is in the way. */
static int check_chunk(struct p2m_domain *p2m, unsigned long pfn,
                       unsigned long *bad)
{
    unsigned long gfn;
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;

    for ( gfn = pfn; gfn < pfn + PMEM_CHUNK; gfn = entry_end(gfn, order) )
    {
        mfn_t mfn = p2m->get_entry(p2m, _gfn(gfn), &t, &a, 0, &order, NULL);

        if ( p2m_is_hole(t) ||
             (t == p2m_mmio_direct && mfn_eq(mfn, _mfn(gfn))) )
            continue;

        *bad = gfn;
        return -EBUSY;
    }

    return 0;
}

static int set_chunk(struct p2m_domain *p2m, unsigned long pfn, p2m_type_t t)
{
    return p2m_set_entry(p2m, _gfn(pfn),
                         t == p2m_invalid ? INVALID_MFN : _mfn(pfn),
                         PAGETABLE_ORDER, t, p2m->default_access);
}

/* Before ADD's commit: nothing of the chunk is RAM, and of data all is mapped. */
int pmem_p2m_take(unsigned long pfn, bool data, unsigned long *bad)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(hardware_domain);
    int rc;

    gfn_lock(p2m, _gfn(pfn), PAGETABLE_ORDER);
    rc = check_chunk(p2m, pfn, bad);
    if ( !rc )
        rc = set_chunk(p2m, pfn, data ? p2m_mmio_direct : p2m_invalid);
    gfn_unlock(p2m, _gfn(pfn), PAGETABLE_ORDER);

    return rc;
}

/*
 * When Xen has given the chunk back.  What was mapped at boot is again; what was
 * mapped on demand will be, see dom0=pf-fixup.
 */
int pmem_p2m_return(unsigned long pfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(hardware_domain);
    unsigned long end = pfn + PMEM_CHUNK;
    bool mapped = pmem_first_unlisted(pfn, end) == end ||
                  pmem_is_e820_reserved(pfn, end);
    int rc;

    gfn_lock(p2m, _gfn(pfn), PAGETABLE_ORDER);
    rc = set_chunk(p2m, pfn, mapped ? p2m_mmio_direct : p2m_invalid);
    gfn_unlock(p2m, _gfn(pfn), PAGETABLE_ORDER);

    return rc;
}

/* A chunk of data, after the commit: RAM. */
int pmem_p2m_show(unsigned long pfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(hardware_domain);
    unsigned int i;
    int rc;

    gfn_lock(p2m, _gfn(pfn), PAGETABLE_ORDER);
    rc = set_chunk(p2m, pfn, p2m_ram_rw);
    for ( i = 0; !rc && i < PMEM_CHUNK; i++ )
        set_gpfn_from_mfn(pfn + i, pfn + i);
    gfn_unlock(p2m, _gfn(pfn), PAGETABLE_ORDER);

    return rc;
}

/* Has the hardware domain put something else in the place of the frame? */
static bool is_replaced(struct p2m_domain *p2m, unsigned long gfn,
                        unsigned int *order)
{
    p2m_type_t t;
    p2m_access_t a;
    mfn_t mfn = p2m->get_entry(p2m, _gfn(gfn), &t, &a, 0, order, NULL);

    return !*order && !p2m_is_hole(t) && !mfn_eq(mfn, _mfn(gfn));
}

/*
 * The hardware domain may have put something else in the place of a frame, and the
 * frame elsewhere.  Entries of foreign frames hold references, and are never
 * part of a larger one.
 */
static void drop_moved(struct p2m_domain *p2m, unsigned long pfn)
{
    unsigned long gfn, alias;
    unsigned int order = 0;

    for ( gfn = pfn; gfn < pfn + PMEM_CHUNK; gfn++ )
    {
        int rc = 0;

        /* One entry of the whole chunk tells of all of it. */
        if ( order < PAGETABLE_ORDER && is_replaced(p2m, gfn, &order) )
            rc = p2m_set_entry(p2m, _gfn(gfn), INVALID_MFN, PAGE_ORDER_4K,
                               p2m_invalid, p2m->default_access);

        alias = get_gpfn_from_mfn(gfn);
        if ( !rc && alias != gfn && VALID_M2P(alias) )
            rc = p2m_remove_page(hardware_domain, _gfn(alias), _mfn(gfn),
                                 PAGE_ORDER_4K);
        if ( rc )
            printk(XENLOG_WARNING
                   "pmem: the hardware domain keeps what it has in place of frame %lx: %d\n",
                   gfn, rc);

        set_gpfn_from_mfn(gfn, INVALID_M2P_ENTRY);
    }
}

/* A chunk of data, whose frames are frozen but still valid: MMIO again. */
int pmem_p2m_hide(unsigned long pfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(hardware_domain);
    int rc;

    gfn_lock(p2m, _gfn(pfn), PAGETABLE_ORDER);
    drop_moved(p2m, pfn);
    ioreq_request_mapcache_invalidate(hardware_domain);
    rc = set_chunk(p2m, pfn, p2m_mmio_direct);
    gfn_unlock(p2m, _gfn(pfn), PAGETABLE_ORDER);

    return rc;
}

/*
 * Does a domain map a frame of [spfn, epfn)?  Looks at a limited number of
 * entries, from *@gfn on, which is left behind the last one.  Returns 0 when there
 * are no more, -ERESTART when there are, -EBUSY with the frame in @bad.
 */
int pmem_p2m_find(struct domain *d, unsigned long spfn, unsigned long epfn,
                  unsigned long *gfn, unsigned long *bad)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    unsigned int left = PMEM_P2M_BATCH, order;
    p2m_type_t t;
    p2m_access_t a;
    int rc = 0;

    p2m_read_lock(p2m);

    while ( !pagetable_is_null(p2m_get_pagetable(p2m)) &&
            *gfn <= p2m->max_mapped_pfn )
    {
        unsigned long next, s, e;
        mfn_t mfn;

        rc = -ERESTART;
        if ( !left-- )
            break;

        mfn = p2m->get_entry(p2m, _gfn(*gfn), &t, &a, 0, &order, NULL);
        next = entry_end(*gfn, order);
        s = max(spfn, mfn_x(mfn));
        e = min(epfn, mfn_x(mfn) + (next - *gfn));
        *gfn = next;
        rc = 0;

        if ( mfn_eq(mfn, INVALID_MFN) || s >= e )
            continue;

        *bad = s;
        rc = -EBUSY;
        break;
    }

    p2m_read_unlock(p2m);

    return rc;
}

/* Does the domain map this very frame there, as I/O memory? */
bool pmem_p2m_has(struct domain *d, unsigned long gfn, unsigned long mfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    p2m_type_t t;
    p2m_access_t a;
    mfn_t found;

    p2m_read_lock(p2m);
    found = p2m->get_entry(p2m, _gfn(gfn), &t, &a, 0, NULL, NULL);
    p2m_read_unlock(p2m);

    return t == p2m_mmio_direct && mfn_eq(found, _mfn(mfn));
}

/*
 * Is nothing of the domain's in place of the frames that map_mmio_regions() is going
 * to map in one call?  That replaces RAM without a word.  Otherwise *@gfn is what is
 * in the way.
 */
bool pmem_p2m_is_free(struct domain *d, unsigned long *gfn, unsigned long mfn,
                      unsigned long nr)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    unsigned long end = *gfn + nr, offset = mfn - *gfn;
    unsigned int left = PMEM_MAP_ENTRIES, order;
    bool free = true;
    p2m_type_t t;
    p2m_access_t a;

    p2m_read_lock(p2m);

    while ( free && left-- && *gfn < end )
    {
        mfn_t found = p2m->get_entry(p2m, _gfn(*gfn), &t, &a, 0, &order, NULL);

        free = t == p2m_invalid || t == p2m_mmio_dm ||
               (t == p2m_mmio_direct && mfn_eq(found, _mfn(*gfn + offset)));
        if ( free )
            *gfn = entry_end(*gfn, min(order, PAGETABLE_ORDER + 0U));
    }

    p2m_read_unlock(p2m);

    return free;
}

/* Is there nothing of the domain's in the chunk at *@gfn?  Else that is what is. */
bool pmem_p2m_chunk_is_free(struct domain *d, unsigned long *gfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    unsigned long end = *gfn + PMEM_CHUNK;
    unsigned int order;
    p2m_type_t t = p2m_invalid;
    p2m_access_t a;

    p2m_read_lock(p2m);

    while ( *gfn < end )
    {
        p2m->get_entry(p2m, _gfn(*gfn), &t, &a, 0, &order, NULL);
        if ( t != p2m_invalid && t != p2m_mmio_dm )
            break;
        *gfn = entry_end(*gfn, order);
    }

    p2m_read_unlock(p2m);

    return *gfn >= end;
}

/* Wherever the domain has them now, which only it can have changed. */
static int drop_frames(struct domain *d, unsigned long mfn)
{
    unsigned long end = mfn + PMEM_CHUNK;
    int rc = 0;

    for ( ; !rc && mfn < end; mfn++ )
    {
        unsigned long gfn = get_gpfn_from_mfn(mfn);

        if ( !VALID_M2P(gfn) )
            continue;

        rc = p2m_remove_page(d, _gfn(gfn), _mfn(mfn), PAGE_ORDER_4K);
        /* It has something else there. */
        if ( rc == -EILSEQ )
            rc = 0;
    }

    return rc;
}

/* Take a chunk of frames out of the domain's p2m, where it was put at @gfn. */
int pmem_p2m_drop(struct domain *d, unsigned long gfn, unsigned long mfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;
    mfn_t found;
    int rc;

    gfn_lock(p2m, _gfn(gfn), PAGETABLE_ORDER);
    found = p2m->get_entry(p2m, _gfn(gfn), &t, &a, 0, &order, NULL);
    if ( order >= PAGETABLE_ORDER && mfn_eq(found, _mfn(mfn)) )
        rc = p2m_remove_page(d, _gfn(gfn), _mfn(mfn), PAGETABLE_ORDER);
    else
        rc = drop_frames(d, mfn);
    gfn_unlock(p2m, _gfn(gfn), PAGETABLE_ORDER);

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
