// SPDX-License-Identifier: GPL-2.0
/*
 * xen_pmem_badrange - bad blocks of an NVDIMM that has none
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/libnvdimm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nd.h>
#include <linux/ndctl.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include "libnvdimm.h"

/**
 * DOC: xen_pmem_badrange
 *
 * Written to debugfs, xen_pmem_badrange/control, BUS being the name of an nvdimm bus:
 *
 *  wrap BUS: from now on the bus can clear errors, which QEMU's cannot, and what it
 *  is told to clear is kept
 *  add BUS ADDR LEN: the bytes are bad; all regions are told, as nfit does when a
 *  machine check or an address range scrub finds some
 *  clear BUS ADDR LEN: they are good again, and hold what they held
 *  forget: what was kept goes
 *  unwrap: the bus is as it was
 *
 * Read from there: "ADDR LEN" for each command to clear, in order. A bus must not go
 * while it is wrapped.
 */

#define XEN_PMEM_BADRANGE_LOG	16

struct xen_pmem_bad_told {
	u64 addr;
	u64 len;
};

/* Protects all below; the log has a lock of its own, as it is written in I/O. */
static DEFINE_MUTEX(xen_pmem_bad_lock);
static struct device *xen_pmem_bad_bus;
static ndctl_fn xen_pmem_bad_real;
static struct dentry *xen_pmem_bad_dir;

static DEFINE_SPINLOCK(xen_pmem_bad_log_lock);
static struct xen_pmem_bad_told xen_pmem_bad_log[XEN_PMEM_BADRANGE_LOG];
static unsigned int xen_pmem_bad_logged;

static void xen_pmem_bad_keep(u64 addr, u64 len)
{
	struct xen_pmem_bad_told range = { .addr = addr, .len = len };

	guard(spinlock)(&xen_pmem_bad_log_lock);
	if (xen_pmem_bad_logged < XEN_PMEM_BADRANGE_LOG)
		xen_pmem_bad_log[xen_pmem_bad_logged++] = range;
}

static int xen_pmem_bad_ndctl(struct nvdimm_bus_descriptor *desc,
			      struct nvdimm *nvdimm, unsigned int cmd,
			      void *buf, unsigned int buf_len, int *cmd_rc)
{
	struct nd_cmd_clear_error *clear = buf;
	struct nd_cmd_ars_cap *cap = buf;

	if (!nvdimm && cmd == ND_CMD_ARS_CAP) {
		cap->clear_err_unit = SZ_256;
		*cmd_rc = 0;
		return 0;
	}
	if (!nvdimm && cmd == ND_CMD_CLEAR_ERROR) {
		xen_pmem_bad_keep(clear->address, clear->length);
		clear->cleared = clear->length;
		*cmd_rc = 0;
		return 0;
	}
	return xen_pmem_bad_real(desc, nvdimm, cmd, buf, buf_len, cmd_rc);
}

static struct nvdimm_bus_descriptor *xen_pmem_bad_desc(struct device *bus)
{
	return to_nd_desc(to_nvdimm_bus(bus));
}

static int xen_pmem_bad_unwrap(void)
{
	if (!xen_pmem_bad_bus)
		return -ENOENT;
	WRITE_ONCE(xen_pmem_bad_desc(xen_pmem_bad_bus)->ndctl,
		   xen_pmem_bad_real);
	put_device(xen_pmem_bad_bus);
	xen_pmem_bad_bus = NULL;
	return 0;
}

static int xen_pmem_bad_wrap(struct device *bus)
{
	struct nvdimm_bus_descriptor *desc = xen_pmem_bad_desc(bus);

	if (xen_pmem_bad_bus)
		return -EBUSY;
	if (!desc->ndctl)
		return -EOPNOTSUPP;
	xen_pmem_bad_bus = get_device(bus);
	xen_pmem_bad_real = desc->ndctl;
	WRITE_ONCE(desc->ndctl, xen_pmem_bad_ndctl);
	return 0;
}

/* DIMMs are children of the bus as well. */
static int xen_pmem_bad_notify(struct device *dev, void *unused)
{
	if (!strncmp(dev_name(dev), "region", 6))
		nvdimm_region_notify(to_nd_region(dev),
				     NVDIMM_REVALIDATE_POISON);
	return 0;
}

