// SPDX-License-Identifier: GPL-2.0
/* The info block of a namespace whose pages are recorded by Xen. */

/**
 * DOC: info block
 *
 * Pure functions over one 4 KiB block: parse and validate it, build it, and lay
 * out a namespace.  Nothing here sleeps, allocates, logs or touches a device, and
 * the file is also compiled in user space.
 *
 * A block is ours if its checksum is right and the extension's magic is there.
 * It is also ours if all but the magic is there: checksum, pfn signature and both
 * trip wires.  A block that is ours is accepted if every single field of it has
 * the one value, or one of the values, that xen_pmem_sb_build() would write.
 */

#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/libnvdimm.h>
#include <linux/overflow.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>
#include "xen_pmem.h"

static_assert(sizeof(struct xen_pmem_sb) == XEN_PMEM_SB_SIZE);
static_assert(offsetof(struct xen_pmem_sb, ext) == XEN_PMEM_EXT_OFFSET);
static_assert(offsetof(struct xen_pmem_sb, padding0) == 0x5e);
static_assert(offsetof(struct xen_pmem_sb, checksum) == 0xff8);

static void xen_pmem_diagnose(struct xen_pmem_diag *diag, const char *field,
			      u64 found)
{
	diag->field = field;
	diag->remedy = XEN_PMEM_REMEDY_PROVISION;
	snprintf(diag->found, sizeof(diag->found), "%#llx",
		 (unsigned long long)found);
}

static bool xen_pmem_expect(struct xen_pmem_diag *diag, const char *field,
			    u64 found, u64 expected)
{
	if (found == expected)
		return true;
	xen_pmem_diagnose(diag, field, found);
	snprintf(diag->expected, sizeof(diag->expected), "%#llx",
		 (unsigned long long)expected);
	return false;
}

static bool xen_pmem_require(struct xen_pmem_diag *diag, const char *field,
			     u64 found, bool good, const char *expected)
{
	if (good)
		return true;
	xen_pmem_diagnose(diag, field, found);
	snprintf(diag->expected, sizeof(diag->expected), "%s", expected);
	return false;
}

/* On failure the line shows the first byte that is not zero. */
static bool xen_pmem_expect_zero(struct xen_pmem_diag *diag, const char *field,
				 const u8 *bytes, size_t size)
{
	const u8 *bad = memchr_inv(bytes, 0, size);

	if (!bad)
		return true;
	diag->field = field;
	diag->remedy = XEN_PMEM_REMEDY_PROVISION;
	snprintf(diag->found, sizeof(diag->found), "%#x at byte %u", *bad,
		 (unsigned int)(bad - bytes));
	snprintf(diag->expected, sizeof(diag->expected), "zeroes");
	return false;
}

