// SPDX-License-Identifier: GPL-2.0
/* Persistent memory that Xen keeps records of: driver of the namespace. */

/**
 * DOC: xen_pmem
 *
 * The driver binds a libnvdimm namespace whose info block says that a part of it
 * is reserved for Xen.  It validates the block, hands the namespace over to Xen,
 * and exports the data on a nested libnvdimm bus.  A namespace without such a block
 * is left alone: nothing is written to it, and Xen does not hear of it.
 *
 * One struct xen_pmem lives from the probe until Xen has given the region back.
 * That can be long after the namespace was unbound: remove() cannot fail, and Xen
 * refuses while a page is in use.  Such an object is in quarantine.  Its address
 * range stays claimed, so that nothing else maps what Xen still counts references
 * of, and REMOVE is tried again; if the namespace is bound again first, the
 * object is adopted.  The module stays loaded as long as there is an object.
 *
 * What this domain itself has of the data Xen counts under PV only, where it
 * sees every page table.  Under PVH it is for the driver not to call REMOVE too
 * early, see "what outlives the nested bus".
 *
 * The nested bus must not be unregistered by a probe that fails, see
 * xen_pmem_nested_del(): that is left to a work item.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uuid.h>
#include <xen/xen.h>
#include <asm/xen/page.h>
#include "../nvdimm/nd.h"
#include "xen_pmem_drv.h"
#include "xen_pmem_pgtable.h"

#define XEN_PMEM_RETRY		(5 * HZ)

static void xen_pmem_retry_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(xen_pmem_retry, xen_pmem_retry_work);
static struct workqueue_struct *xen_pmem_wq;

/* Protects the quarantine, and who takes an object out of it. */
static DEFINE_MUTEX(xen_pmem_quarantine_lock);
static LIST_HEAD(xen_pmem_quarantine);

/* What to do about a field, by xen_pmem_remedy; of the namespace's name. */
static const char * const xen_pmem_remedies[] = {
	[XEN_PMEM_REMEDY_DRIVER] =
		"use a driver that knows this version of the format",
	[XEN_PMEM_REMEDY_OWNER] =
		"use the namespace with the system that it belongs to",
	[XEN_PMEM_REMEDY_IGNORED] =
		"it is taken for no info block of ours",
	[XEN_PMEM_REMEDY_PROVISION] =
		"to provision it again and lose its data: ndctl create-namespace --mode=xen -f -e",
};

static void xen_pmem_report(struct xen_pmem *xp, int rc,
			    const struct xen_pmem_diag *diag)
{
	if (!diag->field)
		return;
	xen_pmem_error(xp->name, rc,
		       "info block field %s is %s, expected %s; %s%s%s",
		       diag->field, diag->found, diag->expected,
		       xen_pmem_remedies[diag->remedy],
		       diag->remedy == XEN_PMEM_REMEDY_PROVISION ? " " : "",
		       diag->remedy == XEN_PMEM_REMEDY_PROVISION ? xp->name : "");
}

/* Known bad blocks in [start, start + size) of the namespace. */
static bool xen_pmem_is_bad(struct xen_pmem *xp, struct badblocks *bb,
			    u64 start, u64 size, const char *what)
{
	u64 at;

	for (at = start; at < start + size; at += XEN_PMEM_ALIGN) {
		unsigned int len = min(start + size - at, XEN_PMEM_ALIGN);

		if (!is_bad_pmem(bb, at >> SECTOR_SHIFT, len))
			continue;
		xen_pmem_error(xp->name, -EOPNOTSUPP,
			       "bad blocks in the %s, between bytes %#llx and %#llx; to clear them and lose its data: ndctl create-namespace --mode=xen -f -e %s",
			       what, at, at + len, xp->name);
		return true;
	}
	return false;
}

static int xen_pmem_check_class(struct xen_pmem *xp,
				enum nvdimm_claim_class class)
{
	if (class == NVDIMM_CCLASS_NONE || class == NVDIMM_CCLASS_PFN)
		return 0;
	return xen_pmem_error(xp->name, -EOPNOTSUPP,
			      "the label says that it is for another kind of device, so that a kernel without this driver would write to it; set its holder_class to \"\" or \"pfn\"");
}

