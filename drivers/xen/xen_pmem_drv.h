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
 * enum xen_pmem_state - where an object is in its life
 * @XEN_PMEM_NEW: made by a probe
 * @XEN_PMEM_CHECKED: the info block is valid, and the addresses are claimed
 * @XEN_PMEM_ACTIVE: handed over, the data is on the nested bus
 * @XEN_PMEM_ADOPTED: the same, and Xen had it before it was bound
 * @XEN_PMEM_STOPPING: the nested bus is going
 * @XEN_PMEM_QUARANTINE: not bound, and Xen has not given it back
 * @XEN_PMEM_GONE: Xen has given it back, or never had it
 */
enum xen_pmem_state {
	XEN_PMEM_NEW,
	XEN_PMEM_CHECKED,
	XEN_PMEM_ACTIVE,
	XEN_PMEM_ADOPTED,
	XEN_PMEM_STOPPING,
	XEN_PMEM_QUARANTINE,
	XEN_PMEM_GONE,
};

/**
 * enum xen_pmem_map - what this domain makes of the data
 * @XEN_PMEM_MAP_NONE: no device: mapping it would take too much of its RAM
 * @XEN_PMEM_MAP_DISK: a disk, without struct pages and so without DAX
 * @XEN_PMEM_MAP_MEM: struct pages in its RAM
 */
enum xen_pmem_map {
	XEN_PMEM_MAP_NONE,
	XEN_PMEM_MAP_DISK,
	XEN_PMEM_MAP_MEM,
};

/**
 * struct xen_pmem - a namespace that is, or is about to be, Xen's and ours
 * @dev: the namespace while it is bound, NULL in quarantine
 * @name: its name, which outlives it
 * @ns: its address and uuid
 * @info: what its info block says
 * @op: the region that Xen knows it by
 * @state: where it is in its life
 * @registered: Xen has it
 * @kept: in quarantine, the error of the last REMOVE
 * @map: what this domain makes of the data
 * @part: the parts of it, some of them empty
 * @claimed: the parts that are claimed in iomem
 * @users: devices of the nested bus that use the data, see xen_pmem_use.c
 * @refused: those that may not, and are still being probed
 * @desc: descriptor of the nested bus
 * @bus: nested bus, NULL unless registered
 * @region: nested region, NULL unless registered, and if @map is none
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
	enum xen_pmem_state state;
	bool registered;
	int kept;
	enum xen_pmem_map map;
	struct range part[XEN_PMEM_NR_PARTS];
	unsigned long claimed;
	unsigned int users;
	unsigned int refused;
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
const char *xen_pmem_state_name(const struct xen_pmem *xp);
int xen_pmem_show_quarantine(char *buf);
int xen_pmem_bar_data(struct xen_pmem *xp);
void xen_pmem_unbar_data(struct xen_pmem *xp);

/* xen_pmem_log.c */
__printf(3, 4)
int xen_pmem_error(const char *name, int rc, const char *fmt, ...);
int xen_pmem_last_error(const char *name, char *buf);
int xen_pmem_last_errors(char *buf);
void xen_pmem_forget_errors(void);

/* xen_pmem_hcall.c */
int xen_pmem_hcall(struct xenpf_pmem *op, u16 cmd);
int xen_pmem_xen_records(struct xen_pmem_records *rec);
void xen_pmem_tuple(struct xenpf_pmem *op, const struct xen_pmem_ns *ns,
		    const struct xen_pmem_geometry *geo);
int xen_pmem_register(const char *name, struct xenpf_pmem *op,
		      const struct xen_pmem_records *rec, bool *adopted);
int xen_pmem_unregister(struct xenpf_pmem *op);
int xen_pmem_claim_data(const struct xenpf_pmem *region, u64 *mfn);
int xen_pmem_unclaim_data(const struct xenpf_pmem *region);
int xen_pmem_guest(const struct xenpf_pmem *region, u32 index, u16 *domid);
int xen_pmem_query_size(const char *name, const struct xen_pmem_ns *ns,
			u64 *rsv_size, struct xen_pmem_records *rec);

/* xen_pmem_nested.c */
bool xen_pmem_is_nested(struct device *dev);
struct xen_pmem *xen_pmem_above(struct device *dev);
bool xen_pmem_region_is_ro(struct device *region);
bool xen_pmem_wants_hint(struct nd_region *outer);
int xen_pmem_nested_add(struct xen_pmem *xp);
void xen_pmem_nested_del(struct xen_pmem *xp);
bool xen_pmem_nested_busy(struct xen_pmem *xp);
bool xen_pmem_nested_open(struct xen_pmem *xp);
void xen_pmem_nested_poison(struct xen_pmem *xp);
void xen_pmem_nested_ro(struct xen_pmem *xp);
void xen_pmem_nested_exit(void);

/* xen_pmem_use.c */
int xen_pmem_use_init(const struct bus_type *bus);
void xen_pmem_use_exit(void);
void xen_pmem_use_reset(struct xen_pmem *xp);

/* xen_pmem_sysfs.c, xen_pmem_provision.c */
extern const struct attribute_group *xen_pmem_dev_groups[];
extern const struct attribute_group *xen_pmem_drv_groups[];
int xen_pmem_provision(struct device_driver *drv, const char *line);
int xen_pmem_poison(struct device_driver *drv, const char *line);

#endif /* __XEN_PMEM_DRV_H__ */
