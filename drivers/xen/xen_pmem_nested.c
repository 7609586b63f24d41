// SPDX-License-Identifier: GPL-2.0
/* The libnvdimm bus below a namespace that is Xen's and ours. */

/**
 * DOC: nested bus
 *
 * The data of a namespace is exported once more, as a pmem region of a libnvdimm
 * bus of its own, so that the stock drivers make fsdax, devdax or sector devices
 * of it.  What the region promises is what the outer region promises: flushing,
 * persistence domain and synchronous faults are copied and never assumed, bad
 * blocks are handed down, and clearing one goes up.
 *
 * The outer region outlives the nested one: it is the parent of the parent of
 * the bus.
 */

/**
 * DOC: what outlives the nested bus
 *
 * After REMOVE the data is MMIO again, and Xen refuses REMOVE while it counts a
 * reference.  It counts grants and mappings of other domains.  It counts this
 * domain's page tables under PV, and nothing of this domain under PVH: there a
 * use that is left goes on, of the same memory, but uncached, or with no memory
 * behind it where the firmware's tables do not list the range.  It never gets to
 * the reserved area, which Xen takes out of the p2m before it writes there.
 *
 * When nvdimm_bus_unregister() has returned, there are left
 *
 * - no I/O of the disk, as del_gendisk() waits for it, and no read or write by way
 *   of the dax device, as kill_dax() waits for those;
 * - no mapping of a dax device: kill_dev_dax() unmaps them all, and a fault
 *   afterwards gets SIGBUS;
 * - no walk of page tables by get_user_pages(), as memunmap_pages() waits for the
 *   reference that such a walk has of the pagemap.
 *
 * There may be left
 *
 * - mappings of files of a file system that is still mounted.  Only xfs with a
 *   reverse map takes them away when its disk goes.  The disk counts as open then,
 *   so under PVH REMOVE waits until nobody has it open;
 * - RAM, if a dax device was made RAM (kmem) that could not be taken offline.  It
 *   stays in iomem, so REMOVE waits until the data can be claimed;
 * - pages that were pinned, for I/O under way between memory of a file and another
 *   device, or for longer by RDMA, VFIO or io_uring of a dax device's memory.
 *   memunmap_pages() does not wait for references of pages.  Nor does Xen count
 *   them, under PV as little as under PVH;
 * - mappings by /dev/mem or by privcmd;
 * - the first of these, if the inner namespace was unbound before by hand: its
 *   disk is not there to be asked then.
 *
 * For the last three there is under PVH only the administrator, who stops what
 * uses a namespace before it is unbound.  Under PV Xen counts the last two.
 * Without Xen all of this is no different.
 */

#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/gfp.h>
#include <linux/iopoll.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/ndctl.h>
#include <linux/notifier.h>
#include <linux/numa.h>
#include <linux/pfn.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <xen/xen.h>
#include "../nvdimm/nd.h"
#include "xen_pmem_drv.h"
#include "xen_pmem_pgtable.h"

#define XEN_PMEM_PROVIDER "xen-pmem"
#define XEN_PMEM_POLL_US	(20 * USEC_PER_MSEC)
#define XEN_PMEM_POLL_END_US	(1 * USEC_PER_SEC)

static int xen_pmem_memmap = -1;
module_param_named(memmap, xen_pmem_memmap, int, 0444);
MODULE_PARM_DESC(memmap,
		 "struct pages for the data, in this domain's RAM: -1 while they and their page tables take at most 1/8 of it (default), 0 never, 1 always; unless it is 1, data whose page tables alone would take more gets no device");

/* Whose devices lockdep is told about, NULL before there is a nested one. */
static const struct bus_type *xen_pmem_lockdep_bus;

/*
 * struct nd_region is private to libnvdimm, and for some of what it has there is
 * no accessor: do what user space would do.
 */
static struct device_attribute *xen_pmem_region_attr(struct device *region,
						     const char *name)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = region->type->groups; *group; group++)
		for (attr = (*group)->attrs; attr && *attr; attr++)
			if (!strcmp((*attr)->name, name))
				return container_of(*attr,
						    struct device_attribute,
						    attr);
	return NULL;
}

/**
 * xen_pmem_region_read() - an attribute of a region, as user space reads it
 * @region: region device
 * @name: of the attribute
 * @buf: OUT, a page; empty if there is no such attribute
 */