/*
 * A bad block may be in the info block itself, which stock drivers take for none
 * then.  It is ours if its magic is, or cannot be read either.
 */
static int xen_pmem_unreadable(struct xen_pmem *xp,
			       struct nd_namespace_common *ndns, int error)
{
	struct badblocks *bb = &to_nd_namespace_io(&ndns->dev)->bb;
	u8 magic[sizeof_field(struct xen_pmem_ext, magic)];
	int rc = nvdimm_read_bytes(ndns,
				   XEN_PMEM_SB_OFFSET + XEN_PMEM_EXT_OFFSET,
				   magic, sizeof(magic), 0);

	if (!rc && memcmp(magic, XEN_PMEM_EXT_MAGIC, sizeof(magic)))
		return -ENODEV;
	if (xen_pmem_is_bad(xp, bb, 0, XEN_PMEM_HEADER_SIZE, "header"))
		return -EOPNOTSUPP;
	return xen_pmem_error(xp->name, error,
			      "cannot read the info block: error %d", error);
}

/* The first 8 KiB are mapped. */
static int xen_pmem_inspect_header(struct xen_pmem *xp,
				   struct nd_namespace_common *ndns)
{
	struct badblocks *bb = &to_nd_namespace_io(&ndns->dev)->bb;
	struct xen_pmem_sb *sb __free(kfree) = kmalloc(sizeof(*sb), GFP_KERNEL);
	const struct xen_pmem_geometry *geo = &xp->info.geo;
	struct xen_pmem_diag diag;
	int rc;

	if (!sb)
		return -ENOMEM;
	rc = nvdimm_read_bytes(ndns, XEN_PMEM_SB_OFFSET, sb, sizeof(*sb), 0);
	if (rc)
		return xen_pmem_unreadable(xp, ndns, rc);
	rc = xen_pmem_sb_parse(sb, &xp->ns, &xp->info, &diag);
	if (rc) {
		xen_pmem_report(xp, rc, &diag);
		return rc;
	}
	rc = xen_pmem_check_class(xp, ndns->claim_class);
	if (rc)
		return rc;
	if (xen_pmem_is_bad(xp, bb, 0, XEN_PMEM_HEADER_SIZE, "header") ||
	    xen_pmem_is_bad(xp, bb, geo->rsv_start, geo->rsv_size,
			    "reserved area"))
		return -EOPNOTSUPP;
	return 0;
}

/*
 * Xen counts references from the hand-over on, and would miss those of a mapping
 * that was there before: nothing stays mapped.
 */
static int xen_pmem_inspect(struct xen_pmem *xp,
			    struct nd_namespace_common *ndns)
{
	int rc = devm_namespace_enable(xp->dev, ndns, XEN_PMEM_HEADER_SIZE);

	if (rc)
		return rc;
	rc = xen_pmem_inspect_header(xp, ndns);
	devm_namespace_disable(xp->dev, ndns);
	return rc;
}

static int xen_pmem_check_frame(struct xen_pmem *xp, unsigned long pfn)
{
	if (__pfn_to_mfn(pfn) == IDENTITY_FRAME(pfn))
		return 0;
	return xen_pmem_error(xp->name, -EOPNOTSUPP,
			      "page %#lx of this domain is not machine frame %#lx: this is memory that was made to look persistent, and not an NVDIMM",
			      pfn, pfn);
}

/* Returns the next address to look at, or 0 if @va is mapped. */
static unsigned long xen_pmem_next_unmapped(unsigned long va)
{
	unsigned int level;
	pte_t *pte = lookup_address(va, &level);

	if (!pte)
		return ALIGN(va + 1, PMD_SIZE);
	return pte_present(*pte) ? 0 : va + PAGE_SIZE;
}

/*
 * Of a PV domain: the addresses are true, and no page table has them.
 *
 * A PVH domain cannot tell, and need not.  Its RAM, which memmap= can make to
 * look persistent, is at first where the host's is: QUERY refuses that.  Wherever
 * else it has put some, ADD meets it in its p2m, before anything is written.
 * Page tables map what the p2m has, and that is without the reserved area then.
 */
