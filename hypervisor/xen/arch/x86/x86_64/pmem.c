/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory (XENPF_pmem).
 *
 * A region of persistent memory is given to Xen by the hardware domain, after
 * that has found out which part of it may be written.  Xen builds the frame
 * table and the M2P of the region in this part, the reserved area; the other
 * part, the data, is then owned by the hardware domain, which can map it
 * write-back, grant it and use it for DMA.  See public/pmem.h.
 *
 * Rules:
 *  - All state changes happen under the lock of platform operations.  One command
 *    is in progress at a time; when preempted, its state stays here and only a call
 *    with the same command and the same tuple continues it.
 *  - A region is claimed under the lock of the hardware domain's access rights
 *    before it is looked who else has access: who is to be given some either had
 *    it before, and is found, or is refused it.
 *  - ADD has no effect outside of the reserved area that other code could see,
 *    but that the hardware domain loses its access to the reserved area, until
 *    the commit, which cannot be preempted.  Valid bits are set there, last.
 *  - ADD is undone by the same steps which REMOVE uses.  These need no memory,
 *    but for one of the last, which gives the reserved area back to the hardware
 *    domain, and which can be repeated.
 *  - A PDX group, or a window of the M2P, which two regions have a part in, is
 *    backed by the one which came first, and that one cannot go first.
 *  - max_page is raised, never lowered.
 */

#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/param.h>
#include <xen/sched.h>
#include <xen/spinlock.h>

#include <asm/pmem.h>
#include <asm/pv/domain.h>
#include <asm/spec_ctrl.h>

#include <public/platform.h>

#include "pmem-internal.h"

/*
 * In ascending order.  The lock is for those who do not hold the lock of
 * platform operations; these may look only at the range, @claimed and @warned.
 */
static LIST_HEAD(regions);
static DEFINE_SPINLOCK(regions_lock);

/* The region that a command is in progress for. */
static struct pmem_region *busy_region;

static struct pmem_region *find_region(const struct pmem_range *r)
{
    struct pmem_region *p;

    list_for_each_entry ( p, &regions, list )
        if ( !memcmp(&p->r, r, sizeof(*r)) )
            return p;

    return NULL;
}

struct pmem_region *pmem_find_overlap(unsigned long spfn, unsigned long epfn)
{
    struct pmem_region *p;

    list_for_each_entry ( p, &regions, list )
        if ( spfn < p->r.epfn && p->r.spfn < epfn )
            return p;

    return NULL;
}

/* Is this frame in the reserved area of any region? */
bool pmem_is_reserved(mfn_t mfn)
{
    const struct pmem_region *p;

    list_for_each_entry ( p, &regions, list )
        if ( pmem_backed_by(p, mfn) )
            return true;

    return false;
}

bool pmem_reserves(unsigned long spfn, unsigned long epfn)
{
    const struct pmem_region *p;
    bool found = false;

    spin_lock(&regions_lock);
    list_for_each_entry ( p, &regions, list )
        if ( spfn >= p->r.rsv_spfn && epfn <= p->r.rsv_epfn )
            found = true;
    spin_unlock(&regions_lock);

    return found;
}

/*
 * Is data of a region, or of one that is claimed, in [spfn, epfn)?  If so, which
 * one is the first?
 */
bool pmem_find_data(unsigned long spfn, unsigned long epfn, bool claimed,
                    struct pmem_range *r)
{
    const struct pmem_region *p;
    bool found = false;

    spin_lock(&regions_lock);
    list_for_each_entry ( p, &regions, list )
        if ( spfn < p->r.data_epfn && p->r.data_spfn < epfn &&
             (p->claimed || !claimed) )
        {
            *r = p->r;
            found = true;
            break;
        }
    spin_unlock(&regions_lock);

    return found;
}

static void insert_region(struct pmem_region *new)
{
    struct pmem_region *p;

    spin_lock(&regions_lock);
    list_for_each_entry ( p, &regions, list )
        if ( p->r.spfn > new->r.spfn )
            break;
    list_add_tail(&new->list, &p->list);
    spin_unlock(&regions_lock);
}

