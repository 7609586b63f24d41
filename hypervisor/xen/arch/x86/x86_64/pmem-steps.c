/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: the steps of ADD and REMOVE.
 *
 *  ADD     CLAIM -> TAKE_P2M -> QUIESCE -> AUDIT_TABLES -> AUDIT_P2MS
 *          -> MAP_M2P -> MAP_GROUPS -> COMMIT -> SHOW_P2M -> ACTIVE
 *  REMOVE  AUDIT_P2MS -> FREEZE -> HIDE_P2M -> RETIRE -> QUIESCE
 *          -> UNMAP_GROUPS -> UNMAP_M2P -> RELEASE -> RETURN_P2M -> GONE
 *  CLAIM   AUDIT_P2MS -> ACTIVE
 *  MAP and UNMAP: see pmem-mapping.c
 *
 * An ADD which fails continues with UNMAP_GROUPS or later, or, once it is
 * committed, with FREEZE.  A REMOVE which fails continues with SHOW_P2M or THAW,
 * which both lead to ACTIVE.  Preemption is possible between the steps, each
 * of which deals with one window, one group, one chunk of a p2m, or some number
 * of frames.  COMMIT and RETIRE are what others see.  The P2M phases, of the
 * hardware domain's p2m, are empty if that is a PV domain.
 */

#include <xen/event.h>
#include <xen/iocap.h>
#include <xen/mm.h>
#include <xen/rcupdate.h>
#include <xen/sched.h>
#include <xen/softirq.h>

#include <asm/flushtlb.h>
#include <asm/mtrr.h>
#include <asm/paging.h>
#include <asm/pv/domain.h>

#include "pmem-internal.h"

void pmem_enter(struct pmem_region *p, enum pmem_phase phase,
                unsigned long cursor)
{
    p->phase = phase;
    p->cursor = cursor;
}

void pmem_fail(struct pmem_region *p, int rc, enum pmem_phase phase,
               unsigned long cursor)
{
    p->rc = rc;
    pmem_enter(p, phase, cursor);
}

static void cf_check quiesced(struct rcu_head *head)
{
    struct pmem_region *p = container_of(head, struct pmem_region, rcu);

    write_atomic(&p->quiesced, true);
}

/*
 * Some CPU may still act on what was true a moment ago: on an access right, or
 * that a frame is valid, of which it holds no reference.
 */
static void quiesce_then(struct pmem_region *p, enum pmem_phase next,
                         unsigned long cursor)
{
    p->next = next;
    p->next_cursor = cursor;
    p->quiesced = false;
    pmem_enter(p, PMEM_QUIESCE, 0);
    call_rcu(&p->rcu, quiesced);
}

/*
 * The next chunk that the hardware domain's p2m is to be changed for.  The cursor
 * is a frame number.  False if there is none, or no p2m.
 */
static bool next_chunk(struct pmem_region *p, bool all, unsigned long *pfn)
{
    while ( paging_mode_translate(hardware_domain) && p->cursor < p->r.epfn )
    {
        *pfn = p->cursor;
        p->cursor += PMEM_CHUNK;
        if ( pmem_is_data(p, *pfn) ||
             (all && pmem_backed_by(p, _mfn(*pfn))) )
            return true;
    }

    return false;
}

/* Of the many chunks the first ones, and the last one, may fail on request. */
static bool chunk_fault(const struct pmem_region *p, unsigned long pfn)
{
    return (pfn == p->r.rsv_spfn || pfn == p->r.data_spfn ||
            pfn == p->r.data_epfn - PMEM_CHUNK) && pmem_fault();
}

