/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: mappings.
 *
 * The frame table and the M2P of a region are built here, in frames of the
 * region's reserved area, as are the direct map and the IOMMU mappings of its
 * data.  Nothing recorded elsewhere says which part of the frame table or of
 * the M2P is whose: Xen's page tables do, see pmem_backing().
 *
 * All of this is invisible to the rest of Xen until the region is committed.
 */

#include <xen/domain_page.h>
#include <xen/iommu.h>
#include <xen/mm.h>
#include <xen/sched.h>

#include <asm/e820.h>
#include <asm/page.h>
#include <asm/paging.h>
#include <asm/pv/domain.h>

#include "pmem-internal.h"

/*
 * map_pages_to_xen() merges 2M mappings having exactly the flags of
 * PAGE_HYPERVISOR into a 1G one, across regions and with RAM.  Taking back a
 * part of such a mapping needs memory, which may fail.  A flag of no other
 * meaning keeps our mappings apart.
 */
#define PMEM_MAPPING        (PAGE_HYPERVISOR | _PAGE_AVAIL1)

/* The frame which Xen's address @va is mapped to. */
mfn_t pmem_backing(unsigned long va)
{
    l4_pgentry_t l4e = idle_pg_table[l4_table_offset(va)];
    l3_pgentry_t l3e;
    l2_pgentry_t l2e;
    l1_pgentry_t l1e;

    if ( !(l4e_get_flags(l4e) & _PAGE_PRESENT) )
        return INVALID_MFN;

    l3e = l3e_from_l4e(l4e, l3_table_offset(va));
    if ( !(l3e_get_flags(l3e) & _PAGE_PRESENT) )
        return INVALID_MFN;
    if ( l3e_get_flags(l3e) & _PAGE_PSE )
        return mfn_add(l3e_get_mfn(l3e),
                       PFN_DOWN(va & ((1UL << L3_PAGETABLE_SHIFT) - 1)));

    l2e = l2e_from_l3e(l3e, l2_table_offset(va));
    if ( !(l2e_get_flags(l2e) & _PAGE_PRESENT) )
        return INVALID_MFN;
    if ( l2e_get_flags(l2e) & _PAGE_PSE )
        return mfn_add(l2e_get_mfn(l2e), l1_table_offset(va));

    l1e = l1e_from_l2e(l2e, l1_table_offset(va));
    if ( !(l1e_get_flags(l1e) & _PAGE_PRESENT) )
        return INVALID_MFN;

    return l1e_get_mfn(l1e);
}

mfn_t pmem_group_backing(unsigned long idx)
{
    return pmem_backing((unsigned long)pdx_to_page(idx * PDX_GROUP_COUNT));
}

/* The shift from a frame to its window of the M2P, and of the compat M2P. */
#define M2P_SHIFT           (L2_PAGETABLE_SHIFT - 3)
#define COMPAT_M2P_SHIFT    (L2_PAGETABLE_SHIFT - 2)

/*
 * How many windows a range has of the M2P, which is returned, and of the
 * compat M2P (@compat), which covers the first TiB only.
 */
unsigned int pmem_count_windows(const struct pmem_range *r,
                                unsigned int *compat)
{
    const unsigned long covered = (RDWR_COMPAT_MPT_VIRT_END -
                                   RDWR_COMPAT_MPT_VIRT_START)
                                  >> L2_PAGETABLE_SHIFT;
    unsigned long first = r->spfn >> COMPAT_M2P_SHIFT;
    unsigned long end = min(((r->epfn - 1) >> COMPAT_M2P_SHIFT) + 1, covered);

    *compat = opt_pv32 && first < end ? end - first : 0;

    return ((r->epfn - 1) >> M2P_SHIFT) - (r->spfn >> M2P_SHIFT) + 1;
}

/*
 * The M2P windows of a range: first those of the M2P proper, then those of the
 * compat M2P.
 */
bool pmem_window(const struct pmem_range *r, unsigned int n,
                 struct pmem_window *w)
{
    unsigned int compat, nr = pmem_count_windows(r, &compat);
    unsigned long off;

    if ( n < nr )
    {
        off = ((r->spfn >> M2P_SHIFT) + n) << L2_PAGETABLE_SHIFT;
        w->rw = RDWR_MPT_VIRT_START + off;
        w->ro = RO_MPT_VIRT_START + off;
        w->compat = false;

        return true;
    }

