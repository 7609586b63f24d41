/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second reader of the info block, written from Documentation/driver-api/xen-pmem.rst
 * alone, to hold the driver's against.
 */
#ifndef READER_H
#define READER_H

#include <stdint.h>

#define READER_BLOCK_SIZE 4096

enum reader_verdict {
	READER_NOT_OURS,	/* somebody else's, or nobody's: never to be claimed */
	READER_REFUSED,		/* ours, and not to be used */
	READER_ACCEPTED,
};

/* The namespace the block was read from: physical address and size in bytes. */
struct reader_namespace {
	uint64_t start;
	uint64_t size;
	uint8_t uuid[16];	/* zero without labels */
};

/* What an accepted block says; offsets and sizes in bytes. */
struct reader_layout {
	uint64_t rsv_start, rsv_size;
	uint64_t data_start, data_size;
	uint16_t page_info_size, m2p_size, compat_m2p_size;
	uint8_t uuid[16];
};

/**
 * reader_read() - judge a block
 * @block: READER_BLOCK_SIZE bytes, not changed
 * @ns: where it was read from
 * @layout: OUT, only valid if accepted
 */
enum reader_verdict reader_read(const uint8_t *block, const struct reader_namespace *ns,
				struct reader_layout *layout);

#endif
