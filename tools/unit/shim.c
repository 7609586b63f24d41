// SPDX-License-Identifier: GPL-2.0
/* What drivers/xen/xen_pmem_pfn.c takes from the kernel. */
#include <endian.h>
#include <linux/libnvdimm.h>
#include <linux/string.h>

/* As described in Documentation/driver-api/xen-pmem.rst. */
u64 nd_fletcher64(void *addr, size_t len, bool le)
{
	u64 lo = 0, hi = 0;
	size_t at;
	u32 word;

	for (at = 0; at + sizeof(word) <= len; at += sizeof(word)) {
		memcpy(&word, (char *)addr + at, sizeof(word));
		lo = (lo + (le ? le32toh(word) : word)) & 0xffffffff;
		hi = (hi + lo) & 0xffffffff;
	}
	return hi << 32 | lo;
}

void *memchr_inv(const void *start, int c, size_t bytes)
{
	const unsigned char *at = start;

	for (; bytes; at++, bytes--)
		if (*at != (unsigned char)c)
			return (void *)at;
	return NULL;
}
