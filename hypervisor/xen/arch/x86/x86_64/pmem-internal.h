/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: shared by the files of pmem*.c.
 */

#ifndef X86_64_PMEM_INTERNAL_H
#define X86_64_PMEM_INTERNAL_H

#include <xen/list.h>
#include <xen/mm.h>
#include <xen/pdx.h>
#include <xen/rcupdate.h>

#include "pmem-version.h"

/* Frames of one chunk of metadata; the alignment of all range boundaries. */
#define PMEM_CHUNK          (1UL << PAGETABLE_ORDER)

/* Frames holding the frame table of one PDX group. */
#define PMEM_GROUP_FRAMES   PFN_DOWN(PDX_GROUP_COUNT * \
                                     sizeof(struct page_info))

/*
 * count_info of a frame to which there is no reference: of data, of the M2P, and of
 * dom_io as in assign_io_page().  To freeze a frame is to replace that by a count at
 * which no reference can be taken: not 0, which a stray put_page() would turn into
 * flag bits.
 */
#define PMEM_DATA_IDLE      (PGC_pmem | PGC_allocated | 1)
#define PMEM_M2P_IDLE       (PGC_xen_heap | PMEM_DATA_IDLE)
#define PMEM_MMIO_IDLE      (PGC_allocated | 1)
#define PMEM_FRAME_FROZEN   (PGC_pmem | PGC_count_mask)

/* No frame is in the way. */
#define PMEM_NO_FRAME       (~0UL)

/*
 * Ranges in different multiples of this share no metadata: an M2P window of
 * either kind, and a PDX group, is within one.
 */
#define PMEM_SHARING        MAX(PDX_GROUP_COUNT, \
                                1UL << (L2_PAGETABLE_SHIFT - 2))

/* e820 types of persistent memory: ACPI 6, and what came before it. */
#define E820_PMEM           7
#define E820_PRAM           12

/* Entries of a p2m which are looked at without preemption. */
#define PMEM_P2M_BATCH      4096

/* Frames which are frozen, and steps in which a window is filled, likewise. */
#define PMEM_FREEZE_BATCH   (PDX_GROUP_COUNT / 2)
#define PMEM_WINDOW_PARTS   4

/* map_mmio_regions() makes so many entries of a p2m at most in one call. */
#define PMEM_MAP_ENTRIES    64

/* Frame numbers, [s, e). */
struct pmem_range {
    unsigned long spfn, epfn;
    unsigned long rsv_spfn, rsv_epfn;
    unsigned long data_spfn, data_epfn;
};

/*
 * What is to be done next for a region.  A step never fails: it records the
 * error in the region and moves on to undoing.
 */
enum pmem_phase {
    /* ADD. */
    PMEM_CLAIM,
    PMEM_TAKE_P2M,
    PMEM_AUDIT_TABLES,
    PMEM_AUDIT_P2MS,            /* REMOVE, CLAIM and MAP, too */
    PMEM_MAP_M2P,
    PMEM_MAP_GROUPS,
    PMEM_COMMIT,
    PMEM_SHOW_P2M,              /* REMOVE which failed, too */
    PMEM_ACTIVE,
    /* REMOVE. */
    PMEM_FREEZE,
    PMEM_THAW,
    PMEM_HIDE_P2M,
    PMEM_RETIRE,
    /* ADD which failed, or REMOVE. */
    PMEM_UNMAP_GROUPS,
    PMEM_UNMAP_M2P,
    PMEM_RELEASE,
    PMEM_RETURN_P2M,
    PMEM_GONE,
    /* MAP and UNMAP. */
    PMEM_GUEST_FREEZE,
    PMEM_GUEST_SHOW,
    PMEM_GUEST_HIDE,
    PMEM_GUEST_ASSIGN,
    /* In between, until all CPUs have been through a quiescent state. */
    PMEM_QUIESCE,
};

struct domain;
struct pmem_mapping;
struct xenpf_pmem;

struct pmem_region {
    struct list_head list;
    struct pmem_range r;
    enum pmem_phase phase;
    struct pmem_mapping *mapping; /* which MAP or UNMAP was called for */
    bool removing;              /* ACTIVE was reached, REMOVE was called */
    bool claiming;              /* CLAIM was called */
    bool claimed;               /* no other domain is given access to data */
    bool warned;                /* of a reference count underflow */
    bool quiesced;              /* QUIESCE is over */
    enum pmem_phase next;       /* what comes after QUIESCE ... */
    unsigned long next_cursor;  /* ... and where that begins */
    struct rcu_head rcu;
    domid_t domid;              /* progress of AUDIT_P2MS, with the cursor */
    unsigned long taken;        /* TAKE_P2M has dealt with [spfn, taken) */
    unsigned long cursor;       /* progress within the phase */
    unsigned long m2p_epfn;     /* [rsv_spfn, m2p_epfn) is M2P ... */
    unsigned long m2p_next;     /* ... of which this is the next unused */
    unsigned long ft_epfn;      /* [m2p_epfn, ft_epfn) is frame table ... */
    unsigned long ft_next;      /* ... of which this is the next unused */
    unsigned long bad;          /* frame in the way */
    int rc;                     /* outcome, once undone */
};

