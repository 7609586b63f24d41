/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault, in a header: the size of a pointer is taken for that of what it points at.
 * finds coccinelle: application of sizeof to pointer
 */
#ifndef SEEDED_SIZE_H
#define SEEDED_SIZE_H

#include <linux/slab.h>

struct seeded_large {
	unsigned long values[64];
};

static inline struct seeded_large *seeded_large_alloc(void)
{
	struct seeded_large *large;

	large = kmalloc(sizeof(large), GFP_KERNEL);
	return large;
}

#endif /* SEEDED_SIZE_H */
