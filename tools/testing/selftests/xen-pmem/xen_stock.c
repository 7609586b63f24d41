// SPDX-License-Identifier: GPL-2.0
/*
 * xen_stock - a few calls of the interface that every Xen 4.20 has, and what they
 * answer: one line NAME=OUTCOME each.
 *
 * Nothing is changed for longer than a call, and nothing is asked of Xen that it
 * would do to memory of others.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xen_call.h"

#define XENVER_VERSION			0
#define XENVER_EXTRAVERSION		1
#define XENMEM_CURRENT_RESERVATION	3
#define XENMEM_MAXIMUM_RESERVATION	4
#define XENMEM_MACHPHYS_MFN_LIST	5
#define XENPF_GET_CPUINFO		55
#define XENPF_MEM_HOTADD		59
#define GNTTABOP_MAP_GRANT_REF		0
#define GNTTABOP_UNMAP_GRANT_REF	1
#define GNTTABOP_QUERY_SIZE		6
#define MMUEXT_PIN_L1_TABLE		0
#define MMUEXT_TLB_FLUSH_LOCAL		6
#define MMUEXT_CLEAR_PAGE		16
#define SCHEDOP_YIELD			0
#define EVTCHNOP_CLOSE			3
#define EVTCHNOP_STATUS			5
#define EVTCHNOP_ALLOC_UNBOUND		6
#define PHYSDEVOP_IRQ_STATUS_QUERY	5
#define UNKNOWN				0x77

/* Larger than any host's, and no frame's number in a release of Xen. */
#define NO_FRAME	0x10000000000ULL
#define M2P_CHUNKS	64

struct mmuext_op {
	u32 cmd;
	u64 mfn;
	u64 arg2;
};

struct evtchn_alloc {
	u16 dom;
	u16 remote;
	u32 port;
};

struct evtchn_status {
	u16 dom;
	u32 port;
	u32 status;
	u32 vcpu;
	u32 u[2];
};

struct machphys {
	u32 max_extents;
	u64 extents;
	u32 nr_extents;
	u64 list[M2P_CHUNKS];
};

struct grant_map {
	u64 host_addr;
	u32 flags;
	u32 ref;
	u16 dom;
	s16 status;
	u32 handle;
	u64 dev_bus_addr;
};

struct grant_unmap {
	u64 host_addr;
	u64 dev_bus_addr;
	u32 handle;
	s16 status;
};

struct grant_size {
	u16 dom;
	u32 nr_frames;
	u32 max_nr_frames;
	s16 status;
};

/* Zeroed, for the arguments of one call. */
static void *fresh(void)
{
	return memset(args, 0, sizeof(*args));
}

static int memory_op(u32 cmd)
{
	return hypercall(HYPERVISOR_MEMORY_OP, cmd, (uintptr_t)args, 0);
}

static int version(void)
{
	int rc = hypercall(HYPERVISOR_XEN_VERSION, XENVER_VERSION, 0, 0);

	/* 4.20: the rest of the table is about this one. */
	return rc == (4 << 16 | 20) ? 0 : rc < 0 ? rc : -ENOTSUP;
}

static int extraversion(void)
{
	fresh();

	return hypercall(HYPERVISOR_XEN_VERSION, XENVER_EXTRAVERSION, (uintptr_t)args, 0);
}

static int unknown_version(void)
{
	return hypercall(HYPERVISOR_XEN_VERSION, UNKNOWN, (uintptr_t)fresh(), 0);
}

static int maximum_ram_page(void)
{
	return hypercall(HYPERVISOR_MEMORY_OP, XENMEM_MAXIMUM_RAM_PAGE, 0, 0);
}

static int reservation(u32 cmd, u16 domid)
{
	u16 *dom = fresh();

	*dom = domid;

	return memory_op(cmd);
}

static int current_reservation(void)
{
	return reservation(XENMEM_CURRENT_RESERVATION, DOMID_SELF);
}

static int maximum_reservation(void)
{
	return reservation(XENMEM_MAXIMUM_RESERVATION, DOMID_SELF);
}

static int reservation_of_nobody(void)
{
	return reservation(XENMEM_CURRENT_RESERVATION, 0x7000);
}

