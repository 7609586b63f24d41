/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_FIELDS_H
#define UNIT_FIELDS_H

#include "../../drivers/xen/xen_pmem.h"

/* A field of the info block; one of more than 8 bytes is an array of bytes. */
struct field {
	const char *name;
	unsigned int offset;
	unsigned int size;
};

/* All of them in order, without a gap; ends with a name of NULL. */
extern const struct field fields[];

const struct field *field_by_name(const char *name);
const struct field *field_at(unsigned int offset);
u64 field_get(const struct xen_pmem_sb *sb, const struct field *f);
void field_set(struct xen_pmem_sb *sb, const struct field *f, u64 value);

#endif
