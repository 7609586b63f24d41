// SPDX-License-Identifier: GPL-2.0
/* Clean unmapping of persistent memory in a PV domain. */

/**
 * DOC: page-table keeper
 *
 * In a PV domain Xen lets no one write to a page that is in use as a page table:
 * the kernel makes it read-only and pins it before it is linked, and undoes both
 * before it is freed.  The undoing is missing where the kernel takes memory away
 * that was added by memremap_pages(): the page-table pages of the direct map and
 * of the memmap go back to the allocator read-only and pinned, and the next user of
 * such a page brings the kernel down.
 *
 * The keeper does what is missing, from the outside.  Before a driver of a pmem
 * region lets go of its memory, it takes a reference on every page-table page of
 * that region's memory (a hold), so that none of them reaches the allocator.  After
 * that it looks which pages only the keeper refers to (a sweep): those it unpins,
 * makes writable and frees.  The others are still in use and stay held.
 *
 * It does so for all pmem regions, the nested ones and those that Xen knows nothing
 * of: to unbind a plain namespace brings the kernel down just the same.
 *
 * Rules:
 *
 * - A hold comes with BUS_NOTIFY_UNBIND_DRIVER, and with BUS_NOTIFY_DRIVER_NOT_BOUND
 *   because after a failed probe the memory goes without another word.
 * - A sweep never runs while an unbind is under way, nor shortly after a failed
 *   probe: the kernel frees a page table before it unlinks it.
 * - If Xen refuses, the page is still linked; it stays held and is tried again.
 * - Page tables made at boot are PageReserved and not freed by way of their
 *   reference count: never held.
 * - Devices of the dax bus unmap without any event on the nd bus, so both are
 *   listened to.
 * - What is still mapped when the module is unloaded is without a keeper then.
 * - Memory that could be added in part only, because dom0 had no page for the rest of
 *   the memmap, or that was added and could not be noted as the device's, is taken away
 *   before the keeper hears of it: no help but in the kernel.
 *
 * This file is to be dropped as soon as the kernel releases such page tables
 * itself.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pgtable.h>
#include <linux/range.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include "xen_pmem_drv.h"
#include "xen_pmem_pgtable.h"

#define XEN_PMEM_SWEEP_DELAY	(HZ / 5)

/* Protects everything below. */
static DEFINE_MUTEX(xen_pmem_pgtable_lock);
/* Frame number of a page-table page -> its level, 1 for L1. */
static DEFINE_XARRAY(xen_pmem_held);
/* Address of a device -> the same, from its UNBIND to its UNBOUND. */
static DEFINE_XARRAY(xen_pmem_unbinding);
static unsigned long xen_pmem_quiet_until;

/*
 * What is listened to.  Set without a lock: the notifier chains have locks of their
 * own, in which the one above is taken.
 */
static const struct bus_type *xen_pmem_nd_bus;
static const struct bus_type *xen_pmem_dax_bus;

static void xen_pmem_sweep_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(xen_pmem_late_sweep, xen_pmem_sweep_work);

/* The region that @dev is, or is a part of, or NULL. */
static struct device *xen_pmem_region_of(struct device *dev)
{
	for (; dev; dev = dev->parent)
		if (dev->type && dev->type->name &&
		    !strcmp(dev->type->name, "nd_pmem"))
			return dev;
	return NULL;
}

static int xen_pmem_hold_page(void *table, int level)
{
	unsigned long pfn = PHYS_PFN(__pa(table));
	struct page *page = pfn_to_page(pfn);
	int rc;

	if (PageReserved(page) || xa_load(&xen_pmem_held, pfn))
		return 0;
	/* A page that is not held is the end of the kernel, a little later. */
	rc = xa_insert(&xen_pmem_held, pfn, xa_mk_value(level),
		       GFP_KERNEL | __GFP_NOFAIL);
	if (!rc)
		get_page(page);
	return rc;
}

static void *xen_pmem_table_of(void *entry)
{
	return (void *)((unsigned long)entry & PAGE_MASK);
}

/*
 * Kernel mappings are the same in every page table, and our own range does not
 * change under us: the device whose event this is has not let go of it yet.
 */
static int xen_pmem_hold_at(unsigned long va)
{
	pgd_t *pgd = pgd_offset(current->active_mm, va);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	int rc;

	if (pgd_none(*pgd))
		return 0;
	p4d = p4d_offset(pgd, va);
	if (p4d_none(*p4d))
		return 0;
	pud = pud_offset(p4d, va);
	rc = xen_pmem_hold_page(xen_pmem_table_of(pud), 3);
	if (rc || pud_none(*pud))
		return rc;
	pmd = pmd_offset(pud, va);
	rc = xen_pmem_hold_page(xen_pmem_table_of(pmd), 2);
	if (rc || pmd_none(*pmd))
		return rc;
	return xen_pmem_hold_page(xen_pmem_table_of(pte_offset_kernel(pmd, va)),
				  1);
}