void xen_pmem_region_read(struct device *region, const char *name, char *buf)
{
	struct device_attribute *da = xen_pmem_region_attr(region, name);

	buf[0] = 0;
	if (da)
		da->show(region, da, buf);
}

static bool xen_pmem_region_attr_is(struct device *region, const char *name,
				    const char *value)
{
	unsigned long page = __get_free_page(GFP_KERNEL);
	bool is;

	if (!page)
		return false;
	xen_pmem_region_read(region, name, (char *)page);
	is = sysfs_streq((char *)page, value);
	free_page(page);
	return is;
}

/**
 * xen_pmem_region_is_ro() - is nothing to be written to this region?
 * @region: region device
 *
 * Return: true unless it certainly can be written to.
 */
bool xen_pmem_region_is_ro(struct device *region)
{
	return !xen_pmem_region_attr_is(region, "read_only", "0");
}

/**
 * xen_pmem_wants_hint() - does the nested region take a flush hint?
 * @outer: outer region
 *
 * A region whose DIMM has a flush hint is one that needs flushing, and its disk
 * offers FUA.  The hint itself is never written, because there is a flush
 * function, but libnvdimm claims and maps it.  An asynchronous region needs
 * none.
 *
 * Return: whether one page of the header has to be left for it.
 */
bool xen_pmem_wants_hint(struct nd_region *outer)
{
	return nvdimm_has_flush(outer) == 1 && is_nvdimm_sync(outer);
}

/* A positive value would say that the flush was queued, which ours never is. */
static int xen_pmem_flush(struct nd_region *region, struct bio *bio)
{
	return min(nvdimm_flush(nd_region_provider_data(region), NULL), 0);
}

static int xen_pmem_clear_error(struct xen_pmem *xp,
				struct nd_cmd_clear_error *clear)
{
	const struct range *data = &xp->part[XEN_PMEM_DATA];
	long cleared;

	if (clear->address < data->start ||
	    clear->address + clear->length - 1 > data->end)
		return -EINVAL;
	cleared = nvdimm_clear_poison(xp->dev, clear->address, clear->length);
	if (cleared < 0)
		return cleared;
	clear->cleared = cleared;
	return 0;
}

/* Only the kernel itself gets here: cmd_mask offers nothing to user space. */
static int xen_pmem_ndctl(struct nvdimm_bus_descriptor *desc,
			  struct nvdimm *nvdimm, unsigned int cmd, void *buf,
			  unsigned int buf_len, int *cmd_rc)
{
	struct xen_pmem *xp = container_of(desc, struct xen_pmem, desc);
	struct device *outer = xp->bus ? xp->dev : NULL;
	struct nvdimm_bus_descriptor *up;

	if (!outer || nvdimm)
		return -ENOTTY;
	up = to_nd_desc(to_nvdimm_bus(outer->parent->parent));
	*cmd_rc = 0;
	switch (cmd) {
	case ND_CMD_ARS_CAP:
		if (up->ndctl)
			return up->ndctl(up, NULL, cmd, buf, buf_len, cmd_rc);
		/* As libnvdimm has it: such a bus clears whatever it is told. */
		((struct nd_cmd_ars_cap *)buf)->clear_err_unit = SECTOR_SIZE;
		return 0;
	case ND_CMD_CLEAR_ERROR:
		return xen_pmem_clear_error(xp, buf);
	default:
		return -ENOTTY;
	}
}

/**
 * xen_pmem_is_nested() - is this a namespace of one of our own buses?
 * @dev: namespace device
 *
 * Return: whether it is.
 */
bool xen_pmem_is_nested(struct device *dev)
{
	struct nvdimm_bus *bus = to_nvdimm_bus(dev->parent->parent);

	return to_nd_desc(bus)->ndctl == xen_pmem_ndctl;
}

/**
 * xen_pmem_above() - the object whose data a device is made of
 * @dev: device on the nd bus
 *
 * Return: the object if @dev is a namespace of one of our own buses, or one of the
 * personalities that libnvdimm puts on it, else NULL.
 */
struct xen_pmem *xen_pmem_above(struct device *dev)
{
	struct device *region = dev->parent;

	if (!region || !region->type || !region->type->name ||
	    strcmp(region->type->name, "nd_pmem") || !xen_pmem_is_nested(dev))
		return NULL;
	return container_of(to_nd_desc(to_nvdimm_bus(region->parent)),
			    struct xen_pmem, desc);
}

