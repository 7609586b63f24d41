/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: data that other domains are given as RAM,
 * by MAP.
 *
 *  MAP     AUDIT_P2MS -> GUEST_FREEZE -> GUEST_SHOW -> GUEST_ASSIGN -> ACTIVE
 *  UNMAP   GUEST_FREEZE -> GUEST_HIDE -> GUEST_ASSIGN -> ACTIVE
 *
 * A MAP which fails in GUEST_SHOW continues with GUEST_HIDE.  All frames are frozen
 * before the first one is in the domain's p2m, or is taken out of it, and until their
 * owner is what it is to be: so either all of them change hands, or none, whatever
 * others do meanwhile, and a user of a frame is never disturbed.
 *
 * When a domain dies its frames go back one by one, as the last reference to each is
 * dropped, also by a domain which outlives it: see pmem_put_last().  Until then the
 * mapping is there, and keeps what is left of the domain.
 *
 * Rules:
 *  - A mapping is in the list, under the lock of the hardware domain's access rights,
 *    before it is looked who else has its frames.  Who is to be given access either
 *    had it before, and is found, or is refused it.
 *  - Frames are frozen, mapped and assigned under the domain's lock, by chunks, while
 *    it is not dying.  What is not assigned then goes back to the hardware domain.
 *  - Each frame that the domain owns, a command in progress, and the domain while it
 *    lives, hold one of @refs.
 *  - A PVH hardware domain keeps its own entries: like a PV one it is trusted not to
 *    use what it has given away, but does not own, and so can neither grant it nor use
 *    it for hypercalls.
 */

#include <xen/event.h>
#include <xen/mm.h>
#include <xen/pmem.h>
#include <xen/sched.h>

#include <asm/p2m.h>
#include <asm/paging.h>
#include <asm/pmem.h>

#include <public/platform.h>

#include "pmem-internal.h"

struct pmem_mapping {
    struct list_head list;
    struct domain *d;           /* referenced */
    unsigned long gfn;          /* where spfn is */
    unsigned long spfn, epfn;
    bool unmapping;             /* UNMAP was called */
    bool leaving;               /* no more than references are left */
    bool dying;                 /* its domain's frames are being dropped */
    unsigned long frozen;       /* [spfn, frozen) are, by this command ... */
    unsigned long shown;        /* ... of which [spfn, shown) are mapped ... */
    unsigned long keep;         /* ... and [keep, frozen) get to the domain */
    unsigned long dropped;      /* the domain has dropped [spfn, dropped) */
    unsigned long refs;
};

/* All mappings, of all regions.  The lock is a leaf; @refs are under it, too. */
static LIST_HEAD(mappings);
static DEFINE_SPINLOCK(mappings_lock);

static struct pmem_mapping *first_mapping(unsigned long spfn,
                                          unsigned long epfn)
{
    struct pmem_mapping *m;

    list_for_each_entry ( m, &mappings, list )
        if ( spfn < m->epfn && m->spfn < epfn )
            return m;

    return NULL;
}

/* With the lock held, which is released. */
static void drop_refs_unlock(struct pmem_mapping *m, unsigned long nr)
{
    bool last;

    ASSERT(m->refs >= nr);
    m->refs -= nr;
    last = !m->refs;
    if ( last )
        list_del(&m->list);
    spin_unlock(&mappings_lock);

    if ( !last )
        return;

    printk(XENLOG_INFO "pmem: %pd has [%lx, %lx) no more\n", m->d, m->spfn,
           m->epfn);
    put_domain(m->d);
    xvfree(m);
}

/*
 * Has no domain a frame of [spfn, epfn) by MAP?  The answer stays valid under the
 * conditions of pmem_check_others().
 */
