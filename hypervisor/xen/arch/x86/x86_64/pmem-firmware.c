/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of host persistent memory: what the firmware's tables call so.
 *
 * That is NFIT (ACPI 6.5, 5.2.25), and the memory map.  Both are from the time of
 * boot: an NVDIMM which is plugged in later is in ACPI's _FIT method only, which
 * just the hardware domain can evaluate, and CXL memory is in neither.
 *
 * The tables are not taken for proof that a range may be written to.  They tell
 * persistent memory from the BARs of devices, and which ranges a PVH hardware
 * domain needs to see.
 */

#include <xen/acpi.h>
#include <xen/init.h>
#include <xen/mm.h>
#include <xen/pfn.h>
#include <xen/rangeset.h>
#include <xen/softirq.h>

#include <asm/e820.h>
#include <asm/p2m.h>
#include <asm/pmem.h>

#include "pmem-internal.h"

#define NFIT_SPA_RANGE      0

struct nfit_header {
    struct acpi_table_header header;
    uint32_t reserved;
} __packed;

struct nfit_structure {
    uint16_t type;
    uint16_t length;
} __packed;

struct nfit_spa_range {
    struct nfit_structure header;
    uint16_t index;
    uint16_t flags;
    uint32_t reserved;
    uint32_t proximity_domain;
    uint8_t kind[16];
    uint64_t address;
    uint64_t length;
    uint64_t attributes;
} __packed;

/* 66f0d379-b4f3-4074-ac43-0d3318b78cdb, byte-addressable persistent memory. */
static const uint8_t __initconst nfit_pmem[16] = {
    0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40,
    0xac, 0x43, 0x0d, 0x33, 0x18, 0xb7, 0x8c, 0xdb,
};

/* Whole frames.  Not changed after boot, hence needs no lock. */
static struct rangeset *__ro_after_init listed;

static void __init list_range(uint64_t address, uint64_t length)
{
    unsigned long s = PFN_UP(address), e = PFN_DOWN(address + length);

    if ( address + length < address || s >= e ||
         rangeset_add_range(listed, s, e - 1) )
        printk(XENLOG_WARNING
               "pmem: ignoring [%#"PRIx64", +%#"PRIx64") of the firmware\n",
               address, length);
}

static void __init list_structure(const struct nfit_structure *s)
{
    const struct nfit_spa_range *spa = (const void *)s;

    if ( s->type == NFIT_SPA_RANGE && s->length >= sizeof(*spa) &&
         !memcmp(spa->kind, nfit_pmem, sizeof(nfit_pmem)) )
        list_range(spa->address, spa->length);
}

static int __init cf_check parse_nfit(struct acpi_table_header *table)
{
    const void *p = (const void *)table + sizeof(struct nfit_header);
    const void *end = (const void *)table + table->length;
    const struct nfit_structure *s;

    for ( ; p + sizeof(*s) <= end; p += s->length )
    {
        s = p;
        if ( s->length < sizeof(*s) || p + s->length > end )
        {
            printk(XENLOG_WARNING "pmem: NFIT is malformed at byte %lu\n",
                   (unsigned long)(p - (const void *)table));
            return -EINVAL;
        }
        list_structure(s);
    }

    return 0;
}

static int __init cf_check pmem_firmware_init(void)
{
    unsigned int i;

    listed = rangeset_new(NULL, "Persistent memory",
                          RANGESETF_prettyprint_hex);
    if ( !listed )
    {
        printk(XENLOG_ERR "pmem: no memory for what the firmware lists\n");
        return -ENOMEM;
    }

    for ( i = 0; i < e820.nr_map; i++ )
        if ( e820.map[i].type == E820_PMEM || e820.map[i].type == E820_PRAM )
            list_range(e820.map[i].addr, e820.map[i].size);

    acpi_table_parse("NFIT", parse_nfit);

    return 0;
}
__initcall(pmem_firmware_init);

/* The first frame of [spfn, epfn) which is not in the tables, or epfn. */
unsigned long pmem_first_unlisted(unsigned long spfn, unsigned long epfn)
{
    return listed ? pmem_first_outside(listed, spfn, epfn) : spfn;
}

#ifdef CONFIG_HVM

/* A failure leaves the hardware domain without the rest of this one range. */
static int __init cf_check map_range(unsigned long s, unsigned long e,
                                     void *arg)
{
    unsigned long next = s;
    int rc;

    while ( (rc = map_mmio_regions(arg, _gfn(next), e - next + 1,
                                   _mfn(next))) > 0 )
    {
        next += rc;
        process_pending_softirqs();
    }
    if ( rc )
        printk(XENLOG_WARNING
               "pmem: [%lx, %lx) is not mapped for the hardware domain: %d\n",
               next, e + 1, rc);

    return 0;
}

void __init pmem_map_hwdom(struct domain *d)
{
    if ( listed )
        rangeset_report_ranges(listed, 0, ~0UL, map_range, d);
}

#endif /* CONFIG_HVM */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
