/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __XEN_PMEM_H__
#define __XEN_PMEM_H__

#include <linux/types.h>

/*
 * The info block stands at this offset of the namespace.  It is libnvdimm's pfn
 * info block, version 1.4, of which every field is true, so that a kernel that
 * accepts it touches only the data.  Two fields make all kernels without this
 * driver refuse it: page_struct_size and page_size.  Who owns the reservation,
 * and where it is, stands in struct xen_pmem_ext within the padding.
 *
 * Documentation/driver-api/xen-pmem.rst is the reference of the format.
 */
#define XEN_PMEM_SB_OFFSET		0x1000
#define XEN_PMEM_SB_SIZE		0x1000
#define XEN_PMEM_HEADER_SIZE		0x2000

#define XEN_PMEM_SB_SIGNATURE		"NVDIMM_PFN_INFO\0"
#define XEN_PMEM_SB_MAJOR		1
#define XEN_PMEM_SB_MINOR		4
#define XEN_PMEM_SB_MODE_PMEM		2
#define XEN_PMEM_SB_ALIGN		0x200000
#define XEN_PMEM_TRIP_PAGE_SIZE		0x40000000u
#define XEN_PMEM_TRIP_STRUCT_SIZE	1

#define XEN_PMEM_EXT_OFFSET		0xe00
#define XEN_PMEM_EXT_MAGIC		"XEN_PMEM_RESERVE"
#define XEN_PMEM_EXT_MAJOR		1
#define XEN_PMEM_EXT_MINOR		0
#define XEN_PMEM_OWNER_XEN		1

/**
 * struct xen_pmem_ext - extension of the pfn info block: whose reservation it is
 * @magic: XEN_PMEM_EXT_MAGIC, not terminated
 * @version_major: a reader must know it
 * @version_minor: a reader may ignore what it does not know
 * @owner: XEN_PMEM_OWNER_XEN
 * @compat: features that a reader may ignore
 * @incompat: features that a reader must know
 * @rsv_start: first byte of the reserved area, from the start of the namespace
 * @rsv_size: bytes of the reserved area
 * @data_start: first byte of the data, from the start of the namespace
 * @data_size: bytes of data
 * @page_info_size: bytes of frame table per 4 KiB page the area was sized for
 * @m2p_size: bytes of M2P per 4 KiB page the area was sized for
 * @compat_m2p_size: bytes of compat M2P per 4 KiB page, 0 if there is none
 * @reserved: 0
 *
 * All integers are little-endian.
 */
struct xen_pmem_ext {
	u8 magic[16];
	__le16 version_major;
	__le16 version_minor;
	__le32 owner;
	__le64 compat;
	__le64 incompat;
	__le64 rsv_start;
	__le64 rsv_size;
	__le64 data_start;
	__le64 data_size;
	__le16 page_info_size;
	__le16 m2p_size;
	__le16 compat_m2p_size;
	u8 reserved[426];
} __packed;

/**
 * struct xen_pmem_sb - pfn info block, version 1.4, as libnvdimm defines it
 * @signature: XEN_PMEM_SB_SIGNATURE
 * @uuid: of this block, new with every provisioning
 * @parent_uuid: of the namespace, zero if it has none
 * @flags: 0
 * @version_major: XEN_PMEM_SB_MAJOR
 * @version_minor: XEN_PMEM_SB_MINOR
 * @dataoff: first byte of the data, from the start of the namespace
 * @npfns: 4 KiB pages of data
 * @mode: XEN_PMEM_SB_MODE_PMEM
 * @start_pad: 0
 * @end_trunc: bytes of the namespace behind the data
 * @align: alignment of the data in bytes
 * @page_size: XEN_PMEM_TRIP_PAGE_SIZE
 * @page_struct_size: XEN_PMEM_TRIP_STRUCT_SIZE
 * @padding0: 0
 * @ext: the extension
 * @checksum: Fletcher-64 of the block with this field 0
 */
