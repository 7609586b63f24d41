// SPDX-License-Identifier: GPL-2.0
/* What xen_pmem asks of Xen: XENPF_pmem. */

/**
 * DOC: hand-over to Xen
 *
 * A region is known to Xen by six frame numbers, see struct xenpf_pmem.  It is
 * handed over by xen_pmem_register() and taken back by xen_pmem_unregister();
 * both are serialized here, because Xen works on one region at a time.  All
 * hypercalls of the driver pass xen_pmem_hcall().
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/error-injection.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <xen/xen-ops.h>
#include <xen/interface/platform.h>
#include <asm/xen/hypercall.h>
#include "xen_pmem_drv.h"

static bool xen_pmem_unlisted;
module_param_named(unlisted, xen_pmem_unlisted, bool, 0644);
MODULE_PARM_DESC(unlisted,
		 "vouch for namespaces that none of the firmware's static tables lists, plugged in at run time or CXL: they are persistent memory (default: 0)");

/* Held over QUERY to the end of ADD or REMOVE. */
static DEFINE_MUTEX(xen_pmem_hcall_lock);

/* Xen refuses a flag that the command does not have. */
static u32 xen_pmem_flags(u16 cmd)
{
	if (cmd != XENPF_PMEM_QUERY && cmd != XENPF_PMEM_ADD)
		return 0;
	return xen_pmem_unlisted ? XENPF_PMEM_UNLISTED : 0;
}

/**
 * xen_pmem_hcall() - issue XENPF_pmem
 * @op: argument, its flags are set here; on return what Xen made of it
 * @cmd: XENPF_PMEM_*
 *
 * ADD and REMOVE of large regions take seconds.  Xen continues them by itself,
 * and between two steps lets this CPU take interrupts.  Other tasks get it only
 * if the kernel is preempted there: if it is fully preemptible, or in a PV
 * domain if it was built without CONFIG_PREEMPTION.
 *
 * Return: 0 or what Xen says, see xen/interface/pmem.h.
 */
int xen_pmem_hcall(struct xenpf_pmem *op, u16 cmd)
{
	struct xen_platform_op xop = { .cmd = XENPF_pmem };
	int rc;

	BUILD_BUG_ON(sizeof(*op) != 128);
	BUILD_BUG_ON(sizeof(*op) > sizeof(xop.u.pad));

	op->cmd = cmd;
	op->version = XENPF_PMEM_VERSION;
	op->flags = xen_pmem_flags(cmd);
	memcpy(xop.u.pad, op, sizeof(*op));
	xen_preemptible_hcall_begin();
	rc = HYPERVISOR_platform_op(&xop);
	xen_preemptible_hcall_end();
	memcpy(op, xop.u.pad, sizeof(*op));
	return rc;
}
ALLOW_ERROR_INJECTION(xen_pmem_hcall, ERRNO);

/**
 * xen_pmem_xen_records() - the record sizes of the running Xen
 * @rec: OUT
 *
 * Return: 0 or what Xen says; -EPROTO if it understands something else by the
 * operation.
 */
int xen_pmem_xen_records(struct xen_pmem_records *rec)
{
	struct xenpf_pmem op = {};
	int rc = xen_pmem_hcall(&op, XENPF_PMEM_QUERY);

	/* The empty range is refused, but only after the sizes were set. */
	if (rc && rc != -EINVAL)
		return rc;
	if (!rc || !op.page_info_size)
		return -EPROTO;
	rec->page_info = op.page_info_size;
	rec->m2p = op.m2p_size;
	rec->compat_m2p = op.compat_m2p_size;
	return 0;
}

/**
 * xen_pmem_tuple() - the frame numbers of a region
 * @op: OUT, the tuple set and all else 0
 * @ns: namespace; it has a span
 * @geo: geometry
 */
void xen_pmem_tuple(struct xenpf_pmem *op, const struct xen_pmem_ns *ns,
		    const struct xen_pmem_geometry *geo)
{
	u64 start = 0, end = 0;

	xen_pmem_span(ns, &start, &end);
	memset(op, 0, sizeof(*op));
	op->spfn = PHYS_PFN(start);
	op->epfn = PHYS_PFN(end);
	op->rsv_spfn = PHYS_PFN(ns->start + geo->rsv_start);
	op->rsv_epfn = op->rsv_spfn + PHYS_PFN(geo->rsv_size);
	op->data_spfn = PHYS_PFN(ns->start + geo->data_start);
	op->data_epfn = op->data_spfn + PHYS_PFN(geo->data_size);
}