int pmem_check_mappings(unsigned long spfn, unsigned long epfn,
                        unsigned long *bad)
{
    const struct pmem_mapping *m;
    domid_t domid = DOMID_INVALID;

    spin_lock(&mappings_lock);
    m = first_mapping(spfn, epfn);
    if ( m )
    {
        domid = m->d->domain_id;
        *bad = max(spfn, m->spfn);
    }
    spin_unlock(&mappings_lock);

    if ( domid == DOMID_INVALID )
        return 0;

    printk(XENLOG_G_WARNING "pmem: d%u has frame %lx as RAM\n", domid, *bad);

    return -EBUSY;
}

/* The n-th mapping of data of the region; if there are less, @n is less by so many. */
bool pmem_get_mapping(const struct pmem_region *p, unsigned int *n,
                      struct xenpf_pmem *op)
{
    const struct pmem_mapping *m;
    bool found = false;

    spin_lock(&mappings_lock);
    list_for_each_entry ( m, &mappings, list )
    {
        if ( !pmem_is_data(p, m->spfn) || (*n)-- )
            continue;

        op->domid = m->d->domain_id;
        op->guest_spfn = m->spfn;
        op->guest_epfn = m->epfn;
        op->guest_gfn = m->gfn;
        op->flags = XENPF_PMEM_MAPPED |
                    (m->leaving ? XENPF_PMEM_LEAVING : 0);
        found = true;
        break;
    }
    spin_unlock(&mappings_lock);

    return found;
}

/* What a command in progress is about. */
void pmem_mapping_range(const struct pmem_mapping *m, unsigned long *spfn,
                        unsigned long *epfn)
{
    *spfn = m->spfn;
    *epfn = m->epfn;
}

/* --- begin and end of a command --- */

static bool is_for(const struct pmem_mapping *m, const struct xenpf_pmem *op)
{
    return m->d->domain_id == op->domid && m->gfn == op->guest_gfn &&
           m->spfn == op->guest_spfn && m->epfn == op->guest_epfn;
}

/* Is the command in progress this one? */
bool pmem_mapping_continues(const struct pmem_region *p,
                            const struct xenpf_pmem *op)
{
    return p->mapping && is_for(p->mapping, op) &&
           p->mapping->unmapping == (op->cmd == XENPF_PMEM_UNMAP);
}

static int check_map(const struct pmem_region *p, const struct domain *d,
                     const struct xenpf_pmem *op)
{
    unsigned long nr = op->guest_epfn - op->guest_spfn;

    if ( op->guest_spfn >= op->guest_epfn ||
         op->guest_spfn < p->r.data_spfn || op->guest_epfn > p->r.data_epfn ||
         ((op->guest_spfn | op->guest_epfn | op->guest_gfn) &
          (PMEM_CHUNK - 1)) ||
         d == hardware_domain )
        return -EINVAL;
    if ( !is_hvm_domain(d) || !hap_enabled(d) )
        return -EOPNOTSUPP;
    if ( op->guest_gfn + nr < nr ||
         !gfn_valid(d, _gfn(op->guest_gfn + nr - 1)) )
        return -ERANGE;

    return 0;
}

/* Into the list, if the domain lives and nobody else has these frames by MAP. */
static int insert_mapping(struct pmem_region *p, struct pmem_mapping *m,
                          unsigned long *bad)
{
    int rc = p->claimed ? -EBUSY : pmem_check_mappings(m->spfn, m->epfn, bad);

    if ( rc )
        return rc;

    domain_lock(m->d);
    if ( m->d->is_dying || !get_domain(m->d) )
        rc = -ESRCH;
    else
    {
        spin_lock(&mappings_lock);
        list_add_tail(&m->list, &mappings);
        spin_unlock(&mappings_lock);
    }
    domain_unlock(m->d);

    return rc;
}

