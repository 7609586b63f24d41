// SPDX-License-Identifier: GPL-2.0
/* Who uses the data of a namespace: this domain, or guests of Xen. */

/**
 * DOC: one user of the data
 *
 * The data is used by this domain, through a device of the nested bus, or by guests
 * that were given frames of it, but not by both: neither would know what the other
 * writes.
 *
 * So before a driver of the nested bus is bound, the data is claimed in Xen, which
 * then gives it to no guest; and when the last one is gone, the claim is.  Where a
 * guest has some of it Xen refuses.  A notifier cannot refuse, and that driver is kept
 * from binding by this: while it is probed the data is claimed in iomem, where all
 * drivers of libnvdimm claim what they use before they touch it.
 *
 * Of the devices that libnvdimm keeps in stock for new ones a probe comes to nothing,
 * and does not count.  While the nested bus goes the claim stays: it goes with the
 * region, and if that is in quarantine it is still used.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/xarray.h>
#include "../nvdimm/nd.h"
#include "xen_pmem_drv.h"

#define XEN_PMEM_REFUSED	1

/*
 * Protects the users of all objects, and below.  Taken with a device of the nested bus
 * locked.
 */
static DEFINE_MUTEX(xen_pmem_use_lock);
/* Address of a device -> its object, from BIND to UNBOUND; tagged if refused. */
static DEFINE_XARRAY(xen_pmem_users);
static const struct bus_type *xen_pmem_use_bus;

static void xen_pmem_say_refused(struct xen_pmem *xp, struct device *dev,
				 u64 mfn)
{
	u16 domid;

	if (xen_pmem_guest(&xp->op, 0, &domid))
		dev_err(dev, "not bound: a domain still maps frame %#llx of %s, Xen's log names it (xl dmesg); destroy it first\n",
			mfn, xp->name);
	else
		dev_err(dev, "not bound: domain %u has frame %#llx of %s; first: xl destroy %u\n",
			domid, mfn, xp->name, domid);
}

/* May this domain use the data?  Says so if not. */
static bool xen_pmem_may_use(struct xen_pmem *xp, struct device *dev)
{
	u64 mfn;
	int rc = xen_pmem_claim_data(&xp->op, &mfn);

	switch (rc) {
	case 0:
		return true;
	case -EOPNOTSUPP:
		pr_warn_once("this Xen knows no claims (XENPF_PMEM_CLAIM): nothing keeps a guest from data that this domain uses; boot the Xen that belongs to this driver\n");
		return true;
	case -EBUSY:
		xen_pmem_say_refused(xp, dev, mfn);
		return false;
	default:
		dev_err(dev, "not bound: Xen does not let this domain claim the data of %s: error %d; bind it again\n",
			xp->name, rc);
		return false;
	}
}

static void xen_pmem_give_up(struct xen_pmem *xp)
{
	int rc = xen_pmem_unclaim_data(&xp->op);

	if (rc && rc != -EOPNOTSUPP)
		pr_warn("%s: Xen keeps the claim of its data: error %d; no guest can be given it until it is bound again\n",
			xp->name, rc);
}

/* One refusal keeps out whoever comes meanwhile: iomem has no more to tell apart. */
static void xen_pmem_use_begin(struct xen_pmem *xp, struct device *dev)
{
	bool may;

	if (IS_ERR(nvdimm_namespace_common_probe(dev)))
		return;
	guard(mutex)(&xen_pmem_use_lock);
	may = !xp->refused && (xp->users || xen_pmem_may_use(xp, dev));
	if (may)
		xp->users++;
	else if (!xp->refused++)
		xen_pmem_bar_data(xp);
	/* Without an entry nothing would undo this. */
	xa_store(&xen_pmem_users, (unsigned long)dev,
		 xa_tag_pointer(xp, may ? 0 : XEN_PMEM_REFUSED),
		 GFP_KERNEL | __GFP_NOFAIL);
}

static void xen_pmem_use_end(struct device *dev)
{
	struct xen_pmem *xp;
	void *entry;

	guard(mutex)(&xen_pmem_use_lock);
	entry = xa_erase(&xen_pmem_users, (unsigned long)dev);
	if (!entry)
		return;
	xp = xa_untag_pointer(entry);
	if (xa_pointer_tag(entry) == XEN_PMEM_REFUSED) {
		if (!--xp->refused)
			xen_pmem_unbar_data(xp);
		return;
	}
	if (!--xp->users && READ_ONCE(xp->state) != XEN_PMEM_STOPPING)
		xen_pmem_give_up(xp);
}

static int xen_pmem_use_notify(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	struct device *dev = data;
	struct xen_pmem *xp;

	switch (event) {
	case BUS_NOTIFY_BIND_DRIVER:
		xp = xen_pmem_above(dev);
		if (xp && dev->driver->owner != THIS_MODULE)
			xen_pmem_use_begin(xp, dev);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		xen_pmem_use_end(dev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block xen_pmem_use_nb = {
	.notifier_call = xen_pmem_use_notify,
};

/**
 * xen_pmem_use_init() - from now on claim data that is used
 * @bus: the nd bus
 *
 * Called before a nested bus is registered, and once more does no harm.
 *
 * Return: 0 or a negative error.
 */
int xen_pmem_use_init(const struct bus_type *bus)
{
	int rc;

	if (cmpxchg(&xen_pmem_use_bus, NULL, bus))
		return 0;
	/* To lockdep the chains of all buses are one, and this may run in another's. */
	lockdep_off();
	rc = bus_register_notifier(bus, &xen_pmem_use_nb);
	lockdep_on();
	if (rc)
		WRITE_ONCE(xen_pmem_use_bus, NULL);
	return rc;
}

/**
 * xen_pmem_use_reset() - nobody in this domain uses the data now
 * @xp: namespace that Xen had before, its nested bus not registered
 */
void xen_pmem_use_reset(struct xen_pmem *xp)
{
	xen_pmem_give_up(xp);
}

/**
 * xen_pmem_use_exit() - end of the module
 */
void xen_pmem_use_exit(void)
{
	if (xen_pmem_use_bus)
		bus_unregister_notifier(xen_pmem_use_bus, &xen_pmem_use_nb);
}