static void xen_pmem_print_uuid(char *buf, size_t size, const u8 *u)
{
	snprintf(buf, size,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7],
		 u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

static bool xen_pmem_expect_uuid(struct xen_pmem_diag *diag, const char *field,
				 const u8 *found, const u8 *expected)
{
	if (!memcmp(found, expected, XEN_PMEM_UUID_SIZE))
		return true;
	diag->field = field;
	diag->remedy = XEN_PMEM_REMEDY_PROVISION;
	xen_pmem_print_uuid(diag->found, sizeof(diag->found), found);
	xen_pmem_print_uuid(diag->expected, sizeof(diag->expected), expected);
	return false;
}

/* The text is for people: what cannot be printed is shown as a dot. */
static bool xen_pmem_expect_text(struct xen_pmem_diag *diag, const char *field,
				 const u8 *found, const char *expected,
				 size_t size)
{
	size_t i;

	if (!memcmp(found, expected, size))
		return true;
	diag->field = field;
	diag->remedy = XEN_PMEM_REMEDY_PROVISION;
	for (i = 0; i < size; i++)
		diag->found[i] = found[i] > ' ' && found[i] < 0x7f ?
				 found[i] : '.';
	diag->found[size] = 0;
	snprintf(diag->expected, sizeof(diag->expected), "%.*s", (int)size,
		 expected);
	return false;
}

/*
 * Who may judge the block, before what it says.  A minor version or a compatible
 * feature that is not known does not matter.
 */
static bool xen_pmem_check_format(const struct xen_pmem_sb *sb,
				  struct xen_pmem_diag *diag)
{
	const struct xen_pmem_ext *ext = &sb->ext;

	if (!xen_pmem_expect(diag, "ext.owner", le32_to_cpu(ext->owner),
			     XEN_PMEM_OWNER_XEN)) {
		diag->remedy = XEN_PMEM_REMEDY_OWNER;
		return false;
	}
	if (!xen_pmem_expect(diag, "ext.version_major",
			     le16_to_cpu(ext->version_major),
			     XEN_PMEM_EXT_MAJOR) ||
	    !xen_pmem_expect(diag, "ext.incompat", le64_to_cpu(ext->incompat),
			     0)) {
		diag->remedy = XEN_PMEM_REMEDY_DRIVER;
		return false;
	}
	return true;
}

/* The fields that have exactly one right value. */
static bool xen_pmem_check_fixed(const struct xen_pmem_sb *sb,
				 struct xen_pmem_diag *diag)
{
	return xen_pmem_expect(diag, "version_major",
			       le16_to_cpu(sb->version_major),
			       XEN_PMEM_SB_MAJOR) &&
	       xen_pmem_expect(diag, "version_minor",
			       le16_to_cpu(sb->version_minor),
			       XEN_PMEM_SB_MINOR) &&
	       xen_pmem_expect(diag, "mode", le32_to_cpu(sb->mode),
			       XEN_PMEM_SB_MODE_PMEM) &&
	       xen_pmem_expect(diag, "flags", le32_to_cpu(sb->flags), 0) &&
	       xen_pmem_expect(diag, "start_pad", le32_to_cpu(sb->start_pad),
			       0) &&
	       xen_pmem_expect(diag, "align", le32_to_cpu(sb->align),
			       XEN_PMEM_SB_ALIGN) &&
	       xen_pmem_expect(diag, "page_size", le32_to_cpu(sb->page_size),
			       XEN_PMEM_TRIP_PAGE_SIZE) &&
	       xen_pmem_expect(diag, "page_struct_size",
			       le16_to_cpu(sb->page_struct_size),
			       XEN_PMEM_TRIP_STRUCT_SIZE) &&
	       xen_pmem_expect_zero(diag, "padding0", sb->padding0,
				    sizeof(sb->padding0)) &&
	       xen_pmem_expect_zero(diag, "ext.reserved", sb->ext.reserved,
				    sizeof(sb->ext.reserved));
}

static bool xen_pmem_check_magic(const struct xen_pmem_sb *sb,
				 struct xen_pmem_diag *diag)
{
	return xen_pmem_expect_text(diag, "signature", sb->signature,
				    XEN_PMEM_SB_SIGNATURE,
				    sizeof(sb->signature)) &&
	       xen_pmem_expect_text(diag, "ext.magic", sb->ext.magic,
				    XEN_PMEM_EXT_MAGIC, sizeof(sb->ext.magic));
}

static bool xen_pmem_check_uuids(const struct xen_pmem_sb *sb,
				 const struct xen_pmem_ns *ns,
				 struct xen_pmem_diag *diag)
{
	return xen_pmem_require(diag, "uuid", 0,
				memchr_inv(sb->uuid, 0, sizeof(sb->uuid)),
				"a uuid") &&
	       xen_pmem_expect_uuid(diag, "parent_uuid", sb->parent_uuid,
				    ns->uuid);
}

/*
 * All but the size of the reserved area follows from the namespace.  That size is
 * what is wrong if it contradicts both fields that say where the data starts.
 */
static bool xen_pmem_check_geometry(const struct xen_pmem_sb *sb,
				    const struct xen_pmem_ns *ns,
				    const struct xen_pmem_geometry *geo,
				    struct xen_pmem_diag *diag)
{
	struct xen_pmem_geometry want = {};
	bool fits = geo->rsv_size && IS_ALIGNED(geo->rsv_size, XEN_PMEM_ALIGN) &&
		    !xen_pmem_layout(ns, geo->rsv_size, &want);

	return xen_pmem_require(diag, "ext.rsv_size", geo->rsv_size, fits,
				"a multiple of 0x200000 with room for data") &&
	       xen_pmem_require(diag, "ext.rsv_size", geo->rsv_size,
				geo->data_start == want.data_start ||
				geo->data_start != le64_to_cpu(sb->dataoff),
				"an end within 0x1000000 before the data") &&
	       xen_pmem_expect(diag, "ext.rsv_start", geo->rsv_start,
			       want.rsv_start) &&
	       xen_pmem_expect(diag, "ext.data_start", geo->data_start,
			       want.data_start) &&
	       xen_pmem_expect(diag, "ext.data_size", geo->data_size,
			       want.data_size);
}

/* The stock fields have to say the same as the extension. */
static bool xen_pmem_check_stock(const struct xen_pmem_sb *sb,
				 const struct xen_pmem_ns *ns,
				 const struct xen_pmem_geometry *geo,
				 struct xen_pmem_diag *diag)
{
	u64 end = geo->data_start + geo->data_size;

	return xen_pmem_expect(diag, "dataoff", le64_to_cpu(sb->dataoff),
			       geo->data_start) &&
	       xen_pmem_expect(diag, "npfns", le64_to_cpu(sb->npfns),
			       geo->data_size / XEN_PMEM_PAGE_SIZE) &&
	       xen_pmem_expect(diag, "end_trunc", le32_to_cpu(sb->end_trunc),
			       ns->size - end);
}

static bool xen_pmem_check_records(const struct xen_pmem_records *rec,
				   struct xen_pmem_diag *diag)
{
	return xen_pmem_require(diag, "ext.page_info_size", rec->page_info,
				rec->page_info, "not 0") &&
	       xen_pmem_require(diag, "ext.m2p_size", rec->m2p, rec->m2p,
				"not 0");
}

static void xen_pmem_sb_read(const struct xen_pmem_sb *sb,
			     struct xen_pmem_info *info)
{
	memcpy(info->uuid, sb->uuid, sizeof(info->uuid));
	info->geo.rsv_start = le64_to_cpu(sb->ext.rsv_start);
	info->geo.rsv_size = le64_to_cpu(sb->ext.rsv_size);
	info->geo.data_start = le64_to_cpu(sb->ext.data_start);
	info->geo.data_size = le64_to_cpu(sb->ext.data_size);
	info->rec.page_info = le16_to_cpu(sb->ext.page_info_size);
	info->rec.m2p = le16_to_cpu(sb->ext.m2p_size);
	info->rec.compat_m2p = le16_to_cpu(sb->ext.compat_m2p_size);
}

static bool xen_pmem_sb_has_magic(const struct xen_pmem_sb *sb)
{
	return !memcmp(sb->ext.magic, XEN_PMEM_EXT_MAGIC,
		       sizeof(sb->ext.magic));
}

static bool xen_pmem_sb_has_wires(const struct xen_pmem_sb *sb)
{
	return !memcmp(sb->signature, XEN_PMEM_SB_SIGNATURE,
		       sizeof(sb->signature)) &&
	       le32_to_cpu(sb->page_size) == XEN_PMEM_TRIP_PAGE_SIZE &&
	       le16_to_cpu(sb->page_struct_size) == XEN_PMEM_TRIP_STRUCT_SIZE;
}

/* -ENODEV if the block is not ours. */
static int xen_pmem_sb_identify(struct xen_pmem_sb *sb,
				struct xen_pmem_diag *diag)
{
	bool magic = xen_pmem_sb_has_magic(sb);

	if (!magic && !xen_pmem_sb_has_wires(sb))
		return -ENODEV;
	if (xen_pmem_expect(diag, "checksum", le64_to_cpu(sb->checksum),
			    xen_pmem_sb_checksum(sb)))
		return 0;
	diag->remedy = XEN_PMEM_REMEDY_IGNORED;
	if (!magic)
		diag->field = NULL;
	return -ENODEV;
}

/**
 * xen_pmem_sb_checksum() - the checksum that a block should carry
 * @sb: block; its checksum field is changed and restored
 *
 * Return: Fletcher-64 of the block with a checksum field of 0.
 */
u64 xen_pmem_sb_checksum(struct xen_pmem_sb *sb)
{
	__le64 saved = sb->checksum;
	u64 sum;

	sb->checksum = 0;
	sum = nd_fletcher64(sb, sizeof(*sb), true);
	sb->checksum = saved;
	return sum;
}

/**
 * xen_pmem_sb_parse() - validate an info block
 * @sb: block
 * @ns: the namespace that it was read from
 * @info: OUT, what it says; only valid if 0 is returned
 * @diag: OUT, if an error is returned: the first field that is wrong, or a NULL
 *	  field if there is no reason to bother anybody
 *
 * Return: 0, -ENODEV if the block is not ours, -EOPNOTSUPP if it is ours and
 * cannot be used.
 */
int xen_pmem_sb_parse(struct xen_pmem_sb *sb, const struct xen_pmem_ns *ns,
		      struct xen_pmem_info *info, struct xen_pmem_diag *diag)
{
	int rc;

	memset(diag, 0, sizeof(*diag));
	rc = xen_pmem_sb_identify(sb, diag);
	if (rc)
		return rc;

	xen_pmem_sb_read(sb, info);
	if (!xen_pmem_check_magic(sb, diag) ||
	    !xen_pmem_check_format(sb, diag) ||
	    !xen_pmem_check_fixed(sb, diag) ||
	    !xen_pmem_check_uuids(sb, ns, diag) ||
	    !xen_pmem_check_geometry(sb, ns, &info->geo, diag) ||
	    !xen_pmem_check_stock(sb, ns, &info->geo, diag) ||
	    !xen_pmem_check_records(&info->rec, diag))
		return -EOPNOTSUPP;
	return 0;
}

/**
 * xen_pmem_sb_build() - make an info block
 * @sb: OUT, the block with its checksum
 * @ns: the namespace that it is for
 * @info: what it has to say; the geometry is one of xen_pmem_layout()
 */
void xen_pmem_sb_build(struct xen_pmem_sb *sb, const struct xen_pmem_ns *ns,
		       const struct xen_pmem_info *info)
{
	const struct xen_pmem_geometry *geo = &info->geo;

	memset(sb, 0, sizeof(*sb));
	memcpy(sb->signature, XEN_PMEM_SB_SIGNATURE, sizeof(sb->signature));
	memcpy(sb->uuid, info->uuid, sizeof(sb->uuid));
	memcpy(sb->parent_uuid, ns->uuid, sizeof(sb->parent_uuid));
	sb->version_major = cpu_to_le16(XEN_PMEM_SB_MAJOR);
	sb->version_minor = cpu_to_le16(XEN_PMEM_SB_MINOR);
	sb->dataoff = cpu_to_le64(geo->data_start);
	sb->npfns = cpu_to_le64(geo->data_size / XEN_PMEM_PAGE_SIZE);
	sb->mode = cpu_to_le32(XEN_PMEM_SB_MODE_PMEM);
	sb->end_trunc = cpu_to_le32(ns->size - geo->data_start -
				    geo->data_size);
	sb->align = cpu_to_le32(XEN_PMEM_SB_ALIGN);
	sb->page_size = cpu_to_le32(XEN_PMEM_TRIP_PAGE_SIZE);
	sb->page_struct_size = cpu_to_le16(XEN_PMEM_TRIP_STRUCT_SIZE);

	memcpy(sb->ext.magic, XEN_PMEM_EXT_MAGIC, sizeof(sb->ext.magic));
	sb->ext.version_major = cpu_to_le16(XEN_PMEM_EXT_MAJOR);
	sb->ext.version_minor = cpu_to_le16(XEN_PMEM_EXT_MINOR);
	sb->ext.owner = cpu_to_le32(XEN_PMEM_OWNER_XEN);
	sb->ext.rsv_start = cpu_to_le64(geo->rsv_start);
	sb->ext.rsv_size = cpu_to_le64(geo->rsv_size);
	sb->ext.data_start = cpu_to_le64(geo->data_start);
	sb->ext.data_size = cpu_to_le64(geo->data_size);
	sb->ext.page_info_size = cpu_to_le16(info->rec.page_info);
	sb->ext.m2p_size = cpu_to_le16(info->rec.m2p);
	sb->ext.compat_m2p_size = cpu_to_le16(info->rec.compat_m2p);
	sb->checksum = cpu_to_le64(xen_pmem_sb_checksum(sb));
}

/**
 * xen_pmem_span() - the part of a namespace that can be handed to Xen
 * @ns: namespace
 * @start: OUT, physical address, aligned to XEN_PMEM_ALIGN
 * @end: OUT, end of the span, exclusive, aligned likewise
 *
 * Return: whether there is anything in between.
 */
bool xen_pmem_span(const struct xen_pmem_ns *ns, u64 *start, u64 *end)
{
	u64 ns_end;

	if (ns->size < XEN_PMEM_ALIGN ||
	    check_add_overflow(ns->start, ns->size, &ns_end))
		return false;
	*start = ALIGN(ns->start, XEN_PMEM_ALIGN);
	*end = ALIGN_DOWN(ns_end, XEN_PMEM_ALIGN);
	return *start < *end;
}

/**
 * xen_pmem_layout() - lay out a namespace
 * @ns: namespace
 * @rsv_size: bytes of reserved area that Xen needs, a multiple of XEN_PMEM_ALIGN
 * @geo: OUT, geometry
 *
 * Return: 0, or -ENOSPC if no data would be left.
 */
int xen_pmem_layout(const struct xen_pmem_ns *ns, u64 rsv_size,
		    struct xen_pmem_geometry *geo)
{
	u64 start, end, rsv, data;

	if (!xen_pmem_span(ns, &start, &end) || rsv_size > end - start)
		return -ENOSPC;
	rsv = ALIGN(ns->start + XEN_PMEM_HEADER_SIZE, XEN_PMEM_ALIGN);
	end = ALIGN_DOWN(end, XEN_PMEM_DATA_ALIGN);
	if (check_add_overflow(rsv, rsv_size + XEN_PMEM_DATA_ALIGN - 1, &data))
		return -ENOSPC;
	data = ALIGN_DOWN(data, XEN_PMEM_DATA_ALIGN);
	if (data >= end)
		return -ENOSPC;

	geo->rsv_start = rsv - ns->start;
	geo->rsv_size = rsv_size;
	geo->data_start = data - ns->start;
	geo->data_size = end - data;
	return 0;
}
