// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault: a little-endian field is used as it is.
 * finds sparse-*: incorrect type in assignment \(different base types\)
 */
#include <linux/types.h>

struct seeded_block {
	__le64 start;
};

void seeded_byteorder(struct seeded_block *block, u64 start)
{
	block->start = start;
}