static int memory_map(void)
{
	int rc = machine_map();

	return rc ? rc : args->map.op.nr_entries ? 0 : -ENODATA;
}

static int memory_map_no_room(void)
{
	fresh();

	return memory_op(XENMEM_MACHINE_MEMORY_MAP);
}

static int unknown_memory(void)
{
	fresh();

	return memory_op(UNKNOWN & 0x3f);
}

static int decrease_no_frame(void)
{
	fresh();
	args->memory.in = NO_FRAME;
	args->memory.op.in.extent_start = (uintptr_t)&args->memory.in;
	args->memory.op.in.nr_extents = 1;
	args->memory.op.in.domid = DOMID_SELF;

	return memory_op(XENMEM_DECREASE_RESERVATION) == 0 ? 0 : -EIO;
}

static int exchange_no_frame(void)
{
	fresh();
	args->memory.in = NO_FRAME;
	args->memory.op.in.extent_start = (uintptr_t)&args->memory.in;
	args->memory.op.in.nr_extents = 1;
	args->memory.op.in.domid = DOMID_SELF;
	args->memory.op.out = args->memory.op.in;
	args->memory.op.out.extent_start = (uintptr_t)&args->memory.out;

	return memory_op(XENMEM_EXCHANGE);
}

static int platform(u32 cmd, u32 version)
{
	args->platform.cmd = cmd;
	args->platform.interface_version = version;

	return platform_op();
}

static int unknown_platform(void)
{
	fresh();

	return platform(UNKNOWN, XENPF_INTERFACE_VERSION);
}

static int other_platform(void)
{
	fresh();

	return platform(XENPF_GET_CPUINFO, XENPF_INTERFACE_VERSION + 1);
}

static int cpuinfo(void)
{
	fresh();

	return platform(XENPF_GET_CPUINFO, XENPF_INTERFACE_VERSION);
}

/*
 * Only what is refused before anything is done: Xen 4.20 does not survive what it
 * accepts, and it accepts more than it should: ranges that are RAM already.
 */
static int hotadd(u64 spfn, u64 epfn)
{
	u64 *frames;

	fresh();
	frames = (u64 *)args->platform.pad;
	frames[0] = spfn;
	frames[1] = epfn;

	return platform(XENPF_MEM_HOTADD, XENPF_INTERFACE_VERSION);
}

static int hotadd_misaligned(void)
{
	return hotadd(0x1000001, 0x1000201);
}

static int hotadd_inverted(void)
{
	return hotadd(0x1000400, 0x1000200);
}

static int hotadd_small(void)
{
	return hotadd(0x1000200, 0x1000400);
}

/* The frame of a page of this process, as Linux numbers it. */
static u64 pfn_of(const void *va)
{
	u64 entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)va / PAGE_SIZE * 8) != 8)
		entry = 0;
	close(fd);

	return entry & ((1ULL << 55) - 1);
}

static int search_page(u64 frame, u64 pfn, u64 *index)
{
	u64 *m2p;
	int rc = map_frame(DOMID_XEN, frame, PROT_READ, &m2p);

	if (rc)
		return rc;
	for (*index = 0; *index < PAGE_SIZE / 8; ++*index) {
		if (m2p[*index] == pfn)
			break;
	}
	unmap_frame(m2p);

	return *index < PAGE_SIZE / 8 ? 0 : -ENOENT;
}

/* The machine's number of it: from the M2P, which a control domain may read. */
static u64 mfn_of(u64 pfn)
{
	struct machphys *list = fresh();
	u64 chunks[M2P_CHUNKS], nr, i, page, index;

	if (translated())
		return pfn;
	list->max_extents = M2P_CHUNKS;
	list->extents = (uintptr_t)list->list;
	if (memory_op(XENMEM_MACHPHYS_MFN_LIST))
		return NO_FRAME;
	nr = list->nr_extents;
	memcpy(chunks, list->list, sizeof(chunks));
	for (i = 0; i < nr; i++) {
		for (page = 0; page < CHUNK_FRAMES; page++) {
			if (!search_page(chunks[i] + page, pfn, &index))
				return (i * CHUNK_FRAMES + page) * (PAGE_SIZE / 8) + index;
		}
	}

	return NO_FRAME;
}