static void delete_region(struct pmem_region *p)
{
    spin_lock(&regions_lock);
    list_del(&p->list);
    spin_unlock(&regions_lock);

    xvfree(p);
}

static void describe(struct xenpf_pmem *op, const struct pmem_region *p)
{
    op->rsv_used = p->ft_epfn - p->r.rsv_spfn;

    if ( p->phase == PMEM_ACTIVE || p->claiming || p->mapping )
        op->state = XENPF_PMEM_STATE_ACTIVE;
    else
        op->state = p->removing ? XENPF_PMEM_STATE_REMOVING
                                : XENPF_PMEM_STATE_ADDING;
}

static void warn_l1tf(const struct pmem_range *r)
{
    if ( cpu_has_bug_l1tf && pfn_to_paddr(r->epfn) > l1tf_safe_maddr )
        printk(XENLOG_WARNING
               "pmem: [%lx, %lx) reaches above %#"PRIpaddr", and is exposed to L1TF\n",
               r->spfn, r->epfn, l1tf_safe_maddr);
}

/* Go on with what is in progress; when it is finished, give its result. */
static int proceed(struct pmem_region *p, unsigned long *bad)
{
    int rc = pmem_run(p);

    if ( rc )
        return rc;

    rc = p->rc;
    *bad = p->bad;
    busy_region = NULL;

    if ( p->phase == PMEM_ACTIVE )
    {
        if ( p->claiming && rc )
            p->claimed = false;
        if ( p->mapping )
            pmem_mapping_done(p, rc);
        p->removing = p->claiming = false;
        p->rc = 0;
        p->bad = PMEM_NO_FRAME;
        return rc;
    }

    if ( !rc )
        printk(XENLOG_INFO "pmem: removed [%lx, %lx)\n", p->r.spfn, p->r.epfn);
    delete_region(p);
    put_domain(hardware_domain);

    return rc;
}

/* Begin an ADD.  Nothing has been written to the region on return. */
static int begin_add(const struct pmem_range *r, unsigned long m2p,
                     unsigned long ft)
{
    struct pmem_region *p = pmem_fault() ? NULL : xvzalloc(struct pmem_region);

    if ( !p )
        return -ENOMEM;

    p->r = *r;
    p->m2p_next = r->rsv_spfn;
    p->m2p_epfn = p->ft_next = r->rsv_spfn + m2p;
    p->ft_epfn = p->m2p_epfn + ft;
    p->bad = PMEM_NO_FRAME;

    get_knownalive_domain(hardware_domain);
    insert_region(p);
    busy_region = p;

    pmem_enter(p, PMEM_CLAIM, 0);
    warn_l1tf(r);

    return 0;
}

static int pmem_add(struct xenpf_pmem *op, const struct pmem_range *r,
                    struct pmem_region *p, unsigned long *bad)
{
    unsigned long m2p, ft;
    int rc;

    if ( busy_region && (busy_region != p || !pmem_is_adding(p)) )
        return -EAGAIN;

    if ( p && !busy_region )
    {
        describe(op, p);
        return -EEXIST;
    }

    if ( !p )
    {
        rc = pmem_check_range(r, op->flags & XENPF_PMEM_UNLISTED, bad);
        if ( rc )
            return rc;

        m2p = pmem_m2p_need(r, false);
        ft = pmem_ft_need(r, false);
        if ( m2p + ft > r->rsv_epfn - r->rsv_spfn )
        {
            op->rsv_need = m2p + ft;
            op->rsv_max = pmem_m2p_need(r, true) + pmem_ft_need(r, true);
            return -ENOSPC;
        }

        pmem_fault_begin(XENPF_PMEM_ADD);
        rc = begin_add(r, m2p, ft);
        if ( rc )
            return rc;
    }

    p = busy_region;
    rc = proceed(p, bad);
    if ( !rc )
    {
        describe(op, p);
        pmem_fault_end(XENPF_PMEM_ADD);
    }

