// SPDX-License-Identifier: GPL-2.0-only
/*
 * The info block as Documentation/driver-api/xen-pmem.rst has it, and nothing
 * else: whoever changes this file looks at the document, never at the driver.
 *
 * No sum below can be wrong for want of bits. What is added to a physical address
 * is only taken modulo a power of two, which is exact in unsigned arithmetic; what
 * is compared are offsets, and each is known to be inside of the namespace before
 * the next one is made from it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "reader.h"

#define KIB			((uint64_t)1 << 10)
#define MIB			((uint64_t)1 << 20)
#define GIB			((uint64_t)1 << 30)

#define PAGE_BYTES		(4 * KIB)
#define HEADER_BYTES		(8 * KIB)
#define RSV_ALIGN		(2 * MIB)
#define DATA_ALIGN		(16 * MIB)

#define UUID_SIZE		16
#define MAGIC_SIZE		16

#define AT_SIGNATURE		0x000
#define AT_UUID			0x010
#define AT_PARENT_UUID		0x020
#define AT_FLAGS		0x030
#define AT_VERSION_MAJOR	0x034
#define AT_VERSION_MINOR	0x036
#define AT_DATAOFF		0x038
#define AT_NPFNS		0x040
#define AT_MODE			0x048
#define AT_START_PAD		0x04c
#define AT_END_TRUNC		0x050
#define AT_ALIGN		0x054
#define AT_PAGE_SIZE		0x058
#define AT_PAGE_STRUCT_SIZE	0x05c
#define AT_ZEROES		0x05e
#define AT_EXTENSION		0xe00
#define AT_CHECKSUM		0xff8

#define AT_MAGIC		(AT_EXTENSION + 0x00)
#define AT_EXT_VERSION_MAJOR	(AT_EXTENSION + 0x10)
#define AT_OWNER		(AT_EXTENSION + 0x14)
#define AT_INCOMPAT		(AT_EXTENSION + 0x20)
#define AT_RSV_START		(AT_EXTENSION + 0x28)
#define AT_RSV_SIZE		(AT_EXTENSION + 0x30)
#define AT_DATA_START		(AT_EXTENSION + 0x38)
#define AT_DATA_SIZE		(AT_EXTENSION + 0x40)
#define AT_PAGE_INFO_SIZE	(AT_EXTENSION + 0x48)
#define AT_M2P_SIZE		(AT_EXTENSION + 0x4a)
#define AT_COMPAT_M2P_SIZE	(AT_EXTENSION + 0x4c)
#define AT_RESERVED		(AT_EXTENSION + 0x4e)

static const uint8_t signature[MAGIC_SIZE] = "NVDIMM_PFN_INFO";
static const uint8_t magic[MAGIC_SIZE] = {
	'X', 'E', 'N', '_', 'P', 'M', 'E', 'M', '_', 'R', 'E', 'S', 'E', 'R', 'V', 'E'
};

/* Fields that have one value, whatever the namespace; has_wires() has two more. */
static const struct constant {
	size_t at;
	size_t bytes;
	uint64_t value;
} constants[] = {
	{ AT_FLAGS,		4, 0 },
	{ AT_VERSION_MAJOR,	2, 1 },
	{ AT_VERSION_MINOR,	2, 4 },
	{ AT_MODE,		4, 2 },
	{ AT_START_PAD,		4, 0 },
	{ AT_ALIGN,		4, 2 * MIB },
	{ AT_EXT_VERSION_MAJOR,	2, 1 },
	{ AT_OWNER,		4, 1 },
	{ AT_INCOMPAT,		8, 0 },
};

static uint64_t get(const uint8_t *block, size_t at, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | block[at + bytes];
	return value;
}

static uint16_t get16(const uint8_t *block, size_t at)
{
	return (uint16_t)get(block, at, 2);
}

static uint64_t get64(const uint8_t *block, size_t at)
{
	return get(block, at, 8);
}

/* The checksum is the last field, and counts as 0 in its own sum. */
static uint64_t fletcher64(const uint8_t *block)
{
	uint64_t lo = 0, hi = 0;
	size_t at;

	for (at = 0; at < READER_BLOCK_SIZE; at += 4) {
		if (at < AT_CHECKSUM)
			lo += get(block, at, 4);
		lo &= UINT32_MAX;
		hi += lo;
	}
	return hi << 32 | lo;
}

static bool has_magic(const uint8_t *block)
{
	return !memcmp(block + AT_MAGIC, magic, sizeof(magic));
}

