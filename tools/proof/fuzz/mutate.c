// SPDX-License-Identifier: GPL-2.0-only
/*
 * How libFuzzer gets from one input to the next: not by bytes alone, of which hardly one
 * would have a right checksum, but by fields, and by blocks that are valid.
 */

#include <string.h>
#include <linux/kernel.h>

#include "libfuzzer.h"
#include "values.h"

static const struct field *random_field(struct rng *rng)
{
	static unsigned int count;

	while (fields[count].name)
		count++;
	return &fields[rng_pick(rng, count)];
}

/* --- one field ------------------------------------------------------------ */

static void set_number(struct input *in, const struct field *f, struct rng *rng)
{
	u64 list[VALUES_MAX];
	unsigned int n = values_list(in, f, list);

	if (rng_pick(rng, 8))
		input_set(in, f, list[rng_pick(rng, n)]);
	else
		input_set(in, f, rng_any(rng));
}

static void set_array(struct input *in, const struct field *f, struct rng *rng)
{
	u8 *bytes = in->block + f->offset;

	switch (rng_pick(rng, 6)) {
	case 0:
		memset(bytes, byte_values[rng_pick(rng, byte_value_count)], f->size);
		break;
	case 1:
		memcpy(bytes, texts[rng_pick(rng, text_count)], TEXT_SIZE);
		break;
	case 2:
		bytes[f->size - 1] ^= 1 + rng_pick(rng, 255);
		break;
	default:
		bytes[rng_pick(rng, f->size)] =
			byte_values[rng_pick(rng, byte_value_count)];
	}
}

static void set_field(struct input *in, struct rng *rng)
{
	const struct field *f = random_field(rng);

	if (f->size > 8)
		set_array(in, f, rng);
	else
		set_number(in, f, rng);
}

static void raw_field(struct input *in, struct rng *rng)
{
	const struct field *f = random_field(rng);
	u8 *bytes = in->block + f->offset;

	LLVMFuzzerMutate(bytes, f->size, f->size);
}

/* --- more than one -------------------------------------------------------- */

static void swap_bytes(u8 *a, u8 *b, size_t size)
{
	u8 byte;

	while (size--) {
		byte = *a;
		*a++ = *b;
		*b++ = byte;
	}
}

/* Fields of one size, or any two ranges. They may overlap: it is all the same. */
static void swap_ranges(struct input *in, struct rng *rng)
{
	const struct field *f = random_field(rng), *g = random_field(rng);
	size_t size = 1 + rng_pick(rng, 64);
	size_t a = rng_pick(rng, sizeof(in->block) - size);
	size_t b = rng_pick(rng, sizeof(in->block) - size);

	if (f->size == g->size)
		swap_bytes(in->block + f->offset, in->block + g->offset, f->size);
	else
		swap_bytes(in->block + a, in->block + b, size);
}

/* What is in the block moves, as if it was read from the wrong place. */
static void shift(struct input *in, struct rng *rng)
{
	size_t by = 1ull << rng_pick(rng, 12);
	u8 *block = in->block;

	if (rng_pick(rng, 2))
		memmove(block + by, block, sizeof(in->block) - by);
	else
		memmove(block, block + by, sizeof(in->block) - by);
}

static void flip_bit(struct input *in, struct rng *rng)
{
	u64 bit = rng_pick(rng, 8 * sizeof(in->block));

	in->block[bit / 8] ^= 1 << bit % 8;
}

/* The block stays, and is on another namespace. */
static void change_namespace(struct input *in, struct rng *rng)
{
	u64 by = 1ull << rng_pick(rng, 40);

	switch (rng_pick(rng, 6)) {
	case 0:
		in->start += by;
		break;
	case 1:
		in->start -= by;
		break;
	case 2:
		in->size += by;
		break;
	case 3:
		in->size -= by;
		break;
	case 4:
		in->uuid[rng_pick(rng, sizeof(in->uuid))] ^= 1 + rng_pick(rng, 255);
		break;
	default:
		in->size = rng_any(rng);
	}
}

