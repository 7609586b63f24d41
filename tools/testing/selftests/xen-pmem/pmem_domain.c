// SPDX-License-Identifier: GPL-2.0
/*
 * Another domain, as far as XENPF_pmem is concerned: what it may access, and what
 * its p2m maps. It has no vCPU and no memory, and is never run.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xen_call.h"

#define DOMCTL_INTERFACE_VERSION	0x17
#define DOMCTL_CREATEDOMAIN		1
#define DOMCTL_DESTROYDOMAIN		2
#define DOMCTL_SHADOW_OP		10
#define DOMCTL_IOMEM_PERMISSION		20
#define DOMCTL_MEMORY_MAPPING		39
#define DOMCTL_SET_PAGING_MEMPOOL_SIZE	86

#define SHADOW_OP_ENABLE_LOGDIRTY	2

#define CDF_HVM		BIT(0)
#define CDF_HAP		BIT(1)
#define EMU_LAPIC	BIT(0)
#define GRANT_V1	1
#define POOL_BYTES	(4U << 20)

struct domctl {
	u32 cmd;
	u32 interface_version;
	u16 domid;
	u16 pad[3];
	union {
		struct {
			u32 ssidref;
			u8 handle[16];
			u32 flags;
			u32 iommu_opts;
			u32 max_vcpus;
			u32 max_evtchn_port;
			s32 max_grant_frames;
			s32 max_maptrack_frames;
			u32 grant_opts;
			u32 altp2m_opts;
			u32 vmtrace_size;
			u32 cpupool_id;
			u32 emulation_flags;
			u32 misc_flags;
		} create;
		struct {
			u64 mfn;
			u64 nr;
			u8 allow;
		} iomem;
		struct {
			u64 gfn;
			u64 mfn;
			u64 nr;
			u32 add;
			u32 pad;
		} mapping;
		struct {
			u32 op;
			u32 mode;
			u32 mb;
			u64 bitmap;
			u64 pages;
			u32 fault_count;
			u32 dirty_count;
		} shadow;
		struct {
			u64 bytes;
		} pool;
		u8 bytes[128];
	};
};

static struct domctl *new_domctl(u32 cmd, u16 domid)
{
	struct domctl *op = (struct domctl *)args;

	memset(op, 0, sizeof(*op));
	op->cmd = cmd;
	op->interface_version = DOMCTL_INTERFACE_VERSION;
	op->domid = domid;

	return op;
}

static int call_domctl(struct domctl *op)
{
	return hypercall(HYPERVISOR_DOMCTL, (uintptr_t)op, 0, 0);
}

static int create(u16 *domid)
{
	struct domctl *op = new_domctl(DOMCTL_CREATEDOMAIN, 0);
	int rc;

	op->create.flags = CDF_HVM | CDF_HAP;
	op->create.max_vcpus = 1;
	op->create.max_evtchn_port = 127;
	op->create.max_grant_frames = 1;
	op->create.max_maptrack_frames = 0;
	op->create.grant_opts = GRANT_V1;
	op->create.emulation_flags = EMU_LAPIC;
	rc = call_domctl(op);
	*domid = op->domid;
	if (rc)
		return rc;

	op = new_domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, *domid);
	op->pool.bytes = POOL_BYTES;

	return call_domctl(op);
}

static int permit(u16 domid, u64 mfn, u64 nr, bool allow)
{
	struct domctl *op = new_domctl(DOMCTL_IOMEM_PERMISSION, domid);

	op->iomem.mfn = mfn;
	op->iomem.nr = nr;
	op->iomem.allow = allow;

	return call_domctl(op);
}

/* Guest frames are numbered as the host's. */
static int map(u16 domid, u64 mfn, u64 nr)
{
	struct domctl *op = new_domctl(DOMCTL_MEMORY_MAPPING, domid);

	op->mapping.gfn = mfn;
	op->mapping.mfn = mfn;
	op->mapping.nr = nr;
	op->mapping.add = 1;

	return call_domctl(op);
}

/* A PVH domain that is nothing but a number, to be destroyed. */
int do_domain(char **words, int nr)
{
	u16 domid;
	int rc;

	if (nr)
		return bad_usage("domain takes no arguments");
	rc = create(&domid);
	if (!rc)
		printf("domid=%u", domid);

	return report(rc);
}

static int parse_range(char **words, u64 *domid, u64 *mfn, u64 *nr)
{
	return parse_number(words[0], domid) || parse_frame(words[1], mfn) ||
	       parse_frame(words[2], nr);
}

/* permit DOMID MFN NR [map] */
int do_permit(char **words, int nr)
{
	u64 domid, mfn, count;
	int rc;

	if (nr != 3 && (nr != 4 || strcmp(words[3], "map")))
		return bad_usage("permit takes a domain, a frame and a number of frames");
	if (parse_range(words, &domid, &mfn, &count))
		return 2;
	rc = permit(domid, mfn, count, true);
	if (!rc && nr == 4)
		rc = map(domid, mfn, count);

	return report(rc);
}

/* What the domain had mapped stays mapped. */
int do_revoke(char **words, int nr)
{
	u64 domid, mfn, count;

	if (nr != 3)
		return bad_usage("revoke takes a domain, a frame and a number of frames");
	if (parse_range(words, &domid, &mfn, &count))
		return 2;

	return report(permit(domid, mfn, count, false));
}

/* As before the domain is migrated; there is no way back. */
int do_track(char **words, int nr)
{
	struct domctl *op;
	u64 domid;

	if (nr != 1 || parse_number(words[0], &domid))
		return bad_usage("track takes a domain");
	op = new_domctl(DOMCTL_SHADOW_OP, domid);
	op->shadow.op = SHADOW_OP_ENABLE_LOGDIRTY;

	return report(call_domctl(op));
}

int do_destroy(char **words, int nr)
{
	u64 domid;
	int rc;

	if (nr != 1 || parse_number(words[0], &domid))
		return bad_usage("destroy takes a domain");
	do {
		rc = call_domctl(new_domctl(DOMCTL_DESTROYDOMAIN, domid));
	} while (rc == -EAGAIN);

	return report(rc);
}
