// SPDX-License-Identifier: GPL-2.0
/* Making a namespace ours, on the word of an administrator. */

/**
 * DOC: provisioning
 *
 * The only place that writes to a namespace.  It writes the first 8 KiB, in an
 * order in which a power cut leaves the old info block, the new one, or none:
 *
 * 1. the signature of the old block goes;
 * 2. bytes [0, 4 KiB) are zeroed, so that no file system or partition table is
 *    seen there, and the new block is written without its signature;
 * 3. the signature is written.
 *
 * Each write is on the medium before the next one starts: nvdimm_write_bytes()
 * flushes.  It also clears bad blocks, if all of a sector is written.  Those of the
 * reserved area are cleared where what it holds may be lost: Xen is going to write
 * there, and a namespace with a bad block in it is not handed over.
 *
 * A label says for which kind of block it is, and only nvdimm's own sysfs changes
 * that.  Where it is for another kind, the old block has to go before the label is
 * changed, and the label has to be changed before the new block comes: else a kernel
 * shows a raw disk in between.  So step 1 can be had alone, after all checks.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uuid.h>
#include "../nvdimm/nd.h"
#include "xen_pmem_drv.h"

struct xen_pmem_request {
	char name[32];
	char uuid[UUID_STRING_LEN + 1];
	char word[8];
};

enum xen_pmem_mode {
	XEN_PMEM_IF_EMPTY,
	XEN_PMEM_FORCE,
	XEN_PMEM_ERASE,		/* the old block goes, and nothing comes */
};

/* One at a time. */
static DEFINE_MUTEX(xen_pmem_provision_lock);

static int xen_pmem_parse_request(const char *line,
				  struct xen_pmem_request *req,
				  struct xen_pmem_info *info)
{
	static const char * const words[] = { "", "force", "erase" };
	uuid_t uuid;
	char more;
	int n, mode;

	memset(req, 0, sizeof(*req));
	n = sscanf(line, "%31s %36s %7s %c", req->name, req->uuid, req->word,
		   &more);
	mode = match_string(words, ARRAY_SIZE(words), req->word);
	if (n < 2 || n > 3 || mode < 0 || uuid_parse(req->uuid, &uuid) ||
	    uuid_is_null(&uuid)) {
		pr_err("provision: expected \"<namespace> <uuid> [force|erase]\"\n");
		return -EINVAL;
	}
	export_uuid(info->uuid, &uuid);
	return mode;
}

/* Returns the device with a reference. */
static struct device *xen_pmem_find_ns(struct device_driver *drv,
				       const char *name)
{
	struct device *dev = bus_find_device_by_name(drv->bus, NULL, name);

	if (dev && drv->bus->match(dev, drv) && !is_nd_pfn(dev) &&
	    !is_nd_btt(dev))
		return dev;
	put_device(dev);
	return NULL;
}

static int xen_pmem_check_idle(struct device *dev)
{
	struct nd_namespace_common *ndns = to_ndns(dev);
	const char *what = NULL;

	if (dev->driver)
		what = dev->driver->name;
	else if (ndns->claim)
		what = dev_name(ndns->claim);
	else if (ndns->force_raw)
		what = "force_raw";
	if (!what)
		return 0;
	return xen_pmem_error(dev_name(dev), -EBUSY,
			      "in use by %s; to disable it: ndctl disable-namespace %s",
			      what, dev_name(dev));
}

/* A label of another class would make other kernels overlook the block. */
static int xen_pmem_check_label(struct nd_namespace_common *ndns)
{
	if (ndns->claim_class == NVDIMM_CCLASS_NONE ||
	    ndns->claim_class == NVDIMM_CCLASS_PFN)
		return 0;
	return xen_pmem_error(dev_name(&ndns->dev), -EINVAL,
			      "its holder_class is not \"\" or \"pfn\"; set it first");
}

/*
 * Xen and the block are going to overwrite what lies before the data: all of it
 * has to be zero.  What cannot be read is not.
 */
static int xen_pmem_check_empty(struct nd_namespace_common *ndns, u64 size)
{
	void *page __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL);
	u64 at;

	if (!page)
		return -ENOMEM;
	for (at = 0; at < size; at += PAGE_SIZE) {
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
		if (!nvdimm_read_bytes(ndns, at, page, PAGE_SIZE, 0) &&
		    !memchr_inv(page, 0, PAGE_SIZE))
			continue;
		return xen_pmem_error(dev_name(&ndns->dev), -EEXIST,
				      "not empty at byte %#llx; to provision it and lose what it holds, add force",
				      at);
	}
	return 0;
}