/* Looks at large steps first; both ends of the data are multiples of them. */
static void xen_pmem_copy_badranges(struct xen_pmem *xp, struct badblocks *bb,
				    u64 from, u64 to, u64 step)
{
	u64 start = xp->part[XEN_PMEM_DATA].start;

	for (; from < to; from += step) {
		if (!is_bad_pmem(bb, (from - start) >> SECTOR_SHIFT, step))
			continue;
		if (step > SECTOR_SIZE)
			xen_pmem_copy_badranges(xp, bb, from, from + step,
						SECTOR_SIZE);
		else
			nvdimm_bus_add_badrange(xp->bus, from, step);
	}
}

/**
 * xen_pmem_nested_poison() - hand the bad blocks of the data down
 * @xp: namespace, its nested bus registered
 */
void xen_pmem_nested_poison(struct xen_pmem *xp)
{
	const struct range *data = &xp->part[XEN_PMEM_DATA];
	struct badblocks bb;

	if (badblocks_init(&bb, 1))
		return;
	nvdimm_badblocks_populate(to_nd_region(xp->dev->parent), &bb, data);
	xen_pmem_copy_badranges(xp, &bb, data->start, data->end,
				XEN_PMEM_DATA_ALIGN);
	badblocks_exit(&bb);
	if (xp->region)
		nvdimm_region_notify(xp->region, NVDIMM_REVALIDATE_POISON);
}

/**
 * xen_pmem_nested_ro() - the nested region is as read-only as the outer one
 * @xp: namespace, its nested bus registered
 *
 * What Xen keeps in the reserved area it goes on to write.
 */
void xen_pmem_nested_ro(struct xen_pmem *xp)
{
	const char *ro = xen_pmem_region_is_ro(xp->dev->parent) ? "1" : "0";
	struct device_attribute *da;
	struct device *region;

	if (!xp->region)
		return;
	region = nd_region_dev(xp->region);
	da = xen_pmem_region_attr(region, "read_only");
	if (da)
		da->store(region, da, ro, 1);
}

/* A PV domain has no large pages: each page mapped takes a page-table entry. */
static u64 xen_pmem_table_cost(struct xen_pmem *xp)
{
	u64 pages = PHYS_PFN(range_len(&xp->part[XEN_PMEM_DATA]));

	return xen_pv_domain() ? pages * sizeof(pte_t) : 0;
}

static u64 xen_pmem_memmap_cost(struct xen_pmem *xp)
{
	u64 pages = PHYS_PFN(range_len(&xp->part[XEN_PMEM_DATA]));

	return pages * sizeof(struct page) + xen_pmem_table_cost(xp);
}

static u64 xen_pmem_budget(void)
{
	return (u64)PAGE_SIZE * totalram_pages() / 8;
}

static void xen_pmem_say_too_dear(struct xen_pmem *xp, u64 cost,
				  const char *what, const char *remedy)
{
	dev_warn(xp->dev,
		 "%s: it would take %llu MiB, an eighth of this domain's RAM is %llu MiB; %sgive it more RAM, or load the module with memmap=1\n",
		 what, cost >> 20, xen_pmem_budget() >> 20, remedy);
}

/*
 * An inner namespace without an info block has its struct pages in the domain's
 * RAM.  In a PV domain they cannot be anywhere else, and even without them the data
 * has to be mapped.
 */
static enum xen_pmem_map xen_pmem_choose_map(struct xen_pmem *xp)
{
	if (xen_pmem_memmap > 0)
		return XEN_PMEM_MAP_MEM;
	if (xen_pmem_table_cost(xp) > xen_pmem_budget()) {
		xen_pmem_say_too_dear(xp, xen_pmem_table_cost(xp),
				      "Xen has the data, but there is no device of it in this domain",
				      "");
		return XEN_PMEM_MAP_NONE;
	}
	if (!xen_pmem_memmap)
		return XEN_PMEM_MAP_DISK;
	if (xen_pmem_memmap_cost(xp) <= xen_pmem_budget())
		return XEN_PMEM_MAP_MEM;
	xen_pmem_say_too_dear(xp, xen_pmem_memmap_cost(xp),
			      "no struct pages for the data and so no DAX",
			      xen_pv_domain() ? "" :
			      "have them in the data (ndctl create-namespace --map=dev), ");
	return XEN_PMEM_MAP_DISK;
}