static inline unsigned long pmem_group(unsigned long pfn)
{
    return pfn_to_pdx(pfn) / PDX_GROUP_COUNT;
}

static inline unsigned long pmem_group_pfn(unsigned long idx)
{
    return pdx_to_pfn(idx * PDX_GROUP_COUNT);
}

static inline bool pmem_group_valid(unsigned long idx)
{
    return test_bit(idx, pdx_group_valid);
}

/* The valid ones of groups [@first, @end): a word of the map at a time. */
#define for_each_valid_group(idx, first, end)                           \
    for ( (idx) = find_next_bit(pdx_group_valid, end, first);           \
          (idx) < (end);                                                \
          (idx) = find_next_bit(pdx_group_valid, end, (idx) + 1) )

static inline bool pmem_is_data(const struct pmem_region *p, unsigned long pfn)
{
    return pfn >= p->r.data_spfn && pfn < p->r.data_epfn;
}

static inline bool pmem_backed_by(const struct pmem_region *p, mfn_t mfn)
{
    return mfn_x(mfn) >= p->r.rsv_spfn && mfn_x(mfn) < p->r.rsv_epfn;
}

static inline bool pmem_is_m2p(const struct pmem_region *p, unsigned long pfn)
{
    return pfn >= p->r.rsv_spfn && pfn < p->m2p_epfn;
}

/* Of the commands which are preemptible, ADD is the one in progress. */
static inline bool pmem_is_adding(const struct pmem_region *p)
{
    return !p->removing && !p->claiming && !p->mapping;
}

/* pmem.c */

struct pmem_region *pmem_find_overlap(unsigned long spfn, unsigned long epfn);
bool pmem_is_reserved(mfn_t mfn);
bool pmem_find_data(unsigned long spfn, unsigned long epfn, bool claimed,
                    struct pmem_range *r);

/* pmem-check.c: int functions return -errno, and set @bad if a frame is named. */

unsigned long pmem_m2p_need(const struct pmem_range *r, bool max);
unsigned long pmem_ft_need(const struct pmem_range *r, bool max);

unsigned long pmem_first_outside(const struct rangeset *set,
                                 unsigned long spfn, unsigned long epfn);
int pmem_check_range(const struct pmem_range *r, bool unlisted,
                     unsigned long *bad);
bool pmem_first_access(const struct domain *d, unsigned long spfn,
                       unsigned long epfn, unsigned long first[2]);
domid_t pmem_find_access(const struct domain *besides, unsigned long spfn,
                         unsigned long epfn, unsigned long *mfn);
int pmem_check_others(unsigned long spfn, unsigned long epfn,
                      unsigned long *bad);
int pmem_check_backing(const struct pmem_region *p,
                       const struct pmem_region *q, unsigned long *bad);

/* pmem-mapping.c */

#ifdef CONFIG_HVM
int pmem_check_mappings(unsigned long spfn, unsigned long epfn,
                        unsigned long *bad);
bool pmem_get_mapping(const struct pmem_region *p, unsigned int *n,
                      struct xenpf_pmem *op);
bool pmem_mapping_continues(const struct pmem_region *p,
                            const struct xenpf_pmem *op);
int pmem_map_begin(struct pmem_region *p, const struct xenpf_pmem *op,
                   unsigned long *bad);
int pmem_unmap_begin(struct pmem_region *p, const struct xenpf_pmem *op);
void pmem_mapping_done(struct pmem_region *p, int rc);

void pmem_mapping_range(const struct pmem_mapping *m, unsigned long *spfn,
                        unsigned long *epfn);
void pmem_frame_is_back(struct page_info *pg);
void pmem_step_guest_freeze(struct pmem_region *p);
void pmem_step_guest_show(struct pmem_region *p);
void pmem_step_guest_hide(struct pmem_region *p);
void pmem_step_guest_assign(struct pmem_region *p);
#else /* There is no domain which data could be given to. */
static inline int pmem_check_mappings(unsigned long spfn, unsigned long epfn,
                                      unsigned long *bad)
{
    return 0;
}

static inline bool pmem_get_mapping(const struct pmem_region *p,
                                    unsigned int *n, struct xenpf_pmem *op)
{
    return false;
}

static inline bool pmem_mapping_continues(const struct pmem_region *p,
                                          const struct xenpf_pmem *op)
{
    return false;
}

static inline int pmem_map_begin(struct pmem_region *p,
                                 const struct xenpf_pmem *op,
                                 unsigned long *bad)
{
    return -EOPNOTSUPP;
}

static inline int pmem_unmap_begin(struct pmem_region *p,
                                   const struct xenpf_pmem *op)
{
    return -ENOENT;
}