static int xen_pmem_check_pv(struct xen_pmem *xp)
{
	unsigned long first = xp->op.spfn, end = xp->op.epfn, pfn;
	unsigned long va = (unsigned long)__va(PFN_PHYS(first)), next;
	unsigned long va_end = va + PFN_PHYS(end - first);
	int rc = 0;

	if (!xen_pv_domain())
		return 0;
	for (pfn = first; !rc && pfn < end; pfn++) {
		rc = xen_pmem_check_frame(xp, pfn);
		cond_resched();
	}
	if (rc)
		return rc;
	for (; va < va_end; va = next) {
		next = xen_pmem_next_unmapped(va);
		if (!next)
			return xen_pmem_error(xp->name, -EBUSY,
					      "frame %#lx is still mapped by this domain, from a former use; boot it again",
					      PHYS_PFN(__pa(va)));
		cond_resched();
	}
	return 0;
}

static void xen_pmem_set_part(struct xen_pmem *xp, enum xen_pmem_part part,
			      u64 from, u64 to)
{
	xp->part[part].start = xp->ns.start + from;
	xp->part[part].end = xp->ns.start + to - 1;
}

/* Parts that are not there have no length. */
static void xen_pmem_set_parts(struct xen_pmem *xp, bool hint)
{
	u64 data = xp->info.geo.data_start;
	u64 end = data + xp->info.geo.data_size;
	u64 head = hint ? XEN_PMEM_HEADER_SIZE : data;
	u64 spare = hint ? head + PAGE_SIZE : data;

	xen_pmem_set_part(xp, XEN_PMEM_HEAD, 0, head);
	xen_pmem_set_part(xp, XEN_PMEM_HINT, head, spare);
	xen_pmem_set_part(xp, XEN_PMEM_SPARE, spare, data);
	xen_pmem_set_part(xp, XEN_PMEM_DATA, data, end);
	xen_pmem_set_part(xp, XEN_PMEM_TAIL, end, xp->ns.size);
}

static void xen_pmem_unclaim(struct xen_pmem *xp, unsigned long parts)
{
	const struct range *range;
	unsigned int i;

	parts &= xp->claimed;
	for_each_set_bit(i, &parts, XEN_PMEM_NR_PARTS) {
		range = &xp->part[i];
		release_mem_region(range->start, range_len(range));
	}
	xp->claimed &= ~parts;
}

/* All or nothing.  In quarantine it is tried again and again: without a word. */
static int xen_pmem_claim(struct xen_pmem *xp, unsigned long parts)
{
	unsigned long claimed = xp->claimed;
	const struct range *range;
	unsigned int i;

	parts &= ~claimed;
	for_each_set_bit(i, &parts, XEN_PMEM_NR_PARTS) {
		range = &xp->part[i];
		if (!range_len(range))
			continue;
		if (!request_mem_region(range->start, range_len(range),
					xp->name)) {
			if (xp->dev)
				xen_pmem_error(xp->name, -EBUSY,
					       "addresses %#llx-%#llx are in use, see /proc/iomem",
					       range->start, range->end);
			xen_pmem_unclaim(xp, xp->claimed & ~claimed);
			return -EBUSY;
		}
		xp->claimed |= BIT(i);
	}
	return 0;
}

/**
 * xen_pmem_bar_data() - keep the drivers of the nested bus from the data
 * @xp: namespace, its data not claimed
 *
 * Each of them claims what it uses in iomem first, and cannot.
 *
 * Context: serialized by the caller, as is xen_pmem_unbar_data().
 * Return: 0, or -EBUSY if somebody has data already, which was logged.
 */
int xen_pmem_bar_data(struct xen_pmem *xp)
{
	return xen_pmem_claim(xp, BIT(XEN_PMEM_DATA));
}

/**
 * xen_pmem_unbar_data() - leave the data to the drivers of the nested bus again
 * @xp: namespace
 */
void xen_pmem_unbar_data(struct xen_pmem *xp)
{
	xen_pmem_unclaim(xp, BIT(XEN_PMEM_DATA));
}