    if ( n - nr >= compat )
        return false;

    off = ((r->spfn >> COMPAT_M2P_SHIFT) + n - nr) << L2_PAGETABLE_SHIFT;
    w->rw = RDWR_COMPAT_MPT_VIRT_START + off;
    w->ro = off;
    w->compat = true;

    return true;
}

/* Guests' view of a window: @mfn, or nothing if INVALID_MFN. */
static int set_guest_window(const struct pmem_window *w, mfn_t mfn)
{
    l3_pgentry_t *l3t;
    l2_pgentry_t *l2t = NULL;
    mfn_t l2mfn;

    if ( opt_pv32 && w->compat )
    {
        /* Not global, as these get copied into per-domain tables. */
        l2e_write(&compat_idle_pg_table_l2[l2_table_offset(w->ro)],
                  mfn_eq(mfn, INVALID_MFN)
                  ? l2e_empty()
                  : l2e_from_mfn(mfn, _PAGE_PSE | _PAGE_PRESENT));
        return 0;
    }

    l3t = map_l3t_from_l4e(idle_pg_table[l4_table_offset(w->ro)]);
    if ( l3e_get_flags(l3t[l3_table_offset(w->ro)]) & _PAGE_PRESENT )
        l2t = map_l2t_from_l3e(l3t[l3_table_offset(w->ro)]);
    else if ( (l2t = alloc_mapped_pagetable(&l2mfn)) != NULL )
        l3e_write(&l3t[l3_table_offset(w->ro)],
                  l3e_from_mfn(l2mfn, __PAGE_HYPERVISOR_RO | _PAGE_USER));
    unmap_domain_page(l3t);

    if ( !l2t )
        return -ENOMEM;

    /* Not global: guest user mode must not see it. */
    l2e_write(&l2t[l2_table_offset(w->ro)],
              mfn_eq(mfn, INVALID_MFN)
              ? l2e_empty()
              : l2e_from_mfn(mfn, _PAGE_PSE | _PAGE_USER | _PAGE_PRESENT));
    unmap_domain_page(l2t);

    return 0;
}

/*
 * Back a window, if nothing does, in PMEM_WINDOW_PARTS calls: it is mapped by the
 * first one, filled part by part, and shown to guests by the last one.
 */
int pmem_map_window(struct pmem_region *p, const struct pmem_window *w,
                    unsigned int part)
{
    const unsigned long size = (1UL << L2_PAGETABLE_SHIFT) / PMEM_WINDOW_PARTS;
    mfn_t mfn = _mfn(p->m2p_next), backing = pmem_backing(w->rw);
    int rc;

    if ( !mfn_eq(backing, part ? mfn : INVALID_MFN) )
        return 0;

    ASSERT(p->m2p_next + PMEM_CHUNK <= p->m2p_epfn);

    if ( !part )
    {
        rc = pmem_fault() ? -ENOMEM
                          : map_pages_to_xen(w->rw, mfn, PMEM_CHUNK,
                                             PMEM_MAPPING);
        if ( rc )
            return rc;
    }

    memset((void *)(w->rw + part * size), 0xff, size);
    if ( part < PMEM_WINDOW_PARTS - 1 )
        return 0;

    rc = pmem_fault() ? -ENOMEM : set_guest_window(w, mfn);
    if ( rc )
    {
        destroy_xen_mappings(w->rw, w->rw + (1UL << L2_PAGETABLE_SHIFT));
        return rc;
    }

    p->m2p_next += PMEM_CHUNK;

    return 0;
}

/* Guests' view of a window which is mapped: these do not fail. */
void pmem_hide_window(const struct pmem_window *w)
{
    if ( set_guest_window(w, INVALID_MFN) )
        ASSERT_UNREACHABLE();
}

void pmem_show_window(const struct pmem_window *w)
{
    if ( set_guest_window(w, pmem_backing(w->rw)) )
        ASSERT_UNREACHABLE();
}

/* The page table guests see it through stays, empty, for the next ADD. */
void pmem_unmap_window(const struct pmem_region *p,
                       const struct pmem_window *w)
{
    if ( !pmem_backed_by(p, pmem_backing(w->rw)) )
        return;

    pmem_hide_window(w);
    destroy_xen_mappings(w->rw, w->rw + (1UL << L2_PAGETABLE_SHIFT));
}

