/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for drivers/nvdimm/nd.h where the driver is built outside of a
 * kernel tree: what libnvdimm exports to modules and declares in its own
 * directory only.
 *
 * drivers/xen/xen_pmem*.c include "../nvdimm/nd.h".  In a kernel tree that is
 * libnvdimm's header, as for drivers/dax/pmem.c.  Here there is no such file
 * beside drivers/xen, the compiler goes on along its -I paths, and
 * -Icompat-include/nvdimm leads to this one: compat-include/nvdimm/../nvdimm/nd.h.
 *
 * Prototypes only.  The structures of libnvdimm's header depend on the kernel's
 * configuration and are not repeated.
 */
#ifndef __COMPAT_ND_H__
#define __COMPAT_ND_H__

#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/libnvdimm.h>
#include <linux/nd.h>
#include <linux/ndctl.h>
#include <linux/range.h>
#include <linux/uuid.h>

bool is_nd_btt(struct device *dev);
bool is_nd_pfn(struct device *dev);
bool is_nd_dax(const struct device *dev);

struct nd_namespace_common *nvdimm_namespace_common_probe(struct device *dev);
int devm_namespace_enable(struct device *dev, struct nd_namespace_common *ndns,
			  resource_size_t size);
void devm_namespace_disable(struct device *dev,
			    struct nd_namespace_common *ndns);
const uuid_t *nd_dev_to_uuid(struct device *dev);
void nvdimm_badblocks_populate(struct nd_region *nd_region,
			       struct badblocks *bb, const struct range *range);
long nvdimm_clear_poison(struct device *dev, phys_addr_t phys,
			 unsigned int len);

/* Older kernels count in int here, newer ones in sector_t. */
typedef int compat_badblocks_check_t(struct badblocks *bb, sector_t s,
				     sector_t sectors, sector_t *first_bad,
				     sector_t *bad_sectors);

#define compat_bad_sectors_t						\
	typeof(__builtin_choose_expr(					\
		__builtin_types_compatible_p(typeof(badblocks_check),	\
					     compat_badblocks_check_t),	\
		(sector_t)0, (int)0))

static inline bool is_bad_pmem(struct badblocks *bb, sector_t sector,
			       unsigned int len)
{
	compat_bad_sectors_t num_bad;
	sector_t first_bad;

	return bb->count && badblocks_check(bb, sector, len / 512, &first_bad,
					    &num_bad);
}

#endif /* __COMPAT_ND_H__ */