static const char * const xen_pmem_state_names[] = {
	[XEN_PMEM_NEW]		= "new",
	[XEN_PMEM_CHECKED]	= "checked",
	[XEN_PMEM_ACTIVE]	= "active",
	[XEN_PMEM_ADOPTED]	= "adopted",
	[XEN_PMEM_STOPPING]	= "stopping",
	[XEN_PMEM_QUARANTINE]	= "quarantine",
	[XEN_PMEM_GONE]		= "gone",
};

static void xen_pmem_set_state(struct xen_pmem *xp, enum xen_pmem_state state)
{
	pr_debug("%s: %s -> %s\n", xp->name, xen_pmem_state_names[xp->state],
		 xen_pmem_state_names[state]);
	WRITE_ONCE(xp->state, state);
}

/**
 * xen_pmem_state_name() - the state of an object
 * @xp: namespace
 *
 * Return: the name of one of enum xen_pmem_state.
 */
const char *xen_pmem_state_name(const struct xen_pmem *xp)
{
	return xen_pmem_state_names[READ_ONCE(xp->state)];
}

static void xen_pmem_free(struct xen_pmem *xp)
{
	xen_pmem_set_state(xp, XEN_PMEM_GONE);
	xen_pmem_unclaim(xp, ~0UL);
	kfree(xp);
	module_put(THIS_MODULE);
}

/*
 * -ETXTBSY and -EADDRINUSE are ours, the rest is Xen's.  The data is claimed
 * first: what is still there in /proc/iomem, such as RAM that could not be taken
 * offline, is in use.
 */
static int xen_pmem_take_back(struct xen_pmem *xp)
{
	int rc;

	if (!xp->registered)
		return 0;
	if (xen_pmem_nested_open(xp))
		rc = -ETXTBSY;
	else if (xen_pmem_claim(xp, XEN_PMEM_INNER))
		rc = -EADDRINUSE;
	else
		rc = xen_pmem_unregister(&xp->op);
	xp->registered = rc != 0;
	return rc;
}

/*
 * A frame that is not of the region is the first one of a neighbour, whose records
 * share a chunk with this one's and so are in this one's reserved area.
 */
static void xen_pmem_say_busy(const struct xen_pmem *xp)
{
	const struct xenpf_pmem *op = &xp->op;

	if (op->bad_mfn == ~0ull)
		xen_pmem_error(xp->name, -EBUSY,
			       "its reserved area has records that a 32-bit PV domain uses; its addresses stay claimed until there is no such domain");
	else if (op->bad_mfn < op->spfn || op->bad_mfn >= op->epfn)
		xen_pmem_error(xp->name, -EBUSY,
			       "its reserved area has records of its neighbour at frame %#llx; its addresses stay claimed until Xen has given that one back",
			       op->bad_mfn);
	else
		xen_pmem_error(xp->name, -EBUSY,
			       "Xen still has frame %#llx of it in use, Xen's log names a domain that may access or maps it (xl dmesg); its addresses stay claimed until Xen gives it back",
			       op->bad_mfn);
}

static void xen_pmem_say_kept(const struct xen_pmem *xp, int rc)
{
	switch (rc) {
	case -ETXTBSY:
		xen_pmem_error(xp->name, rc,
			       "its disk %s is gone and still open or mounted; it stays Xen's, and its addresses claimed, until that ends",
			       xp->disk->disk_name);
		break;
	case -EADDRINUSE:
		xen_pmem_error(xp->name, rc,
			       "somebody in this domain still has its data, see /proc/iomem; it stays Xen's, and its addresses claimed, until that ends");
		break;
	case -EBUSY:
		xen_pmem_say_busy(xp);
		break;
	default:
		xen_pmem_error(xp->name, rc,
			       "Xen does not give it back: error %d; its addresses stay claimed until it does",
			       rc);
		break;
	}
}