/*
 * On hosts whose firmware reports persistent memory as reserved, the hardware
 * domain's devices have been able to access it from the start, and so has that
 * itself if it is a PVH domain.
 */
bool pmem_is_e820_reserved(unsigned long spfn, unsigned long epfn)
{
    unsigned int i;

    for ( i = 0; i < e820.nr_map; i++ )
        if ( e820.map[i].type == E820_RESERVED &&
             e820.map[i].addr <= pfn_to_paddr(spfn) &&
             e820.map[i].addr + e820.map[i].size >= pfn_to_paddr(epfn) )
            return true;

    return false;
}

/* Of a hardware domain with a p2m the IOMMU's mappings follow that. */
static int dma_map(unsigned long spfn, unsigned long epfn)
{
    unsigned int flush_flags = 0;
    long rc;

    if ( paging_mode_translate(hardware_domain) )
        return 0;

    rc = iommu_map(hardware_domain, _dfn(spfn), _mfn(spfn), epfn - spfn,
                   IOMMUF_readable | IOMMUF_writable, &flush_flags);

    return rc ?: iommu_iotlb_flush(hardware_domain, _dfn(spfn), epfn - spfn,
                                   flush_flags);
}

static int dma_unmap(unsigned long spfn, unsigned long epfn)
{
    unsigned int flush_flags = 0;
    long rc;

    if ( paging_mode_translate(hardware_domain) )
        return 0;

    rc = iommu_unmap(hardware_domain, _dfn(spfn), epfn - spfn, 0,
                     &flush_flags);

    return rc ?: iommu_iotlb_flush(hardware_domain, _dfn(spfn), epfn - spfn,
                                   flush_flags);
}

/* No device may write to the reserved area while it is Xen's. */
int pmem_dma_revoke(const struct pmem_range *r)
{
    if ( pmem_fault() )
        return -EIO;

    return dma_unmap(r->rsv_spfn, r->rsv_epfn);
}

void pmem_dma_restore(const struct pmem_range *r)
{
    if ( pmem_is_e820_reserved(r->rsv_spfn, r->rsv_epfn) &&
         dma_map(r->rsv_spfn, r->rsv_epfn) )
        printk(XENLOG_WARNING
               "pmem: no DMA to [%lx, %lx) until the next boot\n",
               r->rsv_spfn, r->rsv_epfn);
}

/* A frame nobody uses is, as any hole is, MMIO of dom_io. */
static struct page_info unused_frame(void)
{
    struct page_info pg = {
        .count_info = PMEM_MMIO_IDLE,
        .u.inuse.type_info = PGT_writable_page | PGT_validated | 1,
    };

    page_set_owner(&pg, dom_io);

    return pg;
}

/*
 * What an unused frame becomes in the region:
 *
 *  data      the hardware domain's, pinned writable: it can be mapped, granted
 *            and counted, but never be a page table.  On no page list.
 *  M2P       dom_xen's, mappable read-only by who may map the M2P
 *  others    dom_io's; the hardware domain's access to the reserved area has
 *            been taken away
 */
static struct page_info frame_of(const struct pmem_region *p, unsigned long pfn)
{
    struct page_info pg = unused_frame();

    if ( pmem_is_data(p, pfn) )
    {
        pg.count_info = PMEM_DATA_IDLE;
        page_set_owner(&pg, hardware_domain);
    }
    else if ( pmem_is_m2p(p, pfn) )
    {
        pg.count_info = PMEM_M2P_IDLE;
        pg.u.inuse.type_info = PGT_none | PGT_validated | 1;
        page_set_owner(&pg, dom_xen);
    }

    return pg;
}

/* The end of the frames from @pfn on, below @end, that are of one kind. */
static unsigned long kind_end(const struct pmem_region *p, unsigned long pfn,
                              unsigned long end)
{
    const unsigned long edges[] = {
        p->r.rsv_spfn, p->m2p_epfn, p->r.data_spfn, p->r.data_epfn
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(edges); i++ )
        if ( edges[i] > pfn && edges[i] < end )
            end = edges[i];

    return end;
}

/*
 * A frame in view becomes another.  The caller holds no reference, and nobody can
 * get one until count_info is written.
 */