/*
 * One line for each reason that Xen can have to refuse a region.  Returns the
 * error of a bind, to which -ENODEV would mean that the namespace is not ours.
 */
static int xen_pmem_refused(const char *name, const char *what,
			    const struct xenpf_pmem *op, int rc)
{
	switch (rc) {
	case -EEXIST:
		return xen_pmem_error(name, rc,
				      "Xen already has a region that overlaps frames %#llx-%#llx; take that one back first",
				      op->spfn, op->epfn - 1);
	case -EBUSY:
		return xen_pmem_error(name, rc,
				      "Xen says that frame %#llx is in use: as RAM, for devices or firmware, or by a domain that may access or still maps it, which Xen's log names (xl dmesg)",
				      op->bad_mfn);
	case -ENODEV:
		return xen_pmem_error(name, -EOPNOTSUPP,
				      "neither NFIT nor the memory map lists frame %#llx as persistent memory; if it is, plugged in at run time or CXL, set the parameter unlisted=1 of xen_pmem and bind the namespace again",
				      op->bad_mfn);
	case -ENOSPC:
		return xen_pmem_error(name, rc,
				      "the reserved area is %llu bytes, Xen needs %llu; to provision it again and lose its data: ndctl create-namespace --mode=xen -f -e %s",
				      PFN_PHYS(op->rsv_epfn - op->rsv_spfn),
				      PFN_PHYS(op->rsv_need), name);
	case -ERANGE:
		return xen_pmem_error(name, rc,
				      "it ends at %#llx, above what this Xen can keep records of",
				      PFN_PHYS(op->epfn));
	default:
		return xen_pmem_error(name, rc,
				      "Xen refuses %s of frames %#llx-%#llx: error %d",
				      what, op->spfn, op->epfn - 1, rc);
	}
}

static int xen_pmem_check_sizes(const char *name,
				const struct xen_pmem_records *rec,
				const struct xenpf_pmem *op)
{
	if (rec->page_info == op->page_info_size && rec->m2p == op->m2p_size &&
	    rec->compat_m2p == op->compat_m2p_size)
		return 0;
	return xen_pmem_error(name, -EOPNOTSUPP,
			      "it was made for other record sizes: %u+%u+%u bytes per page, this Xen has %u+%u+%u; to provision it again and lose its data: ndctl create-namespace --mode=xen -f -e %s",
			      rec->page_info, rec->m2p, rec->compat_m2p,
			      op->page_info_size, op->m2p_size,
			      op->compat_m2p_size, name);
}

/* -EFAULT: the command may have been carried out, only QUERY knows. */
static int xen_pmem_add(const char *name, struct xenpf_pmem *op)
{
	int rc = xen_pmem_hcall(op, XENPF_PMEM_ADD);

	if (rc == -EFAULT &&
	    xen_pmem_hcall(op, XENPF_PMEM_QUERY) == -EEXIST &&
	    op->state == XENPF_PMEM_STATE_ACTIVE)
		return 0;
	return rc ? xen_pmem_refused(name, "ADD", op, rc) : 0;
}

/* Xen knows this very tuple: adopt it, or finish what was interrupted. */
static int xen_pmem_resume(const char *name, struct xenpf_pmem *op,
			   bool *adopted)
{
	int rc;

	switch (op->state) {
	case XENPF_PMEM_STATE_ACTIVE:
		*adopted = true;
		return 0;
	case XENPF_PMEM_STATE_REMOVING:
		rc = xen_pmem_hcall(op, XENPF_PMEM_REMOVE);
		if (rc)
			return xen_pmem_refused(name, "REMOVE", op, rc);
		fallthrough;
	case XENPF_PMEM_STATE_ADDING:
		return xen_pmem_add(name, op);
	default:
		return xen_pmem_refused(name, "ADD", op, -EEXIST);
	}
}

/**
 * xen_pmem_register() - hand a region over to Xen
 * @name: of the namespace, for messages
 * @op: tuple
 * @rec: the record sizes that the reserved area was sized for
 * @adopted: OUT, whether Xen had the region already
 *
 * On failure one line was logged, and Xen has changed nothing outside the
 * reserved area.
 *
 * Return: 0, -EOPNOTSUPP if the record sizes are not those of this Xen or if
 * Xen does not know the range for persistent memory, or what Xen says.
 */