    return rc;
}

static int pmem_remove(struct pmem_region *p, unsigned long *bad)
{
    const struct pmem_region *q;
    int rc;

    if ( busy_region && (busy_region != p || !p->removing) )
        return -EAGAIN;
    if ( !p )
        return -ENOENT;

    if ( !busy_region )
    {
        list_for_each_entry ( q, &regions, list )
        {
            rc = q == p ? 0 : pmem_check_backing(p, q, bad);
            if ( rc )
                return rc;
        }

        rc = pmem_check_mappings(p->r.spfn, p->r.epfn, bad);
        if ( !rc )
            rc = pmem_check_others(p->r.spfn, p->r.epfn, bad);
        if ( rc )
            return rc;

        pmem_fault_begin(XENPF_PMEM_REMOVE);
        p->removing = true;
        p->domid = 0;
        busy_region = p;
        pmem_enter(p, PMEM_AUDIT_P2MS, 0);
    }

    rc = proceed(p, bad);
    if ( !rc )
        pmem_fault_end(XENPF_PMEM_REMOVE);

    return rc;
}

/* From here on no other domain is given access.  Who has been before? */
static int begin_claim(struct pmem_region *p, unsigned long *bad)
{
    int rc;

    if ( !pmem_lock_caps(hardware_domain) )
        return -ERESTART;
    p->claimed = true;
    pmem_unlock_caps(hardware_domain);

    rc = pmem_check_mappings(p->r.data_spfn, p->r.data_epfn, bad);
    if ( !rc )
        rc = pmem_check_others(p->r.data_spfn, p->r.data_epfn, bad);
    if ( rc )
    {
        p->claimed = false;
        return rc;
    }

    p->claiming = true;
    p->domid = 0;
    busy_region = p;
    pmem_enter(p, PMEM_AUDIT_P2MS, 0);

    return 0;
}

static int pmem_claim(struct pmem_region *p, unsigned long *bad)
{
    int rc;

    if ( busy_region && (busy_region != p || !p->claiming) )
        return -EAGAIN;
    if ( !p )
        return -ENOENT;

    if ( !busy_region )
    {
        if ( p->claimed )
            return 0;

        rc = begin_claim(p, bad);
        if ( rc )
            return rc;
    }

    return proceed(p, bad);
}

static int pmem_unclaim(struct pmem_region *p)
{
    if ( !p )
        return -ENOENT;
    if ( busy_region == p )
        return -EAGAIN;

    p->claimed = false;

    return 0;
}

static int pmem_map(const struct xenpf_pmem *op, struct pmem_region *p,
                    unsigned long *bad)
{
    int rc;

    if ( busy_region &&
         (busy_region != p || !pmem_mapping_continues(p, op)) )
        return -EAGAIN;
    if ( !p )
        return -ENOENT;

    if ( !busy_region )
    {
        pmem_fault_begin(op->cmd);
        rc = op->cmd == XENPF_PMEM_MAP ? pmem_map_begin(p, op, bad)
                                       : pmem_unmap_begin(p, op);
        if ( rc )
            return rc;

        busy_region = p;
    }

    rc = proceed(p, bad);
    if ( !rc )
        pmem_fault_end(op->cmd);

    return rc;
}

static int pmem_guest(struct xenpf_pmem *op, const struct pmem_region *p)
{
    const struct domain *d;
    unsigned long first[2];
    unsigned int n = op->index;
    int rc = -ENOENT;

    if ( !p )
        return -ENOENT;
    if ( pmem_get_mapping(p, &n, op) )
        return 0;

    rcu_read_lock(&domlist_read_lock);

    for_each_domain ( d )
    {
        if ( d == hardware_domain ||
             !pmem_first_access(d, p->r.data_spfn, p->r.data_epfn, first) ||
             n-- )
            continue;

        op->domid = d->domain_id;
        op->guest_spfn = first[0];
        op->guest_epfn = first[1];
        rc = 0;
        break;
    }

    rcu_read_unlock(&domlist_read_lock);

    return rc;
}