/* Take the reserved area from the hardware domain, after which it is Xen's. */
static int step_claim(struct pmem_region *p)
{
    struct domain *hwdom = hardware_domain;
    const struct pmem_range *r = &p->r;
    int rc;

    if ( !pmem_lock_caps(hwdom) )
        return -ERESTART;
    rc = pmem_fault() ? -ENOMEM
                      : iomem_deny_access(hwdom, r->rsv_spfn, r->rsv_epfn - 1);
    pmem_unlock_caps(hwdom);

    if ( !rc )
        rc = pmem_check_others(r->rsv_spfn, r->rsv_epfn, &p->bad);
    if ( !rc )
        rc = pmem_dma_revoke(r);

    if ( rc )
        pmem_fail(p, rc, PMEM_RELEASE, 0);
    else
        pmem_enter(p, PMEM_TAKE_P2M, r->spfn);

    return 0;
}

static int return_reserved(const struct pmem_region *p)
{
    struct domain *hwdom = hardware_domain;
    const struct pmem_range *r = &p->r;
    int rc;

    if ( !pmem_lock_caps(hwdom) )
        return -ERESTART;
    rc = p->removing && pmem_fault()
         ? -ENOMEM : iomem_permit_access(hwdom, r->rsv_spfn, r->rsv_epfn - 1);
    pmem_unlock_caps(hwdom);

    return rc;
}

static void step_take_p2m(struct pmem_region *p)
{
    unsigned long pfn;
    int rc;

    if ( !next_chunk(p, true, &pfn) )
    {
        quiesce_then(p, PMEM_AUDIT_TABLES, 0);
        return;
    }

    rc = chunk_fault(p, pfn)
         ? -ENOMEM : pmem_p2m_take(pfn, pmem_is_data(p, pfn), &p->bad);
    /* What is in the way is left alone, while another failure may be half way. */
    if ( rc != -EBUSY )
        p->taken = p->cursor;
    if ( rc )
        pmem_fail(p, rc, PMEM_RELEASE, 0);
}

static void step_audit_tables(struct pmem_region *p)
{
    int rc = pmem_audit_tables(p);

    if ( rc == -ERESTART )
        return;

    if ( !rc && pmem_fault() )
        rc = -EBUSY;
    if ( rc )
    {
        pmem_fail(p, rc, PMEM_RELEASE, 0);
        return;
    }

    p->domid = 0;
    pmem_enter(p, PMEM_AUDIT_P2MS, 0);
}

static void step_audit_p2ms(struct pmem_region *p)
{
    int rc = pmem_audit_p2ms(p);

    if ( rc == -ERESTART )
        return;

    if ( p->claiming )
    {
        pmem_fail(p, rc, PMEM_ACTIVE, 0);
        return;
    }

    if ( p->mapping )
    {
        pmem_fail(p, rc, rc ? PMEM_ACTIVE : PMEM_GUEST_FREEZE, 0);
        return;
    }

    if ( !rc && pmem_fault() )
        rc = -EBUSY;

    if ( p->removing )
    {
        if ( rc )
            pmem_fail(p, rc, PMEM_ACTIVE, 0);
        else
            pmem_enter(p, PMEM_FREEZE, 0);
        return;
    }

    if ( rc )
    {
        pmem_fail(p, rc, PMEM_RELEASE, 0);
        return;
    }

    /* Nor may a TLB have what no page table has. */
    flush_mask(&cpu_online_map, FLUSH_TLB_GLOBAL);
    pmem_enter(p, PMEM_MAP_M2P, 0);
}

/*
 * Frames from max_page up to the end of its group have a frame table, but are
 * not valid: at boot their part of it was filled with ones.  Before max_page
 * grows they become MMIO, like the holes below it.
 */
static void init_tail(unsigned long epfn)
{
    unsigned long pfn = max_page, idx = pmem_group(pfn);

    if ( epfn <= max_page || !pmem_group_valid(idx) )
        return;

    for ( ; pfn < pmem_group_pfn(idx) + PDX_GROUP_COUNT; pfn++ )
    {
        struct page_info *pg = mfn_to_page(_mfn(pfn));

        memset(pg, 0, sizeof(*pg));
        pmem_frame_release(pg);
    }
}

/*
 * Call @fn for the data and M2P frames below @end in groups which were valid
 * before this region: those have changed hands, or are to.  Only the first and
 * the last group can be such.
 */
