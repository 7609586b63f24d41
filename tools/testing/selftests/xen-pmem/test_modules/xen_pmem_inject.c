// SPDX-License-Identifier: GPL-2.0
/*
 * xen_pmem_inject - what does not happen on a test machine by itself
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/libnvdimm.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nd.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/ptrace.h>
#include <linux/range.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <xen/xen.h>

/**
 * DOC: xen_pmem_inject
 *
 * Written to debugfs, xen_pmem_inject/control:
 *
 *  claim ADDR LEN: the addresses are in use, as /proc/iomem shows
 *  release: they are not
 *  map ADDR: the 2 MiB at ADDR are in the direct map, as if a driver had left them
 *  there; in a PV domain only
 *  unmap: they are not
 *  fail FUNCTION VALUE [SKIP]: its next call, but for the first SKIP, does nothing and
 *  returns VALUE
 *  answer FUNCTION REGION VALUE: until "forget", it does nothing for this nd region
 *  and returns VALUE
 *  forget: all functions do what they did
 *
 * Read from there: how many calls did nothing, since the last fail or answer.
 */

#define XEN_PMEM_INJ_PROBES	2

/* @region NULL: call @nth from now is met, else all with this first argument. */
struct xen_pmem_inj_probe {
	struct kprobe kp;
	char name[48];
	struct nd_region *region;
	struct device *dev;
	long value;
	atomic_t nth;
};

/* Protects all below. */
static DEFINE_MUTEX(xen_pmem_inj_lock);
static struct xen_pmem_inj_probe xen_pmem_inj_probe[XEN_PMEM_INJ_PROBES];
static unsigned int xen_pmem_inj_probes;
static struct range xen_pmem_inj_claimed;
static struct dev_pagemap xen_pmem_inj_map;
static struct dentry *xen_pmem_inj_dir;
static atomic_t xen_pmem_inj_met;

/* Here a function goes on that is to do nothing: only to return. */
static noinline notrace void xen_pmem_inj_return(void)
{
	barrier();
}

NOKPROBE_SYMBOL(xen_pmem_inj_return);

static int xen_pmem_inj_enter(struct kprobe *kp, struct pt_regs *regs)
{
	struct xen_pmem_inj_probe *probe =
		container_of(kp, struct xen_pmem_inj_probe, kp);

	if (probe->region && regs->di != (unsigned long)probe->region)
		return 0;
	if (!probe->region && atomic_dec_return(&probe->nth))
		return 0;
	atomic_inc(&xen_pmem_inj_met);
	regs_set_return_value(regs, probe->value);
	instruction_pointer_set(regs, (unsigned long)xen_pmem_inj_return);
	return 1;
}

NOKPROBE_SYMBOL(xen_pmem_inj_enter);

/* With it the kprobe is not made a jump, of which the kernel ignores a changed address. */
static void xen_pmem_inj_after(struct kprobe *kp, struct pt_regs *regs,
			       unsigned long flags)
{
}

NOKPROBE_SYMBOL(xen_pmem_inj_after);

static void xen_pmem_inj_forget(void)
{
	struct xen_pmem_inj_probe *probe;

	while (xen_pmem_inj_probes) {
		probe = &xen_pmem_inj_probe[--xen_pmem_inj_probes];
		unregister_kprobe(&probe->kp);
		put_device(probe->dev);
	}
}

/* Takes the reference of @region, which is NULL for the @nth call alone. */
static int xen_pmem_inj_add(const char *name, struct device *region, long value,
			    int nth)
{
	struct xen_pmem_inj_probe *probe;
	int rc = -ENOSPC;

	if (xen_pmem_inj_probes < XEN_PMEM_INJ_PROBES) {
		probe = &xen_pmem_inj_probe[xen_pmem_inj_probes];
		memset(probe, 0, sizeof(*probe));
		strscpy(probe->name, name, sizeof(probe->name));
		probe->region = region ? to_nd_region(region) : NULL;
		probe->dev = region;
		probe->value = value;
		atomic_set(&probe->nth, nth);
		probe->kp.symbol_name = probe->name;
		probe->kp.pre_handler = xen_pmem_inj_enter;
		probe->kp.post_handler = xen_pmem_inj_after;
		atomic_set(&xen_pmem_inj_met, 0);
		rc = register_kprobe(&probe->kp);
	}
	if (rc)
		put_device(region);
	else
		xen_pmem_inj_probes++;
	return rc;
}

/* It is in no driver's reach otherwise, so a driver that matches no device is. */
static int xen_pmem_inj_no_probe(struct device *dev)
{
	return -ENODEV;
}

static struct nd_device_driver xen_pmem_inj_driver = {
	.drv = { .name = KBUILD_MODNAME },
	.type = BIT(29),
	.probe = xen_pmem_inj_no_probe,
};

static int xen_pmem_inj_answer(const char *name, const char *region, long value)
{
	struct device *dev;

	if (strncmp(region, "region", 6))
		return -EINVAL;
	dev = bus_find_device_by_name(xen_pmem_inj_driver.drv.bus, NULL, region);
	return dev ? xen_pmem_inj_add(name, dev, value, 0) : -ENODEV;
}