/* A status of a grant operation, as the errno of the same meaning. */
static int status(int rc)
{
	switch (rc) {
	case -3:
		return -EBADR;
	case -4:
		return -EBADF;
	case -9:
		return -EBADMSG;
	}

	return rc;
}

static int gcopy(u64 from, u64 to)
{
	int result, rc = copy_frame(from, to, &result);

	return status(rc ? rc : result);
}

static int gcopy_ram(void)
{
	u64 *from = resident(PAGE_SIZE), *to = resident(PAGE_SIZE);
	int rc;

	if (from == MAP_FAILED || to == MAP_FAILED)
		return -ENOMEM;
	memset(from, 0x5a, PAGE_SIZE);
	memset(to, 0, PAGE_SIZE);
	rc = gcopy(mfn_of(pfn_of(from)), mfn_of(pfn_of(to)));
	if (!rc && memcmp(from, to, PAGE_SIZE))
		rc = -EIO;

	return rc;
}

static int gcopy_no_frame(void)
{
	return gcopy(NO_FRAME, NO_FRAME);
}

static int gcopy_mmio(void)
{
	return gcopy(0xfee00, 0xfee00);
}

static int map_bad_ref(void)
{
	struct grant_map *map = fresh();
	int rc;

	map->ref = ~0U;
	map->flags = 2;
	rc = hypercall(HYPERVISOR_GRANT_TABLE_OP, GNTTABOP_MAP_GRANT_REF,
		       (uintptr_t)map, 1);

	return status(rc ? rc : map->status);
}

static int unmap_bad_handle(void)
{
	struct grant_unmap *unmap = fresh();
	int rc;

	unmap->handle = ~0U;
	rc = hypercall(HYPERVISOR_GRANT_TABLE_OP, GNTTABOP_UNMAP_GRANT_REF,
		       (uintptr_t)unmap, 1);

	return status(rc ? rc : unmap->status);
}

static int grant_size(void)
{
	struct grant_size *size = fresh();
	int rc;

	size->dom = DOMID_SELF;
	rc = hypercall(HYPERVISOR_GRANT_TABLE_OP, GNTTABOP_QUERY_SIZE,
		       (uintptr_t)size, 1);
	if (rc || size->status)
		return status(rc ? rc : size->status);

	return size->nr_frames && size->nr_frames <= size->max_nr_frames ? 0 : -EIO;
}

static int unknown_grant(void)
{
	return hypercall(HYPERVISOR_GRANT_TABLE_OP, UNKNOWN, (uintptr_t)fresh(), 1);
}

static int mmuext(u32 cmd, u64 mfn)
{
	struct mmuext_op *op = fresh();

	op->cmd = cmd;
	op->mfn = mfn;

	/* One op, no count wanted. */
	return hypercall4(HYPERVISOR_MMUEXT_OP, (uintptr_t)op, 1, 0, DOMID_SELF);
}