/* The nested bus is gone, but not all that used it; the namespace may be gone. */
static void xen_pmem_put(struct xen_pmem *xp)
{
	int rc;

	/* From here on without a word of who is in the way, but the one below. */
	xp->dev = NULL;
	rc = xen_pmem_take_back(xp);
	if (!rc) {
		xen_pmem_free(xp);
		return;
	}
	xen_pmem_say_kept(xp, rc);
	xen_pmem_claim(xp, XEN_PMEM_INNER);

	guard(mutex)(&xen_pmem_quarantine_lock);
	xp->kept = rc;
	xen_pmem_set_state(xp, XEN_PMEM_QUARANTINE);
	list_add_tail(&xp->list, &xen_pmem_quarantine);
	mod_delayed_work(xen_pmem_wq, &xen_pmem_retry, XEN_PMEM_RETRY);
}

static void xen_pmem_retry_work(struct work_struct *work)
{
	struct xen_pmem *xp, *next;

	guard(mutex)(&xen_pmem_quarantine_lock);
	list_for_each_entry_safe(xp, next, &xen_pmem_quarantine, list) {
		xp->kept = xen_pmem_take_back(xp);
		if (xp->kept)
			continue;
		pr_info("%s: Xen has given it back\n", xp->name);
		list_del(&xp->list);
		xen_pmem_free(xp);
	}
	if (!list_empty(&xen_pmem_quarantine))
		mod_delayed_work(xen_pmem_wq, &xen_pmem_retry, XEN_PMEM_RETRY);
}

/**
 * xen_pmem_show_quarantine() - what Xen has not given back
 * @buf: a page of sysfs
 *
 * Return: bytes written to @buf, one line for each region; a frame that is in the
 * way is given with -EBUSY.
 */
int xen_pmem_show_quarantine(char *buf)
{
	struct xen_pmem *xp;
	int len = 0;

	guard(mutex)(&xen_pmem_quarantine_lock);
	list_for_each_entry(xp, &xen_pmem_quarantine, list) {
		len += sysfs_emit_at(buf, len, "%s %#llx-%#llx error=%d",
				     xp->name, PFN_PHYS(xp->op.spfn),
				     PFN_PHYS(xp->op.epfn) - 1, xp->kept);
		if (xp->kept == -EBUSY)
			len += sysfs_emit_at(buf, len, " frame=%#llx",
					     xp->op.bad_mfn);
		len += sysfs_emit_at(buf, len, "\n");
	}
	return len;
}

static void xen_pmem_teardown_work(struct work_struct *work)
{
	struct xen_pmem *xp = container_of(work, struct xen_pmem, teardown);
	struct device *dev = xp->dev;

	xen_pmem_nested_del(xp);
	xen_pmem_put(xp);
	put_device(dev);
}

/* devm action, after remove() or a probe that failed. */
static void xen_pmem_release(void *data)
{
	struct xen_pmem *xp = data;

	if (!xp->bus) {
		xen_pmem_put(xp);
		return;
	}
	get_device(xp->dev);
	queue_work(xen_pmem_wq, &xp->teardown);
}

static int xen_pmem_may_adopt(struct xen_pmem *xp, const struct xen_pmem_ns *ns)
{
	if (memcmp(&xp->ns, ns, sizeof(*ns)))
		return xen_pmem_error(xp->name, -EBUSY,
				      "Xen has not given it back, and now its address, size or uuid is another");
	if (xen_pmem_nested_open(xp))
		return xen_pmem_error(xp->name, -EBUSY,
				      "its former disk %s is still open or mounted; close or unmount it first",
				      xp->disk->disk_name);
	return 0;
}

/* The namespace as it was before: its former object, with all that it holds. */
static struct xen_pmem *xen_pmem_adopt(const struct xen_pmem_ns *ns)
{
	struct xen_pmem *xp;
	int rc;

	guard(mutex)(&xen_pmem_quarantine_lock);
	list_for_each_entry(xp, &xen_pmem_quarantine, list) {
		if (xp->ns.start >= ns->start + ns->size ||
		    ns->start >= xp->ns.start + xp->ns.size)
			continue;
		rc = xen_pmem_may_adopt(xp, ns);
		if (rc)
			return ERR_PTR(rc);
		list_del(&xp->list);
		return xp;
	}
	return NULL;
}