int xen_pmem_register(const char *name, struct xenpf_pmem *op,
		      const struct xen_pmem_records *rec, bool *adopted)
{
	int rc;

	guard(mutex)(&xen_pmem_hcall_lock);
	*adopted = false;
	rc = xen_pmem_hcall(op, XENPF_PMEM_QUERY);
	if (rc && rc != -EEXIST)
		return xen_pmem_refused(name, "QUERY", op, rc);
	if (xen_pmem_check_sizes(name, rec, op))
		return -EOPNOTSUPP;
	if (rc)
		return xen_pmem_resume(name, op, adopted);
	if (op->rsv_need > op->rsv_epfn - op->rsv_spfn)
		return xen_pmem_refused(name, "QUERY", op, -ENOSPC);
	return xen_pmem_add(name, op);
}

/**
 * xen_pmem_unregister() - take a region back from Xen
 * @op: tuple; with -EBUSY bad_mfn is the first frame in the way
 *
 * Return: 0, also if Xen does not know the region any more, or what Xen says.
 */
int xen_pmem_unregister(struct xenpf_pmem *op)
{
	int rc;

	guard(mutex)(&xen_pmem_hcall_lock);
	rc = xen_pmem_hcall(op, XENPF_PMEM_REMOVE);
	pr_debug("REMOVE of frames %#llx-%#llx: %d\n", op->spfn, op->epfn - 1,
		 rc);
	return rc == -ENOENT ? 0 : rc;
}

/* The region's tuple stays as it is; what Xen answers is in @op. */
static int xen_pmem_call_on(const struct xenpf_pmem *region, u16 cmd,
			    u32 index, struct xenpf_pmem *op)
{
	*op = *region;
	op->index = index;
	return xen_pmem_hcall(op, cmd);
}

/**
 * xen_pmem_claim_data() - from now on Xen gives the data to no other domain
 * @region: tuple
 * @mfn: OUT, with -EBUSY the first frame that another domain has
 *
 * Return: 0, -EBUSY if another domain may access data or maps it, -EOPNOTSUPP if
 * Xen knows no claims, or what else it says.
 */
int xen_pmem_claim_data(const struct xenpf_pmem *region, u64 *mfn)
{
	struct xenpf_pmem op;
	int rc;

	guard(mutex)(&xen_pmem_hcall_lock);
	rc = xen_pmem_call_on(region, XENPF_PMEM_CLAIM, 0, &op);
	*mfn = op.bad_mfn;
	return rc;
}

/**
 * xen_pmem_unclaim_data() - Xen may give the data to other domains again
 * @region: tuple
 *
 * Return: 0 or what Xen says, see xen_pmem_claim_data().
 */
int xen_pmem_unclaim_data(const struct xenpf_pmem *region)
{
	struct xenpf_pmem op;

	guard(mutex)(&xen_pmem_hcall_lock);
	return xen_pmem_call_on(region, XENPF_PMEM_UNCLAIM, 0, &op);
}

/**
 * xen_pmem_guest() - what another domain has of the data of a region
 * @region: tuple
 * @index: which of what domains have, from 0
 * @domid: OUT
 *
 * Return: 0, -ENOENT if there is no more than @index, or what Xen says.
 */
int xen_pmem_guest(const struct xenpf_pmem *region, u32 index, u16 *domid)
{
	struct xenpf_pmem op;
	int rc = xen_pmem_call_on(region, XENPF_PMEM_GUEST, index, &op);

	*domid = op.domid;
	return rc;
}

/**
 * xen_pmem_query_size() - the reserved area that a namespace needs
 * @name: of the namespace, for messages
 * @ns: namespace
 * @rsv_size: OUT, bytes, whatever other regions Xen has
 * @rec: OUT, the record sizes that this is for
 *
 * Return: 0, -ENOSPC if the namespace is too small for anything, -EOPNOTSUPP if
 * Xen does not know it for persistent memory, or what Xen says.
 */
int xen_pmem_query_size(const char *name, const struct xen_pmem_ns *ns,
			u64 *rsv_size, struct xen_pmem_records *rec)
{
	struct xen_pmem_geometry geo;
	struct xenpf_pmem op;
	int rc;

	rc = xen_pmem_layout(ns, XEN_PMEM_ALIGN, &geo);
	if (rc)
		return xen_pmem_error(name, rc,
				      "%llu bytes are too small for metadata and 16 MiB of data",
				      ns->size);
	xen_pmem_tuple(&op, ns, &geo);
	guard(mutex)(&xen_pmem_hcall_lock);
	rc = xen_pmem_hcall(&op, XENPF_PMEM_QUERY);
	if (rc)
		return xen_pmem_refused(name, "QUERY", &op, rc);
	*rsv_size = PFN_PHYS(op.rsv_max);
	rec->page_info = op.page_info_size;
	rec->m2p = op.m2p_size;
	rec->compat_m2p = op.compat_m2p_size;
	return 0;
}