static inline void pmem_mapping_done(struct pmem_region *p, int rc) {}
static inline void pmem_frame_is_back(struct page_info *pg) {}
static inline void pmem_mapping_range(const struct pmem_mapping *m,
                                      unsigned long *spfn,
                                      unsigned long *epfn) {}
static inline void pmem_step_guest_freeze(struct pmem_region *p) {}
static inline void pmem_step_guest_show(struct pmem_region *p) {}
static inline void pmem_step_guest_hide(struct pmem_region *p) {}
static inline void pmem_step_guest_assign(struct pmem_region *p) {}
#endif

/* pmem-firmware.c */

unsigned long pmem_first_unlisted(unsigned long spfn, unsigned long epfn);

/* pmem-audit.c */

int pmem_audit_tables(struct pmem_region *p);
int pmem_audit_p2ms(struct pmem_region *p);

/* pmem-p2m.c: of chunks of a PVH hardware domain, but for the last five. */

#ifdef CONFIG_HVM
int pmem_p2m_take(unsigned long pfn, bool data, unsigned long *bad);
int pmem_p2m_return(unsigned long pfn);
int pmem_p2m_show(unsigned long pfn);
int pmem_p2m_hide(unsigned long pfn);
int pmem_p2m_find(struct domain *d, unsigned long spfn, unsigned long epfn,
                  unsigned long *gfn, unsigned long *bad);
bool pmem_p2m_has(struct domain *d, unsigned long gfn, unsigned long mfn);
bool pmem_p2m_is_free(struct domain *d, unsigned long *gfn, unsigned long mfn,
                      unsigned long nr);
bool pmem_p2m_chunk_is_free(struct domain *d, unsigned long *gfn);
int pmem_p2m_drop(struct domain *d, unsigned long gfn, unsigned long mfn);
#else /* There is no domain for which these could be called. */
static inline int pmem_p2m_take(unsigned long pfn, bool data,
                                unsigned long *bad)
{
    return -EOPNOTSUPP;
}

static inline int pmem_p2m_return(unsigned long pfn)
{
    return -EOPNOTSUPP;
}

static inline int pmem_p2m_show(unsigned long pfn)
{
    return -EOPNOTSUPP;
}

static inline int pmem_p2m_hide(unsigned long pfn)
{
    return -EOPNOTSUPP;
}

static inline int pmem_p2m_find(struct domain *d, unsigned long spfn,
                                unsigned long epfn, unsigned long *gfn,
                                unsigned long *bad)
{
    return 0;
}

static inline bool pmem_p2m_has(struct domain *d, unsigned long gfn,
                                unsigned long mfn)
{
    return false;
}

static inline bool pmem_p2m_is_free(struct domain *d, unsigned long *gfn,
                                    unsigned long mfn, unsigned long nr)
{
    return false;
}
#endif

/* pmem-steps.c */

void pmem_enter(struct pmem_region *p, enum pmem_phase phase,
                unsigned long cursor);
void pmem_fail(struct pmem_region *p, int rc, enum pmem_phase phase,
               unsigned long cursor);
int pmem_run(struct pmem_region *p);

/* pmem-map.c */

/* One chunk's worth of machine-to-phys table. */
struct pmem_window {
    unsigned long rw;           /* Xen's writable mapping of it */
    unsigned long ro;           /* guests' mapping; offset if compat */
    bool compat;
};

unsigned int pmem_count_windows(const struct pmem_range *r,
                                unsigned int *compat);
bool pmem_window(const struct pmem_range *r, unsigned int n,
                 struct pmem_window *w);
mfn_t pmem_backing(unsigned long va);
mfn_t pmem_group_backing(unsigned long idx);

int pmem_map_window(struct pmem_region *p, const struct pmem_window *w,
                    unsigned int part);
void pmem_hide_window(const struct pmem_window *w);
void pmem_show_window(const struct pmem_window *w);
void pmem_unmap_window(const struct pmem_region *p,
                       const struct pmem_window *w);
int pmem_map_group(struct pmem_region *p, unsigned long idx);
void pmem_unmap_group(const struct pmem_region *p, unsigned long idx);

bool pmem_is_e820_reserved(unsigned long spfn, unsigned long epfn);
int pmem_dma_revoke(const struct pmem_range *r);
void pmem_dma_restore(const struct pmem_range *r);

void pmem_frame_assign(const struct pmem_region *p, struct page_info *pg);
void pmem_frame_release(struct page_info *pg);

/* Shall this step, which can fail, do so? */
#ifdef CONFIG_XEN_PMEM_FAULT_INJECTION
void pmem_fault_begin(unsigned int cmd);
void pmem_fault_end(unsigned int cmd);
bool pmem_fault(void);
#else
static inline void pmem_fault_begin(unsigned int cmd) {}
static inline void pmem_fault_end(unsigned int cmd) {}
static inline bool pmem_fault(void)
{
    return false;
}
#endif

#endif /* X86_64_PMEM_INTERNAL_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