struct xen_pmem_sb {
	u8 signature[16];
	u8 uuid[16];
	u8 parent_uuid[16];
	__le32 flags;
	__le16 version_major;
	__le16 version_minor;
	__le64 dataoff;
	__le64 npfns;
	__le32 mode;
	__le32 start_pad;
	__le32 end_trunc;
	__le32 align;
	__le32 page_size;
	__le16 page_struct_size;
	u8 padding0[3490];
	struct xen_pmem_ext ext;
	__le64 checksum;
} __packed;

/* Alignment of physical addresses: of the region, and of both ends of its data. */
#define XEN_PMEM_ALIGN			0x200000ull
#define XEN_PMEM_DATA_ALIGN		0x1000000ull
#define XEN_PMEM_PAGE_SIZE		0x1000ull

#define XEN_PMEM_UUID_SIZE		16

/**
 * struct xen_pmem_ns - the namespace that an info block is judged against
 * @start: physical address
 * @size: bytes
 * @uuid: uuid of the namespace, zero if it has none
 */
struct xen_pmem_ns {
	u64 start;
	u64 size;
	u8 uuid[XEN_PMEM_UUID_SIZE];
};

/**
 * struct xen_pmem_geometry - where things are, in bytes from the namespace start
 * @rsv_start: reserved area
 * @rsv_size: its length
 * @data_start: data
 * @data_size: its length
 */
struct xen_pmem_geometry {
	u64 rsv_start;
	u64 rsv_size;
	u64 data_start;
	u64 data_size;
};

/**
 * struct xen_pmem_records - bytes that Xen keeps per 4 KiB page
 * @page_info: of frame table
 * @m2p: of M2P
 * @compat_m2p: of compat M2P, 0 if there is none
 */
struct xen_pmem_records {
	u16 page_info;
	u16 m2p;
	u16 compat_m2p;
};

/**
 * struct xen_pmem_info - what an info block says
 * @uuid: of the block
 * @geo: the layout of the namespace
 * @rec: the record sizes that the reserved area was sized for
 */
struct xen_pmem_info {
	u8 uuid[XEN_PMEM_UUID_SIZE];
	struct xen_pmem_geometry geo;
	struct xen_pmem_records rec;
};

/**
 * enum xen_pmem_remedy - what an administrator can do about a refused block
 * @XEN_PMEM_REMEDY_PROVISION: provision the namespace again
 * @XEN_PMEM_REMEDY_DRIVER: use a driver that knows this version of the format
 * @XEN_PMEM_REMEDY_OWNER: use the system that it belongs to
 * @XEN_PMEM_REMEDY_IGNORED: nothing, the block is taken for none
 */
enum xen_pmem_remedy {
	XEN_PMEM_REMEDY_PROVISION,
	XEN_PMEM_REMEDY_DRIVER,
	XEN_PMEM_REMEDY_OWNER,
	XEN_PMEM_REMEDY_IGNORED,
};

/**
 * struct xen_pmem_diag - why an info block was refused
 * @field: name of the field, NULL if there is nothing to say
 * @found: what the field holds
 * @expected: what it should hold
 * @remedy: what can be done about it
 */
struct xen_pmem_diag {
	const char *field;
	char found[40];
	char expected[64];
	enum xen_pmem_remedy remedy;
};

int xen_pmem_sb_parse(struct xen_pmem_sb *sb, const struct xen_pmem_ns *ns,
		      struct xen_pmem_info *info, struct xen_pmem_diag *diag);
void xen_pmem_sb_build(struct xen_pmem_sb *sb, const struct xen_pmem_ns *ns,
		       const struct xen_pmem_info *info);
u64 xen_pmem_sb_checksum(struct xen_pmem_sb *sb);
bool xen_pmem_span(const struct xen_pmem_ns *ns, u64 *start, u64 *end);
int xen_pmem_layout(const struct xen_pmem_ns *ns, u64 rsv_size,
		    struct xen_pmem_geometry *geo);

#endif /* __XEN_PMEM_H__ */
