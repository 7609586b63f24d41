// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every single-bit flip and every single-field corruption of a handful of valid blocks,
 * as it is and with the checksum mended.
 */

#include <string.h>
#include <linux/kernel.h>

#include "report.h"
#include "values.h"

static const struct {
	const char *name;
	u64 start, size;
	u8 uuid[XEN_PMEM_UUID_SIZE];
	u64 rsv_size;
	struct xen_pmem_records rec;
} blocks[] = {
	/* The worked example of the document. */
	{ "label-less", 5 * GIB, GIB, { 0 }, 10 * MIB, { 32, 8, 0 } },
	{ "labelled", 4 * GIB, 8 * GIB, { 0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	  14, 15, 16 }, 80 * MIB, { 32, 8, 4 } },
	{ "odd start", 4 * GIB + 6 * MIB - 4 * KIB, 777 * MIB + 12 * KIB, { 0 },
	  12 * MIB, { 48, 8, 0 } },
	{ "smallest", 4 * GIB + 2 * MIB, 30 * MIB, { 9 }, 10 * MIB, { 32, 8, 0 } },
	{ "large", 1ull << 45, 1ull << 44, { 0xff }, 160 * GIB, { 32, 8, 0 } },
};

enum checksum { AS_IS, MENDED };

static const char * const sum_names[] = { "as it is", "mended" };

/* A checksum finds any change that a single field can have, but not of itself. */
static void try_input(struct input in, enum checksum sum, struct tally *tally)
{
	enum reader_verdict verdict;

	if (sum == MENDED)
		input_mend(&in);
	verdict = report_judge(&in, tally);
	if (sum == AS_IS && verdict != READER_NOT_OURS)
		report_wrong(&in, "a wrong checksum was taken for a right one");
}

/* Mended, a flip of the checksum is none. */
static void try_bits(const char *name, const struct input *good, enum checksum sum)
{
	size_t bytes = sum == MENDED ? offsetof(struct xen_pmem_sb, checksum) :
		       sizeof(struct xen_pmem_sb);
	struct tally tally = { 0 };
	char what[48];
	size_t bit;

	for (bit = 0; bit < 8 * bytes; bit++) {
		struct input in = *good;

		in.block[bit / 8] ^= 1 << bit % 8;
		try_input(in, sum, &tally);
	}
	snprintf(what, sizeof(what), "bit flips, %s", sum_names[sum]);
	report_row(name, what, &tally);
}

/* The namespace is not what it was: any bit of its start, size and uuid. */
static void try_namespaces(const char *name, const struct input *good)
{
	size_t bits = 8 * offsetof(struct input, block), bit;
	struct tally tally = { 0 };

	for (bit = 0; bit < bits; bit++) {
		struct input in = *good;

		((u8 *)&in)[bit / 8] ^= 1 << bit % 8;
		report_judge(&in, &tally);
	}
	report_row(name, "bit flips of the namespace", &tally);
}

/* What changes nothing is no corruption. */
static void try_changed(const struct input *good, const struct input *in,
			enum checksum sum, struct tally *tally)
{
	if (memcmp(good->block, in->block, sizeof(in->block)))
		try_input(*in, sum, tally);
}

static void try_number(const struct input *good, const struct field *f,
		       enum checksum sum, struct tally *tally)
{
	u64 list[VALUES_MAX];
	unsigned int i, n = values_list(good, f, list);

	for (i = 0; i < n; i++) {
		struct input in = *good;

		input_set(&in, f, list[i]);
		try_changed(good, &in, sum, tally);
	}
}

static void try_bytes(const struct input *good, const struct field *f,
		      enum checksum sum, struct tally *tally)
{
	unsigned int at, i;

	for (at = 0; at < f->size; at++)
		for (i = 0; i < byte_value_count; i++) {
			struct input in = *good;

			in.block[f->offset + at] = byte_values[i];
			try_changed(good, &in, sum, tally);
		}
}

static void try_whole(const struct input *good, const struct field *f,
		      enum checksum sum, struct tally *tally)
{
	unsigned int i;

	for (i = 0; i < byte_value_count; i++) {
		struct input in = *good;

		memset(in.block + f->offset, byte_values[i], f->size);
		try_changed(good, &in, sum, tally);
	}
	for (i = 0; i < text_count; i++) {
		struct input in = *good;

		memcpy(in.block + f->offset, texts[i], TEXT_SIZE);
		try_changed(good, &in, sum, tally);
	}
}

static void try_fields(const char *name, const struct input *good, enum checksum sum)
{
	struct tally tally = { 0 };
	const struct field *f;
	char what[48];

	for (f = fields; f->name; f++) {
		if (sum == MENDED && !strcmp(f->name, "checksum"))
			continue;
		if (f->size <= 8) {
			try_number(good, f, sum, &tally);
			continue;
		}
		try_bytes(good, f, sum, &tally);
		try_whole(good, f, sum, &tally);
	}
	snprintf(what, sizeof(what), "single fields, %s", sum_names[sum]);
	report_row(name, what, &tally);
}

static void try_block(const char *name, const struct input *good)
{
	struct tally tally = { 0 };
	enum checksum sum;

	if (report_judge(good, &tally) != READER_ACCEPTED)
		report_wrong(good, "a valid block is not accepted");
	report_row(name, "valid blocks", &tally);
	for (sum = AS_IS; sum <= MENDED; sum++) {
		try_bits(name, good, sum);
		try_fields(name, good, sum);
	}
	try_namespaces(name, good);
}

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct xen_pmem_info info = { .uuid = { 0x7f, 0x2c, 0x0a, 0x3e },
					      .rec = blocks[i].rec };
		struct input in = { blocks[i].start, blocks[i].size, { 0 }, { 0 } };

		memcpy(in.uuid, blocks[i].uuid, sizeof(in.uuid));
		input_build(&in, blocks[i].rsv_size, &info);
		try_block(blocks[i].name, &in);
	}
	return report_end();
}