static unsigned long xen_pmem_region_flags(struct xen_pmem *xp)
{
	struct device *outer = xp->dev->parent;
	unsigned long flags = 0;

	if (xp->map == XEN_PMEM_MAP_MEM)
		flags |= BIT(ND_REGION_PAGEMAP);
	if (!is_nvdimm_sync(to_nd_region(outer)))
		flags |= BIT(ND_REGION_ASYNC);
	if (xen_pmem_region_attr_is(outer, "persistence_domain", "cpu_cache"))
		flags |= BIT(ND_REGION_PERSIST_CACHE);
	if (xen_pmem_region_attr_is(outer, "persistence_domain",
				    "memory_controller"))
		flags |= BIT(ND_REGION_PERSIST_MEMCTRL);
	return flags;
}

/*
 * Without a mapping libnvdimm says that flushing cannot be guaranteed, which is
 * the truth exactly if it said so of the outer region.
 */
static int xen_pmem_create_mapping(struct xen_pmem *xp,
				   struct nd_mapping_desc *mapping)
{
	struct nd_region *outer = to_nd_region(xp->dev->parent);
	struct resource hint = DEFINE_RES_MEM(xp->part[XEN_PMEM_HINT].start,
					      sizeof(u64));
	int num_flush = xen_pmem_wants_hint(outer);

	if (nvdimm_has_flush(outer) < 0)
		return 0;
	xp->hint = hint;
	mapping->nvdimm = nvdimm_create(xp->bus, xp, NULL, 0, 0, num_flush,
					num_flush ? &xp->hint : NULL);
	mapping->size = range_len(&xp->part[XEN_PMEM_DATA]);
	return mapping->nvdimm ? 1 : -ENOMEM;
}

/* libnvdimm copies what it is told here. */
static int xen_pmem_create_region(struct xen_pmem *xp)
{
	const struct range *data = &xp->part[XEN_PMEM_DATA];
	struct resource res = DEFINE_RES_MEM(data->start, range_len(data));
	struct nd_mapping_desc mapping = {};
	struct nd_region_desc desc = {
		.res = &res,
		.mapping = &mapping,
		.provider_data = to_nd_region(xp->dev->parent),
		.numa_node = dev_to_node(xp->dev),
		.target_node = phys_to_target_node(data->start),
		.flags = xen_pmem_region_flags(xp),
		.flush = xen_pmem_flush,
	};
	int rc = xen_pmem_create_mapping(xp, &mapping);

	if (rc < 0)
		return rc;
	desc.num_mappings = rc;
	xp->region = nvdimm_pmem_region_create(xp->bus, &desc);
	return xp->region ? 0 : -ENOMEM;
}

/*
 * While a nested device is taken away, devices of the same kinds that it is nested in
 * are locked.  Lockdep is to tell them apart.  What is built in has no owner to go by.
 */
static void xen_pmem_added(struct device *dev)
{
	for (struct device *up = dev->parent; up; up = up->parent)
		if (up->driver && !strcmp(up->driver->name, KBUILD_MODNAME)) {
			lockdep_set_subclass(&dev->mutex, SINGLE_DEPTH_NESTING);
			return;
		}
}

static int xen_pmem_lockdep_notify(struct notifier_block *nb,
				   unsigned long event, void *dev)
{
	if (event == BUS_NOTIFY_ADD_DEVICE)
		xen_pmem_added(dev);
	return NOTIFY_DONE;
}

static struct notifier_block xen_pmem_lockdep_nb = {
	.notifier_call = xen_pmem_lockdep_notify,
};

/* Once, as all namespaces are on one bus.  Without it lockdep only complains. */
static void xen_pmem_lockdep_init(const struct bus_type *bus)
{
	if (!cmpxchg(&xen_pmem_lockdep_bus, NULL, bus) &&
	    bus_register_notifier(bus, &xen_pmem_lockdep_nb))
		WRITE_ONCE(xen_pmem_lockdep_bus, NULL);
}

/**
 * xen_pmem_nested_add() - export the data on a bus of its own
 * @xp: namespace; Xen has it, and its data and hint are not claimed
 *
 * The region is probed asynchronously.  On failure the bus may have been
 * registered: see xen_pmem_nested_del().
 *
 * Return: 0, or a negative error that was logged.
 */
