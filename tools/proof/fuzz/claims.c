// SPDX-License-Identifier: GPL-2.0-only
/*
 * claims FILE...: is anything in these images taken for a block of ours?  Each is the
 * head of a namespace of somebody else's.  Every 4 KiB of it that begin at a multiple of
 * 512 bytes are tried as the info block, as they are and as if their checksum was right.
 */

#include <stdio.h>
#include <string.h>
#include <linux/kernel.h>

#include "report.h"

#define STEP 512

static const struct {
	u64 start, size;
	u8 uuid[XEN_PMEM_UUID_SIZE];
} namespaces[] = {
	{ 5 * GIB, GIB, { 0 } },
	{ 4 * GIB + 4 * KIB, 512 * MIB, { 0x11, 0x22, 0x33 } },
};

static struct input on_namespace(size_t i)
{
	struct input in = { .start = namespaces[i].start, .size = namespaces[i].size };

	memcpy(in.uuid, namespaces[i].uuid, sizeof(in.uuid));
	return in;
}

static void try_namespaces(const u8 *block, struct tally *tally)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(namespaces); i++) {
		struct input in = on_namespace(i);

		memcpy(in.block, block, sizeof(in.block));
		if (report_judge(&in, tally) != READER_NOT_OURS)
			report_wrong(&in, "somebody else's block is claimed");
		input_mend(&in);
		if (report_judge(&in, tally) != READER_NOT_OURS)
			report_wrong(&in, "somebody else's block, mended, is claimed");
	}
}

/* Reads on from @block, which is there up to @have; false at the end of the file. */
static bool next_block(FILE *file, u8 *block, size_t have)
{
	size_t size = XEN_PMEM_SB_SIZE - have;

	return fread(block + have, 1, size, file) == size;
}

static bool try_image(const char *path)
{
	const char *name = strrchr(path, '/');
	u8 block[XEN_PMEM_SB_SIZE];
	struct tally tally = { 0 };
	FILE *file = fopen(path, "rb");
	bool more;

	if (!file) {
		perror(path);
		return false;
	}
	more = next_block(file, block, 0);
	while (more) {
		try_namespaces(block, &tally);
		memmove(block, block + STEP, sizeof(block) - STEP);
		more = next_block(file, block, sizeof(block) - STEP);
	}
	fclose(file);
	report_row(name ? name + 1 : path, "blocks", &tally);
	return tally.inputs;
}

/* Or all of this would prove nothing. */
static void try_own(void)
{
	struct xen_pmem_info info = { .uuid = { 1 }, .rec = { 32, 8, 0 } };
	struct tally tally = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(namespaces); i++) {
		struct input in = on_namespace(i);

		input_build(&in, 16 * MIB, &info);
		if (report_judge(&in, &tally) != READER_ACCEPTED)
			report_wrong(&in, "a block of ours is not accepted");
	}
}

int main(int argc, char **argv)
{
	bool read = argc > 1;
	int i;

	try_own();
	for (i = 1; i < argc; i++)
		read = try_image(argv[i]) && read;
	return report_end() || !read;
}
