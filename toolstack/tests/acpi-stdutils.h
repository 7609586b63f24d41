/* SPDX-License-Identifier: LGPL-2.1-only */
/* What libacpi wants of its user. */
#ifndef ACPI_STDUTILS_H
#define ACPI_STDUTILS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ASSERT(x) assert(x)

static inline int test_bit(unsigned int bit, const void *map)
{
	return ((const uint8_t *)map)[bit / 8] >> bit % 8 & 1;
}

#endif /* ACPI_STDUTILS_H */