static int for_shared_frames(struct pmem_region *p, unsigned long end,
                             bool (*fn)(const struct pmem_region *p,
                                        struct page_info *pg))
{
    unsigned long first = pmem_group(p->r.spfn);
    unsigned long last = pmem_group(p->r.epfn - 1);
    unsigned long idx, pfn, stop;

    for ( idx = first; ; idx = last )
    {
        pfn = max(p->r.spfn, pmem_group_pfn(idx));
        stop = min(end, pmem_group_pfn(idx) + PDX_GROUP_COUNT);

        if ( !pmem_backed_by(p, pmem_group_backing(idx)) )
            for ( ; pfn < stop; pfn++ )
                if ( (pmem_is_data(p, pfn) || pmem_is_m2p(p, pfn)) &&
                     !fn(p, mfn_to_page(_mfn(pfn))) )
                {
                    p->bad = pfn;
                    return -EBUSY;
                }

        if ( idx == last )
            return 0;
    }
}

/* get_page_from_l1e() takes a reference to dom_io's frames for a moment. */
static bool cf_check freeze_mmio(const struct pmem_region *p,
                                 struct page_info *pg)
{
    unsigned int tries = 1000;

    while ( cmpxchg(&pg->count_info, PMEM_MMIO_IDLE, PMEM_FRAME_FROZEN) != PMEM_MMIO_IDLE )
    {
        if ( !--tries )
            return false;
        cpu_relax();
    }

    return true;
}

static bool cf_check frame_to_mmio(const struct pmem_region *p,
                                   struct page_info *pg)
{
    pmem_frame_release(pg);

    return true;
}

static bool cf_check frame_to_pmem(const struct pmem_region *p,
                                   struct page_info *pg)
{
    pmem_frame_assign(p, pg);

    return true;
}

/* Let others see the region.  There is no way back. */
static void publish(struct pmem_region *p)
{
    unsigned long idx;

    for_shared_frames(p, p->r.epfn, frame_to_pmem);

    /* The frame table first, then what says that there is one. */
    smp_wmb();
    if ( p->r.epfn > max_page )
    {
        max_page = p->r.epfn;
        max_pdx = pfn_to_pdx(max_page - 1) + 1;
    }
    for ( idx = pmem_group(p->r.spfn);
          idx <= pmem_group(p->r.epfn - 1); idx++ )
        set_bit(idx, pdx_group_valid);
}

static int commit_region(struct pmem_region *p)
{
    int rc = pmem_fault() ? -EBUSY
                          : pmem_check_others(p->r.spfn, p->r.epfn, &p->bad);

    if ( rc )
        return rc;

    init_tail(p->r.epfn);

    rc = for_shared_frames(p, p->r.epfn, freeze_mmio);
    if ( rc )
        for_shared_frames(p, p->bad, frame_to_mmio);
    else if ( pmem_fault() )
    {
        for_shared_frames(p, p->r.epfn, frame_to_mmio);
        rc = -EBUSY;
    }
    else
        publish(p);

    return rc;
}

static void step_map_m2p(struct pmem_region *p)
{
    struct pmem_window w;
    int rc;

    if ( !pmem_window(&p->r, p->cursor / PMEM_WINDOW_PARTS, &w) )
    {
        pmem_enter(p, PMEM_MAP_GROUPS, pmem_group(p->r.spfn));
        return;
    }

    rc = pmem_map_window(p, &w, p->cursor % PMEM_WINDOW_PARTS);
    if ( rc )
        pmem_fail(p, rc, PMEM_UNMAP_M2P, 0);
    else
        p->cursor++;
}

static void step_map_groups(struct pmem_region *p)
{
    int rc;

    if ( p->cursor > pmem_group(p->r.epfn - 1) )
    {
        pmem_enter(p, PMEM_COMMIT, 0);
        return;
    }

    rc = pmem_map_group(p, p->cursor++);
    if ( rc )
        pmem_fail(p, rc, PMEM_UNMAP_GROUPS, p->cursor);
}

