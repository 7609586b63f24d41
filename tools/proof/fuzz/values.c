// SPDX-License-Identifier: GPL-2.0-only
/* What a single field is set to. */

#include <linux/kernel.h>

#include "values.h"

static const u64 constants[] = {
	0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 48, 63, 64, 65, 0xff, 0x100, 512,
	4 * KIB - 1, 4 * KIB, 4 * KIB + 1, 8 * KIB, 0x7fff, 0x8000, 0xffff, 0x10000,
	2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 4 * MIB, 16 * MIB - 4 * KIB, 16 * MIB - 1,
	16 * MIB, 16 * MIB + 1, 32 * MIB, 128 * MIB, GIB - 1, GIB, GIB + 1, 2 * GIB - 1,
	2 * GIB, 4 * GIB - 1, 4 * GIB, 4 * GIB + 1, 1ull << 40, 1ull << 44, 1ull << 52,
	1ull << 63, 0ull - 16 * MIB, 0ull - 2 * MIB, 0ull - 4 * KIB, ~0ull - 1, ~0ull,
};

static const u64 steps[] = {
	1, 2, 8, 0x200, 4 * KIB, 64 * KIB, 2 * MIB, 4 * MIB, 16 * MIB, 256 * MIB, GIB,
	1ull << 32, 1ull << 44, 1ull << 63,
};

const u8 texts[][TEXT_SIZE] = {
	"NVDIMM_PFN_INFO", "NVDIMM_DAX_INFO", "BTT_ARENA_INFO", "NAMESPACE_INDEX",
	"NVDIMM_PFN_INFO ", "nvdimm_pfn_info", "NVDIMM_PFN_INF", "",
	"XEN_PMEM_RESERVE", "XEN_PMEM_RESERV", "XEN_PMEM_RESERVD", "xen_pmem_reserve",
	"LABELONE", "LVM2 x[5A%r0N*>", "EFI PART",
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
};

const unsigned int text_count = ARRAY_SIZE(texts);

const u8 byte_values[] = { 0, 1, 0x20, 0x41, 0x7f, 0x80, 0xff };

const unsigned int byte_value_count = ARRAY_SIZE(byte_values);

static unsigned int from_itself(u64 old, u64 *list)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		list[n++] = old + steps[i];
		list[n++] = old - steps[i];
	}
	list[n++] = ~old;
	list[n++] = 0 - old;
	list[n++] = old << 1;
	list[n++] = old >> 1;
	list[n++] = old << 12;
	list[n++] = old >> 12;
	list[n++] = __builtin_bswap16(old);
	list[n++] = __builtin_bswap32(old);
	list[n++] = __builtin_bswap64(old);
	return n;
}

static unsigned int from_namespace(const struct input *in, u64 old, u64 *list)
{
	unsigned int n = 0;

	list[n++] = in->start;
	list[n++] = in->size;
	list[n++] = in->start + in->size;
	list[n++] = in->start + old;
	list[n++] = old - in->start;
	list[n++] = in->size - old;
	list[n++] = in->size / 4096;
	list[n++] = 0 - in->start;
	return n;
}

static unsigned int from_neighbours(const struct input *in, u64 *list)
{
	const struct field *f;
	unsigned int n = 0;

	for (f = fields; f->name; f++)
		list[n++] = input_field(in, f);
	return n;
}

unsigned int values_list(const struct input *in, const struct field *f, u64 *list)
{
	u64 old = input_field(in, f);
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(constants); n++)
		list[n] = constants[n];
	n += from_itself(old, list + n);
	n += from_namespace(in, old, list + n);
	n += from_neighbours(in, list + n);
	return n;
}
