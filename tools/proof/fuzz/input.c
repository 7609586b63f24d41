// SPDX-License-Identifier: GPL-2.0-only
/* Test cases: namespaces of all kinds, with the blocks of such that are provisioned. */

#include <stdio.h>
#include <string.h>
#include <linux/align.h>
#include <linux/build_bug.h>
#include <asm/byteorder.h>

#include "input.h"

static_assert(sizeof(struct input) == 32 + XEN_PMEM_SB_SIZE);
static_assert(READER_BLOCK_SIZE == XEN_PMEM_SB_SIZE);

/* --- random numbers ------------------------------------------------------- */

/* A seed of 0, or two that are near, are as good as any. */
struct rng rng_from(u64 seed)
{
	struct rng rng = { (seed + 1) * 0x9e3779b97f4a7c15ull };

	if (!rng.state)
		rng.state = 1;
	rng_next(&rng);
	rng_next(&rng);
	return rng;
}

/* xorshift64*, Vigna 2016. */
u64 rng_next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545f4914f6cdd1dull;
}

u64 rng_pick(struct rng *rng, u64 n)
{
	return (rng_next(rng) >> 8) % n;
}

u64 rng_any(struct rng *rng)
{
	return rng_next(rng) >> rng_pick(rng, 64);
}

/* --- files ---------------------------------------------------------------- */

void input_read(struct input *in, const u8 *data, size_t size)
{
	if (size > sizeof(*in))
		size = sizeof(*in);
	memset(in, 0, sizeof(*in));
	if (size)
		memcpy(in, data, size);
}

bool input_load(struct input *in, const char *path)
{
	FILE *file = fopen(path, "rb");
	bool done;

	if (!file)
		return false;
	done = fread(in, 1, sizeof(*in), file) == sizeof(*in);
	return !fclose(file) && done;
}

bool input_save(const struct input *in, const char *path)
{
	FILE *file = fopen(path, "wb");
	bool done;

	if (!file)
		return false;
	done = fwrite(in, 1, sizeof(*in), file) == sizeof(*in);
	return !fclose(file) && done;
}

/* --- the parts ------------------------------------------------------------ */

struct xen_pmem_ns input_ns(const struct input *in)
{
	struct xen_pmem_ns ns = { in->start, in->size, { 0 } };

	memcpy(ns.uuid, in->uuid, sizeof(ns.uuid));
	return ns;
}

struct xen_pmem_sb *input_sb(struct input *in)
{
	return (struct xen_pmem_sb *)in->block;
}

u64 input_field(const struct input *in, const struct field *f)
{
	return field_get((const struct xen_pmem_sb *)in->block, f);
}

void input_set(struct input *in, const struct field *f, u64 value)
{
	field_set(input_sb(in), f, value);
}

void input_mend(struct input *in)
{
	struct xen_pmem_sb *sb = input_sb(in);

	sb->checksum = cpu_to_le64(xen_pmem_sb_checksum(sb));
}

/* --- blocks --------------------------------------------------------------- */

void input_build(struct input *in, u64 rsv_size, const struct xen_pmem_info *what)
{
	struct xen_pmem_ns ns = input_ns(in);
	struct xen_pmem_info info = *what;
	struct xen_pmem_geometry *geo = &info.geo;

	geo->rsv_size = rsv_size;
	geo->rsv_start = ALIGN(in->start + 8 * KIB, 2 * MIB) - in->start;
	geo->data_start = ALIGN(in->start + geo->rsv_start + rsv_size, 16 * MIB) -
			  in->start;
	geo->data_size = ALIGN_DOWN(in->start + in->size, 16 * MIB) - in->start -
			 geo->data_start;
	xen_pmem_sb_build(input_sb(in), &ns, &info);
}

u64 input_most_reserved(const struct input *in)
{
	u64 rsv = ALIGN(in->start + 8 * KIB, 2 * MIB) - in->start;
	u64 end = ALIGN_DOWN(in->start + in->size, 16 * MIB) - in->start;

	if (end > in->size || end < rsv + 18 * MIB)
		return 0;
	return end - 16 * MIB - rsv;
}

/* By the document, with the record sizes 32 and 8. */
static u64 needed(const struct input *in)
{
	u64 end = in->start + in->size;
	u64 groups = ALIGN(end, 256 * MIB) / (256 * MIB) - in->start / (256 * MIB);
	u64 windows = ALIGN(end, GIB) / GIB - in->start / GIB;

	return (groups + windows) * 2 * MIB;
}

static u64 random_reserved(const struct input *in, struct rng *rng)
{
	u64 most = input_most_reserved(in), chunks = most / (2 * MIB);

	if (!chunks)
		return 2 * MIB;
	switch (rng_pick(rng, 8)) {
	case 0:
		return most;
	case 1:
		return 2 * MIB;
	case 2:
	case 3:
		return needed(in);
	default:
		return (1 + rng_pick(rng, chunks)) * 2 * MIB;
	}
}

/* No NVDIMM is there: what is behind 2^52, and what is no multiple of a page. */
static void odd_namespace(struct input *in, struct rng *rng)
{
	in->start = rng_any(rng);
	in->size = rng_any(rng);
	switch (rng_pick(rng, 5)) {
	case 0:
		in->start = 0 - in->size;
		break;
	case 1:
		in->start = 0 - in->size + rng_any(rng) % (32 * MIB) - 16 * MIB;
		break;
	case 2:
		in->start = 0 - rng_any(rng) % (32 * MIB);
		break;
	case 3:
		in->size %= 64 * MIB;
		break;
	}
}

static void usual_namespace(struct input *in, struct rng *rng)
{
	static const u64 units[] = { 4 * KIB, 2 * MIB, 16 * MIB, 256 * MIB, GIB };
	u64 unit = units[rng_pick(rng, 5)];

	in->start = rng_next(rng) >> (12 + rng_pick(rng, 24));
	in->size = rng_next(rng) >> (19 + rng_pick(rng, 20));
	in->start = ALIGN_DOWN(in->start, unit);
	if (rng_pick(rng, 4))
		unit = units[rng_pick(rng, 5)];
	in->size = ALIGN_DOWN(in->size, unit) + 64 * MIB;
}

static void random_bytes(u8 *bytes, size_t size, struct rng *rng)
{
	while (size--)
		*bytes++ = rng_next(rng) >> 56;
}

void input_random(struct input *in, struct rng *rng)
{
	static const struct xen_pmem_records known[] = {
		{ 32, 8, 0 }, { 32, 8, 4 }, { 48, 8, 0 }, { 48, 8, 4 },
	};
	struct xen_pmem_info info = { .rec = known[rng_pick(rng, 4)] };

	if (rng_pick(rng, 16))
		usual_namespace(in, rng);
	else
		odd_namespace(in, rng);
	memset(in->uuid, 0, sizeof(in->uuid));
	if (rng_pick(rng, 2))
		random_bytes(in->uuid, sizeof(in->uuid), rng);
	random_bytes(info.uuid, sizeof(info.uuid), rng);
	input_build(in, random_reserved(in, rng), &info);
}