static int step_commit(struct pmem_region *p)
{
    struct domain *hwdom = hardware_domain;
    int rc;

    if ( !pmem_lock_caps(hwdom) )
        return -ERESTART;
    rc = commit_region(p);
    pmem_unlock_caps(hwdom);

    if ( rc )
        pmem_fail(p, rc, PMEM_UNMAP_GROUPS, pmem_group(p->r.epfn - 1) + 1);
    else
        pmem_enter(p, PMEM_SHOW_P2M, p->r.spfn);

    return 0;
}

static unsigned long referable_frames(const struct pmem_region *p)
{
    return p->r.data_epfn - p->r.data_spfn + p->m2p_epfn - p->r.rsv_spfn;
}

static void shown(struct pmem_region *p)
{
    if ( p->rc )
    {
        pmem_enter(p, PMEM_THAW, referable_frames(p));
        return;
    }

    pmem_enter(p, PMEM_ACTIVE, 0);
    printk(XENLOG_INFO
           "pmem: added [%lx, %lx): %lu data frames, %lu of %lu reserved frames used\n",
           p->r.spfn, p->r.epfn, p->r.data_epfn - p->r.data_spfn,
           p->ft_epfn - p->r.rsv_spfn, p->r.rsv_epfn - p->r.rsv_spfn);
}

/* When a REMOVE is undone a failure cannot be, but the region is as it was. */
static void step_show_p2m(struct pmem_region *p)
{
    unsigned long pfn;
    int rc;

    if ( !next_chunk(p, false, &pfn) )
    {
        shown(p);
        return;
    }

    rc = !p->rc && chunk_fault(p, pfn) ? -ENOMEM : pmem_p2m_show(pfn);
    if ( rc && p->rc )
        printk(XENLOG_ERR "pmem: [%lx, %lx) stays MMIO until REMOVE: %d\n",
               pfn, pfn + PMEM_CHUNK, rc);
    else if ( rc )
        pmem_fail(p, rc, PMEM_FREEZE, 0);
}

/*
 * The n-th of the frames which can be referenced.  Returns how many there are of its
 * kind from there on, 0 past the end.
 */
static unsigned long nth_frame(const struct pmem_region *p, unsigned long n,
                               unsigned long *pfn, unsigned long *idle)
{
    unsigned long nr = p->r.data_epfn - p->r.data_spfn;

    if ( n < nr )
    {
        *pfn = p->r.data_spfn + n;
        *idle = PMEM_DATA_IDLE;
        return nr - n;
    }

    *pfn = p->r.rsv_spfn + (n - nr);
    *idle = PMEM_M2P_IDLE;

    return p->m2p_epfn - *pfn;
}

/* Of @nr frames with that count as many as can be, up to the first that has another. */
static unsigned long freeze(unsigned long pfn, unsigned long nr,
                            unsigned long idle)
{
    struct page_info *pg = mfn_to_page(_mfn(pfn));
    unsigned long done;

    for ( done = 0; done < nr; done++, pg++ )
        if ( cmpxchg(&pg->count_info, idle, PMEM_FRAME_FROZEN) != idle )
            break;

    return done;
}

static void step_freeze(struct pmem_region *p)
{
    unsigned long pfn, idle, done = 0;
    unsigned long nr = min(nth_frame(p, p->cursor, &pfn, &idle),
                           PMEM_FREEZE_BATCH);

    if ( !nr )
    {
        pmem_enter(p, PMEM_HIDE_P2M, p->r.spfn);
        return;
    }

    if ( p->cursor || !p->removing || !pmem_fault() )
        done = freeze(pfn, nr, idle);

    p->cursor += done;
    if ( done < nr )
    {
        p->bad = pfn + done;
        pmem_fail(p, -EBUSY, PMEM_THAW, p->cursor);
    }
}

