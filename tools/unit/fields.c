// SPDX-License-Identifier: GPL-2.0
/* The info block by the names of its fields. */
#include <stddef.h>
#include <string.h>
#include "fields.h"

#define FIELD(name) { #name, offsetof(struct xen_pmem_sb, name), \
		      sizeof(((struct xen_pmem_sb *)NULL)->name) }

const struct field fields[] = {
	FIELD(signature),
	FIELD(uuid),
	FIELD(parent_uuid),
	FIELD(flags),
	FIELD(version_major),
	FIELD(version_minor),
	FIELD(dataoff),
	FIELD(npfns),
	FIELD(mode),
	FIELD(start_pad),
	FIELD(end_trunc),
	FIELD(align),
	FIELD(page_size),
	FIELD(page_struct_size),
	FIELD(padding0),
	FIELD(ext.magic),
	FIELD(ext.version_major),
	FIELD(ext.version_minor),
	FIELD(ext.owner),
	FIELD(ext.compat),
	FIELD(ext.incompat),
	FIELD(ext.rsv_start),
	FIELD(ext.rsv_size),
	FIELD(ext.data_start),
	FIELD(ext.data_size),
	FIELD(ext.page_info_size),
	FIELD(ext.m2p_size),
	FIELD(ext.compat_m2p_size),
	FIELD(ext.reserved),
	FIELD(checksum),
	{ NULL, 0, 0 }
};

const struct field *field_by_name(const char *name)
{
	const struct field *f;

	for (f = fields; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

const struct field *field_at(unsigned int offset)
{
	const struct field *f;

	for (f = fields; f->name; f++)
		if (offset >= f->offset && offset < f->offset + f->size)
			return f;
	return NULL;
}

/* Of an array the first 8 bytes. */
u64 field_get(const struct xen_pmem_sb *sb, const struct field *f)
{
	const u8 *byte = (const u8 *)sb + f->offset;
	unsigned int i = f->size < 8 ? f->size : 8;
	u64 value = 0;

	while (i--)
		value = value << 8 | byte[i];
	return value;
}

void field_set(struct xen_pmem_sb *sb, const struct field *f, u64 value)
{
	u8 *byte = (u8 *)sb + f->offset;
	unsigned int i;

	for (i = 0; i < f->size && i < 8; i++, value >>= 8)
		byte[i] = value;
}
