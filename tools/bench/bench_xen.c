// SPDX-License-Identifier: GPL-2.0
/*
 * pmem_bench: what XENPF_pmem takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../testing/selftests/xen-pmem/xen_call.h"
#include "pmem_bench.h"

#define GIB_FRAMES	262144ULL
#define SAMPLES		5

#define SYSCTL_INTERFACE_VERSION	0x15
#define SYSCTL_PHYSINFO			3

/* What Xen says of the host. */
struct physinfo {
	u32 cmd;
	u32 interface_version;
	u32 cpus[10];
	u64 total_pages;
	u64 free_pages;
	u8 pad[128];
};

/* Pages of RAM that Xen has left. */
static int left(u64 *pages)
{
	struct physinfo *op = (struct physinfo *)args;
	int rc;

	memset(op, 0, sizeof(*op));
	op->cmd = SYSCTL_PHYSINFO;
	op->interface_version = SYSCTL_INTERFACE_VERSION;
	rc = hypercall(HYPERVISOR_SYSCTL, (uintptr_t)op, 0, 0);
	*pages = op->free_pages;

	return rc;
}

/* Of a call, ticks; -1 if it fails. */
static int64_t call(u16 cmd, const struct xenpf_pmem *tuple)
{
	struct xenpf_pmem *pmem = prepare(cmd);
	uint64_t began;
	int rc;

	if (cmd != XENPF_PMEM_LIST)
		put_tuple(pmem, tuple);
	began = ticks();
	rc = platform_op();
	began = ticks() - began;
	if (!rc)
		return began;
	print_errno(rc);
	printf("\n");

	return -1;
}

/* The reserved area follows the first chunk, the data follow it. */
static int fill_tuple(struct xenpf_pmem *tuple, u64 first, u64 frames)
{
	memset(tuple, 0, sizeof(*tuple));
	tuple->spfn = first;
	tuple->epfn = first + frames;
	tuple->rsv_spfn = first + CHUNK_FRAMES;
	tuple->rsv_epfn = tuple->rsv_spfn + CHUNK_FRAMES;
	tuple->data_spfn = tuple->rsv_epfn;
	tuple->data_epfn = tuple->epfn;
	if (call(XENPF_PMEM_QUERY, tuple) < 0)
		return -1;
	tuple->rsv_epfn = tuple->rsv_spfn +
			  (args->platform.pmem.rsv_need + CHUNK_FRAMES - 1) /
			  CHUNK_FRAMES * CHUNK_FRAMES;
	tuple->data_spfn = tuple->rsv_epfn;

	return 0;
}

/* The least of some, as an interrupt may come between. */
static int64_t least(u16 cmd, const struct xenpf_pmem *tuple)
{
	int64_t best = -1;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		int64_t took = call(cmd, tuple);

		if (took < 0)
			return -1;
		if (best < 0 || took < best)
			best = took;
	}

	return best;
}

/* A call that is a part of its own to QEMU's plugin. */
static int64_t marked(unsigned char number, u16 cmd, const struct xenpf_pmem *tuple)
{
	int64_t took;

	mark(number);
	took = call(cmd, tuple);
	mark(0);

	return took;
}

static int region(u64 first, unsigned int number, u64 gib)
{
	struct xenpf_pmem tuple;
	u64 before, with;
	int64_t add, remove, query, list;

	if (fill_tuple(&tuple, first, gib * GIB_FRAMES) || left(&before))
		return -1;
	query = least(XENPF_PMEM_QUERY, &tuple);
	add = marked(2 * number, XENPF_PMEM_ADD, &tuple);
	if (query < 0 || add < 0 || left(&with))
		return -1;
	list = least(XENPF_PMEM_LIST, &tuple);
	remove = marked(2 * number + 1, XENPF_PMEM_REMOVE, &tuple);
	if (list < 0 || remove < 0)
		return -1;
	printf("gib=%llu add=%lld remove=%lld query=%lld list=%lld",
	       (unsigned long long)gib, (long long)add, (long long)remove,
	       (long long)query, (long long)list);
	printf(" reserved_frames=%llu xen_pages=%lld\n",
	       (unsigned long long)(tuple.rsv_epfn - tuple.rsv_spfn),
	       (long long)(before - with));

	return 0;
}

int do_xen(char **words)
{
	unsigned int number;

	if (xen_open())
		return -1;
	for (number = 1; words[number]; number++)
		if (region(strtoull(words[0], NULL, 16), number,
			   strtoull(words[number], NULL, 0)))
			return -1;

	return 0;
}