/* What a PVH domain writes where it has no memory is lost without an error. */
static int xen_pmem_read_back(struct nd_namespace_common *ndns,
			      const struct xen_pmem_sb *sb)
{
	struct xen_pmem_sb *found __free(kfree) = kmalloc(sizeof(*sb),
							  GFP_KERNEL);
	int rc;

	if (!found)
		return -ENOMEM;
	rc = nvdimm_read_bytes(ndns, XEN_PMEM_SB_OFFSET, found, sizeof(*sb), 0);
	if (rc || memcmp(found, sb, sizeof(*sb)))
		return xen_pmem_error(dev_name(&ndns->dev), -EIO,
				      "the info block does not read back as it was written; if this is a PVH domain and no table of the firmware lists the namespace, boot Xen with dom0=pf-fixup");
	return 0;
}

static int xen_pmem_write_error(struct nd_namespace_common *ndns, int rc)
{
	if (!rc)
		return 0;
	return xen_pmem_error(dev_name(&ndns->dev), rc,
			      "cannot write the info block: error %d", rc);
}

/* No block of any kind is left; the first of a BTT can be at 0. */
static int xen_pmem_erase_block(struct nd_namespace_common *ndns)
{
	void *zero __free(kfree) = kzalloc(XEN_PMEM_SB_OFFSET, GFP_KERNEL);
	int rc;

	if (!zero)
		return -ENOMEM;
	rc = nvdimm_write_bytes(ndns, XEN_PMEM_SB_OFFSET, zero, SECTOR_SIZE, 0);
	if (!rc)
		rc = nvdimm_write_bytes(ndns, 0, zero, XEN_PMEM_SB_OFFSET, 0);
	return xen_pmem_write_error(ndns, rc);
}

/* The first sector is written twice: whole, to clear a bad block, and signed. */
static int xen_pmem_write_block(struct nd_namespace_common *ndns,
				struct xen_pmem_sb *sb)
{
	u8 signature[sizeof(sb->signature)];
	int rc;

	rc = xen_pmem_erase_block(ndns);
	if (rc)
		return rc;
	memcpy(signature, sb->signature, sizeof(signature));
	memset(sb->signature, 0, sizeof(sb->signature));
	rc = nvdimm_write_bytes(ndns, XEN_PMEM_SB_OFFSET, sb, sizeof(*sb), 0);
	if (!rc)
		rc = nvdimm_write_bytes(ndns, XEN_PMEM_SB_OFFSET, signature,
					sizeof(signature), 0);
	memcpy(sb->signature, signature, sizeof(sb->signature));
	rc = xen_pmem_write_error(ndns, rc);
	return rc ? rc : xen_pmem_read_back(ndns, sb);
}

/* Nothing but the sectors that are bad is changed. */
static int xen_pmem_clear_reserved(struct nd_namespace_common *ndns,
				   const struct xen_pmem_geometry *geo)
{
	struct nd_namespace_io *nsio = to_nd_namespace_io(&ndns->dev);
	u64 at, end = geo->rsv_start + geo->rsv_size;
	unsigned int step;

	for (at = geo->rsv_start; at < end; at += step) {
		step = is_bad_pmem(&nsio->bb, at >> SECTOR_SHIFT, XEN_PMEM_ALIGN) ?
		       SECTOR_SIZE : XEN_PMEM_ALIGN;
		if (!is_bad_pmem(&nsio->bb, at >> SECTOR_SHIFT, SECTOR_SIZE))
			continue;
		if (nvdimm_clear_poison(&ndns->dev, nsio->res.start + at,
					SECTOR_SIZE) < SECTOR_SIZE)
			return xen_pmem_error(dev_name(&ndns->dev), -EIO,
					      "the bad block at byte %#llx of the reserved area cannot be cleared",
					      at);
	}
	return 0;
}

/* The header is mapped, and without @force all that lies before the data. */
static int xen_pmem_write_mapped(struct nd_namespace_common *ndns,
				 const struct xen_pmem_ns *ns,
				 const struct xen_pmem_info *info, bool force)
{
	struct xen_pmem_sb *sb __free(kfree) = kmalloc(sizeof(*sb), GFP_KERNEL);
	int rc;

	if (!sb)
		return -ENOMEM;
	rc = force ? xen_pmem_clear_reserved(ndns, &info->geo) :
		     xen_pmem_check_empty(ndns, info->geo.data_start);
	if (rc)
		return rc;
	xen_pmem_sb_build(sb, ns, info);
	return xen_pmem_write_block(ndns, sb);
}

