/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __XEN_PMEM_DRV_H__
#define __XEN_PMEM_DRV_H__

#include <linux/bits.h>
#include <linux/ioport.h>
#include <linux/libnvdimm.h>
#include <linux/nd.h>
#include <linux/range.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <xen/interface/pmem.h>
#include "xen_pmem.h"

struct device;
struct gendisk;
struct attribute_group;

/*
 * Parts of a namespace that are claimed one by one in iomem.  The flush hint of
 * the nested region has to be left to the nested bus, the data to its drivers.
 */
enum xen_pmem_part {
	XEN_PMEM_HEAD,
	XEN_PMEM_HINT,
	XEN_PMEM_SPARE,
	XEN_PMEM_DATA,
	XEN_PMEM_TAIL,
	XEN_PMEM_NR_PARTS,
};

#define XEN_PMEM_INNER	(BIT(XEN_PMEM_HINT) | BIT(XEN_PMEM_DATA))
#define XEN_PMEM_OUTER	(BIT(XEN_PMEM_HEAD) | BIT(XEN_PMEM_SPARE) | \
			 BIT(XEN_PMEM_TAIL))

/**
 * struct xen_pmem - a namespace that is, or is about to be, Xen's and ours
 * @dev: the namespace while it is bound, NULL in quarantine
 * @name: its name, which outlives it
 * @ns: its address and uuid
 * @info: what its info block says
 * @op: the region that Xen knows it by
 * @registered: Xen has it
 * @adopted: Xen had it before it was bound
 * @part: the parts of it, some of them empty
 * @claimed: the parts that are claimed in iomem
 * @desc: descriptor of the nested bus
 * @bus: nested bus, NULL unless registered
 * @region: nested region, NULL unless registered
 * @hint: flush hint of the nested region
 * @disk: disk of a nested bus that is gone, while it may be open; not under PV
 * @list: entry in the quarantine
 * @teardown: takes back what a failed probe could not
 */
struct xen_pmem {
	struct device *dev;
	char name[32];
	struct xen_pmem_ns ns;
	struct xen_pmem_info info;
	struct xenpf_pmem op;
	bool registered;
	bool adopted;
	struct range part[XEN_PMEM_NR_PARTS];
	unsigned long claimed;
	struct nvdimm_bus_descriptor desc;
	struct nvdimm_bus *bus;
	struct nd_region *region;
	struct resource hint;
	struct gendisk *disk;
	struct list_head list;
	struct work_struct teardown;
};

/* xen_pmem.c */
bool xen_pmem_may_bind(struct device *dev);
int xen_pmem_ns_of(struct nd_namespace_common *ndns, struct xen_pmem_ns *ns);

/* xen_pmem_hcall.c */
int xen_pmem_hcall(struct xenpf_pmem *op, u16 cmd);
int xen_pmem_xen_records(struct xen_pmem_records *rec);
void xen_pmem_tuple(struct xenpf_pmem *op, const struct xen_pmem_ns *ns,
		    const struct xen_pmem_geometry *geo);
int xen_pmem_register(const char *name, struct xenpf_pmem *op,
		      const struct xen_pmem_records *rec, bool *adopted);
int xen_pmem_unregister(struct xenpf_pmem *op);
int xen_pmem_query_size(const char *name, const struct xen_pmem_ns *ns,
			u64 *rsv_size, struct xen_pmem_records *rec);

/* xen_pmem_nested.c */
bool xen_pmem_is_nested(struct device *dev);
bool xen_pmem_region_is_ro(struct device *region);
bool xen_pmem_wants_hint(struct nd_region *outer);
int xen_pmem_nested_add(struct xen_pmem *xp);
void xen_pmem_nested_del(struct xen_pmem *xp);
bool xen_pmem_nested_busy(struct xen_pmem *xp);
bool xen_pmem_nested_open(struct xen_pmem *xp);
void xen_pmem_nested_poison(struct xen_pmem *xp);

/* xen_pmem_pgtable.c */
#ifdef CONFIG_XEN_PV
int xen_pmem_pgtable_watch(struct device *bus_dev, const struct range *data);
void xen_pmem_pgtable_unwatch(struct device *bus_dev);
void xen_pmem_pgtable_exit(void);
#else
static inline int xen_pmem_pgtable_watch(struct device *bus_dev,
					 const struct range *data)
{
	return 0;
}

static inline void xen_pmem_pgtable_unwatch(struct device *bus_dev) {}
static inline void xen_pmem_pgtable_exit(void) {}
#endif

/* xen_pmem_sysfs.c, xen_pmem_provision.c */
extern const struct attribute_group *xen_pmem_dev_groups[];
extern const struct attribute_group *xen_pmem_drv_groups[];
int xen_pmem_provision(struct device_driver *drv, const char *line);

#endif /* __XEN_PMEM_DRV_H__ */
