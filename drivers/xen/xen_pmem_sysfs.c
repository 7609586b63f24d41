// SPDX-License-Identifier: GPL-2.0
/* Attributes of xen_pmem: of the driver, and of a namespace while it is bound. */

/**
 * DOC: sysfs
 *
 * Documentation/ABI/testing/sysfs-bus-nd-xen-pmem is the reference.
 */

#include <linux/device.h>
#include <linux/pfn.h>
#include <linux/sysfs.h>
#include "xen_pmem_drv.h"

static ssize_t xen_pmem_show_records(const struct xen_pmem_records *rec,
				     char *buf)
{
	return sysfs_emit(buf, "page_info_size=%u m2p_size=%u compat_m2p_size=%u\n",
			  rec->page_info, rec->m2p, rec->compat_m2p);
}

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", xen_pmem_state_name(xp));
}
static DEVICE_ATTR_RO(state);

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%pUb\n", xp->info.uuid);
}
static DEVICE_ATTR_RO(uuid);

static ssize_t resource_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%#llx\n", xp->part[XEN_PMEM_DATA].start);
}
static DEVICE_ATTR_ADMIN_RO(resource);

static ssize_t size_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", range_len(&xp->part[XEN_PMEM_DATA]));
}
static DEVICE_ATTR_RO(size);

static ssize_t reserved_resource_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%#llx\n", PFN_PHYS(xp->op.rsv_spfn));
}
static DEVICE_ATTR_ADMIN_RO(reserved_resource);

static ssize_t reserved_size_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", xp->info.geo.rsv_size);
}
static DEVICE_ATTR_RO(reserved_size);

static ssize_t records_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return xen_pmem_show_records(&xp->info.rec, buf);
}
static DEVICE_ATTR_RO(records);

static ssize_t memmap_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	static const char * const names[] = {
		[XEN_PMEM_MAP_NONE] = "no-device",
		[XEN_PMEM_MAP_DISK] = "none",
		[XEN_PMEM_MAP_MEM] = "mem",
	};
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", names[xp->map]);
}
static DEVICE_ATTR_RO(memmap);

static ssize_t last_error_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return xen_pmem_last_error(dev_name(dev), buf);
}
static DEVICE_ATTR_ADMIN_RO(last_error);

static ssize_t busy_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", xen_pmem_nested_busy(xp));
}
static DEVICE_ATTR_RO(busy);

/* A domain may have several parts of the data: it is told once. */
static bool xen_pmem_told(struct xen_pmem *xp, u32 n, u16 domid)
{
	u16 earlier;

	while (n--) {
		if (!xen_pmem_guest(&xp->op, n, &earlier) && earlier == domid)
			return true;
	}
	return false;
}

static ssize_t guests_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);
	int len = 0, rc;
	u32 n;
	u16 domid;

	for (n = 0; ; n++) {
		rc = xen_pmem_guest(&xp->op, n, &domid);
		if (rc)
			break;
		if (!xen_pmem_told(xp, n, domid))
			len += sysfs_emit_at(buf, len, "%s%u", n ? " " : "", domid);
	}
	return rc == -ENOENT ? len + sysfs_emit_at(buf, len, "\n") : rc;
}
static DEVICE_ATTR_RO(guests);

static ssize_t bus_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", dev_name(to_nvdimm_bus_dev(xp->bus)));
}
static DEVICE_ATTR_RO(bus);

static struct attribute *xen_pmem_dev_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_uuid.attr,
	&dev_attr_resource.attr,
	&dev_attr_size.attr,
	&dev_attr_reserved_resource.attr,
	&dev_attr_reserved_size.attr,
	&dev_attr_records.attr,
	&dev_attr_memmap.attr,
	&dev_attr_last_error.attr,
	&dev_attr_busy.attr,
	&dev_attr_guests.attr,
	&dev_attr_bus.attr,
	NULL,
};

static const struct attribute_group xen_pmem_dev_group = {
	.name = "xen",
	.attrs = xen_pmem_dev_attrs,
};

/* Removed before remove() is called, so all of the object is there. */
const struct attribute_group *xen_pmem_dev_groups[] = {
	&xen_pmem_dev_group,
	NULL,
};

static ssize_t xen_show(struct device_driver *drv, char *buf)
{
	struct xen_pmem_records rec;
	int rc = xen_pmem_xen_records(&rec);

	return rc ?: xen_pmem_show_records(&rec, buf);
}
static DRIVER_ATTR_RO(xen);

static ssize_t provision_store(struct device_driver *drv, const char *buf,
			       size_t count)
{
	int rc = xen_pmem_provision(drv, buf);

	return rc ?: count;
}
static DRIVER_ATTR_WO(provision);

static ssize_t poison_store(struct device_driver *drv, const char *buf,
			    size_t count)
{
	int rc = xen_pmem_poison(drv, buf);

	return rc ?: count;
}
static DRIVER_ATTR_WO(poison);

static ssize_t last_errors_show(struct device_driver *drv, char *buf)
{
	return xen_pmem_last_errors(buf);
}

static ssize_t quarantine_show(struct device_driver *drv, char *buf)
{
	return xen_pmem_show_quarantine(buf);
}

/* These have addresses: for root only. */
static struct driver_attribute driver_attr_last_errors =
	__ATTR(last_errors, 0400, last_errors_show, NULL);
static struct driver_attribute driver_attr_quarantine =
	__ATTR(quarantine, 0400, quarantine_show, NULL);

static struct attribute *xen_pmem_drv_attrs[] = {
	&driver_attr_xen.attr,
	&driver_attr_provision.attr,
	&driver_attr_poison.attr,
	&driver_attr_last_errors.attr,
	&driver_attr_quarantine.attr,
	NULL,
};

static const struct attribute_group xen_pmem_drv_group = {
	.attrs = xen_pmem_drv_attrs,
};

const struct attribute_group *xen_pmem_drv_groups[] = {
	&xen_pmem_drv_group,
	NULL,
};