/* The device has no driver, so what is devm is released here. */
static int xen_pmem_write(struct nd_namespace_common *ndns,
			  const struct xen_pmem_ns *ns,
			  const struct xen_pmem_info *info,
			  enum xen_pmem_mode mode)
{
	u64 size = mode == XEN_PMEM_IF_EMPTY ? info->geo.data_start :
		   XEN_PMEM_HEADER_SIZE;
	struct device *dev = &ndns->dev;
	void *group = devres_open_group(dev, NULL, GFP_KERNEL);
	int rc;

	if (!group)
		return -ENOMEM;
	rc = devm_namespace_enable(dev, ndns, size);
	if (rc)
		xen_pmem_error(dev_name(dev), rc,
			       "cannot map it: error %d; see /proc/iomem", rc);
	else if (mode == XEN_PMEM_ERASE)
		rc = xen_pmem_erase_block(ndns);
	else
		rc = xen_pmem_write_mapped(ndns, ns, info,
					   mode == XEN_PMEM_FORCE);
	devres_release_group(dev, group);
	return rc;
}

/* Xen says how much it needs, and that nothing is in the way. */
static int xen_pmem_plan(const char *name, const struct xen_pmem_ns *ns,
			 struct xen_pmem_info *info)
{
	u64 rsv_size;
	int rc;

	rc = xen_pmem_query_size(name, ns, &rsv_size, &info->rec);
	if (rc)
		return rc == -EEXIST ? -EBUSY : rc;
	rc = xen_pmem_layout(ns, rsv_size, &info->geo);
	if (rc)
		xen_pmem_error(name, rc,
			       "%llu bytes are too small for %llu bytes of metadata and 16 MiB of data",
			       ns->size, rsv_size);
	return rc;
}

static int xen_pmem_provision_locked(struct device *dev,
				     struct xen_pmem_info *info,
				     enum xen_pmem_mode mode)
{
	struct nd_namespace_common *ndns;
	struct xen_pmem_ns ns;
	int rc;

	rc = xen_pmem_check_idle(dev);
	if (rc)
		return rc;
	if (xen_pmem_is_nested(dev))
		return xen_pmem_error(dev_name(dev), -EINVAL,
				      "it is the data of another namespace");
	ndns = nvdimm_namespace_common_probe(dev);
	if (IS_ERR(ndns))
		return PTR_ERR(ndns);
	if (xen_pmem_region_is_ro(dev->parent))
		return xen_pmem_error(dev_name(dev), -EROFS, "%s is read-only",
				      dev_name(dev->parent));
	rc = xen_pmem_ns_of(ndns, &ns);
	if (!rc && mode != XEN_PMEM_ERASE)
		rc = xen_pmem_check_label(ndns);
	if (!rc)
		rc = xen_pmem_plan(dev_name(dev), &ns, info);
	if (!rc)
		rc = xen_pmem_write(ndns, &ns, info, mode);
	return rc;
}

/**
 * xen_pmem_provision() - write an info block and bind the namespace
 * @drv: this driver
 * @line: "<namespace> <uuid> [force|erase]"
 *
 * With erase an old block goes, of any kind and under any label, and that is all.
 *
 * Return: 0 if the namespace is bound, or its block erased, -EINVAL for another
 * line, -ENODEV without such a namespace, -EBUSY if it is in use, -EEXIST if it is
 * not empty and not forced, -ENOSPC if it is too small, or any error of a bind.
 */
int xen_pmem_provision(struct device_driver *drv, const char *line)
{
	struct xen_pmem_info info = {};
	struct xen_pmem_request req;
	struct device *dev;
	int rc, mode;

	mode = xen_pmem_parse_request(line, &req, &info);
	if (mode < 0)
		return mode;
	guard(mutex)(&xen_pmem_provision_lock);
	dev = xen_pmem_find_ns(drv, req.name);
	if (!dev) {
		pr_err("provision: there is no namespace %s\n", req.name);
		return -ENODEV;
	}
	device_lock(dev);
	rc = xen_pmem_provision_locked(dev, &info, mode);
	device_unlock(dev);
	if (!rc && mode != XEN_PMEM_ERASE)
		rc = device_driver_attach(drv, dev);
	put_device(dev);
	return rc;
}
