/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_LINUX_LIBNVDIMM_H
#define UNIT_LINUX_LIBNVDIMM_H

#include <linux/types.h>

u64 nd_fletcher64(void *addr, size_t len, bool le);

#endif
