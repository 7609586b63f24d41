/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __XEN_PMEM_PGTABLE_H__
#define __XEN_PMEM_PGTABLE_H__

/*
 * The page-table keeper and what it needs of others.  A kernel that releases such page
 * tables itself has neither: whoever calls the keeper does so in a line of its own,
 * which goes with it.
 */

#include <linux/device/bus.h>

struct device;

/* xen_pmem_pgtable.c */
#ifdef CONFIG_XEN_PV
int xen_pmem_pgtable_init(const struct bus_type *bus);
void xen_pmem_pgtable_sweep(void);
void xen_pmem_pgtable_exit(void);
#else
static inline int xen_pmem_pgtable_init(const struct bus_type *bus)
{
	return 0;
}

static inline void xen_pmem_pgtable_sweep(void) {}
static inline void xen_pmem_pgtable_exit(void) {}
#endif

/* xen_pmem_nested.c */
void xen_pmem_region_read(struct device *region, const char *name, char *buf);

#endif /* __XEN_PMEM_PGTABLE_H__ */