static int begin_map(struct pmem_region *p, struct domain *d,
                     const struct xenpf_pmem *op, unsigned long *bad)
{
    struct pmem_mapping *m = pmem_fault() ? NULL : xvzalloc(struct pmem_mapping);
    int rc;

    if ( !m )
        return -ENOMEM;

    m->d = d;
    m->gfn = op->guest_gfn;
    m->spfn = m->frozen = m->shown = m->dropped = op->guest_spfn;
    m->epfn = m->keep = op->guest_epfn;
    m->refs = 2;

    if ( !pmem_lock_caps(hardware_domain) )
        rc = -ERESTART;
    else
    {
        rc = insert_mapping(p, m, bad);
        pmem_unlock_caps(hardware_domain);
    }

    if ( rc )
    {
        xvfree(m);
        return rc;
    }

    p->mapping = m;
    rc = pmem_check_others(m->spfn, m->epfn, bad);
    p->domid = 0;
    if ( rc )
        pmem_fail(p, rc, PMEM_GUEST_ASSIGN, m->spfn);
    else
        pmem_enter(p, PMEM_AUDIT_P2MS, 0);
    p->bad = *bad;

    return 0;
}

/*
 * Begin a MAP.  0 if it is in progress, and its outcome is still open.  If the
 * hardware domain uses the data itself Xen's log says so.
 */
int pmem_map_begin(struct pmem_region *p, const struct xenpf_pmem *op,
                   unsigned long *bad)
{
    struct domain *d = rcu_lock_domain_by_id(op->domid);
    int rc;

    if ( !d )
        return -ESRCH;

    rc = check_map(p, d, op);
    if ( !rc )
        rc = begin_map(p, d, op, bad);
    if ( rc == -EBUSY && p->claimed )
    {
        *bad = op->guest_spfn;
        printk(XENLOG_G_WARNING
               "pmem: %pd is given nothing of [%lx, %lx): %pd itself uses the data; disable its nested namespace there first\n",
               d, p->r.data_spfn, p->r.data_epfn, hardware_domain);
    }

    rcu_unlock_domain(d);

    return rc;
}

/* Begin an UNMAP. */
int pmem_unmap_begin(struct pmem_region *p, const struct xenpf_pmem *op)
{
    struct pmem_mapping *m;
    int rc = -ENOENT;

    spin_lock(&mappings_lock);
    list_for_each_entry ( m, &mappings, list )
    {
        if ( !is_for(m, op) || !pmem_is_data(p, m->spfn) )
            continue;

        rc = -ESRCH;
        if ( m->leaving )
            break;

        m->unmapping = true;
        m->frozen = m->spfn;
        m->shown = m->keep = m->epfn;
        m->refs++;
        p->mapping = m;
        rc = 0;
        break;
    }
    spin_unlock(&mappings_lock);

    if ( !rc )
        pmem_enter(p, PMEM_GUEST_FREEZE, 0);

    return rc;
}

/* The command has come to its end, with this outcome. */
void pmem_mapping_done(struct pmem_region *p, int rc)
{
    struct pmem_mapping *m = p->mapping;
    unsigned long refs = 1;

    p->mapping = NULL;
    m->unmapping = false;

    if ( !rc && m->keep < m->epfn )
        printk(XENLOG_INFO "pmem: %pd has [%lx, %lx) as RAM at gfn %lx\n", m->d,
               m->spfn, m->epfn, m->gfn);

    spin_lock(&mappings_lock);
    if ( m->keep >= m->epfn && !m->leaving )
    {
        m->leaving = true;
        refs++;
    }
    drop_refs_unlock(m, refs);
}

/* --- the steps --- */

/* Of the many chunks the first one, and the last one, may fail on request. */
static bool end_chunk(const struct pmem_mapping *m, unsigned long pfn)
{
    return pfn == m->spfn || pfn == m->epfn - PMEM_CHUNK;
}

/* With the lock of the domain held, which has to live. */
static int freeze_chunk(struct pmem_region *p, struct pmem_mapping *m)
{
    unsigned long end = m->frozen + PMEM_CHUNK;

    for ( ; m->frozen < end; m->frozen++ )
    {
        struct page_info *pg = mfn_to_page(_mfn(m->frozen));

        if ( cmpxchg(&pg->count_info, PMEM_DATA_IDLE, PMEM_FRAME_FROZEN) !=
             PMEM_DATA_IDLE )
        {
            p->bad = m->frozen;
            return -EBUSY;
        }
    }

    return 0;
}