static struct xen_pmem *xen_pmem_alloc(const struct xen_pmem_ns *ns)
{
	struct xen_pmem *xp = kzalloc(sizeof(*xp), GFP_KERNEL);

	if (!xp)
		return ERR_PTR(-ENOMEM);
	xp->ns = *ns;
	INIT_LIST_HEAD(&xp->list);
	INIT_WORK(&xp->teardown, xen_pmem_teardown_work);
	__module_get(THIS_MODULE);
	return xp;
}

/* Everything that has to be right before Xen may hear of a namespace. */
static int xen_pmem_open(struct xen_pmem *xp, struct nd_namespace_common *ndns)
{
	struct device *region = xp->dev->parent;
	int rc;

	rc = xen_pmem_inspect(xp, ndns);
	if (rc)
		return rc;
	if (xen_pmem_region_is_ro(region))
		return xen_pmem_error(xp->name, -EROFS,
				      "%s is read-only, Xen cannot keep its records there",
				      dev_name(region));
	xen_pmem_tuple(&xp->op, &xp->ns, &xp->info.geo);
	rc = xen_pmem_check_pv(xp);
	if (rc)
		return rc;
	xen_pmem_set_parts(xp, xen_pmem_wants_hint(to_nd_region(region)));
	rc = xen_pmem_claim(xp, XEN_PMEM_OUTER);
	if (!rc)
		xen_pmem_set_state(xp, XEN_PMEM_CHECKED);
	return rc;
}

static int xen_pmem_start(struct xen_pmem *xp)
{
	const struct range *data = &xp->part[XEN_PMEM_DATA];
	bool adopted;
	int rc;

	rc = xen_pmem_register(xp->name, &xp->op, &xp->info.rec, &adopted);
	if (rc)
		return rc;
	xp->registered = true;
	if (adopted)
		xen_pmem_use_reset(xp);
	xen_pmem_unclaim(xp, XEN_PMEM_INNER);
	rc = xen_pmem_nested_add(xp);
	if (rc)
		return rc;
	xen_pmem_set_state(xp, adopted ? XEN_PMEM_ADOPTED : XEN_PMEM_ACTIVE);
	dev_info(xp->dev, "%s Xen: %llu MiB of data at %#llx on %s\n",
		 adopted ? "still known to" : "handed over to",
		 range_len(data) >> 20, data->start,
		 dev_name(to_nvdimm_bus_dev(xp->bus)));
	return 0;
}

/**
 * xen_pmem_may_bind() - is this a namespace that could be ours?
 * @dev: device on the nd bus with the type of a namespace
 *
 * Return: false for the personalities that libnvdimm puts on a namespace, which
 * have the same type, for a namespace in raw mode, and for one of our own buses.
 */
bool xen_pmem_may_bind(struct device *dev)
{
	if (is_nd_pfn(dev) || is_nd_btt(dev) || is_nd_dax(dev))
		return false;
	return !to_ndns(dev)->force_raw && !xen_pmem_is_nested(dev);
}

/**
 * xen_pmem_ns_of() - what a block of this namespace is judged against
 * @ndns: namespace
 * @ns: OUT
 *
 * Return: 0, or -ENODEV if a labelled namespace has no uuid yet.
 */
int xen_pmem_ns_of(struct nd_namespace_common *ndns, struct xen_pmem_ns *ns)
{
	const struct resource *res = &to_nd_namespace_io(&ndns->dev)->res;
	const uuid_t *uuid = nd_dev_to_uuid(&ndns->dev);

	if (!uuid)
		return -ENODEV;
	memset(ns, 0, sizeof(*ns));
	ns->start = res->start;
	ns->size = resource_size(res);
	export_uuid(ns->uuid, uuid);
	return 0;
}