static int flush(void)
{
	return mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

static int pin_no_frame(void)
{
	return mmuext(MMUEXT_PIN_L1_TABLE, NO_FRAME);
}

static int pin_mmio(void)
{
	return mmuext(MMUEXT_PIN_L1_TABLE, 0xfee00);
}

static int clear_no_frame(void)
{
	return mmuext(MMUEXT_CLEAR_PAGE, NO_FRAME);
}

static int unknown_mmuext(void)
{
	return mmuext(UNKNOWN, 0);
}

static int yield(void)
{
	return hypercall(HYPERVISOR_SCHED_OP, SCHEDOP_YIELD, 0, 0);
}

static int unknown_sched(void)
{
	return hypercall(HYPERVISOR_SCHED_OP, UNKNOWN, (uintptr_t)fresh(), 0);
}

static int evtchn_op(u32 cmd)
{
	return hypercall(HYPERVISOR_EVENT_CHANNEL_OP, cmd, (uintptr_t)args, 0);
}

static int close_port(u32 port)
{
	u32 *op = fresh();

	*op = port;

	return evtchn_op(EVTCHNOP_CLOSE);
}

static int evtchn(void)
{
	struct evtchn_alloc *alloc = fresh();
	struct evtchn_status *status;
	u32 port;
	int rc;

	alloc->dom = DOMID_SELF;
	alloc->remote = DOMID_SELF;
	rc = evtchn_op(EVTCHNOP_ALLOC_UNBOUND);
	if (rc)
		return rc;
	port = alloc->port;

	status = fresh();
	status->dom = DOMID_SELF;
	status->port = port;
	rc = evtchn_op(EVTCHNOP_STATUS);
	if (!rc && status->status != 1)
		rc = -EIO;

	return rc ? rc : close_port(port);
}

static int close_no_port(void)
{
	return close_port(0xfffff);
}

static int unknown_evtchn(void)
{
	fresh();

	return evtchn_op(UNKNOWN);
}

static int irq_status(void)
{
	u32 *op = fresh();

	*op = 9;

	return hypercall(HYPERVISOR_PHYSDEV_OP, PHYSDEVOP_IRQ_STATUS_QUERY,
			 (uintptr_t)op, 0);
}

static int unknown_physdev(void)
{
	return hypercall(HYPERVISOR_PHYSDEV_OP, UNKNOWN, (uintptr_t)fresh(), 0);
}

static const struct check {
	const char *name;
	int (*run)(void);
} checks[] = {
	{ "version-4.20", version },
	{ "version-extra", extraversion },
	{ "version-unknown", unknown_version },
	{ "memory-maximum-ram-page", maximum_ram_page },
	{ "memory-current-reservation", current_reservation },
	{ "memory-maximum-reservation", maximum_reservation },
	{ "memory-reservation-of-nobody", reservation_of_nobody },
	{ "memory-machine-map", memory_map },
	{ "memory-machine-map-no-room", memory_map_no_room },
	{ "memory-unknown", unknown_memory },
	{ "memory-decrease-no-frame", decrease_no_frame },
	{ "memory-exchange-no-frame", exchange_no_frame },
	{ "platform-unknown", unknown_platform },
	{ "platform-other-version", other_platform },
	{ "platform-cpuinfo", cpuinfo },
	{ "platform-hotadd-misaligned", hotadd_misaligned },
	{ "platform-hotadd-inverted", hotadd_inverted },
	{ "platform-hotadd-small", hotadd_small },
	{ "grant-copy-ram", gcopy_ram },
	{ "grant-copy-no-frame", gcopy_no_frame },
	{ "grant-copy-mmio", gcopy_mmio },
	{ "grant-map-bad-ref", map_bad_ref },
	{ "grant-unmap-bad-handle", unmap_bad_handle },
	{ "grant-query-size", grant_size },
	{ "grant-unknown", unknown_grant },
	{ "mmuext-flush", flush },
	{ "mmuext-pin-no-frame", pin_no_frame },
	{ "mmuext-pin-mmio", pin_mmio },
	{ "mmuext-clear-no-frame", clear_no_frame },
	{ "mmuext-unknown", unknown_mmuext },
	{ "sched-yield", yield },
	{ "sched-unknown", unknown_sched },
	{ "evtchn-alloc-status-close", evtchn },
	{ "evtchn-close-no-port", close_no_port },
	{ "evtchn-unknown", unknown_evtchn },
	{ "physdev-irq-status", irq_status },
	{ "physdev-unknown", unknown_physdev },
};

/* The domain's present size in pages, for who wants to see it change. */
static int print_pages(void)
{
	int rc = current_reservation();

	printf("pages=%d\n", rc);

	return rc < 0;
}

int main(int argc, char **argv)
{
	unsigned int i;
	int rc;

	if (xen_open())
		return 1;
	if (argc == 2 && !strcmp(argv[1], "pages"))
		return print_pages();
	if (argc > 1) {
		fputs("xen_stock [pages]\n", stderr);
		return 2;
	}

	printf("kind=%s\n", translated() ? "pvh" : "pv");
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		rc = checks[i].run();
		printf("%s=%s\n", checks[i].name, error_name(rc < 0 ? -rc : 0));
	}

	return 0;
}