static int pmem_query(struct xenpf_pmem *op, const struct pmem_range *r,
                      const struct pmem_region *p, unsigned long *bad)
{
    int rc;

    if ( p )
    {
        describe(op, p);
        return -EEXIST;
    }

    rc = pmem_check_range(r, op->flags & XENPF_PMEM_UNLISTED, bad);
    if ( rc )
        return rc;

    op->rsv_need = pmem_m2p_need(r, false) + pmem_ft_need(r, false);
    op->rsv_max = pmem_m2p_need(r, true) + pmem_ft_need(r, true);

    return 0;
}

static int pmem_list(struct xenpf_pmem *op)
{
    const struct pmem_region *p;
    unsigned int n = op->index;

    list_for_each_entry ( p, &regions, list )
    {
        if ( n-- )
            continue;

        op->spfn = p->r.spfn;
        op->epfn = p->r.epfn;
        op->rsv_spfn = p->r.rsv_spfn;
        op->rsv_epfn = p->r.rsv_epfn;
        op->data_spfn = p->r.data_spfn;
        op->data_epfn = p->r.data_epfn;
        op->flags = p->claimed ? XENPF_PMEM_CLAIMED : 0;
        describe(op, p);

        return 0;
    }

    return -ENOENT;
}

static uint32_t flags_of(unsigned int cmd)
{
    return cmd == XENPF_PMEM_QUERY || cmd == XENPF_PMEM_ADD
           ? XENPF_PMEM_UNLISTED : 0;
}

static bool has_guest(unsigned int cmd)
{
    return cmd == XENPF_PMEM_MAP || cmd == XENPF_PMEM_UNMAP;
}

static bool has_index(unsigned int cmd)
{
    return cmd == XENPF_PMEM_LIST || cmd == XENPF_PMEM_GUEST;
}

int pmem_op(struct xenpf_pmem *op)
{
    const struct pmem_range r = {
        .spfn = op->spfn,
        .epfn = op->epfn,
        .rsv_spfn = op->rsv_spfn,
        .rsv_epfn = op->rsv_epfn,
        .data_spfn = op->data_spfn,
        .data_epfn = op->data_epfn,
    };
    struct pmem_region *p;
    unsigned long bad = PMEM_NO_FRAME;
    int rc;

    if ( !is_hardware_domain(current->domain) )
        return -EPERM;
    if ( op->version != XENPF_PMEM_VERSION )
        return -EOPNOTSUPP;

    op->rsv_need = 0;
    op->rsv_max = 0;
    op->rsv_used = 0;
    op->bad_mfn = PMEM_NO_FRAME;
    op->page_info_size = sizeof(struct page_info);
    op->m2p_size = sizeof(*machine_to_phys_mapping);
    op->compat_m2p_size = opt_pv32 ? sizeof(uint32_t) : 0;
    op->state = XENPF_PMEM_STATE_NONE;
    if ( !has_guest(op->cmd) )
    {
        op->guest_spfn = 0;
        op->guest_epfn = 0;
        op->guest_gfn = 0;
        op->domid = 0;
    }

    if ( op->cmd > XENPF_PMEM_UNMAP )
        return -EOPNOTSUPP;
    if ( (op->flags & ~flags_of(op->cmd)) || op->pad ||
         (op->index && !has_index(op->cmd)) )
        return -EINVAL;
    if ( op->cmd == XENPF_PMEM_LIST )
        return pmem_list(op);
    if ( !pmem_supports(hardware_domain) )
        return -EOPNOTSUPP;

    p = find_region(&r);

    switch ( op->cmd )
    {
    case XENPF_PMEM_QUERY:
        rc = pmem_query(op, &r, p, &bad);
        break;

    case XENPF_PMEM_ADD:
        rc = pmem_add(op, &r, p, &bad);
        break;

    case XENPF_PMEM_REMOVE:
        rc = pmem_remove(p, &bad);
        break;

    case XENPF_PMEM_CLAIM:
        rc = pmem_claim(p, &bad);
        break;

    case XENPF_PMEM_UNCLAIM:
        rc = pmem_unclaim(p);
        break;

    case XENPF_PMEM_GUEST:
        rc = pmem_guest(op, p);
        break;

    case XENPF_PMEM_MAP:
    case XENPF_PMEM_UNMAP:
        rc = pmem_map(op, p, &bad);
        break;

    default:
        ASSERT_UNREACHABLE();
        return -EOPNOTSUPP;
    }

    op->bad_mfn = bad;

    return rc;
}