static int xen_pmem_probe(struct device *dev)
{
	struct nd_namespace_common *ndns;
	struct xen_pmem_ns ns;
	struct xen_pmem *xp;
	bool adopted;
	int rc;

	if (!xen_pmem_may_bind(dev))
		return -ENODEV;
	ndns = nvdimm_namespace_common_probe(dev);
	if (IS_ERR(ndns))
		return PTR_ERR(ndns);
	rc = xen_pmem_ns_of(ndns, &ns);
	rc = rc ?: xen_pmem_pgtable_init(dev->bus);
	rc = rc ?: xen_pmem_use_init(dev->bus);
	if (rc)
		return rc;

	xp = xen_pmem_adopt(&ns);
	adopted = xp;
	if (!xp)
		xp = xen_pmem_alloc(&ns);
	if (IS_ERR(xp))
		return PTR_ERR(xp);
	xp->dev = dev;
	strscpy(xp->name, dev_name(dev), sizeof(xp->name));
	rc = devm_add_action_or_reset(dev, xen_pmem_release, xp);
	if (!rc && !adopted)
		rc = xen_pmem_open(xp, ndns);
	if (!rc)
		rc = xen_pmem_start(xp);
	if (!rc)
		dev_set_drvdata(dev, xp);
	return rc;
}

static void xen_pmem_remove(struct device *dev)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	xen_pmem_set_state(xp, XEN_PMEM_STOPPING);
	xen_pmem_nested_del(xp);
}

static void xen_pmem_notify(struct device *dev, enum nvdimm_event event)
{
	struct xen_pmem *xp = dev_get_drvdata(dev);

	if (!xp)
		return;
	if (event == NVDIMM_REVALIDATE_POISON)
		xen_pmem_nested_poison(xp);
	else if (event == NVDIMM_REVALIDATE_REGION)
		xen_pmem_nested_ro(xp);
}

static struct nd_device_driver xen_pmem_driver = {
	.drv = {
		.name = KBUILD_MODNAME,
		.groups = xen_pmem_drv_groups,
		.dev_groups = xen_pmem_dev_groups,
	},
	.type = ND_DRIVER_NAMESPACE_IO | ND_DRIVER_NAMESPACE_PMEM,
	.probe = xen_pmem_probe,
	.remove = xen_pmem_remove,
	.notify = xen_pmem_notify,
};

/* Without a Xen that can take a region there is nothing to bind. */
static int xen_pmem_check_xen(void)
{
	struct xen_pmem_records rec;
	int rc;

	if (!xen_domain()) {
		pr_info("not loaded: this kernel does not run under Xen\n");
		return -ENODEV;
	}
	if (!xen_initial_domain()) {
		pr_info("not loaded: this domain is not Xen's control domain\n");
		return -ENODEV;
	}
	rc = xen_pmem_xen_records(&rec);
	if (!rc)
		return 0;
	if (rc == -EOPNOTSUPP)
		pr_err("not loaded: this Xen does not support version %u of XENPF_pmem; boot one that does\n",
		       XENPF_PMEM_VERSION);
	else if (rc == -EPERM)
		pr_err("not loaded: Xen or its security policy does not permit XENPF_pmem to this domain\n");
	else
		pr_err("not loaded: this Xen has no XENPF_pmem (%#x, error %d); boot one that has\n",
		       XENPF_pmem, rc);
	return -ENODEV;
}

static int __init xen_pmem_init(void)
{
	int rc = xen_pmem_check_xen();

	if (rc)
		return rc;
	xen_pmem_wq = alloc_workqueue("xen_pmem", WQ_UNBOUND, 0);
	if (!xen_pmem_wq)
		return -ENOMEM;
	rc = nd_driver_register(&xen_pmem_driver);
	if (rc) {
		destroy_workqueue(xen_pmem_wq);
		return rc;
	}
	xen_pmem_pgtable_init(xen_pmem_driver.drv.bus);
	return 0;
}

/* No object is left, or the module would not go: only work items may still end. */
static void __exit xen_pmem_exit(void)
{
	driver_unregister(&xen_pmem_driver.drv);
	cancel_delayed_work_sync(&xen_pmem_retry);
	destroy_workqueue(xen_pmem_wq);
	xen_pmem_use_exit();
	xen_pmem_pgtable_exit();
	xen_pmem_nested_exit();
	xen_pmem_forget_errors();
}

module_init(xen_pmem_init);
module_exit(xen_pmem_exit);
MODULE_DESCRIPTION("Persistent memory with page records kept by Xen");
MODULE_LICENSE("GPL");
