// SPDX-License-Identifier: GPL-2.0
/*
 * xen_pmem_grant - grant one frame to the own domain
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
#include <xen/grant_table.h>
#include <xen/xen.h>

/**
 * DOC: xen_pmem_grant
 *
 * Written to debugfs, xen_pmem_grant/grant:
 *
 *  grant FRAME: the frame is granted, writable, to this very domain
 *  end: the grant ends; -EBUSY while it is mapped
 *
 * Read from there: the reference of the grant.
 */

static DEFINE_MUTEX(xen_pmem_grant_lock);
static struct dentry *xen_pmem_grant_dir;
static int xen_pmem_grant_ref = -ENOENT;

static int xen_pmem_grant_begin(const char *frame)
{
	unsigned long gfn;
	int rc = kstrtoul(frame, 0, &gfn);

	if (rc)
		return rc;
	if (xen_pmem_grant_ref >= 0)
		return -EBUSY;

	xen_pmem_grant_ref = gnttab_grant_foreign_access(0, gfn, 0);
	return xen_pmem_grant_ref < 0 ? xen_pmem_grant_ref : 0;
}

static int xen_pmem_grant_end(void)
{
	if (xen_pmem_grant_ref < 0)
		return -ENOENT;
	if (!gnttab_try_end_foreign_access(xen_pmem_grant_ref))
		return -EBUSY;

	xen_pmem_grant_ref = -ENOENT;
	return 0;
}

static ssize_t xen_pmem_grant_write(struct file *file, const char __user *ubuf,
				    size_t len, loff_t *pos)
{
	char buf[32] = "";
	int rc;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;

	guard(mutex)(&xen_pmem_grant_lock);
	if (!strncmp(buf, "grant ", 6))
		rc = xen_pmem_grant_begin(buf + 6);
	else if (sysfs_streq(buf, "end"))
		rc = xen_pmem_grant_end();
	else
		rc = -EINVAL;
	return rc ?: len;
}

static ssize_t xen_pmem_grant_read(struct file *file, char __user *ubuf,
				   size_t len, loff_t *pos)
{
	char buf[16];

	guard(mutex)(&xen_pmem_grant_lock);
	scnprintf(buf, sizeof(buf), "%d\n", xen_pmem_grant_ref);
	return simple_read_from_buffer(ubuf, len, pos, buf, strlen(buf));
}

static const struct file_operations xen_pmem_grant_fops = {
	.owner = THIS_MODULE,
	.write = xen_pmem_grant_write,
	.read = xen_pmem_grant_read,
};

static int __init xen_pmem_grant_init(void)
{
	if (!xen_domain())
		return -ENODEV;
	xen_pmem_grant_dir = debugfs_create_dir("xen_pmem_grant", NULL);
	debugfs_create_file("grant", 0600, xen_pmem_grant_dir, NULL,
			    &xen_pmem_grant_fops);
	return 0;
}
module_init(xen_pmem_grant_init);

/* A grant which is mapped still ends when its last mapping does. */
static void __exit xen_pmem_grant_exit(void)
{
	debugfs_remove(xen_pmem_grant_dir);
	if (xen_pmem_grant_ref >= 0)
		gnttab_end_foreign_access(xen_pmem_grant_ref, NULL);
}
module_exit(xen_pmem_grant_exit);

MODULE_DESCRIPTION("Grants of frames to the own domain, for the xen-pmem selftests");
MODULE_LICENSE("GPL");
