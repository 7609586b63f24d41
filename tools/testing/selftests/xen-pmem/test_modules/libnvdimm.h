/* SPDX-License-Identifier: GPL-2.0 */
/* What libnvdimm exports to modules and declares in its own directory only. */
#ifndef __XEN_PMEM_TEST_LIBNVDIMM_H__
#define __XEN_PMEM_TEST_LIBNVDIMM_H__

#include <linux/types.h>

struct device;

long nvdimm_clear_poison(struct device *dev, phys_addr_t phys,
			 unsigned int len);

#endif /* __XEN_PMEM_TEST_LIBNVDIMM_H__ */