static int xen_pmem_bad_add(struct device *bus, u64 addr, u64 len)
{
	int rc = nvdimm_bus_add_badrange(to_nvdimm_bus(bus), addr, len);

	if (rc)
		return rc;
	return device_for_each_child(bus, NULL, xen_pmem_bad_notify);
}

static int xen_pmem_bad_clear(struct device *bus, u64 addr, u64 len)
{
	long cleared = nvdimm_clear_poison(bus, addr, len);

	if (cleared < 0)
		return cleared;
	return cleared == len ? 0 : -EIO;
}

/* It is in no driver's reach otherwise, so a driver that matches no device is. */
static int xen_pmem_bad_no_probe(struct device *dev)
{
	return -ENODEV;
}

static struct nd_device_driver xen_pmem_bad_driver = {
	.drv = { .name = KBUILD_MODNAME },
	.type = BIT(30),
	.probe = xen_pmem_bad_no_probe,
};

/* Returns the bus with a reference. */
static struct device *xen_pmem_bad_find(const char *name)
{
	if (strncmp(name, "ndbus", 5))
		return NULL;
	return bus_find_device_by_name(xen_pmem_bad_driver.drv.bus, NULL,
				       name);
}

static int xen_pmem_bad_do(const char *what, const char *name, u64 addr,
			   u64 len)
{
	struct device *bus = xen_pmem_bad_find(name);
	int rc = -EINVAL;

	if (!bus)
		return -ENODEV;
	if (!strcmp(what, "wrap"))
		rc = xen_pmem_bad_wrap(bus);
	else if (!strcmp(what, "add") && len)
		rc = xen_pmem_bad_add(bus, addr, len);
	else if (!strcmp(what, "clear") && len)
		rc = xen_pmem_bad_clear(bus, addr, len);
	put_device(bus);
	return rc;
}

static int xen_pmem_bad_command(const char *line)
{
	char what[8] = "", name[16] = "";
	u64 addr = 0, len = 0;

	guard(mutex)(&xen_pmem_bad_lock);
	if (sysfs_streq(line, "unwrap"))
		return xen_pmem_bad_unwrap();
	if (sysfs_streq(line, "forget")) {
		xen_pmem_bad_logged = 0;
		return 0;
	}
	if (sscanf(line, "%7s %15s %lli %lli", what, name, &addr, &len) < 2)
		return -EINVAL;
	return xen_pmem_bad_do(what, name, addr, len);
}

static ssize_t xen_pmem_bad_write(struct file *file, const char __user *ubuf,
				  size_t len, loff_t *pos)
{
	char buf[64] = "";
	int rc;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	rc = xen_pmem_bad_command(buf);
	return rc ?: len;
}

static ssize_t xen_pmem_bad_read(struct file *file, char __user *ubuf,
				 size_t len, loff_t *pos)
{
	char buf[XEN_PMEM_BADRANGE_LOG * 40];
	unsigned int i;
	size_t n = 0;

	scoped_guard(spinlock, &xen_pmem_bad_log_lock) {
		for (i = 0; i < xen_pmem_bad_logged; i++)
			n += scnprintf(buf + n, sizeof(buf) - n, "%#llx %llu\n",
				       xen_pmem_bad_log[i].addr,
				       xen_pmem_bad_log[i].len);
	}
	return simple_read_from_buffer(ubuf, len, pos, buf, n);
}

static const struct file_operations xen_pmem_bad_fops = {
	.owner = THIS_MODULE,
	.write = xen_pmem_bad_write,
	.read = xen_pmem_bad_read,
};

static int __init xen_pmem_bad_init(void)
{
	int rc = nd_driver_register(&xen_pmem_bad_driver);

	if (rc)
		return rc;
	xen_pmem_bad_dir = debugfs_create_dir("xen_pmem_badrange", NULL);
	debugfs_create_file("control", 0600, xen_pmem_bad_dir, NULL,
			    &xen_pmem_bad_fops);
	return 0;
}
module_init(xen_pmem_bad_init);

static void __exit xen_pmem_bad_exit(void)
{
	debugfs_remove(xen_pmem_bad_dir);
	xen_pmem_bad_unwrap();
	driver_unregister(&xen_pmem_bad_driver.drv);
}
module_exit(xen_pmem_bad_exit);

MODULE_DESCRIPTION("Bad blocks for the xen-pmem selftests");
MODULE_LICENSE("GPL");