/* All fields agree, but perhaps with a reserved area that does not fit. */
static void lay_out_again(struct input *in, struct rng *rng)
{
	struct xen_pmem_info info = {
		.uuid = { 1 + rng_pick(rng, 255) }, .rec = { 32, 8, 0 },
	};
	u64 most = input_most_reserved(in), sizes[] = {
		most, most + 2 * MIB, most - 2 * MIB, most + 16 * MIB, 2 * MIB, 0,
		in->size, 0 - 2 * MIB, rng_any(rng), rng_any(rng) & ~(2 * MIB - 1),
	};

	if (!rng_pick(rng, 4))
		info.rec.page_info = rng_any(rng);
	if (!rng_pick(rng, 4))
		info.rec.m2p = rng_any(rng);
	input_build(in, sizes[rng_pick(rng, ARRAY_SIZE(sizes))], &info);
}

/* What a block that is not ours lacks: one of the marks, or all of them. */
static void unmark(struct input *in, struct rng *rng)
{
	struct xen_pmem_sb *sb = input_sb(in);
	unsigned int marks = rng_pick(rng, 16);
	u64 text = rng_pick(rng, text_count);

	if (marks & 1)
		memcpy(sb->ext.magic, texts[text], TEXT_SIZE);
	if (marks & 2)
		memcpy(sb->signature, texts[text], TEXT_SIZE);
	if (marks & 4)
		input_set(in, field_by_name("page_size"), 4 * KIB << rng_pick(rng, 20));
	if (marks & 8)
		input_set(in, field_by_name("page_struct_size"), rng_pick(rng, 128));
}

/* --- an input ------------------------------------------------------------- */

static void mutate(struct input *in, struct rng *rng)
{
	switch (rng_pick(rng, 16)) {
	case 0:
		swap_ranges(in, rng);
		break;
	case 1:
		flip_bit(in, rng);
		break;
	case 2:
	case 3:
		change_namespace(in, rng);
		break;
	case 4:
	case 5:
		lay_out_again(in, rng);
		break;
	case 6:
		raw_field(in, rng);
		break;
	case 7:
		unmark(in, rng);
		break;
	case 8:
		if (!rng_pick(rng, 4))
			shift(in, rng);
		else
			LLVMFuzzerMutate((u8 *)in, sizeof(*in), sizeof(*in));
		break;
	default:
		set_field(in, rng);
	}
}

/*
 * One third begins with an input that libFuzzer kept, which has a field or more wrong
 * already, the others with a valid block.
 */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	static const unsigned char changes[] = { 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4 };
	struct rng rng = rng_from(seed);
	struct input in;
	unsigned int n;

	if (max_size < sizeof(in))
		return LLVMFuzzerMutate(data, size, max_size);
	if (size == sizeof(in) && !rng_pick(&rng, 3))
		input_read(&in, data, size);
	else
		input_random(&in, &rng);
	for (n = changes[rng_pick(&rng, ARRAY_SIZE(changes))]; n; n--)
		mutate(&in, &rng);
	if (rng_pick(&rng, 8))
		input_mend(&in);
	memcpy(data, &in, sizeof(in));
	return sizeof(in);
}

/*
 * A block on the namespace of another, or the extension of another in a block.  libFuzzer
 * would take this for every second input: it is told most times that there is none.
 */
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1, const u8 *data2,
				 size_t size2, u8 *out, size_t max_out,
				 unsigned int seed)
{
	struct rng rng = rng_from(seed);
	struct input in, other;
	size_t half;

	if (max_out < sizeof(in) || rng_pick(&rng, 4))
		return 0;
	input_read(&in, data1, size1);
	input_read(&other, data2, size2);
	half = rng_pick(&rng, 2) ? XEN_PMEM_EXT_OFFSET : 0;
	memcpy(in.block + half, other.block + half, sizeof(in.block) - half);
	if (rng_pick(&rng, 8))
		input_mend(&in);
	memcpy(out, &in, sizeof(in));
	return sizeof(in);
}