static int xen_pmem_inj_claim(u64 start, u64 len)
{
	if (xen_pmem_inj_claimed.end || !len)
		return -EINVAL;
	if (!request_mem_region(start, len, KBUILD_MODNAME))
		return -EBUSY;
	xen_pmem_inj_claimed.start = start;
	xen_pmem_inj_claimed.end = start + len - 1;
	return 0;
}

static int xen_pmem_inj_release(void)
{
	struct range *range = &xen_pmem_inj_claimed;

	if (!range->end)
		return -ENOENT;
	release_mem_region(range->start, range_len(range));
	range->end = 0;
	return 0;
}

/*
 * A page table that is freed while Xen takes it for one brings a PV domain down, so
 * the few that go with the mapping are kept, for good.
 */
static void xen_pmem_inj_keep_tables(unsigned long va)
{
	pgd_t *pgd = pgd_offset(current->active_mm, va);
	pud_t *pud = pud_offset(p4d_offset(pgd, va), va);
	pmd_t *pmd = pmd_offset(pud, va);

	get_page(virt_to_page(pud));
	get_page(virt_to_page(pmd));
	get_page(virt_to_page(pte_offset_kernel(pmd, va)));
}

static int xen_pmem_inj_do_map(u64 start)
{
	struct dev_pagemap *map = &xen_pmem_inj_map;
	void *at;

	if (!xen_pv_domain())
		return -EOPNOTSUPP;
	if (map->nr_range || !IS_ALIGNED(start, SZ_2M))
		return -EINVAL;
	memset(map, 0, sizeof(*map));
	map->type = MEMORY_DEVICE_GENERIC;
	map->nr_range = 1;
	map->range.start = start;
	map->range.end = start + SZ_2M - 1;
	at = memremap_pages(map, NUMA_NO_NODE);
	if (IS_ERR(at)) {
		map->nr_range = 0;
		return PTR_ERR(at);
	}
	xen_pmem_inj_keep_tables((unsigned long)at);
	xen_pmem_inj_keep_tables((unsigned long)pfn_to_page(PHYS_PFN(start)));
	return 0;
}

static int xen_pmem_inj_unmap(void)
{
	if (!xen_pmem_inj_map.nr_range)
		return -ENOENT;
	memunmap_pages(&xen_pmem_inj_map);
	xen_pmem_inj_map.nr_range = 0;
	return 0;
}

static int xen_pmem_inj_command(const char *line)
{
	char name[48], region[16];
	unsigned int skip = 0;
	u64 addr, len;
	long value;

	if (sscanf(line, "claim %lli %lli", &addr, &len) == 2)
		return xen_pmem_inj_claim(addr, len);
	if (sysfs_streq(line, "release"))
		return xen_pmem_inj_release();
	if (sscanf(line, "map %lli", &addr) == 1)
		return xen_pmem_inj_do_map(addr);
	if (sysfs_streq(line, "unmap"))
		return xen_pmem_inj_unmap();
	if (sscanf(line, "fail %47s %li %u", name, &value, &skip) >= 2)
		return xen_pmem_inj_add(name, NULL, value, skip + 1);
	if (sscanf(line, "answer %47s %15s %li", name, region, &value) == 3)
		return xen_pmem_inj_answer(name, region, value);
	if (!sysfs_streq(line, "forget"))
		return -EINVAL;
	xen_pmem_inj_forget();
	return 0;
}

static ssize_t xen_pmem_inj_write(struct file *file, const char __user *ubuf,
				  size_t len, loff_t *pos)
{
	char buf[96] = "";
	int rc;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	guard(mutex)(&xen_pmem_inj_lock);
	rc = xen_pmem_inj_command(buf);
	return rc ?: len;
}

static ssize_t xen_pmem_inj_read(struct file *file, char __user *ubuf,
				 size_t len, loff_t *pos)
{
	char buf[16];

	scnprintf(buf, sizeof(buf), "%d\n", atomic_read(&xen_pmem_inj_met));
	return simple_read_from_buffer(ubuf, len, pos, buf, strlen(buf));
}

static const struct file_operations xen_pmem_inj_fops = {
	.owner = THIS_MODULE,
	.write = xen_pmem_inj_write,
	.read = xen_pmem_inj_read,
};

static int __init xen_pmem_inj_init(void)
{
	int rc = nd_driver_register(&xen_pmem_inj_driver);

	if (rc)
		return rc;
	xen_pmem_inj_dir = debugfs_create_dir("xen_pmem_inject", NULL);
	debugfs_create_file("control", 0600, xen_pmem_inj_dir, NULL,
			    &xen_pmem_inj_fops);
	return 0;
}
module_init(xen_pmem_inj_init);

static void __exit xen_pmem_inj_exit(void)
{
	debugfs_remove(xen_pmem_inj_dir);
	xen_pmem_inj_forget();
	xen_pmem_inj_release();
	xen_pmem_inj_unmap();
	driver_unregister(&xen_pmem_inj_driver.drv);
}
module_exit(xen_pmem_inj_exit);

MODULE_DESCRIPTION("Faults and occupied addresses for the xen-pmem selftests");
MODULE_LICENSE("GPL");