/* RAM may share neither a PDX group nor an M2P window with a region. */
int pmem_check_hotadd(unsigned long spfn, unsigned long epfn)
{
    if ( busy_region )
        return -EAGAIN;

    if ( pmem_find_overlap(ROUNDDOWN(spfn, PMEM_SHARING),
                           ROUNDUP(epfn, PMEM_SHARING)) )
        return -EEXIST;

    return 0;
}

/*
 * The last reference to a frame has been dropped, although Xen itself holds
 * one: a mapping made before the frame was registered, and so without a
 * reference, has been undone since.  Repair the counts; the frame never goes
 * to the heap.
 */
static void repair_count(struct page_info *pg)
{
    unsigned long pfn = mfn_x(page_to_mfn(pg)), spfn = 0;
    struct pmem_region *p;

    spin_lock(&regions_lock);
    p = pmem_find_overlap(pfn, pfn + 1);
    if ( p && !p->warned )
    {
        p->warned = true;
        spfn = p->r.spfn;
    }
    spin_unlock(&regions_lock);

    if ( spfn )
        printk(XENLOG_WARNING
               "pmem: frame %lx was mapped before the region at %lx was added\n",
               pfn, spfn);

    if ( !is_xen_heap_page(pg) )
        pg->u.inuse.type_info = PGT_writable_page | PGT_validated | 1;
    smp_wmb();
    write_atomic(&pg->count_info, pg->count_info | PGC_allocated | 1);
}

/* To the heap such a frame never goes. */
void pmem_put_last(struct page_info *pg)
{
    if ( pg->count_info & PGC_allocated )
        repair_count(pg);
    else
        pmem_frame_is_back(pg);
}

#ifdef CONFIG_XEN_PMEM_FAULT_INJECTION

/*
 * pmem-fail=<n>: the n-th step of an ADD which can fail, does.  The next ADD
 * fails in the step after that, and so on, until one succeeds.  The same goes for
 * REMOVE, MAP and UNMAP.
 */
static unsigned int __initdata fail_first;
integer_param("pmem-fail", fail_first);

static const char *const fail_names[] = {
    [XENPF_PMEM_ADD] = "ADD",
    [XENPF_PMEM_REMOVE] = "REMOVE",
    [XENPF_PMEM_MAP] = "MAP",
    [XENPF_PMEM_UNMAP] = "UNMAP",
};

/* The step to fail in, of each of these; 0 when one has succeeded. */
static unsigned int __read_mostly fail_at[ARRAY_SIZE(fail_names)];

/* Which of them this is about, and how many steps are to go. */
static unsigned int fail_cmd;
static unsigned int fail_in;

static int __init cf_check pmem_fault_init(void)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(fail_at); i++ )
        fail_at[i] = fail_first;

    return 0;
}
__initcall(pmem_fault_init);

void pmem_fault_begin(unsigned int cmd)
{
    fail_cmd = cmd;
    fail_in = fail_at[cmd];
}

void pmem_fault_end(unsigned int cmd)
{
    fail_at[cmd] = 0;
}

bool pmem_fault(void)
{
    if ( !fail_in || --fail_in )
        return false;

    printk(XENLOG_WARNING "pmem: step %u of %s fails as requested\n",
           fail_at[fail_cmd]++, fail_names[fail_cmd]);

    return true;
}

#endif /* CONFIG_XEN_PMEM_FAULT_INJECTION */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
