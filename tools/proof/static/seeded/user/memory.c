// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: use of a null pointer after the test for it, a file that is not closed,
 * memory that is used after it was freed, a value that was not set, a read past the
 * end of an array.
 * finds gcc-user gcc-ndctl: dereference of NULL .*Wanalyzer-null-dereference
 * finds gcc-user gcc-ndctl: leak of .*Wanalyzer-(fd|file|malloc)-leak
 * finds gcc-user gcc-ndctl: use after .free. .*Wanalyzer-use-after-free
 * finds gcc-user gcc-ndctl: Wanalyzer-out-of-bounds
 * finds gcc-user gcc-ndctl: Wanalyzer-use-of-uninitialized-value
 * finds clang-user clang-ndctl: [Uu]ndefined or garbage value
 * finds clang-user clang-ndctl: core.NullDereference
 * finds clang-user clang-ndctl: Opened stream never closed
 * finds clang-user clang-ndctl: Use of memory after it is freed .*unix.Malloc
 * finds clang-user clang-ndctl: ArrayBound
 * finds cppcheck-user cppcheck-ndctl: nullPointer
 * finds cppcheck-user cppcheck-ndctl: resourceLeak
 * finds cppcheck-user cppcheck-ndctl: deallocret|deallocuse
 * finds cppcheck-user cppcheck-ndctl: arrayIndexOutOfBounds
 */
#include <stdio.h>
#include <stdlib.h>

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

int seeded_leak(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return -1;
	if (fgetc(file) == EOF)
		return -1;
	fclose(file);
	return 0;
}

int seeded_freed(void)
{
	int *page = calloc(1, 64);

	if (!page)
		return 0;
	free(page);
	return *page;
}

int seeded_unset(int kind)
{
	int value;

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

int seeded_bounds(unsigned int i)
{
	int values[4] = { 3, 1, 2, 0 };

	if (i > 4)
		return 0;
	return i == 4 ? values[i] : values[i] + 1;
}