static bool has_signature(const uint8_t *block)
{
	return !memcmp(block + AT_SIGNATURE, signature, sizeof(signature));
}

static bool has_wires(const uint8_t *block)
{
	return get(block, AT_PAGE_SIZE, 4) == GIB && get(block, AT_PAGE_STRUCT_SIZE, 2) == 1;
}

/* Either mark is enough, so that a damaged one does not make the namespace idle. */
static bool is_ours(const uint8_t *block)
{
	return (has_magic(block) || (has_signature(block) && has_wires(block))) &&
	       get64(block, AT_CHECKSUM) == fletcher64(block);
}

static bool all_zero(const uint8_t *block, size_t from, size_t to)
{
	for (; from < to; from++)
		if (block[from])
			return false;
	return true;
}

static bool constants_match(const uint8_t *block)
{
	const struct constant *c = constants;
	const struct constant *end = c + sizeof(constants) / sizeof(constants[0]);

	for (; c < end; c++)
		if (get(block, c->at, c->bytes) != c->value)
			return false;
	return has_magic(block) && has_signature(block) && has_wires(block) &&
	       all_zero(block, AT_ZEROES, AT_EXTENSION) &&
	       all_zero(block, AT_RESERVED, AT_CHECKSUM);
}

/* Fields that are the writer's choice. */
static bool choices_read(const uint8_t *block, struct reader_layout *l)
{
	memcpy(l->uuid, block + AT_UUID, UUID_SIZE);
	l->page_info_size = get16(block, AT_PAGE_INFO_SIZE);
	l->m2p_size = get16(block, AT_M2P_SIZE);
	l->compat_m2p_size = get16(block, AT_COMPAT_M2P_SIZE);
	return !all_zero(block, AT_UUID, AT_UUID + UUID_SIZE) &&
	       l->page_info_size && l->m2p_size;
}

/* From physical address @addr up to the next multiple of @align, a power of two. */
static uint64_t gap(uint64_t addr, uint64_t align)
{
	return (0 - addr) & (align - 1);
}

/* What is behind the data: less than DATA_ALIGN, so end_trunc can hold it. */
static uint64_t tail(const struct reader_namespace *ns)
{
	return (ns->start + ns->size) & (DATA_ALIGN - 1);
}

static bool rsv_follows(const struct reader_namespace *ns, uint64_t rsv_size,
			struct reader_layout *l)
{
	l->rsv_start = HEADER_BYTES + gap(ns->start + HEADER_BYTES, RSV_ALIGN);
	l->rsv_size = rsv_size;
	return ns->size <= UINT64_MAX - ns->start && ns->size > l->rsv_start &&
	       rsv_size && rsv_size % RSV_ALIGN == 0 &&
	       rsv_size < ns->size - l->rsv_start;
}

static bool data_follows(const struct reader_namespace *ns, struct reader_layout *l)
{
	uint64_t rsv_end = l->rsv_start + l->rsv_size;
	uint64_t spare = gap(ns->start + rsv_end, DATA_ALIGN);
	uint64_t room = ns->size - rsv_end;

	if (room <= spare + tail(ns))
		return false;
	l->data_start = rsv_end + spare;
	l->data_size = room - spare - tail(ns);
	return true;
}

static bool places_match(const uint8_t *block, const struct reader_namespace *ns,
			 const struct reader_layout *l)
{
	return get64(block, AT_RSV_START) == l->rsv_start &&
	       get64(block, AT_DATA_START) == l->data_start &&
	       get64(block, AT_DATAOFF) == l->data_start &&
	       get64(block, AT_DATA_SIZE) == l->data_size &&
	       get64(block, AT_NPFNS) == l->data_size / PAGE_BYTES &&
	       get(block, AT_END_TRUNC, 4) == tail(ns);
}

enum reader_verdict reader_read(const uint8_t *block, const struct reader_namespace *ns,
				struct reader_layout *layout)
{
	struct reader_layout l;

	if (!is_ours(block))
		return READER_NOT_OURS;
	if (!constants_match(block) || !choices_read(block, &l) ||
	    memcmp(block + AT_PARENT_UUID, ns->uuid, UUID_SIZE))
		return READER_REFUSED;
	if (!rsv_follows(ns, get64(block, AT_RSV_SIZE), &l) || !data_follows(ns, &l) ||
	    !places_match(block, ns, &l))
		return READER_REFUSED;

	*layout = l;
	return READER_ACCEPTED;
}