void pmem_step_guest_freeze(struct pmem_region *p)
{
    struct pmem_mapping *m = p->mapping;
    int rc = -ESRCH;

    domain_lock(m->d);
    if ( !m->d->is_dying )
        rc = end_chunk(m, m->frozen) && pmem_fault() ? -EBUSY
                                                     : freeze_chunk(p, m);
    domain_unlock(m->d);

    if ( rc )
    {
        m->keep = m->unmapping ? m->spfn : m->epfn;
        pmem_fail(p, rc, PMEM_GUEST_ASSIGN, m->spfn);
    }
    else if ( m->frozen == m->epfn )
        pmem_enter(p, m->unmapping ? PMEM_GUEST_HIDE : PMEM_GUEST_SHOW,
                   m->spfn);
}

/* With the lock of the domain held. */
static int show_chunk(struct pmem_region *p, const struct pmem_mapping *m)
{
    unsigned long gfn = m->gfn + (p->cursor - m->spfn), at = gfn;

    if ( m->d->is_dying )
        return -ESRCH;
    if ( paging_mode_log_dirty(m->d) )
        return -EBUSY;
    if ( !pmem_p2m_chunk_is_free(m->d, &at) )
    {
        p->bad = at;
        return -EEXIST;
    }
    if ( end_chunk(m, p->cursor) && pmem_fault() )
        return -ENOMEM;

    return guest_physmap_add_page(m->d, _gfn(gfn), _mfn(p->cursor),
                                  PAGETABLE_ORDER);
}

void pmem_step_guest_show(struct pmem_region *p)
{
    struct pmem_mapping *m = p->mapping;
    int rc;

    domain_lock(m->d);
    rc = show_chunk(p, m);
    domain_unlock(m->d);

    p->cursor += PMEM_CHUNK;
    /* A chunk may have failed half way. */
    m->shown = p->cursor;

    if ( rc )
        pmem_fail(p, rc, PMEM_GUEST_HIDE, m->spfn);
    else if ( p->cursor == m->epfn )
    {
        m->keep = m->spfn;
        pmem_enter(p, PMEM_GUEST_ASSIGN, m->spfn);
    }
}

/*
 * To take out what was put in takes no memory.  Should it fail all the same, then
 * the domain could still reach frames which it is not to have: it keeps them, and
 * does not live on.
 */
void pmem_step_guest_hide(struct pmem_region *p)
{
    struct pmem_mapping *m = p->mapping;
    unsigned long gfn = m->gfn + (p->cursor - m->spfn);
    int rc = 0;

    /* Of a dying domain the p2m is gone, or goes. */
    domain_lock(m->d);
    if ( !m->d->is_dying )
        rc = pmem_p2m_drop(m->d, gfn, p->cursor);
    domain_unlock(m->d);

    if ( rc )
    {
        printk(XENLOG_ERR
               "pmem: %pd cannot be parted from [%lx, %lx), and ends: %d\n",
               m->d, p->cursor, m->epfn, rc);
        domain_crash(m->d);
        m->keep = p->cursor;
        pmem_fail(p, rc, PMEM_GUEST_ASSIGN, m->spfn);
        return;
    }

    p->cursor += PMEM_CHUNK;
    if ( p->cursor == m->shown )
        pmem_enter(p, PMEM_GUEST_ASSIGN, m->spfn);
}

/*
 * Nobody has a reference, nor gets one before count_info is written.  As after ADD:
 * a PV hardware domain has no use for an entry of the M2P.
 */
static void send_home(struct page_info *pg)
{
    unsigned long pfn = mfn_x(page_to_mfn(pg));

    set_gpfn_from_mfn(pfn, paging_mode_translate(hardware_domain)
                           ? pfn : INVALID_M2P_ENTRY);
    pg->u.inuse.type_info = PGT_writable_page | PGT_validated | 1;
    page_set_owner(pg, hardware_domain);
    smp_wmb();
    write_atomic(&pg->count_info, PMEM_DATA_IDLE);
}

