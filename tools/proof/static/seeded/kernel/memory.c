// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: use of a null pointer after the test for it, memory that is lost, memory
 * that is used after it was freed, a value that was not set.
 * finds gcc-driver: dereference of NULL .*Wanalyzer-null-dereference
 * finds gcc-driver: leak of .*Wanalyzer-malloc-leak
 * finds gcc-driver: use after .kfree. .*Wanalyzer-use-after-free
 * finds gcc-driver: Wanalyzer-use-of-uninitialized-value
 * finds clang-driver: [Uu]ndefined or garbage value
 * finds clang-driver: core.NullDereference
 * finds clang-driver: Potential leak of memory .*unix.Malloc
 * finds clang-driver: Use of memory after it is freed .*unix.Malloc
 * finds cppcheck-driver: nullPointer
 * finds cppcheck-driver: memleak
 * finds cppcheck-driver: deallocret
 * finds coccinelle: is NULL but dereferenced
 * finds coccinelle: reference preceded by free on line
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "size.h"

struct seeded_item {
	struct seeded_item *next;
	unsigned long value;
};

unsigned long seeded_null(struct seeded_item *item)
{
	if (!item->next)
		return item->next->value;
	return 0;
}

int seeded_leak(unsigned long *to, unsigned long n)
{
	unsigned long *copy = kmalloc(64, GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	if (n > 7)
		return -EINVAL;
	copy[n] = *to;
	*to = copy[0];
	kfree(copy);
	return 0;
}

unsigned long seeded_freed(void)
{
	unsigned long *page = kzalloc(64, GFP_KERNEL);

	if (!page)
		return 0;
	kfree(page);
	return *page;
}

unsigned long seeded_unset(int kind)
{
	unsigned long value;

	switch (kind) {
	case 0:
		value = 9;
		break;
	case 1:
		value = 18;
		break;
	}
	return value;
}

MODULE_DESCRIPTION("Faults for analysers");
MODULE_LICENSE("GPL");
