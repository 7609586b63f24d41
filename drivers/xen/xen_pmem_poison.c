// SPDX-License-Identifier: GPL-2.0
/* Poison that Xen found at run time. */

/**
 * DOC: run-time poison
 *
 * Machine checks are Xen's.  It logs them and raises VIRQ_MCA; the kernel's
 * xen_mcelog copies the records to /dev/mcelog, and they do not pass the notifier
 * chain by which nfit hears of poison on bare metal.  So who reads /dev/mcelog, a
 * daemon of the administrator's, reports addresses by the driver's attribute
 * poison.  They are added to the bus of the namespace, as nfit does it; all that
 * follows is the way of any poison: the region's badblocks, this driver's
 * notification, the badblocks of the nested bus, and -EIO for who reads there.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kstrtox.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "../nvdimm/nd.h"
#include "xen_pmem_drv.h"

/* [start, start + size), bytes, and where that is, with references. */
struct xen_pmem_poisoned {
	u64 start;
	u64 size;
	struct device *region;
	struct device *bus;
};

static int xen_pmem_parse_poison(const char *line,
				 struct xen_pmem_poisoned *bad)
{
	char word[64], *rest = word, *start;

	strscpy(word, line, sizeof(word));
	start = strsep(&rest, " ");
	if (rest && !kstrtou64(start, 0, &bad->start) &&
	    !kstrtou64(strim(rest), 0, &bad->size) && bad->size &&
	    bad->start + bad->size > bad->start)
		return 0;
	pr_err("poison: expected \"<address> <bytes>\"\n");
	return -EINVAL;
}

static bool xen_pmem_has(const struct xen_pmem *xp,
			 const struct xen_pmem_poisoned *bad)
{
	return xp && bad->start >= xp->ns.start &&
		bad->start + bad->size <= xp->ns.start + xp->ns.size;
}

/* Once the device is unlocked it can go, and what it is in as well. */
static int xen_pmem_find_poisoned(struct device *dev, void *data)
{
	struct xen_pmem_poisoned *bad = data;
	bool has;

	device_lock(dev);
	has = xen_pmem_has(dev_get_drvdata(dev), bad);
	if (has) {
		bad->region = get_device(dev->parent);
		bad->bus = get_device(dev->parent->parent);
	}
	device_unlock(dev);
	return has;
}

/**
 * xen_pmem_poison() - take a report of poison in a bound namespace
 * @drv: this driver
 * @line: "<address> <bytes>", numbers as of C
 *
 * Return: 0, -EINVAL for another line, -ENODEV if no bound namespace has all of
 * the range, or -ENOMEM.
 */
int xen_pmem_poison(struct device_driver *drv, const char *line)
{
	struct xen_pmem_poisoned bad = {};
	int rc = xen_pmem_parse_poison(line, &bad);

	if (rc)
		return rc;
	if (!driver_for_each_device(drv, NULL, &bad, xen_pmem_find_poisoned)) {
		pr_err("poison: no namespace that is bound has addresses %#llx-%#llx\n",
		       bad.start, bad.start + bad.size - 1);
		return -ENODEV;
	}
	rc = nvdimm_bus_add_badrange(to_nvdimm_bus(bad.bus), bad.start,
				     bad.size);
	if (!rc)
		nvdimm_region_notify(to_nd_region(bad.region),
				     NVDIMM_REVALIDATE_POISON);
	put_device(bad.region);
	put_device(bad.bus);
	return rc;
}