/* Backwards from the cursor, which is the number of frozen frames. */
static void step_thaw(struct pmem_region *p)
{
    unsigned long pfn, idle, n = min(p->cursor, PMEM_FREEZE_BATCH);

    while ( n-- )
    {
        struct page_info *pg;

        nth_frame(p, --p->cursor, &pfn, &idle);
        pg = mfn_to_page(_mfn(pfn));
        write_atomic(&pg->count_info, idle);
    }

    if ( !p->cursor )
        pmem_enter(p, PMEM_ACTIVE, 0);
}

static void step_hide_p2m(struct pmem_region *p)
{
    unsigned long pfn;
    int rc;

    if ( !next_chunk(p, false, &pfn) )
    {
        pmem_enter(p, PMEM_RETIRE, 0);
        return;
    }

    rc = p->removing && chunk_fault(p, pfn) ? -ENOMEM : pmem_p2m_hide(pfn);
    if ( rc )
        pmem_fail(p, rc, PMEM_SHOW_P2M, p->r.spfn);
}

/*
 * 32-bit PV domains have copies of the page table entries of the compat M2P,
 * so our part of it can go only while there are no such domains.  A domain
 * becomes one before it makes its copy.
 */
static int retire_compat(const struct pmem_region *p)
{
    const struct domain *d;
    struct pmem_window w;
    unsigned int compat, n, first = pmem_count_windows(&p->r, &compat);
    bool ours = false;
    int rc = 0;

    for ( n = first; pmem_window(&p->r, n, &w); n++ )
        if ( pmem_backed_by(p, pmem_backing(w.rw)) )
        {
            pmem_hide_window(&w);
            ours = true;
        }

    if ( !ours )
        return 0;

    smp_mb();
    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
        if ( is_pv_32bit_domain(d) )
            rc = -EBUSY;
    rcu_read_unlock(&domlist_read_lock);

    for ( n = first; rc && pmem_window(&p->r, n, &w); n++ )
        if ( pmem_backed_by(p, pmem_backing(w.rw)) )
            pmem_show_window(&w);

    return rc;
}

/* All frames are frozen: there are no references, and no way to get one. */
static int retire_region(struct pmem_region *p)
{
    unsigned long first = pmem_group(p->r.spfn);
    unsigned long last = pmem_group(p->r.epfn - 1);
    unsigned long idx;
    int rc = p->removing && pmem_fault()
             ? -EBUSY : pmem_check_others(p->r.spfn, p->r.epfn, &p->bad);

    if ( !rc )
        rc = retire_compat(p);
    if ( rc )
        return rc;

    for_shared_frames(p, p->r.epfn, frame_to_mmio);

    for ( idx = first; idx <= last; idx++ )
        if ( (idx != first && idx != last) ||
             pmem_backed_by(p, pmem_group_backing(idx)) )
            clear_bit(idx, pdx_group_valid);

    return 0;
}

static int step_retire(struct pmem_region *p)
{
    struct domain *hwdom = hardware_domain;
    int rc;

    if ( !pmem_lock_caps(hwdom) )
        return -ERESTART;
    rc = retire_region(p);
    pmem_unlock_caps(hwdom);

    if ( rc )
        pmem_fail(p, rc, PMEM_SHOW_P2M, p->r.spfn);
    else
        quiesce_then(p, PMEM_UNMAP_GROUPS, pmem_group(p->r.epfn - 1) + 1);

    return 0;
}

/*
 * Not rcu_barrier(): a CPU which has stopped for stop_machine_run() does not take
 * part in it before this one has stopped as well, which a vCPU waiting here
 * prevents.
 */
static int step_quiesce(struct pmem_region *p)
{
    if ( !read_atomic(&p->quiesced) )
    {
        cpumask_raise_softirq(&cpu_online_map, RCU_SOFTIRQ);
        return -ERESTART;
    }

    pmem_enter(p, p->next, p->next_cursor);

    return 0;
}

static void step_unmap_groups(struct pmem_region *p)
{
    if ( p->cursor > pmem_group(p->r.spfn) )
        pmem_unmap_group(p, --p->cursor);
    else
        pmem_enter(p, PMEM_UNMAP_M2P, 0);
}