/* There are no large pages in a PV domain: one L1 table per PMD_SIZE. */
static int xen_pmem_hold_range(unsigned long va, unsigned long end)
{
	int rc = 0;

	for (va = ALIGN_DOWN(va, PMD_SIZE); !rc && va < end; va += PMD_SIZE) {
		rc = xen_pmem_hold_at(va);
		cond_resched();
	}
	return rc;
}

static int xen_pmem_region_number(struct device *region, const char *name,
				  char *buf, u64 *value)
{
	xen_pmem_region_read(region, name, buf);
	return kstrtou64(strim(buf), 0, value);
}

/* In bytes, inclusive.  Does not fail for want of memory: a hold could not do without. */
static int xen_pmem_region_range(struct device *region, struct range *range)
{
	char *buf = (char *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	u64 start, size;
	int rc;

	rc = xen_pmem_region_number(region, "resource", buf, &start);
	if (!rc)
		rc = xen_pmem_region_number(region, "size", buf, &size);
	free_page((unsigned long)buf);
	if (rc || !size)
		return rc ?: -ENXIO;
	range->start = start;
	range->end = start + size - 1;
	return 0;
}

/* Direct map and memmap of all of a region, whoever maps which part of it. */
static int xen_pmem_hold_region(struct device *region)
{
	unsigned long first, last;
	struct range range;
	int rc = xen_pmem_region_range(region, &range);

	if (rc)
		return rc;
	first = PHYS_PFN(range.start);
	last = PHYS_PFN(range.end);
	rc = xen_pmem_hold_range((unsigned long)__va(range.start),
				 (unsigned long)__va(range.end));
	return rc ?: xen_pmem_hold_range((unsigned long)pfn_to_page(first),
					 (unsigned long)pfn_to_page(last + 1));
}

static void xen_pmem_hold(struct device *region)
{
	int rc = xen_pmem_hold_region(region);

	if (rc)
		pr_err("%s: cannot hold its page tables: error %d; expect the kernel to fail when it uses one of them again\n",
		       dev_name(region), rc);
}

/* An L1 that is not pinned any more is no reason to stop. */
static bool xen_pmem_give_back(unsigned long pfn, int level)
{
	struct page *page = pfn_to_page(pfn);
	struct mmuext_op op = {
		.cmd = MMUEXT_UNPIN_TABLE,
		.arg1.mfn = pfn_to_mfn(pfn),
	};

	if (level == 1)
		HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
	if (HYPERVISOR_update_va_mapping((unsigned long)page_address(page),
					 pfn_pte(pfn, PAGE_KERNEL), 0))
		return false;
	ClearPagePinned(page);
	put_page(page);
	return true;
}

static bool xen_pmem_sweep_may_run(void)
{
	return xa_empty(&xen_pmem_unbinding) &&
		time_after(jiffies, xen_pmem_quiet_until);
}

/* Whether a page is left that is ours alone and could not be given back. */
static bool xen_pmem_sweep(void)
{
	bool refused = false;
	unsigned long pfn;
	void *level;

	xa_for_each(&xen_pmem_held, pfn, level) {
		cond_resched();
		if (page_count(pfn_to_page(pfn)) != 1)
			continue;
		if (xen_pmem_give_back(pfn, xa_to_value(level)))
			xa_erase(&xen_pmem_held, pfn);
		else
			refused = true;
	}
	return refused;
}

static void xen_pmem_sweep_later(void)
{
	mod_delayed_work(system_long_wq, &xen_pmem_late_sweep,
			 XEN_PMEM_SWEEP_DELAY + 1);
}

static void xen_pmem_sweep_work(struct work_struct *work)
{
	guard(mutex)(&xen_pmem_pgtable_lock);
	if (!xen_pmem_sweep_may_run() || xen_pmem_sweep())
		xen_pmem_sweep_later();
}

/* Without an entry a sweep may come too early: Xen refuses, and it is repeated. */
static void xen_pmem_unbind(struct device *dev, struct device *region)
{
	xen_pmem_hold(region);
	xa_store(&xen_pmem_unbinding, (unsigned long)dev, dev, GFP_KERNEL);
}

/* The tables may also be let go of a little later: look again. */
static void xen_pmem_unbound(struct device *dev)
{
	xa_erase(&xen_pmem_unbinding, (unsigned long)dev);
	if (xen_pmem_sweep_may_run())
		xen_pmem_sweep();
	xen_pmem_sweep_later();
}

/*
 * A probe that failed before it acquired anything has mapped nothing: most of
 * these are of the idle seeds that libnvdimm offers after each attach.
 */
static void xen_pmem_not_bound(struct device *dev, struct device *region)
{
	if (list_empty(&dev->devres_head))
		return;
	xen_pmem_hold(region);
	xen_pmem_quiet_until = jiffies + XEN_PMEM_SWEEP_DELAY;
	xen_pmem_sweep_later();
}

static void xen_pmem_event(struct device *dev, unsigned long event)
{
	struct device *region = xen_pmem_region_of(dev);

	if (!region)
		return;
	guard(mutex)(&xen_pmem_pgtable_lock);
	switch (event) {
	case BUS_NOTIFY_UNBIND_DRIVER:
		xen_pmem_unbind(dev, region);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		xen_pmem_unbound(dev);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		xen_pmem_not_bound(dev, region);
		break;
	}
}

static int xen_pmem_dax_notify(struct notifier_block *nb, unsigned long event,
			       void *dev)
{
	xen_pmem_event(dev, event);
	return NOTIFY_DONE;
}

static struct notifier_block xen_pmem_dax_nb = {
	.notifier_call = xen_pmem_dax_notify,
};

/* Once for each bus; *@place is whose notifier @nb is. */
static int xen_pmem_listen(const struct bus_type **place,
			   const struct bus_type *bus,
			   struct notifier_block *nb)
{
	int rc;

	if (cmpxchg(place, NULL, bus))
		return 0;
	/* To lockdep the chains of all buses are one, and this may run in another's. */
	lockdep_off();
	rc = bus_register_notifier(bus, nb);
	lockdep_on();
	if (rc)
		WRITE_ONCE(*place, NULL);
	return rc;
}

/* The dax bus is not exported: it is found on the first device of it. */
static int xen_pmem_find_dax_bus(struct device *dev, void *unused)
{
	if (!dev->bus || strcmp(dev->bus->name, "dax"))
		return 0;
	xen_pmem_listen(&xen_pmem_dax_bus, dev->bus, &xen_pmem_dax_nb);
	return 1;
}

static int xen_pmem_find_dax_buses(struct device *dev, void *unused)
{
	return device_for_each_child(dev, NULL, xen_pmem_find_dax_bus);
}

static int xen_pmem_nd_notify(struct notifier_block *nb, unsigned long event,
			      void *dev)
{
	if (event == BUS_NOTIFY_BOUND_DRIVER)
		xen_pmem_find_dax_buses(dev, NULL);
	else
		xen_pmem_event(dev, event);
	return NOTIFY_DONE;
}

static struct notifier_block xen_pmem_nd_nb = {
	.notifier_call = xen_pmem_nd_notify,
};

/**
 * xen_pmem_pgtable_init() - from now on keep the page tables of pmem regions
 * @bus: the nd bus, of which devices may exist and be bound already
 *
 * Called before a nested bus is registered, and once more does no harm.  Only in a PV
 * domain there is anything to be done.
 *
 * Return: 0, or a negative error that was logged.
 */
int xen_pmem_pgtable_init(const struct bus_type *bus)
{
	int rc;

	if (!xen_pv_domain())
		return 0;
	rc = xen_pmem_listen(&xen_pmem_nd_bus, bus, &xen_pmem_nd_nb);
	if (rc)
		pr_err("cannot keep page tables: error %d; do not unbind persistent memory in this domain\n",
		       rc);
	else
		bus_for_each_dev(bus, NULL, NULL, xen_pmem_find_dax_buses);
	return rc;
}

/**
 * xen_pmem_pgtable_sweep() - the last device of a nested bus is gone
 *
 * On return its page tables were given back, but for those that are in use
 * elsewhere or that Xen refused, and for all as long as another device is being
 * unbound; those are tried again.
 */
void xen_pmem_pgtable_sweep(void)
{
	if (!xen_pv_domain())
		return;
	guard(mutex)(&xen_pmem_pgtable_lock);
	if (!xen_pmem_sweep_may_run() || xen_pmem_sweep())
		xen_pmem_sweep_later();
}

/**
 * xen_pmem_pgtable_exit() - end of the module
 *
 * A page that others use is not ours to keep; one that Xen does not make writable
 * is lost, which is better than to free it.
 */
void xen_pmem_pgtable_exit(void)
{
	unsigned long pfn, lost = 0;
	void *level;

	if (xen_pmem_dax_bus)
		bus_unregister_notifier(xen_pmem_dax_bus, &xen_pmem_dax_nb);
	if (xen_pmem_nd_bus)
		bus_unregister_notifier(xen_pmem_nd_bus, &xen_pmem_nd_nb);
	cancel_delayed_work_sync(&xen_pmem_late_sweep);

	guard(mutex)(&xen_pmem_pgtable_lock);
	xen_pmem_sweep();
	xa_for_each(&xen_pmem_held, pfn, level) {
		if (page_count(pfn_to_page(pfn)) == 1)
			lost++;
		else
			put_page(pfn_to_page(pfn));
	}
	xa_destroy(&xen_pmem_held);
	xa_destroy(&xen_pmem_unbinding);
	if (lost)
		pr_err("Xen did not make %lu pages writable; they are lost until the next boot\n",
		       lost);
}
