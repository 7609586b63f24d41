// SPDX-License-Identifier: GPL-2.0
/* Persistent memory in a PVH guest of Xen: what e820 says of it, for nd_e820. */

/**
 * DOC: xen_pmem_guest
 *
 * A guest that was given frames of persistent memory is told so by its own command
 * line, memmap=SIZE!ADDRESS, which makes an entry of type PRAM in e820.  Of such
 * entries the kernel makes resources in e820__reserve_resources_late(), which the
 * initialisation of PCI calls.  A PVH guest has no PCI, and so no resource, no device
 * e820_pmem, and nothing for nd_e820 to bind.
 *
 * The module does what is left out there: it inserts the resources, and registers the
 * device.  A kernel that does so itself has no need of it, and it does not load.
 *
 * e820 is not exported, only the question whether a range has anything of a type.
 * So the ranges are found by that, in steps of 2 MiB, of which Xen gives multiples.
 *
 * It cannot be unloaded: the memory may be mounted, and would be taken away from under
 * the file system.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/printk.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <xen/xen.h>
#include <asm/e820/api.h>

/* Both ends of a range are multiples of it. */
#define XEN_PMEM_GUEST_STEP	((u64)SZ_2M)

struct xen_pmem_guest_range {
	struct list_head list;
	struct resource res;
};

/* Used by init only, and then kept: the resources are in the kernel's tree. */
static LIST_HEAD(xen_pmem_guest_ranges);

static bool __init xen_pmem_guest_is_pram(u64 start, u64 size)
{
	return e820__mapped_any(start, start + size, E820_TYPE_PRAM);
}

/* A step which has some of it has all of it: e820 is not finer than that here. */
static bool __init xen_pmem_guest_is_whole(u64 at)
{
	u64 last = at + XEN_PMEM_GUEST_STEP - PAGE_SIZE;

	return xen_pmem_guest_is_pram(at, PAGE_SIZE) &&
	       xen_pmem_guest_is_pram(last, PAGE_SIZE);
}

/*
 * The first step from @at on, and below @end, which has some of it or, if not @has,
 * has none.  @end is a power of two.
 */
static u64 __init xen_pmem_guest_find(u64 at, u64 end, bool has)
{
	u64 size;

	while (at < end) {
		size = has ? 1ULL << __ffs64(at | end) : XEN_PMEM_GUEST_STEP;
		while (size > XEN_PMEM_GUEST_STEP &&
		       xen_pmem_guest_is_pram(at, size))
			size /= 2;
		if (xen_pmem_guest_is_pram(at, size) == has)
			break;
		at += size;
		cond_resched();
	}
	return at;
}

static int __init xen_pmem_guest_check(u64 start, u64 end)
{
	if (!xen_pmem_guest_is_whole(start) ||
	    !xen_pmem_guest_is_whole(end - XEN_PMEM_GUEST_STEP)) {
		pr_err("not loaded: memory of e820 in %#llx-%#llx is not aligned to 2 MiB; correct memmap=\n",
		       start, end - 1);
		return -EINVAL;
	}
	if (region_intersects(start, end - start, IORESOURCE_MEM,
			      IORES_DESC_PERSISTENT_MEMORY_LEGACY) ==
	    REGION_DISJOINT)
		return 0;
	pr_info("not loaded: this kernel knows %#llx-%#llx by itself, see /proc/iomem\n",
		start, end - 1);
	return -EEXIST;
}

static int __init xen_pmem_guest_insert(u64 start, u64 end)
{
	struct xen_pmem_guest_range *range;
	int rc = xen_pmem_guest_check(start, end);

	if (rc)
		return rc;
	range = kzalloc(sizeof(*range), GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	range->res = (struct resource) {
		.name = "Persistent Memory (legacy)",
		.start = start,
		.end = end - 1,
		.flags = IORESOURCE_MEM,
		.desc = IORES_DESC_PERSISTENT_MEMORY_LEGACY,
	};
	rc = insert_resource(&iomem_resource, &range->res);
	if (rc) {
		pr_err("not loaded: %#llx-%#llx is in use by something else, see /proc/iomem; choose another address for iomem= and memmap=\n",
		       start, end - 1);
		kfree(range);
		return rc;
	}
	list_add_tail(&range->list, &xen_pmem_guest_ranges);
	return 0;
}

static void __init xen_pmem_guest_undo(void)
{
	struct xen_pmem_guest_range *range, *next;

	list_for_each_entry_safe(range, next, &xen_pmem_guest_ranges, list) {
		list_del(&range->list);
		remove_resource(&range->res);
		kfree(range);
	}
}

static int __init xen_pmem_guest_insert_all(void)
{
	u64 limit = 1ULL << boot_cpu_data.x86_phys_bits;
	u64 start, end = 0;
	int rc;

	for (;;) {
		start = xen_pmem_guest_find(end, limit, true);
		if (start >= limit)
			break;
		end = xen_pmem_guest_find(start, limit, false);
		rc = xen_pmem_guest_insert(start, end);
		if (rc)
			return rc;
		pr_info("%llu MiB at %#llx\n", (end - start) >> 20, start);
	}
	if (!list_empty(&xen_pmem_guest_ranges))
		return 0;
	pr_info("not loaded: e820 has no persistent memory; boot this guest with memmap=SIZE!ADDRESS, where its iomem= is\n");
	return -ENODEV;
}

static int __init xen_pmem_guest_init(void)
{
	struct platform_device *pdev;
	int rc;

	if (!xen_pvh_domain() || xen_initial_domain()) {
		pr_info("not loaded: this is no PVH guest of Xen\n");
		return -ENODEV;
	}
	rc = xen_pmem_guest_insert_all();
	if (!rc) {
		pdev = platform_device_register_simple("e820_pmem",
						       PLATFORM_DEVID_NONE,
						       NULL, 0);
		rc = PTR_ERR_OR_ZERO(pdev);
	}
	if (rc)
		xen_pmem_guest_undo();
	return rc;
}

module_init(xen_pmem_guest_init);
MODULE_DESCRIPTION("Persistent memory that a PVH guest of Xen was given");
MODULE_LICENSE("GPL");