int xen_pmem_nested_add(struct xen_pmem *xp)
{
	int rc;

	xp->desc = (struct nvdimm_bus_descriptor) {
		.provider_name = XEN_PMEM_PROVIDER,
		.module = THIS_MODULE,
		.ndctl = xen_pmem_ndctl,
	};
	xen_pmem_lockdep_init(xp->dev->bus);
	xp->bus = nvdimm_bus_register(xp->dev, &xp->desc);
	if (!xp->bus)
		return xen_pmem_error(xp->name, -ENOMEM,
				      "cannot register the nested bus");
	/* A bus without its driver would go before what is on it, and leave that. */
	if (!to_nvdimm_bus_dev(xp->bus)->driver)
		return xen_pmem_error(xp->name, -ENXIO,
				      "%s came up without its driver, see the kernel log; bind the namespace again",
				      dev_name(to_nvdimm_bus_dev(xp->bus)));
	xen_pmem_nested_poison(xp);
	xp->map = xen_pmem_choose_map(xp);
	rc = xp->map == XEN_PMEM_MAP_NONE ? 0 : xen_pmem_create_region(xp);
	if (rc)
		xen_pmem_error(xp->name, rc,
			       "cannot create the nested region: error %d", rc);
	return rc;
}

static bool xen_pmem_is_disk(struct device *dev)
{
	return dev->class && !strcmp(dev->class->name, "block");
}

/* A nested region has one namespace, and so one disk. */
static int xen_pmem_find_disk(struct device *dev, void *found)
{
	struct gendisk *disk;

	if (!xen_pmem_is_disk(dev))
		return device_for_each_child(dev, found, xen_pmem_find_disk);
	disk = dev_to_disk(dev);
	if (!try_module_get(disk->fops->owner))
		return 1;
	get_device(dev);
	*(struct gendisk **)found = disk;
	return 1;
}

/**
 * xen_pmem_nested_del() - take the nested bus away
 * @xp: namespace
 *
 * Waits for all probing in libnvdimm, so never call it from a probe, which may be
 * what would be waited for.  On return no page of the data is mapped by a driver,
 * and the page tables that mapped it have been given back.  Who had the disk open
 * for a moment only, as udev does, has been waited for.
 */
void xen_pmem_nested_del(struct xen_pmem *xp)
{
	bool open;

	if (!xp->bus)
		return;
	if (!xen_pv_domain())
		device_for_each_child(to_nvdimm_bus_dev(xp->bus), &xp->disk,
				      xen_pmem_find_disk);
	nvdimm_bus_unregister(xp->bus);
	xp->bus = NULL;
	xp->region = NULL;
	xen_pmem_pgtable_sweep();
	read_poll_timeout(xen_pmem_nested_open, open, !open, XEN_PMEM_POLL_US,
			  XEN_PMEM_POLL_END_US, false, xp);
}

/**
 * xen_pmem_nested_open() - has anybody the disk of a former nested bus open?
 * @xp: namespace, its nested bus gone
 *
 * A file system that is mounted has it open, and files of it can be mapped.
 *
 * Return: whether it is known to be open.
 */
bool xen_pmem_nested_open(struct xen_pmem *xp)
{
	struct module *owner;

	if (!xp->disk)
		return false;
	if (disk_openers(xp->disk))
		return true;
	owner = xp->disk->fops->owner;
	put_device(disk_to_dev(xp->disk));
	xp->disk = NULL;
	module_put(owner);
	return false;
}

/* Children of a disk are its partitions, which it counts as well. */
static int xen_pmem_dev_busy(struct device *dev, void *unused)
{
	if (xen_pmem_is_disk(dev))
		return disk_openers(dev_to_disk(dev)) > 0;
	if (dev->bus && !strcmp(dev->bus->name, "dax") && dev->driver)
		return 1;
	return device_for_each_child(dev, NULL, xen_pmem_dev_busy);
}

/**
 * xen_pmem_nested_busy() - is anything of the nested bus in use?
 * @xp: namespace, bound
 *
 * Return: whether a disk is open, which includes being mounted, or a dax device
 * is bound to a driver.  Who has a dax device open or mapped, the dax core does
 * not tell.
 */
bool xen_pmem_nested_busy(struct xen_pmem *xp)
{
	return xp->bus && device_for_each_child(to_nvdimm_bus_dev(xp->bus),
						NULL, xen_pmem_dev_busy);
}

/**
 * xen_pmem_nested_exit() - end of the module
 *
 * No nested bus is left.
 */
void xen_pmem_nested_exit(void)
{
	if (xen_pmem_lockdep_bus)
		bus_unregister_notifier(xen_pmem_lockdep_bus,
					&xen_pmem_lockdep_nb);
}