static void change_frame(struct page_info *pg, struct page_info to)
{
    set_gpfn_from_mfn(mfn_x(page_to_mfn(pg)), INVALID_M2P_ENTRY);
    pg->u = to.u;
    pg->v = to.v;
    smp_wmb();
    write_atomic(&pg->count_info, to.count_info);
}

void pmem_frame_assign(const struct pmem_region *p, struct page_info *pg)
{
    change_frame(pg, frame_of(p, mfn_x(page_to_mfn(pg))));
}

void pmem_frame_release(struct page_info *pg)
{
    change_frame(pg, unused_frame());
}

/* Windows that this ADD has backed have no entry, others may have any. */
static void clear_m2p(const struct pmem_region *p, unsigned long pfn,
                      unsigned long end)
{
    const struct pmem_range group = { .spfn = pfn, .epfn = end };
    struct pmem_window w;
    unsigned int n;

    for ( n = 0; pmem_window(&group, n, &w); n++ )
        if ( !pmem_backed_by(p, pmem_backing(w.rw)) )
            break;
    if ( !pmem_window(&group, n, &w) )
        return;

    for ( ; pfn < end; pfn++ )
        set_gpfn_from_mfn(pfn, INVALID_M2P_ENTRY);
}

static int map_group_frames(struct pmem_region *p, unsigned long idx)
{
    unsigned long pfn = pmem_group_pfn(idx), end = pfn + PDX_GROUP_COUNT;
    struct page_info *pg = mfn_to_page(_mfn(pfn));
    int rc;

    ASSERT(p->ft_next + PMEM_GROUP_FRAMES <= p->ft_epfn);

    rc = pmem_fault() ? -ENOMEM
                      : map_pages_to_xen((unsigned long)pg, _mfn(p->ft_next),
                                         PMEM_GROUP_FRAMES, PMEM_MAPPING);
    if ( rc )
        return rc;

    while ( pfn < end )
    {
        const struct page_info frame = frame_of(p, pfn);
        unsigned long stop = kind_end(p, pfn, end);

        for ( ; pfn < stop; pfn++ )
            *pg++ = frame;
    }
    clear_m2p(p, pmem_group_pfn(idx), end);

    p->ft_next += PMEM_GROUP_FRAMES;

    return 0;
}

/*
 * Of a group which is valid already, the frames still are dom_io's and in
 * view: these are left to the commit.
 */
int pmem_map_group(struct pmem_region *p, unsigned long idx)
{
    unsigned long pfn = pmem_group_pfn(idx);
    unsigned long s = max(pfn, p->r.data_spfn);
    unsigned long e = min(pfn + PDX_GROUP_COUNT, p->r.data_epfn);
    int rc = 0;

    if ( s < e )
        rc = pmem_fault() ? -ENOMEM
                          : map_pages_to_xen((unsigned long)mfn_to_virt(s),
                                             _mfn(s), e - s, PMEM_MAPPING);

    if ( !rc && !pmem_group_valid(idx) )
        rc = map_group_frames(p, idx);

    if ( !rc && s < e && is_iommu_enabled(hardware_domain) )
        rc = pmem_fault() ? -EIO : dma_map(s, e);

    return rc;
}

/* Of a group that was mapped in part, or not at all, too. */
void pmem_unmap_group(const struct pmem_region *p, unsigned long idx)
{
    unsigned long pfn = pmem_group_pfn(idx);
    unsigned long s = max(pfn, p->r.data_spfn);
    unsigned long e = min(pfn + PDX_GROUP_COUNT, p->r.data_epfn);

    if ( s < e )
    {
        if ( !pmem_is_e820_reserved(s, e) && dma_unmap(s, e) )
            printk(XENLOG_WARNING
                   "pmem: DMA to [%lx, %lx) is possible until the next boot\n",
                   s, e);
        destroy_xen_mappings((unsigned long)mfn_to_virt(s),
                             (unsigned long)mfn_to_virt(s) +
                             pfn_to_paddr(e - s));
    }

    if ( pmem_backed_by(p, pmem_group_backing(idx)) )
    {
        unsigned long va = (unsigned long)pdx_to_page(idx * PDX_GROUP_COUNT);

        destroy_xen_mappings(va, va + pfn_to_paddr(PMEM_GROUP_FRAMES));
    }
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