static void step_unmap_m2p(struct pmem_region *p)
{
    struct pmem_window w;

    if ( pmem_window(&p->r, p->cursor, &w) )
    {
        pmem_unmap_window(p, &w);
        p->cursor++;
    }
    else
        pmem_enter(p, PMEM_RELEASE, 0);
}

/*
 * The hardware domain will access all of the region uncached again: nothing of
 * it may be left in caches, if the CPU does not look there by itself.
 */
static int step_release(struct pmem_region *p)
{
    int rc;

    flush_mask(&cpu_online_map,
               FLUSH_TLB_GLOBAL |
               (boot_cpu_has(X86_FEATURE_XEN_SELFSNOOP) ? 0 : FLUSH_CACHE));

    rc = return_reserved(p);
    if ( rc )
        return rc;

    pmem_dma_restore(&p->r);
    pmem_enter(p, PMEM_RETURN_P2M, p->r.spfn);

    return 0;
}

/* The types of memory in a p2m depend on what a frame is: those get new ones. */
static void step_return_p2m(struct pmem_region *p)
{
    unsigned long pfn;
    int rc;

    if ( !next_chunk(p, true, &pfn) || pfn >= p->taken )
    {
        if ( paging_mode_translate(hardware_domain) )
            memory_type_changed(hardware_domain);
        p->phase = PMEM_GONE;
        return;
    }

    rc = pmem_p2m_return(pfn);
    if ( rc )
        printk(XENLOG_WARNING
               "pmem: [%lx, %lx) is not mapped for the hardware domain: %d\n",
               pfn, pfn + PMEM_CHUNK, rc);
}

/*
 * Proceed until ACTIVE or GONE.  Otherwise returns -ERESTART; or -ENOMEM, and
 * the last step is then still to be done.
 */
int pmem_run(struct pmem_region *p)
{
    int rc = 0;

    for ( ; ; )
    {
        switch ( p->phase )
        {
        case PMEM_CLAIM:
            rc = step_claim(p);
            break;

        case PMEM_TAKE_P2M:
            step_take_p2m(p);
            break;

        case PMEM_AUDIT_TABLES:
            step_audit_tables(p);
            break;

        case PMEM_AUDIT_P2MS:
            step_audit_p2ms(p);
            break;

        case PMEM_MAP_M2P:
            step_map_m2p(p);
            break;

        case PMEM_MAP_GROUPS:
            step_map_groups(p);
            break;

        case PMEM_COMMIT:
            rc = step_commit(p);
            break;

        case PMEM_SHOW_P2M:
            step_show_p2m(p);
            break;

        case PMEM_FREEZE:
            step_freeze(p);
            break;

        case PMEM_THAW:
            step_thaw(p);
            break;

        case PMEM_HIDE_P2M:
            step_hide_p2m(p);
            break;

        case PMEM_RETIRE:
            rc = step_retire(p);
            break;

        case PMEM_QUIESCE:
            rc = step_quiesce(p);
            break;

        case PMEM_UNMAP_GROUPS:
            step_unmap_groups(p);
            break;

        case PMEM_UNMAP_M2P:
            step_unmap_m2p(p);
            break;

        case PMEM_RELEASE:
            rc = step_release(p);
            break;

        case PMEM_RETURN_P2M:
            step_return_p2m(p);
            break;

        case PMEM_GUEST_FREEZE:
            pmem_step_guest_freeze(p);
            break;

        case PMEM_GUEST_SHOW:
            pmem_step_guest_show(p);
            break;

        case PMEM_GUEST_HIDE:
            pmem_step_guest_hide(p);
            break;

        case PMEM_GUEST_ASSIGN:
            pmem_step_guest_assign(p);
            break;

        case PMEM_ACTIVE:
        case PMEM_GONE:
            return 0;
        }

        if ( rc )
            return rc;
        if ( hypercall_preempt_check() )
            return -ERESTART;
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