/*
 * With the lock of the domain held, so that none of them is dropped.  Returns how many
 * frames more it owns.
 */
static long assign_frames(struct pmem_mapping *m, unsigned long pfn,
                          unsigned long end)
{
    long more = 0;

    for ( ; pfn < end; pfn++ )
    {
        struct page_info *pg = mfn_to_page(_mfn(pfn));
        bool had = page_get_owner(pg) == m->d;
        bool stays = pfn >= m->keep && !m->d->is_dying;

        more += (stays ? 1 : 0) - (had ? 1 : 0);
        if ( !stays )
            send_home(pg);
        else
        {
            page_set_owner(pg, m->d);
            smp_wmb();
            write_atomic(&pg->count_info, PMEM_DATA_IDLE);
        }
    }

    return more;
}

void pmem_step_guest_assign(struct pmem_region *p)
{
    struct pmem_mapping *m = p->mapping;
    unsigned long end = min(p->cursor + PMEM_CHUNK, m->frozen);
    long more;

    if ( p->cursor < end )
    {
        domain_lock(m->d);
        more = assign_frames(m, p->cursor, end);
        spin_lock(&mappings_lock);
        m->refs += more;
        spin_unlock(&mappings_lock);
        if ( m->d->is_dying && !p->rc )
            p->rc = -ESRCH;
        domain_unlock(m->d);
    }

    p->cursor = end;
    if ( end == m->frozen )
        pmem_enter(p, PMEM_ACTIVE, 0);
}

/* --- the end of a domain, and of a reference --- */

/* The next mapping that a dying domain has to drop its frames of. */
static struct pmem_mapping *next_dying(const struct domain *d)
{
    struct pmem_mapping *m, *found = NULL;

    spin_lock(&mappings_lock);
    list_for_each_entry ( m, &mappings, list )
        if ( m->d == d && (!m->leaving || m->dying) )
        {
            m->leaving = m->dying = true;
            found = m;
            break;
        }
    spin_unlock(&mappings_lock);

    return found;
}

static void drop_chunk(struct pmem_mapping *m)
{
    unsigned long end = m->dropped + PMEM_CHUNK;

    for ( ; m->dropped < end; m->dropped++ )
    {
        struct page_info *pg = mfn_to_page(_mfn(m->dropped));

        /* Of what never got to the domain, or is back, there is none. */
        if ( !get_page(pg, m->d) )
            continue;

        put_page_alloc_ref(pg);
        put_page(pg);
    }

    if ( m->dropped < m->epfn )
        return;

    spin_lock(&mappings_lock);
    m->dying = false;
    drop_refs_unlock(m, 1);
}

/* Under domctl_lock, and after all have gone who held the domain's lock before. */
int pmem_relinquish(struct domain *d)
{
    struct pmem_mapping *m;

    while ( (m = next_dying(d)) != NULL )
    {
        drop_chunk(m);
        if ( hypercall_preempt_check() )
            return -ERESTART;
    }

    return 0;
}

/* A frame of a domain which has dropped it, and of which this was the last use. */
void pmem_frame_is_back(struct page_info *pg)
{
    unsigned long pfn = mfn_x(page_to_mfn(pg));
    struct pmem_mapping *m;

    send_home(pg);

    spin_lock(&mappings_lock);
    m = first_mapping(pfn, pfn + 1);
    if ( m )
        drop_refs_unlock(m, 1);
    else
    {
        spin_unlock(&mappings_lock);
        ASSERT_UNREACHABLE();
    }
}

/* Has the domain any of it? */
bool pmem_is_mapped(const struct domain *d)
{
    const struct pmem_mapping *m;
    bool found = false;

    spin_lock(&mappings_lock);
    list_for_each_entry ( m, &mappings, list )
        if ( m->d == d )
            found = true;
    spin_unlock(&mappings_lock);

    if ( found )
        printk(XENLOG_G_WARNING
               "pmem: %pd has persistent memory: its dirty pages are not tracked, and it is not migrated\n",
               d);

    return found;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
